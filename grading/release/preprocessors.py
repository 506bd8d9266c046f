"""Steps that a master goes through, besides nbgrader's own, on its way to students.

nbgrader runs these from `GenerateAssignment.preprocessors`, in the order of `grading.release.steps`.
"""

import json
import math
import re
import tempfile
import textwrap
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearSolutions,
    Execute,
    IncludeHeaderFooter,
    NbGraderPreprocessor,
)
from nbgrader.utils import find_all_files
from traitlets import Bool, Unicode
from traitlets import List as ListOf
from traitlets.config import Configurable

from grading.common.notebooks import cell_name
from grading.config import Course, Grading
from grading.errors import ReleaseError
from grading.release.beside import sort_files
from grading.release.instantiate import Instantiator, instantiate
from grading.release.leaks import Secret, Text, file_texts, find_leaks, not_shown, notebook_texts, secrets
from grading.release.markers import SCHEME, SOLUTION, TESTS, Marks, check_markers, shown_lines
from grading.release.masters import accept, master_paths, name_cells, read_master
from grading.release.wheel import build_wheel, is_library, wheel_name

Processed = tuple[NotebookNode, dict[str, Any]]

INLINE_TAG = "inline-json"
INLINE = re.compile(r"""(?P<start>\s*\w+ = )json\.loads\(Path\("(?P<path>[^"]+)"\)\.read_text\(encoding="utf-8"\)\)""")
TOKEN = re.compile(r"@[A-Z][A-Z_]*@")
CELLS = "@COURSE_CELLS@"
POINTS = re.compile(r"""(?P<quote>"?)@POINTS(?::(?P<cell>[\w-]+))?@(?P=quote)""")
HIDDEN, SHOWN = "hidden_lines", "shown_lines"
"""In the resources: what the master hides from students, and what it shows them."""
FILES_LATER = "files_are_checked_later"
"""In the resources, where the files beside the notebooks are chosen and checked by who runs the steps."""
CLOSE_TOKEN = 0.75
"""A word between @ and @ that is as near as this to one of ours is a misspelt one; others are left as they are."""
HOW_TO_SORT = (
    "name it in c.Course.released_files or put it into public/ if students need it, "
    "else name it in c.CourseDirectory.ignore"
)
IMPORTS_HELPERS = re.compile(r"^\s*(?:from|import)\s+helpers\b", re.MULTILINE)


class AcceptMaster(NbGraderPreprocessor):
    """Stop at a notebook in another language; bring nbgrader's metadata up to date, in memory."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        accept(nb, f"{resources['nbgrader']['notebook']}.ipynb")
        return nb, resources


class CheckMarkers(NbGraderPreprocessor):
    """Stop at a master, header or footer whose markers or grading metadata are not right."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        marks = marks_of(self)
        _stop_at(resources, [str(problem) for problem in check_markers(nb, marks)])
        for path in _around(self):
            problems = check_markers(read_master(path), marks)
            if problems:
                raise ReleaseError(*(f"{path.name}, {problem}" for problem in problems))
        return nb, resources


class AddHeaderFooter(IncludeHeaderFooter):
    """nbgrader's IncludeHeaderFooter, which takes older notebooks, too, and names cells.

    Each cell has an id of its own afterwards, always the same, or none has where the notebook's format knows no ids.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        around = [read_master(_root(self) / path).cells if path else [] for path in (self.header, self.footer)]
        nb.cells = [*around[0], *nb.cells, *around[1]]
        if (nb.nbformat, nb.nbformat_minor) >= (4, 5):
            name_cells(nb)
        else:
            for cell in nb.cells:
                cell.pop("id", None)
        return nb, resources


class ExpandTests(Instantiator):
    """nbgrader's InstantiateTests, with a memory: the master's code runs only where something has changed."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        self.root = _root(self)
        self.seconds = float(max(Execute(parent=self).timeout or 0, 0) or self.seconds)
        cache = Grading(parent=self).cache_folder(self.root)
        try:
            instantiate(nb, _source_dir(resources), self, cache)
        except ReleaseError as error:
            _stop_at(resources, list(error.problems))
        return nb, resources


