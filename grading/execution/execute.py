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
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from grading.common.files import read_json
from grading.errors import SandboxError
from grading.examiner.conversation import Conversation, NeedsStudentError, Recorded
from grading.examiner.examination import Examined
from grading.examiner.examine import Examiner
from grading.examiner.server import ExaminerPool
from grading.execution.job import Cell, Executed, Job, Results, times_of
from grading.execution.partner import GonePartner, LivePartner
from grading.options import Isolation
from grading.records.record import Event
from grading.sandbox.forkserver import KernelPool
from grading.sandbox.kernel import CellRun, Ended, Kernel, error_output, fork_server, started
from grading.sandbox.system_calls import system_call_filter

log = logging.getLogger(__name__)

MAX_RESTARTS = 8
_MISSING_NAME = re.compile(r"name '(\w+)' is not defined")


def _tell_nobody(done: int, cells: int) -> None:
    """Be what is called where nobody wants to know how far a notebook is."""


@dataclass(frozen=True)
class Pools:
    """Pools that a worker keeps from job to job. Without one for kernels, these start cold."""

    kernels: KernelPool | None = field(default_factory=KernelPool)
    examiners: ExaminerPool = field(default_factory=ExaminerPool)
    told: Callable[[int, int], None] = _tell_nobody
    """Called before each cell, with how many are done of how many."""

    def __enter__(self) -> "Pools":
        return self

    def __exit__(self, *_: object) -> None:
        if self.kernels is not None:
            self.kernels.close()
        self.examiners.close()


def get_ready(job: Job, kept: Pools) -> None:
    """Start the servers that jobs like this one are forked from, unless they run; where one fails, its job will say."""
    with contextlib.suppress(SandboxError):
        if job.examining is not None:
            _examiner(job, kept).prepare()
        if kept.kernels is not None and job.isolation is Isolation.bwrap:
            fork_server(kept.kernels, job.environment)


def execute(job: Job, pool: KernelPool | None = None) -> Executed:
    """Run a job without tests in the examiner; with a pool its kernels start warm, where that can be had."""
    executed = run_job(job, Pools(pool, ExaminerPool())).executed
    assert executed is not None, "nothing was recorded"
    return executed


def run_job(job: Job, kept: Pools) -> Results:
    """Run a job. Whatever the student's code does, this returns; SandboxError is the machine's fault.

    Where a conversation is recorded that answers all that the tests ask, only the examiner runs.
    If a cell, a test or an answer misses a name that a demonstration defines, all is run again with the demonstrations.
    If something outside killed a kernel (the machine, short of memory, say), all is run again once.
    """
    examined = examine_again(job, kept)
    if examined is not None:
        return Results(None, examined)
    results = _attempt(job, kept, demos=False)
    assert results.executed is not None, "it has just been executed"
    if results.executed.suspicious:
        log.warning("A kernel was killed from outside: the submission is run again")
        results = _attempt(job, kept, demos=False)
    if _needs_a_demo(job, results):
        log.info("A demonstration was needed after all: running again with all cells")
        results = _attempt(job, kept, demos=True)
    return results


