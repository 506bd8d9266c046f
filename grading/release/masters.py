"""The master notebooks of an assignment: found, read, and accepted if they are nbgrader's and in Python."""

import hashlib
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.nbgraderformat import SCHEMA_VERSION, MetadataValidator

from grading.common.notebooks import cell_name, other_language
from grading.errors import ReleaseError

_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def master_paths(source: Path) -> list[Path]:
    """List the notebooks of an assignment by name: those in its folder itself, as for nbgrader."""
    return sorted(path for path in source.glob("*.ipynb") if path.is_file() and not path.name.startswith("."))


def read_master(path: Path) -> NotebookNode:
    """Read a master.

    Raises:
        ReleaseError: It cannot be read, is in another language than Python, or newer than this nbgrader.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError, AttributeError, KeyError) as error:
        raise ReleaseError(f"{where} is not a notebook that can be read: {error}") from error
    accept(notebook, where)
    return notebook


def accept(notebook: NotebookNode, where: str) -> None:
    """Bring a notebook's nbgrader metadata up to date, in memory alone. Raises as `read_master` does.

    Args:
        notebook: It is changed where its metadata is of an older version of nbgrader's.
        where: What messages call it.
    """
    language = other_language(notebook.metadata)
    if language:
        raise ReleaseError(f"{where} is written in {language}: only notebooks in Python can be released and graded")
    for index, cell in enumerate(notebook.cells):
        version = cell.metadata.get("nbgrader", {}).get("schema_version", 0)
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ReleaseError(
                f"{where}, {cell_name(cell, index)}: its nbgrader metadata has version {version}, which is newer than "
                f"the installed nbgrader's {SCHEMA_VERSION}: install a newer nbgrader"
            )
    MetadataValidator().upgrade_notebook_metadata(notebook)


def name_cells(notebook: NotebookNode) -> None:
    """Give each cell without an id, or with another's, one made from its grade id or its content."""
    used: set[str] = set()
    for cell in notebook.cells:
        if cell.get("id") in used:
            del cell["id"]
        used.add(cell.get("id", ""))
    for cell in notebook.cells:
        if not cell.get("id"):
            cell["id"] = _free_id(cell, used)
            used.add(cell["id"])


def _free_id(cell: NotebookNode, used: set[str]) -> str:
    grade_id = str(cell.metadata.get("nbgrader", {}).get("grade_id") or "")
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode("utf-8", "replace")).hexdigest()
    wanted = grade_id if _CELL_ID.fullmatch(grade_id) else f"cell-{digest[:12]}"
    number, name = 1, wanted
    while name in used:
        number += 1
        name = f"{wanted[:56]}-{number}"
    return name
