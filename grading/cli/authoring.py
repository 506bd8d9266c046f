"""Commands for authors: verify, demo, similar, calibrate, and the sample data.

What is slow to load (nbgrader, notebooks, NumPy) is imported by the command that needs it.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from grading.cli import terminal
from grading.cli.grade import running_of
from grading.cli.pages import write_report_with_progress
from grading.cli.people import AUTHOR, INSTRUCTOR, STUDENT, help_for
from grading.cli.running import Running
from grading.cli.tables import print_causes, print_reasons, print_table
from grading.cli.terminal import DataError, console, progress_bar, stderr
from grading.common.files import write_atomically
from grading.pipeline import limits
from grading.records.record import GRADED, Record

if TYPE_CHECKING:
    from rich.progress import Progress

    from grading.authoring.calibrate import Proposal
    from grading.authoring.planted import Planted
    from grading.options import Options
    from grading.pipeline.plan import Plan
    from grading.pipeline.run import GradingRun

app = typer.Typer()

FIRST_MODEL_SECONDS = 120
"""A student who waits longer for a first trained model, on the sample and two cores, has gone to get a coffee."""

Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]
Data = Annotated[Path | None, typer.Option(help="Folder of course data; else COURSE_DATA.")]
Workers = Annotated[int, typer.Option(help="Submissions executed at a time.", min=1)]
CellSeconds = Annotated[
    int, typer.Option(help="Seconds a cell may run. One planted submission never ends, so keep it short.", min=1)
]


class Dataset(StrEnum):
    """Data that the demo grades on."""

    sample = "sample"
    voc = "voc"


@app.command(**help_for(STUDENT, "course sample"))
def sample() -> None:
    """Make the rendered sample data set (once) and print its folder: what COURSE_DATA may point to."""
    typer.echo(_sample())


@app.command(**help_for(AUTHOR, "course verify lab1"))
def verify(
    assignment: Assignment,
    only: Annotated[list[str] | None, typer.Argument(help="Planted submissions; all by default.")] = None,
    workers: Workers = 2,
    cell_seconds: CellSeconds = 60,
    data: Annotated[Path | None, typer.Option(help="Folder with data; the sample by default.")] = None,
    write_limits: Annotated[
        bool, typer.Option("--write-limits", help="Put the proposed limits into the assignment's limits.json.")
    ] = False,
) -> None:
    """Check that every planted submission gets its expected points; without any the solution must get all points.

    Proposes limits of time from what the solution takes.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = _demo_options(data or _sample(), workers, cell_seconds)
        wrong, solution = _grade_planted(assignment, Path(folder) / "class", options, _planted(assignment, only or ()))
        _say_both_ways(assignment, options)
    if solution is not None:
        _propose_limits(terminal.repository() / "source" / assignment, solution, write_limits)
    raise typer.Exit(1 if wrong else 0)


@app.command(**help_for(AUTHOR, "course advice lab1"))
def advice(
    assignment: Assignment,
    workers: Workers = 2,
    cell_seconds: CellSeconds = 60,
    data: Annotated[Path | None, typer.Option(help="Folder with data; the sample by default.")] = None,
    output: Annotated[Path | None, typer.Option(help="File for the table, as Markdown.")] = None,
) -> None:
    """Print what feedback pages advise first, beside what is wrong with each planted submission that says its cause.

    Ends with 1 where the advice does not name the cause.
    """
    from grading.authoring.advised import advised, as_markdown

    planted = [one for one in _planted(assignment, ()) if one.cause is not None]
    with tempfile.TemporaryDirectory() as folder:
        options = _demo_options(data or _sample(), workers, cell_seconds)
        found = advised(terminal.repository(), assignment, Path(folder) / "class", options, planted)
    for one in found:
        named = "" if one.names_the_cause else " [red](not the cause)[/red]"
        console.print(f"[bold]{one.planted.name}[/bold], {one.points:g} points{named}", highlight=False)
        console.print(f"  wrong: {escape(one.planted.why)}\n  said:  {escape(one.first or '–')}", highlight=False)
    if output is not None:
        write_atomically(output, as_markdown(found, f"course advice {assignment}"))
        console.print(f"wrote {terminal.shown(output)}")
    raise typer.Exit(0 if all(one.names_the_cause for one in found) else 1)


