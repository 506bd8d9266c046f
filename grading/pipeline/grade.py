"""From a folder of hand-ins to grades: read, rebuild, execute what is new, score, record."""

import contextlib
import logging
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from nbformat import NotebookNode

from grading.common.files import hash_of, tree_hash
from grading.common.text import clean
from grading.common.versions import our_code, versions
from grading.config import hand_in_rules, load_config
from grading.errors import GradingError, is_excused
from grading.examiner.examination import Examined
from grading.execution.job import Executed, Job
from grading.execution.workers import Outcome, run_all
from grading.options import Isolation
from grading.pipeline.lock import alone
from grading.pipeline.notebook import Notebook, WrittenAnswer, answers_in, with_sources
from grading.pipeline.plan import Plan, Run, Submission, is_as_planned, reading_basis, rebuilt_notebook
from grading.pipeline.run import GradingRun
from grading.pipeline.seen import NotebookSummary
from grading.pipeline.tested import test_results
from grading.records.executed_notebook import as_text, executed_notebook, refused_notebook, revised_notebook
from grading.records.record import (
    FAILED,
    GRADED,
    PERSON,
    REFUSED,
    SCORING,
    Event,
    GradedCell,
    QuestionRecord,
    Record,
    points_of,
    read_record,
    write_files,
)
from grading.scoring.questions import Answer, Score

if TYPE_CHECKING:
    from grading.records.gradebook import GradebookWriter

log = logging.getLogger(__name__)

NOT_ISOLATED = "graded without isolation"
BY_PERSON = "A person grades this answer."
CHANGED_MEANWHILE = "files handed in, or the course's files or data, changed while this was graded: grade again"


Stored = TypeVar("Stored")
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


def execute(
    course: GradingRun, planned: Plan, progress: Progress = lambda event, name: None
) -> tuple[Plan, dict[str, str], set[str]]:
    """Execute and store what was planned, and record nothing; calls `progress` as `grade` does.

    Return the plan that is left to record, why executions failed, by key, and the keys of those that failed through no
    fault of what was handed in. Others may grade meanwhile.
    """
    failures: dict[str, str] = {}
    excused = {outcome.key for outcome in _outcomes(course, planned, progress, failures) if outcome.excused}
    return replace(planned, jobs={}), failures, excused


def _outcomes(course: GradingRun, planned: Plan, progress: Progress, failures: dict[str, str]) -> Iterator[Outcome]:
    """Execute what was planned; yield each outcome when it is stored, or is among the failures."""
    runs = {run.key: run for submission in planned.submissions for run in submission.runs}
    for given in run_all(planned.jobs, course.options.workers, lambda key: progress("started", key), course.pool):
        outcome = keep(course, planned.jobs[given.key], runs[given.key], given, failures)
        progress("executed" if outcome.results else "failed", outcome.key)
        yield outcome


def grade(
    course: GradingRun,
    planned: Plan,
    progress: Progress = lambda event, name: None,
    failed: Mapping[str, str] = MappingProxyType({}),
) -> list[Record]:
    """Execute, score and record what was planned; return the records in the order of the submissions.

    `failed` says of executions that are over and have no result, why. Calls `progress` with ("started", key) before and
    ("executed" or "failed", key) after each execution, with ("recorded", student) after each record, and with
    ("hindered", student) where one could not be written through no fault of the hand-in: the disk is full, say.
    """
    from grading.pipeline.people import people  # slow to load, as is the gradebook, which `grade-one` does without
    from grading.records.gradebook import GradebookWriter

    config = load_config(course.folder)
    kept = {notebook.name: notebook.kept for notebook in course.assignment.notebooks}
    with (
        alone(course.cache, course.assignment.name),
        GradebookWriter(
            course.db_url, course.assignment.name, kept, config, hand_in_rules(course.folder, config)
        ) as gradebook,
    ):
        gradebook.enter_students((submission.student for submission in planned.submissions), people(course.folder))
        recorder, undone = _Recorder(course, planned, gradebook, progress), _Undone(planned)
        for submission in undone.ready:
            recorder.record(submission, failed)
            if gradebook.is_due:
                recorder.enter()
        recorder.enter()
        failures: dict[str, str] = {}
        for outcome in _outcomes(course, planned, progress, failures):
            for submission in undone.without(outcome.key):
                recorder.record(submission, failures)
                if outcome.executed is not None or gradebook.is_due:
                    recorder.enter()
        recorder.enter()
    return [recorder.records[submission.student] for submission in planned.submissions]


