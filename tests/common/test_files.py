"""Files of records and notebooks are JSON that people can read, and tables are straight."""

import json
import os
from pathlib import Path

import pytest
from rich.cells import cell_len

from grading.cli.tables import print_table
from grading.common.files import dump_json_by_line, tree_hash, write_atomically
from grading.records.record import GRADED, REFUSED, QuestionRecord, Record


@pytest.mark.parametrize("value", [{}, {"a": 1, "cells": []}, {"cells": [{"b": "\ud800\n"}, 2], "c": None}])
def test_lines_of_json_hold_what_was_written(value: dict[str, object]) -> None:
    assert json.loads(dump_json_by_line(value, lists="cells")) == value


def test_each_key_and_each_cell_has_a_line() -> None:
    text = dump_json_by_line({"cells": [{"source": "a\nb"}, {"source": "c"}], "metadata": {"x": [1, 2]}}, lists="cells")
    assert text.splitlines() == [
        "{",
        ' "cells": [',
        '  {"source": "a\\nb"},',
        '  {"source": "c"}',
        " ],",
        ' "metadata": {"x": [1, 2]}',
        "}",
    ]


def test_table_is_straight_whatever_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    def record(student: str, points: float) -> Record:
        return Record(student, "tiny", GRADED, questions={"test_area": QuestionRecord(points, 2.0, "")})

    refused = Record("zoë [bold]", "tiny", REFUSED, why="not a notebook")
    print_table("tiny", [record("ada", 1.5), record("李雷 and a long name", 10.0), refused])
    title, header, *rows, last = capsys.readouterr().out.strip().splitlines()
    assert title == "tiny"
    assert header.split() == ["submission", "points", "test", "area"]
    assert {cell_len(line) for line in rows} == {cell_len(header)}
    assert [row.split()[-2] for row in rows] == ["1.5/2", "10/2", "refused"]
    assert last == "mean 5.8 of 2 (288%); all points: 1 of 2, none: 0"
    assert "zoë [bold]" in rows[2]


def test_a_change_anywhere_below_changes_the_hash(tmp_path: Path) -> None:
    deep = tmp_path / "VOCdevkit" / "VOC2007" / "Annotations"
    deep.mkdir(parents=True)
    (deep / "000007.xml").write_text("car")
    before = tree_hash(tmp_path)
    assert tree_hash(tmp_path) == before
    (deep / "000012.xml").write_text("car")
    added = tree_hash(tmp_path)
    (deep / "000007.xml").write_text("truck")
    assert len({before, added, tree_hash(tmp_path)}) == 3


def test_the_hash_does_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "file").write_text("1")
    before = tree_hash(tmp_path / "one")
    assert tree_hash((tmp_path / "one").rename(tmp_path / "two")) == before


def test_a_link_to_a_folder_above_ends(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "up").symlink_to(tmp_path)
    assert tree_hash(tmp_path)


def test_target_of_a_link_counts(tmp_path: Path) -> None:
    for name in ("data", "real"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "photographs").symlink_to(tmp_path / "real")
    before = tree_hash(tmp_path / "data")
    (tmp_path / "real" / "new.jpg").write_text("")
    assert tree_hash(tmp_path / "data") != before


def test_a_folder_that_cannot_be_read_is_not_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path: os.PathLike[str]) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        tree_hash(tmp_path)


def test_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file.txt"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert [one.name for one in path.parent.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"
    write_atomically(path, b"new", durable=False)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o644)
