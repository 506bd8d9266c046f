"""A tiny course that is served: its settings, its database, hand-ins."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nbformat
from anyio.from_thread import start_blocking_portal
from classes import RIGHT, tiny_classroom
from notebooks import ASSIGNMENT
from starlette.applications import Starlette
from starlette.testclient import TestClient

from grading.authoring.classroom import Classroom, fill_in
from grading.common.files import write_atomically
from grading.lms.roster import Student
from grading.service import access, queue
from grading.service.app import create_app
from grading.service.audit import Author
from grading.service.content import store
from grading.service.database import Database
from grading.service.grader import page_path
from grading.service.identity import Role
from grading.service.invitations import invite, the_class
from grading.service.queue import Arrival, HandIn
from grading.service.settings import Settings, read_settings

BY = Author("Prof", "instructor")
SECONDS = 120
"""Patience with processes."""
ROSTER = "id,name,email\nada,Ada Lovelace,ada@example.org\nbo,Bo Diddley,bo@example.org\ncy,Cy Twombly,\n"


def served_course(folder: Path) -> Classroom:
    """The tiny course, released, with a class of three."""
    classroom = tiny_classroom(folder)
    (classroom.folder / "roster.csv").write_text(ROSTER)
    (classroom.folder / "submitted").mkdir(exist_ok=True)
    return classroom


def opened(folder: Path) -> Settings:
    return read_settings(folder)


def notebook_of(classroom: Classroom, source: str = RIGHT) -> bytes:
    return nbformat.writes(fill_in(classroom.released(), {"area": source})).encode()


def received(settings: Settings, database: Database, student: str, content: bytes, now: float) -> HandIn:
    digest = store(settings.folder, content)
    with database.writing() as connection:
        return queue.receive(connection, Arrival(student, ASSIGNMENT, "mine.ipynb", digest, len(content)), now)


def any_notebook(text: str = "x = 1") -> bytes:
    cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


@dataclass
class Browser:
    """Somebody's browser: a client with cookies, and forms filled in with the token of the page that holds them."""

    client: TestClient
    entered: httpx.Response | None = None
    origin: str = "http://course"

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def form_token(self, page: str = "/") -> str:
        found = re.search(r'name="form_token" value="(\w+)"', self.client.get(page).text)
        return found[1] if found else ""

    def post(self, path: str, fields: Mapping[str, str], page: str = "/") -> httpx.Response:
        sent = {"form_token": self.form_token(page), **fields}
        return self.client.post(path, data=sent, headers={"origin": self.origin})

    def hand_in(self, content: bytes, name: str = "tiny.ipynb", assignment: str = ASSIGNMENT) -> httpx.Response:
        return self.client.post(
            f"/a/{assignment}/hand-in",
            data={"form_token": self.form_token()},
            files={"notebook": (name, content)},
            headers={"origin": self.origin},
        )


def browser(app: Starlette, url: str = "http://course") -> Browser:
    client = TestClient(app, base_url=url, raise_server_exceptions=False)
    client.portal = app.state.portal
    return Browser(client, origin=url)


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Starlette]:
    """The application, with one event loop for all that ask, since starting one takes longer than an answer."""
    database = Database.open(settings.database)
    app = create_app(settings, database)
    with start_blocking_portal() as portal:
        app.state.portal = portal
        yield app
    database.close()


def come_in(app: Starlette, who: str, role: Role = Role.student, url: str = "http://course") -> Browser:
    """Somebody who has opened a personal link."""
    token = access.make_link(app.state.site.database, who, role, time.time(), 3600, BY)
    found = browser(app, url)
    found.entered = found.client.get(f"/enter/{token}", follow_redirects=False)
    assert found.entered.status_code == 303
    return found


def graded(app: Starlette, student: str, points: float = 5, page: str = "<p>Feedback</p>", **told: Any) -> HandIn:
    """The student's newest hand-in, as a grader would leave it."""
    site = app.state.site
    taken = next(one for one in queue.claim(site.database, ASSIGNMENT, 99, "one") if one.student == student)
    write_atomically(page_path(site.settings.folder, taken.id), page)
    queue.finish(site.database, taken, queue.Result(points, 5, **told))
    found = queue.find(site.database, taken.id)
    assert found is not None
    return found


@contextlib.contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`course serve`, until the block ends; it answers when this gives it."""
    command = [sys.executable, "-c", "from grading.cli import main; main()", "serve", "--port", str(port)]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def served_at(folder: Path, port: int) -> str:
    """Let a course be reached at a port of this machine; its address."""
    config = folder / "nbgrader_config.py"
    url = f"http://127.0.0.1:{port}"
    config.write_text(f"{config.read_text()}\nc.Service.url = {url!r}\n")
    return url


def links_of(folder: Path, *students: str) -> dict[str, str]:
    """New personal links of the class and of an instructor, or of these students alone."""
    settings = read_settings(folder)
    database = Database.open(settings.database)
    people = [one for one in the_class(folder) if not students or one.id in students]
    made = invite(settings, database, people, again=True)
    made += [] if students else invite(settings, database, [Student("instructor")], Role.instructor)
    database.close()
    return {one.student.id: one.link for one in made}
