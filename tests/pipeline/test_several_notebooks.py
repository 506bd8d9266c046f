"""Is each notebook of an assignment graded by itself, whatever the other ones are?"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from classes import quick
from homework import (
    NAME,
    SQUARE,
    course,
    give,
    good_work,
    gradebook,
    graded,
    hand_in,
    masters,
    opened,
    pass_tests,
    solved,
)
from notebooks import code, grade_cell, notebook

from grading.errors import CourseError, GradingError
from grading.pipeline.plan import plan, why_run
from grading.pipeline.reference import reference
from grading.pipeline.run import open_course
from grading.records.record import GRADED, REFUSED, TestResult, read_record

pytestmark = pytest.mark.usefixtures("bubblewrap")

PASSED = {"part-a": TestResult(True), "sum": TestResult(True)}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with a gradebook, which takes seconds to make, and Ada's work, graded."""
    folder = course(tmp_path_factory.mktemp("template") / "course")
    hand_in(folder, "ada", good_work(folder))
    graded(folder)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "course")
    return tmp_path / "course"


def points(folder: Path, student: str = "ada") -> dict[str, float]:
    return {name: question.points for name, question in graded(folder)[student].questions.items()}


def test_questions_of_both_notebooks_are_in_the_record_by_names_that_tell_them_apart(folder: Path) -> None:
    record = graded(folder)["ada"]
    assert {name: question.max_points for name, question in record.questions.items()} == {
        "one/part-a": 2, "use": 3, "two/part-a": 4, "draw": 5, "sum": 1,
    }  # fmt: skip
    assert record.cell_of("two/part-a") == ("two", "part-a")
    assert record.cell_of("use") == ("one", "use")
    assert record.execution["notebooks"] == ["one", "two"]
    assert set(record.submission["notebooks"]) == {"one", "two"}


def test_each_notebook_is_executed_once_and_only_the_changed_one_again(folder: Path, executed: list[str]) -> None:
    graded(folder)
    assert executed == []
    work = good_work(folder)
    hand_in(folder, "ada", {**work, "two.ipynb": solved(folder, "two", {"part-a": "Because of 4."})})
    graded(folder)
    assert executed == []  # text does not run
    hand_in(folder, "ada", {**work, "one.ipynb": solved(folder, "one", {"square": "square = abs"})})
    run = opened(folder)
    assert why_run(run, plan(run).submissions[0]) == "changed: code"
    graded(folder)
    assert len(executed) == 1


def test_executed_notebooks_lie_beside_the_record_under_their_names(folder: Path) -> None:
    graded(folder)
    kept = folder / "autograded" / "ada" / NAME
    assert sorted(path.name for path in kept.iterdir()) == ["one.ipynb", "record.json", "two.ipynb"]
    (use,) = [cell for cell in nbformat.read(kept / "one.ipynb", as_version=4).cells if cell.id == "use"]
    assert [output["text"] for output in use.outputs] == ["4\n"]


def test_results_of_tests_decide_where_no_scoring_does_each_in_its_own_notebook(folder: Path) -> None:
    results = {"part-a": TestResult(True, value="1.5"), "sum": TestResult(False, "no")}
    record = pass_tests(folder, results)["ada"]
    assert record.questions["one/part-a"].points == 1.5
    assert record.questions["one/part-a"].decided == "examiner"
    assert record.questions["two/part-a"].waits
    assert (record.questions["sum"].points, record.questions["sum"].reason) == (0, "no")


def test_reason_names_the_cell_that_stopped_before_a_test_and_none_after_it(folder: Path) -> None:
    use = "raise ValueError('later')"
    stops = "def square(x):\n    return 0\nraise KeyError('sooner')"
    for square, said in (
        ("def square(x):\n    return 0", ""),
        (stops, " (Cell 'square' stopped with KeyError: 'sooner')"),
    ):
        hand_in(folder, "ada", {"one.ipynb": solved(folder, "one", {"square": square, "use": use})})
        reason = graded(folder)["ada"].questions["one/part-a"].reason
        assert reason == f"This does not hold: assert square(3) == 9{said}"


def test_gradebook_has_rows_for_both_cells_of_the_same_grade_id(folder: Path) -> None:
    pass_tests(folder, PASSED)
    with gradebook(folder) as book:
        one = book.find_grade("part-a", "one", NAME, "ada")
        two = book.find_grade("part-a", "two", NAME, "ada")
        assert (one.auto_score, one.needs_manual_grade, one.max_score) == (2, False, 2)
        assert (two.auto_score, two.needs_manual_grade, two.max_score) == (None, True, 4)
        assert book.find_assignment(NAME).max_score == 15
        assert {item.name for item in book.find_submission(NAME, "ada").notebooks} == {"one", "two"}


