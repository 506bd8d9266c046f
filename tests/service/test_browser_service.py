"""The service in a real browser: a file is dropped, the status moves by itself, feedback, a request, the board."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import drop, picture
from classes import HALF
from notebooks import ASSIGNMENT
from playwright.sync_api import Browser, Page, expect
from served import free_port, links_of, notebook_of, served_at, served_course, serving

from grading.authoring.classroom import Classroom

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

PATIENCE = 120_000
"""Milliseconds."""
PHONE = {"width": 375, "height": 740}


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    return served_course(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def url(classroom: Classroom) -> Iterator[str]:
    port = free_port()
    url = served_at(classroom.folder, port)
    with serving(classroom.folder, port):
        yield url


def come_in(browser: Browser, link: str, **options: object) -> Page:
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    page.goto(link)
    return page


def test_way_from_the_dropped_file_to_the_answer_and_the_board_meanwhile(
    browser: Browser, classroom: Classroom, url: str
) -> None:
    links = links_of(classroom.folder)
    board = come_in(browser, links["instructor"])
    board.goto(f"{url}/board/{ASSIGNMENT}")
    board.evaluate("window.notLoadedAgain = true")
    ada = come_in(browser, links["ada"])
    ada.get_by_role("link", name="Areas").click()
    picture(ada, "service-assignment")
    drop(ada, "form[data-drop]", {"mine.ipynb": notebook_of(classroom, HALF)})
    expect(ada.get_by_role("heading", name="Receipt")).to_be_visible(timeout=PATIENCE)
    ada.evaluate("window.notLoadedAgain = true")
    expect(ada.get_by_role("heading", name="of 5 points")).to_be_visible(timeout=PATIENCE)
    expect(ada.frame_locator("iframe.feedback").get_by_text("Ada Lovelace").first).to_be_visible(timeout=PATIENCE)
    assert ada.evaluate("window.notLoadedAgain")
    picture(ada, "service-feedback")
    expect(board.get_by_text("1 of 3 have handed in")).to_be_visible(timeout=PATIENCE)
    expect(board.get_by_role("cell", name="Graded", exact=True)).to_be_visible(timeout=PATIENCE)
    ada.get_by_role("link", name="I think this is wrong").click()
    ada.get_by_label("Say in a sentence").fill("My box has no area.")
    ada.get_by_role("button", name="Send").click()
    expect(board.get_by_text("Asks: My box has no area.")).to_be_visible(timeout=PATIENCE)
    assert board.evaluate("window.notLoadedAgain")
    picture(board, "service-board")
    board.get_by_role("link", name="Ada Lovelace").click()
    board.get_by_label("Answer").fill("Indeed.")
    board.get_by_role("button", name="Send").click()
    ada.reload()
    expect(ada.get_by_text("Indeed.")).to_be_visible()


def test_keyboard_alone_hands_in_on_a_phone(browser: Browser, classroom: Classroom, url: str, tmp_path: Path) -> None:
    bo = come_in(browser, links_of(classroom.folder, "bo")["bo"], viewport=PHONE, has_touch=True, is_mobile=True)
    bo.goto(f"{url}/a/{ASSIGNMENT}")
    assert bo.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    path = tmp_path / "tiny.ipynb"
    path.write_bytes(notebook_of(classroom))
    bo.locator("#notebook").focus()
    bo.locator("#notebook").set_input_files(path)
    bo.keyboard.press("Tab")
    bo.keyboard.press("Enter")
    expect(bo.get_by_role("heading", name="5 of 5 points")).to_be_visible(timeout=PATIENCE)
    assert bo.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    picture(bo, "service-phone")


def test_page_works_without_scripts(browser: Browser, classroom: Classroom, url: str, tmp_path: Path) -> None:
    cy = come_in(browser, links_of(classroom.folder, "cy")["cy"], java_script_enabled=False)
    cy.goto(f"{url}/a/{ASSIGNMENT}")
    path = tmp_path / "tiny.ipynb"
    path.write_bytes(notebook_of(classroom))
    cy.locator("#notebook").set_input_files(path)
    cy.get_by_role("button", name="Hand in", exact=True).click()
    expect(cy.get_by_role("heading", name="Receipt")).to_be_visible()
    for _ in range(240):
        if cy.get_by_role("heading", name="5 of 5 points").is_visible():
            break
        cy.wait_for_timeout(500)
        cy.reload()
    expect(cy.get_by_role("heading", name="5 of 5 points")).to_be_visible()
