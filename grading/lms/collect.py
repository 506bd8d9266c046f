"""From a download of an LMS to `submitted/<student>/<assignment>/`. Nothing in it is believed, followed or run.

What a download looks like is told in `grading.lms.downloads`. Here it is read, stream by stream, and placed: whole
or not at all, only where it is newer than what is there, and with a reason for everything that could not be placed.
"""

import fcntl
import logging
import os
import shutil
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Protocol

from grading.common.files import write_atomically
from grading.common.names import TIMESTAMP, is_student_id, printable
from grading.common.text import clean
from grading.errors import GradingError
from grading.lms.downloads import (
    KINDS,
    DownloadedFile,
    Entry,
    Listing,
    Query,
    moodle_time,
    read_names,
    recognise,
    stamp,
)
from grading.lms.roster import Clue, Roster, Student
from grading.options import MIB, IntakeLimits

log = logging.getLogger(__name__)

STAGING = ".collecting"
_OLD = "old"
"""Below it: hand-ins that make room for newer ones, until these are in their places."""
_JUNK = {"__MACOSX", "Thumbs.db", "desktop.ini"}
_SMALL = 64 * 1024
_CHUNK = MIB


@dataclass(frozen=True)
class CollectLimits:
    """Limits on what is read: of one submission, and of a download."""

    submission_bytes: int = IntakeLimits.archive_bytes
    submission_files: int = IntakeLimits.files
    total_bytes: int = 500 * 1024 * MIB
    total_files: int = 1_000_000


@dataclass(frozen=True)
class Placed:
    """A submission: whose, where it lay in the download, and when it was handed in, in UTC (None: not said)."""

    student: str
    source: str
    time: str | None


@dataclass(frozen=True)
class Unplaced:
    """A file that was not placed, and why. `student` is empty where that is not known."""

    name: str
    reason: str
    student: str = ""


@dataclass
class Collected:
    """Outcome of collecting: every file of a download, with what became of it."""

    kind: str
    placed: list[Placed] = field(default_factory=list)
    unchanged: list[Placed] = field(default_factory=list)
    superseded: list[Unplaced] = field(default_factory=list)
    """Attempts and versions that a newer one stands for."""
    unplaced: list[Unplaced] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """How times were read, what was left aside, what was renamed."""


class _CannotPlaceError(ValueError):
    """Reason why something cannot be placed, in one line for people."""


class _Source(Protocol):
    """A download: what is in it, what in it is neither file nor folder, and the bytes of a file."""

    entries: list[Entry]
    refused: list[Unplaced]
    hidden: int

    def open(self, entry: Entry) -> IO[bytes]:
        """Open a file's bytes."""
        ...


def collect(
    path: Path,
    assignment: str,
    submitted: Path,
    roster: Roster | None = None,
    kind: str | None = None,
    *,
    timezone: tzinfo | None = None,
    limits: CollectLimits | None = None,
    notebooks: Collection[str] = (),
) -> Collected:
    """Place the submissions of a download, newest attempts first, as `submitted/<student>/<assignment>/<files>`.

    A hand-in that is there already is replaced by a newer one only, and left as it is where the bytes are the same.
    Newer is what the LMS says is newer, or where it says no times, what was written later. `timestamp.txt` is written
    where the LMS says the time. Called again after an interruption, it puts in order what that one left.

    Args:
        path: The download, a folder or a zip.
        assignment: The assignment's name.
        submitted: The folder of all submissions.
        roster: Who is in the class; without one, students get ids made from what the LMS says.
        kind: One of `grading.lms.downloads.KINDS`; None finds out.
        timezone: The zone of times that come without one; None is this machine's.
        limits: How much is read.
        notebooks: Names of the assignment's notebooks, where it has several.

    Raises:
        GradingError: The download cannot be read or is too large, the kind is unknown, or another one is collecting.
    """
    limits = limits or CollectLimits()
    if kind not in (None, *KINDS):
        raise GradingError(f"'{clean(str(kind))}' is no kind of download: give one of {', '.join(KINDS)}.")
    with _opened(path, limits) as source:
        students, collected = _read(source, assignment, roster, kind, timezone, notebooks)
        kind = collected.kind
        budget = _Budget(limits.total_bytes)
        with _staging(submitted) as staging:
            for student in sorted(students):
                attempt = _newest(student, students[student], collected)
                _settle(student, attempt, _Placing(source, staging, submitted, assignment, limits, budget), collected)
    log.info(
        "%s: %d placed, %d unchanged, %d superseded, %d not placed",
        kind, len(collected.placed), len(collected.unchanged), len(collected.superseded), len(collected.unplaced),
    )  # fmt: skip
    return collected


