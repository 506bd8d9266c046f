"""Why a class lost points: reasons that differ in numbers and names only, by question, the costliest first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grading.pages.cases import told, without_printed
from grading.pages.stopped import in_reasons
from grading.records.record import FAILED, GRADED, Record
from grading.records.results import Result

_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,]*")
_ARRAYS = re.compile(r"\(?\[(?:[^A-Za-z()…]|nan|inf|na?(?=…))*(?:\)|…|$)?")
"""Arrays, as arguments or as values, whole or cut off: they fill a page and say little about a class."""
_STOPPED = re.compile(r" *\(Cell '[^']*' stopped with (.*)\)$")
_SEVERAL = re.compile(r"…(?:[\s,]*…)+")
_COUNTED = re.compile(r" *The test gives …(?: of …)? points?\.")
NO_REASON = "No reason was given."


@dataclass(frozen=True)
class Group:
    """A statement that several submissions have in common."""

    what: str
    students: Sequence[str]

    @property
    def count(self) -> int:
        """Number of submissions."""
        return len(self.students)


@dataclass(frozen=True)
class Cause:
    """A reason for which points were lost, at the questions where it was the same students' reason."""

    questions: tuple[str, ...]
    what: str
    students: tuple[str, ...]
    lost: float
    """Points that it cost, all together."""

    @property
    def count(self) -> int:
        """Number of submissions."""
        return len(self.students)


def causes(records: Sequence[Record], results: Mapping[str, Result]) -> list[Cause]:
    """Return why points were lost, by question and cause; what a person grades, or has graded, is left out."""
    students: dict[tuple[str, str], dict[str, float]] = {}
    words: dict[str, str] = {}
    for record in records:
        if record.status == FAILED:
            students.setdefault(("", said(f"could not be graded: {record.why}", words)), {})[record.student] = 0.0
        for question in results[record.student].questions:
            lost = question.max_points - question.points
            if lost > 0 and not question.waits and not question.by_hand:
                reason = cause_of(question.reason) if record.status == GRADED else f"refused: {record.why}"
                key = question.name, said(reason or NO_REASON, words)
                students.setdefault(key, {})[record.student] = lost
    return _merged(students, words)


def cause_of(reason: str) -> str:
    """Return what a reason comes down to: the exception that a test met, else its words and where a cell stopped."""
    match = _STOPPED.search(reason)
    words = reason[: match.start()] if match else reason
    exception = next((failure.said for failure in in_reasons([words])), "")
    if exception:
        return exception
    return " ".join(filter(None, (without_arrays(told(words).words), f"({match[1]})" if match else "")))


def without_arrays(reason: str) -> str:
    """Return a reason with `(…)` or `[…]` for the arrays in it, and with `…` for numbers in a row."""
    short = _ARRAYS.sub(lambda found: "(…)" if found[0][0] == "(" else "[…] ", reason)
    return " ".join(without_printed(short).split())


def said(sentence: str, words: dict[str, str]) -> str:
    """Return a sentence without what varies; in `words` stands how it is shown, whole where all say the same."""
    key = _COUNTED.sub("", _SEVERAL.sub("…", _VARIES.sub("…", sentence))).strip() or sentence
    if words.setdefault(key, sentence) != sentence:
        words[key] = key
    return key


def _merged(students: Mapping[tuple[str, str], Mapping[str, float]], words: Mapping[str, str]) -> list[Cause]:
    """Make one of causes that differ in the question only."""
    found: dict[tuple[str, tuple[str, ...]], Cause] = {}
    for (question, reason), lost in students.items():
        key = reason, tuple(lost)
        before = found.get(key, Cause((), words[reason], tuple(lost), 0.0))
        found[key] = Cause(
            (*before.questions, question), before.what, before.students, before.lost + sum(lost.values())
        )
    return sorted(found.values(), key=lambda cause: (-cause.lost, -cause.count, cause.questions))


def group(statements: Iterable[tuple[str, str]]) -> list[Group]:
    """Group sentences that differ in numbers and names only, with the students of whom they are said."""
    groups: dict[str, dict[str, None]] = {}
    words: dict[str, str] = {}
    for sentence, student in statements:
        key = _VARIES.sub("…", sentence)
        words.setdefault(key, sentence)
        groups.setdefault(key, {})[student] = None
    found = [Group(words[key] if len(names) == 1 else key, list(names)) for key, names in groups.items()]
    return sorted(found, key=lambda group: (-group.count, group.what))


def failures(records: Sequence[Record]) -> list[Group]:
    """List what stopped submissions: refusals, failures, and events while running; the most frequent first."""
    stopped = [(f"{record.status}: {record.why}", record.student) for record in records if record.why]
    stopped += [(event.what, record.student) for record in records for event in record.events]
    return group(stopped)
