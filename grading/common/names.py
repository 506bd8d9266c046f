"""Names of files and folders that several rooms share, and the one rule for a student's."""

import unicodedata

ROSTER = "roster.csv"
"""In the course folder: who is in the class."""
EXTENSIONS = "extensions.csv"
"""In the course folder: who may hand in what until when (`grading.config.extensions`)."""
EXPORTS = "exports"
"""In the course folder: files for the LMS."""
REPORTS = "reports"
"""In the course folder: pages about a class, a folder for each assignment."""
MAX_NAME = 200
"""Longest id of a student, in bytes of UTF-8: file systems allow 255 for a name."""
TIMESTAMP = "timestamp.txt"
"""Beside a hand-in: when it was handed in."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the writing direction: what is shown is not what is there."""


def is_student_id(text: str) -> bool:
    """Return whether a text may be a student's id, which is a folder's name: printable, short, not hidden."""
    plain = text == text.strip() and "/" not in text and "\\" not in text and not text.startswith(".")
    return bool(text) and plain and is_printable(text) and len(text.encode()) <= MAX_NAME


def is_printable(text: str) -> bool:
    """Return whether a text can be written to a gradebook, a table and a terminal as it is."""
    return not any(map(_is_unprintable, text))


def printable(text: str) -> str:
    """Return the text with `_` for each character that cannot be written as it is."""
    return "".join("_" if _is_unprintable(character) else character for character in text)


def _is_unprintable(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