def _say_both_ways(assignment: str, options: "Options") -> None:
    """Print whose names are whose, and what of the master's tests an author should look at."""
    from grading.authoring.both_ways import advice  # slow to load
    from grading.pipeline.run import open_course

    found = advice(open_course(terminal.repository(), assignment, options))
    if found.division:
        console.print("Whose the names are that decide points", style="bold")
        rows = [["name", "whose", "why", "read by"], *map(list, found.division)]
        console.out("\n".join(terminal.plain_table(rows, to_the_left=4)), highlight=False)
    for note in found.notes:
        console.print(f"note: {note}", markup=False, highlight=False)


def _propose_limits(source: Path, solution: Record, write: bool) -> None:
    """Say what limits the solution speaks for, and those that the assignment has; write the proposal if asked to."""
    took = solution.execution
    longest, whole = max(took["longest_seconds"]), max(took["seconds"])
    proposed, own = limits.propose(longest, whole), limits.own_limits(source)
    words = ", ".join(f"{name} {value:g}" for name, value in proposed.items())
    console.print(
        f"The solution takes {whole:.1f} s, its longest cell {longest:.1f} s. Limits with room for slow ones: {words}",
        highlight=False,
    )
    if write:
        console.print(f"wrote {terminal.shown(limits.write_limits(source, proposed))}")
    elif {name: own.get(name) for name in proposed} != proposed:
        has = ", ".join(f"{name} {value:g}" for name, value in own.items())
        console.print(f"{limits.FILE} has {has or 'none of its own'}; --write-limits writes them", highlight=False)


@app.command("first-model", **help_for(AUTHOR, "course first-model lab1"))
def first_model(
    assignment: Assignment,
    data: Annotated[Path | None, typer.Option(help="Folder with data; the sample by default.")] = None,
) -> None:
    """Print how long a student waits from opening the release to the first trained model.

    Its cell is tagged `first-model`. Ends with 1 if that takes longer than two minutes.
    """
    from grading.authoring.first_model import time_to_first_model
    from grading.pipeline.run import options_from

    options = options_from(terminal.repository(), data=data or _sample())
    found = time_to_first_model(terminal.repository(), assignment, options)
    console.print(
        f"{found.seconds:.0f} s from opening the release of {assignment} to the first trained model: "
        f"{found.cells} cells, the last of them {found.cell}",
        highlight=False,
    )
    console.print(found.last_line, markup=False, highlight=False)
    raise typer.Exit(1 if found.seconds > FIRST_MODEL_SECONDS else 0)


@app.command(**help_for(STUDENT, "course demo lab1"))
def demo(
    assignment: Assignment,
    dataset: Dataset = Dataset.sample,
    voc_root: Annotated[Path | None, typer.Option(help="The VOCdevkit folder, for --dataset voc.")] = None,
    weights: Annotated[str, typer.Option(help="ResNet50 weights: a path, or imagenet.")] = "imagenet",
    workers: Workers = 2,
    cell_seconds: CellSeconds = 60,
) -> None:
    """Release the assignment, grade a small class of submissions, and show who got what and why."""
    from grading.release.build import build_release

    repository = terminal.repository()
    console.rule("Release")
    console.print(f"built {terminal.shown(build_release(repository, assignment))}")
    console.rule("Data")
    data = _sample() if dataset is Dataset.sample else voc_folder(repository, voc_root, weights)
    console.print(f"data: {terminal.shown(data)}")
    console.rule("Grading")
    folder = repository / ".demo" / dataset / assignment
    planted = [one for one in _planted(assignment, ()) if one.demo]
    options = _demo_options(data, workers, cell_seconds)
    wrong, _ = _grade_planted(assignment, folder, options, planted, each=False)
    _print_pages(folder, assignment, data)
    raise typer.Exit(1 if wrong else 0)


