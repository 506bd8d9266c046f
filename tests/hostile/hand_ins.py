"""Hostile submissions that are not cells: files, folders, archives, names, and notebooks made to hurt."""

import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from hostile.cells import FULL, ZERO
from nbformat import NotebookNode

Make = Callable[[Path, NotebookNode, str], None]
"""Called with the submission's folder, the solved notebook, and the file name that is expected."""


@dataclass(frozen=True)
class FileAttack:
    """A hostile submission, by what it puts into its folder. `student` is its folder's name."""

    name: str
    tries: str
    make: Make
    points: Mapping[str, float]
    refused: bool = False
    student: str = ""


FILE_ATTACKS: list[FileAttack] = []


def _add(tries: str, refused: bool = False, student: str = "") -> Callable[[Make], Make]:
    def register(make: Make) -> Make:
        points = ZERO if refused else FULL
        FILE_ATTACKS.append(FileAttack(make.__name__, tries, make, points, refused, student))
        return make

    return register


def _solved(solved: NotebookNode) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(nbformat.writes(solved))
    return notebook


@_add("Is a link to the master, so that its solutions are handed in.", refused=True)
def link_to_the_master(folder: Path, solved: NotebookNode, name: str) -> None:
    course = next(path for path in folder.parents if (path / "source").is_dir())
    (folder / name).symlink_to(course / "source" / Path(name).stem / name)


@_add("Is a folder that is a link to a neighbour's.", refused=True)
def link_to_a_neighbour(folder: Path, solved: NotebookNode, name: str) -> None:
    folder.rmdir()
    folder.symlink_to(folder.parents[1] / "honest-1" / folder.name)


@_add("Has links to the gradebook and to passwords beside a right notebook.")
def links_beside(folder: Path, solved: NotebookNode, name: str) -> None:
    nbformat.write(solved, folder / name)
    (folder / "gradebook.db").symlink_to(folder.parents[2] / "gradebook.db")
    (folder / "passwords.txt").symlink_to("/etc/passwd")


@_add("Is a pipe that blocks whoever reads it.", refused=True)
def pipe(folder: Path, solved: NotebookNode, name: str) -> None:
    os.mkfifo(folder / name)


@_add("Is an archive that unpacks to gigabytes.", refused=True)
def zip_bomb(folder: Path, solved: NotebookNode, name: str) -> None:
    with (
        zipfile.ZipFile(folder / "hand-in.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w") as member,
    ):
        for _ in range(300):
            member.write(bytes(10**6))


@_add("Is an archive whose members lie outside: links, absolute paths, parents.", refused=True)
def zip_that_leaves(folder: Path, solved: NotebookNode, name: str) -> None:
    with zipfile.ZipFile(folder / "hand-in.zip", "w") as archive:
        archive.writestr(f"../../../source/{name}", "{}")
        archive.writestr(f"/tmp/{name}", "{}")


@_add("Is nested a million times.", refused=True)
def nested(folder: Path, solved: NotebookNode, name: str) -> None:
    (folder / name).write_text('{"cells": ' + "[" * 1_000_000)


@_add("Has a hundred thousand cells.", refused=True)
def many_cells(folder: Path, solved: NotebookNode, name: str) -> None:
    cell = {"cell_type": "code", "source": "1", "metadata": {}}
    (folder / name).write_text(json.dumps({"cells": [cell] * 100_000, "nbformat": 4}))


@_add("Is larger than any notebook.", refused=True)
def huge(folder: Path, solved: NotebookNode, name: str) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(500 * 2**20)


@_add("Has a number with a hundred thousand digits.", refused=True)
def huge_number(folder: Path, solved: NotebookNode, name: str) -> None:
    (folder / name).write_text('{"cells": [], "nbformat": ' + "9" * 100_000 + "}")


@_add("Claims with points, ids and outputs of its own that all tests were passed; its solutions are right.")
def claims_points(folder: Path, solved: NotebookNode, name: str) -> None:
    notebook = _solved(solved)
    for cell in notebook["cells"]:
        nbgrader = cell["metadata"].get("nbgrader", {})
        if nbgrader.get("grade"):
            nbgrader["points"] = 1000
            cell["source"] = "1000"
            cell["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": "1000"}, "metadata": {}, "execution_count": 1}
            ]
    (folder / name).write_text(json.dumps(notebook))


@_add("Puts scripts into metadata, markdown, attachments and outputs.")
def scripts_everywhere(folder: Path, solved: NotebookNode, name: str) -> None:
    script = "<script>alert(1)</script>"
    notebook = _solved(solved)
    notebook["metadata"] = {"title": script, "kernelspec": {"name": script, "display_name": script, "language": script}}
    output = {"output_type": "display_data", "data": {"text/html": script}, "metadata": {}}
    notebook["cells"].insert(
        1,
        {
            "cell_type": "markdown",
            "source": f"{script} <img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) [y][z] ![w](https://example.com/x.png)"
            "\n\n[z]: javascript&#58;alert(1)\n\n<javascript:alert(1)>",
            "metadata": {"tags": [script]},
            "attachments": {script: {"text/html": script}},
        },
    )
    notebook["cells"].insert(2, {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [output]})
    (folder / name).write_text(json.dumps(notebook))


@_add("Has a student's name that is a script.", student="<script>alert(1)<%2Fscript>")
def script_as_name(folder: Path, solved: NotebookNode, name: str) -> None:
    nbformat.write(solved, folder / f"<img src=x onerror=alert(1)>{name}")


@_add("Brings files that would be imported instead of the course's and the kernel's own.")
def modules_beside(folder: Path, solved: NotebookNode, name: str) -> None:
    nbformat.write(solved, folder / name)
    for module in ("sitecustomize", "usercustomize", "course_ask", "helpers"):
        (folder / f"{module}.py").write_text("import os\nos._exit(0)\n")


@_add("Brings a time stamp that is none.")
def time_stamp(folder: Path, solved: NotebookNode, name: str) -> None:
    nbformat.write(solved, folder / name)
    (folder / "timestamp.txt").write_text("999999999999-99-99 \x1b[2J")
