"""Run one submission in a sandbox: its cells, then the questions, whatever dies on the way.

A kernel that dies costs the cell or the question that it died in. It is started again, the cells before are
replayed without those that killed it, and the rest goes on.
"""

import ast
import contextlib
import logging
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from grading.answers import BadAnswerError, decode, read_answer
from grading.kernel import CellRun, Ended, Kernel, Surroundings, error_output, started
from grading.questions import Answer
from grading.record import Event
from grading.sandbox import MIB, Isolation, Resources
from grading.warm import Nursery

log = logging.getLogger(__name__)

MAX_RESTARTS = 8
_MISSING_NAME = re.compile(r"name '(\w+)' is not defined")


@dataclass(frozen=True)
class Limits:
    """What a submission may use."""

    cell_seconds: float = 600
    notebook_seconds: float = 1200
    """For the cells; the questions, and what is replayed for them, may take as long again."""
    memory_bytes: int = 4096 * MIB
    tasks: int = 512
    cpu_seconds: int = 4800
    disk_bytes: int = 1024 * MIB
    output_bytes: int = MIB
    """Of each cell."""

    @property
    def resources(self) -> Resources:
        """Those that the sandbox enforces."""
        return Resources(self.memory_bytes, self.tasks, self.cpu_seconds, self.disk_bytes)


@dataclass(frozen=True)
class Cell:
    """A code cell to run. Demonstrations are left out unless something needs them."""

    id: str
    source: str
    demo: bool = False


@dataclass(frozen=True)
class Job:
    """Everything that one execution needs; plain data, so that it can go to another machine."""

    cells: tuple[Cell, ...]
    questions: tuple[str, ...]
    """Names, in the order of the files in the folder of questions."""
    cases: tuple[int, ...]
    around: Surroundings
    limits: Limits = Limits()
    isolation: Isolation = Isolation.bwrap


@dataclass
class Executed:
    """What came of a job. Outputs and answers are as hostile as the code that made them."""

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
    suspicious: bool = False
    """Something outside killed a kernel, so that this result may not be the student's doing."""

    def answer(self, question: str, cases: int) -> Answer:
        """The answer to a question, read with suspicion."""
        if question in self.packed:
            try:
                return read_answer(decode(self.packed[question]), cases)
            except BadAnswerError as error:
                return Answer(lost=f"The answer could not be read: {error}.")
        return Answer(lost=self.lost.get(question, "It was not asked."))

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Executed":
        """From what `to_json` gave."""
        return cls(**{**data, "events": [Event(**event) for event in data["events"]]})


def execute(job: Job, nursery: Nursery | None = None) -> Executed:
    """Run a job. Whatever the student's code does, this returns; SandboxError is the machine's fault.

    With a nursery its kernels start warm, where that can be had.

    If a cell or an answer misses a name that a demonstration defines, all is run again with the demonstrations.
    If something outside killed a kernel (the machine, short of memory, say), all is run again once.
    """
    executed = _attempt(job, nursery, demos=False)
    if executed.suspicious:
        log.warning("A kernel was killed from outside: the submission is run again")
        executed = _attempt(job, nursery, demos=False)
    if _needs_a_demo(job, executed):
        log.info("A demonstration was needed after all: running again with all cells")
        executed = _attempt(job, nursery, demos=True)
    return executed


def _attempt(job: Job, nursery: Nursery | None, demos: bool) -> Executed:
    began = time.monotonic()
    executed = Executed(demos=demos)
    cells = [cell for cell in job.cells if demos or not cell.demo]
    with _Session(job, executed, nursery) as session:
        _run_cells(session, cells)
        _ask(session, cells)
    executed.seconds = round(time.monotonic() - began, 3)
    executed.cpu_seconds = round(executed.cpu_seconds, 3)
    return executed


