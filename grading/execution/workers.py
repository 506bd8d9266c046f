"""Run many jobs on many workers, of this machine or of a cluster.

Workers drive sandboxes; they never run student code themselves. What they need is named by path, and must be seen
at that path: on one machine always, on a cluster through a shared file system.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from grading.errors import GradingError, is_excused
from grading.execution.cluster import Cluster
from grading.execution.execute import Pools, examine_again, get_ready, run_job
from grading.execution.job import Executed, Job, Results
from grading.execution.local_workers import LocalWorkers
from grading.options import Isolation, Workers

log = logging.getLogger(__name__)

GPU_VARIABLE = "COURSE_GPU"
"""On a cluster: the index of the GPU that a worker's submissions use."""
_FEW = 32
"""So many conversations are examined here: to start workers for them would take longer."""


@dataclass(frozen=True)
class Outcome:
    """Result of a job, or the reason why there is none: the machine's fault, not the student's."""

    key: str
    results: Results | None
    failure: str = ""
    excused: bool = False
    """Whether nothing of the job need have caused the failure: the scheduler was not there, say."""

    @property
    def executed(self) -> Executed | None:
        """Return what the student's code gave; None where it was not run."""
        return self.results.executed if self.results else None


class WorkerPool:
    """Workers that are started once and kept for the lots of jobs of one command. For the `with` statement."""

    def __init__(self, workers: Workers) -> None:
        self.workers = _within_gpus(workers)
        self._started: _Started | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End them; what they are in the middle of is cut short."""
        self._started = None
        self._stack.close()

    def keep_here(self, kept: Pools) -> None:
        """Run all jobs in this process, in turn, with these pools, which are closed with the workers."""
        self._started = _Here(self._stack.enter_context(kept))

    def check(self) -> None:
        """Raise UnavailableError where a cluster is to run the jobs and cannot do so now; later it may."""
        if self._started is None and self.workers.scheduler:
            self._begin()
        if isinstance(self._started, _OnCluster):
            self._started.cluster.check()

    @property
    def started(self) -> "_Started | None":
        """Return the running workers; None if there are none yet."""
        return self._started

    def start(self, soon: Job | None = None) -> None:
        """Start them, unless there is only one, or they run; with a job, each gets ready for jobs like it."""
        if self._started is None and (self.workers.count > 1 or self.workers.scheduler):
            begun = self._begin()
            if isinstance(begun, _OnCluster):
                begun.cluster.connect()
            if soon is not None:
                begun.get_ready(soon)

    def _begin(self) -> "_Started":
        self._started = self._stack.enter_context(_start(self.workers, self.workers.count))
        return self._started


def run_all(
    jobs: Mapping[str, Job],
    workers: Workers,
    started: Callable[[str], None] = lambda key: None,
    pool: WorkerPool | None = None,
) -> Iterator[Outcome]:
    """Run jobs, by key, and yield each outcome as soon as it is there; call `started` with the key of each that begins.

    They run on the `pool` if it was started; else `workers` are started where that is worth it. Where conversations are
    recorded only the examiner runs, once for all jobs whose records are alike. Jobs whose records do not answer all
    that is asked now are executed after that.
    """
    left = dict(jobs)
    for outcome in examine_recorded(jobs, workers, pool):
        started(outcome.key)
        yield outcome
        del left[outcome.key]
    if left:
        to_run = {key: replace(job, recorded=None) for key, job in left.items()}
        chosen, running = _chosen(workers, pool)
        yield from _each(_run_one, to_run, chosen, running, 0 if chosen.scheduler else 1, started)


def examine_recorded(jobs: Mapping[str, Job], workers: Workers, pool: WorkerPool | None = None) -> Iterator[Outcome]:
    """Yield what comes of jobs whose recorded conversations answer all that is asked: no student code runs for it."""
    alike = _alike(jobs)
    if not alike:
        return
    chosen, running = _chosen(workers, pool)
    for outcome in _each(_examine_one, {key: jobs[key] for key in alike}, chosen, running, _FEW):
        if outcome.results is not None:
            yield from (replace(outcome, key=key) for key in alike[outcome.key])


def _chosen(workers: Workers, pool: WorkerPool | None) -> tuple[Workers, "_Started | None"]:
    """Return the workers to use, and those that run already."""
    return (pool.workers, pool.started) if pool is not None else (_within_gpus(workers), None)


def _alike(jobs: Mapping[str, Job]) -> dict[str, list[str]]:
    """Group the jobs with a recorded conversation, by the first: all have the same tests and the same answers."""
    groups: dict[str, list[str]] = {}
    for key, job in jobs.items():
        if job.recorded is not None and job.examining is not None:
            with contextlib.suppress(OSError):  # it was cleaned away just now: the job is executed
                said = hashlib.sha256(job.recorded.read_bytes()).hexdigest()
                groups.setdefault(repr((said, job.examining, job.limits, job.isolation)), []).append(key)
    return {group[0]: group for group in groups.values()}


def _each(
    work: "_Work",
    jobs: Mapping[str, Job],
    workers: Workers,
    running: "_Started | None",
    few: int,
    started: Callable[[str], None] = lambda key: None,
) -> Iterator[Outcome]:
    """Do the same work with each job.

    With one worker, or no more than `few` jobs, it is done here, in turn, unless workers are `running`.
    """
    if not jobs:
        return
    if running is None and (len(jobs) <= few or (workers.count == 1 and not workers.scheduler)):
        with Pools() as kept:
            yield from _Here(kept).run(work, jobs, workers.gpu, started)
        return
    with contextlib.nullcontext(running) if running is not None else _start(workers, len(jobs)) as running:
        yield from running.run(work, jobs, workers.gpu, started)


class _Started(Protocol):
    """Workers that run; jobs of a lost one run elsewhere."""

    def get_ready(self, soon: Job) -> None:
        """Have each worker prepare for jobs like this one, without waiting for that."""

    def run(
        self, work: "_Work", jobs: Mapping[str, Job], gpu: bool, started: Callable[[str], None]
    ) -> Iterator[Outcome]:
        """Do the work with each job and yield each outcome as soon as it is there."""


@contextlib.contextmanager
def _start(workers: Workers, jobs: int) -> Iterator[_Started]:
    if workers.scheduler:
        with Cluster(workers, Pools) as cluster:
            yield _OnCluster(cluster)
    else:
        with LocalWorkers(min(workers.count, jobs), Pools) as local:
            yield _Local(local)


@dataclass(frozen=True)
class _Here:
    """This process, which does one job after the other."""

    kept: Pools

    def get_ready(self, soon: Job) -> None:
        get_ready(soon, self.kept)

    def run(
        self, work: "_Work", jobs: Mapping[str, Job], gpu: bool, started: Callable[[str], None]
    ) -> Iterator[Outcome]:
        for key, job in jobs.items():
            started(key)
            yield work(key, job, _gpu_of(gpu, "0"), self.kept)


@dataclass(frozen=True)
class _Local:
    """Workers of this machine."""

    workers: LocalWorkers

    def get_ready(self, soon: Job) -> None:
        self.workers.on_each(_get_ready, soon)

    def run(
        self, work: "_Work", jobs: Mapping[str, Job], gpu: bool, started: Callable[[str], None]
    ) -> Iterator[Outcome]:
        arguments = {key: (work, key, job, gpu) for key, job in jobs.items()}
        for key, future in self.workers.run(_on_local_worker, arguments, started):
            error = future.exception()
            yield future.result() if error is None else _lost(key, error)


def _on_local_worker(kept: Pools, number: int, work: "_Work", key: str, job: Job, gpu: bool) -> Outcome:
    return work(key, job, _gpu_of(gpu, str(number)), kept)


def _get_ready(kept: Pools, number: int, soon: Job) -> None:
    get_ready(soon, kept)


@dataclass(frozen=True)
class _OnCluster:
    """Workers of a Dask cluster."""

    cluster: Cluster

    def get_ready(self, soon: Job) -> None:
        """Do nothing: workers of a cluster serve others, too."""

    def run(
        self, work: "_Work", jobs: Mapping[str, Job], gpu: bool, started: Callable[[str], None]
    ) -> Iterator[Outcome]:
        arguments = {key: (work, key, job, gpu) for key, job in jobs.items()}
        for key, outcome, error in self.cluster.run(_on_cluster, arguments, started):
            yield outcome if error is None else _lost(key, error)


def _on_cluster(kept: Pools, work: "_Work", key: str, job: Job, gpu: bool) -> Outcome:
    return work(key, job, _gpu_of(gpu, ""), kept)


def _lost(key: str, error: BaseException) -> Outcome:
    if is_excused(error):
        return Outcome(key, None, str(error), excused=True)
    return Outcome(key, None, f"its workers were lost: {type(error).__name__}: {error}")


_Work = Callable[[str, Job, str | None, Pools], Outcome]
"""What is done with a job: its key, the job, the index of its GPU or None for none, what is kept from job to job."""


def _run_one(key: str, job: Job, gpu: str | None, kept: Pools) -> Outcome:
    equipped = job if gpu is None else _with_gpu(job, gpu)
    if equipped is None:
        return Outcome(key, None, f"this worker has no GPU of its own: say which in {GPU_VARIABLE}", excused=True)
    return _tried(key, equipped, lambda: run_job(equipped, kept))


def _examine_one(key: str, job: Job, gpu: str | None, kept: Pools) -> Outcome:
    """Run only the examiner, which needs no GPU; there are no results if the record is not enough."""

    def results() -> Results | None:
        examined = examine_again(job, kept)
        return None if examined is None else Results(None, examined)

    return _tried(key, job, results)


def _tried(key: str, job: Job, work: Callable[[], Results | None]) -> Outcome:
    missing = [str(path) for path in _paths(job) if not path.exists()]
    if missing:
        why = f"the worker does not see {missing[0]}: share this folder among the machines"
        return Outcome(key, None, why, excused=True)
    try:
        return Outcome(key, work())
    except Exception as error:
        log.debug("a job failed", exc_info=True)
        return Outcome(key, None, f"{type(error).__name__}: {error}", is_excused(error))


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


def gpus() -> list[str]:
    """Return the numbers of this machine's GPUs."""
    return sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))


def _gpu_of(wanted: bool, default: str) -> str | None:
    """Return the index of the GPU that a worker's submissions use, which may be none that exists; None if unwanted."""
    return (os.environ.get(GPU_VARIABLE) or default) if wanted else None


def _with_gpu(job: Job, index: str) -> Job | None:
    """Return the job with this GPU; None if this machine does not have it."""
    if index not in gpus():
        return None
    visible = "0" if job.isolation is Isolation.bwrap else index  # inside, the others do not exist
    settings = {"CUDA_VISIBLE_DEVICES": visible, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    environment = job.environment
    variables = {**environment.variables, **settings}
    return replace(job, environment=replace(environment, gpu=int(index), variables=variables))


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
