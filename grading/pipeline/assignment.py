"""An assignment as grading sees it: the released form of its master, its grade cells, and its `scoring.py`."""

import ast
import contextlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from grading.common.notebooks import DEMO_TAG
from grading.config import load_config
from grading.errors import GradingError
from grading.execution.job import Cell
from grading.release.preprocessors import INLINE_TAG
from grading.release.released import released_notebook
from grading.scoring.explanation import Explanation, Measure
from grading.scoring.questions import Answer, Context, Question, Score

SCORING = "scoring.py"


@dataclass(frozen=True)
class Assignment:
    """What grading needs to know of `source/<name>/`."""

    name: str
    source: Path
    released: NotebookNode
    """The notebook as students get it: stubs, no hidden tests, no outputs."""
    scoring: ModuleType
    max_points: Mapping[str, float]
    """By grade id, in the order of the notebook."""

    @property
    def notebook_name(self) -> str:
        """File name of the notebook."""
        return f"{self.name}.ipynb"

    @property
    def total(self) -> float:
        """Points that can be had."""
        return sum(self.max_points.values())

    @property
    def title(self) -> str:
        """The notebook's first heading; the folder's name if it has none."""
        headings = (
            line.removeprefix("# ").strip()
            for cell in self.released.cells
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
            if line.startswith("# ") and "](" not in line
        )
        return next(headings, self.name)

    @property
    def solution_ids(self) -> tuple[str, ...]:
        """Grade ids of the cells that students fill in."""
        return tuple(cell.metadata.nbgrader.grade_id for cell in self.released.cells if is_solution(cell))

    @property
    def imports(self) -> tuple[str, ...]:
        """The import statements of the cells that are run when grading, each once."""
        statements = []
        for cell in self.released.cells:
            if cell.cell_type != "code" or is_grade(cell) or DEMO_TAG in cell.metadata.get("tags", []):
                continue
            with contextlib.suppress(SyntaxError):  # a cell with a magic command
                found = [
                    node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Import | ast.ImportFrom)
                ]
                statements += [ast.unparse(node) for node in found]
        return tuple(dict.fromkeys(statements))

    def questions(self, context: Context) -> list[Question]:
        """What is asked of every submission."""
        questions: list[Question] = self.scoring.questions(context)
        names = [question.name for question in questions]
        if len(names) != len(set(names)):
            raise GradingError(f"{self.source / SCORING}: two questions have the same name")
        return questions

    def student_view(self, context: Context, folder: Path) -> Mapping[str, Path]:
        """What of the course data student code may read: all of it, unless `scoring.py` says otherwise."""
        if hasattr(self.scoring, "student_view"):
            view: Mapping[str, Path] = self.scoring.student_view(context, folder)
            return view
        return {path.name: path for path in context.data.iterdir()} if context.data else {}

    def score(self, answers: Mapping[str, Answer], context: Context) -> dict[str, Score]:
        """Points by grade id, in the order of the notebook, each within its bounds.

        Raises GradingError when `scoring.py` fails or leaves a grade cell out: that is its author's mistake,
        never the student's.
        """
        scores: dict[str, Score] = self._call("score", answers, context)
        if set(scores) != set(self.max_points):
            raise GradingError(
                f"{self.source / SCORING} scores {', '.join(sorted(scores))}, but the grade cells are "
                f"{', '.join(sorted(self.max_points))}"
            )
        for name, maximum in self.max_points.items():
            if not 0 <= scores[name].points <= maximum:
                raise GradingError(
                    f"{self.source / SCORING} gives {scores[name].points} points for {name}, of {maximum:g}"
                )
        return {name: scores[name] for name in self.max_points}

    def flags(self, scores: Mapping[str, Score]) -> list[str]:
        """What an instructor should look at; nothing unless `scoring.py` says what."""
        return list(self._call("flags", scores) or ())

    def measures(self, scores: Mapping[str, Score], context: Context) -> list[Measure]:
        """The figures that points depend on; none unless `scoring.py` names them."""
        return list(self._call("measures", scores, context) or ())

    def explain(self, answers: Mapping[str, Answer], context: Context) -> Explanation:
        """What a feedback page shows beside points and reasons; nothing unless `scoring.py` says what."""
        explanation: Explanation | None = self._call("explain", answers, context)
        return explanation or Explanation()

    def _call(self, function: str, *arguments: Any) -> Any:
        """What a function of `scoring.py` gives; None if it has none of this name."""
        if not hasattr(self.scoring, function):
            return None
        try:
            return getattr(self.scoring, function)(*arguments)
        except Exception as error:
            raise GradingError(f"{self.source / SCORING}, {function}: {type(error).__name__}: {error}") from error


def load_assignment(course_dir: Path, name: str) -> Assignment:
    """An assignment of a course folder. Raises GradingError where it cannot be graded outside the sandbox."""
    master = find_master(course_dir, name)
    source = master.parent
    released = released_notebook(nbformat.read(master, as_version=4), source, load_config(course_dir))
    grade_cells = [cell for cell in released.cells if is_grade(cell)]
    return Assignment(
        name=name,
        source=source,
        released=released,
        scoring=_load_scoring(source),
        max_points={cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points) for cell in grade_cells},
    )


def find_master(course_dir: Path, name: str) -> Path:
    """The master notebook of an assignment. Raises GradingError, with the names there are, if there is none."""
    master = course_dir / "source" / name / f"{name}.ipynb"
    if not master.is_file():
        known = sorted(path.parent.name for path in (course_dir / "source").glob("*/*.ipynb"))
        raise GradingError(f"no assignment {name!r} in source/: there is {', '.join(known) or 'none'}")
    return master


def has_scoring(course_dir: Path, name: str) -> bool:
    """Whether an assignment is scored outside the sandbox."""
    return (course_dir / "source" / name / SCORING).is_file()


def cells_to_run(notebook: NotebookNode) -> tuple[Cell, ...]:
    """The code cells of a rebuilt notebook; not its grade cells, whose points are decided outside."""
    return tuple(
        Cell(cell.id, cell.source, DEMO_TAG in cell.metadata.get("tags", []))
        for cell in notebook.cells
        if cell.cell_type == "code" and not is_grade(cell)
    )


def inlined_cells(notebook: NotebookNode) -> frozenset[str]:
    """Ids of the demonstrations that hold thresholds."""
    return frozenset(
        cell.id
        for cell in notebook.cells
        if {INLINE_TAG, DEMO_TAG} <= set(cell.metadata.get("tags", [])) and not is_grade(cell)
    )


def _load_scoring(source: Path) -> ModuleType:
    path = source / SCORING
    if not path.is_file():
        raise GradingError(
            f"{path} is missing: `course grade` decides points outside the sandbox, see docs/author.md. "
            "`nbgrader autograde` runs such an assignment in the sandbox, its points decided by its own tests"
        )
    name = f"scoring_of_{source.name}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise GradingError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    missing = [function for function in ("questions", "score") if not hasattr(module, function)]
    if missing:
        raise GradingError(f"{path} defines no {' and no '.join(missing)}")
    return module
