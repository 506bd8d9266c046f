"""The grader: a hand-in ends as `course grade` and `course feedback` leave it, whatever died on the way."""

import contextlib
import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classes import HALF, RIGHT, gradebook_rows
from notebooks import ASSIGNMENT
from served import notebook_of, opened, received, served_course
from sqlalchemy.exc import OperationalError

from grading.authoring.classroom import Classroom
from grading.errors import SandboxError, UnavailableError
from grading.execution import workers
from grading.execution.workers import Outcome, WorkerPool
from grading.pages.feedback import write_feedback
from grading.pipeline.grade import execute, grade
from grading.pipeline.lock import alone
from grading.pipeline.plan import plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import open_course, options_from
from grading.records.record import Record, read_record
from grading.service import grader as module
from grading.service import queue, standstill
from grading.service.database import Database
from grading.service.grader import Grader, page_path
from grading.service.queue import HandIn, State
from grading.service.settings import Settings
from grading.service.standstill import Pauses

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    return served_course(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def at_hand(classroom: Classroom) -> Iterator[tuple[Settings, Database, Grader]]:
    settings = opened(classroom.folder)
    database = Database.open(settings.database)
    with Grader(settings, database) as grader:
        yield settings, database, grader
    database.close()


def settled(database: Database, one: HandIn) -> HandIn:
    found = queue.find(database, one.id)
    assert found is not None
    return found


def record_of(classroom: Classroom, student: str) -> Record:
    record = read_record(classroom.folder / "autograded" / student / ASSIGNMENT)
    assert record is not None
    return record


def test_hand_in_ends_as_the_commands_would_leave_it(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], tmp_path: Path
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "ada", notebook_of(classroom, HALF), 1_700_000_000)
    assert grader.step()
    done = settled(database, one)
    assert (done.state, done.max_points, done.page) == (State.done, 5, True)
    record, rows = record_of(classroom, "ada"), gradebook_rows(classroom.folder)
    assert done.points == record.points
    page = page_path(settings.folder, one.id).read_text()
    assert "Ada Lovelace" in page
    course = with_reference(open_course(classroom.folder, ASSIGNMENT, options_from(classroom.folder)))
    (again,) = grade(course, plan(course))
    write_feedback(course, [again], tmp_path)
    assert again == record
    assert gradebook_rows(classroom.folder) == rows
    assert (tmp_path / "ada.html").read_text() == page
    assert (classroom.folder / "reports" / ASSIGNMENT / "feedback" / "ada.html").read_text() == page
    assert record.submission["timestamp"] == "2023-11-14 22:13:20 UTC"


