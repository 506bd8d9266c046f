"""A page for each student: points and reasons, figures, pictures, what was repaired, what to try next."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.utils import is_solution, is_task

from grading.common.files import write_atomically
from grading.common.text import clean
from grading.errors import GradingError
from grading.pages.page import render, thumbnail
from grading.pipeline.grade import answers_of
from grading.pipeline.notebook import WrittenAnswer, answers_in
from grading.pipeline.run import GradingRun
from grading.records.gradebook import Grades, read_grades
from grading.records.record import GRADED, Record, read_record
from grading.records.results import result_of
from grading.scoring.explanation import Explanation, Picture, Table

log = logging.getLogger(__name__)

FOLDER = "feedback"
_MAX_SOURCE, _MAX_SAID = 20_000, 2_000
_TOLERANCE = 1e-9


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
    course: GradingRun, records: Sequence[Record], folder: Path, progress: Callable[[str], None] = lambda student: None
) -> list[str]:
    """Write `<folder>/<student>.html` for each record; return the students whose stored answers are gone.

    Their pages have no pictures; grading makes the answers anew.
    """
    grades = read_grades(course.db_url, course.course_id, course.assignment.name)
    gone = []
    for record in records:
        explanation = explain(course, record)
        if explanation is None:
            gone.append(record.student)
        page = feedback_page(course, record, grades.get(record.student), explanation or Explanation())
        write_atomically(folder / f"{record.student}.html", page)
        progress(record.student)
    return gone


def explain(course: GradingRun, record: Record) -> Explanation | None:
    """Explain a record by its stored answers; return None if they are not stored any more."""
    if record.status != GRADED:
        return Explanation()
    executed = {notebook: course.store.get(key) for notebook, key in record.deciding_keys.items()}
    stored = {notebook: found for notebook, found in executed.items() if found is not None}
    if len(stored) < len(executed):
        return None
    return course.assignment.explain(answers_of(course, stored), course.context)


def feedback_page(course: GradingRun, record: Record, grades: Grades | None, explanation: Explanation) -> str:
    """Return the page of one record, as HTML. Nothing in it comes from another student."""
    result = result_of(record, grades)
    seconds = record.execution.get("seconds", [])
    values: dict[str, Any] = {
        "title": course.assignment.title,
        "student": record.student,
        "total": result.points,
        "max_total": record.max_points,
        "penalty": result.penalty,
        "why": record.why,
        "questions": result.questions,
        "waiting": len(result.waiting),
        "comments": list(result.comments.values()),
        "measures": record.measures,
        "advice": [*_general_advice(record), *explanation.advice],
        "galleries": [
            {"title": gallery.title, "pictures": [_picture(picture) for picture in gallery.pictures]}
            for gallery in explanation.galleries
        ],
        "tables": [_table_for_page(table) for table in explanation.tables],
        "events": record.events,
        "repairs": record.repairs,
        "cells": _solution_cells_of(course, record),
        "files": _files(record),
        "time": record.submission.get("timestamp"),
        "took": ", ".join(f"{value:.0f} s" if value >= 1 else "less than a second" for value in seconds),
    }
    return render("feedback.html.j2", values)


def _files(record: Record) -> list[Mapping[str, Any]]:
    """Name the notebooks that were handed in, with their hashes."""
    described = record.submission.get("notebooks") or {"": record.submission}
    return [{"name": one.get("file") or "–", "sha256": one.get("sha256")} for one in described.values()]


def _general_advice(record: Record) -> list[str]:
    """Yield advice that holds for any assignment."""
    if record.status != GRADED:
        return ["Mend what is said above and ask your teacher whether you may hand it in again."]
    if record.submission.get("changed") is False:
        return ["Your solution cells are as they were released: did you save the notebook before you handed it in?"]
    advice = []
    if record.events:
        advice.append(
            "Something stopped while your notebook ran (see below). Restart the kernel and run all cells from top to "
            "bottom before you hand in: what fails there fails when it is graded."
        )
    if record.points >= record.max_points - _TOLERANCE and not record.waiting:
        advice.append("All points. If you like to go on: what do the worst cases have in common?")
    return advice


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


def _solution_cells_of(course: GradingRun, record: Record) -> list[dict[str, Any]]:
    """Return the student's solution cells and answers as they were graded, with what they printed.

    Of a task the student's own cells are shown, never the task itself: for graders its mark scheme stands there.
    """
    folder = course.records / record.student / course.assignment.name
    if record.status != GRADED:
        return []
    found: list[dict[str, Any]] = []
    several = len(course.assignment.notebooks) > 1
    for name in record.run_notebooks:
        path = folder / f"{name}.ipynb"
        if not path.is_file():
            continue
        notebook = nbformat.read(path, as_version=4)
        tasks = {cell.metadata.nbgrader.grade_id for cell in notebook.cells if is_task(cell)}
        answers = answers_in(notebook)
        for cell in notebook.cells:
            if not is_solution(cell) and not is_task(cell):
                continue
            grade_id = cell.metadata.nbgrader.grade_id
            answer = answers.get(grade_id, WrittenAnswer())
            source = answer.text if grade_id in tasks else cell.source
            said = "\n".join(_output_text(output) for output in cell.get("outputs", []))
            found.append(
                {
                    "name": f"{name}/{grade_id}" if several else grade_id,
                    "source": source[:_MAX_SOURCE],
                    "said": said[:_MAX_SAID].strip(),
                    "is_open": bool(said) or grade_id in answers,
                    "pictures": len(answer.pictures),
                }
            )
    return found


def _output_text(output: Mapping[str, Any]) -> str:
    """Return the text of an output, line by line made printable; an error as its name and message."""
    if output["output_type"] == "error":
        return clean(f"{output['ename']}: {output['evalue']}")
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    lines = text if isinstance(text, str) else "".join(text)
    return "\n".join(clean(line) for line in lines[: 2 * _MAX_SAID].splitlines())
