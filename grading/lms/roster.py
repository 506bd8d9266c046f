"""The class list: who is who in a learning management system (LMS), and the id under which a student is graded here.

A roster is a CSV of one's own, or what an LMS exports. What is known of the LMS's own files:

- Moodle's grading worksheet names a student `Participant <number>` in the column `Identifier`; the same number stands
  in the names of its download (moodle/moodle: mod/assign/gradingtable.php, mod/assign/classes/downloader.php, and
  `next()` in mod/assign/feedback/offline/importgradeslib.php). The number belongs to one assignment, not to the course.
- Canvas's gradebook has `Student` (or `LastName`, `FirstName`), `ID` (of the user, the same as in its download),
  `SIS User ID`, `SIS Login ID`, `Section`, rows `    Points Possible` and `Manual Posting`, and writes a name that
  begins with `=` as `="=name"` (instructure/canvas-lms: lib/gradebook_exporter.rb).
- Blackboard's gradebook has `Last Name`, `First Name`, `Username`, `Student ID`; its `.xls` is UTF-16 text with tabs
  (help.blackboard.com, Work Offline With Grade Data).
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grading.common.names import MAX_NAME, is_student_id
from grading.common.text import clean, short_list
from grading.errors import GradingError

MAX_BYTES = 64 * 2**20
_HEADERS = {
    "id": ("student id", "id", "student", "sid", "matriculation number", "matrikelnummer"),
    "name": ("name", "full name", "student name", "display name"),
    "first": ("first name", "given name", "forename"),
    "last": ("last name", "surname", "family name"),
    "email": ("email", "email address", "mail"),
    "username": ("username", "login", "login id", "user", "user name", "sis login id"),
    "number": ("id number", "student number", "sis user id", "sis id"),
    "lms_id": ("lms id", "identifier", "participant", "moodle id", "canvas id", "canvas user id", "user id"),
    "submitted": ("last modified submission",),
}
"""Headers that are understood, by field; case, spaces and punctuation do not count."""
_STANDS_FOR_ID = ("id", "username", "number", "email", "lms_id")
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ħ": "h", "ŧ": "t"}
)


@dataclass(frozen=True)
class Student:
    """One line of a roster. `id` is the folder's name under `submitted/`; what is not known is empty."""

    id: str
    name: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    username: str = ""
    number: str = ""
    """Moodle's ID number, Canvas's SIS user id."""
    lms_id: str = ""
    """Moodle's participant number, Canvas's user id."""
    submitted: str = ""
    """When the student handed in, as the worksheet says it."""

    @property
    def full_name(self) -> str:
        """The name as one text."""
        return self.name or f"{self.first} {self.last}".strip()


@dataclass(frozen=True)
class Clue:
    """Hints at who handed something in; what the LMS does not say is empty."""

    lms_id: str = ""
    username: str = ""
    name: str = ""
    compact: bool = False
    """Whether the name has lost its spaces, as in Canvas's downloads."""
    ids: tuple[str, ...] = ()
    """What may be an id, a username or an email address."""


@dataclass(frozen=True)
class Roster:
    """A class. `lms` says whose ids the column `lms_id` holds: moodle, canvas, or nothing where that is not known."""

    students: tuple[Student, ...]
    source: Path = Path()
    lms: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, Student]:
        """Students by their id."""
        return {student.id: student for student in self.students}

    @cached_property
    def _by_key(self) -> Mapping[tuple[str, str], list[Student]]:
        found: dict[tuple[str, str], list[Student]] = {}
        for student in self.students:
            keys = {
                ("lms", student.lms_id),
                ("login", student.username.casefold()),
                ("login", student.email.casefold()),
            }
            keys |= {("login", student.id.casefold()), ("login", student.number.casefold())}
            names = {student.name, f"{student.first} {student.last}".strip()}
            keys |= {("name", name_key(name)) for name in names}
            keys |= {("compact", form) for name in names for form in _compact_forms(name)}
            for key in keys:
                if key[1]:
                    found.setdefault(key, []).append(student)
        return found

    def find(self, clue: Clue, lms: str = "") -> Student | str:
        """Find the student whom a clue means, or say why there is none: of two namesakes neither is ever guessed.

        An id decides before a username, a username before a name; a name is not taken where an id says otherwise.
        """
        asked = [("lms", clue.lms_id)] if not self.lms or self.lms == lms else []
        asked += [("login", text.casefold()) for text in (clue.username, *clue.ids)]
        for key in asked:
            if students := self._by_key.get(key, []) if key[1] else []:
                return _only(students, f"{clean(key[1])} is the id of")
        key = ("compact", _letters(clue.name)) if clue.compact else ("name", name_key(clue.name))
        students = self._by_key.get(key, []) if key[1] else []
        found = _only(students, f"The name {clean(clue.name)} belongs to") if students else ""
        if isinstance(found, Student) and self._contradicts(found, clue, lms):
            return f"{clean(clue.name)} is in the roster, but with another id than the download says."
        source = self.source.name or "the roster"
        return found or f"Nobody in {source} is called {_clue_in_words(clue)}: add the student, or the LMS's id."

    def _contradicts(self, student: Student, clue: Clue, lms: str) -> bool:
        other = self.lms == lms and clue.lms_id and student.lms_id and student.lms_id != clue.lms_id
        return bool(other or (clue.username and student.username))


