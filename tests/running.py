"""Running a whole notebook, as a student does, in the sandbox that grading uses."""

import copy
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.execution.execute import execute
from grading.execution.job import Cell, Job
from grading.options import Limits
from grading.sandbox.kernel import Environment

ROOT = Path(__file__).parents[1]


def run_whole(notebook: NotebookNode, data: Path | None, questions: Path) -> NotebookNode:
    """A copy of the notebook, every code cell run, demonstrations and tests too; `questions` is any empty folder."""
    seen = {path.name: path for path in data.iterdir()} if data else {}
    environment = Environment(seen, questions, {}, ROOT / "helpers", {"TF_CPP_MIN_LOG_LEVEL": "3"})
    cells = tuple(Cell(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code")
    executed = execute(Job(cells, (), (), environment, Limits()))
    ran = copy.deepcopy(notebook)
    for cell in ran.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(output) for output in executed.outputs[cell.id]]
    return ran


def errors(notebook: NotebookNode) -> dict[str, str]:
    """What each cell that failed said, by cell id."""
    return {
        cell.id: f"{output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }


@dataclass(frozen=True)
class StudentsMachine:
    """The release in a folder, and an environment with the packages but not yet the helpers."""

    release: Path
    python: Path
    variables: dict[str, str]


def students_machine(folder: Path, assignment: str) -> StudentsMachine:
    release, environment = folder / "release", folder / "env"
    shutil.copytree(ROOT / "release" / assignment, release)
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", environment], check=True)
    packages = next((Path(sys.executable).parents[1] / "lib").glob("python*/site-packages"))
    (own,) = (environment / "lib").glob("python*/site-packages")
    (own / "packages.pth").write_text(f"{packages}\n")
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    return StudentsMachine(
        release, environment / "bin" / "python", {"PATH": path, "PYTHONPATH": "", "HOME": str(folder)}
    )
