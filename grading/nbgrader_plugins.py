"""What this course adds to nbgrader's own autograde and generate_feedback; switched on in nbgrader_config.py."""

import os
import re
from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Integer, Unicode

from grading.execute import Environment, Limits, Store, execute_once

_HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE)


class ExecuteOnce(NbGraderPreprocessor):
    """Runs the notebook in a kernel of its own, or takes what was stored when the same was run before."""

    cell_seconds = Integer(600, help="Seconds a cell may run before it is interrupted.").tag(config=True)
    notebook_seconds = Integer(1200, help="Seconds a notebook may run in all.").tag(config=True)
    threads = Integer(1, help="Threads TensorFlow may use in one operation.").tag(config=True)
    store = Unicode(".cache/executed", help="Folder of executed notebooks.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Called by nbgrader with the sanitised submission; gives it back executed."""
        environment, limits, store = self.settings()
        cwd = Path(resources["metadata"]["path"])
        return execute_once(nb, environment, limits, cwd, store), resources

    def settings(self) -> tuple[Environment, Limits, Store]:
        """The environment, limits and store that this configuration asks for."""
        data = os.environ.get("COURSE_DATA")
        return (
            Environment(data=Path(data) if data else None, threads=self.threads),
            Limits(self.cell_seconds, self.notebook_seconds),
            Store(Path(self.store).resolve()),
        )


class StderrIsNotFailure(NbGraderPreprocessor):
    """nbgrader gives no points to a cell that wrote to stderr, where TensorFlow logs: show it as plain text."""

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
    """Takes hidden tests out of the feedback: their source, and the traceback that would quote it."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Leave the cell's visible source, its printed words and the message of its error."""
        if is_grade(cell) and _HIDDEN.search(cell.source):
            cell.source = _HIDDEN.sub("### HIDDEN TESTS\n", cell.source)
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources
