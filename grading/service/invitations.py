"""Personal links for a class, as a file for a mail merge; a link is shown once and stored as a hash."""

import csv
import io
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.common.names import ROSTER, is_student_id
from grading.errors import GradingError
from grading.lms.export import protected
from grading.lms.roster import Student, read_roster
from grading.service import access
from grading.service.audit import at_the_terminal
from grading.service.database import Database
from grading.service.identity import Role
from grading.service.settings import Settings


@dataclass(frozen=True)
class Invitation:
    """A personal link, and for whom it is."""

    student: Student
    link: str


def the_class(course: Path) -> Sequence[Student]:
    """Return the students of the roster. Raises GradingError where there is none."""
    path = course / ROSTER
    if not path.is_file():
        raise GradingError(f"there is no {ROSTER} in {course.name}/: put the class list there, or name who is invited")
    return read_roster(path).students


def invite(
    settings: Settings, database: Database, people: Iterable[Student], role: Role = Role.student, again: bool = False
) -> list[Invitation]:
    """Make a link for each who has none that opens; with `again`, for all, and what they had does not open any more.

    Raises GradingError for an id that cannot be a student's, before any link is made.
    """
    people = list(people)
    for student in people:
        if not is_student_id(student.id):
            raise GradingError(f"{student.id!r} cannot be an id: use letters, digits, '-', '_', '.' and '@'")
    made, now, by = [], time.time(), at_the_terminal()
    for student in people:
        if access.has_link(database, student.id, now):
            if not again:
                continue
            access.withdraw(database, student.id, now, by)
        token = access.make_link(database, student.id, role, now, settings.link_seconds, by)
        made.append(Invitation(student, f"{settings.url}/enter/{token}"))
    return made


def as_csv(invitations: Iterable[Invitation]) -> str:
    """Write invitations as CSV, one line each; a spreadsheet calculates nothing of what stands in it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "name", "email", "link"])
    for one in invitations:
        student = one.student
        writer.writerow([*map(protected, (student.id, student.full_name, student.email)), one.link])
    return text.getvalue()
