"""In a real Chromium, Jupyter opens what we give students and instructors, and both get along with it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browser import jupyter_lab, last_cell, picture, run_all, save, serious
from classes import RIGHT, hand_in, quick, set_minimum
from graded_class import STUDENTS, graded_class
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from notebooks import ASSIGNMENT, ROOT
from playwright.sync_api import Browser, Page, expect
from running import students_machine

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.pages.feedback import read_records, write_feedback
from grading.pipeline.run import GradingRun, options_from

pytestmark = pytest.mark.slow
BO = STUDENTS[1]
OTHERS_COLOURS = [[".jp-InputPrompt"], [".jp-OutputPrompt"], [".highlight"], ["pre[style*=Menlo]"]]
"""Prompts and code have the colours of JupyterLab's theme, Keras' summary of a model its own; some of them are pale."""
NOT_UNDERLINED = {"rules": {"link-in-text-block": {"enabled": False}}}
"""Nor that the theme underlines links."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    yield page
    page.close()


# ---- The instructor: nbgrader's formgrader --------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> GradingRun:
    return graded_class(tmp_path_factory.mktemp("formgrader"))


@pytest.fixture(scope="module")
def formgrader(course: GradingRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with jupyter_lab(course.folder, tmp_path_factory.mktemp("home"), {}) as address:
        yield f"{address}/formgrader"


def open_submission(page: Page, formgrader: str, student: str) -> None:
    page.goto(f"{formgrader}/manage_students/{student}/{ASSIGNMENT}")
    page.locator("#main-table").get_by_role("link", name=ASSIGNMENT).click()
    expect(page.locator("input#test_area")).to_have_attribute("placeholder", re.compile(r"\d"))  # grades are loaded


def test_formgrader_opens_the_course_and_shows_the_records_scores(
    page: Page, formgrader: str, course: GradingRun
) -> None:
    page.goto(f"{formgrader}/manage_assignments")
    row = page.locator("#main-table tr").filter(has_text=ASSIGNMENT)
    expect(row.locator("td.num-submissions")).to_have_text(str(len(STUDENTS)))
    picture(page, "formgrader_assignments")
    page.goto(f"{formgrader}/manage_submissions/{ASSIGNMENT}")
    rows = page.locator("#main-table tr")
    expect(rows).to_have_count(len(STUDENTS))
    shown = {row.locator("td.student-id").inner_text(): row.locator("td.score").inner_text() for row in rows.all()}
    records = read_records(course)
    assert shown == {record.student: f"{record.points:g} / {record.max_points:g}" for record in records}
    picture(page, "formgrader_submissions")


def test_formgrader_shows_why_a_point_was_lost(page: Page, formgrader: str) -> None:
    open_submission(page, formgrader, BO)
    assert page.locator("input#test_sum").get_attribute("placeholder") == "2"
    expect(page.locator("body")).to_contain_text("2 of 3 points")


def test_formgrader_opens_a_refused_hand_in_and_says_why(page: Page, formgrader: str, course: GradingRun) -> None:
    refused = STUDENTS[3]
    (record,) = [record for record in read_records(course) if record.student == refused]
    with Gradebook(course.db_url, course.course_id) as book:  # the links of its pages lead nowhere for such a name
        notebook = book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, refused).id
    page.goto(f"{formgrader}/submissions/{notebook}/")
    expect(page.locator("input#test_area")).to_have_attribute("placeholder", "0")
    expect(page.locator("body")).to_contain_text("This could not be graded.")
    expect(page.locator("body")).to_contain_text(record.why)
    picture(page, "formgrader_refused")


def test_no_script_of_a_student_runs_in_formgrader(page: Page, formgrader: str) -> None:
    """It would run with the instructor's rights on the whole Jupyter server."""
    popped: list[str] = []
    page.on("dialog", lambda dialog: (popped.append(dialog.message), dialog.dismiss()))
    open_submission(page, formgrader, "eve")
    page.wait_for_load_state("load")
    expect(page.get_by_text("A cell of my own.")).to_be_visible()
    assert "window.attacked" in page.locator("body").inner_text(), "it is there, as text"
    assert page.evaluate("window.attacked") is None
    assert popped == []
    picture(page, "formgrader_attacker")


