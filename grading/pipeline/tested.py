"""Outcomes of a notebook's tests, wherever they ran: in the examiner, or beside the student's code."""

from collections.abc import Mapping, Sequence
from typing import Any

from grading.common.text import clean
from grading.examiner.examination import Examined, TestRun
from grading.execution.job import Executed
from grading.pipeline.notebook import Notebook
from grading.records.record import BESIDE, EXAMINER, TestResult


def test_results(notebook: Notebook, executed: Executed, examined: Examined) -> dict[str, TestResult]:
    """Return what came of each test that was run, by grade id."""
    found = {}
    for grade_id, cell in notebook.tests.items():
        if cell in examined.tests:
            run = examined.tests[cell]
            found[grade_id] = from_examiner(run, _line_seen(run, notebook.sources[cell], notebook.shown.get(cell, "")))
        elif cell in notebook.beside and cell in executed.outputs:
            found[grade_id] = _result_from_outputs(executed.outputs[cell])
    return found


test_results.__test__ = False  # type: ignore[attr-defined]  # it is no test of pytest's


def failed_tests(notebook: Notebook, examined: Examined) -> list[str]:
    """Say which tests of a notebook failed in the examiner, and why; instructor's statements that failed there, too."""
    said = [f"{notebook.file_name}, cell '{cell}': {clean(error)}" for cell, error in examined.setup_errors.items()]
    for grade_id, cell in notebook.tests.items():
        run = examined.tests.get(cell)
        if run is not None and not run.passed:
            where = f", line {run.line}" if run.line else ""
            said.append(f"{notebook.file_name}, test '{grade_id}'{where}: {clean(run.error)}")
    return said


def _line_seen(run: TestRun, source: str, released: str) -> str:
    """Return the line that raised, if students can read it in the released test; else nothing."""
    lines = source.splitlines()
    if run.line is None or not 0 < run.line <= len(lines):
        return ""
    line = lines[run.line - 1].strip()
    return line if line in map(str.strip, released.splitlines()) else ""


def from_examiner(run: TestRun, line: str) -> TestResult:
    """Say what came of a test; an assertion without words is told by its line, or as one of the hidden tests.

    The student's words never stand alone: an exception of the student's code is told as one, and of what was printed
    only the test's own lines are kept.
    """
    said = " ".join(text for stream, text in run.output if stream == "stdout")
    error = clean(f"Your code raised {run.error}" if run.theirs else run.error)
    if error == "AssertionError":
        error = f"This does not hold: {clean(line)}" if line else "A hidden test does not hold."
    error = error.removeprefix("AssertionError: ")
    return TestResult(run.passed, error, run.result, EXAMINER, clean(said))


def _result_from_outputs(outputs: Sequence[Mapping[str, Any]]) -> TestResult:
    """Read a test's outputs as nbgrader does: an error, or the last value; they come from the student's kernel."""
    error = next((output for output in outputs if output["output_type"] == "error"), None)
    if error is not None:
        return TestResult(False, clean(f"{error['ename']}: {error['evalue']}"), None, BESIDE)
    values = [output["data"].get("text/plain") for output in outputs if output["output_type"] == "execute_result"]
    return TestResult(True, "", values[-1] if values else None, BESIDE)
