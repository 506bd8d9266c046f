"""The client of a Dask scheduler: it connects when it is needed, and again after a loss, which it tells apart."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import PATIENCE, dask_cluster, nap

from grading.errors import UnavailableError
from grading.execution.cluster import Cluster
from grading.options import Workers

NOWHERE = Workers(1, "tcp://127.0.0.1:9")


class FakeClient:
    """A client as it is while all is well."""

    def __init__(self, workers: int = 1) -> None:
        self.status = "running"
        self.workers = workers

    def scheduler_info(self, n_workers: int) -> dict[str, int]:
        return {"n_workers": self.workers}

    def close(self, timeout: float) -> None:
        self.status = "closed"


def fake(monkeypatch: pytest.MonkeyPatch, *clients: FakeClient) -> None:
    left = list(clients)
    monkeypatch.setattr(Cluster, "_connected", lambda *_: left.pop(0))


def test_client_is_kept_until_its_scheduler_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = FakeClient(), FakeClient()
    fake(monkeypatch, first, second)
    with Cluster(NOWHERE, dict) as cluster:
        assert cluster.connect() is cluster.connect() is first
        first.status = "connecting"
        cluster.check()
        assert cluster.connect() is second
        assert first.status == "closed"
    assert second.status == "closed"


def test_cluster_without_workers_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, FakeClient(0))
    with Cluster(NOWHERE, dict) as cluster, pytest.raises(UnavailableError, match="has no workers"):
        cluster.check()


def test_scheduler_that_dies_while_it_is_asked_is_connected_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = FakeClient()

    def gone(n_workers: int) -> dict[str, int]:
        raise OSError("connection reset")

    monkeypatch.setattr(first, "scheduler_info", gone)
    fake(monkeypatch, first, FakeClient())
    with Cluster(NOWHERE, dict) as cluster:
        with pytest.raises(UnavailableError, match=r"no Dask scheduler answers at tcp://.*: connection reset"):
            cluster.check()
        cluster.check()
    assert first.status == "closed"


def ready(cluster: Cluster, within: float = PATIENCE) -> None:
    until = time.monotonic() + within
    while True:
        try:
            cluster.check()
            return
        except UnavailableError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def results(cluster: Cluster, seconds: float, begun: Callable[[str], None] = lambda key: None) -> list[Any]:
    return list(cluster.run(nap, {"one": (seconds,), "two": (seconds,)}, begun))


@pytest.mark.slow
def test_lost_scheduler_is_told_apart_and_nothing_piles_up(tmp_path: Path) -> None:
    def kill_when_begun(_: str) -> None:
        scheduler.kill()

    with dask_cluster(tmp_path) as own, Cluster(Workers(1, own.address), list) as cluster:
        scheduler = own.processes[0]
        sizes = []
        for turn in range(3):
            worker = own.worker()
            ready(cluster)
            begun: list[str] = []
            done = results(cluster, 0.05, begun.append)
            assert sorted(key for key, _, _ in done) == sorted(begun) == ["one", "two"]
            assert sorted(value[0] for _, value, error in done if error is None) == [1, 2]
            assert {value[1] for _, value, _ in done} == {worker.pid}
            lost = results(cluster, 1.0, kill_when_begun)
            assert [type(error) for _, _, error in lost] == [UnavailableError] * 2
            with pytest.raises(UnavailableError, match="no Dask scheduler answers"):
                cluster.check()
            sizes.append((threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))))
            if turn < 2:
                scheduler.wait()
                worker.wait(PATIENCE)  # it ends with its scheduler
                scheduler = own.scheduler()
        assert len(set(sizes)) == 1, sizes


@pytest.mark.slow
def test_work_of_a_killed_worker_is_done_by_another_of_the_cluster(tmp_path: Path) -> None:
    with dask_cluster(tmp_path) as own, Cluster(Workers(1, own.address), list) as cluster:
        workers = [own.worker()]
        ready(cluster)

        def kill(_: str) -> None:
            if len(workers) == 1:
                workers.append(own.worker())
                workers[0].kill()

        done = results(cluster, 0.5, kill)
    assert {value[1] for _, value, error in done if error is None} == {workers[1].pid}
    assert [error for _, _, error in done] == [None, None]
