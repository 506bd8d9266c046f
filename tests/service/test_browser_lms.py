"""From a platform into the service in a real browser: a launch in the platform's frame, and a link that is chosen."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser import picture
from lti_platform import TestPlatform, standing
from notebooks import ASSIGNMENT
from playwright.sync_api import Browser, expect
from served import free_port, served_at, served_course, serving

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

PATIENCE = 60_000
"""Milliseconds."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPlatform]:
    """A platform and a service that know each other."""
    folder: Path = served_course(tmp_path_factory.mktemp("served")).folder
    ours, theirs = free_port(), free_port()
    made = TestPlatform(f"http://127.0.0.1:{theirs}", served_at(folder, ours))
    made.assignment = ASSIGNMENT
    config = folder / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.LtiSettings.platforms = [{made.registration!r}]\n")
    with standing(made, theirs), serving(folder, ours):
        made.tool_keys = httpx.get(f"{made.tool}/lti/jwks.json").json()
        yield made


def test_student_comes_from_the_platform_into_its_frame(browser: Browser, platform: TestPlatform) -> None:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{platform.url}/?frame")
    page.get_by_role("button", name="Ada Lovelace: resource").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Ada Lovelace")).to_be_visible(timeout=PATIENCE)
    expect(frame.locator("input[type=file]")).to_have_count(1)
    picture(page, "lti-frame")
    assert platform.problems == []


def test_instructor_puts_an_assignment_into_the_course(browser: Browser, platform: TestPlatform) -> None:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(platform.url)
    page.get_by_role("button", name="Cy Twombly: deep").click()
    expect(page.get_by_role("heading", name="Which assignment?")).to_be_visible()
    picture(page, "lti-choice")
    page.locator(f"button[value={ASSIGNMENT}]").click()
    expect(page.get_by_text("Linked: ")).to_be_visible()
    assert platform.problems == []


def test_launch_that_is_opened_again_says_why_it_is_refused(browser: Browser, platform: TestPlatform) -> None:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    kept: list[str] = []
    page.on("request", lambda sent: kept.append(sent.post_data or "") if sent.url.endswith("/lti/launch") else None)
    page.goto(platform.url)
    page.get_by_role("button", name="Bo Diddley: resource").click()
    expect(page.get_by_text("Bo Diddley").first).to_be_visible()
    answer = httpx.post(
        f"{platform.tool}/lti/launch",
        content=kept[0],
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status_code, "did not bring back the cookie" in answer.text) == (403, True)
