"""Who comes in: personal links, sessions of browsers, and codes for a notebook that hands itself in.

However somebody was recognised, what follows is `start_session`. Of links, sessions and codes only hashes are stored.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from grading.service.audit import Author, Deed, note
from grading.service.database import Database, codes, links, sessions
from grading.service.identity import Identity, Role, new_code, new_token, plain_code, token_hash

CODE_SECONDS = 15 * 60


@dataclass(frozen=True)
class Link:
    """A personal link that was opened; `id` says which, not the token."""

    id: str
    student: str
    role: Role


def make_link(database: Database, student: str, role: Role, now: float, seconds: float, by: Author) -> str:
    """Make a personal link and return its token, which is not stored and cannot be shown again."""
    token = new_token()
    row = {"id": secrets.token_urlsafe(12), "token_hash": token_hash(token), "student": student, "role": role.value}
    with database.writing() as connection:
        connection.execute(links.insert().values(**row, created=now, expires=now + seconds))
        note(connection, by, Deed.invited, now, about=student, details=f"as {role.value}")
    return token


def has_link(database: Database, student: str, now: float) -> bool:
    """Return whether somebody has a link that opens."""
    asked = select(links.c.id).where(links.c.student == student, _opens(now)).limit(1)
    with database.reading() as connection:
        return connection.execute(asked).first() is not None


def withdraw(database: Database, student: str, now: float, by: Author) -> int:
    """Withdraw all links of somebody, and end the sessions that came in by them; return how many opened."""
    with database.writing() as connection:
        theirs = connection.execute(select(links.c.id).where(links.c.student == student, _opens(now))).scalars().all()
        connection.execute(update(links).where(links.c.id.in_(theirs)).values(withdrawn=now))
        connection.execute(delete(sessions).where(sessions.c.link.in_(theirs)))
        if theirs:
            note(connection, by, Deed.withdrew, now, about=student)
    return len(theirs)


def open_link(database: Database, token: str, now: float) -> Link | None:
    """Return whom a link lets in; None if it is none, was withdrawn, or has ended."""
    asked = select(links).where(links.c.token_hash == token_hash(token), _opens(now))
    with database.reading() as connection:
        row = connection.execute(asked).one_or_none()
    return Link(row.id, row.student, Role(row.role)) if row else None


def start_session(database: Database, who: Identity, now: float, seconds: float, link: str | None = None) -> str:
    """Let somebody in; return the token for the browser's cookie."""
    token = new_token()
    row = {"token_hash": token_hash(token), "course": who.course, "student": who.student, "role": who.role.value}
    with database.writing() as connection:
        connection.execute(delete(sessions).where(sessions.c.expires < now))
        connection.execute(sessions.insert().values(**row, link=link, expires=now + seconds))
    return token


def session_of(database: Database, token: str, now: float) -> Identity | None:
    """Return who comes with a session's token; None if it is none, has ended, or its link was withdrawn."""
    asked = (
        select(sessions)
        .outerjoin(links, sessions.c.link == links.c.id)
        .where(sessions.c.token_hash == token_hash(token), sessions.c.expires > now)
        .where(or_(sessions.c.link.is_(None), _opens(now)))
    )
    with database.reading() as connection:
        row = connection.execute(asked).one_or_none()
    return Identity(row.course, row.student, Role(row.role)) if row else None


def end_session(database: Database, token: str) -> None:
    """Forget a session."""
    with database.writing() as connection:
        connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash(token)))


def make_code(database: Database, student: str, assignment: str, now: float) -> str:
    """Make a code with which one notebook can be handed in; an earlier one of the student's does not work any more."""
    code = new_code()
    row = {"token_hash": token_hash(code), "student": student, "assignment": assignment}
    with database.writing() as connection:
        connection.execute(delete(codes).where(codes.c.student == student, codes.c.assignment == assignment))
        connection.execute(codes.insert().values(**row, expires=now + CODE_SECONDS))
    return code


def code_for(database: Database, code: str, now: float) -> tuple[str, str] | None:
    """Return the student and the assignment of a code that works."""
    asked = select(codes).where(_works(code, now))
    with database.reading() as connection:
        row = connection.execute(asked).one_or_none()
    return (row.student, row.assignment) if row else None


def use_code(connection: Connection, code: str, now: float) -> bool:
    """Use a code up; return whether it worked. It does once, also if it is used twice at the same moment."""
    return bool(connection.execute(update(codes).where(_works(code, now)).values(used=now)).rowcount)


def _works(code: str, now: float) -> ColumnElement[bool]:
    return and_(codes.c.token_hash == token_hash(plain_code(code)), codes.c.used.is_(None), codes.c.expires > now)


def _opens(now: float) -> ColumnElement[bool]:
    return and_(links.c.withdrawn.is_(None), links.c.expires > now)
