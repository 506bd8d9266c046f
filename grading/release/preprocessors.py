"""What a master goes through, besides nbgrader's own steps, on its way to students.

nbgrader runs these from `GenerateAssignment.preprocessors` in nbgrader_config.py, in this order::

    CheckMarkers  InlineJson  FillCourse  RememberHidden  (nbgrader's own)  AddWheel  NoLeaks
"""

import json
import math
import re
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import find_all_files

from grading.config import Course
from grading.errors import ReleaseError
from grading.common.notebooks import cell_name
from grading.release.leaks import Text, file_texts, find_leaks, notebook_texts, secrets
from grading.release.markers import check_markers
from grading.release.wheel import build_wheel, wheel_name

Processed = tuple[NotebookNode, dict[str, Any]]

INLINE_TAG = "inline-json"
INLINE = re.compile(r"""(?P<start>\s*\w+ = )json\.loads\(Path\("(?P<path>[^"]+)"\)\.read_text\(encoding="utf-8"\)\)""")
TOKEN = re.compile(r"@[A-Z][A-Z_]*@")
CELLS = "@COURSE_CELLS@"
POINTS = re.compile(r"""(?P<quote>"?)@POINTS(?::(?P<cell>[\w-]+))?@(?P=quote)""")
HIDDEN = "hidden_lines"


class CheckMarkers(NbGraderPreprocessor):
    """Stop at a master whose markers or grading metadata are not right."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        _stop_at(resources, [str(problem) for problem in check_markers(nb)])
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
        tokens = self._tokens(resources["nbgrader"]["assignment"], resources["nbgrader"]["notebook"])
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
            ]
        _stop_at(resources, problems)
        return nb, resources

    def _tokens(self, assignment: str, notebook: str) -> dict[str, str]:
        course = Course(parent=self)
        return {
            "@COURSE_URL@": course.url,
            "@COLAB_URL@": course.colab_url(assignment, notebook),
            "@RAW_URL@": course.raw_url(f"release/{assignment}"),
            "@WHEEL@": wheel_name(_helpers_dir(self)),
        }


class RememberHidden(NbGraderPreprocessor):
    """Note what students must not see, before nbgrader takes it out."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        resources[HIDDEN] = secrets(nb)
        return nb, resources


class AddWheel(NbGraderPreprocessor):
    """Have the wheel of the students' library written beside the notebook."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        with tempfile.TemporaryDirectory() as out_dir:
            wheel = build_wheel(_helpers_dir(self), Path(out_dir))
            resources.setdefault("outputs", {})[wheel.name] = wheel.read_bytes()
        return nb, resources


class NoLeaks(NbGraderPreprocessor):
    """Stop if the notebook, or a file beside it, shows a hidden line, or if a cell has an output."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Processed:
        if HIDDEN not in resources:
            raise ReleaseError("NoLeaks needs RememberHidden before nbgrader's ClearSolutions")
        texts = [*notebook_texts(nb), *self._file_texts(resources)]
        _stop_at(resources, find_leaks(resources[HIDDEN], texts) + _outputs(nb))
        return nb, resources

    def _file_texts(self, resources: dict[str, Any]) -> list[Text]:
        source_dir = _source_dir(resources)
        copied = find_all_files(str(source_dir), [*CourseDirectory(parent=self).ignore, "*.ipynb"])
        files = {Path(path).relative_to(source_dir).as_posix(): Path(path).read_bytes() for path in copied}
        files |= resources.get("outputs", {})
        return [text for name, content in sorted(files.items()) for text in file_texts(name, content)]


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
    """Of all cells that have one, in their order; nbgrader allows letters, digits, - and _ in them."""
    return [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata]


def _points(notebook: NotebookNode) -> dict[str, str]:
    """Points by grade id, as a person writes them, and in all under the empty name."""
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


def _source_dir(resources: dict[str, Any]) -> Path:
    return Path(resources["metadata"]["path"])


def _helpers_dir(preprocessor: NbGraderPreprocessor) -> Path:
    return Path(CourseDirectory(parent=preprocessor).root) / "helpers"


def _stop_at(resources: dict[str, Any], problems: list[str]) -> None:
    if problems:
        raise ReleaseError(*(f"{resources['nbgrader']['notebook']}.ipynb, {problem}" for problem in problems))
