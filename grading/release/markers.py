"""The strict check of a master's markers and grading metadata. When in doubt it stops the release.

nbgrader looks for `BEGIN SOLUTION` anywhere in a line and takes whatever does not match for ordinary text,
so a misspelt marker gives the answer away. Here a marker is exactly `### BEGIN SOLUTION` on its own line,
indented or not, and anything that nearly looks like one is a problem.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from nbformat import NotebookNode

from grading.common.notebooks import cell_name

KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
WHOLE_CELL = "whole-cell-solution"
MARKER = re.compile(rf"[ \t]*### (BEGIN|END) ({'|'.join(KINDS)})[ \t]*")
SEEN_BY_NBGRADER = re.compile(rf"(?:BEGIN|END) (?:{'|'.join(KINDS)})")
COMMENT = re.compile(r"#(?P<words>.*)$")
PHRASES = tuple(f"{edge}{kind.replace(' ', '')}" for edge in ("BEGIN", "END") for kind in KINDS)
EDGES = ("BEGIN", "END", "START", "STOP")
NOUNS = ("SOLUTION", "HIDDEN", "TESTS", "MARK", "SCHEME")
CLOSE_PHRASE = 0.84
CLOSE_WORD = 0.66


@dataclass(frozen=True)
class Problem:
    """Something wrong with a cell; `line` counts from 1 within the cell, 0 is the cell as a whole."""

    cell: str
    line: int
    message: str

    def __str__(self) -> str:
        where = f"{self.cell}, line {self.line}" if self.line else self.cell
        return f"{where}: {self.message}"


@dataclass(frozen=True)
class Region:
    """What stands between a pair of markers; `line` is that of its BEGIN."""

    kind: str
    line: int
    lines: tuple[str, ...]


def check_markers(notebook: NotebookNode) -> list[Problem]:
    """Return every problem of a master, in the order of its cells; an empty list lets it pass."""
    repeated = _repeated_grade_ids(notebook)
    problems = []
    for index, cell in enumerate(notebook.cells):
        name = cell_name(cell, index)
        for check in (_misspelt, _unbalanced, _misplaced, _without_region, _bad_grading, _unguarded):
            problems += [Problem(name, line, message) for line, message in check(cell)]
        if _nbgrader(cell).get("grade_id") in repeated:
            problems.append(Problem(name, 0, "another cell has the same grade_id"))
    return problems


def regions(source: str) -> list[Region]:
    """Return the marked regions of a cell whose markers are balanced."""
    found, begin = [], 0
    lines = source.split("\n")
    for number, edge, kind in _markers(source):
        if edge == "BEGIN":
            begin = number
        else:
            found.append(Region(kind, begin, tuple(lines[begin : number - 1])))
    return found


def _nbgrader(cell: NotebookNode) -> dict[str, Any]:
    found: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return found


def _markers(source: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(source.split("\n"), start=1):
        match = MARKER.fullmatch(line)
        if match:
            yield number, match[1], match[2]


def _misspelt(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(cell.source.split("\n"), start=1):
        if not MARKER.fullmatch(line) and (SEEN_BY_NBGRADER.search(line) or _resembles_marker(line)):
            yield number, f"{line.strip()!r} looks like a marker; one is exactly `### BEGIN SOLUTION`, alone"


def _resembles_marker(line: str) -> bool:
    comment = COMMENT.search(line)
    words = re.findall(r"[A-Za-z]+", comment["words"]) if comment else []
    if not words or not _starts_like_edge(words[0].upper()):
        return False
    compact = "".join(words).upper()
    if max(_likeness(compact, phrase) for phrase in PHRASES) >= CLOSE_PHRASE:
        return True
    shouted = all(word.isupper() for word in words)
    return shouted and any(_likeness(word, noun) >= 0.75 for word in words[1:] for noun in NOUNS)


def _starts_like_edge(word: str) -> bool:
    return word.startswith(EDGES) or any(_likeness(word, edge) >= CLOSE_WORD for edge in EDGES)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _unbalanced(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    opened: tuple[int, str] | None = None
    for number, edge, kind in _markers(cell.source):
        if edge == "BEGIN":
            if opened:
                yield number, f"BEGIN {kind} inside the {opened[1]} region of line {opened[0]}"
            opened = opened or (number, kind)
        elif opened is None:
            yield number, f"END {kind} without a BEGIN {kind}"
        else:
            if opened[1] != kind:
                yield number, f"END {kind} closes the {opened[1]} region of line {opened[0]}"
            opened = None
    if opened:
        yield opened[0], f"BEGIN {opened[1]} without an END {opened[1]}"


def _misplaced(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    homes = {"SOLUTION": "solution", "HIDDEN TESTS": "grade", "MARK SCHEME": "task"}
    for number, edge, kind in _markers(cell.source):
        if edge == "BEGIN" and not _nbgrader(cell).get(homes[kind], False):
            yield number, f"{kind} region outside a {homes[kind]} cell"


def _without_region(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    if not _nbgrader(cell).get("solution", False):
        return
    marked = any(kind == "SOLUTION" for _, _, kind in _markers(cell.source))
    whole = WHOLE_CELL in cell.metadata.get("tags", [])
    if not marked and not whole:
        yield 0, f"solution cell without a SOLUTION region; tag it {WHOLE_CELL} if all of it is the answer"
    if marked and whole:
        yield 0, f"tagged {WHOLE_CELL}, but only its SOLUTION region would be removed"


def _bad_grading(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    nbgrader = _nbgrader(cell)
    if nbgrader and not nbgrader.get("grade_id"):
        yield 0, "nbgrader cell without a grade_id"
    if not (nbgrader.get("grade", False) or nbgrader.get("task", False)):
        return
    points: Any = nbgrader.get("points")
    if not _is_number(points) or points <= 0:
        yield 0, f"graded cell whose points are {points!r}, not a number above 0"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _unguarded(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    nbgrader = _nbgrader(cell)
    guarded = nbgrader.get("locked", False) or nbgrader.get("solution", False)
    if nbgrader.get("grade", False) and not guarded:
        yield 0, "grade cell that is neither locked nor a solution: students could edit the test"


def _repeated_grade_ids(notebook: NotebookNode) -> set[str]:
    counts = Counter(_nbgrader(cell).get("grade_id") for cell in notebook.cells)
    return {grade_id for grade_id, count in counts.items() if grade_id and count > 1}
