"""A place for code that nobody has read: bubblewrap, limits, and the reason when something in it dies.

Only this module knows bubblewrap. Inside there is no network, no other user's process, none of the instructor's
files or variables; the interpreter and the course data are read-only; home and /tmp are small and in memory.
Nothing that is started inside outlives the sandbox.
"""

import contextlib
import logging
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

import psutil

from grading.errors import SandboxError
from grading.options import MIB, Isolation, Resources
from grading.sandbox.cgroup import Cgroup
from grading.sandbox.scratch import Scratch

log = logging.getLogger(__name__)

HOME = PurePosixPath("/home/student")
RUN = PurePosixPath("/run/kernel")
KERNELS = PurePosixPath("/run/kernels")
"""Where a fork server has the folders of its kernels."""
OLDEST_BWRAP = (0, 8)
_WATCH_SECONDS = 0.1
_POLL_SECONDS = 0.005
_OWN_TASKS = 4
"""Bubblewrap's two, what holds a sandbox that a kernel is put into, and what waits for that kernel."""
_RUN_FILES, _RUN_BYTES = 32, 8 * MIB
_MESSAGES_BYTES = 1024 * MIB
"""How much this process may grow by what a sandbox sends it."""
_STDERR_BYTES = 16 * 1024
_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
_NOBODY = ("--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox")
_HANDSHAKE = 'echo ready && read go && exec "$@" < /dev/null > /dev/null'
"""If this process dies before bubblewrap has asked to die with it, `read` fails and nothing begins."""
INSTALL = """bubblewrap, which keeps student code from your files, is not installed. Install it:
  Debian, Ubuntu   sudo apt-get install bubblewrap
  Fedora, RHEL     sudo dnf install bubblewrap
  Arch             sudo pacman -S bubblewrap
  openSUSE         sudo zypper install bubblewrap
or grade on Linux (a container or a virtual machine will do). `--isolation none` runs student code with your rights."""


class Process(Protocol):
    """The process that a sandbox began with, as `subprocess.Popen` shows it."""

    @property
    def pid(self) -> int:
        """Its number, which stays its own until it was waited for."""

    @property
    def stderr(self) -> IO[bytes] | None:
        """The stream to which it writes its errors."""

    def poll(self) -> int | None:
        """Return its exit status, or minus the signal that ended it; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the same. Raises subprocess.TimeoutExpired."""


@dataclass(frozen=True)
class Mount:
    """A host path, seen read-only inside at `inside`."""

    source: Path
    inside: PurePosixPath


@dataclass
class Usage:
    """Resources used so far."""

    cpu_seconds: float = 0.0
    peak_memory: int = 0
    peak_tasks: int = 0


@dataclass
class Sandbox:
    """A running process tree, watched. `run` is the host's side of the one folder that both sides can write."""

    process: Process
    run: Path
    resources: Resources
    cgroup: Cgroup | None
    usage: Usage = field(default_factory=Usage)
    _own_memory: int = field(default_factory=lambda: _used(os.getpid()).memory)
    _over: str = ""
    _stderr: bytearray = field(default_factory=bytearray)
    _done: threading.Event = field(default_factory=threading.Event)

    @property
    def alive(self) -> bool:
        """Return whether the process that was started still runs."""
        return self.process.poll() is None

    @property
    def stderr(self) -> str:
        """The beginning of what was written to stderr below the kernel."""
        return bytes(self._stderr).decode("utf-8", "replace")

    def kill(self, why: str = "") -> None:
        """End everything inside, at once."""
        self._over = self._over or why
        tree = self._tree()
        for process in reversed(tree):
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        _wait_for_death(tree[1:], seconds=10)

    def cause(self) -> str:
        """Say why it died."""
        status = self.process.wait(timeout=10)
        if not self._over and self.cgroup is not None and self.cgroup.out_of_memory():
            self._over = _too_much_memory(self.resources)
        if self._over:
            return self._over
        number = -status if status < 0 else status - 128
        if number > 0 and number in set(signal.Signals):
            return f"killed by the signal {signal.Signals(number).name}"
        return f"the process ended itself with exit status {status}"

    @property
    def killed_from_outside(self) -> bool:
        """Return whether a signal killed it that this sandbox did not send: perhaps the machine, short of memory."""
        return not self._over and self.process.poll() in (-signal.SIGKILL, 128 + signal.SIGKILL)

    def _tree(self) -> list[psutil.Process]:
        """List the processes inside, the first one first; with a control group it need not look at all others."""
        try:
            root = psutil.Process(self.process.pid)
            grouped = self.cgroup.pids() if self.cgroup else []
            if not grouped:
                return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []
        others = []
        for pid in grouped:
            with contextlib.suppress(psutil.Error):  # it has just ended
                others += [psutil.Process(pid)] if pid != root.pid else []
        return [root, *others]

    def _watch(self) -> None:
        while not self._done.wait(_WATCH_SECONDS) and self.alive:
            why = self._look()
            if why:
                self.kill(why)

    def _look(self) -> str:
        """Update the usage; return the reason to kill, if there is one."""
        memory, cpu, tasks = 0, 0.0, 0
        pids = self.cgroup.pids() if self.cgroup else [process.pid for process in self._tree()]
        for pid in pids:
            with contextlib.suppress(OSError, ValueError, IndexError):  # it has just ended
                used = _used(pid)
                memory, cpu, tasks = memory + used.memory, cpu + used.cpu_seconds, tasks + used.tasks
        self.usage.cpu_seconds = max(self.usage.cpu_seconds, cpu)
        self.usage.peak_memory = max(self.usage.peak_memory, memory)
        self.usage.peak_tasks = max(self.usage.peak_tasks, tasks)
        limits = self.resources
        if memory > limits.memory_bytes and _proportional(pids) > limits.memory_bytes:
            return _too_much_memory(limits)
        if tasks > limits.tasks + _OWN_TASKS:
            return _too_many_tasks(limits)
        if cpu > limits.cpu_seconds:
            return f"it used more than {limits.cpu_seconds} s of processor time"
        if _used(os.getpid()).memory > self._own_memory + _MESSAGES_BYTES:
            return "it flooded its connection with messages"
        if _overfull(self.run):
            return "it filled the folder of its connections"
        return ""

    def _drain(self) -> None:
        assert self.process.stderr is not None
        while chunk := os.read(self.process.stderr.fileno(), 65536):
            self._stderr += chunk[: max(0, _STDERR_BYTES - len(self._stderr))]


