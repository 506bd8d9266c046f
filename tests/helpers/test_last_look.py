"""`helpers.ready_to_submit` finds what makes a hand-in worse, and nothing else."""

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from helpers.last_look import SIZE_LIMIT, Review, ready_to_submit, review
from helpers.notebook_file import NotebookError, find_notebook

EXPECTED = ["area", "train", "test_area"]
STUB = "def area(box):\n    # YOUR CODE HERE\n    raise NotImplementedError('Replace this line')"
SOLUTION = "def area(box):\n    return box[2] * box[3]"
READY = "helpers.ready_to_submit(['area', 'train', 'test_area'])"
ERROR = {"output_type": "error", "ename": "AssertionError", "evalue": "too small\nby far", "traceback": []}


def cell(name: str, source: str, count: int | None = None, grade: bool = True, **more: Any) -> dict[str, Any]:
    """A code cell as a file has it; one of the course's if `grade`."""
    metadata: dict[str, Any] = {"nbgrader": {"grade_id": name}} if grade else {}
    metadata |= more.pop("metadata", {})
    lines = source.splitlines(keepends=True)
    return {
        **{"cell_type": "code", "id": name, "metadata": metadata, "source": lines},
        **{"execution_count": count, "outputs": [], **more},
    }


def cells(*counts: int | None) -> list[dict[str, Any]]:
    """The cells of a notebook that is done, with their execution counts; 1 to 4 by default."""
    sources = {"start": "import helpers", "area": SOLUTION, "train": "model = 1", "test_area": "assert area(box) == 1"}
    found = [
        cell(name, source, count, grade=name in EXPECTED)
        for (name, source), count in zip(sources.items(), counts or (1, 2, 3, 4), strict=True)
    ]
    text = {"cell_type": "markdown", "id": "text", "metadata": {}, "source": "Some words."}
    return [text, *found, cell("ready", READY, None, grade=False, metadata={"tags": ["demo"]})]


def sources_of(listed: list[dict[str, Any]]) -> list[str]:
    """What running the code cells, the first to the last, leaves in IPython's history."""
    return ["", *("".join(item["source"]) for item in listed if item["cell_type"] == "code")]


@pytest.fixture(autouse=True)
def plain_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for name in ("_ih", "__vsc_ipynb_file__"):
        monkeypatch.delattr(sys.modules["__main__"], name, raising=False)


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what IPython keeps of a session."""
    return lambda items: monkeypatch.setattr(sys.modules["__main__"], "_ih", items, raising=False)


def write(listed: Any, name: str = "work.ipynb", **top: Any) -> Path:
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": listed, **top}
    Path(name).write_text(json.dumps(content))
    return Path(name)


def look(listed: Any, expected: Any = EXPECTED, **top: Any) -> Review:
    return review(expected, write(listed, **top))


def said(found: Review) -> str:
    """The only finding."""
    (finding,) = found.findings
    return f"{finding.what} {finding.to_do}"


class TestReady:
    def test_finished_notebook_is_ready(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Also while the asking cell itself has no execution count yet."""
        write(cells())
        ready_to_submit(EXPECTED, "work.ipynb")
        assert capsys.readouterr().out == "Ready: work.ipynb can be handed in.\n"

    def test_asking_cell_is_known_without_its_tag(self) -> None:
        listed = cells()
        listed[-1]["metadata"] = {}
        assert look(listed).findings == ()

    def test_saved_session_is_ready(self, history: Any) -> None:
        history(sources_of(cells()))
        assert look(cells()).findings == ()

    def test_cell_that_hands_in_is_none_to_look_at(self, history: Any) -> None:
        """It runs after the notebook was saved, and may stand in the file as one that was not run."""
        sending = "from helpers import hand_in\nhand_in('https://course.example.org', 'ABCD-EFGH-JKLM')"
        history([*sources_of(cells()), sending])
        assert look(cells()).findings == ()
        assert look([*cells(), cell("send", sending, None, grade=False)]).findings == ()

    def test_demonstrations_may_be_left_out(self) -> None:
        extra = cell("plot", "plot()", None, grade=False, metadata={"tags": ["demo"]})
        late = cell("late", "plot()", 1, grade=False, metadata={"tags": ["demo"]})
        assert look([*cells(), extra, late]).findings == ()

    def test_findings_are_numbered_each_with_what_to_do(self) -> None:
        listed = cells()
        listed[2]["source"] = STUB
        listed[4]["outputs"] = [ERROR]
        lines = str(look(listed)).splitlines()
        assert lines[0] == "2 things to look at before you hand in work.ipynb:"
        assert lines[2].startswith("1. cell 3 (area) is not done")
        assert lines[3].startswith("   -> Write your solution")
        assert lines[5].startswith("2. cell 5 (test_area) ended in an error: AssertionError: too small")


