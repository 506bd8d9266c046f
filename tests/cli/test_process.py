"""One command leads from an LMS download to feedback, a report and a file to import."""

import csv
import zipfile
from pathlib import Path

import lms_downloads as lms
import nbformat
import pytest
from classes import HALF, RIGHT, tiny_classroom
from commands import course
from nbgrader.api import Gradebook
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom, fill_in

PEOPLE = lms.CLASS[:3] + lms.NAMESAKES

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    return tiny_classroom(tmp_path_factory.mktemp("process"))


@pytest.fixture(scope="module")
def download(classroom: Classroom) -> Path:
    """A download from Moodle in which everybody has half of it right, but for the first."""
    files = {}
    for name in lms.moodle(people=PEOPLE):
        source = RIGHT if name.startswith("Ada") else HALF
        files[name] = nbformat.writes(fill_in(classroom.released(), {"area": source})).encode()
    (classroom.folder / "roster.csv").write_bytes(lms.roster_csv())
    worksheet = classroom.folder / "worksheet.csv"
    worksheet.write_bytes(lms.moodle_worksheet())
    return lms.write_zip(classroom.folder / "download.zip", files)


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["Identifier"]: row for row in csv.DictReader(file)}


def test_one_command_does_it_all(classroom: Classroom, download: Path) -> None:
    arguments = ("--roster", "worksheet.csv", "--to", "moodle", "--template", "worksheet.csv", "--scale")
    ran = course(classroom.folder, "process", str(download), ASSIGNMENT, *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "moodle: 5 placed" in ran.stdout
    reports = classroom.folder / "reports" / ASSIGNMENT
    assert len(list((reports / "feedback").glob("*.html"))) == 5
    assert (reports / "index.html").is_file()
    filled = rows(classroom.folder / "exports" / f"{ASSIGNMENT}-moodle.csv")
    grades = {person.name: filled[f"Participant {person.moodle}"]["Grade"] for person in PEOPLE}
    assert float(grades["Ada Lovelace"]) == 10
    assert {float(grades[person.name]) for person in PEOPLE[1:]} == {4}
    assert "2 of 4 cases are right" in filled[f"Participant {PEOPLE[1].moodle}"]["Feedback comments"]
    assert len(filled) == 30, "who handed in nothing keeps a row"


def test_second_time_changes_nothing(classroom: Classroom, download: Path) -> None:
    ran = course(classroom.folder, "process", str(download), ASSIGNMENT, "--roster", "worksheet.csv")
    assert ran.returncode == 0, ran.stderr
    assert "0 placed, 5 there already" in ran.stdout
    assert "0 executions to do" in ran.stderr


def test_files_that_cannot_be_placed_are_listed_and_the_rest_is_done(classroom: Classroom, download: Path) -> None:
    stranger = {"No Body_999_assignsubmission_file/work.ipynb": b"{}"}
    path = lms.write_zip(classroom.folder / "more.zip", stranger)
    ran = course(classroom.folder, "process", str(path), ASSIGNMENT, "--roster", "worksheet.csv")
    assert ran.returncode == 1
    assert "No Body" in ran.stdout
    assert "report: " in ran.stdout


def test_unknown_lms_is_refused_before_anything_is_written(classroom: Classroom, download: Path) -> None:
    before = sorted(classroom.folder.rglob("*"))
    ran = course(classroom.folder, "export", ASSIGNMENT, "--to", "abacus")
    assert ran.returncode == 2
    assert "moodle, canvas, csv, moodle-feedback, canvas-comments" in " ".join(ran.stderr.split())
    assert sorted(classroom.folder.rglob("*")) == before


def test_feedback_pages_go_back_in_one_zip(classroom: Classroom, download: Path) -> None:
    arguments = ("--roster", "worksheet.csv", "--to", "moodle-feedback")
    ran = course(classroom.folder, "process", str(download), ASSIGNMENT, *arguments)
    assert ran.returncode == 0, ran.stderr
    with zipfile.ZipFile(classroom.folder / "exports" / f"{ASSIGNMENT}-moodle-feedback.zip") as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    ada = next(page for name, page in found.items() if name.startswith(f"Ada Lovelace_{lms.CLASS[0].moodle}_assign"))
    assert "5</span> of 5 points" in ada
    assert len(found) == len(PEOPLE)


@pytest.mark.parametrize("to", ["canvas", "csv", "moodle"])
def test_file_is_written_for_each_lms(classroom: Classroom, download: Path, to: str) -> None:
    course(classroom.folder, "process", str(download), ASSIGNMENT, "--roster", "worksheet.csv")
    ran = course(
        classroom.folder, "export", ASSIGNMENT, "--to", to, "--output", f"{to}.csv", "--roster", "worksheet.csv"
    )
    assert ran.returncode == 0, ran.stderr
    assert (classroom.folder / f"{to}.csv").stat().st_size > 100


def test_the_exported_comment_of_a_manual_regrade_is_the_teachers(classroom: Classroom, download: Path) -> None:
    course(classroom.folder, "process", str(download), ASSIGNMENT, "--roster", "worksheet.csv")
    student = PEOPLE[1].email
    with Gradebook(f"sqlite:///{classroom.folder}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, student)
        next(grade for grade in notebook.grades if grade.name == "test_sum").manual_score = 3
        next(iter(notebook.comments)).manual_comment = "Nearly there!"
        gradebook.db.commit()
    arguments = ("--to", "csv", "--output", "manual.csv", "--roster", "worksheet.csv")
    assert course(classroom.folder, "export", ASSIGNMENT, *arguments).returncode == 0
    with (classroom.folder / "manual.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["student"] == student)
    assert row["name"] == PEOPLE[1].name
    assert row["points"] == "3"
    assert "test_sum: 3 of 3" in row["comment"]
    assert "Nearly there!" in row["comment"]
    test_sum = next(line for line in row["comment"].splitlines() if line.startswith("test_sum"))
    assert "cases are right" not in test_sum, "the automatic reason no longer counts"


def test_wrong_time_zone_is_one_clear_line(classroom: Classroom, download: Path) -> None:
    ran = course(classroom.folder, "collect", str(download), ASSIGNMENT, "--timezone", "Moon/Base")
    assert ran.returncode == 2
    assert "Europe/Rome" in ran.stderr
