"""The plan for a class: each hand-in is read and rebuilt once, and what was executed before is found.

`plan` reads only what is new or has to be executed; the rebuilt notebook is written beside the stored results, where
recording finds it.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from grading.common.files import hash_of, listing, write_atomically
from grading.common.names import MAX_NAME
from grading.common.text import clean, quoted, short_list
from grading.common.versions import our_code, versions
from grading.errors import GradingError, RefusedError
from grading.execution.job import Cell, Examining, Job
from grading.execution.store import code_hash, fingerprint, job_key, job_parts, tests_key, write_questions
from grading.intake.class_folder import find_hand_ins
from grading.intake.hand_in import HandedNotebook, HandIn, read_hand_in
from grading.intake.matching import Expected
from grading.intake.rebuild import Rebuilt, rebuild
from grading.options import Options
from grading.pipeline.clean import note_used
from grading.pipeline.notebook import inlined_cells
from grading.pipeline.run import GradingRun
from grading.pipeline.seen import HandInSummaries, HandInSummary, NotebookSummary
from grading.records.record import read_record
from grading.sandbox.kernel import Environment

log = logging.getLogger(__name__)

MOST_AHEAD = 400
"""Hand-ins that are kept in memory before anything is executed."""
TESTS_CHANGED = "changed: tests"
"""Why a submission runs whose code is stored: often its recorded answers are enough."""
NOT_FOR_TESTS = (".ipynb", ".py", ".pyc")
"""Endings of files beside a master that its tests cannot want: twins, `scoring.py`; what is released is there."""


@dataclass(frozen=True)
class Run:
    """One execution of a notebook of a submission, with one seed."""

    key: str
    parts: Mapping[str, str]
    seed: int
    notebook: str
    tests: str = ""
    """Key of what came of the tests in the examiner; empty for a notebook without such tests."""


@dataclass(frozen=True)
class Submission:
    """A hand-in as it was when it was planned, ready to run, or refused; its notebooks are in files of the cache."""

    summary: HandInSummary
    runs: tuple[Run, ...]
    """Of each seed in turn, those of the notebooks that can be graded, in their order."""

    @property
    def student(self) -> str:
        """Return the student's id."""
        return self.summary.student

    @property
    def refusal(self) -> str:
        """Return why none of it can be graded, in words; empty if some can."""
        return self.summary.refusal

    @property
    def notebooks(self) -> tuple[NotebookSummary, ...]:
        """Return the notebooks that can be graded."""
        return tuple(notebook for notebook in self.summary.notebooks if not notebook.refusal)

    def by_seed(self) -> list[dict[str, Run]]:
        """Return the runs of each seed, by notebook."""
        seeds = dict.fromkeys(run.seed for run in self.runs)
        return [{run.notebook: run for run in self.runs if run.seed == seed} for seed in seeds]


@dataclass(frozen=True)
class Plan:
    """Submissions, in the order of the students' names, and the jobs that have to be executed, by key.

    Two hand-ins of the same content have one job.
    """

    submissions: tuple[Submission, ...]
    jobs: Mapping[str, Job] = field(default_factory=dict)


@dataclass(frozen=True)
class _ReadHandIn:
    """A hand-in that was read, and what was made of each of its notebooks, or why nothing was."""

    hand_in: HandIn
    rebuilt: Mapping[str, Rebuilt | RefusedError]
    refusal: str = ""


@dataclass(frozen=True)
class Ahead:
    """A hand-in that was read before the plan was made: what was listed, what is known, what was read."""

    listed: str
    summary: HandInSummary
    read: _ReadHandIn


def read_ahead(course: GradingRun) -> dict[Path, Ahead]:
    """Read the first hand-ins that were not seen before, by folder: their part of `plan` that needs no solution.

    Raises GradingError as `plan` does.
    """
    before = _seen_before(course)
    ahead: dict[Path, Ahead] = {}
    for student, folder in _wanted(course):
        listed = listing(folder)
        if len(ahead) < MOST_AHEAD and before.get(folder, listed) is None:
            read = _read(course, student, folder)
            ahead[folder] = Ahead(listed, _summary(course, read), read)
    return ahead


