"""Work that looks alike: a hint where to read, never a verdict.

compare50 finds stretches of equal tokens between the students' own cells, their own names and numbers made alike, what
the release gave everybody taken away (winnowing: Schleimer, Wilkerson and Aiken, SIGMOD 2003). Student code is cut
into tokens, never run. A pair stands out if it shares much more than is usual in this class: short answers to the same
question are alike for honest reasons.
"""

import importlib.util
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from nbgrader.utils import is_solution

from grading.authoring.classroom import solution_cells
from grading.authoring.planted import planted_folder, read_planted
from grading.common.files import read_json, write_atomically
from grading.common.notebooks import ADDITIONAL_ID, is_test
from grading.common.text import clean
from grading.config import hand_in_rules
from grading.errors import GradingError
from grading.pipeline.plan import Submission, rebuilt_notebook
from grading.pipeline.run import GradingRun

log = logging.getLogger(__name__)

SHARE = 0.6
"""A pair that shares less of its own tokens is never named."""
ABOVE_USUAL = 0.2
"""How much more than usual: the median of each student's likeness to the most similar other one."""
MIN_TOKENS = 40
"""Fewer tokens in common say nothing."""
_MAX_SOURCE = 50_000
_PAIRS_A_STUDENT = 6
_SECONDS = 3600
INSTALL = (
    "compare50 is not installed: `make` does it, or run "
    "`uv pip install --override requirements/overrides.txt 'compare50>=1.2.15' setuptools`"
)


@dataclass(frozen=True)
class Pair:
    """Two pieces of work: `share` of the own tokens of one are found in the other, `tokens` of them."""

    a: str
    b: str
    share: float
    tokens: int
    published: bool = False
    """`b` is not a student's but was published."""


@dataclass(frozen=True)
class Similar:
    """Pairs that stand out in a class. `usual` is how alike work is here anyway, from 0 to 1."""

    pairs: tuple[Pair, ...]
    usual: float
    compared: int

    @property
    def tells(self) -> bool:
        """Return whether anything could stand out: not where most of the class is alike."""
        return self.usual + ABOVE_USUAL <= 1


