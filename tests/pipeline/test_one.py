"""Is one hand-in graded as it would be in a class, and is nothing of it kept?"""

import zipfile
from pathlib import Path

import nbformat
import pytest
from homework import NAME, course, good_work, graded, hand_in, opened

from grading.errors import GradingError
from grading.pipeline.one import GradedHandIn, grade_one
from grading.records.record import GRADED, REFUSED

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose solution was run."""
    folder = course(tmp_path_factory.mktemp("course") / "course")
    hand_in(folder, "ada", good_work(folder))
    graded(folder)
    return folder


def alone(folder: Path, handed_in: Path, tmp_path: Path) -> GradedHandIn:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return grade_one(opened(folder), handed_in, "bo", scratch)


def kept(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".lock", ".pyc")}


def test_its_points_are_those_that_it_has_in_a_class_and_nothing_of_it_is_kept(folder: Path, tmp_path: Path) -> None:
    in_class = graded(folder)["ada"]
    before = kept(folder)
    done = alone(folder, folder / "submitted" / "ada" / NAME, tmp_path)
    assert {name: question.points for name, question in done.record.questions.items()} == {
        name: question.points for name, question in in_class.questions.items()
    }
    assert (done.record.student, done.record.status) == ("bo", GRADED)
    assert kept(folder) == before


def test_a_notebook_of_any_name_may_come_alone(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "my work.ipynb"
    path.write_text(nbformat.writes(good_work(folder)["one.ipynb"]))
    record = alone(folder, path, tmp_path).record
    assert record.questions["one/part-a"].points == 2
    assert "was not handed in" in record.questions["two/part-a"].reason


def test_an_archive_is_unpacked(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "work.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, notebook in good_work(folder).items():
            archive.writestr(name, nbformat.writes(notebook))
    assert alone(folder, path, tmp_path).record.questions["sum"].points == 1


def test_file_that_is_no_notebook_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    path.write_text("{")
    record = alone(folder, path, tmp_path).record
    assert record.status == REFUSED
    assert record.why


def test_a_file_that_cannot_be_read_is_the_callers_mistake(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="cannot be read"):
        alone(folder, tmp_path / "nothing", tmp_path)
