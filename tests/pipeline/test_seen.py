"""Nothing is read, scored or written again that is as it was, and everything that is not."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from classes import HALF, NOTHING, RIGHT, gradebook_rows, hand_in, quick, set_minimum, tiny_classroom
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom
from grading.common import files
from grading.common.files import listing
from grading.pipeline import plan as planning
from grading.pipeline.assignment import Assignment
from grading.pipeline.grade import CHANGED_MEANWHILE, execute, grade
from grading.pipeline.plan import plan
from grading.pipeline.run import open_course
from grading.pipeline.seen import HandInSummaries, HandInSummary
from grading.records.record import FAILED, GRADED

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often hand-ins were read and scored; files may be as young as they like."""
    count = {"read": 0, "scored": 0}

    def counting(name: str, real: object) -> object:
        def called(*arguments: object) -> object:
            count[name] += 1
            return real(*arguments)  # type: ignore[operator]

        return called

    monkeypatch.setattr(planning, "read_hand_in", counting("read", planning.read_hand_in))
    monkeypatch.setattr(Assignment, "score", counting("scored", Assignment.score))
    monkeypatch.setattr(files, "_RACY_NS", 0)
    return count


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    classroom = tiny_classroom(tmp_path)
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    return classroom


def executed_notebook(classroom: Classroom, student: str) -> Path:
    return classroom.folder / "autograded" / student / ASSIGNMENT / classroom.notebook_name


def test_class_with_nothing_new_is_neither_read_nor_scored(classroom: Classroom, calls: dict[str, int]) -> None:
    first = classroom.grade(quick())
    calls.update(read=0, scored=0)
    assert classroom.grade(quick()) == first
    assert calls == {"read": 0, "scored": 0}


