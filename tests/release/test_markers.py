"""Everything that could give an answer away, or spoil the grading, stops the release."""

from typing import Any

import pytest
from nbformat import NotebookNode
from notebooks import SOLUTION, TEST, code, grade_cell, markdown, notebook, right_notebook, solution

from grading.release.markers import (
    NBGRADERS,
    Marks,
    Problem,
    Region,
    check_markers,
    hidden_lines,
    regions,
    shown_lines,
)


def problems(*cells: NotebookNode) -> list[Problem]:
    return check_markers(notebook(*cells))


class TestRightMasters:
    def test_indented_markers_pass(self) -> None:
        assert check_markers(right_notebook()) == []

    def test_manually_graded_answer_may_be_replaced_whole(self) -> None:
        cell = markdown("essay", "Why.", ["whole-cell-solution"], grade_id="essay", grade=True, solution=True, points=1)
        assert problems(cell) == []

    def test_task_may_have_a_mark_scheme(self) -> None:
        source = "Do it.\n### BEGIN MARK SCHEME\nOne point a step.\n### END MARK SCHEME"
        assert problems(markdown("task", source, grade_id="task", task=True, points=3)) == []

    @pytest.mark.parametrize(
        "line",
        [
            "# The solution of the equation",
            "# A solution ends here",
            "# Find solution",
            "# Begin with the first image, then test the others",
            "# Ends of the boxes",
            "# END",
            "# beginning of the test set",
            "## Testing",
            "x = '#ffeedd'  # end colour",
            "# The hidden tests look at three things.",
            "# And the solutions?",
        ],
    )
    @pytest.mark.parametrize("make", [code, markdown])
    def test_prose_is_left_alone(self, make: Any, line: str) -> None:
        assert problems(make("prose", line)) == []


class TestMisspeltMarkers:
    @pytest.mark.parametrize(
        "line",
        [
            "### BEGN SOLUTION",
            "### BEGINN SOLUTION",
            "### BEGIN SOLUTOIN",
            "### BEGIN  SOLUTION",
            "### BEGIN_SOLUTION",
            "### BEGINSOLUTION",
            "### Begin Solution",
            "### begin solution",
            "### BEGIN ## SOLUTION",
            "### BEGIN MY SOLUTION",
            "### START SOLUTION",
            "### END SOLUTON",
            "###BEGIN HIDDEN TEST",
            "### BEGIN HIDDEN",
            "### BEGIN TESTS",
            "### END HIDEN TESTS",
            "### END MARKING SCHEME",
            "<!-- BEGIN SOLUTOIN -->",
        ],
    )
    def test_misspelt_marker_stops(self, line: str) -> None:
        [problem] = problems(code("a", f"x = 1\n    {line}"))
        assert (problem.cell, problem.line) == ("cell 1 'a'", 2)
        assert line.strip() in problem.message

    @pytest.mark.parametrize(
        "begin",
        ["# BEGIN SOLUTION", "#### BEGIN SOLUTION ###", "x = 1  ### BEGIN SOLUTION: a", "<!-- BEGIN SOLUTION -->"],
    )
    def test_marker_is_what_nbgrader_takes_for_one(self, begin: str) -> None:
        source = f"def f():\n    {begin}\n    return 1\n    # END SOLUTION!"
        assert problems(solution(source)) == []
        assert [region.lines for region in regions(source)] == [("    return 1",)]
        [problem] = problems(code("plain", source))
        assert "SOLUTION region outside a solution cell" in problem.message

    def test_nbgraders_own_marker_is_misspelt_where_the_course_has_others(self) -> None:
        marks = Marks({**NBGRADERS.words, "SOLUTION": ("<answer>", "</answer>")})
        right = notebook(solution("def f():\n    # <answer>\n    return 1\n    # </answer>"))
        assert check_markers(right, marks) == []
        [begin, end] = check_markers(notebook(solution(SOLUTION)), marks)
        assert "'<answer>'" in begin.message
        assert (begin.line, end.line) == (3, 6)


