"""What a statement at the top level of a notebook reads, binds and changes, found by reading it.

What it reads *at once* is evaluated when the statement runs. What it reads *later* stands in the bodies of functions
and lambdas, and is evaluated when they are called.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from grading.examiner.cell_text import first_line

NOTEBOOK_NAMES = frozenset({"get_ipython", "display", "In", "Out", "_", "__", "___", "_ih", "_oh", "_dh", "quit"})
BUILTINS = frozenset(dir(builtins)) | NOTEBOOK_NAMES
_ARRAY_METHODS = (
    "all any argmax argmin argsort astype conj conjugate copy cumprod cumsum diagonal dot flatten item max mean min"
    " nonzero prod ravel repeat reshape round searchsorted squeeze std sum swapaxes take tobytes tolist trace"
    " transpose var view"
)
_FRAME_METHODS = (
    "abs agg aggregate apply applymap assign between clip combine_first corr count cov describe diff div dropna"
    " drop_duplicates duplicated eq equals explode ffill fillna filter first ge get groupby gt head idxmax idxmin info"
    " isin isna isnull items iterrows itertuples join keys kurt last le lt map mask median melt merge mode mul ne"
    " nlargest notna notnull nsmallest nunique pct_change pipe pivot pivot_table quantile rank reindex rename"
    " reset_index rolling sample select_dtypes set_index shift size skew sort_index sort_values stack sub tail"
    " to_csv to_dict to_frame to_list to_numpy to_string transform unique unstack value_counts values where"
)
_PLAIN_METHODS = frozenset(
    name
    for kind in (str, bytes, int, float, complex, tuple, frozenset, range)
    for name in dir(kind)
    if not name.startswith("_")
)
CHANGES_NOTHING = frozenset(f"{_ARRAY_METHODS} {_FRAME_METHODS}".split()) | _PLAIN_METHODS
"""Methods that leave their object as it was, whatever usual class it is of."""
LAZY = frozenset({"partial", "partialmethod", "lru_cache", "cache", "wraps", "vectorize", "staticmethod", "property"})
"""What keeps a function that it is given and does not call it."""


@dataclass
class Later:
    """What a function will do when it is called, as far as the notebook's own names go."""

    loads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    """Names under a `global` statement."""
    changes: set[str] = field(default_factory=set)

    def add(self, other: "Later") -> None:
        """Take over what another does."""
        self.loads |= other.loads
        self.binds |= other.binds
        self.changes |= other.changes


@dataclass(frozen=True)
class Call:
    """A call of a plain name with plain names among its arguments: by position, and by keyword."""

    function: str
    positional: tuple[str | None, ...]
    keywords: tuple[tuple[str | None, str], ...]
    alone: bool
    """Whether the call is a statement of its own, so that its value is thrown away."""


@dataclass
class Bound:
    """A name that a statement binds."""

    line: int
    certain: bool
    kind: str = "value"
    """`value`, `function`, `class` or `module`."""
    module: str = ""
    """Where an imported name comes from: `numpy`, or `math.sqrt`."""


@dataclass
class Statement:
    """What a statement does. Each name comes with the line that does it first."""

    node: ast.stmt
    line: int
    loads: dict[str, int] = field(default_factory=dict)
    """Read at once, unless the statement itself has bound the name before."""
    mentions: dict[str, int] = field(default_factory=dict)
    """Given another name or put into a container, not used yet."""
    aliases: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of a name that is bound and one that is mentioned for it."""
    binds: dict[str, Bound] = field(default_factory=dict)
    deletes: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    """Changed in place: roots of attributes and items that are assigned, and of methods that may change them."""
    assigned: set[str] = field(default_factory=set)
    """Of these, those with an attribute or an item assigned."""
    later: dict[str, Later] = field(default_factory=dict)
    """By the name that the function was bound to."""
    calls: list[Call] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    """Modules that are imported, as they are written."""
    stars: list[str] = field(default_factory=list)
    """Modules of which everything is imported."""
    shells: list[int] = field(default_factory=list)
    """Lines with a command for the shell (`!ls`)."""
    texts: set[str] = field(default_factory=set)
    """Strings of it that are plain names."""


def read_statements(body: Iterable[ast.stmt], future_annotations: bool = False) -> Iterator[Statement]:
    """Read statements one by one, as if each stood alone."""
    for node in body:
        yield read_statement(node, future_annotations)


def read_statement(node: ast.stmt, future_annotations: bool = False, bound: Iterable[str] = ()) -> Statement:
    """Read one statement; `bound` are names that are known to be bound beside it."""
    reader = _Reader(node, future_annotations, set(bound))
    reader.visit(node)
    return reader.found


def root(node: ast.expr) -> str | None:
    """The name at the root of `name.a[0].b().c`; None if there is none."""
    while True:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return None


class _Scope:
    """A function's, class's or comprehension's own names."""

    def __init__(self, kind: str, names: set[str], outer: "_Scope | None", globals_: set[str]) -> None:
        self.kind = kind
        self.names = names
        self.outer = outer
        self.globals = globals_

    def is_global(self, name: str) -> bool:
        """Whether a name means the notebook's here."""
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.globals:
                return True
            # A class's own names are seen in its body only, not in its methods.
            if name in scope.names and (scope is self or scope.kind != "class"):
                return False
            scope = scope.outer
        return True


