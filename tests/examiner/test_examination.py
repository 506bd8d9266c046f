"""What is known of a notebook's tests before they run."""

import pytest

from grading.examiner.examination import Examination, Setup, TestCell


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import perf_counter as now",
        "start = time.perf_counter_ns()",
        "took = timeit.timeit(lambda: fib(20))",
        "%timeit fib(20)",
    ],
)
def test_an_examination_that_looks_at_a_clock_measures_time(source: str) -> None:
    assert Examination((((), TestCell("t", source)),)).measures_time
    assert Examination((((Setup("s", source),), TestCell("t", "assert f(1)")),)).measures_time


@pytest.mark.parametrize("source", ["# one at a time", "assert f(1), 'not in time'", "times = [1]", "import datetime"])
def test_an_examination_that_only_speaks_of_time_does_not(source: str) -> None:
    assert not Examination((((), TestCell("t", source)),)).measures_time