def _print_pages(folder: Path, assignment: str, data: Path) -> None:
    """Write the report of a demo's class, and say where it is and three pages that are worth a look."""
    from grading.pages.feedback import read_records
    from grading.pipeline.run import open_course, options_from

    course = open_course(folder, assignment, options_from(folder, data=data))
    page = write_report_with_progress(course)
    console.rule("To open in a browser")
    console.print(f"the class       [bold]{terminal.shown(page)}[/bold]", soft_wrap=True, highlight=False)
    for record in three_of(read_records(course)):
        path = terminal.shown(page.parent / "feedback" / f"{record.student}.html")
        points = f"{record.points:g} of {record.max_points:g}"
        console.print(f"{points:<15} [bold]{escape(str(path))}[/bold]", soft_wrap=True, highlight=False)


def three_of(records: Sequence[Record]) -> list[Record]:
    """Return three submissions of a class whose pages differ most: nothing reached, about half, and all of it."""
    graded = sorted((record for record in records if record.status == GRADED), key=lambda record: record.points)
    if len(graded) <= 3:
        return graded
    stopped = [record for record in graded if record.submission.get("changed") is not False]
    first, last = (stopped or graded)[0], graded[-1]
    others = [record for record in graded if record not in (first, last)]
    half = last.max_points / 2
    return [first, min(others, key=lambda record: abs(record.points - half)), last]


def _demo_options(data: Path, workers: int, cell_seconds: int) -> "Options":
    from grading.pipeline.run import options_from

    options = options_from(terminal.repository(), data=data)
    limits = replace(options.limits, cell_seconds=cell_seconds)
    return replace(options, workers=replace(options.workers, count=workers), limits=limits)


@app.command(**help_for(INSTRUCTOR, "course similar lab1"))
def similar(assignment: Assignment) -> None:
    """Find work that looks alike, in the class and with what was published; the report shows it as a hint."""
    from grading.authoring.similar import in_words, similar_path, similar_work, write_similar
    from grading.pipeline.plan import plan
    from grading.pipeline.run import open_course, options_from

    folder = terminal.repository()
    course = open_course(folder, assignment, replace(options_from(folder), data=None, withheld=None), asking=False)
    found = similar_work(course, plan(course).submissions, folder)
    write_similar(similar_path(course), found)
    console.print(f"{found.compared} compared; usually {found.usual:.0%} of one's own code is found in someone else's")
    if not found.tells:
        console.print("Nearly everybody's work is alike, so nothing can stand out: the answer leaves little choice.")
    for pair in found.pairs:
        console.print(f"{pair.a} and {pair.b}: {in_words(pair)}", markup=False, highlight=False)
    console.print("A hint where to read, never a verdict.")


@app.command(**help_for(AUTHOR, "course calibrate lab1 --seeds 5"))
def calibrate(
    assignment: Assignment,
    seeds: Annotated[int, typer.Option(help="How often each planted submission is trained.", min=2)] = 20,
    workers: Annotated[int | None, typer.Option(help="Executions at a time; one for each core.", min=1)] = None,
    data: Data = None,
    write: Annotated[bool, typer.Option("--write", help="Put the proposal into thresholds.json.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder for calibration.md and its plot.")] = None,
    name: Annotated[str, typer.Option(help="Another name for the two files, without ending.")] = "calibration",
) -> None:
    """Measure planted submissions over many seeds, judge the scale of points in use by the rules, propose one.

    Ends with 1 if the scale in use breaks a rule.
    """
    from grading.authoring.calibrate import (
        measure,
        meter_of,
        propose,
        read_thresholds,
        write_report,
        write_thresholds,
    )
    from grading.pipeline.run import options_from

    repository = terminal.repository()
    options = options_from(repository, data=data, repeats=seeds)
    several = replace(options.workers, count=workers or options.workers.count)
    with tempfile.TemporaryDirectory() as folder, progress_bar("executed") as progress:
        chosen = replace(options, workers=several, withheld=None)
        course, runs = measure(repository, assignment, Path(folder) / "class", chosen, _counting(progress))
        meter, key = meter_of(course), course.assignment.scoring.thresholds_key(course.context)
    source = repository / "source" / assignment
    proposal = propose(key, read_thresholds(source, key), runs, meter)
    _print_proposal(proposal)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        page = write_report(proposal, output, f"`course calibrate {assignment} --seeds {seeds}`", name)
        console.print(f"wrote {terminal.shown(page)}")
    if write:
        console.print(
            f"wrote {terminal.shown(write_thresholds(source, proposal))}; `course release` brings it to students"
        )
    raise typer.Exit(1 if proposal.broken else 0)


