"""Steps that this course adds to nbgrader's own autograde and generate_feedback; switched on in nbgrader_config.py."""

import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_task

from grading.common.notebooks import DEMO_TAG
from grading.config import Grading
from grading.errors import GradingError
from grading.execution.execute import execute
from grading.execution.job import Cell, Job
from grading.execution.workers import run_all
from grading.intake.hand_in import HandedNotebook, HandIn, read_hand_in
from grading.options import Options
from grading.pipeline.assignment import has_scoring
from grading.pipeline.grade import notebooks_of, score
from grading.pipeline.plan import plan_one
from grading.pipeline.run import open_course
from grading.records.executed_notebook import SKIPPED
from grading.records.record import GRADED
from grading.sandbox.bubblewrap import check
from grading.sandbox.kernel import Environment

_HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE)

_SCHEME = re.compile(r"^[ \t]*### BEGIN MARK SCHEME.*?### END MARK SCHEME[^\n]*\n?", re.DOTALL | re.MULTILINE)


class ExecuteSandboxed(NbGraderPreprocessor):
    """Run a submission in the same sandbox as `course grade`, and have it scored in the same way.

    The points of an assignment with a `scoring.py` are decided outside the sandbox and put where nbgrader looks for
    them. Without one, the notebook's own tests decide, inside: then student code can reach them.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Execute the sanitised submission that nbgrader hands over, and return it."""
        folder = Path(CourseDirectory(parent=self).root).resolve()
        options = Options(**Grading(parent=self).options())
        if has_scoring(folder, resources["nbgrader"]["assignment"]):
            return _scored_outside(folder, nb, resources, options), resources
        return _tested_inside(folder, nb, Path(resources["metadata"]["path"]), options), resources


def _scored_outside(folder: Path, nb: NotebookNode, resources: ResourcesDict, options: Options) -> NotebookNode:
    names = resources["nbgrader"]
    course = open_course(folder, names["assignment"], options)
    name = names["notebook"]
    beside = read_hand_in(Path(resources["metadata"]["path"]), names["student"], f"{name}.ipynb").extras
    handed_in = {one.name: HandedNotebook(refusal="It is graded by itself.") for one in course.assignment.notebooks} | {
        name: HandedNotebook(nbformat.writes(nb).encode(), f"{name}.ipynb")
    }
    planned = plan_one(course, HandIn(names["student"], handed_in, extras=beside))
    (submission,) = planned.submissions
    failures = {}
    for outcome in run_all(planned.jobs, course.options.workers):
        if outcome.executed is None:
            failures[outcome.key] = outcome.failure
        else:
            course.store.put(outcome.key, outcome.executed)
    record = score(course, submission, failures)
    if record.status != GRADED:
        raise GradingError(f"{names['student']}: {record.why}")
    return notebooks_of(course, submission, record)[name]


def _tested_inside(folder: Path, nb: NotebookNode, cwd: Path, options: Options) -> NotebookNode:
    """Run every cell that does not only demonstrate, the tests too; files beside the notebook can be read."""
    check(options.isolation)
    cells = tuple(
        Cell(cell.id, cell.source, DEMO_TAG in cell.metadata.get("tags", []) and not is_grade(cell))
        for cell in nb.cells
        if cell.cell_type == "code"
    )
    beside = {path.name: path for path in cwd.iterdir() if path.is_file() and path.suffix != ".ipynb"}
    data = {path.name: path for path in options.data.iterdir()} if options.data else {}
    with tempfile.TemporaryDirectory() as no_questions:
        environment = Environment(data, Path(no_questions), beside, folder / "helpers", {"TF_CPP_MIN_LOG_LEVEL": "3"})
        executed = execute(Job(cells, (), (), environment, options.limits, options.isolation))
    for cell in nb.cells:
        if cell.cell_type == "code":
            skipped: list[dict[str, Any]] = [{"output_type": "stream", "name": "stdout", "text": SKIPPED}]
            cell.outputs = [nbformat.from_dict(output) for output in executed.outputs.get(cell.id, skipped)]
    return nb


class StderrIsNotFailure(NbGraderPreprocessor):
    """Show what a cell wrote to stderr, where TensorFlow logs, as plain text: else nbgrader gives no points for it."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Turn each stderr stream of the cell into displayed text."""
        if cell.cell_type == "code":
            cell.outputs = [_shown_if_stderr(output) for output in cell.outputs]
        return cell, resources


def _shown_if_stderr(output: NotebookNode) -> NotebookNode:
    if output.output_type == "stream" and output.name == "stderr":
        return new_output("display_data", data={"text/plain": output.text}, metadata={"stream": "stderr"})
    return output


class HideHiddenTests(NbGraderPreprocessor):
    """Take hidden tests out of the feedback, with the traceback that would quote them, and mark schemes."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Leave the cell's visible source, its printed words and the message of its error."""
        if is_grade(cell) and _HIDDEN.search(cell.source):
            cell.source = _HIDDEN.sub("### HIDDEN TESTS\n", cell.source)
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        elif is_task(cell):
            cell.source = _SCHEME.sub("", cell.source)
        return cell, resources
