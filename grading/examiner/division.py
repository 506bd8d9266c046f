"""Whose is a name? Read from the master: what the examiner runs itself, and which names are the student's.

The student's kernel runs every cell but the tests. The examiner runs the tests, and of the instructor's statements
those that depend on nothing of the student's; so both hold the same values, and the student cannot reach the
examiner's. A statement that depends on the student runs in the student's kernel only, and the tests ask for what it
binds. Demonstrations, and imports of solution cells, are run by the examiner only where something needs them.
"""

import ast
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nbformat import NotebookNode

from grading.common.notebooks import BESIDE_TAG, DEMO_TAG, EXAMINERS_TAG, STUDENTS_TAG, cell_name
from grading.examiner.advice import is_check, look_at_test, works_out
from grading.examiner.cell_text import CellText, read_cell, without
from grading.examiner.ledger import Entry, Ledger, Owner, Place, names_in
from grading.examiner.random_draws import Draws
from grading.examiner.statements import BUILTINS, Bound, Statement, read_statement

__all__ = [
    "DividedCell",
    "DividedTest",
    "Division",
    "Kind",
    "OwnedName",
    "Owner",
    "Skipped",
    "describe",
    "divide",
]

STAR_MODULES = frozenset({"cmath", "collections", "functools", "itertools", "math", "random", "statistics", "typing"})
"""Modules that may be imported here to see which names `from math import *` binds."""
_AUTOTEST = re.compile(r"[ \t]*###[ \t]*(?:HASHED[ \t]+)?AUTOTEST[ \t]+(.*)")
_HIDDEN = re.compile(r"### (BEGIN|END) HIDDEN TESTS")
_LOOKS_UP = frozenset({"globals", "locals", "vars", "dir", "eval", "exec", "get_ipython"})
"""What finds a name by its text."""
_UNIT_MAGICS = frozenset({"capture"})
_INSTRUCTORS = "an instructor's cell binds it, with nothing of the student's"
_MANY = 5


class Kind(StrEnum):
    """What a code cell is. An answer that is graded by hand is a solution."""

    instructor = "instructor"
    solution = "solution"
    test = "test"
    demo = "demo"


@dataclass(frozen=True)
class Skipped:
    """A statement that the examiner leaves out; `line` counts from 1 within the cell."""

    line: int
    reason: str


@dataclass(frozen=True)
class OwnedName:
    """Whose a name is at one place, and which statement decided."""

    name: str
    owner: Owner
    cell: str
    line: int
    why: str


@dataclass(frozen=True)
class DividedCell:
    """A code cell of the master, and what of it the examiner runs."""

    id: str
    name: str
    """As a person would look for it: `cell 4 'test_iou'`."""
    kind: Kind
    e_source: str
    """For the examiner, as plain Python: every statement on its own line of the cell; empty if nothing is to run."""
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class DividedTest:
    """A test cell, and what it may need of the student's."""

    id: str
    name: str
    names: tuple[str, ...]
    """The student's names that it may read, itself or in a function that it can reach."""
    borrowed: tuple[str, ...] = ()
    """The examiner's own names of which it asks what the student's kernel holds: whether the student has kept them as
    they were. They are asked for like `names`, and the examiner's own values are put back after the test."""
    beside: bool = False
    """It runs in the student's kernel."""
    rebinds: tuple[str, ...] = ()
    """The student's names that it binds or deletes."""
    demos: tuple[str, ...] = ()
    """Ids of the demonstrations that the student's kernel has to run for it."""
    imports: str = ""
    """Its imports that students see: the student's kernel may run them in its place, as later cells may need them."""
    reads: tuple[OwnedName, ...] = ()
    """All of the notebook's names that it may read."""


@dataclass(frozen=True)
class Division:
    """Who runs what of a master, in the order of its code cells."""

    cells: tuple[DividedCell, ...]
    tests: tuple[DividedTest, ...]
    names: tuple[OwnedName, ...]
    """All names after the last cell, in the order of the statements that decided."""
    notes: tuple[str, ...]
    """What the author should know, in words."""

    def cell(self, cell_id: str) -> DividedCell:
        """A code cell by its id."""
        return next(cell for cell in self.cells if cell.id == cell_id)

    def test(self, cell_id: str) -> DividedTest:
        """A test cell by its id."""
        return next(test for test in self.tests if test.id == cell_id)


