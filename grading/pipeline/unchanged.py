"""Changes since a class was graded to its end: where there are none, nothing is to be done.

Files are looked at, not opened, as `make` does, and nothing is imported that only grading needs: a course that is
graded every few minutes spends its time here. What cannot be told counts as changed.
"""

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from grading.common.files import hash_of, listing, read_json, tree_hash, write_atomically
from grading.common.names import EXTENSIONS, ROSTER
from grading.common.versions import versions
from grading.config import Grading, course_directory, load_config
from grading.intake.class_folder import find_hand_ins
from grading.records.record import FAILED, Record, read_record

if TYPE_CHECKING:
    from grading.pipeline.run import GradingRun

_NO_INFLUENCE = {"cache", "workers", "scheduler", "tls", "names"}
"""Settings of `Grading` that say where and by whom things are run, and what is shown."""


class LastRun:
    """Notes from when an assignment was last graded as a whole. Create it before anything is read.

    `asked` is what the command was asked for, where that can change a grade; None is for what the configuration says.
    """

    def __init__(self, folder: Path, assignment: str, asked: Mapping[str, object]) -> None:
        self._folder, self._assignment = folder.resolve(), assignment
        config = load_config(self._folder)
        self._settings = Grading(config=config)
        given = {name: value for name, value in asked.items() if value is not None}
        self._asked = {k: str(v.resolve() if isinstance(v, Path) else v) for k, v in given.items()}
        self._config = repr(config)
        self._submitted = self._folder / course_directory(config, "submitted")
        self._source = self._folder / course_directory(config, "source") / assignment
        around = [config.IncludeHeaderFooter.get(place) for place in ("header", "footer")]
        self._beside = [self._folder / path for path in (ROSTER, EXTENSIONS, "autotests.yml", *around) if path]
        self._path = self._settings.cache_folder(self._folder) / "graded" / f"{assignment}.json"
        self._inputs = self._look_at_inputs()

    def records(self) -> list[Record] | None:
        """Return the records of the class, in the order of the run, if a run would give the same today; else None."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            noted = read_json(self._path)
            if not self._inputs or noted["inputs"] != self._inputs:
                return None
            files, folders = ([Path(path) for path in noted[name]] for name in ("files", "folders"))
            if noted["outputs"] != _look_at_outputs(files, folders):
                return None
            records = [read_record(folder) for folder in folders]
            known = [record for record in records if record is not None]
            return known if len(known) == len(records) else None
        return None

    def remember(self, course: "GradingRun", records: Sequence[Record]) -> None:
        """Note a run that has ended, unless something failed; what changed meanwhile is not what was looked at."""
        gradebook = _file_of(course.db_url)
        if not self._inputs or gradebook is None or any(record.status == FAILED for record in records):
            return
        stored = {course.store.path(key) for record in records for key in record.execution["keys"]}
        stored |= {course.store.tests(key) for record in records for key in record.execution.get("tests", ())}
        journals = [gradebook.with_name(gradebook.name + ending) for ending in ("-journal", "-wal")]
        files = [gradebook, *journals, *sorted(stored)]
        folders = [course.records / record.student / self._assignment for record in records]
        noted = {
            "inputs": self._inputs,
            "outputs": _look_at_outputs(files, folders),
            "files": list(map(str, files)),
            "folders": list(map(str, folders)),
        }
        if noted["outputs"]:
            write_atomically(self._path, json.dumps(noted))

    def _look_at_inputs(self) -> str:
        """Hash of all that a run depends on; empty if it cannot be told."""
        try:
            return self._hash_of_inputs()
        except OSError:  # something went away while it was looked at
            return ""

    def _hash_of_inputs(self) -> str:
        submitted = Path(self._asked.get("submitted", self._submitted)).resolve()
        hand_ins = [(student, listing(folder)) for student, folder in find_hand_ins(submitted, self._assignment)]
        if not all(listed for _, listed in hand_ins):
            return ""
        data = self._asked.get("data") or self._settings.data_folder
        withheld = self._asked.get("withheld") or self._settings.withheld_folder
        helpers = self._folder / "helpers"
        trees = [Path(__file__).parents[1], *([helpers] if helpers.is_dir() else []), self._source]
        trees += [Path(folder).resolve() for folder in (data, withheld) if folder]
        settings = {name: repr(getattr(self._settings, name)) for name in self._settings.trait_names(config=True)}
        return hash_of(
            [
                hand_ins,
                self._asked,
                self._config,
                {name: value for name, value in settings.items() if name not in _NO_INFLUENCE},
                [(str(tree), tree_hash(tree)) for tree in trees],
                list(map(_stamp, self._beside)),
                versions(),
                version("nbgrader"),
                sys.prefix,
            ]
        )


def _look_at_outputs(files: Sequence[Path], folders: Sequence[Path]) -> str:
    """Hash of what a run has left: its files, and its folders with what lies in them; empty if it cannot be told."""
    folders_seen = [listing(folder, settled=False) for folder in folders]
    return hash_of([list(map(_stamp, files)), folders_seen]) if all(folders_seen) else ""


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _file_of(db_url: str) -> Path | None:
    """Return the file of a gradebook; None if it is on a server, whose changes cannot be seen without asking."""
    from sqlalchemy.engine import make_url  # it is loaded once there are records to be noted

    url = make_url(db_url)
    found = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    return found if found is not None and found.is_absolute() else None
