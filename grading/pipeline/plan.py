"""What has to be done for a class: read and rebuild what is new, and find what was executed before."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from grading.common.files import hash_of, listing
from grading.common.names import MAX_NAME
from grading.common.text import clean
from grading.common.versions import our_code, versions
from grading.config import Grading, course_directory, load_config
from grading.errors import GradingError, RefusedError
from grading.execution.job import Job
from grading.execution.store import Store, code_hash, fingerprint, job_key, job_parts, write_questions
from grading.intake.hand_in import HandIn, find_hand_ins, read_hand_in
from grading.intake.rebuild import Rebuilt, rebuild
from grading.options import Options
from grading.pipeline.assignment import Assignment, cells_to_run, inlined_cells, load_assignment
from grading.pipeline.seen import HandInSummaries, HandInSummary
from grading.records.record import read_record
from grading.sandbox.bubblewrap import check
from grading.sandbox.kernel import Environment
from grading.scoring.questions import Context, Question

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One execution of a submission, with one seed."""

    key: str
    parts: Mapping[str, str]
    seed: int


@dataclass(frozen=True)
class ReadHandIn:
    """A hand-in that was read, and what was made of it."""

    hand_in: HandIn
    rebuilt: Rebuilt | None
    refusal: str = ""


@dataclass
class Submission:
    """A hand-in, ready to run, or refused. Its content is read when it is needed, and not kept: classes are large."""

    seen: HandInSummary
    runs: tuple[Run, ...]
    read: Callable[[], ReadHandIn]

    @property
    def student(self) -> str:
        """The student's id."""
        return self.seen.student

    @property
    def refusal(self) -> str:
        """Why it cannot be graded, in words; empty if it can."""
        return self.seen.refusal


@dataclass(frozen=True)
class GradingRun:
    """Folders and settings of a grading run."""

    folder: Path
    db_url: str
    course_id: str
    assignment: Assignment
    context: Context
    questions: Sequence[Question]
    options: Options
    store: Store
    submitted: Path
    """Where hand-ins lie: nbgrader's `submitted/`."""
    records: Path
    """nbgrader's `autograded/`."""


def options_from(config_folder: Path, **asked: object) -> Options:
    """Options from nbgrader_config.py, with those that were asked for laid over."""
    settings = Grading(config=load_config(config_folder))
    given = {name: value for name, value in asked.items() if value is not None}
    return Options(**{**settings.options(), **given})


def open_course(folder: Path, name: str, options: Options, asking: bool = True) -> GradingRun:
    """Load everything that a run needs. Raises GradingError or SandboxError before anything is touched.

    Who only reads what was graded needs neither the questions nor a sandbox: `asking` is False then.
    """
    if asking:
        check(options.isolation)
    folder = folder.resolve()
    assignment = load_assignment(folder, name)
    config = load_config(folder)
    config.CourseDirectory.root = str(folder)
    coursedir = CourseDirectory(config=config)
    context = Context(assignment.source, _existing(options.data), _existing(options.private))
    return GradingRun(
        folder=folder,
        db_url=str(coursedir.db_url),
        course_id=str(coursedir.course_id),
        assignment=assignment,
        context=context,
        questions=assignment.questions(context) if asking else (),
        options=options,
        store=Store(Grading(config=config).cache_folder(folder) / "executed"),
        submitted=folder / course_directory(config, "submitted"),
        records=folder / course_directory(config, "autograded"),
    )


def plan(course: GradingRun) -> list[Submission]:
    """Look at every hand-in that was asked for, in the order of the students' names; read those that are new."""
    submitted = (course.options.submitted or course.submitted).resolve()
    name = course.assignment.name
    if not submitted.is_dir():
        raise GradingError(f"{submitted} is not a folder: in it lie <student>/{name}/ with the hand-ins")
    found = find_hand_ins(submitted, name)
    unknown = set(course.options.students) - {student for student, _ in found}
    if unknown:
        raise GradingError(f"nothing handed in by {', '.join(sorted(unknown))} in {submitted}")
    wanted = [(s, folder) for s, folder in found if not course.options.students or s in course.options.students]
    if not wanted:
        raise GradingError(f"no hand-ins for {name} in {submitted}")
    keys = _Keys(course)
    before = HandInSummaries(course.store.folder.parent / "seen" / f"{name}.json", reading_basis(course))
    submissions = [_look(course, keys, before, student, folder) for student, folder in wanted]
    before.save()
    return submissions


def plan_one(course: GradingRun, student: str, notebook: bytes) -> Submission:
    """The same for a notebook that is at hand."""
    hand_in = HandIn(student, notebook, course.assignment.notebook_name)
    prepared = _prepare(course, hand_in)
    seen = _seen(course, prepared)
    return Submission(seen, _Keys(course).runs(seen), lambda: prepared)


def missing_runs(course: GradingRun, submissions: Sequence[Submission]) -> dict[str, Job]:
    """What has to be executed, by key; two hand-ins of the same content are executed once.

    A hand-in that has changed since it was planned is planned anew.
    """
    keys = _Keys(course)
    missing: dict[str, Job] = {}
    for submission in submissions:
        if all(_is_known(course, run, missing) for run in submission.runs):
            continue
        prepared = submission.read()
        submission.seen = _seen(course, prepared)
        submission.runs = keys.runs(submission.seen)
        for run in submission.runs:
            if prepared.rebuilt is not None and not _is_known(course, run, missing):
                missing[run.key] = keys.job(prepared.rebuilt, prepared.hand_in, run)
    return missing


