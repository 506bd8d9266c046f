"""The command `course`: release, grade, inspect, verify, demo and data sets."""

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from grading import cli_class, terminal
from grading.config import CONFIG_FILE
from grading.errors import GradingError, ReleaseError
from grading.sandbox import Isolation, SandboxError
from grading.terminal import console, progress_bar, stderr

if TYPE_CHECKING:
    from grading.plan import Course, Options, Submission
    from grading.record import QuestionRecord, Record

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(cli_class.app)
Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]
Workers = Annotated[int, typer.Option(help="Submissions executed at a time.", min=1)]
CellSeconds = Annotated[
    int, typer.Option(help="Seconds a cell may run. One planted submission never ends, so keep it short.", min=1)
]


class Dataset(StrEnum):
    """What the demo grades on."""

    sample = "sample"
    voc = "voc"


@app.callback()
def _options(verbose: Annotated[bool, typer.Option("--verbose", "-v")] = False) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=stderr, show_time=False, show_path=False)],
    )


@app.command()
def sync(assignment: Assignment) -> None:
    """Make the master notebook from its text twin."""
    from grading.twin import write_notebook

    console.print(f"wrote {write_notebook(terminal.repository() / 'source' / assignment / f'{assignment}.py')}")


@app.command()
def twin(assignment: Assignment) -> None:
    """Write the text twin from the master notebook, after it was edited in Jupyter."""
    import nbformat

    from grading.twin import to_text

    notebook = terminal.repository() / "source" / assignment / f"{assignment}.ipynb"
    path = notebook.with_suffix(".py")
    path.write_text(to_text(nbformat.read(notebook, as_version=4)), encoding="utf-8")
    console.print(f"wrote {path}")


@app.command()
def release(assignment: Assignment) -> None:
    """Build the student release of an assignment."""
    from grading.config import Course, load_config
    from grading.release import build_release

    repository = terminal.repository()
    console.print(f"built {terminal.shown(build_release(repository, assignment))}")
    if Course(config=load_config(repository)).is_placeholder:
        console.print(f"The badge and the wheel's address lead nowhere yet: set c.Course.url in {CONFIG_FILE}.")


@app.command()
def sample() -> None:
    """Make the rendered sample data set (once) and print its folder: what COURSE_DATA may point to."""
    from helpers.sample import make_sample

    typer.echo(make_sample())


