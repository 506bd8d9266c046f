"""Names and addresses of the students, for the gradebook: what the class's roster says."""

import logging
from pathlib import Path

from grading.common.names import ROSTER
from grading.errors import CourseError
from grading.lms.roster import Student, read_roster
from grading.records.gradebook import Person

log = logging.getLogger(__name__)


def people(course_dir: Path) -> dict[str, Person]:
    """Return names and addresses by student's id; empty without a roster, or with one that cannot be read."""
    path = course_dir / ROSTER
    if not path.is_file():
        return {}
    try:
        return {student.id: _person(student) for student in read_roster(path).students}
    except CourseError as error:  # grades do not need names
        log.warning("%s was left out: %s", path, error)
        return {}


def _person(student: Student) -> Person:
    """Return names and address. Where the roster has the name in one piece, all of it is the last name: nobody can tell
    where to cut it.
    """
    last = student.last or (student.name if not student.first else "")
    return Person(student.first or None, last or None, student.email or None)
