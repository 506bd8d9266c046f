"""What is known of a hand-in without reading it again: a class of thousands is looked at in seconds."""

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grading.store import hash_of, read_json, write_atomically

_MAX_ENTRIES = 2000
_MADE_BY_TOOLS = {"__pycache__", ".ipynb_checkpoints"}
_RACY_NS = 2_000_000_000
"""A file that changed so shortly ago may change again without a change of its times: it is read again."""


@dataclass(frozen=True)
class Seen:
    """What reading and rebuilding a hand-in gave, all but the notebook itself."""

    student: str
    refusal: str = ""
    file: str = ""
    sha256: str | None = None
    timestamp: str | None = None
    changed: bool | None = None
    """Whether any solution cell differs from what was released."""
    other_files: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    code: str = ""
    """`store.code_hash` of its cells; empty for one that was refused."""
    extras: str = ""
    """`store.fingerprint` of the other files."""


class SeenBefore:
    """The hand-ins of an assignment that were read before, by folder. `basis` names all that reading depends on."""

    def __init__(self, path: Path, basis: str) -> None:
        self._path, self._basis = path, basis
        self._entries: dict[str, Any] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            kept = read_json(path)
            self._entries = kept["entries"] if kept["basis"] == basis else {}

    def get(self, folder: Path, listing: str) -> Seen | None:
        """What is known of a folder, if it still looks as it did."""
        entry = self._entries.get(str(folder))
        if not listing or entry is None or entry["listing"] != listing:
            return None
        seen = entry["seen"]
        return Seen(**{**seen, "other_files": tuple(seen["other_files"]), "repairs": tuple(seen["repairs"])})

    def put(self, folder: Path, listing: str, seen: Seen) -> None:
        """Remember a folder; one without a listing is not remembered."""
        if listing:
            self._entries[str(folder)] = {"listing": listing, "seen": asdict(seen)}
            self._changed = True

    def save(self) -> None:
        """Write what was remembered, if anything is new."""
        if self._changed:
            write_atomically(self._path, json.dumps({"basis": self._basis, "entries": self._entries}))
            self._changed = False


def listing(folder: Path) -> str:
    """Hash of names, kinds, sizes, times and places of all that lies in a folder; nothing is opened or followed.

    Empty if it cannot be told: too much in it, something unreadable, or something that changed just now.
    """
    found: list[tuple[object, ...]] = []
    youngest = 0
    waiting = [(folder, "")]
    try:
        for path, prefix in waiting:  # grows while it is read
            if not prefix and (folder.is_symlink() or folder.parent.is_symlink()):
                return ""
            with os.scandir(path) as entries:
                for entry in entries:
                    stat = entry.stat(follow_symlinks=False)
                    name = prefix + entry.name
                    found.append((name, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
                    youngest = max(youngest, stat.st_mtime_ns, stat.st_ctime_ns)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((Path(entry.path), f"{name}/"))
            if len(found) > _MAX_ENTRIES:
                return ""
        if youngest > time.time_ns() - _RACY_NS:
            return ""
        return hash_of(sorted(found, key=repr))
    except (OSError, ValueError, UnicodeError):
        return ""


@cache
def our_code() -> str:
    """Hash of this package: what it makes of a hand-in may change with any of its modules."""
    here = Path(__file__).parent
    return hash_of([(path.name, path.read_text(encoding="utf-8")) for path in sorted(here.glob("*.py"))])


def tree_hash(folder: Path) -> str:
    """Hash of names, sizes and times of all files below a folder of our own; links are followed."""
    found = []
    for here, below, names in os.walk(folder, followlinks=True):
        below[:] = sorted(set(below) - _MADE_BY_TOOLS)
        for name in sorted(names):
            stat = Path(here, name).stat()
            found.append((here, name, stat.st_size, stat.st_mtime_ns))
    return hash_of(found)
