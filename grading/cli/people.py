"""The people for whom the commands are: `course --help` lists them by person, and each has an example."""

from typing import TypedDict

STUDENT = "For students, and to look around"
AUTHOR = "For authors of assignments"
INSTRUCTOR = "For instructors"
OPERATOR = "For who runs the machine"
PEOPLE = (STUDENT, AUTHOR, INSTRUCTOR, OPERATOR)
"""In the order of the help."""


EXAMPLES = {
    STUDENT: "course demo lab1",
    AUTHOR: "course verify lab1",
    INSTRUCTOR: "course process download.zip lab1 --to csv",
    OPERATOR: "course clean --yes",
}
"""What each begins with."""


class Help(TypedDict):
    """Arguments of typer's `command` about help."""

    rich_help_panel: str
    epilog: str


def help_for(person: str, example: str) -> Help:
    """Return where the help lists a command, and the example below it."""
    return Help(rich_help_panel=person, epilog=f"Example: {example}")
