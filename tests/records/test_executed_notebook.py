"""Nothing that a student wrote in Markdown does anything on a page, and code is still what it was."""

from html.parser import HTMLParser

import nbformat
import pytest
from nbconvert.filters.markdown import markdown2html
from notebooks import right_notebook

from grading.records.executed_notebook import refused_notebook, strip_markdown_links
from grading.records.record import QuestionRecord


class Tags(HTMLParser):
    """Names of the tags of a page, and where they lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("code", ["`a < b`", "`x[i](y)`", "`if a<b: pass`", "```\nx[i](y) <tag> a<b\n```"])
def test_code_reads_as_it_was_written(code: str) -> None:
    assert strip_markdown_links(code).replace("\u200b", "") == code
    assert "&lt;" not in strip_markdown_links(code)


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "`<script>`<script>alert(1)</script>",
        "```\n<script>\n```\n<script>alert(1)</script>",
        "~~~\ncode\n```\n<img src=x onerror=alert(1)>",
        "``<b>` <i>x</i>",
        "<svg/onload=alert(1)>",
        "<!-- --><iframe src=x>",
        "<?php ?><object data=x>",
        "$<img src=x>$ and $$<script>$$",
        "\t<script>alert(1)</script>",
        "<\nscript>",
        "[text](javascript:alert(1))",
        "![picture](https://elsewhere/x.png)",
        "[text][there]\n\n[there]: javascript:alert(1)",
        "<https://elsewhere>",
        "<javascript:alert(1)>",
    ],
)
def test_nothing_of_a_students_is_loaded_or_run(markdown: str) -> None:
    found = Tags(markdown2html(strip_markdown_links(markdown)))
    assert found.found <= {"p", "code", "pre", "div", "span", "em", "strong", "a"}
    assert all(address.startswith("https://elsewhere") for address in found.addresses)  # one reads where it leads


def test_a_notebook_with_such_markdown_is_a_notebook() -> None:
    cell = nbformat.v4.new_markdown_cell(strip_markdown_links("a < b, <b>c</b>"))
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


@pytest.mark.parametrize(
    "named", ["<script>alert(1)</script>", "```\n<img src=x onerror=alert(1)>", "[a](javascript:b)"]
)
def test_reason_of_a_refusal_is_text_whatever_its_files_are_called(named: str) -> None:
    """The reason may name what was handed in."""
    released = right_notebook()
    shown = refused_notebook(released, f"{named} is no notebook", {"test_area": QuestionRecord(0.0, 2.0, "Refused.")})
    assert [cell.id for cell in shown.cells[1:]] == [cell.id for cell in released.cells]
    page = Tags(markdown2html(shown.cells[0].source))
    assert page.found <= {"p", "strong", "div", "pre", "code", "span"}
    assert page.addresses == []
    assert "could not be graded" in shown.cells[0].source
    nbformat.validate(shown)
