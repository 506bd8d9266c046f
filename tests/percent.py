"""Notebooks as text: `# %% solution` begins a cell and says what it is; ids are c1, c2, ..."""

from nbformat import NotebookNode
from notebooks import code, notebook

KINDS = {
    "solution": {"solution": True},
    "test": {"grade": True, "points": 1},
    "manual": {"grade": True, "solution": True, "points": 1},
}


def master(text: str) -> NotebookNode:
    """Make a notebook of these cells; further words after `# %%` are tags."""
    cells = []
    for number, part in enumerate(("\n" + text).split("\n# %%")[1:], start=1):
        head, _, source = part.partition("\n")
        words = head.split()
        kind = words.pop(0) if words and words[0] in KINDS else ""
        marks = {"grade_id": f"c{number}", **KINDS[kind]} if kind else {}
        cells.append(code(f"c{number}", source.rstrip("\n"), tags=words, **marks))
    return notebook(*cells)
