"""A notebook is run and examined: cells in the student's sandbox, tests in the examiner's, in the notebook's order."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grading.examiner.examination import Examination, Setup, TestCell
from grading.execution.execute import Pools, run_job
from grading.execution.job import Cell, Examining, Job, Results
from grading.execution.store import write_questions
from grading.options import MIB, Limits
from grading.pipeline.tested import from_examiner
from grading.records.record import points_of
from grading.sandbox.kernel import Environment

ROOT = Path(__file__).parents[2]
LIMITS = Limits(cell_seconds=10, notebook_seconds=60, memory_bytes=1500 * MIB, output_bytes=10_000)
MakeJob = Callable[..., Job]


@pytest.fixture(scope="module")
def kept(bubblewrap: None) -> Iterator[Pools]:
    """Provide warm kernels and examiners."""
    with Pools() as pools:
        yield pools


@pytest.fixture
def job(tmp_path: Path) -> MakeJob:
    """Make a job of a notebook: a text is a cell, a test cell comes with the names it needs."""

    def make(*parts: str | TestCell, setup: dict[int, str] | None = None, limits: Limits = LIMITS) -> Job:
        environment = Environment({}, write_questions([], tmp_path / "questions"), {}, ROOT / "helpers", {})
        cells, steps = [], []
        for number, part in enumerate(parts):
            if isinstance(part, TestCell):
                due = (setup or {}).get(number)
                steps.append(((Setup(f"s{number}", due),) if due else (), part))
                cells.append(Cell(part.cell, "", test=True))
            else:
                cells.append(Cell(f"c{number}", part))
        examining = Examining(Examination(tuple(steps)), environment)
        return Job(tuple(cells), (), (), environment, limits, examining=examining)

    return make


def outcome(results: Results) -> dict[str, str]:
    """Say what came of each test: passed, or the error."""
    assert results.examined is not None
    return {name: "passed" if run.passed else run.error for name, run in results.examined.tests.items()}


SQUARE = "def square(x):\n    return x * x"
RIGHT = TestCell("right", "assert square(3) == 9", ("square",))


def test_a_right_answer_passes(job: MakeJob, kept: Pools) -> None:
    assert outcome(run_job(job(SQUARE, RIGHT), kept)) == {"right": "passed"}


def test_a_wrong_answer_fails_with_the_tests_words(job: MakeJob, kept: Pools) -> None:
    test = TestCell("wrong", "assert square(3) == 10, f'square(3) is {square(3)}'", ("square",))
    results = run_job(job(SQUARE, test), kept)
    assert outcome(results) == {"wrong": "AssertionError: square(3) is 9"}
    assert results.examined is not None
    assert results.examined.tests["wrong"].line == 1


def test_each_test_sees_the_names_as_they_were_at_its_place(job: MakeJob, kept: Pools) -> None:
    first, second = (TestCell(f"t{n}", f"assert x == {n}", ("x",)) for n in (1, 2))
    assert outcome(run_job(job("x = 1", first, "x = 2", second), kept)) == {"t1": "passed", "t2": "passed"}


def test_leavings_of_a_test_are_there_in_the_students_cells_that_follow(job: MakeJob, kept: Pools) -> None:
    last = "assert x == 1\nx = 5\nopen('note.txt', 'w').write('kept')\nimport random\nrandom.seed(3)"
    follows = "import random\nfound = x, open('note.txt').read(), random.random()"
    check = "import random\nassert found == (5, 'kept', random.Random(3).random())"
    parts = "x = 1", TestCell("t", last, ("x",)), follows, TestCell("u", check, ("found",))
    assert outcome(run_job(job(*parts), kept)) == {"t": "passed", "u": "passed"}


def test_setup_runs_in_the_examiner_before_its_test(job: MakeJob, kept: Pools) -> None:
    test = TestCell("t", "assert square(truth) == 49", ("square",))
    assert outcome(run_job(job(SQUARE, test, setup={1: "truth = 7"}), kept)) == {"t": "passed"}


def test_the_last_expression_is_the_result(job: MakeJob, kept: Pools) -> None:
    results = run_job(job(SQUARE, TestCell("t", "square(1) / 2", ("square",))), kept)
    assert results.examined is not None
    assert results.examined.tests["t"].result == "0.5"


def test_a_kernel_that_dies_costs_its_own_test(job: MakeJob, kept: Pools) -> None:
    dies = "import os\ndef die(): os._exit(3)"
    test = TestCell("dies", "die()", ("die",))
    results = run_job(job(dies, SQUARE, test, RIGHT), kept)
    found = outcome(results)
    assert "kernel died when your code was asked" in found["dies"]
    assert found["right"] == "passed"
    assert results.executed is not None
    assert results.executed.kernels == 2


def test_an_endless_answer_costs_its_own_test(job: MakeJob, kept: Pools) -> None:
    endless = "def endless():\n    while True: pass"
    test = TestCell("endless", "endless()", ("endless",))
    limits = replace(LIMITS, cell_seconds=2)
    found = outcome(run_job(job(endless, SQUARE, test, RIGHT, limits=limits), kept))
    assert "2 s" in found["endless"]
    assert found["right"] == "passed"


def test_an_endless_generator_costs_its_own_test(job: MakeJob, kept: Pools) -> None:
    endless = "def numbers():\n    while True: yield 1"
    test = TestCell("endless", "list(numbers())", ("numbers",))
    limits = replace(LIMITS, cell_seconds=2)
    found = outcome(run_job(job(endless, SQUARE, test, RIGHT, limits=limits), kept))
    assert "2 s" in found["endless"]
    assert found["right"] == "passed"


def test_a_test_that_never_ends_costs_its_own_points(job: MakeJob, kept: Pools) -> None:
    test = TestCell("endless", "while True: pass", ())
    limits = replace(LIMITS, cell_seconds=2)
    found = outcome(run_job(job(SQUARE, test, RIGHT, limits=limits), kept))
    assert "examiner stopped" in found["endless"]
    assert found["right"] == "passed"


def recorded(made: Job, kept: Pools, path: Path) -> Results:
    """Run a job and write its conversation to a file."""
    results = run_job(made, kept)
    assert results.conversation is not None
    path.write_text(json.dumps(results.conversation.to_json()), encoding="utf-8")
    return results


def with_test(made: Job, source: str, path: Path) -> Job:
    """Give a job's only test another source, and a recorded conversation."""
    assert made.examining is not None
    ((setup, test),) = made.examining.examination.steps
    examination = Examination(((setup, replace(test, source=source)),))
    return replace(made, examining=replace(made.examining, examination=examination), recorded=path)


