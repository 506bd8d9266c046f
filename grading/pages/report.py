"""One page for the instructor about a whole class: how it went, which questions worked, whom to look at."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import fmean, median
from typing import Any
from urllib.parse import quote

import numpy as np

from grading.common.files import write_atomically
from grading.config import hand_in_rules
from grading.pages.causes import NO_REASON, cause_of, causes, failures, group
from grading.pages.feedback import late_by
from grading.pages.names import missing, names_of
from grading.pages.page import ALL_POINTS_FROM, POINTS_START, histogram, render
from grading.pipeline.run import GradingRun
from grading.records.deadlines import Due, read_due
from grading.records.gradebook import read_grades
from grading.records.grades import Grades
from grading.records.record import GRADED, Record
from grading.records.results import Result, result_of

FEW = 20
"""Below this many graded submissions no discrimination is given: it would be noise."""
_TOLERANCE = 1e-9
_MAX_REASON = 180
"""Characters of a reason in the table; the whole of it is on the student's page."""


@dataclass(frozen=True)
class QuestionStatistics:
    """Statistics of one grade cell over the class.

    `difficulty` is the mean share of its points that was reached (the p-value of classical test theory: low is
    hard); `discrimination` the correlation of its points with those of all other questions (corrected item-total
    correlation; from 0.3 up a question separates well, below 0.2 it should be looked at: Ebel and Frisbie,
    Essentials of Educational Measurement, 1991). None where it is not defined or the class is too small.
    """

    name: str
    max_points: float
    difficulty: float | None
    """None where there are no points to be had, or nobody has a grade yet."""
    full: float | None
    """Share of submissions with all points."""
    zero: float | None
    """Share of submissions with none."""
    discrimination: float | None
    decided: str = ""
    """Where the points were decided."""


@dataclass(frozen=True)
class Hint:
    """Two pieces of work that look alike; never a verdict."""

    students: Sequence[str]
    what: str


@dataclass(frozen=True)
class ClassList:
    """Facts about a class that are in no record: names by id, empty where they are hidden, and who is missing."""

    names: Mapping[str, str] = field(default_factory=dict)
    missing: Sequence[str] = ()
    due: Due = field(default_factory=Due)
    grace: timedelta = timedelta(0)


def write_report(
    course: GradingRun,
    records: Sequence[Record],
    folder: Path,
    hints: Sequence[Hint] = (),
    names: Mapping[str, str] | None = None,
) -> Path:
    """Write `<folder>/index.html`, with links to `feedback/` beside it; return its path.

    `names` are by id, of the roster by default.
    """
    grades = read_grades(course.db_url, course.course_id, course.assignment.name)
    due = read_due(course.db_url, course.course_id, course.assignment.name)
    grace = hand_in_rules(course.folder).of(course.assignment.name).grace
    absent = [] if course.options.students else missing(course.folder, {record.student for record in records})
    everybody = ClassList(names_of(course.folder) if names is None else names, absent, due, grace)
    path = folder / "index.html"
    write_atomically(path, report_page(course, records, grades, folder, hints, everybody))
    return path


def report_page(
    course: GradingRun,
    records: Sequence[Record],
    grades: Mapping[str, Grades],
    folder: Path,
    hints: Sequence[Hint] = (),
    everybody: ClassList | None = None,
) -> str:
    """Return the page as HTML; links are relative to `folder`."""
    everybody = everybody or ClassList()
    results = {record.student: result_of(record, grades.get(record.student)) for record in records}
    rows = [_row(course, record, results[record.student], grades.get(record.student), everybody) for record in records]
    for row in rows:
        row["feedback"] = _feedback_link(folder, row["id"])
        row["record"] = _record_link(course, folder, row["id"])
    graded = [record for record in records if record.status == GRADED]
    measures = list(dict.fromkeys(measure.name for record in graded for measure in record.measures))
    values: dict[str, Any] = {
        "title": course.assignment.title,
        "rows": rows,
        "people": {row["id"]: row for row in rows},
        "missing": [everybody.names.get(student, student) for student in everybody.missing],
        "due": everybody.due.for_all.strftime("%Y-%m-%d %H:%M UTC") if everybody.due.for_all else "",
        "questions": list(course.assignment.max_points.items()),
        "measures": measures,
        "max_points": course.assignment.total,
        "counts": {status: sum(record.status == status for record in records) for status in _statuses(records)},
        "summary": _points_summary([row["points"] for row in rows]),
        "causes": causes(records, results),
        "plots": _plots(course, rows, graded, measures),
        "statistics": question_statistics(graded, course.assignment.max_points),
        "waiting": _waiting(results),
        "few": FEW if len(graded) < FEW else 0,
        "failures": failures(records),
        "repairs": group((repair, record.student) for record in records for repair in record.repairs),
        "timings": _timings(graded),
        "flags": [(record.student, flag) for record in records for flag in record.flags],
        "hints": hints,
        "by_hand": [row["id"] for row in rows if row["by_hand"]],
    }
    return render("report.html.j2", values, script=True)


