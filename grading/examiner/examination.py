"""A notebook's tests as the examiner runs them, and what came of each: plain data."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Site = tuple[str, int, str]
"""A place in a test where a bare yes or no of the student's object decides: cell, line, what is asked."""


_CLOCKS = {"time", "timeit", "perf_counter", "monotonic", "process_time", "thread_time"}


@dataclass(frozen=True)
class Setup:
    """An instructor's statements that depend on nothing of the student's; `source` keeps the lines of its cell."""

    cell: str
    source: str


@dataclass(frozen=True)
class TestCell:
    """A test cell. `names` are those that are asked of the student's kernel, since the test may need them."""

    __test__ = False  # it is no test of pytest's

    cell: str
    source: str
    names: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    """Of these, what is imported from libraries: the examiner uses its own if the student's kernel has any."""


@dataclass(frozen=True)
class Examination:
    """The tests of a notebook, in its order, each with the setup that stands between it and the one before."""

    steps: tuple[tuple[tuple[Setup, ...], TestCell], ...]
    believed: tuple[Site, ...] | None = None
    """Sites that the course's own solution needs; None asks without a limit, and notes them."""

    @property
    def first(self) -> tuple[Setup, ...]:
        """Return the setup before the first test: it is the same for every submission."""
        return self.steps[0][0] if self.steps else ()

    @cached_property
    def measures_time(self) -> bool:
        """Whether its code may look at a clock: answers that are recorded take no time."""
        sources = (source for setups, test in self.steps for source in (*(one.source for one in setups), test.source))
        return any(map(_names_a_clock, sources))


def _names_a_clock(source: str) -> bool:
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # a magic command: `%timeit` is one
        return True
    named = {getattr(node, field, None) for node in nodes for field in ("id", "attr", "name", "module")}
    return any(isinstance(name, str) and name.removesuffix("_ns") in _CLOCKS for name in named)


@dataclass(frozen=True)
class TestRun:
    """Outcome of a test cell in the examiner."""

    __test__ = False

    passed: bool
    error: str = ""
    """The exception in words, or why the test could not be run to its end."""
    traceback: tuple[str, ...] = ()
    line: int | None = None
    """Line of the test cell that raised."""
    result: str | None = None
    """Text of the last expression's value, if it has one."""
    output: tuple[tuple[str, str], ...] = ()
    """(stream, text) in their order; the stream `student` holds what the student's code printed when it was asked."""
    sites: tuple[Site, ...] = ()
    theirs: bool = False
    """Whether the exception came from the student's code: then its words are the student's, too."""
    asked: int = 0
    """Requests that went to the student's code."""


@dataclass
class Examined:
    """Outcome of all tests of a run, by cell id."""

    tests: dict[str, TestRun] = field(default_factory=dict)
    setup_errors: dict[str, str] = field(default_factory=dict)
    """Why instructor's statements failed in the examiner, by cell."""

    def to_text(self) -> str:
        """Return it as JSON."""
        return json.dumps(vars(self), default=vars)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Examined":
        """Make one of the data that `to_text` wrote."""
        return cls({name: _test_run(run) for name, run in data["tests"].items()}, dict(data["setup_errors"]))


def _test_run(data: Mapping[str, Any]) -> TestRun:
    lists = {
        "traceback": tuple(data["traceback"]),
        "output": tuple((stream, text) for stream, text in data["output"]),
        "sites": tuple((cell, line, what) for cell, line, what in data["sites"]),
    }
    return TestRun(**{**data, **lists})
