"""Commands for one hand-in at a time: grade-one, watch and the archive for Gradescope.

What is slow to load (nbgrader, notebooks, NumPy) is imported by the command that needs it.
"""

import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.cli import terminal
from grading.cli.grade import describe
from grading.cli.people import INSTRUCTOR, OPERATOR, help_for
from grading.cli.terminal import console, stderr
from grading.common.files import write_atomically
from grading.config import Grading, load_config
from grading.errors import GradingError, SandboxError
from grading.hosts.results import Host, result_for
from grading.options import Isolation
from grading.records.record import FAILED, REFUSED, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from grading.execution.execute import Pools
    from grading.pipeline.one import GradedHandIn
    from grading.pipeline.run import GradingRun

app = typer.Typer()

EXIT_STATUS = {FAILED: 1, REFUSED: 3}
"""Exit status by what happened; 0 for a grade."""
SETTLED_SECONDS = 2.0
"""A file that changed so shortly ago may still be being written."""
LOOK_EVERY = 1.0
"""Seconds between two looks into a watched folder."""

Assignment = Annotated[str, typer.Option(help="A folder of source/.")]
Data = Annotated[Path | None, typer.Option(help="Folder of course data; else COURSE_DATA.")]
NoSandbox = Annotated[
    bool,
    typer.Option("--allow-no-sandbox", help="Where the host allows no sandbox, grade without one; the record says so."),
]


@dataclass(frozen=True)
class _Output:
    """Files to write; None for those that nobody asked for."""

    record: Path | None = None
    page: Path | None = None


@app.command("grade-one", **help_for(INSTRUCTOR, "course grade-one ada.ipynb --assignment lab1 --html ada.html"))
def grade_one(
    notebook: Annotated[Path, typer.Argument(help="A notebook, an archive or a folder, wherever it lies.")],
    assignment: Assignment,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the record into this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the feedback page into this file.")] = None,
    host: Annotated[Host | None, typer.Option(help="Whose format --result is in.")] = None,
    result: Annotated[Path | None, typer.Option(help="Write the host's result into this file.")] = None,
    student: Annotated[str, typer.Option(help="Name on the page and in the record.")] = "student",
    data: Data = None,
    allow_no_sandbox: NoSandbox = False,
) -> None:
    """Grade one hand-in without a class. Exit status 0: it has a grade; 3: it was refused; 1: it could not be graded.

    Nothing is left behind but the files that were asked for.
    """
    if (host is None) != (result is None):
        raise GradingError("--host and --result go together: whose format, and into which file")
    if not notebook.exists():
        raise GradingError(f"{notebook} is not there")
    from grading.execution.ahead import started_ahead  # in what follows much more is loaded

    with started_ahead(_note(assignment)) as pools:
        course = _open(assignment, data, allow_no_sandbox)
        record = _grade(course, notebook.resolve(), student, _Output(as_json, html), pools)
    if host is not None and result is not None and record.status != FAILED:
        write_atomically(result, result_for(host, record))
    for line in describe(record):
        console.print(line, markup=False, highlight=False)
    raise typer.Exit(EXIT_STATUS.get(record.status, 0))


@app.command(**help_for(OPERATOR, "course watch arriving --assignment lab1"))
def watch(
    folder: Annotated[Path, typer.Argument(help="Folder in which hand-ins arrive, one file each.")],
    assignment: Assignment,
    output: Annotated[Path | None, typer.Option(help="Folder for records and pages; FOLDER/graded by default.")] = None,
    data: Data = None,
    once: Annotated[bool, typer.Option("--once", help="Grade what is there and end.")] = False,
) -> None:
    """Grade what arrives in a folder: NAME.ipynb or NAME.zip gives NAME.json and NAME.html, until Ctrl-C.

    What was graded is not graded again unless the file has changed, also after a restart.
    """
    if not folder.is_dir():
        raise GradingError(f"{folder} is not a folder")
    course = _open(assignment, data, allow_no_sandbox=False)
    target = (output or folder / "graded").resolve()
    if not once:
        stderr.print(f"watching {folder}, pages appear in {target}; Ctrl-C ends it", highlight=False, soft_wrap=True)
    while True:
        for path in _arrived(folder, target, settled=0.0 if once else SETTLED_SECONDS):
            record = _grade(
                course, path, path.stem, _Output(target / f"{path.name}.json", target / f"{path.stem}.html")
            )
            said = f"{record.points:g} of {record.max_points:g}" if record.status not in EXIT_STATUS else record.why
            console.print(f"{path.name}: {said}", markup=False, highlight=False, soft_wrap=True)
        if once:
            return
        time.sleep(LOOK_EVERY)


@app.command("gradescope-archive", **help_for(OPERATOR, "course gradescope-archive lab1 autograder.zip"))
def gradescope_archive(
    assignment: Annotated[str, typer.Argument(help="A folder of source/.")],
    target: Annotated[Path, typer.Argument(help="The zip file to write.")],
) -> None:
    """Write the archive that Gradescope wants as "autograder configuration"; it holds the tests, keep it private."""
    from grading.hosts.archive import write_gradescope_archive

    write_gradescope_archive(terminal.repository(), assignment, target)
    console.print(f"{target}: upload it at Gradescope, Configure Autograder", highlight=False, soft_wrap=True)


def _open(assignment: str, data: Path | None, allow_no_sandbox: bool) -> "GradingRun":
    from grading.pipeline.run import open_course, options_from

    repository = terminal.repository()
    options = options_from(repository, data=data)
    with terminal.data_errors():
        try:
            return open_course(repository, assignment, options)
        except SandboxError as error:
            if not allow_no_sandbox:
                raise
            stderr.print(f"[bold white on red] NO ISOLATION [/] {error}", highlight=False)
            return open_course(repository, assignment, replace(options, isolation=Isolation.none))


def _note(assignment: str) -> Path:
    from grading.execution.ahead import note_of

    repository = terminal.repository()
    return note_of(Grading(config=load_config(repository)).cache_folder(repository), assignment)


def _grade(
    course: "GradingRun", handed_in: Path, student: str, output: _Output, pools: "Callable[[], Pools] | None" = None
) -> Record:
    from grading.pipeline.one import grade_one as graded_one

    with tempfile.TemporaryDirectory(prefix="course-one-") as scratch:
        done = graded_one(course, handed_in, student, Path(scratch), pools)
        if output.page is not None:
            write_atomically(output.page, _page(done))
    if output.record is not None:
        write_atomically(output.record, json.dumps(done.record.to_json(), indent=1))
    return done.record


def _page(done: "GradedHandIn") -> str:
    from grading.pages.feedback import explain, feedback_page
    from grading.scoring.explanation import Explanation

    return feedback_page(done.course, done.record, None, explain(done.course, done.record) or Explanation())


def _arrived(folder: Path, target: Path, settled: float) -> list[Path]:
    """List the hand-ins that are whole and newer than what was written about them."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file() or path.is_symlink():
            continue
        changed = path.stat().st_mtime
        written = target / f"{path.name}.json"
        if changed <= time.time() - settled and not (written.is_file() and written.stat().st_mtime >= changed):
            found.append(path)
    return found
