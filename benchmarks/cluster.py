"""Throughput on a Dask cluster of several worker processes on this machine, and what its scheduler takes."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import classes_of
import harness
import psutil
from harness import Cost, Goal, Section, Settings

COUNT = 96
WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Cluster:
    """A scheduler and its workers, each a process of its own, started as on several machines."""

    address: str
    scheduler: psutil.Process


def run(settings: Settings) -> list[Section]:
    """The same class with 1, 2, 4... workers, up to twice the cores."""
    count = settings.part(COUNT)
    cores = len(os.sched_getaffinity(0))
    numbers = [n for n in (1, 2, 4, 8, 16, 32, 64) if n <= 2 * cores]
    classroom = classes_of.our_class(settings.scratch / "class", classes_of.WARM_UP, count)
    shares: dict[str, list[float]] = {}

    def way(workers: int) -> Cost:
        classes_of.forget(classroom)
        with started(workers, settings.scratch) as cluster:
            before = sum(cluster.scheduler.cpu_times()[:2])
            argv = [harness.BIN / "course", "grade", classroom.assignment, "--scheduler", cluster.address]
            cost = harness.run_command(argv, classroom.folder)
            used = sum(cluster.scheduler.cpu_times()[:2]) - before
        assert len(classes_of.points(classroom)) == count
        shares.setdefault(_name(workers), []).append(used)
        return cost

    ways = {_name(n): (lambda n=n: way(n)) for n in numbers}
    costs = harness.alternate(ways, settings.rounds)
    one = costs[_name(1)]
    rows = []
    for name, found in costs.items():
        cost = harness.middle(found)
        taken = sorted(shares[name])[len(shares[name]) // 2]
        rows.append(
            [
                name,
                f"{cost.wall:.3g} s",
                f"{count / cost.wall:.3g}",
                harness.spread(harness.ratios(one, found)),
                f"{taken / count * 1000:.2g} ms",
                f"{taken / cost.wall:.1%}",
                f"{cost.cpu / count * 1000:.3g} ms",
            ]
        )
    return [
        Section(
            name="cluster",
            title=f"{count} warm-up submissions on a Dask cluster of this machine",
            how=f"`course grade --scheduler`, with a scheduler and workers of one thread each, all processes of their "
            f"own that were there before; {cores} cores, which scheduler, workers and coordinator share. The seconds "
            "are those of the whole command. Everything is executed anew in each round.",
            columns=(
                "workers",
                "seconds",
                "submissions a second",
                "times one worker's",
                "scheduler's CPU, each",
                "scheduler, of one core",
                "coordinator's CPU, each",
            ),
            rows=rows,
            goals=[
                Goal(
                    f"cluster: throughput of {cores} workers over that of one",
                    0.7 * cores,
                    harness.middle_ratio(one, costs[_name(max(n for n in numbers if n <= cores))]),
                )
            ],
            remarks=["The reach is our own: 0.7 of a core's work for each worker beside coordinator and scheduler."],
            raw={**harness.raw(costs), "scheduler_cpu": shares},
        )
    ]


def _name(workers: int) -> str:
    return f"{workers}"


@contextlib.contextmanager
def started(workers: int, folder: Path) -> Iterator[Cluster]:
    """A cluster on loopback, ready."""
    note = folder / f"scheduler-{time.monotonic_ns()}.json"
    dask = [sys.executable, "-m", "dask"]
    where = ["--scheduler-file", str(note)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen([*dask, "scheduler", *where, "--host", "127.0.0.1", "--port", "0", "--no-dashboard"], **quiet)
    ]
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not note.is_file():
            if time.monotonic() > deadline:
                raise RuntimeError("the scheduler does not start")
            time.sleep(0.05)
        options = ["--nthreads", "1", "--nworkers", "1", "--no-dashboard", "--local-directory", str(folder)]
        for _ in range(workers):
            processes.append(subprocess.Popen([*dask, "worker", *where, *options], **quiet))
        address = str(json.loads(note.read_text(encoding="utf-8"))["address"])
        from distributed import Client

        with Client(address) as client:
            client.wait_for_workers(workers, timeout=WAIT_SECONDS)
        yield Cluster(address, psutil.Process(processes[0].pid))
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait()
