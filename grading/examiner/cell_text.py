"""The text of a code cell: as plain Python, with every line where it was, and without the statements left out."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

READ_MAGICS = ("time", "capture", "timeit", "prun")
"""Cell magics whose body is Python that runs in the notebook."""
_MAGIC = re.compile(r"%%(\w+)[ \t]*(.*)")
_ESCAPED = re.compile(r"\s*(?:\w+\s*=\s*)?[%!]")


@dataclass(frozen=True)
class CellText:
    """A cell as it can be read: `lines` are those of the cell, in plain Python."""

    lines: tuple[str, ...]
    body: tuple[ast.stmt, ...] = ()
    magic: str = ""
    """The cell's magic (`%%time`), without the percent signs."""
    arguments: str = ""
    problem: str = ""
    """Why it cannot be read."""

    @property
    def captures(self) -> str:
        """The name that gets the cell's output (`%%capture name`)."""
        name = next((word for word in self.arguments.split() if word.isidentifier()), "")
        return name if self.magic == "capture" else ""

    @property
    def source(self) -> str:
        """All of it."""
        return "\n".join(self.lines)


def read_cell(source: str) -> CellText:
    """Read a cell as IPython does; the line numbers of statements are those of the cell."""
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    match = _MAGIC.match(lines[first])
    if match:
        body = "\n" * (first + 1) + "\n".join(lines[first + 1 :])
        if match[1] not in READ_MAGICS:
            return CellText(tuple(lines), magic=match[1], arguments=match[2].strip())
        inner = _parsed(body)
        return CellText(inner.lines, inner.body, match[1], match[2].strip(), inner.problem)
    return _parsed(source)


def without(text: CellText, skipped: Sequence[ast.stmt]) -> str:
    """Return the cell without some of its statements, every other on its own line still; empty if none is left."""
    kept = [statement for statement in text.body if statement not in skipped]
    if not kept:
        return ""
    if not skipped:
        return text.source
    blank = {number for statement in skipped for number in _span(statement)}
    lines = ["" if number in blank else line for number, line in enumerate(text.lines, start=1)]
    for statement in kept:  # those that share a line with one that is left out
        if blank.intersection(_span(statement)):
            parts = (ast.get_source_segment(text.source, statement) or "").split("\n")
            for number, part in zip(_span(statement), parts, strict=True):
                if number in blank:
                    before = lines[number - 1]
                    lines[number - 1] = f"{before}; {part}" if before else part
    return "\n".join(lines).rstrip("\n") + "\n"


def _span(statement: ast.stmt) -> range:
    return range(first_line(statement), last_line(statement) + 1)


def first_line(statement: ast.stmt) -> int:
    """Return the first line of a statement, that of its first decorator if it has one."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def last_line(statement: ast.stmt) -> int:
    """Return the last line of a statement."""
    return statement.end_lineno or statement.lineno


def _parsed(source: str) -> CellText:
    plain = _transformed(source)
    try:
        return CellText(tuple(plain.split("\n")), tuple(ast.parse(plain).body))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return CellText(tuple(source.split("\n")), problem=f"{getattr(error, 'msg', '') or 'too deeply nested'}{where}")


def _transformed(source: str) -> str:
    """Return a cell as plain Python of as many lines; as it is if IPython cannot make that of it."""
    stripped = source.lstrip("\n \t") if not source.strip() else source
    lines = stripped.split("\n")
    above = next((number for number, line in enumerate(lines) if line.strip()), 0)
    for candidate in (lines[above:], _unwrapped(lines[above:])):
        try:
            # A manager has a state (the last cell's), so each cell gets its own.
            transformed = TransformerManager().transform_cell("\n".join(candidate))
        except (SyntaxError, ValueError, RecursionError):
            return source
        found = transformed.rstrip("\n").split("\n")
        if len(found) == len("\n".join(candidate).rstrip("\n").split("\n")):
            return "\n".join([""] * above + found)
    return source


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """Put magics that go on after a backslash on one line, with blank lines in place of the others."""
    result: list[str] = []
    owed = 0
    for line in lines:
        if owed and result:
            at = len(result) - owed
            result[at] = result[at].rstrip()[:-1] + " " + line.strip()
            result.append("")
            owed = owed + 1 if result[at].rstrip().endswith("\\") else 0
            continue
        result.append(line)
        owed = 1 if _ESCAPED.match(line) and line.rstrip().endswith("\\") else 0
    return result
