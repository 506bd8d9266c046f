"""Who changed what: a table to which rows are added, and in which a student who was forgotten loses the name.

A row is written in the transaction of the change, so that there is neither without the other.
"""

import getpass
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DDL, Column, Connection, Float, Index, Integer, String, Table, Text, event, func, select, update

from grading.rules.rules import Rules
from grading.service.database import Database, metadata
from grading.service.identity import Identity

MOST_SHOWN = 200
TERMINAL = "at the terminal"
FILE = "a file of the course"
"""Roles of who has none: commands, and changes that were found."""
NO_RULES = "none"
_NOT_COMPARED = frozenset({"assignment", "extensions"})
"""Of rules: extensions are about one student, and granted by a deed of their own."""

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("who", String, nullable=False),
    Column("role", String, nullable=False),
    Column("deed", String, nullable=False),
    Column("assignment", String, nullable=False, default=""),
    Column("about", String, nullable=False, default=""),
    Column("details", Text, nullable=False, default=""),
    Index("audit_about", "about"),
)
# SQLite keeps to it that nothing is removed or rewritten, whoever asks; only a name and what was said can be taken out.
for _kept in (
    "CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is kept'); END",
    "CREATE TRIGGER audit_is_as_written BEFORE UPDATE ON audit"
    " WHEN NEW.number != OLD.number OR NEW.at != OLD.at OR NEW.who != OLD.who OR NEW.role != OLD.role"
    " OR NEW.deed != OLD.deed OR NEW.assignment != OLD.assignment OR NEW.about != '' OR NEW.details != ''"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is kept as it was written'); END",
):
    event.listen(audit, "after_create", DDL(_kept).execute_if(dialect="sqlite"))


class Deed(StrEnum):
    """A change that is written down; the value is what people read."""

    extended = "gave another due time"
    not_extended = "took an extension back"
    held = "held the feedback back"
    released = "released the feedback"
    again = "had work graded again"
    rules = "the rules changed"
    invited = "made a personal link"
    withdrew = "withdrew personal links"
    answered = "answered a request"
    sent_again = "had a grade sent to the LMS again"
    roster = "updated the class list from the LMS"
    forgot = "had a student forgotten"


@dataclass(frozen=True)
class Author:
    """Somebody who changes something: a name, and as what."""

    name: str
    role: str


@dataclass(frozen=True)
class Entry:
    """A line of the log; `about` is a student's id, or empty where it is about nobody or somebody forgotten."""

    number: int
    at: float
    who: str
    role: str
    deed: Deed
    assignment: str
    about: str
    details: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        return asdict(self)


def author(who: Identity) -> Author:
    """Return who does something on a page."""
    return Author(who.student, who.role.value)


def at_the_terminal() -> Author:
    """Return who runs a command: the user of this machine."""
    try:
        return Author(getpass.getuser(), TERMINAL)
    except (OSError, KeyError):  # a user without a name, as in some containers
        return Author("somebody", TERMINAL)


def note(
    connection: Connection,
    who: Author,
    deed: Deed,
    now: float,
    assignment: str = "",
    about: str = "",
    details: str = "",
) -> None:
    """Write down a change, in the transaction of the change."""
    row = {"at": now, "who": who.name, "role": who.role, "deed": deed.name, "assignment": assignment}
    connection.execute(audit.insert().values(**row, about=about, details=" ".join(details.split())))


def entries(
    database: Database, student: str = "", assignment: str = "", before: int = 0, most: int = MOST_SHOWN
) -> list[Entry]:
    """List changes, the newest first: all, or those about a student or an assignment, or before a number."""
    asked = select(audit).order_by(audit.c.number.desc()).limit(most)
    for column, wanted in ((audit.c.about, student), (audit.c.assignment, assignment)):
        asked = asked.where(column == wanted) if wanted else asked
    asked = asked.where(audit.c.number < before) if before else asked
    with database.reading() as connection:
        return [Entry(**{**row, "deed": Deed[row["deed"]]}) for row in connection.execute(asked).mappings()]


def students_named(database: Database) -> list[str]:
    """List all whom an entry is about."""
    asked = select(audit.c.about).where(audit.c.about != "").distinct().order_by(audit.c.about)
    with database.reading() as connection:
        return list(connection.scalars(asked))


def note_forgotten(connection: Connection, who: Author, student: str, now: float) -> int:
    """Write down that somebody was forgotten, not who; take the name out of earlier entries, and return how many."""
    audit.create(connection, checkfirst=True)
    mine = audit.c.about == student
    number = int(connection.scalar(select(func.count()).select_from(audit).where(mine)) or 0)
    connection.execute(update(audit).where(mine).values(about="", details=""))
    note(connection, who, Deed.forgot, now)
    return number


def note_rules(database: Database, rules: Rules, now: float) -> None:
    """Write down what is different in the rules since they were last seen; nothing if that is nothing.

    They stand in a file that people edit, so this is when the service found it.
    """
    found = in_words(rules)
    last = (
        select(audit.c.details)
        .where(audit.c.deed == Deed.rules.name, audit.c.assignment == rules.assignment)
        .order_by(audit.c.number.desc())
        .limit(1)
    )
    with database.reading() as connection:
        known = connection.scalar(last)
    if found == (known or NO_RULES):
        return
    with database.writing() as connection:
        if connection.scalar(last) != found:
            finder = Author("nbgrader_config.py", FILE)
            note(connection, finder, Deed.rules, now, rules.assignment, details=found)


def in_words(rules: Rules) -> str:
    """Say which rules are not as they are without any, in a line that is the same for the same rules."""
    without = Rules()
    said = []
    for each in fields(Rules):
        value = getattr(rules, each.name)
        if each.name in _NOT_COMPARED or str(value) == str(getattr(without, each.name)):
            continue
        if each.name == "groups":
            value = f"{len(value)} of {sum(map(len, value.values()))} students"  # no ids: they could not be forgotten
        said.append(f"{each.name} {value.isoformat(sep=' ') if isinstance(value, datetime) else value}")
    return "; ".join(said) or NO_RULES
