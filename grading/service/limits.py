"""How much anybody may ask for: bytes of a request, tries in a minute, streams at a time."""

import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_BYTES = 64 * 1024
"""Of a request that brings no notebook, and of what comes with one."""
_MOST_KEYS = 50_000


class Rate:
    """Counts tries by key; forgets the keys that were used longest ago."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str) -> bool:
        """Return whether there may be one more try."""
        with self._lock:
            return len(self._recent(key)) < self._most

    def note(self, key: str) -> None:
        """Count a try."""
        with self._lock:
            self._recent(key).append(time.monotonic())

    def _recent(self, key: str) -> deque[float]:
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while tries and tries[0] < time.monotonic() - self._seconds:
            tries.popleft()
        while len(self._tries) > _MOST_KEYS:
            self._tries.popitem(last=False)
        return tries


class BodyLimit:
    """Refuses bodies that are too large: by what they say of themselves before they are read, and while they are."""

    def __init__(
        self, app: ASGIApp, upload_bytes: int, uploads: tuple[str, ...], refuse: Callable[[Request], Response]
    ) -> None:
        self._app, self._upload_bytes, self._uploads, self._refuse = app, upload_bytes, uploads, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a body that ends at the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = scope["method"] == "POST" and str(scope["path"]).endswith(self._uploads)
        most = FORM_BYTES + (self._upload_bytes if upload else 0)
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not re.fullmatch(rb"[0-9]{1,15}", said) or int(said) > most:
            await self._refuse(Request(scope))(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
