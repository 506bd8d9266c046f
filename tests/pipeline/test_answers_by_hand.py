"""Do answers that only a person can grade wait for that person, and does what was given stand?"""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from homework import (
    NAME,
    course,
    give,
    good_work,
    gradebook,
    graded,
    hand_in,
    opened,
    pass_tests,
    solved,
)
from nbconvert.exporters import HTMLExporter

from grading.cli.grade import describe, print_grades
from grading.pages.feedback import read_records, write_feedback
from grading.pages.grades import grades_of
from grading.pages.report import write_report
from grading.pipeline import grade as module
from grading.records.gradebook import GradebookWriter
from grading.records.record import FAILED, TestResult, read_record

pytestmark = pytest.mark.usefixtures("bubblewrap")

ANSWERS = ["use", "two/part-a", "draw"]
SCHEME = "A point for each axis."


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = course(tmp_path_factory.mktemp("template") / "course")
    hand_in(folder, "ada", good_work(folder))
    pass_tests(folder, {"part-a": TestResult(True), "sum": TestResult(True)})
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "course")
    return tmp_path / "course"


def row(folder: Path, notebook: str, grade_id: str) -> tuple[float | None, float | None, bool]:
    """Automatic and manual points of Ada's, and whether nbgrader wants a person's."""
    with gradebook(folder) as book:
        found = book.find_grade(grade_id, notebook, NAME, "ada")
        return found.auto_score, found.manual_score, found.needs_manual_grade


def test_answers_and_tasks_wait_for_a_person(folder: Path) -> None:
    record = graded(folder)["ada"]
    assert record.waiting == ANSWERS
    assert record.points == 3  # the tests'
    assert row(folder, "one", "use") == row(folder, "two", "draw") == (None, None, True)
    with gradebook(folder) as book:
        assert book.find_submission(NAME, "ada").needs_manual_grade


def test_answer_that_is_as_released_gets_nothing_and_does_not_wait(folder: Path) -> None:
    """Only a task waits even so: nobody can tell where its answer stands."""
    hand_in(folder, "ada", {name: solved(folder, name[:3], {}) for name in ("one.ipynb", "two.ipynb")})
    record = graded(folder)["ada"]
    assert record.waiting == ["draw"]
    assert record.questions["use"].reason == "There is no answer: the cell is as it was released."
    assert row(folder, "two", "part-a") == (0, None, False)
    with gradebook(folder) as book:
        assert book.find_comment("use", "one", NAME, "ada").auto_comment == "No response."
        assert book.find_comment("draw", "two", NAME, "ada").auto_comment is None


def test_points_of_a_person_count_and_are_never_overwritten(folder: Path, executed: list[str]) -> None:
    give(folder, "ada", "one", "use", 2.5, "nearly")
    record = graded(folder)["ada"]
    assert (record.questions["use"].points, record.questions["use"].waits) == (2.5, False)
    assert record.waiting == ANSWERS[1:]
    assert record.points == 5.5
    assert row(folder, "one", "use") == (None, 2.5, False)
    with gradebook(folder) as book:
        assert book.find_comment("use", "one", NAME, "ada").manual_comment == "nearly"
    assert executed == []


def test_answer_that_changed_since_it_was_graded_waits_again_and_its_points_stand(folder: Path) -> None:
    give(folder, "ada", "two", "part-a", 3.0)
    give(folder, "ada", "one", "use", 1.0)
    give(folder, "ada", "two", "draw", 5.0)
    assert graded(folder)["ada"].waiting == []
    hand_in(folder, "ada", good_work(folder, **{"part-a": "Because of 2.", "+draw": "A better drawing."}))
    record = graded(folder)["ada"]
    assert record.waiting == ["two/part-a", "draw"]
    assert row(folder, "two", "part-a") == (None, 3.0, True)
    assert row(folder, "one", "use") == (None, 1.0, False)  # its answer is the same
    assert record.questions["draw"].points == 5


def test_answer_that_was_graded_again_does_not_wait_a_second_time(folder: Path) -> None:
    give(folder, "ada", "two", "part-a", 3.0)
    graded(folder)
    hand_in(folder, "ada", good_work(folder, **{"part-a": "Because of 2."}))
    graded(folder)
    give(folder, "ada", "two", "part-a", 4.0)
    for _ in range(2):
        assert graded(folder)["ada"].waiting == ["use", "draw"]
    assert row(folder, "two", "part-a") == (None, 4.0, False)


