"""Folders in the temporary folder that go with their process, however that ends.

Each holds a file that its process keeps locked. Who was killed could not remove its folders; the next process that
needs one does, by that lock.
"""

import fcntl
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

PREFIXES = ("w-", "k-")
"""Of a fork server, which serves one worker, and of a kernel."""
LOCK = "lock"
_SOCKET_PATH = 80


class Scratch:
    """A new folder, with a path short enough for sockets; `remove` it when it is done with."""

    def __init__(self, prefix: str) -> None:
        place = Path(short_tmp() or tempfile.gettempdir())
        remove_left(place)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        unlocked = self.path / f".{LOCK}"
        self._lock = os.open(unlocked, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC)  # held as long as this process lives
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unlocked.rename(self.path / LOCK)  # nobody sees it before it is locked

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


@cache
def remove_left(place: Path) -> None:
    """Remove what processes have left that were killed; this process looks once."""
    for folder in (found for prefix in PREFIXES for found in place.glob(f"{prefix}*/{LOCK}")):
        try:
            with folder.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # it is in use, gone by now, or another user's
            continue
        shutil.rmtree(folder.parent, ignore_errors=True)


def short_tmp() -> str | None:
    """Return a folder for sockets, whose paths must not be longer than about 100 bytes; None for the usual one."""
    return None if len(tempfile.gettempdir()) <= _SOCKET_PATH else "/tmp"
