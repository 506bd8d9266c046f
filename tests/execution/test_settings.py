"""Running jobs leaves this process as it was."""

from dataclasses import replace
from pathlib import Path

import dask
import distributed

from grading.execution.job import Job
from grading.execution.workers import run_all
from grading.options import Workers
from grading.sandbox.kernel import Environment

OURS = (
    "logging.distributed",
    "distributed.worker.daemon",
    "distributed.worker.multiprocessing-method",
    "distributed.admin.tick.limit",
    "distributed.comm.timeouts.connect",
)


def test_workers_leave_dasks_settings_as_they_were(tmp_path: Path) -> None:
    """Jobs that no worker can run will do: they end at once."""
    assert distributed.__version__  # importing it adds its own defaults
    before = {name: dask.config.get(name, None) for name in OURS}
    job = Job((), (), (), Environment({}, tmp_path / "gone", {}, tmp_path, {}))
    other = replace(job, questions=("another",), cases=(1,))
    outcomes = list(run_all({"one": job, "two": other}, Workers(2)))
    assert ["does not see" in outcome.failure for outcome in outcomes] == [True, True]
    assert {name: dask.config.get(name, None) for name in OURS} == before
