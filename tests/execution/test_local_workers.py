"""Workers of this machine are replaced when they die, and end when they are to."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from grading.execution.local_workers import TRIES, LocalWorkers, LostWorkersError


@contextmanager
def nothing() -> Iterator[None]:
    yield


@contextmanager
def noted() -> Iterator[None]:
    """Leave a file behind when it is closed."""
    try:
        yield
    finally:
        Path(os.environ["NOTED"]).with_suffix(f".{os.getpid()}").touch()


def pid(kept: Any, number: int) -> int:
    return os.getpid()


def number(kept: Any, number: int) -> int:
    return number


def die(kept: Any, number: int, noted: Path, times: int) -> str:
    """Kill the worker so many times, then answer."""
    died = len(list(noted.iterdir()))
    if died < times:
        (noted / str(died)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return f"died {died} times"


def fail(kept: Any, number: int) -> None:
    raise ValueError("no such thing")


def sleep(kept: Any, number: int, begun: Path) -> None:
    (begun / str(number)).touch()
    time.sleep(600)


def lead(pids: Any) -> None:
    """Have workers in a process of one's own, say who they are, and wait for ever."""
    with LocalWorkers(2, nothing) as workers:
        tasks = {str(index): () for index in range(2)}
        pids.send([future.result() for _, future in workers.run(pid, tasks, lambda key: None)])
        time.sleep(600)


def results(workers: LocalWorkers, task: Any, tasks: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    return {key: future.result() for key, future in workers.run(task, tasks, lambda key: None)}


def test_each_task_is_done_by_one_of_the_workers() -> None:
    with LocalWorkers(2, nothing) as workers:
        found = results(workers, number, {str(index): () for index in range(8)})
    assert found.keys() == {str(index) for index in range(8)}
    assert set(found.values()) <= {0, 1}


def test_task_of_a_worker_that_dies_is_done_by_a_new_one(tmp_path: Path) -> None:
    with LocalWorkers(1, nothing) as workers:
        assert results(workers, die, {"one": (tmp_path, TRIES - 1)}) == {"one": f"died {TRIES - 1} times"}


def test_task_that_kills_every_worker_fails_and_the_others_are_done(tmp_path: Path) -> None:
    deadly, harmless = tmp_path / "deadly", tmp_path / "harmless"
    deadly.mkdir()
    harmless.mkdir()
    with LocalWorkers(2, nothing) as workers:
        tasks = {"deadly": (deadly, 10**9), "harmless": (harmless, 0)}
        done = dict(workers.run(die, tasks, lambda key: None))
        assert done["harmless"].result() == "died 0 times"
        with pytest.raises(LostWorkersError, match="died"):
            done["deadly"].result()
    assert len(list(deadly.iterdir())) == TRIES


def test_error_of_a_task_is_the_tasks_own() -> None:
    with LocalWorkers(1, nothing) as workers:
        ((_, future),) = workers.run(fail, {"one": ()}, lambda key: None)
        with pytest.raises(ValueError, match="no such thing"):
            future.result()
        assert results(workers, number, {"two": ()}) == {"two": 0}


def test_closing_cuts_tasks_short_and_closes_what_workers_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTED", str(tmp_path / "closed"))
    multiprocessing.forkserver._forkserver._stop()  # a new one knows the variable
    begun = tmp_path / "begun"
    begun.mkdir()
    with LocalWorkers(2, noted) as workers:
        workers.on_each(sleep, begun)
        while len(list(begun.iterdir())) < 2:
            time.sleep(0.01)
    assert len(list(tmp_path.glob("closed.*"))) == 2


def test_workers_end_when_their_command_is_killed() -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    command = context.Process(target=lead, args=(there,))
    command.start()
    workers = [psutil.Process(number) for number in here.recv()]
    command.kill()
    command.join()
    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert (len(gone), alive) == (2, []) or all(one.status() == psutil.STATUS_ZOMBIE for one in alive)
