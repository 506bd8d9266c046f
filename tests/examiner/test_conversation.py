"""What was asked and answered is kept by content, and answers the same questions again."""

import json

import pytest

from grading.examiner import conversation as module
from grading.examiner.conversation import Conversation, Frame, NeedsStudentError, Recorded, gone

ASK, OTHER = Frame(b'{"kind": "ask", "n": 1}'), Frame(b'{"kind": "ask", "n": 2}', b"tail")
REPLY = Frame(b'{"kind": "answer"}', bytes(range(256)))


def held() -> Conversation:
    conversation = Conversation()
    conversation.note("first", ASK, REPLY)
    conversation.note("first", OTHER, gone("it died"))
    conversation.note("second", ASK, REPLY)
    return conversation


def replayed(conversation: Conversation, test: str, *requests: Frame) -> list[Frame]:
    partner = Recorded(conversation)
    partner.begin(test)
    return [partner.ask(request) for request in requests]


def test_the_same_questions_get_the_same_answers() -> None:
    assert replayed(held(), "first", ASK, OTHER) == [REPLY, gone("it died")]


def test_it_survives_its_file() -> None:
    again = Conversation.from_json(json.loads(json.dumps(held().to_json())))
    assert replayed(again, "first", ASK, OTHER) == [REPLY, gone("it died")]
    assert again.size == held().size


@pytest.mark.parametrize(
    ("test", "requests"),
    [
        ("first", [OTHER]),
        ("first", [ASK, ASK]),
        ("second", [ASK, OTHER]),
        ("third", [ASK]),
        ("first", [ASK, Frame(OTHER.head, b"another tail")]),
    ],
    ids=["another order", "another question", "one more question", "a new test", "another argument"],
)
def test_a_new_question_needs_the_student(test: str, requests: list[Frame]) -> None:
    with pytest.raises(NeedsStudentError):
        replayed(held(), test, *requests)


def test_a_test_that_stops_earlier_leaves_the_next_alone() -> None:
    partner = Recorded(held())
    partner.begin("first")
    partner.ask(ASK)
    partner.end()
    partner.begin("second")
    assert partner.ask(ASK) == REPLY


def test_head_and_tail_are_told_apart() -> None:
    assert Frame(b"ab", b"c").digest != Frame(b"a", b"bc").digest


def test_a_conversation_that_is_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 300)
    conversation = Conversation()
    conversation.note("first", ASK, REPLY)
    assert conversation.complete
    conversation.note("second", ASK, REPLY)
    assert not conversation.complete
    assert conversation.exchanges == {}
