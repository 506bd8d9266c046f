"""What a test needs of the machine, and what it means where that is missing."""

import os

import pytest

COMPLETE = "COURSE_TESTS_COMPLETE"
"""Set where every test must run, as in continuous integration: what was skipped there would prove nothing."""


def missing(why: str) -> None:
    """Skip the test that asks; fail it where all tests must run."""
    if os.environ.get(COMPLETE):
        pytest.fail(f"{why} ({COMPLETE} is set, so nothing may be left out)")
    pytest.skip(why)
