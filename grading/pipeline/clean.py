"""Leftovers: kept by grading to save work, and nothing refers to them any more. Never a record or a hand-in.

All of it can be made again: a stored result that is removed here and asked for later is executed anew.
"""

import contextlib
import json
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grading.common.files import read_json, write_atomically
from grading.config import Grading, course_directory, load_config
from grading.errors import GradingError
from grading.pipeline.lock import alone
from grading.records.record import RECORD
from grading.release.steps import WRITTEN_TESTS

USED = "used.json"
"""In the cache: the views and questions that each assignment was last graded with, and what its solution gave."""
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Leftover:
    """A file or folder that nothing refers to, or an entry of the memory of hand-ins."""

    kind: str
    path: Path
    bytes: int
    entry: str = ""
    """The entry's name, where only a part of the file goes."""


def note_used(cache: Path, assignment: str, paths: Sequence[Path]) -> None:
    """Note which views and questions an assignment uses now."""
    path = cache / USED
    used = _json(path)
    now = sorted(str(item.relative_to(cache)) for item in paths if item.is_relative_to(cache))
    if used.get(assignment) != now:
        write_atomically(path, json.dumps({**used, assignment: now}, indent=1))


def leftovers(course_dir: Path, age: float = DAY) -> list[Leftover]:
    """List what nothing refers to and was not touched within `age` seconds: somebody may be about to use it."""
    config = load_config(course_dir)
    cache = Grading(config=config).cache_folder(course_dir)
    records = course_dir / course_directory(config, "autograded")
    found = [
        *_results(cache, records),
        *_folders(cache, "views", depth=2),
        *_folders(cache, "questions", depth=1),
        *_memories(cache),
        *_notebooks(cache),
        *_hashes(cache),
        *_tests(cache),
    ]
    limit = time.time() - age
    return [item for item in found if item.entry or _changed(item.path) <= limit]


def remove(course_dir: Path, found: Sequence[Leftover]) -> None:
    """Remove leftovers. Raises GradingError while an assignment is being graded."""
    cache = Grading(config=load_config(course_dir)).cache_folder(course_dir)
    with contextlib.ExitStack() as locks:
        for path in sorted(cache.glob("*.lock")):
            locks.enter_context(alone(cache, path.stem))
        for item in found:
            if item.entry:
                _forget(item.path, item.entry)
            elif item.path.is_dir():
                shutil.rmtree(item.path)
            else:
                item.path.unlink(missing_ok=True)


def _results(cache: Path, records: Path) -> Iterator[Leftover]:
    wanted: set[str] = set()
    tests: set[str] = set()
    for path in records.glob(f"*/*/{RECORD}"):
        record = _json(path)
        if not record:
            raise GradingError(f"{path} cannot be read, so it cannot be told which results it needs: grade again first")
        wanted.update(record.get("execution", {}).get("keys", ()))
        tests.update(record.get("execution", {}).get("tests", ()))
    for kind, folder, keys in (
        ("stored results", "executed", wanted),
        ("conversations", "conversations", wanted),
        ("results of tests", "tests", tests),
    ):
        for path in sorted((cache / folder).glob("*/*.json")):
            if path.stem not in keys and not _is_used(cache, path):
                yield Leftover(kind, path, _bytes_of(path))


def _folders(cache: Path, kind: str, depth: int) -> Iterator[Leftover]:
    for path in sorted((cache / kind).glob("/".join("*" * depth))):
        if not _is_used(cache, path):
            yield Leftover(kind, path, _bytes_of(path))


def _is_used(cache: Path, path: Path) -> bool:
    return any(str(path.relative_to(cache)) in names for names in _json(cache / USED).values())


def _memories(cache: Path) -> Iterator[Leftover]:
    for path in sorted((cache / "seen").glob("*.json")):
        for folder, entry in _json(path).get("entries", {}).items():
            if not Path(folder).is_dir():
                yield Leftover("hand-ins that are gone", path, len(json.dumps(entry)), entry=folder)


def _notebooks(cache: Path) -> Iterator[Leftover]:
    memories = [_json(path).get("entries", {}) for path in (cache / "seen").glob("*.json")]
    seen = [entry["seen"] for entries in memories for entry in entries.values()]
    known = {notebook["rebuilt"] for hand_in in seen for notebook in hand_in.get("notebooks", ())}
    for path in sorted((cache / "rebuilt").glob("*/*.json")):
        if path.stem not in known and not _is_used(cache, path):
            yield Leftover("rebuilt notebooks", path, _bytes_of(path))


def _hashes(cache: Path) -> Iterator[Leftover]:
    for path in sorted((cache / "hashes").glob("*")):
        hashed = _json(path).get("path")
        if hashed is None or not Path(hashed).exists():
            yield Leftover("hashes of files that are gone", path, _bytes_of(path))


def _tests(cache: Path) -> Iterator[Leftover]:
    """Yield tests written out from AUTOTEST lines: those in use are touched whenever they are read."""
    for path in sorted((cache / WRITTEN_TESTS).glob("*.json")):
        yield Leftover("written out tests", path, _bytes_of(path))


def _bytes_of(path: Path) -> int:
    """Sum up a file's bytes, or those of all files below a folder; what others take away meanwhile has none."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else [path]:
        with contextlib.suppress(FileNotFoundError):
            total += file.lstat().st_size if file.is_file() else 0
    return total


def _changed(path: Path) -> float:
    """Return when something was last changed; one that is gone, since it was written anew, counts as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _forget(path: Path, folder: str) -> None:
    memory = _json(path)
    memory.get("entries", {}).pop(folder, None)
    write_atomically(path, json.dumps(memory))


def _json(path: Path) -> dict[str, Any]:
    """Read an object; empty if there is none."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
