"""Lateness of hand-ins: by how much, how many late days of the student's bank cover it, and what the rest costs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from grading.rules.rules import DAY, Rules

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Lateness:
    """Lateness of one hand-in."""

    late: timedelta = timedelta(0)
    """After the student's own due time; nothing within grace."""
    days: int = 0
    """Late days of the bank that were used for it."""

    @property
    def counted(self) -> timedelta:
        """Return what is left of the lateness after the bank's days."""
        return max(timedelta(0), self.late - self.days * DAY)


def lateness(rules: Rules, student: str, handed_in: datetime, bank: int = 0) -> Lateness:
    """Return how late a hand-in is, with as many of the `bank` days that are left as it needs and the rules allow."""
    due = rules.due_for(student)
    if due is None or handed_in - due <= rules.grace:
        return Lateness()
    late = handed_in - due
    may = bank if rules.late_days is None else min(bank, rules.late_days)
    return Lateness(late, max(0, min(may, math.ceil(late / DAY))))


def settle(every: Iterable[Rules], bank: int, student: str, handed_in: Mapping[str, datetime]) -> dict[str, Lateness]:
    """Return the lateness of all that a student has handed in, by assignment; `handed_in` has the times.

    The bank's days go to assignments in the order of their due times (the class's, not the student's), then of their
    names: in whatever order things are graded, and graded again, the same days go to the same assignment.
    """
    found: dict[str, Lateness] = {}
    for rules in in_order(every):
        if rules.assignment in handed_in:
            found[rules.assignment] = lateness(rules, student, handed_in[rules.assignment], bank)
            bank -= found[rules.assignment].days
    return found


def in_order(every: Iterable[Rules]) -> Sequence[Rules]:
    """Return rules in the order in which late days are spent."""
    return sorted(every, key=lambda rules: (rules.due or NEVER, rules.assignment))


def penalty(rules: Rules, points: float, counted: timedelta) -> float:
    """Return the points that lateness takes off `points`, never more than these."""
    if counted <= timedelta(0) or points <= 0:
        return 0.0
    percent = min(rules.late_percent * math.ceil(counted / rules.late_every), rules.late_most)
    return points * min(max(percent, 0.0), 100.0) / 100
