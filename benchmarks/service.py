"""The service under load: a class hands in the warm-up, each student from a session of its own, on this machine.

    python benchmarks/service.py [--students 300] [--within 60] [--assignment boxes_and_iou]

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
    feedback: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> int:
    """Run the class and print what was seen; 1 if anything was lost or graded twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--within", type=float, default=60.0, help="seconds within which all hand in")
    parser.add_argument("--assignment", default="boxes_and_iou")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-service-", ignore_cleanup_errors=True) as scratch:
        classroom = Classroom.create(ROOT, Path(scratch) / "class", options.assignment)
        people = "".join(f"s{number:04},,\n" for number in range(options.students))
        (classroom.folder / "roster.csv").write_text(f"id,name,email\n{people}", encoding="utf-8")
        (classroom.folder / "submitted").mkdir(exist_ok=True)
        port = free_port()
        config = classroom.folder / "nbgrader_config.py"
        config.write_text(f"{config.read_text()}\nc.Service.url = 'http://127.0.0.1:{port}'\n")
        settings = read_settings(classroom.folder)
        return run(classroom, settings, port, options.within)


def run(classroom: Classroom, settings: Settings, port: int, within: float) -> int:
    """Serve, hand in, and print what was seen."""
    database = Database.open(settings.database)
    links = {one.student.id: one.link for one in invite(settings, database, the_class(classroom.folder))}
    command = [sys.executable, "-c", "from grading.cli import main; main()", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=classroom.folder)
    try:
        wait_for(settings.url)
        time.sleep(15)  # graders open the assignment, as they do long before anybody hands in
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
    await asyncio.gather(
        *(one(url, links[student], notebooks[student], times.uniform(0, within), seen) for student in links)
    )
    return seen


async def one(url: str, link: str, notebook: bytes, when: float, seen: Seen) -> None:
    """Come in, look at the page, hand in, and watch until the feedback is there."""
    await asyncio.sleep(when)
    limits = httpx.Timeout(PATIENCE, connect=30)
    async with httpx.AsyncClient(timeout=limits, follow_redirects=False, trust_env=False) as client:
        try:
            await timed(seen, client.get(link))
            name = re.findall(r'href="(/a/\w+)"', (await timed(seen, client.get(f"{url}/"))).text)[0]
            page = (await timed(seen, client.get(f"{url}{name}"))).text
            token = re.findall(r'name="form_token" value="(\w+)"', page)[0]
            files = {"notebook": ("work.ipynb", notebook)}
            sent = await client.post(f"{url}{name}/hand-in", data={"form_token": token}, files=files)
            began = time.monotonic()
            receipt = sent.headers["location"]
            await timed(seen, client.get(f"{url}{receipt}"))
            async with client.stream("GET", f"{url}{receipt}/events") as events:
                async for line in events.aiter_lines():
                    if line == "event: end":
                        break
            feedback = await timed(seen, client.get(f"{url}{receipt}/page"))
            feedback.raise_for_status()
            seen.feedback.append(time.monotonic() - began)
        except (httpx.HTTPError, IndexError, KeyError) as error:
            seen.lost.append(f"{type(error).__name__}: {error}")


async def timed(seen: Seen, asked: "asyncio.Future[httpx.Response] | object") -> httpx.Response:
    """Note how long a page took."""
    began = time.monotonic()
    answer: httpx.Response = await asked  # type: ignore[misc]
    seen.pages.append(time.monotonic() - began)
    return answer


def print_seen(seen: Seen, students: int, took: float, before: float, after: float) -> None:
    """Print figures."""
    print(f"{students} students, all over after {took:.0f} s, lost {len(seen.lost)} {sorted(set(seen.lost))[:3]}")
    for name, values in (("feedback after the receipt", seen.feedback), ("pages", seen.pages)):
        values.sort()
        if values:
            middle, high = (values[int(share * (len(values) - 1))] for share in (0.5, 0.95))
            print(f"{name}: half within {middle:.3f} s, 95 of 100 within {high:.3f} s, the last {values[-1]:.3f} s")
    print(f"memory of the web server: {before:.0f} MiB before, {after:.0f} MiB after")


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


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
