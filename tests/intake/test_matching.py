"""Is each notebook of an assignment found among the files handed in, whatever these are called?"""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from grading.intake.hand_in import HandIn, read_hand_in
from grading.intake.matching import Expected
from grading.options import IntakeLimits

EXPECTED = [Expected("part1", frozenset({"a", "b"})), Expected("part2", frozenset({"b", "c", "d"}))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "submitted" / "ada" / "hw"
    folder.mkdir(parents=True)
    return folder


def read(folder: Path, **limits: int) -> HandIn:
    return read_hand_in(folder, "ada", EXPECTED, IntakeLimits(**limits))


def holding(*marks: str) -> bytes:
    """A notebook with cells of these ids."""
    cells = [{"cell_type": "code", "id": mark, "metadata": {}, "source": "1"} for mark in marks]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def write(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        (folder / f"{name}.ipynb").write_bytes(content)


def taken(hand_in: HandIn) -> dict[str, bytes | None]:
    return {name: found.content for name, found in hand_in.notebooks.items()}


def test_rightly_named_notebooks_are_taken_without_a_word(folder: Path) -> None:
    write(folder, part1=b"1", part2=b"2")
    found = read(folder)
    assert taken(found) == {"part1": b"1", "part2": b"2"}
    assert not found.repairs
    assert not found.refusal
    assert not any(one.repairs for one in found.notebooks.values())


@pytest.mark.parametrize(
    "name",
    [
        "part2 (1)", "part2(3)", "part2_copy", "part2-Copy1", "part2 - Copy", "part2 - Copy (2)", "Copy of part2",
        "PART2", "part2_final", "doejane_4711_part2", "doejane_LATE_12_34_part2-1",
        "Jane Doe_99_assignsubmission_file_part2",
        "Doe, Jane - part2 (1)", "part2-v2",
    ],
)  # fmt: skip
def test_names_that_systems_and_people_make_are_known(folder: Path, name: str) -> None:
    write(folder, part1=b"1", **{name: b"no notebook, so the name must do"})
    found = read(folder).notebooks["part2"]
    assert found.content == b"no notebook, so the name must do"
    assert found.repairs == (f"The notebook was handed in as '{name}.ipynb', not as 'part2.ipynb': it was taken.",)


def test_right_name_comes_before_a_similar_one_and_the_other_is_said(folder: Path) -> None:
    write(folder, part1=b"1", part2=b"2", **{"part2 (1)": b"other"})
    found = read(folder)
    assert taken(found)["part2"] == b"2"
    assert found.repairs == ("Notebooks that are none of the assignment's: 'part2 (1).ipynb' left aside.",)


def test_longer_name_is_meant_where_both_fit(tmp_path: Path) -> None:
    folder = tmp_path / "ada" / "hw"
    folder.mkdir(parents=True)
    write(folder, **{"jane_my_part (1)": b"1", "jane_part": b"2"})
    found = read_hand_in(folder, "ada", [Expected("part"), Expected("my_part")])
    assert taken(found) == {"my_part": b"1", "part": b"2"}


def test_nearest_to_the_top_is_taken_and_of_these_the_newest(folder: Path) -> None:
    write(folder, part1=b"1")
    for name, time in (("x/part2", 9), ("a_part2", 1), ("b_part2", 2)):
        path = folder / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        os.utime(path, (time, time))
    assert taken(read(folder))["part2"] == b"x/part2"  # rightly named, though deeper
    (folder / "x" / "part2.ipynb").unlink()
    assert taken(read(folder))["part2"] == b"b_part2"


def test_content_tells_which_notebook_a_file_is_where_its_name_does_not(folder: Path) -> None:
    write(folder, Untitled=holding("c", "d", "own"), homework=holding("a", "b"), recipe=holding("flour"))
    found = read(folder)
    assert taken(found) == {"part1": holding("a", "b"), "part2": holding("c", "d", "own")}
    assert found.notebooks["part2"].repairs == (
        "'Untitled.ipynb' holds the cells of 'part2.ipynb': it was taken for it.",
    )
    assert any("'recipe.ipynb' left aside" in said for said in found.repairs)


def test_missing_one_is_refused_alone(folder: Path) -> None:
    write(folder, part1=b"1", other=holding("z"))
    found = read(folder)
    assert found.notebooks["part2"].refusal == "'part2.ipynb' was not handed in."
    assert found.refusal == ""


def test_too_large_one_is_refused_alone(folder: Path) -> None:
    write(folder, part1=b"1", part2=b"12345")
    found = read(folder, notebook_bytes=4)
    assert "larger than 4 bytes" in found.notebooks["part2"].refusal
    assert found.notebooks["part1"].content == b"1"


def test_link_is_refused_alone_and_never_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "part2.ipynb").symlink_to(tmp_path / "secret")
    write(folder, part1=b"1")
    found = read(folder)
    assert "is a link, which is never followed" in found.notebooks["part2"].refusal
    assert found.notebooks["part1"].content == b"1"


def test_hand_in_is_refused_where_none_can_be_had(folder: Path) -> None:
    (folder / "notes.txt").write_text("later")
    assert "There is no notebook in the hand-in, only 'notes.txt'" in read(folder).refusal
    write(folder, part1=b"12345", part2=b"12345")
    assert "larger than 4 bytes" in read(folder, notebook_bytes=4).refusal


def test_notebooks_are_found_in_an_archive_by_name_and_content(folder: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("work/part1 (1).ipynb", holding("a"))
        archive.writestr("work/second.ipynb", holding("c"))
        archive.writestr("work/data.csv", "1")
    (folder / "all.zip").write_bytes(content.getvalue())
    found = read(folder)
    assert taken(found) == {"part1": holding("a"), "part2": holding("c")}
    assert found.notebooks["part1"].name == "all.zip: work/part1 (1).ipynb"
    assert "Notebooks were handed in inside 'all.zip': they were taken from there." in found.repairs
    assert not found.extras


def test_encrypted_member_of_an_archive_is_refused_alone(folder: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("part1.ipynb", b"1")
        archive.writestr("part2.ipynb", b"2")
    damaged = bytearray(content.getvalue())
    second = damaged.rindex(b"PK\x01\x02")  # the central directory's entry of part2
    damaged[second + 8] |= 1
    (folder / "all.zip").write_bytes(bytes(damaged))
    found = read(folder)
    assert found.notebooks["part1"].content == b"1"
    assert "is encrypted" in found.notebooks["part2"].refusal
