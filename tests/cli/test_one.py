"""`course grade-one` and `course watch`: one hand-in at a time."""

import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from classes import NOTHING, RIGHT, hand_in, tiny_classroom
from commands import course
from notebooks import ASSIGNMENT

from grading.cli.one import _arrived


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> Path:
    classroom = tiny_classroom(tmp_path_factory.mktemp("course"))
    arriving = classroom.folder.parent / "arriving"
    arriving.mkdir()
    for name, source in (("ada", RIGHT), ("bo", NOTHING)):
        hand_in(classroom, name, source).rename(arriving / f"{name}.ipynb")
    (arriving / "cy.ipynb").write_text("{")
    return classroom.folder


def test_a_notebook_from_anywhere_is_graded_and_only_what_was_asked_for_is_written(
    class_folder: Path, tmp_path: Path
) -> None:
    scratch = set(Path(tempfile.gettempdir()).glob("course-one-*"))
    asked = ["--json", tmp_path / "record.json", "--html", tmp_path / "page.html"]
    asked += ["--host", "gradescope", "--result", tmp_path / "results.json"]
    path = class_folder.parent / "arriving" / "ada.ipynb"
    ran = course(class_folder, "grade-one", str(path), "--assignment", ASSIGNMENT, *map(str, asked))
    assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "record.json").read_text())["points"] == 5
    assert json.loads((tmp_path / "results.json").read_text())["score"] == 5
    assert "<html" in (tmp_path / "page.html").read_text()
    assert not (class_folder / "autograded").exists()
    assert not (class_folder / "gradebook.db").exists()
    assert set(Path(tempfile.gettempdir()).glob("course-one-*")) <= scratch


def test_a_refusal_has_an_exit_status_of_its_own(class_folder: Path) -> None:
    path = class_folder.parent / "arriving" / "cy.ipynb"
    ran = course(class_folder, "grade-one", str(path), "--assignment", ASSIGNMENT)
    assert ran.returncode == 3
    assert "not a notebook" in ran.stdout


def test_missing_file_is_one_clear_line(class_folder: Path) -> None:
    ran = course(class_folder, "grade-one", "nowhere.ipynb", "--assignment", ASSIGNMENT)
    assert ran.returncode == 2
    assert "nowhere.ipynb is not there" in ran.stderr


def test_a_watched_folder_is_graded_once(class_folder: Path) -> None:
    arriving = class_folder.parent / "arriving"
    ran = course(class_folder, "watch", str(arriving), "--assignment", ASSIGNMENT, "--once")
    assert ran.returncode == 0, ran.stderr
    assert "ada.ipynb: 5 of 5" in ran.stdout
    assert {path.name for path in (arriving / "graded").iterdir()} == {
        f"{name}.{kind}" for name in ("ada", "bo", "cy") for kind in ("ipynb.json", "html")
    }
    again = course(class_folder, "watch", str(arriving), "--assignment", ASSIGNMENT, "--once")
    assert (again.returncode, again.stdout) == (0, "")


def test_a_file_that_is_still_being_written_waits(tmp_path: Path) -> None:
    path = tmp_path / "ada.ipynb"
    path.write_text("{}")
    assert _arrived(tmp_path, tmp_path / "graded", settled=60) == []
    os.utime(path, (time.time() - 61,) * 2)
    assert _arrived(tmp_path, tmp_path / "graded", settled=60) == [path]
