"""The parts of a running service, and a visit to it: who asks, for what, and what is refused before it is read."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grading.service import access
from grading.service.catalogue import Card, Catalogue
from grading.service.database import Database
from grading.service.foresight import Foresights
from grading.service.identity import Identity, form_token, is_form_token
from grading.service.limits import Rate
from grading.service.live import Shared, Watch
from grading.service.settings import Settings

TOO_MANY = "More files came than this assignment has notebooks: go back, and choose these alone, or one zip of them."
UNKNOWN = "This page is not there, or not for you."
FIELDS = 12
"""Most fields of a form."""


@dataclass(frozen=True)
class Site:
    """A running service."""

    settings: Settings
    database: Database
    catalogue: Catalogue
    watch: Watch
    course_id: str
    places: Shared
    """How many hand-ins come before each that waits, by assignment."""
    foresights: Foresights
    failed_tries: Rate = field(default_factory=lambda: Rate(20, 60))
    """Tokens and codes that were wrong, by address."""

    @property
    def cookie(self) -> str:
        """Return the name of the session's cookie; `__Host-` keeps other hosts of the domain from setting it."""
        return "__Host-course" if self.settings.secure else "course"


@dataclass(frozen=True)
class Visit:
    """A request of somebody who was let in."""

    site: Site
    request: Request
    who: Identity
    token: str
    form: FormData = field(default_factory=FormData)

    @property
    def form_token(self) -> str:
        """Return what our forms of this session carry."""
        return form_token(self.token)

    def card(self) -> Card:
        """Return the assignment in the address. Raises HTTPException where there is none."""
        card = self.site.catalogue.card(str(self.request.path_params["assignment"]))
        if card is None:
            raise HTTPException(404, UNKNOWN)
        return card

    def text(self, name: str) -> str:
        """Return a field of the form, or of the address, as text; empty if it is missing or a file."""
        value = self.form.get(name, self.request.query_params.get(name, ""))
        return value if isinstance(value, str) else ""


Handler = Callable[[Visit], Response]
_AsyncEndpoint = Callable[[Request], Awaitable[Response]]


def let_in(site: Site, response: Response, who: Identity, link: str | None = None) -> None:
    """Start a session of somebody who was recognised, and have the browser keep it."""
    token = access.start_session(site.database, who, time.time(), site.settings.session_seconds, link)
    framed = site.settings.secure and bool(site.settings.framed_by)
    kind = "SameSite=None; Partitioned" if framed else "SameSite=Lax"
    secure = "; Secure" if site.settings.secure else ""
    age = round(site.settings.session_seconds)
    response.headers.append("set-cookie", f"{site.cookie}={token}; Path=/; Max-Age={age}; HttpOnly; {kind}{secure}")


def forget(site: Site, response: Response) -> None:
    """Have the browser forget the session."""
    secure = "; Secure" if site.settings.secure else ""
    response.headers.append("set-cookie", f"{site.cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")


def address(request: Request) -> str:
    """Return where a request comes from, for counting tries."""
    return request.client.host if request.client else ""


async def recognised(request: Request) -> Visit | None:
    """Return the visit of somebody with a session; None for anybody else."""
    site: Site = request.app.state.site
    token = request.cookies.get(site.cookie, "")
    who = await run_in_threadpool(access.session_of, site.database, token, time.time()) if token else None
    return Visit(site, request, who, token) if who is not None and who.course == site.course_id else None


async def visit(request: Request, teaches: bool = False) -> Visit:
    """Return the visit. Raises HTTPException for who was not let in, or asks for what is the instructors'."""
    found = await recognised(request)
    if found is None:
        raise HTTPException(401, "Open your personal link, or come from your learning platform.")
    if teaches and not found.who.role.teaches:
        raise HTTPException(404, UNKNOWN)
    return found


def check_origin(request: Request, settings: Settings) -> None:
    """Raise HTTPException for a form that another site sent, by what the browser says about it."""
    origin = request.headers.get("origin")
    if origin is not None and origin != settings.origin:
        raise HTTPException(403, "This form was not sent from our pages.")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "This form was not sent from our pages.")


async def with_form(found: Visit, files: int = 0) -> Visit:
    """Read the form of a visit. Raises HTTPException for one that our pages did not make for this session."""
    try:
        form = await found.request.form(max_files=files, max_fields=FIELDS)
    except HTTPException as error:
        raise HTTPException(400, TOO_MANY if "Too many files" in error.detail else error.detail) from error
    read = Visit(found.site, found.request, found.who, found.token, form)
    sent = form.get("form_token")
    if not isinstance(sent, str) or not is_form_token(sent, found.token):
        raise HTTPException(403, "This page has grown old: load it again, then send it again.")
    return read


def shows(handler: Handler, teaches: bool = False) -> _AsyncEndpoint:
    """Make an endpoint of a page."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, await visit(request, teaches))

    return endpoint


def takes(handler: Handler, teaches: bool = False) -> _AsyncEndpoint:
    """Make an endpoint of a form without files."""

    async def endpoint(request: Request) -> Response:
        found = await visit(request, teaches)
        check_origin(request, found.site.settings)
        return await run_in_threadpool(handler, await with_form(found))

    return endpoint


def see(path: str) -> RedirectResponse:
    """Answer a form with a page of ours to look at."""
    return RedirectResponse(path, status_code=303)
