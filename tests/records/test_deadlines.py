"""Rules of hand-ins reach nbgrader's gradebook: due times, extensions, and what lateness takes off."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from classes import quick, tiny_classroom
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from notebooks import ASSIGNMENT
from traitlets.config import Config

from grading.authoring.classroom import Classroom
from grading.config import extensions, grant_extension, hand_in_rules, load_config
from grading.errors import GradingError
from grading.nbgrader_plugins import LatePenaltiesByRules
from grading.pipeline.run import open_course
from grading.records.deadlines import Due, read_due
from grading.records.gradebook import GradebookWriter
from grading.records.record import GRADED, QuestionRecord, Record

DUE = datetime(2026, 11, 16, 12, tzinfo=UTC)
LATER = "second"
"""An assignment that is due a week later."""
RULES = f"""
c.HandIns.time_zone = "Europe/Berlin"
c.HandIns.every = {{"late_percent": 10}}
c.HandIns.rules = {{
    "{ASSIGNMENT}": {{"due": "2026-11-16 13:00", "grace": "10 minutes"}},
    "{LATER}": {{"due": "2026-11-23 13:00"}},
}}
"""


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    made = tiny_classroom(tmp_path)
    configure(made, RULES)
    return made


def configure(classroom: Classroom, text: str) -> None:
    path = classroom.folder / "nbgrader_config.py"
    path.write_text(path.read_text() + text)


def url(classroom: Classroom) -> str:
    return f"sqlite:///{classroom.folder / 'gradebook.db'}"


def hand_in(classroom: Classroom, name: str = ASSIGNMENT, **late: timedelta) -> None:
    """Grade 10 points for each student, handed in so long after the assignment was due for all."""
    config = load_config(classroom.folder)
    released = open_course(classroom.folder, ASSIGNMENT, quick(), asking=False).assignment.released
    due = DUE + timedelta(days=7) if name == LATER else DUE
    with GradebookWriter(
        url(classroom), name, {name: released}, config, hand_in_rules(classroom.folder, config)
    ) as book:
        for student, after in late.items():
            questions = {"test_area": QuestionRecord(10.0, 10.0, "Because.")}
            at = f"{due + after:%Y-%m-%d %H:%M:%S} UTC"
            book.write(Record(student, name, GRADED, questions=questions, submission={"timestamp": at}))


def penalties(classroom: Classroom, name: str = ASSIGNMENT) -> dict[str, float | None]:
    with Gradebook(url(classroom)) as book:
        rows = {row.student.id: row.notebooks[0] for row in book.find_assignment(name).submissions}
        return {student: notebook.late_submission_penalty for student, notebook in sorted(rows.items())}


def test_due_time_of_the_rules_is_the_gradebooks_and_lateness_costs_what_they_say(classroom: Classroom) -> None:
    hand_in(classroom, ada=timedelta(0), bo=timedelta(minutes=10), cy=timedelta(minutes=11), di=timedelta(days=2))
    assert penalties(classroom) == {"ada": None, "bo": None, "cy": 1.0, "di": 2.0}
    assert read_due(url(classroom), "", ASSIGNMENT) == Due(DUE)


def test_extensions_of_the_file_stand_above_and_come_and_go(classroom: Classroom) -> None:
    configure(classroom, f'c.HandIns.extensions = {{"ada": {{"{ASSIGNMENT}": "2026-11-17 13:00"}}}}\n')
    grant_extension(classroom.folder, "bo", ASSIGNMENT, DUE + timedelta(days=2), "was ill,\nwith a note")
    hand_in(classroom, ada=timedelta(days=2), bo=timedelta(days=2))
    assert penalties(classroom) == {"ada": 1.0, "bo": None}
    assert read_due(url(classroom), "", ASSIGNMENT).of("bo") == DUE + timedelta(days=2)
    with Gradebook(url(classroom)) as book:  # nbgrader's own commands see the same
        assert book.find_submission(ASSIGNMENT, "bo").total_seconds_late == 0
    grant_extension(classroom.folder, "bo", ASSIGNMENT, None)
    hand_in(classroom, bo=timedelta(days=2))
    assert penalties(classroom)["bo"] == 2.0
    assert read_due(url(classroom), "", ASSIGNMENT).own == {"ada": DUE + timedelta(days=1)}


def test_line_of_extensions_without_a_due_time_is_said(classroom: Classroom) -> None:
    (classroom.folder / "extensions.csv").write_text("student,assignment,due\nada,lab1\n")
    with pytest.raises(GradingError, match=r"extensions\.csv, line 2: give the student's id"):
        extensions(classroom.folder)


def test_due_time_and_extensions_of_the_gradebook_count_where_the_rules_say_none(classroom: Classroom) -> None:
    configure(classroom, "c.HandIns.rules = {}\n")
    hand_in(classroom, ada=timedelta(hours=1), bo=timedelta(hours=1))
    assert penalties(classroom) == {"ada": None, "bo": None}
    with Gradebook(url(classroom)) as book:
        book.find_assignment(ASSIGNMENT).duedate = DUE.replace(tzinfo=None)
        book.grant_extension(ASSIGNMENT, "bo", hours=2)
    hand_in(classroom, ada=timedelta(hours=1), bo=timedelta(hours=1))
    assert penalties(classroom) == {"ada": 1.0, "bo": None}


def test_plug_in_decides_where_the_rules_take_nothing_off_and_grace_is_heeded(classroom: Classroom) -> None:
    configure(classroom, "c.HandIns.every = {}\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    hand_in(classroom, ada=timedelta(minutes=5), bo=timedelta(hours=1))
    assert penalties(classroom) == {"ada": None, "bo": 10.0}


@pytest.mark.parametrize("order", [(ASSIGNMENT, LATER), (LATER, ASSIGNMENT, LATER)])
def test_late_days_go_to_what_was_due_first_in_whatever_order_it_is_graded(
    classroom: Classroom, order: tuple[str, ...]
) -> None:
    configure(classroom, "c.HandIns.late_days = 3\n")
    for name in order:
        hand_in(classroom, name, ada=timedelta(days=2), bo=timedelta(days=4))
    assert penalties(classroom) == {"ada": None, "bo": 1.0}
    assert penalties(classroom, LATER) == {"ada": 1.0, "bo": 4.0}


def test_nbgraders_own_autograde_takes_off_the_same(classroom: Classroom) -> None:
    hand_in(classroom, ada=timedelta(days=2))
    with Gradebook(url(classroom)) as book:
        book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada").late_submission_penalty = None
        book.find_assignment(ASSIGNMENT).duedate = None
        book.db.commit()
    names = {"assignment": ASSIGNMENT, "student": "ada", "notebook": ASSIGNMENT, "db_url": url(classroom)}
    config = Config({"CourseDirectory": {"root": str(classroom.folder)}})
    LatePenaltiesByRules(config=config).preprocess(new_notebook(), {"nbgrader": names})
    assert penalties(classroom) == {"ada": 2.0}
