"""Requests of students and the answers: a conversation for each student and assignment, which both see."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from grading.service.audit import Deed, author, note
from grading.service.database import Database, changes, messages
from grading.service.identity import Identity, Role

MOST_CHARACTERS = 2000


@dataclass(frozen=True)
class Message:
    """A request or an answer."""

    author: str
    role: Role
    text: str
    at: float


def write(database: Database, who: Identity, student: str, assignment: str, text: str, now: float) -> None:
    """Write a message into the conversation with a student."""
    row = {"id": secrets.token_urlsafe(12), "student": student, "assignment": assignment, "text": text, "at": now}
    with database.writing() as connection:
        connection.execute(messages.insert().values(**row, author=who.student, role=who.role.value))
        if who.role.teaches:
            note(connection, author(who), Deed.answered, now, assignment, student)
        connection.execute(changes.insert().values(hand_in="", student=student, assignment=assignment, at=now))


def conversation(database: Database, student: str, assignment: str) -> list[Message]:
    """Return the messages with a student, in their order."""
    asked = select(messages).where(messages.c.student == student, messages.c.assignment == assignment)
    with database.reading() as connection:
        rows = connection.execute(asked.order_by(messages.c.at)).all()
    return [Message(row.author, Role(row.role), row.text, row.at) for row in rows]


def unanswered(database: Database, assignment: str) -> Mapping[str, str]:
    """Return the last message of each student to whom nobody has answered since."""
    asked = select(messages).where(messages.c.assignment == assignment).order_by(messages.c.at)
    with database.reading() as connection:
        last = {row.student: row for row in connection.execute(asked)}
    return {student: row.text for student, row in last.items() if not Role(row.role).teaches}


def written_since(database: Database, who: Identity, since: float) -> int:
    """Count what somebody has written since a time."""
    asked = select(func.count()).where(messages.c.author == who.student, messages.c.at > since)
    with database.reading() as connection:
        return int(connection.execute(asked.select_from(messages)).scalar_one())
