"""Help for a student: what stopped the work and where, reasons said once, words explained, three things to do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grading.common.text import clean
from grading.pages.cases import BOXES_TAG, told
from grading.pages.cells import GradedWork, StudentCell, with_line
from grading.pages.glossary import definitions, words_used
from grading.pages.stopped import MOST as MOST_STOPS
from grading.pages.stopped import Failure, Stop, lines_of, stops
from grading.pages.tutor import MOST as MOST_ADVICE
from grading.pages.tutor import advice_on, first_few
from grading.pipeline.run import GradingRun
from grading.records.record import GRADED, Record
from grading.records.results import QuestionResult, Result
from grading.scoring.explanation import Explanation

ALL_POINTS = "All points: well done."
UNTOUCHED = (
    "Your solution cells are as they were released: did you save the notebook before you handed it in? If you did not "
    "know how to begin: take the first question alone, and write down for one small input what should come out."
)
ON_WITH_THE_WORST = " If you like to go on: what do the worst cases have in common?"


def stops_of(course: GradingRun, record: Record, work: GradedWork, lost: Sequence[QuestionResult]) -> list[Stop]:
    """Return what stopped the work: nothing where no point was lost, or where nothing was done."""
    if record.status != GRADED or not lost:
        return []
    if _is_untouched(record):
        return [Stop("Nothing was filled in", advice=UNTOUCHED)]
    events = [Failure(event.what, event.where) for event in record.events]
    tests = list(_failed_tests(course, record))
    reasons = [question.reason for question in lost if not question.by_hand]
    found = stops([*work.failures, *tests], reasons, work.cells, work.sources)
    return found or stops(events, (), work.cells, work.sources)


def _failed_tests(course: GradingRun, record: Record) -> Iterator[Failure]:
    """Give the errors that the student's code raised in tests; their tracebacks are for lines of the student's only."""
    keys, tests = record.execution.get("keys", ()), record.execution.get("tests", ())
    if len(keys) != len(tests):
        return
    deciding = set(record.deciding_keys.values())
    for key, stored in zip(keys, tests, strict=True):
        examined = course.store.get_tests(stored) if key in deciding else None
        for run in examined.tests.values() if examined else ():
            kind = run.error.partition(":")[0]
            if not run.passed and run.error and kind != "AssertionError":
                yield Failure(clean(run.error), "", "\n".join(run.traceback))


def with_marks(cells: Sequence[StudentCell], found: Sequence[Stop]) -> list[StudentCell]:
    lines = lines_of(found)
    return [with_line(cell, lines.get(cell.id)) for cell in cells if cell.is_solution or cell.id in lines]


def stop_for_page(stop: Stop, cells: Sequence[StudentCell]) -> Mapping[str, Any]:
    cell = next((cell for cell in cells if cell.id == stop.cell), None)
    lines = with_line(cell, stop.line).around() if cell else []
    return {"stop": stop, "lines": lines, "kind": stop.said.partition(":")[0]}


def questions_of(course: GradingRun, record: Record, result: Result, found: Sequence[Stop]) -> list[Mapping[str, Any]]:
    """Return the questions with their reasons taken apart; what several have in common is said once."""
    seen: dict[str, str] = {}
    rows: list[Mapping[str, Any]] = []
    for question in result.questions:
        reason = "" if _is_untouched(record) else _without_stop(question.reason, found)
        before = seen.setdefault(reason, question.name) if question.points < question.max_points else question.name
        notebook, grade_id = record.cell_of(question.name)
        again = before if before != question.name and reason else ""
        rows.append({"of": question, "again": again, "told": told(reason, _draws_boxes(course, notebook, grade_id))})
    return rows


def _is_untouched(record: Record) -> bool:
    return record.submission.get("changed") is False


def _without_stop(reason: str, found: Sequence[Stop]) -> str:
    """Return a reason without what the page says above of what stopped the work."""
    for stop in found[:MOST_STOPS]:
        said = re.escape(stop.said)
        reason = re.sub(rf"\s*\(Cell '[^']*' stopped with {said}\)", "", reason)
        reason = re.sub(rf"\s*\b[^\W\d]\w*\([^()]*\) raised {said}:?", "", reason)
        reason = re.sub(rf";? *case \d+: {said}", ".", reason)
        reason = "" if reason == stop.said else reason
    return reason


def _draws_boxes(course: GradingRun, notebook: str, grade_id: str) -> bool:
    released = next((one.released for one in course.assignment.notebooks if one.name == notebook), None)
    cells = released.cells if released else ()
    found = (cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return any(BOXES_TAG in cell.metadata.get("tags", ()) for cell in found)


def words_of(course: GradingRun, lost: Sequence[QuestionResult]) -> list[tuple[str, str]]:
    if not lost:
        return []
    texts = [cell.source for one in course.assignment.notebooks for cell in one.released.cells if not _is_code(cell)]
    return words_used((question.reason for question in lost), definitions(texts))


def _is_code(cell: Mapping[str, Any]) -> bool:
    return bool(cell["cell_type"] == "code")


def advice_of(record: Record, explanation: Explanation, result: Result, found: Sequence[Stop]) -> list[str]:
    """Return what to try next, the most useful first; with the help that stands beside what stopped, at most three."""
    told_above = len({stop.advice for stop in found[:MOST_STOPS] if stop.advice})
    if record.status != GRADED:
        return ["Mend what is said above and ask your teacher whether you may hand it in again."]
    if _is_untouched(record):
        return []
    lost = [question for question in result.questions if question.points < question.max_points and not question.waits]
    tutor = [advice_on(_without_stop(question.reason, found)) for question in lost if not question.by_hand]
    events = [advice_on(event.what) for event in record.events]
    general = []
    if record.events and not found:
        general.append(
            "Something stopped while your notebook ran (see below). Restart the kernel and run all cells from top to "
            "bottom before you hand in: what fails there fails when it is graded."
        )
    if not lost and not result.waiting:
        general.append(
            ALL_POINTS
            + (" If you like to go on: what do the worst cases have in common?" if explanation.galleries else "")
        )
    above = {stop.advice for stop in found[:MOST_STOPS]}
    ordered = [*tutor, *events, *explanation.advice, *general]
    return first_few((line for line in ordered if line not in above), MOST_ADVICE - told_above)
