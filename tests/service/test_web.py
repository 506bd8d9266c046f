"""The pages, asked as a browser asks: what a student and an instructor do from the link to the answer."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from notebooks import ASSIGNMENT
from served import BY, any_notebook, browser, come_in, graded, opened, running, served_course
from starlette.applications import Starlette

from grading.service import access, queue
from grading.service.identity import Role
from grading.service.queue import State
from grading.service.settings import Settings
from grading.service.standstill import Pauses


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_course(tmp_path_factory.mktemp("served")).folder


@pytest.fixture
def settings(folder: Path, tmp_path: Path) -> Settings:
    """Settings of a service whose folder is new."""
    return replace(
        opened(folder), folder=tmp_path, database=f"sqlite:///{tmp_path / 'service.db'}", url="http://course"
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Starlette]:
    with running(settings) as app:
        yield app


def test_personal_link_lets_in_and_the_page_says_what_is_to_do(app: Starlette) -> None:
    ada = come_in(app, "ada")
    home = ada.get("/")
    assert f'href="/a/{ASSIGNMENT}"' in home.text
    page = ada.get(f"/a/{ASSIGNMENT}")
    assert page.status_code == 200
    assert "Ada Lovelace" in page.text
    assert "5 points" in page.text
    assert 'type="file"' in page.text
    cookie = ada.entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_receipt_names_time_file_and_hash_and_the_file_is_stored_before_it(app: Starlette, settings: Settings) -> None:
    ada = come_in(app, "ada")
    receipt = ada.hand_in(any_notebook(), "my work.ipynb")
    assert receipt.status_code == 200
    (one,) = queue.of_student(app.state.site.database, "ada")
    assert one.sha256 in receipt.text
    assert "my work.ipynb" in receipt.text
    assert "It is next." in receipt.text
    assert ada.get(f"/h/{one.id}/file").content == any_notebook()
    assert (settings.folder / "content" / one.sha256[:2] / one.sha256).read_bytes() == any_notebook()


def test_status_is_told_until_it_is_settled(app: Starlette) -> None:
    ada = come_in(app, "ada")
    ada.hand_in(any_notebook())
    one = graded(app, "ada", points=4)
    told = ada.get(f"/h/{one.id}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert "data: <h2>4 of 5 points</h2>" in told.text
    assert told.text.endswith("event: end\ndata: end\n\n")


def test_feedback_page_is_shown_where_nothing_of_it_runs(app: Starlette) -> None:
    ada = come_in(app, "ada")
    ada.hand_in(any_notebook())
    one = graded(app, "ada", page="<script>alert(1)</script>")
    page = ada.get(f"/h/{one.id}/page")
    assert page.text == "<script>alert(1)</script>"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script" not in policy
    assert 'sandbox="allow-popups"' in ada.get(f"/h/{one.id}").text


def test_request_and_answer_are_seen_by_both(app: Starlette) -> None:
    ada, teacher = come_in(app, "ada"), come_in(app, "Prof", Role.instructor)
    ada.post(f"/a/{ASSIGNMENT}/ask", {"text": "My loop is right."})
    assert "Asks: My loop is right." in teacher.get(f"/board/{ASSIGNMENT}").text
    assert "Ada Lovelace" in teacher.get(f"/board/{ASSIGNMENT}?show=requests").text
    assert "Bo Diddley" not in teacher.get(f"/board/{ASSIGNMENT}?show=requests").text
    answered = teacher.post(f"/board/{ASSIGNMENT}/answer?id=ada", {"text": "So it is."})
    assert answered.status_code == 200
    assert "Asks:" not in answered.text
    for page in (ada.get(f"/a/{ASSIGNMENT}"), teacher.get(f"/board/{ASSIGNMENT}/student?id=ada")):
        assert re.search(r"My loop is right\..*So it is\.", page.text, re.DOTALL)


def test_board_shows_who_has_handed_in_and_what_to_look_at(app: Starlette) -> None:
    come_in(app, "ada").hand_in(any_notebook())
    graded(app, "ada", points=3, flags=("look here",))
    teacher = come_in(app, "Prof", Role.instructor)
    board = teacher.get(f"/board/{ASSIGNMENT}").text
    assert "1 of 3 have handed in" in board
    assert "Mean 3.0 points" in board
    assert "look here" in board
    assert board.count("Nothing yet") == 2
    assert "Ada" not in teacher.get(f"/board/{ASSIGNMENT}?show=missing").text.partition("<tbody>")[2]


def test_board_says_what_grading_waits_for_while_somebody_waits(app: Starlette) -> None:
    database = app.state.site.database
    come_in(app, "ada").hand_in(any_notebook())
    teacher = come_in(app, "Prof", Role.instructor)
    Pauses(database).because(ASSIGNMENT, "no <scheduler> answers")
    board = teacher.get(f"/board/{ASSIGNMENT}").text
    assert re.search(r"Grading waits since .*: no &lt;scheduler&gt; answers</p>", board)
    graded(app, "ada")
    assert "Grading waits" not in teacher.get(f"/board/{ASSIGNMENT}").text


def test_instructor_has_a_hand_in_graded_again(app: Starlette) -> None:
    come_in(app, "ada").hand_in(any_notebook())
    teacher = come_in(app, "Prof", Role.instructor)
    assert teacher.post(f"/board/{ASSIGNMENT}/again?id=ada", {}).status_code == 409
    one = graded(app, "ada")
    assert teacher.post(f"/board/{ASSIGNMENT}/again?id=ada", {}).status_code == 200
    again = queue.find(app.state.site.database, one.id)
    assert again is not None
    assert again.state is State.received


def test_instructor_has_the_class_graded_again(app: Starlette) -> None:
    teacher = come_in(app, "Prof", Role.instructor)
    assert teacher.post(f"/board/{ASSIGNMENT}/again", {}).status_code == 409
    for student in ("ada", "bo"):
        come_in(app, student).hand_in(any_notebook(student))
        graded(app, student)
    board = teacher.post(f"/board/{ASSIGNMENT}/again", {})
    assert board.status_code == 200
    assert "Waiting 2, running 0, graded 0" in board.text


def test_feedback_that_is_held_back_is_seen_after_its_release(app: Starlette) -> None:
    ada, teacher = come_in(app, "ada"), come_in(app, "Prof", Role.instructor)
    ada.hand_in(any_notebook())
    one = graded(app, "ada", points=4)
    teacher.post(f"/board/{ASSIGNMENT}/feedback", {"held": "yes"})
    assert ada.get(f"/h/{one.id}/page").status_code == 404
    for path in (f"/h/{one.id}", f"/h/{one.id}/events", f"/a/{ASSIGNMENT}", "/mine.json"):
        assert not re.search(r"4 of 5|\"points\": 4", ada.get(path).text), path
    assert teacher.get(f"/h/{one.id}/page").status_code == 200
    teacher.post(f"/board/{ASSIGNMENT}/feedback", {"held": ""})
    assert ada.get(f"/h/{one.id}/page").status_code == 200
    assert "4 of 5" in ada.get(f"/a/{ASSIGNMENT}").text


def test_assistant_teaches_but_does_not_release(app: Starlette) -> None:
    helper = come_in(app, "Tim", Role.assistant)
    assert helper.get(f"/board/{ASSIGNMENT}").status_code == 200
    assert helper.post(f"/board/{ASSIGNMENT}/feedback", {"held": "yes"}).status_code == 403


def test_code_from_the_page_hands_a_notebook_in_once(app: Starlette) -> None:
    ada = come_in(app, "ada")
    shown = ada.post(f"/a/{ASSIGNMENT}/code", {}).text
    found = re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", shown)
    assert found is not None
    nobody = browser(app)
    headers = {"authorization": f"Code {found[0].lower()}", "x-file-name": "lab.ipynb"}
    answer = nobody.client.post("/api/hand-in", content=any_notebook(), headers=headers)
    assert answer.status_code == 200
    (one,) = queue.of_student(app.state.site.database, "ada")
    assert answer.json()["result"] == f"http://course/h/{one.id}"
    assert answer.json()["sha256"] == one.sha256
    again = nobody.client.post("/api/hand-in", content=any_notebook("y = 2"), headers=headers)
    assert again.status_code == 403
    assert len(queue.of_student(app.state.site.database, "ada")) == 1


def test_damaged_notebook_does_not_use_the_code_up(app: Starlette) -> None:
    code = access.make_code(app.state.site.database, "ada", ASSIGNMENT, time.time())
    client, headers = browser(app).client, {"authorization": f"Code {code}"}
    assert client.post("/api/hand-in", content=b"{", headers=headers).status_code == 415
    assert client.post("/api/hand-in", content=any_notebook(), headers=headers).status_code == 200


def test_own_data_is_given_as_a_file(app: Starlette) -> None:
    ada, bo = come_in(app, "ada"), come_in(app, "bo")
    ada.hand_in(any_notebook())
    bo.post(f"/a/{ASSIGNMENT}/ask", {"text": "of bo"})
    data = ada.get("/mine.json")
    assert "attachment" in data.headers["content-disposition"]
    assert data.json()["student"] == "ada"
    assert len(data.json()["assignments"][0]["hand_ins"]) == 1
    assert "of bo" not in data.text


def test_somebody_else_already_is_asked_first(app: Starlette) -> None:
    ada = come_in(app, "ada")
    token = access.make_link(app.state.site.database, "bo", Role.student, time.time(), 60, BY)
    asked = ada.get(f"/enter/{token}")
    assert "another person" in asked.text
    assert "Ada Lovelace" in ada.get("/").text
    ada.post("/enter", {"link": token}, page=f"/enter/{token}")
    assert "Bo Diddley" in ada.get("/").text


def test_session_that_was_left_is_over(app: Starlette) -> None:
    ada = come_in(app, "ada")
    kept = dict(ada.client.cookies)
    ada.post("/leave", {})
    ada.client.cookies.update(kept)
    assert ada.get("/").status_code == 401


def test_rules_of_the_assignment_are_told_before_and_followed(app: Starlette, folder: Path) -> None:
    config = folder / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(
        before + f'\nc.HandIns.rules = {{"{ASSIGNMENT}": {{"attempts": 1, "due": "2030-01-01 12:00"}}}}\n'
    )
    try:
        ada = come_in(app, "ada")
        assert "due <time" in ada.get(f"/a/{ASSIGNMENT}").text
        assert ada.hand_in(any_notebook()).status_code == 200
        refused = ada.hand_in(any_notebook("y = 2"))
        assert refused.status_code == 403
        assert "All attempts are used" in refused.text
        assert "All attempts are used" in ada.get(f"/a/{ASSIGNMENT}").text
    finally:
        config.write_text(before)


def test_instructor_extends_the_due_time_of_one_student(app: Starlette, folder: Path) -> None:
    config = folder / "nbgrader_config.py"
    before = config.read_text()
    rules = {ASSIGNMENT: {"due": "2020-01-01 12:00", "closes": "2020-01-02 12:00"}}
    config.write_text(f"{before}\nc.HandIns.rules = {rules!r}\nc.HandIns.time_zone = 'Europe/Berlin'\n")
    try:
        ada, teacher = come_in(app, "ada"), come_in(app, "Prof", Role.instructor)
        assert "It closed on" in ada.get(f"/a/{ASSIGNMENT}").text
        path = f"/board/{ASSIGNMENT}/extend?id=ada"
        assert teacher.post(path, {"due": "soon"}).status_code == 400
        shown = teacher.post(path, {"due": "2040-01-01 12:00", "why": "ill"})
        assert "2040-01-01 11:00 UTC" in shown.text
        assert "2040-01-01 11:00 UTC" in ada.get(f"/a/{ASSIGNMENT}").text
        assert ada.hand_in(any_notebook()).status_code == 200
        assert "It closed on" in come_in(app, "bo").get(f"/a/{ASSIGNMENT}").text
        assert "by Prof: ill" in (folder / "extensions.csv").read_text()
        teacher.post(path, {"due": ""})
        assert ada.hand_in(any_notebook()).status_code == 403
    finally:
        config.write_text(before)
        (folder / "extensions.csv").unlink(missing_ok=True)


def test_service_by_https_uses_cookies_that_no_other_host_can_set(settings: Settings) -> None:
    framed = replace(settings, url="https://course", framed_by=("https://lms.example.org",))
    with running(framed) as app:
        ada = come_in(app, "ada", url="https://course")
        page = ada.get("/")
    cookie = ada.entered.headers["set-cookie"]
    assert cookie.startswith("__Host-course=")
    for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert part in cookie
    assert "max-age" in page.headers["strict-transport-security"]
    assert "frame-ancestors 'self' https://lms.example.org" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
