"""Steps that this course adds to nbgrader's own autograde and generate_feedback; switched on in nbgrader_config.py."""

import re
from pathlib import Path

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_task

from grading.config import Grading, hand_in_rules
from grading.errors import GradingError
from grading.execution.workers import run_all
from grading.intake.hand_in import HandedNotebook, HandIn, read_hand_in
from grading.options import Options
from grading.pipeline.grade import keep, notebooks_of, score
from grading.pipeline.plan import plan_one
from grading.pipeline.reference import with_reference
from grading.pipeline.run import open_course
from grading.records.deadlines import enter_penalty
from grading.records.record import GRADED

_HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE)

_SCHEME = re.compile(r"^[ \t]*### BEGIN MARK SCHEME.*?### END MARK SCHEME[^\n]*\n?", re.DOTALL | re.MULTILINE)


class ExecuteSandboxed(NbGraderPreprocessor):
    """Run a submission in the same sandbox as `course grade`, and have it scored in the same way.

    Points are decided outside the sandbox and put where nbgrader looks for them.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Execute the sanitised submission that nbgrader hands over, and return it."""
        folder = Path(CourseDirectory(parent=self).root).resolve()
        options = Options(**Grading(parent=self).options())
        return _graded(folder, nb, resources, options), resources


def _graded(folder: Path, nb: NotebookNode, resources: ResourcesDict, options: Options) -> NotebookNode:
    names = resources["nbgrader"]
    course = with_reference(open_course(folder, names["assignment"], options))
    name = names["notebook"]
    beside = read_hand_in(Path(resources["metadata"]["path"]), names["student"], f"{name}.ipynb").extras
    handed_in = {one.name: HandedNotebook(refusal="It is graded by itself.") for one in course.assignment.notebooks} | {
        name: HandedNotebook(nbformat.writes(nb).encode(), f"{name}.ipynb")
    }
    planned = plan_one(course, HandIn(names["student"], handed_in, extras=beside))
    (submission,) = planned.submissions
    failures: dict[str, str] = {}
    runs = {run.key: run for run in submission.runs}
    for outcome in run_all(planned.jobs, course.options.workers):
        keep(course, planned.jobs[outcome.key], runs[outcome.key], outcome, failures)
    record = score(course, submission, failures)
    if record.status != GRADED:
        raise GradingError(f"{names['student']}: {record.why}")
    return notebooks_of(course, submission, record)[name]


class LatePenaltiesByRules(AssignLatePenalties):
    """Take off for lateness what `course grade` takes off: by the rules of hand-ins, or else by nbgrader's plug-in."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Enter the penalty into the gradebook; the notebook stays as it is."""
        names = resources["nbgrader"]
        rules = hand_in_rules(Path(CourseDirectory(parent=self).root))
        self.init_plugin()
        with Gradebook(names["db_url"]) as gradebook:
            enter_penalty(gradebook, names["assignment"], names["student"], names["notebook"], rules, self.plugin_inst)
        return nb, resources


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
