"""A page for each student: points and reasons, figures, pictures, what was repaired, what to try next."""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.utils import parse_utc

from grading.common.files import write_atomically
from grading.common.notebooks import is_test
from grading.config import hand_in_rules
from grading.errors import GradingError
from grading.pages.cells import read_work
from grading.pages.help import advice_of, questions_of, stop_for_page, stops_of, with_marks, words_of
from grading.pages.names import names_of
from grading.pages.page import render, thumbnail
from grading.pages.stopped import MOST as MOST_STOPS
from grading.pipeline.grade import answers_of
from grading.pipeline.run import GradingRun
from grading.records.deadlines import read_due
from grading.records.gradebook import read_grades
from grading.records.grades import Grades
from grading.records.record import GRADED, Record, read_record
from grading.records.results import result_of
from grading.rules.rules import shows_reasons
from grading.scoring.explanation import Explanation, Picture, Table

log = logging.getLogger(__name__)

FOLDER = "feedback"
HIDDEN_TESTS = "### BEGIN HIDDEN TESTS"
WITHHELD = "Why this took points off is not shown, or not yet: the rules of the assignment say so."


def read_records(course: GradingRun) -> list[Record]:
    """Read every record of the assignment, or those of the students that were asked for, in the order of their names.

    Raises GradingError if there is none.
    """
    paths = sorted(course.records.glob(f"*/{course.assignment.name}/record.json"))
    wanted = set(course.options.students)
    records = [read_record(path.parent) for path in paths if not wanted or path.parent.parent.name in wanted]
    found = [record for record in records if record is not None]
    if missing := wanted - {record.student for record in found}:
        raise GradingError(f"nothing of {', '.join(sorted(missing))} has been graded in {course.assignment.name}")
    if not found:
        raise GradingError(f"nothing has been graded yet: run `course grade {course.assignment.name}` first")
    return found


def write_feedback(
    course: GradingRun,
    records: Sequence[Record],
    folder: Path,
    progress: Callable[[str], None] = lambda student: None,
    names: Mapping[str, str] | None = None,
) -> list[str]:
    """Write `<folder>/<student>.html` for each record; return the students whose stored answers are gone.

    Their pages have no pictures; grading makes the answers anew. `names` are by id, of the roster by default.
    """
    grades = read_grades(course.db_url, course.course_id, course.assignment.name)
    due = read_due(course.db_url, course.course_id, course.assignment.name)
    rules = hand_in_rules(course.folder).of(course.assignment.name)
    rules = replace(rules, due=rules.due or due.for_all, extensions={**due.own, **rules.extensions})
    names = names_of(course.folder) if names is None else names
    gone = []
    for record in records:
        explanation = explain(course, record)
        if explanation is None:
            gone.append(record.student)
        about = About(names.get(record.student, record.student), due.of(record.student), rules.grace)
        shown = record if shows_reasons(rules, record.student, datetime.now(UTC)) else without_reasons(course, record)
        page = feedback_page(course, shown, grades.get(record.student), explanation or Explanation(), about)
        write_atomically(folder / f"{record.student}.html", page)
        progress(record.student)
    return gone


def without_reasons(course: GradingRun, record: Record) -> Record:
    """Return a record that does not say why hidden tests took points off, nor what they met in the student's code."""
    hidden = {
        (notebook.name, cell.metadata.nbgrader.grade_id)
        for notebook in course.assignment.notebooks
        for cell in notebook.kept.cells
        if is_test(cell) and HIDDEN_TESTS in cell.source
    }
    questions = {
        name: replace(question, reason=WITHHELD, facts={})
        if record.cell_of(name) in hidden and question.points < question.max_points
        else question
        for name, question in record.questions.items()
    }
    return replace(record, questions=questions, execution={**record.execution, "tests": ()})


def explain(course: GradingRun, record: Record) -> Explanation | None:
    """Explain a record by its stored answers; return None if they are not stored any more."""
    if record.status != GRADED:
        return Explanation()
    executed = {notebook: course.store.get(key) for notebook, key in record.deciding_keys.items()}
    stored = {notebook: found for notebook, found in executed.items() if found is not None}
    if len(stored) < len(executed):
        return None
    return course.assignment.explain(answers_of(course, stored), course.context)


