"""All commands take nbgrader's folders from nbgrader_config.py."""

from pathlib import Path

import lms_downloads as lms
import nbformat
import pytest
from classes import RIGHT, tiny_classroom
from commands import course
from notebooks import ASSIGNMENT

from grading.authoring.classroom import fill_in

ADA = lms.CLASS[0]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with other folders than nbgrader's own, with a hand-in that was collected."""
    classroom = tiny_classroom(tmp_path_factory.mktemp("directories"))
    with (classroom.folder / "nbgrader_config.py").open("a") as config:
        config.write('\nc.CourseDirectory.submitted_directory = "handed_in"\n')
        config.write('c.CourseDirectory.autograded_directory = "marked"\n')
    (classroom.folder / "roster.csv").write_bytes(lms.roster_csv())
    notebook = nbformat.writes(fill_in(classroom.released(), {"area": RIGHT})).encode()
    download = lms.write_zip(classroom.folder / "download.zip", dict.fromkeys(lms.moodle(people=(ADA,)), notebook))
    ran = course(classroom.folder, "collect", str(download), ASSIGNMENT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return classroom.folder


@pytest.fixture(scope="module")
def folder(collected: Path, bubblewrap: None) -> Path:
    """The same, graded."""
    ran = course(collected, "grade", ASSIGNMENT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return collected


def test_collect_places_hand_ins_in_the_configured_folder(collected: Path) -> None:
    assert list((collected / "handed_in" / ADA.id / ASSIGNMENT).glob("*.ipynb"))
    assert not (collected / "submitted").exists()


def test_grade_reads_and_writes_the_configured_folders(folder: Path) -> None:
    assert (folder / "marked" / ADA.id / ASSIGNMENT / "record.json").is_file()
    assert not (folder / "autograded").exists()


def test_a_second_run_of_grade_finds_that_nothing_has_changed_there(folder: Path) -> None:
    ran = course(folder, "grade", ASSIGNMENT)
    assert ran.returncode == 0
    assert "0 executions to do" in ran.stderr or "nothing has changed" in ran.stderr


@pytest.mark.parametrize("command", [("inspect", ADA.id), ("feedback", ASSIGNMENT), ("report", ASSIGNMENT)])
def test_commands_find_records_in_the_configured_directories(folder: Path, command: tuple[str, ...]) -> None:
    ran = course(folder, *command)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    if command[0] == "inspect":
        assert "graded, 5 of 5 points" in ran.stdout
    else:
        assert (folder / "reports" / ASSIGNMENT / "feedback" / f"{ADA.id}.html").is_file()
