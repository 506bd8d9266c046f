"""Is one hand-in graded as it would be in a class, and is nothing of it kept?"""

import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from homework import NAME, course, good_work, graded, hand_in, opened

from grading.errors import GradingError
from grading.examiner.server import ExaminerServer
from grading.execution.ahead import note_of, started_ahead
from grading.execution.execute import Pools
from grading.pipeline.one import GradedHandIn, grade_one
from grading.records.record import GRADED, REFUSED
from grading.sandbox.forkserver import ForkServer

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


# ---- Sandboxes that start before it is known what will run in them ---------------------------------------------


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The servers that were started since, by kind."""
    seen: list[type] = []
    for kind in (ForkServer, ExaminerServer):

        def started(self: object, *asked: object, kind: type = kind, real: Callable[..., None] = kind.__init__) -> None:
            seen.append(kind)
            real(self, *asked)

        monkeypatch.setattr(kind, "__init__", started)
    return seen


def graded_ahead(folder: Path, begun: list[type]) -> tuple[GradedHandIn, list[type], list[type]]:
    """The hand-in of `ada`; the servers that were started ahead, and those that were started after that.

    As the command does it, the scratch folder is gone afterwards.
    """
    ahead: list[type] = []
    begun.clear()
    run = opened(folder)
    with started_ahead(note_of(run.cache, NAME)) as pools, tempfile.TemporaryDirectory() as scratch:

        def waited() -> Pools:
            kept = pools()
            ahead.extend(begun)
            begun.clear()
            return kept

        done = grade_one(run, folder / "submitted" / "ada" / NAME, "ada", Path(scratch), waited)
    return done, ahead, list(begun)


def test_sandboxes_that_started_ahead_serve_who_needs_just_these(folder: Path, begun: list[type]) -> None:
    note_of(opened(folder).cache, NAME).unlink(missing_ok=True)
    first, ahead, after = graded_ahead(folder, begun)
    assert (ahead, set(after)) == ([], {ForkServer, ExaminerServer}), "nothing is noted yet"
    again, ahead, after_that = graded_ahead(folder, begun)
    assert (sorted(ahead, key=str), after_that) == (sorted(after, key=str), [])
    assert again.record.questions == first.record.questions


def test_note_that_does_not_hold_changes_nothing(folder: Path, begun: list[type]) -> None:
    right, _, _ = graded_ahead(folder, begun)
    note = note_of(opened(folder).cache, NAME)
    good = note.read_text()
    other = json.loads(good)
    for kind in other:
        kind["environment"]["variables"]["COURSE_SEED"] = "of another course"
        kind["environment"]["questions"] = "/nowhere"
    for text in ("{", json.dumps(other)):
        note.write_text(text)
        done, _, needed = graded_ahead(folder, begun)
        assert done.record.questions == right.record.questions
        assert ForkServer in needed
        assert note.read_text() == good, "it is noted anew"
