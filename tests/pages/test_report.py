"""An instructor sees a class at a glance: how it went, which questions worked, whom to look at."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from graded_class import STUDENTS, graded_class
from html_page import HtmlPage

from grading.common.names import ROSTER
from grading.pages.causes import cause_of, causes, failures, group
from grading.pages.feedback import read_records, write_feedback
from grading.pages.page import LINES
from grading.pages.report import FEW, Hint, question_statistics, write_report
from grading.pipeline.run import GradingRun
from grading.records.record import GRADED, QuestionRecord, Record
from grading.records.results import Result, result_of


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> GradingRun:
    return graded_class(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(course: GradingRun) -> Path:
    folder = course.folder / "reports"
    records = read_records(course)
    write_feedback(course, records, folder / "feedback")
    return write_report(course, records, folder, [Hint(("ann", "fay"), "100 % of ann's own words")])


def record(student: str, *points: float) -> Record:
    return Record(student, "a", GRADED, questions={f"q{n}": QuestionRecord(p, 2.0, "") for n, p in enumerate(points)})


def test_everybody_is_in_the_table_with_links_that_lead_somewhere(page: Path) -> None:
    links = [a["href"] or "" for tag, a in HtmlPage(page.read_text()).tags if tag == "a"]
    targets = [page.parent / unquote(link) for link in links if not link.startswith("#")]
    assert {page.parent / "feedback" / f"{student}.html" for student in STUDENTS} <= set(targets)
    assert sum(target.name == "record.json" for target in targets) == len(STUDENTS)
    assert [target for target in targets if not target.is_file()] == []


def test_names_are_shown_as_they_are(page: Path) -> None:
    seen = HtmlPage(page.read_text())
    assert all(student in seen.text for student in STUDENTS)
    assert "i" not in {tag for tag, _ in seen.tags}


def test_status_flags_and_hints_are_said(page: Path) -> None:
    text = HtmlPage(page.read_text()).text
    assert "7 submissions: 6 graded, 1 refused." in text
    assert "ann : all of it is right: look" in text
    assert "ann and fay : 100 % of ann's own words" in text
    assert "never a verdict" in text


def test_points_and_each_measure_have_a_plot(page: Path) -> None:
    labels = [a["aria-label"] or "" for tag, a in HtmlPage(page.read_text()).tags if a.get("role") == "img"]
    assert [label.partition(":")[0] for label in labels] == ["Points", "Share right"]
    assert page.read_text().count("<svg") == 2


def test_no_script_may_run_but_the_tables_own(page: Path) -> None:
    seen = HtmlPage(page.read_text())
    assert [tag for tag, _ in seen.tags].count("script") == 1
    (policy,) = [a["content"] or "" for _, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert re.search(r"script-src 'sha256-[\w+/=]+'$", policy)


def test_same_class_is_the_same_bytes(course: GradingRun, page: Path) -> None:
    before = page.read_bytes()
    write_report(course, read_records(course), page.parent, [Hint(("ann", "fay"), "100 % of ann's own words")])
    assert page.read_bytes() == before


def test_difficulty_and_discrimination_are_those_of_the_textbook() -> None:
    """Twice ten submissions: the first two questions go against each other, everybody has the third."""
    points = [
        (0, 2, 2),
        (0, 2, 2),
        (0, 2, 2),
        (0, 2, 2),
        (0, 2, 2),
        (2, 0, 2),
        (2, 0, 2),
        (2, 0, 2),
        (2, 0, 2),
        (2, 2, 2),
    ]
    records = [record(str(n), *row) for n, row in enumerate(points * 2)]
    assert len(records) == FEW
    first, second, third = question_statistics(records, {"q0": 2.0, "q1": 2.0, "q2": 2.0})
    assert (first.difficulty, first.full, first.zero) == (0.5, 0.5, 0.5)
    assert second.difficulty == pytest.approx(0.6)
    # Pearson's r of (0,0,0,0,0,2,2,2,2,2) with (4,4,4,4,4,2,2,2,2,4)
    assert first.discrimination == pytest.approx(-0.816497, abs=1e-6)
    assert second.discrimination == pytest.approx(-0.816497, abs=1e-6)
    assert third.discrimination is None


def results_of(*records: Record) -> dict[str, Result]:
    return {record.student: result_of(record, None) for record in records}


def lost(student: str, *questions: tuple[float, str]) -> Record:
    return Record(
        student, "a", GRADED, questions={f"q{n}": QuestionRecord(p, 2.0, why) for n, (p, why) in enumerate(questions)}
    )


def test_causes_are_grouped_by_question_and_the_costliest_comes_first() -> None:
    typo = "There is no model. (Cell 'train' stopped with NameError: name '{}' is not defined)"
    class_ = [
        lost("ann", (2, "Right."), (1, "1 of 2 cases are right. f(3) gave 4, not 5.")),
        lost("bo", (0, typo.format("Conv2d")), (0, typo.format("Conv2d"))),
        lost("cy", (0, typo.format("Dens")), (0, typo.format("Dens"))),
    ]
    first, second = causes(class_, results_of(*class_))
    assert (first.questions, first.students, first.lost) == (("q0", "q1"), ("bo", "cy"), 8.0)
    assert first.what == "There is no model. (NameError: name … is not defined)"
    assert (second.questions, second.students, second.lost) == (("q1",), ("ann",), 1.0)
    assert second.what == "1 of 2 cases are right."


def test_arrays_in_reasons_do_not_fill_the_page() -> None:
    reason = "1 of 3 cases are right. f([[-12, 170], [ 106., nan]]) gave [[nan, 3, n… g([[1, 2], [3,…"
    assert cause_of(reason) == "1 of 3 cases are right. f(…) gave […]"
    assert cause_of("12 0.0 -3 4 of 6 cases are right.") == "… of 6 cases are right."
    assert cause_of("0 of 4. f(1) raised TypeError: 'x' and 'y' 0.0 0 12 3 of 6 cases") == "TypeError: 'x' and 'y'"


def test_class_without_losses_has_no_causes() -> None:
    everything = lost("ann", (2, "Right."))
    assert causes([everything], results_of(everything)) == []


def test_refusal_is_a_cause_too(page: Path) -> None:
    text = HtmlPage(page.read_text()).text
    assert "all questions refused: " in text


def test_names_of_the_roster_are_shown_and_who_is_missing(course: GradingRun, tmp_path: Path) -> None:
    roster = course.folder / ROSTER
    roster.write_text("id,first name,last name\nann,Ann,Arbor\nzoe,Zoë,Brontë\n", encoding="utf-8")
    try:
        named = HtmlPage(write_report(course, read_records(course), tmp_path).read_text()).text
        hidden = HtmlPage(write_report(course, read_records(course), tmp_path, names={}).read_text()).text
    finally:
        roster.unlink()
    assert "1 has not handed in: Zoë Brontë." in named
    assert "Ann Arbor ann" in named
    assert "Arbor" not in hidden
    assert "1 has not handed in: zoe." in hidden


def test_lines_mean_the_same_on_report_and_feedback(page: Path) -> None:
    sentence = "A full line marks where all points are given, a dotted one where points start."
    feedback = (page.parent / "feedback" / "ann.html").read_text()
    assert sentence in page.read_text()
    assert sentence in feedback
    assert LINES == {"all points": "-", "points start": ":"}
    assert ".bar i.start { border-left-style: dotted; }" in feedback


def test_small_class_has_no_discrimination() -> None:
    statistics = question_statistics([record("a", 0, 2), record("b", 2, 0)], {"q0": 2.0, "q1": 2.0})
    assert [question.discrimination for question in statistics] == [None, None]


def test_sentences_that_differ_in_numbers_only_are_one_group() -> None:
    groups = group([("used 512 MiB", "a"), ("used 90.5 MiB", "b"), ("died", "c"), ("used 1 MiB", "a")])
    assert [(item.what, item.students) for item in groups] == [("used … MiB", ["a", "b"]), ("died", ["c"])]


def test_cause_of_each_failure_is_there(course: GradingRun) -> None:
    said = {cause.what: cause.students for cause in failures(read_records(course))}
    assert any(what.startswith("refused: ") and list(names) == [STUDENTS[3]] for what, names in said.items())


def test_class_of_which_nobody_was_graded_is_no_error(course: GradingRun, tmp_path: Path) -> None:
    refused = [record for record in read_records(course) if record.status != GRADED]
    assert "Nothing was flagged" in write_report(course, refused, tmp_path).read_text()
