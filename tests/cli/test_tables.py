"""The terminal says who got what within its width, and why with the reasons hanging below the name."""

import io

import pytest
from browser import SCREENSHOTS
from rich.cells import cell_len
from rich.console import Console

from grading.cli import tables
from grading.cli.authoring import three_of
from grading.cli.tables import in_sum, legend, print_causes, print_reasons, print_table, table_lines
from grading.records.record import GRADED, QuestionRecord, Record

LONG = tuple(f"test_of_a_question_with_a_long_name_{letter}" for letter in "abcd")


def record(student: str, *points: float, names: tuple[str, ...] = LONG, reason: str = "Right.") -> Record:
    questions = {name: QuestionRecord(each, 2.0, reason) for name, each in zip(names, points, strict=False)}
    return Record(student, "tiny", GRADED, questions=questions)


def test_total_comes_first_and_heads_fit_the_width() -> None:
    lines = table_lines([record("ada", 2, 1, 0, 2)], {}, 80)
    assert lines[0].split() == ["submission", "points", "1", "2", "3", "4"]
    assert lines[1].split() == ["ada", "5/8", "2", "1", "0", "2"]
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(legend([record("ada", 2, 1, 0, 2)], {}, 80)).split()) == ", ".join(
        f"{number} {name}" for number, name in enumerate(LONG, start=1)
    )


def test_names_of_questions_stand_in_the_heads_where_they_fit() -> None:
    short = [record("ada", 2, 1, names=("test_area", "test_iou"))]
    assert table_lines(short, {}, 80)[0].split() == ["submission", "points", "area", "iou"]
    assert legend(short, {}, 80) == []


def test_names_of_people_stand_beside_their_ids() -> None:
    lines = table_lines([record("s001", 2), record("s002", 1)], {"s001": "Ada Lovelace, Countess of Lovelace"}, 80)
    assert (
        lines[1].split("  ")[:2] == ["s001      ", "Ada Lovelace, Countess…"] or "Ada Lovelace, Countess…" in lines[1]
    )
    assert "–" in lines[2]


def test_name_written_from_right_to_left_leaves_the_figures_in_their_places() -> None:
    lines = table_lines([record("s001", 2), record("s002", 1)], {"s001": "دوד", "s002": "Ada"}, 80)
    assert "\u2068دوד\u2069" in lines[1]
    assert len({cell_len(line) for line in lines}) == 1


def test_end_says_mean_and_share() -> None:
    assert in_sum([record("a", 2, 2), record("b", 0, 0)]) == [
        "mean 2.0 of 4 (50%); all points: 1 of 2, none: 1",
    ]


def test_reasons_hang_below_the_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(tables, "console", Console(width=50))
    reason = "area([[1, 2], [3, 4]]) gave 12, which is more than could be in any box of this size."
    print_reasons([record("s001", 1, reason=reason), record("s002", 2)], {"s001": "Ada [x]"})
    name, first, *rest = capsys.readouterr().out.splitlines()
    assert name == "Ada [x] (s001)"
    assert first.startswith("  test_of_a_question_with_a_long_name_a: area(…)")
    assert rest
    assert all(line.startswith("    ") and len(line) <= 50 for line in rest)


def test_causes_of_a_class_are_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    typo = "Nothing came. (Cell 'x' stopped with NameError: name 'a' is not defined)"
    print_causes([record("s001", 0, 0, reason=typo), record("s002", 0, 0, reason=typo), record("s003", 2, 2)])
    said = " ".join(capsys.readouterr().out.split())
    assert said == "8 points, all questions: Nothing came. (NameError: name 'a' is not defined) (s001, s002)"


def test_nothing_in_the_terminal_is_wider_than_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a picture of it is kept."""
    console = Console(width=80, record=True, force_terminal=True, file=io.StringIO())
    monkeypatch.setattr(tables, "console", console)
    typo = "Nothing came of it. (Cell 'train' stopped with NameError: name 'Conv2d' is not defined)"
    class_ = [record("s001", 2, 1, 0, 2), record("s002", 0, 0, 0, 0, reason=typo), record("s003", 2, 2, 2, 2)]
    names = {"s001": "Ada Lovelace", "s002": "José Núñez", "s003": "محمد الخوارزمي"}
    print_table("tiny", class_, names)
    print_reasons(class_[1:], names)
    print_causes(class_)
    assert max(map(cell_len, console.export_text(clear=False).splitlines())) <= 80
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(SCREENSHOTS / "terminal.svg"), title="course grade")


def test_demo_shows_pages_of_the_worst_of_one_half_and_of_the_best() -> None:
    class_ = [record(name, points) for name, points in (("a", 2), ("b", 0), ("c", 1), ("d", 0.5))]
    assert [one.student for one in three_of(class_)] == ["b", "c", "a"]
