"""Names of people on pages and in the terminal, from the class's roster, unless they are to be hidden."""

from collections.abc import Collection, Mapping
from pathlib import Path

from grading.common.text import clean
from grading.config import Grading, load_config
from grading.pipeline.people import people


def names_of(course_dir: Path, shown: bool | None = None) -> Mapping[str, str]:
    """Return the full names of the class by student's id, in the roster's order; empty where they are hidden.

    `shown` None is as `c.Grading.names` says. Who has no name in the roster goes by the id.
    """
    if not (Grading(config=load_config(course_dir)).names if shown is None else shown):
        return {}
    found = {}
    for student, person in people(course_dir).items():
        name = clean(" ".join(filter(None, (person.first_name, person.last_name))))
        found[student] = name or student
    return found


def missing(course_dir: Path, graded: Collection[str]) -> list[str]:
    """Return the ids of the roster's students of whom there is nothing."""
    return [student for student in people(course_dir) if student not in graded]
