"""A fork server, which has imported already and forks a kernel for each submission. Runs no student code itself.

Called as `python fork_kernels.py SETTINGS`, where SETTINGS is JSON: `imports`, statements to run, and `listening`,
the file descriptor of a socket. Standard input stays open as long as the server is wanted.

Each connection asks for one kernel: a child leaves this sandbox for a new one, which bubblewrap makes inside it, gives
up all rights over it, and only then becomes the kernel. Nothing of one submission comes near the server or the next
submission: what the server is told is not secret, and what the student's process inherits is these imports.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import kernel

_MAX_REQUEST = 65536
_NAMESPACES = {  # sched.h
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "net": 0x40000000,
    "pid": 0x20000000,
    "mnt": 0x00020000,
}
_USER_NAMESPACE = 0x10000000
_NS_GET_PARENT = 0xB702  # ioctl_ns(2)
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER = 1, 24, 36
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_HOLD = ["/bin/sh", "-c", "echo ready; read -r end"]
"""Keeps a sandbox until the pipe to it is closed."""

_libc = ctypes.CDLL(None, use_errno=True)


def main():
    settings = json.loads(sys.argv[1])
    # The course's library, then (in the child) the working directory, as `kernel.main` has them; not this folder.
    del sys.path[0]
    kernel.prepare(settings["imports"])
    with contextlib.suppress(ImportError):  # it is tried again where it is wanted
        importlib.import_module("course_answer")
        importlib.import_module("course_values").warm()
    if sum(1 for _ in Path("/proc/self/task").iterdir()) > 1:
        sys.exit("an import has started a thread: this process cannot be forked")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for, nor what they leave
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1))
    gc.collect()
    gc.freeze()
    listening = socket.socket(fileno=settings["listening"])
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)  # there is nothing to be tidied up, which takes a while after so many imports
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _serve(connection)
        connection.close()


def _serve(connection):
    """Make a sandbox in a child process, put a kernel into it, and say how that ended. Does not return.

    The conversation: a request with a pipe for stderr; our process id; `go`; `started`, or what is wrong; the
    status of the end.
    """
    server = os.getppid()
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
    if os.getppid() != server:
        os._exit(1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        data, (stderr,), _, _ = socket.recv_fds(connection, _MAX_REQUEST, 1)
        request = json.loads(data)
        connection.sendall(b"%d\n" % os.getpid())
        if connection.recv(3) != b"go\n":
            os._exit(1)
        with _sandbox(request["bwrap"]) as pid:
            _join(pid)
        _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))  # other rights may have cleared it
        child = os.fork()
        if child == 0:
            _become_the_kernel(stderr, request)
        os.close(stderr)
        connection.sendall(b"started\n")
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.sendall(f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)
    _, status = os.waitpid(child, 0)
    _kept[0].stdin.close()  # whatever else runs in the sandbox ends with it
    with contextlib.suppress(OSError):
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        connection.recv(1)  # our process id stays ours until nobody needs it
    os._exit(0)


_kept = []
"""What must not be collected as long as this process lives: the end of the pipe that holds the sandbox."""


@contextlib.contextmanager
def _sandbox(command):
    """Start bubblewrap; yield the process in the new namespaces. It ends with this process."""
    told, tell = os.pipe()
    process = subprocess.Popen(
        [*command, "--info-fd", str(tell), "--", *_HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[tell],
    )
    _kept.append(process)
    os.close(tell)
    with os.fdopen(told, encoding="ascii") as info, process.stdout as said:
        if said.readline() != b"ready\n":
            raise RuntimeError("bubblewrap could not make a sandbox in the sandbox")
        yield json.load(info)["child-pid"]


def _join(pid):
    """Join all namespaces of a process. Its user namespace is one that may make no others: it comes last."""
    own = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
    others = {kind: os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in _NAMESPACES}
    owning = fcntl.ioctl(own, _NS_GET_PARENT)
    _check(_libc.setns(owning, _USER_NAMESPACE))
    for kind, descriptor in others.items():
        _check(_libc.setns(descriptor, _NAMESPACES[kind]))
    _check(_libc.setns(own, _USER_NAMESPACE))


def _become_the_kernel(stderr, request):
    """Become the kernel, as grandchild in all the new namespaces: keep nothing, then run it. Does not return."""
    status = 1
    try:
        _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
        os.setsid()
        nothing = os.open("/dev/null", os.O_RDWR)
        for number, descriptor in enumerate((nothing, nothing, stderr)):
            os.dup2(descriptor, number)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        _give_up_rights()
        os.chdir(os.environ["HOME"])
        sys.path.insert(1, "")
        _kept.clear()
        if request["arguments"] is not None:  # else it is only tried out
            kernel.run(*request["arguments"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _give_up_rights():
    """Give up all capabilities, now and for any program; raises OSError if one could be left."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    for capability in range(last + 1):
        _check(_libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def _check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