def test_changed_hand_in_is_read_though_size_and_time_are_the_same(classroom: Classroom, calls: dict[str, int]) -> None:
    classroom.grade(quick())
    path = hand_in(classroom, "bo", HALF)
    before = path.stat()
    path.write_text(path.read_text().replace("== 3", "== 8"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert {record.student: record.points for record in classroom.grade(quick())} == {"ada": 5, "bo": 1}


def test_file_that_changed_just_now_is_read_again(classroom: Classroom) -> None:
    assert listing(classroom.folder / "submitted" / "ada" / ASSIGNMENT) == ""


def test_folder_behind_a_link_is_never_taken_as_known(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_RACY_NS", 0)
    folder = classroom.folder / "submitted" / "ada" / ASSIGNMENT
    assert listing(folder)
    (classroom.folder / "submitted" / "eve").symlink_to(folder.parent)
    assert listing(classroom.folder / "submitted" / "eve" / ASSIGNMENT) == ""


def test_new_scoring_scores_again_but_reads_nothing(classroom: Classroom, calls: dict[str, int]) -> None:
    classroom.grade(quick())
    calls.update(read=0, scored=0)
    set_minimum(classroom.folder, 0.4)
    assert {record.student: record.points for record in classroom.grade(quick())} == {"ada": 5, "bo": 4}
    assert calls == {"read": 0, "scored": 2}


def test_revised_notebook_is_the_one_that_would_be_written_afresh(classroom: Classroom, calls: dict[str, int]) -> None:
    classroom.grade(quick())
    set_minimum(classroom.folder, 0.4)
    classroom.grade(quick())
    revised = executed_notebook(classroom, "bo").read_bytes()
    assert b"4 of" not in revised
    executed_notebook(classroom, "bo").unlink()
    classroom.grade(quick())
    assert executed_notebook(classroom, "bo").read_bytes() == revised
    assert b"2 of 2 points." in revised


def test_gradebook_changed_from_outside_is_put_right(classroom: Classroom, calls: dict[str, int]) -> None:
    classroom.grade(quick())
    rows = gradebook_rows(classroom.folder)
    with sqlite3.connect(classroom.folder / "gradebook.db") as connection:
        connection.execute("update grade set auto_score = 99")
    classroom.grade(quick())
    assert gradebook_rows(classroom.folder) == rows


def test_lost_record_is_written_again(classroom: Classroom, calls: dict[str, int]) -> None:
    first = classroom.grade(quick())
    (executed_notebook(classroom, "ada").parent / "record.json").write_text("{")
    assert classroom.grade(quick()) == first
    assert calls["scored"] == 3


def test_hand_in_that_arrives_after_planning_is_graded_next_time(classroom: Classroom) -> None:
    """Never one hand-in's answers under another's name."""
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    planned = plan(course)
    hand_in(classroom, "ada", HALF)
    before = {record.student: record for record in grade(course, planned)}["ada"]
    after = {record.student: record for record in classroom.grade(quick())}["ada"]
    assert (before.points, after.points) == (5, 2)
    assert before.submission["sha256"] != after.submission["sha256"]


def test_plan_with_hand_ins_that_were_read_ahead_is_the_same_and_reads_none_again(
    classroom: Classroom, calls: dict[str, int]
) -> None:
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    ahead = planning.read_ahead(course)
    assert calls["read"] == 2
    early = plan(course, ahead)
    assert planning.read_ahead(course) == {}  # what was read ahead is remembered
    assert calls["read"] == 2
    assert early == plan(course)


def test_file_beside_the_notebook_changed_while_grading_fails_this_once(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hand_in(classroom, "ada", "from own import area")
    own = path.with_name("own.py")
    own.write_text(RIGHT)
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    planned = plan(course)
    own.write_text(HALF)
    before = {record.student: record for record in grade(course, planned)}["ada"]
    assert (before.status, before.why) == (FAILED, CHANGED_MEANWHILE)
    assert {record.student: record.points for record in classroom.grade(quick())}["ada"] == 2


def test_change_while_grading_is_not_the_hand_ins_fault(classroom: Classroom) -> None:
    path = hand_in(classroom, "ada", "from own import area")
    own = path.with_name("own.py")
    own.write_text(RIGHT)
    course = open_course(classroom.folder, ASSIGNMENT, quick(students=("ada",)))
    planned = plan(course)
    own.write_text(HALF)
    _, failures, excused = execute(course, planned)
    assert list(failures.values()) == [CHANGED_MEANWHILE]
    assert excused == set(failures)


def test_data_of_the_course_changed_while_grading_fails_this_once(classroom: Classroom, tmp_path: Path) -> None:
    """The tiny assignment has no `student_view`: submissions read the folder itself."""
    labels = tmp_path / "data" / "labels" / "a.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text("old")
    hand_in(classroom, "ada", f"{RIGHT}\nimport os; print(open(os.environ['COURSE_DATA'] + '/labels/a.txt').read())")
    options = quick(data=tmp_path / "data", students=("ada",))
    course = open_course(classroom.folder, ASSIGNMENT, options)
    planned = plan(course)
    labels.write_text("new, and longer")
    (before,) = grade(course, planned)
    assert (before.status, before.why) == (FAILED, CHANGED_MEANWHILE)
    labels.write_text("old")
    os.utime(labels, ns=(1, 1))
    (after,) = classroom.grade(options, ["ada"])
    assert after.points == 5
    assert "old" in executed_notebook(classroom, "ada").read_text()


def test_each_hand_in_is_read_and_rebuilt_once(
    classroom: Classroom, calls: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilds = []
    real = planning.rebuild
    monkeypatch.setattr(planning, "rebuild", lambda *given: rebuilds.append(1) or real(*given))
    hand_in(classroom, "cy", NOTHING)
    assert len(classroom.grade(quick())) == 3
    assert (calls["read"], len(rebuilds)) == (3, 3)


def test_rebuilt_notebook_that_is_damaged_costs_one_run(classroom: Classroom, calls: dict[str, int]) -> None:
    """The machine may lose its power before it is on the disk."""
    classroom.grade(quick())
    for path in (classroom.folder / ".cache" / "rebuilt").rglob("*.json"):
        path.write_bytes(b"")
    executed_notebook(classroom, "ada").unlink()
    first, _ = classroom.grade(quick())
    assert first.status == FAILED
    assert "grade again" in first.why
    again, _ = classroom.grade(quick())
    assert again.status == GRADED


def test_a_rebuilt_notebook_that_was_removed_is_made_again(classroom: Classroom, calls: dict[str, int]) -> None:
    first = classroom.grade(quick())
    shutil.rmtree(classroom.folder / ".cache" / "rebuilt")
    executed_notebook(classroom, "ada").unlink()
    assert classroom.grade(quick()) == first
    assert executed_notebook(classroom, "ada").is_file()


def test_nothing_is_known_once_the_rules_of_reading_have_changed(tmp_path: Path) -> None:
    before = HandInSummaries(tmp_path / "seen.json", "one")
    before.put(tmp_path, "listing", HandInSummary("ada", repairs=("a",)))
    before.save()
    assert HandInSummaries(tmp_path / "seen.json", "one").get(tmp_path, "listing") == HandInSummary(
        "ada", repairs=("a",)
    )
    assert HandInSummaries(tmp_path / "seen.json", "two").get(tmp_path, "listing") is None


def test_damaged_memory_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text('{"basis": "one"')
    assert HandInSummaries(tmp_path / "seen.json", "one").get(tmp_path, "listing") is None
