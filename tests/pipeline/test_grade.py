"""Everyone who handed in something gets the right grade, once, whatever happens on the way."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from classes import HALF, NOTHING, RIGHT, gradebook_rows, hand_in, quick, set_minimum, tiny_classroom
from nbgrader.api import Gradebook
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom
from grading.config import load_config
from grading.errors import GradingError
from grading.execution.store import Store
from grading.execution.workers import Outcome
from grading.options import Isolation
from grading.pipeline import grade as module
from grading.pipeline.grade import grade
from grading.pipeline.lock import alone
from grading.pipeline.plan import plan, why_run
from grading.pipeline.run import open_course
from grading.records.gradebook import GradebookWriter
from grading.records.record import EXAMINER, FAILED, GRADED, REFUSED, SCORING, Record, read_record
from grading.scoring.questions import Score

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """A class with a gradebook, which takes seconds to make."""
    classroom = tiny_classroom(tmp_path_factory.mktemp("template"))
    course = open_course(classroom.folder, ASSIGNMENT, quick(isolation=Isolation.none))
    kept = {ASSIGNMENT: course.assignment.only.kept}
    GradebookWriter(course.db_url, ASSIGNMENT, kept, load_config(course.folder))
    return classroom


@pytest.fixture
def classroom(template: Classroom, tmp_path: Path) -> Classroom:
    shutil.copytree(template.folder, tmp_path / "class")
    return replace(template, folder=tmp_path / "class")


def points(records: list[Record]) -> dict[str, float]:
    return {record.student: record.points for record in records}


def gradebook(classroom: Classroom) -> list[tuple[object, ...]]:
    return gradebook_rows(classroom.folder)


def autograded(classroom: Classroom, student: str) -> Path:
    return classroom.folder / "autograded" / student / ASSIGNMENT


def test_each_gets_what_it_deserves_with_the_reason(classroom: Classroom) -> None:
    for student, source in {"ada": RIGHT, "bo": HALF, "cy": NOTHING}.items():
        hand_in(classroom, student, source)
    records = classroom.grade(quick(workers=2))
    assert points(records) == {"ada": 5, "bo": 2, "cy": 0}
    by_name = {record.student: record.questions["test_area"].reason for record in records}
    assert by_name["bo"] == "2 of 4 cases are right; case 3: the value is not right"
    assert "ValueError: not today" in by_name["cy"]
    assert ("ada", "test_sum", 3.0, None, None, 0, None, None) in gradebook(classroom)


def test_second_run_executes_nothing_and_changes_nothing(classroom: Classroom, executed: list[str]) -> None:
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    first = classroom.grade(quick())
    rows = gradebook(classroom)
    assert len(executed) == 2
    assert classroom.grade(quick()) == first
    assert len(executed) == 2
    assert gradebook(classroom) == rows


def test_new_threshold_scores_without_executing(classroom: Classroom, executed: list[str]) -> None:
    hand_in(classroom, "bo", HALF)
    assert points(classroom.grade(quick())) == {"bo": 2}
    set_minimum(classroom.folder, 0.5)
    assert points(classroom.grade(quick())) == {"bo": 4}
    assert len(executed) == 1


def test_new_scoring_scores_without_executing(classroom: Classroom, executed: list[str]) -> None:
    hand_in(classroom, "bo", HALF)
    classroom.grade(quick())
    scoring = classroom.folder / "source" / ASSIGNMENT / "scoring.py"
    scoring.write_text(scoring.read_text().replace("round(3 * share)", "1.0"))
    assert points(classroom.grade(quick())) == {"bo": 1}
    assert len(executed) == 1


def test_one_students_change_runs_that_student_only(classroom: Classroom, executed: list[str]) -> None:
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    classroom.grade(quick())
    hand_in(classroom, "bo", RIGHT + "  # at last")
    assert points(classroom.grade(quick())) == {"ada": 5, "bo": 5}
    assert len(executed) == 3


def test_two_hand_ins_of_the_same_content_are_executed_once(classroom: Classroom, executed: list[str]) -> None:
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", RIGHT)
    assert points(classroom.grade(quick())) == {"ada": 5, "bo": 5}
    assert len(executed) == 1


def test_force_executes_again(classroom: Classroom, executed: list[str]) -> None:
    hand_in(classroom, "ada", RIGHT)
    for _ in range(2):
        classroom.grade(quick(force=True))
    assert len(executed) == 2


def test_dry_run_says_what_would_run_and_why(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)

    def why(**changes: object) -> str:
        course = open_course(classroom.folder, ASSIGNMENT, quick(**changes))
        return why_run(course, plan(course).submissions[0])

    assert why() == "never executed"
    classroom.grade(quick())
    assert why() == ""
    assert why(force=True) == "--force"
    assert why(limits=replace(quick().limits, tasks=99)) == "changed: limits"
    hand_in(classroom, "ada", HALF)
    assert why() == "changed: code"


def test_hand_in_that_cannot_be_read_is_a_row_all_the_same(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", RIGHT).write_text("not JSON")
    (classroom.folder / "submitted" / "cy" / ASSIGNMENT).mkdir(parents=True)
    records = {record.student: record for record in classroom.grade(quick())}
    assert {name: record.status for name, record in records.items()} == {"ada": GRADED, "bo": REFUSED, "cy": REFUSED}
    assert records["bo"].why
    assert records["ada"].points == 5
    assert ("bo", "test_area", 0.0, None, None, 1, None, None) in gradebook(classroom)
    assert read_record(autograded(classroom, "bo")) == records["bo"]


def test_mistake_in_the_scoring_is_the_authors_not_the_students(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    classroom.grade(quick())
    rows = gradebook(classroom)
    scoring = classroom.folder / "source" / ASSIGNMENT / "scoring.py"
    for broken, said in (("round(3 * share)", "1 / 0"), ("1 / 0", "99"), ('"test_sum":', '"test_some":')):
        scoring.write_text(scoring.read_text().replace(broken, said))
        (record,) = classroom.grade(quick())
        assert record.status == FAILED
        assert "scoring.py" in record.why
        assert (autograded(classroom, "ada") / f"{ASSIGNMENT}.ipynb").is_file()
    assert gradebook(classroom) == rows


def test_scoring_that_leaves_out_what_it_says_it_decides_is_the_authors_mistake(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    scoring = classroom.folder / "source" / ASSIGNMENT / "scoring.py"
    less = scoring.read_text().replace('        "test_sum": Score(round(3 * share), why or "Right."),\n', "")
    scoring.write_text(less)
    (record,) = classroom.grade(quick())
    assert (record.status, record.questions) == (FAILED, {})
    assert "scoring.py gives no points for test_sum: let score give some, or let scored name only" in record.why
    scoring.write_text(f'{less}\n\ndef scored(context):\n    return {{"test_area"}}\n')
    (record,) = classroom.grade(quick())
    assert (record.status, record.points) == (GRADED, 5)
    assert {name: question.decided for name, question in record.questions.items()} == {
        "test_area": SCORING,
        "test_sum": EXAMINER,
    }


def test_machine_that_fails_costs_nobody_a_grade(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", HALF)
    monkeypatch.setattr(module, "run_all", lambda jobs, *_: (Outcome(key, None, "no room") for key in jobs))
    assert {record.status for record in classroom.grade(quick())} == {FAILED}
    assert gradebook(classroom) == []
    monkeypatch.undo()
    assert points(classroom.grade(quick())) == {"ada": 5, "bo": 2}


def test_grade_that_a_person_gave_is_kept(classroom: Classroom) -> None:
    hand_in(classroom, "ada", HALF)
    classroom.grade(quick())
    with Gradebook(f"sqlite:///{classroom.folder / 'gradebook.db'}") as book:
        grade_row = book.find_grade("test_area", ASSIGNMENT, ASSIGNMENT, "ada")
        grade_row.manual_score = 1.5
        comment = book.find_comment("area", ASSIGNMENT, ASSIGNMENT, "ada")
        comment.manual_comment = "well tried"
        book.db.commit()
    classroom.grade(quick())
    assert ("ada", "test_area", 0.0, 1.5, None, 0, None, None) in gradebook(classroom)
    hand_in(classroom, "ada", RIGHT)
    classroom.grade(quick())
    assert ("ada", "test_area", 2.0, 1.5, None, 1, None, None) in gradebook(classroom)
    with Gradebook(f"sqlite:///{classroom.folder / 'gradebook.db'}") as book:
        assert book.find_comment("area", ASSIGNMENT, ASSIGNMENT, "ada").manual_comment == "well tried"
        assert book.find_submission(ASSIGNMENT, "ada").score == 4.5


def test_executed_notebook_tells_nbgrader_the_same_points(classroom: Classroom) -> None:
    from nbgrader.utils import determine_grade, is_grade

    hand_in(classroom, "bo", HALF)
    (record,) = classroom.grade(quick())
    notebook = nbformat.read(autograded(classroom, "bo") / f"{ASSIGNMENT}.ipynb", as_version=4)
    nbformat.validate(notebook)
    found = {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in notebook.cells if is_grade(cell)}
    assert found == {name: question.points for name, question in record.questions.items()}


def test_executed_notebook_that_was_emptied_is_written_again_without_executing(
    classroom: Classroom, executed: list[str]
) -> None:
    """As a machine may leave it that loses its power: these files are not waited for."""
    hand_in(classroom, "ada", RIGHT)
    classroom.grade(quick())
    notebook = autograded(classroom, "ada") / f"{ASSIGNMENT}.ipynb"
    written = notebook.read_bytes()
    notebook.write_bytes(b"")
    classroom.grade(quick())
    assert notebook.read_bytes() == written
    assert len(executed) == 1


def test_record_says_how_it_was_graded(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    classroom.grade(quick())
    written = json.loads((autograded(classroom, "ada") / "record.json").read_text())
    assert (written["points"], written["max_points"], written["status"]) == (5, 5, "graded")
    assert written["execution"]["isolation"] == "bwrap"
    assert written["execution"]["seeds"] == [0]
    assert written["execution"]["versions"]["numpy"]
    assert written["execution"]["limits"]["tasks"] == 100
    assert written["questions"]["test_area"]["facts"] == {"share": 1.0}


def test_late_hand_in_carries_its_time(classroom: Classroom) -> None:
    folder = hand_in(classroom, "ada", RIGHT).parent
    (folder / "timestamp.txt").write_text("2026-02-03 04:05:06 UTC")
    classroom.grade(quick())
    assert gradebook(classroom)[0][-1] == "2026-02-03 04:05:06.000000"


def test_malformed_time_stamp_is_left_out_and_said(classroom: Classroom) -> None:
    folder = hand_in(classroom, "ada", RIGHT).parent
    (folder / "timestamp.txt").write_text("yesterday, I swear")
    (record,) = classroom.grade(quick())
    assert record.points == 5
    assert any("is no time" in repair for repair in record.repairs)


def test_student_whose_name_cannot_be_written_is_a_row_all_the_same(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    names = [b"caf\xe9", b"line\nbreak", b"x" * 240, b"<script>", "Zoë O'Brien, Jr.".encode()]
    submitted = os.fsencode(classroom.folder / "submitted")
    for name in names:
        shutil.copytree(submitted + b"/ada", submitted + b"/" + name)
    records = {record.student: record for record in classroom.grade(quick())}
    assert len(records) == 6
    assert records["ada"].points == records["Zoë O'Brien, Jr."].points == records["<script>"].points == 5
    assert sorted(record.status for record in records.values()) == [GRADED] * 3 + [REFUSED] * 3
    assert len({row[0] for row in gradebook(classroom)}) == 6


def test_one_that_cannot_be_recorded_does_not_stop_the_others(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", RIGHT)
    real = GradebookWriter.write

    def write(self: GradebookWriter, record: Record) -> None:
        if record.student == "ada":
            raise OSError("disk full")
        real(self, record)

    monkeypatch.setattr(GradebookWriter, "write", write)
    records = classroom.grade(quick())
    assert [(record.status, record.why) for record in records] == [(FAILED, "OSError: disk full"), (GRADED, "")]


def test_median_of_several_seeds_is_taken_and_a_swing_flagged(classroom: Classroom) -> None:
    unlucky = RIGHT + "\nimport os\nif os.environ['COURSE_SEED'] == '1':\n    def area(box): return 0"
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", unlucky)
    records = {record.student: record for record in classroom.grade(quick(repeats=3))}
    assert points(list(records.values())) == {"ada": 5, "bo": 5}
    assert records["ada"].flags == ()
    assert records["bo"].flags == (
        "test_area swings with the seed: 2, 0, 2 points in 3 runs",
        "test_sum swings with the seed: 3, 1, 3 points in 3 runs",
    )
    assert records["bo"].execution["seeds"] == [0, 1, 2]


def test_grading_without_isolation_is_kept_in_the_record(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    (record,) = classroom.grade(quick(isolation=Isolation.none))
    assert record.points == 5
    assert record.execution["isolation"] == "none"
    assert record.flags == ("graded without isolation",)


def test_files_handed_in_beside_the_notebook_are_there(classroom: Classroom, executed: list[str]) -> None:
    folder = hand_in(classroom, "ada", "from mine import area").parent
    (folder / "mine.py").write_text(RIGHT)
    assert points(classroom.grade(quick())) == {"ada": 5}
    (folder / "mine.py").write_text(HALF)
    assert points(classroom.grade(quick())) == {"ada": 2}
    assert len(executed) == 2


def test_relative_folder_of_hand_ins_works(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = hand_in(classroom, "ada", "from mine import area").parent
    (folder / "mine.py").write_text(RIGHT)
    (classroom.folder / "submitted").rename(classroom.folder / "download")
    monkeypatch.chdir(classroom.folder)
    assert points(classroom.grade(quick(submitted=Path("download")))) == {"ada": 5}


def test_only_the_students_asked_for_are_graded(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    hand_in(classroom, "bo", RIGHT)
    assert points(classroom.grade(quick(), students=["bo"])) == {"bo": 5}
    with pytest.raises(GradingError, match="nothing handed in by nobody"):
        classroom.grade(quick(), students=["nobody"])


def test_second_run_at_once_is_refused(classroom: Classroom) -> None:
    hand_in(classroom, "ada", RIGHT)
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    with alone(course.cache, ASSIGNMENT), pytest.raises(GradingError, match="being graded already"):
        grade(course, plan(course))


def test_assignment_without_scoring_is_graded_by_its_own_tests(classroom: Classroom) -> None:
    (classroom.folder / "source" / ASSIGNMENT / "scoring.py").unlink()
    hand_in(classroom, "ada", RIGHT)
    (record,) = classroom.grade(quick())
    assert (record.status, record.points, record.max_points) == (GRADED, 5, 5)
    assert {question.decided for question in record.questions.values()} == {EXAMINER}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text + "\n1 / 0", "cannot be loaded: ZeroDivisionError"),
        (lambda text: text.replace("def score", "def rate"), "defines neither score nor measures"),
    ],
)
def test_broken_scoring_is_named(classroom: Classroom, damage: Callable[[str], str], said: str) -> None:
    hand_in(classroom, "ada", RIGHT)
    path = classroom.folder / "source" / ASSIGNMENT / "scoring.py"
    path.write_text(damage(path.read_text()))
    with pytest.raises(GradingError, match=said):
        open_course(classroom.folder, ASSIGNMENT, quick())


def test_interrupted_run_is_continued(classroom: Classroom, executed: list[str]) -> None:
    for student, source in {"ada": RIGHT, "bo": HALF, "cy": NOTHING}.items():
        hand_in(classroom, student, source)

    def stop(event: str, name: str) -> None:
        if event == "recorded":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classroom.grade(quick(), on_event=stop)
    assert len(gradebook(classroom)) == 2  # one submission of two grade cells
    assert points(classroom.grade(quick())) == {"ada": 5, "bo": 2, "cy": 0}


def test_new_gradebook_has_the_same_rows(classroom: Classroom) -> None:
    for student, source in {"ada": RIGHT, "bo": HALF}.items():
        hand_in(classroom, student, source)
    classroom.grade(quick())
    rows = gradebook(classroom)
    (classroom.folder / "gradebook.db").unlink()
    shutil.rmtree(classroom.folder / "autograded")
    shutil.rmtree(classroom.folder / ".cache")
    classroom.grade(quick())
    assert gradebook(classroom) == rows


def test_a_stored_result_that_vanishes_while_grading_fails_in_words(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(classroom, "ada", RIGHT)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", lambda *_: None)
        (record,) = classroom.grade(quick())
    assert record.status == FAILED
    assert "has vanished while grading: grade again" in record.why
    assert points(classroom.grade(quick())) == {"ada": 5}


def test_with_several_seeds_points_reasons_and_notebook_are_one_runs(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By turns the first cell's points are best and the second's: the median of each would be no run's."""
    hand_in(classroom, "ada", f"{RIGHT}\nimport os\nprint('seed', os.environ['COURSE_SEED'])")
    totals = iter([(0.0, 1.0), (2.0, 0.0), (0.0, 3.0)])

    def score(*_: object) -> dict[str, Score]:
        first, second = next(totals)
        return {"test_area": Score(first, f"{first:g}"), "test_sum": Score(second, f"{second:g}")}

    monkeypatch.setattr(module, "_score", score)
    (record,) = classroom.grade(quick(repeats=3))
    assert {name: question.points for name, question in record.questions.items()} == {"test_area": 2, "test_sum": 0}
    assert record.execution["decided_by"] == 1
    assert '"seed 1\\n"' in (autograded(classroom, "ada") / classroom.notebook_name).read_text()
