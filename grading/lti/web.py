"""Routes of the protocol for a Starlette application: login, launch, keys, and an instructor's choice of a link."""

import html
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from grading.lti.claims import Role
from grading.lti.deep_linking import Item, response
from grading.lti.keys import PlatformKeys, ToolKey
from grading.lti.launch import Launch, Verifier
from grading.lti.login import LOGIN_SECONDS, Tool, begin
from grading.lti.platforms import LtiError, Platform, origin_of
from grading.lti.stores import Choices, Logins, hashed, new_secret

MOST_BYTES = 256 * 1024
CHOICE_SECONDS = 1800.0
_STYLE = "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}button{font:inherit}"
_SUBMIT = "document.forms[0].submit()"

Established = Callable[[Request, Launch], Response]
"""Answers a launch that was checked: makes a session and leads to the page."""
Items = Callable[[Launch], Sequence[Item]]
"""Lists the assignments that an instructor may link."""


@dataclass(frozen=True)
class Lti:
    """Everything that the routes need."""

    tool: Tool
    key: ToolKey
    platforms: Sequence[Platform]
    logins: Logins
    choices: Choices
    platform_keys: PlatformKeys
    clock: Callable[[], float] = field(default=time.time)

    @property
    def secure(self) -> bool:
        """Return whether the tool is reached by https."""
        return self.tool.url.startswith("https://")


def routes(lti: Lti, established: Established, items: Items = lambda launch: ()) -> list[Route]:
    """Return the routes of the protocol; `established` may block, and runs in a thread."""
    verifier = Verifier(lti.tool, lti.platforms, lti.logins, lti.platform_keys, lti.clock)

    async def login(request: Request) -> Response:
        try:
            given = await _given(request)
            begun = await to_thread.run_sync(begin, lti.tool, lti.platforms, lti.logins, given, lti.clock())
        except LtiError as error:
            return refusal(lti, error)
        answer = RedirectResponse(begun.address, HTTPStatus.FOUND, {"Cache-Control": "no-store"})
        _keep(lti, answer, begun.state, begun.browser)
        return answer

    async def launch(request: Request) -> Response:
        try:
            given = await _given(request)
            cookies = request.cookies
            begun, platform = await to_thread.run_sync(
                verifier.begun, given, lambda state: cookies.get(_cookie(lti, state))
            )
            checked = await verifier.check(given, begun, platform)
            if checked.deep_linking is None:
                answer = await to_thread.run_sync(established, request, checked)
            else:
                answer = await to_thread.run_sync(_offer, lti, checked, items)
        except LtiError as error:
            return refusal(lti, error)
        _forget(lti, answer, given["state"])
        return answer

    async def choose(request: Request) -> Response:
        try:
            given = await _given(request)
            return await to_thread.run_sync(_chosen, lti, given, items)
        except LtiError as error:
            return refusal(lti, error)

    async def keys(request: Request) -> Response:
        return JSONResponse(lti.key.public_set, headers={"Cache-Control": "public, max-age=3600"})

    path = lti.tool.prefix
    return [
        Route(f"{path}/login", login, methods=["GET", "POST"]),
        Route(f"{path}/launch", launch, methods=["POST"]),
        Route(f"{path}/choose", choose, methods=["POST"]),
        Route(f"{path}/jwks.json", keys, methods=["GET"]),
    ]


async def _given(request: Request) -> dict[str, str]:
    """Return what a request says, of a form or an address. Raises LtiError for what is too much, or said twice."""
    text = request.url.query
    if request.method == "POST":
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise LtiError("This address takes forms only.")
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                raise LtiError("That is more than a launch may hold.")
        text = body.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise LtiError("That is more than a launch may hold.") from error
    given = dict(pairs)
    if len(given) < len(pairs):
        raise LtiError("The platform said the same parameter twice.")
    return given


def _cookie(lti: Lti, state: str) -> str:
    """Return the name of a login's cookie: several may be under way in one browser."""
    name = f"lti-{hashed(state)[:16]}"
    return f"__Host-{name}" if lti.secure else name


def _keep(lti: Lti, answer: Response, state: str, browser: str) -> None:
    """Let the browser keep the secret of a login. Within the platform's frame that takes SameSite=None and Partitioned.

    Without TLS there is neither, and the platform must be on the same machine.
    """
    _set_cookie(lti, answer, f"{_cookie(lti, state)}={browser}", int(LOGIN_SECONDS))


def _forget(lti: Lti, answer: Response, state: str) -> None:
    _set_cookie(lti, answer, f"{_cookie(lti, state)}=", 0)


def _set_cookie(lti: Lti, answer: Response, pair: str, seconds: int) -> None:
    frame = "Secure; SameSite=None; Partitioned" if lti.secure else "SameSite=Lax"
    answer.headers.append("Set-Cookie", f"{pair}; Max-Age={seconds}; Path=/; HttpOnly; {frame}")


def refusal(lti: Lti, error: LtiError) -> Response:
    """Return the page that says why a launch was refused."""
    return _page(lti, "This did not work", f"<p>{html.escape(str(error))}</p>", HTTPStatus.FORBIDDEN)


def _page(
    lti: Lti, title: str, body: str, status: int = HTTPStatus.OK, script: str = "", leads: str = "'self'"
) -> Response:
    """Return a page that only registered platforms may frame, whose forms lead to `leads` alone."""
    frames = " ".join(sorted({origin_of(platform.login_url) for platform in lti.platforms}))
    hashes = " ".join(f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in [script] if one)
    style = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src {hashes or chr(39) + 'none' + chr(39)}; "
        f"form-action {leads}; base-uri 'none'; frame-ancestors 'self' {frames}"
    )
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style><h1>{html.escape(title)}</h1>{body}"
        + (f"<script>{script}</script>" if script else "")
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(text, status, headers)


def _offer(lti: Lti, launch: Launch, offered: Items) -> Response:
    """Return the page on which an instructor chooses an assignment."""
    if launch.role not in (Role.instructor, Role.assistant):
        raise LtiError("Only who teaches the course may put an assignment into it.")
    if not (items := offered(launch)):
        raise LtiError("This course has no assignments yet.")
    token = new_secret()
    lti.choices.add(token, launch.to_json(), lti.clock() + CHOICE_SECONDS, lti.clock())
    buttons = "".join(
        f'<p><button name="item" value="{html.escape(item.name)}">{html.escape(item.title)}</button></p>'
        for item in items
    )
    form = (
        f'<form method="post" action="{html.escape(lti.tool.prefix)}/choose">'
        f'<input type="hidden" name="token" value="{token}">{buttons}</form>'
    )
    return _page(lti, "Which assignment?", form)


def _chosen(lti: Lti, given: dict[str, str], items: Items) -> Response:
    """Return the page that brings a choice back to the platform."""
    text = lti.choices.use(given.get("token", ""), lti.clock())
    if text is None:
        raise LtiError("This choice was made before, or too long ago: begin again in the course.")
    launch = Launch.from_json(text)
    platform = next((one for one in lti.platforms if one.key == launch.platform), None)
    chosen = [item for item in items(launch) if item.name == given.get("item")]
    if platform is None or launch.deep_linking is None or not chosen:
        raise LtiError("There is no such assignment: begin again in the course.")
    token = response(lti.key, platform, launch, chosen, lti.clock())
    address = launch.deep_linking.return_url
    form = (
        f'<form method="post" action="{html.escape(address)}">'
        f'<input type="hidden" name="JWT" value="{token}"><button>Back to the course</button></form>'
    )
    return _page(lti, chosen[0].title, form, script=_SUBMIT, leads=origin_of(address))
