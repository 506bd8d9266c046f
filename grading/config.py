"""The home of the course, and the one configuration file that nbgrader's commands and ours share."""

import csv
import glob
import io
import logging
import os
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Float, Integer, List, TraitError, Unicode, validate
from traitlets.config import Config, Configurable
from traitlets.config.loader import PyFileConfigLoader

from grading.common.names import EXTENSIONS, is_student_id
from grading.errors import GradingError, ReleaseError
from grading.options import MIB, Isolation, Limits, Options, Workers
from grading.rules.reading import read_rules, zone_of
from grading.rules.rules import Rules

CONFIG_FILE = "nbgrader_config.py"
PUBLIC = "public"
"""Folder of an assignment whose files are released as they are."""
INSTRUCTORS = ("autotests.yml", "limits.json", "planted", "private*", "scoring.py", "thresholds.json")
"""Files and folders of an assignment, as globs of their names, that are never released."""
_CELL_WITH_ID = re.compile(r"# %%.*\bid=")
GITHUB = re.compile(r"https://github\.com/(?P<path>[\w.-]+/[\w.-]+?)(?:\.git)?/?")


PLACEHOLDER = "https://github.com/OWNER/REPO"


class Course(Configurable):
    """The course's public home, from which its links are made."""

    url = Unicode(
        PLACEHOLDER,
        help="The course's GitHub repository. OWNER/REPO is a placeholder: set it in nbgrader_config.py.",
    ).tag(config=True)
    branch = Unicode("main", help="The branch that students' links point to.").tag(config=True)
    released_files = List(
        Unicode(),
        help="Files beside the masters that students get though no notebook names them: globs of paths in the "
        'assignment\'s folder, such as "data/*.csv".',
    ).tag(config=True)

    @validate("url")
    def _valid_url(self, proposal: dict[str, Any]) -> str:
        match = GITHUB.fullmatch(proposal["value"])
        if match is None:
            raise TraitError(f"Course.url must look like https://github.com/OWNER/REPO, not {proposal['value']!r}")
        return f"https://github.com/{match['path']}"

    @property
    def is_placeholder(self) -> bool:
        """Return whether nobody has said yet where the course is."""
        return str(self.url) == PLACEHOLDER

    @property
    def repository(self) -> str:
        """`OWNER/REPO`."""
        return str(self.url).removeprefix("https://github.com/")

    def colab_url(self, assignment: str, notebook: str) -> str:
        """Return the address that opens a released notebook on Colab."""
        return (
            f"https://colab.research.google.com/github/{self.repository}/blob/{self.branch}"
            f"/release/{assignment}/{notebook}.ipynb"
        )

    def raw_url(self, path: str) -> str:
        """Return the address of a file's bytes; `path` is relative to the repository."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.branch}/{path}"


class Grading(Configurable):
    """Configuration of how `course grade`, and `nbgrader autograde` in this course, run submissions."""

    data = Unicode("", help="Folder of course data; COURSE_DATA in the environment comes first.").tag(config=True)
    withheld = Unicode("", help="Folder of data that student code never sees, for assignments that want some.").tag(
        config=True
    )
    isolation = Unicode(Isolation.bwrap.value, help="bwrap or none.").tag(config=True)
    workers = Integer(0, help="Submissions executed at a time; 0: one for each core.").tag(config=True)
    scheduler = Unicode("", help="Address of a Dask scheduler; empty: workers on this machine.").tag(config=True)
    tls = Dict(help="ca_file, client_cert and client_key, for a scheduler at a tls:// address.").tag(config=True)
    gpu = Bool(Workers.gpu, help="Let each worker use the GPU of its number.").tag(config=True)
    threads = Integer(Options.threads, help="Threads TensorFlow may use in one operation.").tag(config=True)
    cell_seconds = Float(Limits.cell_seconds, help="Seconds a cell may run before it is interrupted.").tag(config=True)
    notebook_seconds = Float(Limits.notebook_seconds, help="Seconds a notebook's cells may run in all.").tag(
        config=True
    )
    memory_mib = Integer(Limits.memory_bytes // MIB, help="Memory of a submission, its files included.").tag(
        config=True
    )
    tasks = Integer(Limits.tasks, help="Processes and threads of a submission at one time.").tag(config=True)
    cpu_seconds = Integer(Limits.cpu_seconds, help="Processor time of a submission.").tag(config=True)
    disk_mib = Integer(Limits.disk_bytes // MIB, help="Files that a submission may write.").tag(config=True)
    output_mib = Float(Limits.output_bytes / MIB, help="Output of a cell; more is dropped.").tag(config=True)
    names = Bool(
        True, help="Show names from the roster on pages and in the terminal; --names and --no-names come first."
    ).tag(config=True)
    cache = Unicode(".cache", help="Folder of stored results, below the course's.").tag(config=True)

    @property
    def limits(self) -> Limits:
        """The limits of a submission."""

        return Limits(
            cell_seconds=self.cell_seconds,
            notebook_seconds=self.notebook_seconds,
            memory_bytes=self.memory_mib * MIB,
            tasks=self.tasks,
            cpu_seconds=self.cpu_seconds,
            disk_bytes=self.disk_mib * MIB,
            output_bytes=round(self.output_mib * MIB),
        )

    @property
    def data_folder(self) -> Path | None:
        """Folder of course data: COURSE_DATA in the environment, else what is configured."""
        data = os.environ.get("COURSE_DATA") or self.data
        return Path(data) if data else None

    @property
    def withheld_folder(self) -> Path | None:
        """Return the folder of data that student code never sees."""
        return Path(self.withheld) if self.withheld else None

    def cache_folder(self, course_dir: Path) -> Path:
        """Return the folder of stored results; a relative path is below the course folder."""
        return course_dir / self.cache

    def _isolation(self) -> Isolation:
        try:
            return Isolation(self.isolation)
        except ValueError as error:
            known = ", ".join(kind.value for kind in Isolation)
            raise GradingError(f"c.Grading.isolation is {self.isolation!r}: give one of {known}") from error

    def options(self) -> dict[str, Any]:
        """Return keywords for `grading.options.Options`."""

        return {
            "data": self.data_folder,
            "withheld": self.withheld_folder,
            "isolation": self._isolation(),
            "workers": Workers(self.workers or os.cpu_count() or 1, self.scheduler, dict(self.tls) or None, self.gpu),
            "limits": self.limits,
            "threads": self.threads,
        }


class HandIns(Configurable):
    """Rules of hand-ins: when, how often, how late (docs/rules.md). Read them by `hand_in_rules`."""

    time_zone = Unicode("UTC", help="What a time without a time zone is in, such as Europe/Berlin.").tag(config=True)
    every = Dict(help="Rules for all assignments, which those of one stand above.").tag(config=True)
    rules = Dict(help="Rules by assignment: opens, due, closes, grace, late_percent, ...").tag(config=True)
    late_days = Integer(0, min=0, help="Days of lateness that cost nothing, for each student in the course.").tag(
        config=True
    )
    extensions = Dict(help="By student, due times by assignment; those of extensions.csv stand above.").tag(config=True)
    groups = Dict(help="By assignment, students by group; those of one group hand in once.").tag(config=True)


@dataclass(frozen=True)
class CourseRules:
    """Rules of hand-ins of a whole course."""

    settings: HandIns
    granted: Mapping[tuple[str, str], str]
    """Due times of `extensions.csv`, by student and assignment."""

    @property
    def late_days(self) -> int:
        """Return the days in each student's bank."""
        return int(self.settings.late_days)

    @property
    def named(self) -> list[str]:
        """Return the assignments that have rules of their own."""
        return sorted(self.settings.rules)

    def of(self, assignment: str) -> Rules:
        """Return the rules of an assignment. Raises GradingError where a setting is wrong."""
        settings = self.settings
        by_student = {
            (student, name): until for student, own in settings.extensions.items() for name, until in own.items()
        }
        extensions = [(*who, until) for who, until in {**by_student, **self.granted}.items() if until]
        every, own, groups = settings.every, settings.rules.get(assignment, {}), settings.groups.get(assignment, {})
        return read_rules(assignment, every, own, zone_of(settings.time_zone), extensions, groups)


