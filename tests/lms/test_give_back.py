"""Feedback goes back where it came from: each page under a name by which the LMS finds its student.

How the names are read is told in `grading.lms.give_back`; here they are read as the LMSs' own importers do.
"""

import re
import zipfile
from pathlib import Path

import lms_downloads as lms
import pytest
from lms_downloads import CLASS, NAMESAKES, Person, write_folder, write_zip

from grading.errors import GradingError
from grading.lms.export import CANVAS_PAGES as CANVAS
from grading.lms.export import MOODLE_PAGES as MOODLE
from grading.lms.give_back import Returned, give_back
from grading.lms.roster import Roster, read_roster

PS = "ps1"


def pages_of(folder: Path, ids: dict[str, int]) -> dict[str, Path]:
    """A page for each id, in which the number of its owner stands."""
    folder.mkdir(exist_ok=True)
    for student, number in ids.items():
        (folder / f"{student}.html").write_text(f"<p>page {number}</p>")
    return {student: folder / f"{student}.html" for student in ids}


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    (tmp_path / "roster.csv").write_bytes(lms.roster_csv(one for one in CLASS if one not in NAMESAKES))
    return read_roster(tmp_path / "roster.csv")


def members(returned: Returned) -> dict[str, bytes]:
    with zipfile.ZipFile(returned.path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def owner(content: bytes) -> int:
    return int(content.decode().removeprefix("<p>page ").removesuffix("</p>"))


def moodle_reads(files: dict[str, bytes]) -> dict[str, tuple[str, int]]:
    """File name and owner by participant, as `is_valid_filename_for_import` finds them, in any release."""
    participants = {person.moodle for person in CLASS}
    found = {}
    for path, content in files.items():
        parts = path.split("/")
        assert not parts[-1].startswith((".", "~"))
        while parts:
            info = parts.pop(0).split("_", 4)
            if len(info) < 5 or info[1] not in participants:  # before 4.1 five were asked for, later four will do
                continue
            assert info[2:4] == ["assignsubmission", "file"]
            found[info[1]] = "/".join(filter(None, [info[4], *parts])), owner(content)
            break
    return found


def canvas_reads(files: dict[str, bytes], attachments: dict[str, set[str]]) -> dict[str, int]:
    """Owner by user, as `infer_comment_context_from_filename` finds them: the file must be one of the user's."""
    found = {}
    for path, content in files.items():
        numbers = [part for part in path.rpartition("/")[2].split("_") if re.fullmatch(r"\d+", part)][:2]
        user, attachment = numbers
        assert attachment in attachments[user], path
        found[user] = owner(content)
    return found


IDS = {person.id: person.number for person in CLASS if person not in NAMESAKES}


@pytest.mark.parametrize(("flat", "old"), [(False, False), (False, True), (True, True)])
def test_moodle_finds_every_student_by_its_own_download(tmp_path: Path, roster: Roster, flat: bool, old: bool) -> None:
    download = write_zip(tmp_path / "download.zip", lms.moodle(flat, old))
    returned = give_back(pages_of(tmp_path / "pages", IDS), MOODLE, tmp_path / "out.zip", PS, roster, download)
    expected = {one.moodle: ("feedback.html", one.number) for one in CLASS if one not in NAMESAKES}
    assert moodle_reads(members(returned)) == expected
    assert returned.without_place == []


def test_moodle_finds_every_student_by_its_worksheet(tmp_path: Path) -> None:
    (tmp_path / "worksheet.csv").write_bytes(lms.moodle_worksheet())
    worksheet = read_roster(tmp_path / "worksheet.csv")
    ids = {student.id: number for number, student in enumerate(worksheet.students, start=1)}
    pages = pages_of(tmp_path / "pages", ids)
    expected = {person.moodle: ("feedback.html", person.number) for person in CLASS}
    as_roster = give_back(pages, MOODLE, tmp_path / "1.zip", PS, worksheet)
    as_template = give_back(pages, MOODLE, tmp_path / "2.zip", PS, worksheet, tmp_path / "worksheet.csv")
    assert moodle_reads(members(as_roster)) == moodle_reads(members(as_template)) == expected
    assert as_roster.path.read_bytes() == as_template.path.read_bytes()


def test_name_never_breaks_the_folder_that_moodle_cuts_at_underscores(tmp_path: Path) -> None:
    (tmp_path / "worksheet.csv").write_text("Identifier,Full name\nParticipant 123401,A_b: <c>/d\n")
    pages = pages_of(tmp_path / "pages", {"123401": 1})
    returned = give_back(pages, MOODLE, tmp_path / "out.zip", PS, read_roster(tmp_path / "worksheet.csv"))
    assert list(members(returned)) == ["A b cd_123401_assignsubmission_file_/feedback.html"]


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_canvas_finds_every_student_and_the_file_that_was_handed_in(
    tmp_path: Path, roster: Roster, write: object
) -> None:
    download = write(tmp_path / "download.zip", lms.canvas())  # type: ignore[operator]
    returned = give_back(pages_of(tmp_path / "pages", IDS), CANVAS, tmp_path / "out.zip", PS, roster, download)
    attachments = {person.canvas: {str(900_000 + person.number)} for person in CLASS}
    assert canvas_reads(members(returned), attachments) == {
        person.canvas: person.number for person in CLASS if person not in NAMESAKES
    }
    assert all(name.endswith("_feedback.html") for name in members(returned))


def test_page_without_a_hand_in_is_named_and_left_out(tmp_path: Path, roster: Roster) -> None:
    people: list[Person] = [one for one in CLASS if one not in NAMESAKES]
    download = write_zip(tmp_path / "download.zip", lms.moodle(people=people[1:]))
    returned = give_back(pages_of(tmp_path / "pages", IDS), MOODLE, tmp_path / "out.zip", PS, roster, download)
    assert returned.without_place == [people[0].id]
    assert len(members(returned)) == len(people) - 1


def test_same_pages_make_the_same_zip(tmp_path: Path, roster: Roster) -> None:
    download = write_zip(tmp_path / "download.zip", lms.canvas())
    pages = pages_of(tmp_path / "pages", IDS)
    one, two = (give_back(pages, CANVAS, tmp_path / f"{n}.zip", PS, roster, download).path for n in (1, 2))
    assert one.read_bytes() == two.read_bytes()


def test_missing_numbers_are_asked_for_with_what_to_give(tmp_path: Path, roster: Roster) -> None:
    pages = pages_of(tmp_path / "pages", IDS)
    with pytest.raises(GradingError, match="give its download or its grading worksheet"):
        give_back(pages, MOODLE, tmp_path / "out.zip", PS, roster)
    with pytest.raises(GradingError, match="numbers in the names of its own download"):
        give_back(pages, CANVAS, tmp_path / "out.zip", PS, roster)
    download = write_zip(tmp_path / "download.zip", lms.moodle())
    with pytest.raises(GradingError, match="does not come from Canvas"):
        give_back(pages, CANVAS, tmp_path / "out.zip", PS, roster, download)
    with pytest.raises(GradingError, match="'email' takes no pages: give one of moodle-feedback, canvas-comments"):
        give_back(pages, "email", tmp_path / "out.zip", PS, roster, download)
    assert not (tmp_path / "out.zip").exists()
