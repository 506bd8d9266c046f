"""Run the tests of one notebook in an examiner, with whoever answers for the student's code."""

import contextlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from grading.common.text import clean
from grading.examiner.conversation import Frame, Partner, gone
from grading.examiner.examination import Examination, Examined, Setup, TestCell, TestRun
from grading.examiner.server import Child, ExaminerPool, LostError
from grading.options import Isolation, Limits
from grading.sandbox.kernel import Environment

log = logging.getLogger(__name__)

_GRACE = 5.0
"""Seconds that a test has to end after it was told that its time is over."""
_SAID_IN_WORDS = ("StudentGone", "NotBelieved")
"""Exceptions of the examiner's own, whose message is a sentence."""
_MAX_TEXT = 64 * 1024
"""Characters of output, and of a traceback, that are kept of one test."""


class Examiner:
    """Examines one submission, test by test, as the notebook is run. Close it by the `with` statement."""

    def __init__(
        self,
        pool: ExaminerPool,
        examination: Examination,
        environment: Environment,
        limits: Limits,
        isolation: Isolation,
    ) -> None:
        self._pool, self._examination = pool, examination
        self._limits, self._isolation, self._environment = limits, isolation, environment
        self._where = (environment, examination, limits.resources, isolation)
        self._child: Child | None = None
        self._done = 0
        self.examined = Examined()

    def __enter__(self) -> "Examiner":
        """Start what it needs, if that does not run."""
        self.prepare()
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            with contextlib.suppress(LostError):
                self._child.send(_frame(kind="end"))
            self._child.close()

    def prepare(self) -> None:
        """Start what it needs, if that does not run: it takes a while, in which the student's kernel can start, too."""
        self._pool.prepare(*self._where)

    def test(self, cell: str, partner: Partner, seconds: float) -> TestRun:
        """Run the setup that is due and a test cell; keep what came of it.

        `seconds` is what the test may take; the examiner's own start is nobody's fault. Raises SandboxError if the
        examiner cannot be started, and what the partner raises; the examiner is of no use any more then.
        """
        number = next(i for i, (_, test) in enumerate(self._examination.steps) if test.cell == cell)
        partner.begin(cell)
        try:
            child = self._ready(number)
            run = self._run_test(child, self._examination.steps[number][1], partner, seconds)
        except LostError as error:
            log.info("the examiner was lost in the cell %s: %s", cell, error)
            run = TestRun(False, f"This test could not be run to its end: the examiner stopped ({clean(str(error))}).")
            self._lose()
        except BaseException:  # Ctrl-C too: what hangs in the middle of a test serves nobody
            self._lose()
            raise
        finally:
            partner.end()
        self.examined.tests[cell] = run
        return run

    def _ready(self, number: int) -> Child:
        """Return a child in which the setups up to a test have run; a new one repeats those before it."""
        if self._child is None:
            self._child, self._done = self._pool.child(*self._where), 0
        child = self._child
        while self._done <= number:
            for setup in self._examination.steps[self._done][0]:
                self._set_up(child, setup)
            self._done += 1
        return child

    def _set_up(self, child: Child, setup: Setup) -> None:
        until = time.monotonic() + self._limits.cell_seconds + _GRACE
        child.send(_frame(kind="setup", cell=setup.cell, source=setup.source))
        done = _read(child.receive(until))
        if done.get("error"):
            self.examined.setup_errors[setup.cell] = _words(done["error"])

    def _run_test(self, child: Child, test: TestCell, partner: Partner, seconds: float) -> TestRun:
        believed = self._examination.believed
        until = time.monotonic() + seconds
        child.send(
            _frame(
                kind="test",
                cell=test.cell,
                source=test.source,
                names=list(test.names),
                libraries=list(test.libraries),
                believed=None if believed is None else [list(site) for site in believed],
            )
        )
        over = ""
        while True:
            frame = child.receive(until + _GRACE)
            if frame.kind == "done":
                return _test_run(_read(frame), over)
            if time.monotonic() < until:
                child.send(partner.ask(frame))
            else:
                over = f"it ran for more than {seconds:g} s"
                child.send(gone(over))

    def _lose(self) -> None:
        self._pool.discard(*self._where)
        if self._child is not None:
            self._child.close()
        self._child = None


def _frame(**head: Any) -> Frame:
    return Frame(json.dumps(head).encode())


def _read(frame: Frame) -> Mapping[str, Any]:
    try:
        found = json.loads(frame.head)
    except ValueError as error:
        raise LostError(f"it sent what is no message: {error}") from error
    if not isinstance(found, Mapping) or found.get("kind") != "done":
        raise LostError("it sent a message out of turn")
    return found


def _words(error: Mapping[str, Any]) -> str:
    """Say an exception as Python's last line does."""
    name, value = str(error.get("ename")), str(error.get("evalue"))
    if name in _SAID_IN_WORDS and not error.get("theirs"):
        return f"{value[:1].upper()}{value[1:]}" + ("" if value.endswith(".") else ".")
    return f"{name}: {value}" if value else name


def _test_run(done: Mapping[str, Any], over: str) -> TestRun:
    error = done.get("error")
    return TestRun(
        passed=not error and not over,
        error=(_words(error) if error else f"The test was stopped: {over}." if over else "")[:_MAX_TEXT],
        traceback=_last_lines(error.get("traceback", ())) if error else (),
        line=error.get("line") if error else None,
        theirs=bool(error and error.get("theirs")),
        result=done.get("result"),
        output=_outputs(done.get("output", ())),
        sites=tuple((str(cell), int(line), str(what)) for cell, line, what in done.get("sites", ())),
        asked=int(done.get("asked", 0)),
    )


def _last_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Keep the last lines, where the exception is, within the limit."""
    kept: list[str] = []
    room = _MAX_TEXT
    for line in reversed(lines):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    return tuple(reversed(kept))


def _outputs(pieces: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Keep the first of what was printed, within the limit."""
    kept: list[tuple[str, str]] = []
    room = _MAX_TEXT
    for stream, text in pieces:
        if room > 0:
            kept.append((str(stream), str(text)[:room]))
            room -= len(text)
    return tuple(kept)
