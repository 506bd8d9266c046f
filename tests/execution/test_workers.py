"""Each job gets the worker, and the GPU, that it was promised."""

import errno
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from grading.errors import GradingError, SandboxError
from grading.examiner.examination import Examination, Examined
from grading.execution import workers as module
from grading.execution.execute import Pools
from grading.execution.job import Examining, Executed, Job, Results
from grading.execution.store import job_key, job_parts
from grading.execution.workers import GPU_VARIABLE, WorkerPool, run_all
from grading.options import Isolation, Limits, Workers
from grading.sandbox.kernel import Environment

HERE = Path(__file__).parent


def job(isolation: Isolation = Isolation.bwrap) -> Job:
    return Job((), (), (), Environment({}, HERE, {}, HERE, {}), isolation=isolation)


@pytest.fixture
def environments(monkeypatch: pytest.MonkeyPatch) -> list[Environment]:
    """What each job was run with; two GPUs, as far as one can see."""
    found: list[Environment] = []

    def run_job(job: Job, kept: object) -> Results:
        found.append(job.environment)
        return Results(Executed(gpu=job.environment.gpu))

    monkeypatch.setattr(module, "run_job", run_job)
    monkeypatch.setattr(module, "gpus", lambda: ["0", "1"])
    monkeypatch.delenv(GPU_VARIABLE, raising=False)
    return found


def test_one_worker_uses_the_gpu(environments: list[Environment]) -> None:
    (outcome,) = run_all({"key": job()}, Workers(1, gpu=True))
    assert outcome.failure == ""
    assert environments[0].gpu == 0
    assert environments[0].variables["CUDA_VISIBLE_DEVICES"] == "0"


def test_one_job_of_many_workers_uses_the_gpu(environments: list[Environment]) -> None:
    list(run_all({"key": job()}, Workers(2, gpu=True)))
    assert environments[0].gpu == 0


@pytest.mark.parametrize(("isolation", "visible"), [(Isolation.bwrap, "0"), (Isolation.none, "1")])
def test_the_gpu_of_a_worker_in_a_cluster_is_the_one_it_names(
    environments: list[Environment], monkeypatch: pytest.MonkeyPatch, isolation: Isolation, visible: str
) -> None:
    monkeypatch.setenv(GPU_VARIABLE, "1")
    list(run_all({"key": job(isolation)}, Workers(1, gpu=True)))
    assert (environments[0].gpu, environments[0].variables["CUDA_VISIBLE_DEVICES"]) == (1, visible)


def test_a_worker_without_a_gpu_fails_rather_than_use_the_processor(
    environments: list[Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GPU_VARIABLE, "7")
    (outcome,) = run_all({"key": job()}, Workers(1, gpu=True))
    assert (outcome.executed, environments) == (None, [])
    assert "has no GPU" in outcome.failure


def test_there_are_no_more_workers_than_gpus(environments: list[Environment]) -> None:
    assert module._within_gpus(Workers(8, gpu=True)).count == 2
    assert module._within_gpus(Workers(8)).count == 8


def test_a_gpu_that_is_not_there_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "gpus", list)
    with pytest.raises(GradingError, match=r"no /dev/nvidia0"):
        list(run_all({"key": job()}, Workers(1, gpu=True)))


def test_without_a_gpu_nothing_is_said_to_tensorflow(environments: list[Environment]) -> None:
    list(run_all({"key": job()}, Workers(1)))
    assert environments == [job().environment]


def test_a_result_from_a_gpu_has_another_key() -> None:
    environment = Environment({}, HERE, {}, Path(__file__).parents[2] / "helpers", {})
    keys = {
        job_key(job_parts("code", "", "", environment, Limits(), Isolation.bwrap, gpu=gpu)) for gpu in (False, True)
    }
    assert len(keys) == 2


def recorded(path: Path, said: str) -> Job:
    path.write_text(said, encoding="utf-8")
    around = Environment({}, HERE, {}, HERE, {})
    return replace(job(), examining=Examining(Examination(()), around), recorded=path)


