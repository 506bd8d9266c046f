"""Commands for the master and its release: sync, twin, release.

What is slow to load (nbgrader, notebooks, NumPy) is imported by the command that needs it.
"""

from typing import Annotated

import typer

from grading.cli import terminal
from grading.cli.terminal import console
from grading.config import CONFIG_FILE
from grading.errors import ReleaseError

app = typer.Typer()

Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]


@app.command()
def sync(assignment: Assignment) -> None:
    """Make the master notebook from its text twin."""
    from grading.release.twin import write_notebook

    text = terminal.repository() / "source" / assignment / f"{assignment}.py"
    if not text.is_file():
        raise ReleaseError(f"there is no text twin {text}: `course twin {assignment}` writes it")
    console.print(f"wrote {write_notebook(text)}")


@app.command()
def twin(assignment: Assignment) -> None:
    """Write the text twin from the master notebook, after it was edited in Jupyter."""
    import nbformat

    from grading.release.twin import to_text

    notebook = terminal.repository() / "source" / assignment / f"{assignment}.ipynb"
    path = notebook.with_suffix(".py")
    try:
        master = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{notebook} could not be read ({error}): `course sync {assignment}` makes it") from error
    path.write_text(to_text(master), encoding="utf-8")
    console.print(f"wrote {path}")


@app.command()
def release(assignment: Assignment) -> None:
    """Build the student release of an assignment."""
    from grading.release.build import build

    built = build(terminal.repository(), assignment)
    console.print(f"built {terminal.shown(built.folder)}")
    if built.note:
        console.print(built.note, highlight=False)
    if built.leads_nowhere:
        console.print(f"Links in it lead nowhere yet: set c.Course.url in {CONFIG_FILE}.")
