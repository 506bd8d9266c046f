"""A Jupyter kernel in a sandbox, and one cell run in it, whatever the cell or the kernel does.

Messages come from a process that student code controls: they are bounded in size and number, and one that makes
no sense is dropped. Nothing in them decides points.
"""

import base64
import contextlib
import json
import logging
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.session import Session
from nbformat.v4 import output_from_msg

from grading.common.text import clean
from grading.errors import SandboxError
from grading.options import Isolation, Resources
from grading.sandbox import bubblewrap as sandbox
from grading.sandbox.bubblewrap import HOME, RUN, Mount, Sandbox
from grading.sandbox.forkserver import ForkServer, KernelPool
from grading.sandbox.system_calls import system_call_filter

log = logging.getLogger(__name__)

LIBRARY = PurePosixPath("/opt/course")
DATA = PurePosixPath("/data")
QUESTIONS = PurePosixPath("/questions")
INSIDE = Path(__file__).parent / "inside"
EXAMINERS_OWN = (
    *("course_examine.py", "course_shell.py", "course_talk.py", "course_standin.py", "course_kinds.py"),
    *("course_offered.py", "course_guard.py", "course_clocks.py", "course_patches.py"),
)
"""What only the examiner needs."""
STUDENTS_PROGRAMS = tuple(sorted(path.name for path in INSIDE.glob("course_*.py") if path.name not in EXAMINERS_OWN))
EXAMINERS_PROGRAMS = (*STUDENTS_PROGRAMS, *EXAMINERS_OWN, "kernel.py")
ANSWER = "application/x-course-answer"
_MAX_MESSAGE = 16 * 2**20
_MAX_WAITING = 16
_MAX_OUTPUTS = 500
_FLOOD = 64
"""A cell that prints this many times its limit is interrupted."""
_START_SECONDS = 180
_INTERRUPT_GRACE = 5.0
_IDLE_GRACE = 1.0
_ECHO_SECONDS = 0.2
_LISTEN_SECONDS = 0.05
_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_SHOWN = ("text/plain", "image/png", "image/jpeg")


class Ended(StrEnum):
    """The way a cell came to its end."""

    ok = "ok"
    error = "error"
    interrupted = "interrupted"
    died = "died"


@dataclass(frozen=True)
class CellRun:
    """Outcome of one cell."""

    ended: Ended
    outputs: list[dict[str, Any]]
    cause: str = ""
    """Why it was interrupted or died, or the exception in words."""
    answer: str = ""
    """Base64 of the answer that the cell published, if it did."""
    from_outside: bool = False
    """Killed by something other than this course's limits or the student's code, as far as can be seen."""


@dataclass
class _Collected:
    """Outputs of a cell, bounded."""

    limit: int
    outputs: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0
    seen: int = 0
    answer: str = ""
    idle: bool = False
    cut: bool = False

    def add(self, message: Mapping[str, Any]) -> None:
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "status":
            self.idle = self.idle or content["execution_state"] == "idle"
            return
        if kind not in ("stream", "display_data", "execute_result", "error"):
            return
        if kind == "display_data" and isinstance(content["data"].get(ANSWER), str):
            self.answer = self.answer or content["data"][ANSWER]
            return
        output = json.loads(json.dumps(_shown(output_from_msg(message))))
        size = len(json.dumps(output))
        self.seen += size
        last = self.outputs[-1] if self.outputs else {}
        if self.size + size > self.limit or (len(self.outputs) >= _MAX_OUTPUTS and kind != "error"):
            self._cut_here()
        elif kind == "stream" and last.get("output_type") == "stream" and last["name"] == output["name"]:
            last["text"] += output["text"]
            self.size += size
        else:
            self.outputs.append(output)
            self.size += size

    def _cut_here(self) -> None:
        if not self.cut:
            text = f"\n[more than {self.limit} bytes of output: the rest was left out]\n"
            self.outputs.append({"output_type": "stream", "name": "stdout", "text": text})
            self.cut = True


