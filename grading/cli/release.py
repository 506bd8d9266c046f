"""Commands for the master and its release: sync, twin, release.

What is slow to load (nbgrader, notebooks, NumPy) is imported by the command that needs it.
"""

from pathlib import Path
from typing import Annotated

import typer

from grading.cli import terminal
from grading.cli.people import AUTHOR, help_for
from grading.cli.terminal import console
from grading.config import CONFIG_FILE, course_directory, load_config
from grading.errors import ReleaseError

app = typer.Typer()

Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]
Notebook = Annotated[str, typer.Argument(help="One of its notebooks, without .ipynb; else each.")]


@app.command(**help_for(AUTHOR, "course sync lab1"))
def sync(assignment: Assignment, notebook: Notebook = "") -> None:
    """Make the master notebooks from their text twins."""
    from grading.release.twin import twins_of, write_notebook

    source = _source(assignment)
    twins = [path for path in twins_of(source) if path.stem == (notebook or path.stem)]
    if not twins:
        raise ReleaseError(f"there is no text twin in source/{assignment}: `course twin {assignment}` writes one")
    for path in twins:
        console.print(f"wrote {terminal.shown(write_notebook(path))}")


@app.command(**help_for(AUTHOR, "course twin lab1"))
def twin(assignment: Assignment, notebook: Notebook = "") -> None:
    """Write the text twins from the master notebooks, after these were edited in Jupyter.

    Those that have a twin get it written anew; if none has, or one is named, a twin is made.
    """
    from grading.release.masters import master_paths
    from grading.release.twin import has_twin, write_twin

    paths = master_paths(_source(assignment))
    chosen = [path for path in paths if path.stem == notebook] if notebook else list(filter(has_twin, paths)) or paths
    if not chosen:
        raise ReleaseError(f"source/{assignment} holds no notebook {notebook}".rstrip())
    for path in chosen:
        console.print(f"wrote {terminal.shown(write_twin(path))}")


def _source(assignment: str) -> Path:
    root = terminal.repository()
    source = root / course_directory(load_config(root), "source") / assignment
    if not source.is_dir():
        raise ReleaseError(f"there is no assignment {assignment!r} in {source.parent.name}/")
    return source


@app.command(**help_for(AUTHOR, "course release lab1"))
def release(assignment: Assignment) -> None:
    """Build the student release of an assignment."""
    from grading.release.build import build

    built = build(terminal.repository(), assignment)
    console.print(f"built {terminal.shown(built.folder)}")
    if built.note:
        console.print(built.note, highlight=False)
    if built.leads_nowhere:
        console.print(f"Links in it lead nowhere yet: set c.Course.url in {CONFIG_FILE}.")
