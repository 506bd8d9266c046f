"""Students get what they need, nothing hidden from them, and always the same bytes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from notebooks import (
    ASSIGNMENT,
    ROOT,
    SOLUTION,
    code,
    grade_cell,
    markdown,
    notebook,
    right_notebook,
    scratch_course,
    solution,
    write_master,
)
from traitlets import TraitError

from grading.config import INSTRUCTORS, Course, instructor_names, load_config
from grading.errors import ReleaseError
from grading.release.build import build_release
from grading.release.leaks import Secret, Text, file_texts, find_leaks, is_significant, secrets
from grading.release.preprocessors import NoLeaks, inline_json, python_literal
from grading.release.released import released_notebook

WHEEL = "course_helpers-0.1-py3-none-any.whl"
LINKS = "# @COURSE_URL@\n# @COLAB_URL@\n# pip install @RAW_URL@/@WHEEL@"
CELLS = 'cells = list(["@COURSE_CELLS@"])'
THRESHOLDS = '    THRESHOLDS = json.loads(Path("thresholds.json").read_text(encoding="utf-8"))'


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def full_master() -> NotebookNode:
    """A master that uses everything a release does, run by its author."""
    return right_notebook(
        code("links", LINKS, tags=["demo"]),
        code("thresholds", f"if True:\n{THRESHOLDS}", tags=["inline-json"], grade_id="th", locked=True),
        markdown(
            "essay",
            "Because.",
            ["whole-cell-solution"],
            grade_id="essay",
            grade=True,
            solution=True,
            points=1,
        ),
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch course with a release."""
    folder = scratch_course(tmp_path_factory.mktemp("courses") / "course", full_master())
    source = folder / "source" / ASSIGNMENT
    (source / "thresholds.json").write_text('{"iou": [0.5, 0.4], "strict": true}')
    (source / "scoring.py").write_text("SECRET = 1\n")
    (source / "notes").mkdir()
    (source / "notes" / "draft.txt").write_text("a draft\n")
    (source / "public" / "pictures").mkdir(parents=True)
    (source / "public" / "pictures" / "dot.bin").write_bytes(b"\xff\x00")
    build_release(folder, ASSIGNMENT)
    return folder


@pytest.fixture(scope="module")
def release(course: Path) -> Path:
    return course / "release" / ASSIGNMENT


@pytest.fixture(scope="module")
def released(release: Path) -> NotebookNode:
    return nbformat.read(release / f"{ASSIGNMENT}.ipynb", as_version=4)


class TestRelease:
    def test_release_is_notebook_wheel_and_public_files_alone(self, course: Path, release: Path) -> None:
        expected = sorted([f"{ASSIGNMENT}.ipynb", WHEEL, "public/pictures/dot.bin"])
        assert sorted(contents(release)) == expected
        assert [path.name for path in (course / "release").iterdir()] == [ASSIGNMENT]

    def test_solutions_are_replaced_by_an_indented_stub(self, released: NotebookNode) -> None:
        assert released.cells[1].source == (
            'def area(box):\n    """Area of a corner box."""\n    # YOUR CODE HERE\n'
            '    raise NotImplementedError("Replace this line with your code")'
        )
        assert released.cells[-1].source == "YOUR ANSWER HERE"

    def test_hidden_tests_are_gone_and_visible_ones_kept(self, released: NotebookNode) -> None:
        assert released.cells[2].source == "assert area((0, 0, 2, 3)) == 6"

    def test_every_hidden_line_is_absent_from_every_file(self, release: Path) -> None:
        everything = b"".join(contents(release).values())
        for line in (b"max(width", b"box[2] - box[0]", b"(4, 5, 7, 9)", b"Because.", b"BEGIN", b"SECRET"):
            assert line not in everything

    def test_release_has_no_outputs(self, released: NotebookNode) -> None:
        assert all(not cell.outputs for cell in released.cells if cell.cell_type == "code")

    def test_release_opens_on_colab_with_a_gpu(self, released: NotebookNode) -> None:
        assert released.metadata.accelerator == "GPU"
        assert released.metadata.colab.gpuType == "T4"

    def test_ids_and_tags_are_kept(self, released: NotebookNode) -> None:
        assert [cell.id for cell in released.cells] == [cell.id for cell in full_master().cells]
        assert released.cells[3].metadata.tags == ["demo"]

    def test_links_are_filled_in(self, released: NotebookNode) -> None:
        assert released.cells[3].source.splitlines() == [
            "# https://github.com/OWNER/REPO",
            "# https://colab.research.google.com/github/OWNER/REPO/blob/main/release/tiny/tiny.ipynb",
            f"# pip install https://raw.githubusercontent.com/OWNER/REPO/main/release/tiny/{WHEEL}",
        ]

    def test_courses_cells_are_named(self, course: Path) -> None:
        """Also where grading makes the released form by itself, and in lines of a length that can be read."""
        more = [solution(SOLUTION.replace("area", name), name) for name in ("a-very-long-name", *map(str, range(30)))]
        space: dict[str, Any] = {}
        master = right_notebook(code("cells", CELLS), *more)
        cell = released_notebook(master, course / "source" / ASSIGNMENT, load_config(course)).cells[3]
        exec(cell.source, space)
        assert space["cells"] == ["area", "test_area", "a-very-long-name", *map(str, range(30))]
        assert max(map(len, cell.source.splitlines())) < 120

    def test_json_is_written_out(self, released: NotebookNode) -> None:
        space: dict[str, Any] = {}
        exec(released.cells[4].source, space)
        assert space["THRESHOLDS"] == {"iou": [0.5, 0.4], "strict": True}


