"""Commands for one student's data: give it out, and forget it.

What is slow to load (nbgrader, SQLAlchemy) is imported by the command that needs it.
"""

import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grading.cli import terminal
from grading.cli.people import OPERATOR, help_for
from grading.cli.terminal import console
from grading.config import CONFIG_FILE
from grading.errors import GradingError

if TYPE_CHECKING:
    from grading.pipeline.personal import Everything, Personal
    from grading.service.database import Database

app = typer.Typer()

Student = Annotated[str, typer.Argument(help="A student's id.")]
Rows = Mapping[str, list[dict[str, Any]]]
"""What the service has, by table."""


@app.command(**help_for(OPERATOR, "course forget s001 --yes"))
def forget(
    student: Student, yes: Annotated[bool, typer.Option("--yes", help="Do not ask before anything is removed.")] = False
) -> None:
    """Remove everything about a student: hand-ins, records, grades, pages, what is stored, and lines of tables."""
    from grading.service.personal import forget_in_service

    course, found, rows = _found(student)
    for line in _in_words(course, found, rows):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not yes and not sys.stdin.isatty():
        raise GradingError("nothing was removed: nobody can be asked here, so say --yes")
    if not yes and not typer.confirm(f"Remove all of this about {student} for good?"):
        raise typer.Exit(1)
    said = course.forget(found)
    with _service(course) as opened:
        said += forget_in_service(*opened, student) if opened is not None else []
    console.print("Removed:")
    for line in said:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    for line in _left_to_do(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command("data-of", **help_for(OPERATOR, "course data-of s001 --output s001.zip"))
def data_of(student: Student, output: Annotated[Path, typer.Option(help="The zip to write.")]) -> None:
    """Write everything about a student into one zip, for the student: data protection rules ask for that."""
    from grading.pipeline.personal import write_out
    from grading.service.personal import files_of

    course, found, rows = _found(student)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        write_out(course, found, {"service": rows} if rows else {}, archive)
        with _service(course) as opened:
            files = files_of(opened[1], rows) if opened is not None else {}
        for name, path in files.items():
            archive.write(path, name)
    console.print(f"wrote {terminal.shown(output.resolve())}", highlight=False, soft_wrap=True)


def _found(student: str) -> "tuple[Everything, Personal, Rows]":
    """Return what is known of a student. Raises GradingError if that is nothing."""
    from grading.pipeline.personal import Everything
    from grading.service.personal import in_service

    course = Everything(terminal.repository())
    found = course.about(student)
    with _service(course) as opened:
        rows: Rows = in_service(opened[0], student) if opened is not None else {}
    if found.is_nothing and not rows:
        raise GradingError(f"nothing is known of {student!r} in {course.folder.name}/")
    return course, found, rows


@contextmanager
def _service(course: "Everything") -> "Iterator[tuple[Database, Path] | None]":
    """Give the service's database, which is closed after the block, and folder; None if there is no service."""
    from grading.service.database import Database
    from grading.service.settings import read_settings

    settings = read_settings(course.folder)
    local = "sqlite:///"
    if settings.database.startswith(local) and not Path(settings.database.removeprefix(local)).is_file():
        yield None
        return
    with Database(settings.database) as database:
        yield database, settings.folder


def _in_words(course: "Everything", found: "Personal", rows: Rows) -> Sequence[str]:
    """Say what there is about a student, line by line."""
    own = [*found.folders, *found.pages]
    lines = [f"{path.relative_to(course.folder)}" for path in own]
    lines += [f"{name}: {len(table) - 1} lines" for name, table in found.lines.items()]
    if found.gradebook is not None:
        lines.append(f"the gradebook: {len(found.gradebook['submissions'])} submissions")
    lines += [f"the service: {len(table)} of {name}" for name, table in rows.items()]
    lines += [f"{len(found.cached)} stored results"] if found.cached else []
    shared = [str(path.relative_to(course.folder)) for path in found.shared if path.is_relative_to(course.folder)]
    return lines + [f"{name} (about others, too; it can be made again)" for name in shared]


def _left_to_do(found: "Personal") -> Sequence[str]:
    """Say what only a person can remove."""
    left = ["Not touched: the LMS, copies of what you exported or mailed, and backups."]
    if found.configured:
        left.append(f"{found.student} stands in {CONFIG_FILE} (c.HandIns): take the line out by hand.")
    return left
