"""Tries to get at what is not one's own, to bring in what is none, and to run what must not: all are refused."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from notebooks import ASSIGNMENT
from served import BY, Browser, any_notebook, browser, come_in, graded, opened, running, served_course
from starlette.applications import Starlette

from grading.service import access, queue
from grading.service.identity import Identity, Role, form_token, token_hash
from grading.service.queue import HandIn, State

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SECRET = "a secret of ada's"
ORIGIN = {"origin": "http://course"}


@dataclass
class World:
    """Ada has handed in, asked, and been graded; Eve tries what she can; the professor watches."""

    app: Starlette
    ada: Browser
    eve: Browser
    professor: Browser
    stranger: Browser
    one: HandIn

    @property
    def count(self) -> int:
        return len(queue.of_student(self.app.state.site.database, "eve"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_course(tmp_path_factory.mktemp("served")).folder


@pytest.fixture(scope="module")
def world(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    kept = tmp_path_factory.mktemp("kept")
    address = f"sqlite:///{kept / 'service.db'}"
    limits = {"upload_bytes": 200_000, "hand_ins_an_hour": 1000, "messages_an_hour": 1000}
    settings = replace(opened(folder), folder=kept, database=address, url="http://course", **limits)  # type: ignore[arg-type]
    with running(settings) as app:
        yield made(app)


def made(app: Starlette) -> World:
    ada = come_in(app, "ada")
    ada.hand_in(any_notebook(SECRET), f"{SECRET}.ipynb")
    one = graded(app, "ada", page=f"<p>{SECRET}</p>", why=SECRET)
    ada.post(f"/a/{ASSIGNMENT}/ask", {"text": SECRET})
    eve, professor = come_in(app, "eve"), come_in(app, "Prof", Role.instructor)
    return World(app, ada, eve, professor, browser(app), one)


# ---- Pages, files, events and exports of others --------------------------------------------------------------

OF_OTHERS = {
    "receipt": "/h/{id}",
    "feedback page": "/h/{id}/page",
    "file": "/h/{id}/file",
    "events": "/h/{id}/events",
    "own data": "/mine.json",
    "own data of a name": "/mine.json?student=ada",
    "assignment of a name": "/a/tiny?student=ada",
    "board": "/board/tiny",
    "board's events": "/board/tiny/events",
    "board's student": "/board/tiny/student?id=ada",
    "board of requests": "/board/tiny?show=requests",
    "what would change": "/board/tiny/foreseen",
    "events of what would change": "/board/tiny/foreseen/events",
    "who changed what": "/audit",
    "who changed what about somebody": "/audit?student=ada",
    "id in another case": "/h/{swapped}",
    "beginning of an id": "/h/{start}",
    "any id": "/h/%25",
    "id as a pattern": "/h/_____________________________________",
    "id as a number": "/h/1",
    "id with SQL": "/h/' or '1'='1",
    "page by its path": "/static/../pages/{id}.html",
    "page by its coded path": "/static/%2e%2e/%2e%2e/pages/{id}.html",
    "page by a double slash": "/static//pages/{id}.html",
    "database": "/static/..%2f..%2fservice.db",
    "content by its hash": "/content/{sha}",
    "configuration": "/static/..%2f..%2f..%2fnbgrader_config.py",
    "source of an assignment": "/a/..%2fsource%2ftiny",
    "assignment by a path": "/a/tiny%2f..%2ftiny",
    "assignment that is none": "/a/submitted",
    "backslashes": "/a/..%5csubmitted%5cada",
    "zero byte": "/a/tiny%00",
}


@pytest.mark.parametrize("path", OF_OTHERS.values(), ids=OF_OTHERS.keys())
@pytest.mark.parametrize("who", ["eve", "stranger"])
def test_nothing_of_others_is_seen(world: World, path: str, who: str) -> None:
    one = world.one
    path = path.format(id=one.id, swapped=one.id.swapcase(), start=one.id[:8], sha=one.sha256)
    answer = getattr(world, who).get(path)
    assert SECRET not in answer.text
    assert one.id not in answer.text
    mine = who == "eve" and path.split("?")[0] in ("/mine.json", "/a/tiny")
    assert answer.status_code == (200 if mine else 404) or (answer.status_code == 401 and who == "stranger")


def test_owner_sees_all_of_it(world: World) -> None:
    """The tries above would find it, were it not refused."""
    for path in ("/h/{id}", "/h/{id}/page", "/h/{id}/file", "/h/{id}/events", "/mine.json", "/a/tiny"):
        answer = world.ada.get(path.format(id=world.one.id))
        assert answer.status_code == 200, path
        assert SECRET.replace("'", "&#39;") in answer.text or SECRET in answer.text, path


def test_refusal_does_not_tell_whether_it_exists(world: World) -> None:
    there, nowhere = world.eve.get(f"/h/{world.one.id}"), world.eve.get(f"/h/{'x' * len(world.one.id)}")
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)


# ---- Acts that are not one's own -----------------------------------------------------------------------------

ACTS = {
    "answer as the instructor": "/board/tiny/answer?id=ada",
    "grade another again": "/board/tiny/again?id=ada",
    "grade all again": "/board/tiny/again",
    "grade oneself again": "/board/tiny/again?id=eve",
    "release feedback": "/board/tiny/feedback",
    "extend another's time": "/board/tiny/extend?id=ada",
    "extend one's own time": "/board/tiny/extend?id=eve",
}


@pytest.mark.parametrize("path", ACTS.values(), ids=ACTS.keys())
def test_student_does_not_act_as_a_teacher(world: World, path: str) -> None:
    assert world.eve.post(path, {"text": "x", "held": "yes", "due": "2030-01-01 12:00"}).status_code == 404
    found = queue.find(world.app.state.site.database, world.one.id)
    assert found is not None
    assert found.state is State.done
    assert world.ada.get(f"/h/{world.one.id}/page").status_code == 200
    assert not (world.app.state.site.settings.course / "extensions.csv").exists()


def test_message_is_written_into_ones_own_conversation_whatever_the_form_says(world: World) -> None:
    world.eve.post("/a/tiny/ask?id=ada&student=ada", {"text": "as ada", "student": "ada", "id": "ada"})
    assert "as ada" not in world.ada.get("/a/tiny").text
    assert "as ada" in world.eve.get("/a/tiny").text


def test_hand_in_is_ones_own_whatever_the_form_says(world: World) -> None:
    before = world.count
    token = world.eve.form_token()
    world.eve.client.post(
        "/a/tiny/hand-in?student=ada",
        data={"form_token": token, "student": "ada"},
        files={"notebook": ("a.ipynb", any_notebook("as ada"))},
        headers=ORIGIN,
    )
    assert world.count == before + 1
    assert len(queue.of_student(world.app.state.site.database, "ada")) == 1


# ---- Forms of other sites ------------------------------------------------------------------------------------

FORGED: dict[str, Callable[[World], httpx.Response]] = {
    "no token": lambda w: w.eve.client.post("/a/tiny/ask", data={"text": "forged"}, headers=ORIGIN),
    "empty token": lambda w: w.eve.post("/a/tiny/ask", {"text": "forged", "form_token": ""}),
    "another's token": lambda w: w.eve.post("/a/tiny/ask", {"text": "forged", "form_token": w.ada.form_token()}),
    "guessed token": lambda w: w.eve.post("/a/tiny/ask", {"text": "forged", "form_token": form_token("eve")}),
    "token that is no text": lambda w: w.eve.post("/a/tiny/ask", {"text": "forged", "form_token": "\udcff☃"[1:]}),
    "another origin": lambda w: replace(w.eve, origin="http://evil").post("/a/tiny/ask", {"text": "forged"}),
    "no origin to speak of": lambda w: replace(w.eve, origin="null").post("/a/tiny/ask", {"text": "forged"}),
    "origin that begins alike": lambda w: replace(w.eve, origin="http://course.evil").post(
        "/a/tiny/ask", {"text": "forged"}
    ),
    "fetched across sites": lambda w: w.eve.client.post(
        "/a/tiny/ask",
        data={"text": "forged", "form_token": w.eve.form_token()},
        headers={"sec-fetch-site": "cross-site"},
    ),
    "hand-in without a token": lambda w: w.eve.client.post(
        "/a/tiny/hand-in", files={"notebook": ("a.ipynb", any_notebook("forged"))}, headers=ORIGIN
    ),
    "leaving without a token": lambda w: w.eve.client.post("/leave", headers=ORIGIN),
    "code without a token": lambda w: w.eve.client.post("/a/tiny/code", headers=ORIGIN),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_form_that_was_not_made_for_this_session_is_refused(
    world: World, forged: Callable[[World], httpx.Response]
) -> None:
    before = world.count
    assert forged(world).status_code == 403
    assert world.count == before
    assert "forged" not in world.eve.get("/a/tiny").text


@pytest.mark.parametrize("path", ["/a/tiny/ask", "/a/tiny/hand-in", "/leave", "/board/tiny/again?id=ada"])
def test_nothing_is_changed_by_looking(world: World, path: str) -> None:
    assert world.professor.get(path).status_code == 405


# ---- Uploads that lie ----------------------------------------------------------------------------------------

LIES = {
    "archive": b"PK\x03\x04" + b"x" * 100,
    "page": b"<!doctype html><script>alert(1)</script>",
    "picture": b"\x89PNG\r\n\x1a\n" + b"0" * 50,
    "program": b"#!/bin/sh\nrm -rf /",
    "pickle": b"\x80\x04\x95\x1a\x00",
    "nothing": b"",
    "blanks": b" \n\t ",
    "half a notebook": any_notebook()[:-20],
    "list": b"[1, 2]",
    "other JSON": b'{"cells": "none", "nbformat": "4"}',
    "no cells": b'{"nbformat": 4}',
    "cells without a format": b'{"cells": []}',
    "deep nesting": b'{"nbformat": 4, "cells": ' + b"[" * 90_000,
    "endless number": b'{"nbformat": ' + b"9" * 90_000 + b', "cells": []}',
    "no UTF-8": b'{"nbformat": 4, "cells": ["\xff\xfe"]}',
    "too large": any_notebook("x" * 300_000),
}


@pytest.mark.parametrize("content", LIES.values(), ids=LIES.keys())
def test_upload_that_is_no_notebook_is_refused_and_not_kept(world: World, content: bytes) -> None:
    before = world.count
    refused = world.eve.hand_in(content, "tiny.ipynb")
    assert refused.status_code in (413, 415)
    assert world.count == before
    code = access.make_code(world.app.state.site.database, "eve", ASSIGNMENT, time.time())
    headers = {"authorization": f"Code {code}"}
    assert world.stranger.client.post("/api/hand-in", content=content, headers=headers).status_code in (413, 415)
    assert world.count == before


def test_size_that_is_announced_is_refused_before_anything_is_read(world: World) -> None:
    def endless() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    for path in ("/a/tiny/hand-in", "/a/tiny/ask", "/api/hand-in", "/enter"):
        headers = {**ORIGIN, "content-length": "999999999"}
        assert world.eve.client.post(path, content=endless(), headers=headers).status_code == 413, path


@pytest.mark.parametrize("said", ["-1", "1e9", "x", "9" * 5000])
def test_size_that_is_no_number_is_refused(world: World, said: str) -> None:
    answer = world.eve.client.post("/a/tiny/ask", content=b"x", headers={**ORIGIN, "content-length": said})
    assert answer.status_code == 413


def test_body_that_does_not_say_its_size_ends_at_the_limit(world: World) -> None:
    sent = []

    def endless() -> Iterator[bytes]:
        for number in range(10_000):
            sent.append(number)
            yield b"x" * 10_000

    code = access.make_code(world.app.state.site.database, "eve", ASSIGNMENT, time.time())
    headers = {"authorization": f"Code {code}"}
    answer = world.stranger.client.post("/api/hand-in", content=endless(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "files",
    [
        [("notebook", ("a.ipynb", any_notebook())), ("notebook", ("b.ipynb", any_notebook()))],
        [("other", ("a.ipynb", any_notebook()))],
        [(f"f{number}", ("a.ipynb", b"{}")) for number in range(30)],
    ],
    ids=["two", "another field", "many"],
)
def test_one_file_is_taken_and_no_other(world: World, files: list[tuple[str, tuple[str, bytes]]]) -> None:
    before = world.count
    data = {"form_token": world.eve.form_token()}
    answer = world.eve.client.post("/a/tiny/hand-in", data=data, files=files, headers=ORIGIN)
    assert answer.status_code == 400
    assert world.count == before


NAMES = {
    "path up": ("../../../nbgrader_config.py", "nbgrader_config.py"),
    "path of Windows": ("..\\..\\x.ipynb", "x.ipynb"),
    "absolute path": ("/etc/passwd", "passwd"),
    "script": ("<script>alert(1)<script>.ipynb", "<script>alert(1)<script>.ipynb"),
    "turned round": ("cod\u202ebpyni.exe", "cod_bpyni.exe"),
    "very long": ("a" * 1000, "a" * 120),
}


@pytest.mark.parametrize(("given", "kept"), NAMES.values(), ids=NAMES.keys())
def test_name_of_a_file_is_only_shown(world: World, given: str, kept: str) -> None:
    answer = world.eve.hand_in(any_notebook(given[:50]), given)
    assert answer.status_code == 200
    one = queue.of_student(world.app.state.site.database, "eve")[0]
    assert one.file_name == kept
    assert "<script>alert" not in answer.text
    stored = [path.name for path in (world.app.state.site.settings.folder / "content").rglob("*") if path.is_file()]
    assert all(re.fullmatch(r"[0-9a-f]{64}", name) for name in stored)


# ---- Stored scripts ------------------------------------------------------------------------------------------


def test_scripts_in_requests_names_and_reasons_are_shown_as_text(world: World, folder: Path) -> None:
    roster = folder / "roster.csv"
    before = roster.read_text()
    roster.write_text(before + f'mallory,"{SCRIPT}",\n')
    try:
        mallory = come_in(world.app, "mallory")
        mallory.post("/a/tiny/ask", {"text": SCRIPT})
        mallory.hand_in(any_notebook(), f"{SCRIPT}.ipynb")
        one = graded(world.app, "mallory", why=SCRIPT, flags=(SCRIPT,))
        pages = [
            mallory.get("/"),
            mallory.get("/a/tiny"),
            mallory.get(f"/h/{one.id}"),
            mallory.get(f"/h/{one.id}/events"),
        ]
        pages += [world.professor.get(f"/board/tiny{end}") for end in ("", "?show=flags", "/student?id=mallory")]
        pages += [world.professor.get(f"/h/{one.id}"), world.professor.get("/board/tiny?show=%3Cscript%3Ealert(1)")]
        for page in pages:
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            assert "<img" not in page.text
        assert "&lt;script&gt;alert(1)" in pages[1].text
    finally:
        roster.write_text(before)


def test_refusals_do_not_repeat_scripts(world: World) -> None:
    for path in (f"/a/{SCRIPT}", f"/h/{SCRIPT}", f"/enter/{SCRIPT}", f"/{SCRIPT}", f"/board/tiny/student?id={SCRIPT}"):
        assert "<script>alert" not in world.professor.get(path).text


def test_every_answer_carries_the_headers(world: World) -> None:
    pages = [world.eve.get(path) for path in ("/", "/a/tiny", "/nowhere", "/static/live.js", "/mine.json")]
    pages += [world.stranger.get("/"), world.eve.hand_in(b""), world.ada.get(f"/h/{world.one.id}/file")]
    pages += [world.eve.client.post("/a/tiny/ask", content=b"x", headers={"content-length": "99999999"})]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'self'" in policy
        assert page.headers["x-frame-options"] == "SAMEORIGIN"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
    assert "attachment" in pages[7].headers["content-disposition"]


def test_own_pages_have_no_script_or_style_inside(world: World) -> None:
    for page in (world.ada.get("/a/tiny"), world.ada.get(f"/h/{world.one.id}"), world.professor.get("/board/tiny")):
        assert (
            re.findall(r"<script(?! src=\"/static/live.js\" defer>)|<style|<[^>]* style=|<[^>]* on\w+=", page.text)
            == []
        )


# ---- Links, sessions, codes ----------------------------------------------------------------------------------


def token_of(browser_: Browser) -> str:
    return str(browser_.client.cookies["course"])


def session(world: World, cookie: str) -> int:
    other = browser(world.app)
    other.client.cookies.set("course", cookie)
    return int(other.get("/").status_code)


def test_only_hashes_are_stored(world: World) -> None:
    site, link = (
        world.app.state.site,
        access.make_link(world.app.state.site.database, "bo", Role.student, time.time(), 9, BY),
    )
    code = access.make_code(site.database, "bo", ASSIGNMENT, time.time())
    kept = b"".join(path.read_bytes() for path in site.settings.folder.glob("service.db*"))
    for secret in (link, code, token_of(world.ada), token_of(world.professor)):
        assert secret.encode() not in kept
        assert token_hash(secret).encode() in kept


@pytest.mark.parametrize("role", ["instructor", "student"])
def test_cookie_that_was_made_up_is_nobodys(world: World, role: str) -> None:
    for cookie in (
        role,
        "ada",
        json.dumps({"student": "ada", "role": role}),
        token_hash(token_of(world.ada)),
        "x" * 43,
    ):
        assert session(world, cookie.replace('"', "").replace(" ", "")) == 401


def test_cookie_of_another_course_is_nobodys_here(world: World) -> None:
    who = Identity("another course", "ada", Role.instructor)
    assert session(world, access.start_session(world.app.state.site.database, who, time.time(), 60)) == 401


def test_session_ends_with_its_time_and_with_its_link(world: World) -> None:
    database, now = world.app.state.site.database, time.time()
    who = Identity(world.app.state.site.course_id, "cy")
    assert session(world, access.start_session(database, who, now - 100, 60)) == 401
    cy = come_in(world.app, "cy")
    assert cy.get("/").status_code == 200
    assert access.session_of(database, token_of(cy), now + 3500) == who
    assert access.session_of(database, token_of(cy), now + 3700) is None  # the session would last, the link does not
    assert access.withdraw(database, "cy", now, BY) == 1
    assert cy.get("/").status_code == 401


@pytest.mark.parametrize("end", ["withdrawn", "expired", "cut", "hash"])
def test_link_that_does_not_open_lets_nobody_in(world: World, end: str) -> None:
    database, now = world.app.state.site.database, time.time()
    token = access.make_link(database, "dan", Role.student, now - 100, 50 if end == "expired" else 1000, BY)
    if end == "withdrawn":
        access.withdraw(database, "dan", now, BY)
    tried = {"cut": token[:-1], "hash": token_hash(token)}.get(end, token)
    answer = browser(world.app).get(f"/enter/{tried}")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("end", ["used", "expired", "replaced", "hash", "as a link", "no code"])
def test_code_that_does_not_work_hands_nothing_in(world: World, end: str) -> None:
    database, now, before = world.app.state.site.database, time.time(), world.count
    code = access.make_code(database, "eve", ASSIGNMENT, now - (access.CODE_SECONDS + 1 if end == "expired" else 0))
    if end == "used":
        with database.writing() as connection:
            assert access.use_code(connection, code, now)
    if end == "replaced":
        access.make_code(database, "eve", ASSIGNMENT, now)
    kind = "Bearer" if end == "no code" else "Code"
    tried = {"hash": token_hash(code), "as a link": token_of(world.eve)}.get(end, code)
    headers = {"authorization": f"{kind} {tried}"}
    assert world.stranger.client.post("/api/hand-in", content=any_notebook(), headers=headers).status_code == 403
    assert world.count == before
    world.app.state.site.failed_tries.__init__(20, 60)  # type: ignore[misc]


def test_guessing_is_slowed_down(world: World) -> None:
    answers = [browser(world.app).get(f"/enter/{number}").status_code for number in range(25)]
    assert answers[0] == 404
    assert answers[-1] == 429
    token = access.make_link(world.app.state.site.database, "bo", Role.student, time.time(), 60, BY)
    assert browser(world.app).get(f"/enter/{token}").status_code == 429
    headers = {"authorization": "Code AAAA-AAAA-AAAA"}
    assert world.stranger.client.post("/api/hand-in", content=any_notebook(), headers=headers).status_code == 429
    world.app.state.site.failed_tries.__init__(20, 60)  # type: ignore[misc]


def test_hand_ins_and_requests_of_an_hour_are_counted(folder: Path, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'service.db'}"
    settings = replace(opened(folder), folder=tmp_path, database=address, url="http://course")
    with running(replace(settings, hand_ins_an_hour=2, messages_an_hour=2)) as app:
        eve = come_in(app, "eve")
        assert [eve.hand_in(any_notebook(str(number))).status_code for number in range(3)] == [200, 200, 403]
        assert [eve.post("/a/tiny/ask", {"text": "x"}).status_code for _ in range(3)] == [200, 200, 429]
        assert come_in(app, "ada").hand_in(any_notebook()).status_code == 200


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_request_that_says_nothing_or_too_much_is_refused(world: World, text: str) -> None:
    assert world.eve.post("/a/tiny/ask", {"text": text}).status_code == 400


def test_teachers_do_not_hand_in(world: World) -> None:
    assert world.professor.hand_in(any_notebook()).status_code == 403
    assert world.professor.post("/a/tiny/code", {}).status_code == 403


def test_error_says_nothing_of_the_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/secret/path and a password")

    monkeypatch.setattr(queue, "of_student", broken)
    answer = world.eve.get("/a/tiny")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "kept" in answer.text