class _Reader(ast.NodeVisitor):
    """Walks one statement in the order in which it runs."""

    def __init__(self, node: ast.stmt, future_annotations: bool, certain: set[str]) -> None:
        self.found = Statement(node, first_line(node))
        self.future_annotations = future_annotations
        self.certain = certain
        """Names that are bound for certain where the walk is."""
        self.scope: _Scope | None = None
        self.later: Later | None = None
        """The function whose body is read; None where things happen at once."""
        self.maybe = 0
        self.owners: tuple[str, ...] = ()
        """Names to which a lambda goes that is made here."""
        self.lazy = False
        """Whether a name that is read here is only handed on."""

    # Names

    def _load(self, name: str, node: ast.AST) -> None:
        if self.scope is not None and not self.scope.is_global(name):
            return
        if self.later is not None:
            self.later.loads.add(name)
        elif name not in self.certain:
            line = getattr(node, "lineno", self.found.line)
            if self.lazy and self.owners:
                self.found.mentions.setdefault(name, line)
                self.found.aliases |= {(owner, name) for owner in self.owners}
            else:
                self.found.loads.setdefault(name, line)

    def _bind(self, name: str, node: ast.AST, kind: str = "value", module: str = "") -> None:
        if self.scope is not None and not self.scope.is_global(name):
            return
        if self.scope is not None and self.scope.kind == "class" and name not in self.scope.globals:
            self.scope.names.add(name)
            return
        if self.later is not None:
            self.later.binds.add(name)
            return
        line = getattr(node, "lineno", self.found.line)
        self.found.binds.setdefault(name, Bound(line, False, kind, module))
        self.certain.add(name)

    def _change(self, name: str | None, node: ast.AST, assigned: bool) -> None:
        if name is None or (self.scope is not None and not self.scope.is_global(name)):
            return
        if self.later is not None:
            self.later.changes.add(name)
            return
        self.found.changes.setdefault(name, getattr(node, "lineno", self.found.line))
        if assigned:
            self.found.assigned.add(name)

    def visit(self, node: ast.AST) -> None:
        """Visit a node; after the statement itself, say which names it has bound for certain."""
        super().visit(node)
        if node is self.found.node:
            for name, bound in self.found.binds.items():
                bound.certain = name in self.certain

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._load(node.id, node)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id, node)
        elif self.scope is None or self.scope.is_global(node.id):
            if self.later is not None:
                self.later.binds.add(node.id)
            elif node.id in self.certain and node.id in self.found.binds:
                del self.found.binds[node.id]
                self.certain.discard(node.id)
            else:
                self.found.deletes.setdefault(node.id, node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        with self._used():
            self.visit(node.value)
        if not isinstance(node.ctx, ast.Load):
            self._change(root(node), node, True)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        with self._used():
            self.visit(node.value)
            self.visit(node.slice)
        if not isinstance(node.ctx, ast.Load):
            self._change(root(node), node, True)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value.isidentifier():
            self.found.texts.add(node.value)

    # Expressions

    @contextmanager
    def _used(self) -> Iterator[None]:
        """What is read in here is used, not only handed on."""
        lazy, owners = self.lazy, self.owners
        self.lazy, self.owners = False, ()
        yield
        self.lazy, self.owners = lazy, owners

    def generic_visit(self, node: ast.AST) -> None:
        """Visit what a node is made of; names below an operator are used."""
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.Starred | ast.IfExp) or not isinstance(
            node, ast.expr
        ):
            super().generic_visit(node)
            return
        with self._used():
            super().generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        with self._used():
            self.visit(node.test)
        self.visit(node.body)
        self.visit(node.orelse)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments: list[ast.expr] = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name in LAZY and self.owners:
            with self._used():
                self.visit(node.func)
            lazy, self.lazy = self.lazy, True
            for argument in arguments:
                self.visit(argument)
            self.lazy = lazy
            return
        with self._used():
            self.visit(node.func)
            for argument in arguments:
                self.visit(argument)
        self._note_call(node, name)

    def _note_call(self, node: ast.Call, name: str) -> None:
        if isinstance(node.func, ast.Attribute):
            receiver = root(node.func.value)
            if receiver == "get_ipython":
                if name in ("system", "getoutput") and self.later is None:
                    self.found.shells.append(node.lineno)
                elif name == "run_line_magic":
                    self._line_magic(node)
            elif name not in CHANGES_NOTHING:
                self._change(receiver, node, False)
        elif name in ("next", "setattr", "delattr") and node.args:
            self._change(root(node.args[0]), node, name != "next")
        elif name and self.later is None and self.scope is None:
            self.found.calls.append(
                Call(
                    name,
                    tuple(getattr(argument, "id", None) for argument in node.args),
                    tuple(
                        (keyword.arg, keyword.value.id)
                        for keyword in node.keywords
                        if isinstance(keyword.value, ast.Name)
                    ),
                    isinstance(self.found.node, ast.Expr) and self.found.node.value is node,
                )
            )

    def _line_magic(self, node: ast.Call) -> None:
        """Read the code in `%time total = f(3)`."""
        words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        if len(words) != 2 or words[0] not in ("time", "timeit", "prun", "memit"):
            return
        code = str(words[1])
        while code.lstrip().startswith("-"):
            code = code.lstrip().partition(" ")[2]
        try:
            inner = ast.parse(code.strip()).body
        except SyntaxError:
            return
        for statement in inner:
            ast.increment_lineno(statement, node.lineno - 1)
            self.visit(statement)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, self.owners)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        scope = self.scope
        while self.scope is not None and self.scope.kind == "comprehension":
            self.scope = self.scope.outer
        self.visit(node.target)
        self.scope = scope

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        with self._used():
            self.visit(node.generators[0].iter)
            names: set[str] = set()
            for generator in node.generators:
                names |= {part.id for part in ast.walk(generator.target) if isinstance(part, ast.Name)}
            outer, self.scope = self.scope, _Scope("comprehension", names, self.scope, set())
            for number, generator in enumerate(node.generators):
                if number:
                    self.visit(generator.iter)
                self.visit(generator.target)
                for condition in generator.ifs:
                    self.visit(condition)
            for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
                self.visit(part)
            self.scope = outer

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815

    # Functions and classes

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, owners: Iterable[str]) -> None:
        """Read a function's defaults at once and its body later; at once, too, if nobody holds it by a name."""
        arguments = node.args
        with self._used():
            for default in [*arguments.defaults, *arguments.kw_defaults]:
                if default is not None:
                    self.visit(default)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        names, globals_ = _own_names(body)
        names |= {argument.arg for argument in every}
        saved = self.scope, self.later, self.lazy, self.owners
        self.scope = _Scope("function", names, self.scope, globals_)
        owners = tuple(owners)
        if self.later is None and owners:
            self.later = Later()
        later = self.later
        self.lazy, self.owners = False, ()
        certain = set(self.certain)
        for part in body:
            self.visit(part)
        self.certain = certain
        self.scope, self.later, self.lazy, self.owners = saved
        if saved[1] is None and later is not None:
            for owner in owners:
                self.found.later.setdefault(owner, Later()).add(later)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        with self._used():
            for decorator in node.decorator_list:
                self.visit(decorator)
            if not self.future_annotations:
                for argument in ast.walk(node.args):
                    if isinstance(argument, ast.arg) and argument.annotation:
                        self.visit(argument.annotation)
                if node.returns:
                    self.visit(node.returns)
        self._function(node, self._class_owner() or (node.name,))
        self._bind(node.name, node, "function")

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def _class_owner(self) -> tuple[str, ...]:
        """The class at the top level whose body is read."""
        return self.owners if self.scope is not None and self.scope.kind == "class" else ()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        with self._used():
            for part in [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]:
                self.visit(part)
        owners = self._class_owner() or (node.name,)
        saved = self.scope, self.owners, self.lazy
        self.scope = _Scope("class", set(), self.scope, _own_names(node.body)[1])
        self.owners, self.lazy = owners, False
        certain = set(self.certain)
        for statement in node.body:
            self.visit(statement)
        self.certain = certain
        self.scope, self.owners, self.lazy = saved
        self._bind(node.name, node, "class")

    # Assignments

    def _assign(self, targets: list[ast.expr], value: ast.expr | None) -> None:
        saved = self.owners, self.lazy
        if self.scope is None or not self.owners:
            names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            self.owners = tuple(names) if self.later is None else ()
        self.lazy = True
        if value is not None:
            self.visit(value)
        self.owners, self.lazy = saved
        for target in targets:
            self.visit(target)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._assign(node.targets, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        inside = self.scope is not None and self.scope.kind == "function"
        if not self.future_annotations and not inside:
            with self._used():
                self.visit(node.annotation)
        if node.value is not None:
            self._assign([node.target], node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        with self._used():
            self.visit(node.value)
            if isinstance(node.target, ast.Name):
                self._load(node.target.id, node.target)
                # A list is lengthened in place: whoever else holds it sees that.
        self.visit(node.target)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        self._bind(node.name.id, node)  # type: ignore[attr-defined]

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = "." * getattr(node, "level", 0) + (getattr(node, "module", "") or "")
        for alias in node.names:
            if alias.name == "*":
                if self.later is None:
                    self.found.stars.append(module)
                    self.found.imports.add(module)
                continue
            origin = f"{module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
            if self.later is None:
                self.found.imports.add(module or alias.name)
            name = alias.asname or alias.name.partition(".")[0]
            if isinstance(node, ast.Import) and not alias.asname:
                origin = name
            self._bind(name, node, "module", origin)

    visit_Import = visit_ImportFrom = _import  # noqa: N815

    # Compound statements

    def _branches(self, branches: list[list[ast.stmt]], always: bool) -> None:
        """Read branches of which one runs (`always`) or none; what all of them bind is bound for certain."""
        before = set(self.certain)
        ends = [] if always else [before]
        for branch in branches:
            self.certain = set(before)
            for statement in branch:
                self.visit(statement)
            if not (branch and isinstance(branch[-1], ast.Raise | ast.Continue | ast.Break | ast.Return)):
                ends.append(self.certain)
        self.certain = set.intersection(*ends) if ends else before

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branches([node.body, node.orelse], always=True)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        # A loop is taken to run at least once: what it binds is bound afterwards.
        self.visit(node.iter)
        self.visit(node.target)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_Try(self, node: ast.Try) -> None:
        before = set(self.certain)
        for statement in node.body:
            self.visit(statement)
        done = self.certain
        ends = []
        for handler in node.handlers:
            self.certain = set(before)
            if handler.type:
                self.visit(handler.type)
            if handler.name:
                self.certain.add(handler.name)
            for statement in handler.body:
                self.visit(statement)
            if not (handler.body and isinstance(handler.body[-1], ast.Raise)):
                ends.append(self.certain)
        self.certain = done
        for statement in node.orelse:
            self.visit(statement)
        self.certain = set.intersection(self.certain, *ends)
        for statement in node.finalbody:
            self.visit(statement)

    visit_TryStar = visit_Try  # type: ignore[assignment]  # noqa: N815

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self.certain)
        ends = []
        for case in node.cases:
            self.certain = set(before)
            self.visit(case.pattern)
            if case.guard:
                self.visit(case.guard)
            for statement in case.body:
                self.visit(statement)
            ends.append(self.certain)
        last = node.cases[-1]
        whole = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        self.certain = set.intersection(*ends) if whole else before

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        pattern = getattr(node, "pattern", None)
        if pattern is not None:
            self.visit(pattern)
        if node.name:
            self._bind(node.name, node)

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self._bind(node.rest, node)


def _own_names(body: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """Names that a function's body binds, and those that it says are global; nested functions have their own."""
    names: set[str] = set()
    globals_: set[str] = set()
    outer: set[str] = set()

    def walk(node: ast.AST, comprehension: bool) -> None:
        if isinstance(node, ast.Global):
            globals_.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            outer.update(node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            return
        elif isinstance(node, ast.Lambda):
            return
        elif isinstance(node, ast.NamedExpr):
            names.add(node.target.id)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and not comprehension:
            names.add(node.id)
        elif isinstance(node, ast.alias) and node.name != "*":
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
        inner = comprehension or isinstance(node, ast.comprehension)
        for child in ast.iter_child_nodes(node):
            walk(child, inner)

    for part in body:
        walk(part, False)
    return names - globals_ - outer, globals_
