"""Facts about a notebook's cells that several rooms need: their tags, and how to name one for a person."""

from collections.abc import Mapping
from typing import Any

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


def cell_name(cell: Mapping[str, Any], index: int) -> str:
    """Name a cell as an author would look for it: `cell 4 'test_iou'` (counted from 1)."""
    grade_id = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
    label = grade_id or cell.get("id") or first_line(str(cell.get("source", "")))
    return f"cell {index + 1} '{label}'"


def first_line(source: str) -> str:
    """Return the first line with something in it."""
    return next((line.strip() for line in source.splitlines() if line.strip()), "(empty)")
