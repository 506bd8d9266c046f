"""The needs of one execution, and its outcome: plain data, so that both can go to another machine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grading.examiner.conversation import Conversation
from grading.examiner.examination import Examination, Examined
from grading.execution.answers import BadAnswerError, decode, read_answer
from grading.options import Isolation, Limits
from grading.records.record import Event, TestResult
from grading.sandbox.kernel import Environment
from grading.scoring.questions import Answer


@dataclass(frozen=True)
class Cell:
    """A code cell to run. Demonstrations are left out unless something needs them."""

    id: str
    source: str
    demo: bool = False
    test: bool = False
    """Whether it is the examiner's: it runs there, at this point, and its source is not here."""


@dataclass(frozen=True)
class Job:
    """Everything that one execution needs; plain data, so that it can go to another machine."""

    cells: tuple[Cell, ...]
    questions: tuple[str, ...]
    """Names, in the order of the files in the folder of questions."""
    cases: tuple[int, ...]
    environment: Environment
    limits: Limits = field(default_factory=Limits)
    isolation: Isolation = Isolation.bwrap
    examining: "Examining | None" = None
    """What the examiner needs for the tests among the cells; None where there are none."""
    recorded: Path | None = None
    """File of a conversation that was held before: if it answers all that is asked now, the cells need not run."""


@dataclass(frozen=True)
class Examining:
    """The tests of a job, and what the examiner finds around it: the true data, the master's files."""

    examination: Examination
    environment: Environment


TIMES = ("cell_seconds", "notebook_seconds", "cpu_seconds")
"""Limits of time: whoever met none of them would have done the same under others."""


def times_of(limits: Limits) -> dict[str, float]:
    """Return the limits of time among others."""
    return {name: getattr(limits, name) for name in TIMES}


@dataclass
class Executed:
    """Outcome of a job. Outputs and answers are as hostile as the code that made them."""

    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Outputs of the cells that were run, by id."""
    packed: dict[str, str] = field(default_factory=dict)
    """Base64 of each answer, by question."""
    lost: dict[str, str] = field(default_factory=dict)
    """Why a question has no answer."""
    events: list[Event] = field(default_factory=list)
    demos: bool = False
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    kernels: int = 0
    gpu: int | None = None
    """Number of the GPU that it could use."""
    system_calls: str = ""
    """`filtered`, or why the system calls of the student's code were not."""
    tests: dict[str, TestResult] = field(default_factory=dict)
    """What came of the tests that were run, by grade id."""
    longest: float = 0.0
    """Seconds of the cell, question or test that took longest."""
    ran_under: dict[str, float] = field(default_factory=dict)
    """Limits of time that it had, by the names of `grading.options.Limits`."""
    suspicious: bool = False
    """Something outside killed a kernel, so that this result may not be the student's doing."""

    @property
    def needed(self) -> dict[str, float] | None:
        """Return the time that it took, by limit; None if it met one, or something else befell it.

        All of it together stands for the notebook's: cells, questions and tests have that time each.
        """
        needed = dict(zip(TIMES, (self.longest, self.seconds, self.cpu_seconds), strict=True))
        met = any(needed[name] >= limit for name, limit in self.ran_under.items())
        return None if met or self.events or self.suspicious else needed

    def answer(self, question: str, cases: int) -> Answer:
        """Read the answer to a question, with suspicion."""
        if question in self.packed:
            try:
                return read_answer(decode(self.packed[question]), cases)
            except BadAnswerError as error:
                return Answer(lost=f"The answer could not be read: {error}.")
        return Answer(lost=self.lost.get(question, "It was not asked."))

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Executed":
        """Make an outcome from what `to_json` returned."""
        events = [Event(**event) for event in data["events"]]
        tests = {name: TestResult(**test) for name, test in data.get("tests", {}).items()}
        data = {name: value for name, value in data.items() if name != "needed"}
        return cls(**{**data, "events": events, "tests": tests})


@dataclass(frozen=True)
class Results:
    """All that one job gave. `executed` and `conversation` are None where a recorded conversation was enough."""

    executed: Executed | None
    examined: Examined | None = None
    conversation: Conversation | None = None
