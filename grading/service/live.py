"""Pages that change by themselves: parts of a page are sent anew, as server-sent events, when something has changed."""

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from grading.service.database import Database, changes

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds between two looks for changes, one for all who watch."""
AROUND_EVERY = 3.0
"""Seconds after which somebody hears of what changed around: the queue moved on, say."""
SHARED_SECONDS = 1.0
MOST_STREAMS = 8
"""Parts of pages that one session may watch at a time."""
STILL_THERE = 15.0
"""Seconds without news after which a sign of life is sent."""


class Watch:
    """Looks for changes in the database, and wakes those who wait for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: int | None = None
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.streams: Counter[str] = Counter()
        """How many parts of pages each session watches."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                for key in await run_in_threadpool(self._new):
                    for waiting in self._waiting.get(key, ()):
                        waiting.set()
            except Exception:  # the next look tries again; those who watch must not lose their stream
                log.exception("the database could not be looked at")
            await asyncio.sleep(LOOK_EVERY)

    @contextlib.contextmanager
    def on(self, key: str) -> Iterator[asyncio.Event]:
        """Give an event that is set when something of this key changes: a hand-in's id or an assignment's name."""
        event = asyncio.Event()
        self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    def _new(self) -> set[str]:
        with self._database.reading() as connection:
            if self._seen is None:
                self._seen = connection.execute(select(func.max(changes.c.number))).scalar() or 0
                return set()
            rows = connection.execute(select(changes).where(changes.c.number > self._seen)).all()
        self._seen = max([self._seen, *(row.number for row in rows)])
        return {key for row in rows for key in (row.hand_in, row.assignment)}


@dataclass(frozen=True)
class Shown:
    """A part of a page as it is now, and whether it will not change any more."""

    html: str
    last: bool = False


class Shared:
    """Values that many who watch want at the same time, each made once for all of them; at most a second old."""

    def __init__(self, make: Callable[[str], Mapping[str, int]]) -> None:
        self._make = make
        self._known: dict[str, tuple[float, Mapping[str, int]]] = {}
        self._lock = threading.Lock()

    def of(self, key: str) -> Mapping[str, int]:
        """Return the values of a key."""
        with self._lock:
            known = self._known.get(key)
            if known is None or known[0] < time.monotonic() - SHARED_SECONDS:
                known = self._known[key] = time.monotonic(), self._make(key)
            return known[1]


Show = Callable[[bool], Shown]
"""Shows a part of a page; it is told whether that itself has changed, or only what is around it."""


def stream(watch: Watch, who: str, key: str, around: str, show: Show) -> StreamingResponse:
    """Answer with a part of a page whenever it has changed.

    What changes of the `key` is told at once; what changes of `around`, every few seconds. Raises HTTPException where
    one session (`who`) watches too much already.
    """
    if watch.streams[who] >= MOST_STREAMS:
        raise HTTPException(429, "Too many pages of this are open: close some.")
    headers = {"x-accel-buffering": "no", "cache-control": "no-store"}
    return StreamingResponse(
        _counted(watch, who, _events(watch, key, around, show)), media_type="text/event-stream", headers=headers
    )


async def _counted(watch: Watch, who: str, events: AsyncIterator[str]) -> AsyncIterator[str]:
    watch.streams[who] += 1
    try:
        async for event in events:
            yield event
    finally:
        watch.streams[who] -= 1
        watch.streams += Counter()  # forgets those that are zero


async def _events(watch: Watch, key: str, around: str, show: Show) -> AsyncIterator[str]:
    before, quiet, itself = "", 0.0, True
    with watch.on(key) as own, watch.on(around) as other:
        while True:
            own.clear()
            other.clear()
            shown = await run_in_threadpool(show, itself)
            if shown.html != before:
                yield _as_event(shown.html)
                before, quiet = shown.html, 0.0
            if shown.last:
                yield "event: end\ndata: end\n\n"
                return
            quiet = await _until_news(own, other, quiet)
            itself = own.is_set()
            if quiet >= STILL_THERE:
                yield ": still there\n\n"
                quiet = 0.0


async def _until_news(own: asyncio.Event, other: asyncio.Event, quiet: float) -> float:
    """Wait for news; return for how long there were none, at most a sign of life long."""
    while quiet < STILL_THERE:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(own.wait(), AROUND_EVERY)
            return quiet
        quiet += AROUND_EVERY
        if other.is_set():
            return quiet
    return quiet


def _as_event(html: str) -> str:
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
