"""The outbox of scores: each is sent until the platform has it, once, whatever dies meanwhile.

A score is written down before it is sent. Who sends it first says so in the database, with a time after which somebody
else may try: a process that dies holds nobody up for long. A try that was begun and has no answer may have arrived, so
before the next one the platform is asked what it has. If it cannot say, the same score is sent with the same timestamp,
which changes nothing there.
"""

import hashlib
import logging
import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from anyio import CapacityLimiter, create_task_group, to_thread
from sqlalchemy import Connection, RowMapping, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from grading.lti.calls import DeniedError, Reply, UnreachableError
from grading.lti.platforms import LtiError
from grading.lti.services import PlatformResult
from grading.lti.tables import Transactions, answers, scores

log = logging.getLogger(__name__)

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 6 * 3600.0
MOST_TRIES = 24
"""With these pauses, more than three days."""
AT_A_TIME = 4
"""Scores under way at one time."""
LEASE_SECONDS = 120.0
"""Longer than a try can take: after that, who began it is dead."""
STEP_SECONDS = 1.0
"""Between two timestamps of a user in a column: Moodle compares whole seconds, and refuses equal ones."""
KEPT = 2000
"""Characters of an answer that are kept."""
SAME = 1e-3
"""Points on the platform's scale that come from rounding."""
_TOO_MANY, _CONFLICT = 429, 409
_PASSING = frozenset({401, 403, 408, 423, 425, 429})
"""Refusals that pass: rights and limits change, while a wrong score stays wrong."""


class State(StrEnum):
    """What became of a score."""

    waiting = "waiting"
    sent = "sent"
    replaced = "replaced"
    """A newer one came before it was sent."""
    refused = "refused"
    """The platform does not take it; its answer says why."""
    given_up = "given up"


@dataclass(frozen=True)
class Score:
    """A score to be sent."""

    platform: str
    """`Platform.key`."""
    line_item: str
    user: str
    hand_in: str
    """Id of the hand-in, or of whatever made the score: for people and logs."""
    points: float
    max_points: float


@dataclass(frozen=True)
class Entry:
    """A score in the outbox."""

    id: str
    score: Score
    timestamp: float
    state: State
    tries: int
    next_try: float


@dataclass(frozen=True)
class Answer:
    """An answer to a try; `status` is None where there was none."""

    at: float
    status: int | None
    said: str


Send = Callable[[Score, float], Awaitable[Reply]]
"""Sends a score with its timestamp; raises LtiError if that cannot be done, UnreachableError if it may have arrived."""
Ask = Callable[[Score], Awaitable[PlatformResult | None]]
"""Asks which grade the platform has for the user in the column; raises LtiError if it does not say."""


