"""The notebook that runs: the master's, with the student's solution cells in their places.

A submission is trusted for nothing but the student's own code. Its cells are matched to the master's by nbgrader's
grade id, then by cell id, then by source, then by the names a solution must define; whatever else it claims is
ignored, and every repair is said.
"""

import ast
import functools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from grading.common.notebooks import ADDITIONAL_ID, other_language, shallow_copy
from grading.common.text import clean, quoted
from grading.errors import RefusedError

MAX_CELLS = 2000
MAX_SOURCE = 2 * 2**20
MAX_PARTS = 8_000_000
"""Lists, objects and strings in the file of a notebook: each takes memory far beyond its length."""
MAX_PICTURES = 32 * 2**20
"""Length of all pictures that are attached to a notebook's cells, as they stand in its file."""
MAX_NAMED = 5
"""Cells that one sentence names before it only counts them."""
_PICTURES = ("image/png", "image/jpeg")
_PICTURE_NAME = re.compile(r"[\w. -]{1,100}")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")
_CHECKED = ("grade", "locked", "points", "solution", "task")
_DEFINITION = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
_REMEMBERED = 20_000
"""Characters of a source whose definitions are remembered: nobody fills the memory with long ones."""


@dataclass(frozen=True)
class StudentCell:
    """Parts of a submission's cell that are taken over."""

    cell_type: str
    source: str
    grade_id: str | None = None
    ids: tuple[str, ...] = ()
    """Its own id, and the one Colab keeps in the metadata."""
    nbgrader: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Attached to a text: base64 by format, by name."""


@dataclass(frozen=True)
class Rebuilt:
    """A submission as it will run, and the repairs that were made."""

    notebook: NotebookNode
    repairs: tuple[str, ...]
    additional: int
    """The student's own cells beside the master's."""
    changed: bool
    """Whether any solution cell differs from what was released."""
    unanswered: frozenset[str] = frozenset()
    """Grade ids of the solution cells that are as they were released."""


def read_notebook(content: bytes) -> tuple[list[StudentCell], list[str]]:
    """Read the cells of a submission; return them and what was repaired in reading them.

    Raises RefusedError for what is no notebook or is too large.
    """
    text, repairs = _decoded(content)
    cells = []
    junk = odd = size = pictured = left_out = 0
    notebook = _json(text)
    listed = _cells(notebook)
    if language := other_language(notebook.get("metadata")):
        raise RefusedError(f"The notebook is written in {quoted(language)}: only Python can be graded.")
    if len(listed) > MAX_CELLS:
        raise RefusedError(f"The notebook has more than {MAX_CELLS} cells: remove those that are not needed.")
    for item in listed:
        if not isinstance(item, dict):
            junk += 1
            continue
        cell, dropped = _student_cell(item)
        junk += dropped
        plain = _encodable(cell.source)
        odd += plain != cell.source
        size += len(plain.encode())
        if size > MAX_SOURCE:
            raise RefusedError(f"The notebook has more than {MAX_SOURCE // 2**20} MiB of code and text: shorten it.")
        pictures = {}
        for name, picture in cell.pictures.items():
            length = sum(map(len, picture.values()))
            if pictured + length <= MAX_PICTURES:
                pictured += length
                pictures[name] = picture
            else:
                left_out += 1
        cells.append(replace(cell, source=plain, pictures=pictures))
    if junk:
        repairs.append(f"{_count(junk, 'piece')} of the notebook that no cell can hold had to be left out.")
    if odd:
        repairs.append(f"Characters that cannot be written were replaced by '?' in {_count(odd, 'cell')}.")
    if left_out:
        repairs.append(f"{_count(left_out, 'picture')} had to be left out: in all they are too large.")
    return cells, repairs


def rebuild(master: NotebookNode, content: bytes) -> Rebuilt:
    """Put a student's solution and additional cells into the released form of the master.

    Raises RefusedError for what is no notebook or is too large.
    """
    cells, repairs = read_notebook(content)
    return _Matching(master, cells, repairs).rebuilt()


def marks_in(content: bytes) -> frozenset[str]:
    """Return the grade ids and cell ids of a notebook. Raises RefusedError for what is none."""
    cells, _ = read_notebook(content)
    return frozenset(mark for cell in cells for mark in (cell.grade_id, *cell.ids) if mark)


def _decoded(content: bytes) -> tuple[str, list[str]]:
    if not content.strip():
        raise RefusedError("The notebook is an empty file: download it again and hand it in again.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), ["The file was written as UTF-16; it was read as that."]
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return content.decode("latin-1"), ["The file is not UTF-8; it was read as Latin-1."]


def _json(text: str) -> Any:
    if sum(text.count(mark) for mark in '[{"') > MAX_PARTS:
        raise RefusedError("The notebook is too intricate to be read: clear its outputs and hand it in again.")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise RefusedError("The notebook is nested too deeply to be read: download it again.") from error
    except (ValueError, MemoryError) as error:
        raise RefusedError(
            f"The file is not a notebook, or was cut off on its way ({clean(str(error))[:80]}): download it again "
            "and hand it in again."
        ) from error


def _cells(notebook: Any) -> list[Any]:
    """Return the list of cells of a notebook of format 4, or of the older format 3."""
    if isinstance(notebook, dict):
        cells = notebook.get("cells")
        if isinstance(cells, list):
            return cells
        sheets = notebook.get("worksheets")
        if isinstance(sheets, list):
            lists = [sheet["cells"] for sheet in sheets if isinstance(sheet, dict) and "cells" in sheet]
            if lists and all(isinstance(item, list) for item in lists):
                return [cell for item in lists for cell in item]
    raise RefusedError("The file is not a notebook (it has no list of cells): download it again and hand it in again.")


def _student_cell(item: Mapping[str, Any]) -> tuple[StudentCell, int]:
    """Read a cell; return it and how many pieces of its source are not text."""
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader = metadata.get("nbgrader")
    nbgrader = nbgrader if isinstance(nbgrader, dict) else {}
    kind = item.get("cell_type")
    raw = item["source"] if "source" in item else item.get("input")
    pieces = raw if isinstance(raw, list) else [] if raw is None else [raw]
    texts = [piece for piece in pieces if isinstance(piece, str)]
    source = "".join(texts).replace("\r\n", "\n").replace("\r", "\n")
    if kind == "heading":
        level = item.get("level")
        source = f"{'#' * (level if type(level) is int and 0 < level < 7 else 1)} {source}"
    cell = StudentCell(
        cell_type=kind if kind in ("code", "raw") else "markdown",
        source=source,
        grade_id=_string(nbgrader.get("grade_id")),
        ids=tuple(found for found in (_string(item.get("id")), _string(metadata.get("id"))) if found),
        nbgrader=nbgrader,
        pictures=_pictures(item.get("attachments")) if kind == "markdown" else {},
    )
    return cell, len(pieces) - len(texts)


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """Keep of a cell's attachments the pictures, with names and contents that no page can mistake for anything else."""
    found = {}
    for name, formats in attachments.items() if isinstance(attachments, dict) else ():
        if _PICTURE_NAME.fullmatch(name) and isinstance(formats, dict):
            kept = {
                kind: content
                for kind, content in formats.items()
                if kind in _PICTURES and isinstance(content, str) and _BASE64.fullmatch(content)
            }
            if kept:
                found[name] = kept
    return found


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _without_blanks(source: str) -> str:
    """Return a source without what does not matter: blanks at the ends of lines, blank lines at its ends."""
    return _stripped(source) if len(source) <= _REMEMBERED else _stripped.__wrapped__(source)


