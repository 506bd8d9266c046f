"""The record of a graded submission: what was graded and why, as record.json.

A question is a cell that is worth points. It is named by its grade id, which is unique within its notebook; where two
notebooks of an assignment have the same one, each is named `<notebook>/<grade id>`, such as `problem1/part-a`. The
names are those of the table, the pages, the export and `scoring.py`; a record says the notebook and the grade id of
each question, too.
"""

import logging
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grading.common.files import dump_json_by_line, read_json, write_atomically
from grading.scoring.explanation import Measure

log = logging.getLogger(__name__)

RECORD = "record.json"
SCHEMA = 2
GRADED, REFUSED, FAILED = "graded", "refused", "failed"

EXAMINER, BESIDE, SCORING, PERSON = "examiner", "beside the student's code", "scoring.py", "a person"
"""Where points are decided."""
NOT_EXAMINED = "The test was not run."
_NUMPY_SCALAR = re.compile(r"(?:np|numpy)\.(?:float|u?int|longdouble)\d*\((.*)\)")

GradedCell = tuple[str, str]
"""A cell of an assignment: name of its notebook and grade id."""


def question_names(cells: Iterable[GradedCell]) -> dict[GradedCell, str]:
    """Name the questions of an assignment: by grade id, with the notebook before it where two have the same."""
    every = list(cells)
    times = Counter(grade_id for _, grade_id in every)
    return {
        (notebook, grade_id): grade_id if times[grade_id] == 1 else f"{notebook}/{grade_id}"
        for notebook, grade_id in every
    }


@dataclass(frozen=True)
class Event:
    """An incident: a cell that was interrupted or killed the kernel, or a question without an answer."""

    where: str
    what: str


@dataclass(frozen=True)
class TestResult:
    """Outcome of a test cell."""

    __test__ = False  # it is no test of pytest's

    passed: bool
    """Whether nothing was raised."""
    error: str = ""
    """What was raised, or why the test could not be run, in words for the student."""
    value: str | None = None
    """Text of the last expression's value, as Jupyter shows it; None if there was none."""
    where: str = EXAMINER
    """Where it was decided: `EXAMINER` or `BESIDE`."""
    said: str = ""
    """What the test itself printed, in one line; nothing of what the student's code printed."""


def points_of(test: TestResult | None, max_points: float) -> tuple[float, str]:
    """Decide the points of a test cell, with the reason, as nbgrader's `determine_grade` does.

    Nothing for a test that was not run (None) or raised an error. Otherwise a number in the last line is the points;
    what is no number, or is negative, gives all of them. Differences: a number above the cell's points gives all of
    them (nbgrader stops); a NumPy scalar is the number that it shows (`np.float64(0.5)` gives all points in nbgrader);
    what was written to stderr costs nothing.
    """
    if test is None:
        return 0.0, NOT_EXAMINED
    if not test.passed:
        printed = f" The test printed: {test.said}" if test.said else ""
        return 0.0, (test.error or "The test failed.") + printed
    number = _number(test.value)
    if number is None or number < 0:
        return max_points, "The test passed."
    if number > max_points:
        return max_points, f"The test gives {number:g} points, more than the {max_points:g} of its cell."
    if number == max_points:
        return number, "The test passed."
    return number, f"{_as_sentence(test.said)} The test gives {number:g} of {max_points:g} points.".strip()


