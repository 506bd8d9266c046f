"""Before all is graded again the board says which grades would change, and the web server does not work that out."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from classes import HALF, RIGHT, hand_in, set_minimum
from notebooks import ASSIGNMENT
from served import SECONDS, any_notebook, come_in, graded, opened, running, served_course
from starlette.applications import Starlette

from grading.authoring.classroom import Classroom
from grading.pipeline.foreseen import Foreseen
from grading.pipeline.run import options_from
from grading.service import foresight, queue
from grading.service.foresight import Foresight
from grading.service.identity import Role
from grading.service.personal import forget_in_service

BOARD = f"/board/{ASSIGNMENT}"


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> Classroom:
    """Two have handed in and were graded; then a threshold was lowered."""
    made = served_course(tmp_path_factory.mktemp("served"))
    hand_in(made, "ada", RIGHT)
    hand_in(made, "bo", HALF)
    made.grade(options_from(made.folder))
    set_minimum(made.folder, 0.4)
    return made


@pytest.fixture
def app(classroom: Classroom, tmp_path: Path) -> Iterator[Starlette]:
    address = f"sqlite:///{tmp_path / 'service.db'}"
    with running(replace(opened(classroom.folder), folder=tmp_path, database=address, url="http://course")) as app:
        yield app


def answered(app: Starlette) -> Foresight:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        known = app.state.site.foresights.last(ASSIGNMENT)
        assert known is not None
        if not known.running:
            return known
        time.sleep(0.1)
    raise AssertionError("it was not worked out")


def test_page_says_how_many_grades_would_change_for_whom_and_by_how_much(app: Starlette, classroom: Classroom) -> None:
    teacher = come_in(app, "Prof", Role.instructor)
    asked = teacher.post(f"{BOARD}/foresee", {})
    assert asked.url.path == f"{BOARD}/foreseen"
    told = teacher.get(f"{BOARD}/foreseen/events").text
    assert told.endswith("event: end\ndata: end\n\n")
    page = teacher.get(f"{BOARD}/foreseen").text
    assert answered(app).error == ""
    for text in (told, page):
        assert "1 of 2 grades would change: 1 would rise, by 2 at most." in text
        assert "Bo Diddley" in text
        assert "+2" in text
    assert "Ada" not in page
    assert queue.latest(app.state.site.database, ASSIGNMENT) == {}, "nothing was graded"


def test_reason_why_nothing_can_be_told_is_said(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.state.site.foresights, "_course", Path("/nowhere"))
    teacher = come_in(app, "Prof", Role.instructor)
    teacher.post(f"{BOARD}/foresee", {})
    answered(app)
    assert "It could not be told." in teacher.get(f"{BOARD}/foreseen").text


def test_answer_is_forgotten_when_all_is_graded_again_and_with_a_student(
    app: Starlette, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site, teacher = app.state.site, come_in(app, "Prof", Role.instructor)
    begun: list[str] = []
    monkeypatch.setattr(foresight.Foresights, "_work", lambda _, assignment, asked: begun.append(assignment))
    come_in(app, "ada").hand_in(any_notebook())
    graded(app, "ada")
    for forget in (
        lambda: teacher.post(f"{BOARD}/again", {}),
        lambda: forget_in_service(site.database, tmp_path, "bo"),
    ):
        teacher.post(f"{BOARD}/foresee", {})
        teacher.post(f"{BOARD}/foresee", {})
        forget()
        assert site.foresights.last(ASSIGNMENT) is None
    assert begun == [ASSIGNMENT, ASSIGNMENT], "asked twice, it is worked out once"


def test_answer_of_a_server_that_ended_is_not_waited_for() -> None:
    assert Foresight(time.time(), None, []).running
    assert not Foresight(time.time() - foresight.LONGEST_SECONDS, None, []).running
    found = [Foreseen("a", 1, 2), Foreseen("b", 3, 1), Foreseen("c", 1, 1), Foreseen("d", 1, None, "why")]
    assert [one.student for one in Foresight(1.0, 2.0, found).changed] == ["b", "a"]
