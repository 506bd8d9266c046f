"""What all comparisons share: commands and functions measured, rounds that alternate, results that are kept.

CPU seconds count every process that a command starts, sandboxes included: the command runs in a control group of
its own where one can be made. Elsewhere they are those of the processes that were waited for, which leaves out part
of what was killed; `Cost.cpu_complete` tells.
"""

import contextlib
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from grading.common.files import write_atomically

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
BIN = Path(sys.executable).parent
CGROUPS = Path("/sys/fs/cgroup")
_PACKAGES = ("nbgrader", "tensorflow", "tensorflow-cpu", "keras", "numpy", "h5py", "ipykernel", "pyzmq", "distributed")
_OPINION = "The sections are written by `make bench`, one for each comparison, whenever that comparison is run."


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds on the clock, seconds of processor time, bytes of the largest process."""

    wall: float
    cpu: float
    peak: int
    cpu_complete: bool = True

    def scaled(self, factor: float) -> "Cost":
        """The same for so many times the work; memory stays."""
        return Cost(self.wall * factor, self.cpu * factor, self.peak, self.cpu_complete)

    def __add__(self, other: "Cost") -> "Cost":
        complete = self.cpu_complete and other.cpu_complete
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak), complete)


Way = Callable[[], Cost]
"""One way of doing what is compared; it prepares itself outside what it measures."""


@dataclass(frozen=True)
class Goal:
    """What was hoped for, and whether it was reached."""

    text: str
    reach: float
    found: float
    at_most: bool = False
    """Whether `found` must not be above `reach`, instead of not below."""

    @property
    def met(self) -> bool:
        """Whether it was reached; NaN reaches nothing."""
        return self.found <= self.reach if self.at_most else self.found >= self.reach


@dataclass(frozen=True)
class Section:
    """One comparison's results: plain tables, so that each says what it must."""

    name: str
    title: str
    how: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = ()
    remarks: Sequence[str] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)
    """Each round's figures, for results.json."""


@dataclass(frozen=True)
class Settings:
    """What a run of the benchmarks was asked for."""

    rounds: int
    scratch: Path
    """A folder that is removed afterwards."""
    data: Path | None = None
    voc_root: Path | None = None
    weights: str | None = None
    share: float = 1.0
    """Part of each class to grade, to try the benchmarks out."""

    def part(self, count: int) -> int:
        """That part of a number of submissions, at least 2."""
        return max(2, round(count * self.share))


class LeftOutError(RuntimeError):
    """A comparison that cannot be made here; the message says why."""


# --- measuring -------------------------------------------------------------------------------------