def compare(work: Mapping[str, str], released: str, published: Mapping[str, str]) -> Similar:
    """Compare pieces of work, by student, with each other and with what was published.

    Raises GradingError where compare50 is missing or fails.
    """
    if importlib.util.find_spec("compare50") is None:
        raise GradingError(INSTALL)
    names = {
        "own": {f"s{number:05}": name for number, name in enumerate(sorted(work))},
        "published": {f"p{number:05}": name for number, name in enumerate(sorted(published))},
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for kind, sources in (("own", work), ("published", published)):
            (folder / kind).mkdir()
            for key, name in names[kind].items():
                (folder / kind / f"{key}.py").write_text(_decodable(sources[name]), encoding="utf-8")
        (folder / "released").mkdir()
        (folder / "released" / "given.py").write_text(_decodable(released), encoding="utf-8")
        found = _run_compare50(folder, _PAIRS_A_STUDENT * max(len(work), 1))
    every = [_pair(names, row) for row in found]
    return _standing_out(every, len(work))


def _decodable(source: str) -> str:
    """Return code of unknown origin as text that can be cut into tokens."""
    return source[:_MAX_SOURCE].replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")


def _run_compare50(folder: Path, top: int) -> list[list[object]]:
    command = [sys.executable, "-m", "grading.authoring.similar_run", str(folder), str(top)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    try:
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise GradingError(f"compare50 took more than {_SECONDS} s") from error
    if ran.returncode:
        raise GradingError(f"compare50 failed: {clean(ran.stderr[-400:])}")
    pairs: list[list[object]] = json.loads(ran.stdout)
    return pairs


def _pair(names: Mapping[str, Mapping[str, str]], row: Sequence[object]) -> Pair:
    (kind_a, key_a), (kind_b, key_b) = (str(name).split("/") for name in row[:2])
    a, b = names[kind_a][key_a], names[kind_b][key_b]
    share, tokens = max(float(str(row[2])), float(str(row[3]))), int(str(row[4]))
    if "published" not in (kind_a, kind_b):
        return Pair(min(a, b), max(a, b), share, tokens)
    return Pair(a, b, share, tokens, True) if kind_b == "published" else Pair(b, a, share, tokens, True)


def _standing_out(pairs: Sequence[Pair], compared: int) -> Similar:
    nearest: dict[str, float] = {}
    for pair in pairs:
        for name in (pair.a,) if pair.published else (pair.a, pair.b):
            if not pair.published:
                nearest[name] = max(nearest.get(name, 0.0), pair.share)
    alone = [0.0] * max(compared - len(nearest), 0)
    usual = median([*nearest.values(), *alone]) if compared > 2 else 0.0
    limit = max(SHARE, usual + ABOVE_USUAL)
    chosen = [pair for pair in pairs if pair.share >= min(limit, 1.0) and pair.tokens >= MIN_TOKENS]
    kept = chosen if usual + ABOVE_USUAL <= 1 else []
    return Similar(tuple(sorted(kept, key=lambda pair: (-pair.share, -pair.tokens, pair.a, pair.b))), usual, compared)


def similar_work(course: GradingRun, submissions: Sequence[Submission], repository: Path) -> Similar:
    """Compare what is the students' own in their hand-ins; published are the master's and the planted solutions.

    Of a group that hands in once, the work is compared once.
    """
    groups = hand_in_rules(course.folder).of(course.assignment.name)
    released = [cell for notebook in course.assignment.notebooks for cell in notebook.released.cells]
    given = "\n".join(cell.source for cell in released if cell.cell_type == "code")
    work: dict[str, str] = {}
    for submission in submissions:
        if submission.refusal or groups.members(submission.student) & work.keys():
            continue
        notebooks = [rebuilt_notebook(course, found) for found in submission.notebooks]
        own = [cell.source for notebook in notebooks if notebook for cell in notebook.cells if _is_own(cell)]
        work[submission.student] = "\n".join(own)
    return compare(work, given, _published(course, repository))


def _is_own(cell: Mapping[str, object]) -> bool:
    if cell["cell_type"] != "code" or is_test(cell):
        return False
    return bool(is_solution(cell)) or str(cell["id"]).startswith(ADDITIONAL_ID)


def _published(course: GradingRun, repository: Path) -> dict[str, str]:
    """Return the reference solution and the planted good ones, by name."""
    name = course.assignment.name
    solutions = [source for one in course.assignment.notebooks for source in solution_cells(one.master).values()]
    found = {"the reference solution": "\n".join(solutions)}
    folder = planted_folder(repository, name)
    if folder.is_dir():
        for planted in read_planted(folder):
            if planted.calibration is not None and planted.calibration.at_least is not None and planted.cells:
                found[f"the published {planted.name}"] = "\n".join(planted.cells.values())
    return found


def write_similar(path: Path, similar: Similar) -> None:
    """Write the findings to a file, for the report."""
    write_atomically(path, json.dumps(asdict(similar), indent=1))


def read_similar(path: Path) -> Similar | None:
    """Read the findings that were written last; return None if there are none."""
    try:
        kept = read_json(path)
        return Similar(tuple(Pair(**pair) for pair in kept["pairs"]), kept["usual"], kept["compared"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        log.warning("%s is damaged: run `course similar` again", path)
        return None


def similar_path(course: GradingRun) -> Path:
    """Return the path of the findings of an assignment."""
    return course.store.folder.parent / "similar" / f"{course.assignment.name}.json"


def in_words(pair: Pair) -> str:
    """Describe a pair in a sentence."""
    return f"{pair.share:.0%} of one's own code ({pair.tokens} tokens) is found in the other's"