def _as_sentence(said: str) -> str:
    return f"{said}." if said and said[-1].isalnum() else said


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    scalar = _NUMPY_SCALAR.fullmatch(text.strip())
    try:
        number = float(scalar[1] if scalar else text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


@dataclass(frozen=True)
class QuestionRecord:
    """Points of one graded cell, and why."""

    points: float
    max_points: float
    reason: str
    facts: Mapping[str, float] = field(default_factory=dict)
    notebook: str = ""
    grade_id: str = ""
    decided: str = ""
    """Where the points were decided; empty where there was nothing to decide."""
    waits: bool = False
    """Whether the answer waits for a person to grade it, for the first time or again."""


@dataclass(frozen=True)
class Record:
    """Everything that is known about a graded submission. `status` is graded, refused or failed."""

    student: str
    assignment: str
    status: str
    why: str = ""
    """Why it was refused or has failed, in words."""
    questions: Mapping[str, QuestionRecord] = field(default_factory=dict)
    """By name, in the order of the assignment."""
    measures: tuple[Measure, ...] = ()
    repairs: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    flags: tuple[str, ...] = ()
    submission: Mapping[str, Any] = field(default_factory=dict)
    """Time stamp, whether a solution cell was changed at all, other files; `notebooks`: of each, by its name, the file,
    its SHA-256, why it could not be graded, and the grade ids of solution cells that are as they were released."""
    execution: Mapping[str, Any] = field(default_factory=dict)
    """Names of the notebooks that were run; keys of the runs, by seed and then in the order of the notebooks; parts of
    the first seed's, by notebook; seeds, isolation, limits, versions, seconds, memory."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """By question: hash of an answer that a person grades."""
    regrade: tuple[str, ...] = ()
    """Questions whose answers have changed since a person graded them, until the gradebook says so."""
    schema: int = SCHEMA

    @property
    def points(self) -> float:
        """Total of the points."""
        return sum(question.points for question in self.questions.values())

    @property
    def max_points(self) -> float:
        """Maximum of the total."""
        return sum(question.max_points for question in self.questions.values())

    @property
    def waiting(self) -> list[str]:
        """Questions that wait for a person."""
        return [name for name, question in self.questions.items() if question.waits]

    @property
    def run_notebooks(self) -> tuple[str, ...]:
        """Names of the notebooks that were run; records of schema 1 are of assignments with one."""
        only = (self.assignment,) if self.execution.get("keys") else ()
        return tuple(self.execution.get("notebooks", only))

    @property
    def deciding_keys(self) -> dict[str, str]:
        """Keys of the stored results that decided, by notebook; empty if nothing was scored."""
        names = self.run_notebooks
        if "decided_by" not in self.execution:
            return {}
        first = self.execution["decided_by"] * len(names)
        return dict(zip(names, self.execution["keys"][first : first + len(names)], strict=True))

    def cell_of(self, name: str) -> GradedCell:
        """Return the notebook and the grade id of a question."""
        question = self.questions[name]
        return question.notebook or self.assignment, question.grade_id or name

    def of_notebook(self, notebook: str) -> dict[str, QuestionRecord]:
        """Return the questions of one notebook, by grade id."""
        cells = {self.cell_of(name): question for name, question in self.questions.items()}
        return {grade_id: question for (home, grade_id), question in cells.items() if home == notebook}

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain data, with the sums."""
        return {**asdict(self), **self._sums()}

    def to_text(self) -> str:
        """Return the text of its file, which is what `to_json` returns."""
        return dump_json_by_line({**vars(self), **self._sums()})

    def _sums(self) -> dict[str, Any]:
        return {"points": self.points, "max_points": self.max_points, "waiting": len(self.waiting)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Record":
        """Make a record from what `to_json` returned."""
        data = {key: value for key, value in data.items() if key not in ("points", "max_points", "waiting")}
        questions = {name: QuestionRecord(**question) for name, question in data["questions"].items()}
        events = tuple(Event(**event) for event in data["events"])
        measures = tuple(Measure(**measure) for measure in data.get("measures", ()))
        lists = {name: tuple(data.get(name, ())) for name in ("repairs", "flags", "regrade")}
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


def write_files(folder: Path, notebooks: Mapping[str, str], gone: Collection[str], record: Record) -> None:
    """Write record.json and executed notebooks' texts, by file name; each appears whole or not at all.

    `gone` are files of notebooks that cannot be graded any more. What an earlier grading left otherwise stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(folder.stat().st_mode | 0o700)  # nbgrader leaves its folders read-only
    for name, text in notebooks.items():
        write_atomically(folder / name, text, durable=False)  # an empty one is made again
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    if timestamp := record.submission.get("timestamp"):
        write_atomically(folder / "timestamp.txt", f"{timestamp}\n")
    write_atomically(folder / RECORD, record.to_text())
