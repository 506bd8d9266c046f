"""Cleaning removes what nobody needs any more, and nothing else."""

import json
import shutil
from pathlib import Path

import pytest
from classes import HALF, RIGHT, hand_in, quick, tiny_classroom
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom
from grading.common import files
from grading.errors import GradingError
from grading.pipeline import clean
from grading.pipeline.clean import Leftover, leftovers, remove
from grading.pipeline.lock import alone

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture
def classroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Classroom:
    """Two hand-ins, graded; files may be as young as they like."""
    monkeypatch.setattr(files, "_RACY_NS", 0)
    classroom = tiny_classroom(tmp_path)
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    classroom.grade(quick())
    return classroom


def kinds(found: list[Leftover]) -> list[str]:
    return sorted({item.kind for item in found})


def test_after_a_run_nothing_is_left_over(classroom: Classroom) -> None:
    assert leftovers(classroom.folder, age=0) == []


def test_the_result_and_the_notebook_of_an_earlier_attempt_are_left_over(classroom: Classroom) -> None:
    hand_in(classroom, "bo", RIGHT + "  # at last")
    records = classroom.grade(quick())
    found = leftovers(classroom.folder, age=0)
    assert kinds(found) == ["rebuilt notebooks", "stored results"]
    remove(classroom.folder, found)
    assert leftovers(classroom.folder, age=0) == []
    assert classroom.grade(quick()) == records


def test_a_file_that_another_run_is_just_writing_stops_nothing(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has another name by the time it is looked at."""
    unfinished = classroom.folder / ".cache" / "hashes" / ".new-half"
    unfinished.write_text("")
    real = clean.read_json

    def renamed(path: Path) -> object:
        if path == unfinished:
            path.unlink()
        return real(path)

    monkeypatch.setattr(clean, "read_json", renamed)
    assert leftovers(classroom.folder, age=0) == []
    assert not unfinished.exists()


def test_results_touched_today_stay(classroom: Classroom) -> None:
    hand_in(classroom, "bo", RIGHT + "  # at last")
    classroom.grade(quick())
    assert leftovers(classroom.folder) == []


def test_summary_of_a_hand_in_that_is_gone_is_forgotten(classroom: Classroom) -> None:
    shutil.rmtree(classroom.folder / "submitted" / "bo")
    found = leftovers(classroom.folder, age=0)
    assert "hand-ins that are gone" in kinds(found)
    remove(classroom.folder, found)
    entries = json.loads((classroom.folder / ".cache" / "seen" / f"{ASSIGNMENT}.json").read_text())["entries"]
    assert [Path(folder).parent.name for folder in entries] == ["ada"]


def test_records_hand_ins_and_their_results_stay(classroom: Classroom) -> None:
    def kept() -> dict[Path, bytes]:
        trees = [classroom.folder / name for name in ("submitted", "autograded", ".cache/executed")]
        return {path: path.read_bytes() for tree in trees for path in tree.rglob("*") if path.is_file()}

    before = kept()
    shutil.rmtree(classroom.folder / "submitted" / "bo")
    del before[next(path for path in before if "submitted/bo" in str(path))]
    remove(classroom.folder, leftovers(classroom.folder, age=0))
    assert kept() == before


def test_nothing_goes_while_a_record_cannot_be_read(classroom: Classroom) -> None:
    (classroom.folder / "autograded" / "bo" / ASSIGNMENT / "record.json").write_text("{")
    with pytest.raises(GradingError, match="cannot be read"):
        leftovers(classroom.folder, age=0)


def test_nothing_goes_while_a_class_is_graded(classroom: Classroom) -> None:
    with alone(classroom.folder / ".cache", ASSIGNMENT), pytest.raises(GradingError, match="being graded already"):
        remove(classroom.folder, [])


def test_views_and_questions_that_no_assignment_uses_are_left_over(classroom: Classroom) -> None:
    for old in ("views/area/0123", "questions/4567"):
        (classroom.folder / ".cache" / old).mkdir(parents=True)
        (classroom.folder / ".cache" / old / "file").write_text("12345")
    found = leftovers(classroom.folder, age=0)
    assert sorted((item.kind, item.bytes) for item in found) == [("questions", 5), ("views", 5)]
