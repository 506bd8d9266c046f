"""Names in a download from a learning management system (LMS): whose each file is, and of which attempt.

Only names are looked at here (and Blackboard's receipts); `grading.lms.collect` reads and places the files.

- Moodle, "Download all submissions": folders `<Full Name>_<number>_assignsubmission_file` (older releases put a `_`
  after it), or flat `<Full Name>_<number>_assignsubmission_file_<file>`. `_` in a name has become a space, and
  ``&<>"`|':\\/`` are gone (moodle/moodle: mod/assign/classes/downloader.php and `clean_filename`). It says no times;
  the grading worksheet's column `Last modified (submission)` does.
- Canvas, "Download Submissions": flat `<name>[_LATE]_<user id>_<file id>_<file>`; the name is `Last, First` in lower
  case with letters and digits only; text is `..._text.html`, a link `..._link.html`, an anonymous student
  `anon_<id>` (instructure/canvas-lms: `get_filename` and `add_upload_submission` in lib/content_zipper.rb). A file
  handed in again under its name gets `-1`, `-2`. It says no times.
- Blackboard, "Assignment File Download": flat `<Assignment>_<username>_attempt_<yyyy-mm-dd-hh-mm-ss>_<file>` and a
  receipt `..._attempt_<time>.txt` with `Name: First Last (username)`, `Date Submitted: <time, o'clock, zone>`
  (jupyter/nbgrader: user_guide/managing_assignment_files_manually; receipts: `parselearn`, CodeGra.de's parser).
- Google Classroom's Drive folder: `<Student Name> - <title>.ipynb`; Drive tells equal names apart by ` (1)`. (From
  use: Google documents neither.) A file that does not name its owner cannot be placed.
- Plain: `<student>/<file>`, `<student>.ipynb`, or nbgrader's `<student>/<assignment>/<file>`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from grading.common.names import TIMESTAMP, is_student_id
from grading.common.text import clean
from grading.lms.roster import Clue, made_id, name_key

KINDS = ("moodle", "canvas", "blackboard", "google", "plain")
_MOODLE = re.compile(r"(?s)(?P<name>.*?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<rest>.*))?")
_CANVAS = re.compile(
    r"(?s)(?:(?P<name>.+?)_)??(?:(?P<late>LATE)_)?(?P<user>\d+|anon_[0-9A-Za-z]+)"
    r"_(?:(?P<file>\d+)_(?P<rest>.+)|(?P<text>(?:text|link)\.html))"
)
_BLACKBOARD = re.compile(r"(?s)(?P<head>.+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|\.txt)")
_COPY = re.compile(r"(?s)(?P<base>.*?)(?: ?\((?P<number>\d{1,3})\))?")
_VERSION = re.compile(r"(?s)(?P<base>.*?)(?:-(?P<number>\d{1,3}))?")
_RECEIPT = re.compile(r"Name: *(?P<name>.*) \((?P<username>[^()]*)\) *")
_MOODLE_TIMES = ("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%d %B %Y, %I:%M %p", "%Y-%m-%d %H:%M:%S")
_UTC = ("UTC", "GMT", "Z")


@dataclass(frozen=True)
class Entry:
    """A file of a download: its path in there, its size and time (seconds since 1970), and where its bytes are."""

    name: str
    size: int
    mtime: float
    key: object = None


@dataclass(frozen=True)
class DownloadedFile:
    """A file, and what its name says: whose it is, of which attempt, and its path in the hand-in."""

    entry: Entry
    label: str
    """What an instructor sees of it in the download: the file, or the folder it came in."""
    clues: tuple[Clue, ...]
    made: str
    """The student's id if there is no roster; empty if the names say too little."""
    path: str
    attempt: str = ""
    time: datetime | None = None
    family: str = ""
    """Files of an attempt with the same family are versions of one: that with the highest rank counts."""
    rank: tuple[float, ...] = ()
    late: bool = False

    @property
    def when(self) -> float:
        """The LMS's time, else the file's, in seconds since 1970."""
        return self.time.timestamp() if self.time else self.entry.mtime


@dataclass
class Listing:
    """Knowledge of a download from its names."""

    pieces: list[DownloadedFile] = field(default_factory=list)
    strange: list[tuple[str, str]] = field(default_factory=list)
    """Names that say nothing, and why."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Query:
    """Facts, beside a download's names, that reading them depends on."""

    assignment: str
    students: frozenset[str] = frozenset()
    """Usernames, ids and email addresses of the roster, in lower case."""
    timezone: tzinfo | None = None
    """The zone of times that come without one; None is this machine's."""
    notebooks: frozenset[str] = frozenset()
    """Names of the assignment's notebooks, without `.ipynb`: `part-2` is no second version of `part` then."""


def recognise(names: Sequence[str]) -> str:
    """Tell which LMS the paths of a download come from, one of `KINDS`."""
    tops = [name.split("/")[0] for name in names]
    shapes = {"moodle": _MOODLE, "blackboard": _BLACKBOARD, "canvas": _CANVAS}
    for kind, shape in shapes.items():
        if tops and 2 * sum(bool(shape.fullmatch(top)) for top in tops) >= len(tops):
            return kind
    files = [name for name in names if "/" not in name]
    return "google" if files and 2 * sum(" - " in name for name in files) >= len(files) else "plain"


