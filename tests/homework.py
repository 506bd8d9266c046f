"""A course with one assignment of two notebooks, a file beside them, and answers that a person grades."""

import copy
import shutil
from collections.abc import Mapping
from pathlib import Path

import nbformat
from classes import quick
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from notebooks import ROOT, code, grade_cell, markdown, notebook

from grading.examiner.examination import Examined, TestRun
from grading.pipeline.assignment import load_assignment
from grading.pipeline.grade import grade
from grading.pipeline.plan import plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import GradingRun, open_course
from grading.records.record import Record, TestResult

NAME = "hw"
SQUARE = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
TASK = "Draw it.\n\n### BEGIN MARK SCHEME\nA point for each axis.\n### END MARK SCHEME"
WORK = """\
import csv

with open("public/numbers.csv") as file:
    numbers = [int(row[0]) for row in csv.reader(file)]"""


def masters() -> dict[str, NotebookNode]:
    """`one` and `two` both have a question `part-a`; `two` also has an answer and a task for a person."""
    return {
        "one": notebook(
            markdown("title", "# First"),
            code("square", SQUARE, grade_id="square", solution=True),
            grade_cell("assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(4) == 16\n### END HIDDEN TESTS",
                       grade_id="part-a"),
            code("use", "### BEGIN SOLUTION\nprint(square(12))\n### END SOLUTION", grade_id="use", solution=True,
                 grade=True, points=3),
        ),
        "two": notebook(
            markdown("title", "# Second"),
            code("read", WORK),
            markdown("why", "It is even.", grade_id="part-a", solution=True, grade=True, points=4),
            markdown("draw", TASK, grade_id="draw", task=True, points=5),
            grade_cell("assert sum(numbers) == 6", grade_id="sum", points=1),
        ),
    }  # fmt: skip


def course(folder: Path, made: Mapping[str, NotebookNode] | None = None) -> Path:
    """Make the course; give its folder."""
    (folder / "helpers").mkdir(parents=True)
    (folder / "submitted").mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copy(ROOT / "helpers" / "pyproject.toml", folder / "helpers")
    (folder / "helpers" / "__init__.py").write_text('__version__ = "0.1"\n')
    source = folder / "source" / NAME
    (source / "public").mkdir(parents=True)
    (source / "public" / "numbers.csv").write_text("1\n2\n3\n")
    for name, master in (made or masters()).items():
        nbformat.write(master, source / f"{name}.ipynb")
    return folder


def solved(folder: Path, name: str, answers: Mapping[str, str]) -> NotebookNode:
    """A released notebook with sources of its cells, by grade id; cells are added after one by `+<grade id>`."""
    released = copy.deepcopy(load_assignment(folder, NAME).notebook(name).released)
    cells = []
    for cell in released.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.source = answers.get(grade_id, cell.source)
        cells.append(cell)
        if f"+{grade_id}" in answers:
            cells.append(nbformat.v4.new_markdown_cell(answers[f"+{grade_id}"], id=f"own-{grade_id}"))
    released.cells = cells
    return released


def hand_in(folder: Path, student: str, files: Mapping[str, NotebookNode | str]) -> Path:
    """Hand in files, by name; what was there is gone."""
    target = folder / "submitted" / student / NAME
    shutil.rmtree(target, ignore_errors=True)
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else nbformat.writes(content))
    return target


def good_work(folder: Path, **two: str) -> dict[str, NotebookNode | str]:
    """Both notebooks with answers to everything."""
    answers = {"part-a": "Because.", "+draw": "My drawing.", **two}
    return {
        "one.ipynb": solved(folder, "one", {"square": "def square(x):\n    return x * x", "use": "print(square(2))"}),
        "two.ipynb": solved(folder, "two", answers),
    }


def opened(folder: Path) -> GradingRun:
    return open_course(folder, NAME, quick())


def graded(folder: Path) -> dict[str, Record]:
    """Grade everything; give the records by student."""
    run = with_reference(opened(folder))
    return {record.student: record for record in grade(run, plan(run))}


def pass_tests(folder: Path, results: Mapping[str, TestResult]) -> dict[str, Record]:
    """Grade with these results of the tests of all submissions, by grade id."""
    graded(folder)
    run = with_reference(opened(folder))
    for submission in plan(run).submissions:
        for each in (one for one in submission.runs if one.tests):
            cells = run.assignment.notebook(each.notebook).tests
            given = {
                cells[name]: TestRun(result.passed, result.error, result=result.value)
                for name, result in results.items()
                if name in cells
            }
            run.store.put_tests(each.tests, Examined(given))
    return graded(folder)


def gradebook(folder: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "detection")


def give(folder: Path, student: str, notebook_name: str, grade_id: str, points: float, comment: str = "") -> None:
    """Score an answer as a person does in the formgrader."""
    with gradebook(folder) as book:
        row = book.find_grade(grade_id, notebook_name, NAME, student)
        row.manual_score, row.needs_manual_grade = points, False
        if comment:
            book.find_comment(grade_id, notebook_name, NAME, student).manual_comment = comment
        book.db.commit()
