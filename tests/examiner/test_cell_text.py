"""Is a cell read as IPython reads it, and does every statement stay on its line?"""

import ast

import pytest

from grading.examiner.cell_text import read_cell, without


def without_lines(source: str, *lines: int) -> str:
    """The cell without the statements that begin on these lines."""
    text = read_cell(source)
    return without(text, [node for node in text.body if node.lineno in lines])


def kept(source: str, *numbers: int) -> str:
    """The cell with only the statements of these numbers, counted from 0."""
    text = read_cell(source)
    return without(text, [node for number, node in enumerate(text.body) if number not in numbers])


def test_statement_left_out_leaves_its_lines_blank() -> None:
    assert without_lines("a = 1\nb = (\n  2\n)\nc = 3\n", 2) == "a = 1\n\n\n\nc = 3\n"


def test_comments_and_blank_lines_stay() -> None:
    assert (
        without_lines("# first\na = 1\n\n# then\nb = 2  # why\nc = 3\n", 2)
        == "# first\n\n\n# then\nb = 2  # why\nc = 3\n"
    )


def test_decorators_go_with_their_function() -> None:
    assert without_lines("a = 1\n@one\n@two\ndef f():\n    pass\nb = 2\n", 4) == "a = 1\n\n\n\n\nb = 2\n"


def test_nothing_is_left_of_a_cell_without_its_statements() -> None:
    assert without_lines("# why\na = 1\n", 2) == ""
    assert without(read_cell("# only words\n"), []) == ""


@pytest.mark.parametrize(
    ("numbers", "left"),
    [
        ((0,), "a = 1\n"),
        ((1,), "b = 2\n"),
        ((0, 2), "a = 1; c = 3\n"),
        ((1, 2), "b = 2; c = 3\n"),
        ((0, 1, 2), "a = 1; b = 2; c = 3"),
    ],
)
def test_statements_of_one_line_are_parted(numbers: tuple[int, ...], left: str) -> None:
    assert kept("a = 1; b = 2; c = 3", *numbers) == left


def test_statement_over_lines_that_shares_one_keeps_its_lines() -> None:
    source = "a = [1,\n  2]; b = 5\nc = 3\n"
    assert kept(source, 0, 2) == "a = [1,\n  2]\nc = 3\n"
    assert kept(source, 1, 2) == "\nb = 5\nc = 3\n"


def test_strings_with_umlauts_are_parted_at_the_right_place() -> None:
    assert kept("a = 'äöü'; b = 'ß'; c = 3", 0, 2) == "a = 'äöü'; c = 3\n"


def test_lines_of_a_cell_that_begins_with_blank_ones_are_its_own() -> None:
    text = read_cell("\n\nx = 1\n%matplotlib inline\ny = 2\n")
    assert [node.lineno for node in text.body] == [3, 4, 5]


def test_lines_after_a_magic_over_several_lines_are_the_cells() -> None:
    text = read_cell("x = 1\n!pip install \\\n  one \\\n  two\ny = 2\n")
    assert [node.lineno for node in text.body] == [1, 2, 5]


def test_indented_cell_is_read() -> None:
    assert [type(node) for node in read_cell("    x = 1\n    y = 2\n").body] == [ast.Assign, ast.Assign]


def test_pasted_prompts_are_left_out() -> None:
    assert [node.lineno for node in read_cell(">>> x = 1\n>>> y = 2\n").body] == [1, 2]


def test_question_mark_asks_for_help() -> None:
    text = read_cell("f?\nx = 1\n")
    assert "pinfo" in text.lines[0]
    assert text.lines[1] == "x = 1"


def test_waiting_at_the_top_level_is_read() -> None:
    assert read_cell("x = await f()\n").problem == ""


def test_body_of_a_timed_cell_stands_on_its_lines() -> None:
    text = read_cell("\n%%time\nx = 1\n")
    assert (text.magic, [node.lineno for node in text.body]) == ("time", [3])
    assert without(text, []) == "\n\nx = 1"


def test_body_of_another_language_is_not_read() -> None:
    text = read_cell("%%bash\necho 1\n")
    assert (text.magic, text.body, text.problem) == ("bash", (), "")


def test_fault_of_a_cell_is_said_with_its_line() -> None:
    assert read_cell("x = 1\ny = = 2\n").problem == "invalid syntax, line 2"
    assert read_cell("x = 1\0").problem
