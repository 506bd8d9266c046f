"""An examiner and a student's process for tests: both real, without a sandbox and without Jupyter, and a relay.

`Examination.test(student, test)` runs the student's code in a process of its own, the test in a child of the
examiner's server, and passes frames between them as the coordinator does.
"""

import ast
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

INSIDE = Path(__file__).parents[1] / "grading" / "sandbox" / "inside"
sys.path.append(str(INSIDE))
import course_wire  # noqa: E402

_STUDENTS = """
import json, os, sys, signal
sys.path.append(sys.argv[1])
import course_answer, course_arrays, random, asyncio
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    job = json.loads(line)
    if os.fork():
        continue
    os.environ.update(HOME=job["home"], TMPDIR=job["tmp"])
    os.chdir(job["home"])
    import types, linecache
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    for number, cell in enumerate(job["cells"]):
        name = f"<cell {number}>"
        linecache.cache[name] = len(cell), None, cell.splitlines(True), name
        try:
            exec(compile(cell, name, "exec"), main.__dict__)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    import time
    while True:
        try:
            course_answer.serve(job["path"], main.__dict__)
        except OSError:
            break
    os._exit(0)
"""


@dataclass
class Done:
    """How a test cell ended."""

    error: dict[str, Any] | None
    result: str | None
    output: list[list[str]]
    sites: list[list[Any]]
    asked: int
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Each frame that the examiner sent to the student, raw."""

    @property
    def said(self) -> str:
        """What was printed."""
        return "".join(text for _, text in self.output)

    @property
    def why(self) -> str:
        """The error in a line, or nothing."""
        return f"{self.error['ename']}: {self.error['evalue']}" if self.error else ""

    @property
    def digest(self) -> str:
        """Of all requests."""
        whole = hashlib.sha256()
        for head, tail in self.requests:
            whole.update(head + tail)
        return whole.hexdigest()


Answer = Callable[[dict[str, Any]], Any]
"""What is answered in the student's stead: a frame (head, blobs), bytes of none, or None: ask the student."""
Twist = Callable[[dict[str, Any], memoryview], Any]
"""The same for what becomes of the student's answer."""


class Examination:
    """A server of examiners and a parent of students' processes."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        for name in ("home", "tmp", "students"):
            (folder / name).mkdir()
        self.listen = folder / "s"
        given = {
            "listen": str(self.listen),
            "imports": ["import numpy as np", "import unittest", "import asyncio"],
            "setup": [],
            "seed": 0,
            "filter": "",
            "file_bytes": 2**30,
            "home": str(folder / "home"),
            "tmp": str(folder / "tmp"),
            **settings,
        }
        variables = {**os.environ, "PYTHONPATH": "", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        inside = {**variables, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "PYTHONHASHSEED": "0"}
        (folder / "settings.json").write_text(json.dumps(given), encoding="utf-8")
        self.server = subprocess.Popen(
            [sys.executable, str(INSIDE / "course_examine.py"), str(folder / "settings.json")],
            env=inside,
            cwd=folder / "home",
        )
        self.students = subprocess.Popen(
            [sys.executable, "-c", _STUDENTS, str(INSIDE)], env=variables, stdin=subprocess.PIPE, text=True
        )
        self._count = 0

    def close(self) -> None:
        """End both."""
        for process in (self.server, self.students):
            process.kill()
            process.wait()
        if self.students.stdin:
            self.students.stdin.close()

    def connect(self) -> socket.socket:
        """Connect to a new examiner."""
        deadline = time.monotonic() + 60
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self.listen))
                break
            except OSError:
                connection.close()
                if time.monotonic() > deadline or self.server.poll() is not None:
                    raise
                time.sleep(0.02)
        connection.settimeout(30)
        return connection

    @contextmanager
    def submission(self, student: str | Sequence[str], setup: str = "") -> Iterator["Talk"]:
        """One student's process and one examiner."""
        self._count += 1
        place = self.folder / "students" / str(self._count)
        for name in ("home", "tmp"):
            (place / name).mkdir(parents=True)
        cells = [setup, student] if isinstance(student, str) else [setup, *student]
        talk = Talk(self, place, cells)
        try:
            if setup:
                talk.set_up(setup)
            yield talk
        finally:
            talk.close()

    def test(self, student: str, test: str, setup: str = "", **options: Any) -> Done:
        """Run one test cell on a student's cell; both find what the instructor's cell `setup` binds."""
        with self.submission(dedent(student), dedent(setup)) as talk:
            return talk.test(dedent(test).strip(), **options)

    def passes(self, student: str, test: str, setup: str = "", **options: Any) -> Done:
        """Run a test that is to pass."""
        done = self.test(student, test, setup, **options)
        assert done.error is None, "\n".join(done.error["traceback"])
        return done

    def fails(self, student: str, test: str, setup: str = "", **options: Any) -> str:
        """Run a test that is to fail; gives why."""
        done = self.test(student, test, setup, **options)
        assert done.error is not None, done
        return done.why


