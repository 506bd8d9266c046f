"""What has to be done for a class: read and rebuild what is new, and find what was executed before."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from grading.assignment import Assignment, cells_to_run, inlined_cells, load_assignment
from grading.config import Grading, load_config
from grading.engine import Crew
from grading.errors import GradingError
from grading.execute import Job, Limits
from grading.files import hash_of, listing
from grading.intake import MAX_NAME, SUBMITTED, HandIn, find_hand_ins, read_hand_in
from grading.kernel import Surroundings
from grading.questions import Context, Question
from grading.rebuild import Rebuilt, RefusedError, rebuild
from grading.record import read_record
from grading.sandbox import Isolation, check
from grading.seen import Seen, SeenBefore
from grading.store import Store, code_hash, fingerprint, job_key, job_parts, write_questions
from grading.text import clean
from grading.versions import our_code, versions

log = logging.getLogger(__name__)


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
    seed: int


@dataclass(frozen=True)
class Prepared:
    """A hand-in that was read, and what was made of it."""

    hand_in: HandIn
    rebuilt: Rebuilt | None
    refusal: str = ""


@dataclass
class Submission:
    """A hand-in, ready to run, or refused. Its content is read when it is needed, and not kept: classes are large."""

    seen: Seen
    runs: tuple[Run, ...]
    read: Callable[[], Prepared]

    @property
    def student(self) -> str:
        """The student's id."""
        return self.seen.student

    @property
    def refusal(self) -> str:
        """Why it cannot be graded, in words; empty if it can."""
        return self.seen.refusal


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


def options_from(config_folder: Path, **asked: object) -> Options:
    """Options from nbgrader_config.py, with those that were asked for laid over."""
    settings = Grading(config=load_config(config_folder))
    given = {name: value for name, value in asked.items() if value is not None}
    return Options(**{**settings.options(), **given})


def open_course(folder: Path, name: str, options: Options, asking: bool = True) -> Course:
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
    return Course(
        folder=folder,
        db_url=str(coursedir.db_url),
        course_id=str(coursedir.course_id),
        assignment=assignment,
        context=context,
        questions=assignment.questions(context) if asking else (),
        options=options,
        store=Store(Grading(config=config).cache_folder(folder) / "executed"),
        records=folder / str(coursedir.autograded_directory),
    )


def plan(course: Course) -> list[Submission]:
    """Look at every hand-in that was asked for, in the order of the students' names; read those that are new."""
    submitted = (course.options.submitted or course.folder / SUBMITTED).resolve()
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
    before = SeenBefore(course.store.folder.parent / "seen" / f"{name}.json", reading_basis(course))
    submissions = [_look(course, keys, before, student, folder) for student, folder in wanted]
    before.save()
    return submissions


def plan_one(course: Course, student: str, notebook: bytes) -> Submission:
    """The same for a notebook that is at hand."""
    hand_in = HandIn(student, notebook, course.assignment.notebook_name)
    prepared = _prepare(course, hand_in)
    seen = _seen(course, prepared)
    return Submission(seen, _Keys(course).runs(seen), lambda: prepared)


def missing_runs(course: Course, submissions: Sequence[Submission]) -> dict[str, Job]:
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


def _is_known(course: Course, run: Run, missing: Mapping[str, Job]) -> bool:
    return run.key in missing or (run.key in course.store and not course.options.force)


def executed_from(course: Course, submission: Submission) -> Rebuilt | None:
    """The notebook of which the runs are; None for one that was refused.

    Raises GradingError if the hand-in is another one by now.
    """
    prepared = submission.read()
    if _seen(course, prepared) != submission.seen:
        raise GradingError("the hand-in changed while it was graded: grade again")
    return prepared.rebuilt


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


def reading_basis(course: Course) -> str:
    """All that the reading of a hand-in depends on, but for the hand-in."""
    released = json.dumps(course.assignment.released, sort_keys=True)
    return hash_of([course.assignment.name, released, our_code(), versions()])


class _Keys:
    """Names of executions; what is the same for all is hashed once."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._common = _surroundings(course)
        self._data = fingerprint(self._common.data, _hashes(course))

    def runs(self, seen: Seen) -> tuple[Run, ...]:
        """One for each seed; none for a hand-in that was refused."""
        return () if seen.refusal else tuple(self._run(seen, seed) for seed in range(self._course.options.repeats))

    def job(self, rebuilt: Rebuilt, hand_in: HandIn, run: Run) -> Job:
        """What a worker has to do for one run."""
        return Job(
            cells=cells_to_run(rebuilt.notebook),
            questions=tuple(question.name for question in self._course.questions),
            cases=tuple(len(question.cases) for question in self._course.questions),
            around=replace(self._common, extras=dict(hand_in.extras), seed=run.seed),
            limits=self._course.options.limits,
            isolation=self._course.options.isolation,
        )

    def _run(self, seen: Seen, seed: int) -> Run:
        options = self._course.options
        around = replace(self._common, seed=seed)
        parts = job_parts(seen.code, seen.extras, self._data, around, options.limits, options.isolation)
        return Run(job_key(parts), parts, seed)


def _hashes(course: Course) -> Path:
    return course.store.folder.parent / "hashes"


def _look(course: Course, keys: _Keys, before: SeenBefore, student: str, folder: Path) -> Submission:
    listed = listing(folder)
    seen = before.get(folder, listed)
    if seen is None:
        seen = _seen(course, _read(course, student, folder))
        before.put(folder, listed, seen)
    return Submission(seen, keys.runs(seen), lambda: _read(course, student, folder))


def _seen(course: Course, prepared: Prepared) -> Seen:
    hand_in, rebuilt = prepared.hand_in, prepared.rebuilt
    return Seen(
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


def _read(course: Course, student: str, folder: Path) -> Prepared:
    hand_in = read_hand_in(folder, student, course.assignment.notebook_name)
    if hand_in.timestamp is not None and not _is_time(hand_in.timestamp):
        said = f"The time stamp {hand_in.timestamp!r} is no time: it was left out."
        hand_in = replace(hand_in, timestamp=None, repairs=(*hand_in.repairs, said))
    return _prepare(course, replace(hand_in, student=_writable_id(student)))


def _prepare(course: Course, hand_in: HandIn) -> Prepared:
    if hand_in.refusal or hand_in.notebook is None:
        return Prepared(hand_in, None, hand_in.refusal or "no notebook was handed in")
    try:
        return Prepared(hand_in, rebuild(course.assignment.released, hand_in.notebook))
    except RefusedError as error:
        return Prepared(hand_in, None, str(error))


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
