"""The part of control groups of version 2 that this process may divide: the one it was given, or one it asks for.

Version 2 has two rules (cgroup-v2.rst): a group whose children have limits holds no processes itself, and a group may
be divided only by whom it was delegated to. So this process moves into a group of its own, `LEAF`, and gives limits to
that one's neighbours. Where its group was not delegated, as after an ordinary login, systemd is asked for one that is:
a scope of this user's, or of the system's for root, which ends with this process.
"""

import contextlib
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

LEAF = "course-grading"
CONTROLLERS = ("memory", "pids")
_TRIES = 20
"""Others may be starting in the group while it is emptied."""
_SCOPE_SECONDS = 5.0
_MANAGER = (
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
    "StartTransientUnit",
)


@cache
def divisible(root: Path, membership: Path) -> Path | None:
    """Return the group below which groups with limits can be made; None where there is none.

    `root` is where control groups are mounted, `membership` the file that says which this process is in. The answer
    is remembered: it may have moved this process.
    """
    own = own_group(root, membership)
    if own.name == LEAF:  # whoever started this process has divided the group
        return own.parent
    if _has_controllers(own):
        return own
    given = own if is_delegated(own, root) else _ask_systemd(root, membership)
    return given if given is not None and divide(given) else None


def own_group(root: Path, membership: Path, controllers: str = "") -> Path:
    """Return the folder of this process's own group: of these controllers, or of version 2."""
    with contextlib.suppress(OSError):
        for line in membership.read_text(encoding="utf-8").splitlines():
            _, names, path = line.split(":", 2)
            if names == controllers:
                return root / path.lstrip("/")
    return root


def is_delegated(group: Path, root: Path) -> bool:
    """Return whether a group is ours to divide: a container's own root, or one that systemd has marked."""
    if group == root:
        return os.access(group / "cgroup.procs", os.W_OK)
    for mark in ("user.delegate", "trusted.delegate"):  # systemd.resource-control(5), Delegate=
        with contextlib.suppress(OSError):
            if os.getxattr(group, mark) == b"1":
                return os.access(group / "cgroup.procs", os.W_OK)
    return False


def divide(group: Path, controllers: Sequence[str] = CONTROLLERS) -> bool:
    """Move all processes of a group into `LEAF` below it, so that its other children may have limits."""
    try:
        leaf = group / LEAF
        leaf.mkdir(exist_ok=True)
        for _ in range(_TRIES):
            for pid in (group / "cgroup.procs").read_text(encoding="ascii").split():
                with contextlib.suppress(OSError):  # it has just ended, or is a thread of the kernel's own
                    (leaf / "cgroup.procs").write_text(pid, encoding="ascii")
            with contextlib.suppress(OSError):  # busy: another process has begun there meanwhile
                wanted = " ".join(f"+{name}" for name in controllers)
                (group / "cgroup.subtree_control").write_text(wanted, encoding="ascii")
            if _has_controllers(group, controllers):
                return True
            time.sleep(0.01)
    except OSError as error:
        log.info("%s cannot be divided: %s", group, error)
    return False


def _has_controllers(group: Path, controllers: Sequence[str] = CONTROLLERS) -> bool:
    try:
        return set(controllers) <= set((group / "cgroup.subtree_control").read_text(encoding="ascii").split())
    except OSError:
        return False


def _ask_systemd(root: Path, membership: Path) -> Path | None:
    """Return a new scope that this process is in and may divide; None where there is no systemd to ask."""
    busctl = shutil.which("busctl")
    if busctl is None:
        return None
    before = own_group(root, membership)
    said = subprocess.run(scope_request(busctl, os.geteuid(), os.getpid()), capture_output=True, text=True)
    if said.returncode:
        log.info("systemd gives no control group: %s", said.stderr.strip())
        return None
    until = time.monotonic() + _SCOPE_SECONDS
    while (now := own_group(root, membership)) == before and time.monotonic() < until:
        time.sleep(0.02)
    return now if now != before and is_delegated(now, root) else None


def scope_request(busctl: str, user: int, pid: int) -> list[str]:
    """Return the command that asks systemd for a delegated scope with a process in it (org.freedesktop.systemd1(5))."""
    manager = "--system" if user == 0 else "--user"
    properties = [
        *("Description", "s", "course: grading"),
        *("PIDs", "au", "1", str(pid)),
        *("Delegate", "b", "true"),
        *("CollectMode", "s", "inactive-or-failed"),
    ]
    name = f"course-grading-{pid}.scope"
    return [busctl, manager, "call", *_MANAGER, "ssa(sv)a(sa(sv))", name, "fail", "4", *properties, "0"]
