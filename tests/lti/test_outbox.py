"""Every score reaches the platform once, whatever dies, refuses or answers late."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from lti_tool import Tool

from grading.lti import services
from grading.lti.calls import Reply, UnreachableError
from grading.lti.outbox import (
    FIRST_PAUSE,
    LEASE_SECONDS,
    LONGEST_PAUSE,
    MOST_TRIES,
    Difference,
    Outbox,
    Score,
    State,
    agrees,
    compare,
    pause,
)
from grading.lti.platforms import LtiError
from grading.lti.services import PlatformResult

NOW = 1_764_000_000.0
COLUMN = "https://lms.example.org/lineitems/1/lineitem?type_id=2"


class Killed(BaseException):
    """The process dies here: nothing catches it."""


class Sender:
    """An outbox of the tool's, a clock, and calls to the platform that can be killed."""

    def __init__(self, tool: Tool) -> None:
        self.tool, self.now = tool, NOW
        self.caller = tool.caller
        self.outbox = Outbox(tool.database, lambda: 0.0)
        self.kill_before_sending = self.kill_after_sending = False

    def score(self, points: float, user: str = "u-ada", hand_in: str = "h1") -> Score:
        return Score(self.tool.registered.key, COLUMN, user, hand_in, points, 20.0)

    def put(self, points: float, user: str = "u-ada") -> bool:
        return self.outbox.put(self.score(points, user), self.now)

    async def send(self, score: Score, timestamp: float) -> Reply:
        if self.kill_before_sending:
            raise Killed
        reply = await services.send_score(
            self.caller, self.tool.registered, score.line_item, score.user, score.points, score.max_points, timestamp
        )
        if self.kill_after_sending:
            raise Killed
        return reply

    async def ask(self, score: Score) -> PlatformResult | None:
        found = await services.results(self.caller, self.tool.registered, score.line_item, score.user)
        return found.get(score.user)

    def deliver(self) -> int:
        self.caller = self.tool.caller
        return asyncio.run(self.outbox.deliver(self.send, self.ask, lambda: self.now))

    def die(self) -> None:
        with pytest.raises(BaseExceptionGroup):
            self.deliver()

    @property
    def states(self) -> list[State]:
        return [entry.state for entry in self.outbox.entries()]

    @property
    def taken(self) -> list[float]:
        """Points that the platform took, in order."""
        return [score["scoreGiven"] for score in self.tool.platform.scores]

    def said(self, index: int = -1) -> list[int | None]:
        return [answer.status for answer in self.outbox.answers_to(self.outbox.entries()[index].id)]


@pytest.fixture
def sender(tool: Tool) -> Sender:
    return Sender(tool)


def test_score_is_sent_once_and_its_answer_is_kept(sender: Sender) -> None:
    assert sender.put(12.0)
    assert (sender.deliver(), sender.deliver()) == (1, 0)
    assert (sender.taken, sender.states, sender.said()) == ([12.0], [State.sent], [200])
    assert sender.outbox.entries()[0].score.hand_in == "h1"


def test_same_points_again_are_nothing_to_do_before_and_after_they_were_sent(sender: Sender) -> None:
    assert [sender.put(12.0), sender.put(12.0)] == [True, False]
    sender.deliver()
    assert not sender.put(12.0)
    sender.deliver()
    assert sender.taken == [12.0]


def test_newer_points_replace_those_that_wait_and_follow_those_that_were_sent(sender: Sender) -> None:
    for points in (12.0, 13.0):
        sender.put(points)
    sender.deliver()
    sender.put(12.0)
    sender.deliver()
    assert sender.taken == [13.0, 12.0]
    assert sender.states == [State.replaced, State.sent, State.sent]


@pytest.mark.parametrize("moodle", [False, True])
def test_scores_within_one_second_are_all_taken(sender: Sender, moodle: bool) -> None:
    sender.tool.platform.as_moodle = moodle
    for points in (12.0, 13.0, 14.0):
        sender.put(points)
        sender.deliver()
    assert (sender.taken, sender.states) == ([12.0, 13.0, 14.0], [State.sent] * 3)


def test_refusals_that_pass_are_tried_again_with_growing_pauses(sender: Sender) -> None:
    sender.tool.platform.answers = [500, 503, 403]
    sender.put(12.0)
    for number in range(3):
        assert sender.deliver() == 1
        assert sender.deliver() == 0  # not yet
        sender.now += FIRST_PAUSE * 2**number
    assert sender.deliver() == 1
    assert (sender.taken, sender.said()) == ([12.0], [500, 503, 403, 200])