class _Undone:
    """Executions that each submission still waits for."""

    def __init__(self, planned: Plan) -> None:
        self._undone: dict[str, set[str]] = {}
        self._waiting: dict[str, list[Submission]] = {}
        self.ready: list[Submission] = []
        """Submissions that wait for none."""
        for submission in planned.submissions:
            keys = {run.key for run in submission.runs} & planned.jobs.keys()
            self._undone[submission.student] = keys
            for key in keys:
                self._waiting.setdefault(key, []).append(submission)
            if not keys:
                self.ready.append(submission)

    def without(self, key: str) -> Iterator[Submission]:
        """Note that an execution is done; yield the submissions that waited for nothing else."""
        for submission in self._waiting.pop(key):
            self._undone[submission.student].discard(key)
            if not self._undone[submission.student]:
                yield submission


class _Recorder:
    """Writes records and enters them into the gradebook; what could not be entered is a failure in its record."""

    def __init__(self, course: GradingRun, planned: Plan, gradebook: "GradebookWriter", progress: Progress) -> None:
        self._course, self._gradebook, self._progress = course, gradebook, progress
        self._basis = _Basis.of(course)
        self._by_student = {submission.student: submission for submission in planned.submissions}
        self._to_tell: set[str] = set()
        """Students whose records say that answers need another look, until the gradebook does."""
        self.records: dict[str, Record] = {}

    def record(self, submission: Submission, failures: Mapping[str, str]) -> None:
        """Write down one submission; it is in the gradebook after the next `enter`."""
        made, lost, hindered = _record(self._course, self._gradebook, submission, failures, self._basis)
        self.records[submission.student] = made
        if hindered:
            self._progress("hindered", submission.student)
        if made.status == GRADED and made.regrade:
            self._to_tell.add(submission.student)
        self._fail(lost)
        self._progress("recorded", submission.student)

    def enter(self) -> None:
        """Enter into the gradebook what was recorded since the last time."""
        lost = self._gradebook.commit()
        self._fail(lost)
        for student in self._to_tell - lost.keys():
            self.records[student] = _told(self._course, self._by_student[student], self.records[student])
        self._to_tell.clear()

    def _fail(self, lost: Mapping[str, str]) -> None:
        for student, why in lost.items():
            self.records[student] = _record_failure(self._course, self._by_student[student], why)
            self._progress("hindered", student)
            self._to_tell.discard(student)


def _record(
    course: GradingRun, gradebook: "GradebookWriter", submission: Submission, failures: Mapping[str, str], basis: _Basis
) -> tuple[Record, Mapping[str, str], bool]:
    """Score and write down one submission, unless that was done. Whatever is wrong with it, the others go on.

    Return its record, the students whose records could not be entered into the gradebook, with the reason, and whether
    its own could not be for a reason that is not in it.
    """
    from sqlalchemy.exc import OperationalError  # loaded by now, with the gradebook

    from grading.records.gradebook import in_words

    try:
        return _write_record(course, gradebook, submission, failures, basis), {}, False
    except Exception as error:
        log.exception("%s could not be recorded", submission.student)
        why, hindered = in_words(error), is_excused(error) or isinstance(error, OperationalError)
    return _record_failure(course, submission, why), gradebook.leave_out(), hindered


def _write_record(
    course: GradingRun, gradebook: "GradebookWriter", submission: Submission, failures: Mapping[str, str], basis: _Basis
) -> Record:
    folder = _folder_of(course, submission)
    files = {notebook.name: f"{notebook.name}.ipynb" for notebook in submission.notebooks}
    made_from = _made_from(course, submission, basis)
    scored_by = hash_of([made_from, basis.scoring])
    stands = read_record(folder)
    before = None if any(run.key in failures for run in submission.runs) else stands
    shown = [*files.values(), *(f"{name}.ipynb" for name in _refusals(course, submission))]
    if not all(_is_there(folder / name) for name in shown):
        before = None
    if before is not None and before.execution.get("scored_by") == scored_by:
        record = gradebook.settled(before, stands)
        if record != before:
            write_files(folder, {}, (), record)
        gradebook.write(record)
        return record
    record = score(course, submission, failures)
    if record.status != FAILED:
        known = {"made_from": made_from, "scored_by": scored_by}
        record = gradebook.settled(replace(record, execution={**record.execution, **known}), stands)
    elif stands is not None:
        record = replace(record, answers=stands.answers, regrade=stands.regrade)
    texts: dict[str, str] = {}
    if record.status == GRADED:
        same = before is not None and before.status == GRADED and before.execution.get("made_from") == made_from
        if same:
            texts = {name: revised_notebook(folder / name, record.of_notebook(key)) for key, name in files.items()}
        else:
            texts = {f"{key}.ipynb": as_text(made) for key, made in notebooks_of(course, submission, record).items()}
    if record.status != FAILED:
        texts |= {f"{key}.ipynb": as_text(made) for key, made in _refused_notebooks(course, submission, record).items()}
    gone = [] if record.status == FAILED else [one.file_name for one in course.assignment.notebooks]
    write_files(folder, texts, [name for name in gone if name not in texts], record)
    gradebook.write(record)
    return record


