"""An assignment of two notebooks in a real browser, on a phone: dropped at once, told apart, graded, shown."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browser import drop, picture, serious
from homework import NAME, course, good_work
from playwright.sync_api import Browser, Page, ViewportSize, expect
from served import free_port, links_of, served_at, serving

from grading.release.build import build_release

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

PATIENCE = 120_000
"""Milliseconds."""
PHONE = ViewportSize(width=375, height=740)
FORM = "form[data-drop]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = course(tmp_path_factory.mktemp("homework") / "course")
    (made / "roster.csv").write_text("id,name,email\nada,Ada Lovelace,\nbo,Bo Diddley,\n")
    build_release(made, NAME)
    return made


@pytest.fixture(scope="module")
def work(folder: Path) -> dict[str, bytes]:
    made = good_work(folder)
    return {name: nbformat.writes(one).encode() for name, one in made.items() if not isinstance(one, str)}


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    port = free_port()
    url = served_at(folder, port)
    with serving(folder, port):
        yield url


def come_in(browser: Browser, folder: Path, url: str, who: str) -> Page:
    page = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(links_of(folder, who)[who])
    page.goto(f"{url}/a/{NAME}")
    return page


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"])


def test_notebooks_dropped_at_once_are_one_hand_in_with_feedback_on_each(
    browser: Browser, folder: Path, work: dict[str, bytes], url: str
) -> None:
    ada = come_in(browser, folder, url, "ada")
    assert fits(ada)
    assert serious(ada) == []
    picture(ada, "service-several")
    drop(ada, FORM, {"my first (1).ipynb": work["one.ipynb"], "two.ipynb": work["two.ipynb"]})
    expect(ada.get_by_role("heading", name="Receipt")).to_be_visible(timeout=PATIENCE)
    expect(ada.get_by_text(re.compile(r"one\.ipynb, two\.ipynb, \d+ bytes"))).to_be_visible()
    ada.evaluate("window.notLoadedAgain = true")
    expect(ada.get_by_role("heading", name="3 of 15 points")).to_be_visible(timeout=PATIENCE)
    expect(ada.get_by_text("3 answers wait for a person")).to_be_visible()
    feedback = ada.frame_locator("iframe.feedback")
    for question in ("one/part-a", "two/part-a", "sum"):
        expect(feedback.get_by_text(question).first).to_be_visible()
    assert ada.evaluate("window.notLoadedAgain")
    assert fits(ada)
    assert serious(ada) == []
    picture(ada, "service-several-feedback")
    ada.get_by_role("link", name="Feedback on a page of its own").click()
    expect(ada.get_by_text("Ada Lovelace").first).to_be_visible()
    assert fits(ada)
    picture(ada, "service-several-page")


def test_files_that_are_missing_or_too_many_are_told_of(
    browser: Browser, folder: Path, work: dict[str, bytes], url: str
) -> None:
    bo = come_in(browser, folder, url, "bo")
    drop(bo, FORM, {"one.ipynb": work["one.ipynb"], "two.ipynb": work["two.ipynb"], "three.ipynb": work["two.ipynb"]})
    expect(bo.get_by_text("More files came than this assignment has notebooks")).to_be_visible(timeout=PATIENCE)
    picture(bo, "service-several-refused")
    assert fits(bo)
    bo.goto(f"{url}/a/{NAME}")
    drop(bo, FORM, {"two.ipynb": work["two.ipynb"]})
    expect(bo.get_by_text("two.ipynb; without one.ipynb")).to_be_visible()
