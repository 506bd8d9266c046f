"""The figures of the house, and what they must be."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[2]
CHECKED = ("grading", "helpers")


@pytest.fixture(scope="module")
def house() -> ModuleType:
    return load_script(ROOT / "tools" / "house.py")


def test_each_figure_is_counted_by_room(house: ModuleType, tmp_path: Path) -> None:
    room = tmp_path / "grading" / "room"
    room.mkdir(parents=True)
    body = "\n".join("    pass" for _ in range(house.LONG))
    (tmp_path / "grading" / "errors.py").write_text('"""Errors."""\n')
    (room / "one.py").write_text(
        f'"""One."""\n\ndef long():\n{body}\n\ndef short():\n    """Say."""\n    import json\n'
    )
    (room / "two.py").write_text("class _Hidden:\n    def method(self):\n        pass\n")
    top, inner = house.rooms(tmp_path)
    assert (top.name, top.modules, top.lines) == ("grading", 1, 1)
    assert (inner.name, inner.modules, inner.functions, inner.late) == ("grading/room", 2, 3, 1)
    assert inner.long == [f"grading/room/one.py: long ({house.LONG + 1})"]
    assert (inner.public, inner.documented) == (4, 2)  # two modules, long and short; one module and short say what
    assert dict(inner.private) == {"_Hidden": 1}
    assert "| grading/room | 2 " in house.report(tmp_path)


def test_a_hand_in_is_read_and_rebuilt_once(house: ModuleType, bubblewrap: None) -> None:
    assert house.readings(ROOT) == "readings of a hand-in, of 3 new ones: read_hand_in 1, rebuild 1"


def late_imports() -> Iterator[tuple[Path, int, str]]:
    """Yield each import inside a function, unless a remark on the line, above it, or atop the module says why."""
    for path in sorted(path for folder in CHECKED for path in (ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree, lines = ast.parse(text), text.splitlines()
        if re.search(r"slow to load|loaded late", ast.get_docstring(tree) or ""):
            continue
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                numbers = [item.lineno for item in ast.walk(function) if isinstance(item, ast.Import | ast.ImportFrom)]
                if numbers and "#" not in lines[min(numbers) - 1] + lines[min(numbers) - 2]:
                    yield path.relative_to(ROOT), min(numbers), lines[min(numbers) - 1].strip()


def test_an_import_inside_a_function_says_why() -> None:
    assert list(late_imports()) == []


def test_no_test_but_those_of_the_benchmarks_imports_a_benchmark() -> None:
    benchmarks = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert path.parent.name == "benchmarks" or not imported & benchmarks, path