def nbgrader_generate(course: Path) -> subprocess.CompletedProcess[str]:
    """nbgrader's own command."""
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", ASSIGNMENT, "--force"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)


class TestAgain:
    def test_second_build_gives_the_same_bytes(self, course: Path, release: Path) -> None:
        first = contents(release)
        for path in course.rglob("*"):
            os.utime(path, (10**9, 10**9))
        build_release(course, ASSIGNMENT)
        assert contents(release) == first

    @pytest.mark.slow
    def test_nbgraders_own_command_gives_the_same(self, course: Path, release: Path) -> None:
        first = contents(release)
        ran = nbgrader_generate(course)
        assert ran.returncode != 0
        assert "notes/draft.txt would be given to students: name it in c.Course.released_files" in ran.stderr
        assert not release.exists()
        with (course / "nbgrader_config.py").open("a") as config:
            config.write("c.CourseDirectory.ignore.append('notes')\n")
        assert nbgrader_generate(course).returncode == 0
        assert contents(release) == first

    @pytest.mark.slow
    def test_gradebook_is_filled_only_when_named(self, tmp_path: Path) -> None:
        course = scratch_course(tmp_path / "course", right_notebook())
        build_release(course, ASSIGNMENT)
        assert list(course.rglob("*.db")) == []
        database = f"sqlite:///{tmp_path / 'gradebook.db'}"
        build_release(course, ASSIGNMENT, db_url=database)
        with Gradebook(database) as gradebook:
            assert gradebook.find_grade_cell("test_area", ASSIGNMENT, ASSIGNMENT).max_score == 2

    def test_file_no_longer_released_goes(self, course: Path, release: Path) -> None:
        (release / "stray.txt").write_text("x")
        build_release(course, ASSIGNMENT)
        assert "stray.txt" not in contents(release)


def with_note(cell: NotebookNode, note: str) -> NotebookNode:
    """The cell with a note in its metadata."""
    cell.metadata["note"] = note
    return cell


LEAKED = "max(width, 0)*max(height, 0)"
FAILURES: dict[str, tuple[NotebookNode, str]] = {
    "markers": (notebook(solution(SOLUTION.replace("END SOLUTION", "END SOLUTON"))), "cell 1 'area', line 6"),
    "all problems": (notebook(solution("### END SOLUTION"), grade_cell(points=-1)), "cell 2 'test_area'"),
    "token": (right_notebook(code("links", "# @COLLAB_URL@")), "cell 4 'links': @COLLAB_URL@ is none of"),
    "missing json": (
        right_notebook(code("th", THRESHOLDS.strip(), ["inline-json"])),
        "cell 4 'th': thresholds.json cannot be read",
    ),
    "nothing to inline": (right_notebook(code("th", "x = 1", ["inline-json"])), "cell 4 'th': tagged"),
    "leak in code": (
        right_notebook(code("demo", f"print(1)\n#  return {LEAKED}")),
        "cell 4 'demo' gives away",
    ),
    "leak in prose": (
        right_notebook(markdown("hint", f"Write `return {LEAKED}`")),
        "cell 4 'hint' gives away",
    ),
    "leak of a hidden test": (
        right_notebook(code("demo", "assert area((4, 5, 7, 9)) == 12")),
        "cell 4 'demo' gives away a hidden line of cell 3 'test_area'",
    ),
    "leak of a whole cell": (
        right_notebook(
            code("a", "answer = [6, 7]", ["whole-cell-solution"], grade_id="a", solution=True),
            code("b", "answer = [6, 7]"),
        ),
        "cell 5 'b' gives away a hidden line of cell 4 'a'",
    ),
    "leak in metadata": (
        right_notebook(with_note(code("demo", ""), f"return {LEAKED}")),
        "cell 4 'demo' gives away",
    ),
    "nbgrader's own checks": (
        right_notebook(markdown("essay", "Why?", grade_id="essay", grade=True, points=1)),
        "cell 4 'essay': nbgrader does not take its metadata: Markdown grade cell 'essay' is not marked",
    ),
}


