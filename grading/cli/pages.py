"""Commands for a class and its teachers: feedback, report, work that looks alike, calibration."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.cli import terminal
from grading.cli.terminal import console, progress_bar, stderr

if TYPE_CHECKING:
    from grading.authoring.calibrate import Proposal
    from grading.pipeline.run import GradingRun

app = typer.Typer()
REPORTS = "reports"

Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]
Data = Annotated[Path | None, typer.Option(help="Folder of course data; else COURSE_DATA.")]
Private = Annotated[Path | None, typer.Option(help="Folder of private evaluation data, as for grading.")]
Output = Annotated[Path | None, typer.Option(help="Folder to write into; reports/<assignment> by default.")]


@app.command()
def feedback(
    assignment: Assignment,
    student: Annotated[list[str] | None, typer.Option(help="Only this student; may be repeated.")] = None,
    data: Data = None,
    private: Private = None,
    output: Output = None,
) -> None:
    """Write a feedback page for each graded submission."""
    from grading.pages.feedback import read_records

    course = _open(assignment, data, private, student)
    folder = _output(course, output)
    _write_feedback(course, folder, len(read_records(course)))
    console.print(f"feedback pages in {terminal.shown(folder / 'feedback')}", highlight=False, soft_wrap=True)


@app.command()
def report(assignment: Assignment, data: Data = None, private: Private = None, output: Output = None) -> None:
    """Write the page about the whole class, and the feedback pages that it links to."""
    course = _open(assignment, data, private, None)
    console.print(f"report: {terminal.shown(write_report_with_progress(course, output))}", soft_wrap=True)


@app.command()
def similar(assignment: Assignment) -> None:
    """Find work that looks alike, in the class and with what was published; the report shows it as a hint."""
    from grading.authoring.similar import in_words, similar_path, similar_work, write_similar
    from grading.pipeline.plan import plan
    from grading.pipeline.run import open_course, options_from

    folder = terminal.repository()
    course = open_course(folder, assignment, replace(options_from(folder), data=None, private=None), asking=False)
    found = similar_work(course, plan(course).submissions, folder)
    write_similar(similar_path(course), found)
    console.print(f"{found.compared} compared; usually {found.usual:.0%} of one's own code is found in someone else's")
    if not found.tells:
        console.print("Nearly everybody's work is alike, so nothing can stand out: the answer leaves little choice.")
    for pair in found.pairs:
        console.print(f"{pair.a} and {pair.b}: {in_words(pair)}", markup=False, highlight=False)
    console.print("A hint where to read, never a verdict.")


@app.command()
def calibrate(
    assignment: Assignment,
    seeds: Annotated[int, typer.Option(help="How often each planted submission is trained.", min=2)] = 20,
    workers: Annotated[int | None, typer.Option(help="Executions at a time; one for each core.", min=1)] = None,
    data: Data = None,
    write: Annotated[bool, typer.Option("--write", help="Put the proposal into thresholds.json.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder for calibration.md and its plot.")] = None,
) -> None:
    """Propose thresholds from what good and bad planted submissions reach over many seeds."""
    import tempfile

    from grading.authoring.calibrate import measure, propose, read_thresholds, write_report, write_thresholds
    from grading.pipeline.run import options_from

    repository = terminal.repository()
    options = options_from(repository, data=data, repeats=seeds)
    crew = replace(options.workers, count=workers or options.workers.count)
    with tempfile.TemporaryDirectory() as folder, progress_bar("executed") as progress:
        task = progress.add_task("", total=0)
        course, runs = measure(
            repository,
            assignment,
            Path(folder) / "class",
            replace(options, workers=crew, private=None),
            lambda event, name: progress.update(
                task,
                advance=event in ("executed", "failed"),
                total=(progress.tasks[0].total or 0) + (event == "missing"),
            ),
        )
        scoring, context = course.assignment.scoring, course.context
        key = scoring.thresholds_key(context)
        baseline = scoring.baseline(context) if hasattr(scoring, "baseline") else {}
    source = repository / "source" / assignment
    proposal = propose(key, read_thresholds(source, key), runs, baseline)
    _print_proposal(proposal)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        page = write_report(proposal, output, f"course calibrate {assignment} --seeds {seeds}")
        console.print(f"wrote {terminal.shown(page)}")
    if write:
        console.print(
            f"wrote {terminal.shown(write_thresholds(source, proposal))}; `course release` brings it to students"
        )
    raise typer.Exit(1 if proposal.problems else 0)


def _open(assignment: str, data: Path | None, private: Path | None, students: list[str] | None) -> "GradingRun":
    from grading.pipeline.run import open_course, options_from

    folder = terminal.repository()
    return open_course(folder, assignment, options_from(folder, data=data, private=private, students=students))


def _output(course: "GradingRun", output: Path | None) -> Path:
    return (output or course.folder / REPORTS / course.assignment.name).resolve()


def _write_feedback(course: "GradingRun", folder: Path, total: int) -> None:
    from grading.pages.feedback import read_records, write_feedback

    with progress_bar("pages") as progress:
        task = progress.add_task("", total=total)
        gone = write_feedback(course, read_records(course), folder / "feedback", lambda _: progress.advance(task))
    if gone:
        stderr.print(
            f"{len(gone)} pages have no pictures, since the stored answers are gone "
            f"(`course grade {course.assignment.name}` makes them anew): {', '.join(gone[:8])}",
            highlight=False,
        )


def write_report_with_progress(course: "GradingRun", output: Path | None = None) -> Path:
    """Write the page about the class and the feedback pages; gives its path."""
    from grading.authoring.similar import in_words, read_similar, similar_path
    from grading.pages.feedback import read_records
    from grading.pages.report import Hint, write_report

    folder = _output(course, output)
    records = read_records(course)
    _write_feedback(course, folder, len(records))
    found = read_similar(similar_path(course))
    hints = [Hint((pair.a, pair.b), in_words(pair)) for pair in found.pairs] if found else []
    return write_report(course, records, folder, hints)


def _print_proposal(proposal: "Proposal") -> None:
    from rich.table import Table

    names = list(proposal.runs[0].outcomes)
    table = Table(title=f"{proposal.key}: {proposal.seeds} seeds, {proposal.images} images, min / mean / max")
    for column in ("submission", "role", *names, "passes all"):
        table.add_column(column)
    for run in proposal.runs:
        means = [run.means(name) for name in names]
        cells = [f"{values.min():.3f} / {values.mean():.3f} / {values.max():.3f}" for values in means]
        table.add_row(run.name, run.role, *cells, f"{proposal.passing[run.name]:.1%}")
    console.print(table)
    for name, value in proposal.proposed.items():
        console.print(f"{name}: {proposal.now.get(name, '–')} now, {value} proposed", highlight=False)
    for item in proposal.failing:
        console.print(
            f"{item.submission} would miss {item.threshold} in {item.share:.1%} of samples "
            f"({item.low:.1%} to {item.high:.1%})",
            highlight=False,
        )
    for problem in proposal.problems:
        stderr.print(f"[red]problem:[/red] {problem}", highlight=False)
