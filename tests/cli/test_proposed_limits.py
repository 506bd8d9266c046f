"""`course verify` proposes limits of time from what the solution takes, and writes them when told to."""

from pathlib import Path

import pytest

from grading.cli import authoring
from grading.cli.authoring import _propose_limits
from grading.pipeline.limits import own_limits
from grading.records.record import GRADED, Record

SOLUTION = Record("solution", "tiny", GRADED, execution={"longest_seconds": [0.4], "seconds": [1.3]})


def test_limits_are_proposed_and_written_only_when_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authoring.console, "width", 200)
    _propose_limits(tmp_path, SOLUTION, write=False)
    said = capsys.readouterr().out
    assert "cell_seconds 10, notebook_seconds 20" in said
    assert "none of its own; --write-limits writes them" in said
    assert own_limits(tmp_path) == {}
    _propose_limits(tmp_path, SOLUTION, write=True)
    assert own_limits(tmp_path) == {"cell_seconds": 10, "notebook_seconds": 20}
    capsys.readouterr()
    _propose_limits(tmp_path, SOLUTION, write=False)
    assert "--write-limits" not in capsys.readouterr().out