def examine_again(job: Job, kept: Pools) -> Examined | None:
    """Run the tests with recorded answers; return None where there are none, or they do not suffice."""
    if job.recorded is None or job.examining is None:
        return None
    try:
        partner = Recorded(Conversation.from_json(read_json(job.recorded)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zlib.error) as error:
        log.warning("%s cannot be read (%s): the submission is run again", job.recorded, error)
        return None
    with contextlib.suppress(NeedsStudentError), _examiner(job, kept) as examiner:
        for _, test in job.examining.examination.steps:
            examiner.test(test.cell, partner, job.limits.cell_seconds)
        return examiner.examined
    return None


def _examiner(job: Job, kept: Pools) -> Examiner:
    assert job.examining is not None, "there are tests to run"
    return Examiner(kept.examiners, job.examining.examination, job.examining.environment, job.limits, job.isolation)


def _attempt(job: Job, kept: Pools, demos: bool) -> Results:
    began = time.monotonic()
    filtered = system_call_filter().state if job.isolation is Isolation.bwrap else "not filtered: no isolation"
    ran_under = times_of(job.limits)
    executed = Executed(demos=demos, gpu=job.environment.gpu, system_calls=filtered, ran_under=ran_under)
    cells = [cell for cell in job.cells if demos or not cell.demo]
    with contextlib.ExitStack() as stack:
        examiner = stack.enter_context(_examiner(job, kept)) if job.examining is not None else None
        session = stack.enter_context(_Session(job, executed, kept.kernels, examiner))
        _run_cells(session, cells, kept.told)
        _ask(session, [cell for cell in cells if not cell.test])
    executed.seconds = round(time.monotonic() - began, 3)
    executed.cpu_seconds = round(executed.cpu_seconds, 3)
    return Results(executed, examiner.examined if examiner else None, session.conversation if examiner else None)


class _Budget:
    """Seconds that a part of the work may take in all, and each piece of it."""

    def __init__(self, seconds: float, each: float) -> None:
        self._left, self._each = seconds, each

    @property
    def left(self) -> float:
        """Seconds that the next piece has; 0 if none are left."""
        return 0 if self._left <= 0 else max(1.0, min(self._each, math.ceil(self._left)))

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """Take off what the block takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._left -= time.monotonic() - began


class _Session:
    """The kernel of a job, which may have to be started several times."""

    def __init__(self, job: Job, executed: Executed, pool: KernelPool | None, examiner: Examiner | None) -> None:
        self.job, self.executed, self.pool, self.examiner = job, executed, pool, examiner
        self.conversation = Conversation()
        self.killers: set[str] = set()
        limits = job.limits
        self.cells_time = _Budget(limits.notebook_seconds, limits.cell_seconds)
        self.tests_time = _Budget(limits.notebook_seconds, limits.cell_seconds)
        """For tests and questions, and what is replayed for them."""
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
        began = time.monotonic()
        run = self.kernel.run(cell.source, seconds)
        self.took(began)
        self.executed.outputs[cell.id] = run.outputs
        if run.ended in (Ended.died, Ended.interrupted):
            self.note(f"cell {cell.id}", run)
        if run.ended is Ended.died:
            self.killers.add(cell.id)
        return run

    def took(self, began: float) -> None:
        """Note how long something took that began at a time of the monotonic clock."""
        self.executed.longest = max(self.executed.longest, round(time.monotonic() - began, 3))

    def examine(self, cell: Cell, why_gone: str) -> None:
        """Have the examiner run a test; where the kernel is lost for good, `why_gone` is what the test hears."""
        assert self.examiner is not None, "a job with tests has an examiner"
        seconds = self.tests_time.left
        if not seconds:
            why_gone, seconds = "the time for this notebook was over", 1.0
        if why_gone:
            self.examiner.test(cell.id, GonePartner(why_gone), seconds)
            return
        partner = LivePartner(self.kernel, seconds, self.conversation)
        began = time.monotonic()
        with self.tests_time.spending():
            self.examiner.test(cell.id, partner, seconds)
        self.took(began)
        if partner.run is not None and partner.run.ended in (Ended.died, Ended.interrupted):
            self.note(f"test {cell.id}", partner.run)

    def note(self, where: str, run: CellRun) -> None:
        what = "the kernel died" if run.ended is Ended.died else "interrupted"
        event = Event(where, f"{what}: {run.cause}")
        if event not in self.executed.events:
            self.executed.events.append(event)
        self.executed.suspicious |= run.from_outside

    def replay(self, cells: Sequence[Cell], budget: _Budget) -> bool:
        """Start a fresh kernel and run the cells before, but for those that kill; return False if there can be none."""
        while self.can_restart:
            self._stop()
            self._start()
            if self._replayed(cells, budget):
                return True
        return False

    def _replayed(self, cells: Sequence[Cell], budget: _Budget) -> bool:
        for cell in cells:
            if cell.test or cell.id in self.killers or not budget.left:
                continue
            with budget.spending():
                if self.run(cell, budget.left).ended is Ended.died:
                    return False
        return True

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


def _run_cells(session: _Session, cells: Sequence[Cell], told: Callable[[int, int], None]) -> None:
    """Run cells and tests in their order; what the kernel has no time or life left for is said in its place."""
    over = ""
    for index, cell in enumerate(cells):
        told(index, len(cells))
        budget = session.tests_time if cell.test else session.cells_time
        dead = not session.kernel.sandbox.alive and not session.replay(cells[:index], budget)
        why = f"the kernel died {session.executed.kernels} times" if dead else ""
        if cell.test:
            session.examine(cell, why)
            continue
        if not why and not budget.left:
            why = f"the notebook's {session.job.limits.notebook_seconds:g} s were over"
        if why:
            session.executed.outputs[cell.id] = [error_output("NotRun", f"This cell was not run: {why}.")]
            if why != over:
                said = f"the cells from here on were not run: {why}"
                session.executed.events.append(Event(f"cell {cell.id}", said))
            over = why
            continue
        with budget.spending():
            session.run(cell, budget.left)


def _ask(session: _Session, cells: Sequence[Cell]) -> None:
    budget = session.tests_time
    lost = session.executed.lost
    for index, name in enumerate(session.job.questions):
        if not budget.left:
            lost[name] = "The time for this notebook was over before it could be asked."
        elif not session.kernel.sandbox.alive and not session.replay(cells, budget):
            lost[name] = f"The kernel died {session.executed.kernels} times before it could be asked."
        else:
            began = time.monotonic()
            with budget.spending():
                run = session.kernel.ask(index, budget.left or 1.0)
            session.took(began)
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


def _needs_a_demo(job: Job, results: Results) -> bool:
    """Return whether something failed for want of a name that one of the demonstrations defines."""
    executed = results.executed
    assert executed is not None, "it has just been executed"
    said = [run.error for run in results.examined.tests.values()] if results.examined else []
    said += [
        str(output.get("evalue")) for outputs in executed.outputs.values() for output in outputs if "evalue" in output
    ]
    for name, cases in zip(job.questions, job.cases, strict=True):
        answer = executed.answer(name, cases)
        said += [answer.lost, *(result.error for result in answer.results)]
    missing = {name for text in said for name in _MISSING_NAME.findall(text)}
    return bool(missing) and any(missing & names(cell.source) for cell in job.cells if cell.demo)


def names(source: str) -> set[str]:
    """Return every name that a cell's source binds anywhere in it."""
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
