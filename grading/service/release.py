"""Feedback of an assignment, shown as soon as it is there, or held back until somebody releases it for all."""

from sqlalchemy import delete, select

from grading.service.audit import Deed, author, note
from grading.service.database import Database, changes, held
from grading.service.identity import Identity


def is_held(database: Database, assignment: str) -> bool:
    """Return whether the feedback of an assignment is held back."""
    with database.reading() as connection:
        return connection.execute(select(held).where(held.c.assignment == assignment)).first() is not None


def hold(database: Database, who: Identity, assignment: str, hold_back: bool, now: float) -> None:
    """Hold the feedback of an assignment back, or release it."""
    with database.writing() as connection:
        connection.execute(delete(held).where(held.c.assignment == assignment))
        if hold_back:
            connection.execute(held.insert().values(assignment=assignment, since=now, by=who.student))
        note(connection, author(who), Deed.held if hold_back else Deed.released, now, assignment)
        connection.execute(changes.insert().values(hand_in="", student="", assignment=assignment, at=now))
