"""An export matches, row by row, what the LMS imports, and no cell of it calculates."""

import csv
import io
from pathlib import Path

import lms_downloads as lms
import pytest
from lms_downloads import CLASS, write_zip

from grading.errors import GradingError
from grading.lms.collect import collect
from grading.lms.export import Exported, Grade, export, protected
from grading.lms.roster import Roster, read_roster

PS = "ps1"
ADA, EQUALS, NAMESAKE = CLASS[0], CLASS[10], CLASS[13]
COMMENT = "=cmd|' /C calc'!A0, said \"IoU < 0.5\"\nand: שלום"


def points(number: int) -> float:
    return number % 11 - 0.25 if number % 11 else 0.0


def read_back(path: Path, delimiter: str = ",") -> list[list[str]]:
    """As the LMSs read it: RFC 4180, in UTF-8, and every row as long as the header."""
    text = path.read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}
    return rows


def roster_of(tmp_path: Path, content: bytes, name: str = "roster.csv") -> Roster:
    (tmp_path / name).write_bytes(content)
    return read_roster(tmp_path / name)


def collected_ids(tmp_path: Path, files: dict[str, bytes], roster: Roster | None) -> dict[str, int]:
    """Whose notebook (by number in the class) lies under which id, after collecting a download."""
    submitted = tmp_path / "submitted"
    collect(write_zip(tmp_path / "download.zip", files), PS, submitted, roster)
    owners = {person.notebook: person.number for person in CLASS}
    return {path.parts[-3]: owners[path.read_bytes()] for path in submitted.rglob("*.ipynb")}


def grades_of(owners: dict[str, int], leave: int = 7) -> list[Grade]:
    """Grades of all but one."""
    return [Grade(name, points(n), 10, comment=COMMENT) for name, n in owners.items() if n != leave]


def fill(tmp_path: Path, to: str, content: bytes, grades: list[Grade], **options: object) -> tuple[Exported, Path]:
    (tmp_path / "template.csv").write_bytes(content)
    path = tmp_path / "out.csv"
    options = {"template": tmp_path / "template.csv", **options}
    return export(grades, to, path, **options), path  # type: ignore[arg-type]


# ---------------------------------------------------------------- round trips of a class of 30


