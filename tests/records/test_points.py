"""Are points those that nbgrader gives for the same outcome of a test, and questions told apart by name?"""

import nbformat
import pytest
from nbgrader.utils import determine_grade

from grading.records.record import (
    GRADED,
    NOT_EXAMINED,
    PERSON,
    QuestionRecord,
    Record,
    TestResult,
    points_of,
    question_names,
)

VALUES = [None, "3", "0", "0.0", "2.5", "1e0", " 2\n", "-1", "nan", "-inf", "True", "'2'", "[2]", "Fraction(1, 2)"]


def as_nbgrader(value: str | None, passed: bool = True, max_points: float = 3.0) -> float | None:
    cell = nbformat.v4.new_code_cell(
        "...", metadata={"nbgrader": {"grade": True, "solution": False, "points": max_points, "grade_id": "a"}}
    )
    if value is not None:
        cell.outputs.append(nbformat.v4.new_output("execute_result", data={"text/plain": value}))
    if not passed:
        cell.outputs.append(nbformat.v4.new_output("error", ename="AssertionError", evalue="", traceback=[]))
    return determine_grade(cell)[0]


@pytest.mark.parametrize("value", VALUES)
def test_points_of_a_last_line_are_nbgraders(value: str | None) -> None:
    assert points_of(TestResult(True, value=value), 3.0)[0] == as_nbgrader(value)


def test_error_gives_nothing_and_is_the_reason() -> None:
    assert points_of(TestResult(False, "AssertionError: no"), 3.0) == (0.0, "AssertionError: no")
    assert as_nbgrader(None, passed=False) == 0


def test_number_above_the_cells_points_gives_all_of_them_and_is_said() -> None:
    assert points_of(TestResult(True, value="7"), 3.0) == (
        3.0,
        "The test gives 7 points, more than the 3 of its cell.",
    )
    assert points_of(TestResult(True, value="inf"), 3.0)[0] == 3.0
    with pytest.raises(ValueError, match="greater than maximum"):
        as_nbgrader("7")


@pytest.mark.parametrize("shown", ["np.float64(1.5)", "np.float32(1.5)", "numpy.float64(1.5)"])
def test_numpy_scalar_is_the_number_that_it_shows(shown: str) -> None:
    assert points_of(TestResult(True, value=shown), 3.0)[0] == 1.5


def test_partial_credit_is_said() -> None:
    assert points_of(TestResult(True, value="2.5"), 3.0)[1] == "The test gives 2.5 of 3 points."


def test_test_that_was_not_run_gives_nothing() -> None:
    assert points_of(None, 3.0) == (0.0, NOT_EXAMINED)


def test_questions_are_named_by_grade_id_and_by_notebook_where_two_have_the_same() -> None:
    names = question_names([("p1", "a"), ("p1", "b"), ("p2", "a"), ("p2", "c")])
    assert list(names.values()) == ["p1/a", "b", "p2/a", "c"]


def test_record_comes_back_from_its_json() -> None:
    questions = {
        "p1/a": QuestionRecord(1.0, 2.0, "Half.", {"share": 0.5}, "p1", "a", "examiner"),
        "p2/a": QuestionRecord(0.0, 3.0, "Later.", {}, "p2", "a", PERSON, True),
    }
    record = Record("ada", "hw", GRADED, questions=questions, answers={"p2/a": "1f"}, regrade=("p2/a",))
    data = record.to_json()
    assert (data["points"], data["max_points"], data["waiting"]) == (1, 5, 1)
    assert Record.from_json(data) == record
    assert record.of_notebook("p2") == {"a": questions["p2/a"]}


def test_record_of_an_older_schema_is_read() -> None:
    """It is of an assignment with one notebook, named like it."""
    old = {
        "student": "ada", "assignment": "ps", "status": GRADED, "why": "", "repairs": [], "flags": [], "events": [],
        "measures": [], "submission": {"file": "ps.ipynb"}, "schema": 1, "points": 1.0, "max_points": 1.0,
        "questions": {"a": {"points": 1.0, "max_points": 1.0, "reason": "Right.", "facts": {}}},
        "execution": {"keys": ["k0", "k1"], "decided_by": 1},
    }  # fmt: skip
    record = Record.from_json(old)
    assert record.cell_of("a") == ("ps", "a")
    assert record.deciding_keys == {"ps": "k1"}
