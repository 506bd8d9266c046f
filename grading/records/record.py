"""The record of a graded submission: what was graded and why, as record.json."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grading.common.files import dump_json_by_line, read_json, write_atomically
from grading.scoring.explanation import Measure

log = logging.getLogger(__name__)

RECORD = "record.json"
SCHEMA = 1
GRADED, REFUSED, FAILED = "graded", "refused", "failed"


@dataclass(frozen=True)
class Event:
    """An incident: a cell that was interrupted or killed the kernel, or a question without an answer."""

    where: str
    what: str


@dataclass(frozen=True)
class QuestionRecord:
    """Points of one grade cell, and why."""

    points: float
    max_points: float
    reason: str
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """Everything that is known about a graded submission. `status` is graded, refused or failed."""

    student: str
    assignment: str
    status: str
    why: str = ""
    """Why it was refused or has failed, in words."""
    questions: Mapping[str, QuestionRecord] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    repairs: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    flags: tuple[str, ...] = ()
    submission: Mapping[str, Any] = field(default_factory=dict)
    """File name, SHA-256, time stamp, and whether a solution cell was changed at all."""
    execution: Mapping[str, Any] = field(default_factory=dict)
    """Key and parts of it, seeds, isolation, limits, versions, seconds, memory."""
    schema: int = SCHEMA

    @property
    def points(self) -> float:
        """Total of the points."""
        return sum(question.points for question in self.questions.values())

    @property
    def max_points(self) -> float:
        """Maximum of the total."""
        return sum(question.max_points for question in self.questions.values())

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain data, with the sums."""
        return {**asdict(self), "points": self.points, "max_points": self.max_points}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Record":
        """Make a record from what `to_json` returned."""
        data = {key: value for key, value in data.items() if key not in ("points", "max_points")}
        questions = {name: QuestionRecord(**question) for name, question in data["questions"].items()}
        events = tuple(Event(**event) for event in data["events"])
        measures = tuple(Measure(**measure) for measure in data.get("measures", ()))
        lists = {name: tuple(data[name]) for name in ("repairs", "flags")}
        return cls(**{**data, **lists, "questions": questions, "events": events, "measures": measures})


def read_record(folder: Path) -> Record | None:
    """Read the record of a submission's folder in `autograded/`; return None if there is none."""
    try:
        return Record.from_json(read_json(folder / RECORD))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        log.warning("%s is damaged; it is made anew by grading", folder / RECORD)
        return None


def write_files(folder: Path, notebook_name: str, notebook: str | None, record: Record) -> None:
    """Write record.json and, if there is one, the executed notebook's text; each appears whole or not at all.

    What an earlier grading left stays where this one has failed, and goes where the new hand-in is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(folder.stat().st_mode | 0o700)  # nbgrader leaves its folders read-only
    if notebook is not None:
        write_atomically(folder / notebook_name, notebook)
    elif record.status == REFUSED:
        (folder / notebook_name).unlink(missing_ok=True)
    if timestamp := record.submission.get("timestamp"):
        write_atomically(folder / "timestamp.txt", f"{timestamp}\n")
    write_atomically(folder / RECORD, dump_json_by_line(record.to_json()))
