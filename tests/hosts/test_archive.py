"""Does Gradescope's archive hold what it builds its container from?"""

import subprocess
import zipfile
from pathlib import Path

import pytest

from grading.errors import GradingError
from grading.hosts.archive import write_gradescope_archive

ROOT = Path(__file__).parents[2]
NAME = "boxes_and_iou"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("gradescope") / "autograder.zip"
    write_gradescope_archive(ROOT, NAME, target)
    return target


def test_scripts_lie_at_its_top_may_be_run_and_are_shell(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for name in ("setup.sh", "run_autograder"):
            assert opened.getinfo(name).external_attr >> 16 & 0o111 == 0o111
            (tmp_path / name).write_bytes(opened.read(name))
            subprocess.run(["bash", "-n", tmp_path / name], check=True)


def test_it_holds_the_course_but_no_planted_submission_and_no_other_assignment(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert {"nbgrader_config.py", "pyproject.toml", "requirements/lock.txt", f"source/{NAME}/{NAME}.ipynb"} <= set(
        names
    )
    assert not [name for name in names if "/planted/" in name or "__pycache__" in name or "object_detection" in name]


def test_the_same_course_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    write_gradescope_archive(ROOT, NAME, again)
    assert again.read_bytes() == archive.read_bytes()


def test_an_unknown_assignment_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="segmentation"):
        write_gradescope_archive(ROOT, "segmentation", tmp_path / "a.zip")
    assert not list(tmp_path.iterdir())
