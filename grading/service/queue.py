"""Hand-ins and the queue that they form. Every step is one transaction and can be repeated after a sudden end.

A hand-in is `received`, then `running`, then `done` or `failed`; one that a newer attempt overtook while it waited is
`replaced`. Of each student one is running at a time.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, or_, select, update

from grading.service.audit import Author, Deed, note
from grading.service.database import Database, changes, hand_ins, repeated

MOST_TRIES = 3
"""A hand-in with which the grader ended so often is not tried again by itself."""
MOST_EXCUSED = 5
"""A hand-in is put back so often at no cost while others are graded: then it may be its own fault after all."""
LATELY = 5
"""Hand-ins that tell how long the next one of an assignment will take."""
GAVE_UP = "The grader ended unexpectedly each time it graded this. The instructor can have it graded again."


class State(StrEnum):
    """Where a hand-in stands."""

    received = "received"
    running = "running"
    done = "done"
    failed = "failed"
    replaced = "replaced"

    @property
    def settled(self) -> bool:
        """Return whether nothing more will happen by itself."""
        return self not in (State.received, State.running)


@dataclass(frozen=True)
class HandIn:
    """A hand-in as the database has it; times are seconds since 1970, UTC."""

    id: str
    student: str
    assignment: str
    received: float
    file_name: str
    sha256: str
    size: int
    state: State
    queued: float
    cells_done: int = 0
    cells: int = 0
    tries: int = 0
    times_graded: int = 0
    finished: float | None = None
    points: float | None = None
    max_points: float | None = None
    waiting: int = 0
    flags: str = ""
    why: str = ""
    page: bool = False
    """Whether there is a feedback page."""
    grader: str | None = None
    """Name of the grader that has taken it."""
    seconds: float | None = None
    """What it took to grade; None where nothing was executed."""
    excused: int | None = None
    """How often in a row it could not be graded through no fault of its own; None for never."""
    excused_at: float | None = None
    """When that was, the last time."""


@dataclass(frozen=True)
class Arrival:
    """A file that was handed in and is stored."""

    student: str
    assignment: str
    file_name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Result:
    """What came of grading a hand-in."""

    points: float
    max_points: float
    waiting: int = 0
    flags: tuple[str, ...] = ()
    why: str = ""
    page: bool = True
    seconds: float | None = None
    """What it took; None where nothing was executed."""


def utc(seconds: float) -> datetime:
    """Return a time of the database as a date."""
    return datetime.fromtimestamp(seconds, UTC)


def receive(connection: Connection, arrival: Arrival, now: float) -> HandIn:
    """Enter a stored file into the queue; one of the same student and assignment that still waits is replaced."""
    waiting = and_(
        hand_ins.c.student == arrival.student,
        hand_ins.c.assignment == arrival.assignment,
        hand_ins.c.state == State.received,
    )
    for row in connection.execute(select(hand_ins).where(waiting)).all():
        _set(connection, _hand_in(row), state=State.replaced, finished=now)
    entered = HandIn(
        secrets.token_urlsafe(24),
        arrival.student,
        arrival.assignment,
        now,
        arrival.file_name,
        arrival.sha256,
        arrival.size,
        State.received,
        now,
    )
    connection.execute(hand_ins.insert().values(**{each.name: getattr(entered, each.name) for each in fields(HandIn)}))
    _note(connection, entered, now)
    return entered


@repeated
def find(database: Database, hand_in_id: str) -> HandIn | None:
    """Find a hand-in by its id."""
    with database.reading() as connection:
        row = connection.execute(select(hand_ins).where(hand_ins.c.id == hand_in_id)).one_or_none()
    return _hand_in(row) if row else None


@repeated
def of_student(database: Database, student: str, assignment: str = "") -> list[HandIn]:
    """List a student's hand-ins, the newest first."""
    asked = select(hand_ins).where(hand_ins.c.student == student)
    if assignment:
        asked = asked.where(hand_ins.c.assignment == assignment)
    with database.reading() as connection:
        return [_hand_in(row) for row in connection.execute(asked.order_by(hand_ins.c.received.desc()))]


@repeated
def latest(database: Database, assignment: str) -> dict[str, HandIn]:
    """Return the newest hand-in of each student."""
    asked = select(hand_ins).where(hand_ins.c.assignment == assignment).order_by(hand_ins.c.received)
    with database.reading() as connection:
        return {row.student: _hand_in(row) for row in connection.execute(asked)}


@repeated
def counts(database: Database, assignment: str) -> Mapping[str, int]:
    """Count an assignment's hand-ins by their state."""
    asked = select(hand_ins.c.state, func.count()).where(hand_ins.c.assignment == assignment).group_by(hand_ins.c.state)
    with database.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(asked)}


