"""Kernels that are forked by a server that has imported everything, each into a sandbox of its own.

Starting Python, Jupyter's kernel and TensorFlow costs seconds of processor time for every submission, and always the
same ones. A fork server pays them once. It lives in a sandbox itself and never runs student code:
`inside/fork_kernels.py` says what it does. Where that cannot be had, kernels start cold, in the same sandbox and with
the same results.
"""

import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.util import Finalize
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from grading.errors import SandboxError
from grading.options import Resources
from grading.sandbox import bubblewrap as sandbox
from grading.sandbox.bubblewrap import Mount, Sandbox
from grading.sandbox.cgroup import Cgroup
from grading.sandbox.scratch import Scratch

log = logging.getLogger(__name__)

_KEPT = 4
"""Fork servers at one time; each holds what it has imported in memory."""
_START_SECONDS = 120
_FORK_SECONDS = 30


class _Forked:
    """A kernel's process, which is a child of the fork server; its state comes over a connection."""

    def __init__(self, connection: socket.socket, pid: int, stderr: IO[bytes]) -> None:
        self.pid, self.stderr = pid, stderr
        self._connection = connection
        self._said = b""
        self._status: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        with self._lock:
            while self._status is None and select.select([self._connection], [], [], 0)[0]:
                self._hear()
            return self._status

    def wait(self, timeout: float | None = None) -> int:
        until = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while (status := self.poll()) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired("a forked kernel", timeout or 0)
            select.select([self._connection], [], [], min(left, 1.0))
        return status

    def _hear(self) -> None:
        try:
            said = self._connection.recv(64)
        except OSError:
            said = b""
        self._said += said
        if self._said.endswith(b"\n"):
            self._status = int(self._said)
        elif not said:  # it was killed before it could say anything
            self._status = -signal.SIGKILL


class ForkServer:
    """A process that kernels are forked from; everything that it has forked is gone when it is closed.

    `program` is what it runs, `imports` are the statements that it runs first; its kernels see `mounts` and
    `variables`. Raises SandboxError if it cannot be had; the message says why.
    """

    def __init__(
        self, program: Mount, imports: Sequence[str], mounts: Sequence[Mount], variables: Mapping[str, str]
    ) -> None:
        scratch = Scratch("w-")
        self.folder = scratch.path
        self._mounts = tuple(mounts)
        self._address = str(self.folder / "server")
        self._stack = contextlib.ExitStack()
        self._stack.callback(scratch.remove)
        # A Dask worker ends without closing what it holds; it is a process of multiprocessing, which knows no atexit.
        self._stack.callback(Finalize(None, self.close, exitpriority=1).cancel)
        try:
            self._start(program, imports, variables)
            self._try_out()
        except BaseException:
            self.close()
            raise

    def _start(self, program: Mount, imports: Sequence[str], variables: Mapping[str, str]) -> None:
        with socket.socket(socket.AF_UNIX) as listening, (self.folder / "log").open("wb") as said:
            listening.bind(self._address)
            listening.listen()
            settings = json.dumps({"imports": list(imports), "listening": listening.fileno()})
            command = sandbox.command_of_fork_server(self.folder, [*self._mounts, program])
            self._process = subprocess.Popen(
                [*command, "--", sys.executable, str(program.inside), settings],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=dict(variables),
                start_new_session=True,
                pass_fds=[listening.fileno()],
            )
        self._stack.callback(self._end)

    def _try_out(self) -> None:
        """Fork once, for nothing: the imports are awaited, and it shows whether a sandbox can be made in a sandbox."""
        resources = Resources()
        with sandbox.folder(self.folder) as folder, self._forked(folder, resources, None, _START_SECONDS) as box:
            try:
                status = box.process.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:
                status = -1
        if status:
            raise SandboxError(f"a forked process ended with status {status}. {self._log()}")

    @property
    def alive(self) -> bool:
        """Return whether it can fork; the machine may have killed it."""
        return self._process.poll() is None

    @contextlib.contextmanager
    def start(self, folder: Path, arguments: Sequence[Any], resources: Resources) -> Iterator[Sandbox]:
        """Start a kernel in a new sandbox, as `sandbox.start` makes one.

        `folder` is from `sandbox.folder(self.folder)`.

        `arguments` are those of `run` in `inside/kernel.py`. Raises SandboxError if it cannot be started.
        """
        with self._forked(folder, resources, arguments, _FORK_SECONDS) as box:
            yield box

    @contextlib.contextmanager
    def _forked(
        self, folder: Path, resources: Resources, arguments: Sequence[Any] | None, seconds: float
    ) -> Iterator[Sandbox]:
        command = sandbox.command_of_child(folder, self._mounts, resources)
        request = json.dumps({"bwrap": command, "arguments": arguments}).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)

            def begin(cgroup: Cgroup | None) -> _Forked:
                try:
                    return self._ask(connection, request, cgroup)
                except (OSError, ValueError) as error:
                    raise SandboxError(f"no kernel could be forked: {error}. {self._log()}") from error

            with sandbox.watched(begin, folder / "run", resources) as box:
                yield box

    def _ask(self, connection: socket.socket, request: bytes, cgroup: Cgroup | None) -> _Forked:
        connection.connect(self._address)
        reading, writing = os.pipe()
        stderr = os.fdopen(reading, "rb", buffering=0)
        try:
            socket.send_fds(connection, [request], [writing])
            pid = int(_line(connection))
            if cgroup:
                cgroup.add(pid)
            connection.sendall(b"go\n")
            said = _line(connection)
            if said != "started":
                raise OSError(said)
        except BaseException:
            stderr.close()
            raise
        finally:
            os.close(writing)
        return _Forked(connection, pid, stderr)

    def _log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace").strip()[-2000:]

    def close(self) -> None:
        """End the fork server and whatever it has forked."""
        self._stack.close()

    def _end(self) -> None:
        process = self._process
        assert process.stdin is not None
        process.stdin.close()  # it goes when nobody wants it any more
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:  # in the middle of its imports
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _line(connection: socket.socket) -> str:
    """Read one line and no more: the status of a process that ends at once may follow in the same packet."""
    said = b""
    while not said.endswith(b"\n"):
        more = connection.recv(1)
        if not more:
            raise OSError("the forked process ended at once")
        said += more
    return said.decode("utf-8", "replace").strip()


class KernelPool:
    """Fork servers, one for each kind of environment, kept while there is work. For use by one thread at a time."""

    def __init__(self) -> None:
        self._servers: dict[str, ForkServer | None] = {}

    def __enter__(self) -> "KernelPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def server(
        self, program: Mount, imports: Sequence[str], mounts: Sequence[Mount], variables: Mapping[str, str]
    ) -> ForkServer | None:
        """Return the fork server for kernels with these mounts and variables; None where there can be none."""
        key = json.dumps([imports, [[str(mount.source), str(mount.inside)] for mount in mounts], dict(variables)])
        if (kept := self._servers.get(key)) and not kept.alive:
            self._close(key)
        if key in self._servers:
            self._servers[key] = self._servers.pop(key)  # the latest used is the last to go
            return self._servers[key]
        while len(self._servers) >= _KEPT:
            self._close(next(iter(self._servers)))
        try:
            self._servers[key] = ForkServer(program, imports, mounts, variables)
        except SandboxError as error:
            log.info("Kernels start cold, which takes longer: %s", error)
            self._servers[key] = None
        return self._servers[key]

    def close(self) -> None:
        """End all of them."""
        while self._servers:
            self._close(next(iter(self._servers)))

    def _close(self, key: str) -> None:
        if server := self._servers.pop(key):
            server.close()
