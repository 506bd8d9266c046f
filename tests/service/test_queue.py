"""The queue: what stands in it, in which order, and what becomes of it when something ends suddenly."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import BY

from grading.service import content, queue
from grading.service.database import Database
from grading.service.queue import Arrival, HandIn, Result, State


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite; `tests/benchmarks/test_queue_on_postgresql.py` puts another in its place."""
    database = Database.open(f"sqlite:///{tmp_path / 'service.db'}")
    yield database
    database.close()


def enter(database: Database, student: str, now: float, assignment: str = "lab") -> HandIn:
    with database.writing() as connection:
        return queue.receive(connection, Arrival(student, assignment, "a.ipynb", "0" * 64, 3), now)


def state(database: Database, one: HandIn) -> State:
    found = queue.find(database, one.id)
    assert found is not None
    return found.state


def test_hand_ins_are_taken_in_the_order_in_which_they_came(database: Database) -> None:
    entered = [enter(database, student, now) for now, student in enumerate(["bo", "ada", "cy"])]
    assert [queue.before(database, one) for one in entered] == [0, 1, 2]
    assert queue.places(database, "lab") == {one.id: place for place, one in enumerate(entered)}
    assert [one.student for one in queue.claim(database, "lab", 2, "one")] == ["bo", "ada"]
    assert queue.before(database, entered[2]) == 2
    assert queue.places(database, "lab") == {entered[2].id: 2}
    assert [one.student for one in queue.claim(database, "lab", 2, "one")] == ["cy"]


def test_newer_attempt_replaces_the_one_that_waits(database: Database) -> None:
    first, second = enter(database, "ada", 1), enter(database, "ada", 2)
    assert (state(database, first), state(database, second)) == (State.replaced, State.received)
    assert [one.id for one in queue.claim(database, "lab", 9, "one")] == [second.id]


def test_newer_attempt_waits_for_the_one_that_runs(database: Database) -> None:
    first = enter(database, "ada", 1)
    (taken,) = queue.claim(database, "lab", 1, "one")
    second = enter(database, "ada", 2)
    assert (state(database, first), state(database, second)) == (State.running, State.received)
    assert queue.claim(database, "lab", 9, "one") == []
    queue.finish(database, taken, Result(1, 2))
    assert [one.id for one in queue.claim(database, "lab", 9, "one")] == [second.id]


def test_of_one_student_one_runs_in_all_assignments(database: Database) -> None:
    enter(database, "ada", 1, "lab")
    enter(database, "ada", 2, "other")
    assert len(queue.claim(database, "lab", 9, "one")) == 1
    assert queue.claim(database, "other", 9, "one") == []


def test_same_hand_in_is_never_taken_twice(database: Database) -> None:
    enter(database, "ada", 1)
    assert len(queue.claim(database, "lab", 9, "one")) == 1
    assert queue.claim(database, "lab", 9, "one") == []


def test_grader_that_has_lost_a_hand_in_does_not_finish_it(database: Database) -> None:
    one = enter(database, "ada", 1)
    (lost,) = queue.claim(database, "lab", 9, "gone")
    queue.recover(database, "lab", {"gone"}.__contains__)
    queue.finish(database, lost, Result(1, 2))
    assert state(database, one) is State.received
    (taken,) = queue.claim(database, "lab", 9, "other")
    queue.finish(database, lost, Result(1, 2))
    queue.finish(database, taken, Result(2, 2))
    found = queue.find(database, one.id)
    assert found is not None
    assert (found.times_graded, found.points) == (1, 2)


def test_graded_is_graded_once(database: Database) -> None:
    one = enter(database, "ada", 1)
    (taken,) = queue.claim(database, "lab", 9, "one")
    queue.finish(database, taken, Result(1, 2))
    queue.recover(database, "lab", {"one"}.__contains__)
    assert queue.claim(database, "lab", 9, "one") == []
    assert queue.pending(database) == []
    assert state(database, one) is State.done


def test_hand_in_that_a_dead_grader_left_is_taken_again_and_alone(database: Database) -> None:
    for now, student in enumerate(["ada", "bo"]):
        enter(database, student, now)
    queue.claim(database, "lab", 9, "one")
    enter(database, "cy", 3)
    queue.recover(database, "lab", {"one"}.__contains__)
    assert [one.student for one in queue.claim(database, "lab", 9, "one")] == ["ada"]
    assert [one.student for one in queue.claim(database, "lab", 9, "one")] == ["bo"]
    assert [one.student for one in queue.claim(database, "lab", 9, "one")] == ["cy"]


def test_hand_in_that_kills_every_grader_is_given_up_in_words(database: Database) -> None:
    one = enter(database, "ada", 1)
    for _ in range(queue.MOST_TRIES):
        assert len(queue.claim(database, "lab", 9, "one")) == 1
        queue.recover(database, "lab", {"one"}.__contains__)
    found = queue.find(database, one.id)
    assert found is not None
    assert (found.state, found.why) == (State.failed, queue.GAVE_UP)


def test_hand_in_that_was_not_looked_at_waits_as_before(database: Database) -> None:
    one = enter(database, "ada", 1)
    for _ in range(queue.MOST_TRIES + 1):
        (taken,) = queue.claim(database, "lab", 9, "one")
        queue.leave(database, taken)
    found = queue.find(database, one.id)
    assert found is not None
    assert (found.state, found.tries, found.queued, found.excused) == (State.received, 0, one.queued, None)


