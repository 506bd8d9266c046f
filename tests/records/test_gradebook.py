"""The gradebook is right when several write into it; on a server: tests/benchmarks/test_postgres.py."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from classes import gradebook_rows, quick, tiny_classroom
from nbformat import NotebookNode
from nbgrader.api import Gradebook, InvalidEntry
from notebooks import ASSIGNMENT
from sqlalchemy.exc import OperationalError

from grading.authoring.classroom import Classroom
from grading.config import load_config
from grading.errors import GradingError
from grading.pipeline.run import open_course
from grading.records import gradebook
from grading.records.gradebook import GradebookWriter
from grading.records.record import GRADED, QuestionRecord, Record


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    return tiny_classroom(tmp_path)


def released(classroom: Classroom) -> NotebookNode:
    return open_course(classroom.folder, ASSIGNMENT, quick(), asking=False).assignment.released


def record(student: str, points: float, assignment: str = ASSIGNMENT) -> Record:
    questions = {"test_area": QuestionRecord(points, 2.0, "Because.")}
    return Record(student, assignment, GRADED, questions=questions, submission={"changed": True})


def points(classroom: Classroom) -> dict[str, float]:
    """Automatic points of `test_area`, by student."""
    return {row[0]: row[2] for row in gradebook_rows(classroom.folder) if row[1] == "test_area"}  # type: ignore[misc]


def writer(classroom: Classroom, name: str = ASSIGNMENT) -> GradebookWriter:
    config = load_config(classroom.folder)
    url = f"sqlite:///{classroom.folder / 'gradebook.db'}"
    return GradebookWriter(url, name, {name: released(classroom)}, config)


def test_two_who_enter_the_same_students_get_along(classroom: Classroom) -> None:
    """Each has read the students before the other one enters them."""
    with writer(classroom, "one") as one, writer(classroom, "two") as two:
        for each, name in ((one, "one"), (two, "two")):
            each.enter_students(["ada", "bo"])
            for student in ("ada", "bo"):
                each.write(record(student, 2.0, name))
            each.commit()
    rows = [row for row in gradebook_rows(classroom.folder) if row[1] == "test_area"]
    assert sorted(row[0] for row in rows) == ["ada", "ada", "bo", "bo"]
    assert {row[2] for row in rows} == {2.0}


def test_rows_written_together_are_those_of_each_record(classroom: Classroom) -> None:
    with writer(classroom) as book:
        for number in range(30):
            book.write(record(f"student-{number:02}", number % 3))
    assert points(classroom) == {f"student-{number:02}": number % 3 for number in range(30)}
    with writer(classroom) as book:  # what is there is changed, and nothing is entered a second time
        book.write(record("student-07", 0.5))
    assert points(classroom) == {f"student-{number:02}": 0.5 if number == 7 else number % 3 for number in range(30)}


def test_record_that_cannot_be_written_costs_no_other_one(classroom: Classroom) -> None:
    with writer(classroom) as book:
        book.write(record("ada", 1.0))
        broken = replace(record("bo", 1.0), submission={"timestamp": "no time at all"})
        with pytest.raises(ValueError, match="no time"):
            book.write(broken)
        assert book.leave_out() == {}
        book.write(record("cy", 2.0))
    assert points(classroom) == {"ada": 1.0, "cy": 2.0}


def test_rows_are_entered_as_nbgrader_enters_them(classroom: Classroom) -> None:
    """One by us, one by nbgrader's own `add_submission`: all columns but keys and students are the same."""
    with writer(classroom) as book:
        book._complete(book._add("ours"))
    with Gradebook(f"sqlite:///{classroom.folder / 'gradebook.db'}", "detection") as nbgraders:
        nbgraders.add_student("theirs")
        nbgraders.add_submission(ASSIGNMENT, "theirs")
    joins = {
        "submitted_assignment": "submitted_assignment s",
        "submitted_notebook": "submitted_notebook n join submitted_assignment s on n.assignment_id = s.id",
        "grade": "grade n join submitted_notebook b on n.notebook_id = b.id join submitted_assignment s on "
        "b.assignment_id = s.id",
        "comment": "comment n join submitted_notebook b on n.notebook_id = b.id join submitted_assignment s on "
        "b.assignment_id = s.id",
    }
    keys = {"submitted_assignment": {"id", "student_id"}, "submitted_notebook": {"id", "assignment_id"}}
    with sqlite3.connect(classroom.folder / "gradebook.db") as connection:
        connection.row_factory = sqlite3.Row
        for table, joined in joins.items():
            left_out = keys.get(table, {"id", "notebook_id"})
            first = "s" if table == "submitted_assignment" else "n"
            found = {}
            for student in ("ours", "theirs"):
                rows = connection.execute(f"select {first}.* from {joined} where s.student_id = ?", [student])
                plain = [{k: row[k] for k in row.keys() if k not in left_out} for row in rows]  # noqa: SIM118
                found[student] = sorted(plain, key=repr)
            assert found["ours"] == found["theirs"] != []


def test_gradebook_that_somebody_else_is_making_is_tried_again(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    create = gradebook._create

    def busy_at_first(url: str, course: str) -> None:
        tried.append(course)
        if len(tried) == 1:
            raise OperationalError("CREATE TABLE", {}, Exception("it exists by now"))
        if len(tried) == 2:
            raise InvalidEntry("the course exists by now")
        create(url, course)

    monkeypatch.setattr(gradebook, "_create", busy_at_first)
    with writer(classroom) as book:
        book.write(record("ada", 1.0))
    assert len(tried) == 3
    assert points(classroom) == {"ada": 1.0}


def test_missing_driver_is_explained(classroom: Classroom) -> None:
    config = load_config(classroom.folder)
    with pytest.raises(GradingError, match=r"needs a driver.*postgresql\+psycopg"):
        GradebookWriter("mysql+pymysql://localhost/x", ASSIGNMENT, {ASSIGNMENT: released(classroom)}, config)
