"""Advice on test cells: what means something else outside the student's process, and what is safer worked out there."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grading.examiner.ledger import Ledger
from grading.examiner.statements import Statement, root

_PYPLOT = frozenset({"gcf", "gca", "get_fignums", "get_figlabels", "axes_dict"})
_PROCESS = {
    "setrecursionlimit": "the recursion limit of the student's code is not changed",
    "settrace": "the student's code is not traced",
    "setprofile": "the student's code is not traced",
    "tracemalloc": "the memory of the student's code is not measured",
    "errstate": "the student's code does not see these settings of NumPy's",
    "seterr": "the student's code does not see these settings of NumPy's",
    "getcontext": "the student's code does not see this decimal context",
    "localcontext": "the student's code does not see this decimal context",
    "alarm": "an alarm does not interrupt the student's code",
    "assertLogs": "the log of the student's code does not reach it",
    "chdir": "the student's code does not change its folder with it",
}
_CROSSES = re.compile(
    r"builtins\.(input|print|open)|sys\.std(in|out|err)|time\.sleep|(numpy\.)?random\.\w+|os\.environ.*|.*\b(rcParams|options)\b.*"
)
"""What the student's code gets to see all the same (`sandbox/inside/course_state.py`), or what only changes looks."""
_WRAPPERS = frozenset({"list", "tuple", "set", "dict", "str", "int", "float", "len", "sorted", "iter", "next", "repr"})


@dataclass(frozen=True)
class Advice:
    """A remark on a test cell that means something else outside: `what`, and the line of the cell."""

    line: int
    what: str


def look_at_test(body: Sequence[ast.stmt], imported: Mapping[str, str]) -> Iterator[Advice]:
    """Find what only works beside the student's code, each once; `imported` are names, and what was imported."""
    said: set[str] = set()
    for statement in body:
        for node in ast.walk(statement):
            what = _outside(node, imported)
            if what and what not in said:
                said.add(what)
                yield Advice(getattr(node, "lineno", statement.lineno), what)


def _outside(node: ast.AST, imported: Mapping[str, str]) -> str:
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return (
            f"it changes {ast.unparse(node)}, which the student's code does not see" if _stays(node, imported) else ""
        )
    if not isinstance(node, ast.Call):
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    path = ast.unparse(node.func).split(".")
    if name in _PYPLOT:
        return "it looks at the figure that pyplot holds, which is in the student's kernel"
    if name in ("system", "getoutput", "run_cell_magic") and path[0] == "get_ipython()":
        return "it gives a command to the shell, which the examiner does not have"
    if node.args and (name in ("setattr", "delattr") or ("patch" in path and root(node.func) in imported)):
        return _patched(node, imported)
    return next((_PROCESS[part] for part in (name, path[0]) if part in _PROCESS), "")


def _stays(target: ast.expr, imported: Mapping[str, str]) -> bool:
    """Return whether it is in a module, and a change of it is seen in the examiner only."""
    name = root(target)
    if name is None or name not in imported:
        return False
    path = ast.unparse(target)
    return not _CROSSES.fullmatch(imported[name] + path.removeprefix(name))


def _patched(node: ast.Call, imported: Mapping[str, str]) -> str:
    """Say what `patch("builtins.input")`, `setattr(random, "random", ...)` or the like patches."""
    target, *rest = node.args
    if isinstance(target, ast.Constant):
        return "" if _CROSSES.fullmatch(str(target.value)) else _does_not_see("patches", target)
    if root(target) not in imported or not rest or not isinstance(rest[0], ast.Constant):
        return ""
    attribute = ast.Attribute(target, str(rest[0].value))
    return _does_not_see("patches", attribute) if _stays(attribute, imported) else ""


def _does_not_see(does: str, target: ast.expr) -> str:
    return f"it {does} {ast.unparse(target)}, which the student's code does not see"


def is_check(node: ast.stmt) -> bool:
    """Return whether a statement only checks something: `assert`, a call of `assert_equal`, `if ...: raise ...`."""
    if isinstance(node, ast.If):
        return all(isinstance(part, ast.Raise) for part in node.body) and not node.orelse
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")).startswith(
            "assert"
        )
    return isinstance(node, ast.Assert)


def works_out(statement: Statement, ledger: Ledger) -> bool:
    """Return whether the course's own code makes something of what the student's gives, rather than keep it as it is.

    `y = f(3)` and `model.fit(x)` are the student's answers; `ok = check(f)` and `table = [f(x) for x in xs]` are not.
    """
    node = statement.node
    value = getattr(node, "value", None) if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) else None
    if value is None:
        return not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
    return not _is_answer(value, ledger)


def _is_answer(value: ast.expr, ledger: Ledger) -> bool:
    if isinstance(value, ast.Await):
        return _is_answer(value.value, ledger)
    if isinstance(value, ast.List | ast.Tuple | ast.Set):
        return all(_is_answer(part, ledger) for part in value.elts)
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") in _WRAPPERS and len(value.args) == 1:
        return _is_answer(value.args[0], ledger)
    name = root(value)
    return name is not None and (name == "get_ipython" or ledger.is_students(name))
