"""A real Chromium, and a real Jupyter for it to look at."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from needed import missing
from notebooks import ROOT
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

SCREENSHOTS = ROOT / ".artefacts" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 60
RUN_ALL_MS = 300_000
SERIOUS = ("serious", "critical")
"""Impacts by which axe-core sorts what it finds; the others are minor and moderate."""
DROP = """([selector, files]) => {
  const carried = new DataTransfer();
  for (const [name, content] of Object.entries(files)) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], name));
  }
  const event = new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true});
  document.querySelector(selector).dispatchEvent(event);
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium; skips where there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing("Chromium is not installed (Debian, Ubuntu: sudo apt-get install chromium)")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def picture(page: Page, name: str, full_page: bool = True) -> None:
    """Keep what the page looks like."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page)


def drop(page: Page, selector: str, files: Mapping[str, bytes]) -> None:
    """Drop files, by name, on an element, all at once."""
    page.evaluate(DROP, [selector, {name: base64.b64encode(content).decode() for name, content in files.items()}])


def serious(page: Page, **asked: Any) -> list[tuple[str, str]]:
    """What axe-core finds serious on a page: the rule, and the first element that breaks it."""
    found = Axe().run(page, **asked).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS]


def tab_to(page: Page, target: Locator) -> None:
    """Go to an element by the tabulator key alone."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached by the keyboard")


@contextmanager
def jupyter_lab(folder: Path, home: Path, variables: Mapping[str, str], python: str = sys.executable) -> Iterator[str]:
    """JupyterLab, started in a folder as a person would, with a home of its own; gives its address.

    Its runtime files are in `home`: which port it chose is read there.
    """
    runtime = home / "runtime"
    runtime.mkdir(parents=True)
    environment = {
        "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        **variables,
    }
    arguments = ["--no-browser", "--ServerApp.token=", "--ServerApp.port=0"]
    arguments += ["--allow-root"] if os.geteuid() == 0 else []
    with (home / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(
            [python, "-m", "jupyterlab", *arguments], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            yield _address(server, runtime, home / "jupyter.log")
        finally:
            server.terminate()
            server.wait(timeout=30)


def _address(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            return str(json.loads(path.read_text())["url"]).rstrip("/")
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


# ---- A notebook that is open in JupyterLab -------------------------------------------------------------------


def run_all(page: Page) -> None:
    """Run all cells of a released notebook, until its last look has said something."""
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(last_cell(page).locator(".jp-OutputArea")).to_contain_text("before you hand in", timeout=RUN_ALL_MS)


def last_cell(page: Page) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").last


def save(page: Page, path: Path) -> None:
    before = path.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    for _ in range(100):
        if path.stat().st_mtime_ns > before:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{path.name} was not saved")
