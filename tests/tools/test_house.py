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


@pytest.mark.slow
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


def rooms_of_grading() -> dict[str, str]:
    """Docstrings of the rooms, by name; a room is a folder with modules."""
    paths = (ROOT / "grading").glob("*/__init__.py")
    return {path.parent.name: ast.get_docstring(ast.parse(path.read_text())) or "" for path in sorted(paths)}


def imports_between_rooms() -> Iterator[tuple[str, str, str]]:
    """Yield (who imports, from which room, which module), by rooms."""
    for path in sorted((ROOT / "grading").rglob("*.py")):
        parts = path.relative_to(ROOT / "grading").parts
        own = parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("grading."):
                names = [*(node.module or "").split(".")[1:], *(name.name for name in node.names)]
                if names[0] != own and "inside" not in parts:
                    yield own, names[0], names[1]


def test_each_room_says_what_comes_in_what_goes_out_and_who_may_call() -> None:
    for room, said in rooms_of_grading().items():
        assert re.search(r"^In: .+\nOut: .+\nCalled by ", said, re.MULTILINE | re.DOTALL), room


def test_nobody_calls_a_room_but_those_it_names() -> None:
    said = rooms_of_grading()
    for caller, room, _ in set(imports_between_rooms()):
        if room in said and "Called by all" not in said[room] and "every room" not in said[room]:
            allowed = said[room].partition("Called by ")[2].replace("nbgrader's plug-ins", "`nbgrader_plugins`")
            assert f"`{caller}`" in allowed, f"{caller} imports {room}, which does not name it"


def test_each_room_lists_the_modules_that_others_import() -> None:
    listed = {}
    for room in rooms_of_grading():
        text = (ROOT / "grading" / room / "__init__.py").read_text(encoding="utf-8")
        listed[room] = set(re.findall(r'"(\w+)"', text.partition("__all__")[2]))
    for caller, room, module in sorted(set(imports_between_rooms())):
        if (ROOT / "grading" / room / f"{module}.py").is_file():
            assert module in listed[room], f"{caller} imports {room}.{module}, which {room}/__init__.py does not list"
