"""What is known of a hand-in without reading it again: a class of thousands is looked at in seconds."""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grading.common.files import read_json, write_atomically


@dataclass(frozen=True)
class HandInSummary:
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
    rebuilt: str = ""
    """Hash of the rebuilt notebook, under which it is kept; empty for one that was refused."""


class HandInSummaries:
    """The hand-ins of an assignment that were read before, by folder. `basis` names all that reading depends on."""

    def __init__(self, path: Path, basis: str) -> None:
        self._path, self._basis = path, basis
        self._entries: dict[str, Any] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            kept = read_json(path)
            self._entries = kept["entries"] if kept["basis"] == basis else {}

    def get(self, folder: Path, listing: str) -> HandInSummary | None:
        """What is known of a folder, if it still looks as it did."""
        entry = self._entries.get(str(folder))
        if not listing or entry is None or entry["listing"] != listing:
            return None
        seen = entry["seen"]
        return HandInSummary(**{**seen, "other_files": tuple(seen["other_files"]), "repairs": tuple(seen["repairs"])})

    def put(self, folder: Path, listing: str, seen: HandInSummary) -> None:
        """Remember a folder; one without a listing is not remembered."""
        if listing:
            self._entries[str(folder)] = {"listing": listing, "seen": asdict(seen)}
            self._changed = True

    def save(self) -> None:
        """Write what was remembered, if anything is new."""
        if self._changed:
            write_atomically(self._path, json.dumps({"basis": self._basis, "entries": self._entries}))
            self._changed = False
