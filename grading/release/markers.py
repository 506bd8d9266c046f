"""The strict check of a master's markers and grading metadata. When in doubt it stops the release.

A marker is a line that nbgrader takes for one: it has `BEGIN SOLUTION` in it, or what the course's configuration has in
its place. nbgrader takes all other lines for ordinary text, so a misspelt marker gives the answer away. Here anything
that nearly looks like one is a problem.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator, ValidationError

from grading.common.notebooks import cell_name

SOLUTION, TESTS, SCHEME = KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
WHOLE_CELL = "whole-cell-solution"
"""Tag of a solution cell all of which is the answer. nbgrader replaces any without markers whole, tagged or not."""
COMMENT = re.compile(r"(?:#|<!--)(?P<words>.*)$")
EDGES = ("BEGIN", "END", "START", "STOP")
NOUNS = ("SOLUTION", "HIDDEN", "TESTS", "MARK", "SCHEME")
CLOSE_PHRASE = 0.84
CLOSE_WORD = 0.66


@dataclass(frozen=True)
class Marks:
    """The words by which a course marks what students must not see: nbgrader's own unless configured."""

    words: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {kind: (f"BEGIN {kind}", f"END {kind}") for kind in KINDS}
    )
    """Begin and end of each kind, in the order in which nbgrader looks for them."""
    anywhere: frozenset[str] = frozenset()
    """Kinds that may stand in any cell (`enforce_metadata = False`)."""
    stubs: frozenset[str] = frozenset()
    """Lines that are put in the place of solutions."""

    def find(self, line: str) -> tuple[str, str] | None:
        """Return edge and kind of the marker that nbgrader sees in a line."""
        for kind, (begin, end) in self.words.items():
            if begin in line:
                return "BEGIN", kind
            if end in line:
                return "END", kind
        return None

    @property
    def phrases(self) -> frozenset[str]:
        """All begins and ends, nbgrader's own and the course's, in capitals without spaces."""
        own = [f"{edge} {kind}" for edge in ("BEGIN", "END") for kind in KINDS]
        return frozenset(_compact(text) for text in [*own, *(word for pair in self.words.values() for word in pair)])


NBGRADERS = Marks()


@dataclass(frozen=True)
class Problem:
    """A fault of a cell; `line` counts from 1 within the cell, 0 is the cell as a whole."""

    cell: str
    line: int
    message: str

    def __str__(self) -> str:
        where = f"{self.cell}, line {self.line}" if self.line else self.cell
        return f"{where}: {self.message}"


@dataclass(frozen=True)
class Region:
    """The text between a pair of markers; `line` is that of its BEGIN."""

    kind: str
    line: int
    lines: tuple[str, ...]


def check_markers(notebook: NotebookNode, marks: Marks = NBGRADERS) -> list[Problem]:
    """Return every problem of a master, in the order of its cells; an empty list lets it pass."""
    repeated = _repeated_grade_ids(notebook)
    problems = []
    for index, cell in enumerate(notebook.cells):
        name = cell_name(cell, index)
        found = [*_misspelt(cell, marks), *_unbalanced(cell, marks), *_misplaced(cell, marks)]
        found += [*_whole_and_marked(cell, marks), *_bad_grading(cell)]
        if not found:
            found += _invalid(cell)
        problems += [Problem(name, line, message) for line, message in found]
        if _nbgrader(cell).get("grade_id") in repeated:
            problems.append(Problem(name, 0, "another cell has the same grade_id"))
    return problems


def regions(source: str, marks: Marks = NBGRADERS) -> list[Region]:
    """Return the marked regions of a cell whose markers are balanced."""
    found, begin = [], 0
    lines = source.split("\n")
    for number, edge, kind in _markers(source, marks):
        if edge == "BEGIN":
            begin = number
        else:
            found.append(Region(kind, begin, tuple(lines[begin : number - 1])))
    return found


def hidden_lines(cell: NotebookNode, marks: Marks = NBGRADERS) -> list[str]:
    """Return the lines of a cell that nbgrader takes out: those between markers, or all of an answer."""
    found = regions(cell.source, marks)
    if is_whole_answer(cell, marks):
        return list(cell.source.split("\n"))
    return [line for region in found for line in region.lines]


