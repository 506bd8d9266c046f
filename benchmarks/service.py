"""The service under load: a class hands in the warm-up, each student from a session of its own, on this machine.

    python benchmarks/service.py [--students 300] [--within 60] [--assignment boxes_and_iou]
    COURSE_DATA=... python benchmarks/service.py --students 2 --within 0 --assignment object_detection

Prints what was seen: receipts, how long after the receipt the feedback was there, how fast pages answered meanwhile,
and the memory of the web server. Nothing is written anywhere else. The students run in this process, on the same cores.
"""

import argparse
import asyncio
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import nbformat
import psutil
from harness import ROOT

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.records.record import read_record
from grading.service import queue
from grading.service.database import Database
from grading.service.invitations import invite, the_class
from grading.service.settings import Settings, read_settings

PATIENCE = 900.0
"""Seconds until a run is given up."""


@dataclass
class Seen:
    """What the students saw, in seconds."""

    pages: list[float] = field(default_factory=list)
    feedback: dict[str, float] = field(default_factory=dict)
    """By student, from the receipt to the feedback."""
    lost: list[str] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> int:
    """Run the class and print what was seen; 1 if anything was lost or graded twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--within", type=float, default=60.0, help="seconds within which all hand in")
    parser.add_argument("--assignment", default="boxes_and_iou")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-service-", ignore_cleanup_errors=True) as scratch:
        port = free_port()
        classroom = class_at(Path(scratch) / "class", options.assignment, options.students, port)
        return run(classroom, read_settings(classroom.folder), port, options.within)


def class_at(folder: Path, assignment: str, students: int, port: int, *config: str) -> Classroom:
    """A course with an assignment and a class, to be served at a port, with more lines of configuration."""
    classroom = Classroom.create(ROOT, folder, assignment)
    people = "".join(f"s{number:04},,\n" for number in range(students))
    (classroom.folder / "roster.csv").write_text(f"id,name,email\n{people}", encoding="utf-8")
    (classroom.folder / "submitted").mkdir(exist_ok=True)
    path = classroom.folder / "nbgrader_config.py"
    lines = [path.read_text(), f"c.Service.url = 'http://127.0.0.1:{port}'", *config, ""]
    path.write_text("\n".join(lines))
    return classroom


def started(classroom: Classroom, port: int) -> subprocess.Popen[bytes]:
    """The service as a process."""
    command = [sys.executable, "-c", "from grading.cli import main; main()", "serve", "--port", str(port)]
    return subprocess.Popen(command, cwd=classroom.folder)


def run(classroom: Classroom, settings: Settings, port: int, within: float) -> int:
    """Serve, hand in, and print what was seen."""
    database = Database.open(settings.database)
    links = {one.student.id: one.link for one in invite(settings, database, the_class(classroom.folder))}
    server = started(classroom, port)
    try:
        wait_for(settings.url)
        wait_for_graders(server.pid)
        before = memory(server.pid)
        began = time.monotonic()
        seen = asyncio.run(everybody(settings.url, links, works(classroom, list(links)), within))
        took = time.monotonic() - began
        print_seen(seen, len(links), took, before, memory(server.pid))
    finally:
        server.terminate()
        server.wait(60)
    handed = [one for student in links for one in queue.of_student(database, student)]
    graded = [one for one in handed if one.state is queue.State.done and one.times_graded == 1]
    points = sorted({one.points for one in graded if one.points is not None})
    print_beyond(classroom, seen)
    print(f"hand-ins {len(handed)}, graded once {len(graded)}, points {points}")
    database.close()
    return 0 if len(graded) == len(links) == len(handed) and not seen.lost else 1


def works(classroom: Classroom, students: list[str]) -> dict[str, bytes]:
    """A right notebook for each student, none like another."""
    released = classroom.released()
    right = solution_cells(classroom.master())
    made = {}
    for student in students:
        own = {name: f"{source}\n# {student}" for name, source in right.items()}
        made[student] = nbformat.writes(fill_in(released, own)).encode()
    return made


async def everybody(url: str, links: dict[str, str], notebooks: dict[str, bytes], within: float) -> Seen:
    """Let all students hand in at times of their own."""
    seen = Seen()
    times = random.Random(0)

    async def each(student: str, when: float) -> None:
        await asyncio.sleep(when)
        async with browser() as client:
            try:
                one = Student(client, url, links[student], notebooks[student], seen)
                await one.come_in()
                receipt = await one.hand_in()
                began = time.monotonic()
                await one.watch(receipt)
                seen.feedback[student] = time.monotonic() - began
            except (httpx.HTTPError, IndexError, KeyError) as error:
                seen.lost.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*(each(student, times.uniform(0, within)) for student in links))
    return seen


def browser() -> httpx.AsyncClient:
    """A browser of one's own."""
    limits = httpx.Timeout(PATIENCE, connect=30)
    return httpx.AsyncClient(timeout=limits, follow_redirects=False, trust_env=False)


