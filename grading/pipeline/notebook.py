"""One notebook of an assignment as grading sees it: its master, its released form, its cells that are worth points."""

import ast
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import is_solution
from traitlets.config import Config

from grading.common.files import hash_of
from grading.common.notebooks import (
    ADDITIONAL_ID,
    DEMO_TAG,
    EXAMINERS_TAG,
    is_by_hand,
    is_graded,
    is_test,
    shallow_copy,
)
from grading.errors import GradingError
from grading.examiner.division import Division, divide
from grading.examiner.examination import Examination, Setup, Site, TestCell
from grading.execution.job import Cell
from grading.release.masters import read_master
from grading.release.preprocessors import INLINE_TAG
from grading.release.released import expanded, released_notebook


@dataclass(frozen=True)
class Notebook:
    """A notebook of an assignment."""

    name: str
    """Without `.ipynb`; nbgrader's id of the notebook."""
    released: NotebookNode
    """As students get it: stubs, no hidden tests, no mark schemes, no outputs. Every cell has an id."""
    path: Path
    """Of the master."""
    config: Config
    """The course's."""

    @cached_property
    def master(self) -> NotebookNode:
        """The same cells with solutions, hidden tests and mark schemes (`grading.release.released.expanded`)."""
        return expanded(read_master(self.path), self.path.parent, self.config, name=self.name)

    @cached_property
    def sources(self) -> dict[str, str]:
        """Sources of the master's cells, by cell id, in their order."""
        return {cell.id: cell.source for cell in self.master.cells}

    @cached_property
    def shown(self) -> dict[str, str]:
        """Sources of the same cells as students see them."""
        return {cell.id: cell.source for cell in self.released.cells}

    @cached_property
    def places(self) -> dict[str, int]:
        """Places of the master's cells, by cell id."""
        return {cell: place for place, cell in enumerate(self.sources)}

    @cached_property
    def kept(self) -> NotebookNode:
        """The notebook as nbgrader's gradebook keeps it and graders see it: with stubs, hidden tests, mark schemes."""
        sources = {cell.id: cell.source for cell in self.master.cells if is_graded(cell) and not is_solution(cell)}
        return with_sources(self.released, sources)

    @cached_property
    def division(self) -> Division:
        """The division of names: which are the examiner's own and which are the student's."""
        return divide(self.master)

    def examination(self, believed: tuple[Site, ...] | None, scored: Collection[str] = frozenset()) -> Examination:
        """Return the tests that the examiner runs.

        `believed` are sites that the course's own solution needs; `scored` are grade ids that `scoring.py` decides.
        """
        sources = self.sources
        elsewhere = {self.tests[name] for name in scored if name in self.tests}
        tests = {test.id: test for test in self.division.tests if not test.beside and test.id not in elsewhere}
        steps: list[tuple[tuple[Setup, ...], TestCell]] = []
        due: list[Setup] = []
        for cell in self.division.cells:
            if cell.id in tests:
                test = tests[cell.id]
                steps.append((tuple(due), TestCell(cell.id, sources[cell.id], test.fetched, test.libraries)))
                due = []
            elif cell.e_source.strip():
                due.append(Setup(cell.id, cell.e_source))
        return Examination(tuple(steps), believed)

    @cached_property
    def tests(self) -> dict[str, str]:
        """Cell ids of the tests by grade id."""
        return {cell.metadata.nbgrader.grade_id: cell.id for cell in self.released.cells if is_test(cell)}

    @cached_property
    def beside(self) -> dict[str, str]:
        """Sources, with hidden tests, of the tests that run in the student's kernel, by cell id."""
        return {test.id: self.sources[test.id] for test in self.division.tests if test.beside}

    def cells_to_run(self, rebuilt: NotebookNode, scored: Collection[str] = frozenset()) -> tuple[Cell, ...]:
        """Return the code cells of a rebuilt notebook; those that the examiner runs are marked, without a source.

        Tests that `scoring.py` decides, `scored` by grade id, are left out.
        """
        left_out = {self.tests[name] for name in scored if name in self.tests}
        cells = [cell for cell in rebuilt.cells if cell.cell_type == "code" and cell.id not in left_out]
        return tuple(self._cell(cell) for cell in cells)

    def _cell(self, cell: NotebookNode) -> Cell:
        if is_test(cell):
            beside = self.beside.get(cell.id)
            return Cell(cell.id, "", test=True) if beside is None else Cell(cell.id, beside)
        return Cell(cell.id, cell.source, DEMO_TAG in cell.metadata.get("tags", []))

    @property
    def file_name(self) -> str:
        """File name of the notebook."""
        return f"{self.name}.ipynb"

    @cached_property
    def max_points(self) -> dict[str, float]:
        """Points that can be had, by grade id, in the order of the notebook: tests, answers and tasks."""
        graded = [cell for cell in self.released.cells if is_graded(cell)]
        return {cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points) for cell in graded}

    @cached_property
    def by_hand(self) -> frozenset[str]:
        """Grade ids of the cells whose points a person gives."""
        return frozenset(cell.metadata.nbgrader.grade_id for cell in self.released.cells if is_by_hand(cell))

    @property
    def tasks(self) -> dict[str, str]:
        """Sources of tasks with their mark schemes, by cell id: for graders only."""
        return {cell.id: cell.source for cell in self.kept.cells if is_by_hand(cell) and not is_solution(cell)}

    @property
    def solution_ids(self) -> tuple[str, ...]:
        """Grade ids of the cells that students fill in."""
        return tuple(cell.metadata.nbgrader.grade_id for cell in self.released.cells if is_solution(cell))

    @property
    def marks(self) -> frozenset[str]:
        """Grade ids and cell ids, by which a renamed file is known."""
        grade_ids = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in self.released.cells}
        return frozenset({str(mark) for mark in grade_ids if mark} | {cell.id for cell in self.released.cells})

    @property
    def title(self) -> str:
        """The notebook's first heading; its name if it has none."""
        headings = (
            line.removeprefix("# ").strip()
            for cell in self.released.cells
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
            if line.startswith("# ") and "](" not in line
        )
        return next(headings, self.name)

    @property
    def imports(self) -> tuple[str, ...]:
        """The import statements of the cells that are run when grading, each once."""
        statements = []
        for cell in self.released.cells:
            if cell.cell_type != "code" or is_test(cell) or DEMO_TAG in cell.metadata.get("tags", []):
                continue
            with contextlib.suppress(SyntaxError):  # a cell with a magic command
                found = [
                    node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Import | ast.ImportFrom)
                ]
                statements += [ast.unparse(node) for node in found]
        return tuple(dict.fromkeys(statements))


