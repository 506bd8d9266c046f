"""From a folder of hand-ins to grades: read, rebuild, execute what is new, score, record."""

import contextlib
import fcntl
import hashlib
import logging
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from grading.answers import clean
from grading.assignment import Assignment, cells_to_run, inlined_cells, load_assignment
from grading.config import Grading, load_config
from grading.engine import Crew, Outcome, run_all
from grading.errors import GradingError
from grading.execute import Executed, Job, Limits
from grading.intake import MAX_NAME, HandIn, find_hand_ins, read_hand_in
from grading.kernel import Surroundings
from grading.questions import Answer, Context, Question, Score
from grading.rebuild import Rebuilt, RefusedError, rebuild
from grading.record import (
    FAILED,
    GRADED,
    REFUSED,
    GradebookWriter,
    QuestionRecord,
    Record,
    executed_notebook,
    read_record,
    write_files,
)
from grading.sandbox import Isolation, check
from grading.store import Store, fingerprint, job_key, job_parts, versions, write_questions

log = logging.getLogger(__name__)

NOT_ISOLATED = "graded without isolation"


@dataclass(frozen=True)
class Options:
    """What one run of `course grade` is asked for."""

    submitted: Path | None = None
    students: Sequence[str] = ()
    repeats: int = 1
    force: bool = False
    isolation: Isolation = Isolation.bwrap
    data: Path | None = None
    private: Path | None = None
    crew: Crew = field(default_factory=Crew)
    limits: Limits = field(default_factory=Limits)
    threads: int = 1


@dataclass(frozen=True)
class Run:
    """One execution of a submission, with one seed."""

    key: str
    parts: Mapping[str, str]
    job: Job


@dataclass(frozen=True)
class Submission:
    """A hand-in, rebuilt and ready to run, or refused."""

    student: str
    hand_in: HandIn
    rebuilt: Rebuilt | None
    refusal: str
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Course:
    """Folders and settings of a grading run."""

    folder: Path
    db_url: str
    course_id: str
    assignment: Assignment
    context: Context
    questions: Sequence[Question]
    options: Options
    store: Store
    records: Path
    """autograded/"""


Progress = Callable[[str, str], None]
"""Called with (event, student or key); events are those of `grade`."""


def options_from(config_folder: Path, **asked: object) -> Options:
    """Options from nbgrader_config.py, with those that were asked for laid over."""
    settings = Grading(config=load_config(config_folder))
    given = {name: value for name, value in asked.items() if value is not None}
    return Options(**{**settings.options(), **given})


def open_course(folder: Path, name: str, options: Options) -> Course:
    """Load everything that a run needs. Raises GradingError or SandboxError before anything is touched."""
    check(options.isolation)
    folder = folder.resolve()
    assignment = load_assignment(folder, name)
    config = load_config(folder)
    config.CourseDirectory.root = str(folder)
    coursedir = CourseDirectory(config=config)
    context = Context(assignment.source, _existing(options.data), _existing(options.private))
    cache_folder = Path(Grading(config=config).cache)
    cache_folder = cache_folder if cache_folder.is_absolute() else folder / cache_folder
    return Course(
        folder=folder,
        db_url=str(coursedir.db_url),
        course_id=str(coursedir.course_id),
        assignment=assignment,
        context=context,
        questions=assignment.questions(context),
        options=options,
        store=Store(cache_folder / "executed"),
        records=folder / str(coursedir.autograded_directory),
    )


def plan(course: Course) -> list[Submission]:
    """Read and rebuild every hand-in that was asked for, in the order of the students' names."""
    submitted = (course.options.submitted or course.folder / "submitted").resolve()
    if not submitted.is_dir():
        raise GradingError(
            f"{submitted} is not a folder: in it lie <student>/{course.assignment.name}/ with the hand-ins"
        )
    found = find_hand_ins(submitted, course.assignment.name)
    unknown = set(course.options.students) - {student for student, _ in found}
    if unknown:
        raise GradingError(f"nothing handed in by {', '.join(sorted(unknown))} in {submitted}")
    wanted = [(s, folder) for s, folder in found if not course.options.students or s in course.options.students]
    if not wanted:
        raise GradingError(f"no hand-ins for {course.assignment.name} in {submitted}")
    surroundings = _surroundings(course)
    return [_read(course, student, folder, surroundings) for student, folder in wanted]


