"""Everything about one student can be given out and removed, and nothing of anybody else's goes with it."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from classes import HALF, RIGHT, gradebook_rows, hand_in, tiny_classroom
from commands import course
from notebooks import ASSIGNMENT
from sqlalchemy import insert

from grading.service.content import path_of, store
from grading.service.database import Database, hand_ins, links, messages
from grading.service.grader import page_path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

ROSTER = "id;name;email\ns1;Ada Lovelace;ada@example.org\ns2;Bo Diddley;bo@example.org\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two students with everything that a course may hold about them: s1 by her id, s2 alike."""
    classroom = tiny_classroom(tmp_path_factory.mktemp("template"))
    folder = classroom.folder
    for student, answer in (("s1", RIGHT), ("s2", HALF), ("s3", RIGHT)):
        hand_in(classroom, student, answer)
    (folder / "roster.csv").write_text(ROSTER)
    for command in (("grade", ASSIGNMENT), ("report", ASSIGNMENT), ("export", ASSIGNMENT, "--to", "csv")):
        done = course(folder, *command)
        assert done.returncode == 0, done.stderr
    (folder / "extensions.csv").write_text("student,assignment,due,why\ns1,tiny,2026-12-01 12:00,ill\ns2,tiny,,\n")
    with_service(folder)
    return folder


def with_service(folder: Path) -> None:
    database = Database.open(f"sqlite:///{folder / 'service' / 'service.db'}")
    both = store(folder / "service", b"same work")
    own = store(folder / "service", b"own work")
    with database.writing() as connection:
        for number, (student, digest) in enumerate([("s1", both), ("s2", both), ("s1", own)]):
            row = {"id": f"h{number}", "student": student, "assignment": "tiny", "received": 1.0, "file_name": "a"}
            row |= {"sha256": digest, "size": 9, "state": "done", "queued": 1.0}
            connection.execute(insert(hand_ins).values(**row))
            page_path(folder / "service", f"h{number}").parent.mkdir(exist_ok=True)
            page_path(folder / "service", f"h{number}").write_text(f"page of {student}")
        secret = {"id": "l1", "token_hash": "secret-hash", "student": "s1", "role": "student"}
        connection.execute(insert(links).values(**secret, created=1.0, expires=2.0))
    database.close()


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "course")
    return tmp_path / "course"


def mentions(folder: Path, *names: str) -> list[str]:
    """Files below a folder whose name or content has one of the names."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and any(name in str(path.relative_to(folder)) or name.encode() in path.read_bytes() for name in names)
    )


def test_archive_holds_all_about_the_student_and_nothing_of_others(folder: Path) -> None:
    assert course(folder, "data-of", "s1", "--output", "s1.zip").returncode == 0
    with zipfile.ZipFile(folder / "s1.zip") as archive:
        names = archive.namelist()
        about = json.loads(archive.read("about.json"))
        content = {name: archive.read(name) for name in names}
    assert {name.split("/")[0] for name in names} >= {"about.json", "submitted", "autograded", "reports", "service"}
    assert about["roster.csv"] == [["id", "name", "email"], ["s1", "Ada Lovelace", "ada@example.org"]]
    assert about["extensions.csv"][1][:2] == ["s1", "tiny"]
    assert about["gradebook"]["submissions"][0]["points"] > 0
    assert content["service/tiny/h2.ipynb"] == b"own work"
    everything = b"".join(content.values())
    for other in (b"Bo Diddley", b"bo@example.org", b"secret-hash", b"page of s2"):
        assert other not in everything


def test_archive_holds_no_tests_of_the_assignment(folder: Path) -> None:
    path = folder / "autograded" / "s1" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert "assert" in path.read_text() or "test" in path.read_text()
    course(folder, "data-of", "s1", "--output", "s1.zip")
    with zipfile.ZipFile(folder / "s1.zip") as archive:
        notebook = json.loads(archive.read(f"autograded/s1/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"))
    tests = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    assert tests
    assert all(cell["source"] == "" for cell in tests if not cell["metadata"]["nbgrader"]["solution"])


def test_nothing_mentions_a_student_who_was_forgotten(folder: Path) -> None:
    assert mentions(folder, "Ada Lovelace", "ada@example.org")
    done = course(folder, "forget", "s1", "--yes")
    assert done.returncode == 0, done.stderr
    assert "submitted/s1/" in done.stdout
    assert "the gradebook: 1 submissions" in done.stdout
    assert "the service: 2 of hand_ins" in done.stdout
    assert mentions(folder, "Ada Lovelace", "ada@example.org", "page of s1") == []
    assert not list(folder.rglob("s1"))
    assert not list(folder.rglob("s1.html"))
    assert {row[0] for row in gradebook_rows(folder)} == {"s2", "s3"}
    assert (folder / "roster.csv").read_text().splitlines() == ["id;name;email", "s2;Bo Diddley;bo@example.org"]
    again = course(folder, "forget", "s1", "--yes")
    assert (again.returncode, "nothing is known of 's1'" in again.stderr) == (2, True)


def test_no_word_of_a_student_stays_in_files_of_a_service_that_runs(folder: Path) -> None:
    with Database.open(f"sqlite:///{folder / 'service' / 'service.db'}") as running:
        with running.writing() as connection:
            row = {"id": "m1", "student": "s1", "assignment": "tiny", "author": "s1", "role": "student", "at": 1.0}
            connection.execute(insert(messages).values(**row, text="I was in hospital"))
        search = ["grep", "-rl", "in hospital", folder]  # reading here would release the locks that SQLite holds
        assert subprocess.run(search, stdout=subprocess.DEVNULL).returncode == 0
        assert course(folder, "forget", "s1", "--yes").returncode == 0
        assert subprocess.run(search, stdout=subprocess.DEVNULL).returncode == 1


def test_others_keep_their_grades_and_results_and_files_that_both_handed_in(folder: Path) -> None:
    before = gradebook_rows(folder)
    course(folder, "forget", "s1", "--yes")
    assert gradebook_rows(folder) == [row for row in before if row[0] != "s1"]
    assert path_of(folder / "service", "x" * 64).parent.parent.is_dir()
    assert page_path(folder / "service", "h1").is_file()
    assert len(list((folder / "service" / "content").glob("*/*"))) == 1
    graded = course(folder, "grade", ASSIGNMENT)
    assert "2 submissions, 0 executions to do" in graded.stderr


def test_result_that_nobody_else_gave_goes_and_one_that_another_gave_stays(folder: Path) -> None:
    def stored() -> int:
        return len(list((folder / ".cache" / "executed").glob("*/*.json")))

    before = stored()
    course(folder, "forget", "s1", "--yes")  # s3 has the same answer
    assert stored() == before
    course(folder, "forget", "s2", "--yes")
    assert stored() == before - 1


def test_nothing_goes_without_an_answer(folder: Path) -> None:
    done = course(folder, "forget", "s1")
    assert (done.returncode, "say --yes" in done.stderr) == (2, True)
    assert (folder / "submitted" / "s1").is_dir()
    assert {row[0] for row in gradebook_rows(folder)} == {"s1", "s2", "s3"}


@pytest.mark.parametrize("student", ["..", "../course", ".", "*", "s?"])
def test_id_that_is_a_path_or_a_pattern_means_nobody(folder: Path, student: str) -> None:
    before = mentions(folder, "")
    done = course(folder, "forget", student, "--yes")
    assert done.returncode == 2
    assert mentions(folder, "") == before
