"""The command that removes what nothing refers to any more."""

from collections.abc import Sequence
from typing import Annotated

import typer

from grading.cli import terminal
from grading.cli.people import OPERATOR, help_for
from grading.cli.terminal import console
from grading.pipeline.clean import Leftover, leftovers, remove

app = typer.Typer()


@app.command(**help_for(OPERATOR, "course clean --yes"))
def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this, it is only shown.")] = False,
) -> None:
    """Show, and with --yes remove, stored results, views and notes that nothing refers to; never a record or hand-in.

    What was touched within a day stays: somebody may be about to use it. What goes can be made again.
    """
    repository = terminal.repository()
    found = leftovers(repository)
    if not found:
        console.print("Nothing is left over.")
        return
    for line in summary(found):
        console.print(line, markup=False, highlight=False)
    if yes:
        remove(repository, found)
        console.print("Removed.")
    else:
        console.print("`course clean --yes` removes it.")


def summary(found: Sequence[Leftover]) -> list[str]:
    """Return a line for each kind: how many, and how much room they take."""
    kinds = dict.fromkeys(item.kind for item in found)
    return [_leftover_line(kind, [item.bytes for item in found if item.kind == kind]) for kind in kinds]


def _leftover_line(kind: str, sizes: Sequence[int]) -> str:
    return f"{len(sizes):>7}  {sum(sizes) / 2**20:>9.1f} MiB  {kind}"
