"""From a folder of hand-ins to grades: read, rebuild, execute what is new, score, record."""

import contextlib
import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nbformat import NotebookNode

from grading.common.files import hash_of, tree_hash
from grading.common.text import clean
from grading.common.versions import our_code, versions
from grading.config import load_config
from grading.errors import GradingError
from grading.execution.job import Executed, Job
from grading.execution.workers import Outcome, run_all
from grading.options import Isolation
from grading.pipeline.lock import alone
from grading.pipeline.people import people
from grading.pipeline.plan import Plan, Run, Submission, has_files_of, reading_basis, rebuilt_notebook
from grading.pipeline.run import GradingRun
from grading.records.executed_notebook import as_text, executed_notebook, revised_notebook
from grading.records.gradebook import GradebookWriter, in_words
from grading.records.record import FAILED, GRADED, REFUSED, QuestionRecord, Record, read_record, write_files
from grading.scoring.questions import Answer, Score

log = logging.getLogger(__name__)

NOT_ISOLATED = "graded without isolation"


Progress = Callable[[str, str], None]
"""Called with (event, student or key); events are those of `grade`."""


@dataclass(frozen=True)
class _Basis:
    """Hashes of what all records of a run depend on."""

    reading: str
    scoring: str

    @classmethod
    def of(cls, course: GradingRun) -> "_Basis":
        context = course.context
        folders = [context.source, *(folder for folder in (context.data, context.withheld) if folder)]
        return cls(reading_basis(course), hash_of([our_code(), versions(), *map(tree_hash, folders)]))


def grade(course: GradingRun, planned: Plan, progress: Progress = lambda event, name: None) -> list[Record]:
    """Execute, score and record what was planned; return the records in the order of the submissions.

    Calls `progress` with ("started", key) before and ("executed" or "failed", key) after each execution, and with
    ("recorded", student) after each record.
    """
    records: dict[str, Record] = {}
    config = load_config(course.folder)
    with (
        alone(course.cache, course.assignment.name),
        GradebookWriter(course.db_url, course.assignment.name, course.assignment.released, config) as gradebook,
    ):
        gradebook.enter_students((submission.student for submission in planned.submissions), people(course.folder))
        basis = _Basis.of(course)

        def record(submission: Submission, failures: Mapping[str, str]) -> None:
            records[submission.student], lost = _record(course, gradebook, submission, failures, basis)
            fail(lost)
            progress("recorded", submission.student)

        def enter() -> None:
            fail(gradebook.commit())

        def fail(lost: Mapping[str, str]) -> None:
            for student, why in lost.items():
                records[student] = _record_failure(course, by_student[student], why)

        by_student = {submission.student: submission for submission in planned.submissions}
        waiting: dict[str, list[Submission]] = {}
        undone: dict[str, set[str]] = {}
        parts = {run.key: run.parts for submission in planned.submissions for run in submission.runs}
        for submission in planned.submissions:
            undone[submission.student] = {run.key for run in submission.runs} & planned.jobs.keys()
            for key in undone[submission.student]:
                waiting.setdefault(key, []).append(submission)
            if not undone[submission.student]:
                record(submission, {})
                if gradebook.is_due:
                    enter()
        enter()
        failures: dict[str, str] = {}
        for outcome in run_all(planned.jobs, course.options.workers, lambda key: progress("started", key)):
            _keep(course, planned.jobs[outcome.key], parts[outcome.key], outcome, failures)
            progress("executed" if outcome.executed else "failed", outcome.key)
            for submission in waiting.pop(outcome.key):
                undone[submission.student].discard(outcome.key)
                if not undone[submission.student]:
                    record(submission, failures)
                    enter()
    return [records[submission.student] for submission in planned.submissions]


