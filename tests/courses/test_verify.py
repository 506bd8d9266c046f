"""`course verify` ends well for masters as in real courses, and names the tests that pass only beside student code."""

import json
import re
from pathlib import Path

import pytest
from courses.masters import SOLUTION, Master, Variant, masters
from courses.stock import CONFIG, Points, read_stored, write_source
from typer.testing import CliRunner

from grading.cli.authoring import app
from grading.records.record import question_names

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

INSIDE_ONLY: dict[str, dict[str, str]] = {}
"""By master: tests that pass beside the student's code and not in the examiner, and why."""
NOTE = re.compile(r"test '([^']+)'.*: the solution passes beside the student's code and not in the examiner")


def plant(master: Master, variant: Variant, points: Points, folder: Path) -> None:
    """Write a variant as a planted submission that deserves these points."""
    names = question_names(master.points)
    expected = {names[cell]: points[cell] or 0 for cell in master.points}
    folder.mkdir(parents=True)
    (folder / "expected.json").write_text(json.dumps({"why": variant.name, "points": expected, "from": "master"}))
    for (notebook, grade_id), source in variant.cells.items():
        if variant.name != SOLUTION:
            (folder / notebook).mkdir(exist_ok=True)
            (folder / notebook / f"{grade_id}.py").write_text(source)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of all masters that knows nothing of this repository; planted are each one's solution and a mistake."""
    folder = tmp_path_factory.mktemp("verified")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    (folder / "no-data").mkdir()
    for name, points in read_stored().items():
        master = masters()[name]
        write_source(master, folder / "source" / name)
        solution, *others = master.variants()
        mistakes = [one for one in others if ": " in one.name and not one.own_cells and not one.deserves]
        for place, variant in zip(("solution", "mistake"), [solution, *mistakes], strict=False):
            theirs = points[variant.name]
            if theirs is not None:
                plant(master, variant, theirs, folder / "source" / name / "planted" / place)
    return folder


@pytest.mark.parametrize("name", read_stored())
def test_master_is_verified(name: str, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course)
    done = CliRunner().invoke(app, ["verify", name, "--data", str(course / "no-data")])
    assert done.exit_code == 0, done.output
    assert "Whose the names are that decide points" in done.output
    told = {match[1] for match in NOTE.finditer(" ".join(done.output.split()))}
    assert told == INSIDE_ONLY.get(name, {}).keys()
