"""Every broken submission is graded for what the student wrote; nothing is run by mistake or lost in silence."""

import contextlib
import copy
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from damaged.damages import DAMAGES, Damage, filled
from nbformat import NotebookNode
from notebooks import ROOT, code, grade_cell, markdown, notebook, solution

from grading.authoring.classroom import solution_cells
from grading.common.notebooks import ADDITIONAL_ID
from grading.errors import RefusedError
from grading.intake.hand_in import read_hand_in
from grading.intake.rebuild import Rebuilt, read_notebook, rebuild

AREA = "import math\n\n\ndef area(box):\n    return 6"
SIDES = "class Sides:\n    pass\n\n\ndef sides(box):\n    return 2, 3"
RIGHT = {"area": AREA, "sides": SIDES}
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError"


@pytest.fixture
def released() -> NotebookNode:
    """A release with two solutions."""
    return notebook(
        markdown("intro", "# Areas"),
        code("imports", "import math"),
        solution(f"def area(box):\n{STUB}"),
        grade_cell("assert area((0, 0, 2, 3)) == 6"),
        code("look", "print(area)", tags=["demo"]),
        solution(f"class Sides:\n{STUB}\n\n\ndef sides(box):\n{STUB}", "sides"),
        grade_cell("assert sides((0, 0, 2, 3)) == (2, 3)", "test_sides"),
        markdown("end", "The end."),
    )


@pytest.fixture(scope="module")
def real() -> tuple[NotebookNode, dict[str, str], str]:
    """The real release, its solutions and its name."""
    name = "object_detection.ipynb"
    read = [nbformat.read(ROOT / folder / "object_detection" / name, as_version=4) for folder in ("release", "source")]
    return read[0], solution_cells(read[1]), name


def cell(source: str, cell_type: str = "code", **more: Any) -> dict[str, Any]:
    return {"cell_type": cell_type, "source": source, "metadata": {}, **more}


def hand_in(released: NotebookNode, solutions: Mapping[str, str] = RIGHT) -> list[dict[str, Any]]:
    return filled(released, solutions)["cells"]


def rebuilt(released: NotebookNode, cells: list[dict[str, Any]]) -> Rebuilt:
    return rebuild(released, json.dumps({"cells": cells}).encode())


def sources(result: Rebuilt) -> list[str]:
    return [cell.source for cell in result.notebook.cells]


def assert_masters_own(released: NotebookNode, result: Rebuilt) -> None:
    """All but the additional cells are the master's, down to the metadata, but for the solutions' sources."""
    nbformat.validate(result.notebook)
    nbformat.writes(result.notebook).encode("utf-8")
    own = [cell for cell in result.notebook.cells if not cell.id.startswith(ADDITIONAL_ID)]
    expected = copy.deepcopy(released)
    solutions = solution_cells(result.notebook)
    for cell in expected.cells:
        if cell.get("outputs"):
            cell.outputs = []
        cell.source = solutions.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    assert own == expected.cells
    assert result.notebook.metadata == released.metadata
    additional = [cell for cell in result.notebook.cells if cell.id.startswith(ADDITIONAL_ID)]
    assert len(additional) == result.additional
    assert all(cell.metadata == {} and not cell.get("outputs") and "attachments" not in cell for cell in additional)


def check(damage: Damage, folder: Path, released: NotebookNode, solutions: Mapping[str, str], name: str) -> None:
    folder = folder / "alice" / "ps"
    folder.mkdir(parents=True)
    damage.make(folder, released, solutions, name)
    hand_in = read_hand_in(folder, "alice", name)
    said, refused = [*hand_in.repairs, hand_in.refusal], bool(hand_in.refusal)
    if hand_in.notebook is not None:
        try:
            result = rebuild(released, hand_in.notebook)
        except RefusedError as error:
            said, refused = [*said, str(error)], True
        else:
            said += result.repairs
            assert_masters_own(released, result)
            assert result.changed or not damage.full_points
            if damage.full_points:
                assert solution_cells(result.notebook).items() >= solutions.items()
    assert refused == damage.refused
    words = "\n".join(said)
    assert all(fragment in words for fragment in damage.says), words
    assert all(line.isprintable() for line in said)
    if not damage.says:
        assert not words.strip()


@pytest.mark.parametrize("damage", [pytest.param(damage, id=damage.name) for damage in DAMAGES])
class TestDamages:
    def test_damage_of_the_real_notebook_is_repaired_or_refused(
        self, damage: Damage, tmp_path: Path, real: Any
    ) -> None:
        check(damage, tmp_path, *real)

    def test_damage_of_one_with_two_solutions_is_repaired_or_refused(
        self, damage: Damage, tmp_path: Path, released: NotebookNode
    ) -> None:
        check(damage, tmp_path, released, RIGHT, "tiny.ipynb")