def hand_in_rules(course_dir: Path, config: Config | None = None) -> CourseRules:
    """Read the rules of hand-ins, of the configuration and of `extensions.csv`; anew each time, so they may change."""
    settings = HandIns(config=load_config(course_dir) if config is None else config)
    return CourseRules(settings, extensions(course_dir))


def extensions(course_dir: Path) -> dict[tuple[str, str], str]:
    """Read `extensions.csv`: due times by student and assignment. The last line of each counts; empty takes it back."""
    path = Path(course_dir) / EXTENSIONS
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for number, line in enumerate(csv.reader(lines), start=1):
        if not line or (number == 1 and line[:1] == ["student"]):
            continue
        if len(line) < 3 or not is_student_id(line[0]):
            raise GradingError(f"{path}, line {number}: give the student's id, the assignment and the new due time")
        found[line[0], line[1].strip()] = line[2].strip()
    return found


def grant_extension(course_dir: Path, student: str, assignment: str, until: datetime | None, why: str = "") -> None:
    """Add a line to `extensions.csv`; `until` is aware, and None takes an extension back."""
    path = Path(course_dir) / EXTENSIONS
    head = "" if path.is_file() else "student,assignment,due,why\r\n"
    line = io.StringIO()
    due = until.astimezone(UTC).isoformat(timespec="seconds") if until is not None else ""
    csv.writer(line).writerow([student, assignment, due, " ".join(why.split())])
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(head + line.getvalue())


