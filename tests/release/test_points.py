"""Points are written once, in the metadata of a grade cell, and filled in wherever else a master speaks of them."""

from pathlib import Path

import pytest
from nbformat.v4 import new_markdown_cell
from notebooks import code, right_notebook

from grading.config import load_config
from grading.errors import ReleaseError
from grading.release.released import released_notebook

ROOT = Path(__file__).parents[2]


def filled(*cells: object) -> list[str]:
    master = right_notebook(*cells)
    own = {cell.id for cell in cells}  # type: ignore[attr-defined]
    notebook = released_notebook(master, ROOT / "source" / "boxes_and_iou", load_config(ROOT))
    return [cell.source for cell in notebook.cells if cell.id in own]


def test_points_of_a_cell_and_in_all_are_filled_into_text_and_code() -> None:
    text = new_markdown_cell("`test_area` is worth @POINTS:test_area@ of @POINTS@.", id="text")
    said, number = filled(
        text, code("number", 'worth = {"area": "@POINTS:test_area@", "text": "@POINTS:test_area@ points"}')
    )
    assert said == "`test_area` is worth 2 of 2."
    assert number == 'worth = {"area": 2, "text": "2 points"}'


def test_points_of_a_cell_that_there_is_not_stop_the_release() -> None:
    with pytest.raises(ReleaseError, match=r"'text'.*'test_nothing' in @POINTS:test_nothing@ is no grade cell"):
        filled(new_markdown_cell("@POINTS:test_nothing@", id="text"))
