"""Damaged submissions, each built from the release and a right solution: what students, editors and Colab do to them.

`make` writes the hand-in's folder; `says` are fragments of what must be said of it, as repairs or as the refusal.
"""

import copy
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution
from notebooks import colab_shape

Solutions = Mapping[str, str]
Make = Callable[[Path, NotebookNode, Solutions, str], None]
Edit = Callable[[list[dict[str, Any]]], Any]
OWN = "print('something of my own')"


@dataclass(frozen=True)
class Damage:
    """One way to hand in a broken submission."""

    name: str
    make: Make
    says: tuple[str, ...] = ()
    refused: bool = False
    full_points: bool = True


DAMAGES: list[Damage] = []


def filled(released: NotebookNode, solutions: Solutions) -> dict[str, Any]:
    """The submission before it is damaged, as plain JSON with sources in one string."""
    notebook = json.loads(nbformat.writes(released))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        cell["source"] = solutions.get(grade_id(cell), cell["source"])
    return notebook


def grade_id(cell: Mapping[str, Any]) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def solution_at(cells: list[dict[str, Any]]) -> int:
    """Where the first solution cell is."""
    return next(i for i, cell in enumerate(cells) if is_solution(nbformat.from_dict(cell)))


def test_at(cells: list[dict[str, Any]]) -> int:
    """Where the first test cell is."""
    return next(i for i, cell in enumerate(cells) if is_grade(nbformat.from_dict(cell)))


def locked(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("locked")]


