"""Masters in the manners met in real courses, and what students make of them.

A file in `masters/` is one assignment of one notebook; a folder there is an assignment with all that lies in it: each
`.py` file that begins with a cell header is a notebook, everything else lies beside. Files are jupytext percent scripts
with short headers::

    # %% [markdown]                      prose
    # %%                                 a cell of the teacher's that anybody may change
    # %% locked="helpers"                one that nbgrader restores
    # %% solution="newton"               a solution cell (### BEGIN SOLUTION ... ### END SOLUTION)
    # %% mistake="off_by_one"            what somebody wrote instead into the solution cell above
    # %% own_cell="off_by_one"           a cell that the same person has added before it
    # %% test="test_newton" points=2     a grade cell (### BEGIN HIDDEN TESTS ... ### END HIDDEN TESTS)
    # %% by_hand="why" points=3          a solution that a person grades
    # %% task="drawing" points=2         a task that a person grades

Where stock nbgrader is fooled or crashes, a mistake says what is deserved instead, and why:
`deserves={"test_newton": 2} because="..."`. `tags` are kept.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

FOLDER = Path(__file__).parent / "masters"
SOLUTION, WITHOUT, MISSING = "solution", "without", "missing"
"""How the names of the variants begin that are made for every master."""

Cell = tuple[str, str]
"""A notebook's name and a grade id."""

_HEADERS = ("locked", "solution", "mistake", "own_cell", "test", "by_hand", "task")
_METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


@dataclass(frozen=True)
class Mistake:
    """What somebody wrote into a solution cell."""

    name: str
    cell: Cell
    source: str
    own_cells: tuple[str, ...] = ()
    """Additional cells before it."""
    deserves: Mapping[str, float] = field(default_factory=dict)
    """Points by grade id, where stock nbgrader's are not what is deserved."""
    because: str = ""


@dataclass(frozen=True)
class Variant:
    """One hand-in: sources of solution cells. Those that are not named are stubs."""

    name: str
    cells: Mapping[Cell, str]
    own_cells: Mapping[Cell, tuple[str, ...]] = field(default_factory=dict)
    """Additional cells, by the solution cell before which they stand."""
    missing: tuple[str, ...] = ()
    """Notebooks that were not handed in."""
    deserves: Mapping[Cell, float] = field(default_factory=dict)
    because: str = ""


@dataclass(frozen=True)
class Master:
    """An assignment."""

    name: str
    notebooks: Mapping[str, NotebookNode]
    files: Mapping[str, bytes]
    """What lies beside, by its path."""
    mistakes: tuple[Mistake, ...]

    @property
    def solutions(self) -> dict[Cell, str]:
        """Sources of the solution cells, without the markers."""
        cells = {}
        for notebook, cell in self._cells():
            if cell.metadata.get("nbgrader", {}).get("solution"):
                lines = [line for line in cell.source.split("\n") if not _is_marker(line)]
                cells[notebook, cell.metadata.nbgrader.grade_id] = "\n".join(lines)
        return cells

    @property
    def points(self) -> dict[Cell, float]:
        """Maximum points of what is graded, by tests and by hand."""
        return {
            (notebook, cell.metadata.nbgrader.grade_id): float(cell.metadata.nbgrader.points)
            for notebook, cell in self._cells()
            if "points" in cell.metadata.get("nbgrader", {})
        }

    def label(self, cell: Cell) -> str:
        """Name a cell: by its grade id, after its notebook's name if there are several."""
        return "/".join(cell if len(self.notebooks) > 1 else cell[1:])

    def variants(self) -> list[Variant]:
        """The solution, each solution cell left out in turn, each notebook left out in turn, the mistakes."""
        right = self.solutions
        made = [Variant(SOLUTION, right)]
        for notebook, grade_id in right:
            cells = {cell: source for cell, source in right.items() if cell != (notebook, grade_id)}
            made.append(Variant(f"{WITHOUT} {self.label((notebook, grade_id))}", cells))
        if len(self.notebooks) > 1:
            made += [Variant(f"{MISSING} {notebook}", right, missing=(notebook,)) for notebook in self.notebooks]
        for mistake in self.mistakes:
            deserves = {(mistake.cell[0], grade_id): points for grade_id, points in mistake.deserves.items()}
            cells = {**right, mistake.cell: mistake.source}
            own = {mistake.cell: mistake.own_cells} if mistake.own_cells else {}
            name = f"{self.label(mistake.cell)}: {mistake.name}"
            made.append(Variant(name, cells, own, (), deserves, mistake.because))
        assert len({variant.name for variant in made}) == len(made), f"{self.name}: two variants have one name"
        return made

    def key(self, variant: Variant) -> str:
        """Hash of all that the points of a variant depend on, but for versions."""
        told = [
            {name: [[c.cell_type, c.source, c.metadata] for c in nb.cells] for name, nb in self.notebooks.items()},
            {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()},
            sorted([*cell, source] for cell, source in variant.cells.items()),
            sorted([*cell, *sources] for cell, sources in variant.own_cells.items()),
            variant.missing,
        ]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def _cells(self) -> Iterator[tuple[str, NotebookNode]]:
        for name, notebook in self.notebooks.items():
            for cell in notebook.cells:
                yield name, cell