def read_names(kind: str, entries: Sequence[Entry], asked: Query, read: Callable[[Entry], str]) -> Listing:
    """Read what the names of a download say; `read` gives the text of a small file."""
    if kind == "moodle":
        return _each(entries, _moodle, "Moodle")
    if kind == "canvas":
        return _each(entries, lambda entry: _canvas(entry, asked.notebooks), "Canvas")
    if kind == "blackboard":
        return _blackboard(entries, asked, read)
    return _by_folder(entries, asked, google=kind == "google", read=read)


def aware(time: datetime, timezone: tzinfo | None) -> datetime:
    """Read a time without a zone in the given one; None is this machine's."""
    return time.replace(tzinfo=timezone) if timezone else time.astimezone()


def moodle_time(text: str, timezone: tzinfo | None) -> datetime | None:
    """Read the time in a grading worksheet such as `Friday, 20 November 2026, 2:03 PM`; None if there is none."""
    for form in _MOODLE_TIMES:
        try:
            return aware(datetime.strptime(" ".join(text.split()), form), timezone)
        except ValueError:
            continue
    return None


def _each(entries: Sequence[Entry], read: Callable[[Entry], DownloadedFile | None], lms: str) -> Listing:
    found = Listing()
    for entry in entries:
        if piece := read(entry):
            found.pieces.append(piece)
        else:
            found.strange.append((entry.name, f"This is not a name that {lms} gives to a hand-in."))
    late = sum(piece.late for piece in found.pieces)
    if late:
        found.notes.append(f"{late} files are marked LATE: {lms} does not say by how much.")
    return found


def _moodle(entry: Entry) -> DownloadedFile | None:
    top, _, below = entry.name.partition("/")
    match = _MOODLE.fullmatch(top)
    path = below or (match["rest"] if match else "")
    if not match or not path:
        return None
    clue = Clue(lms_id=match["number"], name=match["name"])
    attempt = top if below else match["name"] + match["number"]
    return DownloadedFile(entry, top, (clue,), made_id(match["name"], match["number"]), path, attempt)


def _canvas(entry: Entry, notebooks: frozenset[str]) -> DownloadedFile | None:
    match = _CANVAS.fullmatch(entry.name)
    if not match:
        return None
    path, number = match["text"] or match["rest"], int(match["file"] or 0)
    name = "" if match["name"] in (None, "LATE") else match["name"]
    late = bool(match["late"]) or match["name"] == "LATE"
    version, family = _version(_VERSION, path, notebooks)
    clue = Clue(lms_id=match["user"], name=name, compact=True)
    made = made_id(name, match["user"].replace("_", "-"))
    return DownloadedFile(entry, entry.name, (clue,), made, path, family=family, rank=(version, number), late=late)


def _version(shape: re.Pattern[str], path: str, notebooks: frozenset[str]) -> tuple[int, str]:
    """Return which version of a notebook a name means, and the name without it; other files have no versions."""
    stem, dot, suffix = path.rpartition(".")
    if stem in notebooks:
        return 0, path
    match = shape.fullmatch(stem)
    if suffix.lower() != "ipynb" or not match:
        return 0, ""
    return int(match["number"] or 0), match["base"] + dot + suffix


@dataclass(frozen=True)
class _Receipt:
    name: str
    username: str
    zone: str


def _blackboard(entries: Sequence[Entry], asked: Query, read: Callable[[Entry], str]) -> Listing:
    found, receipts, zones = Listing(), {}, set()
    matches = [(entry, _BLACKBOARD.fullmatch(entry.name)) for entry in entries]
    for entry, match in matches:
        if match and not match["rest"]:
            receipts[match["head"], match["time"]] = entry, _receipt(read(entry), match["head"])
    prefix = _common_prefix({match["head"] for _, match in matches if match})
    with_files = set()
    for entry, match in matches:
        if not match:
            found.strange.append((entry.name, "This is not a name that Blackboard gives to a hand-in."))
            continue
        if not match["rest"]:
            continue
        key = match["head"], match["time"]
        with_files.add(key)
        receipt = receipts[key][1] if key in receipts else None
        time = _blackboard_time(match["time"], receipt, asked.timezone)
        if time is None:
            found.strange.append((entry.name, f"{match['time']} is no time."))
            continue
        zone = receipt.zone if receipt else ""
        if zone and zone not in (*_UTC, time.tzname()):
            zones.add(zone)
        clue = _blackboard_clue(match["head"], receipt, prefix, asked)
        made = made_id(clue.username or (clue.ids[0] if clue.ids else ""))
        found.pieces.append(DownloadedFile(entry, entry.name, (clue,), made, match["rest"], match["time"], time))
    for key, (entry, _) in receipts.items():
        if key not in with_files:
            found.strange.append((entry.name, "The receipt of an attempt without files: there is nothing to grade."))
    if zones:
        named = clean(", ".join(sorted(zones)))
        found.notes.append(f"Blackboard's receipts say the zone {named}, the times were read in another: give it.")
    return found


