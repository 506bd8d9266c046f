"""What grading a class again would change, told beforehand from what is stored: no student code runs for it.

Tests that have changed are answered by the recorded conversations. What would be written is written into a copy of the
gradebook, so that points given by hand, penalties and late days are in it; the gradebook and the records stay as they
are.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from grading.config import hand_in_rules, load_config
from grading.errors import GradingError
from grading.execution.workers import examine_recorded
from grading.options import Workers
from grading.pipeline.grade import keep, score
from grading.pipeline.plan import Submission, plan, why_run
from grading.pipeline.reference import with_reference
from grading.pipeline.run import GradingRun
from grading.records.gradebook import GradebookWriter, read_grades
from grading.records.grades import Grades
from grading.records.record import FAILED, read_record

SAME = 1e-6
"""Points that come from rounding."""


@dataclass(frozen=True)
class Foreseen:
    """One student's points now and after grading again; None is for none, and for what cannot be told."""

    student: str
    before: float | None
    after: float | None
    why: str = ""
    """Why it cannot be told."""

    @property
    def change(self) -> float:
        """Return by how much the points would change, as far as that can be told."""
        return 0.0 if self.before is None or self.after is None else self.after - self.before

    @property
    def changes(self) -> bool:
        """Return whether a grade that is there would be another one."""
        return abs(self.change) > SAME

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data."""
        return asdict(self)


def foresee(course: GradingRun) -> list[Foreseen]:
    """Return what grading again would make of every hand-in, in the order of the students' names.

    The course's own solution is run where its tests have changed. Raises GradingError where there is nothing to grade,
    and for a gradebook that cannot be copied.
    """
    course = replace(course, options=replace(course.options, workers=Workers(1, gpu=course.options.workers.gpu)))
    course = with_reference(course)
    planned = plan(course)
    runs = {run.key: run for submission in planned.submissions for run in submission.runs}
    failures: dict[str, str] = {}
    left = set(planned.jobs)
    for outcome in examine_recorded(planned.jobs, course.options.workers):
        keep(course, planned.jobs[outcome.key], runs[outcome.key], outcome, failures)
        left.discard(outcome.key)
    untold = {one.student: _untold(course, one, left, failures) for one in planned.submissions}
    with _copied(course) as copied:
        now = read_grades(copied, course.course_id, course.assignment.name)
        _write(course, copied, [one for one in planned.submissions if not untold[one.student]], untold)
        then = read_grades(copied, course.course_id, course.assignment.name)
    return [
        Foreseen(student, _points(now, student), None if why else _points(then, student), why)
        for student, why in untold.items()
    ]


def in_words(found: Sequence[Foreseen]) -> str:
    """Say in a sentence or two how many grades would change, and by how much."""
    graded = [one for one in found if one.before is not None]
    changed = [one for one in graded if one.changes]
    untold = [one for one in found if one.why]
    more, less = [one for one in changed if one.change > 0], [one for one in changed if one.change < 0]
    grades = f"{len(graded)} grade{'s' if len(graded) != 1 else ''}"
    if changed:
        each = [f"{len(some)} would {verb}" for some, verb in ((more, "rise"), (less, "fall")) if some]
        most = max(abs(one.change) for one in changed)
        said = f"{len(changed)} of {grades} would change: {' and '.join(each)}, by {most:g} at most."
    else:
        said = f"None of {grades} would change."
    if untold:
        said += f" {len(untold)} cannot be told before the students' code has run again."
    return said


def _untold(course: GradingRun, submission: Submission, left: set[str], failures: dict[str, str]) -> str:
    """Say why nothing can be told of a submission; empty if something can."""
    if any(run.key in left for run in submission.runs):
        return why_run(course, submission) or "the tests ask what was not recorded"
    return next((failures[run.key] for run in submission.runs if run.key in failures), "")


def _write(course: GradingRun, db_url: str, submissions: Sequence[Submission], untold: dict[str, str]) -> None:
    """Score submissions and write them into a gradebook as grading does; note why one could not be."""
    config = load_config(course.folder)
    config.CourseDirectory.db_url = db_url
    kept = {notebook.name: notebook.kept for notebook in course.assignment.notebooks}
    rules = hand_in_rules(course.folder, config)
    with GradebookWriter(db_url, course.assignment.name, kept, config, rules) as gradebook:
        gradebook.enter_students(submission.student for submission in submissions)
        for submission in submissions:
            record = score(course, submission, {})
            if record.status == FAILED:
                untold[submission.student] = record.why
                continue
            stands = read_record(course.records / submission.student / course.assignment.name)
            gradebook.write(gradebook.settled(record, stands))


def _points(grades: dict[str, Grades], student: str) -> float | None:
    return grades[student].points if student in grades else None


@contextlib.contextmanager
def _copied(course: GradingRun) -> Iterator[str]:
    """Give the address of a copy of the gradebook as it is now."""
    address = make_url(course.db_url)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise GradingError(
            "what would change can be told for a gradebook in SQLite; yours is in another database, which is not copied"
        )
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "gradebook.db"
        if Path(address.database).is_file():
            with (
                contextlib.closing(sqlite3.connect(address.database)) as source,
                contextlib.closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        yield f"sqlite:///{copy}"
