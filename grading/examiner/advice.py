"""What a test cell does that means something else outside the student's process, and what is safer worked out there."""

import ast
import re
from collections.abc import Collection, Iterator, Sequence
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
_IGNORED = frozenset({"stdout", "stderr", "rcParams", "options"})
"""Parts of modules that change what is printed and drawn: output is brought to the test anyway."""
_WRAPPERS = frozenset({"list", "tuple", "set", "dict", "str", "int", "float", "len", "sorted", "iter", "next", "repr"})


@dataclass(frozen=True)
class Advice:
    """Something in a test cell that means something else outside: `what`, and the line of the cell."""

    line: int
    what: str


def look_at_test(body: Sequence[ast.stmt], imported: Collection[str]) -> Iterator[Advice]:
    """Find what only works beside the student's code, each once; `imported` are names of what was imported."""
    said: set[str] = set()
    for statement in body:
        for node in ast.walk(statement):
            what = _outside(node, imported)
            if what and what not in said:
                said.add(what)
                yield Advice(getattr(node, "lineno", statement.lineno), what)


def _outside(node: ast.AST, imported: Collection[str]) -> str:
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        path = ast.unparse(node)
        if root(node) in imported and not _IGNORED & set(re.findall(r"\w+", path)):
            return f"it changes {path}, which the student's code does not see"
        return ""
    if not isinstance(node, ast.Call):
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    path = ast.unparse(node.func)
    if name in _PYPLOT:
        return "it looks at the figure that pyplot holds, which is in the student's kernel"
    if name in ("system", "getoutput", "run_cell_magic") and root(node.func) == "get_ipython":
        return "it gives a command to the shell, which the examiner does not have"
    if name in ("setattr", "delattr") or ("patch" in path.split(".") and root(node.func) in imported):
        return _patched(node, name, imported)
    if (name == "catch_warnings" and node.keywords) or (name in ("simplefilter", "filterwarnings") and _is_error(node)):
        return "warnings of the student's code do not reach it"
    for part in (name, *path.split(".")[:1]):
        if part in _PROCESS:
            return _PROCESS[part]
    return ""


def _is_error(node: ast.Call) -> bool:
    return any(isinstance(part, ast.Constant) and part.value == "error" for part in node.args)


def _patched(node: ast.Call, name: str, imported: Collection[str]) -> str:
    if name in ("setattr", "delattr") and (not node.args or root(node.args[0]) not in imported):
        return ""
    target = ast.unparse(node.args[0]) if node.args else "something"
    return "" if "stdout" in target else f"it patches {target}, which the student's code does not see"


def is_check(node: ast.stmt) -> bool:
    """Whether a statement only checks something: `assert`, a call of `assert_equal`, `if ...: raise ...`."""
    if isinstance(node, ast.If):
        return all(isinstance(part, ast.Raise) for part in node.body) and not node.orelse
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        return (function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")).startswith(
            "assert"
        )
    return isinstance(node, ast.Assert)


def works_out(statement: Statement, ledger: Ledger) -> bool:
    """Whether the course's own code makes something of what the student's gives, rather than keep it as it is.

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