@dataclass
class Kernel:
    """A started kernel."""

    sandbox: Sandbox
    client: BlockingKernelClient
    output_bytes: int
    questions: str
    """Folder of questions, as the kernel sees it."""
    run_folder: str = str(RUN)
    """The folder of its connections, as the kernel sees it."""

    def run(self, code: str, seconds: float) -> CellRun:
        """Run a cell. It is interrupted after `seconds`; a kernel that does not let itself be interrupted is killed."""
        collected = _Collected(self.output_bytes)
        message_id = self.client.execute(code, allow_stdin=False, stop_on_error=False)
        deadline = time.monotonic() + seconds
        why, reply, replied = "", None, 0.0
        while True:
            reply = self._listen(message_id, collected) or reply
            now = time.monotonic()
            replied = replied or (now if reply else 0.0)
            if reply and (collected.idle or now > replied + _IDLE_GRACE):
                break
            if not self.sandbox.alive:
                self._listen(message_id, collected)
                return self._died(collected, self.sandbox.cause())
            flooded = collected.seen > _FLOOD * self.output_bytes
            if not why and (now > deadline or flooded):
                why = "it printed without end" if flooded else f"it ran for more than {seconds:g} s"
                self._interrupt()
                deadline = now + _INTERRUPT_GRACE
            elif why and now > deadline:
                self.sandbox.kill(f"{why} and did not let itself be interrupted")
                return self._died(collected, self.sandbox.cause())
        if why:
            return CellRun(Ended.interrupted, _explained(collected.outputs, why), why, collected.answer)
        error = _error_in(reply)
        return CellRun(Ended.error if error else Ended.ok, collected.outputs, error, collected.answer)

    @property
    def shared_folder(self) -> tuple[Path, str]:
        """Return the one folder that both sides can write, as it is here and as the kernel sees it."""
        return self.sandbox.run, self.run_folder

    def ask(self, index: int, seconds: float) -> CellRun:
        """Put a question of the folder `questions` to the student's objects."""
        return self.run(f"__import__('course_ask').ask({self.questions!r}, {index}, globals())", seconds)

    def _died(self, collected: _Collected, cause: str) -> CellRun:
        text = f"The kernel died while it ran this cell: {cause}."
        outputs = [*collected.outputs, error_output("DeadKernelError", text)]
        return CellRun(Ended.died, outputs, cause, from_outside=self.sandbox.killed_from_outside)

    def _listen(self, message_id: str, collected: _Collected) -> dict[str, Any] | None:
        """Take in what has arrived, or wait a moment for it; return the reply to the cell, if it came."""
        shell, iopub = self.client.shell_channel.socket, self.client.iopub_channel.socket
        ready, _, _ = zmq.select([shell, iopub], [], [], _LISTEN_SECONDS)
        if iopub in ready:
            for message in _messages(iopub, self.client.session, message_id):
                with contextlib.suppress(Exception):  # a message of no sense says nothing
                    collected.add(message)
        return next(iter(_messages(shell, self.client.session, message_id)), None) if shell in ready else None

    def _interrupt(self) -> None:
        self.client.control_channel.send(self.client.session.msg("interrupt_request", content={}))


@dataclass(frozen=True)
class Environment:
    """Surroundings of a submission: data, files, variables."""

    data: Mapping[str, Path]
    """The course data as students see it: path below COURSE_DATA -> file or folder here."""
    questions: Path
    extras: Mapping[str, Path]
    """What else was handed in: path in the working directory -> file here."""
    helpers: Path
    """The students' library, the folder `helpers`."""
    variables: Mapping[str, str]
    """Settings for the kernel's environment."""
    seed: int = 0
    gpu: int | None = None
    imports: tuple[str, ...] = ()
    """Statements that every submission begins with: a fork server has run them already."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """The course's own files in the working directory: path there -> file here. They win over what was handed in."""


@contextlib.contextmanager
def started(
    environment: Environment,
    resources: Resources,
    isolation: Isolation,
    output_bytes: int,
    pool: KernelPool | None = None,
) -> Iterator[Kernel]:
    """Start a kernel that answers; it ends, with all that it started, at the end of the block.

    Output of a cell beyond `output_bytes` is dropped. With a pool it is forked from a fork server where that can be.
    Raises SandboxError if the kernel does not start.
    """
    server = fork_server(pool, environment) if pool and isolation is Isolation.bwrap else None
    with contextlib.ExitStack() as stack:
        kernel = None
        if server is not None:
            try:
                with contextlib.ExitStack() as attempt:
                    kernel = _start(attempt, environment, resources, isolation, output_bytes, server)
                    stack.push(attempt.pop_all())
            except SandboxError as error:  # it may have died since it was chosen, and a cold start needs none
                log.warning("a kernel starts cold, since none could be forked: %s", error)
        if kernel is None:
            kernel = _start(stack, environment, resources, isolation, output_bytes, None)
        yield kernel