@dataclass
class Student:
    """Somebody with a link and a notebook. Each step can be repeated."""

    client: httpx.AsyncClient
    url: str
    link: str
    notebook: bytes
    seen: Seen
    page: str = ""
    """Address of the assignment."""
    token: str = ""

    async def come_in(self) -> None:
        """Open the link, the list of assignments and the assignment's page."""
        await self.look(self.link)
        self.page = re.findall(r'href="(/a/\w+)"', (await self.look(f"{self.url}/")).text)[0]
        found = await self.look(f"{self.url}{self.page}")
        self.token = re.findall(r'name="form_token" value="(\w+)"', found.text)[0]

    async def hand_in(self) -> str:
        """Hand in; return the address of the receipt."""
        files = {"notebook": ("work.ipynb", self.notebook)}
        sent = await self.client.post(
            f"{self.url}{self.page}/hand-in", data={"form_token": self.token}, files=files, headers={"origin": self.url}
        )
        if sent.status_code >= 400:
            sent.raise_for_status()
        return sent.headers["location"]

    async def watch(self, receipt: str) -> None:
        """Look at the receipt and its events until the feedback is there."""
        await self.look(f"{self.url}{receipt}")
        async with self.client.stream("GET", f"{self.url}{receipt}/events") as events:
            async for line in events.aiter_lines():
                if line == "event: end":
                    break
        (await self.look(f"{self.url}{receipt}/page")).raise_for_status()

    async def look(self, address: str) -> httpx.Response:
        """Open a page, and note how long that took."""
        began = time.monotonic()
        answer = await self.client.get(address)
        self.seen.pages.append(time.monotonic() - began)
        if answer.status_code >= 500:
            answer.raise_for_status()
        return answer


def print_seen(seen: Seen, students: int, took: float, before: float, after: float) -> None:
    """Print figures."""
    print(f"{students} students, all over after {took:.0f} s, lost {len(seen.lost)} {sorted(set(seen.lost))[:3]}")
    for name, values in (("feedback after the receipt", list(seen.feedback.values())), ("pages", seen.pages)):
        values.sort()
        if values:
            middle, high = (values[int(share * (len(values) - 1))] for share in (0.5, 0.95))
            print(f"{name}: half within {middle:.3f} s, 95 of 100 within {high:.3f} s, the last {values[-1]:.3f} s")
    print(f"memory of the web server: {before:.0f} MiB before, {after:.0f} MiB after")


def print_beyond(classroom: Classroom, seen: Seen) -> None:
    """Print how much longer than their notebooks ran the students waited who waited longest: the queue, and ours."""
    beyond = []
    for student, waited in seen.feedback.items():
        record = read_record(classroom.folder / "autograded" / student / classroom.assignment)
        ran = sum(record.execution["seconds"]) if record else 0.0
        beyond.append((waited - ran, waited, ran))
    for more, waited, ran in sorted(beyond, reverse=True)[:2]:
        print(f"waited {waited:.1f} s for a notebook that ran {ran:.1f} s: {more:.1f} s more")


def memory(pid: int) -> float:
    """Resident memory in MiB."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def wait_for(url: str) -> None:
    """Wait until the service answers."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the service did not start")


def wait_for_graders(server: int) -> None:
    """Wait until graders have opened the assignments, as they do long before anybody hands in."""
    until = time.monotonic() + PATIENCE
    used, before = 1.0, 0.0
    while used - before > 0.2 and time.monotonic() < until:  # they are at it
        time.sleep(5)
        family = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
        before, used = used, sum(sum(one.cpu_times()[:2]) for one in family if one.is_running())


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
