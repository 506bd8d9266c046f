"""The limits of one assignment: `source/<assignment>/limits.json`, proposed from what its solution takes."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from grading.common.files import read_json, write_atomically
from grading.errors import GradingError
from grading.options import Limits, Options

FILE = "limits.json"
ROOM = 10
"""A submission may take this many times as long as the solution: a right answer may be a slow one."""
LEAST_SECONDS = 10
"""A cell has at least this long, however quick the solution is: importing a library takes seconds on a busy machine."""


def own_limits(source: Path) -> dict[str, float]:
    """Read the limits of an assignment; empty where it has none.

    Raises GradingError where the file names something that is no limit, or gives no positive number.
    """
    path = source / FILE
    try:
        found = read_json(path)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise GradingError(f"{path} is not JSON: {error}") from error
    known = asdict(Limits())
    if not isinstance(found, Mapping):
        raise GradingError(f'{path} must hold limits by name, such as {{"cell_seconds": 20}}')
    for name, value in found.items():
        if name not in known:
            raise GradingError(f"{path}: {name!r} is no limit; there are {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise GradingError(f"{path}: {name} must be a positive number, not {value!r}")
    return dict(found)


def within(options: Options, source: Path) -> Options:
    """Return the options with the assignment's limits where they are smaller; the course's are what a machine bears."""
    course = asdict(options.limits)
    smaller = {name: type(course[name])(min(value, course[name])) for name, value in own_limits(source).items()}
    return replace(options, limits=replace(options.limits, **smaller))


def propose(longest_cell: float, notebook: float) -> dict[str, float]:
    """Propose limits from the seconds that the solution's longest cell and all its cells took."""
    cell = _round_up(max(LEAST_SECONDS, ROOM * longest_cell))
    return {"cell_seconds": cell, "notebook_seconds": _round_up(max(2 * cell, ROOM * notebook))}


def write_limits(source: Path, limits: Mapping[str, float]) -> Path:
    """Write limits of an assignment beside its other ones, which stay as they are."""
    path = source / FILE
    write_atomically(path, json.dumps({**own_limits(source), **limits}, indent=1) + "\n")
    return path


def _round_up(seconds: float) -> int:
    """Round up to a number that people would choose: 10, 20, 30, ... 100, 200, 300, ..."""
    unit = 10 ** max(1, math.floor(math.log10(seconds)))
    return math.ceil(seconds / unit) * unit
