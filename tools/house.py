"""Print figures of the house: modules, lines, long functions, imports inside functions, docstrings, by room.

Called as `python tools/house.py [--readings] [CHECKOUT]`: any checkout of this repository will do, an older one too.
With `--readings` three hand-ins are graded with the checkout's own code, and it is counted how often each is read.
"""

import argparse
import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOTS = ("grading", "helpers")
LONG = 40
"""Lines of a function, from `def` to its end, above which it is counted as long."""
SEVERAL = 3
"""Modules that define a private name of their own before it is counted: one word with so many meanings."""
COUNT_READINGS = Path(__file__).with_name("count_readings.py")


@dataclass(frozen=True)
class Room:
    """Figures of a folder's modules."""

    name: str
    modules: int
    lines: int
    functions: int
    long: Sequence[str]
    """Functions of more than LONG lines, as `module.function (lines)`."""
    late: int
    """Import statements inside functions."""
    public: int
    """Modules, classes and functions without a leading underscore."""
    documented: int
    """How many of these have a docstring."""
    private: Counter[str]
    """Private functions and classes of modules, by name: how many modules define one."""

    def row(self) -> list[str]:
        """Return the table's cells."""
        share = f"{100 * self.documented / self.public:.0f} %" if self.public else "-"
        figures = (self.modules, self.lines, self.functions, len(self.long), self.late)
        return [self.name, *map(str, figures), share]


def rooms(checkout: Path) -> list[Room]:
    """Measure each room of a checkout, in the order of their names."""
    found: dict[str, list[Path]] = {}
    for root in ROOTS:
        for path in sorted((checkout / root).rglob("*.py")):
            found.setdefault(_room(path.relative_to(checkout)), []).append(path)
    return [_measure(name, paths, checkout) for name, paths in sorted(found.items())]


def _room(path: Path) -> str:
    return "/".join(path.parts[:2]) if len(path.parts) > 2 else path.parts[0]


def _measure(name: str, paths: Sequence[Path], checkout: Path) -> Room:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    functions = [(path, item) for path, tree in trees.items() for item in _functions(tree)]
    lengths = {
        f"{path.relative_to(checkout)}: {item.name}": (item.end_lineno or item.lineno) - item.lineno + 1
        for path, item in functions
    }
    public = [item for tree in trees.values() for item in (tree, *_public(tree))]
    return Room(
        name=name,
        modules=len(paths),
        lines=sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths),
        functions=len(functions),
        long=[f"{name} ({lines})" for name, lines in lengths.items() if lines > LONG],
        late=sum(_late_imports(tree) for tree in trees.values()),
        public=len(public),
        documented=sum(1 for item in public if ast.get_docstring(item)),
        private=Counter(name for tree in trees.values() for name in _private(tree)),
    )


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for item in ast.walk(tree):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            yield item


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield what others may call: not what lies in functions, nor in classes with a leading underscore."""
    for item in tree.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not item.name.startswith("_"):
            yield item
            if isinstance(item, ast.ClassDef):
                yield from _public(item)


def _private(tree: ast.Module) -> Iterator[str]:
    for item in tree.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and item.name.startswith("_"):
            yield item.name


def _late_imports(tree: ast.AST) -> int:
    inside = {item for function in _functions(tree) for item in ast.walk(function)}
    return sum(1 for item in inside if isinstance(item, ast.Import | ast.ImportFrom))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows as a Markdown table, the first one as its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]])


def report(checkout: Path) -> str:
    """Return the figures of a checkout, as text."""
    found = rooms(checkout)
    head = ["room", "modules", "lines", "functions", f"over {LONG} lines", "imports inside", "docstrings"]
    private = sum((room.private for room in found), Counter[str]())
    total = Room(
        name="all",
        modules=sum(room.modules for room in found),
        lines=sum(room.lines for room in found),
        functions=sum(room.functions for room in found),
        long=[name for room in found for name in room.long],
        late=sum(room.late for room in found),
        public=sum(room.public for room in found),
        documented=sum(room.documented for room in found),
        private=private,
    )
    often = [f"{name} ({count})" for name, count in private.most_common() if count >= SEVERAL]
    return "\n".join(
        [
            table([head, *(room.row() for room in [*found, total])]),
            f"\nfunctions over {LONG} lines: {'; '.join(total.long) or 'none'}",
            f"private names that {SEVERAL} or more modules define: {', '.join(often) or 'none'}",
        ]
    )


def readings(checkout: Path) -> str:
    """Grade three hand-ins with the checkout's code; return how often each was opened and rebuilt, as a line."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [sys.executable, str(COUNT_READINGS), str(checkout)], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"the hand-ins could not be graded:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, nargs="?", default=Path(__file__).parents[1])
    parser.add_argument("--readings", action="store_true", help="grade three hand-ins and count how often each is read")
    asked = parser.parse_args()
    print(report(asked.checkout.resolve()))
    if asked.readings:
        print(readings(asked.checkout.resolve()))


if __name__ == "__main__":
    main()