def _start(
    stack: contextlib.ExitStack,
    environment: Environment,
    resources: Resources,
    isolation: Isolation,
    output_bytes: int,
    server: ForkServer | None,
) -> Kernel:
    """Start a kernel, forked or cold, that ends with the stack."""
    folder = stack.enter_context(sandbox.folder(server.folder if server else None))
    place = place_in(folder, environment, isolation)
    connection = {
        "transport": "ipc",
        **{f"{channel}_port": number for number, channel in enumerate(_CHANNELS, 1)},
        "key": secrets.token_hex(16),
        "signature_scheme": "hmac-sha256",
    }
    inside = json.dumps({**connection, "ip": f"{place.run}/s"})
    (folder / "run" / "connection.json").write_text(inside, encoding="utf-8")
    settings = {
        "seed": environment.seed,
        "tasks": resources.tasks if isolation is Isolation.bwrap else 0,  # else it counts all of the user's
        "file_bytes": resources.disk_bytes,
        "filter": base64.b64encode(system_call_filter().program).decode() if isolation is Isolation.bwrap else "",
    }
    arguments = [f"{place.run}/connection.json", settings]
    if server:
        box = stack.enter_context(server.start(folder, arguments, resources))
    else:
        whole = json.dumps({**settings, "imports": environment.imports})
        argv = [sys.executable, place.launcher, f"{place.run}/connection.json", whole]
        variables = variables_of(environment, place)
        begun = sandbox.start(folder, argv, place.mounts, variables, resources, isolation, environment.gpu)
        box = stack.enter_context(begun)
    client = stack.enter_context(_connected({**connection, "ip": str(folder / "run" / "s")}))
    kernel = Kernel(box, client, output_bytes, place.questions, place.run)
    _wait_until_ready(kernel)
    return kernel


def fork_server(pool: KernelPool, environment: Environment) -> ForkServer | None:
    """Return a fork server for this environment; None where a submission has files of its own, or a GPU."""
    if environment.extras or environment.gpu is not None:
        return None
    place = _closed(environment)
    program = Mount(INSIDE / "fork_kernels.py", LIBRARY / "fork_kernels.py")
    return pool.server(program, environment.imports, place.mounts, variables_of(environment, place))


@dataclass(frozen=True)
class Place:
    """Paths and data as a process in the sandbox sees them."""

    mounts: Sequence[Mount]
    run: str
    launcher: str
    library: str
    data: str
    questions: str
    home: str
    tmp: str


def place_in(
    folder: Path, environment: Environment, isolation: Isolation, programs: Sequence[str] | None = None
) -> Place:
    """Return where a process finds things in a sandbox that is made in `folder`, which comes from `bubblewrap.folder`.

    `programs` are the course's modules that it can import; by default those that answer for student code.
    """
    names = STUDENTS_PROGRAMS if programs is None else programs
    return _closed(environment, names) if isolation is Isolation.bwrap else _open_air(folder, environment, names)


def _in_home(environment: Environment) -> dict[str, Path]:
    return {**environment.extras, **environment.files}


def _closed(environment: Environment, programs: Sequence[str] = STUDENTS_PROGRAMS) -> Place:
    library = LIBRARY / "lib"
    mounts = [
        Mount(INSIDE / "kernel.py", LIBRARY / "kernel.py"),
        *(Mount(INSIDE / name, library / name) for name in programs),
        Mount(environment.helpers, library / "helpers"),
        Mount(environment.questions.resolve(), QUESTIONS),
        *(Mount(source.resolve(), DATA / name) for name, source in sorted(environment.data.items())),
        *(Mount(source, HOME / name) for name, source in sorted(_in_home(environment).items())),
    ]
    return Place(
        mounts=mounts,
        run=str(RUN),
        launcher=str(LIBRARY / "kernel.py"),
        library=str(library),
        data=str(DATA),
        questions=str(QUESTIONS),
        home=str(HOME),
        tmp="/tmp",
    )


def _open_air(folder: Path, environment: Environment, programs: Sequence[str] = STUDENTS_PROGRAMS) -> Place:
    """Return the same without isolation: links in a temporary folder."""
    for name, source in environment.data.items():
        target = folder / "data" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source.resolve())
    for name, source in _in_home(environment).items():
        target = folder / "home" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    (folder / "lib").mkdir()
    (folder / "lib" / "helpers").symlink_to(environment.helpers)
    for name in programs:
        (folder / "lib" / name).symlink_to(INSIDE / name)
    return Place(
        mounts=(),
        run=str(folder / "run"),
        launcher=str(INSIDE / "kernel.py"),
        library=str(folder / "lib"),
        data=str(folder / "data"),
        questions=str(environment.questions),
        home=str(folder / "home"),
        tmp=str(folder / "tmp"),
    )


