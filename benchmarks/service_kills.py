"""The service through kills: a class hands in while SIGKILL goes to the web server, to graders and to the database.

    python benchmarks/service_kills.py [--kills 20] [--students 300] [--within 60] [--database postgresql] [--scheduler]

With `--scheduler` the class is graded on a Dask cluster, whose scheduler and workers are killed as well.

Each is killed so often, at random moments, and started again as systemd would. Hand-ins arrive all the while, some
between any two kills, and students try again as a browser's user would. The grades go to the test platform of the tests
by LTI. At the end everything must be there once: who has a receipt has the points of it, one record, one row of each
grade and one page, and the platform took one score. Prints what was seen; 1 if anything was lost or doubled.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import postgres
import psutil
import service
from harness import ROOT
from service import Seen, Student

from grading.authoring.classroom import Classroom
from grading.common.files import read_json
from grading.lti.outbox import Outbox, State
from grading.service import queue
from grading.service.database import Database
from grading.service.grader import page_path
from grading.service.invitations import invite, the_class
from grading.service.lms import lms_columns, lms_people, metadata
from grading.service.settings import DATABASE_VARIABLE, Settings, read_settings

sys.path.append(str(ROOT / "tests"))
from dask_cluster import DaskCluster, end
from lti_platform import LEARNER, TestPlatform, standing

RESTART_SECONDS = 2.0
"""As `RestartSec` in docs/service.md."""
AGAIN_SECONDS = 1.0
"""After which somebody whose browser has shown an error tries again."""
END_SECONDS = 400.0
"""What the service has at the end to grade and send what is left: a try to send that was cut short waits for 120 s."""
WARM_UP = "boxes_and_iou"

Given = TypeVar("Given")


@dataclass
class Again:
    """A process that is started again when it ends, until `ending`."""

    started: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    ending: bool = False

    def start(self) -> None:
        """Start it, and keep it."""
        self.process = self.started()
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self) -> None:
        while not self.ending:
            assert self.process is not None
            self.process.wait()
            time.sleep(RESTART_SECONDS)
            if not self.ending:
                self.process = self.started()

    @property
    def pid(self) -> int | None:
        """Id of the process; None while it is not there."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def stop(self) -> None:
        """End it in order; what does not heed that is killed."""
        self.ending = True
        if self.process is not None:
            end(self.process, 60)


class Cluster:
    """A Dask scheduler and two workers that are started again when they end.

    There is no nanny, which would start a worker again, too. Workers end by themselves when they lose their scheduler.
    """

    def __init__(self, port: int, folder: Path) -> None:
        dask = DaskCluster(folder, port)
        self.address = dask.address
        self.scheduler = Again(dask.scheduler)
        self.workers = [Again(dask.worker) for _ in range(2)]

    def start(self) -> None:
        """Start all, and keep them."""
        for one in (self.scheduler, *self.workers):
            one.start()

    def stop(self) -> None:
        """End all, workers first."""
        for one in (*self.workers, self.scheduler):
            one.stop()


@dataclass
class Kept:
    """All that is killed and comes again."""

    server: Again
    database: postgres.Server | None
    cluster: Cluster | None
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def kinds(self) -> list[str]:
        """What is killed."""
        return [
            "server",
            "grader",
            *(["database"] if self.database else []),
            *(["scheduler", "worker"] if self.cluster else []),
        ]

    def start(self) -> None:
        """Start the service and its cluster, and keep them."""
        if self.cluster is not None:
            self.cluster.start()
        self.server.start()

    def stop(self) -> None:
        """End all in order."""
        self.server.stop()
        if self.cluster is not None:
            self.cluster.stop()

    def kill(self, what: str) -> bool:
        """Kill one, if it is there; return whether it was."""
        done = self._kill_database() if what == "database" else self._kill_process(what)
        self.kills[what] += done
        return done

    def _kill_process(self, what: str) -> bool:
        victims = self._victims(what)
        if not victims:
            return False
        os.kill(random.choice(victims), signal.SIGKILL)
        return True

    def _victims(self, what: str) -> list[int]:
        if what == "grader":
            return graders_of(self.server.pid) if self.server.pid is not None else []
        if what == "server":
            found = [self.server]
        else:
            assert self.cluster is not None
            found = [self.cluster.scheduler] if what == "scheduler" else self.cluster.workers
        return [one.pid for one in found if one.pid is not None]

    def _kill_database(self) -> bool:
        assert self.database is not None
        self.database.kill()
        self.database.start_again()
        return True


