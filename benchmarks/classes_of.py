"""Classes of submissions to grade: the same notebooks for our engine, for stock nbgrader and for otter."""

import ast
import copy
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import harness
import nbformat
from harness import Cost
from nbformat.v4 import new_code_cell, new_notebook

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.authoring.planted import Planted, read_planted
from grading.common.files import read_json
from grading.config import load_config
from grading.examiner.conversation import Conversation
from grading.examiner.examination import Examined
from grading.execution.job import Executed
from grading.pipeline.assignment import load_assignment
from grading.pipeline.grade import grade
from grading.pipeline.plan import Run, plan
from grading.pipeline.reference import with_reference
from grading.pipeline.run import GradingRun, open_course, options_from
from grading.release.preprocessors import FillCourse, InlineJson

WARM_UP = "boxes_and_iou"
FULL_SIZE = "object_detection"
_MARK = "made for a benchmark"
STOCK_CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"


def submissions(
    classroom: Classroom, count: int, names: tuple[str, ...] = (), edit: tuple[str, str] = ("", "")
) -> Iterator[tuple[str, str]]:
    """Students and their notebooks as text, no two alike: the planted submissions in turn (not those that kill).

    `names` are those to take, if not all; `edit` is a pattern and what to put for it in the planted cells.
    """
    released, solutions = classroom.released(), solution_cells(classroom.master())
    texts = []
    for item in _planted(classroom.assignment, names):
        cells = {**(solutions if item.origin == "master" else {}), **item.cells}
        cells = {name: re.sub(edit[0], edit[1], source) if edit[0] else source for name, source in cells.items()}
        notebook = fill_in(released, cells)
        notebook.cells.append(new_code_cell(f"# {_MARK}", id="own"))
        texts.append(nbformat.writes(notebook))
    for number in range(count):
        student = f"student-{number:05}"
        yield student, texts[number % len(texts)].replace(_MARK, student)


def _planted(assignment: str, names: tuple[str, ...]) -> list[Planted]:
    planted = read_planted(harness.ROOT / "source" / assignment / "planted")
    return [item for item in planted if (item.name in names if names else item.name != "dies")]


def our_class(
    folder: Path, assignment: str, notebooks: int, names: tuple[str, ...] = (), edit: tuple[str, str] = ("", "")
) -> Classroom:
    """A class that has handed in, in a course folder with the repository's own configuration."""
    classroom = Classroom.create(harness.ROOT, folder, assignment)
    for student, text in submissions(classroom, notebooks, names, edit):
        path = classroom.folder / "submitted" / student / assignment / classroom.notebook_name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return classroom


def grade_ours(classroom: Classroom, data: Path | None = None) -> Cost:
    """What `course grade` takes."""
    more = ["--data", data] if data else []
    return harness.run_command([harness.BIN / "course", "grade", classroom.assignment, *more], classroom.folder)


def forget(classroom: Classroom) -> None:
    """Take away everything that grading has left."""
    for name in (".cache", "autograded"):
        shutil.rmtree(classroom.folder / name, ignore_errors=True)
    (classroom.folder / "gradebook.db").unlink(missing_ok=True)


def points(classroom: Classroom) -> dict[str, float]:
    """Points by student, from the records."""
    found = {}
    for path in classroom.folder.glob(f"autograded/*/{classroom.assignment}/record.json"):
        found[path.parts[-3]] = float(json.loads(path.read_text(encoding="utf-8"))["points"])
    return found


@dataclass(frozen=True)
class Stored:
    """All that is stored of a run: what its cells gave, its conversation with the examiner, what came of the tests."""

    executed: Executed
    conversation: Conversation
    examined: Examined

    @classmethod
    def of(cls, course: GradingRun, run: Run) -> "Stored":
        """What was stored of a run. Raises RuntimeError if that is not all of it."""
        executed, examined = course.store.get(run.key), course.store.get_tests(run.tests)
        if executed is None or examined is None:
            raise RuntimeError(f"nothing is stored under {run.key}")
        return cls(executed, Conversation.from_json(read_json(course.store.conversation(run.key))), examined)

    def put(self, course: GradingRun, run: Run, mark: str = "") -> None:
        """Store it for another run; with a mark, under which nothing was said, its conversation is like no other."""
        exchanges = {**self.conversation.exchanges, **({mark: []} if mark else {})}
        course.store.put(run.key, self.executed, Conversation(exchanges, self.conversation.size))
        course.store.put_tests(run.tests, self.examined)


