"""Masters as in real courses get the points that stock nbgrader gives; what differs is named."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from courses import compare as comparing
from courses.compare import Difference, compare, compare_all, explained_in_vain, not_comparable, table
from courses.masters import SOLUTION, WITHOUT, Master, Variant, masters, read_notebook
from courses.ours import our_points
from courses.stock import Points, outdated, read_stored, stock_points

UNGRADED = pytest.mark.skip(reason="stock has not graded it yet: `PYTHONPATH=tests python -m courses.stock` does")
NAMES = [pytest.param(name, marks=UNGRADED if not_comparable([name]) else ()) for name in masters()]

TINY = """\
# %% solution="double"
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% mistake="adds" deserves={"test_double": 1} because="it is a matter of taste"
def double(x):
    return x + 2

# %% own_cell="adds"
TWO = 2

# %% mistake="nothing"
def double(x): pass

# %% test="test_double" points=2 tags=["beside-student"]
assert double(3) == 6
"""


def tiny() -> Master:
    notebook, mistakes = read_notebook("tiny", TINY)
    return Master("tiny", {"tiny": notebook}, {}, tuple(mistakes))


def points(**by_variant: float | None) -> dict[str, Points | None]:
    """Points of the variants of the tiny master; None for one that could not be graded."""
    names = {"right": SOLUTION, "stub": f"{WITHOUT} double", "adds": "double: adds", "none": "double: nothing"}
    found = {"right": 2.0, "stub": 0.0, "adds": 0.0, "none": 0.0} | by_variant
    return {names[key]: None if value is None else {("tiny", "test_double"): value} for key, value in found.items()}


def test_a_header_makes_the_metadata_that_nbgrader_reads() -> None:
    solution, test = tiny().notebooks["tiny"].cells
    assert solution.metadata.nbgrader.solution
    assert not solution.metadata.nbgrader.locked
    assert (test.metadata.nbgrader.grade, test.metadata.nbgrader.points) == (True, 2)
    assert test.metadata.tags == ["beside-student"]


def test_variants_are_the_solution_the_stubs_and_the_mistakes() -> None:
    variants = tiny().variants()
    assert [variant.name for variant in variants] == list(points())
    assert variants[0].cells["tiny", "double"] == "def double(x):\n    return 2 * x"
    assert variants[1].cells == {}
    assert variants[2].own_cells == {("tiny", "double"): ("TWO = 2",)}


def test_a_notebook_that_is_missing_is_a_variant() -> None:
    missing = [variant for variant in masters()["two_notebooks"].variants() if variant.missing]
    assert [variant.missing for variant in missing] == [("first",), ("second",)]


def test_the_key_changes_with_whatever_points_depend_on() -> None:
    master = tiny()
    first, stub, *_ = master.variants()
    other = replace(master, files={"data.txt": b"1"})
    changed = tiny()
    changed.notebooks["tiny"].cells[-1].source += "\nassert double(1) == 2"
    keys = [master.key(first), master.key(stub), other.key(first), changed.key(first)]
    assert len(set(keys)) == len(keys)


def test_equal_points_are_no_difference() -> None:
    assert compare(tiny(), points(), ours(points())).differences == ()


def test_a_difference_without_a_reason_is_unexplained() -> None:
    one = compare(tiny(), points(), ours(points(none=1.0)))
    assert one.unexplained == (Difference("double: nothing", "test_double", 0.0, 1.0),)
    assert "tiny: double: nothing, test_double: stock 0, ours 1 (nobody has said why)" in list(table([one]))


def test_a_difference_is_explained_only_by_the_points_that_are_deserved() -> None:
    one = compare(tiny(), points(), ours(points(adds=1.0)))
    assert one.differences == (Difference("double: adds", "test_double", 0.0, 1.0, "it is a matter of taste"),)
    assert one.unexplained == ()
    assert compare(tiny(), points(), ours(points(adds=2.0))).unexplained


def test_a_hand_in_that_stock_cannot_grade_is_a_difference() -> None:
    one = compare(tiny(), points(stub=None), ours(points()))
    assert [difference.variant for difference in one.unexplained] == [f"{WITHOUT} double"]


def test_an_explanation_that_explains_nothing_is_found() -> None:
    assert explained_in_vain(tiny(), points()) == []
    assert explained_in_vain(tiny(), points(adds=1.0)) == ["tiny, double: adds, test_double"]


def ours(found: Mapping[str, Points | None]) -> dict[str, Points]:
    return {name: value for name, value in found.items() if value is not None}


def test_stored_points_are_of_the_masters_as_they_are() -> None:
    assert [one for one in outdated() if one.partition(":")[0] in read_stored()] == [], (
        "run `PYTHONPATH=tests python -m courses.stock`"
    )


def test_variants_that_stock_has_not_graded_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "outdated", lambda: ["newton: solution", "ode: solution"])
    assert not_comparable(["newton", "sales"]) == ["newton"]
    assert [*compare_all(["newton"])] == []


@pytest.mark.parametrize("name", NAMES)
def test_stock_gives_a_solution_all_points_that_no_person_gives(name: str) -> None:
    master = masters()[name]
    found = read_stored()[name][SOLUTION]
    assert found is not None
    assert {cell: found[cell] for cell in master.points if found[cell] is not None} == {
        cell: most for cell, most in master.points.items() if found[cell] is not None
    }


@pytest.mark.parametrize("name", NAMES)
def test_at_least_three_mistakes_cost_points(name: str) -> None:
    master = masters()[name]
    stored = read_stored()[name]
    mistakes = [variant.name for variant in master.variants() if ": " in variant.name]
    assert sum(stored[mistake] != stored[SOLUTION] for mistake in mistakes) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_every_explanation_is_needed(name: str) -> None:
    assert explained_in_vain(masters()[name], read_stored()[name]) == []


@pytest.mark.usefixtures("bubblewrap")
def test_our_points_of_two_notebooks_and_a_module_beside_them_are_those_of_stock() -> None:
    master = masters()["two_notebooks"]
    few = [variant for variant in master.variants() if variant.name in (SOLUTION, "missing first")]
    stored = read_stored()["two_notebooks"]
    assert our_points(master, few) == {variant.name: stored[variant.name] for variant in few}


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap")
@pytest.mark.parametrize("name", NAMES)
def test_our_points_of_some_variants_are_those_of_stock(name: str) -> None:
    master = masters()[name]
    one = compare(master, read_stored()[name], our_points(master, some(master)))
    assert one.unexplained == (), "\n".join(map(str, one.unexplained))


def some(master: Master) -> list[Variant]:
    """The solution, a solution cell left out, a mistake, and all for which stock is wrong."""
    solution, *others = master.variants()
    stub = next(variant for variant in others if variant.name.startswith(WITHOUT))
    mistake = next(variant for variant in others if ": " in variant.name and not variant.deserves)
    return [solution, stub, mistake, *(variant for variant in others if variant.deserves)]


@pytest.mark.slow
@pytest.mark.stock
@pytest.mark.parametrize("name", NAMES)
def test_stored_points_are_those_that_stock_gives(name: str) -> None:
    master = masters()[name]
    assert stock_points(master, master.variants()) == read_stored()[name]


@pytest.mark.slow
def test_stock_gives_what_is_stored_to_a_few() -> None:
    master = masters()["by_hand"]
    few = master.variants()[:2]
    stored = read_stored()["by_hand"]
    assert stock_points(master, few) == {variant.name: stored[variant.name] for variant in few}