def test_records_that_are_alike_are_examined_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = {"one": "same", "two": "other", "three": "same"}
    jobs = {key: recorded(tmp_path / key, text) for key, text in said.items()}
    examined: list[str] = []

    def examine_again(job: Job, kept: object) -> Examined:
        assert job.recorded is not None
        examined.append(job.recorded.name)
        return Examined({}, {"whose": job.recorded.name})

    monkeypatch.setattr(module, "examine_again", examine_again)
    begun: list[str] = []
    found = {outcome.key: outcome.results for outcome in run_all(jobs, Workers(2), begun.append)}
    assert examined == ["one", "two"]
    assert sorted(begun) == sorted(found) == ["one", "three", "two"]
    assert found["three"] == found["one"] == Results(None, Examined({}, {"whose": "one"}))
    assert found["two"] == Results(None, Examined({}, {"whose": "two"}))


def test_record_that_is_not_enough_is_executed_and_not_read_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[Job] = []

    def run_job(job: Job, kept: object) -> Results:
        ran.append(job)
        return Results(Executed())

    monkeypatch.setattr(module, "examine_again", lambda job, kept: None)
    monkeypatch.setattr(module, "run_job", run_job)
    made = recorded(tmp_path / "talk", "not enough")
    (outcome,) = run_all({"key": made}, Workers(2))
    assert outcome.executed == Executed()
    assert ran == [replace(made, recorded=None)]


@pytest.mark.parametrize("count", [1, 2])
def test_each_job_says_when_it_begins(count: int, bubblewrap: None, tmp_path: Path) -> None:
    """Here, or on workers of their own."""
    empty = Environment({}, tmp_path, {}, Path(__file__).parents[2] / "helpers", {})
    begun: list[str] = []
    jobs = {key: Job((), (), (), empty) for key in ("one", "two", "three")}
    ended = [outcome.key for outcome in run_all(jobs, Workers(count), begun.append)]
    assert sorted(begun) == sorted(ended) == ["one", "three", "two"]


def test_pool_starts_its_workers_once(bubblewrap: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Environment({}, tmp_path, {}, Path(__file__).parents[2] / "helpers", {})
    started: list[int] = []
    real = module._start

    def start(workers: Workers, count: int) -> AbstractContextManager[module._Started]:
        started.append(count)
        return real(workers, count)

    monkeypatch.setattr(module, "_start", start)
    with WorkerPool(Workers(2)) as pool:
        pool.start()
        for _ in range(2):  # the same key again is another job
            (outcome,) = run_all({"key": Job((), (), (), empty)}, pool.workers, pool=pool)
            assert outcome.executed is not None
            assert outcome.executed.kernels == 1
    assert started == [2]


def test_pool_that_was_not_started_runs_one_job_here(environments: list[Environment]) -> None:
    with WorkerPool(Workers(2)) as pool:
        list(run_all({"key": job()}, pool.workers, pool=pool))
    assert environments == [job().environment]


def test_pool_that_runs_here_asks_no_scheduler(environments: list[Environment]) -> None:
    with WorkerPool(Workers(1, "tcp://127.0.0.1:9")) as pool:
        pool.keep_here(Pools())
        pool.start()
        pool.check()
        list(run_all({"key": job()}, pool.workers, pool=pool))
    assert environments == [job().environment]


@pytest.mark.parametrize(
    ("error", "excused"),
    [
        (SandboxError("no kernel"), True),
        (OSError(errno.ENOSPC, "full"), True),
        (OSError("odd"), False),
        (KeyError(), False),
    ],
)
def test_failure_of_the_machine_is_told_apart(monkeypatch: pytest.MonkeyPatch, error: Exception, excused: bool) -> None:
    def failing(*_: object) -> Results:
        raise error

    monkeypatch.setattr(module, "run_job", failing)
    (outcome,) = run_all({"key": job()}, Workers(1))
    assert outcome.results is None
    assert outcome.excused is excused


def test_worker_that_does_not_see_the_files_is_excused(tmp_path: Path) -> None:
    elsewhere = replace(job(), environment=replace(job().environment, questions=tmp_path / "gone"))
    (outcome,) = run_all({"key": elsewhere}, Workers(1))
    assert "share this folder" in outcome.failure
    assert outcome.excused
