"""Commands for grading: grade and inspect.

What is slow to load (nbgrader, notebooks, NumPy) is imported by the command that needs it.
"""

import gc
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.cli import terminal
from grading.cli.people import INSTRUCTOR, help_for
from grading.cli.running import Running
from grading.cli.tables import print_reasons, print_table, who
from grading.cli.terminal import Names, console, progress_bar, stderr
from grading.config import course_directory, load_config
from grading.errors import GradingError
from grading.execution.local_workers import import_ahead
from grading.options import Isolation
from grading.pages.names import names_of
from grading.pipeline.unchanged import LastRun
from grading.records.record import FAILED, QuestionRecord, Record, read_record

if TYPE_CHECKING:
    from grading.pipeline.plan import Plan, Submission
    from grading.pipeline.run import GradingRun

app = typer.Typer()

Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]


@app.command(**help_for(INSTRUCTOR, "course grade lab1 --student s001"))
def grade(
    assignment: Assignment,
    submitted: Annotated[Path | None, typer.Option(help="Folder of hand-ins; submitted/ by default.")] = None,
    student: Annotated[list[str] | None, typer.Option(help="Only this student; may be repeated.")] = None,
    workers: Annotated[int | None, typer.Option(help="Submissions at a time; one for each core.", min=1)] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a running Dask scheduler.")] = None,
    repeats: Annotated[int, typer.Option(help="Run each with this many seeds and take the median.", min=1)] = 1,
    force: Annotated[bool, typer.Option("--force", help="Execute again what is stored.")] = False,
    isolation: Annotated[Isolation | None, typer.Option(help="none runs student code with your rights.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of course data; else COURSE_DATA.")] = None,
    withheld: Annotated[
        Path | None, typer.Option("--withheld", "--private", help="Folder of data that student code never sees.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, and which grades would change.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
    names: Names = None,
) -> None:
    """Grade everything that was handed in. Exit status 0: every submission has a grade or a recorded refusal."""
    asked = {"submitted": submitted, "repeats": repeats, "isolation": isolation, "data": data, "withheld": withheld}
    repository = terminal.repository()
    last = LastRun(repository, assignment, asked)
    records = None if student or force or dry_run else last.records()
    if records is not None:
        stderr.print(f"{len(records)} submissions, nothing has changed since they were graded", highlight=False)
    else:
        if not student and not scheduler:
            import_ahead()

        from grading.execution.workers import WorkerPool
        from grading.pipeline.plan import plan, several
        from grading.pipeline.reference import plan_with_reference

        gc.freeze()  # what has been imported stays: it need not be searched for garbage again and again
        course = _open_to_grade(repository, assignment, workers, scheduler, students=student, force=force, **asked)
        if dry_run:
            _say_what_would_happen(course, plan(course).submissions, as_json)
            return
        with WorkerPool(course.options.workers) as pool:
            course, planned = plan_with_reference(replace(course, pool=pool if several(course) else None))
            records = grade_with_progress(course, planned, names_of(repository, names))
        if not student:
            last.remember(course, records)
    if as_json:
        typer.echo(json.dumps([record.to_json() for record in records], indent=1))
    else:
        print_grades(assignment, records, names_of(repository, names))
    raise typer.Exit(1 if any(record.status == FAILED for record in records) else 0)


def _open_to_grade(
    repository: Path, assignment: str, workers: int | None, scheduler: str | None, **asked: object
) -> "GradingRun":
    from grading.pipeline.run import open_course, options_from

    options = options_from(repository, **asked)
    known = options.workers
    chosen = replace(known, count=workers or known.count, scheduler=scheduler or known.scheduler)
    options = replace(options, workers=chosen)
    if options.isolation is Isolation.none:
        stderr.print("[bold white on red] NO ISOLATION [/] Student code runs with your rights on this machine.")
    with terminal.data_errors():
        return open_course(repository, assignment, options)


@app.command(**help_for(INSTRUCTOR, "course inspect s001"))
def inspect(
    student: Annotated[str, typer.Argument(help="A student's id.")],
    assignment: Annotated[str | None, typer.Option(help="Only this assignment.")] = None,
) -> None:
    """Show in words what was graded, how, and why points were lost."""
    repository = terminal.repository()
    folder = repository / course_directory(load_config(repository), "autograded") / student
    names = sorted(path.parent.name for path in folder.glob("*/record.json"))
    names = [name for name in names if assignment in (None, name)]
    if not names:
        raise GradingError(f"nothing of {student!r} has been graded: {folder} holds no records")
    for name in names:
        record = read_record(folder / name)
        if record is not None:
            for line in describe(record):
                console.print(line, markup=False, highlight=False)


def describe(record: Record) -> list[str]:
    """Describe a record in words, line by line."""
    points = f"{record.points:g} of {record.max_points:g} points"
    lines = [f"{record.student}, {record.assignment}: {record.status}, {points}"]
    lines += [f"  {record.why}"] if record.why else []
    lines += [f"  {name}: {_points_in_words(question)}" for name, question in record.questions.items()]
    for title, items in (
        ("Flags", record.flags),
        ("Repaired", record.repairs),
        ("Went wrong while running", [f"{event.where}: {event.what}" for event in record.events]),
    ):
        lines += [f"  {title}:", *(f"    {item}" for item in items)] if items else []
    file, execution = record.submission, record.execution
    when = file.get("timestamp") or "no time"
    lines += [
        f"  Handed in: {one.get('file') or 'nothing'}, SHA-256 {one.get('sha256')}, {when}"
        for one in (file.get("notebooks") or {"": file}).values()
    ]
    if "seconds" in execution:
        seconds = ", ".join(f"{value:g}" for value in execution["seconds"])
        memory = execution["peak_memory_bytes"] / 2**20
        seeds = ", ".join(map(str, execution["seeds"]))
        lines.append(
            f"  Executed in {seconds} s with {memory:.0f} MiB, seeds {seeds}, isolation {execution['isolation']}, "
            f"{sum(execution['kernels'])} kernels started"
        )
    versions = ", ".join(f"{name} {version}" for name, version in execution.get("versions", {}).items())
    return [*lines, f"  With {versions}"] if versions else lines


def _points_in_words(question: QuestionRecord) -> str:
    where = f" ({question.decided})" if question.decided and not question.waits else ""
    waits = " It waits for that." if question.waits else ""
    return f"{question.points:g} of {question.max_points:g}{where}. {question.reason}{waits}"


def grade_with_progress(course: "GradingRun", planned: "Plan", names: Mapping[str, str]) -> list[Record]:
    """Grade, with a live bar: done of all, time gone, how many run, and who runs longest and since when."""
    from grading.pipeline.grade import grade

    stderr.print(f"{len(planned.submissions)} submissions, {len(planned.jobs)} executions to do", highlight=False)
    running = running_of(course, planned, names)
    with progress_bar("graded", running.in_words) as progress:
        task = progress.add_task("", total=len(planned.submissions))

        def on_event(event: str, name: str) -> None:
            running.note(event, name)
            progress.update(task, advance=event == "recorded")

        return grade(course, planned, on_event)


def running_of(course: "GradingRun", planned: "Plan", names: Mapping[str, str]) -> Running:
    """Return the state of a run that is about to begin; `names` are by student's id."""
    students = {
        run.key: names.get(submission.student, submission.student)
        for submission in planned.submissions
        for run in submission.runs
    }
    return Running(planned.jobs, students, course.options.workers.count, course.options.limits.notebook_seconds)


def print_grades(assignment: str, records: Sequence[Record], names: Mapping[str, str]) -> None:
    """Print the table, why something was refused or failed, and what to look at; `names` are by student's id."""
    print_table(assignment, records, names)
    print_reasons([record for record in records if record.why], names)
    _print_remarks(records, names)


def _say_what_would_happen(course: "GradingRun", submissions: Sequence["Submission"], as_json: bool) -> None:
    """Say what would run, and which grades would change, where that can be told without the students' code."""
    from grading.pipeline.foreseen import foresee, in_words
    from grading.pipeline.plan import TESTS_CHANGED, why_run

    reasons = {one.student: why_run(course, one) for one in submissions if not one.refusal}
    for submission in submissions if not as_json else ():
        reason = reasons.get(submission.student, "")
        said = f"would run ({reason})" if reason else "would be scored from what is stored"
        said = f"refused: {submission.refusal}" if submission.refusal else said
        console.print(f"{submission.student}: {said}", markup=False, highlight=False)
    found = foresee(course) if any(reason in ("", TESTS_CHANGED) for reason in reasons.values()) else []
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in found], indent=1))
        return
    for one in found:
        if one.changes:
            console.print(f"{one.student}: {one.before:g} -> {one.after:g} points", markup=False, highlight=False)
    if found:
        console.print(in_words(found), highlight=False, soft_wrap=True)


def _print_remarks(records: Sequence[Record], names: Mapping[str, str]) -> None:
    for record in records:
        for flag in record.flags:
            one = who(record.student, names.get(record.student, ""))
            console.print(f"look at {one}: {flag}", markup=False, highlight=False)
    repaired = sum(1 for record in records if record.repairs)
    if repaired:
        console.print(f"{repaired} submissions were repaired; `course inspect STUDENT` says how", highlight=False)
    waiting = Counter(name for record in records for name in record.waiting)
    if waiting:
        answers = "1 answer waits" if waiting.total() == 1 else f"{waiting.total()} answers wait"
        each = ", ".join(f"{name} ({count})" for name, count in waiting.items())
        console.print(
            f"{answers} for a person: {each}. Grade in nbgrader's formgrader, then run this again",
            markup=False,
            highlight=False,
        )
