"""Builds of what students get: `release/<assignment>/`, from `source/<assignment>/`.

The steps are nbgrader's `generate_assignment` with this course's preprocessors. The new release is made in a
folder of its own and takes the old one's place only when everything is right.
"""

import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading.common.text import short_list
from grading.config import CONFIG_FILE, PLACEHOLDER, course_directory, load_config, quiet_logger
from grading.errors import ReleaseError
from grading.release.leaks import Secret, find_leaks, notebook_texts
from grading.release.masters import master_paths, read_master
from grading.release.preprocessors import FILES_LATER, HIDDEN, HOW_TO_SORT, SHOWN, NoLeaks
from grading.release.released import configured_steps, files_beside, rooted
from grading.release.twin import check_in_step, has_twin, twins_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Built:
    """A release that was made."""

    folder: Path
    kept: tuple[str, ...]
    """Files beside the masters that were not released, though they are not plainly the instructor's."""
    leads_nowhere: bool
    """Whether a notebook has links to a course whose address is not set."""

    @property
    def note(self) -> str:
        """Return what an author should know of the files that were kept; nothing if there are none."""
        names = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in self.kept})
        if not names:
            return ""
        return f"not released: {short_list(names, 8)}. No notebook names them: {HOW_TO_SORT}"


def build_release(course_dir: Path, assignment: str, db_url: str | None = None) -> Path:
    """Build an assignment's release and return its folder; as `build`, which says more."""
    return build(course_dir, assignment, db_url).folder


def build(course_dir: Path, assignment: str, db_url: str | None = None) -> Built:
    """Build an assignment's release.

    Args:
        course_dir: The folder that holds nbgrader_config.py and `source/`.
        assignment: A folder of `source/`.
        db_url: The gradebook to enter the assignment in, as nbgrader's `generate_assignment` does, so that
            it can be graded. By default none.

    Raises:
        ReleaseError: Something is wrong; it lists every problem found, and the old release stays as it was.
    """
    course_dir = Path(course_dir).resolve()
    config = load_config(course_dir)
    masters = _masters(course_dir / course_directory(config, "source"), assignment)
    for path in masters:
        if has_twin(path):
            check_in_step(path.with_suffix(".py"), path)
    target = course_dir / course_directory(config, "release") / assignment
    if CourseDirectory(config=config).directory_structure != CourseDirectory().directory_structure:
        raise ReleaseError(f"c.CourseDirectory.directory_structure in {CONFIG_FILE} is not nbgrader's usual one")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as scratch:
        converter = _generate(_configure(config, course_dir, assignment, Path(scratch), db_url))
        built = Path(scratch) / "new" / assignment
        notebooks = {path.stem: nbformat.read(path, as_version=4) for path in sorted(built.glob("*.ipynb"))}
        kept = _add_files(converter, notebooks, masters[0].parent, built)
        _swap(built, target, Path(scratch) / "old")
    log.info("built %s", target)
    sources = [cell.source for notebook in notebooks.values() for cell in notebook.cells]
    return Built(target, kept, any(PLACEHOLDER.partition("github.com/")[2] in source for source in sources))


class _Generate(GenerateAssignment):
    """nbgrader's converter, which only logs what went wrong, with a memory of it and of what is hidden and shown.

    It leaves the files beside the notebooks alone: which of them are for students is seen in the finished notebooks.
    """

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.problems: list[str] = []
        self.hidden: list[Secret] = []
        self.shown: list[str] = []

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        ignore, self.coursedir.ignore = self.coursedir.ignore, ["*"]
        try:
            super().init_assignment(assignment_id, student_id)
        finally:
            self.coursedir.ignore = ignore

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Convert a notebook; what is wrong with it is noted, and the next one is looked at."""
        resources = {**self.init_single_notebook_resources(notebook_filename), FILES_LATER: True}
        try:
            output, resources = self.exporter.from_filename(notebook_filename, resources=resources)
        except ReleaseError as error:
            self.problems += error.problems
        except Exception as error:
            self.problems.append(f"{Path(notebook_filename).name}: nbgrader could not make the release: {error}")
            log.info("%s", self.problems[-1], exc_info=True)
        else:
            self.hidden += resources[HIDDEN]
            self.shown += resources[SHOWN]
            self.write_single_notebook(output, resources)


def _masters(source: Path, assignment: str) -> list[Path]:
    """Return the notebooks of an assignment. Raises ReleaseError, a line for each that cannot be taken."""
    known = sorted(path.name for path in source.glob("*/") if path.is_dir())
    if assignment not in known:
        raise ReleaseError(f"no assignment {assignment!r} in source/: there is {', '.join(known) or 'none'}")
    folder = source / assignment
    paths = master_paths(folder)
    if not paths:
        twins = [path.name for path in twins_of(folder)]
        mend = f": `course sync {assignment}` makes it from {', '.join(twins)}" if twins else ""
        raise ReleaseError(f"source/{assignment} holds no notebook{mend}")
    problems: list[str] = []
    for path in paths:
        try:
            read_master(path)
        except ReleaseError as error:
            problems += error.problems
    if problems:
        raise ReleaseError(*problems)
    return paths


def _configure(config: Config, course_dir: Path, assignment: str, scratch: Path, db_url: str | None) -> Config:
    config = rooted(config, course_dir)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.release_directory = str(scratch / "new")
    config.GenerateAssignment.force = True
    config.GenerateAssignment.preprocessors = configured_steps(config)
    if db_url is not None:
        config.CourseDirectory.db_url = db_url
    else:  # making a new gradebook takes nbgrader seconds
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    return config


def _generate(config: Config) -> _Generate:
    quiet, lines = quiet_logger()
    coursedir = CourseDirectory(config=config, log=quiet)
    converter = _Generate(coursedir=coursedir, config=config, log=quiet)
    try:
        converter.start()
    except NbGraderException as error:
        raise ReleaseError(f"nbgrader could not make the release: {error}", lines.getvalue()) from error
    if converter.problems:
        raise ReleaseError(*converter.problems)
    return converter


def _add_files(
    converter: _Generate, notebooks: Mapping[str, NotebookNode], source: Path, built: Path
) -> tuple[str, ...]:
    """Copy the files that the finished notebooks need; return the names of those that stay behind.

    Raises ReleaseError where a file, or one notebook of several, shows what is hidden.
    """
    guard = NoLeaks(config=converter.config)
    files = files_beside(source, notebooks.values(), converter.config)
    hidden = guard.hidden(converter.hidden, converter.shown)
    contents = {name: (source / name).read_bytes() for name in files.released}
    added = {path.name: path.read_bytes() for path in built.iterdir() if path.is_file() and path.suffix != ".ipynb"}
    problems = guard.leaks_of_files(hidden, contents | added)
    for name, notebook in notebooks.items():
        problems += [f"{name}.ipynb, {leak}" for leak in find_leaks(hidden, notebook_texts(notebook))]
    if problems:
        raise ReleaseError(*problems)
    for name in files.released:
        path = built / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, path)
        path.chmod(int(str(converter.permissions), 8))
    return files.kept


def _swap(built: Path, target: Path, aside: Path) -> None:
    if target.exists():
        target.rename(aside)
    try:
        built.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
