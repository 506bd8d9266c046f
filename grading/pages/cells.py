"""A student's own cells as they were graded: what stands in them, what they printed, and at which line they stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution, is_task

from grading.common.notebooks import ADDITIONAL_ID
from grading.common.text import clean
from grading.pages.stopped import Failure
from grading.pipeline.notebook import WrittenAnswer, answers_in
from grading.pipeline.run import GradingRun
from grading.records.record import GRADED, Record

_MAX_SOURCE, _MAX_SAID = 20_000, 2_000
OWN_CELL = "a cell of your own"


@dataclass(frozen=True)
class StudentCell:
    """A cell of the student's. `id` is the notebook's cell id, `line` the one that stopped, counted from 1."""

    id: str
    name: str
    source: str
    said: str = ""
    pictures: int = 0
    is_answer: bool = False
    is_solution: bool = True
    line: int | None = None

    @property
    def is_open(self) -> bool:
        """Return whether it is shown without being asked for."""
        return bool(self.said or self.is_answer or self.line)

    @property
    def lines(self) -> list[str]:
        """Return the lines of the source."""
        return self.source.splitlines()

    @property
    def numbered(self) -> list[tuple[int, str]]:
        """Return the lines with their numbers."""
        return list(enumerate(self.lines, start=1))

    def around(self, before: int = 4, after: int = 2) -> list[tuple[int, str]]:
        """Return the lines around the one that stopped, with their numbers."""
        if self.line is None:
            return []
        first = max(self.line - before, 1)
        return self.numbered[first - 1 : self.line + after]


@dataclass(frozen=True)
class GradedWork:
    """What a page needs of the executed notebooks of one student."""

    cells: tuple[StudentCell, ...] = ()
    failures: tuple[Failure, ...] = ()
    """Errors that cells ended with, in the order of the notebook."""
    sources: tuple[str, ...] = ()
    """Code that the student can read: the released cells, and the own ones."""


def read_work(course: GradingRun, record: Record) -> GradedWork:
    """Read the executed notebooks of a record; there are none of a submission that was not graded.

    Of a task the student's own cells are shown, never the task itself: for graders its mark scheme stands there.
    """
    folder = course.records / record.student / course.assignment.name
    parts = []
    for name in record.run_notebooks if record.status == GRADED else ():
        path = folder / f"{name}.ipynb"
        if path.is_file():
            released = course.assignment.notebook(name).released
            prefix = f"{name}/" if len(course.assignment.notebooks) > 1 else ""
            parts.append(_of_one(nbformat.read(path, as_version=4), released, prefix))
    return GradedWork(
        tuple(cell for part in parts for cell in part.cells),
        tuple(failure for part in parts for failure in part.failures),
        tuple(source for part in parts for source in part.sources),
    )


def _of_one(notebook: NotebookNode, released: NotebookNode, prefix: str) -> GradedWork:
    answers = answers_in(notebook)
    cells, failures = [], []
    for cell in notebook.cells:
        failures += [_failure(cell, output, prefix) for output in cell.get("outputs", []) if _is_error(output)]
        own = cell.id.startswith(ADDITIONAL_ID) and cell.cell_type == "code"
        if is_solution(cell) or is_task(cell):
            cells.append(_solution_cell(cell, answers, prefix))
        elif own:
            cells.append(StudentCell(cell.id, OWN_CELL, cell.source[:_MAX_SOURCE], _said(cell), is_solution=False))
    sources = [cell.source for cell in released.cells if cell.cell_type == "code"]
    return GradedWork(tuple(cells), tuple(failures), (*sources, *(cell.source for cell in cells)))


def _solution_cell(cell: NotebookNode, answers: Mapping[str, WrittenAnswer], prefix: str) -> StudentCell:
    grade_id = cell.metadata.nbgrader.grade_id
    answer = answers.get(grade_id, WrittenAnswer())
    source = answer.text if is_task(cell) else cell.source
    return StudentCell(
        cell.id, prefix + grade_id, source[:_MAX_SOURCE], _said(cell), len(answer.pictures), grade_id in answers
    )


def with_line(cell: StudentCell, line: int | None) -> StudentCell:
    """Return the cell with the line marked that stopped, unless one is already."""
    return cell if cell.line is not None else replace(cell, line=line)


def _is_error(output: Mapping[str, Any]) -> bool:
    return bool(output["output_type"] == "error")


def _failure(cell: NotebookNode, output: Mapping[str, Any], prefix: str) -> Failure:
    name = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.id
    if cell.id.startswith(ADDITIONAL_ID):
        name = OWN_CELL
    said = clean(f"{output['ename']}: {output['evalue']}") if output["evalue"] else clean(str(output["ename"]))
    return Failure(said, f"{prefix}{name}", "\n".join(map(str, output.get("traceback", ()))), cell.id)


def _said(cell: NotebookNode) -> str:
    return "\n".join(_output_text(output) for output in cell.get("outputs", []))[:_MAX_SAID].strip()


def _output_text(output: Mapping[str, Any]) -> str:
    """Return the text of an output, line by line made printable; an error as its name and message."""
    if _is_error(output):
        return clean(f"{output['ename']}: {output['evalue']}")
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    lines = text if isinstance(text, str) else "".join(text)
    return "\n".join(clean(line) for line in lines[: 2 * _MAX_SAID].splitlines())
