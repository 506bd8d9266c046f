"""The command `course`; its commands stand in a module for each kind of work.

In: what a person asks in a shell.
Out: lines, files and an exit status.
Called by nobody but the entry point, `main`.
"""

import gc
import logging
import os
import warnings
from typing import Annotated

import typer
from rich.logging import RichHandler
from rich.markup import escape

from grading.cli import audit, authoring, clean, grade, lms, one, pages, passback, personal, release, service
from grading.cli.people import EXAMPLES
from grading.cli.terminal import stderr
from grading.errors import CourseError

__all__ = ["app", "main"]

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells give it; typer's too."""

GARBAGE = 20_000
"""New objects after which Python looks for garbage: what is loaded is none, and is a million objects."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Release assignments, grade what is handed in, and give feedback. Each command's --help has an example.",
    epilog="\n\n".join(f"{person}: {example}" for person, example in EXAMPLES.items()),
)
for part in (release, authoring, grade, one, lms, pages, service, clean, personal, passback, audit):
    app.add_typer(part.app)


@app.callback()
def _options(verbose: Annotated[bool, typer.Option("--verbose", "-v")] = False) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=stderr, show_time=False, show_path=False)],
    )


def main() -> None:
    """Run the command; what a person can mend is one clear message and exit status 2, a bug shows its traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's log is for those who debug TensorFlow
    warnings.filterwarnings("ignore", module=r"nbgrader|sqlalchemy")
    gc.set_threshold(GARBAGE)
    try:
        app()
    except CourseError as error:
        stderr.print(f"[red]error:[/red] {escape(str(error))}", highlight=False)
        raise SystemExit(2) from None
    except KeyboardInterrupt:  # pressed where typer does not listen
        _say_interrupted()
        raise SystemExit(INTERRUPTED) from None
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _say_interrupted()
        raise
    finally:
        gc.freeze()  # else Python goes through all of it once more before it ends, which takes a third of a second


def _say_interrupted() -> None:
    stderr.print("stopped: what was graded is kept, `course grade` goes on from there", highlight=False)
