"""Statements at the top level of a notebook: what each reads, binds and changes, found by reading it.

What it reads *at once* is evaluated when the statement runs. What it reads *later* stands in the bodies of functions
and lambdas, and is evaluated when they are called.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from grading.examiner.cell_text import first_line
from grading.examiner.methods import FIRST_ARGUMENT, KEEPERS, WRITERS

NOTEBOOK_NAMES = frozenset({"get_ipython", "display", "In", "Out", "_", "__", "___", "_ih", "_oh", "_dh", "quit"})
BUILTINS = frozenset(dir(builtins)) | NOTEBOOK_NAMES | {"__name__", "__doc__", "__file__"}
ASSIGNED = ""
"""How a name is changed whose attribute or item is assigned; otherwise the method's name says how."""
_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "__set_name__"})
"""Methods that run when an instance or a class below is made."""
_READ_LINE_MAGICS = frozenset({"time", "timeit", "prun", "memit", "pinfo", "pinfo2", "pdoc", "psource", "pfile"})
_MAX_TEXT = 200
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Later:
    """Effects of a function when it is called, as far as the notebook's own names go."""

    loads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    """Names under a `global` statement."""
    changes: set[tuple[str, str]] = field(default_factory=set)
    """Names that are changed in place, and how."""

    def add(self, other: "Later") -> None:
        """Take over what another does."""
        self.loads |= other.loads
        self.binds |= other.binds
        self.changes |= other.changes


@dataclass(frozen=True)
class Call:
    """A call of a function by its plain name. Arguments are plain names; others are None."""

    function: str
    positional: tuple[str | None, ...]
    keywords: tuple[tuple[str | None, str | None], ...]
    alone: bool
    """Whether the call is a statement of its own, so that its value is thrown away."""


@dataclass
class Bound:
    """A name that a statement binds."""

    line: int
    certain: bool
    kind: str = "value"
    """`value`, `function`, `class`, `module` (`import numpy`) or `member` (`from math import sqrt`)."""
    module: str = ""
    """Where an imported name comes from: `numpy`, or `math.sqrt`."""

    @property
    def imported(self) -> bool:
        """Return whether an import binds it."""
        return self.kind in ("module", "member")


@dataclass
class Statement:
    """Effects of a statement. A name's line is the one that has the effect first."""

    node: ast.stmt
    line: int
    loads: dict[str, int] = field(default_factory=dict)
    """Read at once, unless the statement itself has bound the name before."""
    called: dict[str, int] = field(default_factory=dict)
    """Likewise, but only called: `f(...)`."""
    mentions: dict[str, int] = field(default_factory=dict)
    """Likewise, but only given another name, put into a container or derived from."""
    binds: dict[str, Bound] = field(default_factory=dict)
    deletes: dict[str, int] = field(default_factory=dict)
    changes: dict[tuple[str, str], int] = field(default_factory=dict)
    """Names that may be changed in place at once, and how: see ASSIGNED."""
    later: dict[str, Later] = field(default_factory=dict)
    """What functions do, by the names that they were bound to; methods by the names of their classes."""
    making: dict[str, Later] = field(default_factory=dict)
    """What making an instance of a class does, by the class."""
    aliases: set[tuple[str, str]] = field(default_factory=set)
    """A name that is bound, and one whose value, result or base is part of it."""
    twins: set[tuple[str, str]] = field(default_factory=set)
    """A name that is bound, and one that is the same object or shares its content."""
    calls: list[Call] = field(default_factory=list)
    methods: dict[str, set[str]] = field(default_factory=dict)
    """Methods of its classes, and how each changes its own instance."""
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    """Modules that are imported, as they are written."""
    stars: list[str] = field(default_factory=list)
    """Modules of which everything is imported."""
    shells: list[int] = field(default_factory=list)
    """Lines with a command for the shell (`!ls`)."""
    magics: list[tuple[str, str]] = field(default_factory=list)
    """Line magics, and what follows them."""
    texts: set[str] = field(default_factory=set)
    """Short strings in it."""
    files: set[str] = field(default_factory=set)
    """Of these, names of files that it writes."""

    @property
    def reads(self) -> dict[str, int]:
        """All that is read at once, in whatever way."""
        return {**self.deletes, **self.mentions, **self.called, **self.loads}