def _is_there(path: Path) -> bool:
    """Return whether a file is there, and not empty, as a machine that lost its power may leave it."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _told(course: GradingRun, submission: Submission, record: Record) -> Record:
    """Note that the gradebook knows by now which answers need another look."""
    record = replace(record, regrade=())
    with contextlib.suppress(OSError):  # it is told again
        write_files(_folder_of(course, submission), {}, (), record)
    return record


def _record_failure(course: GradingRun, submission: Submission, why: str) -> Record:
    """Write down that a submission could not be recorded; the next run tries again."""
    folder = _folder_of(course, submission)
    stands = read_record(folder)
    record = replace(_blank_record(course, submission), why=why)
    if stands is not None:
        record = replace(record, answers=stands.answers, regrade=stands.regrade)
    with contextlib.suppress(OSError):
        write_files(folder, {}, (), record)
    return record


def _folder_of(course: GradingRun, submission: Submission) -> Path:
    return course.records / submission.student / course.assignment.name


def _made_from(course: GradingRun, submission: Submission, basis: _Basis) -> str:
    """Hash of all that an executed notebook depends on, but for points and reasons."""
    stored = [(run.key, course.store.stamp(run.key), run.tests, _when(course, run)) for run in submission.runs]
    return hash_of([basis.reading, submission.summary, stored])


def _when(course: GradingRun, run: Run) -> int:
    """Return when what came of the tests was stored; 0 without tests."""
    with contextlib.suppress(FileNotFoundError):
        return course.store.tests(run.tests).stat().st_mtime_ns if run.tests else 0
    return 0


def score(course: GradingRun, submission: Submission, failures: Mapping[str, str]) -> Record:
    """Make the record of a submission whose executions are stored, or have failed."""
    record = _blank_record(course, submission)
    if submission.refusal:
        nothing = {name: _question(course, name, 0.0, submission.refusal) for name in course.assignment.cells}
        return replace(record, status=REFUSED, why=submission.refusal, questions=nothing)
    failed = next((failures[run.key] for run in submission.runs if run.key in failures), "")
    if failed:
        return replace(record, why=failed)
    executions = [{notebook: _stored(course, run) for notebook, run in runs.items()} for runs in submission.by_seed()]
    answers = _answers(course, submission)
    try:
        decided = [_decide(course, submission, executed, answers) for executed in executions]
        decided_by = _median_run(decided)
        questions = decided[decided_by]
        scores = {
            name: Score(question.points, question.reason, question.facts)
            for name, question in questions.items()
            if not question.waits
        }
        flags = course.assignment.flags(scores)
        measures = course.assignment.measures(answers_of(course, executions[decided_by]), scores, course.context)
    except GradingError as error:
        return replace(record, why=str(error))
    flags += [f"{found.name}.ipynb: {found.refusal}" for found in submission.summary.notebooks if found.refusal]
    if course.options.isolation is Isolation.none:
        flags.append(NOT_ISOLATED)
    several = len(course.assignment.notebooks) > 1
    events = [
        Event(f"{notebook}, {event.where}" if several else event.where, event.what)
        for executed in executions
        for notebook, each in executed.items()
        for event in each.events
    ]
    return replace(
        record,
        status=GRADED,
        questions=questions,
        measures=tuple(measures),
        events=tuple(dict.fromkeys(events)),
        flags=(*flags, *_swings(decided)),
        execution={**record.execution, **_what_it_took(executions), "decided_by": decided_by},
        answers={name: answer.digest for name, answer in answers.items()},
    )


def _decide(
    course: GradingRun, submission: Submission, executed: Mapping[str, Executed], answers: Mapping[str, WrittenAnswer]
) -> dict[str, QuestionRecord]:
    """Decide points and reasons of every question: by `scoring.py`, else by the notebook's own test or by a person.

    `executed` are the runs of one seed, by notebook; `answers` are those that a person grades, by question.
    """
    scores = _score(course, executed)
    refusals = {found.name: found.refusal for found in submission.summary.notebooks if found.refusal}
    unanswered = {(found.name, cell) for found in submission.notebooks for cell in found.unanswered}
    stopped = {notebook: _errors(each) for notebook, each in executed.items()}
    decided = {}
    for name, (notebook, grade_id) in course.assignment.cells.items():
        maximum = course.assignment.max_points[name]
        if notebook in refusals:
            decided[name] = _question(course, name, 0.0, refusals[notebook])
        elif name in scores:
            score = scores[name]
            first = next(iter(stopped[notebook].values()), "")
            reason = f"{score.reason} {first}".strip() if score.points < maximum else score.reason
            decided[name] = _question(course, name, score.points, reason, SCORING, dict(score.facts))
        elif name not in answers:
            test = executed[notebook].tests.get(grade_id)
            points, reason = points_of(test, maximum)
            first = _first_before(course.assignment.notebook(notebook), grade_id, stopped[notebook])
            reason = f"{reason} {first}".strip() if points < maximum else reason
            decided[name] = _question(course, name, points, reason, test.where if test else "")
        elif (notebook, grade_id) in unanswered:
            decided[name] = _question(course, name, 0.0, "There is no answer: the cell is as it was released.")
        else:
            decided[name] = replace(_question(course, name, 0.0, BY_PERSON, PERSON), waits=True)
    return decided


def _question(
    course: GradingRun,
    name: str,
    points: float,
    reason: str,
    decided: str = "",
    facts: Mapping[str, float] = MappingProxyType({}),
) -> QuestionRecord:
    notebook, grade_id = course.assignment.cells[name]
    return QuestionRecord(points, course.assignment.max_points[name], reason, dict(facts), notebook, grade_id, decided)


def _answers(course: GradingRun, submission: Submission) -> dict[str, WrittenAnswer]:
    """Return the answers of a submission that a person grades, by question."""
    answers: dict[GradedCell, WrittenAnswer] = {}
    for found in submission.notebooks:
        if course.assignment.notebook(found.name).by_hand:
            rebuilt = rebuilt_notebook(course, found)
            assert rebuilt is not None, "what can be graded was rebuilt"
            answers |= {(found.name, grade_id): answer for grade_id, answer in answers_in(rebuilt).items()}
    return {name: answers[cell] for name, cell in course.assignment.cells.items() if cell in answers}


def notebooks_of(course: GradingRun, submission: Submission, record: Record) -> dict[str, NotebookNode]:
    """Return the executed notebooks of a graded submission, by name, with what the deciding run printed.

    They show what graders may see, mark schemes among it; they are not for students as they are.
    """
    made = {}
    runs = submission.by_seed()[record.execution["decided_by"]]
    for found in submission.notebooks:
        rebuilt = rebuilt_notebook(course, found)
        assert rebuilt is not None, "what was refused was not executed"
        shown = with_sources(rebuilt, course.assignment.notebook(found.name).tasks)
        outputs = _executed(course, runs[found.name]).outputs
        made[found.name] = executed_notebook(shown, outputs, record.of_notebook(found.name))
    return made


def _refusals(course: GradingRun, submission: Submission) -> dict[str, str]:
    """Return why notebooks that were handed in could not be graded, by name; of a refused hand-in, of all."""
    said = {found.name: found.refusal for found in submission.summary.notebooks}
    if submission.refusal:
        return {one.name: said.get(one.name) or submission.refusal for one in course.assignment.notebooks}
    return {found.name: found.refusal for found in submission.summary.notebooks if found.refusal and not found.missing}


def _refused_notebooks(course: GradingRun, submission: Submission, record: Record) -> dict[str, NotebookNode]:
    return {
        name: refused_notebook(course.assignment.notebook(name).released, why, record.of_notebook(name))
        for name, why in _refusals(course, submission).items()
    }


def _errors(executed: Executed) -> dict[str, str]:
    """Return the cells that stopped with an error, in their order, and with which, in words."""
    found: dict[str, str] = {}
    for cell, outputs in executed.outputs.items():
        for output in outputs:
            if output["output_type"] == "error":
                said = clean(output["ename"] + ": " + output["evalue"])
                found.setdefault(cell, f"(Cell '{cell}' stopped with {said})")
    return found


def _first_before(notebook: Notebook, grade_id: str, errors: Mapping[str, str]) -> str:
    """Return the first error that a test may have met: one of a cell of the master's after it does not matter."""
    order = notebook.places
    place = order.get(notebook.tests.get(grade_id, ""), len(order))
    return next((said for cell, said in errors.items() if order.get(cell, -1) < place), "")


