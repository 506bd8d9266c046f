"""Advice on a master's tests: whose names are whose, what hangs on an object's word, what has to run beside the
student's code. Found by running the solution both ways: as `course grade` does, and as nbgrader does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from grading.errors import GradingError
from grading.examiner.division import Division, describe, divide
from grading.examiner.examination import Examined, Site, TestRun
from grading.execution.job import Executed
from grading.pipeline.notebook import Notebook
from grading.pipeline.plan import Run
from grading.pipeline.reference import run_solution
from grading.pipeline.run import GradingRun
from grading.pipeline.tested import test_results

MENDS = {
    "result": "let the last line be a number that the test computes",
    "truth": "test a plain value: `is True`, a number, a length",
    "in": "make a list or a set of it first: `in list(...)`",
}
"""What to do about a test that hangs on an object's word; by default its plain values are compared."""
_COMPARE = "compare plain values of it (an attribute, `str(...)`, `list(...)`)"


@dataclass(frozen=True)
class Advice:
    """Lines for the author of a master, each about one thing."""

    division: tuple[tuple[str, str, str, str], ...] = ()
    """Of each name that decides points: the name, whose it is, why, and the tests that read it."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Inside(Notebook):
    """The same notebook with all its tests in the student's kernel."""

    @cached_property
    def division(self) -> Division:
        """The division of names; no test is the examiner's."""
        found = divide(self.master)
        return replace(found, tests=tuple(replace(test, beside=True) for test in found.tests))


def advice(course: GradingRun) -> Advice:
    """Run the solution both ways and say what follows. Raises GradingError if it cannot be run."""
    outside = _solution(course)
    notebooks = tuple(_Inside(one.name, one.released, one.path, one.config) for one in course.assignment.notebooks)
    inside = _solution(replace(course, assignment=replace(course.assignment, notebooks=notebooks)))
    rows: list[tuple[str, str, str, str]] = []
    notes: list[str] = []
    several = len(course.assignment.notebooks) > 1
    for notebook in course.assignment.notebooks:
        where = f"{notebook.file_name}, " if several else ""
        rows += [(name, whose, f"{where}{why}", tests) for name, whose, why, tests in describe(notebook.division)]
        notes += [f"{where}{note}" for note in notebook.division.notes]
        examined, beside = outside[notebook.name][1], inside[notebook.name][0]
        names = {cell: grade_id for grade_id, cell in notebook.tests.items()}
        for cell, run in examined.tests.items():
            notes += [f"{where}test '{names[cell]}', {_word(site)}" for site in run.sites]
            passes_beside = (found := beside.tests.get(names[cell])) is not None and found.passed
            if not run.passed and passes_beside:
                notes.append(f"{where}test '{names[cell]}'{_reason(run)}")
    return Advice(tuple(rows), tuple(dict.fromkeys(notes)))


def _reason(run: TestRun) -> str:
    line = f", line {run.line}" if run.line else ""
    return (
        f"{line}: the solution passes beside the student's code and not in the examiner ({run.error}). "
        "Tag the cell beside-student, or ask for plain values."
    )


def _word(site: Site) -> str:
    _, line, what = site
    mend = MENDS.get(what, _COMPARE)
    return f"line {line}: `{what}` is answered by an object of the student's, which may say anything: {mend}."


def _solution(course: GradingRun) -> Mapping[str, tuple[Executed, Examined]]:
    """Run the solution; return what came of each notebook, with its tests by grade id."""
    found = {}
    for run in run_solution(course):
        executed, examined = _stored_pair(course, run)
        notebook = course.assignment.notebook(run.notebook)
        executed.tests = test_results(notebook, executed, examined)
        found[run.notebook] = (executed, examined)
    return found


def _stored_pair(course: GradingRun, run: Run) -> tuple[Executed, Examined]:
    executed = course.store.get(run.key)
    examined = course.store.get_tests(run.tests) if run.tests else Examined()
    if executed is None or examined is None:
        raise GradingError(f"the stored result {run.key} has vanished: run this again")
    return executed, examined