def test_a_reworded_test_is_answered_from_the_record(job: MakeJob, kept: Pools, tmp_path: Path) -> None:
    made, path = job(SQUARE, RIGHT), tmp_path / "talk.json"
    recorded(made, kept, path)
    results = run_job(with_test(made, "assert square(3) > 100, 'another threshold'", path), kept)
    assert results.executed is None
    assert outcome(results) == {"right": "AssertionError: another threshold"}


def test_a_new_question_executes(job: MakeJob, kept: Pools, tmp_path: Path) -> None:
    made, path = job(SQUARE, RIGHT), tmp_path / "talk.json"
    recorded(made, kept, path)
    results = run_job(with_test(made, "assert square(4) == 16", path), kept)
    assert results.executed is not None
    assert outcome(results) == {"right": "passed"}


def test_a_damaged_record_executes(job: MakeJob, kept: Pools, tmp_path: Path) -> None:
    made, path = job(SQUARE, RIGHT), tmp_path / "talk.json"
    path.write_text('{"right": [["x", "y"]]}', encoding="utf-8")
    results = run_job(replace(made, recorded=path), kept)
    assert results.executed is not None
    assert outcome(results) == {"right": "passed"}


SPOOFS = """
class NotBelieved(AssertionError): pass
def square(x):
    print("2 of 2 points. The test passed.")
    import sys
    sys.stderr.write("All tests passed.")
    if x > 5: raise NotBelieved("All right. 2 of 2 points.")
    if x > 4: raise AssertionError("All right. 2 of 2 points.")
    return 0
"""


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("assert square(3) == 9, 'square(3) is wrong'", "square(3) is wrong"),
        ("print('three cases')\nassert square(3) == 9, 'wrong'", "wrong The test printed: three cases"),
        ("square(5)", "Your code raised AssertionError: All right. 2 of 2 points."),
        ("square(6)", "Your code raised NotBelieved: All right. 2 of 2 points."),
        ("print('one right')\nsquare(1)\n1", "one right. The test gives 1 of 2 points."),
        ("import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as said:\n    square(1)\n"
         "assert '2 of 2' not in said.getvalue(), 'it prints'", "it prints"),
    ],
)  # fmt: skip
def test_reason_is_in_the_tests_words_and_never_in_the_students(
    test: str, reason: str, job: MakeJob, kept: Pools
) -> None:
    results = run_job(job(SPOOFS, TestCell("t", test, ("square",))), kept)
    assert results.examined is not None
    assert points_of(from_examiner(results.examined.tests["t"], ""), 2.0)[1] == reason


def test_prints_of_the_students_code_are_kept_apart(job: MakeJob, kept: Pools) -> None:
    test = TestCell("t", "print('before')\nsquare(3)\nprint('after')", ("square",))
    results = run_job(job(SPOOFS, test), kept)
    assert results.examined is not None
    student = "2 of 2 points. The test passed.\nAll tests passed."
    assert results.examined.tests["t"].output == (
        ("stdout", "before\n"),
        ("student", student),
        ("stdout", "after\n"),
    )


def test_reason_is_one_line_of_bounded_length(job: MakeJob, kept: Pools) -> None:
    test = TestCell("t", "print('x' * 10**5, 'a\\nb')\nassert False, 'y' * 10**5 + '\\n'", ())
    results = run_job(job(SQUARE, test), kept)
    assert results.examined is not None
    _, reason = points_of(from_examiner(results.examined.tests["t"], ""), 2.0)
    assert "\n" not in reason
    assert len(reason) < 1100


def test_connections_are_closed_with_their_submissions(job: MakeJob, kept: Pools) -> None:
    run_job(job(SQUARE, RIGHT), kept)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        run_job(job(SQUARE, RIGHT), kept)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