class TestFailures:
    @pytest.mark.parametrize("failure", FAILURES)
    def test_failure_names_the_cell_and_keeps_the_old_release(self, tmp_path: Path, failure: str) -> None:
        master, complaint = FAILURES[failure]
        self.check(scratch_course(tmp_path / "course", master), complaint)

    @pytest.mark.parametrize("place", ["source/tiny/public/hint.md", "helpers/hint.py"])
    def test_leak_in_another_file_stops_the_release(self, tmp_path: Path, place: str) -> None:
        course = scratch_course(tmp_path / "course", right_notebook(code("helpers", "import helpers")))
        (course / place).parent.mkdir(exist_ok=True)
        (course / place).write_text(f"    return {LEAKED}\n")
        self.check(course, "hint.")

    def test_marker_in_another_file_stops_the_release(self, tmp_path: Path) -> None:
        course = scratch_course(tmp_path / "course", right_notebook(code("look", "import twin_of_old")))
        (course / "source" / ASSIGNMENT / "twin_of_old.py").write_text("### BEGIN SOLUTION\n1\n### END SOLUTION\n")
        self.check(course, "twin_of_old.py has a marker: ### BEGIN SOLUTION")

    def test_master_out_of_step_stops_the_release(self, tmp_path: Path) -> None:
        course = scratch_course(tmp_path / "course", right_notebook())
        path = course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.py"
        path.write_text(path.read_text().replace("# # Areas", "# # Volumes"))
        self.check(course, "cell 1 'intro' differs in its source")

    def test_instructors_file_stays_private_whatever_is_ignored(self, tmp_path: Path) -> None:
        course = scratch_course(tmp_path / "course", right_notebook(code("look", "import scoring, tiny")))
        (course / "source" / ASSIGNMENT / "scoring.py").touch()
        with (course / "nbgrader_config.py").open("a") as config:
            config.write("c.CourseDirectory.ignore = []\nc.Course.released_files = ['*.py']\n")
        build_release(course, ASSIGNMENT)
        assert list(contents(course / "release")) == [f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb"]

    def test_public_file_may_have_a_private_ones_name(self, tmp_path: Path) -> None:
        course = scratch_course(tmp_path / "course", right_notebook())
        for folder in (course / "source" / ASSIGNMENT, course / "source" / ASSIGNMENT / "public"):
            folder.mkdir(exist_ok=True)
            (folder / "data.csv").write_text(folder.name)
        build_release(course, ASSIGNMENT)
        assert contents(course / "release" / ASSIGNMENT)["public/data.csv"] == b"public"
        assert "data.csv" not in contents(course / "release" / ASSIGNMENT)

    def test_unknown_assignment_stops_the_release(self, tmp_path: Path) -> None:
        course = scratch_course(tmp_path / "course", right_notebook())
        with pytest.raises(ReleaseError, match="no assignment 'other' in source/: there is tiny"):
            build_release(course, "other")

    def test_problems_of_several_cells_are_told_at_once(self, tmp_path: Path) -> None:
        course = scratch_course(tmp_path / "course", FAILURES["all problems"][0])
        with pytest.raises(ReleaseError) as caught:
            build_release(course, ASSIGNMENT)
        assert [problem.split(":")[0] for problem in caught.value.problems] == [
            "tiny.ipynb, cell 1 'area', line 1",
            "tiny.ipynb, cell 2 'test_area'",
        ]

    @staticmethod
    def check(course: Path, complaint: str) -> None:
        """Building stops with this complaint, and an old release is left as it was."""
        old = course / "release" / ASSIGNMENT
        old.mkdir(parents=True)
        (old / "old.ipynb").write_text("old")
        with pytest.raises(ReleaseError) as caught:
            build_release(course, ASSIGNMENT)
        assert complaint in str(caught.value)
        assert contents(course / "release") == {f"{ASSIGNMENT}/old.ipynb": b"old"}


class TestLeaks:
    @pytest.mark.parametrize("line", ["x = Conv2D(64, 1)(x)", "loss = mse + 0.5", "area = width * height"])
    def test_telling_line_counts(self, line: str) -> None:
        assert is_significant(line)

    @pytest.mark.parametrize("line", ["return model", "model.compile(", "else:", "x = f(y)", "        )", "pass"])
    def test_plain_line_does_not_count(self, line: str) -> None:
        assert not is_significant(line)

    def test_comments_are_left_out_of_code_only(self) -> None:
        source = "### BEGIN SOLUTION\nx = colour('#ff0000')  # why not\n# only words here\n### END SOLUTION"
        assert [secret.text for secret in secrets(notebook(solution(source)))] == ["x = colour('#ff0000')"]
        essay = markdown("e", "# A title of words", ["whole-cell-solution"], grade_id="e", solution=True)
        assert [secret.text for secret in secrets(notebook(essay))] == ["# A title of words"]

    def test_line_that_its_own_cell_shows_is_no_secret(self) -> None:
        shown, hidden = "box = (0, 0, 2, 3)\nassert area(box) == 6", "box = (4, 5, 7, 9)\nassert area(box) == 6"
        cell = grade_cell(f"{shown}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS")
        assert [secret.text for secret in secrets(notebook(cell))] == ["box = (4, 5, 7, 9)"]

    def test_white_space_is_no_disguise(self) -> None:
        hidden = [Secret("cell 1", "x = Conv2D(64, 1)(x)")]
        assert find_leaks(hidden, [Text("there", "x=Conv2D(64,\n    1) (x)")]) != []
        assert find_leaks(hidden, [Text("there", "x = Conv2D(32, 1)(x)")]) == []

    def test_binary_files_are_passed_over(self) -> None:
        assert list(file_texts("a.bin", b"\xff\xfe\x00")) == []

    def test_leak_check_refuses_to_work_without_the_hidden_lines(self) -> None:
        with pytest.raises(ReleaseError, match="needs RememberHidden"):
            NoLeaks().preprocess(notebook(), {})

    def test_leak_check_stops_at_outputs(self, tmp_path: Path) -> None:
        master = notebook(code("a", "1"))
        master.cells[0].execution_count = 3
        resources = {
            "hidden_lines": [],
            "shown_lines": [],
            "metadata": {"path": tmp_path},
            "nbgrader": {"notebook": "n"},
        }
        with pytest.raises(ReleaseError, match="cell 1 'a' has outputs"):
            NoLeaks().preprocess(master, resources)


class TestInlineJson:
    def test_literal_is_laid_out_to_be_read(self) -> None:
        value = {"a b": {"x": 0.5, "y": [1, 2]}, "c": None, "d": [[True, "é"]], "e": {}, "f": []}
        text = python_literal(value)
        assert text.splitlines()[:4] == ["{", '    "a b": {', '        "x": 0.5,', '        "y": [1, 2],']
        assert eval(text) == value

    def test_indented_line_stays_indented(self, tmp_path: Path) -> None:
        (tmp_path / "thresholds.json").write_text(json.dumps({"a": 1}))
        assert inline_json(THRESHOLDS, tmp_path) == '    THRESHOLDS = {\n        "a": 1,\n    }'

    @pytest.mark.parametrize("content", ["{", '{"a": NaN}'])
    def test_bad_json_stops_it(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "thresholds.json").write_text(content)
        with pytest.raises(ReleaseError):
            inline_json(THRESHOLDS, tmp_path)


class TestConfig:
    @pytest.mark.parametrize("url", ["https://github.com/a/b", "https://github.com/a/b/", "https://github.com/a/b.git"])
    def test_links_are_made_from_the_course_url(self, url: str) -> None:
        course = Course(url=url, branch="2026")
        assert course.raw_url("x/y.h5") == "https://raw.githubusercontent.com/a/b/2026/x/y.h5"
        assert course.colab_url("lab", "lab").endswith("/github/a/b/blob/2026/release/lab/lab.ipynb")

    @pytest.mark.parametrize("url", ["", "github.com/a/b", "https://github.com/a", "https://example.org/a/b"])
    def test_another_url_is_refused(self, url: str) -> None:
        with pytest.raises(TraitError, match=r"must look like https://github\.com/OWNER/REPO"):
            Course(url=url)

    def test_folder_without_configuration_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ReleaseError, match="is not a course folder"):
            load_config(tmp_path)

    def test_instructors_files_and_twins_are_ignored_by_nbgrader(self, tmp_path: Path) -> None:
        source = write_master(tmp_path, right_notebook())
        (source / "new [1].csv").touch()
        shutil.copy(source / "tiny.py", source / "old [1].py")
        (source / "module.py").write_text("x = 1\n")
        assert {*instructor_names(tmp_path)} == {*INSTRUCTORS, "tiny.py", "old [[]1].py"}

    def test_no_assignment_is_named_in_the_code(self) -> None:
        """A second assignment is a new folder under source/ and nothing else."""
        names = [path.name for path in (ROOT / "source").glob("*/")]
        files: list[Path] = [*(ROOT / "grading").glob("*.py"), ROOT / "nbgrader_config.py"]
        assert [(p.name, n) for p in files for n in names if n in p.read_text()] == []