def test_platform_that_asks_to_be_left_alone_is(sender: Sender) -> None:
    sender.tool.platform.answers = [429]
    sender.put(12.0)
    sender.deliver()
    assert sender.outbox.entries()[0].next_try == NOW + 77


def test_pauses_grow_to_their_longest_and_tries_come_to_an_end(sender: Sender) -> None:
    assert [pause(tries) for tries in (1, 2, 3)] == [30, 60, 120]
    assert pause(11) == pause(99) == LONGEST_PAUSE
    assert pause(1, 1.0) == 37.5
    assert sum(pause(tries) for tries in range(1, MOST_TRIES)) > 3 * 86_400
    sender.tool.platform.answers = [500] * MOST_TRIES
    sender.put(12.0)
    for _ in range(MOST_TRIES):
        assert sender.deliver() == 1
        sender.now += 2 * LONGEST_PAUSE
    assert (sender.deliver(), sender.states) == (0, [State.given_up])
    assert sender.outbox.try_again(sender.outbox.entries()[0].id, sender.now)
    sender.deliver()
    assert (sender.taken, sender.states) == ([12.0], [State.sent])


def test_score_that_is_wrong_is_refused_at_once_and_holds_up_no_other(sender: Sender) -> None:
    sender.put(12.0, "u-nobody")
    sender.put(13.0, "u-bo")
    sender.deliver()
    assert dict(zip((entry.score.user for entry in sender.outbox.entries()), sender.states, strict=True)) == {
        "u-nobody": State.refused,
        "u-bo": State.sent,
    }
    assert sender.said(0) == [400]


def test_only_the_newest_score_of_a_student_is_sent_once_more(sender: Sender) -> None:
    sender.tool.platform.answers = [422]
    sender.put(12.0)
    sender.deliver()
    first = sender.outbox.entries()[0].id
    sender.put(13.0)
    assert not sender.outbox.try_again(first, sender.now)
    sender.deliver()
    assert sender.taken == [13.0]


# ------------------------------------------------------------ whatever dies


@pytest.mark.parametrize("moodle", [False, True])
def test_process_that_dies_before_it_sends_costs_a_pause(sender: Sender, moodle: bool) -> None:
    sender.tool.platform.as_moodle = moodle
    sender.put(12.0)
    sender.kill_before_sending = True
    sender.die()
    sender.kill_before_sending = False
    assert sender.deliver() == 0  # somebody may still be at it
    sender.now += LEASE_SECONDS
    assert sender.deliver() == 1
    assert (sender.taken, sender.states) == ([12.0], [State.sent])


@pytest.mark.parametrize("moodle", [False, True])
def test_process_that_dies_after_the_platform_took_it_sends_it_no_second_time(sender: Sender, moodle: bool) -> None:
    sender.tool.platform.as_moodle = moodle
    sender.put(12.0)
    sender.kill_after_sending = True
    sender.die()
    sender.kill_after_sending = False
    sender.now += LEASE_SECONDS
    assert sender.deliver() == 1
    assert (sender.taken, sender.states) == ([12.0], [State.sent])
    assert "an earlier try arrived" in sender.outbox.answers_to(sender.outbox.entries()[0].id)[0].said


@pytest.mark.parametrize("moodle", [False, True])
def test_answer_that_is_lost_on_its_way_leads_to_no_second_score(sender: Sender, moodle: bool) -> None:
    sender.tool.platform.as_moodle = moodle
    sender.tool.platform.answers = ["lost"]
    sender.put(12.0)
    sender.deliver()
    assert sender.states == [State.waiting]
    sender.now += FIRST_PAUSE
    sender.deliver()
    assert (sender.taken, sender.states) == ([12.0], [State.sent])


def test_score_keeps_its_timestamp_through_all_tries(sender: Sender) -> None:
    """So a platform that does not say what it has takes the same score as the same."""
    seen = []

    async def fails(score: Score, timestamp: float) -> Reply:
        seen.append(timestamp)
        raise UnreachableError("no answer")

    async def says_nothing(score: Score) -> PlatformResult | None:
        raise LtiError("not allowed")

    sender.put(12.0)
    for _ in range(3):
        asyncio.run(sender.outbox.deliver(fails, says_nothing, lambda: sender.now))
        sender.now += LONGEST_PAUSE
    assert seen == [NOW] * 3


