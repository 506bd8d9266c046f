"""`course clean` says what would go before anything goes."""

import os
import time
from pathlib import Path

from classes import tiny_course
from commands import course


def test_leftovers_are_shown_first_and_removed_when_told(tmp_path: Path) -> None:
    folder = tiny_course(tmp_path)
    old = folder / ".cache" / "executed" / "ab" / "abc.json"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    long_ago = time.time() - 7 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    shown = course(folder, "clean")
    assert (shown.returncode, old.exists()) == (0, True)
    assert "1        0.0 MiB  stored results" in shown.stdout
    assert "course clean --yes" in shown.stdout
    assert course(folder, "clean", "--yes").returncode == 0
    assert not old.exists()
    assert "Nothing is left over." in course(folder, "clean").stdout
