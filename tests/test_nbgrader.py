"""Do nbgrader's own commands work in this repository, unchanged?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.sample import make_sample

ROOT = Path(__file__).parents[1]
NAME = "object_detection"
STUDENT = "ada"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course with one submission: the release as it was, with a student's name."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("source", "helpers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    nbgrader(folder, "generate_assignment", NAME)
    submitted = folder / "submitted" / STUDENT / NAME
    submitted.mkdir(parents=True)
    shutil.copy(folder / "release" / NAME / f"{NAME}.ipynb", submitted)
    nbgrader(folder, "autograde", NAME)
    return folder


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run a command as an instructor would, without the environment activated."""
    command = [str(Path(sys.executable).with_name("nbgrader")), *arguments]
    environment = {**os.environ, "COURSE_DATA": str(make_sample()), "TF_CPP_MIN_LOG_LEVEL": "3"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout + ran.stderr


def test_does_generate_assignment_give_the_committed_notebook(course: Path) -> None:
    made = course / "release" / NAME / f"{NAME}.ipynb"
    assert made.read_bytes() == (ROOT / "release" / NAME / f"{NAME}.ipynb").read_bytes()


def test_does_autograde_execute_and_leave_demonstrations_out(course: Path) -> None:
    graded = nbformat.read(course / "autograded" / STUDENT / NAME / f"{NAME}.ipynb", as_version=4)
    outputs = {cell.id: str(cell.outputs) for cell in graded.cells if cell.cell_type == "code"}
    assert "Not run when grading" in outputs["bad-fit"]
    assert "NotImplementedError" in outputs["train"]


def test_does_the_feedback_keep_hidden_tests_hidden(course: Path) -> None:
    nbgrader(course, "generate_feedback", NAME)
    page = (course / "feedback" / STUDENT / NAME / f"{NAME}.html").read_text()
    assert "complete classif_and_loc" in page
    assert "for_three" not in page
    assert "seen = better_model" not in page
    assert "HIDDEN TESTS" in page


def test_does_export_list_the_grade(course: Path) -> None:
    nbgrader(course, "export")
    header, row = (course / "grades.csv").read_text().splitlines()[:2]
    grade = dict(zip(header.split(","), row.split(","), strict=True))
    assert (grade["student_id"], float(grade["score"]), float(grade["max_score"])) == (STUDENT, 0.0, 20.0)


def test_does_db_know_the_student(course: Path) -> None:
    assert STUDENT in nbgrader(course, "db", "student", "list")


def test_does_validate_say_what_is_missing(course: Path) -> None:
    said = nbgrader(course, "validate", str(course / "release" / NAME / f"{NAME}.ipynb"))
    assert "complete classif_and_loc" in said