def _only(students: Sequence[Student], said: str) -> Student | str:
    if len(students) == 1:
        return students[0]
    ids = short_list([clean(student.id) for student in students], 5)
    return f"{said} {len(students)} students ({ids}): nobody is guessed, place it by hand or give the LMS's ids."


def _clue_in_words(clue: Clue) -> str:
    parts = [clue.name, clue.username, clue.lms_id and f"number {clue.lms_id}", *clue.ids]
    return clean(" / ".join(dict.fromkeys(part for part in parts if part))) or "so"


def name_key(name: str) -> str:
    """Return a name without case, accents, punctuation and the order of its words; the same names have equal keys."""
    words = re.findall(r"\w+", re.sub(r"['’ʼ`´]", "", _without_accents(name)))
    return " ".join(sorted(words))


def _without_accents(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    # Marks of class 0 are vowels of Indic and Thai scripts: without them it is another name.
    return "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", _without_accents(name))


def _compact_forms(name: str) -> Iterator[str]:
    """Return a name's letters, with the words in every order that moves some of the first ones behind the last."""
    words = name.replace(",", " ").split()
    for first in range(len(words)):
        yield _letters("".join(words[first:] + words[:first]))


def made_id(*parts: str) -> str:
    """Make a student's id from what an LMS says: letters and digits of any script, `-` between; empty if none."""
    words = (re.sub(r"[^\w@.]+", "-", unicodedata.normalize("NFC", part)).strip("-._") for part in parts)
    text = "-".join(word for word in words if word)
    while len(text.encode()) > MAX_NAME:
        text = text[:-1]
    return text


@dataclass(frozen=True)
class Table:
    """A CSV file as it is: `rows` with the line each ends on, headers by field."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    columns: Mapping[str, int]
    delimiter: str = ","
    bom: bool = False
    kind: str = ""
    """`moodle` for a grading worksheet, `canvas` for a gradebook, else empty."""
    path: Path = field(default_factory=Path)

    def cell(self, row: Sequence[str], column: str) -> str:
        """Return a row's text in a column, empty if there is none."""
        index = self.columns.get(column, len(row))
        return row[index].strip() if index < len(row) else ""