@functools.lru_cache(maxsize=1024)
def _stripped(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.splitlines()).strip("\n")


def _definitions(source: str) -> frozenset[str]:
    """Name the top-level functions and classes of a source, also of one that is not quite Python."""
    if not _DEFINITION.search(source):
        return frozenset()
    return _parsed_definitions(source) if len(source) <= _REMEMBERED else _parsed_definitions.__wrapped__(source)


@functools.lru_cache(maxsize=1024)  # most cells of a class are alike, and parsing is most of what reading them takes
def _parsed_definitions(source: str) -> frozenset[str]:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(_DEFINITION.findall(source))
    return frozenset(
        node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )


class _Matching:
    """Matching of student cells to cells of the master. Indices `m` are the master's, `s` the student's."""

    def __init__(self, master: NotebookNode, cells: Sequence[StudentCell], repairs: Iterable[str]) -> None:
        self.master = master.cells
        self.base = master
        self.cells = cells
        self.repairs = list(repairs)
        self.released = [_without_blanks(cell.source) for cell in self.master]
        self.plain = [_without_blanks(cell.source) for cell in cells]
        self.solutions = [m for m, cell in enumerate(self.master) if is_solution(cell)]
        self.wanted = {m: _definitions(self.master[m].source) for m in self.solutions}
        self.defined = [_definitions(cell.source) for cell in cells]
        self.claims: dict[int, int] = {}
        self._claim()
        self._find_solutions()
        self.winners = self._winners()
        self.kept = self._kept()

    def rebuilt(self) -> Rebuilt:
        """Return the notebook, with everything said that differs from what was released."""
        notebook = NotebookNode({**self.base, "cells": [shallow_copy(cell) for cell in self.master]})
        for m, cell in enumerate(notebook.cells):
            if m in self.solutions and m in self.winners:
                cell.source = self.cells[self.winners[m]].source
                _attach(cell, self.cells[self.winners[m]])
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        same = [m for m in self.solutions if m not in self.winners or self.plain[self.winners[m]] == self.released[m]]
        self._say()
        slots = self._slots()
        ids = self._fresh_ids()
        cells: list[NotebookNode] = []
        for m in range(len(self.master) + 1):
            cells += [_additional(self.cells[s], ids[s]) for s in slots[m]]
            cells += notebook.cells[m : m + 1]
        notebook.cells = cells
        repairs = tuple(_encodable(repair) for repair in dict.fromkeys(self.repairs))
        unanswered = frozenset(_grade_id(self.master[m]) or "" for m in same)
        return Rebuilt(notebook, repairs, len(self.kept), len(same) < len(self.solutions), unanswered)

    # Who claims what

    def _claim(self) -> None:
        by_grade_id = {grade_id: m for m, cell in enumerate(self.master) if (grade_id := _grade_id(cell))}
        by_id = {cell.id: m for m, cell in enumerate(self.master) if "id" in cell}
        by_source: dict[str, list[int]] = defaultdict(list)
        for m, source in enumerate(self.released):
            if source:
                by_source[source].append(m)
        for s, cell in enumerate(self.cells):
            claimed = by_grade_id.get(cell.grade_id or "")
            if claimed is None:
                claimed = next((by_id[i] for i in cell.ids if i in by_id), None)
            if claimed is None:
                continue
            copies = by_source.get(self.plain[s], [claimed])
            # A wrong label on an unchanged cell of the course: the cell itself is believed.
            self.claims[s] = claimed if claimed in copies or claimed in self.wanted else copies[0]
        taken = set(self.claims.values())
        for s in range(len(self.cells)):
            same = by_source.get(self.plain[s])
            if s not in self.claims and same:
                free = next((m for m in same if m not in taken), same[-1])
                self.claims[s] = free
                taken.add(free)

    def _score(self, s: int, m: int) -> int:
        """Count how many of the names that the stub of `m` defines are defined in `s`."""
        return len(self.defined[s] & self.wanted[m])

    def _find_solutions(self) -> None:
        """Find the code of solution cells that nobody claims, or only code that defines something else."""
        for m in self.solutions:
            if any(self._score(s, m) for s in self._claimants(m)):
                continue
            able = [s for s in range(len(self.cells)) if self._score(s, m) and self._movable(s)]
            if not able:
                continue
            best = max(able, key=lambda s: (self.cells[s].cell_type == "code", self._score(s, m), -s))
            if best in self.claims:
                self.repairs.append(
                    f"The code of {self._name(m)} stood in a cell marked as {self._name(self.claims[best])}: "
                    "it was put in its place."
                )
            self.claims[best] = m

    def _movable(self, s: int) -> bool:
        m = self.claims.get(s)
        if m is None:
            return True
        return self._score(s, m) == 0 if m in self.wanted else self.plain[s] != self.released[m]

    def _claimants(self, m: int) -> list[int]:
        return [s for s in range(len(self.cells)) if self.claims.get(s) == m]

    # Who gets it

    def _winners(self) -> dict[int, int]:
        claimants: dict[int, list[int]] = {}
        for s, m in sorted(self.claims.items()):
            claimants.setdefault(m, []).append(s)
        return {m: max(claimants[m], key=self._quality(m)) for m in sorted(claimants)}

    def _quality(self, m: int) -> Callable[[int], tuple[int, ...]]:
        """Return how well each student cell stands for a cell of the master: the largest does, of equals the first."""

        def quality(s: int) -> tuple[int, ...]:
            same_type = self.cells[s].cell_type == self.master[m].cell_type
            differs = self.plain[s] != self.released[m]
            if m not in self.wanted:
                return (not differs, same_type, -s)
            score = self._score(s, m)
            worked = differs and bool(self.plain[s]) and (score > 0 or not self.wanted[m])
            return (worked, score, differs and bool(self.plain[s]), same_type, -s)

        return quality

    def _kept(self) -> list[int]:
        """List the student's additional cells; also say which copies are left out and which are kept."""
        kept = []
        last = {m: self.plain[s] for m, s in self.winners.items()}
        for s in range(len(self.cells)):
            m = self.claims.get(s)
            if m is not None and self.winners[m] == s:
                last[m] = self.plain[s]
            elif not self.plain[s].strip():
                continue  # an empty cell is nothing to keep
            elif m is None:
                kept.append(s)
            elif m not in self.wanted:
                if self.plain[s] != self.released[m]:
                    self.repairs.append(
                        f"A changed copy of {self._name(m)} ({self._quote(s)}) was left out: it does not run."
                    )
            elif self.plain[s] == self.released[m]:
                self.repairs.append(f"{self._name(m, True)} was there more than once: the untouched copy was left out.")
            elif self.plain[s] == last[m]:
                self.repairs.append(f"{self._name(m, True)} was there more than once: the identical copy was left out.")
            else:
                last[m] = self.plain[s]
                kept.append(s)
                self.repairs.append(
                    f"{self._name(m, True)} was there more than once or split: {self._quote(s)} was kept as a cell "
                    "of the student's own."
                )
        return kept

    # Where it stands

    def _slots(self) -> dict[int, list[int]]:
        """Sort additional cells by the master's cell that they stand before; the last slot is the notebook's end."""
        place = {s: m for m, s in self.winners.items()}
        slots: dict[int, list[int]] = defaultdict(list)
        kept = set(self.kept)
        slot = 0
        for s in range(len(self.cells)):
            if s in place:
                slot = place[s] + 1
            elif s in kept:
                m = self.claims.get(s)
                here = slot
                if m is not None:  # a part of a split cell stays on its side of the others
                    here = min(slot, m) if s < self.winners[m] else max(slot, m + 1)
                slots[here].append(s)
        return slots

    def _fresh_ids(self) -> dict[int, str]:
        used = {cell.get("id") for cell in self.master}
        ids: dict[int, str] = {}
        number = 0
        for s in self.kept:
            number += 1
            while f"{ADDITIONAL_ID}{number}" in used:
                number += 1
            ids[s] = f"{ADDITIONAL_ID}{number}"
        return ids

    def _moved(self) -> list[int]:
        """Find the fewest cells that had to be moved to give the student's order; solution cells rather than others."""
        order = [m for _, m in sorted((s, m) for m, s in self.winners.items())]
        best: list[tuple[int, list[int]]] = []
        for i, m in enumerate(order):
            weight = len(order) + 1 + (m not in self.wanted)
            before = max((best[j] for j in range(i) if order[j] < m), key=lambda item: item[0], default=(0, []))
            best.append((before[0] + weight, [*before[1], m]))
        still = max(best, key=lambda item: item[0], default=(0, []))[1]
        return sorted(set(order) - set(still))

    # What is said

    def _say(self) -> None:
        matched = self.winners.items()
        self._list("{} had been moved: back in {} place.", self._moved())
        retyped = [m for m, s in matched if m in self.wanted and self.cells[s].cell_type != self.master[m].cell_type]
        kind = "code" if all(self.master[m].cell_type == "code" for m in retyped) else "the course's type"
        self._list(f"{{}} had been turned into another type of cell: {kind} again.", retyped)
        missing = [m for m in range(len(self.master)) if m not in self.winners]
        self._list("{} had been deleted: put back as released, without a solution.", self._solved(missing, True))
        self._list("{} had been deleted: put back.", self._solved(missing, False))
        changed = [
            m
            for m, s in matched
            if m not in self.wanted
            and (self.plain[s] != self.released[m] or self.cells[s].cell_type != self.master[m].cell_type)
        ]
        self._list("{} had been changed: the course's own is used, the change does not run.", changed)
        emptied = [m for m, s in matched if m in self.wanted and self.released[m] and not self.plain[s].strip()]
        self._list("{} had been emptied.", emptied)
        marks = [(self.master[m].metadata.get("nbgrader"), self.cells[s].nbgrader) for m, s in matched]
        if any(own and not theirs for own, theirs in marks):
            self.repairs.append("The grading metadata was stripped from the notebook: the course's own is used.")
        known = {_grade_id(cell) for cell in self.master}
        claimed = {_grade_id(self.master[m]): self.cells[s].grade_id for m, s in matched}
        if (
            any(theirs and any(theirs.get(key) != (own or {}).get(key) for key in _CHECKED) for own, theirs in marks)
            or any(theirs and theirs != own for own, theirs in claimed.items())
            or any(cell.grade_id and cell.grade_id not in known for cell in self.cells)
        ):
            self.repairs.append("The grading metadata of the notebook was changed: the course's own is used.")

    def _solved(self, chosen: Iterable[int], solution: bool) -> list[int]:
        return [m for m in chosen if (m in self.wanted) == solution]

    def _list(self, sentence: str, chosen: Sequence[int]) -> None:
        """Say one sentence for a few cells each, or one for many."""
        chosen = sorted(chosen)
        if len(chosen) > MAX_NAMED:
            named = ", ".join(self._name(m) for m in chosen[:MAX_NAMED])
            many = f"{len(chosen)} cells of the course ({named} and others)"
            self.repairs.append(sentence.format(many, "their"))
        else:
            self.repairs += [sentence.format(self._name(m, True), "its") for m in chosen]

    def _name(self, m: int, begins: bool = False) -> str:
        cell = self.master[m]
        name = clean(str(_grade_id(cell) or cell.get("id") or f"number {m + 1}"))
        return f"{'Cell' if begins else 'cell'} '{name}'"

    def _quote(self, s: int) -> str:
        line = clean(next((line for line in self.plain[s].splitlines() if line.strip()), ""))
        return f"“{line if len(line) <= 60 else line[:59] + '…'}”"


def _grade_id(cell: Mapping[str, Any]) -> str | None:
    return _string(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id"))


def _additional(cell: StudentCell, cell_id: str) -> NotebookNode:
    """Make one of the student's own cells, with nothing of theirs but its type and its source."""
    made = NotebookNode(id=cell_id, cell_type=cell.cell_type, metadata=NotebookNode(), source=cell.source)
    if cell.cell_type == "code":
        made.outputs, made.execution_count = [], None
    _attach(made, cell)
    return made


def _attach(cell: NotebookNode, student: StudentCell) -> None:
    """Give a text the student's pictures in the place of its own."""
    if cell.cell_type == "markdown":
        cell.pop("attachments", None)
        if student.pictures:
            cell.attachments = nbformat.from_dict(dict(student.pictures))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
