"""A master, read from top to bottom: who runs which statement, and whose each name is then."""

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from grading.common.notebooks import BESIDE_TAG, DEMO_TAG, EXAMINERS_TAG, STUDENTS_TAG, cell_name
from grading.examiner.advice import works_out
from grading.examiner.cell_text import CellText, read_cell, without
from grading.examiner.divided import DividedCell, DividedTest, Division, Kind, Skipped, owned
from grading.examiner.ledger import Ledger, Owner, Place
from grading.examiner.random_draws import Draws
from grading.examiner.reading_tests import read_test
from grading.examiner.statements import Bound, Statement, read_statement

_FILE_MAGICS = frozenset({"writefile", "file"})
_INSTRUCTORS = "an instructor's cell binds it, with nothing of the student's"
_CODE_OF_STUDENTS = "a solution cell binds it"


@dataclass
class _Draft:
    """A code cell that has been read; which of its pieces are needed is known at the end."""

    place: Place
    kind: Kind
    text: CellText
    left_out: list[ast.stmt]
    skipped: tuple[Skipped, ...] = ()
    pieces: tuple[tuple[ast.stmt, int], ...] = ()
    source: str | None = None
    """For the examiner, where that is not what `left_out` leaves."""

    def finished(self, required: Collection[int]) -> DividedCell:
        """Return the cell with the pieces that something needs."""
        left_out = self.left_out + [node for node, piece in self.pieces if piece not in required]
        source = without(self.text, left_out) if self.source is None else self.source
        return DividedCell(self.place.id, self.place.name, self.kind, source, self.skipped)


