"""Grades in the form that a learning management system (LMS) imports.

Each of them reads, by its source:

- Moodle's grading worksheet ("Upload grading worksheet"): the student is found by the number in `Identifier` alone;
  `Identifier`, `Grade` and `Last modified (grade)` must be there, a grade above the maximum is passed over, and
  `Feedback comments` is stored as HTML (moodle/moodle: mod/assign/feedback/offline/importgradeslib.php and
  locallib.php, mod/assign/feedback/comments/locallib.php: FORMAT_HTML). So the template's rows come back as they were,
  comments as HTML.
- Moodle's gradebook import: any columns; the instructor maps one to the user and others to the grade and its feedback
  (docs.moodle.org, Grade import: map both, else importing feedback overwrites grades).
- Canvas's gradebook: `Student`, `ID`, ..., `Section` first; a student is found by `ID`, then `SIS User ID`, then
  `SIS Login ID`, and by name only if none of them is known; a column is the assignment whose number stands in brackets,
  and the row `Points Possible` sets its points (instructure/canvas-lms: lib/gradebook_importer.rb). Other assignments'
  columns would overwrite what was graded since, an emptied cell would take a grade away: the ones are left out, the
  others keep what the template says.

Byte order mark: Moodle takes it off (lib/csvlib.class.php); Canvas writes one only on request and does not take it off
on import. So a template's is kept, without a template there is none; our own CSV has one, as Excel needs it for UTF-8.

Formulas: text that a spreadsheet would calculate gets a leading apostrophe (symfony.com, CVE-2021-41270, after OWASP).
Numbers stay numbers. Columns by which an LMS finds a student (`Identifier`, `ID`, `SIS ...`, username, ID number,
email) are never changed, else it would find nobody; names are, as neither LMS looks at a name where it has an id.
Canvas's own protection, `="=name"`, is a formula itself and gets one too. A name that is all that Canvas could go by
stays as it is, and `Exported.notes` says so.
"""

import csv
import html
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grading.common.files import write_atomically
from grading.common.text import clean
from grading.errors import GradingError
from grading.lms.roster import Clue, Roster, Student, Table, is_no_student, read_table, student_of

TARGETS = ("moodle", "canvas", "csv")
MOODLE_PAGES, CANVAS_PAGES = "moodle-feedback", "canvas-comments"
PAGE_TARGETS = (MOODLE_PAGES, CANVAS_PAGES)
"""What takes feedback pages: `grading.lms.give_back` writes them."""
BOM = "\ufeff"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_CANVAS_TOTALS = re.compile(
    r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)|Unposted", re.IGNORECASE
)
_MATCHED = {"lms_id", "number", "username", "email", "id"}
"""Fields by which an LMS finds a student."""


@dataclass(frozen=True)
class Grade:
    """A student's grade; `points` is None where there is none yet."""

    student: str
    points: float | None
    max_points: float
    name: str = ""
    comment: str = ""


@dataclass
class Exported:
    """Report on what was written. Students by id, or by name where the LMS's row says no id that is known."""

    path: Path
    written: list[str] = field(default_factory=list)
    without_grade: list[str] = field(default_factory=list)
    """In the template or the roster, but not graded: their cells are left as they were."""
    without_row: list[str] = field(default_factory=list)
    """Graded, but neither in the template nor in the roster: not in the file."""
    notes: list[str] = field(default_factory=list)


def export(
    grades: Sequence[Grade],
    to: str,
    path: Path,
    roster: Roster | None = None,
    template: Path | None = None,
    *,
    column: str = "",
    scale: bool = False,
) -> Exported:
    """Write the grades of one assignment for an LMS; the file appears whole or not at all.

    Args:
        grades: At most one for each student.
        to: One of `TARGETS`.
        path: The CSV to write.
        roster: Who is in the class, with the LMS's ids.
        template: Moodle's grading worksheet or Canvas's gradebook export, to be filled.
        column: The assignment's name in the LMS; with Canvas's number in brackets where that is known.
        scale: Scale points where the LMS's maximum is another; without it, that is an error.

    Raises:
        GradingError: A grade is no number or given twice; the template is none, lacks the column, has another maximum.
    """
    by_student = _one_for_each(grades)
    exported = Exported(path)
    if to == "moodle" and template:
        text = _moodle_worksheet(by_student, _template(template, "moodle"), roster, scale, exported)
    elif to == "canvas" and template:
        text = _canvas_template(by_student, _template(template, "canvas"), roster, column, scale, exported)
    elif to in TARGETS:
        writer = {"moodle": _moodle_gradebook, "canvas": _canvas_gradebook, "csv": _own_csv}[to]
        text = writer(by_student, roster, column, exported)
    else:
        every = ", ".join((*TARGETS, *PAGE_TARGETS))
        raise GradingError(f"'{clean(to)}' is nothing to export to: give one of {every}.")
    write_atomically(path, text)
    return exported