def test_moodle_that_has_it_and_does_not_say_so_refuses_the_second_try_and_is_believed_once_it_does(
    sender: Sender,
) -> None:
    sender.tool.platform.as_moodle = True
    sender.tool.platform.answers = ["lost"]
    sender.put(12.0)
    sender.deliver()
    sender.now += FIRST_PAUSE
    ask, asked = sender.ask, []

    async def second_time(score: Score) -> PlatformResult | None:
        asked.append(score)
        return await ask(score) if len(asked) > 1 else None

    sender.ask = second_time  # type: ignore[method-assign]
    sender.deliver()
    assert (sender.taken, sender.states, sender.said()) == ([12.0], [State.sent], [504, 409])


def test_grade_that_a_teacher_changed_later_on_the_platform_stands(sender: Sender) -> None:
    later = {"timestamp": "2099-01-01T00:00:00.000Z", "resultScore": 20.0, "resultMaximum": 20.0}
    sender.tool.platform.results["1", "u-ada"] = later
    sender.put(12.0)
    sender.deliver()
    assert (sender.states, sender.said()) == ([State.refused], [409])
    assert sender.tool.platform.results["1", "u-ada"] == later


def test_two_processes_that_deliver_at_the_same_time_send_each_score_once(sender: Sender) -> None:
    for number in range(12):
        sender.tool.platform.people[f"u{number}"] = (f"Student {number}", [])
        sender.put(float(number), f"u{number}")
    others = [Sender(sender.tool) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda one: one.deliver(), others)) == 12
    assert sorted(sender.taken) == [float(number) for number in range(12)]
    assert set(sender.states) == {State.sent}


def test_two_processes_that_write_down_the_same_score_write_one(sender: Sender) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(sender.put, [12.0] * 8)) == [False] * 7 + [True]


def test_one_replaced_while_it_was_under_way_does_not_come_back(sender: Sender) -> None:
    sender.put(12.0)
    first = sender.outbox.take(sender.outbox.due(NOW)[0], NOW)
    assert first is not None
    sender.now += 5
    sender.put(13.0)
    sender.tool.platform.answers = [500]

    async def late() -> None:
        await sender.outbox._try(first, sender.send, sender.ask, lambda: sender.now)

    asyncio.run(late())
    sender.now += LONGEST_PAUSE
    sender.deliver()
    assert (sender.taken, sender.states) == ([13.0], [State.replaced, State.sent])


# ------------------------------------------------------------ comparing


@pytest.mark.parametrize(
    ("result", "same"),
    [
        (PlatformResult("u", 12.0, 20.0), True),
        (PlatformResult("u", 60.0, 100.0), True),
        (PlatformResult("u", 12.0, None), True),
        (PlatformResult("u", 59.99951, 100.0), True),
        (PlatformResult("u", 59.9, 100.0), False),
        (PlatformResult("u", None, 20.0), False),
    ],
)
def test_points_are_compared_on_the_platforms_scale(result: PlatformResult, same: bool) -> None:
    assert agrees(result, 12.0, 20.0) is same


def test_comparison_lists_who_differs_and_who_lacks_a_grade_where() -> None:
    here = {"a": (12.0, 20.0), "b": (5.0, 20.0), "c": (1.0, 20.0), "e": (2.0, 20.0)}
    there = {
        "a": PlatformResult("a", 60.0, 100.0),
        "b": PlatformResult("b", 30.0, 100.0),
        "d": PlatformResult("d", 9.0, 20.0),
        "e": PlatformResult("e", None, 20.0),
        "f": PlatformResult("f", None, 20.0),
    }
    assert compare(here, there) == [
        Difference("b", (5.0, 20.0), there["b"]),
        Difference("c", (1.0, 20.0), None),
        Difference("d", None, there["d"]),
        Difference("e", (2.0, 20.0), there["e"]),
    ]


@pytest.mark.parametrize(("points", "most"), [(float("nan"), 20.0), (float("inf"), 20.0), (1.0, 0.0)])
def test_points_that_are_no_grade_are_not_written_down(sender: Sender, points: float, most: float) -> None:
    with pytest.raises(LtiError, match="cannot be sent"):
        sender.outbox.put(Score("p", COLUMN, "u", "h", points, most), NOW)
    assert sender.states == []
