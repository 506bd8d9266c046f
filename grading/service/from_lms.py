"""People who come from a learning management system by LTI, and their grades, which go back to it.

`grading.lti` speaks the protocol. Here it is decided who somebody is in this course, and what is sent.
"""

import asyncio
import logging
import time
from dataclasses import dataclass

import httpx
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from grading.common.names import ROSTER
from grading.config import load_config
from grading.lms.roster import Clue, Student, read_roster
from grading.lti.calls import Caller, Reply
from grading.lti.deep_linking import Item
from grading.lti.launch import Launch
from grading.lti.outbox import Outbox, Score
from grading.lti.platforms import LtiError, Platform, origin_of
from grading.lti.services import PlatformResult, results, send_score
from grading.lti.settings import open_lti
from grading.lti.web import Lti, routes
from grading.service import queue, release
from grading.service.database import Database, lms_columns, lms_people
from grading.service.identity import Identity, Role
from grading.service.settings import Settings
from grading.service.site import Site, let_in, see

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0
"""Seconds between two looks for grades to send."""


def find_lti(settings: Settings, database: Database, http: httpx.AsyncClient) -> Lti | None:
    """Return what LTI needs; None where no platform is registered. Raises GradingError for wrong settings."""
    return open_lti(load_config(settings.course), settings.url, settings.folder, database, http)


def frames_of(lti: Lti | None) -> tuple[str, ...]:
    """Return the origins of the platforms, which show our pages in frames."""
    return tuple(sorted({origin_of(platform.login_url) for platform in lti.platforms})) if lti else ()


@dataclass(frozen=True)
class FromLms:
    """The platforms of a site."""

    site: Site
    lti: Lti
    http: httpx.AsyncClient

    def routes(self) -> list[BaseRoute]:
        """Return the protocol's addresses."""
        return list(routes(self.lti, self._established, self._items))

    def _established(self, _: Request, launch: Launch) -> Response:
        """Let in whom a platform has vouched for, and lead to the assignment."""
        card = self.site.catalogue.card(launch.custom.get("assignment", ""))
        who = self._who(launch)
        if card is not None and who.role is Role.student and launch.line_item:
            self._note_column(card.name, who.student, launch)
        answer = see(f"/a/{card.name}" if card is not None else "/")
        let_in(self.site, answer, who)
        return answer

    def _items(self, _: Launch) -> list[Item]:
        url = self.site.settings.url
        cards = self.site.catalogue.cards()
        return [Item(card.name, card.title, f"{url}/a/{card.name}", card.points) for card in cards]

    def _who(self, launch: Launch) -> Identity:
        """Return who somebody is here. Raises LtiError for who is nobody, in words."""
        if launch.role is None:
            raise LtiError("You are neither a student nor a teacher of this course there.")
        role = Role(launch.role.value)
        if role.teaches:
            name = launch.name or "A teacher"
            taken = name in self.site.catalogue.people().students
            return Identity(self.site.course_id, f"{name} (LMS)" if taken else name, role)
        return Identity(self.site.course_id, self._student(launch), role)

    def _student(self, launch: Launch) -> str:
        """Return the student whose account this is; the first launch of a student ties the account to the class list.

        Afterwards no other account of the platform can be that student, whatever it says about itself.
        """
        mine = (lms_people.c.platform == launch.platform) & (lms_people.c.user_id == launch.user)
        with self.site.database.reading() as connection:
            known = connection.execute(select(lms_people.c.student).where(mine)).scalar_one_or_none()
        if known is not None:
            return str(known)
        found = self._on_the_roster(launch)
        row = {"platform": launch.platform, "user_id": launch.user, "student": found.id}
        try:
            with self.site.database.writing() as connection:
                connection.execute(lms_people.insert().values(**row))
        except IntegrityError:
            raise LtiError(f"Another account came as {found.id} before: tell your instructor.") from None
        return found.id

    def _on_the_roster(self, launch: Launch) -> Student:
        path = self.site.settings.course / ROSTER
        if not path.is_file():
            raise LtiError("This course has no class list yet: tell your instructor.")
        clue = Clue(lms_id=launch.user, ids=tuple(text for text in (launch.person, launch.email) if text))
        found = read_roster(path).find(clue)
        if not isinstance(found, Student):
            log.warning("%s of %s is not on the class list: %s", launch.user, launch.platform, found)
            raise LtiError("You are not on the class list of this course: tell your instructor.")
        return found

    def _note_column(self, assignment: str, student: str, launch: Launch) -> None:
        """Note where the grade of a student goes."""
        mine = (lms_columns.c.assignment == assignment) & (lms_columns.c.student == student)
        place = {"platform": launch.platform, "line_item": launch.line_item, "user_id": launch.user}
        with self.site.database.writing() as connection:
            connection.execute(delete(lms_columns).where(mine))
            connection.execute(lms_columns.insert().values(assignment=assignment, student=student, **place))

    # ---- Grades --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send grades until cancelled; what a platform does not take is tried again by the outbox."""
        while True:
            try:
                await self.send_grades()
            except Exception:
                log.exception("grades could not be sent")
            await asyncio.sleep(LOOK_EVERY)

    async def send_grades(self) -> int:
        """Send what is new in the gradebook; return how many scores were tried."""
        outbox, caller = Outbox(self.site.database), Caller(self.http, self.lti.key, self.lti.clock)
        await run_in_threadpool(self._put_grades, outbox)

        async def send(score: Score, timestamp: float) -> Reply:
            platform = self._platform(score)
            return await send_score(
                caller, platform, score.line_item, score.user, score.points, score.max_points, timestamp
            )

        async def ask(score: Score) -> PlatformResult | None:
            known = await results(caller, self._platform(score), score.line_item, score.user)
            return known.get(score.user)

        return await outbox.deliver(send, ask, self.lti.clock)

    def _put_grades(self, outbox: Outbox) -> None:
        """Put the points that count into the outbox: those of the gradebook, once no answer waits for a person."""
        with self.site.database.reading() as connection:
            columns = connection.execute(select(lms_columns)).all()
        for name in sorted({row.assignment for row in columns}):
            card = self.site.catalogue.card(name)
            if card is None or release.is_held(self.site.database, name):
                continue
            grades = self.site.catalogue.grades(name)
            newest = queue.latest(self.site.database, name)
            for row in (row for row in columns if row.assignment == name and row.student in grades):
                given, one = grades[row.student], newest.get(row.student)
                if one is not None and one.state is queue.State.done and not given.waiting:
                    score = Score(row.platform, row.line_item, row.user_id, one.id, given.points, card.points)
                    outbox.put(score, time.time())

    def _platform(self, score: Score) -> Platform:
        found = next((one for one in self.lti.platforms if one.key == score.platform), None)
        if found is None:
            raise LtiError(f"{score.platform} is not registered any more")
        return found
