"""nbgrader's gradebook: one writer for each run, and a reader of a class's grades. Only this module talks to it.

A class is read in a few queries, and only what has changed is written, many rows at a time.
"""

import copy
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep
from types import MappingProxyType, TracebackType
from typing import Any

import nbgrader
from nbformat import NotebookNode
from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import (
    Base,
    BaseCell,
    Comment,
    Gradebook,
    InvalidEntry,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.api import Course as CourseRow
from nbgrader.api import Grade as GradeRow
from nbgrader.plugins import BasePlugin
from nbgrader.preprocessors import AssignLatePenalties, ComputeChecksums, SaveCells
from nbgrader.utils import is_solution, parse_utc
from sqlalchemy import bindparam, create_engine, insert, inspect, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from traitlets.config import Config

from grading.common.text import clean
from grading.config import CourseRules
from grading.errors import GradingError
from grading.records.deadlines import Deadlines
from grading.records.grades import Grades
from grading.records.record import FAILED, GRADED, PERSON, REFUSED, GradedCell, Record

log = logging.getLogger(__name__)

_COMMIT_SECONDS = 0.5
_TRIES = 5
NO_RESPONSE = "No response."


@dataclass(frozen=True)
class Person:
    """Facts of the gradebook about a student beside the id; None is for what is not known."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


@dataclass
class _Grade:
    """A row of the table of grades."""

    id: str
    auto: float | None
    manual: float | None
    extra: float | None
    needs_manual: bool

    @property
    def score(self) -> float:
        chosen = self.auto if self.manual is None else self.manual
        return (chosen or 0.0) + (self.extra or 0.0)


@dataclass
class _NotebookRow:
    """A notebook of a submission in the gradebook."""

    id: str
    penalty: float | None = None


@dataclass
class _Row:
    """A submission in the gradebook, as far as grading writes it."""

    submission: str
    timestamp: datetime | None = None
    extension: timedelta | None = None
    notebooks: dict[str, _NotebookRow] = field(default_factory=dict)
    grades: dict[GradedCell, _Grade] = field(default_factory=dict)
    comments: dict[GradedCell, tuple[str, str | None]] = field(default_factory=dict)
    """The row's id and the automatic comment."""


@dataclass(frozen=True)
class _Cells:
    """Ids of an assignment, its notebooks and their cells."""

    assignment: str
    notebooks: Mapping[str, str]
    graded: Mapping[GradedCell, str]
    commented: Mapping[GradedCell, str]


def in_words(error: Exception) -> str:
    """Say why something could not be recorded."""
    if isinstance(error, DBAPIError):
        return (
            f"the gradebook cannot be written ({clean(str(error.orig))}): close what has it open, the formgrader say, "
            "and grade again"
        )
    return f"{type(error).__name__}: {clean(str(error))}"


@contextmanager
def _said_in_words() -> Iterator[None]:
    """Raise GradingError where the gradebook cannot be written."""
    try:
        yield
    except DBAPIError as error:
        raise GradingError(in_words(error)) from error


class _Changes:
    """Rows to be inserted and values to be set, written together: one statement for many rows."""

    def __init__(self) -> None:
        self._new: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        self._set: dict[tuple[Any, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)

    def insert(self, table: Any, **values: Any) -> str:
        """Add a new row; return the id that it will have."""
        key = new_uuid()
        self._new[table].append({"id": key, **values})
        return key

    def set(self, table: Any, key: str, **values: Any) -> None:
        """Set values of the row with an id."""
        self._set[table, tuple(values)].append({"_id": key, **{f"_{name}": value for name, value in values.items()}})

    def write(self, db: Session) -> None:
        """Write all, in the order in which tables were first named."""
        connection = db.connection()
        for table, rows in self._new.items():
            connection.execute(insert(table.__table__), rows)
        for (table, names), rows in self._set.items():
            columns = table.__table__.c
            values: dict[Any, Any] = {columns[name]: bindparam(f"_{name}") for name in names}
            connection.execute(update(table.__table__).where(columns.id == bindparam("_id")).values(values), rows)
        self.forget()

    def forget(self) -> None:
        """Leave all unwritten."""
        self._new.clear()
        self._set.clear()


class GradebookWriter:
    """nbgrader's gradebook, open for one assignment. Manual grades and comments are never touched.

    What was written is entered by `commit`, or at the end of the block.
    """

    def __init__(
        self,
        db_url: str,
        assignment: str,
        notebooks: Mapping[str, NotebookNode],
        config: Config,
        rules: CourseRules | None = None,
    ) -> None:
        """Enter the assignment, with the due time of its `rules` of hand-ins where these say one.

        `notebooks` are by name, as the gradebook keeps them: with stubs and hidden tests.
        """
        self.assignment = assignment
        self._config = config
        self._names = frozenset(notebooks)
        self._solutions = frozenset(
            (name, cell.metadata.nbgrader.grade_id)
            for name, notebook in notebooks.items()
            for cell in notebook.cells
            if is_solution(cell)
        )
        with _said_in_words():
            _in_several_tries(lambda: _enter_assignment(db_url, assignment, notebooks, config))
        self._gradebook = Gradebook(db_url, _course_id(config))
        self._db = self._gradebook.db
        self._deadlines = Deadlines(self._gradebook, assignment, rules)
        self._cells = self._read_cells()
        self._students = set(self._db.scalars(select(Student.id)))
        self._rows: dict[str, _Row] | None = self._read()
        self._changes = _Changes()
        self._committed = monotonic()
        self._uncommitted: list[Record] = []

    def __enter__(self) -> "GradebookWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for student, why in self.commit().items():
                log.error("%s: %s", student, why)
        finally:
            self._gradebook.close()

    def enter_students(self, students: Iterable[str], people: Mapping[str, Person] = MappingProxyType({})) -> None:
        """Enter those that the gradebook does not know, and names and addresses where it has none or others.

        Others may be entering them at the same time. What is not known of a student overwrites nothing.

        Raises GradingError where the gradebook cannot be written.
        """
        new = set(students) - self._students
        if new:
            rows = [{"id": student} for student in sorted(new)]  # sorted: two who insert never wait for each other
            with _said_in_words():
                self._db.execute(_insert_or_leave(self._db.get_bind().dialect.name, Student), rows)
                self._db.commit()
            self._students |= new
        self._name({student: person for student, person in people.items() if student in self._students})

    def _name(self, people: Mapping[str, Person]) -> None:
        columns = [getattr(Student, field.name) for field in fields(Person)]
        known = {name: Person(*rest) for name, *rest in self._db.execute(select(Student.id, *columns))}
        for student in sorted(people):
            values = {name: value for name, value in asdict(people[student]).items() if value}
            if any(getattr(known[student], name) != value for name, value in values.items()):
                self._changes.set(Student, student, **values)
        with _said_in_words():
            self._changes.write(self._db)
            self._db.commit()

    @property
    def is_due(self) -> bool:
        """Return whether what was written should be committed by now."""
        return monotonic() - self._committed > _COMMIT_SECONDS

    def write(self, record: Record) -> None:
        """Write a record's points, to be entered by `commit`.

        One that has failed changes nothing; a refused one has 0 and asks for a look. Whatever this raises, call
        `leave_out` then.
        """
        if record.status == FAILED:
            return
        row = self._known_rows().get(record.student) or self._add(record.student)
        self._complete(row)
        self._write_time(row, record)
        for name in record.questions:
            if grade := row.grades.get(record.cell_of(name)):
                self._write_grade(grade, record, name)
        self._write_comments(row, record)
        self._write_penalties(row, record)
        self._uncommitted.append(record)

    def settled(self, record: Record, before: Record | None) -> Record:
        """Return a record with what a person gave for answers that only a person grades, and which of them wait.

        `before` is the record that stands: an answer that has changed since a person graded it waits for another look.
        """
        row = self._known_rows().get(record.student)
        questions = dict(record.questions)
        regrade = []
        for name, question in record.questions.items():
            if question.decided != PERSON:
                continue
            grade = row.grades.get(record.cell_of(name)) if row else None
            if grade is None or grade.manual is None:
                questions[name] = replace(question, points=0.0, waits=True)
                continue
            changed = before is None or name in before.regrade or before.answers.get(name) != record.answers.get(name)
            if changed and not grade.needs_manual:
                regrade.append(name)
            questions[name] = replace(question, points=grade.score, waits=changed or grade.needs_manual)
        return replace(record, questions=questions, regrade=tuple(regrade))

    def commit(self) -> dict[str, str]:
        """Enter what was written; return the students whose records could not be entered, with the reason.

        Of these nothing is in the gradebook but what was there before.
        """
        self._committed = monotonic()
        records, self._uncommitted = self._uncommitted, []
        try:
            self._changes.write(self._db)
            self._db.commit()
        except DBAPIError as error:
            self._start_over()
            return {record.student: in_words(error) for record in records}
        return {}

    def leave_out(self) -> dict[str, str]:
        """Forget the record that could not be written; those before it are written again.

        Return those that could not be, with the reason.
        """
        before, self._uncommitted = self._uncommitted, []
        self._start_over()
        lost = {}
        for record in before:
            try:
                self.write(record)
            except DBAPIError as error:
                self._start_over()
                lost[record.student] = in_words(error)
        return lost

    def _start_over(self) -> None:
        """Forget what was not committed. What the gradebook holds is read again when it is needed: it may be locked."""
        self._changes.forget()
        self._db.rollback()
        self._rows = None

    def _known_rows(self) -> dict[str, _Row]:
        if self._rows is None:
            self._rows = self._read()
        return self._rows

    def _write_time(self, row: _Row, record: Record) -> None:
        known = record.submission.get("timestamp")
        when = parse_utc(known) if known else None
        if when is not None and when != row.timestamp:
            self._changes.set(SubmittedAssignment, row.submission, timestamp=when)
            row.timestamp = when

    def _write_grade(self, grade: _Grade, record: Record, name: str) -> None:
        question = record.questions[name]
        by_person = record.status == GRADED and question.decided == PERSON
        points = None if by_person else question.points if record.status == GRADED else 0.0
        needs_manual = grade.needs_manual
        if grade.manual is None:
            needs_manual = by_person or _asks_for_a_look(record, record.cell_of(name)[0])
        elif grade.auto != points or name in record.regrade:
            needs_manual = True  # a person has decided on other grounds: have them look again
        if (grade.auto, grade.needs_manual) != (points, needs_manual):
            self._changes.set(GradeRow, grade.id, auto_score=points, needs_manual_grade=needs_manual)
            grade.auto, grade.needs_manual = points, needs_manual

    def _write_comments(self, row: _Row, record: Record) -> None:
        for cell, (key, before) in row.comments.items():
            said = NO_RESPONSE if _is_unanswered(record, *cell) else None
            if cell in self._solutions and before != said:
                self._changes.set(Comment, key, auto_comment=said)
                row.comments[cell] = (key, said)

    def _write_penalties(self, row: _Row, record: Record) -> None:
        extension = self._deadlines.extension(record.student, row.extension)
        if extension != row.extension:
            self._changes.set(SubmittedAssignment, row.submission, extension=extension)
            row.extension = extension
        late = self._deadlines.counted(record.student, row.timestamp, extension)
        for name, notebook in row.notebooks.items():
            penalty = self._penalty(row, name, record.student, late)
            if penalty != notebook.penalty:
                self._changes.set(SubmittedNotebook, notebook.id, late_submission_penalty=penalty)
                notebook.penalty = penalty

    def _penalty(self, row: _Row, name: str, student: str, late: timedelta) -> float | None:
        score = sum(grade.score for (home, _), grade in row.grades.items() if home == name)
        return self._deadlines.penalty(student, score, late, self._late_plugin)

    @cached_property
    def _late_plugin(self) -> BasePlugin:
        assigning = AssignLatePenalties(config=self._config)
        assigning.init_plugin()
        return assigning.plugin_inst

    def _add(self, student: str) -> _Row:
        """Enter a submission as nbgrader's `add_submission` does."""
        self.enter_students([student])
        row = _Row(self._changes.insert(SubmittedAssignment, assignment_id=self._cells.assignment, student_id=student))
        self._known_rows()[student] = row
        return row

    def _complete(self, row: _Row) -> None:
        """Enter what a submission has no rows for: all, or a notebook that the assignment did not have before."""
        new = self._changes.insert
        for name, key in self._cells.notebooks.items():
            if name in row.notebooks:
                continue
            notebook = new(SubmittedNotebook, notebook_id=key, assignment_id=row.submission)
            row.notebooks[name] = _NotebookRow(notebook)
            for cell, cell_id in self._cells.graded.items():
                if cell[0] == name:
                    added = new(GradeRow, cell_id=cell_id, notebook_id=notebook)
                    row.grades[cell] = _Grade(added, None, None, None, True)
            for cell, cell_id in self._cells.commented.items():
                if cell[0] == name:
                    row.comments[cell] = (new(Comment, cell_id=cell_id, notebook_id=notebook), None)

    def _read_cells(self) -> _Cells:
        assignment = self._gradebook.find_assignment(self.assignment)
        graded: dict[GradedCell, str] = {}
        commented: dict[GradedCell, str] = {}
        notebooks = [notebook for notebook in assignment.notebooks if notebook.name in self._names]
        for notebook in notebooks:
            graded |= {(notebook.name, cell.name): cell.id for cell in (*notebook.grade_cells, *notebook.task_cells)}
            commented |= {
                (notebook.name, cell.name): cell.id for cell in (*notebook.solution_cells, *notebook.task_cells)
            }
        return _Cells(assignment.id, {one.name: one.id for one in notebooks}, graded, commented)

    def _read(self) -> dict[str, _Row]:
        rows: dict[str, _Row] = {}
        chosen = _of_assignment(self.assignment)
        submissions = select(
            SubmittedAssignment.student_id,
            SubmittedAssignment.id,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
        )
        of_assignment = submissions.join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
        for student, *values in self._db.execute(of_assignment.where(AssignmentRow.name == self.assignment)):
            rows[student] = _Row(*values)
        notebooks = select(
            SubmittedAssignment.student_id,
            Notebook.name,
            SubmittedNotebook.id,
            SubmittedNotebook.late_submission_penalty,
        )
        for student, name, *values in self._db.execute(chosen(notebooks, SubmittedNotebook)):
            rows[student].notebooks[name] = _NotebookRow(*values)
        grades = select(
            SubmittedAssignment.student_id,
            Notebook.name,
            BaseCell.name,
            GradeRow.id,
            GradeRow.auto_score,
            GradeRow.manual_score,
            GradeRow.extra_credit,
            GradeRow.needs_manual_grade,
        )
        for student, name, cell, *values in self._db.execute(chosen(grades, GradeRow)):
            rows[student].grades[name, cell] = _Grade(*values)
        comments = select(
            SubmittedAssignment.student_id, Notebook.name, BaseCell.name, Comment.id, Comment.auto_comment
        )
        for student, name, cell, key, said in self._db.execute(chosen(comments, Comment)):
            rows[student].comments[name, cell] = (key, said)
        return rows


def _asks_for_a_look(record: Record, notebook: str) -> bool:
    """Return whether a person should look at points of a notebook: it was handed in, and cannot be read."""
    described = record.submission.get("notebooks", {}).get(notebook, {})
    return record.status == REFUSED or bool(described.get("refusal") and described.get("file"))


def _is_unanswered(record: Record, notebook: str, grade_id: str) -> bool:
    """Return whether a solution cell is as it was released, or was not handed in."""
    described = record.submission.get("notebooks", {}).get(notebook)
    if described is None:
        return not record.submission.get("changed")
    return bool(described.get("refusal")) or grade_id in described.get("unanswered", ())


def _of_assignment(assignment: str) -> Any:
    """Return a function that joins a selection of a table's rows to the submissions of an assignment."""

    def chosen(selected: Any, table: Any) -> Any:
        selected = selected.select_from(SubmittedAssignment)
        selected = selected.join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        selected = selected.join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        selected = selected.join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
        if table is not SubmittedNotebook:
            selected = selected.join(table, table.notebook_id == SubmittedNotebook.id)
            selected = selected.join(BaseCell, BaseCell.id == table.cell_id)
        return selected.where(AssignmentRow.name == assignment)

    return chosen


def read_grades(db_url: str, course_id: str, assignment: str) -> dict[str, Grades]:
    """Read the grades of a class, by student, as the formgrader shows them. Empty if nothing was graded yet."""
    chosen = _of_assignment(assignment)
    points = select(
        SubmittedAssignment.student_id,
        Notebook.name,
        BaseCell.name,
        GradeRow.auto_score,
        GradeRow.manual_score,
        GradeRow.extra_credit,
        GradeRow.needs_manual_grade,
        SubmittedNotebook.late_submission_penalty,
    )
    said = select(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, Comment.manual_comment)
    with Gradebook(db_url, course_id or "default_course") as gradebook:
        rows = gradebook.db.execute(chosen(points, GradeRow)).all()
        written = gradebook.db.execute(chosen(said, Comment).where(Comment.manual_comment.is_not(None))).all()
    grades: dict[str, dict[GradedCell, _Grade]] = {}
    penalties: dict[str, dict[str, float]] = {}
    for student, notebook, cell, auto, manual, extra, needs_manual, penalty in rows:
        grades.setdefault(student, {})[notebook, cell] = _Grade("", auto, manual, extra, needs_manual)
        penalties.setdefault(student, {})[notebook] = penalty or 0.0
    comments: dict[str, dict[GradedCell, str]] = {}
    for student, notebook, cell, comment in written:
        comments.setdefault(student, {})[notebook, cell] = comment
    return {
        student: Grades(
            questions={cell: grade.score for cell, grade in own.items()},
            by_hand=frozenset(cell for cell, grade in own.items() if grade.manual is not None or grade.extra),
            comments=comments.get(student, {}),
            penalty=sum(penalties[student].values()),
            waiting=frozenset(cell for cell, grade in own.items() if grade.needs_manual),
        )
        for student, own in grades.items()
    }


def _create(db_url: str, course_id: str) -> None:
    """Make a new gradebook as nbgrader does, without a second spent on starting `alembic` for one number.

    The course is entered whether the gradebook is new or not.
    """
    try:
        engine = create_engine(db_url)
    except ImportError as error:
        kind = make_url(db_url).get_backend_name()
        raise GradingError(
            f"the gradebook's database ({kind}) needs a driver: {error}. For PostgreSQL, "
            'install the extra `postgresql` and write "postgresql+psycopg://..." in c.CourseDirectory.db_url'
        ) from error
    try:
        with engine.begin() as connection:
            if not inspect(connection).get_table_names():
                from alembic.script import ScriptDirectory  # slow to load, and wanted once in a course's life

                Base.metadata.create_all(connection)
                version = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
            connection.execute(_insert_or_leave(engine.dialect.name, CourseRow), {"id": course_id})
    finally:
        engine.dispose()


def _insert_or_leave(dialect: str, table: Any) -> Any:
    """Return an insertion that leaves a row that is there as it is, where the database can do that."""
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    if dialect != "postgresql":
        return insert(table)
    from sqlalchemy.dialects import postgresql  # slow to load, and most have none

    return postgresql.insert(table).on_conflict_do_nothing()


def _in_several_tries(enter: Callable[[], None]) -> None:
    """Enter something that others may be entering at the same moment: who comes second finds it there."""
    for tried in range(1, _TRIES + 1):
        try:
            return enter()
        except (DBAPIError, InvalidEntry) as error:
            if tried == _TRIES:
                raise
            log.info("The gradebook is tried again: %s", error)
            sleep(0.2 * tried)


def _course_id(config: Config) -> str:
    return str(config.CourseDirectory.get("course_id", "")) or "default_course"


def _enter_assignment(db_url: str, assignment: str, notebooks: Mapping[str, NotebookNode], config: Config) -> None:
    """Enter what nbgrader's generate_assignment enters: the assignment, its notebooks and their cells."""
    course_id = _course_id(config)
    _create(db_url, course_id)
    with Gradebook(db_url, course_id) as gradebook:
        entered = gradebook.update_or_create_assignment(assignment)
        gone = [one.name for one in entered.notebooks if one.name not in notebooks and not one.submissions]
        for name in gone:  # as generate_assignment does
            gradebook.remove_notebook(name, assignment)
    for name, notebook in notebooks.items():
        resources = {"nbgrader": {"assignment": assignment, "notebook": name, "db_url": db_url}}
        summed, _ = ComputeChecksums(config=config).preprocess(copy.deepcopy(notebook), resources)
        try:
            SaveCells(config=config).preprocess(summed, resources)
        except RuntimeError as error:
            raise GradingError(
                f"{error}. Grade into a new gradebook (move the old one away), or remove the assignment from it with "
                f"`nbgrader db assignment remove {assignment}`"
            ) from error
