"""A students' library goes into a release only where a notebook uses it, and a course without one lacks nothing."""

import shutil
from pathlib import Path

import pytest
from nbformat import NotebookNode
from notebooks import ROOT, code, notebook, solution
from stock import usual_course

from grading.release.build import build_release

IMPORTS = [code("use", "import numpy as np\nfrom helpers import area_of"), solution()]
PYPROJECT = (ROOT / "helpers" / "pyproject.toml").read_text()


def released(course: Path) -> list[str]:
    return sorted(path.name for path in build_release(course, "hw").iterdir())


def course_of(folder: Path, cells: list[NotebookNode], files: dict[str, str]) -> Path:
    return usual_course(folder, {"a": notebook(*cells)}, files=files)


LIBRARY = {"helpers/__init__.py": '__version__ = "1.2"\n', "helpers/pyproject.toml": PYPROJECT}


@pytest.mark.parametrize(
    ("cells", "files", "expected"),
    [
        (IMPORTS, LIBRARY, ["a.ipynb", "course_helpers-1.2-py3-none-any.whl"]),
        (
            IMPORTS,
            LIBRARY | {"helpers/pyproject.toml": PYPROJECT.replace("course-helpers", "Our.Tools")},
            ["a.ipynb", "our_tools-1.2-py3-none-any.whl"],
        ),
        ([solution()], LIBRARY, ["a.ipynb"]),
        (IMPORTS, {}, ["a.ipynb"]),
        (IMPORTS, {"helpers/__init__.py": ""}, ["a.ipynb"]),
        (IMPORTS, LIBRARY | {"source/hw/helpers.py": "x = 1\n"}, ["a.ipynb", "helpers.py"]),
    ],
    ids=["imported", "of another name", "not imported", "none", "no wheel's", "a module beside the notebook"],
)
def test_wheel_is_released_where_a_notebook_uses_the_library(
    tmp_path: Path, cells: list[NotebookNode], files: dict[str, str], expected: list[str]
) -> None:
    assert released(course_of(tmp_path / "course", cells, files)) == expected


def test_words_between_two_at_signs_are_the_authors_where_they_are_none_of_ours(tmp_path: Path) -> None:
    folder = build_release(course_of(tmp_path / "course", [code("a", "x = '@HOME@ @A_B@'")], {}), "hw")
    assert "@HOME@ @A_B@" in (folder / "a.ipynb").read_text()


def test_course_folder_is_left_as_it_was(tmp_path: Path) -> None:
    course = course_of(tmp_path / "course", IMPORTS, LIBRARY)
    copy = shutil.copytree(course, tmp_path / "copy")
    build_release(course, "hw")
    shutil.rmtree(course / "release")
    assert sorted(path.relative_to(course) for path in course.rglob("*")) == sorted(
        path.relative_to(copy) for path in copy.rglob("*")
    )
