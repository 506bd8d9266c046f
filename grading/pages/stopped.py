"""Where a student's work stopped: Python's words, the line of the student's own cell, and what to make of it.

All of this is read: tracebacks of cells and of tests, reasons, source. They were written by a student's code, so a line
counts only where the student's own cell has just this text at just this place.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grading.common.text import clean
from grading.pages.meant import meant
from grading.pages.tutor import advice_on

if TYPE_CHECKING:
    from grading.pages.cells import StudentCell

MOST = 3
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_ARROW = re.compile(r"^-+> ?(\d{1,6}) (.*)$", re.MULTILINE)
_FRAME = re.compile(r"line (\d{1,6})(?:, in [^\n]*)?\n([^\n]*)")
_RAISED = re.compile(
    r"(?:^|\braised |\bstopped with |: )((?:[A-Z]\w*)(?:Error|Exception|Iteration|Interrupt))(?::(.*?))?"
    r"(?= \d+ of \d+ |(?: -?\d[\d.]*){3,}| The test gives | The test printed: | \(Cell '|\)?$)"
)
"""An exception in the words of a test, up to where the test goes on to count."""
_MISSING_NAME = re.compile(r"name '(\w{1,80})' is not defined")


@dataclass(frozen=True)
class Failure:
    """An error as it was met: in words, where, and the traceback as text. `cell` is a cell's id, where one ran."""

    said: str
    where: str = ""
    traceback: str = ""
    cell: str = ""


@dataclass(frozen=True)
class Stop:
    """A mistake that stopped the work, and the help with it."""

    said: str
    """Python's message."""
    cells: tuple[str, ...] = ()
    """Names of the student's cells that it happened in; several where it is the same in each."""
    cell: str = ""
    """Id of the first of these, whose line is shown."""
    line: int | None = None
    where: str = ""
    """The cell that was being run, if it is another."""
    meant: str = ""
    advice: str = ""


def stops(
    failures: Iterable[Failure], reasons: Iterable[str], cells: Sequence["StudentCell"], sources: Sequence[str]
) -> list[Stop]:
    """Return what stopped the work, each thing once, in the order in which it happened.

    Args:
        failures: Errors of cells and of tests.
        reasons: Why points were lost, with the words of tests that met an exception themselves.
        cells: The student's own.
        sources: Code that the student can read, for the names in it.
    """
    found: dict[str, Stop] = {}
    for failure in (*failures, *in_reasons(reasons)):
        for stop in _located(failure, cells, sources):
            known = found.get(stop.said, stop)
            better = (not known.cells and stop.cells) or (known.line is None and stop.line)
            found[stop.said] = stop if better else _together(known, stop)
    return _advised_once(found.values())


def _advised_once(found: Iterable[Stop]) -> list[Stop]:
    """Return stops of which each piece of advice stands at the first only."""
    seen: set[str] = set()
    advised = []
    for stop in found:
        advised.append(replace(stop, advice="") if stop.advice in seen else stop)
        seen.add(stop.advice)
    return advised


def lines_of(found: Iterable[Stop]) -> Mapping[str, int]:
    """Return the line at which each cell stopped, by the cell's id."""
    return {stop.cell: stop.line for stop in found if stop.line is not None}


def _together(known: Stop, other: Stop) -> Stop:
    names = tuple(dict.fromkeys((*known.cells, *other.cells)))
    return Stop(known.said, names, known.cell, known.line, known.where, known.meant, known.advice)


def in_reasons(reasons: Iterable[str]) -> Iterator[Failure]:
    """Find the exceptions of which a test tells in its own words."""
    for reason in reasons:
        for match in _RAISED.finditer(reason):
            kind, message = match.groups()
            yield Failure(clean(f"{kind}: {(message or '').strip()}").rstrip(": "))


def _located(failure: Failure, cells: Sequence["StudentCell"], sources: Sequence[str]) -> Iterator[Stop]:
    advice, near = advice_on(failure.said), meant(failure.said, sources)
    place = _by_traceback(failure.traceback, cells) or _by_text(failure.said, cells)
    if place is None:
        ran = next((cell for cell in cells if cell.id == failure.cell), None)
        names = (ran.name,) if ran else ()
        yield Stop(failure.said, names, ran.id if ran else "", None, "" if ran else failure.where, near, advice)
        return
    cell, line = place
    where = failure.where if failure.cell != cell.id else ""
    yield Stop(failure.said, (cell.name,), cell.id, line, where, near, advice)


def _by_traceback(text: str, cells: Sequence["StudentCell"]) -> tuple["StudentCell", int] | None:
    """Find the innermost line of a traceback that stands, with this number, in a cell of the student's."""
    plain = _COLORS.sub("", text)
    frames = [*_ARROW.finditer(plain), *_FRAME.finditer(plain)]
    for match in sorted(frames, key=lambda match: -match.start()):
        number, source = int(match[1]), match[2].strip()
        for cell in cells:
            if 0 < number <= len(cell.lines) and source and cell.lines[number - 1].strip() == source:
                return cell, number
    return None


def _by_text(said: str, cells: Sequence["StudentCell"]) -> tuple["StudentCell", int] | None:
    """Find the line without a traceback: where a missing name is read, or what is to be filled in stands.

    Only where one cell of the student's has it.
    """
    if match := _MISSING_NAME.search(said):
        places = [(cell, line) for cell in cells if (line := _line_reading(match[1], cell.source))]
    elif said.startswith("NotImplementedError"):
        places = [(cell, line) for cell in cells if (line := _line_with("raise NotImplementedError", cell.lines))]
        return places[0] if places else None
    else:
        return None
    return places[0] if len(places) == 1 else None


def _line_reading(name: str, source: str) -> int | None:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a student's cell may be anything
        return None
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    return min(lines, default=None)


def _line_with(words: str, lines: Sequence[str]) -> int | None:
    return next((number for number, line in enumerate(lines, start=1) if words in line), None)
