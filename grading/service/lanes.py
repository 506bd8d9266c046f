"""Locks of the graders, which go with a process however it ends: of assignments, and of the graders themselves."""

import contextlib
import fcntl
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def lane(folder: Path, assignment: str, wait: bool = False) -> Iterator[bool]:
    """Hold an assignment's lane; gives whether it is held, which it may not be unless one waits for it.

    Who holds it takes hand-ins, or writes what came of them; it is held for moments, never while student code runs.
    """
    (folder / "lanes").mkdir(parents=True, exist_ok=True)
    with (folder / "lanes" / f"{assignment}.lock").open("w") as file:
        yield _locked(file.fileno(), wait)


class Signs:
    """Signs of life of the graders: a file for each, which is locked as long as its process is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "graders"

    @contextlib.contextmanager
    def given(self) -> Iterator[str]:
        """Give a sign of life until the block ends, or the process; gives the grader's name."""
        name = secrets.token_hex(8)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{name}.lock"
        with path.open("w") as file:
            _locked(file.fileno(), wait=True)
            yield name
            path.unlink(missing_ok=True)

    def is_gone(self, name: str) -> bool:
        """Return whether a grader has ended."""
        path = self._folder / f"{name}.lock"
        try:
            with path.open("r+") as file:
                if not _locked(file.fileno(), wait=False):
                    return False
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        return True


def _locked(file: int, wait: bool) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
