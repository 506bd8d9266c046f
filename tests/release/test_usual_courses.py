"""An ordinary nbgrader course is released as it stands: as nbgrader does, and nothing hidden is given away."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from notebooks import SOLUTION, TEST, code, grade_cell, markdown, notebook, right_notebook, solution
from stock import ASK, TEMPLATES, cells_of, guide_course, nbgraders_release, usual_course

from grading.config import load_config
from grading.errors import ReleaseError
from grading.release.build import build, build_release
from grading.release.masters import read_master
from grading.release.released import expanded, released_files, released_notebook


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def one_line(*cells: NotebookNode, minor: int = 5) -> NotebookNode:
    """A notebook as Jupyter makes it: a kernel, a language and nothing of ours."""
    for cell in cells if minor < 5 else []:
        cell.pop("id")
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "version": "3.11.7"},
    }
    return nbformat.v4.new_notebook(cells=list(cells), metadata=metadata, nbformat=4, nbformat_minor=minor)


@dataclass
class Usual:
    """A small course: what is in it, what must be released, what must be nowhere."""

    notebooks: dict[str, NotebookNode]
    released: list[str]
    hidden: list[str]
    config: str = ""
    files: dict[str, str] = field(default_factory=dict)


ESSAY = "Because two and two are four."
PLOT = "![](plot.png)\n\nRead the numbers from `numbers.csv`."
TASK = "Draw it.\n\n### BEGIN MARK SCHEME\nOne point for the label of each axis.\n### END MARK SCHEME"
DONE = "width, height = box[2] - box[0], box[3] - box[1]"

COURSES: dict[str, Usual] = {
    "several notebooks": Usual(
        {"one": one_line(solution(), grade_cell()), "2. two": one_line(code("b", "x = 1"), markdown("c", "Text"))},
        ["2. two.ipynb", "one.ipynb"],
        [DONE, "(4, 5, 7, 9)"],
    ),
    "header and footer": Usual(
        {"a": one_line(solution(), grade_cell())},
        ["a.ipynb", "logo.png"],
        [DONE],
        'c.IncludeHeaderFooter.header = "source/header.ipynb"\nc.IncludeHeaderFooter.footer = "footer.ipynb"\n',
        {
            "source/header.ipynb": nbformat.writes(one_line(markdown("area", "![](logo.png)"), minor=4)),
            "footer.ipynb": nbformat.writes(one_line(code("area", "NAME = ''"))),
            "source/hw/logo.png": "png",
        },
    ),
    "cells without ids": Usual({"old": one_line(solution(), grade_cell(), minor=2)}, ["old.ipynb"], [DONE]),
    "files beside": Usual(
        {"a": one_line(markdown("look", PLOT), code("use", "from tools import help_me"), solution(), grade_cell())},
        ["a.ipynb", "numbers.csv", "plot.png", "tools.py"],
        [DONE, "true labels"],
        files={
            "source/hw/plot.png": "png",
            "source/hw/numbers.csv": "1,2\n",
            "source/hw/tools.py": "def help_me():\n    return 1\n",
            "source/hw/labels.csv": "the true labels\n",
            "source/hw/notes.txt": "true labels are in labels.csv\n",
        },
    ),
    "custom delimiters and stub": Usual(
        {"a": one_line(code("f", "def f(x):\n    # <secret>\n    return 3 * x + 14159\n    # </secret>",
                            grade_id="f", solution=True))},
        ["a.ipynb"],
        ["14159", "secret"],
        'c.ClearSolutions.begin_solution_delimeter = "<secret>"\n'
        'c.ClearSolutions.end_solution_delimeter = "</secret>"\n'
        'c.ClearSolutions.code_stub = {"python": "pass  # yours"}\n',
    ),
    "mark scheme and task": Usual(
        {"a": one_line(markdown("task", TASK, grade_id="task", task=True, locked=True, points=3))},
        ["a.ipynb"],
        ["label of each axis", "MARK SCHEME"],
    ),
    "answers by hand": Usual(
        {"a": one_line(
            markdown("why", ESSAY, grade_id="why", grade=True, solution=True, points=1),
            code("how", "answer_to_all = 6 * 7", grade_id="how", grade=True, solution=True, points=2),
        )},
        ["a.ipynb"],
        [ESSAY, "answer_to_all"],
    ),
    "autotest": Usual(
        {"a": one_line(solution(), grade_cell(ASK))}, ["a.ipynb"], [DONE, "'15'"], files={"autotests.yml": TEMPLATES}
    ),
    "visible and hidden tests alike": Usual(
        {"a": one_line(
            solution("import numpy as np\n\ndef total(numbers):\n    return np.sum(numbers)", "total"),
            markdown("say", "Write `def total(numbers):` with `import numpy as np`."),
            grade_cell("x = [1, 2, 3]\nassert total(x) == 6\n### BEGIN HIDDEN TESTS\nassert total(x) == 6\n"
                       "assert total([17, 4]) == 21\n### END HIDDEN TESTS", locked=False, points=0),
        )},
        ["a.ipynb"],
        ["return np.sum", "[17, 4]"],
    ),
    "metadata of an older nbgrader": Usual(
        {"a": one_line(
            code("f", SOLUTION, grade_id="area", solution=True, schema_version=1),
            code("t", TEST, grade_id="test", grade=True, points=2, schema_version=2),
        )},
        ["a.ipynb"],
        [DONE, "(4, 5, 7, 9)"],
    ),
    "picture pasted into an answer": Usual(
        {"a": one_line(
            markdown("why", "![](attachment:a.png)", grade_id="why", grade=True, solution=True, points=1),
        )},
        ["a.ipynb"],
        ["c2VjcmV0", "attachment"],
    ),
}  # fmt: skip
COURSES["picture pasted into an answer"].notebooks["a"].cells[0]["attachments"] = {"a.png": {"image/png": "c2VjcmV0"}}
SAME_AS_STOCK = sorted(
    COURSES.keys() - {"files beside", "metadata of an older nbgrader", "picture pasted into an answer"}
)


def made(tmp_path: Path, name: str) -> Path:
    usual = COURSES[name]
    return usual_course(tmp_path / "course", usual.notebooks, usual.config, usual.files)


@pytest.mark.parametrize("name", COURSES)
def test_usual_course_is_released_without_a_leak(tmp_path: Path, name: str) -> None:
    folder = build_release(made(tmp_path, name), "hw")
    released = contents(folder)
    assert sorted(released) == COURSES[name].released
    texts = [content.decode() for content in released.values()]
    assert [words for words in COURSES[name].hidden for text in texts if words in text] == []
    for path in folder.glob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=nbformat.NO_CONVERT))


@pytest.mark.filterwarnings("ignore:Cell is missing an id field", "ignore:Non-unique cell id")  # nbgrader's own
@pytest.mark.parametrize("name", SAME_AS_STOCK)
def test_notebooks_are_those_of_nbgraders_own_generate_assignment(tmp_path: Path, name: str) -> None:
    course = made(tmp_path, name)
    ours, stock = build_release(course, "hw"), nbgraders_release(course)
    for path in stock.glob("*.ipynb"):
        assert cells_of(ours / path.name) == cells_of(path)
        assert nbformat.read(ours / path.name, 4).metadata == nbformat.read(path, 4).metadata


@pytest.mark.parametrize("name", COURSES)
def test_notebook_in_memory_is_the_one_that_is_released(tmp_path: Path, name: str) -> None:
    """Grading rebuilds hand-ins from the notebook in memory; the one it takes tests from has the same cells."""
    course = made(tmp_path, name)
    source, config = course / "source" / "hw", load_config(course)
    before = contents(source)
    folder = build_release(course, "hw")
    masters = {path.stem: read_master(path) for path in source.glob("*.ipynb")}
    notebooks = {stem: released_notebook(master, source, config, stem) for stem, master in masters.items()}
    for stem, master in masters.items():
        assert [{k: v for k, v in cell.items() if k != "id"} for cell in notebooks[stem].cells] == cells_of(
            folder / f"{stem}.ipynb"
        )
        full = expanded(master, source, config, name=stem)
        assert [cell.id for cell in full.cells] == [cell.id for cell in notebooks[stem].cells]
        assert len({cell.id for cell in full.cells}) == len(full.cells)
    files = released_files(source, notebooks.values(), config)
    assert sorted([*files, *(f"{stem}.ipynb" for stem in masters)]) == sorted(contents(folder))
    assert contents(source) == before


def test_second_build_gives_the_same_bytes_though_nothing_is_stored(tmp_path: Path) -> None:
    for name in ("header and footer", "autotest", "cells without ids"):
        one, other = (build_release(made(tmp_path / name / side, name), "hw") for side in ("a", "b"))
        assert contents(one) == contents(other)


class TestUserGuide:
    @pytest.fixture
    def course(self, tmp_path: Path) -> Path:
        return guide_course(tmp_path / "course")

    @pytest.mark.parametrize("assignment", ["ps1", "ps1_autotest"])
    def test_release_is_that_of_nbgraders_own_generate_assignment(self, course: Path, assignment: str) -> None:
        ours, stock = build_release(course, assignment), nbgraders_release(course, assignment)
        assert sorted(contents(ours)) == ["jupyter.png", "problem1.ipynb", "problem2.ipynb"]
        for name in ("problem1.ipynb", "problem2.ipynb"):
            assert cells_of(ours / name) == cells_of(stock / name)
        assert contents(ours) == contents(stock)

    def test_tests_are_written_out_and_hashed(self, course: Path) -> None:
        released = nbformat.read(build_release(course, "ps1_autotest") / "problem1.ipynb", as_version=4)
        sources = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in released.cells}
        assert 'assert str(len(squares(2))) == """2"""' in sources["correct_squares"]
        assert 'sha1(str(squares(3)).encode("utf-8")+b"' in sources["correct_squares"]
        assert '"""[1, 4, 9]"""' not in sources["correct_squares"]
        assert not any("AUTOTEST" in source for source in sources.values())


class TestRefusals:
    @pytest.mark.parametrize(
        ("metadata", "language"),
        [
            ({"language_info": {"name": "R"}}, "R"),
            ({"kernelspec": {"name": "julia-1.9", "language": "julia", "display_name": "Julia"}}, "julia"),
            ({"kernelspec": {"name": "ir", "display_name": "R 4"}}, "R 4"),
        ],
    )
    def test_notebook_in_another_language_is_refused_in_one_line(
        self, tmp_path: Path, metadata: dict[str, object], language: str
    ) -> None:
        other = one_line(solution())
        other.metadata = nbformat.from_dict(metadata)
        course = usual_course(tmp_path / "course", {"good": one_line(solution()), "other": other})
        with pytest.raises(ReleaseError) as caught:
            build(course, "hw")
        assert caught.value.problems == (
            f"hw/other.ipynb is written in {language}: only notebooks in Python can be released and graded",
        )
        assert not (course / "release").exists()

    def test_metadata_of_a_newer_nbgrader_is_refused(self, tmp_path: Path) -> None:
        course = usual_course(tmp_path / "course", {"a": one_line(solution(schema_version=4))})
        with pytest.raises(ReleaseError, match=r"hw/a\.ipynb, cell 1 'area': .* version 4, .*install a newer nbgrader"):
            build(course, "hw")

    def test_file_that_is_no_notebook_is_named(self, tmp_path: Path) -> None:
        course = usual_course(tmp_path / "course", {"a": one_line()}, files={"source/hw/b.ipynb": "{"})
        with pytest.raises(ReleaseError, match=r"hw/b\.ipynb is not a notebook"):
            build(course, "hw")

    def test_missing_header_is_named(self, tmp_path: Path) -> None:
        course = usual_course(tmp_path / "course", {"a": one_line()}, 'c.IncludeHeaderFooter.header = "no.ipynb"\n')
        with pytest.raises(ReleaseError, match=r"no\.ipynb is not a notebook that can be read"):
            build(course, "hw")

    def test_problems_of_all_notebooks_are_told(self, tmp_path: Path) -> None:
        bad = one_line(solution("### END SOLUTION"))
        course = usual_course(tmp_path / "course", {"a": bad, "b": bad, "c": one_line(solution())})
        with pytest.raises(ReleaseError) as caught:
            build(course, "hw")
        assert [problem.partition(":")[0] for problem in caught.value.problems] == [
            "a.ipynb, cell 1 'area', line 1",
            "b.ipynb, cell 1 'area', line 1",
        ]

    def test_problem_of_a_header_is_told_with_its_name(self, tmp_path: Path) -> None:
        header = nbformat.writes(one_line(code("h", "# BEGIN SOLUTON")))
        config = 'c.IncludeHeaderFooter.header = "source/header.ipynb"\n'
        course = usual_course(tmp_path / "course", {"a": one_line()}, config, {"source/header.ipynb": header})
        with pytest.raises(ReleaseError, match=r"header\.ipynb, cell 1 'h', line 1: .* looks like a marker"):
            build(course, "hw")

    def test_assignment_without_a_notebook_says_what_makes_one(self, tmp_path: Path) -> None:
        course = usual_course(tmp_path / "course", {}, files={"source/hw/a.py": '# %% id="a"\nx = 1\n'})
        with pytest.raises(ReleaseError, match=r"holds no notebook: `course sync hw` makes it from a\.py"):
            build(course, "hw")


UNMARKING = """
from nbgrader.preprocessors import NbGraderPreprocessor

