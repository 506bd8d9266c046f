"""Are files of records and notebooks JSON that people can read, and tables straight?"""

import json

import pytest
from rich.cells import cell_len

from grading.cli.grade import print_table
from grading.common.files import dump_json_by_line
from grading.records.record import GRADED, REFUSED, QuestionRecord, Record


@pytest.mark.parametrize("value", [{}, {"a": 1, "cells": []}, {"cells": [{"b": "\ud800\n"}, 2], "c": None}])
def test_do_lines_of_json_hold_what_was_written(value: dict[str, object]) -> None:
    assert json.loads(dump_json_by_line(value, lists="cells")) == value


def test_is_there_a_line_for_each_key_and_each_cell() -> None:
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


def test_is_the_table_straight_whatever_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    def record(student: str, points: float) -> Record:
        return Record(student, "tiny", GRADED, questions={"test_area": QuestionRecord(points, 2.0, "")})

    refused = Record("zoë [bold]", "tiny", REFUSED, why="not a notebook")
    print_table("tiny", [record("ada", 1.5), record("李雷 and a long name", 10.0), refused])
    title, header, *rows = capsys.readouterr().out.strip().splitlines()
    assert title == "tiny"
    assert header.split() == ["submission", "test", "area", "points"]
    assert {cell_len(line) for line in rows} == {cell_len(header)}
    assert [row.split()[-1] for row in rows] == ["1.5/2", "10/2", "refused"]
    assert "zoë [bold]" in rows[2]
