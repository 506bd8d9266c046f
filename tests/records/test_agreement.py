"""The records and the gradebook agree, whichever of them fails."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from classes import HALF, RIGHT, gradebook_rows, hand_in, quick, tiny_classroom
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom
from grading.pipeline import grade as module
from grading.pipeline.grade import grade
from grading.pipeline.plan import plan
from grading.pipeline.run import open_course
from grading.records.gradebook import GradebookWriter
from grading.records.record import FAILED, GRADED, Record, read_record

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """Two hand-ins, and a gradebook that does not wait for others."""
    classroom = tiny_classroom(tmp_path)
    config = classroom.folder / "nbgrader_config.py"
    address = f"sqlite:///{classroom.folder / 'gradebook.db'}?timeout=0.05"
    config.write_text(config.read_text() + f"\nc.CourseDirectory.db_url = {address!r}\n")
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    return classroom


class Formgrader:
    """Somebody else who has the gradebook open, and locks it."""

    def __init__(self, classroom: Classroom) -> None:
        self._connection = sqlite3.connect(classroom.folder / "gradebook.db", isolation_level=None)

    def lock(self) -> None:
        self._connection.execute("BEGIN EXCLUSIVE")

    def unlock(self) -> None:
        self._connection.execute("ROLLBACK")


@contextmanager
def locked(classroom: Classroom) -> Iterator[None]:
    other = Formgrader(classroom)
    other.lock()
    yield
    other.unlock()


def by_record(classroom: Classroom) -> dict[str, float]:
    """Points of everybody whose record says that they are graded."""
    folders = (classroom.folder / "autograded").glob(f"*/{ASSIGNMENT}")
    records = [read_record(folder) for folder in folders]
    return {record.student: record.points for record in records if record and record.status == GRADED}


def by_gradebook(classroom: Classroom) -> dict[str, float]:
    """Points of everybody who has some in the gradebook."""
    found: dict[str, float] = {}
    for student, _, points, *_ in gradebook_rows(classroom.folder):
        found[student] = found.get(student, 0.0) + points  # type: ignore[operator]
    return found


def graded_while(classroom: Classroom, on_event: Callable[[str, str], None]) -> dict[str, Record]:
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    return {record.student: record for record in grade(course, plan(course), on_event)}


@pytest.mark.parametrize("moment", ["executed", "recorded"])
def test_a_gradebook_that_is_locked_costs_only_what_could_not_be_entered(
    classroom: Classroom, executed: list[str], moment: str
) -> None:
    classroom.grade(quick(), students=["ada"])
    hand_in(classroom, "ada", HALF)
    other = Formgrader(classroom)
    happened: list[str] = []

    def lock_at_first(event: str, name: str) -> None:
        happened.append(event)
        if event == moment and happened.count(event) == 1:
            other.lock()

    records = graded_while(classroom, lock_at_first)
    other.unlock()
    failed = {student: record for student, record in records.items() if record.status == FAILED}
    assert failed
    assert all("the gradebook" in record.why and "grade again" in record.why for record in failed.values())
    assert not set(failed) & set(by_record(classroom))
    assert {student: by_gradebook(classroom)[student] for student in by_record(classroom)} == by_record(classroom)
    before = len(executed)
    classroom.grade(quick())
    assert by_record(classroom) == by_gradebook(classroom) == {"ada": 2, "bo": 2}
    assert len(executed) == before
    assert len(gradebook_rows(classroom.folder)) == 4


def test_rows_that_could_not_be_entered_are_not_entered_by_the_next_commit(classroom: Classroom) -> None:
    """The lock is gone before the other submission is recorded, in the same run."""
    other = Formgrader(classroom)
    happened: list[str] = []

    def lock_for_the_first(event: str, name: str) -> None:
        happened.append(event)
        if event == "recorded" and happened.count(event) == 1:
            other.lock()
        elif event == "started" and happened.count(event) == 2:
            other.unlock()

    records = graded_while(classroom, lock_for_the_first)
    assert sorted(record.status for record in records.values()) == [FAILED, GRADED]
    assert by_record(classroom) == by_gradebook(classroom)
    classroom.grade(quick())
    assert by_record(classroom) == by_gradebook(classroom) == {"ada": 5, "bo": 2}


def test_a_gradebook_that_is_locked_from_the_start_is_said_in_words(classroom: Classroom) -> None:
    classroom.grade(quick())
    hand_in(classroom, "cy", RIGHT)
    with locked(classroom), pytest.raises(module.GradingError, match="the gradebook cannot be written"):
        classroom.grade(quick())
    assert len(classroom.grade(quick())) == 3


def test_a_run_that_ends_between_record_and_gradebook_is_made_good(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch, executed: list[str]
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    classroom.grade(quick(), students=["ada"])
    with monkeypatch.context() as patch:
        patch.setattr(GradebookWriter, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            classroom.grade(quick())
    assert by_gradebook(classroom) == {"ada": 5}
    classroom.grade(quick())
    assert by_record(classroom) == by_gradebook(classroom) == {"ada": 5, "bo": 2}
    assert len(executed) == 2


def test_a_record_that_cannot_be_written_leaves_no_points_in_the_gradebook(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.write_files

    def full(folder: Path, *given: object) -> None:
        if "bo" in folder.parts:
            raise OSError(28, "No space left on device")
        real(folder, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_files", full)
        classroom.grade(quick())
    assert by_gradebook(classroom) == by_record(classroom) == {"ada": 5}
    classroom.grade(quick())
    assert by_gradebook(classroom) == by_record(classroom) == {"ada": 5, "bo": 2}


def names_in_gradebook(classroom: Classroom) -> dict[str, tuple[object, ...]]:
    with sqlite3.connect(classroom.folder / "gradebook.db") as connection:
        rows = connection.execute("select id, first_name, last_name, email from student")
        return {student: tuple(rest) for student, *rest in rows}


def test_names_of_the_roster_are_in_the_gradebook_and_a_corrected_one_too(classroom: Classroom) -> None:
    roster = classroom.folder / "roster.csv"
    roster.write_text("id,first name,last name,email\nada,Ada,Lovelase,\nbo,,,\nzoe,Zoe,Away,\n")
    classroom.grade(quick())
    assert names_in_gradebook(classroom) == {"ada": ("Ada", "Lovelase", None), "bo": (None, None, None)}
    roster.write_text("id,name,email\nada,Lovelace,ada@example.org\nbo,Bo Ek,\n")
    classroom.grade(quick())
    assert names_in_gradebook(classroom) == {
        "ada": ("Ada", "Lovelace", "ada@example.org"),
        "bo": (None, "Bo Ek", None),
    }


def test_a_name_that_was_typed_in_stays_where_the_roster_says_nothing(classroom: Classroom) -> None:
    classroom.grade(quick())
    with sqlite3.connect(classroom.folder / "gradebook.db") as connection:
        connection.execute("update student set first_name = 'Ada' where id = 'ada'")
    (classroom.folder / "roster.csv").write_text("id,name\nbo,Bo Ek\n")
    classroom.grade(quick())
    assert names_in_gradebook(classroom)["ada"] == ("Ada", None, None)


def test_a_roster_that_cannot_be_read_costs_no_grade(classroom: Classroom) -> None:
    (classroom.folder / "roster.csv").write_bytes(b"\x00\xff")
    assert [record.status for record in classroom.grade(quick())] == [GRADED, GRADED]
