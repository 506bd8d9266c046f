"""A class of submissions in a course folder of its own: hand in, grade, read the grades.

The demo and the verification of a release use it, so that the instructor's gradebook is never touched.
"""

import copy
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_solution

from grading.common.files import share_folders
from grading.config import CONFIG_FILE, Grading, course_directory, load_config, quiet_logger
from grading.errors import GradingError
from grading.options import Options
from grading.pipeline.grade import grade
from grading.pipeline.plan import Plan, plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import GradingRun, open_course
from grading.records.record import Record
from grading.release.build import build_release
from grading.release.masters import master_paths, read_master
from grading.release.steps import WRITTEN_TESTS

AUTOTESTS = "autotests.yml"
SHARED = ("conversations", "executed", "hashes", "questions", "tests", "views")
"""Folders of a cache whose entries are named by their content."""


@dataclass(frozen=True)
class Classroom:
    """A course folder for one assignment, made from the repository's."""

    folder: Path
    assignment: str

    @classmethod
    def create(cls, repository: Path, folder: Path, assignment: str) -> "Classroom":
        """Copy the configuration and the assignment's source into `folder` (an earlier class there is removed)."""
        if folder.exists():
            if not (folder / CONFIG_FILE).is_file() and any(folder.iterdir()):
                raise GradingError(f"{folder} is not empty and not a course folder: it was left alone")
            _remove_folder(folder)
        folder.mkdir(parents=True)
        folder = folder.resolve()
        for path in _shared_files(repository, assignment):
            target = folder / path.relative_to(repository)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
                shutil.copytree(path, target, ignore=ignored)
            else:
                shutil.copy(path, target)
        _share(folder, repository, (WRITTEN_TESTS,))  # tests that were written out once are not written out again
        build_release(folder, assignment)
        return cls(folder, assignment)

    @property
    def notebooks(self) -> list[str]:
        """Names of the assignment's notebooks, without `.ipynb`."""
        return [path.stem for path in master_paths(self._source)]

    @property
    def notebook_name(self) -> str:
        """File name of the assignment's notebook, of several the first."""
        return f"{self.notebooks[0]}.ipynb"

    def released(self, notebook: str = "") -> NotebookNode:
        """Read a notebook as students get it; by default the assignment's first."""
        release = self.folder / course_directory(load_config(self.folder), "release") / self.assignment
        return nbformat.read(release / f"{notebook or self.notebooks[0]}.ipynb", as_version=4)

    def master(self, notebook: str = "") -> NotebookNode:
        """Read a notebook with its solutions; by default the assignment's first."""
        return read_master(self._source / f"{notebook or self.notebooks[0]}.ipynb")

    def hand_in(self, student: str, notebook: NotebookNode, name: str = "") -> Path:
        """Put a notebook where a student's submission lies; `name` says which, if there are several."""
        submitted = self.folder / course_directory(load_config(self.folder), "submitted")
        path = submitted / student / self.assignment / f"{name or self.notebooks[0]}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    @property
    def _source(self) -> Path:
        return self.folder / course_directory(load_config(self.folder), "source") / self.assignment

    def share_results(self, course_dir: Path) -> None:
        """Keep what is executed in another course's cache, so that it outlives this class.

        Its lock and what is known of its hand-ins stay its own: grading the course goes on meanwhile.
        """
        _share(self.folder, course_dir, SHARED)

    def grade(
        self,
        options: Options,
        students: Sequence[str] = (),
        on_event: Callable[[str, str], None] = lambda *_: None,
        on_plan: Callable[[GradingRun, Plan], None] = lambda *_: None,
    ) -> list[Record]:
        """Grade what was handed in, as `course grade` does."""
        course = with_reference(open_course(self.folder, self.assignment, replace(options, students=students)))
        planned = plan(course)
        on_plan(course, planned)
        return grade(course, planned, on_event)

    def feedback(self, student: str) -> Path:
        """Make nbgrader's feedback page for a student; return its path.

        Raises RuntimeError with nbgrader's log if it fails.
        """
        config = copy.deepcopy(load_config(self.folder))
        config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.assignment_id = self.assignment
        config.CourseDirectory.student_id = student
        logger, lines = quiet_logger()
        app = GenerateFeedback(coursedir=CourseDirectory(config=config, log=logger), config=config, log=logger)
        app.force = True
        try:
            app.start()
        except NbGraderException as error:
            raise RuntimeError(f"nbgrader failed at the feedback of {student}:\n{lines.getvalue()}") from error
        page = Path(self.notebook_name).with_suffix(".html").name
        return self.folder / "feedback" / student / self.assignment / page


def _shared_files(repository: Path, assignment: str) -> list[Path]:
    """List what an assignment needs of its course: its folder, the configuration and what that names, the library."""
    config = load_config(repository)
    source = repository / course_directory(config, "source")
    around = [config.IncludeHeaderFooter.get(place) for place in ("header", "footer")]
    named = [
        repository / path
        for path in [*around, str(config.InstantiateTests.get("autotest_filename", AUTOTESTS))]
        if path
    ]
    wanted = [repository / CONFIG_FILE, source / assignment, repository / "helpers", *named]
    return [path for path in wanted if path.exists() and path.is_relative_to(repository)]


def _share(folder: Path, course_dir: Path, names: Sequence[str]) -> None:
    """Let these folders of a course's cache be those of another's."""
    own, shared = (_cache_folder(course) for course in (folder, course_dir))
    shared.mkdir(parents=True, exist_ok=True)
    own.mkdir(parents=True, exist_ok=True)
    if not own.samefile(shared):
        share_folders(own, shared, names)


def _cache_folder(course_dir: Path) -> Path:
    return Grading(config=load_config(course_dir)).cache_folder(course_dir)


def solution_cells(notebook: NotebookNode) -> dict[str, str]:
    """Return the source of each solution cell, by grade id."""
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in notebook.cells if is_solution(cell)}


def fill_in(released: NotebookNode, cells: Mapping[str, str]) -> NotebookNode:
    """Copy the release with solution cells that hold the given sources, by grade id.

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


def _remove_folder(folder: Path) -> None:
    for path in folder.rglob("*"):  # nbgrader makes what it writes read-only
        if not path.is_symlink() and path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)