class Talk:
    """The conversation with one examiner, and one student's process that answers."""

    def __init__(self, examination: Examination, place: Path, cells: Sequence[str]) -> None:
        self.cells = cells
        self.home = place / "home"
        self.connection = examination.connect()
        self._examination = examination
        self._path = place / "s"
        self._place = place
        self._listening: socket.socket | None = None
        self._student: socket.socket | None = None

    def set_up(self, source: str, cell: str = "setup") -> dict[str, Any]:
        """Run an instructor's cell in the examiner."""
        course_wire.send(self.connection, {"kind": "setup", "cell": cell, "source": source})
        return course_wire.receive(self.connection)[0]

    def test(
        self,
        source: str,
        names: Sequence[str] | None = None,
        believed: Any = None,
        cell: str = "test",
        libraries: Sequence[str] = (),
        answer: Answer = lambda asked: None,
        twist: Twist = lambda head, tail: None,
    ) -> Done:
        """Run a test cell."""
        found = names if names is not None else _names(self.cells[1:], source)
        frame = {"kind": "test", "cell": cell, "source": source, "names": found, "believed": believed}
        frame["libraries"] = list(libraries)
        course_wire.send(self.connection, frame)
        requests = []
        while True:
            head, tail = course_wire.receive_raw(self.connection)
            told = json.loads(head)
            if told["kind"] == "done":
                self._end_serving()
                return Done(
                    **{key: told[key] for key in ("error", "result", "output", "sites", "asked")}, requests=requests
                )
            requests.append((head, bytes(tail)))
            made_up = answer(told)
            if made_up is None:
                try:
                    student = self._connected()
                    course_wire.send_raw(student, head, tail)
                    head, tail = course_wire.receive_raw(student)
                except (course_wire.FrameError, OSError) as error:
                    made_up = {"kind": "gone", "why": f"it died ({error})"}, []
                else:
                    made_up = twist(json.loads(head), memoryview(tail)) or (head, tail)
            self._send(made_up)

    def _send(self, frame: Any) -> None:
        if isinstance(frame, bytes):
            self.connection.sendall(frame)
        elif isinstance(frame[0], bytes):
            course_wire.send_raw(self.connection, *frame)
        else:
            course_wire.send(self.connection, *frame)

    def _connected(self) -> socket.socket:
        if self._listening is None:
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(str(self._path))
            self._listening.listen()
            self._listening.settimeout(30)
            job = {"cells": self.cells, "path": str(self._path)}
            job |= {name: str(self._place / name) for name in ("home", "tmp")}
            assert self._examination.students.stdin is not None
            print(json.dumps(job), file=self._examination.students.stdin, flush=True)
        if self._student is None:
            self._student, _ = self._listening.accept()
            self._student.settimeout(30)
        return self._student

    def _end_serving(self) -> None:
        if self._student is not None:
            with suppress(course_wire.FrameError, OSError):
                course_wire.send(self._student, {"kind": "end"})
            self._student.close()
            self._student = None

    def close(self) -> None:
        """End both."""
        with suppress(course_wire.FrameError, OSError):
            course_wire.send(self.connection, {"kind": "end"})
        self.connection.close()
        self._end_serving()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self._path.unlink()


def _names(cells: Sequence[str], test: str) -> list[str]:
    """List the names that a test may need of those that cells bind."""
    bound = set()
    for node in [part for cell in cells for part in ast.walk(ast.parse(cell))]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name)
        elif isinstance(node, ast.Global):
            bound.update(node.names)
    return sorted(name for name in bound if name in test)


@pytest.fixture(scope="module")
def examination() -> Iterator[Examination]:
    """One server for all tests of a module."""
    with tempfile.TemporaryDirectory(prefix="x-") as folder:
        made = Examination(Path(folder))
        try:
            yield made
        finally:
            made.close()
