"""Who has no points gets the most help: the line, the name that was meant, what a tutor would say, the case."""

from typing import cast

import pytest

from grading.pages.cases import boxes_in, told
from grading.pages.cells import GradedWork, StudentCell
from grading.pages.glossary import definitions, words_used
from grading.pages.help import UNTOUCHED, advice_of, stops_of
from grading.pages.meant import meant, nearest
from grading.pages.stopped import Failure, stops
from grading.pages.tutor import MISTAKES, MOST, advice_on, first_few
from grading.pipeline.run import GradingRun
from grading.records.record import GRADED, QuestionRecord, Record
from grading.records.results import result_of
from grading.scoring.explanation import Explanation

CELL = StudentCell("c1", "area", "def area(box):\n    x = 1\n    return Conv2d(box)")
OTHER = StudentCell("c2", "iou", "def iou(a, b):\n    return area(a)")
IPYTHON = """\x1b[31mNameError\x1b[39m                Traceback (most recent call last)
\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[2]\x1b[39m\x1b[32m, line 2\x1b[39m
\x1b[32m      1\x1b[39m y = \x1b[32m2\x1b[39m
\x1b[32m----> \x1b[39m\x1b[32m2\x1b[39m \x1b[38;5;28mprint\x1b[39m(area(\x1b[32m3\x1b[39m))
\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[1]\x1b[39m\x1b[32m, line 3\x1b[39m, in \x1b[36marea\x1b[39m(box)
\x1b[32m      2\x1b[39m     x = \x1b[32m1\x1b[39m
\x1b[32m----> \x1b[39m\x1b[32m3\x1b[39m     \x1b[38;5;28;01mreturn\x1b[39;00m \x1b[30;43mConv2d\x1b[39;49m(box)
\x1b[31mNameError\x1b[39m: name 'Conv2d' is not defined"""
PLAIN = """Traceback (most recent call last):
  File "test_area", line 3, in <module>
    points_for(area)
  File "<cell>", line 2, in iou
    return area(a)
ZeroDivisionError: division by zero"""
SYNTAX = """  \x1b[36mCell\x1b[39m \x1b[32mIn[3]\x1b[39m\x1b[32m, line 2\x1b[39m
\x1b[31m    \x1b[39m\x1b[31mreturn 3\x1b[39m
    ^
IndentationError: expected an indented block"""


def test_untouched_work_is_told_so_and_where_to_begin() -> None:
    reasons = ["NotImplementedError: Replace this line"] * 2
    questions = {f"q{n}": QuestionRecord(0.0, 2.0, reason) for n, reason in enumerate(reasons)}
    record = Record("ann", "a", GRADED, questions=questions, submission={"changed": False})
    result = result_of(record, None)
    (stop,) = stops_of(cast(GradingRun, None), record, GradedWork(), result.questions)
    assert (stop.said, stop.advice) == ("Nothing was filled in", UNTOUCHED)
    assert advice_of(record, Explanation(), result, [stop]) == []


def test_line_of_the_students_cell_is_found_in_jupyters_traceback() -> None:
    failure = Failure("NameError: name 'Conv2d' is not defined", "train", IPYTHON, "train")
    (stop,) = stops([failure], [], [CELL, OTHER], ["from keras.layers import Conv2D, Dense", CELL.source])
    assert (stop.cells, stop.cell, stop.line, stop.where) == (("area",), "c1", 3, "train")
    assert stop.meant == "Conv2D"
    assert "capitals" in stop.advice


def test_line_is_found_in_the_traceback_of_a_test() -> None:
    (stop,) = stops([Failure("ZeroDivisionError: division by zero", "", PLAIN)], [], [CELL, OTHER], [])
    assert (stop.cell, stop.line) == ("c2", 2)


def test_line_of_a_cell_that_python_cannot_read_is_found() -> None:
    cell = StudentCell("c3", "f", "def f():\nreturn 3")
    (stop,) = stops([Failure("IndentationError: expected an indented block", "f", SYNTAX, "c3")], [], [cell], [])
    assert (stop.line, stop.where) == (2, "")