class InlineJson(NbGraderPreprocessor):
    """In cells tagged `inline-json`, put a JSON file's content in the place of the line that reads it."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        problems = []
        for index, cell in enumerate(nb.cells):
            if INLINE_TAG in cell.metadata.get("tags", []):
                try:
                    cell.source = inline_json(cell.source, _source_dir(resources))
                except ReleaseError as error:
                    problems += [f"{cell_name(cell, index)}: {problem}" for problem in error.problems]
        _stop_at(resources, problems)
        return nb, resources


class FillCourse(NbGraderPreprocessor):
    """Put this course's links in the places of `@COURSE_URL@`, `@COLAB_URL@`, `@RAW_URL@` and `@WHEEL@`.

    `["@COURSE_CELLS@"]`, a list of one string, so that the master is Python too, becomes the list of the grade ids.
    `@POINTS:test_iou@` becomes the points of the grade cell `test_iou`, in code `"@POINTS:test_iou@"` does, and
    `@POINTS@` the total: points stand in the metadata of the grade cells and nowhere else.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        found = {token for cell in nb.cells for token in TOKEN.findall(cell.source)}
        if not found and not any(POINTS.search(cell.source) for cell in nb.cells):
            return nb, resources
        tokens = self._tokens(resources["nbgrader"]["assignment"], resources["nbgrader"]["notebook"], found)
        tokens[CELLS] = textwrap.fill('", "'.join(_grade_ids(nb)), 90, subsequent_indent="    ", break_on_hyphens=False)
        points = _points(nb)
        problems = []
        for index, cell in enumerate(nb.cells):
            cell.source = POINTS.sub(lambda match: points.get(match["cell"] or "", match[0]), cell.source)
            cell.source = TOKEN.sub(lambda match: tokens.get(match[0], match[0]), cell.source)
            problems += [
                f"{cell_name(cell, index)}: {match['cell']!r} in {match[0]} is no grade cell"
                for match in POINTS.finditer(cell.source)
            ]
            problems += [
                f"{cell_name(cell, index)}: {token} is none of {', '.join(tokens)}"
                for token in TOKEN.findall(POINTS.sub("", cell.source))
                if get_close_matches(token, tokens, cutoff=CLOSE_TOKEN)
            ]
        _stop_at(resources, problems)
        return nb, resources

    def _tokens(self, assignment: str, notebook: str, found: set[str]) -> dict[str, str]:
        course = Course(parent=self)
        return {
            "@COURSE_URL@": course.url,
            "@COLAB_URL@": course.colab_url(assignment, notebook),
            "@RAW_URL@": course.raw_url(f"release/{assignment}"),
            "@WHEEL@": wheel_name(_root(self) / "helpers") if "@WHEEL@" in found else "",
        }


class RememberHidden(NbGraderPreprocessor):
    """Note what students must not see, before nbgrader takes it out, and what they may."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        marks = marks_of(self)
        resources[HIDDEN] = secrets(nb, marks)
        resources[SHOWN] = [line for cell in nb.cells for line in shown_lines(cell, marks)]
        return nb, resources


class DropLeftovers(NbGraderPreprocessor):
    """Take out what belonged to what is gone: pictures pasted into an answer, the state of widgets."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        nb.metadata.pop("widgets", None)
        for cell in nb.cells:
            attached = cell.get("attachments", {})
            for name in [name for name in attached if f"attachment:{name}" not in unquote(cell.source)]:
                del attached[name]
            if not attached:
                cell.pop("attachments", None)
        return nb, resources


