"""Who changed what: written with the change, read by instructors alone, and without the name of who was forgotten."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from commands import course
from notebooks import ASSIGNMENT
from served import BY, any_notebook, come_in, graded, opened, running, served_course
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError
from starlette.applications import Starlette

from grading.service import access, queue, teaching_pages
from grading.service.audit import Deed, Entry, audit, entries, note
from grading.service.database import Database, links
from grading.service.identity import Role
from grading.service.personal import forget_in_service, in_service


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_course(tmp_path_factory.mktemp("served")).folder


@pytest.fixture
def app(folder: Path, tmp_path: Path) -> Iterator[Starlette]:
    address = f"sqlite:///{tmp_path / 'service.db'}"
    with running(replace(opened(folder), folder=tmp_path, database=address, url="http://course")) as app:
        yield app


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path / 'own.db'}")
    yield database
    database.close()


def of(app: Starlette, deed: Deed) -> list[Entry]:
    return [one for one in entries(app.state.site.database) if one.deed is deed]


def test_each_change_on_the_board_is_written_down_with_who_made_it(app: Starlette, folder: Path) -> None:
    ada, teacher = come_in(app, "ada"), come_in(app, "Prof", Role.instructor)
    ada.hand_in(any_notebook())
    graded(app, "ada")
    ada.post(f"/a/{ASSIGNMENT}/ask", {"text": "Look again."})
    assert of(app, Deed.answered) == []
    board = f"/board/{ASSIGNMENT}"
    teacher.post(f"{board}/answer?id=ada", {"text": "I have."})
    teacher.post(f"{board}/extend?id=ada", {"due": "2040-01-01 12:00", "why": "was ill"})
    teacher.post(f"{board}/extend?id=ada", {"due": ""})
    teacher.post(f"{board}/feedback", {"held": "yes"})
    teacher.post(f"{board}/feedback", {"held": ""})
    teacher.post(f"{board}/again?id=ada", {})
    (folder / "extensions.csv").unlink()
    found = [one for one in entries(app.state.site.database) if one.deed is not Deed.invited]
    assert [one.deed for one in found] == [
        Deed.again,
        Deed.released,
        Deed.held,
        Deed.not_extended,
        Deed.extended,
        Deed.answered,
    ]
    assert {(one.who, one.role, one.assignment) for one in found} == {("Prof", "instructor", ASSIGNMENT)}
    assert [one.about for one in found] == ["ada", "", "", "ada", "ada", "ada"]
    assert found[4].details == "2040-01-01 12:00:00+00:00: was ill"


def test_extension_that_could_not_be_granted_is_not_written_down(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    teacher = come_in(app, "Prof", Role.instructor)
    monkeypatch.setattr(teaching_pages, "grant_extension", full_disk)
    answer = teacher.post(f"/board/{ASSIGNMENT}/extend?id=ada", {"due": "2040-01-01 12:00"})
    assert answer.status_code == 500
    assert of(app, Deed.extended) == []


def test_rules_that_changed_are_written_down_once(app: Starlette, folder: Path) -> None:
    config = folder / "nbgrader_config.py"
    before = config.read_text()
    site, ada = app.state.site, come_in(app, "ada")
    ada.get(f"/a/{ASSIGNMENT}")
    assert of(app, Deed.rules) == [], "no rules are nothing to write down"
    for due in ("2030-01-01 12:00", "2030-01-01 12:00", "2031-01-01 12:00"):
        rules = {ASSIGNMENT: {"due": due, "attempts": 3}}
        groups = {ASSIGNMENT: {"one": ["ada", "bo"]}}
        config.write_text(f"{before}\nc.HandIns.rules = {rules!r}\nc.HandIns.groups = {groups!r}\n")
        site.catalogue.forget_times(ASSIGNMENT)
        ada.get(f"/a/{ASSIGNMENT}")
    config.write_text(before)
    found = of(app, Deed.rules)
    assert [one.details for one in found] == [
        f"due {year}-01-01 12:00:00+00:00; attempts 3; groups 1 of 2 students" for year in (2031, 2030)
    ]


def test_instructor_reads_them_all_or_about_one_student(app: Starlette) -> None:
    teacher = come_in(app, "Prof", Role.instructor)
    teacher.post(f"/board/{ASSIGNMENT}/answer?id=ada", {"text": "To Ada."})
    teacher.post(f"/board/{ASSIGNMENT}/answer?id=bo", {"text": "To Bo."})
    assert 'href="/audit"' in teacher.get("/").text
    everything = teacher.get("/audit").text.partition("<tbody>")[2]
    assert everything.count("answered a request") == 2
    assert "made a personal link" in everything
    about_bo = teacher.get("/audit?student=bo").text.partition("<tbody>")[2]
    assert "Bo Diddley" in about_bo
    assert "Ada Lovelace" not in about_bo
    assert "Nothing was changed" in teacher.get("/audit?before=1").text
    assert teacher.get("/audit?before=x&student=%00").status_code == 200


@pytest.mark.parametrize(("role", "status"), [(Role.assistant, 403), (Role.student, 404)])
def test_nobody_but_instructors_reads_them(app: Starlette, role: Role, status: int) -> None:
    come_in(app, "Prof", Role.instructor).post(f"/board/{ASSIGNMENT}/answer?id=ada", {"text": "To Ada."})
    other = come_in(app, "tess", role)
    answer = other.get("/audit?student=ada")
    assert answer.status_code == status
    assert "Ada" not in answer.text
    assert "/audit" not in other.get("/").text


def test_names_and_reasons_are_text_on_the_page(app: Starlette, folder: Path) -> None:
    teacher = come_in(app, "<img src=x>", Role.instructor)
    teacher.post(f"/board/{ASSIGNMENT}/extend?id=ada", {"due": "2040-01-01 12:00", "why": "<script>alert(1)</script>"})
    (folder / "extensions.csv").unlink()
    page = teacher.get("/audit").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x>" not in page


def test_nothing_is_removed_or_rewritten(database: Database) -> None:
    with database.writing() as connection:
        note(connection, BY, Deed.held, 1.0, "lab", details="as it was")
    for change in (delete(audit), update(audit).values(who="me"), update(audit).values(details="another")):
        with pytest.raises(DatabaseError, match="audit log is kept"), database.writing() as connection:
            connection.execute(change)
    (one,) = entries(database)
    assert (one.who, one.details) == ("Prof", "as it was")


def test_change_that_is_not_made_is_not_written_down(database: Database) -> None:
    def interrupted() -> None:
        with database.writing() as connection:
            note(connection, BY, Deed.held, 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert entries(database) == []
    assert access.withdraw(database, "ada", 1.0, BY) == 0
    assert queue.grade_again(database, [], BY) == 0
    assert entries(database) == []


def test_forgotten_student_stands_there_without_a_name(database: Database, tmp_path: Path) -> None:
    access.make_link(database, "ada", Role.student, 1.0, 9.0, BY)
    access.make_link(database, "bo", Role.student, 2.0, 9.0, BY)
    (told,) = in_service(database, "ada")["audit"]
    assert (told["deed"], "who" in told) == ("invited", False)
    said = forget_in_service(database, tmp_path, "ada")
    assert "the service: the name, from 1 lines of the audit log" in said
    found = entries(database)
    assert [(one.deed, one.about) for one in found] == [(Deed.forgot, ""), (Deed.invited, "bo"), (Deed.invited, "")]
    assert found[0].role == "at the terminal"
    assert "ada" not in json.dumps([one.as_json() for one in found])
    assert in_service(database, "ada") == {}
    with database.reading() as connection:
        assert connection.execute(links.select()).one().student == "bo"


def test_command_prints_lines_or_json(folder: Path) -> None:
    assert "Nothing was changed." in course(folder, "audit").stdout
    course(folder, "invite", "ada", "bo")
    course(folder, "invite", "ada", "--withdraw")
    lines = course(folder, "audit").stdout.splitlines()
    assert len(lines) == 3
    assert "(at the terminal) withdrew personal links: ada" in lines[0]
    found = [json.loads(line) for line in course(folder, "audit", "--student", "bo", "--json").stdout.splitlines()]
    assert [(one["deed"], one["about"], one["details"]) for one in found] == [("invited", "bo", "as student")]
