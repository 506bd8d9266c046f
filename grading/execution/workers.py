"""Run many jobs on many workers. Only this module knows Dask.

Workers drive sandboxes; they never run student code themselves. What they need is named by path, and must be seen
at that path: on one machine always, on a cluster through a shared file system.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grading.errors import GradingError
from grading.execution.execute import Pools, run_job
from grading.execution.job import Executed, Job, Results
from grading.options import Isolation, Workers

log = logging.getLogger(__name__)

GPU_VARIABLE = "COURSE_GPU"
"""On a cluster: the index of the GPU that a worker's submissions use."""


@dataclass(frozen=True)
class Outcome:
    """Result of a job, or the reason why there is none: the machine's fault, not the student's."""

    key: str
    results: Results | None
    failure: str = ""

    @property
    def executed(self) -> Executed | None:
        """Return what the student's code gave; None where it was not run."""
        return self.results.executed if self.results else None


def run_all(
    jobs: Mapping[str, Job], workers: Workers, started: Callable[[str], None] = lambda key: None
) -> Iterator[Outcome]:
    """Run jobs, by key, and yield each outcome as soon as it is there; call `started` with the key of each that begins.

    With one worker, or one job, they run here, in turn; else on Dask, where a lost worker's jobs run elsewhere.
    """
    if not jobs:
        return
    workers = _within_gpus(workers)
    if min(len(jobs), workers.count) == 1 and not workers.scheduler:
        with Pools() as kept:
            for key, job in jobs.items():
                started(key)
                yield _run_one(key, job, workers.gpu, kept)
        return
    import dask  # slow to load, as is distributed

    with dask.config.set({"logging.distributed": "error"}):  # read when distributed is first imported
        from distributed import as_completed

    with _client(workers, len(jobs)) as client:
        client.subscribe_topic(_STARTED, lambda event: started(event[1]))
        futures = {
            client.submit(_run_on_worker, key, job, workers.gpu, pure=False, key=f"course-{key}"): key
            for key, job in jobs.items()
        }
        for future in as_completed(futures):
            if future.status == "finished":
                yield future.result()
            else:
                error = future.exception()
                yield Outcome(futures[future], None, f"its workers were lost: {type(error).__name__}: {error}")
            future.release()  # the cluster need not keep what has been given


_STARTED = "course-started"
"""Topic of the events by which workers say which job they begin."""
_ON_WORKER = "course_pools"
"""Attribute of a Dask worker: what it keeps from job to job."""


def _run_on_worker(key: str, job: Job, gpu: bool) -> Outcome:
    from distributed import get_worker  # slow to load

    worker = get_worker()
    worker.log_event(_STARTED, key)
    if not hasattr(worker, _ON_WORKER):
        setattr(worker, _ON_WORKER, Pools())
    return _run_one(key, job, gpu, getattr(worker, _ON_WORKER))


def _run_one(key: str, job: Job, gpu: bool, kept: Pools) -> Outcome:
    missing = [str(path) for path in _paths(job) if not path.exists()]
    if missing:
        return Outcome(key, None, f"the worker does not see {missing[0]}: share this folder among the machines")
    if gpu:
        equipped = _with_gpu(job)
        if equipped is None:
            return Outcome(key, None, f"this worker has no GPU of its own: say which in {GPU_VARIABLE}")
        job = equipped
    try:
        return Outcome(key, run_job(job, kept))
    except Exception as error:
        log.debug("a job failed", exc_info=True)
        return Outcome(key, None, f"{type(error).__name__}: {error}")


def _paths(job: Job) -> list[Path]:
    environments = [job.environment, *([job.examining.environment] if job.examining else [])]
    return [
        path
        for environment in environments
        for path in (
            environment.questions,
            environment.helpers,
            *environment.data.values(),
            *environment.extras.values(),
            *environment.files.values(),
        )
    ]


@contextlib.contextmanager
def _client(workers: Workers, jobs: int) -> Iterator[Any]:
    import dask  # slow to load, as is distributed
    from distributed import Client, LocalCluster
    from distributed.security import Security

    if workers.scheduler:
        security = None
        if workers.tls:
            security = Security(
                tls_ca_file=workers.tls["ca_file"],
                tls_client_cert=workers.tls["client_cert"],
                tls_client_key=workers.tls["client_key"],
                require_encryption=True,
            )
        try:
            client = Client(workers.scheduler, security=security, timeout=20)
        except (OSError, TimeoutError, ValueError) as error:
            raise GradingError(f"no Dask scheduler answers at {workers.scheduler}: {error}") from error
        with client:
            yield client
        return
    settings = {
        "distributed.worker.daemon": True,
        "distributed.worker.multiprocessing-method": "forkserver",  # what each worker imports is imported once
        "distributed.admin.tick.limit": "30s",
        "distributed.comm.timeouts.connect": "60s",
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=min(workers.count, jobs),
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def gpus() -> list[str]:
    """Return the numbers of this machine's GPUs."""
    return sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))


def _with_gpu(job: Job) -> Job | None:
    """Return the job with the GPU of this worker; None if this worker has none."""
    index = os.environ.get(GPU_VARIABLE, "") or _number_of_worker()
    if index not in gpus():
        return None
    visible = "0" if job.isolation is Isolation.bwrap else index  # inside, the others do not exist
    settings = {"CUDA_VISIBLE_DEVICES": visible, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    environment = job.environment
    variables = {**environment.variables, **settings}
    return replace(job, environment=replace(environment, gpu=int(index), variables=variables))


def _number_of_worker() -> str:
    """Return the name of this Dask worker, a number on one machine; the first where jobs run in this process."""
    from distributed import get_worker  # slow to load

    try:
        return str(get_worker().name)
    except ValueError:
        return "0"


def _within_gpus(workers: Workers) -> Workers:
    """Return no more workers than this machine has GPUs; a cluster's workers have their own."""
    if not workers.gpu or workers.scheduler:
        return workers
    found = len(gpus())
    if not found:
        raise GradingError("c.Grading.gpu is set, but this machine has no GPU (no /dev/nvidia0): set it to False")
    if workers.count > found:
        log.info("%d workers, one for each GPU", found)
    return replace(workers, count=min(workers.count, found))
