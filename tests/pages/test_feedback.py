"""A student can understand a grade from one page, and nothing gets onto it that should not."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from classes import gradebook_rows
from graded_class import STUDENTS, graded_class
from html_page import HtmlPage
from nbgrader.api import Gradebook
from notebooks import ASSIGNMENT

from grading.common.notebooks import is_test
from grading.errors import GradingError
from grading.pages import feedback
from grading.pages.feedback import WITHHELD, About, explain, feedback_page, read_records, write_feedback
from grading.pipeline.run import GradingRun
from grading.records.gradebook import read_grades
from grading.rules.rules import Reasons, Rules
from grading.scoring.explanation import Explanation


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> GradingRun:
    return graded_class(tmp_path_factory.mktemp("feedback"))


@pytest.fixture(scope="module")
def pages(course: GradingRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    assert write_feedback(course, read_records(course), folder) == []
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_everybody_has_a_page(pages: dict[str, str]) -> None:
    assert sorted(pages) == sorted(STUDENTS)


def test_page_says_points_and_reasons(pages: dict[str, str]) -> None:
    text = HtmlPage(pages["bo"]).text
    assert "Feedback for bo" in text
    assert "2 of 5 points" in text
    assert "2 of 4 cases are right" in text
    assert "Share right 0.500 0.9 (points from 0.25)" in text


@pytest.mark.parametrize(
    ("reasons", "due", "withheld"),
    [
        (Reasons.at_once, None, False),
        (Reasons.never, datetime(2020, 1, 1, tzinfo=UTC), True),
        (Reasons.after_due, datetime(2020, 1, 1, tzinfo=UTC), False),
        (Reasons.after_due, datetime(2999, 1, 1, tzinfo=UTC), True),
        (Reasons.after_due, None, True),
    ],
)
def test_reasons_of_hidden_tests_are_shown_when_the_rules_say(
    course: GradingRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reasons: Reasons,
    due: datetime | None,
    withheld: bool,
) -> None:
    rules = SimpleNamespace(of=lambda name: Rules(name, due=due, reasons=reasons))
    monkeypatch.setattr(feedback, "hand_in_rules", lambda folder: rules)
    for cell in filter(is_test, course.assignment.notebooks[0].kept.cells):
        monkeypatch.setitem(cell, "source", f"{cell.source}\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS")
    write_feedback(course, [one for one in read_records(course) if one.student in ("bo", "gil")], tmp_path)
    bo, gil = (HtmlPage((tmp_path / f"{one}.html").read_text()).text for one in ("bo", "gil"))
    assert ("2 of 4 cases are right" in bo) is not withheld
    assert ("NameError: name 'widht' is not defined" in gil) is not withheld
    assert (WITHHELD in bo) is withheld
    assert "2 of 5 points" in bo  # points are always shown


def test_student_who_misspelt_a_name_is_shown_the_line_and_what_was_meant(pages: dict[str, str]) -> None:
    seen = HtmlPage(pages["gil"])
    assert "0 of 5 points" in seen.text
    assert "What stopped your work NameError: name 'widht' is not defined" in seen.text
    assert "Did you mean width ?" in seen.text
    assert "In your cell area , line 4" in seen.text
    assert "→ 4 return widht * height" in seen.text
    assert seen.text.count("What to do:") == 1
    assert "As for test_area." in seen.text or "See above what stopped your work." in seen.text


def test_one_who_was_right_reads_of_nothing_that_stopped(pages: dict[str, str]) -> None:
    assert "What stopped your work" not in pages["ann"]
    assert "All points: well done." in pages["ann"]


def test_name_and_times_are_on_the_page(course: GradingRun) -> None:
    (record,) = [record for record in read_records(course) if record.student == "bo"]
    handed_in = replace(record, submission={**record.submission, "timestamp": "2026-11-20 14:03:55 UTC"})
    about = About("Bo Diddley", datetime(2026, 11, 20, 12, tzinfo=UTC))
    text = HtmlPage(feedback_page(course, handed_in, None, explain(course, record) or Explanation(), about)).text
    assert (
        "Feedback for Bo Diddley bo · Handed in 2026-11-20 14:03:55 UTC · due 2026-11-20 12:00 UTC · 2 hours late"
        in text
    )


def test_refusal_says_why_and_what_to_do(pages: dict[str, str]) -> None:
    text = HtmlPage(pages[STUDENTS[3]]).text
    assert "It could not be graded." in text
    assert "0 of 5 points" in text
    assert "hand it in again" in text


def test_pictures_and_tables_are_in_the_page_itself(pages: dict[str, str]) -> None:
    seen = HtmlPage(pages["ann"])
    (picture,) = [attributes for tag, attributes in seen.tags if tag == "img"]
    assert (picture["src"] or "").startswith("data:image/jpeg;base64,")
    assert picture["alt"] == "IoU 0.25: a cat, predicted as dog"
    assert "cat 0.250" in seen.text


def test_box_that_leaves_the_picture_is_cut_at_its_edge(pages: dict[str, str]) -> None:
    rectangles = [attributes for tag, attributes in HtmlPage(pages["ann"]).tags if tag == "rect"]
    assert (rectangles[-1]["x"], rectangles[-1]["width"]) == ("0.0", "100.0")


def test_repairs_are_told_on_the_page(pages: dict[str, str]) -> None:
    assert "What was repaired in your notebook" in pages["fay"]
    assert "What was repaired in your notebook" not in pages["ann"]


@pytest.mark.parametrize("student", STUDENTS)
def test_page_needs_nothing_but_itself(pages: dict[str, str], student: str) -> None:
    for tag, attributes in HtmlPage(pages[student]).tags:
        assert tag not in ("script", "iframe", "object", "embed", "link", "form", "base"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            assert name not in ("src", "href", "srcset", "action") or (value or "").startswith("data:image/"), value


def test_students_words_are_shown_as_text(pages: dict[str, str]) -> None:
    seen = HtmlPage(pages["eve"])
    assert "window.attacked" in seen.text
    assert "script" not in {tag for tag, _ in seen.tags}


def test_browser_may_do_nothing_that_the_page_does_not_need(pages: dict[str, str]) -> None:
    (policy,) = [
        a["content"] for tag, a in HtmlPage(pages["eve"]).tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in (policy or "")
    assert "script-src 'none'" in (policy or "")


def test_page_shows_nobody_else_and_no_hidden_test(pages: dict[str, str]) -> None:
    assert not {"ann", "fay", "eve"} & set(re.findall(r"\w+", HtmlPage(pages["bo"]).text))
    assert "EXPECTED" not in pages["bo"]
    assert "BOXES" not in pages["bo"]


def test_manual_grade_and_comment_show(course: GradingRun, tmp_path: Path) -> None:
    before = gradebook_rows(course.folder)
    with Gradebook(course.db_url) as gradebook:
        notebook = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "bo")
        grade = next(grade for grade in notebook.grades if grade.name == "test_sum")
        grade.manual_score = 2.5
        next(iter(notebook.comments)).manual_comment = "Nearly <there>!"
        gradebook.db.commit()
        (record,) = [record for record in read_records(course) if record.student == "bo"]
        grades = read_grades(course.db_url, course.course_id, ASSIGNMENT)["bo"]
        text = HtmlPage(feedback_page(course, record, grades, explain(course, record))).text
        grade.manual_score = None
        gradebook.db.commit()
    assert "2.5 of 5 points" in text
    assert "Graded by hand." in text
    assert "Nearly <there>!" in text
    assert gradebook_rows(course.folder) == before


def test_same_results_are_the_same_bytes(course: GradingRun, pages: dict[str, str], tmp_path: Path) -> None:
    write_feedback(course, [record for record in read_records(course) if record.student == "ann"], tmp_path)
    assert (tmp_path / "ann.html").read_text(encoding="utf-8") == pages["ann"]


def test_page_is_written_without_pictures_where_answers_are_gone(course: GradingRun, tmp_path: Path) -> None:
    records = [record for record in read_records(course) if record.student == "ann"]
    lost = [replace(record, execution={**record.execution, "keys": ["0" * 64]}) for record in records]
    assert write_feedback(course, lost, tmp_path) == ["ann"]
    assert "<img" not in (tmp_path / "ann.html").read_text()


def test_student_who_was_not_graded_is_named(course: GradingRun) -> None:
    with pytest.raises(GradingError, match="nothing of zoe has been graded"):
        read_records(replace(course, options=replace(course.options, students=["ann", "zoe"])))
