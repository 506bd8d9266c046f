"""Try, from inside a sandbox, every system call that it refuses, one by one, and print what the kernel answers.

Called as `python tools/try_system_calls.py`. Three kernels are asked: one that starts cold, one that is forked warm,
and one without the filter, which shows what the namespaces alone would have answered. Prints a Markdown table.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from grading.options import MIB, Isolation, Resources
from grading.sandbox.forkserver import KernelPool
from grading.sandbox.kernel import Environment, Kernel, started
from grading.sandbox.system_calls import ABSENT, FAMILIES, NAMESPACES, REFUSED, Filter, system_call_filter

HELPERS = Path(__file__).parents[1] / "helpers"
INSIDE = """
import ctypes, errno, json
seccomp = ctypes.CDLL("libseccomp.so.2")
libc = ctypes.CDLL(None, use_errno=True)
def call(name, arguments):
    number = name if isinstance(name, int) else seccomp.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return "unknown here"
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
"""
ZEROS = (0, 0, 0, 0, 0, 0)
SIGCHLD = 17
FAMILY_NAMES = {1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET", 38: "AF_ALG"}
FAMILY_NAMES |= {29: "AF_CAN", 31: "AF_BLUETOOTH", 40: "AF_VSOCK", 44: "AF_XDP"}
KINDS = ("cold", "warm", "without the filter")


@dataclass(frozen=True)
class Try:
    """One call: how it is written, and what is passed."""

    said: str
    call: str | int
    arguments: Sequence[int]
    forks: bool = False
    """Where it is allowed it would make a process, so it is not tried without the filter."""


def tries() -> Iterator[Try]:
    """Yield every call that is refused, then some that are allowed, for comparison."""
    for name in (*REFUSED, *ABSENT):
        yield Try(f"{name}(0, 0, 0, 0, 0, 0)", name, ZEROS, forks=name in ("clone3",))
    for name, flag in NAMESPACES.items():
        if name != "CLONE_NEWTIME":
            yield Try(f"clone({name} + SIGCHLD, 0, ...)", "clone", (flag | SIGCHLD, 0, 0, 0, 0, 0), forks=True)
    for family in sorted(set(FAMILY_NAMES) - set(FAMILIES)):
        yield Try(f"socket({FAMILY_NAMES[family]}, SOCK_STREAM, 0)", "socket", (family, 1, 0))
    yield Try("socket(AF_VSOCK + 2**32, SOCK_STREAM, 0)", "socket", (40 | 1 << 32, 1, 0))
    yield Try("socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)", "socket", (16, 3, 9))
    yield Try("ioctl(0, TIOCSTI, 0)", "ioctl", (0, 0x5412, 0))
    yield Try("ioctl(0, TIOCLINUX, 0)", "ioctl", (0, 0x541C, 0))
    yield Try("getpid() of x32", 39 | 0x40000000, ())
    for family in FAMILIES:
        yield Try(
            f"socket({FAMILY_NAMES[family]}, SOCK_{'RAW' if family == 16 else 'STREAM'}, 0) (allowed)",
            "socket",
            (family, 3 if family == 16 else 1, 0),
        )


def answers(kernel: Kernel, asked: Mapping[str, tuple[str | int, Sequence[int]]]) -> dict[str, str]:
    """Ask a kernel; return the name of the error, or `done`, by call."""
    code = f"{INSIDE}\nprint(json.dumps({{k: call(*v) for k, v in json.loads({json.dumps(asked)!r}).items()}}))"
    run = kernel.run(code, 60)
    found: dict[str, str] = json.loads("".join(output.get("text", "") for output in run.outputs))
    return found


@contextmanager
def kernel_of(kind: str) -> Iterator[Kernel]:
    """Start a kernel of one of KINDS."""
    with tempfile.TemporaryDirectory() as questions, KernelPool() as pool:
        environment = Environment({}, Path(questions), {}, HELPERS, {}, imports=("import json",))
        chosen = system_call_filter() if kind != "without the filter" else Filter(b"", "left out, to compare")
        with (
            patch("grading.sandbox.kernel.system_call_filter", lambda: chosen),
            started(
                environment, Resources(1000 * MIB), Isolation.bwrap, 200_000, pool if kind == "warm" else None
            ) as kernel,
        ):
            yield kernel


def table() -> str:
    """Return the answers as a table."""
    every = list(tries())
    found = {}
    for kind in KINDS:
        wanted = {one.said: (one.call, one.arguments) for one in every if not (one.forks and kind == KINDS[-1])}
        with kernel_of(kind) as kernel:
            found[kind] = answers(kernel, wanted)
    rows = [[f"`{one.said}`", *(found[kind].get(one.said, "not tried") for kind in KINDS)] for one in every]
    head = ["tried from inside", *KINDS]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    print(f"The filter: {system_call_filter().state}.\n\n{table()}")
