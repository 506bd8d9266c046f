"""`course invite`, and `course serve` as a process: from the link to the feedback page, and through SIGKILL."""

import csv
import io
import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from classes import HALF, RIGHT
from commands import course
from notebooks import ASSIGNMENT
from served import ROSTER, SECONDS, free_port, notebook_of, served_at, served_course, serving

from grading.authoring.classroom import Classroom
from grading.service import queue
from grading.service.database import Database
from grading.service.queue import State
from grading.service.settings import read_settings


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("invited")
    (folder / "source").mkdir()
    (folder / "roster.csv").write_text(ROSTER + '=1+1,"=HYPERLINK(""x"")",\n')
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.Service.url = 'https://course.example.org'\n")
    return folder


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in csv.DictReader(io.StringIO(text))}


def test_links_are_shown_once_and_fit_for_a_mail_merge(class_folder: Path) -> None:
    ran = course(class_folder, "invite", "--output", "links.csv")
    assert ran.returncode == 0, ran.stderr
    made = rows((class_folder / "links.csv").read_text())
    assert made["ada"]["name"] == "Ada Lovelace"
    assert made["ada"]["email"] == "ada@example.org"
    assert re.fullmatch(r"https://course\.example\.org/enter/[\w-]{43}", made["ada"]["link"])
    assert len({row["link"] for row in made.values()}) == 4
    assert "'=1+1" in made
    assert made["'=1+1"]["name"].startswith("'=")
    assert (class_folder / "links.csv").stat().st_mode & 0o077 == 0
    again = course(class_folder, "invite")
    assert rows(again.stdout) == {}
    assert "4 have a link already" in again.stderr
    renewed = course(class_folder, "invite", "ada", "--again")
    assert rows(renewed.stdout)["ada"]["link"] != made["ada"]["link"]


def test_links_of_an_instructor_are_asked_for_by_name(class_folder: Path) -> None:
    assert "name who is invited" in course(class_folder, "invite", "--role", "instructor").stderr
    made = rows(course(class_folder, "invite", "Prof", "--role", "instructor").stdout)
    assert list(made) == ["Prof"]
    assert "1 links have ended" in course(class_folder, "invite", "Prof", "--withdraw").stdout
    assert "is a student's id" in course(class_folder, "invite", "ada", "--role", "assistant").stderr
    assert "nobody is not in roster.csv" in course(class_folder, "invite", "nobody").stderr


def test_service_without_a_sandbox_is_refused(class_folder: Path) -> None:
    config = class_folder / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(before + "c.Grading.isolation = 'none'\n")
    ran = course(class_folder, "serve", "--port", "1")
    config.write_text(before)
    assert ran.returncode == 2
    assert "a service never runs student code" in ran.stderr


# ---- The processes -------------------------------------------------------------------------------------------


def hand_in(url: str, link: str, content: bytes) -> tuple[httpx.Client, str]:
    """Hand in with a browser of one's own; give it, and the address of the receipt."""
    client = httpx.Client(follow_redirects=True, timeout=SECONDS)
    client.get(link)
    page = client.get(f"{url}/a/{ASSIGNMENT}").text
    token = re.search(r'name="form_token" value="(\w+)"', page)
    assert token is not None
    files = {"notebook": ("tiny.ipynb", content)}
    answer = client.post(f"{url}/a/{ASSIGNMENT}/hand-in", data={"form_token": token[1]}, files=files)
    assert answer.status_code == 200
    return client, str(answer.url)


@pytest.fixture
def classroom(tmp_path: Path, bubblewrap: None) -> Classroom:
    classroom = served_course(tmp_path)
    students = "".join(f"s{number},,\n" for number in range(12))
    (classroom.folder / "roster.csv").write_text("id,name,email\n" + students)
    return classroom


@pytest.mark.slow
def test_status_moves_to_the_feedback_page_without_asking_again(classroom: Classroom) -> None:
    port = free_port()
    url = served_at(classroom.folder, port)
    link = rows(course(classroom.folder, "invite", "s1").stdout)["s1"]["link"]
    with serving(classroom.folder, port):
        client, receipt = hand_in(url, link, notebook_of(classroom, HALF))
        with client.stream("GET", f"{receipt}/events") as stream:
            told = "".join(stream.iter_text())
        assert "Waiting" in told or "Being graded" in told
        assert re.search(r"<h2>\d of 5 points</h2>", told)
        assert told.endswith("event: end\ndata: end\n\n")
        assert client.get(f"{receipt}/page").status_code == 200
    assert (classroom.folder / "autograded" / "s1" / ASSIGNMENT / "record.json").is_file()


def has_begun(database: Database, before: int) -> bool:
    """Whether something of a turn runs, or was graded already."""
    found = queue.counts(database, ASSIGNMENT)
    return bool(found.get(State.running)) or found.get(State.done, 0) > before


def wait_for(seen: Callable[[], object]) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not seen():
        time.sleep(0.05)


def graders_of(server: int) -> list[int]:
    """The processes that grade for a server."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.slow
def test_nothing_with_a_receipt_is_lost_and_nothing_is_graded_twice_whatever_is_killed(classroom: Classroom) -> None:
    port = free_port()
    url = served_at(classroom.folder, port)
    links = {name: row["link"] for name, row in rows(course(classroom.folder, "invite").stdout).items()}
    settings = read_settings(classroom.folder)
    database = Database.open(settings.database)
    receipts = {}
    names = iter(links)
    for turn in range(4):
        with serving(classroom.folder, port) as process:
            for name in [next(names) for _ in range(3)]:
                source = f"{RIGHT}\n# {name}"
                receipts[name] = hand_in(url, links[name], notebook_of(classroom, source))[1].rpartition("/")[2]
            wait_for(lambda before=3 * turn: has_begun(database, before))
            time.sleep(random.Random(turn).random())
            graders = graders_of(process.pid)
            assert len(graders) == settings.graders
            for pid in graders[:1] if turn % 2 else [*graders, process.pid]:
                os.kill(pid, signal.SIGKILL)
    with serving(classroom.folder, port):
        wait_for(lambda: not queue.pending(database))
    found = {name: queue.find(database, one) for name, one in receipts.items()}
    database.close()
    assert len(found) == 12
    assert {one.state for one in found.values() if one} == {State.done}
    assert {(one.points, one.times_graded) for one in found.values() if one} == {(5, 1)}
    records = list((classroom.folder / "autograded").glob(f"*/{ASSIGNMENT}/record.json"))
    assert len(records) == 12