def keep(course: GradingRun, job: Job, run: Run, outcome: Outcome, failures: dict[str, str]) -> Outcome:
    """Store results, unless files have changed that their keys were made from; return what came of it."""
    results = outcome.results
    if results is not None and not is_as_planned(course, job, run):
        outcome, results = Outcome(outcome.key, None, CHANGED_MEANWHILE, excused=True), None
    if results is None:
        failures[outcome.key] = outcome.failure
        return outcome
    if results.executed is not None:
        course.store.put(run.key, results.executed, results.conversation)
    if results.examined is not None:
        course.store.put_tests(run.tests, results.examined)
    return outcome


def _executed(course: GradingRun, run: Run) -> Executed:
    return _there(course.store.get(run.key), run)


def _there(stored: Stored | None, run: Run) -> Stored:
    if stored is None:
        raise GradingError(f"the stored result {run.key} has vanished while grading: grade again")
    return stored


def _stored(course: GradingRun, run: Run) -> Executed:
    """Return a result with what came of the notebook's tests, by grade id."""
    executed = _executed(course, run)
    examined = _there(course.store.get_tests(run.tests), run) if run.tests else Examined()
    executed.tests = test_results(course.assignment.notebook(run.notebook), executed, examined)
    return executed


def answers_of(course: GradingRun, executed: Mapping[str, Executed]) -> dict[str, Answer]:
    """Read the answers to each question, with suspicion; `executed` are the runs of one seed, by notebook."""
    return {
        question.name: executed[question.notebook].answer(question.name, len(question.cases))
        if question.notebook in executed
        else Answer(lost=f"{question.notebook}.ipynb could not be graded.")
        for question in course.questions
    }