def divide(master: NotebookNode, star_modules: Collection[str] = STAR_MODULES) -> Division:
    """Read a master, with its solutions, from top to bottom.

    Of `star_modules`, installed libraries, everything may be imported here to see what `from module import *` binds.
    """
    reading = _Reading(Ledger(star_modules))
    for index, cell in enumerate(master.cells):
        if cell.cell_type == "code":
            reading.read(cell, index)
    return reading.division()


def describe(division: Division) -> list[tuple[str, str, str, str]]:
    """Return a table of the names that decide points: the name, whose it is, why, and the tests that read it.

    The student's come first; a name that is bound twice has two rows if tests read both.
    """
    rows: dict[OwnedName, list[str]] = {}
    for test in division.tests:
        for name in test.reads:
            rows.setdefault(name, []).append(test.id)
    order = sorted(rows, key=lambda name: name.owner is not Owner.student)
    return [
        (name.name, name.owner.value, f"{name.cell}, line {name.line}: {name.why}", _first_few(rows[name]))
        for name in order
    ]


def _first_few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more


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
        """The cell, with the pieces that something needs."""
        left_out = self.left_out + [node for node, piece in self.pieces if piece not in required]
        source = without(self.text, left_out) if self.source is None else self.source
        return DividedCell(self.place.id, self.place.name, self.kind, source, self.skipped)