def _one_for_each(grades: Sequence[Grade]) -> dict[str, Grade]:
    found: dict[str, Grade] = {}
    for grade in grades:
        if grade.student in found:
            raise GradingError(f"{clean(grade.student)} has two grades: export one assignment at a time.")
        if grade.points is not None and not math.isfinite(grade.points):
            raise GradingError(f"The grade of {clean(grade.student)} is {grade.points}, not a number: grade it again.")
        found[grade.student] = grade
    return found


def _template(path: Path, kind: str) -> Table:
    table = read_table(path)
    if table.kind != kind:
        what = {"moodle": "Moodle's grading worksheet", "canvas": "Canvas's gradebook export"}[kind]
        raise GradingError(
            f"{path.name} is not {what} (its columns: {clean(', '.join(table.header))}): download it anew."
        )
    return table


# ---------------------------------------------------------------- with a template


def _moodle_worksheet(
    grades: Mapping[str, Grade], table: Table, roster: Roster | None, scale: bool, exported: Exported
) -> str:
    header = table.header
    missing = [name for name in ("Grade", "Last modified (grade)") if name not in header]
    if missing:
        raise GradingError(f"{table.path.name} has no column '{missing[0]}': download the grading worksheet anew.")
    grade_at, maximum_at = header.index("Grade"), _index(header, "Maximum Grade")
    comment_at, locked_at = _index(header, "Feedback comments"), _index(header, "Grade can be changed")
    if comment_at is None and any(grade.comment for grade in grades.values()):
        exported.notes.append(
            "The worksheet has no 'Feedback comments' (Assignment > Feedback types): none are written."
        )
    matched = match_lines(grades, table, roster, exported)
    rows = []
    for line, row in table.rows:
        cells = _padded(row, table)
        kept = {grade_at, *(index for key, index in table.columns.items() if key in _MATCHED)}
        cells = [cell if at in kept else protected(cell) for at, cell in enumerate(cells)]
        grade = matched.get(line)
        if grade and grade.points is not None:
            maximum = _read_number(cells[maximum_at]) if maximum_at is not None else None
            cells[grade_at] = _points_for_lms(grade, maximum, scale, 5, f"{table.path.name}, line {line}")
            if comment_at is not None and grade.comment:
                cells[comment_at] = protected(html.escape(grade.comment, quote=False).replace("\n", "<br>"))
            if locked_at is not None and cells[locked_at].strip().casefold() == "no":
                exported.notes.append(f"{clean(grade.student)}: Moodle says that the grade cannot be changed.")
        rows.append(cells)
    return _csv_text([header, *rows], table.delimiter, table.bom)


def _canvas_template(
    grades: Mapping[str, Grade], table: Table, roster: Roster | None, column: str, scale: bool, exported: Exported
) -> str:
    width = table.header.index("Section") + 1
    at = _canvas_column(table, column)
    maximum = next(
        (_read_number(row[at]) for _, row in table.rows if "Points Possible" in row[0] and at < len(row)), None
    )
    matched = match_lines(grades, table, roster, exported)
    rows = []
    for line, row in table.rows:
        cells = _padded(row, table)
        if is_no_student(table, row):
            rows.append([*cells[:width], cells[at]])
            continue
        found = any(table.cell(row, key) for key in ("lms_id", "number", "username"))
        names = [index for key, index in table.columns.items() if key in ("name", "first", "last")]
        if not found and any(protected(cells[index]) != cells[index] for index in names):
            exported.notes.append(
                f"{table.path.name}, line {line}: the name is a formula, and Canvas has no id to go by."
            )
        kept = {index for key, index in table.columns.items() if key in _MATCHED} | (set() if found else set(names))
        cells = [cell if index in kept | {at} else protected(cell) for index, cell in enumerate(cells)]
        grade = matched.get(line)
        if grade and grade.points is not None:
            if cells[at].strip().upper() == "EX":
                exported.notes.append(f"{clean(grade.student)} is excused in Canvas: that was left so.")
            else:
                cells[at] = _points_for_lms(grade, maximum, scale, 2, f"{table.path.name}, Points Possible")
        rows.append([*cells[:width], cells[at]])
    return _csv_text([[*table.header[:width], table.header[at]], *rows], table.delimiter, table.bom)


