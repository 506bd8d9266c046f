"""The executed notebook of a submission: the output of its cells, and in each grade cell the points and why."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import strip_transient
from nbgrader.utils import is_solution

from grading.common.files import dump_json_by_line, read_json
from grading.common.notebooks import ADDITIONAL_ID, DEMO_TAG, is_test, shallow_copy
from grading.common.text import clean
from grading.records.record import QuestionRecord

SKIPPED = "Not run when grading: this cell only demonstrates."
_REFUSAL_ID = "why-refused"
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[:])(?!\(attachment:[\w.% -]+\))")
_NOTHING = "\u200b"
"""A space of no width: it takes a tag or a link apart, and in code, too, one reads what was written."""


def executed_notebook(
    rebuilt: NotebookNode, outputs: Mapping[str, list[dict[str, Any]]], questions: Mapping[str, QuestionRecord]
) -> NotebookNode:
    """Return the rebuilt notebook with the output of its cells, and in each test the points and why.

    `questions` are by grade id. It shares metadata with the notebook given.
    """
    notebook = NotebookNode({**rebuilt, "cells": [shallow_copy(cell) for cell in rebuilt.cells]})
    for cell in notebook.cells:
        if cell.cell_type != "code":
            if is_solution(cell) or cell.id.startswith(ADDITIONAL_ID):
                cell.source = strip_markdown_links(cell.source)
            continue
        cell.execution_count = None
        if is_test(cell):
            cell.outputs = _verdict(questions[cell.metadata.nbgrader.grade_id])
        elif cell.id in outputs:
            cell.outputs = [nbformat.from_dict(_written(output)) for output in outputs[cell.id]]
        elif DEMO_TAG in cell.metadata.get("tags", []):
            cell.outputs = [NotebookNode(output_type="stream", name="stdout", text=SKIPPED)]
    return notebook


def refused_notebook(released: NotebookNode, why: str, questions: Mapping[str, QuestionRecord]) -> NotebookNode:
    """Return the release with the reason why a hand-in could not be graded above it: there is nothing else to show.

    nbgrader's formgrader opens a submission only where a notebook lies.
    """
    notebook = executed_notebook(released, {}, questions)
    said = nbformat.v4.new_markdown_cell(f"**This could not be graded.**\n\n```\n{_fenced(why)}\n```", id=_REFUSAL_ID)
    notebook.cells.insert(0, said)
    return notebook


def as_text(notebook: NotebookNode) -> str:
    """Write the text of a notebook's file, a line for each cell."""
    return dump_json_by_line(strip_transient(notebook), lists="cells")


def revised_notebook(path: Path, questions: Mapping[str, QuestionRecord]) -> str:
    """Return the text of an executed notebook of ours, with new points in its grade cells; all else in it stays."""
    notebook = read_json(path)
    for cell in notebook["cells"]:
        if is_test(cell):
            cell["outputs"] = _verdict(questions[cell["metadata"]["nbgrader"]["grade_id"]])
    return dump_json_by_line(notebook, lists="cells")


def strip_markdown_links(markdown: str) -> str:
    """Return Markdown without HTML, links and pictures: nbgrader's pages show all that is in a cell, scripts too.

    Pictures that the notebook itself holds stay.
    """
    return _LINK.sub("]" + _NOTHING, _TAG.sub("<" + _NOTHING, markdown))


def _fenced(text: str) -> str:
    """Return a text that stays within a fence of Markdown, and is no HTML even where the fence is not understood."""
    return strip_markdown_links(clean(text).replace("`", "'"))


def _verdict(question: QuestionRecord) -> list[NotebookNode]:
    """Make outputs that nbgrader reads as just these points."""
    said = f"{question.reason}\n{question.points:g} of {question.max_points:g} points.\n"
    data = {"text/plain": f"{question.points:g}"}
    return [
        NotebookNode(output_type="stream", name="stdout", text=said),
        NotebookNode(
            output_type="execute_result", data=NotebookNode(data), metadata=NotebookNode(), execution_count=None
        ),
    ]


def _written(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output that cannot break the file: what cannot be encoded is replaced."""
    found: dict[str, Any] = _without_surrogates(output)
    return found


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