def test_several_students_are_graded_together_with_kernels_that_stay_warm(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, database, grader = at_hand
    monkeypatch.setattr(module, "TELL_EVERY", 0.0)
    both = [
        received(settings, database, student, notebook_of(classroom, f"{RIGHT}\n# {student}"), 1_700_000_100)
        for student in ("bo", "cy")
    ]
    while grader.step():
        pass
    found = [settled(database, one) for one in both]
    assert [(one.state, one.points, one.times_graded) for one in found] == [(State.done, 5, 1)] * 2
    assert all(0 < one.cells_done < one.cells for one in found)


def test_hand_ins_of_one_assignment_run_side_by_side_of_each_student_one(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, database, grader = at_hand
    mine = received(settings, database, "ada", notebook_of(classroom, f"{RIGHT}\n# beside"), 1_700_000_150)
    seen: list[State] = []

    def beside(*given: Any) -> Any:
        """While this one runs, another grader has its hand-in graded, and none of the student's who is busy."""
        monkeypatch.undo()
        newer = received(settings, database, "ada", notebook_of(classroom, f"{RIGHT}\n# newer"), 1_700_000_151)
        other = received(settings, database, "bo", notebook_of(classroom, f"{RIGHT}\n# beside"), 1_700_000_152)
        with Grader(settings, database) as second:
            assert second.step()
            assert not second.step()
        seen.extend(settled(database, one).state for one in (mine, other, newer))
        return execute(*given)

    monkeypatch.setattr(module, "execute", beside)
    assert grader.step()
    assert seen == [State.running, State.done, State.received]
    assert settled(database, mine).points == 5
    assert grader.step()
    assert record_of(classroom, "ada").submission["timestamp"] == "2023-11-14 22:15:51 UTC"


@pytest.mark.parametrize(("each", "most"), [(None, 1), (0.05, 16), (0.4, 5), (1.5, 4), (5.0, 1), (60.0, 1)])
def test_more_are_taken_together_the_less_each_takes(each: float | None, most: int) -> None:
    assert module._most(each) == most


def test_grader_for_what_is_short_leaves_what_takes_long_to_others(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, database, grader = at_hand
    received(settings, database, "ada", notebook_of(classroom, f"{RIGHT}\n# tells how long it takes"), 1_700_000_158)
    assert grader.step()
    one = received(settings, database, "ada", notebook_of(classroom, f"{RIGHT}\n# long"), 1_700_000_160)
    monkeypatch.setattr(module, "LONG_SECONDS", 0.0)
    with Grader(settings, database, short=True) as short:
        assert not short.step()
    assert grader.step()
    assert settled(database, one).points == 5


def test_hand_in_that_ran_while_the_command_graded_is_recorded_after_it(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "ada", notebook_of(classroom, f"{RIGHT}\n# meanwhile"), 1_700_000_170)
    command = contextlib.ExitStack()

    def meanwhile(*given: Any) -> Any:
        command.enter_context(alone(classroom.folder / ".cache", ASSIGNMENT))
        return execute(*given)

    monkeypatch.setattr(module, "execute", meanwhile)
    monkeypatch.setattr("time.sleep", lambda seconds: command.close())
    assert grader.step()
    assert (settled(database, one).state, settled(database, one).tries) == (State.done, 0)


def test_death_between_record_and_queue_costs_no_second_run(
    classroom: Classroom,
    at_hand: tuple[Settings, Database, Grader],
    executed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "bo", notebook_of(classroom, f"{RIGHT}\n# new"), 1_700_000_200)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(queue, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            grader.step()
    assert settled(database, one).state is State.running
    assert len(executed) == 1
    assert grader.step()
    assert len(executed) == 1
    assert (settled(database, one).state, settled(database, one).points) == (State.done, 5)


def test_best_attempt_stays_where_the_rules_say_so(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], executed: list[str]
) -> None:
    settings, database, grader = at_hand
    config = classroom.folder / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(f'{before}\nc.HandIns.every = {{"counts": "best"}}\n')
    try:
        best = received(settings, database, "dora", notebook_of(classroom, f"{RIGHT}\n# best"), 1_700_000_250)
        assert grader.step()
        worse = received(settings, database, "dora", notebook_of(classroom, f"{HALF}\n# worse"), 1_700_000_251)
        assert grader.step()
    finally:
        config.write_text(before)
    given = settled(database, worse).points
    assert given is not None
    assert given < 5
    assert (settled(database, best).points, record_of(classroom, "dora").points) == (5, 5)
    assert len(executed) == 2
    placed = (classroom.folder / "submitted" / "dora" / ASSIGNMENT / "tiny.ipynb").read_bytes()
    assert b"# best" in placed


def test_file_that_is_no_work_is_refused_in_words(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader]
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "cy", b'{"nbformat": 4, "cells": [', 1_700_000_300)
    assert grader.step()
    done = settled(database, one)
    assert (done.state, done.points) == (State.done, 0)
    assert re.search("not a notebook|cannot be read", done.why)
    assert done.page


def test_hand_ins_wait_while_the_command_grades(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader]
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "ada", notebook_of(classroom), 1_700_000_400)
    with alone(classroom.folder / ".cache", ASSIGNMENT):
        assert not grader.step()
    assert settled(database, one).tries == 0
    assert grader.step()
    assert settled(database, one).points == 5


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "PAUSE_SECONDS", 0.0)


def waiting_for(database: Database) -> str:
    """What the board says that grading waits for."""
    found = standstill.standstill(database, ASSIGNMENT)
    return found.why if found else ""


def test_broken_course_costs_no_try_is_told_and_recovers(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], no_pauses: None
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "ada", notebook_of(classroom, HALF), 1_700_000_500)
    scoring = classroom.folder / "source" / ASSIGNMENT / "scoring.py"
    config = classroom.folder / "nbgrader_config.py"
    for file in (scoring, config):
        kept = file.read_text()
        file.write_text("this is not Python")
        for _ in range(queue.MOST_TRIES + 1):
            assert grader.step()
        found = settled(database, one)
        assert (found.state, found.tries, found.queued) == (State.received, 0, one.queued)
        assert file.name in waiting_for(database)
        file.write_text(kept)
    assert grader.step()
    assert settled(database, one).state is State.done
    assert waiting_for(database) == ""


def test_assignment_that_stands_still_is_left_alone_longer_and_longer(tmp_path: Path) -> None:
    database, now = Database.open(f"sqlite:///{tmp_path / 'service.db'}"), [0.0]
    pauses = Pauses(database, lambda: now[0])
    lengths = []
    for _ in range(7):
        pauses.because("lab", "no  room\nleft")
        began = now[0]
        while pauses.is_on("lab"):
            now[0] += 1.0
        lengths.append(now[0] - began)
    assert lengths == [3, 6, 12, 24, 48, 60, 60]
    assert not pauses.is_on("other")
    found = standstill.standstill(database, "lab")
    assert found is not None
    assert found.why == "no room left"
    pauses.over("lab")
    assert standstill.standstill(database, "lab") is None
    pauses.because("lab", "again")
    now[0] += 4
    assert not pauses.is_on("lab")
    database.close()


