"""nbgrader's own commands work in this repository, unchanged."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from classes import RIGHT, tiny_course
from notebooks import ASSIGNMENT, grade_cell, right_notebook, scratch_course

from grading.authoring.classroom import fill_in, solution_cells
from helpers.sample import make_sample

ROOT = Path(__file__).parents[2]
NAME = "object_detection"
WARM_UP = "boxes_and_iou"
STUDENT = "ada"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course with two submissions: a release as it was, and a warm-up that is solved but for one cell."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("source", "helpers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    for assignment in (NAME, WARM_UP):
        nbgrader(folder, "generate_assignment", assignment)
        (folder / "submitted" / STUDENT / assignment).mkdir(parents=True)
    released = {name: folder / "release" / name / f"{name}.ipynb" for name in (NAME, WARM_UP)}
    shutil.copy(released[NAME], folder / "submitted" / STUDENT / NAME)
    solutions = solution_cells(nbformat.read(ROOT / "source" / WARM_UP / f"{WARM_UP}.ipynb", as_version=4))
    solutions["area"] = "import sys\nprint('a warning', file=sys.stderr)\nprint(open('/etc/passwd').read())"
    solved = fill_in(nbformat.read(released[WARM_UP], as_version=4), solutions)
    nbformat.write(solved, folder / "submitted" / STUDENT / WARM_UP / f"{WARM_UP}.ipynb")
    for assignment in (NAME, WARM_UP):
        nbgrader(folder, "autograde", assignment)
    return folder


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run a command as an instructor would, without the environment activated."""
    command = [str(Path(sys.executable).with_name("nbgrader")), *arguments]
    environment = {**os.environ, "COURSE_DATA": str(make_sample()), "TF_CPP_MIN_LOG_LEVEL": "3"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout + ran.stderr


def scores(folder: Path, assignment: str) -> dict[str, float]:
    with sqlite3.connect(folder / "gradebook.db") as connection:
        return dict(
            connection.execute(
                "select c.name, g.auto_score from grade g join base_cell c on g.cell_id = c.id "
                "join notebook n on c.notebook_id = n.id where n.name = ?",
                (assignment,),
            ).fetchall()
        )


def outputs(folder: Path, assignment: str) -> dict[str, str]:
    graded = nbformat.read(folder / "autograded" / STUDENT / assignment / f"{assignment}.ipynb", as_version=4)
    return {cell.id: str(cell.outputs) for cell in graded.cells if cell.cell_type == "code"}


@pytest.mark.parametrize("assignment", [NAME, WARM_UP])
def test_generate_assignment_gives_the_committed_notebook(course: Path, assignment: str) -> None:
    made = course / "release" / assignment / f"{assignment}.ipynb"
    assert made.read_bytes() == (ROOT / "release" / assignment / f"{assignment}.ipynb").read_bytes()


def test_autograde_executes_and_leaves_demonstrations_out(course: Path) -> None:
    said = outputs(course, NAME)
    assert "Not run when grading" in said["bad-fit"]
    assert "NotImplementedError" in said["train"]
    assert set(scores(course, NAME).values()) == {0.0}


def test_autograde_uses_the_sandbox_and_scores_outside(course: Path) -> None:
    """One cell tries to read the machine's files instead of defining `area`, on which two others lean."""
    assert "FileNotFoundError" in outputs(course, WARM_UP)["area"]
    assert scores(course, WARM_UP) == {
        "test_area": 0,
        "test_corners_to_center": 2,
        "test_center_to_corners": 2,
        "test_intersection": 0,
        "test_iou": 0,
        "test_iou_matrix": 6,
    }


def test_tests_of_an_assignment_without_scoring_are_sandboxed_too(tmp_path: Path) -> None:
    peeking = "import pathlib\nassert not pathlib.Path('/etc/passwd').exists(), 'it can see the machine'"
    folder = scratch_course(tmp_path, right_notebook(grade_cell(peeking, grade_id="test_peek")))
    nbgrader(folder, "generate_assignment", "tiny")
    (folder / "submitted" / STUDENT / "tiny").mkdir(parents=True)
    shutil.copy(folder / "source/tiny/tiny.ipynb", folder / "submitted" / STUDENT / "tiny")
    nbgrader(folder, "autograde", "tiny")
    assert scores(folder, "tiny") == {"test_area": 2.0, "test_peek": 2.0}


def test_files_handed_in_beside_the_notebook_are_there_under_autograde(tmp_path: Path) -> None:
    """As they are for `course grade`, and with the same points."""
    course = tiny_course(tmp_path)
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    released = nbformat.read(course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    folder = course / "submitted" / STUDENT / ASSIGNMENT
    folder.mkdir(parents=True)
    (only,) = solution_cells(released)
    nbformat.write(fill_in(released, {only: "from own import area"}), folder / f"{ASSIGNMENT}.ipynb")
    (folder / "own.py").write_text(RIGHT)
    nbgrader(course, "autograde", ASSIGNMENT)
    assert scores(course, ASSIGNMENT) == {"test_area": 2.0, "test_sum": 3.0}


def test_feedback_says_why_points_were_lost(course: Path) -> None:
    nbgrader(course, "generate_feedback", NAME)
    page = (course / "feedback" / STUDENT / NAME / f"{NAME}.html").read_text()
    assert "complete classif_and_loc" in page
    assert "0 of 8 points" in page


def test_export_lists_the_grade(course: Path) -> None:
    nbgrader(course, "export")
    header, *rows = (course / "grades.csv").read_text().splitlines()
    grades = [dict(zip(header.split(","), row.split(","), strict=True)) for row in rows]
    found = {grade["assignment"]: (float(grade["score"]), float(grade["max_score"])) for grade in grades}
    assert found == {NAME: (0.0, 20.0), WARM_UP: (10.0, 20.0)}


def test_db_lists_the_student(course: Path) -> None:
    assert STUDENT in nbgrader(course, "db", "student", "list")


def test_validate_says_what_is_missing(course: Path) -> None:
    said = nbgrader(course, "validate", str(course / "release" / NAME / f"{NAME}.ipynb"))
    assert "complete classif_and_loc" in said
