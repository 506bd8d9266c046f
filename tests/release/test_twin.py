"""The text twin is all there is to a master, both ways round."""

import json
from pathlib import Path

import nbformat
import pytest
from notebooks import SOLUTION, code, grade_cell, markdown, notebook, right_notebook, solution

from grading.errors import ReleaseError
from grading.release import twin

TEXT = """\
# %% [markdown] id="intro"
# # Areas
#
# With *prose* and a ### BEGIN.

# %% id="install" tags=["demo"]
# !pip install --no-deps wheel
# %matplotlib inline
import json

# %% id="area" nbgrader={"grade_id": "area", "solution": true}
def area(box):
    ### BEGIN SOLUTION
    return 1
    ### END SOLUTION

# %% id="test_area" tags=["slow"] nbgrader={"grade_id": "test_area", "grade": true, "points": 8}
assert area(None) == 1  # “quoted”

# %% id="fixed" nbgrader={"grade_id": "fixed", "locked": true}
# only a comment

# %% id="empty"
"""


class TestRoundTrip:
    def test_text_to_notebook_to_text_is_the_identity(self) -> None:
        assert twin.to_text(twin.to_notebook(TEXT)) == TEXT

    def test_notebook_to_text_to_notebook_is_the_identity(self) -> None:
        master = right_notebook(
            code("classes", "class A:\n    pass\n\n\n%time x = 1\n# !pip\n\n!ls", tags=["demo"]),
            markdown("essay", "Say why.", grade_id="essay", grade=True, solution=True, points=2.5),
            markdown("task", "Do it.", grade_id="task", task=True, points=1),
            code("last", ""),
        )
        assert twin.to_notebook(twin.to_text(master)) == master

    def test_outputs_are_left_out_of_the_text(self) -> None:
        master = notebook(code("a", "1 + 1"))
        bare = twin.to_text(master)
        master.cells[0].outputs = [nbformat.v4.new_output("stream", text="2\n")]
        assert twin.to_text(master) == bare


class TestNotebook:
    def test_cells_carry_their_ids_on_top(self) -> None:
        made = twin.to_notebook(TEXT)
        assert [c.id for c in made.cells] == ["intro", "install", "area", "test_area", "fixed", "empty"]
        assert not any("id" in c.metadata or "lines_to_next_cell" in c.metadata for c in made.cells)

    def test_nbgraders_metadata_is_filled_in(self) -> None:
        area, test_area = twin.to_notebook(TEXT).cells[2:4]
        filled = {"grade": False, "solution": True, "task": False, "locked": False, "schema_version": 3}
        assert area.metadata.nbgrader == filled | {"grade_id": "area"}
        graded = {"grade": True, "solution": False, "task": False, "locked": True, "schema_version": 3}
        assert test_area.metadata.nbgrader == graded | {"grade_id": "test_area", "points": 8}

    def test_notebook_asks_colab_for_a_gpu(self) -> None:
        metadata = twin.to_notebook(TEXT).metadata
        assert metadata.accelerator == "GPU"
        assert metadata.colab == {"provenance": [], "gpuType": "T4"}

    def test_bytes_are_plain_and_always_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        path.write_text(TEXT, encoding="utf-8")
        first = twin.write_notebook(path).read_bytes()
        assert first == twin.write_notebook(path).read_bytes()
        assert first.endswith(b"}\n")
        assert "“quoted”".encode() in first
        loaded = json.loads(first)
        assert (loaded["nbformat"], loaded["nbformat_minor"]) == (4, 5)


class TestBadHeaders:
    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("# %%\nx = 1\n", "cell 1, which begins with 'x = 1', has no id"),
            (
                '# %% id="a"\nx = 1\n\n# %% id="a"\ny = 2\n',
                "cell 2, which begins with 'y = 2', has the id 'a'",
            ),
            ('# %% id="two words"\nx = 1\n', "has the id 'two words'"),
            ('# %% id="a" [markdown]\n# x = 1\n', "has a header that cannot be read"),
            ('x = 1\n\n# %% id="a"\ny = 2\n', "cell 1, which begins with 'x = 1', has no id"),
        ],
    )
    def test_bad_header_names_the_cell(self, text: str, complaint: str) -> None:
        with pytest.raises(ReleaseError, match="cell ") as caught:
            twin.to_notebook(text)
        assert complaint in str(caught.value)

    def test_all_bad_headers_are_listed(self) -> None:
        with pytest.raises(ReleaseError) as caught:
            twin.to_notebook("# %%\nx = 1\n\n# %%\ny = 2\n")
        assert len(caught.value.problems) == 2


