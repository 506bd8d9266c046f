"""Coming in from a learning management system, and the grades that go back: LTI mounted in the service.

Who somebody is here is decided at the first launch and written down: the id of the institution's own lists where that
is one of the class, else a new id. It never comes from what people can choose themselves, such as a name or an address.
"""

import hashlib
import logging
import threading
import time
from asyncio import run
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import httpx
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import Column, String, Table, Text, UniqueConstraint, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from grading.config import load_config
from grading.lti import services
from grading.lti.calls import Caller, Reply, client
from grading.lti.claims import Role as LtiRole
from grading.lti.deep_linking import Item
from grading.lti.launch import Launch
from grading.lti.outbox import Difference, Outbox, Score, compare
from grading.lti.platforms import LtiError, Platform, origin_of
from grading.lti.services import PlatformResult
from grading.lti.settings import open_lti
from grading.lti.web import Lti, routes
from grading.records.gradebook import read_grades
from grading.service import outbox_pages
from grading.service.catalogue import Catalogue
from grading.service.database import Database, hand_ins, metadata
from grading.service.identity import Identity, Role
from grading.service.lms_roster import note_roster
from grading.service.release import is_held
from grading.service.settings import Settings
from grading.service.site import Site, let_in, see

log = logging.getLogger(__name__)

LOOK_EVERY = 3.0
"""Seconds between two looks for grades to be sent."""
SWEEP_EVERY = 300.0
"""Seconds after which all grades are looked at, also where nothing was handed in: a person may have changed one."""

lms_people = Table(
    "lms_people",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("user", String, primary_key=True),
    Column("student", String, nullable=False),
    UniqueConstraint("platform", "student"),
)
lms_columns = Table(
    "lms_columns",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("assignment", String, primary_key=True),
    Column("line_item", Text, nullable=False),
)


@dataclass(frozen=True)
class Door:
    """The way in from platforms: routes for the application, and what sends grades."""

    lti: Lti
    settings: Settings
    """Of the service, whose pages the platforms may frame."""
    routes: list[BaseRoute]
    passback: "Passback"


def open_door(settings: Settings, database: Database, http: httpx.AsyncClient | None = None) -> Door | None:
    """Return the way in from the registered platforms; None where there are none.

    Raises GradingError for settings that are wrong.
    """
    lti = open_lti(load_config(settings.course), settings.url, settings.folder, database, http or client())
    if lti is None:
        return None
    with database.writing() as connection:
        metadata.create_all(connection)
    origins = {origin_of(platform.login_url) for platform in lti.platforms}
    framed = replace(settings, framed_by=tuple(sorted({*settings.framed_by, *origins})))
    catalogue = Catalogue(settings)
    ways = routes(lti, _established, lambda launch: _items(settings, catalogue))
    passback = Passback(settings, database, lti, catalogue)
    return Door(lti, framed, [*ways, *outbox_pages.routes(passback)], passback)


def _items(settings: Settings, catalogue: Catalogue) -> list[Item]:
    """Return the assignments that may be put into the course of a platform."""
    cards = catalogue.cards()
    return [Item(card.name, card.title, f"{settings.url}/a/{card.name}", card.points, card.about) for card in cards]


def _established(request: Request, launch: Launch) -> Response:
    """Let in who was launched, and lead to the assignment that was opened."""
    site: Site = request.app.state.site
    if launch.role is None:
        raise LtiError("You are neither student nor teacher in the course from which you came.")
    assignment = _assignment_of(site, launch)
    if launch.role is LtiRole.student:
        student = student_of(site.database, launch, site.catalogue.people().students)
        path = f"/a/{assignment}" if assignment else "/"
    else:
        student = _teacher(launch, site.catalogue.people().students)
        path = f"/board/{assignment}" if assignment else "/"
    if launch.members:
        with site.database.writing() as connection:
            note_roster(connection, launch.platform, launch.members, launch.context, time.time())
    if assignment and launch.line_item:
        _note_column(site.database, launch, assignment)
    answer = see(path)
    let_in(site, answer, Identity(site.course_id, student, Role(launch.role.value)))
    return answer


def _assignment_of(site: Site, launch: Launch) -> str:
    """Return the assignment that a link is about, by what deep linking put into it, or by its address."""
    named = launch.custom.get("assignment", "")
    path = launch.target.removeprefix(site.settings.url)
    asked = named or (path.removeprefix("/a/").strip("/") if path.startswith("/a/") else "")
    return asked if asked in site.catalogue.names else ""


def new_id(platform: str, user: str) -> str:
    """Return an id for somebody who is in no list here; the same for the same person."""
    return "lms-" + hashlib.sha256(f"{platform}\0{user}".encode()).hexdigest()[:16]


def ids_of(database: Database) -> dict[tuple[str, str], str]:
    """Return under which ids people of platforms have come in, by platform and user."""
    asked = select(lms_people.c.platform, lms_people.c.user, lms_people.c.student)
    with database.reading() as connection:
        return {(row.platform, row.user): row.student for row in connection.execute(asked)}


def _teacher(launch: Launch, students: Iterable[str]) -> str:
    """Return the name of somebody who teaches, which is never a student's id."""
    name = launch.name.strip()
    return name if name and name not in set(students) else new_id(launch.platform, launch.user)


