"""The LMS's list becomes the class list, under the ids by which people come in, and takes nobody away."""

import csv
from pathlib import Path

import pytest

from grading.errors import GradingError
from grading.lms.roster import Student, read_roster
from grading.lti.claims import Role
from grading.lti.services import Member
from grading.service.audit import Deed, at_the_terminal, entries
from grading.service.database import Database
from grading.service.lms import new_id
from grading.service.lms_roster import Updated, note_update, students_among, update_roster

LMS = "https://lms.example.org tool-1"
ADA = Student("ada", name="Ada Lovelace", email="ada@example.org")


def member(user: str, person: str = "", role: Role | None = Role.student, **more: object) -> tuple[str, Member]:
    return LMS, Member(user, role, name=f"Name of {user}", person=person, **more)  # type: ignore[arg-type]  # any of its fields


def test_students_are_who_is_active_and_learns_under_the_institutions_ids() -> None:
    listed = [
        member("1", "ada"),
        member("2", "../evil"),
        member("3"),
        member("4", "gone", active=False),
        member("5", "prof", Role.instructor),
        member("6", "nobody", None),
    ]
    students, refused = students_among(listed, {}, new_id)
    assert [one.id for one in students] == ["ada", new_id(LMS, "2"), new_id(LMS, "3")]
    assert refused == []


def test_id_of_who_came_in_already_stays() -> None:
    (student,), _ = students_among([member("1", "ada")], {(LMS, "1"): "lms-before"}, new_id)
    assert student.id == "lms-before"


def test_two_members_with_one_id_are_not_the_same_student() -> None:
    students, (why,) = students_among([member("1", "ada"), member("2", "ada")], {}, new_id)
    assert [one.full_name for one in students] == ["Name of 1"]
    assert why == "Name of 2: the LMS gives two people the id ada"


def test_list_becomes_a_class_list_where_there_is_none(tmp_path: Path) -> None:
    evil = Student("eve", name="=HYPERLINK(1)", email="eve@example.org")
    made = update_roster(tmp_path, [ADA, evil])
    assert [one.id for one in made.new] == ["ada", "eve"]
    assert (tmp_path / "roster.csv").read_text().splitlines()[:2] == [
        "id,name,email",
        "ada,Ada Lovelace,ada@example.org",
    ]
    assert "'=HYPERLINK" in (tmp_path / "roster.csv").read_text()
    assert [one.full_name for one in read_roster(tmp_path / "roster.csv").students] == ["Ada Lovelace", "=HYPERLINK(1)"]
    assert update_roster(tmp_path, [ADA, evil]) == Updated((), (), ())


def test_own_columns_and_people_stay(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("Last name;First name;id;tutor;email\nLovelace;A.;ada;Tim;\nDiddley;Bo;bo;Kim;bo@example.org\n")
    made = update_roster(tmp_path, [ADA, Student("cy", name="Cy Twombly")])
    assert ([one.id for one in made.new], [one.id for one in made.changed]) == (["cy"], ["ada"])
    assert [one.id for one in made.absent] == ["bo"]
    assert list(csv.reader(path.read_text().splitlines(), delimiter=";")) == [
        ["Last name", "First name", "id", "tutor", "email"],
        ["Lovelace", "Ada", "ada", "Tim", "ada@example.org"],
        ["Diddley", "Bo", "bo", "Kim", "bo@example.org"],
        ["Twombly", "Cy", "cy", "", ""],
    ]


def test_file_of_an_lms_and_one_without_ids_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    for text, said in (
        ("Identifier,Full name,Email address\nParticipant 7,Ada,ada@example.org\n", "a file of moodle's own"),
        ("username,name\nada,Ada\n", "no column of ids"),
    ):
        path.write_text(text)
        with pytest.raises(GradingError, match=said):
            update_roster(tmp_path, [Student("cy", name="Cy")])
        assert path.read_text() == text


def test_update_is_in_the_log_without_names(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 's.db'}")
    note_update(database, at_the_terminal(), Updated((ADA,), (), ()))
    (noted,) = entries(database)
    database.close()
    assert (noted.deed, noted.details) == (Deed.roster, "1 new, 0 changed")