def test_traceback_that_lies_marks_no_line() -> None:
    forged = '  File "<cell>", line 2, in area\n    return everything\nValueError: x'
    (stop,) = stops([Failure("ValueError: x", "area", forged, "c1")], [], [CELL], [])
    assert (stop.line, stop.cells) == (None, ("area",))


def test_exception_that_a_test_tells_of_is_found_without_a_traceback() -> None:
    raised = "0 of 2 cases are right. area([1, 2]) raised NameError: name 'Conv2d' is not defined"
    reasons = [f"{raised} {raised} The test gives 0 of 3 points.", "case 1: NameError: name 'Conv2d' is not defined"]
    (stop,) = stops([], reasons, [CELL, OTHER], [])
    assert (stop.said, stop.cell, stop.line) == ("NameError: name 'Conv2d' is not defined", "c1", 3)


def test_same_mistake_in_several_cells_is_said_once() -> None:
    stub = "def {}():\n    raise NotImplementedError('Replace this line')"
    cells = [StudentCell(name, name, stub.format(name)) for name in ("f", "g")]
    text = "    raise NotImplementedError('Replace this line')\nNotImplementedError: Replace this line"
    found = [
        Failure("NotImplementedError: Replace this line", name, f'  File "<cell>", line 2, in {name}\n{text}', name)
        for name in ("f", "g")
    ]
    (stop,) = stops(found, [], cells, [])
    assert stop.line == 2
    assert "write your answer" in stop.advice


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("NameError: name 'heigth' is not defined", "height"),
        ("AttributeError: module 'numpy' has no attribute 'maximun'", "maximum"),
        ("AttributeError: 'list' object has no attribute 'appendd'", "append"),
        ("AttributeError: 'numpy.ndarray' object has no attribute 'shapes'", "shape"),
        ("NameError: name 'xyzzy' is not defined", ""),
        ("AttributeError: module 'os' has no attribute 'sistem'", ""),
        ("ValueError: no names here", ""),
    ],
)
def test_meant_name_is_the_nearest_that_is_known(said: str, name: str) -> None:
    assert meant(said, ["height = 3\nwidth = 4", "not python ((("]) == name


def test_name_that_differs_in_capitals_only_comes_before_nearer_letters() -> None:
    assert nearest("conv2d", ["conv2", "Conv2D"]) == "Conv2D"