def read_table(path: Path) -> Table:
    """Read a CSV with commas, semicolons or tabs, in UTF-8 or (with a mark) UTF-16.

    Raises:
        GradingError: It is missing, empty, too large, in another encoding, or not a CSV.
    """
    text, bom = _read_text(path)
    delimiter = max(",;\t", key=lambda mark: (len(_columns(_first_row(text, mark))), len(_first_row(text, mark))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise GradingError(f"{path.name}, line {reader.line_num}: this is not a CSV file ({error}).") from error
    if not rows:
        raise GradingError(f"{path.name} is empty: export it again.")
    header = [cell.strip() for cell in rows[0][1]]
    columns, kind = _columns(header), ""
    if _is_canvas(header):
        kind = "canvas"
        first = {"name": 0, "lms_id": 1} if header[0] != "LastName" else {"last": 0, "first": 1, "lms_id": 2}
        columns = {**{key: at for key, at in columns.items() if key in ("username", "number")}, **first}
    elif "Identifier" in header:
        kind = "moodle"
    return Table(header, rows[1:], columns, delimiter, bom, kind, path)


def _is_canvas(header: Sequence[str]) -> bool:
    return "Section" in header and (header[:2] == ["Student", "ID"] or header[:3] == ["LastName", "FirstName", "ID"])


def _read_text(path: Path) -> tuple[str, bool]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise GradingError(f"{path.name} is larger than {MAX_BYTES // 2**20} MiB: that is no class list.")
        content = path.read_bytes()
    except OSError as error:
        raise GradingError(f"{path} could not be read ({error.strerror}): give a CSV file.") from error
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16"), True
        return content.decode("utf-8-sig"), content.startswith(b"\xef\xbb\xbf")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise GradingError(
            f"{path.name}, line {line}: this is not UTF-8. Export it again, or save it as 'CSV UTF-8'."
        ) from error


def _first_row(text: str, delimiter: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return next((row for row in reader if any(cell.strip() for cell in row)), [])


def _columns(header: Sequence[str]) -> dict[str, int]:
    known = {re.sub(r"\W|_", "", name): key for key, names in _HEADERS.items() for name in names}
    found: dict[str, int] = {}
    for index, cell in enumerate(header):
        key = known.get(re.sub(r"\W|_", "", cell.casefold()))
        if key:
            found.setdefault(key, index)
    return found


def read_roster(path: Path) -> Roster:
    """Read a class list: a CSV of one's own, Moodle's grading worksheet, Canvas's or Blackboard's gradebook.

    Without a column of student ids, the first of username, ID number, email and LMS id that every line has is taken.

    Raises:
        GradingError: The file cannot be read, no column holds ids, an id is missing, given twice, or no folder's name.
    """
    table = read_table(path)
    column = _id_column(table)
    students: dict[str, tuple[Student, int]] = {}
    for line, row in table.rows:
        if is_no_student(table, row):
            continue
        student = student_of(table, row, column)
        if not student.id:
            raise GradingError(
                f"{path.name}, line {line}: nothing in the column '{table.header[table.columns[column]]}', the id."
            )
        if not is_student_id(student.id):
            raise GradingError(
                f"{path.name}, line {line}: the id '{clean(student.id)}' cannot be a folder's name. "
                "Use letters, digits, '-', '_', '.' and '@'."
            )
        if student.id in students:
            first = students[student.id][1]
            raise GradingError(f"{path.name}, lines {first} and {line}: the id '{clean(student.id)}' is given twice.")
        students[student.id] = student, line
    return Roster(tuple(student for student, _ in students.values()), path, table.kind)


def _id_column(table: Table) -> str:
    rows = [row for _, row in table.rows if not is_no_student(table, row)]
    if not rows:
        raise GradingError(f"{table.path.name} has no students, only a header: export it again.")
    if any(table.cell(row, "id") for row in rows):
        return "id"
    for key in _STANDS_FOR_ID[1:]:
        if key in table.columns and all(table.cell(row, key) for row in rows):
            return key
    known = "; ".join(f"{key}: {', '.join(names)}" for key, names in _HEADERS.items() if key in _STANDS_FOR_ID)
    raise GradingError(
        f"{table.path.name}, line 1: no column holds an id for every student. "
        f"Found: {clean(', '.join(table.header))}. Understood: {known}; and for names: "
        f"{', '.join(name for key in ('name', 'first', 'last') for name in _HEADERS[key])}."
    )


def is_no_student(table: Table, row: Sequence[str]) -> bool:
    """Return whether a row of Canvas's gradebook is about the assignments."""
    if table.kind != "canvas":
        return False
    return "Points Possible" in row[0] or all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell) for cell in row)


def student_of(table: Table, row: Sequence[str], column: str) -> Student:
    """Read a row as a student; `column` is the field that gives the id."""
    values = {key: table.cell(row, key) for key in _HEADERS if key != "id"}
    if table.kind == "moodle":
        values["lms_id"] = re.sub(r"^\D+", "", values["lms_id"])
    values["name"] = unwrapped(values["name"])
    return Student(id=values[column] if column != "id" else table.cell(row, "id"), **values)


def unwrapped(name: str) -> str:
    """Return a name without Canvas's `="=name"` or an apostrophe, which keep a spreadsheet from calculating it."""
    if match := re.fullmatch(r'="(.*)"', name):
        return match[1]
    return name[1:] if re.match(r"'\s*[=+\-@]", name) else name
