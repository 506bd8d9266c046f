"""A class in which some submissions never end is graded within the assignment's own limits; the times are printed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from notebooks import ROOT

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.pipeline.limits import own_limits
from grading.records.record import GRADED, Record, read_record

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

NAME = "boxes_and_iou"
STUDENTS = 31
FULL = 20
ENDLESS = {
    "in-the-cell": "def area(box):\n    return 0\n\nwhile True:\n    pass",
    "when-called": "def area(box):\n    while True:\n        pass",
    "deaf": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
}


def graded(folder: Path) -> tuple[float, dict[str, Record]]:
    """Grade the class with `course grade`; return the seconds that it took, and the records."""
    command = [str(Path(sys.executable).with_name("course")), "grade", NAME, "--workers", "2"]
    began = time.monotonic()
    ran = subprocess.run(
        command, cwd=folder, env={"PATH": os.environ["PATH"], "HOME": str(folder)}, capture_output=True, text=True
    )
    seconds = time.monotonic() - began
    assert ran.returncode == 0, ran.stderr[-3000:]
    records = [read_record(path.parent) for path in folder.glob(f"autograded/*/{NAME}/record.json")]
    return seconds, {record.student: record for record in records if record is not None}


def test_three_of_31_that_never_end_are_cut_at_the_assignments_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = own_limits(ROOT / "source" / NAME)
    classroom = Classroom.create(ROOT, tmp_path / "class", NAME)
    released, solved = classroom.released(), solution_cells(classroom.master())
    for number in range(STUDENTS - len(ENDLESS)):
        cells = {**solved, "area": f"{solved['area']}\n# {number}"}
        classroom.hand_in(f"student-{number:02}", fill_in(released, cells))
    for name, source in ENDLESS.items():
        classroom.hand_in(name, fill_in(released, {**solved, "area": source}))
    first, records = graded(classroom.folder)
    second, again = graded(classroom.folder)
    took = {student: sum(record.execution["seconds"]) for student, record in records.items()}
    endless = sum(took[student] for student in ENDLESS)
    with capsys.disabled():
        print(
            f"\n{STUDENTS} submissions on two workers: {first:.1f} s, again {second:.1f} s; the {len(ENDLESS)} "
            f"endless ones ran for {endless:.1f} s, the others for {sum(took.values()) - endless:.1f} s together"
        )
    assert again == records
    assert len(records) == STUDENTS
    assert {record.status for record in records.values()} == {GRADED}
    points = {student: record.points for student, record in records.items()}
    assert all(points[student] == FULL for student in points.keys() - ENDLESS.keys())
    for student in ENDLESS:
        assert points[student] < FULL
        said = [event.what for event in records[student].events]
        assert any(f"it ran for more than {limits['cell_seconds']:g} s" in what for what in said), said
