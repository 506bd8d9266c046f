"""Rules from the settings of `nbgrader_config.py`: plain data in, rules out, or what is wrong with them in words."""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grading.errors import GradingError
from grading.rules.rules import Counts, Reasons, Rules

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?")
Extension = tuple[str, str, Any]
"""Student, assignment and the new due time."""


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name, such as Europe/Berlin."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise GradingError(
            f"c.HandIns.time_zone is {name!r}, which is no time zone: give a name such as 'Europe/Berlin' or 'UTC'"
        ) from error


def read_rules(
    assignment: str,
    every: Mapping[str, Any],
    own: Mapping[str, Any],
    zone: tzinfo,
    extensions: Iterable[Extension] = (),
    groups: Mapping[str, Iterable[str]] | None = None,
) -> Rules:
    """Return the rules of an assignment: its `own` settings above those for `every` one.

    Of several extensions of a student the last counts. Raises GradingError, which says the setting.
    """
    where = f"the rules of hand-ins of {assignment!r} (c.HandIns in nbgrader_config.py)"
    values = {}
    for key, value in {**every, **own}.items():
        if key not in _READERS:
            raise GradingError(f"{where}: there is no rule {key!r}{_meant(key)}")
        values[key] = None if value is None else _read(where, key, value, zone)
    rules = Rules(
        assignment=assignment,
        zone=zone,
        extensions={
            student: _read(where, f"extension of {student}", until, zone, _time)
            for student, name, until in extensions
            if name == assignment
        },
        groups={name: frozenset(members) for name, members in (groups or {}).items()},
        **{key: value for key, value in values.items() if value is not None},
    )
    _check(where, rules)
    return rules


def _meant(key: str) -> str:
    near = difflib.get_close_matches(key, _READERS, 1)
    return f"; is {near[0]!r} meant?" if near else f". There are: {', '.join(_READERS)}"


def _read(where: str, key: str, value: Any, zone: tzinfo, reader: Callable[[Any, tzinfo], Any] | None = None) -> Any:
    try:
        return (reader or _READERS[key])(value, zone)
    except ValueError as error:
        raise GradingError(f"{where}: {key} is {value!r}: {error}") from error


def _time(value: Any, zone: tzinfo) -> datetime:
    """Return an aware time; one without a time zone is in the course's."""
    if isinstance(value, datetime):
        read = value
    else:
        try:
            read = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValueError("give a time such as '2026-11-30 23:59'") from None
        if len(str(value).strip()) <= len("2026-11-30"):
            raise ValueError("say the time of the day, too, such as '2026-11-30 23:59'")
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)


def _duration(value: Any, _zone: tzinfo) -> timedelta:
    match = _DURATION.fullmatch(str(value).strip())
    found = value if isinstance(value, timedelta) else None
    if match:
        found = timedelta(seconds=float(match[1]) * UNITS[match[2]])
    if found is None or found < timedelta(0):
        raise ValueError("give a duration such as '15 minutes', '2 hours' or '1 day'")
    return found


def _step(value: Any, zone: tzinfo) -> timedelta:
    if not (found := _duration(value, zone)):
        raise ValueError("a step of lateness cannot be empty")
    return found


def _count(value: Any, _zone: tzinfo) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("give a whole number, 0 or more")
    return value


def _percent(value: Any, _zone: tzinfo) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ValueError("give a number from 0 to 100")
    return float(value)


def _one_of(kind: type[StrEnum]) -> Callable[[Any, tzinfo], StrEnum]:
    def reader(value: Any, _zone: tzinfo) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            raise ValueError(f"give one of {', '.join(repr(str(one)) for one in kind)}") from None

    return reader


_READERS: dict[str, Callable[[Any, tzinfo], Any]] = {
    "opens": _time,
    "due": _time,
    "closes": _time,
    "grace": _duration,
    "late_percent": _percent,
    "late_every": _step,
    "late_most": _percent,
    "late_days": _count,
    "attempts": _count,
    "attempts_an_hour": _count,
    "counts": _one_of(Counts),
    "reasons": _one_of(Reasons),
}


def _check(where: str, rules: Rules) -> None:
    """Raise GradingError for rules that contradict each other."""
    for first, second in (("opens", "due"), ("due", "closes"), ("opens", "closes")):
        before, after = getattr(rules, first), getattr(rules, second)
        if before is not None and after is not None and before > after:
            raise GradingError(f"{where}: {first} ({rules.says(before)}) is after {second} ({rules.says(after)})")
    for student, until in rules.extensions.items():
        if rules.due is not None and until < rules.due:
            raise GradingError(
                f"{where}: the extension of {student} ends on {rules.says(until)}, before it is due for all "
                f"({rules.says(rules.due)})"
            )
    times = Counter(member for members in rules.groups.values() for member in members)
    if twice := sorted(member for member, count in times.items() if count > 1):
        raise GradingError(f"{where}: {', '.join(twice)} stand in more than one group")
