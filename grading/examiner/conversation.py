"""Requests of the examiner to a student's code, and its answers, kept so that the same need not be asked again.

A conversation is a list of exchanges for each test cell. Requests are kept as hashes, replies as they came: bytes from
a process that student code controls. They are never parsed here; the examiner reads them, with suspicion.
"""

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

MAX_KEPT = 64 * 2**20
"""Bytes of replies that are kept of one notebook; a longer conversation is held again when a test changes."""
_ASK = b'{"kind":"ask",'
_LENGTHS = struct.Struct("<IQ")


@dataclass(frozen=True)
class Frame:
    """A message as it travels: head (JSON, not parsed here) and tail."""

    head: bytes
    tail: bytes | bytearray = b""

    def __len__(self) -> int:
        """Return its size in bytes."""
        return len(self.head) + len(self.tail)

    @property
    def digest(self) -> str:
        """Hash its content."""
        digest = hashlib.sha256(_LENGTHS.pack(len(self.head), len(self.tail)))
        digest.update(self.head)
        digest.update(self.tail)
        return digest.hexdigest()

    @property
    def kind(self) -> str:
        """Return the kind that it says it is of; for frames of the examiner's only."""
        if self.head.startswith(_ASK):  # as nearly all of them do
            return "ask"
        return str(json.loads(self.head).get("kind"))


def gone(why: str) -> Frame:
    """Make the reply that says why the student's kernel can answer no more."""
    return Frame(json.dumps({"kind": "gone", "why": why}).encode())


class Partner(Protocol):
    """Whoever answers the examiner's requests."""

    def begin(self, test: str) -> None:
        """Get ready for the requests of a test cell."""

    def ask(self, request: Frame) -> Frame:
        """Return the reply to a request, or one that says why there is none."""

    def end(self) -> None:
        """Learn that the test cell has ended."""


class NeedsStudentError(Exception):
    """A test asks what was never asked: the student's code has to be run."""


@dataclass
class Conversation:
    """The exchanges of one run of a notebook, by test cell: hash of the request and reply, in their order."""

    exchanges: dict[str, list[tuple[str, Frame]]] = field(default_factory=dict)
    size: int = 0

    @property
    def complete(self) -> bool:
        """Return whether all of it was kept."""
        return self.size <= MAX_KEPT

    def note(self, test: str, request: Frame, reply: Frame) -> None:
        """Keep an exchange, as long as there is room."""
        self.size += len(reply)
        if self.complete:
            self.exchanges.setdefault(test, []).append((request.digest, reply))
        else:
            self.exchanges.clear()

    def to_json(self) -> dict[str, list[list[str]]]:
        """Return it as plain data."""
        return {
            test: [[digest, _packed(reply.head), _packed(reply.tail)] for digest, reply in exchanges]
            for test, exchanges in self.exchanges.items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, list[list[str]]]) -> "Conversation":
        """Make one of what `to_json` returned."""
        exchanges = {
            test: [(digest, Frame(_unpacked(head), _unpacked(tail))) for digest, head, tail in kept]
            for test, kept in data.items()
        }
        return cls(exchanges, sum(len(reply) for kept in exchanges.values() for _, reply in kept))


class Recorded:
    """Answers from a conversation that was held before; raises NeedsStudentError where it does not have the answer."""

    def __init__(self, conversation: Conversation) -> None:
        self._exchanges = conversation.exchanges
        self._left: list[tuple[str, Frame]] = []

    def begin(self, test: str) -> None:
        """Get ready for the requests of a test cell."""
        self._left = list(reversed(self._exchanges.get(test, ())))

    def ask(self, request: Frame) -> Frame:
        """Return what was answered to the same request at the same point of the same test."""
        if not self._left or self._left[-1][0] != request.digest:
            raise NeedsStudentError
        return self._left.pop()[1]

    def end(self) -> None:
        """Forget what is left: a test that stops earlier than it did asks less, not something else."""
        self._left = []


def _packed(data: bytes | bytearray) -> str:
    return base64.b64encode(zlib.compress(data, 1)).decode("ascii")


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
