"""A class of its own shares what is worth sharing with the course, and nothing else."""

from pathlib import Path

import pytest
from classes import RIGHT, hand_in, quick, tiny_classroom, tiny_course
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom
from grading.config import Grading, load_config
from grading.pipeline.lock import alone

pytestmark = pytest.mark.usefixtures("bubblewrap")


def two_classes(tmp_path: Path) -> tuple[Classroom, Classroom]:
    (tmp_path / "course").mkdir()
    course = tiny_course(tmp_path / "course")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + '\nc.Grading.cache = "kept/here"\n')
    made = [Classroom.create(course, tmp_path / name, ASSIGNMENT) for name in ("one", "two")]
    for classroom in made:
        classroom.share_results(course)
        hand_in(classroom, "ada", RIGHT)
    return made[0], made[1]


def test_results_are_kept_in_the_configured_cache_and_used_by_the_next_class(
    tmp_path: Path, executed: list[str]
) -> None:
    one, two = two_classes(tmp_path)
    one.grade(quick())
    assert list((tmp_path / "course").rglob("kept/here/executed/*/*.json"))
    two.grade(quick())
    assert len(executed) == 1


def test_a_class_is_graded_while_another_process_grades_the_course(tmp_path: Path) -> None:
    one, _ = two_classes(tmp_path)
    course = tmp_path / "course"
    cache = Grading(config=load_config(course)).cache_folder(course)
    with alone(cache, ASSIGNMENT):
        (record,) = one.grade(quick())
    assert record.points == 5
    assert not (cache / "seen").exists()


def test_sharing_with_a_cache_that_is_the_same_changes_nothing(tmp_path: Path) -> None:
    classroom = tiny_classroom(tmp_path)
    classroom.share_results(classroom.folder)
    hand_in(classroom, "ada", RIGHT)
    assert classroom.grade(quick())[0].points == 5
