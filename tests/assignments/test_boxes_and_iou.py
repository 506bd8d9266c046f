"""The warm-up is fit to be handed out and graded."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from notebooks import ROOT
from running import errors, run_whole

from grading.authoring.classroom import fill_in, solution_cells
from grading.authoring.planted import read_planted
from grading.pipeline.assignment import Assignment, load_assignment

NAME = "boxes_and_iou"
PLANTED = {planted.name: planted for planted in read_planted(ROOT / "source" / NAME / "planted")}


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(ROOT, NAME)


def points(assignment: Assignment, sources: Mapping[str, str]) -> dict[str, float]:
    """Return what the tests give, hidden ones too, for functions of this process: never for a student's code."""
    space: dict[str, Any] = {}
    found = {}
    for cell in assignment.only.master.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type != "code" or cell.id in ("draw", "ready"):
            continue
        with np.errstate(all="ignore"):
            value = last_value(sources.get(grade_id, cell.source), space)
        if grade_id in assignment.max_points:
            found[grade_id] = float(value)
    return found


def last_value(source: str, space: dict[str, Any]) -> Any:
    """Run a cell; return the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), space)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), space) if isinstance(last, ast.Expr) else None


def returning(assignment: Assignment, value: str) -> dict[str, str]:
    """Return solution cells whose functions all return the same."""
    return {name: f"def {name}(*boxes):\n    return {value}" for name in assignment.solution_ids}


def test_points_make_twenty_as_the_table_says(assignment: Assignment) -> None:
    assert sum(assignment.max_points.values()) == 20
    table = assignment.released.cells[1].source
    for name, maximum in assignment.max_points.items():
        assert f"`{name}` | {maximum:g} |" in table


@pytest.mark.parametrize("name", sorted(set(PLANTED) - {"dies"}))
def test_each_planted_submission_gets_its_expected_points(assignment: Assignment, name: str) -> None:
    planted = PLANTED[name]
    released = solution_cells(assignment.released) if planted.origin != "master" else {}
    assert points(assignment, {**released, **planted.cells}) == dict(planted.points)


@pytest.mark.parametrize(
    "value",
    [
        "np.nan",
        "np.inf",
        "np.zeros((3, 3))",
        "np.array(['6'])",
        "np.array([1j])",
        "np.float64(1e308)",
        "np.zeros((0,))",
        "np.array(True)",
        "None",
        "[[1, 2], [3]]",
        "1 / 0",
        "0.0",
    ],
)
def test_the_same_for_everything_earns_no_points(assignment: Assignment, value: str) -> None:
    """0.0 is right for degenerate boxes, and for boxes that do not touch."""
    assert sum(points(assignment, returning(assignment, value)).values()) == 0


def test_solved_release_runs_top_to_bottom(assignment: Assignment, tmp_path: Path, bubblewrap: None) -> None:
    solved = fill_in(
        assignment.released, solution_cells(nbformat.read(assignment.source / f"{NAME}.ipynb", as_version=4))
    )
    assert errors(run_whole(solved, None, tmp_path)) == {}


def test_every_visible_test_shows_no_points_until_its_function_is_written(assignment: Assignment) -> None:
    space: dict[str, Any] = {}
    shown = {
        cell.id: last_value(cell.source, space)
        for cell in assignment.released.cells
        if cell.cell_type == "code" and cell.id not in ("draw", "ready")
    }
    assert {name: shown[name] for name in assignment.max_points} == dict.fromkeys(assignment.max_points, 0)


def test_warm_up_needs_neither_tensorflow_nor_helpers(assignment: Assignment) -> None:
    for cell in assignment.released.cells:
        assert cell.cell_type != "code" or not {"tensorflow", "keras", "helpers"} & set(cell.source.split())
