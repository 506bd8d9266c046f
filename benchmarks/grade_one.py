"""One hand-in by `course grade-one`, and the same cells run by plain Python: what grading costs on top."""

import shutil
import statistics
import subprocess
from pathlib import Path

import classes_of
import harness
import nbformat
from harness import Cost, Goal, Section, Settings

MOST = 1.0
"""Seconds on top of the bare script that a hand-in may cost."""
FIRST = ("chrt", "-r", "1")
"""Before a command: nothing else that this machine does comes before it."""


def run(settings: Settings) -> list[Section]:
    """The warm-up's solution, which passes all tests; the course's cache is warm, as from the second hand-in on."""
    classroom = classes_of.our_class(settings.scratch / "course", classes_of.WARM_UP, 1, ("solution",))
    path = classroom.folder / "submitted" / "student-00000" / classroom.assignment / classroom.notebook_name
    script = _script(path, settings.scratch / "bare" / "cells.py", classroom.folder)
    first = _first()

    def graded() -> Cost:
        argv = [*first, harness.BIN / "course", "grade-one", path, "--assignment", classroom.assignment]
        return harness.run_command(argv, classroom.folder)

    def bare() -> Cost:
        variables = {"MPLBACKEND": "agg", "PYTHONPATH": str(classroom.folder)}
        return harness.run_command([*first, harness.BIN / "python", script], script.parent, variables)

    for way in (graded, graded, bare):
        way()
    costs = harness.alternate({"course grade-one": graded, "bare script": bare}, settings.rounds)
    pairs = zip(costs["course grade-one"], costs["bare script"], strict=True)
    overheads = [whole.wall - script.wall for whole, script in pairs]
    remarks = [f"Overhead, seconds: {harness.spread(overheads)}."]
    if first:
        remarks.append(f"Both run with `{' '.join(first)}`, so that other work on the machine takes less from them.")
    return [
        Section(
            name="grade_one",
            title="One hand-in of the warm-up by `course grade-one`",
            how="The whole command, from start to end, on a course whose cache is warm; and the code cells of the same "
            "notebook but the last, run by plain Python with the same imports: no kernel, no sandbox, no hidden tests.",
            columns=harness.COST_COLUMNS,
            rows=harness.cost_rows(costs, 1, "course grade-one"),
            goals=[Goal("`course grade-one`: seconds on top", MOST, statistics.median(overheads), at_most=True)],
            remarks=remarks,
            raw=harness.raw(costs),
        )
    ]


def _script(notebook: Path, script: Path, course: Path) -> Path:
    """Write a notebook's code cells as a script, into a folder with what was released beside them."""
    released = course / "release" / classes_of.WARM_UP
    if released.is_dir():
        shutil.copytree(released, script.parent)
    script.parent.mkdir(parents=True, exist_ok=True)
    cells = nbformat.read(notebook, as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code" and "ready_to_submit" not in cell.source]
    script.write_text("\n\n".join(["from IPython.display import display", *code]), encoding="utf-8")
    return script


def _first() -> tuple[str, ...]:
    """What comes before the commands, where that may be had."""
    if shutil.which(FIRST[0]) is None:
        return ()
    return FIRST if subprocess.run([*FIRST, "true"], check=False, capture_output=True).returncode == 0 else ()
