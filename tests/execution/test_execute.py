"""A submission is run to its end, whatever its cells do."""

import base64
import io
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from grading.execution import execute as module
from grading.execution.execute import execute
from grading.execution.job import Cell, Executed, Job
from grading.execution.store import Store, code_hash, fingerprint, job_key, job_parts, write_questions
from grading.options import MIB, Isolation, Limits
from grading.sandbox.forkserver import KernelPool
from grading.sandbox.kernel import Environment
from grading.scoring.questions import Question, call

ROOT = Path(__file__).parents[2]
LIMITS = Limits(cell_seconds=20, notebook_seconds=60, memory_bytes=1000 * MIB, output_bytes=10_000)
DOUBLE = call("double", "double", [[1], [2]])
TRIPLE = call("triple", "triple", [[1]])
DEFINE = "def double(x): return 2 * x\ndef triple(x): return 3 * x"

MakeJob = Callable[..., Job]


@pytest.fixture(scope="module", params=["cold", "warm"], autouse=True)
def start(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything below holds for kernels of their own start and for forked ones."""
    with KernelPool() as pool, pytest.MonkeyPatch.context() as patch:
        if request.param == "warm":
            patch.setattr(sys.modules[__name__], "execute", partial(module.execute, pool=pool))
        yield


@pytest.fixture
def job(tmp_path: Path, bubblewrap: None) -> MakeJob:
    """Makes a job of sources; `demo` says which of them only demonstrate."""

    def make(
        *sources: str,
        questions: tuple[Question, ...] = (),
        demo: tuple[int, ...] = (),
        limits: Limits = LIMITS,
        seed: int = 0,
    ) -> Job:
        cells = tuple(Cell(f"c{index}", source, index in demo) for index, source in enumerate(sources))
        folder = write_questions(questions, tmp_path / "questions")
        environment = Environment({}, folder, {}, ROOT / "helpers", {}, seed)
        return Job(cells, tuple(q.name for q in questions), tuple(len(q.cases) for q in questions), environment, limits)

    return make


def said(executed: Executed, cell: str) -> str:
    return " ".join(str(o.get("text") or o.get("evalue") or o.get("data")) for o in executed.outputs[cell])


def values(executed: Executed, question: Question) -> list[float | str]:
    answer = executed.answer(question.name, len(question.cases))
    return [answer.lost] if answer.lost else [result.error or float(result.value) for result in answer.results]


def test_cells_after_an_exception_run(job: MakeJob) -> None:
    ran = execute(job("1 / 0", "print('on')"))
    assert said(ran, "c0") == "division by zero"
    assert said(ran, "c1") == "on\n"
    assert ran.kernels == 1


def test_demonstrations_are_left_out_unless_they_are_needed(job: MakeJob) -> None:
    assert set(execute(job("print('demo')", "print('work')", demo=(0,))).outputs) == {"c1"}
    ran = execute(job("x = 5", "print(x)", demo=(0,)))
    assert said(ran, "c1") == "5\n"
    assert ran.demos
    assert set(execute(job("x = 5", "print(mistyped)", demo=(0,))).outputs) == {"c1"}


def test_demonstrations_run_when_only_an_answer_needs_one(job: MakeJob) -> None:
    ran = execute(job("factor = 2", "def double(x): return factor * x", questions=(DOUBLE,), demo=(0,)))
    assert values(ran, DOUBLE) == [2.0, 4.0]


def test_slow_cell_is_interrupted_and_the_next_one_runs(job: MakeJob) -> None:
    ran = execute(job("import time; time.sleep(99)", "print('on')", limits=replace(LIMITS, cell_seconds=2)))
    assert said(ran, "c0") == "This cell was interrupted: it ran for more than 2 s."
    assert said(ran, "c1") == "on\n"
    assert [(event.where, event.what) for event in ran.events] == [("cell c0", "interrupted: it ran for more than 2 s")]


def test_cell_that_ignores_interrupts_is_killed_and_the_rest_runs(
    job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading.sandbox.kernel._INTERRUPT_GRACE", 1.0)
    stubborn = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    limits = replace(LIMITS, cell_seconds=2)
    ran = execute(job("x = 1", stubborn, DEFINE, "print(x)", questions=(DOUBLE,), limits=limits))
    assert "did not let itself be interrupted" in said(ran, "c1")
    assert said(ran, "c3") == "1\n"
    assert values(ran, DOUBLE) == [2.0, 4.0]
    assert ran.kernels == 2


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("import os; os._exit(3)", "exit status 3"),
        ("import ctypes; ctypes.string_at(0)", "signal SIGSEGV"),
        ("x = []\nwhile True: x.append(bytearray(50_000_000))", "more than 1000 MiB of memory"),
        ("import threading, os, time; threading.Timer(0.2, os._exit, [4]).start(); time.sleep(9)", "exit status 4"),
    ],
    ids=["exit", "segfault", "memory", "thread"],
)
def test_dead_kernel_costs_only_its_own_cell(job: MakeJob, how: str, cause: str) -> None:
    ran = execute(job("print('before')", how, DEFINE, questions=(DOUBLE, TRIPLE)))
    assert cause in said(ran, "c1")
    assert said(ran, "c0") == "before\n"
    assert values(ran, DOUBLE) == [2.0, 4.0]
    assert values(ran, TRIPLE) == [3.0]
    assert ran.kernels == 2


def test_question_that_kills_costs_only_itself(job: MakeJob) -> None:
    ran = execute(job(DEFINE + "\ndef double(x): import os; os._exit(5)", questions=(DOUBLE, TRIPLE)))
    assert values(ran, DOUBLE) == [
        "The kernel died when your code was asked: the process ended itself with exit status 5."
    ]
    assert values(ran, TRIPLE) == [3.0]


def test_endless_case_costs_only_itself_and_what_follows_it(job: MakeJob) -> None:
    source = DEFINE + "\ndef double(x):\n    while x == 2: pass\n    return 2 * x"
    ran = execute(job(source, questions=(DOUBLE, TRIPLE), limits=replace(LIMITS, cell_seconds=2)))
    assert values(ran, DOUBLE) == [2.0, "It took too long and was interrupted."]
    assert values(ran, TRIPLE) == [3.0]


def test_kernel_that_always_dies_is_given_up(job: MakeJob) -> None:
    questions = tuple(call(f"q{n}", "die", [[n]]) for n in range(module.MAX_RESTARTS + 3))
    ran = execute(job("def die(x): import os; os._exit(1)", questions=questions))
    assert ran.kernels == module.MAX_RESTARTS + 1
    assert "before it could be asked" in ran.answer(questions[-1].name, 1).lost


def test_notebook_has_a_limit_and_questions_have_their_own(job: MakeJob) -> None:
    limits = replace(LIMITS, notebook_seconds=2)
    ran = execute(job(DEFINE, "import time; time.sleep(99)", "print('on')", questions=(DOUBLE,), limits=limits))
    assert "2 s were over" in said(ran, "c2")
    assert values(ran, DOUBLE) == [2.0, 4.0]


def test_submission_killed_from_outside_runs_on_and_is_suspicious(job: MakeJob) -> None:
    """SIGKILL without a cause: the machine's memory may have run out, so it gets a second chance, and one only."""
    ran = execute(job("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "print('on')"))
    assert "SIGKILL" in said(ran, "c0")
    assert said(ran, "c1") == "on\n"
    assert ran.suspicious


def test_endless_output_is_cut(job: MakeJob) -> None:
    ran = execute(job("for i in range(3000): print('x' * 50)", "print('on')"))
    assert len(said(ran, "c0")) < 11_000
    assert "the rest was left out" in said(ran, "c0")
    assert said(ran, "c1") == "on\n"


def test_text_printed_in_pieces_is_one_output(job: MakeJob) -> None:
    source = "import sys, time\nfor _ in range(3): print(1); sys.stdout.flush(); time.sleep(0.3)"
    assert [output["text"] for output in execute(job(source)).outputs["c0"]] == ["1\n1\n1\n"]


def test_only_text_and_pictures_come_out(job: MakeJob) -> None:
    source = "from IPython.display import display\ndisplay({'text/html': '<script>', 'text/plain': 'plain'}, raw=True)"
    assert execute(job(source)).outputs["c0"][0]["data"] == {"text/plain": "plain"}


def test_chance_follows_the_seed(job: MakeJob) -> None:
    source = "import random, numpy\nprint(random.random(), numpy.random.rand(), hash('a'))"
    first, again, other = (said(execute(job(source, seed=seed)), "c0") for seed in (1, 1, 2))
    assert first == again
    assert not set(first.split()) & set(other.split())


@pytest.mark.slow
def test_tensorflow_is_seeded_before_the_students_code(job: MakeJob) -> None:
    source = "import tensorflow as tf; print(float(tf.random.uniform([])))"
    limits = replace(LIMITS, memory_bytes=4096 * MIB, cell_seconds=60)
    first, again = (said(execute(job(source, seed=3, limits=limits)), "c0").split()[-1] for _ in range(2))
    assert first == again


def test_no_isolation_gives_the_same_answers(job: MakeJob) -> None:
    made = job(
        DEFINE, "import os; print(os.environ['HOME'] == os.getcwd(), 'LS_COLORS' in os.environ)", questions=(DOUBLE,)
    )
    ran = execute(replace(made, isolation=Isolation.none))
    assert values(ran, DOUBLE) == [2.0, 4.0]
    assert said(ran, "c1") == "True False\n"


def test_stored_result_comes_back(job: MakeJob, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    ran = execute(job(DEFINE, "import os; os._exit(1)", questions=(DOUBLE,)))
    assert "ab12" not in store
    assert store.get("ab12") is None
    store.put("ab12", ran)
    assert "ab12" in store
    assert store.get("ab12") == ran
    assert [path.name for path in store.folder.rglob("*.*")] == ["ab12.json"]


def test_damaged_result_counts_as_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "ab12.json").write_text('{"outputs":')
    assert store.get("ab12") is None
    assert "ab12" not in store


def key(job: Job, inlined: frozenset[str] = frozenset(), data: str = "", extras: str = "") -> str:
    code = code_hash(job.cells, inlined)
    return job_key(job_parts(code, extras, data, job.environment, job.limits, job.isolation))


def test_any_change_gives_another_key(job: MakeJob) -> None:
    before = job("1", questions=(DOUBLE,))
    variables = replace(before.environment, variables={"TF_NUM_INTRAOP_THREADS": "2"})
    others = [
        key(job("2", questions=(DOUBLE,))),
        key(job("1", questions=(DOUBLE,), demo=(0,))),
        key(job("1", questions=(TRIPLE,))),
        key(job("1", questions=(call("double", "double", [[1], [3]]),))),
        key(job("1", questions=(DOUBLE,), seed=1)),
        key(job("1", questions=(DOUBLE,), limits=replace(LIMITS, tasks=9))),
        key(replace(before, environment=variables)),
        key(replace(before, isolation=Isolation.none)),
        key(before, data="other"),
        key(before, extras="other"),
    ]
    assert key(before) == key(job("1", questions=(DOUBLE,)))
    assert len({key(before), *others}) == 1 + len(others)


def test_new_threshold_keeps_the_key(job: MakeJob) -> None:
    before, after = (job("1", f"minimum = {value}", demo=(1,)) for value in (0.4, 0.5))
    assert key(before, frozenset({"c1"})) == key(after, frozenset({"c1"}))


def test_new_data_has_another_fingerprint(tmp_path: Path) -> None:
    file, folder, noted = tmp_path / "file", tmp_path / "folder", tmp_path / "noted"
    file.write_bytes(b"1")
    folder.mkdir()
    (folder / "a").write_text("1")
    files = {"file": file, "folder": folder}
    first = fingerprint(files, noted)
    assert fingerprint(files, noted) == first
    (folder / "a").write_text("22")
    second = fingerprint(files, noted)
    file.write_bytes(b"2")
    os.utime(file, ns=(0, 0))
    assert len({first, second, fingerprint(files, noted)}) == 3


def test_questions_are_written_the_same_every_time(tmp_path: Path) -> None:
    first, second = (write_questions([DOUBLE, TRIPLE], tmp_path / name) for name in "ab")
    assert first.name == second.name
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }


def test_answer_of_several_arrays_is_kept_apart_from_one(job: MakeJob) -> None:
    question = Question("both", "[1.5, [2, 3]]", several=True)
    one = Question("one", "[1.5, 2]")
    ran = execute(job(questions=(question, one)))
    result = ran.answer("both", 1).results[0]
    assert result.several
    assert [array.tolist() for array in result.arrays] == [1.5, [2, 3]]
    assert ran.answer("one", 1).results[0].value.tolist() == [1.5, 2]


def test_packed_answer_is_an_npz(job: MakeJob) -> None:
    ran = execute(job(DEFINE, questions=(DOUBLE,)))
    with np.load(io.BytesIO(base64.b64decode(ran.packed["double"])), allow_pickle=False) as arrays:
        assert arrays.files == ["0-1/value"]