@repeated
def before(database: Database, one: HandIn) -> int:
    """Count the hand-ins of the assignment that come before one that waits, those that run among them."""
    earlier = or_(hand_ins.c.queued < one.queued, and_(hand_ins.c.queued == one.queued, hand_ins.c.id < one.id))
    ahead = or_(hand_ins.c.state == State.running, and_(hand_ins.c.state == State.received, earlier))
    asked = select(func.count()).select_from(hand_ins).where(hand_ins.c.assignment == one.assignment, ahead)
    with database.reading() as connection:
        return int(connection.execute(asked).scalar_one())


@repeated
def places(database: Database, assignment: str) -> dict[str, int]:
    """Return how many come before each hand-in of an assignment that waits, by its id: what `before` says of each."""
    waits = and_(hand_ins.c.assignment == assignment, hand_ins.c.state.in_((State.received, State.running)))
    asked = select(hand_ins.c.id, hand_ins.c.state).where(waits).order_by(hand_ins.c.queued, hand_ins.c.id)
    with database.reading() as connection:
        rows = connection.execute(asked).all()
    running = sum(row.state == State.running for row in rows)
    waiting = [row.id for row in rows if row.state == State.received]
    return {one: running + index for index, one in enumerate(waiting)}


@repeated
def pending(database: Database) -> list[str]:
    """List the assignments of which something waits or runs, that which has waited longest first."""
    asked = (
        select(hand_ins.c.assignment, func.min(hand_ins.c.queued).label("since"))
        .where(hand_ins.c.state.in_((State.received, State.running)))
        .group_by(hand_ins.c.assignment)
        .order_by("since")
    )
    with database.reading() as connection:
        return [row.assignment for row in connection.execute(asked)]


@repeated
def recover(database: Database, assignment: str, is_gone: Callable[[str], bool]) -> None:
    """Put back what graders left running that are gone."""
    running = and_(hand_ins.c.assignment == assignment, hand_ins.c.state == State.running)
    with database.reading() as connection:
        graders = connection.scalars(select(hand_ins.c.grader).where(running).distinct()).all()
    gone = [name for name in graders if name is None or is_gone(name)]
    if not gone:
        return
    left = and_(running, or_(hand_ins.c.grader.in_(gone), hand_ins.c.grader.is_(None)))
    now = time.time()
    with database.writing() as connection:
        for row in connection.execute(select(hand_ins).where(left)).all():
            _put_back(connection, _hand_in(row), GAVE_UP, now)


@repeated
def takes(database: Database, assignment: str) -> float | None:
    """Return the seconds that a hand-in of an assignment took lately, the longest of some; None if nobody knows."""
    known = and_(hand_ins.c.assignment == assignment, hand_ins.c.seconds.is_not(None))
    lately = select(hand_ins.c.seconds).where(known).order_by(hand_ins.c.finished.desc()).limit(LATELY)
    with database.reading() as connection:
        return max(connection.scalars(lately), default=None)


@repeated
def claim(database: Database, assignment: str, most: int, grader: str) -> list[HandIn]:
    """Take hand-ins to grade, in the order of their arrival, of each student one; they are `running` afterwards.

    One that was tried before, or excused more than once, is taken alone: should it end the grader, it costs no other.
    """
    other = hand_ins.alias()
    busy = exists().where(other.c.student == hand_ins.c.student, other.c.state == State.running)
    asked = (
        select(hand_ins)
        .where(hand_ins.c.assignment == assignment, hand_ins.c.state == State.received, ~busy)
        .order_by(hand_ins.c.queued, hand_ins.c.id)
        .limit(most)
    )
    with database.writing() as connection:
        found = [_hand_in(row) for row in connection.execute(asked)]
        tried = [index for index, one in enumerate(found) if one.tries or (one.excused or 0) > 1]
        if tried:
            found = found[: tried[0]] or found[:1]
        taken = {"state": State.running, "grader": grader, "cells_done": 0, "cells": 0}
        return [_set(connection, one, tries=one.tries + 1, **taken) for one in found]


@repeated
def progress(database: Database, one: HandIn, cells_done: int, cells: int) -> None:
    """Note how far a running hand-in is."""
    with database.writing() as connection:
        _set(connection, one, cells_done=cells_done, cells=cells)


