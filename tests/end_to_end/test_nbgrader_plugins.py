"""The steps that we add to nbgrader's pipeline do what they say."""

from homework import TASK
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade
from notebooks import markdown, notebook

from grading.nbgrader_plugins import HideHiddenTests, StderrIsNotFailure

HIDDEN = "assert x, 'say so'\n    ### BEGIN HIDDEN TESTS\n    secret = 42\n    ### END HIDDEN TESTS\nprint(1)"


def grade_cell(source: str, *outputs: NotebookNode) -> NotebookNode:
    nbgrader = {"grade": True, "grade_id": "test", "points": 4, "solution": False, "locked": True}
    return new_code_cell(source, metadata={"nbgrader": nbgrader}, outputs=list(outputs))


def test_mark_scheme_of_a_task_is_taken_out_of_the_feedback() -> None:
    cell = markdown("draw", TASK, grade_id="draw", task=True, points=5)
    made, _ = HideHiddenTests().preprocess(notebook(cell), {})
    assert made.cells[0].source == "Draw it.\n\n"


def test_text_on_stderr_costs_no_points() -> None:
    cell = grade_cell("1", new_output("stream", name="stderr", text="I0000 TensorFlow says hello"))
    assert determine_grade(cell) == (0, 4)
    cell, _ = StderrIsNotFailure().preprocess_cell(cell, {}, 0)
    assert determine_grade(cell) == (4, 4)
    assert "TensorFlow says hello" in str(cell.outputs)


def test_exception_still_costs_the_points() -> None:
    cell = grade_cell("1", new_output("error", ename="ValueError", evalue="no", traceback=[]))
    cell, _ = StderrIsNotFailure().preprocess_cell(cell, {}, 0)
    assert determine_grade(cell) == (0, 4)


def test_hidden_tests_stay_hidden_in_source_and_traceback() -> None:
    error = new_output("error", ename="AssertionError", evalue="say so", traceback=["---> secret = 42"])
    cell, _ = HideHiddenTests().preprocess_cell(grade_cell(HIDDEN, error), {}, 0)
    assert "secret" not in str(cell)
    assert "assert x" in cell.source
    assert "print(1)" in cell.source
    assert cell.outputs[0].traceback == ["AssertionError: say so"]


def test_cell_without_hidden_tests_is_left_alone() -> None:
    error = new_output("error", ename="AssertionError", evalue="say so", traceback=["---> assert x"])
    cell, _ = HideHiddenTests().preprocess_cell(grade_cell("assert x, 'say so'", error), {}, 0)
    assert cell.outputs[0].traceback == ["---> assert x"]
