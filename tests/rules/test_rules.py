"""Rules of hand-ins say who may hand in, what is late, what that costs, and which attempt counts."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from grading.errors import GradingError
from grading.rules.attempts import Attempt, attempts_left, counting, may_hand_in
from grading.rules.lateness import Lateness, lateness, penalty, settle
from grading.rules.reading import read_rules, zone_of
from grading.rules.rules import DAY, Reasons, Rules, shows_reasons

DUE = datetime(2026, 11, 16, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def made(zone: str = "UTC", **own: Any) -> Rules:
    return read_rules("lab1", {}, own, zone_of(zone))


def test_naive_time_means_the_courses_time_zone_in_summer_and_in_winter() -> None:
    rules = made("Europe/Berlin", opens="2026-07-01 08:00", due="2026-11-16 23:59")
    assert rules.opens == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert rules.due == datetime(2026, 11, 16, 22, 59, tzinfo=UTC)
    assert rules.says(DUE) == "2026-11-16 13:00 (Europe/Berlin)"


def test_time_with_a_zone_stays_what_it_is() -> None:
    rules = made("Asia/Tokyo", opens=datetime(2026, 11, 1, tzinfo=ZoneInfo("Europe/Paris")), due="2026-11-16T12:00Z")
    assert (rules.opens, rules.due) == (datetime(2026, 10, 31, 23, tzinfo=UTC), DUE)


def test_rules_of_one_assignment_stand_above_those_of_all() -> None:
    rules = read_rules("lab1", {"grace": "15 minutes", "attempts": 3}, {"attempts": None}, UTC)
    assert (rules.grace, rules.attempts) == (15 * MINUTE, None)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"dew": "2026-11-16 12:00"}, "there is no rule 'dew'; is 'due' meant"),
        ({"due": "tomorrow"}, "due is 'tomorrow': give a time such as"),
        ({"due": "2026-11-16"}, "say the time of the day"),
        ({"grace": "soon"}, "grace is 'soon': give a duration"),
        ({"grace": timedelta(-1)}, "give a duration"),
        ({"late_every": "0 days"}, "a step of lateness cannot be empty"),
        ({"late_percent": 101}, "give a number from 0 to 100"),
        ({"late_percent": True}, "give a number from 0 to 100"),
        ({"attempts": -1}, "give a whole number"),
        ({"counts": "first"}, "give one of 'last', 'best'"),
        ({"reasons": "later"}, "give one of 'at once', 'after due', 'never'"),
        ({"opens": "2026-11-17 12:00", "due": "2026-11-16 12:00"}, r"opens .* is after due"),
        ({"due": "2026-11-17 12:00", "closes": "2026-11-16 12:00"}, r"due .* is after closes"),
    ],
)
def test_wrong_setting_is_said_with_its_assignment_and_its_name(own: Mapping[str, Any], said: str) -> None:
    with pytest.raises(GradingError, match=said) as raised:
        made(**own)
    assert "'lab1' (c.HandIns in nbgrader_config.py)" in str(raised.value)


def test_unknown_time_zone_is_said() -> None:
    for name in ("Berlin", "../../etc/passwd", ""):
        with pytest.raises(GradingError, match="is no time zone"):
            zone_of(name)


def test_extension_before_the_due_time_and_two_groups_for_one_student_are_said() -> None:
    with pytest.raises(GradingError, match="the extension of ada ends on"):
        read_rules("lab1", {}, {"due": DUE}, UTC, [("ada", "lab1", DUE - HOUR)])
    with pytest.raises(GradingError, match="bo stand in more than one group"):
        read_rules("lab1", {}, {}, UTC, groups={"a": ["ada", "bo"], "b": ["bo"]})


def test_only_extensions_of_the_assignment_count_and_the_last_one_of_each() -> None:
    asked = [("ada", "lab1", DUE + DAY), ("bo", "lab2", DUE + DAY), ("ada", "lab1", DUE + HOUR)]
    rules = read_rules("lab1", {}, {"due": DUE}, UTC, asked)
    assert (rules.due_for("ada"), rules.due_for("bo")) == (DUE + HOUR, DUE)


def test_extension_of_one_is_that_of_the_group() -> None:
    rules = Rules(due=DUE, extensions={"ada": DUE + DAY}, groups={"a": frozenset({"ada", "bo"})})
    assert (rules.due_for("bo"), rules.due_for("cy")) == (DUE + DAY, DUE)


# ---------------------------------------------------------------- who may hand in

OPEN = Rules("lab1", opens=DUE - DAY, due=DUE, closes=DUE + DAY, grace=HOUR, attempts=3, attempts_an_hour=2)


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (DUE - DAY - MINUTE, [], "It opens on 2026-11-15 12:00 (UTC)."),
        (DUE - DAY, [], ""),
        (DUE + DAY - MINUTE, [], ""),
        (DUE + DAY, [], "It closed on 2026-11-17 12:00 (UTC): nothing is taken any more."),
        (DUE, [DUE - 2 * HOUR, DUE - 3 * HOUR], ""),
        (DUE, [DUE - 2 * HOUR] * 3, "All attempts are used: 3 may be handed in."),
        (DUE, [DUE - 9 * MINUTE, DUE - 50 * MINUTE], "2 may be handed in within an hour: the next one from"),
        (DUE, [DUE - 9 * MINUTE, DUE - 60 * MINUTE], ""),
    ],
)
def test_hand_in_is_refused_in_words(now: datetime, before: list[datetime], said: str) -> None:
    answer = may_hand_in(OPEN, "ada", now, before)
    assert answer.allowed == (not said)
    assert answer.why.startswith(said)


def test_refusal_says_from_when_on_another_try_is_worth_it() -> None:
    assert may_hand_in(OPEN, "ada", DUE, [DUE - 50 * MINUTE, DUE - 9 * MINUTE]).again == DUE + 10 * MINUTE
    assert may_hand_in(OPEN, "ada", DUE - 2 * DAY).again == OPEN.opens
    assert may_hand_in(OPEN, "ada", DUE + 2 * DAY).again is None


def test_extension_keeps_it_open_with_its_grace_for_that_student_alone() -> None:
    rules = Rules(due=DUE, closes=DUE + HOUR, grace=MINUTE, extensions={"ada": DUE + DAY})
    assert may_hand_in(rules, "ada", DUE + DAY).allowed
    assert not may_hand_in(rules, "ada", DUE + DAY + MINUTE).allowed
    assert not may_hand_in(rules, "bo", DUE + DAY).allowed


def test_attempts_left_are_counted_down_to_none() -> None:
    assert [attempts_left(OPEN, [DUE] * used) for used in range(5)] == [3, 2, 1, 0, 0]
    assert attempts_left(Rules(), [DUE] * 99) is None


# ---------------------------------------------------------------- which attempt counts


@pytest.mark.parametrize(
    ("counts", "points", "index"),
    [
        ("last", [], None),
        ("best", [], None),
        ("last", [5.0, 3.0], 1),
        ("last", [5.0, None], 1),
        ("best", [5.0, 3.0], 0),
        ("best", [3.0, 5.0, 5.0, None], 1),
        ("best", [None, None], None),
        ("best", [0.0, None], 0),
    ],
)
def test_attempt_that_counts(counts: str, points: list[float | None], index: int | None) -> None:
    attempts = [Attempt(DUE + number * HOUR, reached) for number, reached in enumerate(points)]
    assert counting(made(counts=counts), attempts) == index


def test_attempts_may_come_in_any_order() -> None:
    assert counting(Rules(), [Attempt(DUE + HOUR), Attempt(DUE)]) == 0


# ---------------------------------------------------------------- reasons


@pytest.mark.parametrize(
    ("reasons", "before", "after"), [("at once", True, True), ("after due", False, True), ("never", False, False)]
)
def test_reasons_are_shown_when_the_rules_say(reasons: str, before: bool, after: bool) -> None:
    rules = made(due=DUE, grace="1 hour", reasons=reasons)
    assert shows_reasons(rules, "ada", DUE + HOUR) is before
    assert shows_reasons(rules, "ada", DUE + HOUR + MINUTE) is after


def test_reasons_wait_for_the_students_own_due_time_and_for_ever_without_one() -> None:
    rules = Rules(due=DUE, reasons=Reasons.after_due, extensions={"ada": DUE + DAY})
    assert (shows_reasons(rules, "ada", DUE + HOUR), shows_reasons(rules, "bo", DUE + HOUR)) == (False, True)
    assert not shows_reasons(Rules(reasons=Reasons.after_due), "ada", DUE)


# ---------------------------------------------------------------- lateness and what it costs


@pytest.mark.parametrize(
    ("after", "grace", "bank", "late", "days"),
    [
        (-HOUR, "0 hours", 9, timedelta(0), 0),
        (timedelta(0), "0 hours", 9, timedelta(0), 0),
        (timedelta(seconds=1), "0 hours", 9, timedelta(seconds=1), 1),
        (HOUR, "1 hour", 9, timedelta(0), 0),
        (HOUR + MINUTE, "1 hour", 0, HOUR + MINUTE, 0),
        (DAY, "0 hours", 9, DAY, 1),
        (DAY + MINUTE, "0 hours", 9, DAY + MINUTE, 2),
        (5 * DAY, "0 hours", 3, 5 * DAY, 3),
    ],
)
def test_lateness_counts_from_the_due_time_once_grace_is_over(
    after: timedelta, grace: str, bank: int, late: timedelta, days: int
) -> None:
    assert lateness(made(due=DUE, grace=grace), "ada", DUE + after, bank) == Lateness(late, days)


def test_bank_is_used_on_an_assignment_no_more_than_its_rules_allow() -> None:
    rules = made(due=DUE, late_days=1)
    assert lateness(rules, "ada", DUE + 3 * DAY, 9) == Lateness(3 * DAY, 1)
    assert lateness(rules, "ada", DUE + 3 * DAY, 9).counted == 2 * DAY


def test_nothing_is_late_without_a_due_time() -> None:
    assert lateness(Rules(), "ada", DUE) == Lateness()


@pytest.mark.parametrize(
    ("counted", "taken"),
    [(timedelta(0), 0), (MINUTE, 2), (DAY, 2), (DAY + MINUTE, 4), (2 * DAY + HOUR, 5), (99 * DAY, 5)],
)
def test_penalty_is_percent_of_the_points_by_steps_begun_up_to_the_most(counted: timedelta, taken: float) -> None:
    rules = made(late_percent=10, late_most=25)
    assert penalty(rules, 20, counted) == pytest.approx(taken)


def test_penalty_never_goes_below_nothing() -> None:
    assert penalty(made(late_percent=60), 10, 5 * DAY) == 10
    assert penalty(made(late_percent=60), -3, 5 * DAY) == 0


# ---------------------------------------------------------------- the bank of late days


def class_of(seed: int) -> tuple[list[Rules], int, dict[str, datetime]]:
    """Make a course of a few assignments, a bank, and times at which one student handed in some of them."""
    draw = random.Random(seed)
    every = [
        Rules(
            f"lab{number}",
            due=DUE + draw.randrange(20) * DAY if draw.random() < 0.9 else None,
            grace=draw.choice([0, 1, 30]) * HOUR,
            late_days=draw.choice([None, None, 0, 1, 2]),
        )
        for number in range(draw.randrange(1, 8))
    ]
    times = {
        rules.assignment: (rules.due or DUE) + timedelta(hours=draw.randrange(-50, 120))
        for rules in every
        if draw.random() < 0.8
    }
    return every, draw.randrange(6), times


@pytest.mark.parametrize("seed", range(200))
def test_bank_keeps_its_laws(seed: int) -> None:
    every, bank, times = class_of(seed)
    settled = settle(every, bank, "ada", times)
    by_name = {rules.assignment: rules for rules in every}
    assert settled.keys() == times.keys()
    assert sum(one.days for one in settled.values()) <= bank
    for name, one in settled.items():
        alone = lateness(by_name[name], "ada", times[name])
        assert one.late == alone.late  # the bank changes what counts, not when it came
        assert timedelta(0) <= one.counted <= one.late
        assert one.days == 0 or (one.days - 1) * DAY < one.late  # no day is spent where there is nothing to cover
    shuffled = random.Random(seed).sample(every, len(every))
    assert settle(shuffled, bank, "ada", dict(reversed(times.items()))) == settled
    more = settle(every, bank + 1, "ada", times)
    assert sum((one.counted for one in more.values()), timedelta(0)) <= sum(
        (one.counted for one in settled.values()), timedelta(0)
    )


@pytest.mark.parametrize("seed", range(50))
def test_assignment_due_later_never_takes_a_day_from_what_is_due_before(seed: int) -> None:
    every, bank, times = class_of(seed)
    settled = settle(every, bank, "ada", times)
    dated = sorted((rules for rules in every if rules.due), key=lambda rules: (rules.due or DUE, rules.assignment))
    if not dated:
        return
    last = dated[-1].assignment
    without = settle(every, bank, "ada", {name: at for name, at in times.items() if name != last})
    assert {name: one for name, one in settled.items() if name != last} == without