class AddWheel(NbGraderPreprocessor):
    """Have the wheel of the students' library written beside a notebook that uses it."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        library, source = _root(self) / "helpers", _source_dir(resources)
        has_own = (source / "helpers.py").is_file() or (source / "helpers").is_dir()
        if is_library(library) and not has_own and _uses(nb, wheel_name(library)):
            with tempfile.TemporaryDirectory() as out_dir:
                wheel = build_wheel(library, Path(out_dir))
                resources.setdefault("outputs", {})[wheel.name] = wheel.read_bytes()
        return nb, resources


class NoLeaks(NbGraderPreprocessor):
    """Stop if the notebook, or a file beside it, shows a hidden line, or if a cell has an output or a marker left."""

    strict = Bool(False, help="Stop at hidden lines that the author shows in another cell, too.").tag(config=True)
    shown_files = ListOf(
        Unicode(), help="Files beside the masters that may have lines in common with what is hidden."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        if HIDDEN not in resources:
            raise ReleaseError("NoLeaks needs RememberHidden before nbgrader's ClearSolutions")
        hidden = self.hidden(resources[HIDDEN], resources[SHOWN])
        problems = find_leaks(hidden, notebook_texts(nb)) + _outputs(nb) + _markers_left(nb, marks_of(self))
        if not resources.get(FILES_LATER):
            files = {name: (_source_dir(resources) / name).read_bytes() for name in self._copied_by_nbgrader(resources)}
            problems += self.leaks_of_files(hidden, files | resources.get("outputs", {}))
        _stop_at(resources, problems)
        return nb, resources

    def hidden(self, lines: list[Secret], shown: list[str]) -> list[Secret]:
        """Return the lines that may be nowhere: all of them, or those that are not among what masters show."""
        return lines if self.strict else not_shown(lines, shown)

    def leaks_of_files(self, hidden: list[Secret], files: Mapping[str, bytes]) -> list[str]:
        """Return a message for each hidden line, and each marker, in these files."""
        marks = marks_of(self)
        problems = []
        for name, content in sorted(files.items()):
            if name not in self.shown_files:
                texts = list(file_texts(name, content))
                leaks = find_leaks(hidden, texts)
                leaks += [f"{text.place} has a marker: {line}" for text in texts for line in _marked_lines(text, marks)]
                problems += [f"{leak} (if that is meant, name the file in c.NoLeaks.shown_files)" for leak in leaks]
        return problems

    def _copied_by_nbgrader(self, resources: dict[str, Any]) -> list[str]:
        """List the files that nbgrader's own command has copied. Raises ReleaseError if one is not for students."""
        source = _source_dir(resources)
        ignore = [*CourseDirectory(parent=self).ignore, "*.ipynb"]
        copied = [Path(path).relative_to(source).as_posix() for path in find_all_files(str(source), ignore)]
        marks = marks_of(self)
        masters = [read_master(path) for path in [*master_paths(source), *_around(self)]]
        texts = [("\n".join(shown_lines(cell, marks)), cell.cell_type == "code") for nb in masters for cell in nb.cells]
        released = sort_files(source, texts, self.config).released
        strays = sorted(set(copied) - set(released))
        _stop_at(resources, [f"{name} would be given to students: {HOW_TO_SORT}" for name in strays])
        return copied


def inline_json(source: str, folder: Path) -> str:
    """Replace `NAME = json.loads(Path("FILE").read_text(encoding="utf-8"))` by `NAME = {...}`."""
    lines = source.split("\n")
    matches = [INLINE.fullmatch(line) for line in lines]
    if not any(matches):
        raise ReleaseError(f'tagged {INLINE_TAG}, without a line `NAME = json.loads(Path("FILE")...)`')
    return "\n".join(
        match["start"] + _read_literal(folder / match["path"], _indent(line)) if match else line
        for line, match in zip(lines, matches, strict=True)
    )


