"""The examiner's process: a sandbox of its own, in which the master's tests run and no student code ever does.

A worker keeps one for each notebook. It has imported what the master imports and has run the statements before the
first test; for each submission it forks a child, so that nothing of one submission is left when the next comes.
`sandbox/inside/course_examine.py` says what happens inside.
"""

import base64
import contextlib
import json
import logging
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import TracebackType

from grading.common.files import hash_of
from grading.errors import SandboxError
from grading.examiner.conversation import Frame
from grading.examiner.examination import Examination
from grading.options import Isolation, Resources
from grading.sandbox import bubblewrap as sandbox
from grading.sandbox.bubblewrap import RUN, Sandbox
from grading.sandbox.inside import course_wire
from grading.sandbox.kernel import EXAMINERS_PROGRAMS, Environment, place_in, variables_of
from grading.sandbox.system_calls import system_call_filter

log = logging.getLogger(__name__)

SOCKET = "examiner"
"""The file in the shared folder at which the examiner listens."""
_SETTINGS = "settings.json"
_START_SECONDS = 180
_POLL_SECONDS = 0.01
_ALL_DAY = 10**7
"""Seconds of processor time: a server examines a class, and each of its tests has a limit of its own."""
_KEPT = 4
"""Servers at one time; each holds what it has imported in memory."""


class LostError(Exception):
    """The examiner's process ended, or did not answer in time."""


class Child:
    """The process that examines one submission."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, frame: Frame) -> None:
        """Send a frame. Raises LostError if nobody listens."""
        try:
            course_wire.send_raw(self._connection, frame.head, frame.tail)
        except (OSError, course_wire.FrameError) as error:
            raise LostError(str(error)) from error

    def receive(self, until: float) -> Frame:
        """Wait for a frame until a time of `time.monotonic`. Raises LostError if none comes."""
        self._connection.settimeout(max(0.001, until - time.monotonic()))
        try:
            head, tail = course_wire.receive_raw(self._connection)
        except TimeoutError as error:
            raise LostError("it did not answer in time") from error
        except (OSError, course_wire.FrameError) as error:
            raise LostError(str(error)) from error
        finally:
            self._connection.settimeout(None)
        return Frame(head, tail)

    def close(self) -> None:
        """Close the connection, at which the process ends."""
        self._connection.close()


class ExaminerServer:
    """A running examiner of one notebook. Raises SandboxError if it cannot be started; the message says why."""

    def __init__(
        self, environment: Environment, examination: Examination, resources: Resources, isolation: Isolation
    ) -> None:
        self._stack = contextlib.ExitStack()
        try:
            self._box, self._address = self._start(environment, examination, resources, isolation)
        except BaseException:  # Ctrl-C too: nothing of it may go on running
            self.close()
            raise

    def _start(
        self, environment: Environment, examination: Examination, resources: Resources, isolation: Isolation
    ) -> tuple[Sandbox, Path]:
        folder = self._stack.enter_context(sandbox.folder())
        isolated = isolation is Isolation.bwrap
        place = place_in(folder, environment, isolation, EXAMINERS_PROGRAMS)
        run = RUN if isolated else PurePosixPath(folder / "run")
        settings = {
            "listen": str(run / SOCKET),
            "imports": list(environment.imports),
            "setup": [[setup.cell, setup.source] for setup in examination.first],
            "tests": [test.source for _, test in examination.steps],
            "seed": environment.seed,
            "filter": base64.b64encode(system_call_filter().program).decode() if isolated else "",
            "file_bytes": resources.disk_bytes,
            "home": place.home,
            "tmp": place.tmp,
            "isolated": isolated,
        }
        (folder / "run" / _SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
        argv = [sys.executable, f"{place.library}/course_examine.py", str(run / _SETTINGS)]
        variables = variables_of(environment, place)
        whole = replace(resources, cpu_seconds=_ALL_DAY)
        box = self._stack.enter_context(sandbox.start(folder, argv, place.mounts, variables, whole, isolation))
        return box, folder / "run" / SOCKET

    def connect(self) -> Child:
        """Return a child that has run the first setup. Raises LostError if the server has ended."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._address))
            except OSError:
                connection.close()
                if not self._box.alive:
                    raise LostError(f"{self._box.cause()}. {self._box.stderr.strip()[-2000:]}") from None
                time.sleep(_POLL_SECONDS)
            else:
                return Child(connection)
        raise LostError(f"it did not start within {_START_SECONDS} s. {self._box.stderr.strip()[-2000:]}")

    @property
    def alive(self) -> bool:
        """Return whether its process runs."""
        return self._box.alive

    def close(self) -> None:
        """End it and all that it has forked."""
        self._stack.close()


class ExaminerPool:
    """Examiners, one for each notebook and environment, kept while there is work. For one thread at a time."""

    def __init__(self) -> None:
        self._servers: dict[str, ExaminerServer] = {}

    def __enter__(self) -> "ExaminerPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def child(
        self, environment: Environment, examination: Examination, resources: Resources, isolation: Isolation
    ) -> Child:
        """Return a child for one submission. Raises SandboxError if no examiner can be started."""
        key = _environment_key(environment, examination, resources, isolation)
        for _ in range(2):  # one that serves a single submission has ended when the next one comes
            try:
                return self._server(key, environment, examination, resources, isolation).connect()
            except LostError as error:
                why = str(error)
                self.discard(environment, examination, resources, isolation)
        raise SandboxError(f"the examiner, which runs the tests of the master, did not start: {why}")

    def prepare(
        self, environment: Environment, examination: Examination, resources: Resources, isolation: Isolation
    ) -> None:
        """Start the examiner for a child that will be asked for, if none runs. Raises SandboxError if that fails."""
        key = _environment_key(environment, examination, resources, isolation)
        self._server(key, environment, examination, resources, isolation)

    def _server(
        self, key: str, environment: Environment, examination: Examination, resources: Resources, isolation: Isolation
    ) -> ExaminerServer:
        server = self._servers.pop(key, None)  # the latest used is the last to go
        if server is not None and not server.alive:
            server.close()
            server = None
        while server is None and len(self._servers) >= _KEPT:
            self._servers.pop(next(iter(self._servers))).close()
        self._servers[key] = server or ExaminerServer(environment, examination, resources, isolation)
        return self._servers[key]

    def discard(
        self, environment: Environment, examination: Examination, resources: Resources, isolation: Isolation
    ) -> None:
        """End the examiner of a notebook, which hangs or was harmed; the next child has a new one."""
        if server := self._servers.pop(_environment_key(environment, examination, resources, isolation), None):
            server.close()

    def close(self) -> None:
        """End all of them."""
        while self._servers:
            self._servers.popitem()[1].close()


def _environment_key(
    environment: Environment, examination: Examination, resources: Resources, isolation: Isolation
) -> str:
    paths = [
        sorted((name, str(path)) for name, path in group.items())
        for group in (environment.data, environment.extras, environment.files)
    ]
    return hash_of(
        [
            paths,
            str(environment.helpers),
            sorted(environment.variables.items()),
            environment.seed,
            environment.imports,
            [[setup.cell, setup.source] for setup in examination.first],
            [test.source for _, test in examination.steps],
            repr(resources),
            isolation.value,
        ]
    )