def own_cell(source: str = OWN, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def _add(make: Make, name: str, *says: str, refused: bool = False, full_points: bool = True) -> None:
    DAMAGES.append(Damage(name, make, says, refused, full_points and not refused))


def _cells(name: str, *says: str, full_points: bool = True) -> Callable[[Edit], Edit]:
    """A damage that edits the list of cells (or gives another one)."""

    def register(edit: Edit) -> Edit:
        def make(folder: Path, released: NotebookNode, solutions: Solutions, notebook_name: str) -> None:
            notebook = filled(released, solutions)
            notebook["cells"] = edit(notebook["cells"]) or notebook["cells"]
            (folder / notebook_name).write_text(json.dumps(notebook), encoding="utf-8")

        _add(make, name, *says, full_points=full_points)
        return edit

    return register


def _content(name: str, *says: str, refused: bool = False) -> Callable[[Any], Any]:
    """A damage to the bytes of the file."""

    def register(spoil: Callable[[dict[str, Any]], bytes]) -> Any:
        def make(folder: Path, released: NotebookNode, solutions: Solutions, notebook_name: str) -> None:
            (folder / notebook_name).write_bytes(spoil(filled(released, solutions)))

        _add(make, name, *says, refused=refused)
        return spoil

    return register


def _folder(name: str, *says: str, refused: bool = False) -> Callable[[Any], Any]:
    """A damage to the folder; the function gets the folder, the right notebook's bytes and its name."""

    def register(lay: Callable[[Path, bytes, str], None]) -> Any:
        def make(folder: Path, released: NotebookNode, solutions: Solutions, notebook_name: str) -> None:
            lay(folder, json.dumps(filled(released, solutions)).encode(), notebook_name)

        _add(make, name, *says, refused=refused)
        return lay

    return register


# Cells duplicated and split


@_cells("nothing_wrong")
def _(cells: list[dict[str, Any]]) -> None:
    pass


@_cells("duplicated_identical", "more than once: the identical copy")
def _(cells: list[dict[str, Any]]) -> None:
    i = solution_at(cells)
    cells.insert(i + 1, {**copy.deepcopy(cells[i]), "id": "copied-1"})


@_cells("duplicated_edited", "kept as a cell of the student's own")
def _(cells: list[dict[str, Any]]) -> None:
    i = solution_at(cells)
    cells.insert(i + 1, {**copy.deepcopy(cells[i]), "id": "copied-1"})
    cells[i + 1]["source"] += "\n\n# a second thought"


@_cells("duplicated_test", "A changed copy of", "was left out")
def _(cells: list[dict[str, Any]]) -> None:
    i = test_at(cells)
    cells.insert(i + 1, {**copy.deepcopy(cells[i]), "id": "copied-1", "source": "assert True"})


@_cells("split_solution", "or split", "part_of_mine = 1", "and_after = 2")
def _(cells: list[dict[str, Any]]) -> None:
    i = solution_at(cells)
    before, after = copy.deepcopy(cells[i]), copy.deepcopy(cells[i])
    before |= {"source": "part_of_mine = 1", "id": "part-1"}
    after |= {"source": "and_after = 2", "id": "part-2"}
    cells[i : i + 1] = [before, cells[i], after]


@_cells("split_and_stripped", "grading metadata was stripped")
def _(cells: list[dict[str, Any]]) -> None:
    i = solution_at(cells)
    cells[i]["metadata"] = {}
    cells[i].pop("id")
    cells.insert(i, own_cell("part_of_mine = 1"))


# Deleted, moved, retyped


@_cells("test_deleted", "had been deleted: put back.")
def _(cells: list[dict[str, Any]]) -> None:
    del cells[test_at(cells)]


@_cells("solution_deleted", "had been deleted: put back as released", full_points=False)
def _(cells: list[dict[str, Any]]) -> None:
    del cells[solution_at(cells)]


@_cells("all_but_the_solutions_deleted", "had been deleted: put back")
def _(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if is_solution(nbformat.from_dict(cell))]


@_cells("no_cells_at_all", "had been deleted", full_points=False)
def _(cells: list[dict[str, Any]]) -> None:
    cells[:] = [own_cell()]


@_cells("solution_moved", "had been moved: back in its place")
def _(cells: list[dict[str, Any]]) -> None:
    cells.append(cells.pop(solution_at(cells)))


@_cells("order_reversed", "had been moved")
def _(cells: list[dict[str, Any]]) -> None:
    cells.reverse()


@_cells("solution_as_markdown", "another type of cell: code again")
def _(cells: list[dict[str, Any]]) -> None:
    _retype(cells[solution_at(cells)], "markdown")


@_cells("solution_as_raw", "another type of cell: code again")
def _(cells: list[dict[str, Any]]) -> None:
    _retype(cells[solution_at(cells)], "raw")


def _retype(cell: dict[str, Any], kind: str) -> None:
    cell["cell_type"] = kind
    cell.pop("outputs", None)
    cell.pop("execution_count", None)


# What is not theirs, changed


@_cells("test_edited", "had been changed: the course's own is used")
def _(cells: list[dict[str, Any]]) -> None:
    cells[test_at(cells)]["source"] = "assert True"


@_cells("locked_cells_edited", "had been changed: the course's own is used")
def _(cells: list[dict[str, Any]]) -> None:
    for cell in locked(cells):
        cell["source"] = "THRESHOLDS = {}\n" + cell["source"]


@_cells("grade_ids_renamed", "grading metadata of the notebook was changed")
def _(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        if grade_id(cell):
            cell["metadata"]["nbgrader"]["grade_id"] += "_old"


@_cells("grade_ids_swapped", "grading metadata of the notebook was changed")
def _(cells: list[dict[str, Any]]) -> None:
    solution, test = cells[solution_at(cells)], cells[test_at(cells)]
    ours, theirs = grade_id(solution), grade_id(test)
    solution["metadata"]["nbgrader"]["grade_id"], test["metadata"]["nbgrader"]["grade_id"] = theirs, ours


@_cells("points_changed", "grading metadata of the notebook was changed")
def _(cells: list[dict[str, Any]]) -> None:
    cells[test_at(cells)]["metadata"]["nbgrader"]["points"] = 1000


@_cells("own_cell_as_test", "A changed copy of", "does not run")
def _(cells: list[dict[str, Any]]) -> None:
    test = cells[test_at(cells)]
    cells.insert(0, own_cell("points = 'all of them'", nbgrader=copy.deepcopy(test["metadata"]["nbgrader"])))


@_cells("grading_metadata_stripped", "grading metadata was stripped")
def _(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        cell["metadata"].pop("nbgrader", None)


@_cells("all_metadata_and_ids_stripped", "grading metadata was stripped")
def _(cells: list[dict[str, Any]]) -> None:
    _strip(cells)


@_cells("stripped_and_retyped", "grading metadata was stripped", "code again")
def _(cells: list[dict[str, Any]]) -> None:
    _retype(cells[solution_at(cells)], "markdown")
    _strip(cells)


def _strip(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        cell["metadata"] = {}
        cell.pop("id", None)


@_cells("numbers_for_metadata", "grading metadata was stripped")
def _(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        cell["metadata"] = 7


@_cells("junk_between_the_cells", "no cell can hold")
def _(cells: list[dict[str, Any]]) -> None:
    cells[1:1] = [None, 3, [], "cell", {"cell_type": {}, "source": [None, 4], "metadata": {"nbgrader": []}, "id": 5}]  # type: ignore[list-item]


@_cells("null_source")
def _(cells: list[dict[str, Any]]) -> None:
    cells.insert(0, own_cell() | {"source": None})


@_cells("sources_as_lists")
def _(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)


@_cells("windows_line_ends")
def _(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        cell["source"] = cell["source"].replace("\n", "\r\n")


@_cells("lone_surrogates", "cannot be written")
def _(cells: list[dict[str, Any]]) -> None:
    cells.append(own_cell("print('\ud800')"))


# The file


@_content("colab")
def _(notebook: dict[str, Any]) -> bytes:
    return colab_shape(notebook)


@_content("format_3")
def _(notebook: dict[str, Any]) -> bytes:
    for cell in notebook["cells"]:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell["input"], cell["language"] = cell.pop("source"), "python"
    cells = notebook["cells"]
    return json.dumps({"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}).encode()


@_content("byte_order_mark")
def _(notebook: dict[str, Any]) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(notebook).encode()


@_content("latin_1", "read as Latin-1")
def _(notebook: dict[str, Any]) -> bytes:
    notebook["cells"].append(own_cell("# été"))
    text = json.dumps(notebook, ensure_ascii=False)
    return text.encode("latin-1", "ignore")


@_content("not_a_number_in_it")
def _(notebook: dict[str, Any]) -> bytes:
    notebook["metadata"]["loss"] = float("nan")
    return json.dumps(notebook).encode()


@_content("not_json", "not a notebook, or was cut off", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return b"<!DOCTYPE html><title>Sign in</title>"


@_content("cut_off", "was cut off on its way", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    content = json.dumps(notebook).encode()
    return content[: len(content) // 2]


@_content("json_list", "no list of cells", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return json.dumps([notebook]).encode()


@_content("cells_not_a_list", "no list of cells", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook | {"cells": {"0": notebook["cells"]}}).encode()


@_content("empty_file", "empty file", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return b""


@_content("nested_deeply", "nested too deeply", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return b'{"cells": ' + b"[" * 100_000


@_content("huge_number", "not a notebook", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return b'{"cells": [], "nbformat": ' + b"9" * 100_000 + b"}"


@_content("too_many_cells", "more than 2000 cells", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook | {"cells": notebook["cells"] + [own_cell()] * 2001}).encode()


@_content("too_much_source", "MiB of code", refused=True)
def _(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook | {"cells": [own_cell("#" * (3 * 2**20))]}).encode()


# The folder


@_folder("over_the_size_limit", "larger than 64 MiB", refused=True)
def _(folder: Path, content: bytes, name: str) -> None:
    with (folder / name).open("wb") as file:
        file.write(content)
        file.truncate(65 * 2**20)  # a hole: it takes no room on the disk


@_folder("renamed", "was handed in as")
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / name.replace(".ipynb", " (1).ipynb")).write_bytes(content)


@_folder("upper_case_extension", "was handed in as")
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / name.replace(".ipynb", ".IPYNB")).write_bytes(content)


@_folder("extra_files")
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / name).write_bytes(content)
    (folder / "notes.txt").write_text("mine")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / name).write_bytes(b"old")


@_folder("two_notebooks", "Several notebooks", "was taken")
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / name).write_bytes(b"{}")
    (folder / "final.ipynb").write_bytes(content)
    os.utime(folder / name, (1_000_000_000, 1_000_000_000))


@_folder("in_a_folder")
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / name).write_bytes(content)


@_folder("in_a_zip", "inside 'work.zip'")
def _(folder: Path, content: bytes, name: str) -> None:
    with zipfile.ZipFile(folder / "work.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"work/{name}", content)
        archive.writestr(f"__MACOSX/work/._{name}", b"junk")


@_folder("in_a_zip_that_leads_out", "ignored", "'../../evil.ipynb'")
def _(folder: Path, content: bytes, name: str) -> None:
    with zipfile.ZipFile(folder / "work.zip", "w") as archive:
        archive.writestr("../../evil.ipynb", b"{}")
        archive.writestr("/etc/passwd", b"root")
        archive.writestr(name, content)


@_folder("in_a_tar", "inside 'work.tar.gz'")
def _(folder: Path, content: bytes, name: str) -> None:
    with tarfile.open(folder / "work.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("é" * 120 + f"/{name}")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


@_folder("zip_bomb", "unpacks to more than 200 MiB", refused=True)
def _(folder: Path, content: bytes, name: str) -> None:
    _bomb(folder / "work.zip", name)


def _bomb(path: Path, name: str) -> None:
    """A small archive that says it unpacks to four gigabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"0" * 2**20)
    packed = bytearray(path.read_bytes())
    entry = packed.rindex(b"PK\x01\x02")
    packed[entry + 24 : entry + 28] = (2**32 - 2).to_bytes(4, "little")
    path.write_bytes(packed)


@_folder("damaged_zip", "damaged or not an archive", refused=True)
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / "work.zip").write_bytes(b"PK\x03\x04" + b"nothing" * 100)


@_folder("symlink_notebook", "is a link", refused=True)
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / name).symlink_to("/etc/passwd")


@_folder("symlink_folder", "is a link", refused=True)
def _(folder: Path, content: bytes, name: str) -> None:
    elsewhere = folder.parent / "elsewhere"
    folder.rename(elsewhere)
    (elsewhere / name).write_bytes(content)
    folder.symlink_to(elsewhere)


@_folder("pipe", "not a regular file", refused=True)
def _(folder: Path, content: bytes, name: str) -> None:
    os.mkfifo(folder / name)


@_folder("no_notebook", "There is no notebook", "'report.docx'", refused=True)
def _(folder: Path, content: bytes, name: str) -> None:
    (folder / "report.docx").write_bytes(b"PK")
