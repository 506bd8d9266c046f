"""A class of submissions in a course folder of its own: hand in, grade through nbgrader, read the grades.

The demo and the verification of a release use it, so that the instructor's gradebook is never touched.
"""

import copy
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade, is_solution
from traitlets.config import Config

from grading.config import CONFIG_FILE, load_config, quiet_logger
from grading.execute import Environment, Limits, Store, execute_once
from grading.nbgrader_plugins import ExecuteOnce
from grading.release import build_release

GRADEBOOK = "gradebook.db"


@dataclass(frozen=True)
class Question:
    """One grade cell of one submission."""

    points: float
    max_points: float
    reason: str
    """What the test said, in words."""


@dataclass(frozen=True)
class Graded:
    """One submission: its questions by grade id, or why it could not be graded."""

    student: str
    questions: Mapping[str, Question]
    error: str = ""

    @property
    def points(self) -> float:
        """Points in all."""
        return sum(question.points for question in self.questions.values())

    @property
    def max_points(self) -> float:
        """Points that could be had."""
        return sum(question.max_points for question in self.questions.values())


@dataclass(frozen=True)
class Classroom:
    """A course folder for one assignment, made from the repository's."""

    folder: Path
    assignment: str
    config: Config

    @classmethod
    def create(cls, repository: Path, folder: Path, assignment: str) -> "Classroom":
        """Copy the configuration and the assignment's source into `folder` (an earlier class there is removed)."""
        if folder.exists():
            if not (folder / CONFIG_FILE).is_file() and any(folder.iterdir()):
                raise FileExistsError(f"{folder} is not empty and not a course folder: it was left alone")
            _remove(folder)
        folder.mkdir(parents=True)
        shutil.copy(repository / CONFIG_FILE, folder / CONFIG_FILE)
        shutil.copytree(
            repository / "source" / assignment,
            folder / "source" / assignment,
            ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"),
        )
        shutil.copytree(repository / "helpers", folder / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
        folder = folder.resolve()
        build_release(folder, assignment, db_url=f"sqlite:///{folder / GRADEBOOK}")
        return cls.open(folder, assignment)

    @classmethod
    def open(cls, folder: Path, assignment: str) -> "Classroom":
        """A classroom that `create` has made."""
        config = load_config(folder)
        config.CourseDirectory.root = str(folder.resolve())
        return cls(folder.resolve(), assignment, config)

    @property
    def notebook_name(self) -> str:
        """File name of the assignment's notebook."""
        (path,) = (self.folder / "release" / self.assignment).glob("*.ipynb")
        return path.name

    def released(self) -> NotebookNode:
        """The notebook as students get it."""
        return nbformat.read(self.folder / "release" / self.assignment / self.notebook_name, as_version=4)

    def master(self) -> NotebookNode:
        """The notebook with its solutions."""
        return nbformat.read(self.folder / "source" / self.assignment / self.notebook_name, as_version=4)

    def hand_in(self, student: str, notebook: NotebookNode) -> Path:
        """Put a notebook where a student's submission lies."""
        path = self.folder / "submitted" / student / self.assignment / self.notebook_name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def grade(
        self,
        students: Sequence[str],
        environment: Environment,
        limits: Limits,
        store: Path,
        workers: int,
        on_done: Callable[[str], None] = lambda student: None,
    ) -> list[Graded]:
        """Execute every submission, several at a time, then let nbgrader grade and record what came out.

        `on_done` is called with each student as soon as that submission has been executed.
        """
        self.config.ExecuteOnce.store = str(store.resolve())
        self.config.ExecuteOnce.cell_seconds = limits.cell_seconds
        self.config.ExecuteOnce.notebook_seconds = limits.notebook_seconds
        self.config.ExecuteOnce.threads = environment.threads
        with _course_data(environment.data):
            errors = self._execute_all(students, workers, on_done)
            for student in students:
                if student not in errors:
                    errors |= self._autograde(student)
        return [self._read(student, errors.get(student, "")) for student in students]

    def feedback(self, student: str) -> Path:
        """Make nbgrader's feedback page for a student; gives its path."""
        self._convert(GenerateFeedback, student)
        page = Path(self.notebook_name).with_suffix(".html").name
        return self.folder / "feedback" / student / self.assignment / page

    def _execute_all(self, students: Sequence[str], workers: int, on_done: Callable[[str], None]) -> dict[str, str]:
        """Fill the store with what each submission gives; gives the errors by student."""
        settings = ExecuteOnce(config=self.config).settings()
        errors: dict[str, str] = {}
        with ProcessPoolExecutor(max_workers=workers) as pool:
            jobs = {}
            for student in students:
                try:
                    notebook = self._sanitise(student)
                except RuntimeError as error:
                    errors[student] = str(error)
                    continue
                jobs[pool.submit(_execute_file, notebook, *settings)] = student
            for job in as_completed(jobs):
                try:
                    job.result()
                except Exception as error:  # whatever one submission does, the others are graded
                    errors[jobs[job]] = f"{type(error).__name__}: {error}"
                on_done(jobs[job])
        return errors

    def _sanitise(self, student: str) -> Path:
        """Run the first half of autograde: the notebook exactly as it will be executed."""
        self._convert(_SanitiseOnly, student)
        return self.folder / "autograded" / student / self.assignment / self.notebook_name

    def _autograde(self, student: str) -> dict[str, str]:
        try:
            self._convert(Autograde, student)
        except RuntimeError as error:
            return {student: str(error)}
        return {}

    def _read(self, student: str, error: str) -> Graded:
        path = self.folder / "autograded" / student / self.assignment / self.notebook_name
        reasons = _reasons(nbformat.read(path, as_version=4)) if path.exists() else {}
        questions = {}
        with Gradebook(f"sqlite:///{self.folder / GRADEBOOK}") as gradebook:
            try:
                submission = gradebook.find_submission(self.assignment, student)
            except MissingEntry:
                return Graded(student, {}, error or "not in the gradebook")
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    questions[grade.name] = Question(grade.score, grade.max_score, reasons.get(grade.name, ""))
        return Graded(student, questions, error)

    def _convert(self, converter: type[BaseConverter], student: str) -> None:
        """Run one of nbgrader's converters on a student's submission. RuntimeError has its log when it fails."""
        config = copy.deepcopy(self.config)
        config.CourseDirectory.assignment_id = self.assignment
        config.CourseDirectory.student_id = student
        logger, lines = quiet_logger()
        app = converter(coursedir=CourseDirectory(config=config, log=logger), config=config, log=logger)
        app.force = True
        try:
            app.start()
        except NbGraderException as error:
            raise RuntimeError(f"nbgrader failed at the submission of {student}:\n{lines.getvalue()}") from error


class _SanitiseOnly(Autograde):
    """nbgrader's Autograde up to the point where it would execute."""

    def convert_single_notebook(self, notebook_filename: str) -> None:
        self._sanitizing = True
        self._init_preprocessors()
        super(Autograde, self).convert_single_notebook(notebook_filename)


def solution_cells(notebook: NotebookNode) -> dict[str, str]:
    """Source of each solution cell, by grade id."""
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in notebook.cells if is_solution(cell)}