def plan(course: GradingRun, ahead: Mapping[Path, Ahead] = MappingProxyType({})) -> Plan:
    """Look at every hand-in that was asked for, in the order of the students' names; those `ahead` have been read.

    Raises GradingError if there is nothing to grade, or nothing of a student who was asked for.
    """
    before = _seen_before(course)
    planner = _Planner(course)
    for student, folder in _wanted(course):
        if (known := ahead.get(folder)) is not None:
            before.put(folder, known.listed, known.summary)
            planner.add(known.summary, known.read)
            continue
        listed = listing(folder)
        summary = before.get(folder, listed)
        read = None
        if summary is None or planner.has_to_run(summary) or not _spilled(course, summary):
            read = _read(course, student, folder)
            summary = _summary(course, read)
            before.put(folder, listed, summary)
        planner.add(summary, read)
    before.save()
    return planner.plan()


def _seen_before(course: GradingRun) -> HandInSummaries:
    return HandInSummaries(course.cache / "seen" / f"{course.assignment.name}.json", reading_basis(course))


def several(course: GradingRun) -> bool:
    """Return whether more than one hand-in may have to be executed."""
    return len(course.options.students) != 1 and len(find_hand_ins(course.submitted, course.assignment.name)) > 1


def plan_one(course: GradingRun, hand_in: HandIn) -> Plan:
    """Plan a hand-in that is at hand."""
    read = _rebuild(course, hand_in)
    planner = _Planner(course)
    planner.add(_summary(course, read), read)
    return planner.plan()


def rebuilt_notebook(course: GradingRun, notebook: NotebookSummary) -> NotebookNode | None:
    """Return a notebook that was planned; None for one that was refused.

    Raises GradingError if it is not stored any more.
    """
    if notebook.refusal:
        return None
    path = _rebuilt_path(course, notebook.rebuilt)
    try:
        return nbformat.from_dict(json.loads(path.read_bytes()))  # we have written it: it need not be validated
    except (OSError, ValueError) as error:
        path.unlink(missing_ok=True)  # it is written again then
        raise GradingError(f"{path}, the notebook as it was planned, cannot be read: grade again ({error})") from error


def files_of(course: GradingRun, submission: Submission) -> Iterator[Path]:
    """Yield the files of the cache in which all that is known of a submission's runs is stored."""
    for run in submission.runs:
        yield from (course.store.path(run.key), course.store.conversation(run.key))
        if run.tests:
            yield course.store.tests(run.tests)
    for notebook in submission.notebooks:
        yield _rebuilt_path(course, notebook.rebuilt)


def is_as_planned(course: GradingRun, job: Job, run: Run) -> bool:
    """Return whether the files that a run's keys were made from are still the same: handed in, the course's, data."""
    hashes = _hashes(course)
    try:
        if _hash_of_extras(course, job.environment.extras) != run.parts["other files"]:
            return False
        if fingerprint(job.environment.data, hashes) != run.parts["data"]:
            return False
        if job.examining is None:
            return True
        around = job.examining.environment
        data, files = fingerprint(around.data, hashes), fingerprint(around.files, hashes)
        return tests_key(run.key, job.examining.examination, around, data, files) == run.tests
    except OSError:  # something went away
        return False


def why_run(course: GradingRun, submission: Submission) -> str:
    """Say why a submission has to be executed; empty if it need not be."""
    if course.options.force:
        return "--force"
    if all(course.store.holds(run.key, course.options.limits) for run in submission.runs):
        return "" if all(_has_tests(course, run) for run in submission.runs) else TESTS_CHANGED
    before = read_record(course.records / submission.student / course.assignment.name)
    known = before.execution.get("parts", {}) if before else {}
    if not known:
        return "never executed"
    runs = submission.by_seed()[0].values()
    parts = [(name, part, known.get(run.notebook, {}).get(name)) for run in runs for name, part in run.parts.items()]
    changed = [name for name, part, before_that in parts if part != before_that]
    if changed:
        return f"changed: {', '.join(dict.fromkeys(changed))}"
    return "changed: limits" if all(run.key in course.store for run in runs) else "its stored result is gone"


def reading_basis(course: GradingRun) -> str:
    """Hash all that the reading of a hand-in depends on, but for the hand-in."""
    released = [
        (notebook.name, json.dumps(notebook.released, sort_keys=True)) for notebook in course.assignment.notebooks
    ]
    files = fingerprint(course.assignment.files, _hashes(course))
    return hash_of([course.assignment.name, released, files, our_code(), versions()])


