"""The error an author sees, and how its messages name a cell."""

from collections.abc import Mapping
from typing import Any


class GradingError(Exception):
    """Grading cannot go on, in words for the instructor."""


class ReleaseError(Exception):
    """Something in the master stops the release. Each argument is one problem, in words for the author."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


def cell_name(cell: Mapping[str, Any], index: int) -> str:
    """Name a cell as an author would look for it: `cell 4 'test_iou'` (counted from 1)."""
    grade_id = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
    label = grade_id or cell.get("id") or first_line(str(cell.get("source", "")))
    return f"cell {index + 1} '{label}'"


def first_line(source: str) -> str:
    """The first line with something in it."""
    return next((line.strip() for line in source.splitlines() if line.strip()), "(empty)")
