"""For all tests: TensorFlow logs at length, and only its own developers need to see it.

The students' library is tested where grading is not installed, too: what needs grading is imported late.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from needed import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def bubblewrap() -> None:
    """Skips what needs the sandbox where there is none."""
    from grading.errors import SandboxError
    from grading.options import Isolation
    from grading.sandbox.bubblewrap import check

    try:
        check(Isolation.bwrap)
    except SandboxError as error:
        missing(str(error))


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A Chromium for the tests of a module; they are skipped where there is none."""
    from browser import chromium  # few tests need Playwright

    with chromium() as found:
        yield found


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of what is really executed from here on; where recorded answers were enough, nothing is."""
    from grading.pipeline import grade

    keys: list[str] = []
    real = grade.run_all

    def counted(jobs: dict[str, Any], *given: Any) -> Iterator[Any]:
        for outcome in real(jobs, *given):
            if outcome.executed is not None:
                keys.append(outcome.key)
            yield outcome

    monkeypatch.setattr(grade, "run_all", counted)
    return keys