def run_command(
    argv: Sequence[str | Path], cwd: Path, variables: Mapping[str, str] | None = None, accept: Sequence[int] = (0,)
) -> Cost:
    """Run a command to its end. Raises RuntimeError with the end of what it printed, if it fails."""
    with _accounting() as (enter, used), (cwd / ".bench.log").open("w+b") as log:
        before = time.perf_counter()
        process = subprocess.Popen(
            [*enter, *map(str, argv)],
            cwd=cwd,
            env={**_environment(), **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accept:
            log.seek(0)
            said = log.read().decode("utf-8", "replace")[-3000:]
            raise RuntimeError(f"{' '.join(map(str, argv))} ended with {process.returncode}:\n{said}")
        counted = used()
        cpu = usage.ru_utime + usage.ru_stime if counted is None else counted
        return Cost(wall, cpu, usage.ru_maxrss * 1024, counted is not None)


def output_of(argv: Sequence[str | Path], cwd: Path, variables: Mapping[str, str]) -> str:
    """What a command prints. Raises RuntimeError with the end of what it said, if it fails."""
    environment = {**_environment(), **variables}
    ran = subprocess.run(list(map(str, argv)), cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{argv[0]} ended with {ran.returncode}:\n{ran.stderr[-3000:]}")
    return ran.stdout


def _environment() -> dict[str, str]:
    """Ours, but with Python's compiled files, without which every start would compile thousands of modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run_function(function: Callable[[], object]) -> Cost:
    """Call a function in this process."""
    before, used = time.perf_counter(), time.process_time()
    function()
    cpu, wall = time.process_time() - used, time.perf_counter() - before
    return Cost(wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


@contextlib.contextmanager
def _accounting() -> Iterator[tuple[list[str], Callable[[], float | None]]]:
    """What to put before a command so that its processor time is counted, and a function that gives it."""
    second = (CGROUPS / "cgroup.controllers").is_file()
    group = (CGROUPS if second else CGROUPS / "cpuacct") / f"bench-{os.getpid()}-{time.monotonic_ns()}"
    try:
        group.mkdir()
    except OSError:
        yield [], lambda: None
        return

    def used() -> float | None:
        if not second:
            return int((group / "cpuacct.usage").read_text()) / 1e9
        lines = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
        return int(lines["usage_usec"]) / 1e6

    try:
        yield ["/bin/sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"], used
    finally:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:  # its last process is not quite gone
                time.sleep(0.02)


def alternate(ways: Mapping[str, Way], rounds: int) -> dict[str, list[Cost]]:
    """Run all ways in each round, every other round backwards, so that drifts of the machine hit all alike."""
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, run in list(ways.items())[:: 1 if number % 2 == 0 else -1]:
            cost = run()
            costs[name].append(cost)
            say(f"  round {number + 1}: {name}: {cost.wall:.3g} s, {cost.cpu:.3g} s of CPU, {cost.peak / 1e6:.0f} MB")
    return costs


def environment(folder: Path, packages: Sequence[str]) -> Path:
    """The programs of an environment with packages whose pins would not fit into ours; made once.

    Raises LeftOutError where they cannot be installed.
    """
    programs, ready = folder / "bin", folder / ".ready"
    if not ready.is_file():
        uv = BIN / "uv"
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            run_command([uv, "venv", "--quiet", "--clear", "--python", BIN / "python", folder], folder.parent)
            argv = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", programs / "python", *packages]
            run_command(argv, folder.parent)
        except (OSError, RuntimeError) as error:
            raise LeftOutError(f"{packages[0]} cannot be installed: {error}") from error
        ready.touch()
    return programs


# --- figures ---------------------------------------------------------------------------------------


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        round(statistics.median(cost.peak for cost in costs)),
        all(cost.cpu_complete for cost in costs),
    )


def ratios(other: Sequence[Cost], ours: Sequence[Cost], figure: str = "wall") -> list[float]:
    """How many times what ours took the other one took, round by round."""
    pairs = zip(other, ours, strict=True)
    return [getattr(a, figure) / getattr(b, figure) if getattr(b, figure) else math.inf for a, b in pairs]


def middle_ratio(other: Sequence[Cost], ours: Sequence[Cost], figure: str = "wall") -> float:
    """The median of `ratios`."""
    return statistics.median(ratios(other, ours, figure))


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The median and, where there are several, the range."""
    said = f"{statistics.median(values):.{digits}g}"
    return f"{said} ({min(values):.{digits}g} to {max(values):.{digits}g})" if len(values) > 1 else said


COST_COLUMNS = ("way", "items", "seconds", "seconds each", "CPU seconds", "CPU each", "largest process", "times ours")


def cost_rows(costs: Mapping[str, Sequence[Cost]], items: int, ours: str) -> list[list[str]]:
    """One row a way: medians over the rounds, and the ratio to ours, all for the same number of items."""
    rows = []
    for name, found in costs.items():
        cost = middle(found)
        rows.append(
            [
                name,
                f"{items}",
                f"{cost.wall:.3g}",
                _each(cost.wall, items),
                f"{cost.cpu:.3g}" + ("" if cost.cpu_complete else " or more"),
                _each(cost.cpu, items),
                f"{cost.peak / 1e6:.0f} MB",
                "1" if name == ours else spread(ratios(found, costs[ours])),
            ]
        )
    return rows


def _each(seconds: float, items: int) -> str:
    each = seconds / items
    unit, factor = next(((u, f) for u, f in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)) if each * f >= 1), ("µs", 1e6))
    return f"{each * factor:.3g} {unit}"


def raw(costs: Mapping[str, Sequence[Cost]]) -> dict[str, Any]:
    """Every round's figures as plain data."""
    return {name: [asdict(cost) for cost in found] for name, found in costs.items()}


# --- results ---------------------------------------------------------------------------------------


@cache
def machine() -> dict[str, str]:
    """Processor, cores, memory, system and versions."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    found = {
        "processor": cpu,
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def keep(section: Section, rounds: int, folder: Path = FOLDER) -> None:
    """Put a section into results.json, beside or over what is there, and write results.md from all of them."""
    path = folder / "results.json"
    sections: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    plain = json.loads(json.dumps(asdict(section)))
    for goal, given in zip(plain["goals"], section.goals, strict=True):
        goal["met"] = given.met
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    sections[section.name] = {**plain, "rounds": rounds, "when": when, "load": round(load, 2), "machine": machine()}
    write_atomically(path, json.dumps(sections, indent=1, sort_keys=True) + "\n")
    write_atomically(folder / "results.md", render(sections))


def render(sections: Mapping[str, Any]) -> str:
    """results.md."""
    parts = ["# Benchmarks\n", f"{_OPINION}\n"]
    goals = [goal for section in sections.values() for goal in section["goals"]]
    if goals:
        parts += ["| goal | reach | found | |", "| --- | --- | --- | --- |"]
        parts += [f"| {_cell(goal['text'])} | {_reach(goal)} | {goal['found']:.3g} | {_met(goal)} |" for goal in goals]
        parts.append("")
    for section in sections.values():
        parts += [f"## {section['title']}\n", f"{section['how']}\n"]
        parts += [f"| {' | '.join(section['columns'])} |", f"|{' --- |' * len(section['columns'])}"]
        parts += [f"| {' | '.join(map(_cell, row))} |" for row in section["rows"]]
        parts += ["", *(f"- {remark}" for remark in section["remarks"])]
        around = ", ".join(f"{name} {value}" for name, value in section["machine"].items())
        rounds = f"{section['rounds']} round{'s' if section['rounds'] != 1 else ''}"
        parts += ["", f"{section['when']}, {rounds}, load average at the end {section['load']}. {around}.\n"]
    return "\n".join(parts)


def _reach(goal: Mapping[str, Any]) -> str:
    return f"{'≤' if goal['at_most'] else '≥'} {goal['reach']:g}"


def _met(goal: Mapping[str, Any]) -> str:
    return "met" if goal["met"] else "**not met**"


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, flush=True)