def _is_known(course: GradingRun, run: Run, missing: Mapping[str, Job]) -> bool:
    return run.key in missing or (run.key in course.store and not course.options.force)


def executed_from(course: GradingRun, submission: Submission) -> Rebuilt | None:
    """The notebook of which the runs are; None for one that was refused.

    Raises GradingError if the hand-in is another one by now.
    """
    prepared = submission.read()
    if _seen(course, prepared) != submission.seen:
        raise GradingError("the hand-in changed while it was graded: grade again")
    return prepared.rebuilt


def why_run(course: GradingRun, submission: Submission) -> str:
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


def reading_basis(course: GradingRun) -> str:
    """All that the reading of a hand-in depends on, but for the hand-in."""
    released = json.dumps(course.assignment.released, sort_keys=True)
    return hash_of([course.assignment.name, released, our_code(), versions()])


class _Keys:
    """Names of executions; what is the same for all is hashed once."""

    def __init__(self, course: GradingRun) -> None:
        self._course = course
        self._common = _surroundings(course)
        self._data = fingerprint(self._common.data, _hashes(course))

    def runs(self, seen: HandInSummary) -> tuple[Run, ...]:
        """One for each seed; none for a hand-in that was refused."""
        return () if seen.refusal else tuple(self._run(seen, seed) for seed in range(self._course.options.repeats))

    def job(self, rebuilt: Rebuilt, hand_in: HandIn, run: Run) -> Job:
        """What a worker has to do for one run."""
        return Job(
            cells=cells_to_run(rebuilt.notebook),
            questions=tuple(question.name for question in self._course.questions),
            cases=tuple(len(question.cases) for question in self._course.questions),
            environment=replace(self._common, extras=dict(hand_in.extras), seed=run.seed),
            limits=self._course.options.limits,
            isolation=self._course.options.isolation,
        )

    def _run(self, seen: HandInSummary, seed: int) -> Run:
        options = self._course.options
        environment = replace(self._common, seed=seed)
        parts = job_parts(seen.code, seen.extras, self._data, environment, options.limits, options.isolation)
        return Run(job_key(parts), parts, seed)


def _hashes(course: GradingRun) -> Path:
    return course.store.folder.parent / "hashes"


def _look(course: GradingRun, keys: _Keys, before: HandInSummaries, student: str, folder: Path) -> Submission:
    listed = listing(folder)
    seen = before.get(folder, listed)
    if seen is None:
        seen = _seen(course, _read(course, student, folder))
        before.put(folder, listed, seen)
    return Submission(seen, keys.runs(seen), lambda: _read(course, student, folder))


def _seen(course: GradingRun, prepared: ReadHandIn) -> HandInSummary:
    hand_in, rebuilt = prepared.hand_in, prepared.rebuilt
    return HandInSummary(
        student=hand_in.student,
        refusal=prepared.refusal,
        file=hand_in.name,
        sha256=hashlib.sha256(hand_in.notebook).hexdigest() if hand_in.notebook is not None else None,
        timestamp=hand_in.timestamp,
        changed=rebuilt.changed if rebuilt else None,
        other_files=tuple(sorted(hand_in.extras)),
        repairs=(*hand_in.repairs, *(rebuilt.repairs if rebuilt else ())),
        code=code_hash(cells_to_run(rebuilt.notebook), inlined_cells(rebuilt.notebook)) if rebuilt else "",
        extras=fingerprint(hand_in.extras, _hashes(course)) if rebuilt else "",
    )


def _read(course: GradingRun, student: str, folder: Path) -> ReadHandIn:
    hand_in = read_hand_in(folder, student, course.assignment.notebook_name)
    if hand_in.timestamp is not None and not _is_time(hand_in.timestamp):
        said = f"The time stamp {hand_in.timestamp!r} is no time: it was left out."
        hand_in = replace(hand_in, timestamp=None, repairs=(*hand_in.repairs, said))
    return _prepare(course, replace(hand_in, student=_writable_id(student)))


def _prepare(course: GradingRun, hand_in: HandIn) -> ReadHandIn:
    if hand_in.refusal or hand_in.notebook is None:
        return ReadHandIn(hand_in, None, hand_in.refusal or "no notebook was handed in")
    try:
        return ReadHandIn(hand_in, rebuild(course.assignment.released, hand_in.notebook))
    except RefusedError as error:
        return ReadHandIn(hand_in, None, str(error))


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


def _surroundings(course: GradingRun) -> Environment:
    """What is the same around every submission."""
    scratch = course.store.folder.parent
    data = {}
    if course.context.data is not None:
        whole = fingerprint({"data": course.context.data}, scratch / "hashes")
        view = scratch / "views" / course.assignment.name / whole[:16]
        view.parent.mkdir(parents=True, exist_ok=True)
        data = dict(course.assignment.student_view(course.context, view))
    return Environment(
        data=data,
        questions=write_questions(course.questions, scratch / "questions"),
        extras={},
        helpers=course.folder / "helpers",
        variables=_variables(course.options.threads),
        imports=course.assignment.imports,
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


def _existing(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise GradingError(f"{folder} is not a folder")
    return folder.resolve() if folder else None
