"""Commands between the LMS and the grades: collect, export, and the whole way in one.

What is slow to load (nbgrader, notebooks, NumPy) is imported by the command that needs it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from grading.cli import terminal
from grading.cli.grade import grade_with_progress, print_grades
from grading.cli.pages import write_report_with_progress
from grading.cli.people import INSTRUCTOR, help_for
from grading.cli.terminal import Names, console, stderr
from grading.common.names import EXPORTS, REPORTS, ROSTER
from grading.config import course_directory, load_config
from grading.errors import GradingError
from grading.lms import collect as collecting
from grading.lms import export as exporting
from grading.lms.collect import Collected, Unplaced
from grading.lms.export import PAGE_TARGETS, Exported
from grading.lms.give_back import Returned, give_back
from grading.lms.roster import Roster, read_roster
from grading.pages.names import names_of
from grading.records.record import FAILED

if TYPE_CHECKING:
    from grading.pipeline.run import GradingRun

app = typer.Typer()


Download = Annotated[Path, typer.Argument(help="What the LMS gave: a zip or a folder.")]
Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]
RosterFile = Annotated[
    Path | None, typer.Option("--roster", help=f"CSV of the class; {ROSTER} of the course if it is there.")
]
Kind = Annotated[str | None, typer.Option(help="moodle, canvas, blackboard, google or plain; found out by default.")]
Zone = Annotated[str | None, typer.Option(help="Zone of times without one, such as Europe/Rome; this machine's.")]
Target = Annotated[
    str, typer.Option("--to", help="Grades: moodle, canvas, csv. Pages, as a zip: moodle-feedback, canvas-comments.")
]
Template = Annotated[
    Path | None,
    typer.Option(help="Moodle's grading worksheet or Canvas's gradebook, to be filled; for pages the LMS's download."),
]
Column = Annotated[str, typer.Option(help="The assignment's name in the LMS, if it is another.")]
Scale = Annotated[bool, typer.Option("--scale", help="Scale points where the LMS's maximum is another.")]
Output = Annotated[Path | None, typer.Option(help="The file to write; exports/<assignment>-<target>.csv by default.")]
Data = Annotated[Path | None, typer.Option(help="Folder of course data; else COURSE_DATA.")]
Withheld = Annotated[
    Path | None, typer.Option("--withheld", "--private", help="Folder of data that student code never sees.")
]


@app.command(**help_for(INSTRUCTOR, "course collect download.zip lab1 --roster roster.csv"))
def collect(
    download: Download, assignment: Assignment, roster: RosterFile = None, kind: Kind = None, timezone: Zone = None
) -> None:
    """Place what an LMS gave into submitted/. Exit status 1: something could not be placed, and is listed."""
    collected = _collect(download, assignment, _roster(roster), kind, timezone)
    raise typer.Exit(1 if collected.unplaced else 0)


@app.command(**help_for(INSTRUCTOR, "course export lab1 --to moodle --template worksheet.csv"))
def export(
    assignment: Assignment,
    to: Target,
    roster: RosterFile = None,
    template: Template = None,
    column: Column = "",
    scale: Scale = False,
    output: Output = None,
) -> None:
    """Write the grades, or the feedback pages, in the form that an LMS imports."""
    from grading.pipeline.run import open_course, options_from

    folder = terminal.repository()
    course = open_course(folder, assignment, replace(options_from(folder), data=None, withheld=None), asking=False)
    if to in PAGE_TARGETS:
        _give_back(course, to, _roster(roster), template, output)
    else:
        _export(course, to, _roster(roster), template, column, scale, output)


@app.command(**help_for(INSTRUCTOR, "course process download.zip lab1 --to csv"))
def process(
    download: Download,
    assignment: Assignment,
    to: Annotated[str | None, typer.Option("--to", help="As of `course export`; no file by default.")] = None,
    roster: RosterFile = None,
    kind: Kind = None,
    timezone: Zone = None,
    template: Template = None,
    column: Column = "",
    scale: Scale = False,
    data: Data = None,
    withheld: Withheld = None,
    names: Names = None,
) -> None:
    """From an LMS download to feedback in one: collect, grade, feedback, report and, with --to, export."""
    from grading.pipeline.plan import plan
    from grading.pipeline.reference import with_reference
    from grading.pipeline.run import open_course, options_from

    folder = terminal.repository()
    with terminal.data_errors():
        course = open_course(folder, assignment, options_from(folder, data=data, withheld=withheld))
    known = _roster(roster)
    collected = _collect(download, assignment, known, kind, timezone)
    course = with_reference(course)
    shown = names_of(folder, names)
    records = grade_with_progress(course, plan(course), shown)
    print_grades(assignment, records, shown)
    page = write_report_with_progress(course, names=names)
    console.print(f"report: {terminal.shown(page)}", soft_wrap=True, highlight=False)
    if to in PAGE_TARGETS:
        _give_back(course, to, known, template or download, None)
    elif to is not None:
        _export(course, to, known, template, column, scale, None)
    failed = any(record.status == FAILED for record in records)
    raise typer.Exit(1 if failed or collected.unplaced else 0)


def _roster(path: Path | None) -> Roster | None:
    usual = terminal.repository() / ROSTER
    if path is None and not usual.is_file():
        return None
    return read_roster(path or usual)


def _collect(
    download: Path, assignment: str, roster: Roster | None, kind: str | None, timezone: str | None
) -> Collected:
    from grading.pipeline.assignment import find_masters

    folder = terminal.repository()
    notebooks = [path.stem for path in find_masters(folder, assignment)]
    submitted = folder / course_directory(load_config(folder), "submitted")
    try:
        zone = ZoneInfo(timezone) if timezone else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise GradingError(f"no time zone {timezone!r}: give a name such as Europe/Rome") from error
    collected = collecting.collect(download, assignment, submitted, roster, kind, timezone=zone, notebooks=notebooks)
    console.print(
        f"{collected.kind}: {len(collected.placed)} placed, {len(collected.unchanged)} there already, "
        f"{len(collected.superseded)} older attempts, {len(collected.unplaced)} not placed",
        highlight=False,
    )
    for note in collected.notes:
        console.print(note, markup=False, highlight=False)
    _print_listed("Older attempts, left aside", collected.superseded)
    _print_listed("Could not be placed", collected.unplaced)
    return collected


def _print_listed(title: str, items: Sequence[Unplaced]) -> None:
    if items:
        console.print(f"{title}:")
    for item in items:
        console.print(f"  {item.name}: {item.reason}", markup=False, highlight=False, soft_wrap=True)


def _export(
    course: "GradingRun",
    to: str,
    roster: Roster | None,
    template: Path | None,
    column: str,
    scale: bool,
    output: Path | None,
) -> Exported:
    from grading.pages.grades import grades_of

    name = course.assignment.name
    path = output or course.folder / EXPORTS / f"{name}-{to}.csv"
    grades = grades_of(course, roster)
    exported = exporting.export(grades, to, path, roster, template, column=column or name, scale=scale)
    console.print(f"{len(exported.written)} grades in {terminal.shown(exported.path)}", soft_wrap=True, highlight=False)
    for title, students in (
        ("no grade yet", exported.without_grade),
        ("graded, but in neither the template nor the roster", exported.without_row),
    ):
        if students:
            stderr.print(f"{title}: {', '.join(students)}", markup=False, highlight=False)
    for note in exported.notes:
        console.print(note, markup=False, highlight=False)
    return exported


def _give_back(
    course: "GradingRun", to: str, roster: Roster | None, source: Path | None, output: Path | None
) -> Returned:
    """Write the pages that there are as an LMS takes them back; `course feedback` or `course report` makes them."""
    from grading.pages.feedback import FOLDER

    name = course.assignment.name
    folder = course.folder / REPORTS / name / FOLDER
    pages = {path.stem: path for path in sorted(folder.glob("*.html"))}
    if not pages:
        raise GradingError(f"there are no feedback pages yet: run `course report {name}` first")
    path = output or course.folder / EXPORTS / f"{name}-{to}.zip"
    notebooks = [notebook.name for notebook in course.assignment.notebooks]
    returned = give_back(pages, to, path, name, roster, source, notebooks)
    console.print(f"{len(returned.written)} pages in {terminal.shown(path)}", soft_wrap=True, highlight=False)
    if returned.without_place:
        stderr.print(
            f"not in the zip, as nothing says where they belong: {', '.join(returned.without_place)}",
            markup=False,
            highlight=False,
        )
    return returned