class Outbox:
    """Scores to be sent, in a database, for any number of processes."""

    def __init__(self, database: Transactions, jitter: Callable[[], float] = random.random) -> None:
        """Take a database that has the tables; `jitter` is a number from 0 to 1 that spreads pauses."""
        self._database, self._jitter = database, jitter

    def put(self, score: Score, now: float) -> bool:
        """Write down a score to be sent; return whether there is anything to do.

        The same points again are none: so this may be repeated. Other points replace those that wait still.
        """
        if not (math.isfinite(score.points) and math.isfinite(score.max_points)) or score.max_points <= 0:
            raise LtiError(f"{score.points:g} of {score.max_points:g} points cannot be sent")
        for _ in range(5):
            try:
                with self._database.writing() as connection:
                    return _put(connection, score, now)
            except IntegrityError:  # another process put one for the same user at the same moment
                continue
        raise LtiError("the score could not be written down: others write all the time")

    def due(self, now: float, most: int = 50) -> list[str]:
        """Return the ids of scores that should be sent now, the oldest first."""
        waits = (scores.c.state == State.waiting) & (scores.c.next_try <= now)
        wanted = select(scores.c.id).where(waits).order_by(scores.c.created).limit(most)
        with self._database.reading() as connection:
            return list(connection.scalars(wanted))

    def take(self, key: str, now: float) -> Entry | None:
        """Take a score to send it; None if somebody else has, or it is not due. `tries` counts this one."""
        mine = (scores.c.id == key) & (scores.c.state == State.waiting) & (scores.c.next_try <= now)
        taken = update(scores).where(mine).values(next_try=now + LEASE_SECONDS, tries=scores.c.tries + 1)
        with self._database.writing() as connection:
            if connection.execute(taken).rowcount != 1:
                return None
            return _entry(connection.execute(select(scores).where(scores.c.id == key)).mappings().one())

    def settle(self, entry: Entry, state: State, now: float, next_try: float, answer: Answer) -> None:
        """Write down what came of a try; one that was replaced meanwhile stays so unless it arrived."""
        mine = scores.c.id == entry.id
        if state is not State.sent:
            mine &= scores.c.state == State.waiting
        done = None if state is State.waiting else now
        with self._database.writing() as connection:
            connection.execute(update(scores).where(mine).values(state=state, next_try=next_try, settled=done))
            connection.execute(
                insert(answers).values(score=entry.id, at=answer.at, status=answer.status, said=answer.said[:KEPT])
            )

    def answers_to(self, key: str) -> list[Answer]:
        """Return all answers about a score, in their order."""
        wanted = select(answers).where(answers.c.score == key).order_by(answers.c.id)
        with self._database.reading() as connection:
            return [Answer(row["at"], row["status"], row["said"]) for row in connection.execute(wanted).mappings()]

    def entries(self, platform: str | None = None, line_item: str | None = None) -> list[Entry]:
        """Return what is and was in the outbox, by time."""
        wanted = select(scores).order_by(scores.c.created, scores.c.number)
        if platform is not None:
            wanted = wanted.where(scores.c.platform == platform)
        if line_item is not None:
            wanted = wanted.where(scores.c.line_item == line_item)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(wanted).mappings()]

    def try_again(self, key: str, now: float) -> bool:
        """Send a score once more that was refused or given up, if it is the newest of its user."""
        newer = scores.alias()
        same = [newer.c[name] == scores.c[name] for name in ("platform", "line_item", "user_id")]
        newest = ~select(newer.c.id).where(*same, newer.c.number > scores.c.number).exists()
        mine = (scores.c.id == key) & scores.c.state.in_([State.refused, State.given_up]) & newest
        again = {"state": State.waiting, "tries": 0, "next_try": now, "timestamp": now, "settled": None}
        fresh = update(scores).where(mine).values(**again)
        with self._database.writing() as connection:
            return connection.execute(fresh).rowcount == 1

    async def deliver(self, send: Send, ask: Ask, clock: Callable[[], float], most: int = 50) -> int:
        """Send what is due; return how many were tried. Nothing that one score meets holds up another."""
        tried: list[str] = []
        limit = CapacityLimiter(AT_A_TIME)

        async def one(key: str) -> None:
            async with limit:
                entry = await to_thread.run_sync(self.take, key, clock())
                if entry is not None:
                    tried.append(key)
                    await self._try(entry, send, ask, clock)

        async with create_task_group() as group:
            for key in await to_thread.run_sync(self.due, clock(), most):
                group.start_soon(one, key)
        return len(tried)

    async def _try(self, entry: Entry, send: Send, ask: Ask, clock: Callable[[], float]) -> None:
        if entry.tries > 1 and await _has(ask, entry.score):
            answer = Answer(clock(), None, "the platform has it: an earlier try arrived")
            await self._settle(entry, State.sent, clock(), 0.0, answer)
            return
        try:
            reply = await send(entry.score, entry.timestamp)
        except LtiError as error:
            passes = isinstance(error, UnreachableError | DeniedError)
            await self._later(entry, clock(), passes, Answer(clock(), None, str(error)), 0.0)
            return
        answer = Answer(clock(), reply.status, reply.text)
        if reply.good:
            await self._settle(entry, State.sent, clock(), 0.0, answer)
        elif reply.status in _PASSING or reply.status >= 500:
            await self._later(entry, clock(), True, answer, _retry_after(reply))
        elif await _has(ask, entry.score):  # refused for its timestamp: an earlier try arrived
            await self._settle(entry, State.sent, clock(), 0.0, answer)
        else:
            await self._later(entry, clock(), False, answer, 0.0)

    async def _later(self, entry: Entry, now: float, passes: bool, answer: Answer, at_least: float) -> None:
        """Wait for longer than the last time, or leave it."""
        log.info("A score of %s was not taken: %s %s", entry.score.hand_in, answer.status, answer.said[:200])
        if not passes:
            await self._settle(entry, State.refused, now, 0.0, answer)
        elif entry.tries >= MOST_TRIES:
            await self._settle(entry, State.given_up, now, 0.0, answer)
        else:
            wait = max(pause(entry.tries, self._jitter()), min(at_least, LONGEST_PAUSE))
            await self._settle(entry, State.waiting, now, now + wait, answer)

    async def _settle(self, entry: Entry, state: State, now: float, next_try: float, answer: Answer) -> None:
        await to_thread.run_sync(partial(self.settle, entry, state, now, next_try, answer))