class TestInStep:
    @pytest.fixture
    def master(self, tmp_path: Path) -> Path:
        path = tmp_path / "a.py"
        path.write_text(TEXT, encoding="utf-8")
        return twin.write_notebook(path)

    def test_notebook_just_written_passes(self, master: Path) -> None:
        twin.check_in_step(master.with_suffix(".py"), master)

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (lambda nb: nb.cells[1].update(source="changed"), "cell 2 'install' differs in its source"),
            (lambda nb: nb.cells[1].metadata.update(tags=[]), "cell 2 'install' differs in its metadata"),
            (
                lambda nb: nb.cells[3].update(execution_count=1),
                "cell 4 'test_area' differs in its execution_count",
            ),
            (lambda nb: nb.cells.pop(2), "cell 3 'area' is only in the twin"),
            (lambda nb: nb.cells.append(code("more", "")), "cell 7 'more' is only in the notebook"),
            (lambda nb: nb.cells.append(nb.cells.pop(0)), "another order"),
            (lambda nb: nb.metadata.pop("accelerator"), "metadata differs"),
        ],
    )
    def test_each_difference_is_told(self, master: Path, change, complaint: str) -> None:
        changed = nbformat.read(master, as_version=4)
        change(changed)
        nbformat.write(changed, master)
        with pytest.raises(ReleaseError, match="out of step") as caught:
            twin.check_in_step(master.with_suffix(".py"), master)
        assert complaint in str(caught.value)

    def test_missing_notebook_is_told(self, master: Path) -> None:
        master.unlink()
        with pytest.raises(ReleaseError, match=r"a\.ipynb is missing"):
            twin.check_in_step(master.with_suffix(".py"), master)


def test_builders_of_these_tests_agree_with_the_twin() -> None:
    """They fill in nbgrader's metadata as the twin does."""
    made = twin.to_notebook(twin.to_text(notebook(solution(), grade_cell())))
    assert made == notebook(solution(SOLUTION), grade_cell())


class TestUsualNotebooks:
    """Notebooks as Jupyter and nbgrader make them."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        cells = [markdown("a", "# Areas"), solution(), grade_cell("assert area(None)\n\n"), code("b", "x = 1")]
        for cell in cells:
            cell.pop("id")
        del cells[1].metadata.nbgrader["task"]
        made = nbformat.v4.new_notebook(cells=cells, nbformat=4, nbformat_minor=2)
        made.metadata = {"kernelspec": {"display_name": "Python", "language": "python", "name": "python"}}
        path = tmp_path / "any name.ipynb"
        nbformat.write(nbformat.from_dict(made), path)
        return path

    def test_twin_of_a_notebook_without_ids_gives_it_some_that_stay(self, path: Path) -> None:
        text = twin.write_twin(path).read_text()
        ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
        assert ids[1:3] == ["area", "test_area"]
        assert twin.write_twin(path).read_text() == text
        assert [cell.id for cell in nbformat.read(path, as_version=4).cells] == ids

    def test_notebook_and_twin_are_in_step_either_way(self, path: Path) -> None:
        text = twin.write_twin(path)
        twin.check_in_step(text, path)
        before = nbformat.read(path, as_version=4).metadata
        twin.write_notebook(text)
        twin.check_in_step(text, path)
        assert nbformat.read(path, as_version=4).metadata == before

    def test_picture_pasted_into_a_cell_is_told_not_lost(self, path: Path) -> None:
        master = nbformat.read(path, as_version=4)
        master.cells[0].attachments = {"a.png": {"image/png": "iVBORw0KGgo="}}
        nbformat.write(master, path)
        before = path.read_bytes()
        with pytest.raises(ReleaseError, match="cannot hold the pictures pasted into cell 1"):
            twin.write_twin(path)
        assert path.read_bytes() == before
        assert not path.with_suffix(".py").exists()

    def test_script_without_ids_is_no_twin(self, path: Path) -> None:
        path.with_suffix(".py").write_text("# %%\nx = 1\n")
        assert not twin.has_twin(path)
        assert twin.twins_of(path.parent) == []