@dataclass(frozen=True)
class About:
    """Facts of a page that are neither in a record nor in its grades."""

    name: str = ""
    """The student's, where names are shown; else the id."""
    due: datetime | None = None
    """For this student."""
    grace: timedelta = timedelta(0)


def feedback_page(
    course: GradingRun, record: Record, grades: Grades | None, explanation: Explanation, about: About | None = None
) -> str:
    """Return the page of one record, as HTML. Nothing in it comes from another student."""
    about = about or About()
    result = result_of(record, grades)
    work = read_work(course, record)
    lost = [question for question in result.questions if question.points < question.max_points and not question.waits]
    found = stops_of(course, record, work, lost)
    seconds = record.execution.get("seconds", [])
    values: dict[str, Any] = {
        "title": course.assignment.title,
        "student": about.name or record.student,
        "id": record.student if about.name not in ("", record.student) else "",
        "total": result.points,
        "max_total": record.max_points,
        "penalty": result.penalty,
        "why": record.why,
        "questions": questions_of(course, record, result, found),
        "stops": [stop_for_page(stop, work.cells) for stop in found[:MOST_STOPS]],
        "words": words_of(course, lost) if record.submission.get("changed") is not False else [],
        "waiting": len(result.waiting),
        "comments": list(result.comments.values()),
        "measures": record.measures,
        "advice": advice_of(record, explanation, result, found),
        "galleries": [
            {"title": gallery.title, "pictures": [_picture(picture) for picture in gallery.pictures]}
            for gallery in explanation.galleries
        ],
        "tables": [_table_for_page(table) for table in explanation.tables],
        "events": record.events,
        "repairs": record.repairs,
        "cells": with_marks(work.cells, found),
        "files": _handed_in(record),
        "time": record.submission.get("timestamp"),
        "due": about.due.strftime("%Y-%m-%d %H:%M UTC") if about.due else "",
        "late": late_by(record, about.due, about.grace),
        "took": ", ".join(f"{value:.0f} s" if value >= 1 else "less than a second" for value in seconds),
    }
    return render("feedback.html.j2", values)


def late_by(record: Record, due: datetime | None, grace: timedelta = timedelta(0)) -> str:
    """Say by how much a submission was late; empty if it was not, or not by more than `grace`, or nobody knows."""
    handed_in = record.submission.get("timestamp")
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        seconds = (parse_utc(handed_in).replace(tzinfo=UTC) - due).total_seconds() if handed_in and due else 0
        if seconds <= grace.total_seconds():
            return ""
        for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
            if (count := int(seconds // length)) > 0:
                return f"{count} {unit}{'s' if count > 1 else ''}"
    return ""


def _handed_in(record: Record) -> list[Mapping[str, Any]]:
    """Name the notebooks that were handed in, with their hashes."""
    described = record.submission.get("notebooks") or {"": record.submission}
    return [{"name": one.get("file") or "–", "sha256": one.get("sha256")} for one in described.values()]


def _picture(picture: Picture) -> dict[str, Any]:
    try:
        source = thumbnail(picture.photo)
    except OSError as error:
        log.warning("%s cannot be shown: %s", picture.photo, error)
        source = "data:,"
    width, height = picture.size
    boxes = [
        {
            "x": round(xmin, 1),
            "y": round(ymin, 1),
            "width": round(max(xmax - xmin, 0), 1),
            "height": round(max(ymax - ymin, 0), 1),
            "true": box.true,
        }
        for box in picture.boxes
        for xmin, ymin, xmax, ymax in [_cut_at_edges(box.corners, width, height)]
    ]
    return {"source": source, "width": width, "height": height, "boxes": boxes, "caption": picture.caption}


def _cut_at_edges(corners: Sequence[float], width: int, height: int) -> tuple[float, ...]:
    """Cut corners at the edges of the photograph: a predicted box may be anywhere."""
    limits = (width, height, width, height)
    return tuple(min(max(value, 0.0), limit) for value, limit in zip(corners, limits, strict=True))


def _table_for_page(table: Table) -> Mapping[str, Any]:
    rows = [[f"{value:.3f}" if isinstance(value, float) else str(value) for value in row] for row in table.rows]
    return {"title": table.title, "columns": table.columns, "rows": rows}
