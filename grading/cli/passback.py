"""Commands that ask the LMS: its grades beside those of the gradebook, and its class list.

What is slow to load (nbgrader, SQLAlchemy) is imported by the command that needs it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from grading.cli import terminal
from grading.cli.people import INSTRUCTOR, help_for
from grading.cli.terminal import console
from grading.errors import GradingError

if TYPE_CHECKING:
    from grading.lti.outbox import Difference, Entry, Outbox
    from grading.service.database import Database
    from grading.service.lms import Door

app = typer.Typer()


@app.command(**help_for(INSTRUCTOR, "course passback lab1"))
def passback(
    assignment: Annotated[str, typer.Argument(help="A folder of source/.")],
    again: Annotated[bool, typer.Option("--again", help="Send once more what was refused or given up.")] = False,
) -> None:
    """Show which grades of the LMS differ from the gradebook's, and which scores it has not taken and why.

    Exit status 0: the LMS has what the gradebook has. The service sends grades by itself; see docs/lti.md.
    """
    from anyio import run

    with _to_the_lms() as (_, door):
        columns = door.passback.columns(assignment)
        if not columns:
            said = f"nobody has opened a link to {assignment!r} in the LMS yet, so no column is known for it"
            raise GradingError(said)
        different = 0
        for platform, line_item in columns:
            for entry in door.passback.outbox.entries(platform, line_item):
                _show_entry(door.passback.outbox, entry, again)
            for one in run(door.passback.compare, platform, assignment, line_item):
                different += 1
                console.print(_in_words(one, door.passback.students(platform)), markup=False, highlight=False)
    if not different:
        console.print("The LMS has what the gradebook has.")
    raise typer.Exit(1 if different else 0)


@app.command(**help_for(INSTRUCTOR, "course roster"))
def roster() -> None:
    """Update roster.csv from the LMS: who is new is added, names and addresses are taken over, nobody is removed.

    Somebody must have opened the course from the LMS once. Exit status 1: somebody had to be left out.
    """
    from anyio import run

    from grading.service.audit import at_the_terminal
    from grading.service.lms import ids_of, new_id
    from grading.service.lms_roster import members, note_update, students_among, update_roster

    with _to_the_lms() as (database, door):
        listed = run(members, database, door.lti.key, door.lti.platforms)
        made = update_roster(door.settings.course, *students_among(listed, ids_of(database), new_id))
        note_update(database, at_the_terminal(), made)
    for said, students in (("new", made.new), ("changed", made.changed), ("not in the LMS (kept)", made.absent)):
        for one in students:
            console.print(f"{said}: {one.id} {one.full_name}".rstrip(), markup=False, highlight=False, soft_wrap=True)
    for why in made.refused:
        console.print(f"left out: {why}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"roster.csv: {len(made.new)} new, {len(made.changed)} changed, {len(made.absent)} not in the LMS")
    raise typer.Exit(1 if made.refused else 0)


@contextmanager
def _to_the_lms() -> "Iterator[tuple[Database, Door]]":
    """Give the service's database, which is closed after the block, and its door to the LMS."""
    from grading.service.database import Database
    from grading.service.lms import open_door
    from grading.service.settings import read_settings

    settings = read_settings(terminal.repository())
    with Database.open(settings.database) as database:
        door = open_door(settings, database)
        if door is None:
            raise GradingError("no platform is registered: docs/lti.md says how (c.LtiSettings.platforms)")
        yield database, door


def _show_entry(outbox: "Outbox", entry: "Entry", again: bool) -> None:
    """Show a score that the LMS has not got, with its last answer; send it once more if asked to."""
    from grading.lti.outbox import State

    if entry.state in (State.sent, State.replaced):
        return
    answers = outbox.answers_to(entry.id)
    said = f"{answers[-1].status or 'no answer'}: {answers[-1].said[:200]}" if answers else "not tried yet"
    line = f"{entry.score.hand_in}: {entry.state}, tried {entry.tries} times, {said}"
    if again and outbox.try_again(entry.id, time.time()):
        line += "; it is sent once more"
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _in_words(one: "Difference", students: dict[str, str]) -> str:
    here = "no grade" if one.here is None else f"{one.here[0]:g} of {one.here[1]:g}"
    has = one.there is not None and one.there.points is not None
    there = f"{one.there.points:g} of {one.there.max_points or 0:g}" if one.there is not None and has else "no grade"
    return f"{students.get(one.user, one.user)}: here {here}, there {there}"
