"""What grading again would change is told from what is stored, is what then comes, and changes nothing itself."""

from pathlib import Path

import pytest
from classes import HALF, NOTHING, RIGHT, gradebook_rows, hand_in, quick, set_minimum, tiny_classroom, tiny_master
from nbgrader.api import Gradebook
from notebooks import ASSIGNMENT, code, grade_cell, notebook, solution, write_master

from grading.authoring.classroom import Classroom
from grading.execution import workers
from grading.pipeline.foreseen import Foreseen, foresee, in_words
from grading.pipeline.run import open_course
from grading.release.build import build_release

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    made = tiny_classroom(tmp_path)
    for student, source in (("ada", RIGHT), ("bo", HALF), ("cy", NOTHING)):
        hand_in(made, student, source)
    made.grade(quick())
    return made


@pytest.fixture
def no_student_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("student code would run")

    monkeypatch.setattr(workers, "_run_one", refuse)


def foreseen(classroom: Classroom) -> list[Foreseen]:
    return foresee(open_course(classroom.folder, ASSIGNMENT, quick()))


def records(classroom: Classroom) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (classroom.folder / "autograded").rglob("*") if path.is_file()}


def test_other_threshold_is_foreseen_and_nothing_is_changed_by_that(
    classroom: Classroom, no_student_code: None
) -> None:
    before = records(classroom), gradebook_rows(classroom.folder)
    assert in_words(foreseen(classroom)) == "None of 3 grades would change."
    set_minimum(classroom.folder, 0.4)
    found = foreseen(classroom)
    assert [(one.student, one.change) for one in found if one.changes] == [("bo", 2)]
    assert in_words(found) == "1 of 3 grades would change: 1 would rise, by 2 at most."
    assert (records(classroom), gradebook_rows(classroom.folder)) == before
    graded = {one.student: one.points for one in classroom.grade(quick())}
    assert {one.student: one.after for one in found} == graded


def test_points_given_by_hand_and_penalties_are_in_it(classroom: Classroom) -> None:
    with Gradebook(f"sqlite:///{classroom.folder / 'gradebook.db'}") as book:
        book.find_grade("test_area", ASSIGNMENT, ASSIGNMENT, "bo").manual_score = 1.5
        book.db.commit()
    config = classroom.folder / "nbgrader_config.py"
    rules = {ASSIGNMENT: {"due": "2001-01-01 12:00", "late_percent": 10, "late_every": "1 day", "late_most": 50}}
    config.write_text(f"{config.read_text()}\nc.HandIns.rules = {rules!r}\n")
    (classroom.folder / "submitted/ada" / ASSIGNMENT / "timestamp.txt").write_text("2001-01-01 13:00:00 UTC\n")
    set_minimum(classroom.folder, 0.4)
    found = {one.student: (one.before, one.after) for one in foreseen(classroom)}
    assert found == {"ada": (5, 4.5), "bo": (3.5, 3.5), "cy": (0, 0)}


def test_hand_in_that_has_to_run_again_is_said_to_be_untold(classroom: Classroom, no_student_code: None) -> None:
    hand_in(classroom, "cy", RIGHT + "  # at last")
    found = foreseen(classroom)
    assert [(one.student, one.after, one.why) for one in found if one.why] == [("cy", None, "changed: code")]
    said = "None of 3 grades would change. 1 cannot be told before the students' code has run again."
    assert in_words(found) == said


def test_changed_test_is_answered_by_what_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An assignment without scoring, whose tests the examiner runs."""
    made = tiny_classroom(tmp_path)
    (made.folder / "source" / ASSIGNMENT / "scoring.py").unlink()
    hand_in(made, "ada", RIGHT)
    hand_in(made, "bo", HALF)
    made.grade(quick())

    def refuse(*_: object) -> None:
        raise AssertionError("student code would run")

    cells = [
        code("imports", "import numpy as np"),
        solution(),
        grade_cell("assert area((0, 0, 2, 3)) == 6"),
        grade_cell("assert area((0, 0, 1, 1)) in (1, 12)", grade_id="test_sum", points=3),
    ]
    write_master(made.folder, notebook(tiny_master().cells[0], *cells))
    build_release(made.folder, ASSIGNMENT)
    monkeypatch.setattr("grading.pipeline.foreseen.with_reference", lambda course: course)
    monkeypatch.setattr(workers, "_run_one", refuse)
    found = foreseen(made)
    assert [(one.student, one.before, one.after) for one in found] == [("ada", 5, 5), ("bo", 2, 5)]
    assert in_words(found) == "1 of 2 grades would change: 1 would rise, by 3 at most."
