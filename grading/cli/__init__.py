"""The command `course`: release, grade, inspect, verify, demo and data sets."""

import logging
import os
import tempfile
import warnings
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.logging import RichHandler
from rich.markup import escape

from grading.cli import clean, terminal
from grading.cli import grade as cli_grade
from grading.cli import lms as cli_lms
from grading.cli import pages as cli_class
from grading.cli.grade import print_reasons, print_table
from grading.cli.terminal import console, progress_bar, stderr
from grading.config import CONFIG_FILE
from grading.errors import GradingError, ReleaseError, SandboxError

if TYPE_CHECKING:
    from grading.options import Options

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, help=__doc__)
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
    from grading.release.twin import write_notebook

    console.print(f"wrote {write_notebook(terminal.repository() / 'source' / assignment / f'{assignment}.py')}")


@app.command()
def twin(assignment: Assignment) -> None:
    """Write the text twin from the master notebook, after it was edited in Jupyter."""
    import nbformat

    from grading.release.twin import to_text

    notebook = terminal.repository() / "source" / assignment / f"{assignment}.ipynb"
    path = notebook.with_suffix(".py")
    path.write_text(to_text(nbformat.read(notebook, as_version=4)), encoding="utf-8")
    console.print(f"wrote {path}")


@app.command()
def release(assignment: Assignment) -> None:
    """Build the student release of an assignment."""
    from grading.config import Course, load_config
    from grading.release.build import build_release

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
    from grading.authoring.classroom import Classroom
    from grading.authoring.planted import planted_folder, read_planted
    from grading.release.build import build_release

    repository = terminal.repository()
    console.rule("Release")
    console.print(f"built {terminal.shown(build_release(repository, assignment))}")
    console.rule("Data")
    data = _sample() if dataset is Dataset.sample else voc_folder(repository, voc_root, weights)
    console.print(f"data: {terminal.shown(data)}")
    console.rule("Grading")
    folder = repository / ".demo" / dataset / assignment
    wrong = _grade_planted(assignment, folder, _demo_options(data, workers, cell_seconds))
    student = read_planted(planted_folder(repository, assignment))[0].name
    page = Classroom(folder, assignment).feedback(student)
    console.print(f"\nA feedback page, to open in a browser: [bold]{terminal.shown(page)}[/bold]", soft_wrap=True)
    raise typer.Exit(1 if wrong else 0)


def _demo_options(data: Path, workers: int, cell_seconds: int) -> "Options":
    from dataclasses import replace

    from grading.pipeline.run import options_from

    options = options_from(terminal.repository(), data=data)
    limits = replace(options.limits, cell_seconds=cell_seconds)
    return replace(options, workers=replace(options.workers, count=workers), limits=limits)


for part in (cli_grade, cli_lms, cli_class, clean):
    app.add_typer(part.app)
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
    from grading.authoring.private_data import build_private, fetch_voc2007_test

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
    from grading.authoring.planted import planted_folder, read_planted, verify

    repository = terminal.repository()
    total = len(read_planted(planted_folder(repository, assignment)))
    with progress_bar("graded") as progress:
        task = progress.add_task("", total=total)

        def on_event(event: str, name: str) -> None:
            if event == "recorded":
                progress.update(task, advance=1, description=escape(name))

        verdicts = verify(repository, assignment, folder, options, on_event)
    records = [verdict.record for verdict in verdicts]
    print_table(assignment, records)
    console.print("Why points were lost", style="bold")
    print_reasons(records)
    wrong = [verdict for verdict in verdicts if verdict.differences]
    for verdict in wrong:
        stderr.print(f"[red]{verdict.planted.name} did not get its expected points:[/red]")
        for line in verdict.differences:
            stderr.print(f"  {line}", highlight=False, markup=False)
    if not wrong:
        console.print(f"All {len(verdicts)} submissions got exactly the points they deserve.")
    return len(wrong)


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