SAYINGS = {
    "nothing filled in": "NotImplementedError: Replace this line with your code",
    "a name before it has a value": "UnboundLocalError: cannot access local variable 'x'",
    "a name that is not there": "NameError: name 'x' is not defined",
    "None came back": "TypeError: 'NoneType' object is not subscriptable",
    "order of the heads": "The two heads are in the other order: swapped.",
    "shapes": "ValueError: operands could not be broadcast together with shapes (4,) (3,)",
    "indentation": "IndentationError: unexpected indent",
    "syntax": "SyntaxError: '(' was never closed",
    "number of arguments": "TypeError: area() missing 1 required positional argument: 'box'",
    "types mixed": "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "division by zero": "ZeroDivisionError: division by zero",
    "index": "IndexError: list index out of range",
    "key": "KeyError: 'boxes'",
    "attribute": "AttributeError: 'int' object has no attribute 'shape'",
    "never ends": "CellTimeoutError: This cell was interrupted: it ran for more than 60 s.",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "memory or a dead kernel": "the kernel died: the process ended itself with exit status 3",
    "import": "ModuleNotFoundError: No module named 'torch'",
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_each_frequent_mistake_has_its_own_advice(mistake: object) -> None:
    assert advice_on(SAYINGS[mistake.name]) == mistake.advice  # type: ignore[attr-defined]


def test_other_mistakes_get_no_advice_rather_than_a_wrong_one() -> None:
    assert advice_on("ValueError: not today") == ""


def test_advice_stops_at_three() -> None:
    assert first_few(["a", "", "b", "a", "c", "d"]) == ["a", "b", "c"]
    assert MOST == 3


def test_case_that_came_out_wrong_is_taken_out_of_the_reason() -> None:
    said = told("9 of 12 cases are right. area([1, 1, 6., 5]) gave 12, not 20. The test gives 1 of 3 points.")
    (case,) = said.cases
    assert (case.call, case.yours, case.expected, case.drawing) == ("area([1, 1, 6., 5])", "12", "20", None)
    assert said.words == "9 of 12 cases are right. The test gives 1 of 3 points."


def test_exception_without_a_message_is_not_mixed_with_what_the_test_says_next() -> None:
    reason = (
        "0 of 2 right. f([1]) raised NotImplementedError: 0 of 6 cases. f([2]) raised NotImplementedError: The test"
    )
    (stop,) = stops([], [reason + " gives 0 of 3 points."], [], [])
    assert stop.said == "NotImplementedError"


def test_numbers_that_were_printed_meanwhile_do_not_fill_the_reason() -> None:
    assert told("12064 4183 116 0.0 0 of 12 cases are right.").words == "… of 12 cases are right."
    assert told("9 of 12 cases are right.").words == "9 of 12 cases are right."


def test_exception_of_a_test_is_kept_apart_from_that_of_a_cell() -> None:
    found = stops([], ["ValueError: two outputs are wanted (Cell 'train' stopped with TypeError: x is None)"], [], [])
    assert [stop.said for stop in found] == ["ValueError: two outputs are wanted", "TypeError: x is None"]


def test_place_is_kept_and_advice_given_once() -> None:
    shapes = "ValueError: Arguments must have the same shape."
    found = stops([Failure(shapes, "train")], [shapes, "ValueError: the outputs must have shapes (4,)"], [], [])
    assert [(stop.where, bool(stop.advice)) for stop in found] == [("train", True), ("", False)]


def test_order_of_the_heads_is_advised_on_beside_what_stopped() -> None:
    reason = "The two heads are swapped: the first output is a box."
    record = Record("ann", "a", GRADED, questions={"q": QuestionRecord(0.0, 2.0, reason)}, submission={"changed": True})
    advice = advice_of(record, Explanation(advice=("Train longer.",)), result_of(record, None), [])
    assert advice == [advice_on(reason), "Train longer."]


def test_case_that_was_cut_off_is_left_out() -> None:
    assert told("1 of 2 right. f([[1, 2], [3., nan],… The test gives 0.").words == "1 of 2 right. The test gives 0."


def test_reason_without_a_case_stays_as_it_is() -> None:
    assert told("case 7: the value is not right").words == "case 7: the value is not right"


def test_boxes_are_drawn_where_the_test_cell_says_that_they_are_some() -> None:
    (case,) = told("iou([1, 1, 6, 5], [6, 5, 1, 1]) gave 0.2, not 0.", boxes=True).cases
    assert case.degenerate
    assert (case.drawing or "").count("<rect") == 2
    assert 'aria-label="a (1, 1, 6, 5); b (6, 5, 1, 1), which covers nothing"' in (case.drawing or "")
    assert 'class="second empty"' in (case.drawing or "")


@pytest.mark.parametrize(
    "call", ["f([1, 2, 3])", "f(__import__)", "f([[1, 2, 3, NaN]])", "f([1, 2, 3, 4], 5)", "f([])", "f(1e999)"]
)
def test_something_else_than_a_box_is_not_drawn(call: str) -> None:
    assert boxes_in(call) == []


def test_word_is_explained_by_the_sentence_of_the_lesson_that_defines_it() -> None:
    text = "## Area\n\nLook out. When `xmax` is small, the box is **degenerate**: it covers nothing. **Both** count."
    known = definitions([text])
    assert known == {"degenerate": "When xmax is small, the box is degenerate: it covers nothing."}
    assert words_used(["2 of 4 cases with degenerate boxes are right."], known) == list(known.items())
    assert words_used(["All is right."], known) == []
