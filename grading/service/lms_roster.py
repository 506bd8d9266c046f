"""The class list from the LMS (Names and Role Provisioning): who is new in it becomes a line of `roster.csv`.

Nobody is removed, since graded work may stand under the id; who is not in the LMS is listed. Ids are those by which
people come in from there (`grading.service.lms`), so that a list and a launch are about the same student.
"""

import csv
import io
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import Column, Connection, Float, String, Table, Text, delete, insert, select

from grading.common.files import write_atomically
from grading.common.names import ROSTER, is_student_id
from grading.common.text import clean
from grading.errors import GradingError
from grading.lms.export import protected
from grading.lms.roster import Roster, Student, read_roster, read_table
from grading.lti import services
from grading.lti.calls import Caller, client
from grading.lti.claims import Role
from grading.lti.keys import ToolKey
from grading.lti.platforms import Platform
from grading.lti.services import Member
from grading.service.audit import Author, Deed, note
from grading.service.database import Database, metadata

HEADER = ("id", "name", "email")

lms_rosters = Table(
    "lms_rosters",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("context", String, nullable=False, default=""),
    Column("seen", Float, nullable=False),
)


@dataclass(frozen=True)
class Updated:
    """What came of comparing the class list with the LMS's."""

    new: tuple[Student, ...]
    changed: tuple[Student, ...]
    """Names or addresses that are others now."""
    absent: tuple[Student, ...]
    """Who is in the class list and not, or not any more, in the LMS."""
    refused: tuple[str, ...] = ()
    """Members who were left out, and why."""


def note_roster(connection: Connection, platform: str, address: str, context: str, now: float) -> None:
    """Note where a platform has the list of a course, as a launch says."""
    mine = (lms_rosters.c.platform == platform) & (lms_rosters.c.address == address)
    connection.execute(delete(lms_rosters).where(mine))
    connection.execute(insert(lms_rosters).values(platform=platform, address=address, context=context, seen=now))


async def members(
    database: Database, key: ToolKey, platforms: Sequence[Platform], http: httpx.AsyncClient | None = None
) -> list[tuple[str, Member]]:
    """Return the members of the courses from which somebody has come, each with the platform's key.

    Raises LtiError for a list that cannot be had, GradingError where none is known.
    """
    with database.reading() as connection:
        known = connection.execute(select(lms_rosters.c.platform, lms_rosters.c.address)).all()
    registered = {one.key: one for one in platforms}
    lists = [(registered[platform], address) for platform, address in known if platform in registered]
    if not lists:
        raise GradingError("no list is known yet: open the course once from the LMS, which says where it is")
    async with http or client() as opened:
        caller = Caller(opened, key)
        return [
            (platform.key, member)
            for platform, address in lists
            for member in await services.roster(caller, platform, address)
        ]


def students_among(
    listed: Iterable[tuple[str, Member]], ids: Mapping[tuple[str, str], str], new_id: Callable[[str, str], str]
) -> tuple[list[Student], list[str]]:
    """Return the active students of a list, and why members were left out.

    `ids` are those under which users of a platform have come in already, which stay; `new_id` makes the id of who is in
    no list of the institution's.
    """
    found: dict[str, tuple[Student, tuple[str, str]]] = {}
    refused = []
    for platform, member in listed:
        if member.role is not Role.student or not member.active:
            continue
        user = platform, member.user
        own = member.person if is_student_id(member.person) else new_id(*user)
        student = ids.get(user, own)
        if student in found and found[student][1] != user:
            refused.append(f"{clean(member.name or member.user)}: the LMS gives two people the id {student}")
            continue
        name = member.name or f"{member.given_name} {member.family_name}".strip()
        found[student] = Student(student, name=clean(name), email=clean(member.email)), user
    return [student for student, _ in found.values()], refused


def update_roster(course: Path, listed: Sequence[Student], refused: Sequence[str] = ()) -> Updated:
    """Add who is new to the class list of a course, and take over names and addresses that have changed.

    Columns of one's own stay as they are. Raises GradingError for a class list that is an LMS's own file.
    """
    path = course / ROSTER
    known = read_roster(path) if path.is_file() else Roster(())
    if known.lms:
        raise GradingError(f"{ROSTER} is a file of {known.lms}'s own: put the class list there as {','.join(HEADER)}")
    there = {one.id: one for one in listed}
    changed = [one for one in known.students if one.id in there and _differs(one, there[one.id])]
    new = [one for one in listed if one.id not in known.by_id]
    absent = [one for one in known.students if one.id not in there]
    if new or changed:
        write_atomically(path, _written(path, {one.id: there[one.id] for one in changed}, new))
    return Updated(tuple(new), tuple(there[one.id] for one in changed), tuple(absent), tuple(refused))


def note_update(database: Database, who: Author, made: Updated) -> None:
    """Write down that the class list was updated: how many, not who."""
    with database.writing() as connection:
        said = f"{len(made.new)} new, {len(made.changed)} changed"
        note(connection, who, Deed.roster, time.time(), details=said)


def _differs(known: Student, there: Student) -> bool:
    name, email = there.full_name, there.email
    return bool((name and name != known.full_name) or (email and email != known.email))


def _written(path: Path, changed: Mapping[str, Student], new: Sequence[Student]) -> str:
    """Return the class list as a file, its rows as they were but for what changed, and the new ones at its end."""
    header, rows, columns, delimiter = list(HEADER), [], {name: at for at, name in enumerate(HEADER)}, ","
    if path.is_file():
        table = read_table(path)
        header, columns, delimiter = table.header, dict(table.columns), table.delimiter
        rows = [row for _, row in table.rows]
        if "id" not in columns:
            raise GradingError(f"{path.name} has no column of ids: call the one that holds them 'id'")
    lines = [_row(header, columns, row, changed.get(row[columns["id"]].strip())) for row in rows]
    lines += [_row(header, columns, [], one) for one in new]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def _row(header: Sequence[str], columns: Mapping[str, int], row: Sequence[str], told: Student | None) -> list[str]:
    """Return a row with what was told of a student, in the columns that there are."""
    cells = [*row, *[""] * (len(header) - len(row))]
    if told is None:
        return cells
    first, _, last = told.full_name.rpartition(" ")
    values = {"id": told.id, "name": told.full_name, "email": told.email}
    if "name" not in columns:
        values |= {"first": first, "last": last}
    for column, value in values.items():
        if column in columns and value:
            cells[columns[column]] = protected(value) if column != "id" else value
    return cells