def student_of(database: Database, launch: Launch, students: Iterable[str]) -> str:
    """Return the id under which a student's work is graded, decided once.

    Raises LtiError where the platform says of two users that they are the same student.
    """
    mine = (lms_people.c.platform == launch.platform) & (lms_people.c.user == launch.user)
    wanted = launch.person if launch.person in set(students) else new_id(launch.platform, launch.user)
    try:
        with database.writing() as connection:
            known: str | None = connection.scalar(select(lms_people.c.student).where(mine))
            if known is None:
                row = {"platform": launch.platform, "user": launch.user, "student": wanted}
                connection.execute(insert(lms_people).values(**row))
    except IntegrityError as error:
        raise LtiError(f"Somebody else came from the same platform as {wanted!r}: tell the instructor.") from error
    return known or wanted


def _note_column(database: Database, launch: Launch, assignment: str) -> None:
    """Note where the grades of an assignment go."""
    mine = (lms_columns.c.platform == launch.platform) & (lms_columns.c.assignment == assignment)
    row = {"platform": launch.platform, "assignment": assignment, "line_item": launch.line_item}
    with database.writing() as connection:
        if connection.scalar(select(lms_columns.c.line_item).where(mine)) != launch.line_item:
            connection.execute(delete(lms_columns).where(mine))
            connection.execute(insert(lms_columns).values(**row))


class Passback:
    """Sends grades to the platforms, in a thread of its own. For the `with` statement.

    Grades are those of the gradebook; one that waits for a person, or whose feedback is held back, waits, too.
    """

    def __init__(self, settings: Settings, database: Database, lti: Lti, catalogue: Catalogue) -> None:
        self._database, self._lti, self._catalogue = database, lti, catalogue
        self._platforms = {platform.key: platform for platform in lti.platforms}
        config = load_config(settings.course)
        config.CourseDirectory.root = str(settings.course)
        directory = CourseDirectory(config=config)
        self._db_url, self._course_id = str(directory.db_url), str(directory.course_id)
        self.outbox = Outbox(database)
        self._looked: dict[tuple[str, str], tuple[float | None, int]] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Passback":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ending.wait(LOOK_EVERY):
            try:
                self.look()
                if self.outbox.due(time.time(), 1):
                    run(self.deliver())
            except Exception:  # the next look tries again; a platform must not end the service
                log.exception("grades could not be sent")

    def look(self) -> int:
        """Put grades that are new into the outbox; return how many."""
        with self._database.reading() as connection:
            columns = connection.execute(select(lms_columns)).mappings().all()
        return sum(self._look_at(one["platform"], one["assignment"], one["line_item"]) for one in columns)

    def columns(self, assignment: str) -> list[tuple[str, str]]:
        """Return where the grades of an assignment go: platforms and columns."""
        asked = select(lms_columns.c.platform, lms_columns.c.line_item).where(lms_columns.c.assignment == assignment)
        with self._database.reading() as connection:
            return [(row.platform, row.line_item) for row in connection.execute(asked)]

    def students(self, platform: str) -> dict[str, str]:
        """Return the students who came from a platform, by its users' ids."""
        asked = select(lms_people.c.user, lms_people.c.student).where(lms_people.c.platform == platform)
        with self._database.reading() as connection:
            return {row.user: row.student for row in connection.execute(asked)}

    async def compare(
        self, platform: str, assignment: str, line_item: str, http: httpx.AsyncClient | None = None
    ) -> Sequence[Difference]:
        """Return where the gradebook and a platform's column differ. Raises LtiError if that cannot be told."""
        if (card := self._catalogue.card(assignment)) is None:
            raise LtiError(f"the assignment {assignment!r} is not open")
        grades = self._final_grades(assignment)
        users = self.students(platform).items()
        here = {user: (grades[student], card.points) for user, student in users if student in grades}
        async with http or client() as opened:
            caller = Caller(opened, self._lti.key)
            return compare(here, await services.results(caller, self._registered(platform), line_item))

    def _final_grades(self, assignment: str) -> dict[str, float]:
        """Return the points of those whose grades wait for nobody."""
        grades = read_grades(self._db_url, self._course_id, assignment)
        return {student: one.points for student, one in grades.items() if not one.waiting}

    def _look_at(self, platform: str, assignment: str, line_item: str) -> int:
        card = self._catalogue.card(assignment)
        if card is None or card.points <= 0 or is_held(self._database, assignment):
            return 0
        latest = select(func.max(hand_ins.c.finished)).where(hand_ins.c.assignment == assignment)
        with self._database.reading() as connection:
            stamp = connection.scalar(latest), int(time.monotonic() // SWEEP_EVERY)
        if self._looked.get((platform, assignment)) == stamp:
            return 0
        grades = self._final_grades(assignment)
        new = 0
        for user, student in self.students(platform).items():
            if student in grades:
                score = Score(platform, line_item, user, f"{assignment}/{student}", grades[student], card.points)
                new += self.outbox.put(score, time.time())
        self._looked[platform, assignment] = stamp
        return new

    async def deliver(self, http: httpx.AsyncClient | None = None) -> int:
        """Send what is due; return how many were tried."""
        async with http or client() as opened:
            caller = Caller(opened, self._lti.key)

            async def send(score: Score, timestamp: float) -> Reply:
                platform = self._registered(score.platform)
                return await services.send_score(
                    caller, platform, score.line_item, score.user, score.points, score.max_points, timestamp
                )

            async def ask(score: Score) -> PlatformResult | None:
                found = await services.results(caller, self._registered(score.platform), score.line_item, score.user)
                return found.get(score.user)

            return await self.outbox.deliver(send, ask, time.time)

    def _registered(self, platform: str) -> Platform:
        if platform not in self._platforms:
            raise LtiError("the platform is not registered any more")
        return self._platforms[platform]
