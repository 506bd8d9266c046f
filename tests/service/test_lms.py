"""From a platform into the service and back: who comes in as whom, where to, and which grades go to the platform."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from commands import course
from lti_platform import CLAIM, TestPlatform, query_of
from nbgrader.api import Gradebook
from notebooks import ASSIGNMENT
from served import any_notebook, graded, opened, received, served_course
from sqlalchemy import select
from starlette.testclient import TestClient

from grading.config import load_config
from grading.errors import GradingError
from grading.lti.platforms import LtiError
from grading.pipeline.run import open_course
from grading.records.gradebook import GradebookWriter
from grading.records.record import GRADED, PERSON, QuestionRecord, Record
from grading.service.app import create_app
from grading.service.audit import Deed, entries
from grading.service.database import Database
from grading.service.identity import Identity, Role
from grading.service.lms import Door, ids_of, lms_people, new_id, open_door
from grading.service.lms_roster import members, students_among
from grading.service.personal import forget_in_service, in_service
from grading.service.release import hold

TOOL = "https://course.example.org"


@dataclass
class Visited:
    """A service, a platform that is registered with it, and a browser."""

    platform: TestPlatform
    door: Door
    database: Database
    folder: Path
    browser: TestClient

    def come(self, user: str, browser: TestClient | None = None, **changed: Any) -> httpx.Response:
        """Launch somebody; return the service's answer."""
        client = browser or self.browser
        begun = client.post("/lti/login", data=self.platform.initiation(user))
        asked = query_of(begun.headers["location"])
        self.platform.check_request(asked)
        claims = self.platform.claims(user, asked["nonce"])
        claims[f"{CLAIM}custom"] = {"assignment": ASSIGNMENT}
        form = {"id_token": self.platform.sign({**claims, **changed}), "state": asked["state"]}
        return client.post("/lti/launch", data=form, headers={"Origin": self.platform.url})

    def another_browser(self) -> TestClient:
        client = TestClient(self.browser.app, base_url=TOOL, follow_redirects=False)
        client.portal = self.browser.portal
        return client

    def give(self, decided: str = "", **points: float) -> None:
        """Enter points of students into the gradebook, of 5, as grading does."""
        config = load_config(self.folder)
        kept = {one.name: one.kept for one in self.assignment.notebooks}
        with GradebookWriter(f"sqlite:///{self.folder / 'gradebook.db'}", ASSIGNMENT, kept, config) as book:
            for student, reached in points.items():
                questions = {
                    "test_area": QuestionRecord(min(reached, 2), 2, "Because.", decided=decided, waits=bool(decided)),
                    "test_sum": QuestionRecord(max(reached - 2, 0), 3, "Because."),
                }
                book.write(Record(student, ASSIGNMENT, GRADED, questions=questions, submission={"changed": True}))

    @property
    def assignment(self) -> Any:
        from classes import quick

        return open_course(self.folder, ASSIGNMENT, quick(), asking=False).assignment

    def send(self) -> int:
        """Look for grades and send them, as the thread does."""
        http = httpx.AsyncClient(transport=httpx.ASGITransport(self.platform.app()))
        self.door.passback._looked.clear()
        self.door.passback.look()
        return anyio.run(self.door.passback.deliver, http)

    @property
    def taken(self) -> list[tuple[str, float]]:
        return sorted((score["userId"], score["scoreGiven"]) for score in self.platform.scores)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_course(tmp_path_factory.mktemp("served")).folder