def _record(
    course: GradingRun, gradebook: GradebookWriter, submission: Submission, failures: Mapping[str, str], basis: _Basis
) -> tuple[Record, Mapping[str, str]]:
    """Score and write down one submission, unless that was done. Whatever is wrong with it, the others go on.

    Return its record, and the students whose records could not be entered into the gradebook, with the reason.
    """
    try:
        return _write_record(course, gradebook, submission, failures, basis), {}
    except Exception as error:
        log.exception("%s could not be recorded", submission.student)
        why = in_words(error)
    return _record_failure(course, submission, why), gradebook.leave_out()


def _write_record(
    course: GradingRun, gradebook: GradebookWriter, submission: Submission, failures: Mapping[str, str], basis: _Basis
) -> Record:
    folder = _folder_of(course, submission)
    path = folder / course.assignment.notebook_name
    made_from = _made_from(course, submission, basis)
    scored_by = hash_of([made_from, basis.scoring])
    before = None if any(run.key in failures for run in submission.runs) else read_record(folder)
    if before is not None and before.status == GRADED and not path.is_file():
        before = None
    if before is not None and before.execution.get("scored_by") == scored_by:
        gradebook.write(before)
        return before
    record = score(course, submission, failures)
    if record.status != FAILED:
        known = {"made_from": made_from, "scored_by": scored_by}
        record = replace(record, execution={**record.execution, **known})
    text = None
    if record.status == GRADED:
        same = before is not None and before.status == GRADED and before.execution.get("made_from") == made_from
        text = revised_notebook(path, record) if same else as_text(notebook_of(course, submission, record))
    write_files(folder, path.name, text, record)
    gradebook.write(record)
    return record


def _record_failure(course: GradingRun, submission: Submission, why: str) -> Record:
    """Write down that a submission could not be recorded; the next run tries again."""
    record = replace(_blank_record(course, submission), why=why)
    with contextlib.suppress(OSError):
        write_files(_folder_of(course, submission), course.assignment.notebook_name, None, record)
    return record


def _folder_of(course: GradingRun, submission: Submission) -> Path:
    return course.records / submission.student / course.assignment.name


def _made_from(course: GradingRun, submission: Submission, basis: _Basis) -> str:
    """Hash of all that an executed notebook depends on, but for points and reasons."""
    stored = [(run.key, course.store.stamp(run.key)) for run in submission.runs]
    return hash_of([basis.reading, asdict(submission.summary), stored])


def score(course: GradingRun, submission: Submission, failures: Mapping[str, str]) -> Record:
    """The record of a submission whose executions are stored, or have failed."""
    record = _blank_record(course, submission)
    if submission.refusal:
        nothing = {
            name: QuestionRecord(0.0, points, submission.refusal)
            for name, points in course.assignment.max_points.items()
        }
        return replace(record, status=REFUSED, why=submission.refusal, questions=nothing)
    failed = next((failures[run.key] for run in submission.runs if run.key in failures), "")
    if failed:
        return replace(record, why=failed)
    executions = [_stored(course, run) for run in submission.runs]
    try:
        scored = [_score(course, executed) for executed in executions]
        decided_by = _median_run(scored)
        scores = scored[decided_by]
        flags = course.assignment.flags(scores)
        measures = course.assignment.measures(scores, course.context)
    except GradingError as error:
        return replace(record, why=str(error))
    stopped = _first_error(executions[decided_by])
    if course.options.isolation is Isolation.none:
        flags.append(NOT_ISOLATED)
    return replace(
        record,
        status=GRADED,
        questions={
            name: _question(score, course.assignment.max_points[name], stopped) for name, score in scores.items()
        },
        measures=tuple(measures),
        events=tuple(dict.fromkeys(event for executed in executions for event in executed.events)),
        flags=(*flags, *_swings(scored)),
        execution={**record.execution, **_what_it_took(executions), "decided_by": decided_by},
    )