class _Planner:
    """Gathers submissions and jobs; what is the same for all is hashed once."""

    def __init__(self, course: GradingRun) -> None:
        self._course = course
        notebooks = course.assignment.notebooks
        self._common = _environments(course)
        self._data = fingerprint(next(iter(self._common.values())).data, _hashes(course))
        self._examining = {one.name: _examining(course, one.name, self._common) for one in notebooks}
        self._true_data = fingerprint(_whole_data(course), _hashes(course))
        self._files = fingerprint(_examiners_files(course), _hashes(course))
        self._submissions: list[Submission] = []
        self._jobs: dict[str, Job] = {}

    def has_to_run(self, summary: HandInSummary) -> bool:
        """Return whether some run of a hand-in is neither stored nor planned."""
        return any(self._is_missing(run) for run in self._runs(summary))

    def add(self, summary: HandInSummary, read: _ReadHandIn | None) -> None:
        """Add a submission, with a job for each run that is missing; `read` is needed only for these."""
        submission = Submission(summary, self._runs(summary))
        for run in submission.runs:
            rebuilt = read.rebuilt.get(run.notebook) if read is not None else None
            if read is not None and isinstance(rebuilt, Rebuilt) and self._is_missing(run):
                self._jobs[run.key] = self._job(rebuilt, read.hand_in, run)
        self._submissions.append(submission)

    def plan(self) -> Plan:
        """Return what was gathered."""
        return Plan(tuple(self._submissions), self._jobs)

    def _is_missing(self, run: Run) -> bool:
        return run.key not in self._jobs and not (self._is_stored(run) and _has_tests(self._course, run))

    def _is_stored(self, run: Run) -> bool:
        options = self._course.options
        return not options.force and self._course.store.holds(run.key, options.limits)

    def _runs(self, summary: HandInSummary) -> tuple[Run, ...]:
        """Return one run for each seed and notebook that can be graded."""
        notebooks = [notebook for notebook in summary.notebooks if not notebook.refusal]
        seeds = range(self._course.options.repeats)
        return tuple(self._run(summary, notebook, seed) for seed in seeds for notebook in notebooks)

    def _run(self, summary: HandInSummary, notebook: NotebookSummary, seed: int) -> Run:
        environment = replace(self._common[notebook.name], seed=seed)
        options = self._course.options
        parts = job_parts(
            notebook.code,
            summary.extras,
            self._data,
            environment,
            options.limits,
            options.isolation,
            options.workers.gpu,
        )
        key = job_key(parts)
        examining = self._examining[notebook.name]
        if examining is None:
            return Run(key, parts, seed, notebook.name)
        around = replace(examining.environment, seed=seed)
        tests = tests_key(key, examining.examination, around, self._true_data, self._files)
        return Run(key, parts, seed, notebook.name, tests)

    def _job(self, rebuilt: Rebuilt, hand_in: HandIn, run: Run) -> Job:
        questions = self._course.questions_of(run.notebook)
        examining = self._examining[run.notebook]
        if examining is not None:
            examining = replace(examining, environment=replace(examining.environment, seed=run.seed))
        return Job(
            cells=_cells(self._course, run.notebook, rebuilt),
            questions=tuple(question.name for question in questions),
            cases=tuple(len(question.cases) for question in questions),
            environment=replace(self._common[run.notebook], extras=dict(hand_in.extras), seed=run.seed),
            limits=self._course.options.limits,
            isolation=self._course.options.isolation,
            examining=examining,
            recorded=self._recorded(run, examining),
        )

    def _recorded(self, run: Run, examining: Examining | None) -> Path | None:
        """Return the stored conversation that answers a run's tests; None where the student's code has to answer."""
        path = self._course.store.conversation(run.key)
        if examining is None or examining.examination.measures_time or not self._is_stored(run) or not path.is_file():
            return None
        return path


def _has_tests(course: GradingRun, run: Run) -> bool:
    return not run.tests or course.store.holds_tests(run.tests, run.key)


def _examining(course: GradingRun, name: str, around: Mapping[str, Environment]) -> Examining | None:
    """Return what the examiner needs for a notebook; None if none of its tests are the examiner's."""
    notebook = course.assignment.notebook(name)
    believed = course.believed.get(name, ()) if course.believed is not None else None
    examination = notebook.examination(believed, course.assignment.scored(name, course.context))
    if not examination.steps:
        return None
    environment = replace(around[name], data=_whole_data(course), files=_examiners_files(course))
    return Examining(examination, environment)


def _whole_data(course: GradingRun) -> dict[str, Path]:
    """Return the course data with every label, as the examiner sees it."""
    data = course.context.data
    return {path.name: path for path in sorted(data.iterdir())} if data is not None else {}