class TestRegions:
    @pytest.mark.parametrize(
        ("markers", "line", "complaint"),
        [
            (["BEGIN SOLUTION"], 2, "BEGIN SOLUTION without an END SOLUTION"),
            (["END SOLUTION"], 2, "END SOLUTION without a BEGIN SOLUTION"),
            (
                ["BEGIN SOLUTION", "BEGIN SOLUTION", "END SOLUTION"],
                3,
                "BEGIN SOLUTION inside the SOLUTION region",
            ),
            (
                ["BEGIN SOLUTION", "END HIDDEN TESTS"],
                3,
                "END HIDDEN TESTS closes the SOLUTION region of line 2",
            ),
            (["BEGIN SOLUTION", "END SOLUTION", "END SOLUTION"], 4, "END SOLUTION without a BEGIN SOLUTION"),
        ],
    )
    def test_unbalanced_regions_stop(self, markers: list[str], line: int, complaint: str) -> None:
        source = "\n".join(["def f():", *(f"    ### {marker}" for marker in markers)])
        [problem] = problems(solution(source))
        assert (problem.cell, problem.line) == ("cell 1 'area'", line)
        assert complaint in problem.message

    @pytest.mark.parametrize("kind", ["SOLUTION", "HIDDEN TESTS", "MARK SCHEME"])
    def test_misplaced_regions_stop(self, kind: str) -> None:
        [problem] = problems(code("plain", f"### BEGIN {kind}\nx = 1\n### END {kind}"))
        assert problem.cell == "cell 1 'plain'"
        assert f"{kind} region outside a" in problem.message

    def test_lines_of_regions_are_found(self) -> None:
        assert regions(TEST) == [Region("HIDDEN TESTS", 2, ("assert area((4, 5, 7, 9)) == 12",))]
        assert len(regions(SOLUTION)[0].lines) == 2

    def test_solution_cell_without_a_region_is_hidden_whole(self) -> None:
        cell = solution("answer = 42")
        assert problems(cell) == []
        assert hidden_lines(cell) == ["answer = 42"]
        assert shown_lines(cell) == []

    def test_shown_lines_are_those_that_are_not_hidden(self) -> None:
        assert shown_lines(grade_cell()) == ["assert area((0, 0, 2, 3)) == 6"]
        assert hidden_lines(grade_cell()) == ["assert area((4, 5, 7, 9)) == 12"]

    def test_tag_for_a_whole_answer_stops_where_nothing_would_be_removed(self) -> None:
        [problem] = problems(code("plain", "answer = 42", ["whole-cell-solution"]))
        assert "nothing would be removed" in problem.message

    def test_region_in_a_cell_to_be_replaced_whole_stops(self) -> None:
        [problem] = problems(solution(tags=["whole-cell-solution"]))
        assert "only its SOLUTION region would be removed" in problem.message


class TestGrading:
    @pytest.mark.parametrize("points", [-1, None, "2", True, float("nan")])
    def test_odd_points_stop(self, points: Any) -> None:
        [problem] = problems(grade_cell(points=points))
        assert problem.cell == "cell 1 'test_area'"
        assert "not a number, 0 or more" in problem.message

    def test_missing_points_stop(self) -> None:
        cell = grade_cell()
        del cell.metadata.nbgrader["points"]
        [problem] = problems(cell)
        assert "None" in problem.message

    def test_repeated_grade_id_stops_at_both(self) -> None:
        copied = code("again", TEST, grade_id="test_area", grade=True, points=2)
        found = problems(solution(), grade_cell(), copied)
        assert [problem.cell for problem in found] == ["cell 2 'test_area'", "cell 3 'test_area'"]

    def test_missing_grade_id_stops(self) -> None:
        [problem] = problems(code("a", "x = 1", locked=True))
        assert "without a grade_id" in problem.message

    def test_test_without_points_or_lock_may_be(self) -> None:
        """nbgrader takes such a test as locked."""
        assert problems(grade_cell(points=0, locked=False)) == []

    @pytest.mark.parametrize(
        "cell",
        [
            markdown("essay", "Why?", grade_id="essay", grade=True, points=1),
            code("task", "x = 1", grade_id="task", task=True, points=1),
            code("id", "x = 1", grade_id="two words", locked=True),
        ],
    )
    def test_metadata_that_nbgrader_does_not_take_stop(self, cell: NotebookNode) -> None:
        [problem] = problems(cell)
        assert "nbgrader does not take its metadata" in problem.message


def test_all_problems_are_told_at_once() -> None:
    found = problems(code("a", "# BEGIN SOLUTON"), solution("### END SOLUTION"), grade_cell(points=-1))
    assert [problem.cell for problem in found] == ["cell 1 'a'", "cell 2 'area'", "cell 3 'test_area'"]


def test_problem_reads_as_a_sentence() -> None:
    assert str(Problem("cell 1 'a'", 2, "wrong")) == "cell 1 'a', line 2: wrong"
    assert str(Problem("cell 1 'a'", 0, "wrong")) == "cell 1 'a': wrong"
