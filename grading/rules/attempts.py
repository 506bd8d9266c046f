"""Attempts: whether another one may be handed in, and which one counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grading.rules.rules import Counts, Rules

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Answer:
    """Answer to somebody who wants to hand in; `why` is for people and empty where it is allowed."""

    allowed: bool
    why: str = ""
    again: datetime | None = None
    """From when on it is worth another try; None if it is not."""


@dataclass(frozen=True)
class Attempt:
    """Hand-in of a student or a group; `points` are those after a penalty, None until it is graded."""

    at: datetime
    points: float | None = None


def may_hand_in(rules: Rules, student: str, now: datetime, attempts: Sequence[datetime] = ()) -> Answer:
    """Return whether a student may hand in at `now`.

    `attempts` are the times of what the student, or anybody of the group, has handed in before, in any order.
    """
    if rules.opens is not None and now < rules.opens:
        return Answer(False, f"It opens on {rules.says(rules.opens)}.", rules.opens)
    closes = rules.closes_for(student)
    if closes is not None and now >= closes:
        return Answer(False, f"It closed on {rules.says(closes)}: nothing is taken any more.")
    if rules.attempts is not None and len(attempts) >= rules.attempts:
        return Answer(False, f"All attempts are used: {rules.attempts} {_may(rules, student)} be handed in.")
    recent = sorted(at for at in attempts if at > now - HOUR)
    if rules.attempts_an_hour is not None and len(recent) >= rules.attempts_an_hour:
        again = recent[-rules.attempts_an_hour] + HOUR
        within = f"{rules.attempts_an_hour} {_may(rules, student)} be handed in within an hour"
        return Answer(False, f"{within}: the next one from {rules.says(again)} on.", again)
    return Answer(True)


def _may(rules: Rules, student: str) -> str:
    return "of a group may" if rules.group_of(student) is not None else "may"


def attempts_left(rules: Rules, attempts: Sequence[datetime]) -> int | None:
    """Return how many more may be handed in; None for as many as one likes."""
    return None if rules.attempts is None else max(0, rules.attempts - len(attempts))


def counting(rules: Rules, attempts: Sequence[Attempt]) -> int | None:
    """Return the index of the attempt that counts; None if there is none.

    The last one counts whether it is graded or not: until then there is no grade. The best one is the best of those
    that are graded, and of equal ones the earliest.
    """
    by_time = sorted(range(len(attempts)), key=lambda index: attempts[index].at)
    if rules.counts is Counts.last:
        return by_time[-1] if by_time else None
    graded = [index for index in by_time if attempts[index].points is not None]
    return max(graded, key=lambda index: attempts[index].points or 0.0, default=None)
