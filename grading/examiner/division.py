"""Whose is a name? Read from the master: what the examiner runs itself, and which names are the student's.

The student's kernel runs every cell but the tests. The examiner runs the tests, and of the instructor's statements
those that depend on nothing of the student's; so both hold the same values, and the student cannot reach the
examiner's. A statement that cannot be told apart is the student's: the test then asks for its names.
"""

import ast
import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nbformat import NotebookNode

from grading.common.notebooks import BESIDE_TAG, DEMO_TAG, EXAMINERS_TAG, STUDENTS_TAG, cell_name
from grading.examiner.cell_text import CellText, read_cell, without
from grading.examiner.statements import BUILTINS, Bound, Later, Statement, read_statement

STAR_MODULES = frozenset({"cmath", "collections", "functools", "itertools", "math", "random", "statistics", "typing"})
"""Modules that may be imported here to see which names `from math import *` binds."""
_AUTOTEST = re.compile(r"[ \t]*###[ \t]*(?:HASHED[ \t]+)?AUTOTEST[ \t]+(.*)")
_LOOKS_UP = frozenset({"globals", "locals", "vars", "dir", "eval", "exec", "get_ipython"})
"""What finds a name by its text."""


class Kind(StrEnum):
    """What a code cell is."""

    instructor = "instructor"
    solution = "solution"
    test = "test"
    demo = "demo"


class Owner(StrEnum):
    """Whose a name is."""

    examiner = "examiner"
    student = "student"


@dataclass(frozen=True)
class Skipped:
    """A statement that the examiner leaves out; `line` counts from 1 within the cell."""

    line: int
    reason: str


@dataclass(frozen=True)
class DividedCell:
    """A code cell of the master, and what of it the examiner runs."""

    id: str
    name: str
    """As a person would look for it: `cell 4 'test_iou'`."""
    kind: Kind
    e_source: str
    """For the examiner: every statement on its own line; empty if there is nothing to run."""
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class DividedTest:
    """A test cell, and what it may need of the student's."""

    id: str
    name: str
    names: tuple[str, ...]
    """The student's names that it may read, itself or in a function that it can reach."""
    beside: bool = False
    """It runs in the student's kernel."""
    rebinds: tuple[str, ...] = ()
    """The student's names that it binds or deletes."""
    demos: tuple[str, ...] = ()
    """Ids of the demonstrations that bind what it needs."""


@dataclass(frozen=True)
class OwnedName:
    """Whose a name is after the last cell, and which statement decided."""

    name: str
    owner: Owner
    cell: str
    line: int
    why: str


@dataclass(frozen=True)
class Division:
    """Who runs what of a master, in the order of its code cells."""

    cells: tuple[DividedCell, ...]
    tests: tuple[DividedTest, ...]
    names: tuple[OwnedName, ...]
    notes: tuple[str, ...]
    """What the author should know, in words."""

    def cell(self, cell_id: str) -> DividedCell:
        """A code cell by its id."""
        return next(cell for cell in self.cells if cell.id == cell_id)

    def test(self, cell_id: str) -> DividedTest:
        """A test cell by its id."""
        return next(test for test in self.tests if test.id == cell_id)


def divide(master: NotebookNode, star_modules: frozenset[str] = STAR_MODULES) -> Division:
    """Read a master, with its solutions, from top to bottom.

    Of `star_modules`, installed libraries, everything may be imported here to see what `from module import *` binds.
    """
    reading = _Reading(star_modules)
    for index, cell in enumerate(master.cells):
        if cell.cell_type == "code":
            reading.read(cell, index)
    return reading.division()


def describe(division: Division) -> list[tuple[str, str, str]]:
    """Return rows of a table: name, whose, why. The student's come first, in the order of the notebook."""
    order = sorted(division.names, key=lambda name: name.owner is not Owner.student)
    return [(name.name, name.owner.value, f"{name.cell}, line {name.line}: {name.why}") for name in order]


@dataclass
class _Name:
    """What is known of a name at one place of the notebook."""

    owner: Owner
    cell: str
    cell_id: str
    line: int
    why: str
    kind: str = "value"
    module: str = ""
    later: Later = field(default_factory=Later)
    by: Kind = Kind.instructor


