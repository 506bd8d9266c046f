"""Running a whole notebook, as a student does, in the sandbox that grading uses."""

import copy
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from grading.execution.execute import execute
from grading.execution.job import Cell, Job
from grading.options import Limits
from grading.sandbox.kernel import Environment

ROOT = Path(__file__).parents[1]
COLAB = ROOT.parent / "shared/constraints/colab-2026-08.txt"


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


def colab_environment(folder: Path, assignment: str, without: str = "") -> Path:
    """A virtual environment with Colab's versions and a released wheel; gives its Python.

    `without` is a pattern of the packages that are not needed. Skips where Colab's versions are not known.
    """
    if not COLAB.is_file():
        pytest.skip("Colab's versions (../shared/constraints) are not here")
    base = shutil.which("python3.13") or sys.executable
    if subprocess.run([base, "-c", "import venv"], capture_output=True).returncode:
        base = sys.executable
    environment = folder / "colab"
    subprocess.run([base, "-m", "venv", environment], check=True)
    python = environment / "bin/python"
    lines = COLAB.read_text().splitlines()
    wanted = "\n".join(line for line in lines if not (without and re.match(rf"(?:{without})==", line)))
    if sys.platform == "linux":
        wanted = re.sub(r"^tensorflow==", "tensorflow-cpu==", wanted, flags=re.MULTILINE)  # the same, smaller
    (folder / "colab.txt").write_text(wanted)
    (wheel,) = (ROOT / "release" / assignment).glob("*.whl")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", folder / "colab.txt"], check=True)
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    return python