def newest_files(
    path: Path,
    assignment: str,
    roster: Roster | None = None,
    kind: str | None = None,
    notebooks: Collection[str] = (),
) -> tuple[str, dict[str, list[DownloadedFile]]]:
    """Return the kind of a download, and the files of each student's newest attempt in it. Nothing is placed.

    Raises:
        GradingError: The download cannot be read or is too large.
    """
    with _opened(path, CollectLimits()) as source:
        students, collected = _read(source, assignment, roster, kind, None, notebooks)
        newest = {student: _newest(student, pieces, collected) for student, pieces in students.items()}
    return collected.kind, {student: list(attempt.pieces.values()) for student, attempt in newest.items()}


def _read(
    source: _Source,
    assignment: str,
    roster: Roster | None,
    kind: str | None,
    timezone: tzinfo | None,
    notebooks: Collection[str],
) -> tuple[dict[str, list[DownloadedFile]], Collected]:
    """Return the files of each student, and the report, in which stands whose others may be."""
    entries, kind = _inside_wrapper(source.entries, roster, kind)
    logins = (text for s in roster.students for text in (s.id, s.username, s.email)) if roster else ()
    known = frozenset(text.casefold() for text in logins if text)
    asked = Query(assignment, known, timezone, frozenset(notebooks))
    found = read_names(kind, entries, asked, lambda entry: _small_text(source, entry))
    collected = Collected(kind, unplaced=[replace(left, name=clean(left.name)) for left in source.refused])
    collected.unplaced += [Unplaced(clean(name), reason) for name, reason in found.strange]
    collected.notes += found.notes
    if source.hidden:
        collected.notes.append(f"{source.hidden} hidden files were left aside.")
    students = _sort_by_student(kind, found, roster, timezone, collected)
    _note_times(kind, students, timezone, collected)
    return students, collected


def _inside_wrapper(entries: list[Entry], roster: Roster | None, kind: str | None) -> tuple[list[Entry], str]:
    """Return the entries without a folder that is around all of them, and the kind of download."""
    here = recognise([entry.name for entry in entries])
    tops = {entry.name.partition("/")[0] for entry in entries}
    if here != "plain" or len(tops) != 1 or any("/" not in entry.name for entry in entries):
        return entries, kind or here
    inner = [replace(entry, name=entry.name.partition("/")[2]) for entry in entries]
    below = recognise([entry.name for entry in inner])
    if below == "plain" and not _holds_students(tops.pop(), inner, roster):
        return entries, kind or here
    return inner, kind or below


def _holds_students(folder: str, inner: Sequence[Entry], roster: Roster | None) -> bool:
    """Return whether the only folder of a plain download holds the students', rather than being a student's."""
    names = {entry.name.partition("/")[0] for entry in inner}
    if roster:
        known = [
            isinstance(roster.find(Clue(ids=(name,), name=name)), Student) for name in (folder, *names, *_stems(names))
        ]
        return not known[0] and any(known)
    folders = {entry.name.partition("/")[0] for entry in inner if "/" in entry.name}
    return max(len(folders), len(_stems(names))) > 1


def _stems(names: Iterable[str]) -> set[str]:
    return {name.removesuffix(".ipynb") for name in names if name.endswith(".ipynb")}


