"""The releases run with Colab's versions of everything, and what was saved there is graded as anything else."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from notebooks import ROOT, colab_shape
from running import colab_environment

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.options import Workers
from grading.pipeline.run import options_from

RUN = (
    "import nbformat; from nbclient import NotebookClient;"
    "nb = nbformat.read('solved.ipynb', 4); NotebookClient(nb, timeout=900, kernel_name='python3').execute();"
    "nbformat.write(nb, 'ran.ipynb')"
)

pytestmark = [pytest.mark.slow, pytest.mark.network]


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with Colab's packages and the helpers, which are the same in every release; gives its Python."""
    return colab_environment(tmp_path_factory.mktemp("colab"), "object_detection")


def solved_and_run(python: Path, name: str, data: Path, folder: Path) -> NotebookNode:
    """The solved release, run from top to bottom."""
    release, master = (ROOT / side / name / f"{name}.ipynb" for side in ("release", "source"))
    solved = fill_in(nbformat.read(release, as_version=4), solution_cells(nbformat.read(master, as_version=4)))
    nbformat.write(solved, folder / "solved.ipynb")
    variables = {"PATH": str(python.parent), "HOME": str(folder), "COURSE_DATA": str(data), "TF_CPP_MIN_LOG_LEVEL": "2"}
    run = subprocess.run([python, "-c", RUN], cwd=folder, env=variables, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    return nbformat.read(folder / "ran.ipynb", as_version=4)


@pytest.mark.parametrize(
    ("name", "test", "says"),
    [
        ("object_detection", "test_positions", "all 8 are given from"),
        ("many_objects", "test_detector", "with their maps moved"),
    ],
)
def test_solved_release_runs_and_grades_as_anywhere(
    colab: Path, name: str, test: str, says: str, tmp_path: Path, bubblewrap: None
) -> None:
    """What was saved is handed in twice, as Jupyter saves it and as Colab does."""
    from helpers.sample import make_sample

    data = make_sample()
    ran = solved_and_run(colab, name, data, tmp_path)
    said = {cell.id: str(cell.get("outputs")) for cell in ran.cells}
    assert says in said[test]
    assert "error" not in {output.output_type for cell in ran.cells for output in cell.get("outputs", [])}
    classroom = Classroom.create(ROOT, tmp_path / "class", name)
    classroom.hand_in("jupyter", ran)
    path = classroom.hand_in("colab", ran)
    path.write_bytes(colab_shape(json.loads(path.read_text(encoding="utf-8"))))
    colabs, jupyters = classroom.grade(replace(options_from(ROOT, data=data), workers=Workers(2)))
    assert jupyters.points == jupyters.max_points
    assert colabs.questions == jupyters.questions