def shown_lines(cell: NotebookNode, marks: Marks = NBGRADERS) -> list[str]:
    """Return the lines of a cell that students see."""
    if is_whole_answer(cell, marks):
        return []
    shown, hiding = [], False
    for line in cell.source.split("\n"):
        marker = marks.find(line)
        if marker:
            hiding = marker[0] == "BEGIN"
        elif not hiding:
            shown.append(line)
    return shown


def is_whole_answer(cell: NotebookNode, marks: Marks = NBGRADERS) -> bool:
    """Return whether nbgrader replaces a cell whole: it is an answer and marks no part of it."""
    marked = any(kind == SOLUTION for _, _, kind in _markers(cell.source, marks))
    return bool(_nbgrader(cell).get("solution", False)) and not marked


def _nbgrader(cell: NotebookNode) -> dict[str, Any]:
    found: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return found


def _markers(source: str, marks: Marks) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(source.split("\n"), start=1):
        if marker := marks.find(line):
            yield number, *marker


def _misspelt(cell: NotebookNode, marks: Marks) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(cell.source.split("\n"), start=1):
        if not marks.find(line) and _resembles_marker(line, marks.phrases):
            words = " and ".join(repr(begin) for begin, _ in marks.words.values())
            looks = f"{line.strip()!r} looks like a marker, but nbgrader looks for {words}"
            yield number, f"{looks}: write it so, or say it otherwise"


def _resembles_marker(line: str, phrases: frozenset[str]) -> bool:
    comment = COMMENT.search(line)
    words = re.findall(r"[A-Za-z]+", comment["words"]) if comment else []
    if not words or not _starts_like_edge(words[0].upper()):
        return False
    compact = "".join(words).upper()
    if max(_likeness(compact, phrase) for phrase in phrases) >= CLOSE_PHRASE:
        return True
    shouted = all(word.isupper() for word in words)
    return shouted and any(_likeness(word, noun) >= 0.75 for word in words[1:] for noun in NOUNS)


def _compact(text: str) -> str:
    return "".join(re.findall(r"[A-Za-z]+", text)).upper()


def _starts_like_edge(word: str) -> bool:
    return word.startswith(EDGES) or any(_likeness(word, edge) >= CLOSE_WORD for edge in EDGES)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _unbalanced(cell: NotebookNode, marks: Marks) -> Iterator[tuple[int, str]]:
    opened: tuple[int, str] | None = None
    for number, edge, kind in _markers(cell.source, marks):
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


def _misplaced(cell: NotebookNode, marks: Marks) -> Iterator[tuple[int, str]]:
    homes = {SOLUTION: "solution", TESTS: "grade", SCHEME: "task"}
    for number, edge, kind in _markers(cell.source, marks):
        if edge == "BEGIN" and kind not in marks.anywhere and not _nbgrader(cell).get(homes[kind], False):
            yield number, f"{kind} region outside a {homes[kind]} cell"


def _whole_and_marked(cell: NotebookNode, marks: Marks) -> Iterator[tuple[int, str]]:
    if WHOLE_CELL not in cell.metadata.get("tags", []) or is_whole_answer(cell, marks):
        return
    if _nbgrader(cell).get("solution", False):
        yield 0, f"tagged {WHOLE_CELL}, but only its SOLUTION region would be removed"
    else:
        yield 0, f"tagged {WHOLE_CELL}, but it is no solution cell, so nothing would be removed"


def _bad_grading(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    nbgrader = _nbgrader(cell)
    if nbgrader and not nbgrader.get("grade_id"):
        yield 0, "nbgrader cell without a grade_id"
    if not (nbgrader.get("grade", False) or nbgrader.get("task", False)):
        return
    points: Any = nbgrader.get("points")
    if not _is_number(points) or points < 0:
        yield 0, f"graded cell whose points are {points!r}, not a number, 0 or more"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _invalid(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    """Ask nbgrader, too: for an answer in text that is not graded, a task in code and the like."""
    try:
        MetadataValidator().validate_cell(cell)
    except ValidationError as error:
        yield 0, f"nbgrader does not take its metadata: {error.message}"


def _repeated_grade_ids(notebook: NotebookNode) -> set[str]:
    counts = Counter(_nbgrader(cell).get("grade_id") for cell in notebook.cells)
    return {grade_id for grade_id, count in counts.items() if grade_id and count > 1}
