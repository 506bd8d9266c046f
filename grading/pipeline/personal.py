"""Everything in a course folder that is about one student: listed, given out, or removed.

What others share stays: a stored result that another student's work gave, too, is not about this one alone.
"""

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from grading.common.files import read_json, write_atomically
from grading.common.names import EXPORTS, EXTENSIONS, REPORTS, ROSTER, is_student_id
from grading.config import Grading, HandIns, course_directory, load_config
from grading.errors import CourseError, GradingError
from grading.lms.roster import read_roster
from grading.pipeline.lock import alone
from grading.records.personal import forget_in_gradebook, in_gradebook
from grading.records.record import RECORD

FOLDERS = ("submitted", "autograded", "feedback")
ABOUT = "about.json"
TABLES = (ROSTER, EXTENSIONS)


@dataclass(frozen=True)
class Personal:
    """Everything in a course folder that is about a student."""

    student: str
    folders: tuple[Path, ...] = ()
    """The student's own, in nbgrader's folders."""
    pages: tuple[Path, ...] = ()
    """The student's own feedback pages."""
    lines: Mapping[str, list[list[str]]] = field(default_factory=dict)
    """Lines of the roster and of the extensions, each table with its head."""
    gradebook: Mapping[str, Any] | None = None
    cached: tuple[Path, ...] = ()
    """Stored results that nobody else's work gave."""
    shared: tuple[Path, ...] = ()
    """Files about several students that can be made again: reports, exports, notes of the last run."""
    configured: bool = False
    """Whether the student stands in nbgrader_config.py, which only a person may change."""

    @property
    def is_nothing(self) -> bool:
        """Return whether nothing is known of the student."""
        return not (self.folders or self.pages or self.lines or self.gradebook or self.configured)