def variables_of(environment: Environment, place: Place) -> dict[str, str]:
    """Return the whole environment of a process in the sandbox: nothing of the instructor's is in it."""
    return {
        "LANG": "C.UTF-8",
        "USER": "student",
        "PATH": "/usr/bin:/bin",
        "HOME": place.home,
        "TMPDIR": place.tmp,
        "PYTHONPATH": place.library,
        "PYTHONHASHSEED": str(environment.seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COURSE_SEED": str(environment.seed),
        **({"COURSE_DATA": place.data, "COURSE_DATA_READ_ONLY": "1"} if environment.data else {}),
        **environment.variables,
    }


@contextlib.contextmanager
def _connected(connection: dict[str, Any]) -> Iterator[BlockingKernelClient]:
    context = zmq.Context()
    context.setsockopt(zmq.MAXMSGSIZE, _MAX_MESSAGE)
    context.setsockopt(zmq.RCVHWM, _MAX_WAITING)
    context.setsockopt(zmq.RECONNECT_IVL, 10)  # milliseconds: the kernel's sockets are not there at once
    client = BlockingKernelClient(context=context)
    try:
        client.load_connection_info(connection)  # type: ignore[arg-type]
        client.start_channels(hb=False, stdin=False)
        yield client
    finally:
        for channel in (client.shell_channel, client.iopub_channel, client.control_channel):
            channel.stop()
        context.destroy(linger=0)


def _wait_until_ready(kernel: Kernel) -> None:
    """Wait for a reply and for its echo on the channel of outputs, which is connected a little later."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        collected = _Collected(0)
        message_id = kernel.client.kernel_info()
        asked = time.monotonic()
        replied = None
        while time.monotonic() < (deadline if replied is None else replied + _ECHO_SECONDS):
            if kernel._listen(message_id, collected) is not None:
                replied = time.monotonic()
            if collected.idle:
                log.debug("kernel ready, asked %.2f s ago", time.monotonic() - asked)
                return
            if not kernel.sandbox.alive:
                cause = kernel.sandbox.cause()
                raise SandboxError(f"the kernel did not start: {cause}. {kernel.sandbox.stderr.strip()[-2000:]}")
    raise SandboxError(f"the kernel did not start within {_START_SECONDS} s. {kernel.sandbox.stderr.strip()[-2000:]}")


def _messages(socket: Any, session: Session, parent: str) -> Iterator[dict[str, Any]]:
    """Yield messages of a socket that answer to a request; what is forged, damaged or of another request is dropped."""
    for _ in range(_MAX_WAITING):
        try:
            _, message = session.recv(socket)
        except Exception:  # a wrong signature, no JSON...
            continue
        if message is None:
            return
        if isinstance(message.get("parent_header"), dict) and message["parent_header"].get("msg_id") == parent:
            yield message


def _error_in(reply: Mapping[str, Any] | None) -> str:
    """Describe the exception that ended a cell."""
    content = reply.get("content") if reply else None
    if not isinstance(content, Mapping) or content.get("status") != "error":
        return ""
    return clean(f"{content.get('ename')}: {content.get('evalue')}")


def _explained(outputs: list[dict[str, Any]], why: str) -> list[dict[str, Any]]:
    """Say where the interruption came from: an interrupted cell shows a bare KeyboardInterrupt, or nothing."""
    kept = [output for output in outputs if output.get("ename") != "KeyboardInterrupt"]
    return [*kept, error_output("CellTimeoutError", f"This cell was interrupted: {why}.")]


def error_output(name: str, text: str) -> dict[str, Any]:
    """Return an error as notebooks hold it."""
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}


def _shown(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output without what a browser could run: text and pictures only."""
    kept: dict[str, Any] = {"output_type": output["output_type"]}
    if kept["output_type"] == "stream":
        return kept | {"name": "stderr" if output["name"] == "stderr" else "stdout", "text": str(output["text"])}
    if kept["output_type"] == "error":
        lines = [str(line) for line in output["traceback"]]
        return kept | {"ename": str(output["ename"]), "evalue": str(output["evalue"]), "traceback": lines}
    data = {kind: str(value) for kind, value in output["data"].items() if kind in _SHOWN}
    data = {kind: value for kind, value in data.items() if kind == "text/plain" or _BASE64.fullmatch(value)}
    kept |= {"data": data, "metadata": {}}
    return kept | ({"execution_count": None} if kept["output_type"] == "execute_result" else {})
