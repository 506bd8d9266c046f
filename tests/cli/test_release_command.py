"""The commands for masters take an assignment of any notebooks."""

from pathlib import Path

import nbformat
import pytest
from notebooks import code, grade_cell, notebook, solution
from stock import usual_course
from typer.testing import CliRunner

from grading.cli import app


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two notebooks, a file that one of them needs and one that none does; we are in the course folder."""
    folder = usual_course(
        tmp_path / "course",
        {"one": notebook(solution(), grade_cell()), "two": notebook(code("read", "open('rows.csv')"))},
        files={"source/hw/rows.csv": "1\n", "source/hw/notes.txt": "mine\n"},
    )
    monkeypatch.chdir(folder)
    return folder


def course_command(*arguments: str) -> str:
    ran = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return " ".join(ran.output.split())


def test_release_says_which_files_stay(course: Path) -> None:
    said = course_command("release", "hw")
    assert "built release/hw" in said
    assert "not released: notes.txt. No notebook names them: name it in c.Course.released_files" in said
    assert "lead nowhere" not in said
    assert sorted(path.name for path in (course / "release" / "hw").iterdir()) == ["one.ipynb", "rows.csv", "two.ipynb"]


def test_release_says_that_links_lead_nowhere_where_there_are_some(course: Path) -> None:
    nbformat.write(notebook(code("link", "# @COLAB_URL@")), course / "source" / "hw" / "two.ipynb")
    assert "Links in it lead nowhere yet: set c.Course.url" in course_command("release", "hw")


def test_twins_are_made_for_each_notebook_or_the_one_that_is_named(course: Path) -> None:
    assert course_command("twin", "hw", "two") == "wrote source/hw/two.py"
    assert course_command("twin", "hw") == "wrote source/hw/two.py"
    assert course_command("twin", "hw", "one") == "wrote source/hw/one.py"
    (course / "source" / "hw" / "one.ipynb").unlink()
    assert course_command("sync", "hw") == "wrote source/hw/one.ipynb wrote source/hw/two.ipynb"
    assert "built release/hw" in course_command("release", "hw")
