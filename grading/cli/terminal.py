"""Parts that the commands share: the two consoles, the progress bar, and where the course is."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import cell_len
from rich.console import Console

from grading.config import CONFIG_FILE
from grading.errors import CourseError, GradingError

if TYPE_CHECKING:
    from rich.progress import Progress

Names = Annotated[
    bool | None,
    typer.Option("--names/--no-names", help="Show names of the roster, or ids only; else as c.Grading.names says."),
]
"""Option of every command that shows people."""

console = Console()
stderr = Console(stderr=True)


def progress_bar(doing: str, said: Callable[[], str] = str) -> "Progress":
    """Return a bar on stderr: done of all, time gone, and what `said` returns when it is drawn.

    No time left is guessed: one submission may run for as long as all the others.
    """
    from rich.progress import (  # slow to load
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class Said(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(said())

    return Progress(
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        Said(),
        console=stderr,
    )


class DataError(CourseError):
    """Course data is missing or damaged; the message is that of `helpers`."""


@contextmanager
def data_errors() -> Iterator[None]:
    """Turn what `helpers` raises on purpose, in words, into a DataError; anything else is a bug and stays as it is."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").partition(".")[0] != "helpers":
            raise
        raise DataError(str(error)) from error


def plain_table(rows: Sequence[Sequence[str]], to_the_left: int = 1) -> list[str]:
    """Return the lines of a table, the first columns to the left and figures to the right.

    Lines are as long as they must be, so that they can be searched in a file; for a class of a thousand rich's Table
    takes half a second, which is all that a run with nothing to do may take.
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text + blanks if column < to_the_left else blanks + text
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
            for blanks in [" " * (width - cell_len(text))]
        )
        for row in rows
    ]


def repository() -> Path:
    """Return the course folder: the nearest folder from here upwards with an nbgrader_config.py."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / CONFIG_FILE).is_file() and (folder / "source").is_dir():
            return folder
    raise GradingError(f"no {CONFIG_FILE} with source/ here or above: run `course` inside a course repository")


def shown(path: Path) -> Path:
    """Return the path relative to the working directory, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