@contextmanager
def visiting(template: Path, folder: Path) -> Iterator[Visited]:
    platform = TestPlatform(tool=TOOL)
    platform.items["1"] = {"label": "Tiny", "scoreMaximum": 50.0, "resourceId": ASSIGNMENT}
    config = template / "nbgrader_config.py"
    lines = [line for line in config.read_text().splitlines() if "LtiSettings" not in line]
    config.write_text("\n".join([*lines, f"c.LtiSettings.platforms = [{platform.registration!r}]", ""]))
    (template / "gradebook.db").unlink(missing_ok=True)
    settings = replace(opened(template), folder=folder, database=f"sqlite:///{folder / 's.db'}", url=TOOL)
    database = Database.open(settings.database)
    door = open_door(settings, database, httpx.AsyncClient(transport=httpx.ASGITransport(platform.app())))
    assert door is not None
    app = create_app(door.settings, database, door.routes)
    browser = TestClient(app, base_url=TOOL, follow_redirects=False)
    with start_blocking_portal() as portal:
        browser.portal = portal
        platform.tool_keys = browser.get("/lti/jwks.json").json()
        yield Visited(platform, door, database, template, browser)
    database.close()


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Iterator[Visited]:
    with visiting(template, tmp_path) as visited:
        yield visited


def test_student_comes_to_the_assignment_as_who_is_in_the_roster_and_hands_in(service: Visited) -> None:
    answer = service.come("u-ada")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/a/{ASSIGNMENT}")
    session = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-course"))
    assert "SameSite=None; Partitioned" in session  # it must live in the platform's frame
    page = service.browser.get(f"/a/{ASSIGNMENT}")
    assert page.status_code == 200
    assert "Ada Lovelace" in page.text
    assert "https://lms.example.org" in page.headers["content-security-policy"].partition("frame-ancestors")[2]
    assert "x-frame-options" not in page.headers


def test_user_in_no_list_gets_an_id_that_stays_the_same(service: Visited) -> None:
    changed = {f"{CLAIM}lis": {"person_sourcedid": "nobody-here"}}
    for _ in range(2):
        assert service.come("u-ada", **changed).status_code == 303
    with service.database.reading() as connection:
        (student,) = connection.scalars(select(lms_people.c.student))
    assert student.startswith("lms-")


@pytest.mark.parametrize("claim", ["name", "email", "given_name"])
def test_nobody_becomes_another_student_by_what_people_can_choose_themselves(service: Visited, claim: str) -> None:
    changed = {claim: "ada", f"{CLAIM}lis": {}}
    service.come("u-bo", **changed)
    with service.database.reading() as connection:
        assert "ada" not in list(connection.scalars(select(lms_people.c.student)))


def test_second_user_of_the_same_platform_is_not_the_same_student(service: Visited) -> None:
    service.come("u-ada")
    answer = service.come("u-bo", service.another_browser(), **{f"{CLAIM}lis": {"person_sourcedid": "ada"}})
    assert (answer.status_code, "Somebody else came from the same platform" in answer.text) == (403, True)


def test_teacher_comes_to_the_board_and_a_student_does_not(service: Visited) -> None:
    answer = service.come("u-cy")
    assert answer.headers["location"] == f"/board/{ASSIGNMENT}"
    assert service.browser.get(f"/board/{ASSIGNMENT}").status_code == 200
    student = service.another_browser()
    service.come("u-ada", student)
    assert student.get(f"/board/{ASSIGNMENT}").status_code == 404


def test_user_who_is_neither_student_nor_teacher_is_refused(service: Visited) -> None:
    answer = service.come(
        "u-ada", **{f"{CLAIM}roles": ["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"]}
    )
    assert (answer.status_code, "neither student nor teacher" in answer.text) == (403, True)
    assert "__Host-course" not in str(answer.headers.get_list("set-cookie"))


def test_teacher_with_the_name_of_a_student_is_another_person(service: Visited) -> None:
    assert service.come("u-cy", name="ada").status_code == 303
    assert 'name="student" value="ada"' not in service.browser.get("/mine.json").text


@pytest.mark.parametrize("named", ["../secret", "nothing", "tiny/../tiny"])
def test_assignment_that_is_not_open_leads_to_the_front_page(service: Visited, named: str) -> None:
    answer = service.come("u-ada", **{f"{CLAIM}custom": {"assignment": named}, f"{CLAIM}target_link_uri": f"{TOOL}/x"})
    assert answer.headers["location"] == "/"


