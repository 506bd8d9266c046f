"""A master as students get it, in memory: what a submission is rebuilt from."""

import copy
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearOutput, ClearSolutions, LockCells
from traitlets.config import Config

from grading.release.preprocessors import FillCourse, InlineJson


def released_notebook(master: NotebookNode, source: Path, config: Config, name: str = "") -> NotebookNode:
    """Make the released form of a master, without what only matters for its files: checksums, checks, the wheel.

    Args:
        master: The notebook in `source/<assignment>/`; it stays as it is.
        source: The assignment's folder.
        config: The course's configuration (`grading.config.load_config`).
        name: The notebook's name without `.ipynb`; by default the assignment's.
    """
    resources: dict[str, Any] = {
        "nbgrader": {"assignment": source.name, "notebook": name or source.name},
        "metadata": {"path": str(source)},
    }
    config = copy.deepcopy(config)
    config.CourseDirectory.root = str(source.parents[1])
    notebook = copy.deepcopy(master)
    for step in (InlineJson, FillCourse, LockCells, ClearSolutions, ClearOutput, ClearHiddenTests, ClearMarkScheme):
        notebook, resources = step(config=config).preprocess(notebook, resources)
    return notebook
