"""Commands for pages: feedback and report.

What is slow to load (nbgrader, notebooks, NumPy) is imported by the command that needs it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.cli import terminal
from grading.cli.people import INSTRUCTOR, help_for
from grading.cli.terminal import Names, console, progress_bar, stderr
from grading.common.names import REPORTS
from grading.common.text import short_list
from grading.pages.names import names_of

if TYPE_CHECKING:
    from grading.pipeline.run import GradingRun

app = typer.Typer()

Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]
Data = Annotated[Path | None, typer.Option(help="Folder of course data; else COURSE_DATA.")]
Withheld = Annotated[
    Path | None, typer.Option("--withheld", "--private", help="Folder of data that student code never sees.")
]
Output = Annotated[Path | None, typer.Option(help="Folder to write into; reports/<assignment> by default.")]


@app.command(**help_for(INSTRUCTOR, "course feedback lab1 --student s001"))
def feedback(
    assignment: Assignment,
    student: Annotated[list[str] | None, typer.Option(help="Only this student; may be repeated.")] = None,
    data: Data = None,
    withheld: Withheld = None,
    output: Output = None,
    names: Names = None,
) -> None:
    """Write a feedback page for each graded submission."""
    from grading.pages.feedback import read_records

    course = _open_to_read(assignment, data, withheld, student)
    folder = _output(course, output)
    _write_feedback(course, folder, len(read_records(course)), names_of(course.folder, names))
    console.print(f"feedback pages in {terminal.shown(folder / 'feedback')}", highlight=False, soft_wrap=True)


@app.command(**help_for(INSTRUCTOR, "course report lab1"))
def report(
    assignment: Assignment, data: Data = None, withheld: Withheld = None, output: Output = None, names: Names = None
) -> None:
    """Write the page about the whole class, and the feedback pages that it links to."""
    course = _open_to_read(assignment, data, withheld, None)
    console.print(f"report: {terminal.shown(write_report_with_progress(course, output, names))}", soft_wrap=True)


def _open_to_read(
    assignment: str, data: Path | None, withheld: Path | None, students: list[str] | None
) -> "GradingRun":
    from grading.pipeline.run import open_course, options_from

    folder = terminal.repository()
    with terminal.data_errors():
        return open_course(folder, assignment, options_from(folder, data=data, withheld=withheld, students=students))


def _output(course: "GradingRun", output: Path | None) -> Path:
    return (output or course.folder / REPORTS / course.assignment.name).resolve()


def _write_feedback(course: "GradingRun", folder: Path, total: int, names: Mapping[str, str]) -> None:
    from grading.pages.feedback import read_records, write_feedback

    with progress_bar("pages") as progress:
        task = progress.add_task("", total=total)
        gone = write_feedback(
            course, read_records(course), folder / "feedback", lambda _: progress.advance(task), names
        )
    if gone:
        stderr.print(
            f"{len(gone)} pages have no pictures, since the stored answers are gone "
            f"(`course grade {course.assignment.name}` makes them anew): {short_list(gone, 8)}",
            highlight=False,
        )


def write_report_with_progress(course: "GradingRun", output: Path | None = None, names: bool | None = None) -> Path:
    """Write the page about the class and the feedback pages; return the page's path."""
    from grading.authoring.similar import in_words, read_similar, similar_path
    from grading.pages.feedback import read_records
    from grading.pages.report import Hint, write_report

    folder = _output(course, output)
    records = read_records(course)
    known = names_of(course.folder, names)
    _write_feedback(course, folder, len(records), known)
    found = read_similar(similar_path(course))
    hints = [Hint((pair.a, pair.b), in_words(pair)) for pair in found.pairs] if found else []
    return write_report(course, records, folder, hints, known)