def load_notebook(path: Path, config: Config) -> Notebook:
    """Read a master and make its released form. Raises CourseError for one that cannot be graded."""
    master = read_master(path)
    try:
        MetadataValidator().validate_nb(master)
    except Exception as error:  # jsonschema's errors and nbgrader's
        said = str(error).partition("\n")[0]
        raise GradingError(f"{path.parent.name}/{path.name} has grading metadata that is not right: {said}") from error
    return Notebook(path.stem, released_notebook(master, path.parent, config, path.stem), path, config)


def inlined_cells(notebook: NotebookNode) -> frozenset[str]:
    """Return ids of the demonstrations that only the examiner needs, or that hold thresholds: they may change."""
    return frozenset(
        cell.id for cell in notebook.cells if not is_test(cell) and _may_change(cell.metadata.get("tags", []))
    )


def _may_change(tags: Sequence[str]) -> bool:
    return DEMO_TAG in tags and bool({INLINE_TAG, EXAMINERS_TAG} & set(tags))


@dataclass(frozen=True)
class WrittenAnswer:
    """An answer that a person grades."""

    text: str = ""
    pictures: tuple[str, ...] = ()
    """Attached to the text, base64."""

    @property
    def digest(self) -> str:
        """Hash of all that a person looks at."""
        return hash_of([self.text, self.pictures])


def answers_in(notebook: NotebookNode) -> dict[str, WrittenAnswer]:
    """Return each answer that a person grades, by grade id, in a rebuilt or executed notebook.

    The answer to a task is what the student wrote in cells after it, up to the next cell of the course.
    """
    found: dict[str, WrittenAnswer] = {}
    task = ""
    for cell in notebook.cells:
        own = cell.get("id", "").startswith(ADDITIONAL_ID)
        if own and task:
            before, more = found[task], _written(cell)
            found[task] = WrittenAnswer(f"{before.text}\n\n{more.text}".strip("\n"), before.pictures + more.pictures)
        elif not own:
            task = ""
            if is_by_hand(cell):
                grade_id = cell.metadata.nbgrader.grade_id
                task = "" if is_solution(cell) else grade_id
                found[grade_id] = _written(cell) if is_solution(cell) else WrittenAnswer()
    return found


def _written(cell: NotebookNode) -> WrittenAnswer:
    pictures = [content for formats in cell.get("attachments", {}).values() for content in formats.values()]
    return WrittenAnswer(cell.source, tuple(pictures))


def with_sources(notebook: NotebookNode, sources: Mapping[str, str]) -> NotebookNode:
    """Return a notebook in which cells have other sources, by cell id; it shares all else with the one given."""
    cells = [shallow_copy(cell) for cell in notebook.cells]
    for cell in cells:
        cell.source = sources.get(cell.id, cell.source)
    return NotebookNode({**notebook, "cells": cells})