def fill_in(released: NotebookNode, notebook: str, variant: Variant) -> NotebookNode:
    """Write a variant's cells into a released notebook, which is changed and returned."""
    cells = []
    for cell in released.cells:
        key = (notebook, cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        cells += [nbformat.v4.new_code_cell(source) for source in variant.own_cells.get(key, ())]
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = variant.cells.get(key, cell.source)
        cells.append(cell)
    released.cells = cells
    return released


@cache
def masters() -> dict[str, Master]:
    """All masters by name."""
    found = {path.stem: read_master(path) for path in FOLDER.iterdir() if path.suffix == ".py" or path.is_dir()}
    return dict(sorted(found.items()))


def read_master(path: Path) -> Master:
    """Read a file, or a folder with several notebooks and files beside them; ValueError says what cannot be read."""
    files = (
        [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    )
    notebooks, beside, mistakes = {}, {}, []
    for file in files:
        text = file.read_text(encoding="utf-8") if file.suffix == ".py" else ""
        if text.startswith("# %%"):
            notebooks[file.stem], found = read_notebook(file.stem, text)
            mistakes += found
        else:
            beside[file.relative_to(path).as_posix()] = file.read_bytes()
    return Master(path.stem, notebooks, beside, tuple(mistakes))


def read_notebook(name: str, text: str) -> tuple[NotebookNode, list[Mistake]]:
    """Make a notebook of a percent script, and list the mistakes in it."""
    made: list[NotebookNode] = []
    mistakes: list[Mistake] = []
    solution = ""
    for number, read in enumerate(jupytext.reads(text, fmt="py:percent").cells):
        header = dict(read.metadata)
        header.pop("lines_to_next_cell", None)
        kinds = [kind for kind in _HEADERS if kind in header]
        if len(kinds) > 1 or "incorrectly_encoded_metadata" in header:
            raise ValueError(f"{name}, cell {number + 1}: the header {header} cannot be read")
        kind = kinds[0] if kinds else ""
        grade_id = header.pop(kind, f"cell-{number}")
        if kind == "mistake":
            mistakes.append(Mistake(grade_id, (name, solution), read.source, (), **header))
        elif kind == "own_cell":
            last = mistakes.pop()
            if last.name != grade_id:
                raise ValueError(f"{name}, cell {number + 1}: the own cell of {grade_id} does not follow its mistake")
            own = (*last.own_cells, read.source)
            mistakes.append(Mistake(last.name, last.cell, last.source, own, last.deserves, last.because))
        else:
            solution = grade_id if kind in ("solution", "by_hand") else solution
            made.append(_new_cell(read, kind, grade_id, header))
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=made, metadata=_METADATA, nbformat=4, nbformat_minor=5)
    return notebook, mistakes


def _new_cell(read: NotebookNode, kind: str, grade_id: str, header: dict[str, Any]) -> NotebookNode:
    metadata: dict[str, Any] = {"tags": header.pop("tags")} if "tags" in header else {}
    if kind:
        solution, grade, task = kind in ("solution", "by_hand"), kind in ("test", "by_hand"), kind == "task"
        flags = {"solution": solution, "grade": grade, "task": task, "locked": not solution}
        metadata["nbgrader"] = {"grade_id": grade_id, **flags, "schema_version": 3, **header}
    elif header:
        raise ValueError(f"{grade_id}: the header {header} says nothing")
    make = getattr(nbformat.v4, f"new_{read.cell_type}_cell")
    cell: NotebookNode = make(read.source, id=grade_id, metadata=metadata)
    return cell


def _is_marker(line: str) -> bool:
    return "### BEGIN SOLUTION" in line or "### END SOLUTION" in line
