"""Is the command line clear about what it did, and about what is wrong?"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAME = "object_detection"


def course(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("course")), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("source", "helpers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return tmp_path


def test_does_a_release_say_that_the_course_has_no_address_yet(copy: Path) -> None:
    ran = course(copy, "release", NAME)
    assert ran.returncode == 0, ran.stderr
    assert "c.Course.url" in ran.stdout
    assert (copy / "release" / NAME / f"{NAME}.ipynb").is_file()


def test_is_a_broken_master_one_clear_message(copy: Path) -> None:
    twin = copy / "source" / NAME / f"{NAME}.py"
    twin.write_text(twin.read_text().replace("### END SOLUTION", "### END SOLUTON"))
    assert course(copy, "sync", NAME).returncode == 0
    ran = course(copy, "release", NAME)
    assert ran.returncode == 2
    assert "classif_and_loc" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (copy / "release" / NAME).exists()


def test_is_an_unknown_assignment_answered_with_those_there_are(copy: Path) -> None:
    ran = course(copy, "release", "segmentation")
    assert ran.returncode == 2
    assert NAME in ran.stderr


def test_does_it_say_when_it_is_run_outside_a_course(tmp_path: Path) -> None:
    ran = course(tmp_path, "release", NAME)
    assert ran.returncode == 2
    assert "nbgrader_config.py" in ran.stderr


def test_do_twin_and_notebook_go_both_ways(copy: Path) -> None:
    twin = copy / "source" / NAME / f"{NAME}.py"
    before = twin.read_bytes()
    assert course(copy, "twin", NAME).returncode == 0
    assert twin.read_bytes() == before