def test_excused_hand_in_keeps_its_place_once_and_then_keeps_nobody_waiting(database: Database) -> None:
    enter(database, "ada", 1)
    for now, student in enumerate(["bo", "cy"], 2):
        enter(database, student, now)
    for expected in (["ada", "bo", "cy"], ["ada"]):
        taken = queue.claim(database, "lab", 9 if len(expected) > 1 else 1, "one")
        assert [one.student for one in taken] == expected
        queue.excuse(database, taken[0], "no room")
        for one in taken[1:]:
            queue.leave(database, one)
    assert [one.student for one in queue.claim(database, "lab", 9, "one")] == ["bo", "cy"]
    (alone,) = queue.claim(database, "lab", 9, "one")
    assert (alone.student, alone.tries) == ("ada", 1)


def test_excused_hand_in_is_never_given_up_while_no_other_is_graded(database: Database) -> None:
    one = enter(database, "ada", 1)
    for _ in range(20):
        (taken,) = queue.claim(database, "lab", 9, "one")
        queue.excuse(database, taken, "no scheduler")
    assert state(database, one) is State.received


def test_hand_in_that_alone_is_always_excused_is_given_up_at_last(database: Database) -> None:
    one = enter(database, "ada", 1)
    for turn in range(20):
        for taken in queue.claim(database, "lab", 9, "one"):
            queue.excuse(database, taken, "the kernel did not start")
        enter(database, f"other-{turn}", 2 + turn)
        for taken in queue.claim(database, "lab", 9, "one"):
            if taken.id != one.id:
                queue.finish(database, taken, Result(1, 2, seconds=1.0))
            else:
                queue.excuse(database, taken, "the kernel did not start")
    found = queue.find(database, one.id)
    assert found is not None
    assert (found.state, found.why) == (State.failed, "the kernel did not start")


def test_hand_in_of_another_grader_is_not_excused(database: Database) -> None:
    enter(database, "ada", 1)
    (taken,) = queue.claim(database, "lab", 9, "one")
    queue.recover(database, "lab", {"one"}.__contains__)
    (again,) = queue.claim(database, "lab", 9, "two")
    queue.excuse(database, taken, "no room")
    queue.leave(database, taken)
    found = queue.find(database, again.id)
    assert found is not None
    assert (found.state, found.tries) == (State.running, 2)


def test_old_attempt_that_was_interrupted_does_not_come_after_the_newer(database: Database) -> None:
    first = enter(database, "ada", 1)
    queue.claim(database, "lab", 9, "one")
    second = enter(database, "ada", 2)
    queue.recover(database, "lab", {"one"}.__contains__)
    assert state(database, first) is State.replaced
    assert [one.id for one in queue.claim(database, "lab", 9, "one")] == [second.id]


def test_settled_hand_in_is_graded_again_when_asked(database: Database) -> None:
    enter(database, "ada", 1)
    (taken,) = queue.claim(database, "lab", 9, "one")
    assert queue.grade_again(database, [taken], BY) == 0
    queue.finish(database, taken, Result(1, 2))
    assert queue.grade_again(database, list(queue.latest(database, "lab").values()), BY) == 1
    (again,) = queue.claim(database, "lab", 9, "one")
    queue.finish(database, again, Result(2, 2))
    assert queue.latest(database, "lab")["ada"].times_graded == 2


def test_interrupted_transaction_leaves_nothing(database: Database) -> None:
    def interrupted() -> None:
        with database.writing() as connection:
            queue.receive(connection, Arrival("ada", "lab", "a.ipynb", "0" * 64, 3), 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert queue.latest(database, "lab") == {}


def test_ids_cannot_be_guessed_from_one_another(database: Database) -> None:
    ids = [enter(database, f"s{number}", number).id for number in range(50)]
    assert len(set(ids)) == 50
    assert all(len(name) >= 32 for name in ids)
    assert len({name[:8] for name in ids}) == 50


def test_content_is_stored_under_its_hash_and_mended_if_cut_short(tmp_path: Path) -> None:
    digest = content.store(tmp_path, b"work")
    path = content.path_of(tmp_path, digest)
    assert path.read_bytes() == b"work"
    path.write_bytes(b"wo")
    assert content.store(tmp_path, b"work") == digest
    assert path.read_bytes() == b"work"
    assert [found.name for found in path.parent.iterdir()] == [digest]


def test_hand_in_of_a_grader_that_lives_is_left_to_it(database: Database) -> None:
    one = enter(database, "ada", 1)
    queue.claim(database, "lab", 9, "living")
    queue.recover(database, "lab", {"one"}.__contains__)
    assert state(database, one) is State.running


def test_database_of_an_earlier_version_gets_its_columns(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'service.db'}"
    database = Database.open(url)
    one = enter(database, "ada", 1)
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE hand_ins DROP COLUMN grader")
    database.close()
    database = Database.open(url)
    assert queue.claim(database, "lab", 9, "one")[0].id == one.id
    database.close()


def test_writers_wait_for_each_other(database: Database) -> None:
    """So a student who hands in two assignments at once has one of them running."""
    enter(database, "ada", 1, "lab")
    enter(database, "ada", 2, "other")
    taken: list[HandIn] = []
    both = [
        threading.Thread(target=lambda name=name: taken.extend(queue.claim(database, name, 9, "one")))
        for name in ("lab", "other")
    ]
    with database.writing():
        for one in both:
            one.start()
    for one in both:
        one.join()
    assert len(taken) == 1
