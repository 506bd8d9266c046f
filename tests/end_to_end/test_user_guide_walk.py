"""nbgrader's own course from release to export, by commands, with a person at the gradebook in between."""

import csv
import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat
import pytest
from commands import course as command
from nbgrader.api import Gradebook
from stock import GUIDE, guide_course

from grading.authoring.classroom import fill_in, solution_cells
from grading.records.record import EXAMINER, PERSON, Record, read_record
from grading.release.masters import read_master

PS, AUTOTEST = "ps1", "ps1_autotest"
GIVEN: Mapping[str, Mapping[tuple[str, str], tuple[float, str]]] = {
    "hacker": {
        ("problem1", "sum_of_squares_equation"): (1, "Well said."),
        ("problem1", "sum_of_squares_application"): (1.5, ""),
        ("problem1", "cell-938593c4a215c6cc"): (0, "Where is the geometric sum?"),
        ("problem2", "part-a"): (0.5, ""),
        ("problem2", "part-b"): (2, "Yes <b>both</b> reasons."),
    },
    "bitdiddle": {("problem2", "part-a"): (1, "")},
}
"""What a person gives in the formgrader, with a comment."""

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = command(folder, *arguments)
    assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
    return done


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def record_of(folder: Path, student: str, assignment: str = PS) -> Record:
    record = read_record(folder / "autograded" / student / assignment)
    assert record is not None
    return record


def give(folder: Path) -> None:
    """Score answers as the formgrader's page does."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "usual") as book:
        for student, given in GIVEN.items():
            for (notebook, name), (score, comment) in given.items():
                grade = book.find_grade(name, notebook, PS, student)
                grade.manual_score, grade.needs_manual_grade = score, False
                if comment:
                    book.find_comment(name, notebook, PS, student).manual_comment = comment
        book.db.commit()


def given(folder: Path) -> dict[str, dict[tuple[str, str], tuple[float, str]]]:
    """Read the same back."""
    found: dict[str, dict[tuple[str, str], tuple[float, str]]] = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "usual") as book:
        for student, scores in GIVEN.items():
            for notebook, name in scores:
                grade = book.find_grade(name, notebook, PS, student)
                assert not grade.needs_manual_grade
                comment = book.find_comment(name, notebook, PS, student).manual_comment
                found.setdefault(student, {})[notebook, name] = (grade.manual_score, comment or "")
    return found


def exported(folder: Path, assignment: str) -> dict[str, dict[str, str]]:
    run(folder, "export", assignment, "--to", "csv")
    with (folder / "exports" / f"{assignment}-csv.csv").open(newline="", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> Iterator[Path]:
    """The course after release, grading and a person's work; what it was copied from is as it was when all is done."""
    folder = guide_course(tmp_path_factory.mktemp("walk") / "course")
    before = hashes(GUIDE)
    run(folder, "release", PS)
    assert "9 answers wait for a person" in " ".join(run(folder, "grade", PS).stdout.split())
    give(folder)
    yield folder
    assert hashes(GUIDE) == before


def test_points_of_a_person_and_of_tests_are_exported_together(walked: Path) -> None:
    rows = exported(walked, PS)
    assert {student: (row["points"], row["max_points"]) for student, row in rows.items()} == {
        "bitdiddle": ("2.5", "13"),
        "hacker": ("8", "13"),
    }
    assert "sum_of_squares_equation: 1 of 1. Graded by hand. Well said." in rows["hacker"]["comment"]
    assert "part-b: waits for a person." in rows["bitdiddle"]["comment"]


def test_feedback_pages_show_a_persons_points_and_words(walked: Path) -> None:
    run(walked, "feedback", PS)
    pages = {path.stem: path.read_text() for path in walked.glob(f"reports/{PS}/feedback/*.html")}
    assert set(pages) == {"bitdiddle", "hacker"}
    assert "Where is the geometric sum?" in pages["hacker"]
    assert "Yes &lt;b&gt;both&lt;/b&gt; reasons." in pages["hacker"]
    assert "3 answers wait for a person" in " ".join(pages["bitdiddle"].split())
    assert "answers wait for a person" not in " ".join(pages["hacker"].split())


def test_grading_again_overwrites_nothing_that_a_person_gave(walked: Path) -> None:
    before = exported(walked, PS)
    assert given(walked) == GIVEN
    said = " ".join(run(walked, "grade", PS, "--force").stdout.split())
    assert "3 answers wait for a person" in said
    assert given(walked) == GIVEN
    assert exported(walked, PS) == before


def test_autotests_grade_the_solution_and_both_students(walked: Path) -> None:
    """The sheet with autotests is the same sheet: the students' hand-ins are graded by it, too."""
    release = walked / "release" / AUTOTEST
    run(walked, "release", AUTOTEST)
    for student in GIVEN:
        shutil.copytree(walked / "submitted" / student / PS, walked / "submitted" / student / AUTOTEST)
    for path in release.glob("*.ipynb"):
        solutions = solution_cells(read_master(walked / "source" / AUTOTEST / path.name))
        solved = fill_in(nbformat.read(path, as_version=4), solutions)
        (walked / "submitted" / "solution" / AUTOTEST).mkdir(parents=True, exist_ok=True)
        nbformat.write(solved, walked / "submitted" / "solution" / AUTOTEST / path.name)
    run(walked, "grade", AUTOTEST)
    records = {student: record_of(walked, student, AUTOTEST) for student in ("solution", *GIVEN)}
    tested = ("correct_squares", "squares_invalid_input", "correct_sum_of_squares", "sum_of_squares_uses_squares")
    assert {student: [record.questions[name].points for name in tested] for student, record in records.items()} == {
        "solution": [1, 1, 0.5, 0.5],
        "hacker": [1, 1, 0.5, 0.5],
        "bitdiddle": [0, 1, 0, 0.5],
    }
    for student, record in records.items():
        decided = {name: question.decided for name, question in record.questions.items()}
        assert {decided[name] for name in tested} == {EXAMINER}
        assert set(record.waiting) <= {name for name, by in decided.items() if by == PERSON}
        same = record_of(walked, student) if student in GIVEN else record
        assert [same.questions[name].points for name in tested] == [record.questions[name].points for name in tested]
    assert "my_dictionary" in records["hacker"].questions["cell-6e9ff83aa5dfaf17"].reason, "their sheet had none"
    assert records["solution"].questions["cell-6e9ff83aa5dfaf17"].reason == "The test passed."
