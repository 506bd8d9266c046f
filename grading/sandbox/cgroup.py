"""Limits on memory and tasks by control group, where this process may make one: version 2, or version 1.

Where it may not, the sandbox's watcher alone counts memory and tasks, ten times a second. What version 2 asks of those
who make groups is `delegation`'s business.
"""

import contextlib
import logging
import os
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.sandbox.delegation import divisible

log = logging.getLogger(__name__)

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Cgroup:
    """One group, in one folder (version 2) or in one a controller (version 1)."""

    folders: tuple[Path, ...]

    @classmethod
    @contextlib.contextmanager
    def create(cls, memory_bytes: int, tasks: int, root: Path = ROOT) -> "Iterator[Cgroup | None]":
        """Make a new group with these limits, removed at the end of the block; None where that is not allowed."""
        group = cls._make(memory_bytes, tasks, root)
        try:
            yield group
        finally:
            if group is not None:
                group._remove()

    @classmethod
    def _make(cls, memory_bytes: int, tasks: int, root: Path) -> "Cgroup | None":
        name = f"course-{os.getpid()}-{time.monotonic_ns()}"
        if (root / "cgroup.controllers").is_file():
            parent = divisible(root, MEMBERSHIP)
            if parent is None:
                return None
            folders: tuple[Path, ...] = (parent / name,)
            files = {"memory.max": memory_bytes, "memory.swap.max": 0, "pids.max": tasks}
        else:
            folders = tuple(root / kind / name for kind in ("memory", "pids"))
            files = {"memory.limit_in_bytes": memory_bytes, "pids.max": tasks}
        group = cls(folders)
        try:
            for folder in folders:
                folder.mkdir()
            for file, value in files.items():
                _write_limit(folders, file, value)
        except OSError as error:
            log.debug("no control group: %s", error)
            group._remove()
            return None
        return group

    def enter(self, command: Sequence[str]) -> list[str]:
        """Return the command, started in the group from its first instruction."""
        moves = " && ".join(f"echo $$ > {shlex.quote(str(folder / 'cgroup.procs'))}" for folder in self.folders)
        return ["/bin/sh", "-c", f'{moves} && exec "$@"', "sh", *command]

    def add(self, pid: int) -> None:
        """Move a process into the group; what it starts from now on is in it, too."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def pids(self) -> list[int]:
        """List the processes in the group."""
        try:
            return [int(line) for line in (self.folders[0] / "cgroup.procs").read_text(encoding="ascii").split()]
        except OSError:
            return []

    def out_of_memory(self) -> bool:
        """Return whether the kernel has killed something in the group for its memory."""
        for file in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError, ValueError):
                lines = (self.folders[0] / file).read_text(encoding="ascii").splitlines()
                if any(int(value) > 0 for key, value in (line.split() for line in lines) if key == "oom_kill"):
                    return True
        return False

    def _remove(self) -> None:
        for folder in self.folders:
            for _ in range(50):  # the kernel needs a moment to forget the last process
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
                else:
                    break


def _write_limit(folders: Sequence[Path], file: str, value: int) -> None:
    """Write a limit where its controller is; raises OSError where there is none (but swap may be absent)."""
    for folder in folders:
        if (folder / file).exists():
            (folder / file).write_text(str(value), encoding="ascii")
            return
    if not file.startswith("memory.swap"):
        raise FileNotFoundError(f"no {file} in {', '.join(map(str, folders))}")