def test_grade_and_comment_given_in_formgrader_survive_and_show(
    page: Page, formgrader: str, course: GradingRun, tmp_path: Path
) -> None:
    open_submission(page, formgrader, BO)
    with page.expect_response(lambda response: "/api/grade/" in response.url and response.request.method == "PUT"):
        page.locator("input#test_area").fill("1.25")
        page.locator("input#test_area").press("Tab")
    with page.expect_response(lambda response: "/api/comment/" in response.url and response.request.method == "PUT"):
        page.locator("textarea#area-comment").fill("Think of boxes without an area.")
        page.locator("textarea#area-comment").press("Tab")
    picture(page, "formgrader_graded_by_hand")

    set_minimum(course.folder, 0.1)  # everybody is scored again; Bo would now have both points
    classroom = Classroom(course.folder, ASSIGNMENT)
    hand_in(classroom, BO, RIGHT)  # and is run again, too
    classroom.grade(quick())

    open_submission(page, formgrader, BO)
    assert page.locator("input#test_area").input_value() == "1.25"
    assert page.locator("input#test_sum").get_attribute("placeholder") == "3"
    expect(page.locator("textarea#area-comment")).to_have_value("Think of boxes without an area.")  # loaded last

    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_feedback", ASSIGNMENT, "--student", BO],
        cwd=course.folder,
        check=True,
        capture_output=True,
    )
    theirs = (course.folder / "feedback" / BO / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
    write_feedback(course, read_records(course), tmp_path)
    for text in (theirs, (tmp_path / f"{BO}.html").read_text(encoding="utf-8")):
        assert "Think of boxes without an area." in text
        assert "1.25" in text


# ---- The student: JupyterLab ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["boxes_and_iou", "many_objects", "object_detection"])
def test_release_solved_and_saved_in_jupyterlab_earns_full_points(
    name: str, browser: Browser, page: Page, tmp_path: Path, bubblewrap: None
) -> None:
    """As a student would: wheel installed, solution filled in, Run All Cells, save, a last check, hand in."""
    from helpers.sample import make_sample

    machine = students_machine(tmp_path, name)
    (wheel,) = machine.release.glob("*.whl")
    subprocess.run([machine.python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    path = machine.release / f"{name}.ipynb"
    master = nbformat.read(ROOT / "source" / name / f"{name}.ipynb", as_version=4)
    nbformat.write(fill_in(nbformat.read(path, as_version=4), solution_cells(master)), path)
    data = make_sample()
    variables = {**machine.variables, "COURSE_DATA": str(data), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with jupyter_lab(machine.release, tmp_path / "home", variables, str(machine.python)) as address:
        page.goto(f"{address}/lab/tree/{path.name}")
        run_all(page)
        picture(page, f"jupyterlab_{name}", full_page=False)
        save(page, path)
        run_last_cell(page, "Ready: ")
        picture(page, f"jupyterlab_{name}_ready", full_page=False)
        save(page, path)
        assert without_words(page) == []
    saved = nbformat.read(path, as_version=4)
    assert [output for cell in saved.cells for output in cell.get("outputs", []) if output.output_type == "error"] == []
    read_aloud(browser, saved, tmp_path / f"{name}.html")

    classroom = Classroom.create(ROOT, tmp_path / "class", name)
    handed_in = classroom.folder / "submitted" / "student" / name / path.name
    handed_in.parent.mkdir(parents=True)
    handed_in.write_bytes(path.read_bytes())
    (record,) = classroom.grade(options_from(ROOT, data=data))
    assert record.points == record.max_points


def without_words(page: Page) -> list[str]:
    """The pictures in a notebook that a screen reader cannot name, by their beginnings."""
    pictures = page.locator(".jp-OutputArea img, .jp-MarkdownOutput img, .jp-RenderedMarkdown img")
    return pictures.evaluate_all("all => all.filter(one => !one.alt.trim()).map(one => one.outerHTML.slice(0, 90))")


def read_aloud(browser: Browser, notebook: NotebookNode, path: Path) -> None:
    """As a page of nbconvert's, every figure has words, and axe-core finds nothing serious in what is ours."""
    path.write_text(HTMLExporter(template_name="lab").from_notebook_node(notebook)[0], encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.locator(".jp-OutputArea img").count()
    assert without_words(page) == []
    assert serious(page, context={"exclude": OTHERS_COLOURS}, options=NOT_UNDERLINED) == []
    page.close()


def run_last_cell(page: Page, says: str) -> None:
    cell = last_cell(page)
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-OutputArea")).to_contain_text(re.compile(re.escape(says)))
