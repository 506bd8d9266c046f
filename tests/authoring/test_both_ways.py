"""An author learns which tests hang on an object's word, and which have to run beside the student's code."""

from pathlib import Path

import nbformat
import pytest
from classes import quick, tiny_classroom
from notebooks import ASSIGNMENT

from grading.authoring.both_ways import Advice, advice
from grading.pipeline.run import open_course

pytestmark = pytest.mark.usefixtures("bubblewrap")


def told(tmp_path: Path, solution: str, test: str) -> Advice:
    """Give the tiny master one solution cell and one test, and no scoring."""
    classroom = tiny_classroom(tmp_path)
    source = classroom.folder / "source" / ASSIGNMENT
    (source / "scoring.py").unlink()
    path = source / f"{ASSIGNMENT}.ipynb"
    master = nbformat.read(path, as_version=4)
    solutions = [cell for cell in master.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    tests = [cell for cell in master.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    solutions[0].source = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    tests[0].source = test
    master.cells = [solutions[0], tests[0]]
    nbformat.write(master, path)
    return advice(open_course(classroom.folder, ASSIGNMENT, quick()))


def test_plain_values_need_no_advice(tmp_path: Path) -> None:
    found = told(tmp_path, "def double(x):\n    return 2 * x", "assert double(2) == 4")
    assert found.notes == ()
    assert [row[:2] for row in found.division] == [("double", "student")]


def test_an_objects_word_is_named_with_the_mend(tmp_path: Path) -> None:
    point = "class Point:\n    def __init__(self, x): self.x = x\n    def __eq__(self, other): return self.x == other.x"
    (note,) = told(tmp_path, point, "assert Point(1) == Point(1)").notes
    assert "line 1: `==` is answered by an object of the student's" in note
    assert "compare plain values" in note


def test_a_test_that_passes_only_beside_the_students_code_is_named(tmp_path: Path) -> None:
    solution = "import math\ndef root(x):\n    return math.sqrt(x)"
    test = "import math\nkept, math.sqrt = math.sqrt, lambda x: 7\nassert root(4) == 7\nmath.sqrt = kept"
    notes = told(tmp_path, solution, test).notes
    assert any("passes beside the student's code and not in the examiner" in note for note in notes)
    assert any("beside-student" in note for note in notes)
