"""Are pictures that students attach to their answers kept, and nothing else that hides in the same place?"""

import json
from typing import Any

import nbformat
import pytest
from notebooks import code, markdown, notebook

from grading.intake import rebuild as module
from grading.intake.rebuild import Rebuilt, rebuild

PNG = "iVBORw0KGgo="
MASTER = notebook(
    markdown("why", "YOUR ANSWER HERE", grade_id="why", grade=True, solution=True, points=1),
    markdown("text", "Read ![this](attachment:course.png)"),
    code("end", "1"),
)
MASTER.cells[1].attachments = nbformat.from_dict({"course.png": {"image/png": "AAAA"}})


def handed_in(attachments: Any, own: bool = False) -> Rebuilt:
    made = nbformat.from_dict(json.loads(nbformat.writes(MASTER)))
    cell = nbformat.v4.new_markdown_cell("mine", id="mine") if own else made.cells[0]
    cell.source = "See ![it](attachment:drawing.png)"
    cell.attachments = attachments
    if own:
        made.cells.append(cell)
    return rebuild(MASTER, json.dumps(made).encode())


def test_picture_of_an_answer_is_kept() -> None:
    rebuilt = handed_in({"drawing.png": {"image/png": PNG}})
    assert rebuilt.notebook.cells[0].attachments == {"drawing.png": {"image/png": PNG}}
    assert rebuilt.notebook.cells[1].attachments == {"course.png": {"image/png": "AAAA"}}
    nbformat.validate(rebuilt.notebook)


def test_picture_of_an_additional_cell_is_kept() -> None:
    assert handed_in({"drawing.png": {"image/png": PNG}}, own=True).notebook.cells[-1].attachments


@pytest.mark.parametrize(
    "attachments",
    [
        "no object",
        {"a.png": "no object"},
        {"a.svg": {"image/svg+xml": "<svg onload=alert(1)>"}},
        {"a.html": {"text/html": "<script>"}},
        {"a.png": {"image/png": '"><script>alert(1)</script>'}},
        {"a.png": {"image/png": ["AAAA"]}},
        {'"><script>': {"image/png": PNG}},
    ],
)
def test_nothing_but_pictures_is_kept(attachments: Any) -> None:
    assert "attachments" not in handed_in(attachments).notebook.cells[0]


def test_too_large_pictures_are_left_out_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PICTURES", 20)
    rebuilt = handed_in({"a.png": {"image/png": PNG}, "b.png": {"image/png": PNG}, "c.png": {"image/jpeg": "AA=="}})
    assert list(rebuilt.notebook.cells[0].attachments) == ["a.png", "c.png"]
    assert "1 picture had to be left out: in all they are too large." in rebuilt.repairs