@app.command()
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
    private: Annotated[Path | None, typer.Option(help="Folder of private evaluation data.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Grade everything that was handed in. Exit status 0: every submission has a grade or a recorded refusal."""
    from dataclasses import replace

    from grading.grade import grade as grade_all
    from grading.plan import missing_runs, open_course, options_from, plan
    from grading.record import FAILED

    repository = terminal.repository()
    options = options_from(
        repository,
        submitted=submitted,
        students=student,
        repeats=repeats,
        force=force,
        isolation=isolation,
        data=data,
        private=private,
    )
    crew = replace(options.crew, workers=workers or options.crew.workers, scheduler=scheduler or options.crew.scheduler)
    options = replace(options, crew=crew)
    if options.isolation is Isolation.none:
        stderr.print("[bold white on red] NO ISOLATION [/] Student code runs with your rights on this machine.")
    course = open_course(repository, assignment, options)
    submissions = plan(course)
    if dry_run:
        _say_plan(course, submissions)
        return
    missing = missing_runs(course, submissions)
    stderr.print(f"{len(submissions)} submissions, {len(missing)} executions to do", highlight=False)
    running, failed = len(missing), 0
    with progress_bar("graded") as progress:
        task = progress.add_task(f"{min(running, options.crew.workers)} running, 0 failed", total=len(submissions))

        def on_event(event: str, name: str) -> None:
            nonlocal running, failed
            running -= event in ("executed", "failed")
            failed += event == "failed"
            at_work = min(running, options.crew.workers)
            progress.update(task, description=f"{at_work} running, {failed} failed", advance=event == "recorded")

        records = grade_all(course, submissions, on_event)
    if as_json:
        typer.echo(json.dumps([record.to_json() for record in records], indent=1))
    else:
        _print_table(assignment, records)
        _print_reasons([record for record in records if record.why])
        _print_remarks(records)
    raise typer.Exit(1 if any(record.status == FAILED for record in records) else 0)


@app.command()
def inspect(
    student: Annotated[str, typer.Argument(help="A student's id.")],
    assignment: Annotated[str | None, typer.Option(help="Only this assignment.")] = None,
) -> None:
    """Show in words what was graded, how, and why points were lost."""
    from grading.record import read_record

    folder = terminal.repository() / "autograded" / student
    names = sorted(path.parent.name for path in folder.glob("*/record.json"))
    names = [name for name in names if assignment in (None, name)]
    if not names:
        raise FileNotFoundError(f"nothing of {student!r} has been graded: {folder} holds no records")
    for name in names:
        record = read_record(folder / name)
        if record is not None:
            for line in describe(record):
                console.print(line, markup=False, highlight=False)


def describe(record: "Record") -> list[str]:
    """A record in words, line by line."""
    points = f"{record.points:g} of {record.max_points:g} points"
    lines = [f"{record.student}, {record.assignment}: {record.status}, {points}"]
    lines += [f"  {record.why}"] if record.why else []
    lines += [
        f"  {name}: {question.points:g} of {question.max_points:g}. {question.reason}"
        for name, question in record.questions.items()
    ]
    for title, items in (
        ("Flags", record.flags),
        ("Repaired", record.repairs),
        ("Went wrong while running", [f"{event.where}: {event.what}" for event in record.events]),
    ):
        lines += [f"  {title}:", *(f"    {item}" for item in items)] if items else []
    file, execution = record.submission, record.execution
    lines.append(f"  Handed in: {file.get('file')}, SHA-256 {file.get('sha256')}, {file.get('timestamp') or 'no time'}")
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


@app.command()
def verify(
    assignment: Assignment,
    workers: Workers = 2,
    cell_seconds: CellSeconds = 60,
    data: Annotated[Path | None, typer.Option(help="Folder with data; the sample by default.")] = None,
) -> None:
    """Check that the solution, the untouched release and every planted answer get their expected points."""
    with tempfile.TemporaryDirectory() as folder:
        options = _demo_options(data or _sample(), workers, cell_seconds)
        wrong = _grade_planted(assignment, Path(folder) / "class", options)
    raise typer.Exit(1 if wrong else 0)


@app.command()
def demo(
    assignment: Assignment,
    dataset: Dataset = Dataset.sample,
    voc_root: Annotated[Path | None, typer.Option(help="The VOCdevkit folder, for --dataset voc.")] = None,
    weights: Annotated[str, typer.Option(help="ResNet50 weights: a path, or imagenet.")] = "imagenet",
    workers: Workers = 2,
    cell_seconds: CellSeconds = 60,
) -> None:
    """Release the assignment, grade a small class of submissions, and show who got what and why."""
    from grading.classroom import Classroom
    from grading.release import build_release
    from grading.verify import read_planted

    repository = terminal.repository()
    console.rule("Release")
    console.print(f"built {terminal.shown(build_release(repository, assignment))}")
    console.rule("Data")
    data = _sample() if dataset is Dataset.sample else voc_folder(repository, voc_root, weights)
    console.print(f"data: {terminal.shown(data)}")
    console.rule("Grading")
    folder = repository / ".demo" / dataset / assignment
    wrong = _grade_planted(assignment, folder, _demo_options(data, workers, cell_seconds))
    student = read_planted(repository / "tests" / "submissions" / assignment)[0].name
    page = Classroom(folder, assignment).feedback(student)
    console.print(f"\nA feedback page, to open in a browser: [bold]{terminal.shown(page)}[/bold]", soft_wrap=True)
    raise typer.Exit(1 if wrong else 0)


def _demo_options(data: Path, workers: int, cell_seconds: int) -> "Options":
    from dataclasses import replace

    from grading.plan import options_from

    options = options_from(terminal.repository(), data=data)
    crew, limits = replace(options.crew, workers=workers), replace(options.limits, cell_seconds=cell_seconds)
    return replace(options, crew=crew, limits=limits)


def _say_plan(course: "Course", submissions: Sequence["Submission"]) -> None:
    from grading.plan import why_run

    for submission in submissions:
        if submission.refusal:
            said = f"refused: {submission.refusal}"
        else:
            reason = why_run(course, submission)
            said = f"would run ({reason})" if reason else "would be scored from what is stored"
        console.print(f"{submission.student}: {said}", markup=False, highlight=False)


def _print_remarks(records: Sequence["Record"]) -> None:
    for record in records:
        for flag in record.flags:
            console.print(f"look at {record.student}: {flag}", markup=False, highlight=False)
    repaired = sum(1 for record in records if record.repairs)
    if repaired:
        console.print(f"{repaired} submissions were repaired; `course inspect STUDENT` says how", highlight=False)


data_app = typer.Typer(no_args_is_help=True, help="Data sets for grading.")
app.add_typer(data_app, name="data")


@data_app.command("private")
def data_private(
    folder: Annotated[Path, typer.Argument(help="Where annotations.json and representations.h5 go.")],
    weights: Annotated[str, typer.Option(help="ResNet50 weights: a path, or imagenet; as for the course's own.")],
    voc_root: Annotated[
        Path | None, typer.Option(help="A VOC-format data root; by default VOC2007's test archive is downloaded.")
    ] = None,
    public: Annotated[Path | None, typer.Option(help="The course's own data root, whose images are left out.")] = None,
) -> None:
    """Make private evaluation data: images whose labels student code never sees."""
    from grading.private import build_private, fetch_voc2007_test

    root = voc_root or fetch_voc2007_test(terminal.repository() / ".cache")
    annotations = build_private(root, folder, weights, public)
    console.print(f"{len(annotations)} images. Name {folder} in c.Grading.private, or by --private.", highlight=False)


def main() -> None:
    """Run the command; errors of authors and users are one clear message and exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's log is for those who debug TensorFlow
    warnings.filterwarnings("ignore", module=r"nbgrader|sqlalchemy")
    try:
        app()
    except (GradingError, ReleaseError, SandboxError, FileNotFoundError, ValueError) as error:
        stderr.print(f"[red]error:[/red] {escape(str(error))}", highlight=False)
        raise SystemExit(2) from None


def _grade_planted(assignment: str, folder: Path, options: "Options") -> int:
    """Grade the planted submissions, print the table and what differs; gives the number that differ."""
    from grading.verify import read_planted, verify

    repository = terminal.repository()
    total = len(read_planted(repository / "tests" / "submissions" / assignment))
    with progress_bar("graded") as progress:
        task = progress.add_task("", total=total)

        def on_event(event: str, name: str) -> None:
            if event == "recorded":
                progress.update(task, advance=1, description=escape(name))

        verdicts = verify(repository, assignment, folder, options, on_event)
    records = [verdict.record for verdict in verdicts]
    _print_table(assignment, records)
    console.print("Why points were lost", style="bold")
    _print_reasons(records)
    wrong = [verdict for verdict in verdicts if verdict.differences]
    for verdict in wrong:
        stderr.print(f"[red]{verdict.planted.name} did not get its expected points:[/red]")
        for line in verdict.differences:
            stderr.print(f"  {line}", highlight=False, markup=False)
    if not wrong:
        console.print(f"All {len(verdicts)} submissions got exactly the points they deserve.")
    return len(wrong)


def _print_table(title: str, records: Sequence["Record"]) -> None:
    questions = list(dict.fromkeys(name for record in records for name in record.questions))
    table = Table(title=escape(title))
    table.add_column("submission", no_wrap=True)
    for name in [*questions, "points"]:
        table.add_column(name.replace("_", " "), justify="right")
    for record in records:
        table.add_row(
            escape(record.student),
            *(f"{record.questions[name].points:g}" if name in record.questions else "-" for name in questions),
            f"{record.points:g}/{record.max_points:g}" if record.status == "graded" else f"[red]{record.status}[/red]",
        )
    console.print(table)


def _print_reasons(records: Sequence["Record"]) -> None:
    for record in records:
        for line in [record.why] if record.why else _reasons_lost(record.questions):
            console.print(f"[bold]{escape(record.student)}[/bold] {escape(line)}", highlight=False)


def _reasons_lost(questions: Mapping[str, "QuestionRecord"]) -> list[str]:
    seen: dict[str, list[str]] = {}
    for name, question in questions.items():
        if question.points < question.max_points:
            seen.setdefault(question.reason or "no reason was given", []).append(name)
    return [f"{', '.join(names)}: {reason}" for reason, names in seen.items()]


def _sample() -> Path:
    from helpers.sample import make_sample

    return make_sample()


def voc_folder(repository: Path, voc_root: Path | None, weights: str) -> Path:
    """A data folder for real photographs: a link to them, and representations extracted here."""
    from helpers.data import data_set_name, fetch_voc2007, image_path, load_annotations
    from helpers.features import extract_features

    root = voc_root if voc_root is not None else fetch_voc2007(repository / ".cache")
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a folder: give --voc-root the path of VOCdevkit")
    folder = repository / ".cache" / "voc"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "VOCdevkit"
    if link.is_symlink():
        link.unlink()
    link.symlink_to(root.resolve(), target_is_directory=True)
    annotations = load_annotations(root)
    console.print(f"{len(annotations)} photographs; extracting their representations with ResNet50")
    extract_features(
        [image_path(root, annotation) for annotation in annotations],
        folder / "representations.h5",
        data_set=data_set_name(root),
        weights=weights,
    )
    return folder