def pause(tries: int, jitter: float = 0.0) -> float:
    """Return the seconds to wait after so many tries: twice as long each time, and up to a quarter more."""
    return min(FIRST_PAUSE * 2 ** min(tries - 1, 30), LONGEST_PAUSE) * (1 + jitter / 4)


def _put(connection: Connection, score: Score, now: float) -> bool:
    of_user = (
        (scores.c.platform == score.platform)
        & (scores.c.line_item == score.line_item)
        & (scores.c.user_id == score.user)
    )
    newest_first = select(scores).where(of_user).order_by(scores.c.number.desc()).limit(1)
    last = connection.execute(newest_first).mappings().first()
    if last is not None and (last["points"], last["max_points"]) == (score.points, score.max_points):
        return False
    number = 1 if last is None else last["number"] + 1
    newest = connection.scalar(select(func.max(scores.c.timestamp)).where(of_user))
    old = update(scores).where(of_user, scores.c.state == State.waiting)
    connection.execute(old.values(state=State.replaced, settled=now))
    named = [score.platform, score.line_item, score.user, str(number)]
    row = {
        "id": hashlib.sha256("\0".join(named).encode()).hexdigest(),
        "platform": score.platform,
        "line_item": score.line_item,
        "user_id": score.user,
        "number": number,
        "hand_in": score.hand_in,
        "points": score.points,
        "max_points": score.max_points,
        "timestamp": now if newest is None else max(now, newest + STEP_SECONDS),
        "state": State.waiting,
        "tries": 0,
        "next_try": now,
        "created": now,
    }
    connection.execute(insert(scores).values(**row))
    return True


def _entry(row: RowMapping) -> Entry:
    score = Score(row["platform"], row["line_item"], row["user_id"], row["hand_in"], row["points"], row["max_points"])
    return Entry(row["id"], score, row["timestamp"], State(row["state"]), row["tries"], row["next_try"])


async def _has(ask: Ask, score: Score) -> bool:
    """Return whether the platform says that it has a score; if it does not say, it has not."""
    try:
        result = await ask(score)
    except LtiError as error:
        log.info("The platform does not say what it has: %s", error)
        return False
    return result is not None and agrees(result, score.points, score.max_points)


def _retry_after(reply: Reply) -> float:
    """Return the seconds for which the platform asks to be left alone."""
    asked = reply.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() and len(asked) < 10 else 0.0


def agrees(result: PlatformResult, points: float, max_points: float) -> bool:
    """Return whether a grade of the platform's, on its own scale, is so many points of ours."""
    if result.points is None or max_points <= 0:
        return False
    scale = result.max_points or max_points
    return abs(result.points - points / max_points * scale) <= SAME * max(1.0, scale / 100)


@dataclass(frozen=True)
class Difference:
    """A student whose grade is another on the platform than here; None is for no grade."""

    user: str
    here: tuple[float, float] | None
    """Points and their maximum."""
    there: PlatformResult | None


def compare(here: Mapping[str, tuple[float, float]], there: Mapping[str, PlatformResult]) -> Sequence[Difference]:
    """Return where the gradebook and the platform differ, by user. A grade that neither has is no difference."""
    found = []
    for user in sorted(here.keys() | there.keys()):
        mine, theirs = here.get(user), there.get(user)
        graded = theirs is not None and theirs.points is not None
        same = agrees(theirs, *mine) if mine is not None and theirs is not None else mine is None and not graded
        if not same:
            found.append(Difference(user, mine, theirs))
    return found
