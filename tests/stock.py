"""Courses with an nbgrader_config.py of their own, as somebody might bring them, and what nbgrader itself releases."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from notebooks import ROOT

from grading.config import load_config, quiet_logger

GUIDE = ROOT.parent / "shared" / "courses" / "nbgrader-user-guide"
USUAL = 'c = get_config()\nc.CourseDirectory.course_id = "usual"\n'

TEMPLATES = """\
python3:
    setup: "from hashlib import sha1"
    hash: 'sha1({{snippet}}.encode("utf-8")+b"{{salt}}").hexdigest()'
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == "{{value}}", "{{message}}"'
    success: "print('Success!')"
    templates:
        default:
            - test: "{{snippet}}"
              fail: "value of {{snippet}} is not correct"
"""
ASK = "### HASHED AUTOTEST area((1, 1, 4, 6))\n### AUTOTEST area((0, 0, 1, 1)); area((0, 0, 2, 2))"


def usual_course(
    folder: Path, notebooks: Mapping[str, NotebookNode], config: str = "", files: Mapping[str, str] | None = None
) -> Path:
    """Make a course of one assignment, `hw`, that knows nothing of this repository; give its folder.

    `files` are texts by path in the course folder.
    """
    (folder / "source" / "hw").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(USUAL + config)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / "source" / "hw" / f"{name}.ipynb")
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def guide_course(folder: Path) -> Path:
    """Copy the course of nbgrader's user guide; skip where it is not there."""
    if not GUIDE.is_dir():
        pytest.skip("nbgrader's user guide (../shared/courses) is not here")
    shutil.copytree(GUIDE, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    (folder / "nbgrader_config.py").write_text(USUAL + 'c.IncludeHeaderFooter.header = "source/header.ipynb"\n')
    return folder


def nbgraders_release(course: Path, assignment: str = "hw") -> Path:
    """Release an assignment as stock nbgrader does, without a gradebook; give the folder."""
    config = load_config(course)
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.release_directory = "stock"
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    log, _ = quiet_logger()
    GenerateAssignment(coursedir=CourseDirectory(config=config, log=log), config=config, log=log).start()
    return course / "stock" / assignment


def cells_of(path: Path) -> list[dict[str, object]]:
    """Read a notebook's cells, without ids, which nbgrader makes at random where there are none."""
    cells = nbformat.read(path, as_version=4).cells
    return [{key: value for key, value in cell.items() if key != "id"} for cell in cells]