class _Reading:
    """A notebook as far as it has been read."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.drafts: list[_Draft] = []
        self.tests: list[DividedTest] = []
        self.future = False
        """Whether annotations are not evaluated from here on."""
        self.piece = 0
        self.draws = Draws()

    def division(self) -> Division:
        """What was found."""
        cells = tuple(draft.finished(self.ledger.required) for draft in self.drafts)
        names = tuple(_owned(name, entry) for name, entry in self.ledger.entries.items())
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
            self._note(f"cannot be read as Python ({text.problem}): {runs}.")
        try:
            if kind is Kind.test:
                self._read_test(text, cell.source, BESIDE_TAG in tags)
            elif kind is Kind.solution:
                self._read_students(kind, text, "a solution cell binds it")
            elif STUDENTS_TAG in tags:
                self._read_students(kind, text, f"its cell is tagged {STUDENTS_TAG}")
            elif text.magic and not text.body:
                self._read_magic(kind, text, cell.source)
            else:
                self._read_instructors(kind, text, cell.source, EXAMINERS_TAG in tags)
        except RecursionError:
            self._note("is nested too deeply to be read: only the student's kernel runs it.")
            self.drafts.append(_Draft(place, kind, text, [], source=""))

    def _note(self, sentence: str, line: int = 0) -> None:
        where = f"{self.ledger.place.name}, line {line}:" if line else self.ledger.place.name
        self.ledger.notes.append(f"{where} {sentence}")

    def _check_tags(self, kind: Kind, tags: Collection[str]) -> None:
        if BESIDE_TAG in tags and kind is not Kind.test:
            self._note(f"is tagged {BESIDE_TAG}, but it is no test cell: the tag does nothing.")
        for tag in (EXAMINERS_TAG, STUDENTS_TAG):
            if tag in tags and kind in (Kind.test, Kind.solution):
                self._note(f"is tagged {tag}, but it is a {kind} cell: the tag does nothing.")
        if EXAMINERS_TAG in tags and STUDENTS_TAG in tags:
            self._note(f"is tagged {EXAMINERS_TAG} and {STUDENTS_TAG}: it is taken for the student's.")

    def _see_future(self, node: ast.stmt) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            self.future = self.future or any(alias.name == "annotations" for alias in node.names)

    # Cells that only the student's kernel runs

    def _read_students(self, kind: Kind, text: CellText, why: str) -> None:
        ledger = self.ledger
        pieces = []
        if text.magic in ("writefile", "file"):
            name = text.arguments.split()[-1] if text.arguments else ""
            ledger.student_files.add(name)
            ledger.student_modules.add(name.rpartition("/")[2].removesuffix(".py"))
        if text.magic == "capture" and text.arguments.isidentifier():
            ledger.give(text.arguments, Owner.student, 1, why)
        for node in text.body:
            statement = read_statement(node, self.future)
            self._see_future(node)
            self._see_missing(statement)
            self._see_drawn(statement)
            ledger.take(statement, why)
            ledger.write_later(statement)
            for module in statement.stars:
                ledger.unknown = True
                self._note(
                    f"which names `from {module} import *` binds cannot be read, and they are taken for the "
                    "examiner's: import them by name.",
                    statement.line,
                )
            if isinstance(node, ast.Import | ast.ImportFrom) and not statement.stars:
                pieces.append((node, self._import_again(statement)))
        left_out = [node for node in text.body if node not in [node for node, _ in pieces]]
        self.drafts.append(_Draft(ledger.place, kind, text, left_out, pieces=tuple(pieces)))
        self.draws.students_code_ran()

    def _import_again(self, statement: Statement) -> int:
        """Let the examiner import a library of the student's, too, if something of its own needs it."""
        self.piece += 1
        if not any(module.partition(".")[0] in self.ledger.student_modules for module in statement.imports):
            for name in statement.binds:
                if self.ledger.is_students(name):
                    self.ledger.entries[name].pieces = frozenset({self.piece})
        return self.piece

    def _see_missing(self, statement: Statement) -> None:
        """Note what the student's kernel will miss."""
        for name, line in statement.reads.items():
            entry = self.ledger.entries.get(name)
            if entry is not None and entry.by_test and entry.kind != "module":
                self._note(
                    f"{name} is bound by the test {entry.place.name} only, which the student's kernel does not run: "
                    "bind it in a cell that is no test.",
                    line,
                )

    def _see_drawn(self, statement: Statement) -> None:
        """Note random numbers that the student's kernel and the examiner may draw differently."""
        for name, line in statement.reads.items():
            entry = self.ledger.entries.get(name)
            if entry is not None and entry.drawn:
                self._note(
                    f"{name} ({entry.place.name}, line {entry.line}) is drawn at random, and the examiner may draw "
                    f"other numbers than the student's kernel: seed right before it, or tag its cell {STUDENTS_TAG}.",
                    line,
                )

    # Instructor's cells and demonstrations

    def _read_magic(self, kind: Kind, text: CellText, source: str) -> None:
        """Read a cell that is not in Python, or measures: the student's kernel runs it. Files are written in both."""
        if text.magic in ("writefile", "file"):
            self.drafts.append(_Draft(self.ledger.place, kind, text, [], source=source))
            return
        reason = f"%%{text.magic} runs in the student's kernel only" if text.magic else "it cannot be read"
        skipped = (Skipped(1, reason),) if source.strip() else ()
        self.drafts.append(_Draft(self.ledger.place, kind, text, [], skipped, source=""))

    def _read_instructors(self, kind: Kind, text: CellText, source: str, forced: bool) -> None:
        ledger = self.ledger
        statements = list(text.body)
        unit = text.magic in _UNIT_MAGICS
        capture = text.arguments if text.magic == "capture" and text.arguments.isidentifier() else ""
        together = self._why_any(statements) if unit and not forced else ""
        left_out: list[ast.stmt] = []
        skipped: list[Skipped] = []
        pieces: list[tuple[ast.stmt, int]] = []
        for node in statements:
            self._see_future(node)
            statement = read_statement(node, self.future)
            reason = "" if forced else (together or ledger.why_dependent(statement))
            if not reason and text.magic == "timeit":
                reason = "it only measures"
            if reason:
                left_out.append(node)
                skipped.append(Skipped(statement.line, reason))
                if text.magic != "timeit":
                    self._skip(statement, reason)
                continue
            piece = None
            if kind is Kind.demo:
                self.piece += 1
                piece = self.piece
                pieces.append((node, piece))
            self._run(statement, piece)
        if capture:
            owner = Owner.student if together else Owner.examiner
            ledger.give(capture, owner, 1, together or _INSTRUCTORS, Bound(1, True))
        unit_source = None if not unit else "" if together else source
        self.drafts.append(_Draft(ledger.place, kind, text, left_out, tuple(skipped), tuple(pieces), unit_source))

    def _why_any(self, statements: Iterable[ast.stmt]) -> str:
        reasons = (self.ledger.why_dependent(read_statement(node, self.future)) for node in statements)
        return next((reason for reason in reasons if reason), "")

    def _skip(self, statement: Statement, reason: str) -> None:
        self._see_missing(statement)
        self._see_drawn(statement)
        self.ledger.take(statement, reason, own_work=works_out(statement, self.ledger))
        self.draws.students_code_ran()

    def _run(self, statement: Statement, piece: int | None) -> None:
        ledger = self.ledger
        self._see_missing(statement)
        drawn = self.draws.differ(statement, ledger) or any(
            name in ledger.entries and ledger.entries[name].drawn for name in statement.reads
        )
        ledger.run(statement, _INSTRUCTORS, piece)
        for name in statement.binds:
            if drawn and ledger.is_examiners(name):
                ledger.entries[name].drawn = True

    # Test cells

    def _read_test(self, text: CellText, source: str, beside: bool) -> None:
        ledger = self.ledger
        self.drafts.append(_Draft(ledger.place, Kind.test, text, [], source="" if beside else source))
        statements = self._test_statements(sorted([*text.body, *_autotests(source)], key=lambda node: node.lineno))
        needed = _needed(statements)
        reached = self.ledger.reach(needed)
        if reached & _LOOKS_UP:
            texts = {found for statement in statements for found in statement.texts}
            reached |= ledger.reach({name for found in texts for name in names_in(found)})
        names = sorted(name for name in reached if ledger.is_students(name))
        borrowed = self._borrowed(statements)
        touched = {name for statement in statements for name in {**statement.binds, **statement.deletes}}
        rebinds = sorted(name for name in touched if ledger.is_students(name))
        demos = dict.fromkeys(entry.place.id for name in names if (entry := ledger.entries[name]).place.demo)
        if not beside:
            ledger.required |= ledger.pieces(reached)
        self.tests.append(
            DividedTest(
                ledger.place.id,
                ledger.place.name,
                tuple(names),
                () if beside else tuple(borrowed),
                beside,
                tuple(rebinds),
                tuple(demos),
                "" if beside else _imports(text, source),
                tuple(_owned(name, ledger.entries[name]) for name in sorted(reached) if name in ledger.entries),
            )
        )
        self._advise(text, statements, names, beside)
        asked = any(ledger.entries[name].asked for name in reached if name in ledger.entries)
        if not (names or borrowed or asked or beside or text.problem or ledger.unknown):
            self._note(f"asks nothing of the student: it says the same of everybody, unless it is tagged {BESIDE_TAG}.")
        self._bind_test(statements, beside)

    def _test_statements(self, nodes: Iterable[ast.stmt]) -> list[Statement]:
        bound: set[str] = set()
        statements = []
        for node in nodes:
            statement = read_statement(node, self.future, bound)
            bound |= {name for name, at in statement.binds.items() if at.certain}
            bound -= statement.deletes.keys()
            statements.append(statement)
        return statements

    def _borrowed(self, statements: Sequence[Statement]) -> list[str]:
        """Find data of the examiner's that the test only checks: the student may have changed them."""
        ledger = self.ledger
        bound: set[str] = set()
        checked: set[str] = set()
        others: set[str] = set()
        for statement in statements:
            reached = ledger.reach(statement.reads)
            # Of what the test itself has made nothing is known.
            alone = not any(ledger.is_students(name) for name in reached) and not bound & _names(statement.node)
            data = {name for name in reached if ledger.is_data(name)}
            if alone and is_check(statement.node):
                checked |= data
            else:
                others |= data
            for later in statement.later.values():
                others |= ledger.reach(later.loads)
            bound |= statement.binds.keys()
        return sorted(checked - others)

    def _advise(self, text: CellText, statements: Sequence[Statement], names: Sequence[str], beside: bool) -> None:
        ledger = self.ledger
        if beside:
            for statement in statements:
                self._see_missing(statement)
            return
        own = [name for name in names if ledger.entries[name].own_work]
        if own:
            where = (f"{ledger.entries[name].place.name}, line {ledger.entries[name].line}" for name in own)
            self._note(
                f"reads {_first_few(own)}, which the course's own code works out in the student's kernel "
                f"({_first_few(list(dict.fromkeys(where)))}), where student code could change it: what the test works "
                "out itself is safe."
            )
        for name, line in self._read_by(statements).items():
            entry = ledger.entries.get(name)
            if entry is not None and entry.asked and _is_object(name, text.body):
                self._note(
                    f"{name} was made by the test {entry.place.name}; unless it is plain data, it ended with that "
                    "test: make it anew in this one.",
                    line,
                )
            elif entry is None and name not in BUILTINS and not ledger.unknown:
                self._note(f"{name} is bound by no cell before it.", line)
        imported = {name for statement in statements for name, at in statement.binds.items() if at.kind == "module"}
        imported |= {name for name, entry in ledger.entries.items() if entry.kind == "module"}
        for advice in look_at_test(text.body, imported):
            self._note(f"{advice.what}: tag the cell {BESIDE_TAG}, or test it otherwise.", advice.line)

    def _read_by(self, statements: Sequence[Statement]) -> dict[str, int]:
        found: dict[str, int] = {}
        bound: set[str] = set()
        for statement in statements:
            found |= {name: line for name, line in statement.reads.items() if name not in bound | found.keys()}
            bound |= statement.binds.keys()
        return found

    def _bind_test(self, statements: Sequence[Statement], beside: bool) -> None:
        ledger = self.ledger
        aliases = {pair for statement in statements for pair in statement.aliases}
        for statement in statements:
            ledger.read_definitions(statement)
            # What is asked of the student may be an object that stays with the student.
            asked = any(ledger.is_students(name) for name in ledger.reach(statement.reads))
            for name, at in statement.binds.items():
                back = any(owner == name and (kept, name) in aliases for owner, kept in aliases)
                if beside:
                    ledger.give(name, Owner.student, at.line, "a test beside the student's code binds it", at)
                elif not (ledger.is_students(name) and (back or name in ledger.written)):
                    entry = ledger.give(name, Owner.examiner, at.line, "a test binds it", at)
                    entry.by_test = ledger.place.id
                    entry.asked = asked and at.kind == "value"
                    entry.later = statement.later.get(name, entry.later)
            for name in statement.deletes:
                if not ledger.is_students(name):
                    ledger.entries.pop(name, None)


