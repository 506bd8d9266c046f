"""A run is left out only where it would give what the last one gave."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from classes import HALF, RIGHT, hand_in, quick, set_minimum, tiny_classroom
from homework import NAME
from homework import course as homework_course
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom
from grading.common import files
from grading.pipeline.grade import grade
from grading.pipeline.plan import plan
from grading.pipeline.run import open_course
from grading.pipeline.unchanged import LastRun
from grading.records.record import FAILED, Record

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture(autouse=True)
def files_may_be_young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_RACY_NS", 0)


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    classroom = tiny_classroom(tmp_path)
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    return classroom


def last_run(classroom: Classroom, **asked: object) -> LastRun:
    return LastRun(classroom.folder, ASSIGNMENT, asked)


def graded(classroom: Classroom) -> list[Record]:
    """The class's records, graded and noted."""
    last = last_run(classroom)
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    records = grade(course, plan(course))
    last.remember(course, records)
    return records


def test_run_with_nothing_to_do_gives_the_same_records(classroom: Classroom) -> None:
    assert last_run(classroom).records() is None
    records = graded(classroom)
    assert last_run(classroom).records() == records


def replace_in(path: str, old: str, new: str) -> Callable[[Classroom], None]:
    def change(classroom: Classroom) -> None:
        file = classroom.folder / path.format(name=ASSIGNMENT)
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def remove(pattern: str) -> Callable[[Classroom], None]:
    def change(classroom: Classroom) -> None:
        next(classroom.folder.glob(pattern.format(name=ASSIGNMENT))).unlink()

    return change


def grade_by_hand(classroom: Classroom) -> None:
    with sqlite3.connect(classroom.folder / "gradebook.db") as connection:
        connection.execute("update grade set manual_score = 1")


def add_to_config(classroom: Classroom) -> None:
    path = classroom.folder / "nbgrader_config.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nc.Grading.cell_seconds = 7\n", encoding="utf-8")


CHANGES: dict[str, Callable[[Classroom], object]] = {
    "a hand-in": lambda classroom: hand_in(classroom, "bo", RIGHT),
    "a new student": lambda classroom: hand_in(classroom, "cy", RIGHT),
    "a file beside a hand-in": lambda classroom: hand_in(classroom, "bo", HALF).with_name("own.py").write_text("1"),
    "a threshold": lambda classroom: set_minimum(classroom.folder, 0.2),
    "the roster": lambda classroom: (classroom.folder / "roster.csv").write_text("id,name\nbo,Bo Ek\n"),
    "the scoring": replace_in("source/{name}/scoring.py", "Right.", "Well."),
    "the configuration": add_to_config,
    "the students' library": lambda classroom: (classroom.folder / "helpers" / "new.py").write_text(""),
    "a record is gone": remove("autograded/bo/{name}/record.json"),
    "a record": replace_in("autograded/bo/{name}/record.json", "graded", "graced"),
    "an executed notebook is gone": remove("autograded/ada/{name}/*.ipynb"),
    "a stored result is gone": remove(".cache/executed/*/*.json"),
    "a grade was given by hand": grade_by_hand,
    "the gradebook is gone": remove("gradebook.db"),
    "the note is damaged": replace_in(".cache/graded/{name}.json", "{", "[{"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_class_is_graded_again_after_a_change(classroom: Classroom, what: str) -> None:
    graded(classroom)
    CHANGES[what](classroom)
    assert last_run(classroom).records() is None


@pytest.mark.parametrize("asked", [{"repeats": 2}, {"isolation": "none"}, {"data": Path()}, {"submitted": Path("x")}])
def test_class_is_graded_again_with_other_options(classroom: Classroom, asked: dict[str, object]) -> None:
    graded(classroom)
    assert last_run(classroom, **asked).records() is None


def test_another_data_folder_in_the_environment_is_noticed(
    classroom: Classroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded(classroom)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "other"))
    assert last_run(classroom).records() is None


def test_class_is_graded_again_after_a_hand_in_during_the_run(classroom: Classroom) -> None:
    last = last_run(classroom)
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    records = grade(course, plan(course))
    hand_in(classroom, "bo", RIGHT)
    last.remember(course, records)
    assert last_run(classroom).records() is None


def test_run_with_a_failure_is_not_noted(classroom: Classroom) -> None:
    last = last_run(classroom)
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    first, *others = grade(course, plan(course))
    last.remember(course, [replace(first, status=FAILED), *others])
    assert last_run(classroom).records() is None


def test_hand_in_that_may_still_be_changing_is_looked_at_again(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded(classroom)
    monkeypatch.setattr(files, "_RACY_NS", 3600 * 10**9)
    assert last_run(classroom).records() is None


@pytest.mark.parametrize("db_url", ["postgresql://localhost/gradebook", "sqlite:///gradebook.db", "sqlite://"])
def test_run_whose_gradebook_cannot_be_looked_at_is_not_noted(classroom: Classroom, db_url: str) -> None:
    last = last_run(classroom)
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    records = grade(course, plan(course))
    last.remember(replace(course, db_url=db_url), records)
    assert last_run(classroom).records() is None


def test_change_of_a_header_or_of_test_templates_is_something_to_do(tmp_path: Path) -> None:
    """Both stand outside of the assignment's folder, and change what is released of it."""
    folder = homework_course(tmp_path / "course")
    settings = f"c.CourseDirectory.root = {str(folder)!r}\nc.IncludeHeaderFooter.header = 'source/header.ipynb'\n"
    (folder / "nbgrader_config.py").write_text(f"c = get_config()\n{settings}")
    seen = set()
    for name in ("source/header.ipynb", "autotests.yml", ""):
        seen.add(LastRun(folder, NAME, {})._inputs)
        if name:
            (folder / name).write_text("anything")
    assert len(seen - {""}) == 3