def test_grade_of_the_gradebook_goes_to_the_platform_once_and_again_when_it_changes(service: Visited) -> None:
    for user in ("u-ada", "u-bo"):
        service.come(user, service.another_browser())
    service.give(ada=4.0)
    assert service.send() == 1
    assert service.send() == 0
    service.give(ada=5.0, bo=1.0)
    service.send()
    assert service.taken == [("u-ada", 4.0), ("u-ada", 5.0), ("u-bo", 1.0)]
    assert service.platform.results["1", "u-ada"]["resultScore"] == 50.0
    assert not service.platform.problems


def test_grade_goes_after_its_penalty(service: Visited) -> None:
    service.come("u-ada")
    service.give(ada=4.0)
    with Gradebook(f"sqlite:///{service.folder / 'gradebook.db'}") as book:
        book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada").late_submission_penalty = 1.5
        book.db.commit()
    service.send()
    assert service.taken == [("u-ada", 2.5)]


def test_grade_that_waits_for_a_person_waits(service: Visited) -> None:
    service.come("u-ada")
    service.give(PERSON, ada=4.0)
    assert (service.send(), service.taken) == (0, [])


def test_grade_whose_feedback_is_held_back_waits_until_it_is_released(service: Visited) -> None:
    service.come("u-ada")
    service.give(ada=4.0)
    who = Identity("course", "Cy", Role.instructor)
    hold(service.database, who, ASSIGNMENT, True, 1.0)
    assert service.send() == 0
    hold(service.database, who, ASSIGNMENT, False, 2.0)
    assert service.send() == 1


def test_grades_that_differ_between_platform_and_gradebook_are_listed(service: Visited) -> None:
    for user in ("u-ada", "u-bo"):
        service.come(user, service.another_browser())
    service.give(ada=4.0, bo=1.0)
    service.send()
    passback = service.door.passback

    def differences() -> list[tuple[str, tuple[float, float] | None]]:
        ((platform, line_item),) = passback.columns(ASSIGNMENT)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(service.platform.app()))
        found = anyio.run(passback.compare, platform, ASSIGNMENT, line_item, http)
        return [(passback.students(platform)[one.user], one.here) for one in found]

    assert differences() == []
    service.platform.results["1", "u-bo"]["resultScore"] = 50.0  # a teacher was kind
    assert differences() == [("bo", (1.0, 5.0))]


def shown(service: Visited, path: str = "", **sent: str) -> httpx.Response:
    """The board's page of grades in the LMS, or what comes of a form on it, to a teacher who came from there."""
    teacher = service.another_browser()
    service.come("u-cy", teacher)
    address = f"/board/{ASSIGNMENT}/lms"
    page = teacher.get(address)
    if not path:
        return page
    token = page.text.partition('name="form_token" value="')[2].partition('"')[0]
    return teacher.post(f"{address}/{path}", data={"form_token": token, **sent}, headers={"Origin": TOOL})


def test_board_shows_what_was_sent_what_waits_and_what_was_refused_and_why(service: Visited) -> None:
    for user in ("u-ada", "u-bo"):
        service.come(user, service.another_browser())
    assert "nothing was sent yet" in shown(service).text
    service.give(bo=1.0)
    service.platform.answers = [422]
    service.send()
    service.give(ada=5.0)
    service.door.passback._looked.clear()
    service.door.passback.look()
    page = shown(service).text
    assert "1 refused by the LMS, 1 waits." in page
    assert "422: " in page
    assert page.index("Bo Diddley") < page.index("Ada Lovelace"), "what needs a person comes first"
    assert "5 of 5" in page


def test_refused_grade_is_sent_again_from_the_board_once(service: Visited) -> None:
    service.come("u-bo", service.another_browser())
    service.give(bo=1.0)
    service.platform.answers = [422]
    service.send()
    (entry,) = service.door.passback.outbox.entries()
    assert shown(service, "again", entry="x").status_code == 404
    assert shown(service, "again", entry=entry.id).status_code == 303
    assert shown(service, "again", entry=entry.id).status_code == 409
    service.send()
    assert service.taken == [("u-bo", 1.0)]
    (noted,) = entries(service.database, "bo")
    assert (noted.deed, noted.role) == (Deed.sent_again, "instructor")


