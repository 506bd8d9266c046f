"""What was graded and why: record.json, the executed notebook, and nbgrader's gradebook. One writer for each run.

Only this module talks to the gradebook.
"""

import copy
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import BaseCell, Comment, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.api import Grade as GradeRow
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import ComputeChecksums, SaveCells
from nbgrader.utils import is_grade, is_solution, parse_utc
from sqlalchemy import select
from traitlets.config import Config

from grading.assignment import DEMO_TAG, Assignment
from grading.errors import GradingError
from grading.execute import Event, Executed
from grading.explanation import Measure
from grading.rebuild import ADDITIONAL_ID
from grading.store import read_json, write_atomically

log = logging.getLogger(__name__)

RECORD = "record.json"
SCHEMA = 1
GRADED, REFUSED, FAILED = "graded", "refused", "failed"
_LINK = re.compile(r"\](?=[(\[:])")
SKIPPED = "Not run when grading: this cell only demonstrates."


@dataclass(frozen=True)
class QuestionRecord:
    """One grade cell."""

    points: float
    max_points: float
    reason: str
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """Everything that is known about a graded submission. `status` is graded, refused or failed."""

    student: str
    assignment: str
    status: str
    why: str = ""
    """Why it was refused or has failed, in words."""
    questions: Mapping[str, QuestionRecord] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    repairs: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    flags: tuple[str, ...] = ()
    submission: Mapping[str, Any] = field(default_factory=dict)
    """File name, SHA-256, time stamp, and whether a solution cell was changed at all."""
    execution: Mapping[str, Any] = field(default_factory=dict)
    """Key and parts of it, seeds, isolation, limits, versions, seconds, memory."""
    schema: int = SCHEMA

    @property
    def points(self) -> float:
        """Points in all."""
        return sum(question.points for question in self.questions.values())

    @property
    def max_points(self) -> float:
        """Points that could be had."""
        return sum(question.max_points for question in self.questions.values())

    def to_json(self) -> dict[str, Any]:
        """As plain data, with the sums."""
        return {**asdict(self), "points": self.points, "max_points": self.max_points}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Record":
        """From what `to_json` gave."""
        data = {key: value for key, value in data.items() if key not in ("points", "max_points")}
        questions = {name: QuestionRecord(**question) for name, question in data["questions"].items()}
        events = tuple(Event(**event) for event in data["events"])
        measures = tuple(Measure(**measure) for measure in data.get("measures", ()))
        lists = {name: tuple(data[name]) for name in ("repairs", "flags")}
        return cls(**{**data, **lists, "questions": questions, "events": events, "measures": measures})


def read_record(folder: Path) -> Record | None:
    """The record of a submission's folder in `autograded/`, or None."""
    try:
        return Record.from_json(read_json(folder / RECORD))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        log.warning("%s is damaged; it is made anew by grading", folder / RECORD)
        return None


def executed_notebook(rebuilt: NotebookNode, executed: Executed, record: Record) -> NotebookNode:
    """The rebuilt notebook with what its cells printed, and in each grade cell the points and why."""
    notebook = copy.deepcopy(rebuilt)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            if is_solution(cell) or cell.id.startswith(ADDITIONAL_ID):
                cell.source = harmless(cell.source)
            continue
        cell.execution_count = None
        if is_grade(cell):
            cell.outputs = _verdict(record.questions[cell.metadata.nbgrader.grade_id])
        elif cell.id in executed.outputs:
            cell.outputs = [nbformat.from_dict(_written(output)) for output in executed.outputs[cell.id]]
        elif DEMO_TAG in cell.metadata.get("tags", []):
            cell.outputs = [new_output("stream", name="stdout", text=SKIPPED)]
    return notebook


def harmless(markdown: str) -> str:
    """Markdown without HTML, links and pictures: nbgrader's pages show all that is in a cell, scripts too."""
    return _LINK.sub("] ", markdown.replace("<", "&lt;"))


def _verdict(question: QuestionRecord) -> list[NotebookNode]:
    """Outputs that nbgrader reads as just these points."""
    said = f"{question.reason}\n{question.points:g} of {question.max_points:g} points.\n"
    return [
        new_output("stream", name="stdout", text=said),
        new_output("execute_result", data={"text/plain": f"{question.points:g}"}, execution_count=None),
    ]


