"""Coming in by a personal link, and leaving."""

import time

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grading.service import access
from grading.service.access import Link
from grading.service.identity import Identity
from grading.service.rendering import page
from grading.service.site import Site, Visit, address, check_origin, forget, let_in, recognised, see, visit, with_form

NO_LINK = "This link does not open: it may have ended, or been withdrawn. Ask for a new one."
SLOWLY = "Too many tries: wait a minute."


async def enter(request: Request) -> Response:
    """Let in who opens a personal link; who is somebody else already is asked first."""
    site: Site = request.app.state.site
    link = await _opened(request, site, str(request.path_params["token"]))
    before = await recognised(request)
    if before is not None and (before.who.student, before.who.role) != (link.student, link.role):
        people = await run_in_threadpool(site.catalogue.people)
        return page(
            "enter",
            who=None,
            name=people.name(before.who.student),
            form_token=before.form_token,
            other=people.name(link.student),
            link=request.path_params["token"],
        )
    return await _let_in(site, link)


async def enter_instead(request: Request) -> Response:
    """Let somebody in by another person's link, who has said so."""
    found = await visit(request)
    check_origin(request, found.site.settings)
    found = await with_form(found)
    return await _let_in(found.site, await _opened(request, found.site, found.text("link")))


def leave(found: Visit) -> Response:
    """End a session."""
    access.end_session(found.site.database, found.token)
    answer = page("said", title="You have left", text="Your personal link lets you in again.", back="", who=None)
    forget(found.site, answer)
    return answer


async def _opened(request: Request, site: Site, token: str) -> Link:
    if not site.failed_tries.allows(address(request)):
        raise HTTPException(429, SLOWLY)
    link = await run_in_threadpool(access.open_link, site.database, token, time.time())
    if link is None:
        site.failed_tries.note(address(request))
        raise HTTPException(404, NO_LINK)
    return link


async def _let_in(site: Site, link: Link) -> Response:
    answer = see("/")
    who = Identity(site.course_id, link.student, link.role)
    await run_in_threadpool(let_in, site, answer, who, link.id)
    return answer