@pytest.mark.parametrize(
    ("now", "trouble"),
    [
        (1_700_000_510, SandboxError("the kernel did not start within 60 s")),
        (1_700_000_520, OSError(errno.ENOSPC, "No space left on device")),
    ],
)
def test_execution_that_the_machine_prevents_costs_no_try_and_no_record(
    classroom: Classroom,
    at_hand: tuple[Settings, Database, Grader],
    no_pauses: None,
    monkeypatch: pytest.MonkeyPatch,
    now: float,
    trouble: Exception,
) -> None:
    settings, database, grader = at_hand
    before = record_of(classroom, "ada")
    one = received(settings, database, "ada", notebook_of(classroom, f"{HALF}\n# {now}"), now)

    def prevented(*_: object) -> None:
        raise trouble

    with monkeypatch.context() as patched:
        patched.setattr(workers, "run_job", prevented)
        for _ in range(queue.MOST_TRIES + 1):
            assert grader.step()
        assert (settled(database, one).state, settled(database, one).tries) == (State.received, 0)
        assert str(trouble) in waiting_for(database)
        assert record_of(classroom, "ada") == before
    assert grader.step()
    assert (settled(database, one).state, settled(database, one).excused) == (State.done, None)
    assert waiting_for(database) == ""


def test_record_for_which_there_is_no_room_costs_no_try(
    classroom: Classroom,
    at_hand: tuple[Settings, Database, Grader],
    no_pauses: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "ada", notebook_of(classroom, f"{HALF}\n# room"), 1_700_000_590)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("grading.pipeline.grade.write_files", full)
        for _ in range(queue.MOST_TRIES + 1):
            assert grader.step()
        assert (settled(database, one).state, settled(database, one).tries) == (State.received, 0)
        assert "No space left" in waiting_for(database)
    assert grader.step()
    assert settled(database, one).state is State.done


def test_exception_that_nobody_knows_costs_tries(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], no_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "ada", notebook_of(classroom, f"{HALF}\n# bug"), 1_700_000_595)

    def broken(*_: object) -> None:
        raise KeyError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(workers, "run_job", broken)
        for _ in range(queue.MOST_TRIES):
            assert grader.step()
        assert not grader.step()
    assert (settled(database, one).state, waiting_for(database)) == (State.failed, "")
    assert "a bug" in settled(database, one).why


def test_note_of_progress_that_cannot_be_written_costs_nothing(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, database, grader = at_hand
    one = received(settings, database, "ada", notebook_of(classroom, f"{HALF}\n# note"), 1_700_000_597)

    def locked(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(queue, "progress", locked)
    assert grader.step()
    assert settled(database, one).state is State.done


class FakePool(WorkerPool):
    """Workers of a cluster whose scheduler is there, or not, or dies under what runs."""

    there = True
    lost = False

    def check(self) -> None:
        if not self.there:
            raise UnavailableError("no Dask scheduler answers at tcp://nowhere")


def test_scheduler_that_is_gone_costs_no_try_and_the_service_starts_without_it(
    classroom: Classroom,
    at_hand: tuple[Settings, Database, Grader],
    no_pauses: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, database, _ = at_hand
    monkeypatch.setattr(module, "WorkerPool", FakePool)
    monkeypatch.setattr(FakePool, "there", False)
    one = received(settings, database, "ada", notebook_of(classroom, f"{HALF}\n# gone"), 1_700_000_598)

    def lost(key: str, *_: object) -> Outcome:
        return Outcome(key, None, "the Dask scheduler was lost", excused=True)

    with Grader(settings, database) as grader:
        for _ in range(queue.MOST_TRIES + 1):
            assert not grader.step()
        assert (settled(database, one).state, settled(database, one).tries) == (State.received, 0)
        assert "no Dask scheduler answers" in waiting_for(database)
        monkeypatch.setattr(FakePool, "there", True)
        with monkeypatch.context() as patched:
            patched.setattr(workers, "_run_one", lost)
            for _ in range(queue.MOST_TRIES + 1):
                assert grader.step()
            assert (settled(database, one).state, settled(database, one).tries) == (State.received, 0)
            assert waiting_for(database) == "the Dask scheduler was lost"
        assert grader.step()
    assert settled(database, one).state is State.done
    assert settled(database, one).times_graded == 1


def test_student_without_a_possible_folder_costs_nobody_else(
    classroom: Classroom, at_hand: tuple[Settings, Database, Grader]
) -> None:
    settings, database, grader = at_hand
    bad = received(settings, database, "../ada", notebook_of(classroom), 1_700_000_600)
    good = received(settings, database, "cy", notebook_of(classroom), 1_700_000_601)
    for _ in range(9):
        grader.step()
    assert settled(database, bad).state is State.failed
    assert settled(database, good).state is State.done
    shutil.rmtree(settings.folder / "lanes")
