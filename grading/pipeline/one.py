"""One hand-in, wherever it lies: graded as one of a class would be, with nothing kept of it.

Results, the rebuilt notebook and the record are written into a scratch folder that the caller removes. What depends on
the course alone (the students' view of its data, questions, what its own solution gave) is the course's, and stays.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from grading.common.files import share_folders
from grading.errors import GradingError
from grading.execution.ahead import note_for_next_time, note_of
from grading.execution.execute import Pools
from grading.execution.store import Store
from grading.execution.workers import WorkerPool, run_all
from grading.pipeline.grade import keep, notebooks_of, score
from grading.pipeline.plan import plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import GradingRun
from grading.records.executed_notebook import as_text
from grading.records.record import GRADED, Record, write_files

OF_THE_COURSE = ("hashes", "questions", "views")
"""Folders of a course's cache that hold nothing of a student's."""


@dataclass(frozen=True)
class GradedHandIn:
    """A record, and the run from whose folders a page about it can be made while the scratch folder lasts."""

    course: GradingRun
    record: Record


def grade_one(
    course: GradingRun, handed_in: Path, student: str, scratch: Path, pools: Callable[[], Pools] | None = None
) -> GradedHandIn:
    """Grade a notebook, an archive or a folder, with all that lies in `scratch`, an empty folder, afterwards.

    Neither the gradebook nor any folder of the class is read or written. A hand-in that cannot be graded is refused in
    its record; only what is the machine's or the author's fault raises GradingError.

    `pools` gives those that its code runs with; they are closed then, and what it needed is noted for the pools of the
    next one (`execution.ahead`).
    """
    course = with_reference(course)
    own = _in_scratch(course, handed_in, student, scratch)
    planned = plan(own)
    (submission,) = planned.submissions
    runs = {run.key: run for run in submission.runs}
    failures: dict[str, str] = {}
    with WorkerPool(replace(own.options.workers, count=1)) as workers:
        if planned.jobs and not workers.workers.scheduler:
            workers.keep_here((pools or Pools)())
        for outcome in run_all(planned.jobs, workers.workers, pool=workers):
            keep(own, planned.jobs[outcome.key], runs[outcome.key], outcome, failures)
    if pools is not None:
        note_for_next_time(note_of(course.cache, course.assignment.name), planned.jobs.values())
    record = score(own, submission, failures)
    made = notebooks_of(own, submission, record) if record.status == GRADED else {}
    texts = {f"{name}.ipynb": as_text(notebook) for name, notebook in made.items()}
    write_files(own.records / submission.student / own.assignment.name, texts, (), record)
    return GradedHandIn(own, record)


def _in_scratch(course: GradingRun, handed_in: Path, student: str, scratch: Path) -> GradingRun:
    """Return the same run with folders of its own, and the hand-in where it is looked for."""
    cache = scratch / "cache"
    share_folders(cache, course.cache, OF_THE_COURSE)
    target = scratch / "submitted" / student / course.assignment.name
    try:
        if handed_in.is_dir():
            shutil.copytree(handed_in, target, symlinks=True)
        else:
            target.mkdir(parents=True)
            shutil.copyfile(handed_in, target / handed_in.name)
    except (OSError, shutil.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not everything can be read"
        raise GradingError(f"{handed_in} cannot be read: {reason}") from error
    return replace(
        course,
        store=Store(cache / "executed"),
        submitted=scratch / "submitted",
        records=scratch / "autograded",
        options=replace(course.options, students=()),
    )
