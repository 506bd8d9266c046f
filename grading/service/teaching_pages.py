"""What who teaches sees: a board for each assignment, each student's hand-ins and requests; answers, grading again."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grading.config import grant_extension
from grading.service import access, messages, outbox_pages, queue, release
from grading.service.audit import Deed, author, note
from grading.service.catalogue import Card
from grading.service.foresight import forget_foresights
from grading.service.identity import Role
from grading.service.live import Shown, stream
from grading.service.queue import HandIn, State
from grading.service.rendering import fragment, page
from grading.service.site import UNKNOWN, Site, Visit, see, visit
from grading.service.standstill import Standstill, standstill
from grading.service.student_pages import about, conversation, name_of, send_message

FILTERS = {
    "all": "everybody",
    "missing": "who has handed in nothing",
    "requests": "who asks for something",
    "flags": "what to look at",
    "failed": "what could not be graded",
}


@dataclass(frozen=True)
class Row:
    """One student on the board."""

    student: str
    name: str
    one: HandIn | None
    request: str

    @property
    def flags(self) -> list[str]:
        """Return what to look at."""
        lines = self.one.flags.splitlines() if self.one else []
        return [*lines, *([self.one.why] if self.one and self.one.state is State.failed else [])]

    def is_shown(self, show: str) -> bool:
        """Return whether the row is among those that were asked for."""
        kinds = {
            "missing": self.one is None,
            "requests": bool(self.request),
            "flags": bool(self.flags),
            "failed": self.one is not None and self.one.state is State.failed,
        }
        return kinds.get(show, True)


@dataclass(frozen=True)
class Board:
    """A class, and how far it is."""

    rows: list[Row]
    handed_in: int
    class_size: int
    counts: Mapping[str, int]
    mean: float | None
    stands_still: Standstill | None = None
    """Why what waits is not graded."""

    waiting = property(lambda self: self.counts.get(State.received, 0))
    running = property(lambda self: self.counts.get(State.running, 0))
    graded = property(lambda self: self.counts.get(State.done, 0))
    failed = property(lambda self: self.counts.get(State.failed, 0))


def board(found: Visit) -> Response:
    """Show who has handed in and what came of it."""
    card, show = found.card(), _show(found.request)
    return page(
        "board",
        **about(found),
        card=card,
        due=card.due,
        board=_board(found.site, card, show),
        show=show,
        filters=FILTERS,
        held=release.is_held(found.site.database, card.name),
        lms=outbox_pages.is_there(found.request),
        may_release=found.who.role is Role.instructor,
    )


async def board_events(request: Request) -> Response:
    """Send the board anew whenever something on it changes, every few seconds at most."""
    found = await visit(request, teaches=True)
    card, show = await run_in_threadpool(found.card), _show(request)

    def shown(_: bool) -> Shown:
        if access.session_of(found.site.database, found.token, time.time()) != found.who:
            return Shown("", last=True)
        return Shown(fragment("_board", card=card, board=_board(found.site, card, show)))

    return stream(found.site.watch, found.form_token, "", card.name, shown)


def student(found: Visit) -> Response:
    """Show one student: hand-ins and the conversation."""
    card, asked = found.card(), _student(found)
    return page(
        "student",
        **about(found),
        card=card,
        student=asked,
        due=card.due_for(asked),
        zone=str(card.rules.zone),
        shown_name=name_of(found, asked),
        hand_ins=queue.of_student(found.site.database, asked, card.name),
        conversation=conversation(found, asked, card),
        ask=f"/board/{card.name}/answer",
    )


def answer(found: Visit) -> Response:
    """Take an answer to a student."""
    card, asked = found.card(), _student(found)
    send_message(found, asked, card)
    return see(f"/board/{card.name}")


def extend(found: Visit) -> Response:
    """Give a student another due time, or take it back where the field is empty; it is in the course's time zone."""
    card, asked, text = found.card(), _student(found), found.text("due")[:40].strip()
    try:
        until = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise HTTPException(400, "Write the time as 2026-11-30 23:59.") from None
    if until is not None and until.tzinfo is None:
        until = until.replace(tzinfo=card.rules.zone)
    said = found.text("why")[:200]
    deed, details = (Deed.extended, f"{until}: {said}") if until else (Deed.not_extended, said)
    with found.site.database.writing() as connection:  # the file comes last: without it the entry goes, too
        note(connection, author(found.who), deed, time.time(), card.name, asked, details)
        grant_extension(found.site.settings.course, asked, card.name, until, f"by {found.who.student}: {said}")
    found.site.catalogue.forget_times(card.name)
    return see(f"/board/{card.name}/student?id={quote(asked)}")


def again(found: Visit) -> Response:
    """Grade the newest hand-in of a student again, or those of all where none is named."""
    card = found.card()
    newest, asked = queue.latest(found.site.database, card.name), ""
    if found.text("id"):
        asked = _student(found)
        newest = {student: one for student, one in newest.items() if student == asked}
    if not queue.grade_again(found.site.database, list(newest.values()), author(found.who), asked):
        raise HTTPException(409, "There is nothing that could be graded again now.")
    if not asked:
        forget_foresights(found.site.database, card.name)
    return see(f"/board/{card.name}")


def feedback(found: Visit) -> Response:
    """Hold the feedback back, or release it."""
    if found.who.role is not Role.instructor:
        raise HTTPException(403, "Feedback is released by the instructor.")
    card = found.card()
    release.hold(found.site.database, found.who, card.name, found.text("held") == "yes", time.time())
    return see(f"/board/{card.name}")


def _show(request: Request) -> str:
    asked = request.query_params.get("show", "all")
    return asked if asked in FILTERS else "all"


def _student(found: Visit) -> str:
    """Return the student who is asked for: of the class, or with something handed in."""
    asked = found.text("id")
    if asked not in found.site.catalogue.people().students and not queue.of_student(found.site.database, asked):
        raise HTTPException(404, UNKNOWN)
    return asked


def _board(site: Site, card: Card, show: str) -> Board:
    latest = queue.latest(site.database, card.name)
    asking = messages.unanswered(site.database, card.name)
    people = site.catalogue.people()
    everybody = [*people.students, *sorted(set(latest) - set(people.students))]
    rows = [Row(one, people.name(one), latest.get(one), asking.get(one, "")) for one in everybody]
    points = [row.one.points for row in rows if row.one is not None and row.one.points is not None]
    mean = sum(points) / len(points) if points else None
    shown = [row for row in rows if row.is_shown(show)]
    counts = queue.counts(site.database, card.name)
    stands_still = standstill(site.database, card.name) if counts.get(State.received) else None
    return Board(shown, len(latest), len(everybody), counts, mean, stands_still)
