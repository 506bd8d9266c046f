"""What happens when a notebook is run, whatever its cells do?"""

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from grading import execute as module
from grading.execute import SKIPPED, Environment, Limits, Store, execute, execute_once

LIMITS = Limits(cell_seconds=20, notebook_seconds=60)


def notebook(*sources: str, demo: tuple[int, ...] = ()) -> NotebookNode:
    cells = [
        new_code_cell(source, id=f"c{index}", metadata={"tags": ["demo"]} if index in demo else {})
        for index, source in enumerate(sources)
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def said(cell: NotebookNode) -> str:
    return " ".join(str(o.get("text") or o.get("evalue") or o.get("data")) for o in cell.outputs)


def test_do_the_cells_after_an_exception_run(tmp_path: Path) -> None:
    ran = execute(notebook("1 / 0", "print('on')"), Environment(), LIMITS, tmp_path)
    assert said(ran.cells[0]) == "division by zero"
    assert said(ran.cells[1]) == "on\n"


def test_are_demonstration_cells_left_out(tmp_path: Path) -> None:
    ran = execute(notebook("print('demo')", "print('work')", demo=(0,)), Environment(), LIMITS, tmp_path)
    assert said(ran.cells[0]) == SKIPPED
    assert said(ran.cells[1]) == "work\n"


def test_are_they_run_after_all_when_the_work_needs_one(tmp_path: Path) -> None:
    ran = execute(notebook("x = 5", "print(x)", demo=(0,)), Environment(), LIMITS, tmp_path)
    assert said(ran.cells[1]) == "5\n"


def test_does_any_other_missing_name_cost_a_second_run(tmp_path: Path) -> None:
    ran = execute(notebook("x = 5", "print(mistyped)", demo=(0,)), Environment(), LIMITS, tmp_path)
    assert said(ran.cells[0]) == SKIPPED


def test_does_a_demo_tag_make_a_test_disappear(tmp_path: Path) -> None:
    nb = notebook("assert False, 'the test ran'", demo=(0,))
    nb.cells[0].metadata["nbgrader"] = {"grade": True, "grade_id": "t", "points": 1}
    assert said(execute(nb, Environment(), LIMITS, tmp_path).cells[0]) == "the test ran"


def test_is_a_slow_cell_interrupted_and_the_next_one_run(tmp_path: Path) -> None:
    limits = Limits(cell_seconds=2, notebook_seconds=60)
    ran = execute(notebook("import time; time.sleep(99)", "print('on')"), Environment(), limits, tmp_path)
    assert said(ran.cells[0]) == "interrupted: this cell ran for more than 2 s"
    assert said(ran.cells[1]) == "on\n"


def test_is_a_dead_kernel_named_and_every_cell_after_it_marked(tmp_path: Path) -> None:
    ran = execute(notebook("import os; os._exit(3)", "print('on')", "2"), Environment(), LIMITS, tmp_path)
    assert "kernel died while it ran this cell" in said(ran.cells[0])
    assert "not run: the kernel died" in said(ran.cells[1])
    assert ran.cells[2].outputs[0].output_type == "error"


def test_does_the_notebook_as_a_whole_have_a_limit(tmp_path: Path) -> None:
    limits = Limits(cell_seconds=20, notebook_seconds=2)
    ran = execute(notebook("import time; time.sleep(99)", "print('on')"), Environment(), limits, tmp_path)
    assert "2 s were over" in said(ran.cells[1])


def test_is_what_a_cell_prints_in_pieces_one_output(tmp_path: Path) -> None:
    ran = execute(
        notebook("import sys, time\nfor _ in range(3): print(1); sys.stdout.flush(); time.sleep(0.3)"),
        Environment(),
        LIMITS,
        tmp_path,
    )
    assert [output.text for output in ran.cells[0].outputs] == ["1\n1\n1\n"]


def test_is_the_original_left_alone(tmp_path: Path) -> None:
    nb = notebook("print(1)")
    execute(nb, Environment(), LIMITS, tmp_path)
    assert nb.cells[0].outputs == []


def test_does_the_kernel_find_the_course_data(tmp_path: Path) -> None:
    nb = notebook("import os; print(os.environ['COURSE_DATA'])")
    assert said(execute(nb, Environment(data=tmp_path), LIMITS, tmp_path).cells[0]) == f"{tmp_path}\n"


def test_is_the_same_work_done_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def fake(nb: NotebookNode, *_: object) -> NotebookNode:
        runs.append(1)
        return nb

    monkeypatch.setattr(module, "execute", fake)
    store = Store(tmp_path / "store")
    for _ in range(2):
        assert execute_once(notebook("1"), Environment(), LIMITS, tmp_path, store).cells[0].source == "1"
    assert len(runs) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda nb, env, lim: (notebook("2"), env, lim),
        lambda nb, env, lim: (notebook("1", demo=(0,)), env, lim),
        lambda nb, env, lim: (nb, Environment(threads=2), lim),
        lambda nb, env, lim: (nb, env, Limits(cell_seconds=1)),
    ],
    ids=["source", "tags", "threads", "limits"],
)
def test_does_any_change_ask_for_a_new_run(change: object, tmp_path: Path) -> None:
    before = (notebook("1"), Environment(), Limits())
    store = Store(tmp_path)
    assert store.key(*before) != store.key(*change(*before))  # type: ignore[operator]


def test_does_new_data_ask_for_a_new_run(tmp_path: Path) -> None:
    store, data = Store(tmp_path / "store"), tmp_path / "data"
    data.mkdir()
    (data / "representations.h5").write_bytes(b"1")
    before = store.key(notebook("1"), Environment(data=data), Limits())
    (data / "representations.h5").write_bytes(b"22")
    assert store.key(notebook("1"), Environment(data=data), Limits()) != before


def test_is_what_was_stored_found_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.get("ab12") is None
    store.put("ab12", notebook("1"))
    found = store.get("ab12")
    assert found is not None
    assert nbformat.validator.isvalid(found)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["ab12.ipynb"]
