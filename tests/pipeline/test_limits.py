"""An assignment has the limits that it needs, and none that the course's machine cannot bear."""

from pathlib import Path

import pytest
from classes import RIGHT, hand_in, quick, tiny_classroom
from notebooks import ASSIGNMENT

from grading.errors import GradingError
from grading.options import Limits, Options
from grading.pipeline.limits import own_limits, propose, within, write_limits
from grading.pipeline.run import open_course
from grading.records.record import GRADED


def test_an_assignment_without_limits_has_the_courses(tmp_path: Path) -> None:
    assert within(Options(), tmp_path) == Options()


def test_the_smaller_limit_counts(tmp_path: Path) -> None:
    write_limits(tmp_path, {"cell_seconds": 20, "memory_bytes": 2**50})
    limits = within(Options(), tmp_path).limits
    assert (limits.cell_seconds, limits.memory_bytes) == (20, Limits().memory_bytes)
    assert limits.notebook_seconds == Limits().notebook_seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[20]", "must hold limits by name"),
        ('{"cell_second": 20}', "'cell_second' is no limit; there are cell_seconds, "),
        ('{"cell_seconds": "20"}', "cell_seconds must be a positive number, not '20'"),
        ('{"cell_seconds": true}', "must be a positive number"),
        ('{"cell_seconds": 0}', "must be a positive number"),
        ('{"cell_seconds": NaN}', "must be a positive number"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "limits.json").write_text(text)
    with pytest.raises(GradingError, match=said):
        own_limits(tmp_path)


def test_limits_are_proposed_from_what_the_solution_takes() -> None:
    assert propose(0.01, 0.05) == {"cell_seconds": 10, "notebook_seconds": 20}
    assert propose(4.2, 9.0) == {"cell_seconds": 50, "notebook_seconds": 100}
    assert propose(31.0, 60.0) == {"cell_seconds": 400, "notebook_seconds": 800}


def test_written_limits_keep_the_others(tmp_path: Path) -> None:
    write_limits(tmp_path, {"memory_bytes": 5})
    write_limits(tmp_path, {"cell_seconds": 20})
    assert own_limits(tmp_path) == {"memory_bytes": 5, "cell_seconds": 20}


@pytest.mark.usefixtures("bubblewrap")
def test_a_submission_that_never_ends_is_stopped_at_the_assignments_limit(tmp_path: Path) -> None:
    classroom = tiny_classroom(tmp_path)
    write_limits(classroom.folder / "source" / ASSIGNMENT, {"cell_seconds": 3, "notebook_seconds": 15})
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", "while True:\n    pass")
    limits = open_course(classroom.folder, ASSIGNMENT, quick()).options.limits
    assert (limits.cell_seconds, limits.notebook_seconds) == (3, 15)
    ada, bo = classroom.grade(quick())
    assert (ada.status, ada.points, bo.status, bo.points) == (GRADED, 5, GRADED, 0)
    assert any("interrupted" in event.what for event in bo.events)
