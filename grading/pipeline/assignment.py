"""An assignment as grading sees it: its notebooks, the files beside them, and its `scoring.py`, if it has one."""

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grading.config import course_directory, load_config
from grading.errors import GradingError
from grading.pipeline.notebook import Notebook, load_notebook
from grading.records.record import GradedCell, question_names
from grading.release.masters import master_paths
from grading.release.released import released_files
from grading.scoring.explanation import Explanation, Measure
from grading.scoring.questions import Answer, Context, Question, Score

SCORING = "scoring.py"


@dataclass(frozen=True)
class Assignment:
    """An assignment as grading knows it, from `source/<name>/`."""

    name: str
    source: Path
    notebooks: tuple[Notebook, ...]
    """In the order of their names."""
    scoring: Any = None
    """The module `scoring.py`; None for an assignment whose notebooks say all."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """What is released beside the notebooks, by path relative to them: it is there when cells run."""

    @cached_property
    def cells(self) -> dict[str, GradedCell]:
        """Notebook and grade id of each question, by its name, in the order of the notebooks."""
        every = [(notebook.name, grade_id) for notebook in self.notebooks for grade_id in notebook.max_points]
        return {name: cell for cell, name in question_names(every).items()}

    @cached_property
    def max_points(self) -> dict[str, float]:
        """Points that can be had, by the name of the question."""
        return {name: self.notebook(home).max_points[grade_id] for name, (home, grade_id) in self.cells.items()}

    @property
    def total(self) -> float:
        """Points that can be had."""
        return sum(self.max_points.values())

    @property
    def title(self) -> str:
        """The only notebook's first heading, or the assignment's name."""
        titles = [notebook.title for notebook in self.notebooks if notebook.title != notebook.name]
        return titles[0] if titles and len(self.notebooks) == 1 else self.name

    def notebook(self, name: str) -> Notebook:
        """Return the notebook of a name."""
        return next(notebook for notebook in self.notebooks if notebook.name == name)

    @property
    def only(self) -> Notebook:
        """Return the notebook of an assignment that has one. Raises GradingError where there are several."""
        if len(self.notebooks) > 1:
            raise GradingError(f"{self.name} has {len(self.notebooks)} notebooks; this can be done with one only")
        return self.notebooks[0]

    @property
    def released(self) -> NotebookNode:
        """Return the only notebook as students get it."""
        return self.only.released

    @property
    def notebook_name(self) -> str:
        """Return the file name of the only notebook."""
        return self.only.file_name

    @property
    def solution_ids(self) -> tuple[str, ...]:
        """Grade ids of the cells that students fill in, in the only notebook."""
        return self.only.solution_ids

    def questions(self, context: Context) -> list[Question]:
        """Ask `scoring.py` what every submission is asked; each question names the notebook whose kernel is asked."""
        asked: list[Question] = self.scoring.questions(context) if hasattr(self.scoring, "questions") else []
        names = [question.name for question in asked]
        if len(names) != len(set(names)):
            raise GradingError(f"{self.source / SCORING}: two questions have the same name")
        return [self._placed(question) for question in asked]

    def _placed(self, question: Question) -> Question:
        names = [notebook.name for notebook in self.notebooks]
        if len(names) == 1 and not question.notebook:
            return replace(question, notebook=names[0])
        if question.notebook not in names:
            raise GradingError(
                f"{self.source / SCORING}: question {question.name!r} must say its notebook, one of {', '.join(names)}"
            )
        return question

    def student_view(self, context: Context, folder: Path) -> Mapping[str, Path]:
        """Return the course data that student code may read: all of it, unless `scoring.py` says otherwise."""
        if hasattr(self.scoring, "student_view"):
            view: Mapping[str, Path] = self.scoring.student_view(context, folder)
            return view
        return {path.name: path for path in context.data.iterdir()} if context.data else {}

    def score(self, answers: Mapping[str, Answer], context: Context) -> dict[str, Score]:
        """Have `scoring.py` give points by question, each within its bounds; for the others the tests decide.

        Raises GradingError when `scoring.py` fails or scores what is no question: that is its author's mistake,
        never the student's.
        """
        scores: Mapping[str, Score] = self._call("score", answers, context) or {}
        if unknown := set(scores) - set(self.max_points):
            raise GradingError(
                f"{self.source / SCORING} scores {', '.join(sorted(unknown))}, but the graded cells are "
                f"{', '.join(sorted(self.max_points))}"
            )
        left_out = [
            name
            for name, (home, grade_id) in self.cells.items()
            if name not in scores and grade_id in self.notebook(home).tests and grade_id in self.scored(home, context)
        ]
        if left_out:
            raise GradingError(
                f"{self.source / SCORING} gives no points for {', '.join(left_out)}: let score give some, or let "
                "scored name only what it decides, so that the notebook's tests decide the others"
            )
        for name, score in scores.items():
            maximum = self.max_points[name]
            if not 0 <= score.points <= maximum:
                raise GradingError(f"{self.source / SCORING} gives {score.points} points for {name}, of {maximum:g}")
        return {name: scores[name] for name in self.max_points if name in scores}

    def scored(self, notebook: str, context: Context) -> frozenset[str]:
        """Grade ids of a notebook that `scoring.py` decides: all, unless it defines `scored`, or no `score`."""
        if not hasattr(self.scoring, "score"):
            return frozenset()
        names = self._call("scored", context) if hasattr(self.scoring, "scored") else self.max_points
        return frozenset(self.cells[name][1] for name in names if self.cells[name][0] == notebook)

    def flags(self, scores: Mapping[str, Score]) -> list[str]:
        """List what an instructor should look at; nothing unless `scoring.py` says what."""
        return list(self._call("flags", scores) or ())

    def measures(self, answers: Mapping[str, Answer], scores: Mapping[str, Score], context: Context) -> list[Measure]:
        """List the figures that points depend on; none unless `scoring.py` names them."""
        return list(self._call("measures", answers, scores, context) or ())

    def explain(self, answers: Mapping[str, Answer], context: Context) -> Explanation:
        """Return what a feedback page shows beside points and reasons; nothing unless `scoring.py` says what."""
        explanation: Explanation | None = self._call("explain", answers, context)
        return explanation or Explanation()

    def _call(self, function: str, *arguments: Any) -> Any:
        """Call a function of `scoring.py`; return None if it has none of this name."""
        if not hasattr(self.scoring, function):
            return None
        try:
            return getattr(self.scoring, function)(*arguments)
        except Exception as error:
            raise GradingError(f"{self.source / SCORING}, {function}: {type(error).__name__}: {error}") from error


def load_assignment(course_dir: Path, name: str) -> Assignment:
    """Load an assignment of a course folder. Raises CourseError where it cannot be graded."""
    masters = find_masters(course_dir, name)
    config = load_config(course_dir)
    source = masters[0].parent
    notebooks = tuple(load_notebook(path, config) for path in masters)
    files = released_files(source, [notebook.released for notebook in notebooks], config)
    assignment = Assignment(name, source, notebooks, _load_scoring(source), files)
    if len(assignment.cells) < sum(len(notebook.max_points) for notebook in assignment.notebooks):
        raise GradingError(f"source/{name}: two questions have the same name; give them other grade ids")
    return assignment


def find_masters(course_dir: Path, name: str) -> list[Path]:
    """List the masters of an assignment. Raises GradingError, with the names there are, if there is none."""
    source = _source_folder(course_dir)
    masters = master_paths(source / name)
    if not masters:
        known = sorted({path.parent.name for path in source.glob("*/*.ipynb")})
        raise GradingError(f"no assignment {name!r} in {source.name}/: there is {', '.join(known) or 'none'}")
    return masters


def _source_folder(course_dir: Path) -> Path:
    return course_dir / course_directory(load_config(course_dir), "source")


def _load_scoring(source: Path) -> Any:
    path = source / SCORING
    if not path.is_file():
        return None
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
    if hasattr(module, "questions") and not (hasattr(module, "score") or hasattr(module, "measures")):
        raise GradingError(f"{path} defines neither score nor measures: nothing would come of its questions")
    return module
