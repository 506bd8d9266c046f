"""Grading all again in a real browser: first it is said what would change, then it is done, and the board shows it."""

import time
from collections.abc import Iterator

import pytest
from browser import picture, serious, tab_to
from classes import HALF, RIGHT, set_minimum
from notebooks import ASSIGNMENT
from playwright.sync_api import Browser, Locator, Page, expect
from served import free_port, links_of, notebook_of, opened, received, served_at, served_course, serving

from grading.authoring.classroom import Classroom
from grading.service.database import Database

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

PATIENCE = 120_000
"""Milliseconds."""


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """Two have handed in: one whose work is right, one whose work is half right."""
    made = served_course(tmp_path_factory.mktemp("served"))
    settings = opened(made.folder)
    database = Database.open(settings.database)
    for student, source in (("ada", RIGHT), ("bo", HALF)):
        received(settings, database, student, notebook_of(made, source), time.time())
    database.close()
    return made


@pytest.fixture
def teacher(browser: Browser, classroom: Classroom) -> Iterator[Page]:
    """The instructor, before the board of a service that runs."""
    port = free_port()
    url = served_at(classroom.folder, port)
    with serving(classroom.folder, port):
        page = browser.new_context().new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(links_of(classroom.folder)["instructor"])
        page.goto(f"{url}/board/{ASSIGNMENT}")
        yield page


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def press(page: Page, name: str) -> None:
    """Press a button by the keyboard alone."""
    tab_to(page, page.get_by_role("button", name=name))
    page.keyboard.press("Enter")


def test_instructor_sees_what_would_change_and_has_it_done_by_keyboard(teacher: Page, classroom: Classroom) -> None:
    expect(teacher.get_by_text("graded 2,")).to_be_visible(timeout=PATIENCE)
    expect(row(teacher, "Bo Diddley").get_by_role("cell").nth(2)).to_have_text("2")
    set_minimum(classroom.folder, 0.4)
    press(teacher, "Grade all again …")
    expect(teacher.get_by_role("heading", name="Grade all again")).to_be_visible()
    expect(teacher.get_by_text("1 of 2 grades would change: 1 would rise, by 2 at most.")).to_be_visible(
        timeout=PATIENCE
    )
    assert row(teacher, "Bo Diddley").get_by_role("cell").all_inner_texts() == ["2", "4", "+2"]
    expect(row(teacher, "Ada Lovelace")).to_have_count(0)
    assert serious(teacher) == []
    picture(teacher, "service-again")
    press(teacher, "Grade all again")
    expect(teacher.get_by_role("heading", name="Areas")).to_be_visible()
    teacher.evaluate("window.notLoadedAgain = true")
    expect(row(teacher, "Bo Diddley").get_by_role("cell").nth(2)).to_have_text("4", timeout=PATIENCE)
    expect(row(teacher, "Ada Lovelace").get_by_role("cell").nth(2)).to_have_text("5", timeout=PATIENCE)
    assert teacher.evaluate("window.notLoadedAgain")
    assert serious(teacher) == []
    picture(teacher, "service-again-done")