class TestUnsaved:
    def test_solution_that_is_not_in_the_file_is_found(self, history: Any) -> None:
        done = [*sources_of(cells())[:-1], SOLUTION + "  # better", "model = 1", READY]
        history(done)
        assert "run 2 cells since work.ipynb was saved. The file does not have what you ran in area." in said(
            look(cells())
        )

    def test_file_never_saved_since_it_was_opened_is_found(self, history: Any) -> None:
        """It is not called a stub, since the student sees something else."""
        history(sources_of(cells()))
        listed = cells(None, None, None, None)
        listed[2]["source"] = STUB
        assert "run 4 cells since work.ipynb was saved" in said(look(listed))

    def test_change_with_the_number_of_the_old_cell_is_found(self, history: Any) -> None:
        """Restart and run all gives the same numbers as yesterday."""
        done = sources_of(cells())
        done[2] = SOLUTION + "  # better"
        history(done)
        assert "cell 3 (area) is not what you ran as [2]" in said(look(cells()))

    def test_replaced_version_is_no_finding(self, history: Any) -> None:
        history(["", "import helpers", STUB, SOLUTION, "model = 1", "assert area(box) == 1", READY])
        assert look(cells(1, 3, 4, 5)).findings == ()

    def test_cell_that_was_run_and_deleted_is_no_finding(self, history: Any) -> None:
        done = sources_of(cells())
        history([*done[:3], "print('only a try')", *done[3:]])
        assert look(cells(1, 2, 4, 5)).findings == ()

    def test_yesterdays_session_is_no_finding(self, history: Any) -> None:
        """Also where a cell of today has the number of another of yesterday."""
        history(["", READY])
        assert look(cells(11, 12, 13, 14)).findings == ()
        history(["", "import helpers", READY])
        assert look(cells(1, 12, 13, 14)).findings == ()

    def test_magics_that_ipython_rewrites_are_no_finding(self, history: Any) -> None:
        listed = [cell("pip", "%pip install x", 1, grade=False), *cells(2, 3, 4, 5)]
        done = sources_of(listed)
        done[1] = "get_ipython().run_line_magic('pip', 'install x')"
        history(done)
        assert look(listed).findings == ()
        history([*done[:2], READY])
        assert look([listed[0], *cells(None, None, None, None)]).findings[0].what.startswith("Not run")

    def test_blanks_that_ipython_strips_are_no_finding(self, history: Any) -> None:
        listed = cells()
        listed[2]["source"] = ["\n", "  \n", *("    " + line + "\n" for line in SOLUTION.splitlines()), "\n"]
        history(sources_of(cells()))
        assert look(listed).findings == ()


class TestCells:
    def test_deleted_cell_is_missed(self) -> None:
        listed = cells()
        del listed[3]
        assert "1 cell of the course cannot be found: train." in said(look(listed))

    def test_copy_is_found(self) -> None:
        listed = cells(1, 2, 4, 5)
        listed.insert(3, cell("area", SOLUTION, 3, id="other"))
        assert "area is there more than once: cell 3, cell 4." in said(look(listed))

    @pytest.mark.parametrize("way", ["id", "Colab's id", "the name"])
    def test_cell_without_grading_metadata_is_known_otherwise(self, way: str) -> None:
        listed = cells()
        for item in listed[2:5]:
            name = item.pop("id")
            item["metadata"] = {"id": name} if way == "Colab's id" else {}
            if way == "id" or (way == "the name" and name != "area"):
                item["id"] = name
        assert look(listed).findings == ()

    def test_stub_is_not_done(self) -> None:
        listed = cells()
        listed[2]["source"] = STUB
        assert said(look(listed)).startswith("cell 3 (area) is not done")

    def test_other_cells_may_raise_not_implemented(self) -> None:
        listed = [*cells(), cell("mine", "def later():\n    raise NotImplementedError", 5, grade=False)]
        assert look(listed).findings == ()

    def test_unwritten_essay_is_not_done(self) -> None:
        essay = {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": "essay"}}, "source": "YOUR ANSWER HERE"}
        assert "cell 7 (essay) is not done" in said(look([*cells(), essay], [*EXPECTED, "essay"]))


class TestRuns:
    def test_error_is_said_in_a_line(self) -> None:
        listed = cells()
        listed[4]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}, ERROR]
        assert said(look(listed)).startswith("cell 5 (test_area) ended in an error: AssertionError: too small Correct")

    def test_many_errors_are_counted(self) -> None:
        failed = [cell(f"c{i}", f"x{i}", 5 + i, grade=False, outputs=[ERROR]) for i in range(9)]
        assert [finding.what for finding in look([*cells(), *failed]).findings][-1] == (
            "5 more cells ended in an error."
        )

    def test_cell_that_was_not_run_is_named(self) -> None:
        assert said(look(cells(1, 2, None, 3))).startswith("Not run: cell 4 (train).")

    def test_students_own_cell_is_named_by_its_first_line(self) -> None:
        listed = [*cells(), cell("x", "\n# just a try\nx = 1", grade=False), cell("y", " \n", grade=False)]
        assert said(look(listed)).startswith("Not run: cell 7 (# just a try).")

    def test_wrong_order_is_found(self) -> None:
        assert said(look(cells(1, 5, 3, 4))).startswith(
            "Run before a cell that stands above: cell 4 (train), cell 5 (test_area)."
        )

    def test_numbers_of_two_sessions_are_not_compared(self, history: Any) -> None:
        history(["", *sources_of(cells())[1:3], READY])
        assert look(cells(1, 2, 13, 9)).findings[0].what.endswith("above: cell 5 (test_area).")
        assert look(cells(1, 2, 1, 2)).findings == ()


