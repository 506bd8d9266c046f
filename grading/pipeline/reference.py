"""The course's own solution, run and examined once: where its tests have to believe an object, and what it takes.

A test may compare objects of the student's own classes. Whether they are equal is then their own word, and an object
that is equal to everything would pass. So the master's solution is examined first, and noted is at which places its
tests hang on an object's word. Only there is a student's object believed.
"""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import nbformat

from grading.errors import GradingError
from grading.examiner.examination import Examined, Site
from grading.execution.workers import run_all
from grading.intake.hand_in import HandedNotebook, HandIn
from grading.pipeline.clean import note_used
from grading.pipeline.grade import keep
from grading.pipeline.notebook import Notebook
from grading.pipeline.plan import Plan, Run, files_of, plan, plan_one, read_ahead
from grading.pipeline.run import GradingRun
from grading.pipeline.tested import failed_tests

log = logging.getLogger(__name__)

_WHO = "the course's solution"


@dataclass(frozen=True)
class Reference:
    """Outcome of the master's own solution."""

    believed: Mapping[str, tuple[Site, ...]] = field(default_factory=dict)
    """By notebook, the places at which a test has to take an object's word."""
    failed: tuple[str, ...] = ()
    """Tests that the solution does not pass, with the reason, and the limits that it met: nobody will."""


def with_reference(course: GradingRun) -> GradingRun:
    """Return the run with what its solution needs believed; the solution is run unless that was done before."""
    return replace(course, believed=reference(course).believed)


def plan_with_reference(course: GradingRun) -> tuple[GradingRun, Plan]:
    """Return the run with what its solution needs believed, and the plan for the class.

    Hand-ins are read while the solution runs on a worker. Raises GradingError if one of both cannot be done.
    """
    pool = course.pool
    if pool is None or pool.workers.count == 1:
        course = with_reference(course)
        return course, plan(course)
    with ThreadPoolExecutor(1) as beside:
        believing = beside.submit(with_reference, course)
        try:
            ahead = read_ahead(course)
            course = believing.result()
        except BaseException:  # Ctrl-C too: nobody waits for the solution any more
            pool.close()
            raise
    return course, plan(course, ahead)


def plan_reference(course: GradingRun) -> Plan:
    """Plan the run of the master's own solution; nothing is to be done if it was run before."""
    options = replace(course.options, repeats=1, force=False)
    course = replace(course, believed=None, options=options)
    handed_in = {
        notebook.name: HandedNotebook(nbformat.writes(notebook.master).encode(), notebook.file_name)
        for notebook in course.assignment.notebooks
    }
    return plan_one(course, HandIn(_WHO, handed_in))


def _examined(course: GradingRun, notebook: Notebook) -> bool:
    return bool(notebook.examination((), course.assignment.scored(notebook.name, course.context)).steps)


def run_solution(course: GradingRun) -> tuple[Run, ...]:
    """Run the solution unless that was done; return its runs, whose results are stored.

    Raises GradingError if it cannot be run, which is the machine's or the author's fault.
    """
    planned = plan_reference(course)
    (submission,) = planned.submissions
    if submission.refusal:
        raise GradingError(f"the master of {course.assignment.name} cannot be run: {submission.refusal}")
    failures: dict[str, str] = {}
    runs = {run.key: run for run in submission.runs}
    if planned.jobs and course.pool is not None:
        course.pool.start(next(iter(planned.jobs.values())))  # the class will need them, and finds them warm
    for outcome in run_all(planned.jobs, course.options.workers, pool=course.pool):
        keep(course, planned.jobs[outcome.key], runs[outcome.key], outcome, failures)
    if failures:
        why = next(iter(failures.values()))
        raise GradingError(f"the solution of {course.assignment.name} could not be run: {why}")
    note_used(course.cache, f"solution of {course.assignment.name}", list(files_of(course, submission)))
    return submission.runs


def reference(course: GradingRun) -> Reference:
    """Run the solution unless that was done, and return what came of it. Raises GradingError if it cannot be run."""
    if not any(_examined(course, notebook) for notebook in course.assignment.notebooks):
        return Reference()
    believed: dict[str, set[Site]] = {}
    failed: list[str] = []
    for run in run_solution(course):
        examined = course.store.get_tests(run.tests) if run.tests else Examined()
        if examined is None:
            raise GradingError(f"the stored result {run.tests} has vanished while grading: grade again")
        notebook = course.assignment.notebook(run.notebook)
        believed.setdefault(run.notebook, set()).update(site for test in examined.tests.values() for site in test.sites)
        found = failed_tests(notebook, examined)
        executed = course.store.get(run.key) if found else None
        if executed is not None:  # why it failed: a limit of time, say
            found += [f"{notebook.file_name}, {event.where}: {event.what}" for event in executed.events]
        failed += found
    for said in dict.fromkeys(failed):
        log.warning("The course's own solution fails a test, so everybody will: %s", said)
    return Reference({name: tuple(sorted(sites)) for name, sites in believed.items()}, tuple(dict.fromkeys(failed)))
