"""The web application: addresses, what stands around them, and how refusals look."""

import contextlib
import http
import time
from asyncio import create_task
from collections.abc import AsyncIterator, Sequence
from functools import partial
from importlib import resources

from nbgrader.coursedir import CourseDirectory
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from grading.config import load_config
from grading.rules.rules import Rules
from grading.service import audit_pages, doors, foresight_pages, handing_in, queue, student_pages, teaching_pages
from grading.service.audit import note_rules
from grading.service.catalogue import Catalogue
from grading.service.database import Database
from grading.service.foresight import Foresights
from grading.service.headers import Headers
from grading.service.limits import BodyLimit
from grading.service.live import Shared, Watch
from grading.service.rendering import page
from grading.service.settings import Settings
from grading.service.site import Site, shows, takes

UPLOADS = ("/hand-in",)
"""Ends of the addresses to which a notebook may be sent."""


def create_app(settings: Settings, database: Database, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the application; `more` are addresses of other ways to come in, which find the site in `app.state`."""
    config = load_config(settings.course)
    watch = Watch(database)

    def told(rules: Rules) -> None:
        note_rules(database, rules, time.time())

    catalogue = Catalogue(settings, told)
    course_id = str(CourseDirectory(config=config).course_id)
    places, foresights = Shared(partial(queue.places, database)), Foresights(database, settings.course)
    site = Site(settings, database, catalogue, watch, course_id, places, foresights)

    @contextlib.asynccontextmanager
    async def watching(_: Starlette) -> AsyncIterator[None]:
        task = create_task(watch.run())
        yield
        task.cancel()

    app = Starlette(
        routes=[*_routes(), *more],
        middleware=[
            Middleware(Headers, settings=settings),
            Middleware(BodyLimit, upload_bytes=settings.upload_bytes, uploads=UPLOADS, refuse=_too_large),
        ],
        exception_handlers={HTTPException: _refused, Exception: _went_wrong},
        lifespan=watching,
    )
    app.state.site = site
    return app


def _routes() -> list[BaseRoute]:
    student, teaching = student_pages, teaching_pages
    return [
        Route("/", shows(student.home)),
        Route("/enter/{token}", doors.enter),
        Route("/enter", doors.enter_instead, methods=["POST"]),
        Route("/leave", takes(doors.leave), methods=["POST"]),
        Route("/mine.json", shows(student.own_data)),
        Route("/a/{assignment}", shows(student.assignment)),
        Route("/a/{assignment}/hand-in", handing_in.hand_in, methods=["POST"]),
        Route("/a/{assignment}/code", takes(student.code), methods=["POST"]),
        Route("/a/{assignment}/ask", takes(student.ask), methods=["POST"]),
        Route("/api/hand-in", handing_in.hand_in_by_code, methods=["POST"]),
        Route("/h/{hand_in}", shows(student.hand_in)),
        Route("/h/{hand_in}/events", student.hand_in_events),
        Route("/h/{hand_in}/page", shows(student.feedback)),
        Route("/h/{hand_in}/file", shows(student.handed_in_file)),
        Route("/board/{assignment}", shows(teaching.board, teaches=True)),
        Route("/board/{assignment}/events", teaching.board_events),
        Route("/board/{assignment}/student", shows(teaching.student, teaches=True)),
        Route("/board/{assignment}/answer", takes(teaching.answer, teaches=True), methods=["POST"]),
        Route("/board/{assignment}/extend", takes(teaching.extend, teaches=True), methods=["POST"]),
        Route("/board/{assignment}/again", takes(teaching.again, teaches=True), methods=["POST"]),
        Route("/board/{assignment}/foresee", takes(foresight_pages.ask, teaches=True), methods=["POST"]),
        Route("/board/{assignment}/foreseen", shows(foresight_pages.foreseen, teaches=True)),
        Route("/board/{assignment}/foreseen/events", foresight_pages.foreseen_events),
        Route("/board/{assignment}/feedback", takes(teaching.feedback, teaches=True), methods=["POST"]),
        Route("/audit", shows(audit_pages.audit_log, teaches=True)),
        Mount("/static", StaticFiles(directory=str(resources.files("grading.service") / "static"))),
    ]


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    site: Site = request.app.state.site
    title = http.HTTPStatus(error.status_code).phrase
    text = error.detail if error.detail != title else ""
    if error.status_code == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        most = site.settings.upload_bytes / 10**6
        text = f"More than {most:.0f} MB are not taken. Clear the outputs of the notebook, save it, and try again."
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text or title}, status_code=error.status_code)
    return page("said", error.status_code, title=text or title, text="", back="/", who=None)


def _too_large(request: Request) -> Response:
    return _refused(request, HTTPException(413))


def _went_wrong(request: Request, _: Exception) -> Response:
    """Say that it is our fault; what happened stands in the server's log and nowhere else."""
    text = "Something went wrong here. What you handed in with a receipt is kept. Try again in a moment."
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text}, status_code=500)
    return page("said", 500, title="This is not your mistake", text=text, back="/", who=None)
