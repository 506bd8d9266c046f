"""A group hands in once: every member has the hand-in, the feedback, the points and the grade, and nobody else."""

import csv
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from classes import HALF
from commands import course
from notebooks import ASSIGNMENT
from served import any_notebook, come_in, notebook_of, opened, running, served_course
from starlette.applications import Starlette

from grading.authoring.classroom import Classroom
from grading.execution import workers
from grading.service import access, queue
from grading.service.database import Database
from grading.service.grader import Grader
from grading.service.identity import Role
from grading.service.personal import forget_in_service
from grading.service.queue import State
from grading.service.settings import Settings


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """Ada and Bo are a group, Cy is alone."""
    made = served_course(tmp_path_factory.mktemp("served"))
    config = made.folder / "nbgrader_config.py"
    rules = {ASSIGNMENT: {"attempts": 2}}
    groups = {ASSIGNMENT: {"team one": ["ada", "bo"]}}
    config.write_text(f"{config.read_text()}\nc.HandIns.rules = {rules!r}\nc.HandIns.groups = {groups!r}\n")
    return made


@pytest.fixture
def settings(classroom: Classroom, tmp_path: Path) -> Settings:
    address = f"sqlite:///{tmp_path / 'service.db'}"
    return replace(opened(classroom.folder), folder=tmp_path, database=address, url="http://course")


@pytest.fixture
def app(settings: Settings) -> Iterator[Starlette]:
    with running(settings) as app:
        yield app


def test_each_member_has_the_hand_in_and_nobody_else(app: Starlette) -> None:
    ada, bo, cy = (come_in(app, who) for who in ("ada", "bo", "cy"))
    assert "as a group with Bo Diddley" in ada.get(f"/a/{ASSIGNMENT}").text
    assert "as a group" not in cy.get(f"/a/{ASSIGNMENT}").text
    ada.hand_in(any_notebook(), "ours.ipynb")
    database = app.state.site.database
    (adas,), (bos,) = queue.of_student(database, "ada"), queue.of_student(database, "bo")
    assert queue.of_student(database, "cy") == []
    assert (adas.sha256, adas.received) == (bos.sha256, bos.received)
    assert "ours.ipynb (team one, by another member)" in bo.get(f"/a/{ASSIGNMENT}").text
    assert bo.get(f"/h/{bos.id}/file").content == any_notebook()
    assert [one.get(f"/h/{adas.id}").status_code for one in (ada, bo, cy)] == [200, 404, 404]
    board = come_in(app, "Prof", Role.instructor).get(f"/board/{ASSIGNMENT}").text
    assert "2 of 3 have handed in" in board


def test_attempts_of_a_group_are_counted_once_each(app: Starlette) -> None:
    ada, bo = come_in(app, "ada"), come_in(app, "bo")
    assert ada.hand_in(any_notebook()).status_code == 200
    assert bo.hand_in(any_notebook("y = 2")).status_code == 200
    for one in (ada, bo):
        refused = one.hand_in(any_notebook("z = 3"))
        assert (refused.status_code, "2 of a group may be handed in" in refused.text) == (403, True)
    states = [[one.state for one in queue.of_student(app.state.site.database, who)] for who in ("ada", "bo")]
    assert states == [[State.received, State.replaced]] * 2


def test_code_of_one_member_hands_in_for_all(app: Starlette) -> None:
    site = app.state.site
    code = access.make_code(site.database, "bo", ASSIGNMENT, time.time())
    headers = {"authorization": f"Code {code}"}
    client = come_in(app, "cy").client
    assert client.post("/api/hand-in", content=any_notebook(), headers=headers).status_code == 200
    assert client.post("/api/hand-in", content=any_notebook(), headers=headers).status_code == 403
    assert [len(queue.of_student(site.database, who)) for who in ("ada", "bo", "cy")] == [1, 1, 0]


def test_forgotten_member_leaves_the_others_their_hand_in(app: Starlette, tmp_path: Path) -> None:
    come_in(app, "ada").hand_in(any_notebook())
    forget_in_service(app.state.site.database, tmp_path, "ada")
    (left,) = queue.of_student(app.state.site.database, "bo")
    bo = come_in(app, "bo")
    assert bo.get(f"/h/{left.id}/file").content == any_notebook()
    assert "ada" not in left.file_name.lower()


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap")
def test_each_member_has_feedback_and_grade_and_the_code_runs_once(
    app: Starlette, classroom: Classroom, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    real = workers._run_one
    monkeypatch.setattr(workers, "_run_one", lambda job, *more: (ran.append(""), real(job, *more))[1])
    ada, bo = come_in(app, "ada"), come_in(app, "bo")
    source = HALF + "  # ours"
    database = Database.open(settings.database)
    with Grader(settings, database) as grader:
        grader.get_ready(ASSIGNMENT)
        ran.clear()
        ada.hand_in(notebook_of(classroom, source))
        while grader.step():
            pass
    database.close()
    assert len(ran) == 1
    for browser, student, name in ((ada, "ada", "Ada Lovelace"), (bo, "bo", "Bo Diddley")):
        (one,) = queue.of_student(app.state.site.database, student)
        assert (one.state, one.points) == (State.done, 2)
        page = browser.get(f"/h/{one.id}/page").text
        assert name in page
    assert course(classroom.folder, "export", ASSIGNMENT, "--to", "csv").returncode == 0
    with (classroom.folder / "exports" / f"{ASSIGNMENT}-csv.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {next(iter(row.values())) for row in rows if "2" in row.values()} >= {"ada", "bo"}
