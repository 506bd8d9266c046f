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
from collections.abc import Sequence

from grading.execution.job import Cell, Executed, Job
from grading.options import Isolation
from grading.records.record import Event
from grading.sandbox.forkserver import KernelPool
from grading.sandbox.kernel import CellRun, Ended, Kernel, error_output, started
from grading.sandbox.system_calls import system_call_filter

log = logging.getLogger(__name__)

MAX_RESTARTS = 8
_MISSING_NAME = re.compile(r"name '(\w+)' is not defined")


def execute(job: Job, pool: KernelPool | None = None) -> Executed:
    """Run a job. Whatever the student's code does, this returns; SandboxError is the machine's fault.

    With a pool its kernels start warm, where that can be had.

    If a cell or an answer misses a name that a demonstration defines, all is run again with the demonstrations.
    If something outside killed a kernel (the machine, short of memory, say), all is run again once.
    """
    executed = _attempt(job, pool, demos=False)
    if executed.suspicious:
        log.warning("A kernel was killed from outside: the submission is run again")
        executed = _attempt(job, pool, demos=False)
    if _needs_a_demo(job, executed):
        log.info("A demonstration was needed after all: running again with all cells")
        executed = _attempt(job, pool, demos=True)
    return executed


def _attempt(job: Job, pool: KernelPool | None, demos: bool) -> Executed:
    began = time.monotonic()
    filtered = system_call_filter().state if job.isolation is Isolation.bwrap else "not filtered: no isolation"
    executed = Executed(demos=demos, gpu=job.environment.gpu, system_calls=filtered)
    cells = [cell for cell in job.cells if demos or not cell.demo]
    with _Session(job, executed, pool) as session:
        _run_cells(session, cells)
        _ask(session, cells)
    executed.seconds = round(time.monotonic() - began, 3)
    executed.cpu_seconds = round(executed.cpu_seconds, 3)
    return executed


class _Session:
    """The kernel of a job, which may have to be started several times."""

    def __init__(self, job: Job, executed: Executed, pool: KernelPool | None) -> None:
        self.job, self.executed, self.pool = job, executed, pool
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
            started(self.job.environment, limits.resources, self.job.isolation, limits.output_bytes, self.pool)
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