def plan_one(course: Course, student: str, notebook: bytes) -> Submission:
    """The same for a notebook that is at hand."""
    hand_in = HandIn(student, notebook, course.assignment.notebook_name)
    return _prepare(course, hand_in, _surroundings(course))


def missing_runs(course: Course, submissions: Sequence[Submission]) -> dict[str, Job]:
    """What has to be executed, by key; two hand-ins of the same content are executed once."""
    return {
        run.key: run.job
        for submission in submissions
        for run in submission.runs
        if course.options.force or run.key not in course.store
    }


def why_run(course: Course, submission: Submission) -> str:
    """Why a submission has to be executed, in words; empty if it need not be."""
    if all(run.key in course.store for run in submission.runs) and not course.options.force:
        return ""
    if course.options.force:
        return "--force"
    before = read_record(course.records / submission.student / course.assignment.name)
    known = before.execution.get("parts", {}) if before else {}
    if not known:
        return "never executed"
    changed = [name for name, part in submission.runs[0].parts.items() if known.get(name) != part]
    return f"changed: {', '.join(changed)}" if changed else "its stored result is gone"


def grade(
    course: Course, submissions: Sequence[Submission], progress: Progress = lambda event, name: None
) -> list[Record]:
    """Execute, score and record; gives the records in the order of the submissions.

    Calls `progress` with ("executed" or "failed", key) after each execution, ("recorded", student) after each record.
    """
    records: dict[str, Record] = {}
    config = load_config(course.folder)
    with _alone(course), GradebookWriter(course.db_url, course.assignment, config) as gradebook:

        def record(submission: Submission, failures: Mapping[str, str]) -> None:
            records[submission.student] = _record(course, gradebook, submission, failures)
            progress("recorded", submission.student)

        missing = missing_runs(course, submissions)
        waiting: dict[str, list[Submission]] = {}
        undone: dict[str, set[str]] = {}
        for submission in submissions:
            undone[submission.student] = {run.key for run in submission.runs} & missing.keys()
            for key in undone[submission.student]:
                waiting.setdefault(key, []).append(submission)
            if not undone[submission.student]:
                record(submission, {})
        failures: dict[str, str] = {}
        for outcome in run_all(missing, course.options.crew):
            _keep(course, outcome, failures)
            progress("executed" if outcome.executed else "failed", outcome.key)
            for submission in waiting.pop(outcome.key):
                undone[submission.student].discard(outcome.key)
                if not undone[submission.student]:
                    record(submission, failures)
    return [records[submission.student] for submission in submissions]


def _record(course: Course, gradebook: GradebookWriter, submission: Submission, failures: Mapping[str, str]) -> Record:
    """Score and write down one submission. Whatever is wrong with it, the others go on."""
    folder = course.records / submission.student / course.assignment.name
    try:
        notebook, record = finish(course, submission, failures)
        write_files(folder, course.assignment.notebook_name, notebook, record)
        gradebook.write(record)
    except Exception as error:
        log.exception("%s could not be recorded", submission.student)
        gradebook.rollback()
        record = replace(_blank_record(course, submission), why=f"{type(error).__name__}: {clean(str(error))}")
        with contextlib.suppress(OSError):
            write_files(folder, course.assignment.notebook_name, None, record)
    return record