def test_board_compares_the_lms_with_the_gradebook(service: Visited, monkeypatch: pytest.MonkeyPatch) -> None:
    for user in ("u-ada", "u-bo"):
        service.come(user, service.another_browser())
    service.give(ada=4.0, bo=1.0)
    service.send()
    transport = httpx.ASGITransport(service.platform.app())
    monkeypatch.setattr("grading.service.lms.client", lambda: httpx.AsyncClient(transport=transport))
    assert "The LMS has what the gradebook has." in shown(service, "compare").text
    service.platform.results["1", "u-bo"]["resultScore"] = 50.0
    page = shown(service, "compare").text
    assert "1 grade differs from the gradebook." in page
    assert ("1 of 5" in page, "50 of 50" in page) == (True, True)

    def unreachable() -> None:
        raise LtiError("the platform cannot be reached")

    monkeypatch.setattr("grading.service.lms.client", unreachable)
    assert "The LMS did not say: the platform cannot be reached" in shown(service, "compare").text


def test_grades_in_the_lms_are_not_for_students(service: Visited) -> None:
    service.come("u-ada")
    for path in ("", "/compare", "/again"):
        method = service.browser.post if path else service.browser.get
        assert method(f"/board/{ASSIGNMENT}/lms{path}").status_code == 404


def test_class_is_looked_at_when_something_was_graded_and_not_all_the_time(service: Visited) -> None:
    service.come("u-ada")
    service.give(ada=4.0)
    assert [service.door.passback.look(), service.door.passback.look()] == [1, 0]
    service.give(ada=5.0)
    assert service.door.passback.look() == 0
    received(service.browser.app.state.site.settings, service.database, "ada", any_notebook(), time.time())
    graded(service.browser.app, "ada")
    assert service.door.passback.look() == 1


def test_student_who_came_from_a_platform_can_be_forgotten_with_what_was_sent(service: Visited) -> None:
    for user in ("u-ada", "u-bo"):
        service.come(user, service.another_browser())
    service.give(ada=4.0, bo=1.0)
    service.send()
    found = in_service(service.database, "ada")
    assert found["lms_people"][0]["user"] == "u-ada"
    assert [row["points"] for row in found["lti_scores"]] == [4.0]
    forget_in_service(service.database, service.folder / "service", "ada")
    assert in_service(service.database, "ada") == {}
    (left,) = service.door.passback.outbox.entries()
    assert left.score.user == "u-bo"
    assert len(service.door.passback.outbox.answers_to(left.id)) == 1


def test_class_list_of_the_platform_is_known_from_a_launch(service: Visited) -> None:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(service.platform.app()))
    lti = service.door.lti
    with pytest.raises(GradingError, match="open the course once from the LMS"):
        anyio.run(members, service.database, lti.key, lti.platforms, http)
    service.come("u-ada")
    service.come("u-cy", service.another_browser())
    http = httpx.AsyncClient(transport=httpx.ASGITransport(service.platform.app()))
    listed = anyio.run(members, service.database, lti.key, lti.platforms, http)
    students, refused = students_among(listed, ids_of(service.database), new_id)
    assert [(one.id, one.full_name) for one in students] == [("ada", "Ada Lovelace"), ("bo", "Bo Diddley")]
    assert (refused, service.platform.problems) == ([], [])


def test_service_without_a_platform_has_no_such_door(template: Path, tmp_path: Path) -> None:
    config = template / "nbgrader_config.py"
    text = config.read_text()
    config.write_text("\n".join(line for line in text.splitlines() if "LtiSettings" not in line) + "\n")
    settings = replace(opened(template), folder=tmp_path, database=f"sqlite:///{tmp_path / 's.db'}", url=TOOL)
    database = Database.open(settings.database)
    assert open_door(settings, database) is None
    database.close()
    asked = course(template, "passback", ASSIGNMENT)
    assert (asked.returncode, "no platform is registered" in asked.stderr) == (2, True)
