"""The command line is clear about what it did, and about what is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from classes import RIGHT, hand_in, tiny_classroom, tiny_course
from commands import course
from notebooks import ASSIGNMENT

from grading.cli import main

ROOT = Path(__file__).parents[2]
NAME = "object_detection"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("source", "helpers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return tmp_path


def test_release_says_that_the_course_has_no_address_yet(copy: Path) -> None:
    ran = course(copy, "release", NAME)
    assert ran.returncode == 0, ran.stderr
    assert "c.Course.url" in ran.stdout
    assert (copy / "release" / NAME / f"{NAME}.ipynb").is_file()


def test_broken_master_is_one_clear_message(copy: Path) -> None:
    twin = copy / "source" / NAME / f"{NAME}.py"
    twin.write_text(twin.read_text().replace("### END SOLUTION", "### END SOLUTON"))
    assert course(copy, "sync", NAME).returncode == 0
    ran = course(copy, "release", NAME)
    assert ran.returncode == 2
    assert "classif_and_loc" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (copy / "release" / NAME).exists()


def test_unknown_assignment_is_answered_with_those_there_are(copy: Path) -> None:
    ran = course(copy, "release", "segmentation")
    assert ran.returncode == 2
    assert NAME in ran.stderr


def test_running_outside_a_course_is_explained(tmp_path: Path) -> None:
    ran = course(tmp_path, "release", NAME)
    assert ran.returncode == 2
    assert "nbgrader_config.py" in ran.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> Path:
    """A tiny class of three, one of which is refused, graded once."""
    classroom = tiny_classroom(tmp_path_factory.mktemp("graded"))
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", "import os; os._exit(3)")
    hand_in(classroom, "cy", RIGHT).write_text("not a notebook")
    ran = course(classroom.folder, "grade", ASSIGNMENT, "--workers", "1", "--json")
    assert ran.returncode == 0, ran.stderr
    (classroom.folder / "first.json").write_text(ran.stdout)
    return classroom.folder


def test_grade_prints_every_record_as_json(graded: Path) -> None:
    records = json.loads((graded / "first.json").read_text())
    assert {record["student"]: (record["status"], record["points"]) for record in records} == {
        "ada": ("graded", 5),
        "bo": ("graded", 0),
        "cy": ("refused", 0),
    }


def test_grade_shows_a_table_and_what_to_look_at(graded: Path) -> None:
    ran = course(graded, "grade", ASSIGNMENT, "--force")
    assert ran.returncode == 0
    assert "2 executions to do" in ran.stderr
    assert "5/5" in ran.stdout
    assert "refused" in ran.stdout
    assert "cut off on its way" in " ".join(ran.stdout.split())
    assert "mean 2.5 of 5 (50%); all points: 1 of 2, none: 1" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_run_with_nothing_to_do_says_so_and_prints_the_same(graded: Path) -> None:
    time.sleep(2.1)  # what was handed in just now may still be changing
    first, *others = (course(graded, "grade", ASSIGNMENT, *more) for more in ([], [], ["--json"]))
    assert [ran.returncode for ran in (first, *others)] == [0, 0, 0]
    assert all("nothing has changed since they were graded" in ran.stderr for ran in others)
    assert others[0].stdout == first.stdout
    records = json.loads(others[1].stdout)
    assert [record["student"] for record in records] == ["ada", "bo", "cy"]


def test_dry_run_changes_nothing(graded: Path) -> None:
    before = (graded / "autograded/ada/tiny/record.json").stat().st_mtime_ns
    ran = course(graded, "grade", ASSIGNMENT, "--dry-run", "--force")
    assert ran.stdout.splitlines()[0] == "ada: would run (--force)"
    assert "cy: refused: " in ran.stdout
    assert (graded / "autograded/ada/tiny/record.json").stat().st_mtime_ns == before


def test_dry_run_says_which_grades_would_change(graded: Path) -> None:
    before = (graded / "gradebook.db").read_bytes()
    thresholds = graded / "source" / ASSIGNMENT / "thresholds.json"
    kept = thresholds.read_text()
    thresholds.write_text('{"minimum": 1.1}')
    said = course(graded, "grade", ASSIGNMENT, "--dry-run").stdout.splitlines()
    found = json.loads(course(graded, "grade", ASSIGNMENT, "--dry-run", "--json").stdout)
    thresholds.write_text(kept)
    assert said[-2:] == ["ada: 5 -> 3 points", "1 of 3 grades would change: 1 would fall, by 2 at most."]
    assert {one["student"]: one["after"] for one in found} == {"ada": 3, "bo": 0, "cy": 0}
    assert (graded / "gradebook.db").read_bytes() == before


def test_inspect_says_what_happened(graded: Path) -> None:
    said = course(graded, "inspect", "bo").stdout.replace("\n", " ")
    assert "bo, tiny: graded, 0 of 5 points" in said
    assert "cell area: the kernel died: the process ended itself with exit status 3" in said
    assert "isolation bwrap" in said
    ran = course(graded, "inspect", "nobody")
    assert ran.returncode == 2
    assert "nothing of 'nobody' has been graded" in ran.stderr


def test_grading_without_isolation_is_warned_of_loudly(graded: Path) -> None:
    ran = course(graded, "grade", ASSIGNMENT, "--isolation", "none", "--student", "ada")
    assert "NO ISOLATION" in ran.stderr
    assert "graded without isolation" in ran.stdout


def test_grade_without_bubblewrap_stops_with_the_install_line(graded: Path, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("course")), "grade", ASSIGNMENT, "--force"]
    ran = subprocess.run(command, cwd=graded, capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert ran.returncode == 2
    assert "apt-get install bubblewrap" in ran.stderr


def test_nothing_handed_in_is_one_clear_line(tmp_path: Path) -> None:
    tiny_course(tmp_path / "course")
    ran = course(tmp_path / "course", "grade", ASSIGNMENT)
    assert ran.returncode == 2
    assert "is not a folder" in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


def test_twin_made_from_the_notebook_is_the_same(copy: Path) -> None:
    twin = copy / "source" / NAME / f"{NAME}.py"
    before = twin.read_bytes()
    assert course(copy, "twin", NAME).returncode == 0
    assert twin.read_bytes() == before


def test_an_unexpected_bug_shows_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy() -> Path:
        raise ValueError("a bug")

    monkeypatch.setattr("grading.cli.terminal.repository", buggy)
    monkeypatch.setattr(sys, "argv", ["course", "release", NAME])
    with pytest.raises(ValueError, match="a bug"):
        main()


def test_damaged_course_data_is_one_clear_line(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = course(copy, "demo", NAME, "--dataset", "voc", "--voc-root", str(tmp_path / "empty"))
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr


def test_ctrl_c_is_one_plain_line_and_keeps_what_was_graded(tmp_path: Path, bubblewrap: None) -> None:
    classroom = tiny_classroom(tmp_path)
    hand_in(classroom, "ada", RIGHT).write_text("not a notebook")
    for student in ("bo", "cy"):
        hand_in(classroom, student, f"while {student!r}: pass")
    heard = ["env", "--default-signal=INT"]  # a job in the background of a script, as these tests may be, ignores it
    command = [*heard, str(Path(sys.executable).with_name("course")), "grade", ASSIGNMENT]
    with subprocess.Popen(
        command, cwd=classroom.folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stderr is not None
        said = running.stderr.readline()
        assert "2 executions to do" in said
        os.killpg(running.pid, signal.SIGINT)
        rest = running.stderr.read()
    assert running.returncode == 130, rest
    assert "Traceback" not in rest
    *before, last = rest.strip().splitlines()
    assert "what was graded is kept" in last
    assert set(before) <= {said.strip()}, rest  # a line that was just being written when the key was pressed


def test_an_isolation_that_there_is_not_is_one_clear_line(tmp_path: Path) -> None:
    folder = tiny_course(tmp_path / "course")
    with (folder / "nbgrader_config.py").open("a") as config:
        config.write('\nc.Grading.isolation = "docker"\n')
    ran = course(folder, "grade", ASSIGNMENT)
    assert ran.returncode == 2, ran.stderr
    assert "docker" in ran.stderr
    assert "bwrap" in ran.stderr
    assert "Traceback" not in ran.stderr