def _examiners_files(course: GradingRun) -> dict[str, Path]:
    """Return what lies beside the masters, the instructor's own files among it."""
    source = course.assignment.source
    kept = {
        path.relative_to(source).as_posix(): path
        for path in sorted(source.rglob("*"))
        if path.is_file() and path.suffix not in NOT_FOR_TESTS and "planted" not in path.relative_to(source).parts
    }
    return {**kept, **course.assignment.files}


def _wanted(course: GradingRun) -> list[tuple[str, Path]]:
    submitted, name, students = course.submitted, course.assignment.name, course.options.students
    if not submitted.is_dir():
        raise GradingError(f"{submitted} is not a folder: in it lie <student>/{name}/ with the hand-ins")
    found = find_hand_ins(submitted, name)
    unknown = set(students) - {student for student, _ in found}
    if unknown:
        raise GradingError(f"nothing handed in by {', '.join(sorted(unknown))} in {submitted}")
    wanted = [(student, folder) for student, folder in found if not students or student in students]
    if not wanted:
        raise GradingError(f"no hand-ins for {name} in {submitted}")
    return wanted


def _summary(course: GradingRun, read: _ReadHandIn) -> HandInSummary:
    """Sum up a hand-in, and write its rebuilt notebooks where `rebuilt_notebook` finds them."""
    hand_in = read.hand_in
    repairs = list(hand_in.repairs)
    notebooks = []
    for name, found in hand_in.notebooks.items():
        rebuilt = read.rebuilt[name]
        said = (*found.repairs, *(rebuilt.repairs if isinstance(rebuilt, Rebuilt) else ()))
        several = len(course.assignment.notebooks) > 1
        repairs += [f"{name}.ipynb: {repair}" if several else repair for repair in said]
        notebooks.append(_notebook_summary(course, name, found, rebuilt))
    return HandInSummary(
        student=hand_in.student,
        refusal=read.refusal,
        timestamp=hand_in.timestamp,
        other_files=tuple(sorted(hand_in.extras)),
        repairs=tuple(repairs),
        extras="" if read.refusal else _hash_of_extras(course, hand_in.extras),
        notebooks=tuple(notebooks),
    )


def _notebook_summary(
    course: GradingRun, name: str, found: HandedNotebook, rebuilt: Rebuilt | RefusedError
) -> NotebookSummary:
    summary = NotebookSummary(
        name,
        file=found.name,
        sha256=hashlib.sha256(found.content).hexdigest() if found.content is not None else None,
    )
    if isinstance(rebuilt, RefusedError):
        return replace(summary, refusal=str(rebuilt), missing=not found.name)
    cells = _cells(course, name, rebuilt)
    return replace(
        summary,
        changed=rebuilt.changed,
        unanswered=tuple(sorted(rebuilt.unanswered)),
        code=code_hash(cells, inlined_cells(rebuilt.notebook)),
        rebuilt=_spill(course, rebuilt.notebook),
    )


def _cells(course: GradingRun, name: str, rebuilt: Rebuilt) -> tuple[Cell, ...]:
    scored = course.assignment.scored(name, course.context)
    return course.assignment.notebook(name).cells_to_run(rebuilt.notebook, scored)


def _hash_of_extras(course: GradingRun, handed_in: Mapping[str, Path]) -> str:
    """Hash the files that lie beside a notebook, the course's among them."""
    return fingerprint({**handed_in, **course.assignment.files}, _hashes(course))


def _giving_way(course: GradingRun, hand_in: HandIn) -> HandIn:
    """Leave out files that are in the way of the course's own, and say it where they are others."""
    own = course.assignment.files
    folders = {parent.as_posix() for name in own for parent in PurePosixPath(name).parents}
    below = {name: [parent.as_posix() for parent in PurePosixPath(name).parents] for name in hand_in.extras}
    left_out = [
        name
        for name in sorted(hand_in.extras)
        if name in own or name in folders or not own.keys().isdisjoint(below[name])
    ]
    if not left_out:
        return hand_in
    hashes = _hashes(course)
    other = [
        name
        for name in left_out
        if name not in own or fingerprint({"": hand_in.extras[name]}, hashes) != fingerprint({"": own[name]}, hashes)
    ]
    named = short_list([quoted(name) for name in other])
    said = [f"The course's own files are used in place of {named}."] if other else []
    extras = {name: path for name, path in hand_in.extras.items() if name not in left_out}
    return replace(hand_in, extras=extras, repairs=(*hand_in.repairs, *said))


