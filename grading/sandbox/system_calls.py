"""The system calls that a sandbox refuses: a second wall, under the namespaces.

What a notebook with NumPy, TensorFlow, threads, subprocesses and files needs is allowed; what leads to the kernel's
less trodden parts, to other namespaces, or past the network's (AF_VSOCK leads from a virtual machine to its host) is
not. The filter is a program for the kernel (seccomp(2)), made by libseccomp, installed by `inside/kernel.py` in the
process that will run student code, for all its threads and all that it starts. It cannot be taken off again.
"""

import errno
import logging
import socket
import tempfile
from dataclasses import dataclass
from functools import cache
from typing import Any

log = logging.getLogger(__name__)

REFUSED = (
    # keys, tracing, other processes' memory
    *("add_key", "keyctl", "request_key", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    # parts of the kernel that many attacks went through, and no notebook goes through
    *("bpf", "perf_event_open", "userfaultfd", "lookup_dcookie", "fanotify_init", "name_to_handle_at"),
    "open_by_handle_at",
    # mounts and namespaces
    *("mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    *("pivot_root", "chroot", "setns", "unshare"),
    # the machine itself
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff"),
    *("acct", "quotactl", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname"),
    *("setdomainname", "iopl", "ioperm", "modify_ldt", "syslog", "vhangup"),
)
"""Refused with EPERM."""
ABSENT = ("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3")
"""Refused with ENOSYS, so that libraries take the older way; clone3 hides its flags from a filter, clone does not."""
NAMESPACES = {
    "CLONE_NEWTIME": 0x00000080,
    "CLONE_NEWNS": 0x00020000,
    "CLONE_NEWCGROUP": 0x02000000,
    "CLONE_NEWUTS": 0x04000000,
    "CLONE_NEWIPC": 0x08000000,
    "CLONE_NEWUSER": 0x10000000,
    "CLONE_NEWPID": 0x20000000,
    "CLONE_NEWNET": 0x40000000,
}
"""Flags of clone(2) that are refused; CLONE_NEWTIME is one of unshare's only, and a signal's number in clone."""
FAMILIES = (1, 2, 10, 16)
"""Socket families that are allowed: local, the internet's two (there is no network to reach), netlink."""
NETLINK_ROUTE = 0
"""The one protocol of netlink that libraries ask (getifaddrs)."""
TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into somebody's terminal."""
_LOW_32 = 0xFFFFFFFF


@dataclass(frozen=True)
class Filter:
    """A program for seccomp(2); empty where none can be made."""

    program: bytes
    why_not: str = ""

    @property
    def state(self) -> str:
        """Say for the record whether system calls are filtered."""
        return "filtered" if self.program else f"not filtered: {self.why_not}"


@cache
def system_call_filter() -> Filter:
    """Make the filter for this machine. Without libseccomp there is none: namespaces and limits stand alone then."""
    try:
        return Filter(_program())
    except (ImportError, OSError, RuntimeError, ValueError, AttributeError) as error:
        # pyseccomp raises RuntimeError where libseccomp.so is missing or does not know this processor
        why = f"{type(error).__name__}: {error}"
        log.warning("System calls of student code are not filtered (%s): install libseccomp and pyseccomp", why)
        return Filter(b"", why)


def _program() -> bytes:
    import pyseccomp as seccomp  # it loads libseccomp.so, which may be missing

    refuse, absent = seccomp.ERRNO(errno.EPERM), seccomp.ERRNO(errno.ENOSYS)
    rules = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    rules.set_attr(seccomp.Attr.ACT_BADARCH, absent)  # 32-bit calls, and those of x32
    for name in REFUSED:
        _add(rules, refuse, name)
    for name in ABSENT:
        _add(rules, absent, name)
    for name, flag in NAMESPACES.items():
        if name != "CLONE_NEWTIME":
            rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    for call in ("socket", "socketpair"):
        for family in set(range(max(FAMILIES))) - set(FAMILIES):
            rules.add_rule(refuse, call, seccomp.Arg(0, seccomp.EQ, family))
        rules.add_rule(refuse, call, seccomp.Arg(0, seccomp.GT, max(FAMILIES)))
        netlink = seccomp.Arg(0, seccomp.EQ, int(socket.AF_NETLINK))
        rules.add_rule(refuse, call, netlink, seccomp.Arg(2, seccomp.NE, NETLINK_ROUTE))
    for request in TERMINAL:  # the kernel looks at 32 bits of it
        rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, _LOW_32, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _add(rules: Any, action: Any, name: str) -> None:
    """Add a rule for a system call; one that this processor does not have needs none."""
    try:
        rules.add_rule(action, name)
    except (OSError, RuntimeError, ValueError) as error:
        log.debug("no rule for %s: %s", name, error)