def _canvas_column(table: Table, column: str) -> int:
    """Return where the assignment's column is: `column` is its header, its name or its number."""
    start = table.header.index("Section") + 1
    found = {
        index: name for index, name in enumerate(table.header) if index >= start and not _CANVAS_TOTALS.search(name)
    }
    numbered = {index: name for index, name in found.items() if re.search(r"\(\d+\)$", name)}
    if column:
        exact = [index for index, name in found.items() if name == column]
        asked = exact or [
            index
            for index, name in numbered.items()
            if column in (name.rpartition(" (")[0], name.rpartition(" (")[2][:-1])
        ]
    else:
        asked = list(numbered)
    if len(asked) != 1:
        names = clean(", ".join(f"'{name}'" for name in numbered.values())) or "none"
        which = f"'{clean(column)}' is not one column" if column else "Say which assignment"
        raise GradingError(f"{table.path.name}: {which}. Assignments there: {names}.")
    return asked[0]


def match_lines(
    grades: Mapping[str, Grade], table: Table, roster: Roster | None, exported: Exported
) -> dict[int, Grade]:
    """Find the grade of each line of a template; a line that may be several students' is nobody's."""
    lines = [(line, student_of(table, row, "lms_id")) for line, row in table.rows if not is_no_student(table, row)]
    numbered = _by_number(grades)
    found: dict[int, Grade] = {}
    used: set[str] = set()
    for line, student in lines:
        grade = next((grades[name] for name in _names_of(student, table, roster, numbered) if name in grades), None)
        if grade and grade.student in used:
            raise GradingError(f"{table.path.name}, line {line}: a second line for {clean(grade.student)}.")
        if grade:
            used.add(grade.student)
            found[line] = grade
        if grade and grade.points is not None:
            exported.written.append(grade.student)
        else:
            exported.without_grade.append(grade.student if grade else clean(student.full_name or student.id))
    exported.without_row += [name for name in grades if name not in used]
    return found


def _names_of(student: Student, table: Table, roster: Roster | None, numbered: Mapping[str, str]) -> list[str]:
    """List the ids under which a template's student may have been graded: the roster's, or those of a download."""
    if roster:
        clue = Clue(student.lms_id, "", student.full_name, ids=(student.username, student.email, student.number))
        answer = roster.find(clue, table.kind)
        return [answer.id] if isinstance(answer, Student) else []
    names = (student.username, student.number, student.email, numbered.get(student.lms_id, ""), student.lms_id)
    return [name for name in names if name]


def _by_number(grades: Mapping[str, Grade]) -> dict[str, str]:
    """Return students whose ids were made from a download, `<name>-<number>`, by the number."""
    found: dict[str, list[str]] = {}
    for name in grades:
        found.setdefault(name.rpartition("-")[2], []).append(name)
    return {number: names[0] for number, names in found.items() if number.isdecimal() and len(names) == 1}


# ---------------------------------------------------------------- without


def _class(
    grades: Mapping[str, Grade], roster: Roster | None, exported: Exported
) -> list[tuple[Student, Grade | None]]:
    """List who gets a row, in the roster's order."""
    if roster is None:
        people: list[tuple[Student, Grade | None]] = [
            (Student(grade.student, name=grade.name), grade) for grade in grades.values()
        ]
    else:
        people = [(student, grades.get(student.id)) for student in roster.students]
        exported.without_row += [name for name in grades if name not in roster.by_id]
    for student, grade in people:
        graded = grade is not None and grade.points is not None
        (exported.written if graded else exported.without_grade).append(student.id)
    return people


