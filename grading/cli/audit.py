"""The command about who changed what in the service.

What is slow to load (SQLAlchemy) is imported by the command that needs it.
"""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from grading.cli import terminal
from grading.cli.people import INSTRUCTOR, help_for
from grading.cli.terminal import console

if TYPE_CHECKING:
    from grading.service.audit import Entry

app = typer.Typer()


@app.command(**help_for(INSTRUCTOR, "course audit --student s001"))
def audit(
    student: Annotated[str, typer.Option(help="Only what is about this student.")] = "",
    assignment: Annotated[str, typer.Option(help="Only what is about this assignment.")] = "",
    most: Annotated[int, typer.Option(min=1, help="Lines at most.")] = 100_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object for each line, as JSON.")] = False,
) -> None:
    """Show who changed what in the service, the newest first: extensions, feedback, links, answers, rules, ..."""
    from grading.service.audit import entries
    from grading.service.database import Database
    from grading.service.settings import read_settings

    with Database.open(read_settings(terminal.repository()).database) as database:
        found = entries(database, student, assignment, most=most)
    if as_json:
        sys.stdout.writelines(json.dumps({**one.as_json(), "deed": one.deed.name}) + "\n" for one in found)
        return
    for one in found:
        console.print(_line(one), markup=False, highlight=False, soft_wrap=True)
    if not found:
        console.print("Nothing was changed.")


def _line(one: "Entry") -> str:
    when = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    about = ", ".join(part for part in (one.assignment, one.about, one.details) if part)
    return f"{when}  {one.who} ({one.role}) {one.deed.value}{': ' if about else ''}{about}"
