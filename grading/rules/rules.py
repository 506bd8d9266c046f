"""Rules of an assignment's hand-ins, as plain data. All times are aware."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

DAY = timedelta(days=1)


class Counts(StrEnum):
    """Choice of the attempt that counts."""

    last = "last"
    best = "best"


class Reasons(StrEnum):
    """Choice of when the reasons of hidden tests are shown."""

    at_once = "at once"
    after_due = "after due"
    never = "never"


@dataclass(frozen=True)
class Rules:
    """Rules of the hand-ins of one assignment. By default anything may be handed in at any time, and costs nothing."""

    assignment: str = ""
    opens: datetime | None = None
    due: datetime | None = None
    closes: datetime | None = None
    """From then on nothing is taken; without it, late work always is."""
    grace: timedelta = timedelta(0)
    """What is later by no more than that is not late; what is later is late from the due time on."""
    late_percent: float = 0.0
    """Percent of the points reached that each step of lateness takes off."""
    late_every: timedelta = DAY
    """Length of a step; one that has begun counts."""
    late_most: float = 100.0
    """Percent that lateness takes off at most."""
    late_days: int | None = None
    """Days of the bank that may be used here; all of them by default."""
    attempts: int | None = None
    attempts_an_hour: int | None = None
    counts: Counts = Counts.last
    reasons: Reasons = Reasons.at_once
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    """Due times by student, in place of `due`."""
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Students by group; one hand-in of a group is that of all its members."""
    zone: tzinfo = UTC
    """Time zone of what is said to people."""

    def due_for(self, student: str) -> datetime | None:
        """Return when it is due for a student, or for a group of which one has an extension: the latest counts."""
        known = [self.extensions[one] for one in self.members(student) if one in self.extensions]
        return max(known, default=self.due)

    def closes_for(self, student: str) -> datetime | None:
        """Return from when on nothing is taken of a student: never before an extension has ended, with its grace."""
        due = self.due_for(student)
        return self.closes if self.closes is None or due is None else max(self.closes, due + self.grace)

    def group_of(self, student: str) -> str | None:
        """Return the name of a student's group."""
        return next((name for name, members in self.groups.items() if student in members), None)

    def members(self, student: str) -> frozenset[str]:
        """Return all for whom a student hands in: the group, or the student alone."""
        group = self.group_of(student)
        return frozenset({student}) if group is None else self.groups[group]

    def says(self, when: datetime) -> str:
        """Say a time in the course's time zone, with its name."""
        local = when.astimezone(self.zone)
        zone = str(self.zone) if getattr(self.zone, "key", "") else local.tzname() or "UTC"
        return f"{local:%Y-%m-%d %H:%M} ({zone})"


def shows_reasons(rules: Rules, student: str, now: datetime) -> bool:
    """Return whether a student may see at `now` why hidden tests took points off.

    "after due" means after the student's own due time and grace; without a due time it never comes.
    """
    due = rules.due_for(student)
    over = due is not None and now > due + rules.grace
    return rules.reasons is Reasons.at_once or (rules.reasons is Reasons.after_due and over)
