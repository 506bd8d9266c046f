"""The "Did you mean" of Python: the name that is nearest to one that is not there. Nothing is evaluated for it.

Python says it where it prints a traceback itself, and Jupyter does not. Names are read from the notebook's own source;
of a few well-known modules, and of Python's own types, the attributes are looked up.
"""

import ast
import builtins
import difflib
import keyword
import re
from collections.abc import Collection, Iterable
from importlib import import_module

_NAME = re.compile(r"name '(\w{1,80})' is not defined")
_ATTRIBUTE = re.compile(
    r"(?:module '([\w.]{1,80})'|type object '([\w.]{1,80})'|'([\w.]{1,80})' object) has no attribute '(\w{1,80})'"
)
_IMPORT = re.compile(r"cannot import name '(\w{1,80})' from '([\w.]{1,80})'")
_NEAR = 0.7
_KNOWN = ("collections", "functools", "itertools", "math", "matplotlib.pyplot", "numpy", "random", "statistics")
"""Modules whose names may be told: they are the same here and there."""


def meant(said: str, sources: Iterable[str]) -> str:
    """Return the name that was meant by one that is not there; empty if none is near.

    `said` is `<name of the exception>: <message>`, `sources` the code of the notebook's cells.
    """
    if match := _NAME.search(said):
        return nearest(match[1], {*_names_in(sources), *dir(builtins), *keyword.kwlist})
    if match := _ATTRIBUTE.search(said):
        module, kind, instance, wrong = match.groups()
        return nearest(wrong, _attributes(module or "", kind or instance or "") | _attributes_in(sources))
    if match := _IMPORT.search(said):
        return nearest(match[1], _attributes(match[2], "") | set(_names_in(sources)))
    return ""


def nearest(wrong: str, known: Collection[str]) -> str:
    """Return the name that looks most like a wrong one: only capitals differ, or a few letters."""
    others = sorted(set(known) - {wrong})
    folded = [name for name in others if name.casefold() == wrong.casefold()]
    public = [name for name in others if wrong.startswith("_") or not name.startswith("_")]
    near = folded or difflib.get_close_matches(wrong, public, n=1, cutoff=_NEAR)
    return near[0] if near and len(wrong) > 1 else ""


def _trees(sources: Iterable[str]) -> Iterable[ast.AST]:
    for source in sources:
        lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
        try:
            yield ast.parse("\n".join(lines))
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # a student's cell may be anything
            continue


def _names_in(sources: Iterable[str]) -> set[str]:
    """Return the names that cells make: by assignment, definition, as arguments, or by import."""
    found: set[str] = set()
    for tree in _trees(sources):
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).split(".")[0])
    return found


def _attributes_in(sources: Iterable[str]) -> set[str]:
    return {node.attr for tree in _trees(sources) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _attributes(module: str, kind: str) -> set[str]:
    """Return the attributes of a module that is well known, or of one of Python's own types."""
    if module in _KNOWN:
        return set(dir(import_module(module)))
    own = getattr(builtins, kind, None) if kind else None
    if kind in ("ndarray", "numpy.ndarray"):
        own = import_module("numpy").ndarray
    return set(dir(own)) if isinstance(own, type) else set()