def _wait_for_death(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Wait until none of the processes runs; a zombie does not, however long whoever has inherited it lets it wait."""
    until = time.monotonic() + seconds
    for process in processes:
        while _runs(process) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _too_much_memory(limits: Resources) -> str:
    return f"it used more than {limits.memory_bytes / MIB:g} MiB of memory"


def _too_many_tasks(limits: Resources) -> str:
    return f"it had more than {limits.tasks} processes and threads at one time"


@dataclass(frozen=True)
class _Used:
    """Resources of one process, with the children that it has waited for."""

    memory: int
    cpu_seconds: float
    tasks: int


def _used(pid: int) -> _Used:
    """Read memory, seconds and tasks of a process from /proc/<pid>/stat: one small file, where psutil reads several."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    ticks = sum(map(int, fields[11:15]))  # user, system, and those of children
    return _Used(int(fields[21]) * _PAGE, ticks / _TICKS, int(fields[17]))


def _proportional(pids: Sequence[int]) -> int:
    """Return memory of processes in bytes, shared pages counted once (the kernel's proportional set size)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            if match := re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE):
                total += int(match[1]) * 1024
    return total


def _overfull(folder: Path) -> bool:
    """Return whether more lies in a folder than a kernel's sockets; nothing in it is opened or followed."""
    files = size = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            files += 1
            if files > _RUN_FILES or entry.is_dir(follow_symlinks=False):
                return True
            with contextlib.suppress(OSError):
                size += entry.stat(follow_symlinks=False).st_size
    return size > _RUN_BYTES


@contextlib.contextmanager
def folder(within: Path | None = None) -> Iterator[Path]:
    """Make a new folder for one sandbox, with a path short enough for sockets; removed at the end of the block."""
    with contextlib.ExitStack() as stack:
        if within is None:
            scratch = Scratch("k-")
            stack.callback(scratch.remove)
            path = scratch.path
        else:
            made = tempfile.TemporaryDirectory(prefix="k-", dir=within, ignore_cleanup_errors=True)
            path = Path(stack.enter_context(made))
        for part in ("run", "home", "tmp"):
            (path / part).mkdir()
        yield path


@contextlib.contextmanager
def start(
    folder: Path,
    argv: Sequence[str],
    mounts: Sequence[Mount],
    variables: Mapping[str, str],
    resources: Resources,
    isolation: Isolation,
    gpu: int | None = None,
) -> Iterator[Sandbox]:
    """Start a command in a sandbox; everything in it is gone at the end of the block.

    Args:
        folder: From `folder()`. Its `run` is shared with the sandbox, where it is `RUN`.
        argv: The command; under bubblewrap its paths are those inside.
        mounts: What else can be read inside. Without isolation they are ignored.
        variables: The whole environment; nothing is inherited.
        resources: Limits; when one is passed everything inside is killed and `cause` says which.
        isolation: `none` runs the command with the rights of whoever grades, in the folder's `home`.
        gpu: Index of an NVIDIA device to let in.

    Raises SandboxError where bubblewrap is missing.
    """
    command = ["/bin/sh", "-c", _HANDSHAKE, "sh", *argv]
    if isolation is Isolation.bwrap:
        command = [*_bwrap(folder / "run", mounts, resources, gpu), "--", *command]

    def begin(cgroup: Cgroup | None) -> Process:
        process = subprocess.Popen(
            cgroup.enter(command) if cgroup else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder / "home",
            env=dict(variables),
            start_new_session=True,
        )
        _shake_hands(process)
        return process

    with watched(begin, folder / "run", resources) as sandbox:
        yield sandbox


@contextlib.contextmanager
def watched(begin: Callable[[Cgroup | None], Process], run: Path, resources: Resources) -> Iterator[Sandbox]:
    """Start a process by `begin`, in a control group where there is one; afterwards end it and all that it started."""
    with Cgroup.create(resources.memory_bytes, resources.tasks) as cgroup:
        process = begin(cgroup)
        sandbox = Sandbox(process, run, resources, cgroup)
        threads = [threading.Thread(target=target, daemon=True) for target in (sandbox._watch, sandbox._drain)]
        try:
            for thread in threads:
                thread.start()
            yield sandbox
        finally:
            sandbox._look()
            sandbox._done.set()
            sandbox.kill()
            for thread in threads:
                thread.join(timeout=10)
            if process.stderr is not None:
                process.stderr.close()


def _shake_hands(process: subprocess.Popen[bytes]) -> None:
    """Let the command begin, now that bubblewrap has tied its life to ours."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    with contextlib.suppress(BrokenPipeError):  # it did not even start: `cause` and `stderr` will say why
        process.stdin.write(b"go\n")
        process.stdin.close()
    process.stdout.close()


def check(isolation: Isolation) -> None:
    """Raise SandboxError, with what to do, where `isolation` cannot be had."""
    if isolation is Isolation.none:
        return
    bwrap = _find_bwrap()
    command = [bwrap, *_base_options(), "--ro-bind", "/usr", "/usr", *_links(), "/usr/bin/true"]
    tried = subprocess.run(command, capture_output=True, text=True)
    if tried.returncode:
        raise SandboxError(
            f"bubblewrap may not make a sandbox here: {tried.stderr.strip()}. In a container, allow user namespaces "
            "(for Docker: --security-opt seccomp=unconfined --security-opt systempaths=unconfined); on Ubuntu see "
            "kernel.apparmor_restrict_unprivileged_userns."
        )


@cache
def _find_bwrap() -> str:
    if platform.system() != "Linux":
        raise SandboxError(INSTALL)
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxError(INSTALL)
    said = subprocess.run([bwrap, "--version"], capture_output=True, text=True).stdout
    found = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
    if found < OLDEST_BWRAP:
        wanted = ".".join(map(str, OLDEST_BWRAP))
        raise SandboxError(f"{said.strip() or bwrap} is too old: {wanted} or newer is needed (it limits disk space)")
    return bwrap


def _base_options() -> list[str]:
    return [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"),
        *(*_NOBODY, "--proc", "/proc", "--dev", "/dev"),
    ]


def command_of_fork_server(kernels: Path, mounts: Sequence[Mount]) -> list[str]:
    """Return the command that a fork server runs in: it sees what its kernels will, and can make sandboxes below.

    Its processes can be seen from outside, and it sees those of this machine, so that a new `/proc` may be mounted
    below it. `kernels` holds the folders of its kernels and is `KERNELS` there.
    """
    options = ["--unshare-user", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
    options += [*_NOBODY, "--bind", "/proc", "/proc", "--dev", "/dev"]
    return [_find_bwrap(), *options, *_file_system(mounts, 64 * MIB), *_last(kernels, KERNELS)]


def command_of_child(folder: Path, mounts: Sequence[Mount], resources: Resources) -> list[str]:
    """Return the command for the same sandbox as `start` makes, made by a fork server in its own."""
    seen = [Mount(Path(mount.inside), mount.inside) for mount in mounts]
    return _bwrap(Path(KERNELS / folder.name / "run"), seen, resources, gpu=None)


def _bwrap(run: Path, mounts: Sequence[Mount], resources: Resources, gpu: int | None) -> list[str]:
    options = [_find_bwrap(), *_base_options(), "--size", str(64 * MIB), "--tmpfs", "/dev/shm"]
    options += _file_system(mounts, resources.disk_bytes)
    if gpu is not None:
        for device in (f"/dev/nvidia{gpu}", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"):
            options += ["--dev-bind-try", device, device]
    return [*options, *_last(run, RUN)]


def _file_system(mounts: Sequence[Mount], disk_bytes: int) -> list[str]:
    # First, since the interpreter, or what is mounted below, may lie in a folder of the same name.
    options = ["--size", str(disk_bytes - disk_bytes // 4), "--tmpfs", str(HOME)]
    options += ["--size", str(disk_bytes // 4), "--tmpfs", "/tmp"]
    options += ["--ro-bind", "/usr", "/usr", *_links()]
    for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts"):
        options += ["--ro-bind-try", path, path]
    for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)):
        if not Path(prefix).is_relative_to("/usr"):
            options += ["--ro-bind", prefix, prefix]
    for mount in mounts:
        options += ["--ro-bind", str(mount.source), str(mount.inside)]
    return options


def _last(shared: Path, inside: PurePosixPath) -> list[str]:
    closed = ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(HOME)]
    return ["--bind", str(shared), str(inside), *closed]


@cache
def _links() -> list[str]:
    """Return bubblewrap's options for `/lib` and its like: links into /usr on merged systems, folders elsewhere."""
    options = []
    for name in ("bin", "sbin", "lib", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    return options