class TestSize:
    def test_largest_outputs_are_named(self) -> None:
        listed = cells()
        for index, size in ((1, 300_000), (3, 9_000_000), (4, 2_000_000)):
            listed[index]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * size}]
        words = said(look(listed))
        assert "The notebook has 11.3 MB; more than 10.0 MB may be refused" in words
        assert "cell 4 (train) 9.0 MB, cell 5 (test_area) 2.0 MB, cell 2 (import helpers) 0.3 MB." in words

    def test_notebook_just_below_the_limit_passes(self) -> None:
        listed = cells()
        listed[3]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * (SIZE_LIMIT - 5000)}]
        assert look(listed).findings == ()


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "cut off": b'{"cells": [{"cell_',
    "binary": b"\x89PNG\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"4",
    "old format": b'{"nbformat": 3, "worksheets": []}',
    "cells no list": b'{"nbformat": 4, "cells": {}}',
    "nested": b"[" * 100_000,
}
ODD: list[Any] = [None, 3, "x", [], {}, True, float("nan"), "\ud800", [[]], {"a": {}}, -1]


class TestBrokenFiles:
    @pytest.mark.parametrize("name", BROKEN)
    def test_broken_file_is_called_no_notebook(self, name: str) -> None:
        Path("work.ipynb").write_bytes(BROKEN[name])
        words = said(review(EXPECTED, "work.ipynb"))
        assert words.startswith("work.ipynb is not a notebook")
        assert "again" in words

    def test_cells_that_cannot_be_read_are_counted(self) -> None:
        assert said(look([*cells(), 7, {"cell_type": "code", "source": 3}])).startswith(
            "2 cells of the file cannot be read: number 7, 8."
        )

    @pytest.mark.parametrize("key", ["cell_type", "id", "metadata", "source", "execution_count", "outputs"])
    def test_odd_value_in_a_cell_does_not_stop_the_review(self, key: str) -> None:
        for value in ODD:
            str(look([item | {key: value} for item in cells()])).encode()
            str(look([{k: v for k, v in item.items() if k != key} for item in cells()]))

    @pytest.mark.parametrize("key", ["nbgrader", "tags", "id"])
    def test_odd_metadata_does_not_stop_the_review(self, key: str) -> None:
        for value in ODD:
            str(look([item | {"metadata": {key: value}} for item in cells()]))
            str(look([item | {"metadata": {"nbgrader": {"grade_id": value}}} for item in cells()]))

    def test_odd_output_does_not_stop_the_review(self) -> None:
        for value in ODD:
            odd = [value, ERROR | {"ename": value, "evalue": value}]
            str(look([item | {"outputs": odd} for item in cells()])).encode()

    def test_odd_history_does_not_stop_the_review(self, history: Any) -> None:
        for value in [*ODD, ODD, ["", "  ", "%x", "def", "\n"]]:
            history(value)
            str(look(cells()))