def test_notebook_that_is_missing_costs_only_its_own_points(folder: Path) -> None:
    hand_in(folder, "ada", {"one.ipynb": good_work(folder)["one.ipynb"]})
    record = pass_tests(folder, PASSED)["ada"]
    assert record.status == GRADED
    assert record.questions["one/part-a"].points == 2
    assert record.questions["two/part-a"].reason == "'two.ipynb' was not handed in."
    assert "two.ipynb: 'two.ipynb' was not handed in." in record.flags
    assert not (folder / "autograded" / "ada" / NAME / "two.ipynb").exists()
    with gradebook(folder) as book:  # as nbgrader does: 0, and nothing to be graded
        row = book.find_grade("part-a", "two", NAME, "ada")
        assert (row.auto_score, row.needs_manual_grade) == (0, False)


def test_notebook_that_cannot_be_read_costs_only_its_own_points_and_asks_for_a_look(folder: Path) -> None:
    hand_in(folder, "ada", {"one.ipynb": "{", "two.ipynb": good_work(folder)["two.ipynb"]})
    record = pass_tests(folder, PASSED)["ada"]
    assert record.questions["sum"].points == 1
    assert "not a notebook" in record.questions["use"].reason
    with gradebook(folder) as book:
        assert book.find_grade("use", "one", NAME, "ada").needs_manual_grade
    assert "not a notebook" in (folder / "autograded" / "ada" / NAME / "one.ipynb").read_text()


def test_hand_in_without_any_notebook_is_refused(folder: Path) -> None:
    hand_in(folder, "bo", {"notes.txt": "later"})
    hand_in(folder, "cy", {"one.ipynb": "{", "two.ipynb": "["})
    records = graded(folder)
    assert records["bo"].status == records["cy"].status == REFUSED
    assert records["bo"].max_points == 15


def test_refused_hand_in_has_notebooks_that_say_why_where_formgrader_looks(folder: Path) -> None:
    hand_in(folder, "cy", {"one.ipynb": "{", "two.ipynb": "["})
    record = graded(folder)["cy"]
    for name in ("one", "two"):
        path = folder / "autograded" / "cy" / NAME / f"{name}.ipynb"
        shown = nbformat.read(path, as_version=4)
        assert record.submission["notebooks"][name]["refusal"] in shown.cells[0].source.replace("\u200b", "")
        path.unlink()
    graded(folder)
    assert path.is_file(), "one that was lost is written again"
    hand_in(folder, "cy", good_work(folder))
    graded(folder)
    assert "could not be graded" not in path.read_text()


def test_several_seeds_are_run_of_each_notebook_and_one_seed_decides(folder: Path, executed: list[str]) -> None:
    from classes import quick

    from grading.pipeline.grade import grade
    from grading.pipeline.run import open_course

    run = open_course(folder, NAME, quick(repeats=2))
    (record,) = grade(run, plan(run))
    assert len(executed) == 2  # of two notebooks and two seeds, half was stored
    assert len(record.execution["keys"]) == 4
    assert len(record.execution["seconds"]) == 2
    assert set(record.deciding_keys) == {"one", "two"}


def test_files_of_the_course_are_there_when_cells_run_and_win_over_handed_in_ones(folder: Path) -> None:
    hand_in(folder, "ada", {**good_work(folder), "public/numbers.csv": "7\n", "own.txt": "mine"})
    record = graded(folder)["ada"]
    assert not record.events
    assert any("in place of 'public/numbers.csv'" in repair for repair in record.repairs)
    (run,) = plan(opened(folder)).submissions
    executed = opened(folder).store.get(next(each.key for each in run.runs if each.notebook == "two"))
    assert executed is not None
    assert executed.outputs["read"] == []


def test_file_that_stands_where_the_course_has_a_folder_is_left_out(folder: Path) -> None:
    hand_in(folder, "ada", {**good_work(folder), "public": "not a folder"})
    record = graded(folder)["ada"]
    assert record.status == GRADED
    assert any("in place of 'public'" in repair for repair in record.repairs)


def test_changed_file_of_the_course_executes_again(folder: Path, executed: list[str]) -> None:
    """Ada's `two` has a cell of its own: else it runs the same code as the solution, whose execution would do."""
    work = good_work(folder)
    work["two.ipynb"].cells.append(nbformat.v4.new_code_cell("len(numbers)", id="own"))  # type: ignore[union-attr]
    hand_in(folder, "ada", work)
    graded(folder)
    executed.clear()
    (folder / "source" / NAME / "public" / "numbers.csv").write_text("4\n5\n")
    graded(folder)
    assert len(executed) == 2


def test_code_that_is_the_solutions_is_not_executed_another_time(folder: Path, executed: list[str]) -> None:
    (folder / "source" / NAME / "public" / "numbers.csv").write_text("4\n5\n")
    keys = graded(folder)["ada"].deciding_keys
    assert executed == [keys["one"]]
    assert keys["two"] in opened(folder).store


def test_additional_notebook_in_a_later_term_gets_rows_of_its_own(folder: Path) -> None:
    source = folder / "source" / NAME
    third = notebook(
        code("t", "### BEGIN SOLUTION\n1\n### END SOLUTION", grade_id="t", solution=True, grade=True, points=1)
    )
    nbformat.write(third, source / "three.ipynb")
    assert graded(folder)["ada"].questions["t"].points == 0
    with gradebook(folder) as book:
        assert book.find_grade("t", "three", NAME, "ada").auto_score == 0


