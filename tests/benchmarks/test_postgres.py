"""The benchmark of a gradebook on a server, a tenth of its size: is what it counts right?"""

import tempfile
from pathlib import Path

import postgres
import pytest
from harness import LeftOutError, Settings
from needed import missing


@pytest.mark.slow
def test_ten_coordinators_on_a_server_neither_lose_nor_double_a_row(bubblewrap: None) -> None:
    """PostgreSQL, empty at first; the folder must be one that the server's user can reach."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as scratch:
        try:
            (section,) = postgres.run(Settings(rounds=1, scratch=Path(scratch), share=0.1))
        except LeftOutError as why:
            missing(str(why))
    assert [row[:5] for row in section.rows] == [
        ["first grading", "600", "0", "0", "0"],
        ["nothing to do", "600", "0", "0", "0"],
        ["other threshold", "600", "0", "0", "0"],
    ]
    assert all(goal.met for goal in section.goals)
