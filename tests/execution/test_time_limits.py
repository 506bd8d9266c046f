"""A limit of time that nobody met cannot have changed a result: another one runs nothing again."""

from dataclasses import replace
from pathlib import Path

import pytest

from grading.examiner.examination import Examined
from grading.execution.job import Executed, times_of
from grading.execution.store import Store
from grading.options import Limits
from grading.records.record import Event

LIMITS = Limits(cell_seconds=60, notebook_seconds=120, cpu_seconds=500)
QUIET = Executed(seconds=20.0, longest=8.0, cpu_seconds=15.0, ran_under=times_of(LIMITS))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "executed")


@pytest.mark.parametrize(
    ("changes", "stands"),
    [
        ({}, True),
        ({"cell_seconds": 600}, True),
        ({"cell_seconds": 9}, True),
        ({"cell_seconds": 8}, False),
        ({"notebook_seconds": 30}, True),
        ({"notebook_seconds": 20}, False),
        ({"cpu_seconds": 16}, True),
        ({"cpu_seconds": 15}, False),
    ],
)
def test_a_result_stands_under_every_limit_that_it_did_not_need(
    store: Store, changes: dict[str, float], stands: bool
) -> None:
    store.put("k", QUIET)
    assert store.holds("k", replace(LIMITS, **changes)) == stands
    assert store.get("k") == QUIET


@pytest.mark.parametrize(
    "met",
    [
        replace(QUIET, events=[Event("cell a", "interrupted: it ran for more than 60 s")]),
        replace(QUIET, longest=60.0),
        replace(QUIET, seconds=120.0),
        replace(QUIET, suspicious=True),
    ],
)
def test_a_result_that_met_a_limit_stands_under_these_very_limits_only(store: Store, met: Executed) -> None:
    store.put("k", met)
    assert store.holds("k", LIMITS)
    assert not store.holds("k", replace(LIMITS, cell_seconds=600))
    assert not store.holds("k", replace(LIMITS, notebook_seconds=600))


def test_a_result_without_a_note_of_its_limits_is_made_anew(store: Store) -> None:
    path = store.path("k")
    path.parent.mkdir(parents=True)
    path.write_text('{"outputs": {}}')
    assert not store.holds("k", LIMITS)
    assert not store.holds("nothing", LIMITS)


def test_a_result_that_was_supplied_met_no_limit(store: Store) -> None:
    """Benchmarks and tests put answers into the store without running anything."""
    store.put("k", Executed())
    assert store.holds("k", LIMITS)


def test_outcome_of_tests_is_out_of_date_once_the_result_is_made_anew(store: Store) -> None:
    store.put("k", replace(QUIET, longest=60.0))
    assert not store.holds_tests("t", "k")
    store.put_tests("t", Examined())
    assert store.holds_tests("t", "k")
    store.put("k", QUIET)  # under another limit
    assert not store.holds_tests("t", "k")
    store.put_tests("t", Examined())
    assert store.holds_tests("t", "k")
