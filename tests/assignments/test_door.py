"""An assignment's scoring.py comes in by one door: `grading.scoring`, and the students' library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import grading.scoring

ROOT = Path(__file__).parents[2]
SCORINGS = sorted(ROOT.glob("source/*/scoring.py"))


@pytest.mark.parametrize("path", SCORINGS, ids=lambda path: path.parent.name)
def test_scoring_imports_nothing_of_grading_but_the_authors_door(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {name for name in imported if name.startswith("grading")} == {"grading.scoring"}


def test_every_name_of_the_door_is_there_and_any_other_is_refused() -> None:
    for name in grading.scoring.__all__:
        assert getattr(grading.scoring, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        grading.scoring.no_such_name  # noqa: B018


def test_opening_the_door_loads_no_numpy() -> None:
    """A run with nothing to do reads records, whose measures lie in this room."""
    code = "import sys, grading.records.record; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"