# ---------------------------------------------------------------- who, and which attempt


def _sort_by_student(
    kind: str, found: Listing, roster: Roster | None, timezone: tzinfo | None, collected: Collected
) -> dict[str, list[DownloadedFile]]:
    """Sort files by student; those of nobody are listed."""
    students: dict[str, list[DownloadedFile]] = {}
    lost: dict[str, str] = {}
    for piece in found.pieces:
        if roster is None:
            if is_student_id(piece.made):
                students.setdefault(piece.made, []).append(piece)
            else:
                lost[piece.label] = "The name does not say whose it is: give a roster."
            continue
        who = _who(piece, roster, kind)
        if isinstance(who, str):
            lost[piece.label] = who
            continue
        if kind == roster.lms == "moodle":
            piece = replace(piece, time=moodle_time(who.submitted, timezone))
        students.setdefault(who.id, []).append(piece)
    collected.unplaced += [Unplaced(clean(name), reason) for name, reason in lost.items()]
    return students


def _who(piece: DownloadedFile, roster: Roster, kind: str) -> Student | str:
    """Find the one student whom a piece's clues mean, or say why there is none."""
    answers = [roster.find(clue, kind) for clue in piece.clues]
    students = {answer.id: answer for answer in answers if isinstance(answer, Student)}
    if len(students) > 1:
        return f"Its name may mean {clean(', '.join(sorted(students)))}: nobody is guessed, place it by hand."
    said = [answer for answer in answers if isinstance(answer, str)]
    return next(iter(students.values())) if students else max(said, key=lambda reason: "students" in reason)


def _note_times(
    kind: str, students: Mapping[str, Sequence[DownloadedFile]], timezone: tzinfo | None, collected: Collected
) -> None:
    pieces = [piece for files in students.values() for piece in files]
    times = [piece.time for piece in pieces if piece.time]
    if kind in ("moodle", "blackboard") and times:
        name = f"{timezone}" if timezone else f"this machine's zone, {times[-1].astimezone().tzname()}"
        if not (kind == "blackboard" and all(time.tzinfo is UTC for time in times)):
            collected.notes.append(f"The LMS's times come without a zone or with a name only; read in {name}.")
    missing = len(pieces) - len(times)
    if missing:
        worksheet = ": give its grading worksheet as the roster" if kind == "moodle" else ""
        collected.notes.append(f"{missing} files have no time of hand-in, so no timestamp.txt is written{worksheet}.")


@dataclass(frozen=True)
class _Attempt:
    pieces: Mapping[str, DownloadedFile]
    """By path in the hand-in."""

    @property
    def source(self) -> str:
        labels = dict.fromkeys(piece.label for piece in self.pieces.values())
        return clean(", ".join(labels))

    @property
    def time(self) -> datetime | None:
        return max((piece.time for piece in self.pieces.values() if piece.time), default=None)

    @property
    def when(self) -> float:
        return max(piece.when for piece in self.pieces.values())


def _newest(student: str, pieces: Sequence[DownloadedFile], collected: Collected) -> _Attempt:
    """Return the newest attempt of a student, with the newest version of every file; older ones are listed."""
    attempts: dict[str, list[DownloadedFile]] = {}
    for piece in pieces:
        attempts.setdefault(piece.attempt, []).append(piece)
    order = sorted(attempts, key=lambda name: (*max((piece.when, piece.entry.mtime) for piece in attempts[name]), name))
    for name in order[:-1]:
        for label in dict.fromkeys(piece.label for piece in attempts[name]):
            collected.superseded.append(Unplaced(clean(label), "The student handed in again later.", student))
    chosen: dict[str, DownloadedFile] = {}
    families: dict[str, DownloadedFile] = {}
    for piece in sorted(attempts[order[-1]], key=lambda piece: (piece.rank, piece.entry.name)):
        path = _disk_path(piece.path)
        older = {
            id(old): old for old in (families.get(piece.family) if piece.family else None, chosen.get(path)) if old
        }
        for old in older.values():
            chosen = {key: value for key, value in chosen.items() if value is not old}
            collected.superseded.append(
                Unplaced(clean(old.entry.name), f"{clean(piece.entry.name)} is a later version.", student)
            )
        chosen[path] = families[piece.family] = piece
        if path != piece.path:
            collected.notes.append(f"{student}: {clean(piece.path)} was renamed to {clean(path)}.")
    return _Attempt(chosen)


