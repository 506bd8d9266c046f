"""A look at what was uploaded before it is stored: it must be a notebook, whatever its name says."""

import json
from typing import Any

from grading.common.names import printable
from grading.common.text import clean

NAME_CHARACTERS = 120


class NoNotebookError(ValueError):
    """An upload is no notebook; the message says why, to the student."""


def check_notebook(content: bytes) -> None:
    """Raise NoNotebookError unless the bytes are a notebook's JSON. What is in its cells is for the grader to read."""
    if not content.strip():
        raise NoNotebookError("The file is empty: save the notebook, then hand it in again.")
    if not content.lstrip().startswith(b"{"):
        raise NoNotebookError("This is no notebook: hand in the .ipynb file, not a PDF, a page or an archive.")
    try:
        notebook: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NoNotebookError("This is no notebook, or it was cut short: save it, then hand it in again.") from error
    parts = notebook.get("cells", notebook.get("worksheets"))
    if not isinstance(notebook.get("nbformat"), int) or not isinstance(parts, list):
        raise NoNotebookError("This is JSON, but no notebook: hand in the .ipynb file that Jupyter or Colab saved.")


def shown_name(name: str) -> str:
    """Return what is kept of a file's name, for people only: no path, nothing unprintable, not too long."""
    last = clean(printable(name.replace("\\", "/").rpartition("/")[2])).strip()
    return last[:NAME_CHARACTERS] or "notebook.ipynb"
