"""`helpers.hand_in()` for real: from JupyterLab in a browser, and with Colab's versions and shape of a notebook."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from browser import chromium, jupyter_lab, last_cell, picture, run_all, save
from nbclient import NotebookClient
from nbformat import NotebookNode
from notebooks import ROOT, colab_shape
from playwright.sync_api import expect
from running import colab_environment, students_machine
from served import SECONDS, free_port, links_of, served_at, serving

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.service import access, queue
from grading.service.database import Database
from grading.service.queue import HandIn
from grading.service.settings import read_settings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

NAME = "boxes_and_iou"
PATIENCE = 120_000
"""Milliseconds."""
NOT_NEEDED = "tensorflow|keras|h5py|scikit-image|scipy|ml_dtypes|protobuf|notebook|jupytext|pytest|nbconvert|pandas"
"""Of Colab's packages, by the warm-up and by handing in."""
STAND_IN = '''
import json, pathlib

def blocking_request(request_type, request=None, timeout_sec=5):
    """Answer as Colab's page does: with the notebook as it is there now."""
    assert request_type == "get_ipynb"
    return {"ipynb": json.loads(pathlib.Path(@PATH@).read_text())}
'''


@dataclass(frozen=True)
class Served:
    """The warm-up, with a class, and where it is served."""

    folder: Path
    url: str

    def hand_in_of(self, student: str) -> HandIn:
        """The newest hand-in, when it is graded."""
        database = Database.open(read_settings(self.folder).database)
        until = time.monotonic() + SECONDS
        while True:
            (one,) = queue.of_student(database, student)
            if one.state.settled or time.monotonic() > until:
                database.close()
                return one
            time.sleep(0.2)

    def code_for(self, student: str) -> str:
        database = Database.open(read_settings(self.folder).database)
        made = access.make_code(database, student, NAME, time.time())
        database.close()
        return made


@pytest.fixture(scope="module")
def warm_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Classroom.create(ROOT, tmp_path_factory.mktemp("warm-up") / "class", NAME).folder
    (folder / "roster.csv").write_text("id,name,email\nada,Ada Lovelace,\nbo,Bo Diddley,\n")
    (folder / "submitted").mkdir(exist_ok=True)
    port = free_port()
    url = served_at(folder, port)
    with serving(folder, port):
        yield Served(folder, url)


def solved() -> NotebookNode:
    released = nbformat.read(ROOT / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    return fill_in(released, solution_cells(nbformat.read(ROOT / "source" / NAME / f"{NAME}.ipynb", as_version=4)))


def test_released_warm_up_hands_itself_in_from_jupyterlab(warm_up: Served, tmp_path: Path) -> None:
    machine = students_machine(tmp_path, NAME)
    path = machine.release / f"{NAME}.ipynb"
    nbformat.write(solved(), path)
    variables = {**machine.variables, "PYTHONPATH": str(next(machine.release.glob("*.whl")))}
    with chromium() as browser, jupyter_lab(machine.release, tmp_path / "home", variables, str(machine.python)) as lab:
        course, page = browser.new_context().new_page(), browser.new_page(viewport={"width": 1300, "height": 900})
        course.goto(links_of(warm_up.folder, "ada")["ada"])
        course.goto(f"{warm_up.url}/a/{NAME}")
        course.get_by_role("button", name="Hand in from the notebook instead").click()
        lines = course.locator("#code").inner_text()
        page.goto(f"{lab}/lab/tree/{path.name}")
        run_all(page)
        last_cell(page).locator(".cm-content").click()
        page.keyboard.press("Escape")
        page.keyboard.press("b")
        page.keyboard.press("Enter")
        page.keyboard.insert_text(lines)
        save(page, path)
        page.keyboard.press("Control+Enter")
        said = last_cell(page).locator(".jp-OutputArea")
        expect(said).to_contain_text("Your result: ", timeout=PATIENCE)
        picture(page, "jupyterlab_hand_in", full_page=False)
        text = said.inner_text()
        assert "To look at:" not in text
        assert f"Handed in: {NAME}.ipynb" in text
        course.goto(text.rpartition("Your result: ")[2].split()[0])
        expect(course.get_by_role("heading", name="20 of 20 points")).to_be_visible(timeout=PATIENCE)
        picture(course, "service-handed-in-from-jupyterlab")
        page.keyboard.press("Control+Enter")  # the code works once
        expect(said).to_contain_text("Not handed in. This code does not work", timeout=PATIENCE)


def colab_kernel(folder: Path, python: Path, live: Path) -> None:
    """A kernel as Colab starts it: its packages, and `google.colab` imported before the first cell."""
    site = next((python.parents[1] / "lib").glob("python*/site-packages"))
    package = site / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "_message.py").write_text(STAND_IN.replace("@PATH@", repr(str(live))))
    startup = folder / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text("import google.colab\n")
    spec = folder / "jupyter" / "kernels" / "colab"
    spec.mkdir(parents=True)
    environment = {"PATH": f"{python.parent}:{os.environ['PATH']}", "HOME": str(folder), "PYTHONPATH": ""}
    environment |= {"IPYTHONDIR": str(folder / ".ipython")}
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    said = {"argv": argv, "display_name": "Colab", "language": "python", "env": environment}
    (spec / "kernel.json").write_text(json.dumps(said))


@pytest.mark.network
def test_released_warm_up_hands_itself_in_with_colabs_versions(
    warm_up: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python, live = colab_environment(tmp_path, NAME, NOT_NEEDED), tmp_path / "live.json"
    colab_kernel(tmp_path, python, live)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    notebook = solved()
    lines = f'from helpers import hand_in\nhand_in("{warm_up.url}", "{warm_up.code_for("bo")}")'
    notebook.cells.append(nbformat.v4.new_code_cell(lines))

    def keep(**_: object) -> None:
        live.write_bytes(colab_shape(json.loads(nbformat.writes(notebook))))

    keep()
    runs = {"cwd": str(tmp_path), "path": str(tmp_path)}
    NotebookClient(
        notebook, timeout=300, kernel_name="colab", resources={"metadata": runs}, on_cell_executed=keep
    ).execute()
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert "To look at:" not in said
    assert "Handed in: this notebook" in said
    one = warm_up.hand_in_of("bo")
    assert f"Your result: {warm_up.url}/h/{one.id}" in said
    assert (one.file_name, one.points, one.max_points) == (f"{NAME}.ipynb", 20, 20)
