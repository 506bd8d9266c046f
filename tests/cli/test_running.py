"""The bar says what is true of a run, whatever takes long."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from grading.cli import terminal
from grading.cli.running import Running


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_started_events_only_how_many_can_run_is_said() -> None:
    running = Running(["a", "b", "c"], {}, 2, 600)
    assert running.in_words() == "2 running, 0 failed"
    running.note("executed", "a")
    running.note("failed", "b")
    running.note("recorded", "s001")
    assert running.in_words() == "1 running, 1 failed"


def test_longest_running_is_named_with_its_time_and_the_limit() -> None:
    clock = Clock()
    running = Running(["a", "b"], {"a": "s012", "b": "s013"}, 2, 600, clock)
    running.note("started", "a")
    clock.now = 100
    running.note("started", "b")
    clock.now = 221
    assert running.in_words() == "2 running, 0 failed, s012 for 3:41 of at most 10:00"
    running.note("executed", "a")
    assert running.in_words() == "1 running, 0 failed, s013 for 2:01 of at most 10:00"


def test_the_bar_guesses_no_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(terminal, "stderr", Console(file=out, force_terminal=True, width=120))
    with terminal.progress_bar("graded", lambda: "1 running") as progress:
        progress.update(progress.add_task("", total=3), completed=2)
        columns = [type(column).__name__ for column in progress.columns]
    assert "TimeRemainingColumn" not in columns
    assert "2/3" in out.getvalue()
    assert "1 running" in out.getvalue()


def test_command_loads_nothing_heavy_until_it_is_needed() -> None:
    heavy = ["nbgrader", "nbformat", "sqlalchemy", "numpy", "IPython", "dask", "jinja2"]
    said = f"import sys, grading.cli; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
