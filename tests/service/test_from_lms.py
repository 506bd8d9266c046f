"""From a platform by LTI: who comes is a student or a teacher of this course, and the grade goes back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from classes import quick
from lti_platform import LEARNER, TestPlatform, query_of
from notebooks import ASSIGNMENT
from served import Browser, any_notebook, browser, graded, notebook_of, opened, running, served_course
from starlette.applications import Starlette

from grading.authoring.classroom import Classroom

URL = "https://course.example.org"


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    return served_course(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def platform(classroom: Classroom) -> TestPlatform:
    platform = TestPlatform()
    config = classroom.folder / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.LtiSettings.platforms = [{platform.registration!r}]\n")
    return platform


@pytest.fixture
def app(classroom: Classroom, platform: TestPlatform, tmp_path: Path) -> Iterator[Starlette]:
    address = f"sqlite:///{tmp_path / 'service.db'}"
    settings = replace(opened(classroom.folder), folder=tmp_path, database=address, url=URL)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(platform.app()), timeout=5)
    with running(settings, http) as app:
        yield app


def launch(app: Starlette, platform: TestPlatform, user: str, **changed: object) -> tuple[httpx.Response, Browser]:
    """Come in from the platform; give the answer to the launch, and the browser."""
    found = browser(app, URL)
    begun = found.client.post("/lti/login", data=platform.initiation(user), follow_redirects=False)
    asked = query_of(begun.headers["location"])
    custom = {"https://purl.imsglobal.org/spec/lti/claim/custom": {"assignment": ASSIGNMENT}}
    token = platform.sign({**platform.claims(user, asked["nonce"]), **custom, **changed})
    form = {"id_token": token, "state": asked["state"]}
    headers = {"Origin": platform.url}
    return found.client.post("/lti/launch", data=form, headers=headers, follow_redirects=False), found


def test_student_comes_to_the_assignment_and_hands_in(app: Starlette, platform: TestPlatform) -> None:
    answer, ada = launch(app, platform, "u-ada")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/a/{ASSIGNMENT}")
    session = next(value for name, value in answer.headers.multi_items() if "__Host-course=" in value)
    assert "SameSite=None" in session
    assert "Partitioned" in session
    page = ada.get(f"/a/{ASSIGNMENT}")
    assert "Ada Lovelace" in page.text
    assert platform.url in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert ada.hand_in(any_notebook()).status_code == 200


def test_teacher_comes_to_the_board(app: Starlette, platform: TestPlatform) -> None:
    answer, teacher = launch(app, platform, "u-cy")
    assert answer.status_code == 303
    assert teacher.get(f"/board/{ASSIGNMENT}").status_code == 200
    assert "Cy Twombly" in teacher.get("/").text


@pytest.mark.parametrize("user", ["u-bo", "u-new"])
def test_account_is_tied_to_one_student_whatever_another_one_says(
    app: Starlette, platform: TestPlatform, user: str
) -> None:
    assert launch(app, platform, "u-ada")[0].status_code == 303
    platform.people["u-new"] = ("Ada Lovelace", [LEARNER])
    lis = {"https://purl.imsglobal.org/spec/lti/claim/lis": {"person_sourcedid": "ada"}}
    for says in ({"email": "ada@example.org"}, lis):
        none = {"https://purl.imsglobal.org/spec/lti/claim/lis": {}, "email": ""}
        answer, found = launch(app, platform, user, **{**none, **says})
        assert answer.status_code == 403
        assert "Another account came as ada" in answer.text
        assert found.get("/").status_code == 401
    again, ada = launch(app, platform, "u-ada", email="bo@example.org")
    assert again.status_code == 303
    assert "Ada Lovelace" in ada.get("/").text


def test_somebody_who_is_not_on_the_class_list_is_told_so(app: Starlette, platform: TestPlatform) -> None:
    platform.people["u-eve"] = ("Bo Diddley", [LEARNER])
    answer, eve = launch(app, platform, "u-eve")
    assert answer.status_code == 403
    assert "not on the class list" in answer.text
    assert eve.get("/").status_code == 401


def test_grade_of_the_gradebook_goes_to_the_platform_once(
    app: Starlette, platform: TestPlatform, classroom: Classroom, bubblewrap: None
) -> None:
    launch(app, platform, "u-ada")[1].hand_in(any_notebook())
    platform.tool_keys = browser(app, URL).get("/lti/jwks.json").json()
    assert app.state.portal.call(app.state.lms.send_grades) == 0
    path = classroom.folder / "submitted" / "ada" / ASSIGNMENT / "tiny.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(notebook_of(classroom))
    classroom.grade(quick())
    graded(app, "ada")
    assert app.state.portal.call(app.state.lms.send_grades) == 1
    (score,) = platform.scores
    assert (score["userId"], score["scoreGiven"], score["scoreMaximum"]) == ("u-ada", 5, 5)
    assert app.state.portal.call(app.state.lms.send_grades) == 0
    assert platform.problems == []
