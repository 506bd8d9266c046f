"""What docstrings and docs name is there: a module, a class or a function that has moved is found here."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"`((?:grading|helpers)(?:\.\w+)+)[`(]")
FILE = re.compile(r"`((?:grading|helpers|tests|tools|benchmarks|docs|source)/[\w./-]+\.(?:py|md|json|toml|sh))`")


@pytest.fixture(scope="module")
def texts() -> list[tuple[Path, str]]:
    return list(all_texts())


def all_texts() -> Iterator[tuple[Path, str]]:
    """Yield docstrings and the strings below attributes, which stand for docstrings, and the pages of docs/."""
    for path in sorted(path for room in ("grading", "helpers", "tests") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield path.relative_to(ROOT), node.value.value
    for path in sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"]):
        yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def is_there(name: str) -> bool:
    """Return whether a dotted name leads to a module, or to something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if part in getattr(found, "__annotations__", {}):  # a field of a data class
                return True
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_names_in_docstrings_and_docs_lead_somewhere(texts: list[tuple[Path, str]]) -> None:
    named = {(path, name) for path, text in texts for name in NAME.findall(text)}
    assert len(named) > 20
    assert {(str(path), name) for path, name in named if not is_there(name)} == set()


def test_files_named_in_docstrings_and_docs_are_there(texts: list[tuple[Path, str]]) -> None:
    named = {(path, name) for path, text in texts for name in FILE.findall(text)}
    assert len(named) > 20
    assert {(str(path), name) for path, name in named if not (ROOT / name).exists()} == set()