def test_question_of_scoring_must_name_its_notebook_where_there_are_several(folder: Path) -> None:
    scoring = folder / "source" / NAME / "scoring.py"
    scoring.write_text(
        "from grading.scoring import Score, call\n"
        "def questions(context):\n    return [call('q', 'square', [[3]])]\n"
        "def score(answers, context):\n    return {'one/part-a': Score(1.0, 'So.')}\n"
    )
    with pytest.raises(GradingError, match="must say its notebook, one of one, two"):
        opened(folder)


def test_scoring_decides_some_questions_and_tests_and_people_the_others(folder: Path) -> None:
    scoring = folder / "source" / NAME / "scoring.py"
    scoring.write_text(
        "from dataclasses import replace\nfrom grading.scoring import Score, call\n"
        "def questions(context):\n    return [replace(call('q', 'square', [[3]]), notebook='one')]\n"
        "def scored(context):\n    return ['one/part-a']\n"
        "def score(answers, context):\n"
        "    return {'one/part-a': Score(2.0 if answers['q'].results[0].value == 9 else 0.0, 'Asked.')}\n"
    )
    record = pass_tests(folder, {"sum": TestResult(True)})["ada"]
    assert [(name, one.points, one.decided) for name, one in record.questions.items()] == [
        ("one/part-a", 2, "scoring.py"), ("use", 0, "a person"), ("two/part-a", 0, "a person"), ("draw", 0, "a person"),
        ("sum", 1, "examiner"),
    ]  # fmt: skip


def test_scoring_of_what_is_no_question_is_its_authors_mistake(folder: Path) -> None:
    scoring = folder / "source" / NAME / "scoring.py"
    scoring.write_text(
        "from grading.scoring import Score\ndef score(answers, context):\n    return {'part-a': Score(1.0, '')}\n"
    )
    record = graded(folder)["ada"]
    assert "scores part-a, but the graded cells are draw, one/part-a" in record.why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda made: made.metadata.update(kernelspec={"name": "ir", "display_name": "R", "language": "R"}),
            "is written in R",
        ),
        (lambda made: made.cells[2].metadata.nbgrader.pop("points"), "part-a"),
        (lambda made: made.cells[3].metadata.nbgrader.update(grade_id="part-a"), "Duplicate grade id"),
    ],
)
def test_master_that_cannot_be_graded_is_named(
    folder: Path, change: Callable[[nbformat.NotebookNode], None], said: str
) -> None:
    made = masters()["one"]
    made.metadata.pop("language_info")
    change(made)
    nbformat.write(made, folder / "source" / NAME / "one.ipynb")
    with pytest.raises(CourseError, match=said) as raised:
        opened(folder)
    assert "hw/one.ipynb" in str(raised.value)


def test_hand_in_in_another_language_is_refused_in_one_line(folder: Path) -> None:
    work = good_work(folder)
    work["one.ipynb"].metadata.update(kernelspec={"name": "ir", "display_name": "R"}, language_info={"name": "R"})  # type: ignore[union-attr]
    hand_in(folder, "ada", work)
    record = graded(folder)["ada"]
    assert record.questions["use"].reason == "The notebook is written in 'R': only Python can be graded."
    assert record.questions["two/part-a"].waits


def test_master_in_an_old_format_without_ids_is_graded(tmp_path: Path) -> None:
    made = masters()
    for master in made.values():
        master.nbformat_minor = 0
        for cell in master.cells:
            del cell["id"]
    folder = course(tmp_path / "course", made)
    first = [cell.id for cell in opened(folder).assignment.notebook("one").released.cells]
    assert first == [cell.id for cell in opened(folder).assignment.notebook("one").released.cells]
    assert first[1:] == ["square", "part-a", "use"]
    hand_in(folder, "ada", good_work(folder))
    assert graded(folder)["ada"].status == GRADED


def test_record_on_disk_is_the_one_that_was_returned(folder: Path) -> None:
    give(folder, "ada", "one", "use", 2.5)
    record = graded(folder)["ada"]
    assert read_record(folder / "autograded" / "ada" / NAME) == record


def test_solution_that_a_limit_of_time_stops_is_told_with_the_cell(tmp_path: Path) -> None:
    slow = notebook(
        code("wait", "import time\ntime.sleep(60)"),
        code("square", SQUARE, grade_id="square", solution=True),
        grade_cell("assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(4) == 16\n### END HIDDEN TESTS"),
    )
    course(tmp_path, {"one": slow})
    options = quick()
    hasty = replace(options, limits=replace(options.limits, cell_seconds=1, notebook_seconds=1))
    failed = reference(open_course(tmp_path, NAME, hasty)).failed
    assert "one.ipynb, cell wait: interrupted: it ran for more than 1 s" in failed
