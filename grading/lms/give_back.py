"""Feedback pages in the form in which a learning management system (LMS) takes them back: a zip for all students.

Each of them finds the student by the name of the file, by its source:

- Moodle, "Upload multiple feedback files in a zip": of each path it looks for a part `<full name>_<participant>_<type>_
  <plugin>[_<rest>]`, cut at `_`, so the name holds none; the number must be a participant of the assignment, type and
  plugin one that there is, and what comes after is the file's name. Hidden files (`.`, `~`) are passed over
  (moodle/moodle: mod/assign/feedback/file/importziplib.php, `is_valid_filename_for_import`). The folders are those of
  its own download, with the `_` at the end that releases before 4.1 ask for and later ones take.
- Canvas, "Upload Submissions" beside its download: of the file's name, cut at `_`, the first two parts of digits alone
  are the user's number and that of a file that this user has handed in; the zip becomes a comment with an attachment
  (instructure/canvas-lms: `generate_comments_from_files` and `infer_comment_context_from_filename` in
  app/models/assignment.rb). So only a download of its own tells the names.
"""

import io
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grading.common.files import write_atomically
from grading.common.text import clean
from grading.errors import GradingError
from grading.lms.collect import newest_files
from grading.lms.downloads import DownloadedFile
from grading.lms.export import CANVAS_PAGES, MOODLE_PAGES, PAGE_TARGETS, Exported, Grade, match_lines
from grading.lms.roster import Roster, read_table, student_of

PAGE = "feedback.html"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f&<>\"`|':\\/]")
"""What Moodle's `clean_filename` takes out of a name."""
_CANVAS_PREFIX = re.compile(r"(?s)(?P<prefix>(?:.*?_)?\d+_\d+)_.+")


@dataclass
class Returned:
    """Report on what was written: students by id."""

    path: Path
    written: list[str] = field(default_factory=list)
    without_place: list[str] = field(default_factory=list)
    """There is a page, but nothing says where the LMS would put it."""


def give_back(
    pages: Mapping[str, Path],
    to: str,
    path: Path,
    assignment: str,
    roster: Roster | None = None,
    source: Path | None = None,
    notebooks: Collection[str] = (),
) -> Returned:
    """Write the zip that an LMS imports, with the page of each student; it appears whole or not at all.

    Args:
        pages: Files by student's id.
        to: One of `PAGE_TARGETS`.
        path: The zip to write.
        assignment: The assignment's name.
        roster: Who is in the class; for Moodle its worksheet is enough, as it tells the participants' numbers.
        source: The LMS's own download, a zip or a folder; for Moodle also its grading worksheet.
        notebooks: Names of the assignment's notebooks.

    Raises:
        GradingError: The target is none, or nothing tells the names that the LMS asks for.
    """
    if to == MOODLE_PAGES:
        places = _moodle(pages, assignment, roster, source, notebooks)
    elif to == CANVAS_PAGES:
        places = _canvas(pages, assignment, roster, source, notebooks)
    else:
        raise GradingError(f"'{clean(to)}' takes no pages: give one of {', '.join(PAGE_TARGETS)}.")
    returned = Returned(path, [student for student in pages if student in places])
    returned.without_place = [student for student in pages if student not in places]
    if not returned.written:
        raise GradingError(f"Nothing in {source.name if source else 'the roster'} is of a student who has a page.")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in returned.written:
            archive.writestr(_member(places[student]), pages[student].read_bytes(), zipfile.ZIP_DEFLATED)
    write_atomically(path, content.getvalue())
    return returned


def _member(name: str) -> zipfile.ZipInfo:
    """Return a member of a zip with a date that is always the same: equal pages make an equal zip."""
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.external_attr = 0o644 << 16
    return member


def _moodle(
    pages: Mapping[str, Path], assignment: str, roster: Roster | None, source: Path | None, notebooks: Collection[str]
) -> dict[str, str]:
    if source is None:
        if roster is None or roster.lms != "moodle":
            raise GradingError(
                "Moodle finds a student by the participant's number: give its download or its grading worksheet with "
                "--template, or the worksheet as the roster."
            )
        numbers = {student.id: (student.full_name, student.lms_id) for student in roster.students}
    elif source.suffix.lower() == ".csv":
        numbers = _of_worksheet(pages, roster, source)
    else:
        kind, found = newest_files(source, assignment, roster, None, notebooks)
        _check_kind(kind, "moodle", source)
        clues = {student: files[0].clues[0] for student, files in found.items()}
        numbers = {student: (clue.name, clue.lms_id) for student, clue in clues.items()}
    return {
        student: f"{_moodle_name(name)}_{number}_assignsubmission_file_/{PAGE}"
        for student, (name, number) in numbers.items()
        if number
    }


def _of_worksheet(pages: Mapping[str, Path], roster: Roster | None, source: Path) -> dict[str, tuple[str, str]]:
    table = read_table(source)
    _check_kind(table.kind, "moodle", source)
    graded = {student: Grade(student, 0.0, 0.0) for student in pages}
    matched = match_lines(graded, table, roster, Exported(source))
    found = {}
    for line, row in table.rows:
        if line in matched:
            student = student_of(table, row, "lms_id")
            found[matched[line].student] = (student.full_name, student.lms_id)
    return found


def _moodle_name(name: str) -> str:
    """Return a name as Moodle writes it in a folder's name; it looks at the number only."""
    return _NOT_IN_NAMES.sub("", name.replace("_", " ")).strip() or "Participant"


def _canvas(
    pages: Mapping[str, Path], assignment: str, roster: Roster | None, source: Path | None, notebooks: Collection[str]
) -> dict[str, str]:
    if source is None:
        raise GradingError(
            "Canvas finds a student by the numbers in the names of its own download: give that with --template."
        )
    kind, found = newest_files(source, assignment, roster, None, notebooks)
    _check_kind(kind, "canvas", source)
    return {student: name for student, files in found.items() if student in pages and (name := _canvas_name(files))}


def _canvas_name(files: Collection[DownloadedFile]) -> str:
    """Return the name for a page beside a student's files: that of one of them up to its number, a notebook's best."""
    for file in sorted(files, key=lambda file: (not file.entry.name.endswith(".ipynb"), file.entry.name)):
        if match := _CANVAS_PREFIX.fullmatch(file.entry.name):
            return f"{match['prefix']}_{PAGE}"
    return ""


def _check_kind(kind: str, wanted: str, source: Path) -> None:
    if kind != wanted:
        raise GradingError(f"{source.name} does not come from {wanted.capitalize()}: give what it let you download.")
