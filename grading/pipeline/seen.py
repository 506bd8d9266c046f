"""Summaries of hand-ins, so that none is read again: a class of thousands is looked at in seconds."""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grading.common.files import read_json, write_atomically


@dataclass(frozen=True)
class NotebookSummary:
    """Outcome of reading and rebuilding one notebook of a hand-in, all but the notebook itself."""

    name: str
    """Of the assignment's notebook."""
    refusal: str = ""
    missing: bool = False
    """Refused because it was not handed in at all."""
    file: str = ""
    sha256: str | None = None
    changed: bool = False
    """Whether any solution cell differs from what was released."""
    unanswered: tuple[str, ...] = ()
    """Grade ids of the solution cells that are as they were released."""
    code: str = ""
    """`store.code_hash` of its cells; empty for one that was refused."""
    rebuilt: str = ""
    """Hash of the rebuilt notebook, under which it is kept; empty for one that was refused."""


@dataclass(frozen=True)
class HandInSummary:
    """Outcome of reading and rebuilding a hand-in."""

    student: str
    refusal: str = ""
    """Why none of it can be graded."""
    timestamp: str | None = None
    other_files: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    extras: str = ""
    """`store.fingerprint` of the files beside the notebooks, those of the course included."""
    notebooks: tuple[NotebookSummary, ...] = ()
    """All of the assignment's, in its order; none if the hand-in as a whole could not be read."""

    @property
    def changed(self) -> bool | None:
        """Return whether any solution cell differs from what was released; None if that cannot be told."""
        return None if self.refusal else any(notebook.changed for notebook in self.notebooks)


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
        """Return the summary of a folder, if the folder still looks as it did."""
        entry = self._entries.get(str(folder))
        if not listing or entry is None or entry["listing"] != listing:
            return None
        seen = entry["seen"]
        notebooks = [NotebookSummary(**{**one, "unanswered": tuple(one["unanswered"])}) for one in seen["notebooks"]]
        lists = {name: tuple(seen[name]) for name in ("other_files", "repairs")}
        return HandInSummary(**{**seen, **lists, "notebooks": tuple(notebooks)})

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
