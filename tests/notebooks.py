"""Builders of tiny masters and of scratch courses to release them from."""

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from grading.release import twin

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = "tiny"

SOLUTION = '''\
def area(box):
    """Area of a corner box."""
    ### BEGIN SOLUTION
    width, height = box[2] - box[0], box[3] - box[1]
    return max(width, 0) * max(height, 0)
    ### END SOLUTION'''

TEST = """\
assert area((0, 0, 2, 3)) == 6
### BEGIN HIDDEN TESTS
assert area((4, 5, 7, 9)) == 12
### END HIDDEN TESTS"""


def code(cell_id: str, source: str, tags: list[str] | None = None, **nbgrader: Any) -> NotebookNode:
    """A code cell; keywords are nbgrader's metadata, the rest of which is filled in."""
    return nbformat.v4.new_code_cell(source, id=cell_id, metadata=_metadata(tags, nbgrader))


def markdown(cell_id: str, source: str, tags: list[str] | None = None, **nbgrader: Any) -> NotebookNode:
    """A markdown cell, likewise."""
    return nbformat.v4.new_markdown_cell(source, id=cell_id, metadata=_metadata(tags, nbgrader))


def solution(source: str = SOLUTION, grade_id: str = "area", **kwargs: Any) -> NotebookNode:
    """A solution cell."""
    return code(grade_id, source, grade_id=grade_id, solution=True, **kwargs)


def grade_cell(source: str = TEST, grade_id: str = "test_area", **kwargs: Any) -> NotebookNode:
    """A grade cell worth 2 points."""
    return code(grade_id, source, **{"grade_id": grade_id, "grade": True, "points": 2, **kwargs})


def notebook(*cells: NotebookNode) -> NotebookNode:
    """A master of these cells, such as `to_notebook` makes."""
    return nbformat.v4.new_notebook(cells=list(cells), metadata=twin.NOTEBOOK_METADATA, nbformat=4, nbformat_minor=5)


def right_notebook(*more: NotebookNode) -> NotebookNode:
    """A master with nothing wrong, and these cells at its end."""
    return notebook(markdown("intro", "# Areas"), solution(), grade_cell(), *more)


def scratch_course(folder: Path, master: NotebookNode) -> Path:
    """A course of one assignment, with the repository's own nbgrader_config.py and a tiny library."""
    helpers = folder / "helpers"
    helpers.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copy(ROOT / "helpers" / "pyproject.toml", helpers)
    (helpers / "__init__.py").write_text('__version__ = "0.1"\n')
    write_master(folder, master)
    return folder


def write_master(course: Path, master: NotebookNode) -> Path:
    """Write a master and its twin into a course; return the folder."""
    source = course / "source" / ASSIGNMENT
    source.mkdir(parents=True, exist_ok=True)
    path = source / f"{ASSIGNMENT}.py"
    path.write_text(twin.to_text(master), encoding="utf-8")
    twin.write_notebook(path)
    return source


def _metadata(tags: list[str] | None, nbgrader: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": tags} if tags else {}
    if nbgrader:
        locked = not nbgrader.get("solution", False)
        filled = {"grade": False, "solution": False, "task": False, "locked": locked, "schema_version": 3}
        metadata["nbgrader"] = filled | nbgrader
    return metadata


def colab_shape(notebook: dict[str, Any]) -> bytes:
    """A notebook's JSON as Google Colab writes it: nbformat 4.0, cell ids in the metadata, sources line by line."""
    notebook["nbformat_minor"] = 0
    for cell in notebook["cells"]:
        cell["metadata"] |= {"id": cell.pop("id"), "outputId": "5f2a", "colab": {"base_uri": "https://localhost:8080/"}}
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    return json.dumps(notebook, indent=0).encode()
