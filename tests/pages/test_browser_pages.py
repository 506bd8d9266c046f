"""In a real Chromium, the report sorts, filters and links, pictures show, and no student's script runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import picture
from graded_class import STUDENTS, graded_class
from playwright.sync_api import Browser, Page

from grading.pages.feedback import read_records, write_feedback
from grading.pages.report import write_report

SERIOUS = ("serious", "critical")
"""Impacts by which axe-core sorts what it finds; the others are minor and moderate."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> Path:
    course = graded_class(tmp_path_factory.mktemp("browser"))
    folder = course.folder / "reports"
    records = read_records(course)
    write_feedback(course, records, folder / "feedback")
    return write_report(course, records, folder)


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: problems.append(request.url) if request.url.startswith("http") else None)
    page.goto(report.as_uri())
    yield page
    page.close()
    assert problems == [], "nothing is logged, asked for from elsewhere, or popped up"


def students(page: Page) -> list[str]:
    rows = page.locator("#submissions tbody tr:visible th")
    return rows.all_inner_texts()


def named(page: Page, table: str) -> list[str]:
    return page.locator(f"{table} tbody tr th").all_inner_texts()


def test_column_sorts_both_ways(page: Page) -> None:
    points = page.locator("#submissions").get_by_role("button", name="Points", exact=True)
    points.click()
    first = students(page)
    assert set(first[:3]) == {STUDENTS[3], "eve", "gil"}, "those with nothing come first"
    assert points.locator("..").get_attribute("aria-sort") == "ascending"
    points.click()
    assert set(students(page)[:2]) == {"ann", "fay"}
    picture(page, "report_sorted")


def test_names_are_sorted_as_words_and_missing_values_last(page: Page) -> None:
    page.locator("#submissions").get_by_role("button", name="Student").click()
    assert students(page) == sorted(STUDENTS)
    measure = page.get_by_role("button", name="Share right")
    table = "table:has(button:text('Share right'))"
    measure.click()
    assert named(page, table)[-1] == STUDENTS[3], "who was refused has no measure"
    measure.click()
    assert named(page, table)[-1] == STUDENTS[3]


def test_table_filters_by_text_status_and_flag(page: Page) -> None:
    page.get_by_label("Find").fill("NEILL")
    assert students(page) == [STUDENTS[2]]
    assert page.locator("#shown").inner_text() == "1 of 7 submissions"
    page.get_by_label("Find").fill("widht")
    assert students(page) == ["gil"], "a word of a reason"
    page.get_by_label("Find").fill("")
    page.get_by_label("Status").select_option("refused")
    assert students(page) == [STUDENTS[3]]
    page.get_by_label("Status").select_option("")
    page.get_by_label("only flagged").check()
    assert students(page) == ["ann", "fay"]
    picture(page, "report_filtered")


@pytest.mark.parametrize("student", STUDENTS)
def test_link_opens_the_students_page(page: Page, student: str) -> None:
    page.locator("#submissions tbody tr").nth(STUDENTS.index(student)).locator("th a").click()
    assert page.locator("h1").inner_text() == f"Feedback for {student}"


def test_pictures_show_with_their_boxes(page: Page, report: Path) -> None:
    page.goto((report.parent / "feedback" / "ann.html").as_uri())
    image = page.locator("figure img")
    assert image.evaluate("image => image.complete && image.naturalWidth") == 100
    photo, boxes = image.bounding_box(), page.locator("figure svg").bounding_box()
    assert photo == pytest.approx(boxes), "the drawing lies on the photograph"
    picture(page, "feedback")


def test_no_script_of_a_student_runs(page: Page, report: Path) -> None:
    page.goto((report.parent / "feedback" / "eve.html").as_uri())
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert page.evaluate("window.attacked") is None
    assert "window.attacked" in page.locator("details pre").first.inner_text(), "it is there, as text"
    picture(page, "feedback_of_an_attacker")


def test_page_stops_a_script_that_slipped_in(browser: Browser, report: Path, tmp_path: Path) -> None:
    """The policy alone: a script is put into the page behind the escaping."""
    forged = (
        (report.parent / "feedback" / "ann.html").read_text().replace("</main>", "<script>attacked = 1</script></main>")
    )
    (tmp_path / "forged.html").write_text(forged)
    page = browser.new_page()
    page.goto((tmp_path / "forged.html").as_uri())
    assert page.evaluate("window.attacked") is None
    page.close()


def test_table_of_submissions_fits_a_laptop_in_six_columns(browser: Browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report.as_uri())
    table = page.locator("#submissions")
    assert table.locator("thead th").count() == 6
    box = table.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1280
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    picture(page, "report_wide")
    page.close()


@pytest.mark.parametrize("width", [1280, 390], ids=["laptop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(browser: Browser, report: Path, scheme: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    for name in ("index.html", *(f"feedback/{student}.html" for student in STUDENTS)):
        page.goto((report.parent / name).as_uri())
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == [], name
    page.goto((report.parent / "feedback" / "gil.html").as_uri())
    picture(page, f"feedback_of_one_who_misspelt_{scheme}_{width}")
    page.goto(report.as_uri())
    picture(page, f"report_{scheme}_{width}")
    page.close()


def test_keyboard_reaches_filter_columns_and_pages(page: Page) -> None:
    page.get_by_label("Find").focus()
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.innerText.trim()"))
    assert "SELECT" in reached[0]
    assert "BUTTON Student" in reached
    assert "A ann" in reached


def test_figures_keep_their_labels_on_a_phone(browser: Browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 740})
    page.goto((report.parent / "feedback" / "bo.html").as_uri())
    said = page.locator("td[data-label=Yours]").evaluate("cell => getComputedStyle(cell, '::before').content")
    assert said == '"Yours" ": "' or said == '"Yours: "'
    page.close()


def test_pages_fit_a_phone_and_paper(browser: Browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    for name in ("feedback/ann.html", "index.html"):
        page.goto((report.parent / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    page.goto((report.parent / "feedback" / "ann.html").as_uri())
    picture(page, "feedback_on_a_phone")
    assert page.pdf(format="A4")[:4] == b"%PDF"
    page.close()