def finish(course: Course, submission: Submission, failures: Mapping[str, str]) -> tuple[NotebookNode | None, Record]:
    """Score a submission whose executions are stored: its executed notebook, if there is one, and its record."""
    record = _blank_record(course, submission)
    if submission.rebuilt is None:
        nothing = {
            name: QuestionRecord(0.0, points, submission.refusal)
            for name, points in course.assignment.max_points.items()
        }
        return None, replace(record, status=REFUSED, why=submission.refusal, questions=nothing)
    failed = next((failures[run.key] for run in submission.runs if run.key in failures), "")
    if failed:
        return None, replace(record, why=failed)
    executions = [_stored(course, run) for run in submission.runs]
    try:
        scored = [_score(course, executed) for executed in executions]
        scores, swings = _median(scored)
        flags = course.assignment.flags(scores)
        measures = course.assignment.measures(scores, course.context)
    except GradingError as error:
        return None, replace(record, why=str(error))
    stopped = _first_error(submission.rebuilt.notebook, executions[0])
    if course.options.isolation is Isolation.none:
        flags.append(NOT_ISOLATED)
    record = replace(
        record,
        status=GRADED,
        questions={
            name: _question(score, course.assignment.max_points[name], stopped) for name, score in scores.items()
        },
        measures=tuple(measures),
        events=tuple(dict.fromkeys(event for executed in executions for event in executed.events)),
        flags=(*flags, *swings),
        execution={**record.execution, **_what_it_took(executions)},
    )
    return executed_notebook(submission.rebuilt.notebook, executions[0], record), record


def _question(score: Score, max_points: float, stopped: str) -> QuestionRecord:
    """A grade cell's record; where points were lost, the first cell that failed is worth knowing."""
    reason = f"{score.reason} {stopped}".strip() if score.points < max_points else score.reason
    return QuestionRecord(score.points, max_points, reason, dict(score.facts))


def _first_error(notebook: NotebookNode, executed: Executed) -> str:
    """The first cell that stopped with an error, in words."""
    for cell in notebook.cells:
        for output in executed.outputs.get(cell.id, []):
            if output["output_type"] == "error":
                return f"(Cell '{cell.id}' stopped with {clean(output['ename'] + ': ' + output['evalue'])})"
    return ""


def _read(course: Course, student: str, folder: Path, around: Surroundings) -> Submission:
    hand_in = read_hand_in(folder, student, course.assignment.notebook_name)
    if hand_in.timestamp is not None and not _is_time(hand_in.timestamp):
        said = f"The time stamp {hand_in.timestamp!r} is no time: it was left out."
        hand_in = replace(hand_in, timestamp=None, repairs=(*hand_in.repairs, said))
    return _prepare(course, replace(hand_in, student=_writable_id(student)), around)


def _is_time(text: str) -> bool:
    try:
        parse_utc(text)
    except Exception:  # dateutil raises all sorts of things
        return False
    return True


