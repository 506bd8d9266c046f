"""Names of people on pages and in the terminal, from the class's roster, unless they are to be hidden."""

import logging
from collections.abc import Collection, Mapping
from pathlib import Path

from grading.common.names import ROSTER
from grading.common.text import clean
from grading.config import Grading, load_config
from grading.errors import CourseError
from grading.lms.roster import Student, read_roster

log = logging.getLogger(__name__)


def names_of(course_dir: Path, shown: bool | None = None) -> Mapping[str, str]:
    """Return the full names of the class by student's id, in the roster's order; empty where they are hidden.

    `shown` None is as `c.Grading.names` says. Who has no name in the roster goes by the id.
    """
    if not (Grading(config=load_config(course_dir)).names if shown is None else shown):
        return {}
    return {student.id: clean(student.full_name) or student.id for student in _students(course_dir)}


def missing(course_dir: Path, graded: Collection[str]) -> list[str]:
    """Return the ids of the roster's students of whom there is nothing."""
    return [student.id for student in _students(course_dir) if student.id not in graded]


def _students(course_dir: Path) -> tuple[Student, ...]:
    path = course_dir / ROSTER
    if not path.is_file():
        return ()
    try:
        return read_roster(path).students
    except CourseError as error:  # pages do not need names
        log.warning("%s was left out: %s", path, error)
        return ()
