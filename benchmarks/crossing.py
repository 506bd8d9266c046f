"""The cost of one crossing: a test asks a student's function, from the examiner's sandbox into the student's and back.

All is as in grading: both sandboxes, and the worker in between, which notes what is said. What a call costs is what a
test of many calls takes longer than one of none, seen from outside; beside it stands what the test's own clock says.
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import harness
from harness import Section, Settings

from grading.examiner.conversation import Conversation
from grading.examiner.examination import Examination, TestCell
from grading.examiner.examine import Examiner
from grading.execution.execute import Pools
from grading.execution.partner import LivePartner
from grading.execution.store import write_questions
from grading.options import Isolation, Limits
from grading.sandbox.kernel import Environment, started

MEGABYTES = 50
STUDENTS = f"""
import numpy as np
kept = np.random.default_rng(0).random({MEGABYTES * 1_000_000 // 8})
def same(x): return x
def take(x): return 0.0
def give(): return kept
def fresh(): return kept.copy()
"""
SETUP = "import time\nimport numpy as np"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""NumPy would start some, and what has threads cannot be forked."""
_SECONDS = 300.0


@dataclass(frozen=True)
class Call:
    """One kind of call: what is made before, and what is timed."""

    name: str
    source: str
    times: int
    before: str = ""

    def test(self, times: int) -> TestCell:
        """A test that makes so many of these calls; its value is the seconds that its clock has seen."""
        lines = [
            self.before,
            "since = time.perf_counter()",
            f"for number in range({times}):",
            f"    {self.source}",
            "time.perf_counter() - since",
        ]
        return TestCell(f"{self.name}, {times}", "\n".join(lines), ("same", "take", "give", "fresh"))


ARRAY = f"array = np.random.default_rng(1).random({MEGABYTES * 1_000_000 // 8})"
CALLS = (
    Call("a scalar in, a scalar back", "same(float(number))", 2000),
    Call(f"{MEGABYTES} MB in: a new array each time", "take(array + number)", 4, ARRAY),
    Call(f"{MEGABYTES} MB in: the same array again", "take(array)", 4, ARRAY + "\ntake(array)"),
    Call(f"{MEGABYTES} MB back: a new array each time", "fresh()", 4),
    Call(f"{MEGABYTES} MB back: the same array again", "array = give()", 4, "array = give()"),
)


def run(settings: Settings) -> list[Section]:
    """Each kind of call in each round, in an examiner and a kernel that have just been started."""
    found: dict[str, list[tuple[float, float]]] = {call.name: [] for call in CALLS}
    for number in range(settings.rounds):
        for name, cost in measure(settings.scratch / f"round-{number}").items():
            found[name].append(cost)
            harness.say(f"  round {number + 1}: {name}: {in_words(cost[0])}, by the test's clock {in_words(cost[1])}")
    rows = [
        [name, *(in_words(statistics.median(values)) for values in zip(*costs, strict=True))]
        for name, costs in found.items()
    ]
    return [
        Section(
            name="crossing",
            title="One crossing: a test calls a student's function",
            how="From the examiner's sandbox through the worker into the student's, and back, as in grading; what a "
            "test of many calls takes longer than one of none. The test's own clock leaves out what the examiner takes "
            "to pack, send and read, and as much again for the other side.",
            columns=("call", "each", "each, by the test's own clock"),
            rows=rows,
            raw={name: [list(cost) for cost in costs] for name, costs in found.items()},
        )
    ]


def measure(folder: Path) -> dict[str, tuple[float, float]]:
    """Seconds of each call, by name: seen from outside, and by the test's clock."""
    tests = {call.name: (call.test(0), call.test(call.times)) for call in CALLS}
    every = [test for pair in tests.values() for test in pair]
    examination = Examination(tuple(((), TestCell(t.cell, f"{SETUP}\n{t.source}", t.names)) for t in every))
    environment = Environment(
        {}, write_questions([], folder), {}, harness.ROOT / "helpers", ONE_THREAD, imports=("import numpy",)
    )
    limits = Limits(cell_seconds=_SECONDS, notebook_seconds=10 * _SECONDS, memory_bytes=4 * 2**30)
    isolation = Isolation.bwrap
    found = {}
    with (
        Pools() as kept,
        started(environment, limits.resources, isolation, limits.output_bytes, kept.kernels) as kernel,
        Examiner(kept.examiners, examination, environment, limits, isolation) as examiner,
    ):
        kernel.run(STUDENTS, _SECONDS)

        def seconds(test: TestCell) -> tuple[float, float]:
            before = time.perf_counter()
            done = examiner.test(test.cell, LivePartner(kernel, _SECONDS, Conversation()), _SECONDS)
            took = time.perf_counter() - before
            if not done.passed or done.result is None:
                raise RuntimeError(f"{test.cell}: {done.error}")
            return took, float(done.result)

        for call in CALLS:
            none, many = map(seconds, tests[call.name])
            found[call.name] = ((many[0] - none[0]) / call.times, (many[1] - none[1]) / call.times)
    return found


def in_words(seconds: float) -> str:
    """Seconds in a unit that suits them."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
