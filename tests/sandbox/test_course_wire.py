"""Frames between the examiner and the student's kernel: what is sent arrives, and nothing hostile gets through."""

import json
import socket
import struct
import sys
import threading
from collections.abc import Iterator

import pytest

from grading.sandbox.kernel import INSIDE

sys.path.insert(0, str(INSIDE))
import course_wire
from course_wire import HEADER, MAGIC, MAX_HEAD, ConnectionEnded, FrameError

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    for end in (one, other):
        end.settimeout(20)
    with one, other:
        yield one, other


def raw(pair: Pair, head: bytes, tail: bytes = b"", magic: bytes = MAGIC) -> None:
    pair[0].sendall(HEADER.pack(magic, len(head), len(tail)) + head + tail)


def test_head_and_blobs_arrive(pair: Pair) -> None:
    course_wire.send(pair[0], {"kind": "ask", "text": "é\ud800"}, [b"abc", bytearray(), memoryview(b"de")])
    head, tail = course_wire.receive(pair[1])
    assert head == {"kind": "ask", "text": "é\ud800", "blobs": [3, 0, 2]}
    assert bytes(tail) == b"abcde"


def test_a_head_without_blobs_gets_no_key(pair: Pair) -> None:
    course_wire.send(pair[0], {"kind": "end"})
    assert course_wire.receive(pair[1]) == ({"kind": "end"}, b"")


def test_frames_come_one_after_another(pair: Pair) -> None:
    for number in range(3):
        course_wire.send(pair[0], {"number": number}, [bytes([number]) * number])
    assert [course_wire.receive(pair[1])[0]["number"] for _ in range(3)] == [0, 1, 2]


def test_a_large_tail_arrives(pair: Pair) -> None:
    data = bytes(range(256)) * 2**15
    sender = threading.Thread(target=course_wire.send, args=(pair[0], {}, [data]))
    sender.start()
    _, tail = course_wire.receive(pair[1])
    sender.join()
    assert tail == data
    assert not tail.readonly


def test_a_relay_passes_on_what_it_does_not_read(pair: Pair) -> None:
    raw(pair, b"no JSON", b"tail")
    head, tail = course_wire.receive_raw(pair[1])
    course_wire.send_raw(pair[1], head, tail)
    assert course_wire.receive_raw(pair[0]) == (b"no JSON", b"tail")


def test_the_arrival_of_the_first_bytes_is_told_once(pair: Pair) -> None:
    told: list[str] = []
    course_wire.send(pair[0], {"a": 1}, [b"x" * 1000])
    course_wire.receive(pair[1], arrived=lambda: told.append("now"))
    assert told == ["now"]


def test_a_timeout_is_the_callers(pair: Pair) -> None:
    pair[1].settimeout(0.05)
    with pytest.raises(TimeoutError):
        course_wire.receive(pair[1])


def test_the_end_of_the_connection_is_told_apart(pair: Pair) -> None:
    pair[0].close()
    with pytest.raises(ConnectionEnded):
        course_wire.receive(pair[1])
    with pytest.raises(ConnectionEnded):
        course_wire.send(pair[1], {}, [b"x" * 2**20])


def test_half_a_frame_is_an_end(pair: Pair) -> None:
    pair[0].sendall(HEADER.pack(MAGIC, 10, 0) + b"{")
    pair[0].close()
    with pytest.raises(ConnectionEnded):
        course_wire.receive(pair[1])


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{} {}", id="two objects"),
        pytest.param(b"{", id="half"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": -Infinity}', id="infinity"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="a long number"),
        pytest.param(b"[" * MAX_HEAD, id="brackets"),
        pytest.param(b'{"a":' * 1_000_000, id="braces"),
        pytest.param(b"[" * 1_000_000 + b"]" * 1_000_000, id="closed brackets"),
    ],
)
@pytest.mark.parametrize("lifted", [False, True], ids=["", "limits lifted"])
def test_a_malformed_head_is_refused(pair: Pair, head: bytes, lifted: bool) -> None:
    digits, depth = sys.get_int_max_str_digits(), sys.getrecursionlimit()
    try:
        if lifted:  # as a test cell may
            sys.set_int_max_str_digits(0)
            sys.setrecursionlimit(10**6)
        with pytest.raises(FrameError):
            course_wire.unpack(head)
    finally:
        sys.set_int_max_str_digits(digits)
        sys.setrecursionlimit(depth)


def test_lifted_limits_refuse_nothing_that_is_well_formed() -> None:
    head = {"a": [[1, {"b": '["[{\\'}]] * 1000, "c": "[" * 10_000, "d": []}
    depth = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(10**6)
        assert course_wire.unpack(json.dumps(head).encode()) == head
    finally:
        sys.setrecursionlimit(depth)


def test_duplicate_keys_are_harmless() -> None:
    assert course_wire.unpack(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("magic", "head", "tail"),
    [(b"XAM2", 2, 0), (MAGIC, MAX_HEAD + 1, 0), (MAGIC, 2, 2**64 - 1), (MAGIC, 2, 1001), (b"GET ", 2, 0)],
)
def test_a_header_that_claims_too_much_is_refused_before_anything_is_read(
    pair: Pair, magic: bytes, head: int, tail: int
) -> None:
    pair[0].sendall(struct.pack("<4sIQ", magic, head, tail))
    with pytest.raises(FrameError):
        course_wire.receive(pair[1], cap=1000)


@pytest.mark.parametrize("head", [{"a": float("nan")}, {"a": b""}, {"a": "x" * MAX_HEAD}])
def test_unwritable_values_are_told_before_a_byte_is_sent(pair: Pair, head: dict[str, object]) -> None:
    with pytest.raises(FrameError):
        course_wire.send(pair[0], head)
    pair[0].close()
    with pytest.raises(ConnectionEnded):
        course_wire.receive(pair[1])
