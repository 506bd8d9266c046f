"""Records in the words of the hosts.

Sources: Gradescope, "Autograder Specifications" (`results.json`); PrairieLearn, "External grading" (`results.json`);
GitHub Classroom, the actions `autograding-command-grader` and `autograding-grading-reporter` (output `result`).
Text goes out as text: no host is asked to render what a student may have written.
"""

import base64
import json
from collections.abc import Callable, Mapping
from enum import StrEnum

from grading.records.record import FAILED, REFUSED, QuestionRecord, Record


class Host(StrEnum):
    """A host whose format can be written."""

    gradescope = "gradescope"
    prairielearn = "prairielearn"
    github = "github"


def result_for(host: Host, record: Record) -> str:
    """Return what a host reads, as text."""
    return _WRITERS[host](record)


def _gradescope(record: Record) -> str:
    tests = [
        {
            "name": name,
            "score": question.points,
            "max_score": question.max_points,
            "output": _said(question),
            "output_format": "text",
            "visibility": "visible",
        }
        for name, question in record.questions.items()
    ]
    seconds = record.execution.get("seconds", [])
    result = {
        "score": record.points,
        "output": _about(record),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "execution_time": round(sum(seconds)),
        "tests": tests,
    }
    return json.dumps(result, indent=1)


def _prairielearn(record: Record) -> str:
    if record.status == REFUSED:
        return json.dumps({"gradable": False, "format_errors": [record.why]}, indent=1)
    tests = [
        {"name": name, "points": question.points, "max_points": question.max_points, "message": _said(question)}
        for name, question in record.questions.items()
    ]
    share = record.points / record.max_points if record.max_points else 0.0
    result = {"gradable": True, "score": min(max(share, 0.0), 1.0), "message": _about(record), "tests": tests}
    return json.dumps(result, indent=1)


def _github(record: Record) -> str:
    tests = [
        {
            "name": name,
            "status": "pass" if question.points >= question.max_points else "fail",
            "score": question.points,
            "message": _said(question),
        }
        for name, question in record.questions.items()
    ]
    status = "error" if record.status == FAILED else "pass" if record.points >= record.max_points else "fail"
    result = {"version": 1, "status": status, "max_score": record.max_points, "tests": tests}
    return base64.b64encode(json.dumps(result).encode()).decode()


def _said(question: QuestionRecord) -> str:
    return f"{question.reason} It waits for that." if question.waits else question.reason


def _about(record: Record) -> str:
    """Sum up what is not of a single question."""
    lines = [record.why, *record.flags, *record.repairs, *(f"{event.where}: {event.what}" for event in record.events)]
    return "\n".join(line for line in lines if line)


_WRITERS: Mapping[Host, Callable[[Record], str]] = {
    Host.gradescope: _gradescope,
    Host.prairielearn: _prairielearn,
    Host.github: _github,
}
