"""A master in memory: as it is tested, and as students get it. What a submission is rebuilt from, and graded by."""

import copy
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue
from traitlets.utils.importstring import import_item

from grading.config import course_directory, quiet_logger
from grading.errors import CourseError, ReleaseError
from grading.release.beside import Beside, sort_files
from grading.release.masters import accept, name_cells
from grading.release.steps import FOR_FILES, FOR_STUDENTS, RELEASE_STEPS, step_name, steps_of


def released_notebook(master: NotebookNode, source: Path, config: Config, name: str = "") -> NotebookNode:
    """Make the released form of a master: the notebook that `course release` writes, with an id for each cell.

    Args:
        master: The notebook in `source/<assignment>/`; it stays as it is.
        source: The assignment's folder.
        config: The course's configuration (`grading.config.load_config`).
        name: The notebook's name without `.ipynb`; by default the assignment's.

    Raises:
        ReleaseError: A step stops; the message names notebook and cell.
    """
    return _through_steps(master, source, config, name, FOR_FILES)


def expanded(
    master: NotebookNode, source: Path, config: Config, cache: Path | None = None, name: str = ""
) -> NotebookNode:
    """Make the full form of a master, by which submissions are tested: solutions and hidden tests are still in.

    It has the cells of the released form, in the same order with the same ids: header and footer are included, tests
    of `### AUTOTEST` lines written out, links and inlined files filled in.

    Args:
        master: The notebook in `source/<assignment>/`; it stays as it is.
        source: The assignment's folder.
        config: The course's configuration (`grading.config.load_config`).
        cache: Where tests that were written out are kept by content; by default the course's `c.Grading.cache`.
        name: The notebook's name without `.ipynb`; by default the assignment's.

    Raises:
        ReleaseError: A step stops; the message names notebook and cell.
    """
    if cache is not None:
        config = copy.deepcopy(config)
        config.Grading.cache = str(cache)
    return _through_steps(master, source, config, name, FOR_FILES | FOR_STUDENTS)


def released_files(source: Path, notebooks: Iterable[NotebookNode], config: Config) -> dict[str, Path]:
    """Find the files that are released beside the notebooks, by path relative to them.

    Args:
        source: The assignment's folder.
        notebooks: The released form of each of its masters: what they name is released.
        config: The course's configuration.
    """
    return {name: source / name for name in files_beside(source, notebooks, config).released}


def files_beside(source: Path, notebooks: Iterable[NotebookNode], config: Config) -> Beside:
    """Sort the files beside the masters, as `released_files`; those that stay behind are told, too."""
    texts = [(cell.source, cell.cell_type == "code") for notebook in notebooks for cell in notebook.cells]
    return sort_files(source, texts, config)


def course_root(source: Path, config: Config) -> Path:
    """Return the course folder of an assignment's folder."""
    return source.resolve().parents[len(Path(course_directory(config, "source")).parts)]


def configured_steps(config: Config) -> list[Any]:
    """Return the steps of a course's releases, as import strings or classes."""
    listed = config.GenerateAssignment.get("preprocessors")
    if isinstance(listed, LazyConfigValue):  # a course that appends to nbgrader's list
        listed = listed.get_value(list(RELEASE_STEPS))
    return steps_of(listed)


def rooted(config: Config, root: Path) -> Config:
    """Return a copy of a configuration whose paths do not depend on the folder one is in."""
    config = copy.deepcopy(config)
    config.CourseDirectory.root = str(root)
    for place in ("header", "footer"):
        if config.IncludeHeaderFooter.get(place):
            config.IncludeHeaderFooter[place] = str(root / config.IncludeHeaderFooter[place])
    return config


def _through_steps(
    master: NotebookNode, source: Path, config: Config, name: str, left_out: Set[str]
) -> NotebookNode:  # fmt: skip
    name = name or source.name
    config = rooted(config, course_root(source, config))
    resources: dict[str, Any] = {
        "nbgrader": {"assignment": source.name, "notebook": name, "student": "."},
        "metadata": {"path": str(source), "name": name},
    }
    notebook = copy.deepcopy(master)
    accept(notebook, f"{source.name}/{name}.ipynb")
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)  # with ids, by which cells are found again
    for step in configured_steps(config):
        if step_name(step) not in left_out:
            notebook, resources = _run(step, config, notebook, resources)
    name_cells(notebook)
    return notebook


def _run(step: Any, config: Config, notebook: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, Any]:
    """Run one step as nbconvert would: a class or its name, a preprocessor or another callable."""
    log, lines = quiet_logger()
    made = import_item(step) if isinstance(step, str) else step
    if isinstance(made, type):
        made = made(config=config, log=log)
        if not made.enabled:
            return notebook, resources
    try:
        return made(notebook, resources)
    except CourseError:
        raise
    except Exception as error:  # nbgrader's steps raise anything, Exception itself too
        where = f"{resources['nbgrader']['assignment']}/{resources['nbgrader']['notebook']}.ipynb"
        raise ReleaseError(f"{where}: {step_name(step)} stops: {error}", *lines.getvalue().splitlines()[-1:]) from error