def _disk_path(path: str) -> str:
    """Return a path that can be written: control characters and overrides of the writing direction become `_`."""
    return "/".join(printable(part) for part in path.split("/") if part not in ("", "."))


# ---------------------------------------------------------------- reading


@contextmanager
def _opened(path: Path, limits: CollectLimits) -> Iterator[_Source]:
    if path.is_dir():
        yield _FolderSource(path, limits)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield _ZipSource(archive, limits)
    except FileNotFoundError as error:
        raise GradingError(f"{path} is not there: give the folder or the zip that the LMS let you download.") from error
    except zipfile.BadZipFile as error:
        raise GradingError(f"{path.name} is neither a folder nor a whole zip ({error}): download it again.") from error


class _FolderSource:
    """A folder, listed without following links."""

    def __init__(self, folder: Path, limits: CollectLimits) -> None:
        self.entries: list[Entry] = []
        self.refused: list[Unplaced] = []
        self.hidden = 0
        waiting = [(folder, "")]
        for path, prefix in waiting:  # grows while it is read
            with os.scandir(path) as scan:
                for entry in sorted(scan, key=lambda entry: entry.name):
                    name = f"{prefix}{entry.name}"
                    if _is_hidden(entry.name):
                        self.hidden += 1
                    elif entry.is_symlink():
                        self.refused.append(Unplaced(name, "It is a link, which is never followed."))
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append((Path(entry.path), f"{name}/"))
                    elif not entry.is_file(follow_symlinks=False):
                        self.refused.append(Unplaced(name, "It is neither a file nor a folder."))
                    elif "\\" in entry.name or not _is_encodable(entry.name):
                        self.refused.append(Unplaced(name, "Its name cannot be written: rename it."))
                    else:
                        status = entry.stat(follow_symlinks=False)
                        self.entries.append(Entry(name, status.st_size, status.st_mtime, Path(entry.path)))
                        _check_count(len(self.entries), limits)

    def open(self, entry: Entry) -> IO[bytes]:
        """Open a regular file; a link or a pipe that took its place since is not opened."""
        descriptor = os.open(str(entry.key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _CannotPlaceError("It is not a regular file.")
        return os.fdopen(descriptor, "rb")


class _ZipSource:
    """A zip; its members are read one at a time, never unpacked as they say."""

    def __init__(self, archive: zipfile.ZipFile, limits: CollectLimits) -> None:
        self._archive = archive
        self.entries: list[Entry] = []
        self.refused: list[Unplaced] = []
        self.hidden = 0
        _check_count(len(archive.infolist()), limits)
        for member in archive.infolist():
            name = _member_name(member)
            parts = [part for part in name.split("/") if part not in ("", ".")]
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                self.refused.append(Unplaced(name, "It is a link or a device, which is never followed."))
            elif name.startswith("/") or name[1:2] == ":" or ".." in parts or not parts or not _is_encodable(name):
                self.refused.append(Unplaced(name, "Its path leads out of the download."))
            elif name.endswith("/"):
                continue
            elif any(_is_hidden(part) for part in parts):
                self.hidden += 1
            else:
                self.entries.append(Entry("/".join(parts), member.file_size, _seconds(member), member))

    def open(self, entry: Entry) -> IO[bytes]:
        """Open a member that is packed in an ordinary way."""
        member = entry.key
        assert isinstance(member, zipfile.ZipInfo)
        if member.flag_bits & 0x1:
            raise _CannotPlaceError("It is encrypted: download it again without a password.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _CannotPlaceError("It is packed in an unusual way: unpack the download, then collect the folder.")
        return self._archive.open(member)


def _check_count(count: int, limits: CollectLimits) -> None:
    if count > limits.total_files:
        raise GradingError(f"The download holds more than {limits.total_files} files: is it the right one?")


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in _JUNK


def _is_encodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _member_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; some programs write UTF-8 and do not say so, others write `\\` between folders."""
    name = member.filename
    if not member.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")


def _seconds(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def _small_text(source: _Source, entry: Entry) -> str:
    try:
        with source.open(entry) as stream:
            return stream.read(_SMALL).decode("utf-8", "replace")
    except (_CannotPlaceError, OSError, zipfile.BadZipFile, zlib.error, EOFError):
        return ""


# ---------------------------------------------------------------- placing


@dataclass
class _Budget:
    left: int


@dataclass(frozen=True)
class _Placing:
    """Source, folders and limits with which attempts are placed."""

    source: _Source
    staging: Path
    submitted: Path
    assignment: str
    limits: CollectLimits
    budget: _Budget


def _settle(student: str, attempt: _Attempt, place: _Placing, collected: Collected) -> None:
    """Place one attempt, or say why not; whatever is wrong with it, the others go on."""
    when = attempt.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if attempt.time else None
    placed = Placed(student, attempt.source, when)
    target = place.submitted / student / place.assignment
    try:
        pieces = _without_reserved(student, attempt, collected)
        _check_target(target)
        if not target.exists():
            _write(pieces, target, when, place)
            collected.placed.append(placed)
        elif _holds_the_same(pieces, target, place):
            if when and not (target / TIMESTAMP).exists():
                write_atomically(target / TIMESTAMP, f"{when}\n")
            collected.unchanged.append(placed)
        elif _is_newer(attempt, target):
            _write(pieces, target, when, place)
            collected.placed.append(placed)
        else:
            reason = "What is there is not older: remove it to take this one."
            collected.superseded.append(Unplaced(attempt.source, reason, student))
    except _CannotPlaceError as error:
        collected.unplaced.append(Unplaced(attempt.source, str(error), student))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
        collected.unplaced.append(
            Unplaced(attempt.source, f"It could not be read or written: {clean(reason)}.", student)
        )


def _without_reserved(student: str, attempt: _Attempt, collected: Collected) -> dict[str, DownloadedFile]:
    """Leave out a student's own `timestamp.txt`: it must not say when the student handed in."""
    pieces = dict(attempt.pieces)
    if own := pieces.pop(TIMESTAMP, None):
        collected.unplaced.append(
            Unplaced(clean(own.entry.name), "A student does not say the time of hand-in.", student)
        )
    if not pieces:
        raise _CannotPlaceError("There is no other file.")
    return pieces


def _check_target(target: Path) -> None:
    for path in (target.parent, target):
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise _CannotPlaceError(f"submitted/{target.parent.name} holds a link or a file where a folder should be.")


def _holds_the_same(pieces: Mapping[str, DownloadedFile], target: Path, place: _Placing) -> bool:
    """Return whether a hand-in holds these bytes and nothing else, but for its time stamp."""
    there = {}
    for path in target.rglob("*"):
        inside = path.relative_to(target)
        if (path.is_symlink() or not path.is_dir()) and not any(_is_hidden(part) for part in inside.parts):
            there[inside.as_posix()] = path
    there.pop(TIMESTAMP, None)
    if there.keys() != pieces.keys():
        return False
    for name, path in there.items():
        entry = pieces[name].entry
        if path.is_symlink() or not path.is_file() or path.stat().st_size != entry.size:
            return False
    return all(_same_bytes(pieces[name].entry, path, place) for name, path in there.items())


def _same_bytes(entry: Entry, path: Path, place: _Placing) -> bool:
    with place.source.open(entry) as new, path.open("rb") as old:
        while True:
            chunk = new.read(_CHUNK)
            _spend(place.budget, len(chunk))
            if chunk != old.read(len(chunk) or 1):
                return False
            if not chunk:
                return True


def _is_newer(attempt: _Attempt, target: Path) -> bool:
    """Compare by the LMS's times if both are known, else by the times of the files."""
    try:
        known = stamp((target / TIMESTAMP).read_text(encoding="utf-8", errors="replace")[:_SMALL])
    except OSError:
        known = None
    if attempt.time and known:
        return attempt.time.replace(microsecond=0) > known.replace(microsecond=0)
    files = (path for path in target.rglob("*") if path.name != TIMESTAMP)
    return attempt.when > max((path.lstat().st_mtime for path in files if not path.is_dir()), default=0.0)


def _write(pieces: Mapping[str, DownloadedFile], target: Path, when: str | None, place: _Placing) -> None:
    """Write a hand-in beside its place, then rename it there; an earlier one goes in the same moment."""
    if len(pieces) > place.limits.submission_files:
        raise _CannotPlaceError(f"It holds more than {place.limits.submission_files} files.")
    new = place.staging / "new"
    shutil.rmtree(new, ignore_errors=True)
    own = _Budget(place.limits.submission_bytes)
    for name, piece in sorted(pieces.items()):
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with place.source.open(piece.entry) as stream, path.open("xb") as file:
            while chunk := stream.read(_CHUNK):
                if len(chunk) > own.left:
                    raise _CannotPlaceError(f"It is larger than {place.limits.submission_bytes // MIB} MiB.")
                own.left -= len(chunk)
                _spend(place.budget, len(chunk))
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.utime(path, (piece.when, piece.when))  # the newest notebook counts when it is graded
    if when:
        (new / TIMESTAMP).write_text(f"{when}\n", encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        _replace_hand_in(new, target, place.staging / _OLD / target.parent.name / target.name)
    else:
        new.rename(target)


def _replace_hand_in(new: Path, target: Path, old: Path) -> None:
    """Put a hand-in in the place of an earlier one, which comes back where that fails."""
    old.parent.mkdir(parents=True, exist_ok=True)
    target.rename(old)
    try:
        new.rename(target)
    except OSError as error:
        old.rename(target)  # where this fails too, it stays in the staging folder, and `_put_back` tries again
        raise _CannotPlaceError(
            f"It could not be put in its place ({clean(error.strerror or str(error))}): the earlier hand-in stayed."
        ) from error
    shutil.rmtree(old, ignore_errors=True)


def _spend(budget: _Budget, size: int) -> None:
    budget.left -= size
    if budget.left < 0:
        raise _CannotPlaceError("The download holds more bytes than are read of one: collect it in parts.")


@contextmanager
def _staging(submitted: Path) -> Iterator[Path]:
    """Make a folder to write in, for one run at a time; first, put back what an interrupted run took away."""
    submitted.mkdir(parents=True, exist_ok=True)
    lock = os.open(submitted, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise GradingError(f"Another run is collecting into {submitted}: wait for it.") from error
        staging = submitted / STAGING
        _put_back(staging, submitted)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(exist_ok=True)
        yield staging
        _put_back(staging, submitted)
        shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(lock)


def _put_back(staging: Path, submitted: Path) -> None:
    """Put back the hand-ins that were taken away and for which nothing has come.

    Raises:
        GradingError: One cannot be put back; nothing of the staging folder is deleted then.
    """
    for folder in staging.glob(f"{_OLD}/*/*"):
        target = submitted / folder.parent.name / folder.name
        if target.exists():
            continue
        try:
            folder.rename(target)
        except OSError as error:
            raise GradingError(
                f"The earlier hand-in {target} could not be put back ({clean(error.strerror or str(error))}). "
                f"It is kept in {folder}: make room or mend the rights, then collect again."
            ) from error
