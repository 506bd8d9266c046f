"""The warm-up is fit to be handed out and graded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from notebooks import ROOT
from running import errors, run_whole

from grading.authoring.classroom import fill_in, solution_cells
from grading.authoring.planted import Planted, read_planted
from grading.pipeline.assignment import Assignment, load_assignment
from grading.scoring.questions import Answer, Context, Question, Result

NAME = "boxes_and_iou"
PLANTED = {planted.name: planted for planted in read_planted(ROOT / "source" / NAME / "planted")}


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(ROOT, NAME)


def answers(questions: list[Question], space: dict[str, Any]) -> dict[str, Answer]:
    """What functions of this process answer, without a sandbox: never for a student's code."""
    return {
        question.name: Answer(tuple(_result(question, case, space) for case in question.cases))
        for question in questions
    }


def _result(question: Question, case: Mapping[str, Any], space: dict[str, Any]) -> Result:
    try:
        with np.errstate(all="ignore"):
            value = eval(question.code, {**space, **case})
        if value is None:
            raise TypeError("None came back")
        return Result((np.asarray(value),))
    except Exception as error:
        return Result(error=f"{type(error).__name__}: {error}")


def points(assignment: Assignment, planted: Planted) -> dict[str, float]:
    context = Context(assignment.source)
    master = nbformat.read(assignment.source / f"{NAME}.ipynb", as_version=4)
    given = solution_cells(master if planted.origin == "master" else assignment.released)
    space: dict[str, Any] = {"np": np}
    for source in {**given, **planted.cells}.values():
        exec(source, space)
    return {
        name: score.points
        for name, score in assignment.score(answers(assignment.questions(context), space), context).items()
    }


def test_points_make_twenty_as_the_table_says(assignment: Assignment) -> None:
    assert sum(assignment.max_points.values()) == 20
    table = assignment.released.cells[1].source
    for name, maximum in assignment.max_points.items():
        assert f"`{name}` | {maximum:g} |" in table


@pytest.mark.parametrize("name", sorted(set(PLANTED) - {"dies"}))
def test_each_planted_submission_gets_its_expected_points(assignment: Assignment, name: str) -> None:
    assert points(assignment, PLANTED[name]) == dict(PLANTED[name].points)


@pytest.mark.parametrize(
    "value",
    [
        np.nan,
        np.inf,
        np.zeros((3, 3)),
        np.array(["6"]),
        np.array([1j]),
        np.float64(1e308),
        np.zeros((0,)),
        np.array(True),
    ],
    ids=["nan", "inf", "shape", "text", "complex", "huge", "empty", "bool"],
)
def test_strange_answers_earn_no_points(assignment: Assignment, value: Any) -> None:
    context = Context(assignment.source)
    strange = {
        question.name: Answer((Result((np.asarray(value),)),) * len(question.cases))
        for question in assignment.questions(context)
    }
    assert sum(score.points for score in assignment.score(strange, context).values()) == 0


def test_zero_for_everything_earns_no_points(assignment: Assignment) -> None:
    """It is right for degenerate boxes, and for boxes that do not touch."""
    context = Context(assignment.source)
    space = {name.removeprefix("test_"): (lambda *_: 0.0) for name in assignment.max_points}
    scores = assignment.score(answers(assignment.questions(context), space), context)
    assert sum(score.points for score in scores.values()) == 0


def test_lost_answers_earn_nothing_and_the_reason_is_said(assignment: Assignment) -> None:
    context = Context(assignment.source)
    lost = {question.name: Answer(lost="The kernel died.") for question in assignment.questions(context)}
    for score in assignment.score(lost, context).values():
        assert score.points == 0
        assert "The kernel died." in score.reason


def test_solved_release_runs_top_to_bottom(assignment: Assignment, tmp_path: Path, bubblewrap: None) -> None:
    solved = fill_in(
        assignment.released, solution_cells(nbformat.read(assignment.source / f"{NAME}.ipynb", as_version=4))
    )
    assert errors(run_whole(solved, None, tmp_path)) == {}


def test_every_visible_test_fails_until_its_function_is_written(
    assignment: Assignment, tmp_path: Path, bubblewrap: None
) -> None:
    assert set(errors(run_whole(assignment.released, None, tmp_path))) == set(assignment.max_points)


def test_warm_up_needs_neither_tensorflow_nor_helpers(assignment: Assignment) -> None:
    for cell in assignment.released.cells:
        assert cell.cell_type != "code" or not {"tensorflow", "keras", "helpers"} & set(cell.source.split())
