"""The search for anything hidden from students in what they are given.

A line of a solution, of hidden tests or of a mark scheme is compared with every text of the release, white
space apart. Lines too plain to give anything away (`return model`) do not count, nor do the stubs that stand in for
solutions. What a master's cell shows as well is no leak: hidden tests often repeat what the visible ones say. Where the
course says so (`c.NoLeaks.strict`), it has to be shown in the same cell.
"""

import io
import keyword
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from grading.common.notebooks import cell_name
from grading.release.markers import NBGRADERS, Marks, hidden_lines, shown_lines

SHORTEST = 12
COMMENT = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\#.*""")
WORD = re.compile(r"[^\W\d][\w.]*|\d[\w.]*")  # `model.compile` is one name
IMPORT = re.compile(r"(?:import|from)\s")
PLAIN = frozenset(keyword.kwlist) | {"self"}


@dataclass(frozen=True)
class Secret:
    """A hidden line of the master; `cell` names the cell it is from."""

    cell: str
    text: str


@dataclass(frozen=True)
class Text:
    """A text of the release; `place` names it in messages."""

    place: str
    text: str


def secrets(master: NotebookNode, marks: Marks = NBGRADERS) -> list[Secret]:
    """Collect the lines of a master that must not reach students, without the plain ones and what their cell shows."""
    found = []
    for index, cell in enumerate(master.cells):
        shown = _squeeze("\n".join(shown_lines(cell, marks)))
        for line in hidden_lines(cell, marks):
            text = COMMENT.sub(r"\1", line).strip() if cell.cell_type == "code" else line.strip()
            if is_significant(text) and line.strip() not in marks.stubs and _squeeze(text) not in shown:
                found.append(Secret(cell_name(cell, index), text))
    return found


def not_shown(hidden: Iterable[Secret], texts: Iterable[str]) -> list[Secret]:
    """Return the hidden lines that none of these texts shows, which a master means to be read; imports tell nothing."""
    shown = _squeeze("\n".join(texts))
    return [secret for secret in hidden if _squeeze(secret.text) not in shown and not IMPORT.match(secret.text)]


def is_significant(line: str) -> bool:
    """Return whether a line, its comment left out, gives something away: long enough, two names or numbers."""
    return len(line) >= SHORTEST and len(set(WORD.findall(line)) - PLAIN) >= 2


def find_leaks(hidden: Iterable[Secret], texts: Iterable[Text]) -> list[str]:
    """Return a message for each hidden line that shows up in a text."""
    needles = [(_squeeze(secret.text), secret) for secret in hidden]
    messages = {
        f"{text.place} gives away a hidden line of {secret.cell}: {secret.text}"
        for text in texts
        for haystack in [_squeeze(text.text)]
        for needle, secret in needles
        if needle in haystack
    }
    return sorted(messages)


def notebook_texts(notebook: NotebookNode) -> Iterator[Text]:
    """Yield every text of a notebook: sources, metadata, outputs and attachments."""
    yield Text("the notebook's metadata", "\n".join(_strings(notebook.metadata)))
    for index, cell in enumerate(notebook.cells):
        yield Text(cell_name(cell, index), "\n".join(_strings(cell)))


def file_texts(name: str, content: bytes) -> Iterator[Text]:
    """Yield the text of a file, or the texts within a wheel; other binary files have none."""
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from file_texts(f"{name}/{member}", archive.read(member))
    else:
        try:
            yield Text(name, content.decode())
        except UnicodeDecodeError:
            return


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    else:
        yield str(value)


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)
