"""The file of the notebook that runs, and its cells. Nothing in the file is taken to be as it should."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

COLAB_SECONDS = 20
"""How long Colab's page may take to send the notebook; it is slow with many pictures."""


class NotebookError(ValueError):
    """There is no notebook to look at; the message says why, and what to do."""


@dataclass(frozen=True)
class Cell:
    """The parts of a cell that matter to the last look."""

    number: int
    """From 1."""
    kind: str
    source: str
    grade_id: str = ""
    ids: tuple[str, ...] = ()
    """Its own id, and the one that Colab keeps in the metadata."""
    count: int | None = None
    """When it was run, in its session; None: not run."""
    error: str = ""
    """The error it ended in, in a line."""
    demo: bool = False
    output_bytes: int = 0

    @property
    def name(self) -> str:
        """The name for people: the grade id, or else the first line."""
        first = next((line.strip() for line in self.source.splitlines() if line.strip()), "empty")
        return f"cell {self.number} ({self.grade_id or _shortened(first, 50)})"


@dataclass(frozen=True)
class Notebook:
    """A notebook as it was found."""

    name: str
    live: bool
    """As the page has it now (Colab), and not as a file."""
    cells: tuple[Cell, ...]
    broken: tuple[int, ...] = field(default=())
    """Numbers of the cells that are none."""
    content: bytes = field(default=b"", repr=False)
    """The file."""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)


def find_notebook(expected: Sequence[str] = (), path: str | Path | None = None) -> Notebook:
    """Read the notebook at `path`; without one, the one that runs.

    On Colab that is asked for. Elsewhere VS Code and Jupyter Server name it; where neither does, or the file has
    another name by now, it is the newest in the working directory that has one of the `expected` cells.

    Raises:
        NotebookError: there is none, or it cannot be read.
    """
    if path is not None:
        return _read_file(Path(path))
    live = _from_colab()
    if live is not None:
        return live
    for named in (_in_main("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME", "")):
        if named.endswith(".ipynb") and (file := _existing_file(named)):
            return _read_file(file)
    for file in _newest_first(Path.cwd()):
        try:
            notebook = _read_file(file)
        except NotebookError:
            continue
        if not expected or any(cells_called(name, notebook.cells) for name in expected):
            return notebook
    raise NotebookError(
        f"The file of this notebook was not found in {Path.cwd()}. Save the notebook, and say where it is: "
        'helpers.ready_to_submit([...], path="my_notebook.ipynb").'
    )


def cells_called(name: str, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells with a grade id; without any, those with that cell id; or else those defining that function."""
    return (
        [cell for cell in cells if cell.grade_id == name]
        or [cell for cell in cells if name in cell.ids]
        or [cell for cell in cells if cell.kind == "code" and f"def {name}(" in cell.source]
    )


def plain(source: str) -> str:
    """Return a source without indentation of the whole and blanks at its ends: IPython and editors do not keep them."""
    return dedent("\n".join(line.rstrip() for line in source.splitlines()).strip("\n"))


def session() -> dict[int, str]:
    """Return the sources that were run in this session, plain, by their execution count; empty outside IPython."""
    history = getattr(sys.modules.get("__main__"), "_ih", None)
    if not isinstance(history, list):
        return {}
    return {count: plain(item) for count, item in enumerate(history) if isinstance(item, str) and item.strip()}


def _from_colab() -> Notebook | None:
    if "google.colab" not in sys.modules:
        return None
    try:
        from google.colab import _message  # there is none elsewhere

        answer = _message.blocking_request("get_ipynb", request="", timeout_sec=COLAB_SECONDS)
        content = answer["ipynb"]
        raw = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        return _notebook_from_json(content, "this notebook", raw, live=True)
    except Exception as error:  # not a public interface: anything may have changed
        raise NotebookError(
            f"Colab did not send the notebook ({type(error).__name__}). Run this cell again; if it stays so, look "
            "through the notebook yourself, save it (Ctrl+S), download it and hand it in."
        ) from error


def _in_main(name: str) -> str:
    value = getattr(sys.modules.get("__main__"), name, "")
    return value if isinstance(value, str) else ""


def _existing_file(named: str) -> Path | None:
    """Return the file, if it exists; servers that hide their folders give a path that only ends like the true one."""
    return next((file for file in (Path(named), Path.cwd() / Path(named).name) if _is_file(file)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long a name; a NUL in it
        return False


def _newest_first(folder: Path) -> list[Path]:
    files = [file for file in folder.glob("*.ipynb") if _is_file(file) and not file.name.startswith(".")]
    return sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)


def _read_file(path: Path) -> Notebook:
    if not _is_file(path):
        raise NotebookError(f"There is no file {path}. Save the notebook, and look how it is called.")
    try:
        raw = path.read_bytes()
        content = json.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise NotebookError(f"{path.name} cannot be read: {error}. Save it in another place.") from error
    except (ValueError, RecursionError) as error:
        raise NotebookError(
            f"{path.name} is not a notebook, or was cut off when it was written ({_shortened(str(error), 80)}). "
            "Save or download it again."
        ) from error
    return _notebook_from_json(content, path.name, raw, live=False)


def _notebook_from_json(content: Any, name: str, raw: bytes, live: bool) -> Notebook:
    listed = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(listed, list) or content.get("nbformat") != 4:
        raise NotebookError(
            f"{name} is not a notebook of format 4: it has no list of cells, or another format. Open it in Jupyter or "
            "Colab and save it again."
        )
    cells = [_cell(number, item) for number, item in enumerate(listed, 1)]
    return Notebook(
        name=name,
        live=live,
        cells=tuple(cell for cell in cells if cell is not None),
        broken=tuple(number for number, cell in enumerate(cells, 1) if cell is None),
        content=raw,
    )


def _cell(number: int, item: Any) -> Cell | None:
    """Read a cell; return None if it is none."""
    if not isinstance(item, dict) or item.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source = _joined(item.get("source"))
    if source is None:
        return None
    metadata = _mapping(item.get("metadata"))
    tags = metadata.get("tags")
    outputs = item.get("outputs")
    outputs = outputs if isinstance(outputs, list) else []
    count = item.get("execution_count")
    return Cell(
        number=number,
        kind=item["cell_type"],
        source=source,
        grade_id=_printable(_mapping(metadata.get("nbgrader")).get("grade_id")),
        ids=tuple(found for found in (_printable(item.get("id")), _printable(metadata.get("id"))) if found),
        count=count if type(count) is int else None,
        error=next((_error(output) for output in outputs if _mapping(output).get("output_type") == "error"), ""),
        demo=isinstance(tags, list) and "demo" in tags,
        output_bytes=len(json.dumps(outputs, ensure_ascii=False).encode("utf-8", "replace")) if outputs else 0,
    )


def _joined(value: Any) -> str | None:
    """Join a source, which a file holds whole or line by line."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    return _printable(value) if isinstance(value, str) else None


def _error(output: Mapping[str, Any]) -> str:
    lines = _printable(output.get("evalue")).strip().splitlines() or [""]
    return _shortened(f"{_printable(output.get('ename')) or 'an error'}: {lines[0]}".rstrip(": "), 120)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _printable(value: Any) -> str:
    """Return a text that can be printed: JSON can hold halves of characters, which cannot."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
