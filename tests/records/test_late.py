"""Is what is handed in late treated as nbgrader's own plug-in says, notebook by notebook?"""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from homework import NAME, course, give, good_work, gradebook, graded, hand_in, opened, pass_tests
from nbgrader.api import SubmittedNotebook

from grading.records.gradebook import read_grades
from grading.records.record import FAILED, GRADED, TestResult

pytestmark = pytest.mark.usefixtures("bubblewrap")

DUE = datetime(2026, 3, 1, 12)
HOURLY = """
from nbgrader.plugins import LateSubmissionPlugin


class Hourly(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {returned}


c.AssignLatePenalties.plugin_class = Hourly
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada's work, handed in two hours late: 3 points by tests, 2 by a person."""
    folder = course(tmp_path_factory.mktemp("template") / "course")
    target = hand_in(folder, "ada", good_work(folder))
    (target / "timestamp.txt").write_text("2026-03-01 14:00:00 UTC\n")
    pass_tests(folder, {"part-a": TestResult(True), "sum": TestResult(True)})
    with gradebook(folder) as book:
        book.find_assignment(NAME).duedate = DUE
        book.db.commit()
    give(folder, "ada", "one", "use", 2.0)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "course")
    return tmp_path / "course"


def configure(folder: Path, text: str) -> None:
    path = folder / "nbgrader_config.py"
    path.write_text(path.read_text() + text)


def penalties(folder: Path) -> dict[str, float | None]:
    graded(folder)
    with gradebook(folder) as book:
        notebooks: list[SubmittedNotebook] = book.find_submission(NAME, "ada").notebooks
        return {notebook.name: notebook.late_submission_penalty for notebook in notebooks}


def test_nothing_is_taken_off_unless_it_is_configured(folder: Path) -> None:
    assert penalties(folder) == {"one": None, "two": None}


def test_method_zero_takes_off_all_points_of_each_notebook_those_of_a_person_too(folder: Path) -> None:
    configure(folder, "\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    assert penalties(folder) == {"one": 4.0, "two": 1.0}
    run = opened(folder)
    assert read_grades(run.db_url, run.course_id, NAME)["ada"].points == 0


def test_plug_in_of_the_courses_own_decides_within_the_points_of_the_notebook(folder: Path) -> None:
    configure(folder, HOURLY.format(returned="total_seconds_late / 3600"))
    assert penalties(folder) == {"one": 2.0, "two": 1.0}  # two hours are more than two's point


@pytest.mark.parametrize(("returned", "penalty"), [("-3", 0.0), ("None", None)])
def test_penalty_is_never_negative_and_may_be_none(folder: Path, returned: str, penalty: float | None) -> None:
    configure(folder, HOURLY.format(returned=returned))
    assert penalties(folder)["one"] == penalty


def test_extension_counts_and_a_penalty_goes_when_it_is_not_late_any_more(folder: Path) -> None:
    configure(folder, "\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    assert penalties(folder)["one"] == 4.0
    with gradebook(folder) as book:
        book.find_submission(NAME, "ada").extension = timedelta(hours=3)
        book.db.commit()
    assert penalties(folder) == {"one": None, "two": None}


def test_plug_in_that_fails_is_the_authors_mistake_and_is_said(folder: Path) -> None:
    configure(folder, HOURLY.format(returned="1 / 0"))
    record = graded(folder)["ada"]
    assert (record.status, record.why) == (FAILED, "ZeroDivisionError: division by zero")
    with gradebook(folder) as book:
        assert book.find_submission(NAME, "ada").score == 5  # what was there before stands


def test_extra_credit_given_by_a_person_counts_above_the_cells_points(folder: Path) -> None:
    with gradebook(folder) as book:
        book.find_grade("part-a", "one", NAME, "ada").extra_credit = 1.5
        book.db.commit()
    assert graded(folder)["ada"].status == GRADED
    run = opened(folder)
    assert read_grades(run.db_url, run.course_id, NAME)["ada"].points == 6.5