def _written(output: Mapping[str, Any]) -> dict[str, Any]:
    """An output that cannot break the file: what cannot be encoded is replaced."""
    found: dict[str, Any] = json.loads(json.dumps(output).encode("utf-8", "replace").decode("utf-8"))
    return _without_surrogates(found)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def write_files(folder: Path, notebook_name: str, notebook: NotebookNode | None, record: Record) -> None:
    """Write record.json and, if there is one, the executed notebook; each appears whole or not at all.

    What an earlier grading left stays where this one has failed, and goes where the new hand-in is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(folder.stat().st_mode | 0o700)  # nbgrader leaves its folders read-only
    if notebook is not None:
        write_atomically(folder / notebook_name, nbformat.writes(notebook))
    elif record.status == REFUSED:
        (folder / notebook_name).unlink(missing_ok=True)
    if timestamp := record.submission.get("timestamp"):
        write_atomically(folder / "timestamp.txt", f"{timestamp}\n")
    write_atomically(folder / RECORD, json.dumps(record.to_json(), indent=1, ensure_ascii=True))


class GradebookWriter:
    """nbgrader's gradebook, open for one assignment. Manual grades and comments are never touched."""

    def __init__(self, db_url: str, assignment: Assignment, config: Config) -> None:
        self.assignment = assignment
        self._config = config
        _enter_assignment(db_url, assignment, config)
        self._gradebook = Gradebook(db_url, str(config.CourseDirectory.get("course_id", "")) or "default_course")

    def __enter__(self) -> "GradebookWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gradebook.close()

    def write(self, record: Record) -> None:
        """Enter a record's points. One that has failed changes nothing; a refused one has 0 and asks for a look."""
        if record.status == FAILED:
            return
        gradebook, name = self._gradebook, self.assignment.name
        gradebook.update_or_create_student(record.student)
        timestamp = record.submission.get("timestamp")
        known = {"timestamp": parse_utc(timestamp)} if timestamp else {}
        submission = gradebook.update_or_create_submission(name, record.student, **known)
        notebook = gradebook.find_submission_notebook(name, name, record.student)
        for grade in notebook.grades:
            points = record.questions[grade.name].points if record.status == GRADED else 0.0
            changed = grade.auto_score != points
            grade.auto_score = points
            if grade.manual_score is None:
                grade.needs_manual_grade = record.status == REFUSED
            elif changed:
                grade.needs_manual_grade = True  # a person has decided on other grounds: have them look again
        for comment in notebook.comments:
            if comment.name in self.assignment.solution_ids:
                comment.auto_comment = None if record.submission.get("changed") else "No response."
        notebook.late_submission_penalty = self._penalty(submission, notebook.score)
        gradebook.db.commit()

    def rollback(self) -> None:
        """Forget what was entered since the last record."""
        self._gradebook.db.rollback()

    def _penalty(self, submission: Any, score: float) -> float | None:
        if submission.total_seconds_late <= 0:
            return None
        plugin = LateSubmissionPlugin(config=self._config)
        penalty = plugin.late_submission_penalty(submission.student_id, score, submission.total_seconds_late)
        return None if penalty is None else float(penalty)


@dataclass(frozen=True)
class Grades:
    """What the gradebook says of one submission: what was given by hand stands above what was automatic."""

    questions: Mapping[str, float]
    by_hand: frozenset[str] = frozenset()
    comments: Mapping[str, str] = field(default_factory=dict)
    """Written by a person, by the grade id of the cell."""
    penalty: float = 0.0
    """Points taken off because it was late."""

    @property
    def points(self) -> float:
        """Points in all, after the penalty."""
        return max(0.0, sum(self.questions.values()) - self.penalty)


def read_grades(db_url: str, course_id: str, assignment: str) -> dict[str, Grades]:
    """The grades of a class, by student, as the formgrader shows them. Empty if nothing was graded yet."""
    with Gradebook(db_url, course_id or "default_course") as gradebook:
        rows = gradebook.db.execute(
            select(
                SubmittedAssignment.student_id,
                BaseCell.name,
                GradeRow.auto_score,
                GradeRow.manual_score,
                GradeRow.extra_credit,
                SubmittedNotebook.late_submission_penalty,
            )
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(GradeRow, GradeRow.notebook_id == SubmittedNotebook.id)
            .join(BaseCell, BaseCell.id == GradeRow.cell_id)
            .join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
            .where(AssignmentRow.name == assignment)
        ).all()
        said = gradebook.db.execute(
            select(SubmittedAssignment.student_id, BaseCell.name, Comment.manual_comment)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Comment, Comment.notebook_id == SubmittedNotebook.id)
            .join(BaseCell, BaseCell.id == Comment.cell_id)
            .join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
            .where(AssignmentRow.name == assignment, Comment.manual_comment.is_not(None))
        ).all()
    questions: dict[str, dict[str, float]] = {}
    by_hand: dict[str, set[str]] = {}
    comments: dict[str, dict[str, str]] = {}
    penalties: dict[str, float] = {}
    for student, cell, auto, manual, extra, penalty in rows:
        questions.setdefault(student, {})[cell] = (auto or 0.0 if manual is None else manual) + (extra or 0.0)
        penalties[student] = penalty or 0.0
        if manual is not None or extra:
            by_hand.setdefault(student, set()).add(cell)
    for student, cell, comment in said:
        comments.setdefault(student, {})[cell] = comment
    return {
        student: Grades(points, frozenset(by_hand.get(student, ())), comments.get(student, {}), penalties[student])
        for student, points in questions.items()
    }


def _enter_assignment(db_url: str, assignment: Assignment, config: Config) -> None:
    """What nbgrader's generate_assignment enters: the assignment and its cells."""
    with Gradebook(db_url, str(config.CourseDirectory.get("course_id", "")) or "default_course") as gradebook:
        gradebook.update_or_create_assignment(assignment.name)
    resources = {"nbgrader": {"assignment": assignment.name, "notebook": assignment.name, "db_url": db_url}}
    notebook, _ = ComputeChecksums(config=config).preprocess(copy.deepcopy(assignment.released), resources)
    try:
        SaveCells(config=config).preprocess(notebook, resources)
    except RuntimeError as error:
        raise GradingError(
            f"{error}. Grade into a new gradebook (move the old one away), or remove the assignment from it with "
            f"`nbgrader db assignment remove {assignment.name}`"
        ) from error
