"""The guides lead where they say: every command in a box marked `sh` is run, in the guide's order."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import lms_downloads as lms
import nbformat
import pytest
from notebooks import ROOT
from running import StudentsMachine, students_machine

from grading.authoring.classroom import SHARED, fill_in, solution_cells

BIN = Path(sys.executable).parent
GUIDES = ("student", "instructor", "author")
NAME = "object_detection"
FORGET = "course forget"
"""What was made for a student is there until then."""
WITHOUT_A_SCREEN = {"jupyter lab object_detection.ipynb": "opened in Chromium by test_browser_jupyter.py"}


def commands(guide: str) -> list[str]:
    """The commands of a guide's `sh` boxes, line by line."""
    text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
    boxes = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line.strip() for box in boxes for line in box.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's course, with an environment and a cache of its own name."""
    folder = tmp_path_factory.mktemp("guides")
    for name in ("source", "helpers", "release", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BIN)
    (folder / ".cache").mkdir()
    for name in SHARED:  # what `make demo` has executed need not run again; locks are each run's own
        (ROOT / ".cache" / name).mkdir(parents=True, exist_ok=True)
        (folder / ".cache" / name).symlink_to(ROOT / ".cache" / name)
    return folder


@pytest.fixture(scope="module")
def values(course: Path) -> Mapping[str, str]:
    """What the guides' capitals stand for: the sample, and a download of two students from Moodle."""
    from helpers.sample import make_sample

    released = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    solved = fill_in(released, solution_cells(nbformat.read(course / "source" / NAME / f"{NAME}.ipynb", as_version=4)))
    people = lms.CLASS[:2]
    contents = dict(zip(lms.moodle(people=people), (solved, released), strict=True))
    download = {name: nbformat.writes(notebook).encode() for name, notebook in contents.items()}
    (course / "class.csv").write_bytes(lms.roster_csv(people))
    return {
        "FOLDER": str(make_sample()),
        "DOWNLOAD": str(lms.write_zip(course / "download.zip", download)),
        "ROSTER": "class.csv",
        "STUDENT": people[0].id,
        "REPORTS": "calibration",
    }


def run(command: str, folder: Path, values: Mapping[str, str], variables: Mapping[str, str]) -> None:
    for name, value in values.items():
        command = re.sub(rf"\b{name}\b", value, command)
    environment = {**os.environ, **variables}
    ran = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-2000:]}\n{ran.stderr[-3000:]}"


@pytest.mark.parametrize("guide", GUIDES)
def test_guide_has_commands_to_follow(guide: str) -> None:
    assert commands(guide)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_course_command_stands_in_a_box_that_is_followed(guide: str) -> None:
    """A `course` command may stand in another box only if it needs a cluster or a download of its own."""
    text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
    others = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    left = [line for box in others for line in box.splitlines() if re.match(r"(\.venv/bin/)?course ", line)]
    assert [line for line in left if "--scheduler" not in line and "private" not in line] == []


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> StudentsMachine:
    return students_machine(tmp_path_factory.mktemp("student"), NAME)


@pytest.mark.slow
def test_students_guide_runs_as_written(student: StudentsMachine) -> None:
    for command in commands("student"):
        if command not in WITHOUT_A_SCREEN:
            run(command, student.release, {}, student.variables)


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["instructor", "author"])
def test_guide_runs_as_written(guide: str, course: Path, values: Mapping[str, str], bubblewrap: None) -> None:
    page = course / "reports" / NAME / "feedback" / f"{values['STUDENT']}.html"
    for command in commands(guide):
        if FORGET in command:
            assert page.is_file()
            assert (course / "exports" / f"{NAME}-csv.csv").read_text(encoding="utf-8-sig").count("\n") >= 3
        run(command, course, values, {"TF_CPP_MIN_LOG_LEVEL": "3"})
    if guide == "instructor":
        assert any(FORGET in command for command in commands(guide))
        assert not page.exists()
        assert (course / "calibration" / "calibration.md").is_file()
