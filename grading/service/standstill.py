"""Assignments that cannot be graded just now through no fault of a hand-in: since when, why, and when to try again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from grading.service.database import Database, repeated, standstills

PAUSE_SECONDS = 3.0
"""After an assignment could not be graded, before it is tried again; each time in a row it is twice as long."""
MOST_PAUSE_SECONDS = 60.0
_MOST_SAID = 300


@dataclass(frozen=True)
class Standstill:
    """What the board says: since when, in seconds since 1970, and why."""

    since: float
    why: str


@repeated
def standstill(database: Database, assignment: str) -> Standstill | None:
    """Return why an assignment was not graded when that was tried last; None where nothing was in the way."""
    asked = select(standstills).where(standstills.c.assignment == assignment)
    with database.reading() as connection:
        row = connection.execute(asked).one_or_none()
    return Standstill(row.since, row.why) if row else None


@repeated
def _note(database: Database, assignment: str, why: str) -> None:
    here = standstills.c.assignment == assignment
    with database.writing() as connection:
        if not connection.execute(standstills.update().where(here).values(why=why)).rowcount:
            connection.execute(standstills.insert().values(assignment=assignment, since=time.time(), why=why))


@repeated
def _forget(database: Database, assignment: str) -> None:
    with database.writing() as connection:
        connection.execute(standstills.delete().where(standstills.c.assignment == assignment))


class Pauses:
    """Pauses that one grader makes, each for an assignment."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._until: dict[str, float] = {}
        self._lengths: dict[str, float] = {}

    def is_on(self, assignment: str) -> bool:
        """Return whether an assignment is to be left alone now."""
        return self._until.get(assignment, 0.0) > self._clock()

    def once(self, assignment: str) -> None:
        """Leave an assignment alone for a moment."""
        self._until[assignment] = self._clock() + PAUSE_SECONDS

    def because(self, assignment: str, why: str) -> None:
        """Leave an assignment alone, for longer each time in a row, and tell the board why."""
        length = min(self._lengths.get(assignment, PAUSE_SECONDS / 2) * 2, MOST_PAUSE_SECONDS)
        self._lengths[assignment], self._until[assignment] = length, self._clock() + length
        said = " ".join(why.split())
        _note(self._database, assignment, said if len(said) <= _MOST_SAID else f"{said[:_MOST_SAID]} ...")

    def over(self, assignment: str) -> None:
        """Note that an assignment was graded: the next pause is short again, and the board need say nothing."""
        self._lengths.pop(assignment, None)
        self._until.pop(assignment, None)
        if standstill(self._database, assignment) is not None:
            _forget(self._database, assignment)