@repeated
def finish(database: Database, one: HandIn, result: Result) -> None:
    """Note that a hand-in was graded; it is not graded again unless somebody asks for it.

    Nothing happens where it is not its grader's any more: whoever has it now grades it.
    """
    with database.writing() as connection:
        if not _is_its_graders(connection, one):
            return
        _set(
            connection,
            one,
            state=State.done,
            finished=time.time(),
            tries=0,
            excused=None,
            excused_at=None,
            times_graded=one.times_graded + 1,
            points=result.points,
            max_points=result.max_points,
            waiting=result.waiting,
            flags="\n".join(result.flags),
            why=result.why,
            page=result.page,
            seconds=one.seconds if result.seconds is None else result.seconds,
        )


@repeated
def put_back(database: Database, one: HandIn, why: str) -> None:
    """Let a hand-in that could not be graded wait again; it has failed once it was tried often enough.

    Nothing happens where it is not its grader's any more.
    """
    with database.writing() as connection:
        if _is_its_graders(connection, one):
            _put_back(connection, one, why, time.time())


@repeated
def excuse(database: Database, one: HandIn, why: str) -> None:
    """Let a hand-in wait again that could not be graded through no fault of its own: that costs it no try.

    The first time it keeps its place. After that it goes behind the others, so that it keeps nobody waiting if it is at
    fault after all. Once others were graded between `MOST_EXCUSED` such times, it costs a try as anything else does.
    Nothing happens where it is not its grader's any more.
    """
    now, times = time.time(), one.excused or 0
    with database.writing() as connection:
        if not _is_its_graders(connection, one):
            return
        others = times > 0 and _others_were_graded(connection, one)
        place = now if times else one.queued
        if others and times >= MOST_EXCUSED:
            _put_back(connection, one, why, now, queued=place, excused_at=now)
        else:
            known = times + 1 if others or times < 2 else times
            _put_back(connection, one, why, now, tries=one.tries - 1, queued=place, excused=known, excused_at=now)


@repeated
def leave(database: Database, one: HandIn) -> None:
    """Let a hand-in wait again, where it was, that was taken and then not looked at."""
    with database.writing() as connection:
        if _is_its_graders(connection, one):
            _put_back(connection, one, "", time.time(), tries=one.tries - 1)


def grade_again(database: Database, asked: Sequence[HandIn], by: Author, about: str = "") -> int:
    """Let hand-ins that are settled wait once more, all or those of one student; return how many."""
    now = time.time()
    settled = [one for one in asked if one.state in (State.done, State.failed)]
    with database.writing() as connection:
        for one in settled:
            _set(connection, one, state=State.received, queued=now, tries=0, excused=None, finished=None)
        if settled:
            note(connection, by, Deed.again, now, settled[0].assignment, about, f"{len(settled)} hand-ins")
    return len(settled)


def _put_back(connection: Connection, one: HandIn, why: str, now: float, **values: Any) -> None:
    if values.get("tries", one.tries) >= MOST_TRIES:
        _set(connection, one, state=State.failed, finished=now, why=why)
    elif _overtaken(connection, one):
        _set(connection, one, state=State.replaced, finished=now)
    else:
        _set(connection, one, state=State.received, **values)


def _is_its_graders(connection: Connection, one: HandIn) -> bool:
    """Return whether a hand-in is still with the grader that took it."""
    mine = and_(hand_ins.c.id == one.id, hand_ins.c.state == State.running, hand_ins.c.grader == one.grader)
    return connection.execute(select(hand_ins.c.id).where(mine)).first() is not None


def _others_were_graded(connection: Connection, one: HandIn) -> bool:
    """Return whether others of the assignment were executed and graded since this one was excused the last time."""
    since = and_(
        hand_ins.c.assignment == one.assignment,
        hand_ins.c.state == State.done,
        hand_ins.c.seconds.is_not(None),
        hand_ins.c.finished > (one.excused_at or 0.0),
    )
    return connection.execute(select(hand_ins.c.id).where(since).limit(1)).first() is not None


def _overtaken(connection: Connection, one: HandIn) -> bool:
    newer = and_(
        hand_ins.c.student == one.student,
        hand_ins.c.assignment == one.assignment,
        hand_ins.c.received > one.received,
    )
    return connection.execute(select(hand_ins.c.id).where(newer).limit(1)).first() is not None


def _set(connection: Connection, one: HandIn, **values: Any) -> HandIn:
    connection.execute(update(hand_ins).where(hand_ins.c.id == one.id).values(**values))
    _note(connection, one, time.time())
    return HandIn(**{**{each.name: getattr(one, each.name) for each in fields(HandIn)}, **values})


def _note(connection: Connection, one: HandIn, now: float) -> None:
    """Say that something has changed to those who watch."""
    connection.execute(changes.insert().values(hand_in=one.id, student=one.student, assignment=one.assignment, at=now))


def _hand_in(row: Row[Any]) -> HandIn:
    values = dict(row._mapping)
    return HandIn(**{**values, "state": State(values["state"])})