class Everything:
    """A course folder, to find what is about a student."""

    def __init__(self, course_dir: Path) -> None:
        """Read the configuration. Nothing is touched."""
        self.folder = course_dir.resolve()
        config = load_config(self.folder)
        config.CourseDirectory.root = str(self.folder)
        coursedir = CourseDirectory(config=config)
        self._db_url, self._course_id = str(coursedir.db_url), str(coursedir.course_id)
        self._homes = {name: self.folder / course_directory(config, name) for name in FOLDERS}
        self._rules = HandIns(config=config)
        self.cache = Grading(config=config).cache_folder(self.folder)

    @property
    def executed(self) -> Path:
        """Return nbgrader's folder of executed notebooks."""
        return self._homes["autograded"]

    def about(self, student: str) -> Personal:
        """Return what is about a student. Raises GradingError for an id that can be nobody's."""
        if not is_student_id(student):
            raise GradingError(f"{student!r} can be no student's id")
        folders = [home / student for home in self._homes.values()]
        lines = {name: found for name in TABLES if len(found := self._lines(name, student)) > 1}
        return Personal(
            student,
            tuple(folder for folder in folders if folder.is_dir()),
            tuple(sorted(self.folder.glob(f"{REPORTS}/*/feedback/{_literally(student)}.html"))),
            lines,
            in_gradebook(self._db_url, self._course_id, student) if self._has_gradebook() else None,
            tuple(self._cached(student)),
            tuple(self._shared(student)),
            student in self._rules.extensions
            or any(student in members for groups in self._rules.groups.values() for members in groups.values()),
        )

    def _has_gradebook(self) -> bool:
        prefix = "sqlite:///"
        return not self._db_url.startswith(prefix) or Path(self._db_url.removeprefix(prefix)).is_file()

    def _lines(self, name: str, student: str) -> list[list[str]]:
        """Return the head of a table and the student's lines."""
        rows = _rows(self.folder / name)
        return rows[:1] + [row for row in rows[1:] if self._is_of(row, student)]

    def _is_of(self, row: Iterable[str], student: str) -> bool:
        return bool(self._names(student) & {cell.strip() for cell in row})

    def _names(self, student: str) -> set[str]:
        """Return the id, and the address that the roster has for it."""
        try:
            known = read_roster(self.folder / ROSTER).by_id.get(student)
        except (CourseError, OSError):
            known = None
        return {student, *([known.email] if known is not None and known.email else [])}

    def _cached(self, student: str) -> Iterator[Path]:
        """Yield stored results, conversations, tests and rebuilt notebooks of this student's work alone."""
        mine: dict[str, set[str]] = {"executed": set(), "tests": set()}
        others: dict[str, set[str]] = {"executed": set(), "tests": set()}
        for path in self._homes["autograded"].glob(f"*/*/{RECORD}"):
            execution = _object(path).get("execution", {})
            kept = mine if path.parents[1].name == student else others
            kept["executed"].update(execution.get("keys", ()))
            kept["tests"].update(execution.get("tests", ()))
        notebooks: dict[bool, set[str]] = {True: set(), False: set()}
        for path in (self.cache / "seen").glob("*.json"):
            for entry in _object(path).get("entries", {}).values():
                seen = entry.get("seen", {})
                kept_as = notebooks[seen.get("student") == student]
                kept_as.update(notebook.get("rebuilt", "") for notebook in seen.get("notebooks", ()))
        executed = mine["executed"] - others["executed"]
        yield from self._named("executed", executed)
        yield from self._named("conversations", executed)
        yield from self._named("tests", mine["tests"] - others["tests"])
        yield from self._named("rebuilt", notebooks[True] - notebooks[False])

    def _named(self, kind: str, names: Iterable[str]) -> Iterator[Path]:
        for name in sorted(names):
            yield from (self.cache / kind).glob(f"*/{_literally(name)}.json") if name else ()

    def _shared(self, student: str) -> Iterator[Path]:
        """Yield files that name the student among others: all of them can be made again."""
        names = [name.encode() for name in self._names(student)]
        every = [
            *self.folder.glob(f"{REPORTS}/*/*.html"),
            *self.folder.glob(f"{EXPORTS}/*"),
            *(self.cache / "graded").glob("*.json"),
            *(self.cache / "similar").glob("*.json"),
        ]
        for path in sorted(every):
            if path.is_file() and (path.suffix == ".zip" or any(name in path.read_bytes() for name in names)):
                yield path

    def forget(self, found: Personal) -> list[str]:
        """Remove what was found; return what was removed, in words. Raises GradingError while a class is graded."""
        said = []
        with ExitStack() as locks:
            for path in sorted(self.cache.glob("*.lock")):
                locks.enter_context(alone(self.cache, path.stem))
            for folder in found.folders:
                folder.chmod(0o700)
                for inner in folder.rglob("*"):  # nbgrader leaves its folders read-only
                    inner.chmod(0o700 if inner.is_dir() else 0o600) if not inner.is_symlink() else None
                shutil.rmtree(folder)
                said.append(f"{folder.relative_to(self.folder)}/")
            for name in found.lines:
                said.append(f"{name}: {self._without(name, found.student)} lines")
            if found.gradebook is not None:
                forget_in_gradebook(self._db_url, self._course_id, found.student)
                said.append(f"the gradebook: {len(found.gradebook['submissions'])} submissions")
            for path in (*found.pages, *found.shared):
                path.unlink(missing_ok=True)
                said.append(_shown(path, self.folder))
            for path in found.cached:
                path.unlink(missing_ok=True)
            self._forget_memories(found.student)
            if found.cached:
                said.append(f"{len(found.cached)} stored results")
        return said

    def _without(self, name: str, student: str) -> int:
        path = self.folder / name
        rows = _rows(path)
        kept = [row for number, row in enumerate(rows) if number == 0 or not self._is_of(row, student)]
        text = io.StringIO()
        csv.writer(text, _dialect(path)).writerows(kept)
        write_atomically(path, text.getvalue())
        return len(rows) - len(kept)

    def _forget_memories(self, student: str) -> None:
        for path in (self.cache / "seen").glob("*.json"):
            memory = _object(path)
            entries = memory.get("entries", {})
            kept = {key: entry for key, entry in entries.items() if entry.get("seen", {}).get("student") != student}
            if len(kept) < len(entries):
                write_atomically(path, json.dumps({**memory, "entries": kept}))


def write_out(course: Everything, found: Personal, more: Mapping[str, Any], archive: zipfile.ZipFile) -> None:
    """Write what is about a student into an archive; `more` is told in `about.json`, too.

    Tests of an assignment are not about the student and stay the course's: their cells are empty.
    """
    about = {
        "student": found.student,
        "gradebook": found.gradebook,
        **found.lines,
        **more,
    }
    archive.writestr(ABOUT, json.dumps(about, indent=1, ensure_ascii=False, default=str))
    for folder in found.folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                executed = folder.parent == course.executed and path.suffix == ".ipynb"
                archive.writestr(_shown(path, course.folder), without_tests(content) if executed else content)
    for path in found.pages:
        archive.writestr(_shown(path, course.folder), path.read_bytes())


def without_tests(content: bytes) -> bytes:
    """Return an executed notebook whose test cells are empty: they may hold hidden tests."""
    try:
        notebook = json.loads(content)
        for cell in notebook["cells"]:
            about = cell.get("metadata", {}).get("nbgrader", {})
            if about.get("grade") and not about.get("solution"):
                cell["source"] = ""
    except (ValueError, TypeError, KeyError, AttributeError):
        return b""
    return json.dumps(notebook, indent=1, ensure_ascii=False).encode()


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name


def _literally(name: str) -> str:
    """Return a name as a glob that matches nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    return [row for row in csv.reader(io.StringIO(text, newline=""), _dialect(path)) if row]


def _dialect(path: Path) -> type[csv.Dialect] | str:
    """Return how a table is written: with commas, semicolons or tabs."""
    first = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    return type("Dialect", (csv.excel,), {"delimiter": delimiter})


def _object(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
