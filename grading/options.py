"""Options of running submissions, as plain data: limits, isolation, workers. Defaults stand here and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MIB = 2**20


class Isolation(StrEnum):
    """The wall between student code and the machine."""

    bwrap = "bwrap"
    none = "none"


@dataclass(frozen=True)
class Resources:
    """Limits of a sandbox."""

    memory_bytes: int = 4096 * MIB
    tasks: int = 512
    """Processes and threads at one time."""
    cpu_seconds: int = 4800
    disk_bytes: int = 1024 * MIB
    """Files in home (three quarters) and /tmp (one); they are kept in memory."""


@dataclass(frozen=True)
class Limits:
    """Limits of a submission."""

    cell_seconds: float = 600
    notebook_seconds: float = 1200
    """For the cells; the questions, and what is replayed for them, may take as long again."""
    memory_bytes: int = Resources.memory_bytes
    tasks: int = Resources.tasks
    cpu_seconds: int = Resources.cpu_seconds
    disk_bytes: int = Resources.disk_bytes
    output_bytes: int = MIB
    """Of each cell."""

    @property
    def resources(self) -> Resources:
        """Return the limits that the sandbox enforces."""
        return Resources(self.memory_bytes, self.tasks, self.cpu_seconds, self.disk_bytes)


@dataclass(frozen=True)
class IntakeLimits:
    """Limits of one hand-in."""

    notebook_bytes: int = 64 * MIB
    extras_bytes: int = 100 * MIB
    files: int = 1000
    archive_bytes: int = 200 * MIB


@dataclass(frozen=True)
class Workers:
    """Place where jobs run, and how many run at a time."""

    count: int = 1
    scheduler: str = ""
    """Address of a running Dask scheduler; empty for workers of our own."""
    tls: Mapping[str, str] | None = None
    """`ca_file`, `client_cert` and `client_key`, for a scheduler at a `tls://` address."""
    gpu: bool = False
    """Whether each submission has a GPU, which it shares with no other."""


@dataclass(frozen=True)
class Options:
    """Options of one run of `course grade`."""

    submitted: Path | None = None
    """Folder of hand-ins; the course's own by default."""
    students: Sequence[str] = ()
    """Only these; all by default."""
    repeats: int = 1
    """Seeds that each submission is run with."""
    force: bool = False
    """Whether to execute again what is stored."""
    isolation: Isolation = Isolation.bwrap
    data: Path | None = None
    withheld: Path | None = None
    """Folder of data that student code never sees, for assignments that want some."""
    workers: Workers = field(default_factory=Workers)
    limits: Limits = field(default_factory=Limits)
    threads: int = 1
    """Threads that TensorFlow may use in one operation; two submissions with one each finish before one with two."""
