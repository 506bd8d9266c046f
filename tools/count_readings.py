"""Grade three hand-ins as `course grade` does and print how often each was opened and rebuilt. Called by house.py.

Calls are counted by their names alone, so that checkouts with other rooms can be counted, too: `read_hand_in` opens a
hand-in, `rebuild` makes the notebook that runs.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import nbformat

NAME = "boxes_and_iou"
HAND_INS = 3
COUNTED = ("read_hand_in", "rebuild")
SOLUTION = "with_reference"
"""Runs the master's own solution, which is no hand-in, before any."""


def hand_in(checkout: Path, course: Path) -> None:
    """Make a course folder of the checkout's configuration and assignment, with three hand-ins that differ."""
    shutil.copy(checkout / "nbgrader_config.py", course)
    for folder in (f"source/{NAME}", "helpers"):
        shutil.copytree(checkout / folder, course / folder, ignore=shutil.ignore_patterns("__pycache__"))
    released = nbformat.read(checkout / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    for number in range(HAND_INS):
        for cell in released.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source += f"\n# {number}"
        path = course / "submitted" / f"student{number}" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(released, path)


def count_calls(counts: Counter[str]) -> None:
    """Count in this thread, from here on, the calls of the functions whose names count."""

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name in COUNTED and "grading" in frame.f_code.co_filename:
            counts[frame.f_code.co_name] += 1
        elif event == "return" and frame.f_code.co_name == SOLUTION:
            counts.clear()

    sys.setprofile(look)


def main() -> None:
    """Grade, and print the counts."""
    checkout = Path(sys.argv[1])
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        hand_in(checkout, Path(folder))
        os.chdir(folder)
        from grading.cli import main as course  # of the checkout: PYTHONPATH names it

        sys.argv = ["course", "grade", NAME, "--workers", "1"]
        count_calls(counts)
        with contextlib.suppress(SystemExit):
            course()
        sys.setprofile(None)
        os.chdir(checkout)
    if not counts:
        sys.exit("nothing was read: the names that are counted are called otherwise here")
    each = ", ".join(f"{name} {counts[name] / HAND_INS:g}" for name in COUNTED)
    print(f"readings of a hand-in, of {HAND_INS} new ones: {each}")


if __name__ == "__main__":
    main()
