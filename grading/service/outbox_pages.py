"""Grades on their way to the LMS: what was sent, what waits, what was not taken and why; and what the LMS has."""

import time
from asyncio import run
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from grading.errors import CourseError
from grading.lti.outbox import Answer, Difference, Entry, State
from grading.lti.platforms import LtiError
from grading.service.audit import Deed, author, note
from grading.service.rendering import page
from grading.service.site import UNKNOWN, Visit, see, shows, takes
from grading.service.student_pages import about

if TYPE_CHECKING:
    from grading.service.lms import Passback

PATH = "/board/{assignment}/lms"
IN_WORDS = {
    State.waiting: "waits",
    State.sent: "taken by the LMS",
    State.replaced: "replaced by a newer one",
    State.refused: "refused by the LMS",
    State.given_up: "given up",
}
_SAID = 300
"""Characters of an answer that are shown."""


@dataclass(frozen=True)
class Line:
    """The newest grade of a student on its way to a column."""

    entry: Entry
    student: str
    name: str
    answers: Sequence[Answer]

    @property
    def state(self) -> str:
        """Return what became of it, in words."""
        return IN_WORDS[self.entry.state]

    @property
    def failed(self) -> bool:
        """Return whether it has to be sent again by hand."""
        return self.entry.state in (State.refused, State.given_up)

    @property
    def said(self) -> list[tuple[float, str]]:
        """Return the answers, in words, with their times."""
        return [(one.at, f"{one.status or 'no answer'}: {one.said[:_SAID]}".rstrip(": ")) for one in self.answers]


@dataclass(frozen=True)
class Column:
    """A column of a platform, and what is on its way there."""

    platform: str
    line_item: str
    lines: Sequence[Line]

    @property
    def counts(self) -> str:
        """Return how many are in which state, in words."""
        found = Counter(line.state for line in self.lines)
        return ", ".join(f"{number} {state}" for state, number in sorted(found.items())) or "nothing was sent yet"


@dataclass(frozen=True)
class Compared:
    """A student whose grade is another one in the LMS than here."""

    name: str
    here: str
    there: str


def is_there(request: Request) -> bool:
    """Return whether grades can go to an LMS, so that there is such a page."""
    return any(getattr(route, "path", "") == PATH for route in request.app.routes)


def routes(passback: "Passback") -> list[Route]:
    """Return the addresses of these pages."""

    def outbox(found: Visit) -> Response:
        return _shown(found, passback, None)

    def compare(found: Visit) -> Response:
        return _shown(found, passback, _compared(found, passback))

    def again(found: Visit) -> Response:
        return _send_again(found, passback)

    return [
        Route(PATH, shows(outbox, teaches=True)),
        Route(f"{PATH}/compare", takes(compare, teaches=True), methods=["POST"]),
        Route(f"{PATH}/again", takes(again, teaches=True), methods=["POST"]),
    ]


def _shown(found: Visit, passback: "Passback", compared: Sequence[Compared] | str | None) -> Response:
    card = found.card()
    columns = [_column(found, passback, *column) for column in passback.columns(card.name)]
    return page("outbox", **about(found), card=card, columns=columns, compared=compared)


def _column(found: Visit, passback: "Passback", platform: str, line_item: str) -> Column:
    people, students = found.site.catalogue.people(), passback.students(platform)
    newest = {entry.score.user: entry for entry in passback.outbox.entries(platform, line_item)}
    lines = []
    for user, entry in newest.items():
        student = students.get(user, user)
        lines.append(Line(entry, student, people.name(student), passback.outbox.answers_to(entry.id)))
    return Column(platform, line_item, sorted(lines, key=lambda line: (not line.failed, line.name)))


def _compared(found: Visit, passback: "Passback") -> Sequence[Compared] | str:
    """Return where the LMS and the gradebook differ, or why that cannot be told. It asks the LMS, and takes a while."""
    card, people = found.card(), found.site.catalogue.people()
    listed = []
    try:
        for platform, line_item in passback.columns(card.name):
            students = passback.students(platform)
            for one in run(passback.compare(platform, card.name, line_item)):
                student = students.get(one.user, one.user)
                listed.append(_in_words(people.name(student), one))
    except (LtiError, CourseError) as error:
        return str(error)
    return listed


def _in_words(name: str, one: Difference) -> Compared:
    here = "no grade" if one.here is None else f"{one.here[0]:g} of {one.here[1]:g}"
    graded = one.there is not None and one.there.points is not None
    there = f"{one.there.points:g} of {one.there.max_points or 0:g}" if one.there and graded else "no grade"
    return Compared(name, here, there)


def _send_again(found: Visit, passback: "Passback") -> Response:
    card, now = found.card(), time.time()
    entries: dict[str, tuple[str, Entry]] = {}
    for platform, line_item in passback.columns(card.name):
        entries |= {one.id: (platform, one) for one in passback.outbox.entries(platform, line_item)}
    if found.text("entry") not in entries:
        raise HTTPException(404, UNKNOWN)
    platform, entry = entries[found.text("entry")]
    if not passback.outbox.try_again(entry.id, now):
        raise HTTPException(409, "This grade is on its way already, or a newer one is.")
    student = passback.students(platform).get(entry.score.user, "")
    with found.site.database.writing() as connection:
        note(connection, author(found.who), Deed.sent_again, now, card.name, student)
    return see(f"/board/{card.name}/lms")