def _receipt(text: str, head: str) -> _Receipt | None:
    """Read the lines that Blackboard writes; below `Submission Field:` the student does."""
    lines = re.split(r"\r?\n", text.lstrip("\ufeff").partition("Submission Field:")[0])
    match = _RECEIPT.fullmatch(lines[0])
    if not match or not head.endswith(f"_{match['username']}"):
        return None
    date = next((line for line in lines if line.startswith("Date Submitted:")), "")
    zone = re.search(r"\b([A-Z]{1,5})\s*$", date)
    return _Receipt(match["name"], match["username"], zone[1] if zone and zone[1] not in ("AM", "PM") else "")


def _blackboard_time(text: str, receipt: _Receipt | None, timezone: tzinfo | None) -> datetime | None:
    try:
        time = datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
    return aware(time, UTC if receipt and receipt.zone in _UTC else timezone)


def _common_prefix(heads: set[str]) -> str:
    """Return the beginning that all share, up to a `_`: the assignment, if several students handed in."""
    first, last = min(heads, default=""), max(heads, default="")
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[: first.rfind("_", 0, same) + 1]


def _blackboard_clue(head: str, receipt: _Receipt | None, prefix: str, asked: Query) -> Clue:
    """Tell assignment and username apart, though both may hold a `_`: by the receipt, the roster, then the others."""
    if receipt:
        return Clue(username=receipt.username, name=receipt.name)
    parts = head.split("_")
    tails = ["_".join(parts[n:]) for n in range(1, len(parts))]
    known = [tail for tail in tails if tail.casefold() in asked.students]
    rest = head[len(prefix) :] if prefix else (tails or [head])[-1]
    return Clue(ids=tuple(known[:1] or [rest]))


def _by_folder(entries: Sequence[Entry], asked: Query, google: bool, read: Callable[[Entry], str]) -> Listing:
    found, times = Listing(), {}
    tidy = {entry.name.split("/")[0] for entry in entries if _in_assignment(entry.name, asked.assignment)}
    for entry in entries:
        top, _, below = entry.name.partition("/")
        inside = below.removeprefix(f"{asked.assignment}/") if _in_assignment(entry.name, asked.assignment) else below
        if top in tidy and inside == below:
            found.strange.append((entry.name, f"It lies beside the folder '{asked.assignment}', not in it."))
        elif top in tidy and inside == TIMESTAMP:
            times[top] = stamp(read(entry))
            if times[top] is None:
                found.strange.append((entry.name, "Its first line is no time."))
        elif below:
            clue = Clue(ids=(top,), name=top)
            found.pieces.append(DownloadedFile(entry, top, (clue,), _plain_id(top), inside, rank=(entry.mtime,)))
        elif piece := _loose(entry, asked, google):
            found.pieces.append(piece)
        else:
            found.strange.append((entry.name, "The name does not say whose it is: put it in a folder of the student."))
    found.pieces = [
        DownloadedFile(**{**piece.__dict__, "time": times.get(piece.label)}) if times.get(piece.label) else piece
        for piece in found.pieces
    ]
    return found


def _in_assignment(name: str, assignment: str) -> bool:
    parts = name.split("/")
    return len(parts) > 2 and parts[1] == assignment


def _plain_id(text: str) -> str:
    return text if is_student_id(text) else made_id(text)


def stamp(text: str) -> datetime | None:
    """Read the time in nbgrader's `timestamp.txt`, such as `2026-11-20 14:03:55 UTC`; without a zone it is UTC."""
    words = text.lstrip("\ufeff").strip().partition("\n")[0].split()
    zone: tzinfo = UTC
    try:
        if len(words) == 3:
            zone = ZoneInfo(words.pop())
        time = datetime.fromisoformat(" ".join(words))
    except (ValueError, KeyError, OSError):  # KeyError: no such zone
        return None
    return time if time.tzinfo else time.replace(tzinfo=zone)


def _loose(entry: Entry, asked: Query, google: bool) -> DownloadedFile | None:
    """Read the name of a file that lies in no folder: `<student>.ipynb`, or `<Student Name> - <title>.ipynb`."""
    stem = PurePosixPath(entry.name).stem
    match = _COPY.fullmatch(stem)
    assert match is not None, "its parts match any text"
    version, bare = int(match["number"] or 0), match["base"]
    if google:
        parts = bare.split(" - ")
        cuts = range(1, len(parts))
        names = [" - ".join(parts[:n]) for n in cuts] + [" - ".join(parts[n:]) for n in cuts] or [bare]
        made = made_id(parts[0]) if len(parts) > 1 else ""
    else:
        names = [stem, bare] if version else [bare]
        made = "" if version else _plain_id(stem)  # `work (1)` may well be of another student than `work`
    if name_key(bare) in ("", name_key(asked.assignment)):
        return None
    clues = tuple(Clue(ids=(name,), name=name) for name in names)
    family = _version(_COPY, entry.name, asked.notebooks)[1]
    return DownloadedFile(entry, entry.name, clues, made, entry.name, family=family, rank=(entry.mtime, version))
