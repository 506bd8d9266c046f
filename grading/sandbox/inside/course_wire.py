"""Sends and receives frames on a stream socket: a JSON object and binary blobs. Runs inside; standard library only.

A frame is `HEADER` (magic, bytes of the head, bytes of the tail), the head (a JSON object in UTF-8) and the tail (the
blobs one after another). What is read was written by somebody who may be hostile: every claim is checked before
memory is taken for it, and whatever is wrong ends as `FrameError`. Deadlines are the caller's: the `TimeoutError` of
a socket passes through, and the socket is useless then.
"""

import itertools
import json
import re
import struct
import sys

HEADER = struct.Struct("<4sIQ")
MAGIC = b"XAM1"
MAX_HEAD = 16 * 2**20
MAX_FRAME = 256 * 2**20
"""Bytes of head and tail that a reader takes unless told otherwise."""

_MAX_DEPTH = 100
"""Brackets within brackets; only counted where Python itself would not stop a parser before the stack ends."""
_SAFE_RECURSION = 5000
_MAX_DIGITS = 4300
_AT_ONCE = 2**20
_TOGETHER = 2**16
"""Bytes of a tail that goes with its head: one system call takes longer than to copy them."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (_MAX_DIGITS + 1))
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[{]}", b"\1\1\xff\xff")
"""One deeper, or (as signed bytes) one less deep."""


class FrameError(Exception):
    """Bytes that are no frame or larger than allowed, or a connection that ended."""


class ConnectionEnded(FrameError):  # noqa: N818
    """The other side closed the connection, or is gone."""


def send(sock, head, tail=()):
    """Send `head`, a JSON-able dict, and the blobs `tail`; their lengths go into the head as `blobs`.

    Raises FrameError for a head that is too large or cannot be written as JSON, ConnectionEnded if nobody reads.
    """
    blobs = [memoryview(blob).cast("B") for blob in tail]
    if blobs:
        head = {**head, "blobs": [len(blob) for blob in blobs]}
    _send(sock, pack(head), blobs)


def send_raw(sock, head_bytes, tail=b""):
    """Send a frame as `receive_raw` gave it."""
    _send(sock, head_bytes, [tail] if len(tail) else [])


def receive(sock, cap=MAX_FRAME, arrived=None):
    """Give the next frame's head, a dict, and its tail, a memoryview of bytes (writable); see `receive_raw`."""
    head, tail = receive_raw(sock, cap, arrived)
    return unpack(head), memoryview(tail)


def receive_raw(sock, cap=MAX_FRAME, arrived=None):
    """Give the next frame's head, bytes, and tail, a bytearray, unread.

    `arrived` is called without arguments when the first bytes are there. Raises ConnectionEnded at the end of the
    connection, FrameError for what is no frame or is larger than `cap` bytes.
    """
    header = bytearray(HEADER.size)
    _fill(sock, header, arrived)
    magic, head_bytes, tail_bytes = HEADER.unpack(header)
    if magic != MAGIC:
        raise FrameError("what came does not begin as a message does")
    if head_bytes > MAX_HEAD or head_bytes + tail_bytes > cap:
        raise FrameError(f"a message of {head_bytes + tail_bytes:,} bytes is too large")
    if tail_bytes <= _TOGETHER:
        both = bytearray(head_bytes + tail_bytes)
        _fill(sock, both)
        return bytes(both[:head_bytes]), both[head_bytes:]
    head, tail = bytearray(head_bytes), bytearray(tail_bytes)
    _fill(sock, head)
    _fill(sock, tail)
    return bytes(head), tail


def pack(head):
    """Write a dict as the bytes of a head; raises FrameError if it is too large or not JSON."""
    try:
        text = _encoder.encode(head).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"a message cannot be written: {error}") from None
    if len(text) > MAX_HEAD:
        raise FrameError(f"a message whose structure takes {len(text):,} bytes is too large")
    return text


def unpack(head_bytes):
    """Read the bytes of a head; raises FrameError unless they are one JSON object without NaN or Infinity."""
    try:
        if len(head_bytes) > _MAX_DIGITS:
            _refuse_bombs(head_bytes)
        head = json.loads(str(head_bytes, "utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError, MemoryError) as error:
        raise FrameError(f"a message cannot be read: {type(error).__name__}") from None
    if type(head) is not dict:
        raise FrameError("a message is not an object")
    return head


_encoder = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def _refuse_bombs(head_bytes):
    """Count digits and brackets ourselves where somebody has lifted Python's own limits."""
    limit = getattr(sys, "get_int_max_str_digits", int)()
    if not 0 < limit <= _MAX_DIGITS and _LONG_NUMBER.search(head_bytes):
        raise ValueError("a number is too long")
    if sys.getrecursionlimit() > _SAFE_RECURSION:
        brackets = _STRING.sub(b"", head_bytes).translate(_STEPS, _NO_BRACKETS)
        if max(itertools.accumulate(memoryview(brackets).cast("b")), default=0) > _MAX_DEPTH:
            raise ValueError("it is nested too deeply")


def _send(sock, head_bytes, blobs):
    if len(head_bytes) > MAX_HEAD:
        raise FrameError(f"a message whose structure takes {len(head_bytes):,} bytes is too large")
    header = HEADER.pack(MAGIC, len(head_bytes), sum(len(blob) for blob in blobs))
    together = sum(len(blob) for blob in blobs) <= _TOGETHER
    try:
        sock.sendall(b"".join((header, head_bytes, *blobs)) if together else header + head_bytes)
        for blob in () if together else blobs:
            sock.sendall(blob)
    except ConnectionError as error:
        raise ConnectionEnded(f"nobody reads what is sent: {type(error).__name__}") from None


def _fill(sock, buffer, arrived=None):
    """Read until `buffer` is full."""
    view = memoryview(buffer)
    got = 0
    while got < len(view):
        try:
            count = sock.recv_into(view[got:], min(len(view) - got, _AT_ONCE))
        except ConnectionError as error:
            raise ConnectionEnded(f"the connection broke: {type(error).__name__}") from None
        if count == 0:
            raise ConnectionEnded("the connection ended")
        if arrived is not None:
            arrived()
            arrived = None
        got += count