def fill_in(released: NotebookNode, cells: Mapping[str, str]) -> NotebookNode:
    """A copy of the release whose solution cells hold the given sources, by grade id.

    Raises KeyError for a grade id that the release does not have.
    """
    unknown = set(cells) - set(solution_cells(released))
    if unknown:
        raise KeyError(f"the release has no solution cell {', '.join(sorted(unknown))}")
    filled = copy.deepcopy(released)
    for cell in filled.cells:
        if is_solution(cell):
            cell.source = cells.get(cell.metadata.nbgrader.grade_id, cell.source)
    return filled


def _execute_file(path: Path, environment: Environment, limits: Limits, store: Store) -> None:
    execute_once(nbformat.read(path, as_version=4), environment, limits, path.parent, store)


def _reasons(notebook: NotebookNode) -> dict[str, str]:
    """What each grade cell said; one that failed also names the first of the other cells that did."""
    earlier = next(
        (
            f"(cell '{cell.id}' stopped with {_error(cell)})"
            for cell in notebook.cells
            if _error(cell) and not is_grade(cell)
        ),
        "",
    )
    return {
        cell.metadata.nbgrader.grade_id: f"{_said(cell)} {earlier if _error(cell) else ''}".strip()
        for cell in notebook.cells
        if is_grade(cell)
    }


def _said(cell: NotebookNode) -> str:
    """The message of a cell's error, or else what it printed."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return _error(cell).removeprefix("AssertionError: ") or printed.strip()


def _error(cell: NotebookNode) -> str:
    errors = (output for output in cell.get("outputs", []) if output.output_type == "error")
    return next((f"{error.ename}: {error.evalue}" for error in errors), "")


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):  # nbgrader makes what it writes read-only
        if not path.is_symlink() and path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def _course_data(folder: Path | None) -> Iterator[None]:
    """COURSE_DATA as nbgrader's own autograde would find it."""
    before = os.environ.get("COURSE_DATA")
    if folder is not None:
        os.environ["COURSE_DATA"] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("COURSE_DATA", None)
        else:
            os.environ["COURSE_DATA"] = before