def _needed(statements: Iterable[Statement]) -> set[str]:
    """Names that a test cell reads which it has not bound itself."""
    needed: set[str] = set()
    bound: set[str] = set()
    for statement in statements:
        needed |= statement.reads.keys()
        for later in statement.later.values():
            needed |= later.loads - bound
        bound |= {name for name, at in statement.binds.items() if at.certain}
        bound -= statement.deletes.keys()
    return needed


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _owned(name: str, entry: Entry) -> OwnedName:
    return OwnedName(name, entry.owner, entry.place.name, entry.line, entry.why)


def _is_object(name: str, body: Iterable[ast.stmt]) -> bool:
    """Whether a name is called, or an attribute of it used: it may be more than plain data."""
    used = (
        node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
        for part in body
        for node in _uses(part)
    )
    return any(isinstance(node, ast.Name) and node.id == name for node in used)


def _uses(part: ast.stmt) -> list[ast.Call | ast.Attribute]:
    return [node for node in ast.walk(part) if isinstance(node, ast.Call | ast.Attribute)]


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


def _imports(text: CellText, source: str) -> str:
    """Imports at the top level of a test cell, outside its hidden regions."""
    hidden = False
    shown = set()
    for number, line in enumerate(source.split("\n"), start=1):
        mark = _HIDDEN.search(line)
        if mark:
            hidden = mark[1] == "BEGIN"
        elif not hidden:
            shown.add(number)
    imports = [node for node in text.body if isinstance(node, ast.Import | ast.ImportFrom) and node.lineno in shown]
    return "".join(f"{ast.unparse(node)}\n" for node in imports)


def _autotests(source: str) -> list[ast.stmt]:
    """Statements that nbgrader makes assertions of: `### AUTOTEST f(1); f(2)`."""
    found: list[ast.stmt] = []
    for number, line in enumerate(source.split("\n")):
        match = _AUTOTEST.fullmatch(line)
        if match:
            try:
                statements = ast.parse(match[1].strip().rstrip(";")).body
            except SyntaxError:
                continue
            found += [ast.increment_lineno(statement, number) for statement in statements]
    return found