def _spill(course: GradingRun, notebook: NotebookNode) -> str:
    """Write a rebuilt notebook under the hash of its content, once; return the hash."""
    text = json.dumps(notebook)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = _rebuilt_path(course, digest)
    if not path.is_file():
        write_atomically(path, text, durable=False)
    return digest


def _spilled(course: GradingRun, summary: HandInSummary) -> bool:
    return all(_rebuilt_path(course, found.rebuilt).is_file() for found in summary.notebooks if found.rebuilt)


def _rebuilt_path(course: GradingRun, digest: str) -> Path:
    return course.cache / "rebuilt" / digest[:2] / f"{digest}.json"


def _hashes(course: GradingRun) -> Path:
    return course.cache / "hashes"


def _read(course: GradingRun, student: str, folder: Path) -> _ReadHandIn:
    expected = [Expected(notebook.name, notebook.marks) for notebook in course.assignment.notebooks]
    hand_in = read_hand_in(folder, student, expected)
    if hand_in.timestamp is not None and not _is_time(hand_in.timestamp):
        said = f"The time stamp {hand_in.timestamp!r} is no time: it was left out."
        hand_in = replace(hand_in, timestamp=None, repairs=(*hand_in.repairs, said))
    return _rebuild(course, replace(hand_in, student=_writable_id(student)))


def _rebuild(course: GradingRun, hand_in: HandIn) -> _ReadHandIn:
    hand_in = _giving_way(course, hand_in)
    rebuilt = {name: _rebuilt(course, name, found) for name, found in hand_in.notebooks.items()}
    refusals = [str(found) for found in rebuilt.values() if isinstance(found, RefusedError)]
    refused = " ".join(dict.fromkeys(refusals)) if len(refusals) == len(rebuilt) else ""
    return _ReadHandIn(hand_in, rebuilt, hand_in.refusal or refused)


def _rebuilt(course: GradingRun, name: str, found: HandedNotebook) -> Rebuilt | RefusedError:
    if found.content is None:
        return RefusedError(found.refusal)
    try:
        return rebuild(course.assignment.notebook(name).released, found.content)
    except RefusedError as error:
        return error


def _is_time(text: str) -> bool:
    try:
        parse_utc(text)
    except Exception:  # dateutil raises all sorts of things
        return False
    return True


def _environments(course: GradingRun) -> dict[str, Environment]:
    """Return what is the same around every submission, by notebook."""
    data = {}
    if course.context.data is not None:
        whole = fingerprint({"data": course.context.data}, _hashes(course))
        view = course.cache / "views" / course.assignment.name / whole[:16]
        view.parent.mkdir(parents=True, exist_ok=True)
        data = dict(course.assignment.student_view(course.context, view))
    questions = {
        notebook.name: write_questions(course.questions_of(notebook.name), course.cache / "questions")
        for notebook in course.assignment.notebooks
    }
    used = dict.fromkeys([*questions.values(), *_roots(data.values(), course.cache / "views")])
    note_used(course.cache, course.assignment.name, list(used))
    return {
        notebook.name: Environment(
            data=data,
            questions=questions[notebook.name],
            extras={},
            helpers=_helpers(course),
            variables=_variables(course.options),
            imports=notebook.imports,
            files=course.assignment.files,
        )
        for notebook in course.assignment.notebooks
    }


def _helpers(course: GradingRun) -> Path:
    """Return the students' library; an empty folder for a course that has none."""
    helpers = course.folder / "helpers"
    if not helpers.is_dir():
        helpers = course.cache / "no-helpers"
        helpers.mkdir(parents=True, exist_ok=True)
    return helpers


def _roots(paths: Iterable[Path], views: Path) -> list[Path]:
    """Return the folders `views/<assignment>/<name>` that paths lie in."""
    inside = [path.relative_to(views) for path in paths if path.is_relative_to(views)]
    return [views.joinpath(*path.parts[:2]) for path in inside]


def _variables(options: Options) -> dict[str, str]:
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": str(options.threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": str(options.threads),
        "OPENBLAS_NUM_THREADS": str(options.threads),
    }


def _writable_id(student: str) -> str:
    """Return a student's id, or something near to it that can stand in a gradebook, a path and a terminal."""
    if student.isprintable() and len(student) <= MAX_NAME:
        return student
    digest = hashlib.sha256(student.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{clean(student)[: MAX_NAME // 2]}-{digest}"
