"""Points stand in the metadata of the grade cells; what else names them is filled in from there."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import is_grade

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = sorted(path.parent.name for path in ROOT.glob("source/*/*.ipynb"))


def read(kind: str, assignment: str) -> NotebookNode:
    return nbformat.read(ROOT / kind / assignment / f"{assignment}.ipynb", as_version=4)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_release_says_the_points_of_each_test_and_the_master_does_not(assignment: str) -> None:
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in read("source", assignment).cells
        if is_grade(cell)
    }
    table = next(cell.source for cell in read("release", assignment).cells if "| test | points |" in cell.source)
    for name, value in points.items():
        assert f"| `{name}` | {value} |" in table
    assert "@POINTS" not in nbformat.writes(read("release", assignment))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_partial_credit_is_of_the_points_of_its_cell(assignment: str) -> None:
    """A master is Python that runs, so here the number is written; it must be the cell's own."""
    for cell in read("source", assignment).cells:
        if cell.cell_type == "code" and is_grade(cell):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.keyword) and node.arg == "points":
                    assert isinstance(node.value, ast.Constant)
                    assert node.value.value == cell.metadata.nbgrader.points
