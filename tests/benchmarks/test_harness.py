"""The benchmarks' own arithmetic holds. How fast anything is, is not asserted here."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import harness
import pytest
import run
from harness import Cost, Goal, Section

BUSY = "import time\nwhile time.process_time() < 0.3: pass"


def cost(wall: float, cpu: float = 1.0, peak: int = 1_000_000) -> Cost:
    return Cost(wall, cpu, peak)


def section(name: str, found: float = 3.0) -> Section:
    goals = [Goal(f"{name} | fast", 2, found)]
    return Section(name, f"Title of {name}", "How.", ("way", "seconds"), [["ours", "1"]], goals, raw={"ours": [1.0]})


def test_median_is_taken_figure_by_figure() -> None:
    assert harness.middle([cost(1, 9), cost(5, 1), cost(2, 2)]) == Cost(2, 2, 1_000_000)


def test_ratio_is_taken_within_its_round() -> None:
    ours, other = [cost(1), cost(10), cost(2)], [cost(4), cost(50), cost(4)]
    assert harness.ratios(other, ours) == [4, 5, 2]
    assert harness.middle_ratio(other, ours) == 4
    assert harness.ratios([cost(1, 6)], [cost(1, 2)], "cpu") == [3]


def test_rounds_alternate_in_both_directions() -> None:
    order: list[str] = []

    def way(name: str) -> harness.Way:
        return lambda: (order.append(name), cost(1))[1]

    costs = harness.alternate({"a": way("a"), "b": way("b")}, 3)
    assert "".join(order) == "abbaab"
    assert {name: len(found) for name, found in costs.items()} == {"a": 3, "b": 3}


def test_scaling_leaves_memory_alone() -> None:
    assert cost(2, 3, 5).scaled(10) == Cost(20, 30, 5)
    assert cost(1, 2, 5) + cost(10, 20, 3) == Cost(11, 22, 5)


def test_goal_is_met_from_the_right_side_only() -> None:
    assert Goal("faster", 5, 5.0).met
    assert not Goal("faster", 5, 4.9).met
    assert Goal("smaller", 5, 4.9, at_most=True).met
    assert not Goal("smaller", 5, 5.1, at_most=True).met
    assert not Goal("no number", 5, float("nan"), at_most=True).met


def test_rows_give_costs_of_all_items_and_of_each() -> None:
    rows = harness.cost_rows({"ours": [cost(2, 4)], "other": [cost(6, 8)]}, 1000, "ours")
    assert rows[0] == ["ours", "1000", "2", "2 ms", "4", "4 ms", "1 MB", "1"]
    assert rows[1][-1] == "3"


def test_processor_time_of_grandchildren_is_counted(tmp_path: Path) -> None:
    nested = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {BUSY!r}]).wait()"
    found = harness.run_command([sys.executable, "-c", nested], tmp_path)
    assert found.cpu >= 0.3
    assert found.wall >= 0.3


def test_killed_processes_count_where_the_machine_allows(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint('now', flush=True)\ntime.sleep(60)"
    killed = "import os, signal, subprocess, sys\n"
    killed += f"child = subprocess.Popen([sys.executable, '-c', {busy!r}], stdout=subprocess.PIPE)\n"
    killed += "child.stdout.readline()\nos.kill(child.pid, signal.SIGKILL)\nos._exit(0)"
    found = harness.run_command([sys.executable, "-c", killed], tmp_path)
    if not found.cpu_complete:
        pytest.skip("no control group can be made here")
    assert found.cpu >= 0.3


def test_failed_command_says_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3:\nit broke"):
        harness.run_command([sys.executable, "-c", "print('it broke'); exit(3)"], tmp_path)


def test_new_section_leaves_the_others_in_the_results(tmp_path: Path) -> None:
    harness.keep(section("one"), 1, tmp_path)
    harness.keep(section("two"), 1, tmp_path)
    harness.keep(section("one", found=1.0), 2, tmp_path)
    kept = json.loads((tmp_path / "results.json").read_text())
    assert {name: (item["rounds"], item["goals"][0]["met"]) for name, item in kept.items()} == {
        "one": (2, False),
        "two": (1, True),
    }
    page = (tmp_path / "results.md").read_text()
    assert page.count("## Title of") == 2
    assert r"one \| fast | ≥ 2 | 1 | **not met**" in page
    assert harness.machine()["processor"] in page


def test_failed_comparison_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(settings: harness.Settings) -> list[Section]:
        raise ValueError("no luck")

    def left_out(settings: harness.Settings) -> list[Section]:
        raise harness.LeftOutError("nothing to measure")

    ways = {"vectorised": fails, "on_disk": left_out, "rescoring": lambda settings: [section("three")]}
    for name, way in ways.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(run=way))
    names = [part for name in ways for part in ("--only", name)]
    assert run.main([*names, "--results", str(tmp_path)]) == 1
    assert list(json.loads((tmp_path / "results.json").read_text())) == ["three"]
    (tmp_path / "results.json").unlink()
    assert run.main(["--only", "rescoring", "--share", "0.1", "--results", str(tmp_path)]) == 0
    assert not (tmp_path / "results.json").exists()
