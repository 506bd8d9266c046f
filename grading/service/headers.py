"""Headers that every answer carries: what a browser may do with our pages, and who may frame them."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grading.service.settings import Settings

FEEDBACK_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""Of a feedback page, which shows what a student wrote: nothing runs, and it is of no origin."""


def policy(framed_by: Sequence[str]) -> str:
    """Return the content security policy of our own pages."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {_ancestors(framed_by)}"
    )


def _ancestors(framed_by: Sequence[str]) -> str:
    return " ".join(("'self'", *framed_by))


class Headers:
    """Adds the headers; a page may have set a stricter policy of its own."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": policy(settings.framed_by),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",  # with no-referrer our own forms would come with `Origin: null`
            "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
        }
        if not settings.framed_by:
            self._headers["x-frame-options"] = "SAMEORIGIN"
        if settings.secure:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and its answer back, with headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
