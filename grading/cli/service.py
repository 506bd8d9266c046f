"""Commands for the course as a service: serve and invite.

What is slow to load (nbgrader, the web server) is imported by the command that needs it.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.cli import terminal
from grading.cli.people import INSTRUCTOR, OPERATOR, help_for
from grading.cli.terminal import console, stderr
from grading.common.files import write_atomically
from grading.errors import GradingError
from grading.service.identity import Role

if TYPE_CHECKING:
    from grading.lms.roster import Student
    from grading.service.invitations import Invitation
    from grading.service.settings import Settings

app = typer.Typer()


@app.command(**help_for(OPERATOR, "course serve --port 8000"))
def serve(
    host: Annotated[str, typer.Option(help="Address of this machine to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; a reverse proxy with TLS stands before it.")] = 8000,
    demo: Annotated[
        str | None, typer.Option(help="Serve this assignment to a small class of nobody's, and print the links.")
    ] = None,
) -> None:
    """Serve the course: students hand in and see their pages at once, instructors watch. Ctrl-C ends it.

    Students come in by the links of `course invite`. See docs/service.md.
    """
    from grading.service.serve import Graders, check_sandbox
    from grading.service.serve import serve as run
    from grading.service.settings import read_settings

    course = terminal.repository() if demo is None else _demo_class(terminal.repository(), demo)
    settings = read_settings(course)
    if demo is not None:
        settings = replace(settings, url=f"http://{host}:{port}")
        _print_demo_links(settings)
    check_sandbox(settings)

    def say(_: Graders) -> None:
        stderr.print(f"{settings.url} is served from {host}:{port}; Ctrl-C ends it", highlight=False, soft_wrap=True)

    run(settings, host, port, say)


@app.command(**help_for(INSTRUCTOR, "course invite --output links.csv"))
def invite(
    who: Annotated[list[str] | None, typer.Argument(help="Ids; all of the roster by default.")] = None,
    role: Annotated[Role, typer.Option(help="What the links are for.")] = Role.student,
    again: Annotated[bool, typer.Option("--again", help="New links also for who has one; the old ones end.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="End the links of those who are named.")] = False,
    output: Annotated[Path | None, typer.Option(help="CSV for a mail merge; on the terminal by default.")] = None,
) -> None:
    """Make personal links, one for each; they are shown this once. Who has a link keeps it."""
    from grading.service import access
    from grading.service.audit import at_the_terminal
    from grading.service.database import Database
    from grading.service.invitations import as_csv
    from grading.service.invitations import invite as make_links
    from grading.service.settings import read_settings

    settings = read_settings(terminal.repository())
    with Database.open(settings.database) as database:
        if withdraw:
            if not who:
                raise GradingError("name whose links end: course invite --withdraw ID")
            ended = sum(access.withdraw(database, one, time.time(), at_the_terminal()) for one in who)
            console.print(f"{ended} links have ended", highlight=False)
            return
        people = _invited(settings, who or [], role)
        made = make_links(settings, database, people, role, again)
    _show(made, len(people), as_csv(made), output)


def _invited(settings: "Settings", who: Sequence[str], role: Role) -> "list[Student]":
    """Return who is to have a link; all of the roster, if nobody is named. Raises GradingError for who cannot."""
    from grading.lms.roster import Student
    from grading.pages.names import names_of
    from grading.service.invitations import the_class

    if role is Role.student:
        known = {one.id: one for one in the_class(settings.course)}
        if unknown := [one for one in who if one not in known]:
            raise GradingError(f"{', '.join(unknown)} is not in roster.csv")
        return [known[one] for one in who] if who else list(known.values())
    if not who:
        raise GradingError(f"name who is invited: course invite --role {role.value} NAME")
    if taken := set(who) & set(names_of(settings.course, True)):
        raise GradingError(f"{', '.join(sorted(taken))} is a student's id in roster.csv: choose another name")
    return [Student(one) for one in who]


def _demo_class(repository: Path, assignment: str) -> Path:
    """Make a course folder with one assignment and a small class; one that was made before is gone."""
    from grading.authoring.classroom import Classroom

    classroom = Classroom.create(repository, repository / ".demo" / "service", assignment)
    names = ["Ada Lovelace", "Alan Turing", "Grace Hopper", "Katherine Johnson"]
    lines = [f"{name.split()[0].lower()},{name},{name.split()[0].lower()}@example.org" for name in names]
    write_atomically(classroom.folder / "roster.csv", "\n".join(["id,name,email", *lines, ""]))
    (classroom.folder / "submitted").mkdir(exist_ok=True)
    return classroom.folder


def _print_demo_links(settings: "Settings") -> None:
    from grading.lms.roster import Student
    from grading.service.database import Database
    from grading.service.invitations import invite as make_links
    from grading.service.invitations import the_class

    with Database.open(settings.database) as database:
        for role, people in ((Role.student, the_class(settings.course)), (Role.instructor, [Student("instructor")])):
            for one in make_links(settings, database, people, role):
                typer.echo(f"{role.value} {one.student.id}: {one.link}")


def _show(made: "list[Invitation]", asked: int, text: str, output: Path | None) -> None:
    if output is not None:
        write_atomically(output, text)
        output.chmod(0o600)  # who has a link is let in
        console.print(f"{len(made)} links in {terminal.shown(output)}", highlight=False, soft_wrap=True)
    else:
        sys.stdout.write(text)
    if len(made) < asked:
        stderr.print(f"{asked - len(made)} have a link already; --again makes new ones", highlight=False)
