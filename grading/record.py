"""What was graded and why: record.json and the executed notebook."""

import copy
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import is_grade, is_solution

from grading.assignment import DEMO_TAG
from grading.execute import Event, Executed
from grading.explanation import Measure
from grading.rebuild import ADDITIONAL_ID
from grading.store import read_json, write_atomically

log = logging.getLogger(__name__)

RECORD = "record.json"
SCHEMA = 1
GRADED, REFUSED, FAILED = "graded", "refused", "failed"
_LINK = re.compile(r"\](?=[(\[:])")
SKIPPED = "Not run when grading: this cell only demonstrates."


@dataclass(frozen=True)
class QuestionRecord:
    """One grade cell."""

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
        """Points in all."""
        return sum(question.points for question in self.questions.values())

    @property
    def max_points(self) -> float:
        """Points that could be had."""
        return sum(question.max_points for question in self.questions.values())

    def to_json(self) -> dict[str, Any]:
        """As plain data, with the sums."""
        return {**asdict(self), "points": self.points, "max_points": self.max_points}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Record":
        """From what `to_json` gave."""
        data = {key: value for key, value in data.items() if key not in ("points", "max_points")}
        questions = {name: QuestionRecord(**question) for name, question in data["questions"].items()}
        events = tuple(Event(**event) for event in data["events"])
        measures = tuple(Measure(**measure) for measure in data.get("measures", ()))
        lists = {name: tuple(data[name]) for name in ("repairs", "flags")}
        return cls(**{**data, **lists, "questions": questions, "events": events, "measures": measures})


def read_record(folder: Path) -> Record | None:
    """The record of a submission's folder in `autograded/`, or None."""
    try:
        return Record.from_json(read_json(folder / RECORD))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        log.warning("%s is damaged; it is made anew by grading", folder / RECORD)
        return None


def executed_notebook(rebuilt: NotebookNode, executed: Executed, record: Record) -> NotebookNode:
    """The rebuilt notebook with what its cells printed, and in each grade cell the points and why."""
    notebook = copy.deepcopy(rebuilt)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            if is_solution(cell) or cell.id.startswith(ADDITIONAL_ID):
                cell.source = harmless(cell.source)
            continue
        cell.execution_count = None
        if is_grade(cell):
            cell.outputs = _verdict(record.questions[cell.metadata.nbgrader.grade_id])
        elif cell.id in executed.outputs:
            cell.outputs = [nbformat.from_dict(_written(output)) for output in executed.outputs[cell.id]]
        elif DEMO_TAG in cell.metadata.get("tags", []):
            cell.outputs = [new_output("stream", name="stdout", text=SKIPPED)]
    return notebook


def revised_notebook(path: Path, record: Record) -> str:
    """The text of an executed notebook of ours, with new points in its grade cells; all else in it stays."""
    notebook = read_json(path)
    for cell in notebook["cells"]:
        described = cell.get("metadata", {}).get("nbgrader", {})
        if described.get("grade") and cell["cell_type"] == "code":
            stream, result = (dict(output) for output in _verdict(record.questions[described["grade_id"]]))
            stream["text"] = stream["text"].splitlines(keepends=True)  # as nbformat writes it
            result["data"] = {"text/plain": [result["data"]["text/plain"]]}
            cell["outputs"] = [stream, result]
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)


def harmless(markdown: str) -> str:
    """Markdown without HTML, links and pictures: nbgrader's pages show all that is in a cell, scripts too."""
    return _LINK.sub("] ", markdown.replace("<", "&lt;"))


def _verdict(question: QuestionRecord) -> list[NotebookNode]:
    """Outputs that nbgrader reads as just these points."""
    said = f"{question.reason}\n{question.points:g} of {question.max_points:g} points.\n"
    data = {"text/plain": f"{question.points:g}"}
    return [
        NotebookNode(output_type="stream", name="stdout", text=said),
        NotebookNode(
            output_type="execute_result", data=NotebookNode(data), metadata=NotebookNode(), execution_count=None
        ),
    ]


def _written(output: Mapping[str, Any]) -> dict[str, Any]:
    """An output that cannot break the file: what cannot be encoded is replaced."""
    found: dict[str, Any] = json.loads(json.dumps(output).encode("utf-8", "replace").decode("utf-8"))
    return _without_surrogates(found)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


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
    write_atomically(folder / RECORD, json.dumps(record.to_json(), indent=1, ensure_ascii=True))