class ClearHiddenTests(NbGraderPreprocessor):
    def preprocess_cell(self, cell, resources, index):
        cell.source = "\\n".join(line for line in cell.source.split("\\n") if "HIDDEN TESTS" not in line)
        return cell, resources

"""


class TestLists:
    """A course may list steps of its own; what guards a release is added."""

    @pytest.mark.parametrize(
        "config",
        [
            "c.GenerateAssignment.preprocessors = ['nbgrader.preprocessors.LockCells', "
            "'nbgrader.preprocessors.ClearSolutions', 'nbgrader.preprocessors.ClearOutput', "
            "'nbgrader.preprocessors.ClearHiddenTests']\n",
            "c.GenerateAssignment.preprocessors.append('nbgrader.preprocessors.DeduplicateIds')\n",
        ],
    )
    def test_own_list_is_kept(self, tmp_path: Path, config: str) -> None:
        course = usual_course(tmp_path / "course", {"a": one_line(solution(), grade_cell())}, config)
        [content] = contents(build_release(course, "hw")).values()
        assert DONE not in content.decode()

    def test_list_that_removes_nothing_is_stopped(self, tmp_path: Path) -> None:
        config = "c.GenerateAssignment.preprocessors = ['nbgrader.preprocessors.ClearOutput']\n"
        course = usual_course(tmp_path / "course", {"a": one_line(solution(), grade_cell())}, config)
        with pytest.raises(ReleaseError, match=r"a\.ipynb, cell 1 'area' has a marker left"):
            build(course, "hw")

    def test_answer_that_no_step_removes_is_stopped(self, tmp_path: Path) -> None:
        config = "c.GenerateAssignment.preprocessors = ['nbgrader.preprocessors.ClearHiddenTests']\n"
        course = usual_course(tmp_path / "course", {"a": one_line(solution(f"def g(box):\n    {DONE}"))}, config)
        with pytest.raises(ReleaseError, match=r"a\.ipynb, cell 1 'area' gives away a hidden line of cell 1 'area'"):
            build(course, "hw")

    def test_step_that_takes_only_the_markers_out_is_stopped(self, tmp_path: Path) -> None:
        config = (
            f"{UNMARKING}c.GenerateAssignment.preprocessors = [ClearHiddenTests, 'nbgrader.preprocessors.LockCells']\n"
        )
        course = usual_course(tmp_path / "course", {"a": one_line(grade_cell())}, config)
        with pytest.raises(ReleaseError, match=r"gives away a hidden line of .*: assert area\(\(4, 5, 7, 9\)\) == 12"):
            build(course, "hw")


@pytest.fixture
def strict_course(tmp_path: Path) -> Callable[[str], Path]:
    def make(config: str) -> Path:
        shows = markdown("hint", f"Like `{DONE}`")
        return usual_course(tmp_path / "course", {"a": right_notebook(), "b": notebook(shows)}, config)

    return make


class TestShownLines:
    def test_line_that_another_notebook_shows_is_the_authors_business(
        self, strict_course: Callable[[str], Path]
    ) -> None:
        build_release(strict_course(""), "hw")

    def test_line_that_another_notebook_shows_stops_a_strict_course(self, strict_course: Callable[[str], Path]) -> None:
        with pytest.raises(ReleaseError, match=r"b\.ipynb, cell 1 'hint' gives away a hidden line of cell 2 'area'"):
            build_release(strict_course("c.NoLeaks.strict = True\n"), "hw")

    def test_file_with_a_hidden_line_stops_the_release_unless_it_is_named(self, tmp_path: Path) -> None:
        course = usual_course(
            tmp_path / "course",
            {"a": one_line(code("use", "import tools"), solution(), grade_cell())},
            files={"source/hw/tools.py": f"def g(box):\n    {DONE}\n"},
        )
        with pytest.raises(ReleaseError, match=r"tools\.py gives away a hidden line .*c\.NoLeaks\.shown_files"):
            build_release(course, "hw")
        with (course / "nbgrader_config.py").open("a") as config:
            config.write("c.NoLeaks.shown_files = ['tools.py']\n")
        assert "tools.py" in contents(build_release(course, "hw"))

    def test_hidden_line_in_metadata_stops_the_release(self, tmp_path: Path) -> None:
        cell = code("demo", "x = 1")
        cell.metadata["note"] = DONE
        course = usual_course(tmp_path / "course", {"a": one_line(cell, solution())})
        with pytest.raises(ReleaseError, match="cell 1 'demo' gives away"):
            build_release(course, "hw")
