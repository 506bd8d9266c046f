"""The release and the gradebook keep the same cells and points, whichever of them changes or fails."""

from pathlib import Path

import nbformat
import pytest
from classes import HALF, RIGHT, gradebook_rows, hand_in, quick, tiny_classroom
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveCells
from notebooks import ASSIGNMENT
from sqlalchemy.exc import OperationalError

from grading.authoring.classroom import Classroom
from grading.errors import GradingError
from grading.records.record import RECORD

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """Two students who have been graded."""
    classroom = tiny_classroom(tmp_path)
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    classroom.grade(quick())
    return classroom


def change_master(classroom: Classroom, **changes: object) -> None:
    """Give the grade cell `test_sum` other points or another name; `test_area` is worth one point more, too."""
    path = classroom.folder / "source" / ASSIGNMENT / classroom.notebook_name
    master = nbformat.read(path, as_version=4)
    for cell in master.cells:
        described = cell.metadata.get("nbgrader", {})
        if described.get("grade_id") == "test_sum":
            described.update(changes)
        if described.get("grade_id") == "test_area":
            described["points"] = 3
    nbformat.write(master, path)


def max_scores(classroom: Classroom) -> dict[str, float]:
    with Gradebook(f"sqlite:///{classroom.folder / 'gradebook.db'}") as gradebook:
        (notebook,) = gradebook.find_assignment(ASSIGNMENT).notebooks
        return {cell.name: cell.max_score for cell in notebook.grade_cells}


def records(classroom: Classroom) -> dict[str, str]:
    return {path.parts[-3]: path.read_text() for path in classroom.folder.glob(f"autograded/*/*/{RECORD}")}


def test_new_points_of_a_release_are_those_of_records_and_gradebook(classroom: Classroom) -> None:
    change_master(classroom, points=6)
    graded = classroom.grade(quick())
    assert {record.max_points for record in graded} == {9.0}
    assert max_scores(classroom) == {"test_area": 3.0, "test_sum": 6.0}


def test_a_release_with_other_cells_is_refused_in_words_and_changes_nothing(classroom: Classroom) -> None:
    before = max_scores(classroom), gradebook_rows(classroom.folder), records(classroom)
    change_master(classroom, grade_id="test_total")
    with pytest.raises(GradingError, match="Grade into a new gradebook"):
        classroom.grade(quick())
    assert (max_scores(classroom), gradebook_rows(classroom.folder), records(classroom)) == before


def test_a_gradebook_that_fails_while_cells_are_entered_leaves_points_and_records_as_they_were(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = max_scores(classroom), gradebook_rows(classroom.folder), records(classroom)
    change_master(classroom, points=6)

    def fails(self: SaveCells, notebook: object, resources: object) -> None:
        raise OperationalError("update", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patched:
        patched.setattr(SaveCells, "preprocess", fails)
        with pytest.raises(GradingError, match="disk I/O error"):
            classroom.grade(quick())
    assert (max_scores(classroom), gradebook_rows(classroom.folder), records(classroom)) == before
    classroom.grade(quick())
    assert max_scores(classroom) == {"test_area": 3.0, "test_sum": 6.0}
