"""Test cells, read: what they need of the student's, and what they leave behind."""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

from grading.common.notebooks import BESIDE_TAG
from grading.examiner.advice import is_check, look_at_test
from grading.examiner.cell_text import CellText
from grading.examiner.divided import DividedTest, first_few, owned
from grading.examiner.ledger import Ledger, Owner, names_in
from grading.examiner.statements import BUILTINS, Bound, Statement, read_statement

_AUTOTEST = re.compile(r"[ \t]*###[ \t]*(?:HASHED[ \t]+)?AUTOTEST[ \t]+(.*)")
_HIDDEN = re.compile(r"### (BEGIN|END) HIDDEN TESTS")
_BINDERS = (
    *(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Import, ast.ImportFrom),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)
"""Statements that decide nothing by themselves."""
_STUDENTS_OWN = ""
"""Stands for whatever the student has written."""
_LOOKS_UP = frozenset({"globals", "locals", "vars", "dir", "eval", "exec", "get_ipython"})
"""What finds a name by its text."""


def read_test(ledger: Ledger, text: CellText, source: str, beside: bool, future_annotations: bool) -> DividedTest:
    """Read a test cell, at the place where the ledger is; `beside` it runs in the student's kernel."""
    nodes = sorted([*text.body, *_autotests(source)], key=lambda node: node.lineno)
    statements = _read_statements(nodes, future_annotations)
    reached = _reached(ledger, statements)
    names = tuple(sorted(name for name in reached if ledger.is_students(name)))
    tools = _tools(ledger, statements)
    borrowed = () if beside else tuple(sorted(_borrowed(ledger, statements)))
    touched = {name for statement in statements for name in {**statement.binds, **statement.deletes}}
    test = DividedTest(
        ledger.place.id,
        ledger.place.name,
        names,
        () if beside else tuple(name for name in names if ledger.is_library(name) or name in tools),
        borrowed,
        beside,
        tuple(sorted(name for name in touched if ledger.is_students(name))),
        tuple(dict.fromkeys(entry.place.id for name in names if (entry := ledger.entries[name]).place.demo)),
        "" if beside else _imports(text, source),
        tuple(owned(name, ledger.entries[name]) for name in sorted(reached) if name in ledger.entries),
    )
    if beside:
        ledger.see_missing(_read_first(statements))
    else:
        ledger.required |= ledger.pieces(reached)
        _advise(ledger, text, statements, test)
    _bind(ledger, statements, beside)
    if text.captures:
        owner = Owner.student if beside else Owner.examiner
        ledger.give(text.captures, owner, 1, "a test binds it", Bound(1, True)).by_test = "" if beside else test.name
    return test


def _read_statements(nodes: Iterable[ast.stmt], future_annotations: bool) -> list[Statement]:
    bound: set[str] = set()
    statements = []
    for node in nodes:
        statement = read_statement(node, future_annotations, bound)
        bound |= {name for name, at in statement.binds.items() if at.certain}
        bound -= statement.deletes.keys()
        statements.append(statement)
    return statements


def _reached(ledger: Ledger, statements: Sequence[Statement]) -> set[str]:
    """Return the names that a test cell may read which it has not bound itself."""
    needed: set[str] = set()
    bound: set[str] = set()
    for statement in statements:
        needed |= statement.reads.keys()
        for later in statement.later.values():
            needed |= later.loads - bound
        bound |= {name for name, at in statement.binds.items() if at.certain}
        bound -= statement.deletes.keys()
    reached = ledger.reach(needed)
    if reached & _LOOKS_UP:
        texts = {found for statement in statements for found in statement.texts}
        reached |= ledger.reach({name for found in texts for name in names_in(found)})
    return reached


def _borrowed(ledger: Ledger, statements: Sequence[Statement]) -> set[str]:
    """Find data of the examiner's that the test only checks: the student may have changed them."""
    bound: set[str] = set()
    checked: set[str] = set()
    others: set[str] = set()
    for statement in statements:
        reached = ledger.reach(statement.reads)
        own = {part.id for part in ast.walk(statement.node) if isinstance(part, ast.Name)} & bound
        data = {name for name in reached if ledger.is_data(name)}
        if is_check(statement.node) and not own and not any(ledger.is_students(name) for name in reached):
            checked |= data
        else:
            others |= data
        for later in statement.later.values():
            others |= ledger.reach(later.loads)
        bound |= statement.binds.keys()
    return checked - others


