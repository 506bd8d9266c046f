"""Who somebody is, however that was established, and the tokens that stand for it.

A token is 256 random bits. Only its SHA-256 is stored: who reads the database cannot come in with what is there.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of a code that people copy: none that is taken for another."""
CODE_LENGTH = 12


class Role(StrEnum):
    """What somebody may do."""

    student = "student"
    assistant = "assistant"
    instructor = "instructor"

    @property
    def teaches(self) -> bool:
        """Return whether the whole class may be seen."""
        return self is not Role.student


@dataclass(frozen=True)
class Identity:
    """Somebody in a course. `student` is the id under which hand-ins are graded; of who teaches, a name."""

    course: str
    student: str
    role: Role = Role.student


def new_token() -> str:
    """Return a token that nobody can guess, fit for an address."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """Return a code of 60 bits for people to copy, in groups of four."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def plain_code(text: str) -> str:
    """Return a code as it was made, whatever people did to it while copying."""
    letters = [letter for letter in text.upper()[:100] if letter in CODE_LETTERS]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, len(letters), 4))


def token_hash(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def form_token(session: str) -> str:
    """Return what a form of this session must send back (against cross-site request forgery)."""
    return hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(given: str, session: str) -> bool:
    """Return whether a form was made for this session; takes the same time whatever is given."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), form_token(session).encode())
