"""The library knows no assignment: what it needs to know of one, the notebook tells it."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import is_grade

import helpers

ROOT = Path(__file__).parents[2]
MASTERS = sorted(ROOT.glob("source/*/*.ipynb"))


def own_names(master: Path) -> set[str]:
    """Names of an assignment's cells for nbgrader, and what these define; words of one piece are everybody's."""
    found = set()
    for cell in nbformat.read(master, as_version=4).cells:
        if "nbgrader" in cell.metadata and cell.cell_type == "code":
            found.add(cell.metadata.nbgrader.grade_id)
            nodes = list(ast.walk(ast.parse(cell.source))) if not is_grade(cell) else []
            found |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
            found |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return {name for name in found if "_" in name.strip("_") and name not in helpers.__all__}


@pytest.mark.parametrize("master", MASTERS, ids=lambda path: path.stem)
def test_no_file_of_the_library_names_an_assignments_cell_function_or_model(master: Path) -> None:
    names = own_names(master)
    assert names
    named = {
        (path.name, name)
        for path in (ROOT / "helpers").rglob("*.py")
        for name in names
        if re.search(rf"\b{name}\b", path.read_text(encoding="utf-8"))
    }
    assert {(path, name) for path, name in named if name not in GENERAL} == set()


GENERAL = {"batch_size", "class_head", "box_head", "model_input", "relative_box"}
"""Names that anybody gives these things; Keras does, too."""
