"""One grading of an assignment at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from grading.errors import GradingError


class GradedElsewhereError(GradingError):
    """Another process is grading the assignment."""


@contextlib.contextmanager
def alone(cache: Path, assignment: str) -> Iterator[None]:
    """Hold an assignment's lock; it goes with the process, however that ends.

    Raises GradedElsewhereError where another process holds it.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{assignment}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GradedElsewhereError(f"{assignment} is being graded already, by another process") from None
        yield