class _Session:
    """The kernel of a job, which may have to be started several times."""

    def __init__(self, job: Job, executed: Executed, nursery: Nursery | None) -> None:
        self.job, self.executed, self.nursery = job, executed, nursery
        self.killers: set[str] = set()
        self._stack = contextlib.ExitStack()
        self._kernel: Kernel | None = None

    def __enter__(self) -> "_Session":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def kernel(self) -> Kernel:
        assert self._kernel is not None, "the kernel is gone"
        return self._kernel

    @property
    def can_restart(self) -> bool:
        return self.executed.kernels <= MAX_RESTARTS

    def run(self, cell: Cell, seconds: float) -> CellRun:
        """Run a cell and keep its outputs; one that kills the kernel is not run again."""
        run = self.kernel.run(cell.source, seconds)
        self.executed.outputs[cell.id] = run.outputs
        if run.ended in (Ended.died, Ended.interrupted):
            self.note(f"cell {cell.id}", run)
        if run.ended is Ended.died:
            self.killers.add(cell.id)
        return run

    def note(self, where: str, run: CellRun) -> None:
        what = "the kernel died" if run.ended is Ended.died else "interrupted"
        event = Event(where, f"{what}: {run.cause}")
        if event not in self.executed.events:
            self.executed.events.append(event)
        self.executed.suspicious |= run.from_outside

    def replay(self, cells: Sequence[Cell], deadline: float) -> bool:
        """A fresh kernel in which the cells have run, but for those that kill; False if that cannot be had."""
        while self.can_restart:
            self._stop()
            self._start()
            if all(
                self.run(cell, left).ended is not Ended.died
                for cell in cells
                if cell.id not in self.killers and (left := self.left(deadline)) > 0
            ):
                return True
        return False

    def left(self, deadline: float) -> float:
        """Seconds that the next cell has."""
        left = deadline - time.monotonic()
        return 0 if left <= 0 else max(1.0, min(self.job.limits.cell_seconds, math.ceil(left)))

    def _start(self) -> None:
        limits = self.job.limits
        self._kernel = self._stack.enter_context(
            started(self.job.around, limits.resources, self.job.isolation, limits.output_bytes, self.nursery)
        )
        self.executed.kernels += 1

    def _stop(self) -> None:
        self._stack.close()
        if self._kernel is not None:
            usage = self._kernel.sandbox.usage
            self.executed.cpu_seconds += usage.cpu_seconds
            self.executed.peak_memory = max(self.executed.peak_memory, usage.peak_memory)
        self._kernel = None


def _run_cells(session: _Session, cells: Sequence[Cell]) -> None:
    limits = session.job.limits
    deadline = time.monotonic() + limits.notebook_seconds
    for index, cell in enumerate(cells):
        seconds = session.left(deadline)
        if not seconds:
            why = f"the notebook's {limits.notebook_seconds:g} s were over"
        elif session.run(cell, seconds).ended is not Ended.died or session.replay(cells[:index], deadline):
            continue
        else:
            why = f"the kernel died {session.executed.kernels} times"
            index += 1
        for left_out in cells[index:]:
            session.executed.outputs[left_out.id] = [error_output("NotRun", f"This cell was not run: {why}.")]
        session.executed.events.append(Event(f"cell {cell.id}", f"the cells from here on were not run: {why}"))
        return


def _ask(session: _Session, cells: Sequence[Cell]) -> None:
    deadline = time.monotonic() + session.job.limits.notebook_seconds
    lost = session.executed.lost
    for index, name in enumerate(session.job.questions):
        if not session.left(deadline):
            lost[name] = "The time for this notebook was over before it could be asked."
        elif not session.kernel.sandbox.alive and not session.replay(cells, deadline):
            lost[name] = f"The kernel died {session.executed.kernels} times before it could be asked."
        else:
            run = session.kernel.ask(index, session.left(deadline) or 1.0)
            if run.answer:
                session.executed.packed[name] = run.answer
            else:
                lost[name] = _why_lost(run)
            if run.ended in (Ended.died, Ended.interrupted):
                session.note(f"question {name}", run)


def _why_lost(run: CellRun) -> str:
    if run.ended is Ended.died:
        return f"The kernel died when your code was asked: {run.cause}."
    if run.ended is Ended.interrupted:
        return f"Your code did not answer in time: {run.cause}."
    return run.cause or "No answer came back."


def _needs_a_demo(job: Job, executed: Executed) -> bool:
    """Whether something failed for want of a name that one of the demonstrations defines."""
    said = [
        str(output.get("evalue")) for outputs in executed.outputs.values() for output in outputs if "evalue" in output
    ]
    for name, cases in zip(job.questions, job.cases, strict=True):
        answer = executed.answer(name, cases)
        said += [answer.lost, *(result.error for result in answer.results)]
    missing = {name for text in said for name in _MISSING_NAME.findall(text)}
    return bool(missing) and any(missing & names(cell.source) for cell in job.cells if cell.demo)


def names(source: str) -> set[str]:
    """Every name that a cell's source binds anywhere in it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):  # a magic, say: what it binds cannot be known
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found
