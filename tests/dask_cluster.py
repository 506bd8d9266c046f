"""A Dask scheduler and workers as processes, as on a cluster."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 60


@dataclass
class DaskCluster:
    """A scheduler, which keeps its port when it is started again, and workers."""

    folder: Path
    port: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def scheduler(self) -> subprocess.Popen[bytes]:
        """Start a scheduler; it listens when this returns."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        where = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        process = self._started("scheduler", *where)
        wait_for(lambda: file.is_file() and file.stat().st_size > 0)
        self.port = int(json.loads(file.read_text())["address"].rpartition(":")[2])
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker, which can do this module's tasks."""
        alone = ["--nthreads", "1", "--nworkers", "1", "--no-dashboard", "--no-nanny"]
        return self._started("worker", self.address, *alone, "--local-directory", str(self.folder))

    def _started(self, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        with (self.folder / f"{kind}.log").open("ab") as log:
            command = [sys.executable, "-m", "dask", kind, *arguments]
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.processes.append(process)
        return process


@contextlib.contextmanager
def dask_cluster(folder: Path) -> Iterator[DaskCluster]:
    """A cluster with a scheduler; all that was started of it ends with the block."""
    cluster = DaskCluster(folder)
    try:
        cluster.scheduler()
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            end(process)


def end(process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """End a process; a worker of Dask's that loses its scheduler while it begins does not always heed a SIGTERM."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def nap(kept: list[int], seconds: float) -> tuple[int, int]:
    """A task that takes its time; how many its worker has done, and in which process."""
    kept.append(1)
    time.sleep(seconds)
    return len(kept), os.getpid()
