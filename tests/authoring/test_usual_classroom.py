"""A class is made from an ordinary nbgrader course, too: several notebooks, a header, no library."""

import json
from pathlib import Path

import nbformat
import pytest
from notebooks import code, grade_cell, markdown, notebook, solution
from stock import ASK, TEMPLATES, usual_course

from grading.authoring.classroom import Classroom, solution_cells
from grading.authoring.planted import Planted, hand_in_all, read_planted, to_verify
from grading.errors import ReleaseError
from grading.release import instantiate

SAME = "### BEGIN SOLUTION\nanswer = 42\n### END SOLUTION"
CONFIG = 'c.IncludeHeaderFooter.header = "source/header.ipynb"\nc.CourseDirectory.submitted_directory = "handed_in"\n'


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Two notebooks that share a grade id, and a planted submission with a cell for each."""
    notebooks = {
        "one": notebook(solution(), grade_cell(ASK), solution(SAME, "part-a")),
        "two": notebook(solution(SAME, "part-a"), code("see", "answer")),
    }
    files = {
        "autotests.yml": TEMPLATES,
        "source/header.ipynb": nbformat.writes(notebook(markdown("top", "Your name:"))),
        "source/hw/planted/mine/expected.json": json.dumps({"why": "w", "points": {}}),
        "source/hw/planted/mine/area.py": "area = max",
        "source/hw/planted/mine/two/part-a.py": "answer = 43",
    }
    return usual_course(tmp_path / "course", notebooks, CONFIG, files)


def test_class_has_each_notebook_released_with_what_the_course_puts_around_it(course: Path, tmp_path: Path) -> None:
    classroom = Classroom.create(course, tmp_path / "class", "hw")
    assert classroom.notebooks == ["one", "two"]
    assert [cell.id for cell in classroom.released("two").cells] == ["top", "part-a", "see"]
    assert "AUTOTEST" not in classroom.released("one").cells[2].source
    assert classroom.master("two").cells[0].source == SAME


def test_tests_are_written_out_once_for_all_classes(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Classroom.create(course, tmp_path / "class", "hw")
    monkeypatch.setattr(instantiate, "_kernel", lambda *_: pytest.fail("the solution is run again"))
    Classroom.create(course, tmp_path / "another class", "hw").share_results(course)


def test_assignment_without_planted_submissions_is_verified_by_its_solution(tmp_path: Path) -> None:
    why = markdown("why", "Because.", grade_id="why", grade=True, solution=True, points=3)
    course = usual_course(tmp_path / "course", {"one": notebook(solution(), grade_cell(), why)})
    expected = {"test_area": 2.0, "why": 0.0}
    assert to_verify(course, "hw") == [Planted("solution", "The master's own solution.", expected, "master", {})]


def test_planted_submission_has_every_notebook(course: Path, tmp_path: Path) -> None:
    classroom = Classroom.create(course, tmp_path / "class", "hw")
    hand_in_all(classroom, read_planted(course / "source" / "hw" / "planted"))
    handed_in = classroom.folder / "handed_in" / "mine" / "hw"
    one, two = (nbformat.read(handed_in / f"{name}.ipynb", as_version=4) for name in ("one", "two"))
    assert solution_cells(one)["area"] == "area = max"
    assert "YOUR CODE" in solution_cells(one)["part-a"]
    assert solution_cells(two) == {"part-a": "answer = 43"}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("part-a", r"planted/mine/part-a\.py is named like cells of one, two: name it NOTEBOOK/part-a\.py"),
        ("parta", r"planted/mine/parta\.py is named like no solution cell"),
    ],
)
def test_planted_cell_that_is_none_or_two_is_told(course: Path, tmp_path: Path, name: str, complaint: str) -> None:
    (course / "source" / "hw" / "planted" / "mine" / f"{name}.py").write_text("x = 1")
    classroom = Classroom.create(course, tmp_path / "class", "hw")
    with pytest.raises(ReleaseError, match=complaint):
        hand_in_all(classroom, read_planted(course / "source" / "hw" / "planted"))