def _writable_id(student: str) -> str:
    """A student's id as it is, if it can stand in a gradebook, a path and a terminal; else something near to it."""
    if student.isprintable() and len(student) <= MAX_NAME:
        return student
    digest = hashlib.sha256(student.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{clean(student)[: MAX_NAME // 2]}-{digest}"


def _prepare(course: Course, hand_in: HandIn, around: Surroundings) -> Submission:
    if hand_in.refusal or hand_in.notebook is None:
        return Submission(hand_in.student, hand_in, None, hand_in.refusal or "no notebook was handed in")
    try:
        rebuilt = rebuild(course.assignment.released, hand_in.notebook)
    except RefusedError as error:
        return Submission(hand_in.student, hand_in, None, str(error))
    runs = tuple(_run(course, rebuilt, hand_in, around, seed) for seed in range(course.options.repeats))
    return Submission(hand_in.student, hand_in, rebuilt, "", runs)


def _surroundings(course: Course) -> Surroundings:
    """What is the same around every submission."""
    scratch = course.store.folder.parent
    data = {}
    if course.context.data is not None:
        whole = fingerprint({"data": course.context.data}, scratch / "hashes")
        view = scratch / "views" / course.assignment.name / whole[:16]
        view.parent.mkdir(parents=True, exist_ok=True)
        data = dict(course.assignment.student_view(course.context, view))
    return Surroundings(
        data=data,
        questions=write_questions(course.questions, scratch / "questions"),
        extras={},
        helpers=course.folder / "helpers",
        variables=_variables(course.options.threads),
    )


def _variables(threads: int) -> dict[str, str]:
    """Two submissions of one thread each finish sooner than one with two."""
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }


def _run(course: Course, rebuilt: Rebuilt, hand_in: HandIn, common: Surroundings, seed: int) -> Run:
    around = Surroundings(
        common.data, common.questions, dict(hand_in.extras), common.helpers, common.variables, seed, common.gpu
    )
    job = Job(
        cells=cells_to_run(rebuilt.notebook),
        questions=tuple(question.name for question in course.questions),
        cases=tuple(len(question.cases) for question in course.questions),
        around=around,
        limits=course.options.limits,
        isolation=course.options.isolation,
    )
    hashes = course.store.folder.parent / "hashes"
    parts = job_parts(
        job, inlined_cells(rebuilt.notebook), fingerprint(common.data, hashes), fingerprint(hand_in.extras, hashes)
    )
    return Run(job_key(parts), parts, job)


def _keep(course: Course, outcome: Outcome, failures: dict[str, str]) -> None:
    if outcome.executed is None:
        failures[outcome.key] = outcome.failure
    else:
        course.store.put(outcome.key, outcome.executed)


def _stored(course: Course, run: Run) -> Executed:
    executed = course.store.get(run.key)
    if executed is None:
        raise GradingError(f"the stored result {run.key} has vanished while grading: grade again")
    return executed


def answers_of(course: Course, executed: Executed) -> dict[str, Answer]:
    """What was answered to each question, read with suspicion."""
    return {question.name: executed.answer(question.name, len(question.cases)) for question in course.questions}


def _score(course: Course, executed: Executed) -> dict[str, Score]:
    return course.assignment.score(answers_of(course, executed), course.context)


def _median(scored: Sequence[dict[str, Score]]) -> tuple[dict[str, Score], list[str]]:
    """For each grade cell the run with the median points, and what differed between runs."""
    chosen, swings = {}, []
    for name in scored[0]:
        runs = [scores[name] for scores in scored]
        points = sorted(score.points for score in runs)
        chosen[name] = next(score for score in runs if score.points == statistics.median_low(points))
        if points[0] != points[-1]:
            each = ", ".join(f"{score.points:g}" for score in runs)
            swings.append(f"{name} swings with the seed: {each} points in {len(runs)} runs")
    return chosen, swings


def _blank_record(course: Course, submission: Submission) -> Record:
    """What is known before anything is scored; its status is that of a failure."""
    hand_in, rebuilt = submission.hand_in, submission.rebuilt
    return Record(
        student=submission.student,
        assignment=course.assignment.name,
        status=FAILED,
        repairs=(*hand_in.repairs, *(rebuilt.repairs if rebuilt else ())),
        submission={
            "file": hand_in.name,
            "sha256": hashlib.sha256(hand_in.notebook).hexdigest() if hand_in.notebook is not None else None,
            "timestamp": hand_in.timestamp,
            "changed": rebuilt.changed if rebuilt else None,
            "other_files": sorted(hand_in.extras),
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
        "demonstrations_run": any(executed.demos for executed in executions),
    }


def _existing(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise GradingError(f"{folder} is not a folder")
    return folder.resolve() if folder else None


@contextlib.contextmanager
def _alone(course: Course) -> Iterator[None]:
    """Hold the assignment's lock; it goes with the process, however that ends."""
    folder = course.store.folder.parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{course.assignment.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GradingError(f"{course.assignment.name} is being graded already, by another process") from None
        yield