def question_statistics(records: Sequence[Record], max_points: Mapping[str, float]) -> list[QuestionStatistics]:
    """Compute difficulty and discrimination of each question, without what waits for a person."""
    if not records:
        return []
    points = np.array([[record.questions[name].points for name in max_points] for record in records], dtype=float)
    known = np.array([[not record.questions[name].waits for name in max_points] for record in records])
    found = []
    for index, (name, maximum) in enumerate(max_points.items()):
        rows = known[:, index]
        own, others = points[rows, index], np.delete(points, index, axis=1).sum(axis=1)[rows]
        telling = len(own) >= FEW and own.std() > _TOLERANCE and others.std() > _TOLERANCE
        found.append(
            QuestionStatistics(
                name=name,
                max_points=maximum,
                difficulty=float(own.mean() / maximum) if maximum and len(own) else None,
                full=float((own >= maximum - _TOLERANCE).mean()) if len(own) else None,
                zero=float((own <= _TOLERANCE).mean()) if len(own) else None,
                discrimination=float(np.corrcoef(own, others)[0, 1]) if telling else None,
                decided=", ".join(sorted({record.questions[name].decided for record in records} - {""})),
            )
        )
    return found


def _statuses(records: Sequence[Record]) -> list[str]:
    return sorted({record.status for record in records})


def _waiting(results: Mapping[str, Result]) -> list[tuple[str, int]]:
    """Count the answers that wait for a person, by question."""
    return list(Counter(name for result in results.values() for name in result.waiting).items())


def _row(
    course: GradingRun, record: Record, result: Result, grades: Grades | None, everybody: ClassList
) -> dict[str, Any]:
    return {
        "id": record.student,
        "name": everybody.names.get(record.student, record.student),
        "status": record.status,
        "points": grades.points if grades else record.points,
        "questions": {question.name: question.points for question in result.questions} or _by_name(course, grades),
        "waiting": set(result.waiting),
        "lost": _lost(record, result),
        "measures": {measure.name: measure.value for measure in record.measures},
        "seconds": max(record.execution.get("seconds", ()), default=None),
        "repairs": len(record.repairs),
        "flags": record.flags,
        "time": record.submission.get("timestamp") or "",
        "late": late_by(record, everybody.due.of(record.student), everybody.grace) or bool(grades and grades.penalty),
        "by_hand": bool(grades and grades.by_hand),
    }


def _lost(record: Record, result: Result) -> list[tuple[str, str]]:
    """Return why points were lost: the questions, with points, that have a reason in common, and the reason."""
    if record.why:
        return [("", record.why)]
    found: dict[str, list[str]] = {}
    for question in result.questions:
        if question.points < question.max_points and not question.waits:
            reason = "Graded by hand." if question.by_hand else cause_of(question.reason) or NO_REASON
            found.setdefault(reason, []).append(f"{question.name} {question.points:g}/{question.max_points:g}")
    return [(", ".join(names), _cut(reason)) for reason, names in found.items()]


def _cut(reason: str) -> str:
    return reason if len(reason) <= _MAX_REASON else reason[: _MAX_REASON - 1] + "…"


def _feedback_link(folder: Path, student: str) -> str | None:
    name = f"{student}.html"
    return f"feedback/{quote(name)}" if (folder / "feedback" / name).is_file() else None


def _record_link(course: GradingRun, folder: Path, student: str) -> str:
    return quote(os.path.relpath(course.records / student / course.assignment.name / "record.json", folder))


def _by_name(course: GradingRun, grades: Grades | None) -> dict[str, float]:
    """Return the gradebook's points of a submission that could not be graded again: what was given stands."""
    given = grades.questions if grades else {}
    return {name: given[cell] for name, cell in course.assignment.cells.items() if cell in given}


def _points_summary(points: Sequence[float]) -> Mapping[str, float]:
    if not points:
        return {}
    return {"mean": fmean(points), "median": median(points), "lowest": min(points), "highest": max(points)}


def _plots(
    course: GradingRun, rows: Sequence[Mapping[str, Any]], graded: Sequence[Record], names: Sequence[str]
) -> list[tuple[str, Any]]:
    """Draw pictures of the class, each with the sentence that says the same."""
    most = course.assignment.total
    points = [row["points"] for row in rows]
    plots = [(_sentence("Points", points), histogram(points, "Points", (0, most), {}, bins=max(5, min(20, int(most)))))]
    for name in names:
        measures = [measure for record in graded for measure in record.measures if measure.name == name]
        marks = {POINTS_START: measures[0].start, ALL_POINTS_FROM: measures[0].minimum}
        values = [measure.value for measure in measures]
        shown = {word: value for word, value in marks.items() if value is not None}
        plots.append((_sentence(name, values), histogram(values, name, (0, 1), shown)))
    return plots


def _sentence(name: str, values: Sequence[float]) -> str:
    if not values:
        return f"{name}: nothing to show"
    quarter, half, three = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{name}: median {half:.3g}, middle half from {quarter:.3g} to {three:.3g}, {len(values)} submissions"


def _timings(records: Sequence[Record]) -> list[tuple[str, Mapping[str, float]]]:
    """Summarise time and memory of the executions: median, 95th percentile, most, sum."""
    took = [record.execution for record in records if record.execution.get("seconds")]
    columns = {
        "Wall time (s)": [max(execution["seconds"]) for execution in took],
        "Processor time (s)": [max(execution["cpu_seconds"]) for execution in took],
        "Peak memory (MiB)": [execution["peak_memory_bytes"] / 2**20 for execution in took],
        "Kernels started": [max(execution["kernels"]) for execution in took],
    }
    return [
        (
            name,
            {"median": float(np.median(values)), "95 %": float(np.quantile(values, 0.95)), "most": float(max(values))},
        )
        for name, values in columns.items()
        if values
    ]