def course_directory(config: Config, kind: str) -> str:
    """Return the name of one of nbgrader's folders, such as "submitted": nbgrader's own default unless configured."""
    return str(config.CourseDirectory.get(f"{kind}_directory", kind))


def load_config(course_dir: Path) -> Config:
    """Read the course's nbgrader_config.py, as nbgrader's own commands do. Raises GradingError where that fails."""
    course_dir = Path(course_dir).resolve()
    if not (course_dir / CONFIG_FILE).is_file():
        raise ReleaseError(f"{course_dir} holds no {CONFIG_FILE}, so it is not a course folder")
    try:
        return PyFileConfigLoader(CONFIG_FILE, path=str(course_dir)).load_config()
    except Exception as error:  # it is a program, and may do anything
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(CONFIG_FILE)
        ]
        where = f", line {lines[-1]}" if lines else ""
        said = f"{course_dir / CONFIG_FILE}{where} cannot be read: {type(error).__name__}: {error}"
        raise GradingError(said) from error


def instructor_names(course_dir: Path) -> list[str]:
    """List what lies beside the masters and is never for students, as globs for `CourseDirectory.ignore`.

    That is what `INSTRUCTORS` names, and text twins. Which other files are for students is decided when a release is
    made (`grading.release.beside`).
    """
    twins = {glob.escape(path.name) for path in (course_dir / "source").glob("*/*.py") if is_twin(path)}
    return sorted({*INSTRUCTORS, *twins})


def is_twin(path: Path) -> bool:
    """Return whether a file is the text twin of a notebook: a percent script named like one, or with ids of cells."""
    if path.suffix != ".py" or not path.is_file():
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    beside = path.with_suffix(".ipynb").is_file()
    return any(beside or _CELL_WITH_ID.match(line) for line in text.splitlines() if line.startswith("# %%"))


def quiet_logger() -> tuple[logging.Logger, io.StringIO]:
    """Return a logger for nbgrader, which says much at all times, and its text, to show when nbgrader fails."""
    lines = io.StringIO()
    logger = logging.Logger("nbgrader", logging.INFO)
    logger.addHandler(logging.StreamHandler(lines))
    return logger, lines