def python_literal(value: Any, indent: str = "") -> str:
    """Write a JSON value as Python source, an item a line; lists of plain values stay on one."""
    inner = indent + "    "
    if isinstance(value, dict) and value:
        items = [f"{inner}{_string(key)}: {python_literal(item, inner)},\n" for key, item in value.items()]
        return "{\n" + "".join(items) + indent + "}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = [f"{inner}{python_literal(item, inner)},\n" for item in value]
        return "[\n" + "".join(items) + indent + "]"
    if isinstance(value, list):
        return "[" + ", ".join(python_literal(item) for item in value) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        raise ReleaseError(f"{value} cannot be written as a Python literal")
    return _string(value) if isinstance(value, str) else repr(value)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _read_literal(path: Path, indent: str) -> str:
    try:
        return python_literal(json.loads(path.read_text(encoding="utf-8")), indent)
    except (OSError, json.JSONDecodeError) as error:
        raise ReleaseError(f"{path.name} cannot be read: {error}") from error


def _grade_ids(notebook: NotebookNode) -> list[str]:
    """Return the grade ids of all cells that have one, in order; nbgrader allows letters, digits, - and _ in them."""
    found = (cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells)
    return [grade_id for grade_id in found if grade_id]


def _points(notebook: NotebookNode) -> dict[str, str]:
    """Return points by grade id, as a person writes them, and in all under the empty name."""
    points = {
        cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.get("points") or 0)
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade") or cell.metadata.get("nbgrader", {}).get("task")
    }
    return {name: f"{value:g}" for name, value in {**points, "": sum(points.values())}.items()}


def _outputs(notebook: NotebookNode) -> list[str]:
    return [
        f"{cell_name(cell, index)} has outputs"
        for index, cell in enumerate(notebook.cells)
        if cell.get("outputs") or cell.get("execution_count") is not None
    ]


def marks_of(parent: Configurable) -> Marks:
    """Return the words by which a course marks what is hidden, as configured for nbgrader's own steps."""
    solution, tests = ClearSolutions(parent=parent), ClearHiddenTests(parent=parent)
    scheme = ClearMarkScheme(parent=parent)
    stubs = [*solution.code_stub.values(), solution.text_stub]
    words = {
        SOLUTION: (solution.begin_solution_delimeter, solution.end_solution_delimeter),
        TESTS: (tests.begin_test_delimeter, tests.end_test_delimeter),
        SCHEME: (scheme.begin_mark_scheme_delimeter, scheme.end_mark_scheme_delimeter),
    }
    steps = {SOLUTION: solution, TESTS: tests, SCHEME: scheme}
    return Marks(
        words,
        frozenset(kind for kind, step in steps.items() if not step.enforce_metadata),
        frozenset(line.strip() for stub in stubs for line in stub.split("\n")),
    )


def _uses(notebook: NotebookNode, wheel: str) -> bool:
    return any(wheel in cell.source or IMPORTS_HELPERS.search(cell.source) for cell in notebook.cells)


def _around(parent: NbGraderPreprocessor) -> list[Path]:
    """List the header and the footer of a course."""
    step = IncludeHeaderFooter(parent=parent)
    return [_root(parent) / path for path in (step.header, step.footer) if path]


def _markers_left(notebook: NotebookNode, marks: Marks) -> list[str]:
    return [
        f"{cell_name(cell, index)} has a marker left: {line}"
        for index, cell in enumerate(notebook.cells)
        for line in _marked_lines(Text("", cell.source), marks)
    ]


def _marked_lines(text: Text, marks: Marks) -> list[str]:
    return [line.strip() for line in text.text.split("\n") if marks.find(line)]


def _source_dir(resources: dict[str, Any]) -> Path:
    return Path(resources["metadata"]["path"])


def _root(preprocessor: NbGraderPreprocessor) -> Path:
    return Path(CourseDirectory(parent=preprocessor).root)


def _stop_at(resources: dict[str, Any], problems: list[str]) -> None:
    if problems:
        raise ReleaseError(*(f"{resources['nbgrader']['notebook']}.ipynb, {problem}" for problem in problems))