def test_at_least_25_damages_each_with_its_own_name() -> None:
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES) >= 25


class TestAdditionalCells:
    def test_additional_cells_stand_among_their_neighbours(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        cells.insert(3, cell("after_area = 1"))
        cells.insert(0, cell("first = 1", "markdown", attachments={"a": {}}, metadata={"tags": ["demo"]}))
        cells.append(cell("last = 1", "raw"))
        result = rebuilt(released, cells)
        assert [(i, c.id, c.cell_type) for i, c in enumerate(result.notebook.cells) if c.id.startswith("student")] == [
            (0, "student-1", "markdown"),
            (4, "student-2", "code"),
            (10, "student-3", "raw"),
        ]
        assert result.additional == 3
        assert not result.repairs
        assert_masters_own(released, result)

    def test_additional_cells_stand_after_the_copy_that_took_the_place(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        cells.insert(3, copy.deepcopy(released.cells[1]))
        cells.insert(4, cell("own = 1"))
        assert sources(rebuilt(released, cells))[2:4] == [AREA, "own = 1"]

    def test_parts_of_a_split_and_moved_cell_stay_on_their_sides(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        area = cells.pop(2)
        cells += [area | {"source": "before = 1"}, area, area | {"source": "after = 1"}]
        found = sources(rebuilt(released, cells))
        assert found[2:5] == ["before = 1", AREA, "after = 1"]

    def test_additional_cells_have_ids_that_are_nobody_elses(self, released: NotebookNode) -> None:
        released.cells[0].id = "student-1"
        result = rebuilt(released, [cell("own = 1", id="student-1b"), cell("own = 2")])
        assert [c.id for c in result.notebook.cells if c.source.startswith("own")] == ["student-2", "student-3"]


class TestChoiceOfSolution:
    def test_solution_wins_over_the_stub(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        stub = json.loads(json.dumps(released.cells[2]))
        for position in (2, 3, 7):
            result = rebuilt(released, [*cells[:position], stub, *cells[position:]])
            assert solution_cells(result.notebook) == RIGHT
            assert "Cell 'area' was there more than once: the untouched copy was left out." in result.repairs
            assert result.additional == 0

    def test_first_of_two_wins_and_the_other_is_kept(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        cells.insert(4, copy.deepcopy(cells[2]) | {"source": "def area(box):\n    return 7"})
        result = rebuilt(released, cells)
        assert sources(result)[2] == AREA
        assert sources(result)[4] == "def area(box):\n    return 7"
        assert result.repairs == (
            "Cell 'area' was there more than once or split: “def area(box):” was kept as a cell of the student's own.",
        )

    def test_defining_cell_wins_when_grade_ids_are_swapped(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        for key in ("metadata", "id"):
            cells[2][key], cells[5][key] = cells[5][key], cells[2][key]
        result = rebuilt(released, cells)
        assert solution_cells(result.notebook) == RIGHT
        assert result.additional == 0
        assert result.repairs[:2] == (
            "The code of cell 'area' stood in a cell marked as cell 'sides': it was put in its place.",
            "The code of cell 'sides' stood in a cell marked as cell 'area': it was put in its place.",
        )

    def test_cell_that_defines_most_of_the_names_wins(self, released: NotebookNode) -> None:
        cells = [cell("def sides(box):\n    pass"), cell(SIDES), cell("%matplotlib inline\n" + AREA)]
        result = rebuilt(released, cells)
        assert solution_cells(result.notebook) == {"area": "%matplotlib inline\n" + AREA, "sides": SIDES}
        assert result.additional == 1

    def test_unfinished_cell_wins_over_the_stub(self, released: NotebookNode) -> None:
        cells = hand_in(released, {"area": AREA, "sides": "def sides(box):\n    return 2, 3"})
        cells.insert(5, json.loads(json.dumps(released.cells[5])))
        assert sources(rebuilt(released, cells))[5] == "def sides(box):\n    return 2, 3"

    def test_code_wins_over_text_about_it(self, released: NotebookNode) -> None:
        result = rebuilt(released, [cell("def area(box):\nis what I have to write", "markdown"), cell(AREA)])
        assert solution_cells(result.notebook)["area"] == AREA

    def test_comment_or_method_of_that_name_is_no_solution(self, released: NotebookNode) -> None:
        result = rebuilt(released, [cell("class A:\n    def area(self): pass"), cell("'''\ndef area(box): pass\n'''")])
        assert solution_cells(result.notebook) == solution_cells(released)
        assert not result.changed
        assert result.additional == 2

    def test_students_text_in_the_cell_counts_even_if_it_defines_nothing(self, released: NotebookNode) -> None:
        result = rebuilt(released, hand_in(released, {"area": "area = lambda box: 6"}))
        assert solution_cells(result.notebook)["area"] == "area = lambda box: 6"
        assert result.changed


class TestRemarks:
    def test_nothing_is_said_of_a_sound_notebook(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        cells[2]["outputs"] = [{"output_type": "stream", "text": "x", "name": "stdout"}]
        result = rebuilt(released, cells)
        assert (result.repairs, result.additional, result.changed) == ((), 0, True)

    @pytest.mark.parametrize("position", [1, 3])
    def test_solution_in_the_wrong_order_is_called_moved(self, position: int, released: NotebookNode) -> None:
        cells = hand_in(released)
        cells.insert(position, cells.pop(2))
        assert rebuilt(released, cells).repairs == ("Cell 'area' had been moved: back in its place.",)

    def test_tests_with_swapped_grade_ids_are_not_called_changed(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        for key in ("metadata", "id"):
            cells[3][key], cells[6][key] = cells[6][key], cells[3][key]
        (said,) = rebuilt(released, cells).repairs
        assert said == "The grading metadata of the notebook was changed: the course's own is used."

    def test_few_cells_are_named_and_many_counted(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        assert rebuilt(released, cells[1:]).repairs == ("Cell 'intro' had been deleted: put back.",)
        (few, many) = rebuilt(released, cells[2:3]).repairs
        assert few == "Cell 'sides' had been deleted: put back as released, without a solution."
        assert many.startswith("6 cells of the course (cell 'intro', ")

    def test_names_of_strangers_are_harmless(self, released: NotebookNode) -> None:
        cells = hand_in(released)
        cells.append(copy.deepcopy(cells[2]) | {"source": "x = '\x1b[31m\u202e{0}{}'\r\nboo"})
        (said,) = rebuilt(released, cells).repairs
        assert said.isprintable()

    def test_master_is_left_as_it_was_and_twice_gives_the_same(self, released: NotebookNode) -> None:
        before = copy.deepcopy(released)
        cells = hand_in(released)
        random.Random(1).shuffle(cells)
        assert rebuilt(released, cells) == rebuilt(released, cells)
        assert released == before


@pytest.mark.parametrize("seed", range(100))
def test_masters_cells_and_solutions_survive_whatever_is_done(seed: int, released: NotebookNode) -> None:
    chance = random.Random(seed)
    cells = hand_in(released)
    for _ in range(chance.randint(1, 12)):
        i = chance.randrange(len(cells))
        match chance.choice(["duplicate", "move", "delete", "retype", "strip", "strip id", "own"]):
            case "duplicate":
                cells.insert(chance.randrange(len(cells) + 1), copy.deepcopy(cells[i]))
            case "move":
                cells.insert(chance.randrange(len(cells)), cells.pop(i))
            case "delete" if cells[i]["source"] not in RIGHT.values():
                del cells[i]
            case "retype":
                cells[i]["cell_type"] = chance.choice(["code", "markdown", "raw"])
            case "strip":
                cells[i]["metadata"] = {}
            case "strip id":
                cells[i].pop("id", None)
            case "own":
                cells.insert(i, cell(f"own = {seed}"))
    result = rebuilt(released, cells)
    assert_masters_own(released, result)
    assert solution_cells(result.notebook) == RIGHT


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_of_the_file_raises_nothing_but_a_refusal(seed: int, released: NotebookNode) -> None:
    chance = random.Random(seed)
    content = bytearray(json.dumps({"cells": hand_in(released)}).encode())
    for _ in range(chance.randint(1, 3)):
        content[chance.randrange(len(content))] = chance.choice(b'[]{}",:0\\x\xff')
    with contextlib.suppress(RefusedError):
        assert_masters_own(released, rebuild(released, bytes(content)))


def test_heading_of_the_old_format_stays_a_heading() -> None:
    cells, _ = read_notebook(b'{"worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": ["Hi"]}]}]}')
    assert [(found.cell_type, found.source) for found in cells] == [("markdown", "## Hi")]


def test_notebook_of_millions_of_brackets_is_refused_early() -> None:
    with pytest.raises(RefusedError, match="intricate"):
        read_notebook(b'{"cells": [' + b"[]," * 8_000_001 + b"0]}")