def notebook_of(course: GradingRun, submission: Submission, record: Record) -> NotebookNode:
    """Return the executed notebook of a graded submission, with what the deciding run printed."""
    rebuilt = rebuilt_notebook(course, submission)
    assert rebuilt is not None, "what was refused was not executed"
    run = submission.runs[record.execution["decided_by"]]
    return executed_notebook(rebuilt, _stored(course, run).outputs, record)


def _question(score: Score, max_points: float, stopped: str) -> QuestionRecord:
    """A grade cell's record; where points were lost, the first cell that failed is worth knowing."""
    reason = f"{score.reason} {stopped}".strip() if score.points < max_points else score.reason
    return QuestionRecord(score.points, max_points, reason, dict(score.facts))


def _first_error(executed: Executed) -> str:
    """The first cell that stopped with an error, in words."""
    for cell, outputs in executed.outputs.items():
        for output in outputs:
            if output["output_type"] == "error":
                return f"(Cell '{cell}' stopped with {clean(output['ename'] + ': ' + output['evalue'])})"
    return ""


def _keep(course: GradingRun, job: Job, parts: Mapping[str, str], outcome: Outcome, failures: dict[str, str]) -> None:
    """Store a result under its key, unless the files that were handed in are no longer those of the key."""
    if outcome.executed is None:
        failures[outcome.key] = outcome.failure
    elif not has_files_of(course, job, parts):
        failures[outcome.key] = "the files handed in changed while they were graded: grade again"
    else:
        course.store.put(outcome.key, outcome.executed)


def _stored(course: GradingRun, run: Run) -> Executed:
    executed = course.store.get(run.key)
    if executed is None:
        raise GradingError(f"the stored result {run.key} has vanished while grading: grade again")
    return executed


def answers_of(course: GradingRun, executed: Executed) -> dict[str, Answer]:
    """What was answered to each question, read with suspicion."""
    return {question.name: executed.answer(question.name, len(question.cases)) for question in course.questions}


def _score(course: GradingRun, executed: Executed) -> dict[str, Score]:
    return course.assignment.score(answers_of(course, executed), course.context)


def _median_run(scored: Sequence[dict[str, Score]]) -> int:
    """Return the index of the run with the median total: points, reasons, pictures and notebook are all that run's."""
    totals = [sum(score.points for score in scores.values()) for scores in scored]
    return totals.index(statistics.median_low(totals))


def _swings(scored: Sequence[dict[str, Score]]) -> list[str]:
    """Say which grade cells' points differ between runs."""
    swings = []
    for name in scored[0]:
        points = [scores[name].points for scores in scored]
        if min(points) != max(points):
            each = ", ".join(f"{value:g}" for value in points)
            swings.append(f"{name} swings with the seed: {each} points in {len(points)} runs")
    return swings


def _blank_record(course: GradingRun, submission: Submission) -> Record:
    """What is known before anything is scored; its status is that of a failure."""
    seen = submission.summary
    return Record(
        student=submission.student,
        assignment=course.assignment.name,
        status=FAILED,
        repairs=seen.repairs,
        submission={
            "file": seen.file,
            "sha256": seen.sha256,
            "timestamp": seen.timestamp,
            "changed": seen.changed,
            "other_files": list(seen.other_files),
        },
        execution={
            "keys": [run.key for run in submission.runs],
            "parts": dict(submission.runs[0].parts) if submission.runs else {},
            "seeds": list(range(len(submission.runs))),
            "isolation": course.options.isolation.value,
            "limits": asdict(course.options.limits),
            "versions": versions(),
        },
    )


def _what_it_took(executions: Sequence[Executed]) -> dict[str, object]:
    return {
        "seconds": [executed.seconds for executed in executions],
        "cpu_seconds": [executed.cpu_seconds for executed in executions],
        "peak_memory_bytes": max(executed.peak_memory for executed in executions),
        "kernels": [executed.kernels for executed in executions],
        "system_calls": [executed.system_calls for executed in executions],
        "gpus": [executed.gpu for executed in executions],
        "demonstrations_run": any(executed.demos for executed in executions),
    }
