"""A last look at the notebook before it is handed in: what would make the hand-in worse, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from textwrap import fill

from helpers.data import shorten
from helpers.notebook_file import Cell, Notebook, NotebookError, cells_called, find_notebook, plain, session

SIZE_LIMIT = 10 * 10**6
"""In bytes; learning platforms refuse large files, and a notebook is never so large but for its outputs."""
_NAMED = 4
"""Cells that one sentence names before it only counts them."""
_LARGEST = 3
_WIDTH = 100
_OWN_CALL = re.compile(r"\b(ready_to_submit|hand_in)\(")
"""In the cell that looks, or hands in: it is never saved as it runs."""
_STUB = re.compile(r"^\s*raise NotImplementedError\b|^YOUR ANSWER HERE\s*$", re.MULTILINE)
_MAGIC = re.compile(r"^\s*[%!?]|\?\s*$|=\s*[%!]|get_ipython\(\)", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
_SAVE = "Save the notebook (Ctrl+S, or Cmd+S on a Mac), then run this cell again."
_RUN_ALL = (
    "Run everything once more from top to bottom, as it is done when it is graded: Runtime > Restart session and run "
    "all on Colab, Kernel > Restart Kernel and Run All Cells in Jupyter. Then save."
)


@dataclass(frozen=True)
class Finding:
    """Something that would make the hand-in worse."""

    what: str
    to_do: str


@dataclass(frozen=True)
class Review:
    """Findings of `ready_to_submit`; `str()` of them is what it prints."""

    name: str
    live: bool
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        saved = "Save it (Ctrl+S) before you download it: the download is what was saved." if self.live else ""
        if not self.findings:
            return f"Ready: {self.name} can be handed in.\n{saved}".strip()
        count = "One thing" if len(self.findings) == 1 else f"{len(self.findings)} things"
        lines = [f"{count} to look at before you hand in {self.name or 'the notebook'}:"]
        for number, finding in enumerate(self.findings, 1):
            lines += ["", fill(f"{number}. {finding.what}", _WIDTH, subsequent_indent="   ")]
            if finding.to_do:
                lines.append(fill(f"-> {finding.to_do}", _WIDTH, initial_indent="   ", subsequent_indent="      "))
        return "\n".join(lines + (["", saved] if saved else []))


def ready_to_submit(cells: Sequence[str] = (), path: str | Path | None = None) -> None:
    """Print what would make the hand-in worse, each with what to do about it, or that it is ready; never fails.

    Args:
        cells: grade ids of the cells that must be there.
        path: the notebook's file; without it, the notebook that runs is looked for.
    """
    print(review(cells, path))


def review(cells: Sequence[str] = (), path: str | Path | None = None) -> Review:
    """Return what `ready_to_submit` prints, as data."""
    try:
        notebook = find_notebook(cells, path)
    except NotebookError as error:
        return Review("", False, (Finding(str(error), ""),))
    return Review(notebook.name, notebook.live, tuple(findings(notebook, cells, session())))


def findings(notebook: Notebook, expected: Sequence[str], ran: Mapping[int, str]) -> Iterator[Finding]:
    """List the findings about a notebook.

    Args:
        notebook: as it was found.
        expected: grade ids of the cells that must be there.
        ran: the sources run in this session by execution count; empty if that is not known.
    """
    unsaved = [] if notebook.live else list(_unsaved(notebook, ran))
    yield from unsaved
    yield from _broken(notebook)
    yield from _missing_and_repeated(notebook, expected)
    if not unsaved:  # otherwise the file's state is not what the student sees
        yield from _stubs(notebook, expected)
        yield from _errors(notebook)
        yield from _not_run(notebook)
        yield from _out_of_order(notebook, ran)
    yield from _too_large(notebook)


def _unsaved(notebook: Notebook, ran: Mapping[int, str]) -> Iterator[Finding]:
    """Find cells run in this session after the file was written, or in another version than the file has.

    Whoever saves a notebook saves the execution counts: the last one of this session that the file has says when
    that was.
    """
    code = [cell for cell in notebook.cells if cell.kind == "code"]
    there = {plain(cell.source) for cell in code}
    saved = max((cell.count for cell in code if cell.count and _same_source(ran.get(cell.count), cell)), default=0)
    own = {count: source for count, source in ran.items() if not _OWN_CALL.search(source)}
    since = {count: source for count, source in own.items() if count > saved}
    absent = [source for source in since.values() if source not in there and not _MAGIC.search(source)]
    if since:
        number = "a cell" if len(since) == 1 else f"{len(since)} cells"
        lost = f" The file does not have what you ran in {_named([_first(s) for s in absent])}." if absent else ""
        yield Finding(f"You have run {number} since {notebook.name} was saved.{lost}", _SAVE)
    for cell in code:
        source = own.get(cell.count or 0, "")
        if source and source not in there and source not in absent and _resemble(source, plain(cell.source)):
            yield Finding(
                f"In {notebook.name}, {cell.name} is not what you ran as [{cell.count}].",
                f"If you have changed it since, run it again, and what comes after it. {_SAVE}",
            )


def _broken(notebook: Notebook) -> Iterator[Finding]:
    if notebook.broken:
        numbers = _named([str(number) for number in notebook.broken])
        yield Finding(
            f"{_counted(notebook.broken, 'cell')} of the file cannot be read: number {numbers}.",
            "Delete them, or copy your code into a fresh copy of the notebook, and save it.",
        )


def _missing_and_repeated(notebook: Notebook, expected: Sequence[str]) -> Iterator[Finding]:
    found = {name: cells_called(name, notebook.cells) for name in expected}
    missing = [name for name, cells in found.items() if not cells]
    if missing:
        yield Finding(
            f"{_counted(missing, 'cell')} of the course cannot be found: {_named(missing, len(missing))}.",
            "Undo the deletion (Edit menu), or open a fresh copy of the notebook and copy your code into its cells.",
        )
    for name, cells in found.items():
        if len(cells) > 1:
            yield Finding(
                f"{name} is there more than once: {_named([f'cell {cell.number}' for cell in cells])}.",
                "Keep the one that is to be graded and delete the others.",
            )


def _stubs(notebook: Notebook, expected: Sequence[str]) -> Iterator[Finding]:
    for name in expected:
        for cell in cells_called(name, notebook.cells):
            if _STUB.search(cell.source):
                yield Finding(
                    f"{cell.name} is not done: the line to replace is still there.",
                    "Write your solution in its place. If this is on purpose, it gets no points.",
                )


def _errors(notebook: Notebook) -> Iterator[Finding]:
    failed = [cell for cell in _run_by_students(notebook) if cell.error]
    for cell in failed[:_NAMED]:
        yield Finding(f"{cell.name} ended in an error: {cell.error}", "Correct it if you can, and run it again.")
    if len(failed) > _NAMED:
        yield Finding(f"{_counted(failed[_NAMED:], 'more cell')} ended in an error.", "Begin with the first one.")


def _not_run(notebook: Notebook) -> Iterator[Finding]:
    idle = [cell for cell in _run_by_students(notebook) if cell.count is None and not cell.demo]
    if idle:
        yield Finding(f"Not run: {_named([cell.name for cell in idle])}.", _RUN_ALL)


def _out_of_order(notebook: Notebook, ran: Mapping[int, str]) -> Iterator[Finding]:
    """Find cells that were run before a cell above them; the counts of two sessions are never compared."""
    latest = {True: 0, False: 0}
    early = []
    for cell in _run_by_students(notebook):
        if cell.count is None or cell.demo:
            continue
        now = _same_source(ran.get(cell.count), cell)
        if cell.count <= latest[now]:
            early.append(cell)
        latest[now] = max(latest[now], cell.count)
    if early:
        yield Finding(f"Run before a cell that stands above: {_named([cell.name for cell in early])}.", _RUN_ALL)


def _too_large(notebook: Notebook) -> Iterator[Finding]:
    if notebook.size <= SIZE_LIMIT:
        return
    largest = sorted(notebook.cells, key=lambda cell: -cell.output_bytes)[:_LARGEST]
    sizes = [f"{cell.name} {_megabytes(cell.output_bytes)}" for cell in largest if cell.output_bytes > 10**5]
    where = f" The largest outputs: {', '.join(sizes)}." if sizes else ""
    yield Finding(
        f"The notebook has {_megabytes(notebook.size)}; more than {_megabytes(SIZE_LIMIT)} may be refused.{where}",
        "Clear these outputs (in the menu of the cell) and save. Outputs are not graded.",
    )


def _run_by_students(notebook: Notebook) -> Iterator[Cell]:
    """List the code cells with something in them, but for the one that runs now."""
    for cell in notebook.cells:
        if cell.kind == "code" and cell.source.strip() and not _OWN_CALL.search(cell.source):
            yield cell


def _same_source(source: str | None, cell: Cell) -> bool:
    """Return whether this source, as IPython keeps it, is the cell's. IPython rewrites magics, so there any will do."""
    if source is None or source == plain(cell.source):
        return source is not None
    return bool(_MAGIC.search(source) and _MAGIC.search(cell.source))


def _resemble(a: str, b: str) -> bool:
    """Return whether two sources are versions of one cell."""
    if _MAGIC.search(a) or _MAGIC.search(b):  # always differ
        return False
    if set(_DEFINITION.findall(a)) & set(_DEFINITION.findall(b)):
        return True
    return SequenceMatcher(None, a, b, autojunk=False).ratio() > 0.6


def _first(source: str) -> str:
    """Name a source by what it defines, or by its first line."""
    defined = _DEFINITION.search(source)
    return defined[1] if defined else repr(source.splitlines()[0][:50])


def _named(names: Sequence[str], limit: int = _NAMED) -> str:
    return shorten(list(dict.fromkeys(names)), limit)


def _counted(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'s' if len(things) != 1 else ''}"


def _megabytes(size: int) -> str:
    return f"{size / 10**6:.1f} MB"