def _score(course: GradingRun, executed: Mapping[str, Executed]) -> dict[str, Score]:
    return course.assignment.score(answers_of(course, executed), course.context)


def _median_run(decided: Sequence[Mapping[str, QuestionRecord]]) -> int:
    """Return the index of the run with the median total: points, reasons, pictures and notebook are all that run's."""
    totals = [sum(question.points for question in questions.values()) for questions in decided]
    return totals.index(statistics.median_low(totals))


def _swings(decided: Sequence[Mapping[str, QuestionRecord]]) -> list[str]:
    """Say which grade cells' points differ between runs."""
    swings = []
    for name in decided[0]:
        points = [questions[name].points for questions in decided]
        if min(points) != max(points):
            each = ", ".join(f"{value:g}" for value in points)
            swings.append(f"{name} swings with the seed: {each} points in {len(points)} runs")
    return swings


def _blank_record(course: GradingRun, submission: Submission) -> Record:
    """Make the record of what is known before anything is scored; its status is that of a failure."""
    seen = submission.summary
    seeds = submission.by_seed()
    return Record(
        student=submission.student,
        assignment=course.assignment.name,
        status=FAILED,
        repairs=seen.repairs,
        submission={
            **_of_the_only_one(seen.notebooks),
            "timestamp": seen.timestamp,
            "changed": seen.changed,
            "other_files": list(seen.other_files),
            "notebooks": {
                found.name: {
                    "file": found.file,
                    "sha256": found.sha256,
                    "refusal": found.refusal,
                    "unanswered": list(found.unanswered),
                }
                for found in seen.notebooks
            },
        },
        execution={
            "notebooks": [found.name for found in submission.notebooks],
            "keys": [run.key for run in submission.runs],
            "tests": [run.tests for run in submission.runs if run.tests],
            "parts": {name: dict(run.parts) for name, run in seeds[0].items()} if seeds else {},
            "seeds": list(range(len(seeds))),
            "isolation": course.options.isolation.value,
            "limits": asdict(course.options.limits),
            "versions": versions(),
        },
    )


def _of_the_only_one(notebooks: Sequence[NotebookSummary]) -> dict[str, object]:
    return {"file": notebooks[0].file, "sha256": notebooks[0].sha256} if len(notebooks) == 1 else {}


def _what_it_took(executions: Sequence[Mapping[str, Executed]]) -> dict[str, object]:
    """Sum up time, memory and the like: of each seed, all notebooks together."""
    every = [executed for runs in executions for executed in runs.values()]
    return {
        "seconds": [round(sum(executed.seconds for executed in runs.values()), 3) for runs in executions],
        "longest_seconds": [max(executed.longest for executed in runs.values()) for runs in executions],
        "cpu_seconds": [round(sum(executed.cpu_seconds for executed in runs.values()), 3) for runs in executions],
        "peak_memory_bytes": max(executed.peak_memory for executed in every),
        "kernels": [sum(executed.kernels for executed in runs.values()) for runs in executions],
        "system_calls": [executed.system_calls for executed in every],
        "gpus": [executed.gpu for executed in every],
        "demonstrations_run": any(executed.demos for executed in every),
    }
