"""Is nbgrader's own course graded as it stands: two notebooks, a picture beside them, answers for a person?"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from classes import quick
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader import handlers
from needed import missing
from notebooks import ROOT
from traitlets.config import Config

from grading.config import load_config
from grading.pages.feedback import read_records, write_feedback
from grading.pipeline.grade import grade
from grading.pipeline.plan import plan, rebuilt_notebook
from grading.pipeline.run import GradingRun, open_course
from grading.records.record import GRADED, Record

GUIDE = ROOT.parent / "shared" / "courses" / "nbgrader-user-guide"
PS = "ps1"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "guide"
c.CourseDirectory.root = {root!r}
c.IncludeHeaderFooter.header = "source/header.ipynb"
"""

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> GradingRun:
    if not GUIDE.is_dir():
        missing("../shared/courses/nbgrader-user-guide is not here")
    folder = tmp_path_factory.mktemp("guide") / "course"
    for name in ("source", "submitted"):  # no folder of helpers: it is an ordinary course
        shutil.copytree(GUIDE / name, folder / name)
    (folder / "nbgrader_config.py").write_text(CONFIG.format(root=str(folder)))
    return open_course(folder, PS, quick())


@pytest.fixture(scope="module")
def records(course: GradingRun) -> dict[str, Record]:
    return {record.student: record for record in grade(course, plan(course))}


@pytest.fixture
def book(course: GradingRun, records: dict[str, Record]) -> Iterator[Gradebook]:
    with Gradebook(course.db_url, course.course_id) as opened:
        yield opened


def test_both_students_hand_ins_are_rebuilt_with_the_courses_own_tests(course: GradingRun) -> None:
    planned = plan(course)
    assert [submission.student for submission in planned.submissions] == ["bitdiddle", "hacker"]
    for submission in planned.submissions:
        assert [notebook.name for notebook in submission.notebooks] == ["problem1", "problem2"]
        rebuilt = rebuilt_notebook(course, submission.notebooks[0])
        assert rebuilt is not None
        tests = [cell for cell in rebuilt.cells if cell.id == "correct_squares"]
        assert "assert squares(1) == [1]" in tests[0].source  # Ben had commented it out
    said = planned.submissions[0].summary.repairs
    assert any("'correct_squares' had been changed" in repair for repair in said), said


def test_picture_of_the_course_is_there_when_cells_run(course: GradingRun) -> None:
    assert list(course.assignment.files) == ["jupyter.png"]


def test_answers_wait_for_a_person_and_what_was_left_as_it_was_does_not(records: dict[str, Record]) -> None:
    hacker, ben = records["hacker"], records["bitdiddle"]
    assert hacker.status == ben.status == GRADED
    task = "cell-938593c4a215c6cc"
    assert hacker.waiting == ["sum_of_squares_equation", "sum_of_squares_application", task, "part-a", "part-b"]
    assert ben.waiting == ["sum_of_squares_equation", task, "part-a", "part-b"]
    assert ben.questions["sum_of_squares_application"].points == 0
    assert hacker.max_points == 13


def test_gradebook_opens_with_nbgraders_own_interface(book: Gradebook) -> None:
    assert book.find_assignment(PS).max_score == 13
    for student, waiting in (("hacker", 5), ("bitdiddle", 4)):
        submission = book.find_submission(PS, student)
        assert submission.needs_manual_grade
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        assert sum(grade.needs_manual_grade for grade in grades) == waiting
    assert book.find_comment("sum_of_squares_application", "problem1", PS, "bitdiddle").comment == "No response."
    assert str(book.find_submission(PS, "hacker").timestamp) == "2015-02-01 17:28:58.749302"


def test_formgrader_lists_and_shows_each_notebook_with_the_answers(
    course: GradingRun, book: Gradebook, records: dict[str, Record]
) -> None:
    """Its own exporter and its own list, as its pages use them."""
    config = load_config(course.folder)
    config.CourseDirectory.root = str(course.folder)
    api = NbGraderAPI(coursedir=CourseDirectory(config=config))
    shown = Config(config)
    shown.HTMLExporter.template_name = "formgrade"
    shown.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    for name, answer in (("problem1", "Finds the hypotenuse"), ("problem2", "with base cases of")):
        submission = book.find_submission_notebook(name, PS, "hacker")
        assert submission.id in api.get_notebook_submission_indices(PS, name)
        path = course.records / "hacker" / PS / f"{name}.ipynb"
        resources = dict.fromkeys(
            ["assignment_id", "notebook_id", "base_url", "student", "last_name", "first_name", "notebook_path"], ""
        )
        html, _ = HTMLExporter(config=shown).from_filename(
            str(path), resources={**resources, "submission_id": submission.id, "index": 0, "total": 1}
        )
        assert answer in html
        assert 'class="form-control input-sm score"' in html or "score" in html


def test_feedback_pages_show_the_answers(course: GradingRun, records: dict[str, Record], tmp_path: Path) -> None:
    write_feedback(course, read_records(course), tmp_path)
    page = (tmp_path / "hacker.html").read_text()
    assert "5 answers wait for a person to grade them" in " ".join(page.split())
    assert "It computes the fibonacci sequence using recursion" in page


def test_executed_notebooks_are_valid(course: GradingRun, records: dict[str, Record]) -> None:
    for path in sorted(course.records.glob(f"*/{PS}/*.ipynb")):
        nbformat.validate(json.loads(path.read_text()))


def test_nothing_in_the_shared_folder_was_changed(course: GradingRun, records: dict[str, Record]) -> None:
    assert not list(GUIDE.glob("autograded")) + list(GUIDE.glob("**/.ipynb_checkpoints")) + list(GUIDE.glob("*.db"))