def graders_of(server: int) -> list[int]:
    """The processes that grade for a server, whichever of its threads has started them."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(server).children():
            with contextlib.suppress(psutil.Error):
                if any("spawn_main" in part for part in child.cmdline()):
                    found.append(child.pid)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the class through the kills; 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each kind")
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--within", type=float, default=60.0, help="seconds within which they may hand in that can")
    parser.add_argument("--every", type=float, default=6.0, help="seconds between two kills, on the average")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--scheduler", action="store_true", help="grade on a Dask cluster, and kill that, too")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    random.seed(options.seed)
    with (
        tempfile.TemporaryDirectory(prefix="bench-kills-", ignore_cleanup_errors=True) as scratch,
        database_of(options.database, Path(scratch)) as database,
    ):
        return run(Path(scratch), options, database)


@contextlib.contextmanager
def database_of(kind: str, folder: Path) -> Iterator[postgres.Server | None]:
    """A database of one's own, named in the environment; None for the service's own file."""
    if kind == "sqlite":
        yield None
        return
    own = postgres.Server(postgres.find_programs(), folder / "postgresql")
    own.start()
    os.environ[DATABASE_VARIABLE] = own.url
    try:
        yield own
    finally:
        del os.environ[DATABASE_VARIABLE]  # whoever comes next in this process must not look for it
        own.stop()


def run(scratch: Path, options: argparse.Namespace, server: postgres.Server | None) -> int:
    """Serve, hand in, kill, and count."""
    port, lms_port = service.free_port(), service.free_port()
    platform = TestPlatform(f"http://127.0.0.1:{lms_port}", f"http://127.0.0.1:{port}")
    more = [f"c.LtiSettings.platforms = [{platform.registration!r}]"]
    cluster = Cluster(service.free_port(), scratch) if options.scheduler else None
    more += [f"c.Grading.scheduler = {cluster.address!r}"] if cluster is not None else []
    classroom = service.class_at(scratch / "class", WARM_UP, options.students, port, *more)
    settings = read_settings(classroom.folder)
    database = Database.open(settings.database)
    links = {one.student.id: one.link for one in invite(settings, database, the_class(classroom.folder))}
    come_from(platform, database, list(links))
    kept = Kept(Again(lambda: service.started(classroom, port)), server, cluster)
    with standing(platform, lms_port):
        kept.start()
        try:
            service.wait_for(settings.url)
            platform.tool_keys = httpx.get(f"{settings.url}/lti/jwks.json", trust_env=False).json()
            assert kept.server.pid is not None
            service.wait_for_graders(kept.server.pid)
            began = time.monotonic()
            class_of_all = Class(settings.url, links, service.works(classroom, list(links)), options.within)
            asyncio.run(class_of_all.run(kept, options))
            print(f"{len(links)} students, {len(class_of_all.receipts)} receipts, {class_of_all.again} tries again, ")
            print(f"all have their feedback after {time.monotonic() - began:.0f} s; killed: {dict(kept.kills)}")
            settle(database)
        finally:
            kept.stop()
    wrong = counted(classroom, settings, database, class_of_all.receipts, platform)
    database.close()
    wrong += [f"only {kept.kills[what]} times the {what}" for what in kept.kinds if kept.kills[what] < options.kills]
    print("\n".join(wrong) or "nothing lost, nothing twice")
    return 1 if wrong else 0


def come_from(platform: TestPlatform, database: Database, students: list[str]) -> None:
    """Let the class have come from the platform, so that grades go there."""
    platform.assignment = WARM_UP
    with database.writing() as connection:
        metadata.create_all(connection)
        key = f"{platform.url} {platform.client_id}"
        for student in students:
            platform.people[f"u-{student}"] = (student, [LEARNER])
            row = {"platform": key, "user": f"u-{student}", "student": student}
            connection.execute(lms_people.insert().values(**row))
        column = f"{platform.url}/lineitems/1/lineitem?type_id=2"
        connection.execute(lms_columns.insert().values(platform=key, assignment=WARM_UP, line_item=column))


@dataclass
class Class:
    """Students who hand in, and try again whatever happens."""

    url: str
    links: dict[str, str]
    notebooks: dict[str, bytes]
    within: float
    receipts: dict[str, str] = field(default_factory=dict)
    """Id of the hand-in with which somebody had a receipt."""
    again: int = 0

    async def run(self, kept: Kept, options: argparse.Namespace) -> None:
        """Hand in, kill, and wait for all feedback; hand-ins go on arriving as long as anything is killed."""
        kills = len(kept.kinds) * options.kills
        arriving = [self.student(name, kept, index * kills // len(self.links)) for index, name in enumerate(self.links)]
        await asyncio.gather(self.kill(kept, options), *arriving)

    async def kill(self, kept: Kept, options: argparse.Namespace) -> None:
        """Kill each kind so often, in a random order, at random moments."""
        left = kept.kinds * options.kills
        random.shuffle(left)
        while left:
            await asyncio.sleep(random.uniform(0, 2 * options.every))
            if await asyncio.to_thread(kept.kill, left[-1]):
                left.pop()

    async def student(self, name: str, kept: Kept, kills: int) -> None:
        """After so many kills come in, hand in once, and watch until the feedback is there."""
        await asyncio.sleep(random.uniform(0, self.within))
        while kept.kills.total() < kills:
            await asyncio.sleep(AGAIN_SECONDS)
        async with service.browser() as client:
            one = Student(client, self.url, self.links[name], self.notebooks[name], Seen())
            await self.until_done(one.come_in)
            receipt = await self.until_done(one.hand_in)
            self.receipts[name] = receipt.rpartition("/")[2]
            await self.until_done(lambda: one.watch(receipt))

    async def until_done(self, step: Callable[[], Awaitable[Given]]) -> Given:
        """Do something again until it is done; what takes too long is an error."""
        until = time.monotonic() + service.PATIENCE
        while True:
            try:
                return await step()
            except (httpx.TransportError, httpx.HTTPStatusError, IndexError):
                if time.monotonic() > until:
                    raise
                self.again += 1
                await asyncio.sleep(AGAIN_SECONDS)


def settle(database: Database) -> None:
    """Wait until everything is graded and sent."""
    until = time.monotonic() + END_SECONDS
    outbox = Outbox(database)
    while time.monotonic() < until:
        waiting = [one for one in outbox.entries() if one.state is State.waiting]
        if not queue.pending(database) and not waiting and outbox.entries():
            time.sleep(10)  # a grade that came last is looked at after some seconds
            if not any(one.state is State.waiting for one in outbox.entries()):
                return
        time.sleep(1)


def counted(
    classroom: Classroom, settings: Settings, database: Database, receipts: dict[str, str], platform: TestPlatform
) -> list[str]:
    """Count what came of every receipt; return what is wrong, in words."""
    wrong = []
    handed = {student: queue.of_student(database, student) for student in receipts}
    for student, receipt in receipts.items():
        found = queue.find(database, receipt)
        if found is None or found.state is not queue.State.done:
            wrong.append(f"{student}: the hand-in of the receipt is {found.state if found else 'lost'}")
            continue
        record = read_json(classroom.folder / "autograded" / student / WARM_UP / "record.json")
        same = record["points"] == found.points == found.max_points
        if found.times_graded != 1 or not same or not page_path(settings.folder, receipt).is_file():
            wrong.append(f"{student}: graded {found.times_graded} times, {found.points} points")
        more = [one for one in handed[student] if one.id != receipt]
        wrong += [f"{student}: another is {one.state}" for one in more if not one.state.settled]
        wrong += [f"{student}: another graded twice" for one in more if one.times_graded > 1]
    states = Counter(str(one.state) for each in handed.values() for one in each)
    taken = Counter(score["userId"] for score in platform.scores)
    rows = Counter(row[:3] for row in postgres.read(f"sqlite:///{classroom.folder / 'gradebook.db'}"))
    each_row = set(Counter(row[1] for row in rows).values())
    print(f"hand-ins {dict(states)}; grades of the gradebook {len(rows)}, of each student {sorted(each_row)}")
    print(
        f"scores that the platform took {sum(taken.values())}, of {len(taken)} students, problems {platform.problems}"
    )
    wrong += [f"{row}: {number} rows" for row, number in rows.items() if number > 1]
    wrong += [f"{student}: no rows" for student in receipts if not any(row[1] == student for row in rows)]
    wrong += [
        f"{student}: {taken[f'u-{student}']} scores were sent" for student in receipts if taken[f"u-{student}"] != 1
    ]
    return [*wrong, *platform.problems]


if __name__ == "__main__":
    raise SystemExit(main())
