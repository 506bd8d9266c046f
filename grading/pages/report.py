"""One page for the instructor about a whole class: how it went, which questions worked, whom to look at."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any
from urllib.parse import quote

import numpy as np

from grading.common.files import write_atomically
from grading.pages.page import histogram, render
from grading.pipeline.run import GradingRun
from grading.records.gradebook import Grades, read_grades
from grading.records.record import GRADED, Record
from grading.records.results import Result, result_of

FEW = 10
"""Below this many graded submissions no discrimination is given: it would be noise."""
_TOLERANCE = 1e-9


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
class Group:
    """A statement that several submissions have in common."""

    what: str
    students: Sequence[str]

    @property
    def count(self) -> int:
        """Number of submissions."""
        return len(self.students)


@dataclass(frozen=True)
class Hint:
    """Two pieces of work that look alike; never a verdict."""

    students: Sequence[str]
    what: str


def write_report(course: GradingRun, records: Sequence[Record], folder: Path, hints: Sequence[Hint] = ()) -> Path:
    """Write `<folder>/index.html`, with links to `feedback/` beside it; return its path."""
    grades = read_grades(course.db_url, course.course_id, course.assignment.name)
    path = folder / "index.html"
    write_atomically(path, report_page(course, records, grades, folder, hints))
    return path


def report_page(
    course: GradingRun,
    records: Sequence[Record],
    grades: Mapping[str, Grades],
    folder: Path,
    hints: Sequence[Hint] = (),
) -> str:
    """Return the page as HTML; links are relative to `folder`."""
    results = {record.student: result_of(record, grades.get(record.student)) for record in records}
    rows = [_row(course, record, results[record.student], grades.get(record.student), folder) for record in records]
    graded = [record for record in records if record.status == GRADED]
    names = list(dict.fromkeys(measure.name for record in graded for measure in record.measures))
    values: dict[str, Any] = {
        "title": course.assignment.title,
        "rows": rows,
        "questions": list(course.assignment.max_points.items()),
        "measures": names,
        "max_points": course.assignment.total,
        "counts": {status: sum(record.status == status for record in records) for status in _statuses(records)},
        "summary": _points_summary([row["points"] for row in rows]),
        "plots": _plots(course, rows, graded, names),
        "statistics": question_statistics(graded, course.assignment.max_points),
        "waiting": _waiting(results),
        "few": len(graded) < FEW,
        "failures": failures(records),
        "repairs": group((repair, record.student) for record in records for repair in record.repairs),
        "timings": _timings(graded),
        "flags": [(record.student, flag) for record in records for flag in record.flags],
        "hints": hints,
        "by_hand": [row["student"] for row in rows if row["by_hand"]],
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


def failures(records: Sequence[Record]) -> list[Group]:
    """List what stopped submissions: refusals, failures, and events while running; the most frequent first."""
    causes = [(f"{record.status}: {record.why}", record.student) for record in records if record.why]
    causes += [(event.what, record.student) for record in records for event in record.events]
    return group(causes)


def group(said: Iterable[tuple[str, str]]) -> list[Group]:
    """Group sentences that differ in numbers and names only, with the students of whom they are said."""
    groups: dict[str, dict[str, None]] = {}
    words: dict[str, str] = {}
    for sentence, student in said:
        key = re.sub(r"'[^']*'|\"[^\"]*\"|\d[\d.,]*", "…", sentence)
        words.setdefault(key, sentence)
        groups.setdefault(key, {})[student] = None
    found = [Group(words[key] if len(names) == 1 else key, list(names)) for key, names in groups.items()]
    return sorted(found, key=lambda group: (-group.count, group.what))


def _statuses(records: Sequence[Record]) -> list[str]:
    return sorted({record.status for record in records})


def _waiting(results: Mapping[str, Result]) -> list[tuple[str, int]]:
    """Count the answers that wait for a person, by question."""
    return list(Counter(name for result in results.values() for name in result.waiting).items())


def _row(course: GradingRun, record: Record, result: Result, grades: Grades | None, folder: Path) -> dict[str, Any]:
    name = f"{record.student}.html"
    target = course.records / record.student / course.assignment.name / "record.json"
    return {
        "student": record.student,
        "status": record.status,
        "points": grades.points if grades else record.points,
        "questions": {question.name: question.points for question in result.questions} or _by_name(course, grades),
        "waiting": set(result.waiting),
        "measures": {measure.name: measure.value for measure in record.measures},
        "seconds": max(record.execution.get("seconds", ()), default=None),
        "repairs": len(record.repairs),
        "flags": record.flags,
        "late": bool(grades and grades.penalty),
        "by_hand": bool(grades and grades.by_hand),
        "why": record.why,
        "feedback": f"feedback/{quote(name)}" if (folder / "feedback" / name).is_file() else None,
        "record": quote(os.path.relpath(target, folder)),
    }


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
        marks = {"points start": measures[0].start, "minimum": measures[0].minimum}
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
