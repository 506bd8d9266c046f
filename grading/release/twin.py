"""The text twin of a master notebook: what reviewers read, and what the notebook is made from.

A twin is a jupytext percent script. Each cell's header carries its id, and whatever other metadata it has::

    # %% [markdown] id="intro"
    # %% id="load" tags=["demo"]
    # %% id="iou" nbgrader={"grade_id": "iou", "solution": true}
    # %% id="test-iou" nbgrader={"grade_id": "test_iou", "grade": true, "points": 8}
    # %% id="thresholds" tags=["inline-json"] nbgrader={"grade_id": "thresholds", "locked": true}

nbgrader's other keys are filled in. The notebook's own metadata is `NOTEBOOK_METADATA` unless the twin begins with
another (`# ---`, as jupytext writes it). Both ways round the trip is the identity (for a twin written by `to_text`).

A master needs no twin. A percent script without ids, such as jupytext makes by itself, is taken for no twin of ours.
"""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from grading.common.files import write_atomically
from grading.common.notebooks import cell_name, first_line
from grading.common.text import short_list
from grading.errors import ReleaseError
from grading.release.masters import name_cells, read_master

FORMAT = "py:percent"
NOTEBOOK_METADATA: dict[str, Any] = {
    "accelerator": "GPU",
    "colab": {"provenance": [], "gpuType": "T4"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
JUPYTEXT_METADATA = {"jupytext": {"cell_metadata_filter": "all", "notebook_metadata_filter": "-all"}}
WITH_METADATA = {"jupytext": {"cell_metadata_filter": "all", "notebook_metadata_filter": "all,-jupytext"}}
HAS_IDS = re.compile(r"^# %%.*\bid=", re.MULTILINE)
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
NBGRADER_ORDER = ("grade_id", "solution", "grade", "task", "locked", "points")
CELL_ORDER = ("tags", "nbgrader")


def to_notebook(text: str) -> NotebookNode:
    """Make the master notebook from its twin.

    Raises:
        ReleaseError: cells have no id, a bad one or another cell's, or a header cannot be read.
    """
    read = jupytext.reads(text, fmt=FORMAT)
    problems = list(_header_problems(read))
    if problems:
        raise ReleaseError(*problems)
    own = {key: value for key, value in read.metadata.items() if key != "jupytext"}
    return _new_notebook([_make_cell(cell) for cell in read.cells], own or NOTEBOOK_METADATA)


def to_text(notebook: NotebookNode) -> str:
    """Write the twin of a notebook: the inverse of `to_notebook`. Outputs are left out.

    Raises:
        ReleaseError: Pictures are pasted into cells, which text cannot hold.
    """
    pasted = [cell_name(cell, index) for index, cell in enumerate(notebook.cells) if cell.get("attachments")]
    if pasted:
        raise ReleaseError(
            f"a text twin cannot hold the pictures pasted into {short_list(pasted)}: put them into files, or do "
            "without a twin"
        )
    usual = notebook.metadata == NOTEBOOK_METADATA
    metadata = JUPYTEXT_METADATA if usual else {**notebook.metadata, **WITH_METADATA}
    bare = _new_notebook([_make_header(cell) for cell in notebook.cells], metadata)
    return str(jupytext.writes(bare, fmt=FORMAT))


def twins_of(source: Path) -> list[Path]:
    """List the twins in an assignment's folder, by name, whether their notebooks are there or not."""
    return sorted(path for path in source.glob("*.py") if path.is_file() and _has_ids(path))


def has_twin(notebook_path: Path) -> bool:
    """Return whether a notebook has a twin, with which it must be in step."""
    path = notebook_path.with_suffix(".py")
    return path.is_file() and _has_ids(path)


def write_twin(notebook_path: Path) -> Path:
    """Write the twin of a notebook beside it and return its path.

    The notebook gets what text cannot do without: an id for each cell. What text cannot hold, empty lines at the end
    of a cell, goes there, too.

    Raises:
        ReleaseError: The notebook cannot be read, or not be written as text.
    """
    notebook = read_master(notebook_path)
    before = notebook_bytes(notebook)
    name_cells(notebook)
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    text = to_text(notebook)
    for cell, kept in zip(notebook.cells, to_notebook(text).cells, strict=True):
        if cell.source.strip() == kept.source.strip():
            cell.source = kept.source
    if notebook_bytes(notebook) != before:
        write_atomically(notebook_path, notebook_bytes(notebook).decode())
    path = notebook_path.with_suffix(".py")
    write_atomically(path, text)
    return path


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """Serialise a notebook: always the same bytes for the same notebook, with a final newline."""
    text: str = nbformat.writes(notebook)
    return (text.rstrip("\n") + "\n").encode()


def write_notebook(twin_path: Path) -> Path:
    """Write the notebook beside its twin and return its path."""
    notebook_path = twin_path.with_suffix(".ipynb")
    notebook_path.write_bytes(notebook_bytes(_read_twin(twin_path)))
    return notebook_path


def check_in_step(twin_path: Path, notebook_path: Path) -> None:
    """Raise `ReleaseError`, naming the cells that differ, unless the notebook is what its twin makes."""
    for path in (twin_path, notebook_path):
        if not path.is_file():
            raise ReleaseError(f"{path} is missing: a master is a twin (.py) and the notebook made from it")
    expected = _read_twin(twin_path)
    found = read_master(notebook_path)
    for cell in found.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"] = _fill_in(cell.metadata["nbgrader"])
    differences = list(_differences(expected, found))
    if differences:
        heading = f"{notebook_path.name} is out of step with {twin_path.name}: make one from the other again"
        raise ReleaseError(heading, *differences)


def _has_ids(path: Path) -> bool:
    return HAS_IDS.search(path.read_text(encoding="utf-8", errors="replace")) is not None


def _read_twin(twin_path: Path) -> NotebookNode:
    try:
        return to_notebook(twin_path.read_text(encoding="utf-8"))
    except ReleaseError as error:
        raise ReleaseError(*(f"{twin_path.name}: {problem}" for problem in error.problems)) from None


def _header_problems(notebook: NotebookNode) -> Iterator[str]:
    owners: dict[str, str] = {}
    for index, cell in enumerate(notebook.cells):
        where = f"cell {index + 1}, which begins with {first_line(cell.source)!r},"
        cell_id = cell.metadata.get("id")
        if "incorrectly_encoded_metadata" in cell.metadata:
            yield f"{where} has a header that cannot be read: {cell.metadata['incorrectly_encoded_metadata']}"
        elif cell_id is None:
            yield f'{where} has no id: write `# %% id="..."`'
        elif not isinstance(cell_id, str) or not CELL_ID.fullmatch(cell_id):
            yield f"{where} has the id {cell_id!r}: use 1 to 64 letters, digits, - and _"
        elif cell_id in owners:
            yield f"{where} has the id {cell_id!r}, which is already that of {owners[cell_id]}"
        else:
            owners[cell_id] = f"cell {index + 1}"


def _make_cell(read: NotebookNode) -> NotebookNode:
    metadata = copy.deepcopy(read.metadata)
    metadata.pop("lines_to_next_cell", None)
    cell_id = metadata.pop("id")
    if "nbgrader" in metadata:
        metadata["nbgrader"] = _fill_in(metadata["nbgrader"])
    return _new_cell(read.cell_type, read.source, cell_id, metadata)


def _make_header(cell: NotebookNode) -> NotebookNode:
    metadata = copy.deepcopy(dict(cell.metadata))
    if "nbgrader" in metadata:
        metadata["nbgrader"] = _shorten(metadata["nbgrader"])
    ordered = {"id": cell.id, **_ordered(metadata, CELL_ORDER), "lines_to_next_cell": 1}
    return _new_cell(cell.cell_type, cell.source, cell.id, ordered)


def _new_cell(cell_type: str, source: str, cell_id: str, metadata: dict[str, Any]) -> NotebookNode:
    make = getattr(nbformat.v4, f"new_{cell_type}_cell")
    cell: NotebookNode = make(source, id=cell_id, metadata=metadata)
    return cell


def _new_notebook(cells: list[NotebookNode], metadata: dict[str, Any]) -> NotebookNode:
    notebook: NotebookNode = nbformat.v4.new_notebook(
        cells=cells, metadata=copy.deepcopy(metadata), nbformat=4, nbformat_minor=5
    )
    return notebook


def _defaults(nbgrader: dict[str, Any]) -> dict[str, Any]:
    locked = not nbgrader.get("solution", False)
    return {"grade": False, "solution": False, "task": False, "locked": locked, "schema_version": 3}


def _fill_in(nbgrader: dict[str, Any]) -> dict[str, Any]:
    return {**_defaults(nbgrader), **nbgrader}


def _shorten(nbgrader: dict[str, Any]) -> dict[str, Any]:
    defaults = _defaults(nbgrader)
    if not any(nbgrader.get(flag) for flag in ("solution", "grade", "task")):
        defaults.pop("locked")  # the only thing such a cell is: say so
    return _ordered({k: v for k, v in nbgrader.items() if defaults.get(k) != v}, NBGRADER_ORDER)


def _ordered(mapping: dict[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    keys = [key for key in first if key in mapping] + sorted(mapping.keys() - set(first))
    return {key: mapping[key] for key in keys}


def _differences(expected: NotebookNode, found: NotebookNode) -> Iterator[str]:
    names = {c.get("id", ""): cell_name(c, i) for nb in (found, expected) for i, c in enumerate(nb.cells)}
    twins = {cell.id: cell for cell in expected.cells}
    copies = {cell.get("id", ""): cell for cell in found.cells}
    yield from (f"{names[key]} is only in the twin" for key in twins if key not in copies)
    yield from (f"{names[key]} is only in the notebook" for key in copies if key not in twins)
    for key in (key for key in twins if key in copies):
        parts = [p for p in sorted({*twins[key], *copies[key]}) if twins[key].get(p) != copies[key].get(p)]
        if parts:
            yield f"{names[key]} differs in its {', '.join(parts)}"
    if len(copies) < len(found.cells):
        yield "several cells of the notebook have the same id"
    elif [k for k in twins if k in copies] != [k for k in copies if k in twins]:
        yield "the cells stand in another order"
    if expected.metadata != found.metadata:
        yield "the notebook's own metadata differs"
    if (expected.nbformat, expected.nbformat_minor) != (found.nbformat, found.nbformat_minor):
        yield f"the notebook's format is {found.nbformat}.{found.nbformat_minor}, not 4.5"