def read_statement(node: ast.stmt, future_annotations: bool = False, bound: Iterable[str] = ()) -> Statement:
    """Read one statement of the top level; `bound` are names that are known to be bound before it.

    Raises RecursionError for a statement that is nested too deeply.
    """
    reader = _Reader(node, future_annotations, set(bound))
    reader.visit(node)
    return reader.found


def root(node: ast.expr) -> str | None:
    """Return the name at the root of `name.a[0].b().c`; None if there is none."""
    while True:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return None


def parameters(node: _Function) -> list[str]:
    """Return the names of a function's parameters that can be given by position, then the others."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [argument.arg for argument in every]


@dataclass(frozen=True)
class Treatment:
    """Effects of a function on what it is given: pairs of a parameter and how it is changed; calls it is handed to."""

    parameters: tuple[str, ...]
    changes: frozenset[tuple[str, str]]
    calls: tuple[Call, ...]


def treatment(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Treatment:
    """Read what a function does to its parameters, under whatever local names; not once a name is bound anew."""
    origin = {name: name for name in parameters(node)}
    changes: set[tuple[str, str]] = set()
    calls: list[Call] = []
    for part in node.body:
        found = read_statement(part)
        changes |= {(origin[name], how) for name, how in found.changes if name in origin}
        if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name):
            continue  # `n -= 1` is mostly a number, which is nobody else's
        for call in found.calls:
            positional = tuple(origin.get(name or "") for name in call.positional)
            keywords = tuple((keyword, origin.get(name or "")) for keyword, name in call.keywords)
            if any(positional) or any(name for _, name in keywords):
                calls.append(Call(call.function, positional, keywords, call.alone))
        shared = {name: origin[other] for name, other in found.twins if other in origin}
        for name, bound in found.binds.items():
            if bound.certain and name not in shared:
                origin.pop(name, None)
        origin |= shared
    return Treatment(tuple(parameters(node)), frozenset(changes), tuple(calls))


class _Scope:
    """The own names of a function, a class or a comprehension."""

    def __init__(self, kind: str, names: set[str], outer: "_Scope | None", globals_: set[str]) -> None:
        self.kind = kind
        self.names = names
        self.outer = outer
        self.globals = globals_

    def is_global(self, name: str) -> bool:
        """Return whether a name means the notebook's here."""
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
        self.before = frozenset(certain)
        self.certain = certain
        """Names that are bound for certain where the walk is."""
        self.scope: _Scope | None = None
        self.later: Later | None = None
        """The function whose body is read; None where things happen at once."""
        self.owners: tuple[str, ...] = ()
        """Names that get what is made here."""
        self.handed = False
        """Whether a name that is read here is only handed on to the owners."""

    # Names

    def _is_global(self, name: str) -> bool:
        return self.scope is None or self.scope.is_global(name)

    def _load(self, name: str, node: ast.AST, called: bool = False) -> None:
        if not self._is_global(name):
            return
        if self.later is not None:
            self.later.loads.add(name)
            return
        if self.handed and not called and (name not in self.certain or name in self.before):
            self.found.aliases |= {(owner, name) for owner in self.owners}
        if name not in self.certain:
            line = getattr(node, "lineno", self.found.line)
            if called:
                self.found.called.setdefault(name, line)
            elif self.handed and self.owners:
                self.found.mentions.setdefault(name, line)
            else:
                self.found.loads.setdefault(name, line)

    def _bind(self, name: str, node: ast.AST, kind: str = "value", module: str = "") -> None:
        if not self._is_global(name):
            return
        if self.scope is not None and self.scope.kind == "class" and name not in self.scope.globals:
            self.scope.names.add(name)
            return
        if self.later is not None:
            self.later.binds.add(name)
            return
        self.found.binds.setdefault(name, Bound(getattr(node, "lineno", self.found.line), False, kind, module))
        self.certain.add(name)

    def _change(self, name: str | None, node: ast.AST, how: str) -> None:
        if name is None or not self._is_global(name):
            return
        if self.later is not None:
            self.later.changes.add((name, how))
        else:
            self.found.changes.setdefault((name, how), getattr(node, "lineno", self.found.line))

    def visit(self, node: ast.AST) -> None:
        """Visit a node; after the statement itself, say which names it has bound for certain."""
        super().visit(node)
        if node is self.found.node:
            for name, bound in self.found.binds.items():
                bound.certain = name in self.certain

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._load(node.id, node)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id, node)
        elif self._is_global(node.id):
            if self.later is not None:
                self.later.binds.add(node.id)
            elif node.id in self.certain and node.id in self.found.binds:
                del self.found.binds[node.id]
                self.certain.discard(node.id)
            else:
                self.found.deletes.setdefault(node.id, node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._use(node.value)
        if not isinstance(node.ctx, ast.Load):
            self._change(root(node), node, ASSIGNED)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._use(node.value, node.slice)
        if not isinstance(node.ctx, ast.Load):
            self._change(root(node), node, ASSIGNED)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) <= _MAX_TEXT:
            self.found.texts.add(node.value)

    # Expressions

    @contextmanager
    def _used(self) -> Iterator[None]:
        """Treat what is read in here as used, not only handed on."""
        saved = self.handed, self.owners
        self.handed, self.owners = False, ()
        yield
        self.handed, self.owners = saved

    def _use(self, *nodes: ast.AST | None) -> None:
        with self._used():
            self._visit_all(nodes)

    def generic_visit(self, node: ast.AST) -> None:
        """Visit what a node is made of; names below an operator are used."""
        handing = ast.List | ast.Tuple | ast.Set | ast.Dict | ast.Starred
        if isinstance(node, handing) or not isinstance(node, ast.expr):
            super().generic_visit(node)
            return
        with self._used():
            super().generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._use(node.test)
        self._visit_all([node.body, node.orelse])

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments: list[ast.expr] = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Name):
            if self.handed and self.later is None and self._is_global(name):
                self.found.aliases |= {(owner, name) for owner in self.owners}
            self._load(name, node.func, called=True)
        else:
            self._use(node.func)
        if name in KEEPERS and self.owners:
            saved, self.handed = self.handed, True
            self._visit_all(arguments)
            self.handed = saved
        else:
            self._use(*arguments)
        self._note_call(node, name)

    def _note_call(self, node: ast.Call, name: str) -> None:
        first = node.args[0] if node.args else None
        if name in FIRST_ARGUMENT and first is not None:
            self._change(root(first), node, ASSIGNED)
        for keyword in node.keywords:
            if keyword.arg in ("out", "file"):
                self._change(root(keyword.value), node, ASSIGNED)
        mode = node.args[1] if len(node.args) > 1 else None
        writes = name == "open" and isinstance(mode, ast.Constant) and str(mode.value)[:1] in ("w", "a", "x")
        if name in WRITERS or writes:
            self.found.files |= set(_file_names(node))
        if isinstance(node.func, ast.Attribute):
            self._note_method(node, node.func, name)
        elif name and self.later is None:
            self.found.calls.append(
                Call(
                    name,
                    tuple(getattr(argument, "id", None) for argument in node.args),
                    tuple((keyword.arg, getattr(keyword.value, "id", None)) for keyword in node.keywords),
                    isinstance(self.found.node, ast.Expr) and self.found.node.value is node,
                )
            )

    def _note_method(self, node: ast.Call, function: ast.Attribute, name: str) -> None:
        receiver = root(function.value)
        if receiver == "get_ipython" and self.later is None:
            words = [str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)]
            if name in ("system", "getoutput"):
                self.found.shells.append(node.lineno)
            elif name == "run_line_magic" and len(words) == 2:
                self.found.magics.append((words[0], words[1]))
                if words[0] in _READ_LINE_MAGICS:
                    self._line_magic(words[1], node.lineno)
        else:
            in_place = any(
                keyword.arg == "inplace" and getattr(keyword.value, "value", True) for keyword in node.keywords
            )
            self._change(receiver, node, ASSIGNED if in_place else name)

    def _line_magic(self, code: str, line: int) -> None:
        """Read the code in `%time total = f(3)`, after options."""
        words = code.strip().split(" ")
        while words:
            try:
                inner = ast.parse(" ".join(words)).body
            except SyntaxError:
                if not words[0].startswith("-") and not words[0].isdigit():
                    return
                words = words[1:]
                continue
            for statement in inner:
                self.visit(ast.increment_lineno(statement, line - 1))
            return

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
                self._visit_all([generator.target, *generator.ifs])
            self._visit_all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
            self.scope = outer

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815

    # Functions and classes

    def _function(self, node: _Function, owners: tuple[str, ...]) -> Later | None:
        """Read a function's defaults at once and its body later: at once, too, if no name holds it."""
        self._use(*node.args.defaults, *node.args.kw_defaults)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        names, globals_ = _own_names(body)
        saved = self.scope, self.later, self.handed, self.owners
        self.scope = _Scope("function", names | set(parameters(node)), self.scope, globals_)
        if self.later is None and owners:
            self.later = Later()
        later = self.later
        self.handed, self.owners = False, ()
        certain = set(self.certain)
        self._visit_all(body)
        self.certain = certain
        self.scope, self.later, self.handed, self.owners = saved
        if saved[1] is not None or later is None:
            return None
        for owner in owners:
            self.found.later.setdefault(owner, Later()).add(later)
        return later

    def _class_owners(self) -> tuple[str, ...]:
        """Return the class at the top level whose body is read."""
        return self.owners if self.scope is not None and self.scope.kind == "class" else ()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._use(*node.decorator_list)
        if not self.future_annotations:
            arguments = [part for part in ast.walk(node.args) if isinstance(part, ast.arg)]
            self._use(*(argument.annotation for argument in arguments), node.returns)
        classes = self._class_owners()
        self._function(node, classes or (node.name,))
        if self.later is None and self.scope is None:
            self.found.functions[node.name] = node
        self._bind(node.name, node, "function")

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        owners = self._class_owners() or (node.name,)
        self._use(*node.decorator_list, *(keyword.value for keyword in node.keywords))
        saved = self.scope, self.owners, self.handed
        if self.later is None:
            self.owners, self.handed = owners, True
        self._visit_all(node.bases)
        self.scope = _Scope("class", set(), self.scope, _own_names(node.body)[1])
        self.owners, self.handed = owners, False
        certain = set(self.certain)
        self._visit_all(node.body)
        self.certain = certain
        self.scope, self.owners, self.handed = saved
        if self.later is None:
            self._note_class(node, owners)
        self._bind(node.name, node, "class")

    def _note_class(self, node: ast.ClassDef, owners: tuple[str, ...]) -> None:
        """Note what its methods do to their instance, and what making an instance does."""
        own = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)}
        made = [name for name in own if name in _MAKING]
        for name, method in own.items():
            instance = next(iter(parameters(method)), "")
            hows = {how for changed, how in treatment(method).changes if changed == instance}
            self.found.methods.setdefault(name, set()).update(hows)
        seen: set[str] = set()
        while made:
            name = made.pop()
            if name in seen:
                continue
            seen.add(name)
            reader = _Reader(own[name], True, set())
            reader.visit(own[name])
            for owner in owners:
                self.found.making.setdefault(owner, Later()).add(reader.found.later.get(name, Later()))
            instance = next(iter(parameters(own[name])), "")
            made += [
                part.attr
                for part in ast.walk(own[name])
                if isinstance(part, ast.Attribute) and root(part.value) == instance and part.attr in own
            ]

    # Assignments

    def _assign(self, targets: list[ast.expr], value: ast.expr) -> None:
        saved = self.owners, self.handed
        names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        if self.later is None:
            if not self._class_owners():
                self.owners = tuple(names)
            self.handed = True
            if self.scope is None:
                self._note_twins([name for name in names if name != root(value)], targets, value)
        self.visit(value)
        self.owners, self.handed = saved
        self._visit_all(targets)

    def _note_twins(self, names: list[str], targets: list[ast.expr], value: ast.expr) -> None:
        """Note names that share an object: `b = a`, views of arrays, the parts of a figure."""
        whole = all(isinstance(target, ast.Name) for target in targets)
        shares = isinstance(value, ast.Name) or (isinstance(value, ast.Subscript) and _is_slice(value.slice))
        shares = shares or (isinstance(value, ast.Attribute) and value.attr in ("T", "axes", "figure"))
        called = value.func if isinstance(value, ast.Call) else None
        function = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        other = root(value) if whole and (shares or function in ("add_subplot", "gca", "twinx", "twiny")) else None
        if other is not None:
            self.found.twins |= {(name, other) for name in names}
        elif function == "subplots":
            self.found.twins |= {(name, names[0]) for name in names[1:]}

    def visit_Assign(self, node: ast.Assign) -> None:
        self._assign(node.targets, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not self.future_annotations and (self.scope is None or self.scope.kind != "function"):
            self._use(node.annotation)
        if node.value is not None:
            self._assign([node.target], node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._use(node.value)
        if isinstance(node.target, ast.Name):
            self._load(node.target.id, node.target)
        self.visit(node.target)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        self._bind(node.name.id, node)  # type: ignore[attr-defined]

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = "." * getattr(node, "level", 0) + (getattr(node, "module", "") or "")
        for alias in node.names:
            if self.later is None:
                self.found.imports.add(module or alias.name)
            if alias.name == "*":
                if self.later is None:
                    self.found.stars.append(module)
                continue
            name = alias.asname or alias.name.partition(".")[0]
            if isinstance(node, ast.ImportFrom):
                origin = f"{module}.{alias.name}"
            else:
                origin = alias.name if alias.asname else name
            self._bind(name, node, "member" if isinstance(node, ast.ImportFrom) else "module", origin)

    visit_Import = visit_ImportFrom = _import  # noqa: N815

    # Compound statements

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        before = set(self.certain)
        ends = []
        for branch in (node.body, node.orelse):
            self.certain = set(before)
            self._visit_all(branch)
            if not (branch and isinstance(branch[-1], ast.Raise | ast.Continue | ast.Break | ast.Return)):
                ends.append(self.certain)
        self.certain = set.intersection(*ends) if ends else before

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        # A loop is taken to run at least once: what it binds is bound afterwards.
        self._visit_all([node.iter, node.target, *node.body, *node.orelse])

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_Try(self, node: ast.Try) -> None:
        before = set(self.certain)
        self._visit_all(node.body)
        done = self.certain
        ends = []
        for handler in node.handlers:
            self.certain = set(before)
            self._visit_all([handler.type])
            if handler.name:
                self.certain.add(handler.name)
            self._visit_all(handler.body)
            self.certain -= {handler.name} if handler.name and handler.name not in before else set()
            if not (handler.body and isinstance(handler.body[-1], ast.Raise | ast.Continue | ast.Break | ast.Return)):
                ends.append(self.certain)
        self.certain = done
        self._visit_all(node.orelse)
        self.certain = set.intersection(self.certain, *ends)
        self._visit_all(node.finalbody)

    visit_TryStar = visit_Try  # type: ignore[assignment]  # noqa: N815

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self.certain)
        ends = []
        for case in node.cases:
            self.certain = set(before)
            self._visit_all([case.pattern, case.guard, *case.body])
            ends.append(self.certain)
        last = node.cases[-1]
        whole = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        self.certain = set.intersection(*ends) if whole else before

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self._visit_all([getattr(node, "pattern", None)])
        if node.name:
            self._bind(node.name, node)

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self._bind(node.rest, node)


def _file_names(node: ast.AST) -> Iterator[str]:
    """Return the texts in a call that look like names of files."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and "." in part.value:
            yield part.value


def _is_slice(node: ast.expr) -> bool:
    """Return whether an index takes a part of the whole: `a[1:]`, `a[:, 0]`."""
    return isinstance(node, ast.Slice) or (isinstance(node, ast.Tuple) and any(map(_is_slice, node.elts)))


def _own_names(body: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """Return the names that a function's body binds, and those it says are global; nested functions have their own."""
    names: set[str] = set()
    globals_: set[str] = set()
    outer: set[str] = set()

    def walk(node: ast.AST, inside: bool) -> None:
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
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and not inside:
            names.add(node.id)
        elif isinstance(node, ast.alias) and node.name != "*":
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
        for child in ast.iter_child_nodes(node):
            walk(child, inside or isinstance(node, ast.comprehension))

    for part in body:
        walk(part, False)
    return names - globals_ - outer, globals_
