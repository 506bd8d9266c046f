"""The time to a first trained model is that of the cells above it and of its training."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grading.authoring.first_model import time_to_first_model
from grading.errors import GradingError
from grading.options import Options


def released(folder: Path, *cells: tuple[str, bool]) -> Path:
    """A course folder whose release is one notebook with these code cells; True: tagged as the first training."""
    (folder / "helpers").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text("c = get_config()\n")
    (folder / "release" / "lab").mkdir(parents=True)
    notebook = new_notebook(
        cells=[
            new_code_cell(source, id=f"cell{number}", metadata={"tags": ["first-model"] if tagged else []})
            for number, (source, tagged) in enumerate(cells)
        ]
    )
    nbformat.write(notebook, folder / "release" / "lab" / "lab.ipynb")
    return folder


def test_cells_above_run_and_those_below_do_not(tmp_path: Path, bubblewrap: None) -> None:
    cells = (("x = 3", False), ("raise NotImplementedError", False), ("print('epoch', x)", True), ("boom", False))
    found = time_to_first_model(released(tmp_path, *cells), "lab", Options())
    assert (found.cells, found.cell, found.last_line) == (3, "cell2", "epoch 3")
    assert found.seconds > 0


def test_training_that_fails_is_no_model(tmp_path: Path, bubblewrap: None) -> None:
    with pytest.raises(GradingError, match="was not trained: no such thing"):
        time_to_first_model(released(tmp_path, ("raise ValueError('no such thing')", True)), "lab", Options())


def test_release_without_such_a_cell_is_told_what_to_tag(tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="first-model"):
        time_to_first_model(released(tmp_path, ("x = 3", False)), "lab", Options())
