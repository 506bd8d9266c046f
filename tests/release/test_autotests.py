"""AUTOTEST lines are written out as nbgrader does, once, and the same in what is released and what is graded."""

import os
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from notebooks import code, grade_cell, notebook, solution
from stock import ASK, TEMPLATES, usual_course

from grading.config import load_config
from grading.errors import ReleaseError
from grading.release import instantiate
from grading.release.autotests import expanded, has_autotests
from grading.release.build import build_release
from grading.release.released import released_notebook

HIDDEN = f"{ASK}\n### BEGIN HIDDEN TESTS\n### AUTOTEST area((0, 0, 5, 7))\n### END HIDDEN TESTS"


def course_of(folder: Path, *cells: NotebookNode, templates: str = TEMPLATES, config: str = "") -> Path:
    return usual_course(folder, {"a": notebook(*cells)}, config, {"autotests.yml": templates})


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the kernels that are started."""
    names: list[str] = []
    real = instantiate._kernel

    def counted(name: str, folder: Path) -> object:
        names.append(name)
        return real(name, folder)

    monkeypatch.setattr(instantiate, "_kernel", counted)
    return names


def test_solution_is_run_once_for_release_and_grading(tmp_path: Path, started: list[str]) -> None:
    course = course_of(tmp_path / "course", solution(), grade_cell(HIDDEN))
    source, config = course / "source" / "hw", load_config(course)
    master = nbformat.read(source / "a.ipynb", as_version=4)
    full = expanded(master, source, config, name="a")
    build_release(course, "hw")
    released = released_notebook(master, source, config, "a")
    assert started == ["python3"]
    assert 'assert str(area((0, 0, 5, 7))) == "35"' in full.cells[1].source
    assert "### BEGIN HIDDEN TESTS" in full.cells[1].source
    assert full.cells[0].source == master.cells[0].source
    assert 'assert str(area((0, 0, 2, 2))) == "4"' in released.cells[1].source
    assert "35" not in released.cells[1].source
    space: dict[str, object] = {}
    exec(full.cells[0].source, space)
    exec(full.cells[1].source, space)


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "autotests.yml").write_text(TEMPLATES.replace("Success", "Well done")),
        lambda folder: (folder / "source" / "hw" / "data.csv").write_text("2"),
        lambda folder: append(folder / "nbgrader_config.py", "c.InstantiateTests.use_salt = False\n"),
    ],
)
def test_solution_is_run_again_when_what_tests_depend_on_has_changed(
    tmp_path: Path, started: list[str], change
) -> None:
    course = course_of(tmp_path / "course", solution(), grade_cell(ASK))
    build_release(course, "hw")
    change(course)
    build_release(course, "hw")
    assert len(started) == 2


def test_damaged_store_is_made_anew(tmp_path: Path, started: list[str]) -> None:
    course = course_of(tmp_path / "course", solution(), grade_cell(ASK))
    first = (build_release(course, "hw") / "a.ipynb").read_bytes()
    [path] = (course / ".cache" / "autotests").glob("*.json")
    for damage in ("{", "[1, 2]"):
        path.write_text(damage)
        assert (build_release(course, "hw") / "a.ipynb").read_bytes() == first
    assert len(started) == 3


def test_cache_may_be_elsewhere(tmp_path: Path) -> None:
    course = course_of(tmp_path / "course", solution(), grade_cell(ASK))
    source = course / "source" / "hw"
    master = nbformat.read(source / "a.ipynb", as_version=4)
    expanded(master, source, load_config(course), tmp_path / "elsewhere", "a")
    assert len(list((tmp_path / "elsewhere" / "autotests").iterdir())) == 1
    assert not (course / ".cache").exists()


def test_master_without_such_lines_starts_no_kernel(tmp_path: Path, started: list[str]) -> None:
    course = usual_course(tmp_path / "course", {"a": notebook(solution(), grade_cell())})
    source = course / "source" / "hw"
    master = nbformat.read(source / "a.ipynb", as_version=4)
    assert not has_autotests(master)
    full = expanded(master, source, load_config(course), name="a")
    assert [cell.source for cell in full.cells] == [cell.source for cell in master.cells]
    assert started == []


def test_sets_are_printed_in_one_order(tmp_path: Path) -> None:
    names = solution("def names():\n    return set('abcdefghijklmnop')", "names")
    seen = set()
    for side in ("1", "2"):
        os.environ["PYTHONHASHSEED"] = side  # not even what is set here counts
        try:
            course = course_of(tmp_path / side, names, grade_cell("### AUTOTEST names()"))
            seen.add((build_release(course, "hw") / "a.ipynb").read_bytes())
        finally:
            del os.environ["PYTHONHASHSEED"]
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("cells", "templates", "complaint"),
    [
        (
            [solution("area = None"), grade_cell(ASK)],
            TEMPLATES,
            r"a\.ipynb, cell 2 'test_area': the master's own code",
        ),
        ([code("plain", "### AUTOTEST 1")], TEMPLATES, r"a\.ipynb, cell 1 'plain': AUTOTEST outside a test cell"),
        ([solution(), grade_cell(ASK)], "python3: {}\n", r"a\.ipynb, autotests\.yml has no 'templates'"),
        ([solution(), grade_cell(ASK)], "ir: {}\n", r"a\.ipynb, autotests\.yml has no 'python3'"),
        ([solution(), grade_cell(ASK)], "python3: [\n", r"a\.ipynb, autotests\.yml, the templates .* cannot be read"),
        (
            [solution(), grade_cell(ASK)],
            TEMPLATES.replace("default", "int"),
            r"a\.ipynb, cell 2 'test_area': autotests\.yml does not serve: 'default'",
        ),
        (
            [solution(), grade_cell(ASK)],
            "\n".join(line for line in TEMPLATES.splitlines() if "hash:" not in line),
            r"cell 2 'test_area': autotests\.yml does not serve: Found a hashing delimiter",
        ),
    ],
)
def test_error_names_the_file_and_the_cell(
    tmp_path: Path, cells: list[NotebookNode], templates: str, complaint: str
) -> None:
    with pytest.raises(ReleaseError, match=complaint):
        build_release(course_of(tmp_path / "course", *cells, templates=templates), "hw")
    assert list((tmp_path / "course").glob("release/*")) == []


def test_missing_templates_are_told(tmp_path: Path) -> None:
    course = usual_course(tmp_path / "course", {"a": notebook(solution(), grade_cell(ASK))})
    with pytest.raises(ReleaseError, match=r"a\.ipynb, it has AUTOTEST lines, but there is no autotests\.yml"):
        build_release(course, "hw")


def test_master_that_runs_for_ever_is_stopped(tmp_path: Path) -> None:
    endless = solution("import time\ndef area(box):\n    time.sleep(1000)")
    course = course_of(tmp_path / "course", endless, grade_cell(ASK), config="c.ExecutePreprocessor.timeout = 2\n")
    with pytest.raises(ReleaseError, match=r"cell 2 'test_area': the master's own code ran for over 2 s"):
        build_release(course, "hw")


def test_no_kernel_is_left_when_the_master_fails(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    failing = solution(f"import os\nopen({str(note)!r}, 'w').write(str(os.getpid()))\nraise ValueError")
    with pytest.raises(ReleaseError, match="ValueError"):
        build_release(course_of(tmp_path / "course", failing, grade_cell(ASK)), "hw")
    assert not Path(f"/proc/{note.read_text()}").exists()