def _counting(progress: "Progress") -> Callable[[str, str], None]:
    """Return the function that moves the bar; its total grows with each execution that turns out to be missing."""
    task = progress.add_task("", total=0)

    def on_event(event: str, name: str) -> None:
        total = (progress.tasks[0].total or 0) + (event == "missing")
        progress.update(task, advance=event in ("executed", "failed"), total=total)

    return on_event


def _planted(assignment: str, names: Sequence[str]) -> "list[Planted]":
    from grading.authoring.planted import choose, to_verify

    return choose(to_verify(terminal.repository(), assignment), names)


def _grade_planted(
    assignment: str, folder: Path, options: "Options", planted: "Sequence[Planted]", each: bool = True
) -> tuple[int, Record | None]:
    """Grade planted submissions, print the table, why points were lost (of `each`, or by cause) and differences.

    Return the number that differ, and the record of the master's own solution, if it is among them and was graded.
    """
    from grading.authoring.planted import verify

    repository, total = terminal.repository(), len(planted)
    runs: list[Running] = []
    with progress_bar("graded", lambda: runs[0].in_words() if runs else "preparing") as progress:
        task = progress.add_task("", total=total)

        def on_plan(course: "GradingRun", planned: "Plan") -> None:
            runs.append(running_of(course, planned, {}))

        def on_event(event: str, name: str) -> None:
            runs[0].note(event, name)
            progress.update(task, advance=event == "recorded")

        verdicts = verify(repository, assignment, folder, options, on_event, on_plan, planted)
    records = [verdict.record for verdict in verdicts]
    print_table(assignment, records)
    console.print("Why points were lost", style="bold")
    if each:
        print_reasons(records)
    else:
        print_causes(records)
    wrong = [verdict for verdict in verdicts if verdict.differences]
    for verdict in wrong:
        stderr.print(f"[red]{verdict.planted.name} did not get its expected points:[/red]")
        for line in verdict.differences:
            stderr.print(f"  {line}", highlight=False, markup=False)
    if not wrong:
        console.print(f"All {len(verdicts)} submissions got exactly the points they deserve.")
    solutions = [one.record for one in verdicts if one.planted.origin == "master" and not one.planted.cells]
    return len(wrong), next((record for record in solutions if record.status == GRADED), None)


def _sample() -> Path:
    from helpers.sample import make_sample

    with terminal.data_errors():
        return make_sample()


def voc_folder(repository: Path, voc_root: Path | None, weights: str) -> Path:
    """Return a data folder for real photographs: a link to them, and representations extracted here.

    Raises:
        DataError: The photographs or the weights are missing or damaged.
    """
    from grading.authoring.photographs import prepare_photographs
    from helpers.data import fetch_voc2007

    with terminal.data_errors():
        root = voc_root if voc_root is not None else fetch_voc2007(repository / ".cache")
        if not root.is_dir():
            raise DataError(f"{root} is not a folder: give --voc-root the path of VOCdevkit")
        console.print("extracting the photographs' representations with ResNet50")
        return prepare_photographs(repository / ".cache" / "voc", root, weights=weights)


def _print_proposal(proposal: "Proposal") -> None:
    names = list(proposal.runs[0].by_seed[0])
    rows = [["submission", "bound", *names, "points"]]
    for run in proposal.runs:
        points = f"{run.totals(proposal.meter, proposal.in_use).mean():.1f}"
        rows.append([run.name, str(run.bound), *(f"{run.mean(name):.3f}" for name in names), points])
    console.print(f"{proposal.key}: {proposal.seeds} seeds, {proposal.runs[0].images} images; means", highlight=False)
    console.out("\n".join(terminal.plain_table(rows, to_the_left=2)), highlight=False)
    for name, value in proposal.proposed.items():
        console.print(f"{name}: {proposal.now.get(name, '–')} in use, {value} proposed", highlight=False)
    for title, rules in (("in use", proposal.rules_now), ("proposed", proposal.rules_proposed)):
        if rules:
            console.print(f"Rules, on the scale {title}", style="bold")
        for rule in rules:
            said = "kept" if rule.kept else "[red]broken[/red]"
            console.print(f"  {said}: {escape(rule.says)}: {escape(rule.figure)}", highlight=False)