@pytest.mark.parametrize("known", ["worksheet", "nothing"])
def test_moodles_worksheet_comes_back_filled(tmp_path: Path, known: str) -> None:
    roster = roster_of(tmp_path, lms.moodle_worksheet()) if known == "worksheet" else None
    owners = collected_ids(tmp_path, lms.moodle(), roster)
    assert len(owners) == 30
    exported, path = fill(tmp_path, "moodle", lms.moodle_worksheet(), grades_of(owners), roster=roster)
    header, *rows = read_back(path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfIdentifier,")
    assert header == lms.WORKSHEET
    for row, person in zip(rows, CLASS, strict=True):
        got = dict(zip(header, row, strict=True))
        assert got["Identifier"] == f"Participant {person.moodle}"
        assert got["Full name"] == ("'" if person is EQUALS else "") + person.name
        assert got["Email address"] == person.email
        assert got["Last modified (grade)"] == "-"
        if person.number == 7:
            assert (got["Grade"], got["Feedback comments"]) == ("", "")
        else:
            assert float(got["Grade"]) == points(person.number)
            assert got["Feedback comments"].startswith("'=cmd")
            assert 'said "IoU &lt; 0.5"<br>and: שלום' in got["Feedback comments"]
    assert len(exported.written) == 29
    assert exported.without_grade == ["Søren Kierkegård"]
    assert exported.without_row == []


@pytest.mark.parametrize("known", ["gradebook", "nothing"])
def test_canvass_gradebook_comes_back_filled(tmp_path: Path, known: str) -> None:
    roster = roster_of(tmp_path, lms.canvas_gradebook()) if known == "gradebook" else None
    owners = collected_ids(tmp_path, lms.canvas(), roster)
    assert len(owners) == 30
    exported, path = fill(
        tmp_path, "canvas", lms.canvas_gradebook(), grades_of(owners), roster=roster, column="Problem set 1"
    )
    header, posting, possible, *rows = read_back(path)
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Problem set 1 (89)"]
    assert posting == [""] * 6
    assert possible == ["    Points Possible", "", "", "", "", "10.00"]
    for row, person in zip(rows, CLASS, strict=True):
        name, number, sis, login, section, grade = row
        assert (number, sis, login, section) == (person.canvas, f"sis{person.number}", person.username, "Lab, A")
        assert name == person.sortable
        assert grade == ("" if person.number == 7 else f"{points(person.number):g}")
    assert len(exported.written) == 29
    assert exported.without_grade == ["Kierkegård, Søren"]


def test_blackboard_class_reaches_a_csv(tmp_path: Path) -> None:
    roster = roster_of(tmp_path, lms.roster_csv())
    owners = collected_ids(tmp_path, lms.blackboard(), roster)
    exported = export(grades_of(owners), "csv", tmp_path / "out.csv", roster)
    header, *rows = read_back(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert header == ["student", "name", "email", "points", "max_points", "comment"]
    assert [row[0] for row in rows] == [person.id for person in CLASS]
    assert [row[1].removeprefix("'") for row in rows] == [person.name for person in CLASS]
    assert {row[0]: float(row[3]) for row in rows if row[3]} == {p.id: points(p.number) for p in CLASS if p.number != 7}
    assert exported.without_grade == ["s007"]


def test_google_class_reaches_moodles_gradebook(tmp_path: Path) -> None:
    roster = roster_of(tmp_path, lms.roster_csv())
    owners = collected_ids(tmp_path, lms.google(), roster)
    exported = export(grades_of(owners), "moodle", tmp_path / "out.csv", roster, column="Set 1")
    header, *rows = read_back(tmp_path / "out.csv")
    assert header == ["Username", "Email address", "Full name", "Set 1", "Feedback"]
    assert (tmp_path / "out.csv").read_bytes().startswith(b"Username")
    assert len(rows) == 27
    assert exported.without_grade == ["s007", "s014", "s015"]


# ---------------------------------------------------------------- names, formulas, numbers


@pytest.mark.parametrize("person", CLASS, ids=lambda person: f"{person.id}")
def test_name_survives(tmp_path: Path, person: lms.Person) -> None:
    _, path = fill(tmp_path, "moodle", lms.moodle_worksheet((person,)), [Grade(person.email, 1, 10)])
    name = read_back(path)[1][1]
    assert name == (f"'{person.name}" if person is EQUALS else person.name)
    roster = roster_of(tmp_path, path.read_bytes())
    assert roster.students[0].name == person.name


def test_wrapped_name_of_canvas_comes_back_matched_by_its_id(tmp_path: Path) -> None:
    odd = lms.Person("x", "=1+1", 40)
    _, path = fill(tmp_path, "canvas", lms.canvas_gradebook((odd,)), [Grade(odd.username, 1, 10)], column="89")
    assert read_back(path)[-1][:2] == ['\'="=1+1, x"', odd.canvas]


def test_name_stays_where_canvas_has_nothing_else(tmp_path: Path) -> None:
    text = "Student,ID,Section,A (1)\n    Points Possible,,,10\n=x,,S,\n"
    exported, path = fill(tmp_path, "canvas", text.encode(), [])
    assert read_back(path)[-1][0] == "=x"
    assert "the name is a formula" in exported.notes[0]


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "- a list"])
def test_text_that_would_be_calculated_is_protected(text: str) -> None:
    assert protected(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-", "-1.5", "+2", "1,5", "O'Connor", "a=b", "'=1", "Smith-Jones", "שלום"])
def test_other_text_is_left_alone(text: str) -> None:
    assert protected(text) == text


def test_matching_column_stays_though_it_begins_with_a_sign(tmp_path: Path) -> None:
    content = lms.moodle_worksheet((ADA,)).replace(ADA.email.encode(), b"+ada@x.org")
    _, path = fill(tmp_path, "moodle", content, [Grade("+ada@x.org", 1, 10)])
    assert read_back(path)[1][2] == "+ada@x.org"


def test_negative_grade_is_a_number(tmp_path: Path) -> None:
    export([Grade("a", -0.5, 10), Grade("b", 1 / 3, 10), Grade("c", 10.0, 10)], "csv", tmp_path / "out.csv")
    assert [row[3] for row in read_back(tmp_path / "out.csv")[1:]] == ["-0.5", "0.33333", "10"]


# ---------------------------------------------------------------- templates


def test_grades_without_a_row_and_rows_without_a_grade_are_listed(tmp_path: Path) -> None:
    grades = [Grade(ADA.email, 5, 10), Grade("stranger", 5, 10), Grade(NAMESAKE.email, None, 10)]
    exported, path = fill(tmp_path, "moodle", lms.moodle_worksheet(), grades)
    assert exported.written == [ADA.email]
    assert exported.without_row == ["stranger"]
    assert len(exported.without_grade) == 29
    assert NAMESAKE.email in exported.without_grade
    assert b"stranger" not in path.read_bytes()


def test_namesakes_in_a_template_are_told_apart_or_left(tmp_path: Path) -> None:
    roster = roster_of(tmp_path, b"id,name\nw1,Wei Chen\nw2,Wei Chen\na,Ada Lovelace\n")
    grades = [Grade("w1", 5, 10), Grade("w2", 6, 10), Grade("a", 7, 10)]
    exported, _ = fill(tmp_path, "moodle", lms.moodle_worksheet(), grades, roster=roster)
    assert exported.written == ["a"]
    assert exported.without_row == ["w1", "w2"]


def test_another_maximum_stops_or_scales(tmp_path: Path) -> None:
    grades = [Grade(ADA.email, 15, 20)]
    with pytest.raises(GradingError, match=r"line 2: the LMS's maximum is 10, the assignment's 20"):
        fill(tmp_path, "moodle", lms.moodle_worksheet(), grades)
    assert not (tmp_path / "out.csv").exists()
    _, path = fill(tmp_path, "moodle", lms.moodle_worksheet(), grades, scale=True)
    assert read_back(path)[1][4] == "7.5"
    with pytest.raises(GradingError, match="the LMS's maximum is 10"):
        fill(tmp_path, "canvas", lms.canvas_gradebook(), [Grade(ADA.username, 15, 20)], column="89")


def test_canvas_keeps_grades_that_were_given_there(tmp_path: Path) -> None:
    text = "Student,ID,Section,A (1)\n    Points Possible,,,10\nx,1,S,7.00\ny,2,S,EX\nz,3,S,N/A\n"
    exported, path = fill(tmp_path, "canvas", text.encode(), [Grade("2", 5, 10)])
    assert [row[-1] for row in read_back(path)] == ["A (1)", "10", "7.00", "EX", "N/A"]
    assert "excused" in exported.notes[0]


@pytest.mark.parametrize("column", ["Problem set 1 (89)", "Problem set 1", "89"])
def test_canvass_column_is_found_by_name_or_number(tmp_path: Path, column: str) -> None:
    _, path = fill(tmp_path, "canvas", lms.canvas_gradebook(), [Grade(ADA.username, 5, 10)], column=column)
    assert read_back(path)[0][-1] == "Problem set 1 (89)"


@pytest.mark.parametrize("column", ["", "Final Score", "Problem"])
def test_missing_column_is_said_with_those_there_are(tmp_path: Path, column: str) -> None:
    with pytest.raises(GradingError, match=r"'Warm up \(88\)', 'Problem set 1 \(89\)'"):
        fill(tmp_path, "canvas", lms.canvas_gradebook(), [], column=column)


def test_semicolon_template_is_written_with_semicolons(tmp_path: Path) -> None:
    text = "Student;ID;Section;A (1)\n    Points Possible;;;10,00\nx;1;S;\n"
    _, path = fill(tmp_path, "canvas", text.encode(), [Grade("1", 2.5, 10)])
    assert read_back(path, ";")[-1] == ["x", "1", "S", "2.5"]


def test_canvas_without_a_template_gets_its_form(tmp_path: Path) -> None:
    roster = roster_of(tmp_path, lms.canvas_gradebook())
    export([Grade(EQUALS.username, 5, 10)], "canvas", tmp_path / "out.csv", roster, column="Set 1")
    assert read_back(tmp_path / "out.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Set 1"],
        ["    Points Possible", "", "", "", "", "10"],
        ["Equals, =SUM(A1)", EQUALS.canvas, "sis11", EQUALS.username, "", "5"],
    ]
    with pytest.raises(GradingError, match="needs the assignment's name"):
        export([], "canvas", tmp_path / "out.csv", roster)


@pytest.mark.parametrize(
    ("grades", "to", "template", "match"),
    [
        ([Grade("a", 1, 2), Grade("a", 1, 2)], "csv", b"", "a has two grades"),
        ([Grade("a", float("nan"), 2)], "csv", b"", "not a number"),
        ([], "ilias", b"", "nothing to export to"),
        ([], "moodle", b"id,name\n1,x\n", "not Moodle's grading worksheet"),
        ([], "canvas", b"Identifier,Grade\n1,x\n", "not Canvas's gradebook export"),
        ([], "moodle", b"Identifier,Full name,Grade\nParticipant 1,x,\n", "no column 'Last modified"),
    ],
)
def test_mistakes_are_explained_and_nothing_is_written(
    tmp_path: Path, grades: list[Grade], to: str, template: bytes, match: str
) -> None:
    with pytest.raises(GradingError, match=match):
        fill(tmp_path, to, template, grades, **({} if template else {"template": None}))
    assert not (tmp_path / "out.csv").exists()