def _moodle_gradebook(grades: Mapping[str, Grade], roster: Roster | None, column: str, exported: Exported) -> str:
    """Write the rows of graded students only: an empty cell could be mapped over a grade."""
    people = _class(grades, roster, exported)
    fields = {"Username": "username", "ID number": "number", "Email address": "email"}
    used = {header: key for header, key in fields.items() if any(getattr(student, key) for student, _ in people)}
    header = [*(used or {"Username": ""}), "Full name", column or "Grade", "Feedback"]
    rows = [
        [
            *([getattr(student, key) for key in used.values()] or [student.id]),
            protected(student.full_name),
            _decimal(grade.points, 5),
            protected(html.escape(grade.comment, quote=False).replace("\n", "<br>")),
        ]
        for student, grade in people
        if grade and grade.points is not None
    ]
    return _csv_text([header, *rows])


def _canvas_gradebook(grades: Mapping[str, Grade], roster: Roster | None, column: str, exported: Exported) -> str:
    if not column:
        raise GradingError("Canvas needs the assignment's name: give it, or a gradebook export to fill.")
    people = _class(grades, roster, exported)
    canvas = roster is not None and roster.lms in ("canvas", "")
    maxima = {grade.max_points for grade in grades.values()}
    if len(maxima) > 1:
        raise GradingError(f"The grades have several maxima ({', '.join(f'{m:g}' for m in sorted(maxima))}): give one.")
    rows = [["    Points Possible", "", "", "", "", *(_decimal(maximum, 2) for maximum in maxima)]]
    for student, grade in people:
        if grade and grade.points is not None:
            number = student.lms_id if canvas else ""
            login = student.username or ("" if number or student.number else student.id)
            name = protected(student.full_name)
            rows.append([name, number, student.number, login, "", _decimal(grade.points, 2)])
    return _csv_text([[*_CANVAS_COLUMNS, column], *rows])


def _own_csv(grades: Mapping[str, Grade], roster: Roster | None, column: str, exported: Exported) -> str:
    """Write all grades, and a row for those of the class who have none."""
    people = _class(grades, roster, exported)
    people += [(Student(name, name=grades[name].name), grades[name]) for name in exported.without_row]
    exported.written += [name for name in exported.without_row if grades[name].points is not None]
    exported.without_grade += [name for name in exported.without_row if grades[name].points is None]
    exported.without_row = []
    rows = [["student", "name", "email", "points", "max_points", "comment"]]
    for student, grade in people:
        name = student.full_name or (grade.name if grade else "")
        points = (
            [_decimal(grade.points, 5), _decimal(grade.max_points, 5), protected(grade.comment)]
            if grade
            else ["", "", ""]
        )
        rows.append([protected(student.id), protected(name), protected(student.email), *points])
    return _csv_text(rows, bom=True)


# ---------------------------------------------------------------- cells


def protected(text: str) -> str:
    """Return a text that no spreadsheet calculates: with an apostrophe where it would. Numbers and a lone `-` stay."""
    if text.strip() in ("", "-") or _read_number(text) is not None:
        return text
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def _read_number(text: str) -> float | None:
    """Read a number with a point or a comma, such as both LMSs write; return None for anything else."""
    plain = text.strip()
    return float(plain.replace(",", ".")) if re.fullmatch(r"[+-]?\d+([.,]\d+)?", plain, re.ASCII) else None


def _points_for_lms(grade: Grade, maximum: float | None, scale: bool, digits: int, where: str) -> str:
    points = grade.points
    if maximum is not None and points is not None and not math.isclose(maximum, grade.max_points, abs_tol=0.005):
        if not scale or grade.max_points <= 0:
            raise GradingError(
                f"{where}: the LMS's maximum is {maximum:g}, the assignment's {grade.max_points:g}. "
                "Set the same in the LMS, or let the points be scaled."
            )
        points = points * maximum / grade.max_points
    return _decimal(points, digits)


def _decimal(value: float | None, digits: int) -> str:
    """Write a number with a point and no zeros at its end; nothing for None."""
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _index(header: Sequence[str], name: str) -> int | None:
    return header.index(name) if name in header else None


def _padded(row: Sequence[str], table: Table) -> list[str]:
    return [*row, *[""] * (len(table.header) - len(row))]


def _csv_text(rows: Sequence[Sequence[str]], delimiter: str = ",", bom: bool = False) -> str:
    """Write CSV by RFC 4180, with CR LF."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return (BOM if bom else "") + out.getvalue()