class _Reading:
    """The notebook as far as it has been read."""

    def __init__(self, star_modules: frozenset[str]) -> None:
        self.star_modules = star_modules
        self.names: dict[str, _Name] = {}
        self.cells: list[DividedCell] = []
        self.tests: list[DividedTest] = []
        self.notes: list[str] = []
        self.student_functions: dict[str, ast.AST] = {}
        self.written: set[str] = set()
        """Global names that functions of the student's write."""
        self.student_modules: set[str] = set()
        """Modules whose files a solution cell writes."""
        self.future = False
        self.cell = ""
        self.cell_id = ""
        self.kind = Kind.instructor

    def division(self) -> Division:
        """What was found."""
        names = tuple(OwnedName(name, at.owner, at.cell, at.line, at.why) for name, at in self.names.items())
        return Division(tuple(self.cells), tuple(self.tests), names, tuple(dict.fromkeys(self.notes)))

    def read(self, cell: NotebookNode, index: int) -> None:
        """Go on with the next code cell."""
        self.cell, self.cell_id, self.kind = cell_name(cell, index), _cell_id(cell, index), _kind(cell)
        tags = cell.metadata.get("tags", [])
        text = read_cell(cell.source)
        if self.kind is Kind.test:
            self._read_test(text, cell.source, BESIDE_TAG in tags)
            return
        if text.problem:
            self.notes.append(
                f"{self.cell} cannot be read as Python ({text.problem}): only the student's kernel runs it."
            )
        if self.kind is Kind.instructor and not text.problem:
            self._read_instructors(text, cell.source, tags)
        else:
            self._read_students(
                text, "a solution cell binds it" if self.kind is Kind.solution else "a demonstration binds it"
            )

    # Whose

    def _is_students(self, name: str) -> bool:
        return name in self.names and self.names[name].owner is Owner.student

    def _reach(self, names: Iterable[str]) -> set[str]:
        """Names that may be read when functions among these are called, and those themselves."""
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                if name in self.names and self.names[name].owner is Owner.examiner:
                    waiting += self.names[name].later.loads
        return seen

    def _students_in(self, names: Iterable[str]) -> list[str]:
        return sorted(name for name in self._reach(names) if self._is_students(name))

    def _give(self, name: str, owner: Owner, line: int, why: str, bound: Bound | None = None) -> None:
        self.names.pop(name, None)  # so that the table is in the order of the deciding statements
        self.names[name] = _Name(
            owner,
            self.cell,
            self.cell_id,
            line,
            why,
            bound.kind if bound else "value",
            bound.module if bound else "",
            by=self.kind,
        )

    # The student's cells

    def _read_students(self, text: CellText, why: str) -> None:
        """Read a cell that only the student's kernel runs: what it binds and changes is the student's."""
        if text.magic in ("writefile", "file") and text.arguments.endswith(".py"):
            self.student_modules.add(text.arguments.split()[-1].rpartition("/")[2].removesuffix(".py"))
        self.cells.append(DividedCell(self.cell_id, self.cell, self.kind, ""))
        if text.magic == "capture" and text.arguments.isidentifier():
            self._give(text.arguments, Owner.student, 1, why)
        for node in text.body:
            statement = read_statement(node, self.future)
            self._take(statement, why)

    def _take(self, statement: Statement, why: str) -> None:
        """Make the student's what a statement binds and changes that the examiner does not run."""
        for name, bound in statement.binds.items():
            here = self.names.get(name)
            if (
                here is not None
                and bound.kind == here.kind == "module"
                and bound.module == here.module
                and here.owner is Owner.examiner
            ):
                continue  # the same import once more
            self._give(name, Owner.student, bound.line, why, bound)
        for name in statement.deletes:
            self.names.pop(name, None)
        for node in ast.walk(statement.node):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in statement.binds:
                self.student_functions[node.name] = node
        for name, line in statement.changes.items():
            self._taint(name, line, "the student's code changes it in place", name in statement.assigned)
        for later in statement.later.values():
            for name in sorted(later.binds | later.changes):
                if name in later.binds or not self._is_module(name):
                    self.written.add(name)
                    self._give_if_examiners(name, statement.line, "a function of the student's changes it")

    def _is_module(self, name: str) -> bool:
        return name in self.names and self.names[name].kind == "module"

    def _give_if_examiners(self, name: str, line: int, why: str) -> None:
        if name in self.names and self.names[name].owner is Owner.examiner:
            self._give(name, Owner.student, line, why)

    def _taint(self, name: str, line: int, why: str, assigned: bool) -> None:
        here = self.names.get(name)
        if here is None or here.owner is Owner.student or here.kind == "module":
            return
        if here.kind in ("function", "class") and not assigned:
            return
        self._give(name, Owner.student, line, why)

    # The instructor's cells

    def _read_instructors(self, text: CellText, source: str, tags: Iterable[str]) -> None:
        if STUDENTS_TAG in tags:
            self._read_students(text, f"the cell is tagged {STUDENTS_TAG}")
            return
        forced = EXAMINERS_TAG in tags
        if text.magic in ("writefile", "file"):
            self.cells.append(DividedCell(self.cell_id, self.cell, self.kind, source))
            return
        if text.magic and text.magic not in ("time", "capture", "prun"):
            skipped = (Skipped(1, f"%%{text.magic} runs in the student's kernel only"),)
            self.cells.append(DividedCell(self.cell_id, self.cell, self.kind, "", skipped))
            return
        left_out: list[ast.stmt] = []
        skipped_: list[Skipped] = []
        if text.magic:
            whole = ast.Module(list(text.body), [])
            reasons = [(node, self._why_dependent(read_statement(node, self.future))) for node in whole.body]
            reason = next((reason for _, reason in reasons if reason), "")
            if reason and not forced:
                self._read_students(text, reason)
                self.cells[-1] = DividedCell(self.cell_id, self.cell, self.kind, "", (Skipped(1, reason),))
                return
            for node in text.body:
                self._run(read_statement(node, self.future))
            if text.magic == "capture" and text.arguments.isidentifier():
                self._give(text.arguments, Owner.examiner, 1, "the examiner runs the cell itself")
            self.cells.append(DividedCell(self.cell_id, self.cell, self.kind, source))
            return
        for node in text.body:
            self._see_future(node)
            statement = read_statement(node, self.future)
            reason = "" if forced else self._why_dependent(statement)
            if reason:
                left_out.append(node)
                skipped_.append(Skipped(statement.line, reason))
                self._skip(statement, reason)
            else:
                self._run(statement)
        self.cells.append(DividedCell(self.cell_id, self.cell, self.kind, without(text, left_out), tuple(skipped_)))

    def _see_future(self, node: ast.stmt) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            self.future = self.future or any(alias.name == "annotations" for alias in node.names)

    def _why_dependent(self, statement: Statement) -> str:
        """Say why the examiner cannot run a statement itself; empty if it can."""
        if statement.shells:
            return "it gives a command to the shell, which only the student's kernel does"
        for module in sorted(statement.imports):
            if module.lstrip(".").partition(".")[0] in self.student_modules:
                return f"it imports {module}, a file that a solution cell writes"
        for name in {**statement.loads, **statement.mentions, **statement.deletes}:
            if self._is_students(name):
                return f"it uses {name}, which is the student's ({self.names[name].cell})"
        for name in statement.loads:
            found = self._students_in([name])
            if found:
                return f"it uses {name}, which calls for {found[0]}, the student's ({self.names[found[0]].cell})"
        return ""

    def _run(self, statement: Statement) -> None:
        """Note what a statement binds that the examiner runs."""
        for module in statement.stars:
            self._star(module, statement.line)
        aliased = {owner: self.names[name].later for owner, name in statement.aliases if name in self.names}
        for name, bound in statement.binds.items():
            here = self.names.get(name)
            if name in self.written:
                self._give(name, Owner.student, bound.line, "a function of the student's changes it", bound)
                continue
            if here is not None and here.owner is Owner.student and not bound.certain:
                self.notes.append(
                    f"{self.cell}, line {bound.line}: {name} is the student's before, and may stay so: "
                    "it is taken for the student's. Give it a name of its own."
                )
                continue
            later = Later()
            if here is not None and not bound.certain:
                later.add(here.later)
            self._give(name, Owner.examiner, bound.line, "depends on nothing of the student's", bound)
            later.add(statement.later.get(name, Later()))
            later.add(aliased.get(name, Later()))
            self.names[name].later = later
        for name in statement.deletes:
            self.names.pop(name, None)

    def _star(self, module: str, line: int) -> None:
        names = star_names(module) if module in self.star_modules else None
        if names is None:
            self.notes.append(
                f"{self.cell}, line {line}: which names `from {module} import *` binds cannot be read; "
                "import them by name."
            )
            return
        for name in names:
            self._give(
                name, Owner.examiner, line, f"imported from {module}", Bound(line, True, "module", f"{module}.{name}")
            )

    def _skip(self, statement: Statement, reason: str) -> None:
        """Note what becomes the student's by a statement that the examiner leaves out."""
        called = self._reach(statement.loads)
        self._take(statement, reason)
        for name in sorted(called):
            if name in self.names and self.names[name].owner is Owner.examiner:
                later = self.names[name].later
                for changed in sorted(later.binds | later.changes):
                    self._taint(changed, statement.line, f"{name} changes it", True)
        for call in statement.calls:
            if call.alone and self._is_students(call.function):
                for argument in [*call.positional, *(value for _, value in call.keywords)]:
                    if argument:
                        self._taint(argument, statement.line, f"{call.function} may change it", False)

    # Test cells

    def _read_test(self, text: CellText, source: str, beside: bool) -> None:
        self.cells.append(DividedCell(self.cell_id, self.cell, self.kind, "" if beside else source))
        if text.problem:
            self.notes.append(f"{self.cell} cannot be read as Python ({text.problem}): its test will fail.")
        bound: set[str] = set()
        needed: set[str] = set()
        statements = []
        for node in [*text.body, *_autotests(source)]:
            statement = read_statement(node, self.future, bound)
            needed |= statement.loads.keys() | statement.mentions.keys() | statement.deletes.keys()
            for later in statement.later.values():
                needed |= later.loads
            bound |= {name for name, at in statement.binds.items() if at.certain}
            bound -= statement.deletes.keys()
            statements.append(statement)
        reached = self._reach(needed)
        if reached & _LOOKS_UP:
            reached |= {text_ for statement in statements for text_ in statement.texts}
        names = sorted(name for name in reached if self._is_students(name))
        touched = {name for statement in statements for name in {**statement.binds, **statement.deletes}}
        rebinds = sorted(name for name in touched if self._is_students(name))
        demos = dict.fromkeys(self.names[name].cell_id for name in names if self.names[name].by is Kind.demo)
        self.tests.append(DividedTest(self.cell_id, self.cell, tuple(names), beside, tuple(rebinds), tuple(demos)))
        if rebinds:
            self.notes.append(f"{self.cell} binds or deletes {', '.join(rebinds)}, which is the student's.")
        for statement in statements:
            for name, at in statement.binds.items():
                if beside:
                    self._give(name, Owner.student, at.line, "a test beside the student's code binds it", at)
                elif not self._puts_back(name, statements):
                    self._give(name, Owner.examiner, at.line, "a test binds it", at)
                    self.names[name].later = statement.later.get(name, Later())

    def _puts_back(self, name: str, statements: Iterable[Statement]) -> bool:
        """Whether a test gives a name of the student's back what it has taken: `f = old`, after `old = f`."""
        if not self._is_students(name):
            return False
        aliases = {pair for statement in statements for pair in statement.aliases}
        return any(owner == name and (kept, name) in aliases for owner, kept in aliases)


def star_names(module: str) -> tuple[str, ...] | None:
    """Import a library's module and return the names that `from module import *` binds; None if it is missing."""
    try:
        found = importlib.import_module(module)
    except ImportError:
        return None
    public = getattr(found, "__all__", None)
    return tuple(public if public is not None else (name for name in vars(found) if not name.startswith("_")))


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
            for statement in statements:
                found.append(ast.increment_lineno(statement, number))
    return found


__all__ = [
    "BUILTINS",
    "DividedCell",
    "DividedTest",
    "Division",
    "Kind",
    "OwnedName",
    "Owner",
    "Skipped",
    "describe",
    "divide",
    "star_names",
]