def opened(classroom: Classroom) -> GradingRun:
    """The class as `course grade` opens it: the master's own solution has been run."""
    return with_reference(open_course(classroom.folder, classroom.assignment, options_from(classroom.folder)))


def supply_answers(classroom: Classroom, alike: bool = True) -> None:
    """Store for each submission what the planted one that it is a copy of answers, so that none has to be run.

    Those of one kind have answered alike, and are examined together when a test changes, unless `alike` is False.
    """
    kinds = len(_planted(classroom.assignment, ()))
    course = opened(classroom)
    planned = plan(course).submissions
    students = tuple(submission.student for submission in planned[:kinds])
    first = replace(course, options=replace(course.options, students=students))
    grade(first, plan(first))
    answers = [Stored.of(course, submission.runs[0]) for submission in planned[:kinds]]
    for number, submission in enumerate(planned):
        answers[number % kinds].put(course, submission.runs[0], "" if alike else submission.student)


# --- stock nbgrader --------------------------------------------------------------------------------


def stock_course(folder: Path, classroom: Classroom) -> Path:
    """A course of stock nbgrader with the same assignment and the same hand-ins.

    The master is the one that students' copies were made of, with the links and numbers that our release writes into
    it, so that the cells are the same.
    """
    name = classroom.assignment
    source = folder / "source" / name
    source.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(STOCK_CONFIG, encoding="utf-8")
    config = load_config(classroom.folder)
    config.CourseDirectory.root = str(classroom.folder)
    resources = {
        "nbgrader": {"assignment": name, "notebook": name},
        "metadata": {"path": str(classroom.folder / "source" / name)},
    }
    notebook = copy.deepcopy(classroom.master())
    for step in (InlineJson, FillCourse):
        notebook, resources = step(config=config).preprocess(notebook, resources)
    nbformat.write(notebook, source / f"{name}.ipynb")
    shutil.copytree(classroom.folder / "submitted", folder / "submitted")
    nbgrader(folder, "generate_assignment", name)
    return folder


def nbgrader(folder: Path, command: str, assignment: str, *more: str, data: Path | None = None) -> Cost:
    """What a command of stock nbgrader takes; it runs with this environment's Python, without a sandbox."""
    variables = {
        "PATH": f"{harness.BIN}:/usr/local/bin:/usr/bin:/bin",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **({"COURSE_DATA": str(data)} if data else {}),
    }
    argv = [harness.BIN / "nbgrader", command, f"--assignment={assignment}", *more]
    return harness.run_command(argv, folder, variables)


def forget_stock(folder: Path, assignment: str) -> None:
    """Take away what stock grading has left, but not the assignment in its gradebook."""
    autograded = folder / "autograded"
    for path in [autograded, *autograded.rglob("*")] if autograded.is_dir() else []:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(autograded, ignore_errors=True)
    shutil.copy(folder / "fresh.db", folder / "gradebook.db")


# --- otter -----------------------------------------------------------------------------------------

OTTER_TEST = """\
OK_FORMAT = True

test = {test!r}
"""


def otter_exercise(folder: Path, classroom: Classroom, notebooks: Iterable[tuple[str, str]]) -> list[Path]:
    """The same exercise for otter: one test file for each grade cell, and the hand-ins with `grader.check`."""
    assignment = load_assignment(classroom.folder, classroom.assignment)
    tests = folder / "tests"
    tests.mkdir(parents=True)
    for cell in assignment.released.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name not in assignment.max_points:
            continue
        lines = [f">>> {ast.unparse(statement)}" for statement in ast.parse(cell.source).body]
        case = {"code": "\n".join(lines), "hidden": False, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": name, "points": assignment.max_points[name], "suites": [suite]}
        (tests / f"{name}.py").write_text(OTTER_TEST.format(test=test), encoding="utf-8")
    paths = []
    for student, text in notebooks:
        cells = [new_code_cell("import otter\ngrader = otter.Notebook()", id="otter")]
        for cell in nbformat.reads(text, as_version=4).cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.metadata = {}
            cells.append(new_code_cell(f'grader.check("{name}")') if name in assignment.max_points else cell)
        path = folder / "submitted" / f"{student}.ipynb"
        path.parent.mkdir(exist_ok=True)
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(new_notebook(cells=cells, metadata=kernel), path)
        paths.append(path)
    return paths
