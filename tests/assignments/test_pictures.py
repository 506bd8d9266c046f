"""Who cannot see a notebook's pictures is told what is in them; in one that has run: test_browser_jupyter."""

import re
from pathlib import Path

import nbformat
import pytest
from notebooks import ROOT

MASTERS = sorted((ROOT / "source").glob("*/*.ipynb"))
_DRAWS = re.compile(r"plt\.(subplots|figure)\(")
_SAYS = re.compile(r"show_figure\(\s*\w+,\s*f?[\"']\w|<img alt=\"\{alt\}\"")
_PICTURE = re.compile(r"!\[(.*?)\]\(|<img\b(?![^>]*\balt=[\"'][^\"'])")


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_each_figure_of_a_notebook_has_words(path: Path) -> None:
    """`plt.show()` takes none, and what is drawn and not shown is shown without."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert "plt.show()" not in cell.source, cell.id
            assert len(_DRAWS.findall(cell.source)) == len(_SAYS.findall(cell.source)), cell.id
        else:
            assert all(match.group(1) for match in _PICTURE.finditer(cell.source)), cell.id
