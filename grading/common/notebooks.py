"""Facts about a notebook's cells that several rooms need: their tags, who gives their points, how to name one."""

import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

DEMO_TAG = "demo"
"""Of a cell that only demonstrates: grading leaves it out unless something needs it."""
BESIDE_TAG = "beside-student"
"""Of a test cell that runs in the student's kernel, as in nbgrader, rather than in the examiner."""
EXAMINERS_TAG = "examiners"
"""Of an instructor's cell whose names are the examiner's own, whatever reading it says."""
STUDENTS_TAG = "students"
"""Of an instructor's cell whose names are the student's, likewise."""
ADDITIONAL_ID = "student-"
"""How the ids of cells begin that a student has added."""
_LANGUAGE = re.compile(r"[A-Za-z][\w+#. /-]{0,40}")
"""What may be the name of a language; anything else in its place says nothing."""
_PYTHON = re.compile(r"i?python\d*", re.IGNORECASE)
_OTHER_KERNELS = re.compile(
    r"(ir|xr|julia|octave|matlab|xcpp|java|scala|sas|bash|javascript|deno|ruby)\b.*", re.IGNORECASE | re.DOTALL
)
"""Names of kernels that tell their language where nothing else in a notebook does."""


def shallow_copy(cell: NotebookNode) -> NotebookNode:
    """Return a copy of a cell that shares its metadata: its source and its outputs may be replaced."""
    copied = NotebookNode()
    dict.update(copied, cell)  # all in it is nodes already, which NotebookNode's own way would make sure of
    return copied


def cell_name(cell: Mapping[str, Any], index: int) -> str:
    """Name a cell as an author would look for it: `cell 4 'test_iou'` (counted from 1)."""
    grade_id = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
    label = grade_id or cell.get("id") or first_line(str(cell.get("source", "")))
    return f"cell {index + 1} '{label}'"


def first_line(source: str) -> str:
    """Return the first line with something in it."""
    return next((line.strip() for line in source.splitlines() if line.strip()), "(empty)")


def is_graded(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell is worth points: a test, an answer or a task."""
    marks = _marks(cell)
    return bool(marks.get("grade") or marks.get("task"))


def is_by_hand(cell: Mapping[str, Any]) -> bool:
    """Return whether a person gives a cell's points: an answer (code or text), or a task."""
    marks = _marks(cell)
    return bool(marks.get("task") or (marks.get("grade") and (marks.get("solution") or cell["cell_type"] != "code")))


def is_test(cell: Mapping[str, Any]) -> bool:
    """Return whether running a cell decides its points."""
    return is_graded(cell) and not is_by_hand(cell)


def other_language(metadata: Any) -> str:
    """Return the language in which a notebook is written, by its metadata, where that is not Python; else nothing.

    The metadata may come from a hand-in: anything may be in it.
    """
    kernel, language = _object(metadata, "kernelspec"), _object(metadata, "language_info")
    for said in (language.get("name"), kernel.get("language")):
        if isinstance(said, str) and _LANGUAGE.fullmatch(said.strip()):
            return "" if _PYTHON.fullmatch(said.strip()) else said.strip()
    name = kernel.get("name")
    if isinstance(name, str) and _OTHER_KERNELS.fullmatch(name.strip()):
        return str(kernel.get("display_name") or name)
    return ""


def _marks(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cell.get("metadata", {}).get("nbgrader", {})
    return found


def _object(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