class Reading:
    """A notebook as far as it has been read."""

    def __init__(self, star_modules: Collection[str]) -> None:
        self.ledger = Ledger(star_modules)
        self.drafts: list[_Draft] = []
        self.tests: list[DividedTest] = []
        self.future = False
        """Whether annotations are not evaluated from here on."""
        self.piece = 0
        self.draws = Draws()

    def division(self) -> Division:
        """Return what was found."""
        cells = tuple(draft.finished(self.ledger.required) for draft in self.drafts)
        names = tuple(owned(name, entry) for name, entry in self.ledger.entries.items())
        return Division(cells, tuple(self.tests), names, tuple(dict.fromkeys(self.ledger.notes)))

    def read(self, cell: NotebookNode, index: int) -> None:
        """Go on with the next code cell."""
        kind = _kind(cell)
        place = Place(cell_name(cell, index), _cell_id(cell, index), kind is Kind.demo)
        self.ledger.place = place
        tags = cell.metadata.get("tags", [])
        self._check_tags(kind, tags)
        text = read_cell(cell.source)
        if text.problem:
            runs = "its test will fail" if kind is Kind.test else "only the student's kernel runs it"
            self.ledger.note(f"cannot be read as Python ({text.problem}): {runs}.")
        try:
            if kind is Kind.test:
                beside = BESIDE_TAG in tags
                self.tests.append(read_test(self.ledger, text, cell.source, beside, self.future))
                self.drafts.append(_Draft(place, kind, text, [], source="" if beside else cell.source))
            elif kind is Kind.solution or STUDENTS_TAG in tags:
                why = _CODE_OF_STUDENTS if kind is Kind.solution else f"its cell is tagged {STUDENTS_TAG}"
                self._read_students(kind, text, why)
            elif text.magic and not text.body:
                self._read_magic(kind, text, cell.source)
            else:
                self._read_instructors(kind, text, cell.source, EXAMINERS_TAG in tags)
        except RecursionError:
            self.ledger.note("is nested too deeply to be read: only the student's kernel runs it.")
            self.drafts.append(_Draft(place, kind, text, [], source=""))

    def _check_tags(self, kind: Kind, tags: Collection[str]) -> None:
        note = self.ledger.note
        if BESIDE_TAG in tags and kind is not Kind.test:
            note(f"is tagged {BESIDE_TAG}, but it is no test cell: the tag does nothing.")
        for tag in (EXAMINERS_TAG, STUDENTS_TAG):
            if tag in tags and kind in (Kind.test, Kind.solution):
                note(f"is tagged {tag}, but it is a {kind} cell: the tag does nothing.")
        if EXAMINERS_TAG in tags and STUDENTS_TAG in tags:
            note(f"is tagged {EXAMINERS_TAG} and {STUDENTS_TAG}: it is taken for the student's.")

    def _see_future(self, node: ast.stmt) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            self.future = self.future or any(alias.name == "annotations" for alias in node.names)

    # Cells that only the student's kernel runs

    def _read_students(self, kind: Kind, text: CellText, why: str) -> None:
        ledger = self.ledger
        pieces = []
        if text.magic in _FILE_MAGICS and text.arguments:
            ledger.written_by_student(text.arguments.split()[-1])
        if text.captures:
            ledger.give(text.captures, Owner.student, 1, why)
        for node in text.body:
            self._see_future(node)
            statement = read_statement(node, self.future)
            ledger.see_missing(statement.reads)
            ledger.see_drawn(statement.reads)
            ledger.take(statement, why)
            ledger.write_later(statement)
            for module in statement.stars:
                ledger.note_star(module, statement.line)
            if isinstance(node, ast.Import | ast.ImportFrom) and not statement.stars:
                self.piece += 1
                pieces.append((node, self.piece))
                ledger.can_import(statement, self.piece)
        left_out = [node for node in text.body if node not in [node for node, _ in pieces]]
        self.drafts.append(_Draft(ledger.place, kind, text, left_out, pieces=tuple(pieces)))
        self.draws.students_code_ran()

    # Instructor's cells and demonstrations

    def _read_magic(self, kind: Kind, text: CellText, source: str) -> None:
        """Read a cell that is not in Python: the student's kernel runs it. Files are written in both."""
        if text.magic in _FILE_MAGICS:
            self.drafts.append(_Draft(self.ledger.place, kind, text, [], source=source))
            return
        skipped = (Skipped(1, f"%%{text.magic} runs in the student's kernel only"),)
        self.drafts.append(_Draft(self.ledger.place, kind, text, [], skipped, source=""))

    def _read_instructors(self, kind: Kind, text: CellText, source: str, forced: bool) -> None:
        unit = text.magic == "capture"
        together = self._why_any(text.body) if unit and not forced else ""
        left_out: list[ast.stmt] = []
        skipped: list[Skipped] = []
        pieces: list[tuple[ast.stmt, int]] = []
        for node in text.body:
            self._see_future(node)
            statement = read_statement(node, self.future)
            reason = "" if forced else together or self.ledger.why_dependent(statement)
            if text.magic == "timeit":
                reason = "%%timeit only measures"
            if reason:
                left_out.append(node)
                skipped.append(Skipped(statement.line, reason))
            if not reason and kind is Kind.demo:
                self.piece += 1
                pieces.append((node, self.piece))
            if not reason:
                self._run(statement, self.piece if kind is Kind.demo else None)
            elif text.magic != "timeit":
                self._skip(statement, reason)
        if text.captures:
            owner = Owner.student if together else Owner.examiner
            self.ledger.give(text.captures, owner, 1, together or _INSTRUCTORS, Bound(1, True))
        whole = ("" if together else source) if unit else None
        self.drafts.append(
            _Draft(self.ledger.place, kind, text, left_out, tuple(skipped), tuple(pieces), whole),
        )

    def _why_any(self, nodes: Iterable[ast.stmt]) -> str:
        reasons = (self.ledger.why_dependent(read_statement(node, self.future)) for node in nodes)
        return next((reason for reason in reasons if reason), "")

    def _skip(self, statement: Statement, reason: str) -> None:
        self.ledger.see_missing(statement.reads)
        self.ledger.see_drawn(statement.reads)
        self.ledger.take(statement, reason, own_work=works_out(statement, self.ledger))
        self.draws.students_code_ran()

    def _run(self, statement: Statement, piece: int | None) -> None:
        entries = self.ledger.entries
        self.ledger.see_missing(statement.reads)
        drawn = self.draws.differ(statement, self.ledger)
        drawn = drawn or any(name in entries and entries[name].drawn for name in statement.reads)
        self.ledger.run(statement, _INSTRUCTORS, piece)
        for name in statement.binds:
            if drawn and self.ledger.is_examiners(name):
                entries[name].drawn = True


def _kind(cell: Mapping[str, Any]) -> Kind:
    nbgrader = cell["metadata"].get("nbgrader", {})
    if nbgrader.get("solution", False):
        return Kind.solution
    if nbgrader.get("grade", False):
        return Kind.test
    return Kind.demo if DEMO_TAG in cell["metadata"].get("tags", []) else Kind.instructor


def _cell_id(cell: Mapping[str, Any], index: int) -> str:
    grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
    return str(cell.get("id") or grade_id or f"cell-{index + 1}")
