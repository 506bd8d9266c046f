"""Files of a hand-in: opened without following or waiting, read up to a limit, and chosen among."""

import io
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from grading.common.text import quoted, short_list
from grading.errors import RefusedError
from grading.options import MIB

IGNORED = frozenset({"__pycache__", "__MACOSX"})
"""Folders that tools leave."""


@dataclass(frozen=True)
class HandInFile:
    """A file in the hand-in or a member of an archive."""

    name: str
    mtime: int
    size: int
    path: Path = Path()

    @property
    def depth(self) -> int:
        """Return how many folders it lies in."""
        return self.name.count("/")


def open_regular(path: Path) -> io.FileIO:
    """Open a regular file; a link, a pipe or a device is never opened, nor waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError(f"{quoted(path.name)} is not a regular file: hand in the notebook itself.")
    return io.FileIO(descriptor, closefd=True)


def capped(stream: io.BufferedIOBase | IO[bytes], limit: int, name: str) -> bytes:
    """Return everything in a stream; RefusedError where it is longer than `limit` bytes, which are all that is held."""
    chunks, size = [], 0
    while chunk := stream.read(min(64 * 1024, limit + 1 - size)):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise RefusedError(
                f"{quoted(name)} is larger than {in_bytes(limit)}: clear its outputs (Edit > Clear all outputs), "
                "save it and hand it in again."
            )
    return b"".join(chunks)


def choose(notebooks: Sequence[HandInFile], expected: str) -> tuple[HandInFile, list[str]]:
    """Return the notebook to take, and remarks: of those nearest to the top the newest, then the rightly named."""
    repairs = []
    top = min(file.depth for file in notebooks)
    chosen = max(
        (file for file in notebooks if file.depth == top),
        key=lambda file: (file.mtime, PurePosixPath(file.name).name == expected, file.name),
    )
    if len(notebooks) > 1:
        rest = sorted(file.name for file in notebooks if file is not chosen)
        repairs.append(
            f"Several notebooks were handed in: {quoted(chosen.name)} is the newest and was taken, "
            f"{quoted_list(rest)} left aside."
        )
    if PurePosixPath(chosen.name).name != expected:
        repairs.append(f"The notebook was handed in as {quoted(chosen.name)}, not as {quoted(expected)}: it was taken.")
    return chosen, repairs


def is_notebook(name: str) -> bool:
    """Return whether a file's name is a notebook's."""
    return name.lower().endswith(".ipynb")


def in_bytes(size: int) -> str:
    """Return a size in words, in whole MiB where it is that large."""
    return f"{size // MIB} MiB" if size >= MIB else f"{size} bytes"


def quoted_list(names: Sequence[str]) -> str:
    """Return the first names, each in quotes, and how many more there are."""
    return short_list([quoted(name) for name in names])