def test_changed_answer_waits_though_the_run_ended_before_the_gradebook_knew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    give(folder, "ada", "two", "part-a", 3.0)
    graded(folder)
    hand_in(folder, "ada", good_work(folder, **{"part-a": "Because of 2."}))
    with monkeypatch.context() as patch:
        patch.setattr(GradebookWriter, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            graded(folder)
    assert row(folder, "two", "part-a")[2] is False
    assert "two/part-a" in graded(folder)["ada"].waiting
    assert row(folder, "two", "part-a")[2] is True


def test_same_answer_does_not_wait_again_though_grading_had_failed_in_between(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(folder, "ada", "two", "part-a", 3.0)
    graded(folder)
    with monkeypatch.context() as patch:
        patch.setattr(module, "score", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        hand_in(folder, "ada", good_work(folder, **{"+draw": "Another drawing."}))
        assert graded(folder)["ada"].status == FAILED
    record = graded(folder)["ada"]
    assert row(folder, "two", "part-a")[2] is False  # the same answer as before: it is not asked for again
    assert record.answers.keys() == set(ANSWERS)


def test_answer_of_which_nothing_is_known_any_more_waits_again(folder: Path) -> None:
    give(folder, "ada", "two", "part-a", 3.0)
    shutil.rmtree(folder / "autograded")
    assert "two/part-a" in graded(folder)["ada"].waiting


def test_table_inspection_and_last_words_say_what_waits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = graded(folder)["ada"]
    print_grades(NAME, [record], {})
    said = capsys.readouterr().out
    assert re.search(r"ada +3/15, 3 wait +2 +waits +waits +waits +1\b", said)
    assert "3 answers wait for a person: use (1), two/part-a (1), draw (1)" in said
    assert record.to_json()["waiting"] == 3
    assert any(line.endswith("A person grades this answer. It waits for that.") for line in describe(record))


@pytest.fixture
def pages(folder: Path) -> tuple[str, str]:
    """The feedback page and the report, after one answer was graded."""
    give(folder, "ada", "one", "use", 2.5, "nearly")
    run = opened(folder)
    records = read_records(run)
    write_feedback(run, records, folder / "reports" / "feedback")
    report = write_report(run, records, folder / "reports")
    return (folder / "reports" / "feedback" / "ada.html").read_text(), report.read_text()


def test_feedback_shows_answers_and_says_what_waits(pages: tuple[str, str]) -> None:
    page = re.sub(r"\s+", " ", pages[0])
    assert "2 answers wait for a person to grade them" in page
    assert "Because." in page
    assert "My drawing." in page
    assert "<code>two/part-a</code>" in page
    assert "waits, 5" in page
    assert "nearly" in page
    assert "5.5</span> of 15" in page


def test_no_mark_scheme_and_no_hidden_test_reaches_a_page_of_a_student(folder: Path, pages: tuple[str, str]) -> None:
    for secret in (SCHEME, "square(4)"):
        assert secret not in pages[0]
        for notebook in opened(folder).assignment.notebooks:
            assert secret not in nbformat.writes(notebook.released)


def test_report_says_how_many_answers_wait(pages: tuple[str, str]) -> None:
    report = re.sub(r"\s+", " ", pages[1])
    assert "2 answers wait for a person</strong>, to be graded in the formgrader: two/part-a (1), draw (1)." in report


def test_export_has_points_and_a_comment_for_what_waits(folder: Path) -> None:
    give(folder, "ada", "one", "use", 2.5)
    (grade,) = grades_of(opened(folder))
    assert (grade.points, grade.max_points) == (5.5, 15)
    assert "two/part-a: waits for a person." in grade.comment
    assert "use: 2.5 of 3. Graded by hand." in grade.comment


def test_graders_see_the_mark_scheme_in_the_executed_notebook(folder: Path) -> None:
    graded(folder)
    made = nbformat.read(folder / "autograded" / "ada" / NAME / "two.ipynb", as_version=4)
    nbformat.validate(made)
    (task,) = [cell for cell in made.cells if cell.id == "draw"]
    assert SCHEME in task.source
    assert any(cell.source == "My drawing." for cell in made.cells)


def test_record_is_written_again_when_a_person_has_graded(folder: Path) -> None:
    give(folder, "ada", "one", "use", 2.5)
    graded(folder)
    record = read_record(folder / "autograded" / "ada" / NAME)
    assert record is not None
    assert (record.points, record.waiting) == (5.5, ANSWERS[1:])


def test_picture_that_changes_is_a_changed_answer_and_graders_see_it(folder: Path) -> None:
    def drawn(content: str) -> None:
        work = good_work(folder)
        (cell,) = [cell for cell in work["two.ipynb"].cells if cell.id == "own-draw"]  # type: ignore[union-attr]
        cell.source, cell.attachments = "![it](attachment:it.png)", {"it.png": {"image/png": content}}
        hand_in(folder, "ada", work)

    drawn("AAAA")
    graded(folder)
    give(folder, "ada", "two", "draw", 5.0)
    assert "draw" not in graded(folder)["ada"].waiting
    drawn("BBBB")
    assert "draw" in graded(folder)["ada"].waiting
    html, _ = HTMLExporter().from_filename(str(folder / "autograded" / "ada" / NAME / "two.ipynb"))
    assert "data:image/png;base64,BBBB" in html
