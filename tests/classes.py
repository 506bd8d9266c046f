"""A tiny course that is graded in seconds: one function, `area`, asked from outside."""

import json
import sqlite3
from pathlib import Path

from nbformat import NotebookNode
from notebooks import ASSIGNMENT, code, grade_cell, markdown, notebook, scratch_course, solution

from grading.authoring.classroom import Classroom, fill_in
from grading.options import MIB, Limits, Options, Workers

SCORING = '''\
"""Scores areas."""

import json

from grading.scoring.questions import Score, call, share_right

BOXES = [[0, 0, 2, 3], [4, 5, 7, 9], [0, 0, 0, 5], [-2, -2, 2, 2]]
EXPECTED = [6, 12, 0, 16]


def questions(context):
    return [call("area", "area", [[box] for box in BOXES])]


def score(answers, context):
    minimum = json.loads((context.source / "thresholds.json").read_text())["minimum"]
    share, why = share_right(answers["area"], EXPECTED)
    return {
        "test_area": Score(2.0 if share >= minimum else 0.0, why or "Right.", {"share": share}),
        "test_sum": Score(round(3 * share), why or "Right."),
    }
'''
RIGHT = "def area(box):\n    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)"
HALF = "def area(box):\n    return 6 if box[3] == 3 else 12"
NOTHING = "def area(box):\n    raise ValueError('not today')"


QUICK = Limits(cell_seconds=5, notebook_seconds=20, memory_bytes=600 * MIB, tasks=100, output_bytes=20_000)


def tiny_master() -> NotebookNode:
    return notebook(
        markdown("intro", "# Areas"),
        code("imports", "import numpy as np"),
        solution(),
        grade_cell("assert area((0, 0, 2, 3)) == 6"),
        grade_cell("assert area((0, 0, 1, 1)) == 1", grade_id="test_sum", points=3),
    )


def tiny_course(folder: Path) -> Path:
    """A course folder with the tiny assignment and its scoring."""
    course = scratch_course(folder, tiny_master())
    source = course / "source" / ASSIGNMENT
    (source / "scoring.py").write_text(SCORING)
    set_minimum(course, 0.9)
    return course


def set_minimum(course: Path, value: float) -> None:
    (course / "source" / ASSIGNMENT / "thresholds.json").write_text(json.dumps({"minimum": value}))


def tiny_classroom(folder: Path) -> Classroom:
    tiny_course(folder / "repository")
    return Classroom.create(folder / "repository", folder / "class", ASSIGNMENT)


def hand_in(classroom: Classroom, student: str, source: str) -> Path:
    return classroom.hand_in(student, fill_in(classroom.released(), {"area": source}))


def quick(workers: int = 1, **changes: object) -> Options:
    return Options(**{"workers": Workers(workers), "limits": QUICK, **changes})  # type: ignore[arg-type]


def gradebook_rows(folder: Path) -> list[tuple[object, ...]]:
    """Every row of a course's gradebook that a grade stands in, without the random keys."""
    with sqlite3.connect(folder / "gradebook.db") as connection:
        rows = connection.execute(
            "select s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade, "
            "n.late_submission_penalty, s.timestamp from grade g "
            "join submitted_notebook n on g.notebook_id = n.id "
            "join submitted_assignment s on n.assignment_id = s.id "
            "join base_cell c on g.cell_id = c.id"
        ).fetchall()
    return sorted(rows, key=str)