class TestChoiceOfNotebook:
    def test_given_path_is_taken(self) -> None:
        write(cells(), "one.ipynb")
        assert find_notebook(EXPECTED, "one.ipynb").name == "one.ipynb"

    def test_path_that_leads_nowhere_is_said(self) -> None:
        assert "There is no file nowhere.ipynb." in said(review(EXPECTED, "nowhere.ipynb"))

    def test_newest_with_the_courses_cells_is_taken(self) -> None:
        for age, name in enumerate(("other.ipynb", "new.ipynb", "old.ipynb")):
            file = write(cells() if name != "other.ipynb" else [], name)
            os.utime(file, (10**9 - age, 10**9 - age))
        Path("bad.ipynb").write_text("{")
        assert find_notebook(EXPECTED).name == "new.ipynb"

    def test_no_notebook_at_all_is_said(self) -> None:
        write([])
        assert "was not found" in said(review(EXPECTED))

    def test_jupyter_server_says_which(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        write(cells(), "new.ipynb")
        file = write(cells(), "mine.ipynb")
        os.utime(file, (10**9, 10**9))
        for named in (str(tmp_path / "mine.ipynb"), "on/the/server/mine.ipynb"):
            monkeypatch.setenv("JPY_SESSION_NAME", named)
            assert find_notebook(EXPECTED).name == "mine.ipynb"

    @pytest.mark.parametrize("named", ["renamed.ipynb", "console-1-abc", "\0.ipynb", "x" * 5000 + ".ipynb"])
    def test_stale_name_is_passed_over(self, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
        write(cells())
        monkeypatch.setattr(os, "environ", {"JPY_SESSION_NAME": named})
        assert find_notebook(EXPECTED).name == "work.ipynb"

    def test_vs_code_says_which(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        file = write(cells(), str(folder / "mine.ipynb"))
        write(cells(), "new.ipynb")
        monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", str(file), raising=False)
        assert find_notebook(EXPECTED).name == "mine.ipynb"


class TestColab:
    @pytest.fixture
    def colab(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Sets what Colab's page answers."""

        def set_answer(answer: Any) -> None:
            def blocking_request(request_type: str, request: Any = None, timeout_sec: float | None = 5) -> Any:
                assert request_type == "get_ipynb"
                if isinstance(answer, Exception):
                    raise answer
                return answer

            google, module = types.ModuleType("google"), types.ModuleType("google.colab")
            message: Any = types.ModuleType("google.colab._message")
            message.blocking_request = blocking_request
            for parent, name, child in ((google, "colab", module), (module, "_message", message)):
                setattr(parent, name, child)
            for item in (google, module, message):
                monkeypatch.setitem(sys.modules, item.__name__, item)

        return set_answer

    @staticmethod
    def live(listed: list[dict[str, Any]]) -> dict[str, Any]:
        for item in listed:
            item["metadata"]["id"] = item.pop("id")
        return {"ipynb": {"nbformat": 4, "nbformat_minor": 0, "metadata": {}, "cells": listed}}

    def test_live_notebook_is_looked_at(self, colab: Any, history: Any) -> None:
        """The student is also told that a download takes what was saved."""
        colab(self.live(cells()))
        history([*sources_of(cells()), "x = 'a cell that is gone'"])
        assert str(review(EXPECTED)) == (
            "Ready: this notebook can be handed in.\n"
            "Save it (Ctrl+S) before you download it: the download is what was saved."
        )

    def test_cell_not_run_is_found_in_the_live_notebook(self, colab: Any) -> None:
        colab(self.live(cells(1, 2, None, 3)))
        assert "Not run: cell 4 (train)" in str(review(EXPECTED))

    @pytest.mark.parametrize("answer", [None, {}, {"ipynb": None}, {"ipynb": {"cells": 3}}, TimeoutError("late")])
    def test_missing_answer_of_colab_is_said(self, colab: Any, answer: Any) -> None:
        colab(answer)
        assert "Colab did not send the notebook" in said(review(EXPECTED))

    def test_given_path_is_taken_there_too(self, colab: Any) -> None:
        colab(None)
        with pytest.raises(NotebookError, match="no file"):
            find_notebook(EXPECTED, "nowhere.ipynb")


@pytest.mark.slow
def test_unsaved_work_is_found_in_a_kernel_and_gone_after_saving(tmp_path: Path) -> None:
    """Unsaved before, ready after saving: with the history of a real IPython and Jupyter Server's variable."""
    import nbformat
    from nbclient import NotebookClient

    root = str(Path(__file__).parents[2])
    start = f"import sys\nsys.path.insert(0, {root!r})\nimport helpers\n%who"
    listed = cells(None, None, None, None)
    listed[1]["source"] = start
    listed[4]["source"] = "assert area([0, 0, 1, 1]) == 1;"
    file = write([*listed, {**listed[-1], "id": "again"}])
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    with client.setup_kernel(env={**os.environ, "JPY_SESSION_NAME": str(file.absolute())}):
        code = [(index, item) for index, item in enumerate(notebook.cells) if item.cell_type == "code"]
        for index, item in code[:-1]:
            client.execute_cell(item, index)
        nbformat.write(notebook, file)
        client.execute_cell(code[-1][1], code[-1][0])
    first, second = (item.outputs[0].text for _, item in code[-2:])
    assert "You have run 4 cells since work.ipynb was saved." in first
    assert second == "Ready: work.ipynb can be handed in.\n"
