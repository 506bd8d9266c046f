"""What the commands share: the two consoles, the progress bar, and where the course is."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from grading.config import CONFIG_FILE

if TYPE_CHECKING:
    from rich.progress import Progress

console = Console()
stderr = Console(stderr=True)


def progress_bar(doing: str) -> "Progress":
    """A bar on stderr: done, in all, time gone, time left, and a description."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=stderr,
    )


def repository() -> Path:
    """The course folder: the nearest folder from here upwards with an nbgrader_config.py."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / CONFIG_FILE).is_file() and (folder / "source").is_dir():
            return folder
    raise FileNotFoundError(f"no {CONFIG_FILE} with source/ here or above: run `course` inside a course repository")


def shown(path: Path) -> Path:
    """A path as a person here would write it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