def _tools(ledger: Ledger, statements: Sequence[Statement]) -> set[str]:
    """Find members of libraries that a solution cell imports (`from math import sqrt`) and the test only works with.

    That is so unless something in the test hangs on them and on nothing else of the student's: then they may be what
    is tested, and the student may have written them.
    """
    origins: dict[str, set[str]] = {}
    tested: set[str] = set()
    found: set[str] = set()
    for statement in statements:
        reads = set(statement.reads).union(*(later.loads for later in statement.later.values())) - origins.keys()
        own = {part.id for part in ast.walk(statement.node) if isinstance(part, ast.Name)} & origins.keys()
        here = set[str]().union(*(_origins(ledger, name) for name in reads), *(origins[name] for name in own))
        found |= here
        if not isinstance(statement.node, _BINDERS) and _STUDENTS_OWN not in here:
            tested |= here
        origins |= dict.fromkeys(statement.binds, here)
    return found - tested - {_STUDENTS_OWN}


def _origins(ledger: Ledger, name: str) -> set[str]:
    """Return the imported members that a name needs, and `_STUDENTS_OWN` if it needs anything else of the student's."""
    members, own = set(), set()
    for reached in ledger.reach([name]):
        if ledger.is_member(reached):
            members.add(reached)
        elif (ledger.is_students(reached) and not ledger.is_library(reached)) or ledger.is_asked(reached):
            own.add(_STUDENTS_OWN)
    return members | own


def _bind(ledger: Ledger, statements: Sequence[Statement], beside: bool) -> None:
    """Enter what a test cell binds."""
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
                entry.by_test = ledger.place.name
                entry.asked = asked and at.kind == "value"
                entry.later = statement.later.get(name, entry.later)
        for name in statement.deletes:
            if not ledger.is_students(name):
                ledger.entries.pop(name, None)


# What its author should know


def _advise(ledger: Ledger, text: CellText, statements: Sequence[Statement], test: DividedTest) -> None:
    own = [name for name in test.names if ledger.entries[name].own_work]
    if own:
        where = (f"{ledger.entries[name].place.name}, line {ledger.entries[name].line}" for name in own)
        ledger.note(
            f"reads {first_few(own)}, which the course's own code works out in the student's kernel "
            f"({first_few(list(dict.fromkeys(where)))}), where student code could change it: what the test works out "
            "itself is safe."
        )
    _advise_on_names(ledger, text, _read_first(statements))
    imported = {name: entry.module for name, entry in ledger.entries.items() if entry.imported}
    imported |= {name: at.module for part in statements for name, at in part.binds.items() if at.imported}
    for advice in look_at_test(text.body, imported):
        ledger.note(f"{advice.what}: tag the cell {BESIDE_TAG}, or test it otherwise.", advice.line)
    asked = any(ledger.entries[name.name].asked for name in test.reads)
    if not (test.names or test.borrowed or asked or text.problem or ledger.unknown):
        ledger.note(f"asks nothing of the student: it says the same of everybody, unless it is tagged {BESIDE_TAG}.")


def _advise_on_names(ledger: Ledger, text: CellText, read: Mapping[str, int]) -> None:
    for name, line in read.items():
        entry = ledger.entries.get(name)
        if entry is not None and entry.asked and _is_object(name, text.body):
            ledger.note(
                f"{name} was made by the test {entry.place.name}; unless it is plain data, it ended with that test: "
                "make it anew in this one.",
                line,
            )
        elif entry is None and name not in BUILTINS and not ledger.unknown:
            ledger.note(f"{name} is bound by no cell before it.", line)


def _read_first(statements: Sequence[Statement]) -> dict[str, int]:
    """Return the names that a test cell reads before it binds them, with the first line that does."""
    found: dict[str, int] = {}
    bound: set[str] = set()
    for statement in statements:
        found |= {name: line for name, line in statement.reads.items() if name not in bound | found.keys()}
        bound |= statement.binds.keys()
    return found


def _is_object(name: str, body: Iterable[ast.stmt]) -> bool:
    """Return whether a name is called, or an attribute of it used: it may be more than plain data."""
    nodes = (node for part in body for node in ast.walk(part))
    used = (node.func if isinstance(node, ast.Call) else getattr(node, "value", None) for node in nodes)
    return any(isinstance(node, ast.Name) and node.id == name for node in used)


def _imports(text: CellText, source: str) -> str:
    """Return the imports at the top level of a test cell, outside its hidden regions."""
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
    """Return the statements that nbgrader makes assertions of: `### AUTOTEST f(1); f(2)`."""
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
