"""From opening a release to its first trained model: how long a student waits, in the sandbox that grading uses.

The cell that trains it is tagged `first-model`. Everything above it is run, demonstrations and tests too, as a student
does who reads and presses the key: exercises that are not done yet fail, and the next cell follows.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat

from grading.config import course_directory, load_config
from grading.errors import GradingError
from grading.execution.execute import execute
from grading.execution.job import Cell, Job
from grading.options import Options
from grading.sandbox.kernel import Environment

TAG = "first-model"


@dataclass(frozen=True)
class FirstModel:
    """The time to the first trained model, and what was run for it."""

    seconds: float
    """From before the kernel starts to after the training."""
    cells: int
    cell: str
    """Id of the cell that trains it."""
    last_line: str
    """What the training printed last."""


def time_to_first_model(repository: Path, assignment: str, options: Options) -> FirstModel:
    """Run the release of an assignment up to its first trained model.

    Raises GradingError if no notebook of the release has such a cell, or if the training failed.
    """
    release = repository / course_directory(load_config(repository), "release") / assignment
    for path in sorted(release.glob("*.ipynb")):
        code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        marked = [place for place, cell in enumerate(code) if TAG in cell.metadata.get("tags", [])]
        if marked:
            cells = tuple(Cell(cell.id, cell.source) for cell in code[: marked[0] + 1])
            return _timed(repository, cells, options)
    raise GradingError(f"no notebook of release/{assignment} has a code cell with the tag {TAG!r}: the first training")


def _timed(repository: Path, cells: tuple[Cell, ...], options: Options) -> FirstModel:
    data = {path.name: path for path in options.data.iterdir()} if options.data is not None else {}
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(data, Path(folder), {}, repository / "helpers", {})
        begun = time.monotonic()
        executed = execute(Job(cells, (), (), environment, options.limits, options.isolation))
        seconds = time.monotonic() - begun
    outputs = executed.outputs.get(cells[-1].id, [])
    failed = next((output["evalue"] for output in outputs if output["output_type"] == "error"), "")
    printed = "".join(output["text"] for output in outputs if output["output_type"] == "stream").splitlines()
    if failed or not printed:
        raise GradingError(f"the first model was not trained: {failed or 'its cell did not run'}")
    return FirstModel(seconds, len(cells), cells[-1].id, printed[-1])
