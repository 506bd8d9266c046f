"""Starts the kernel inside the sandbox. Standard library and ipykernel only; runs before any student code.

Called as `python kernel.py CONNECTION_FILE SETTINGS`, where SETTINGS is JSON: seed, tasks, file_bytes, filter (base64
of a program for seccomp(2), or nothing), and imports, the statements that every submission begins with. They come
first, since libraries draw random numbers when they are
imported: so a kernel that was forked after them, and one that was not, go on with the same numbers.
"""

import base64
import contextlib
import ctypes
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import sys
from types import ModuleType

IMPORTED_AT_START = (
    "ipykernel.kernelapp",
    *("IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect"),
    *("IPython.extensions.storemagic", "tornado.platform.asyncio", "tornado.queues"),
)
"""What a kernel imports while it starts; a warm parent has it ready."""


class SeedOnImport(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Seeds NumPy and TensorFlow at the moment when they are first imported: importing them here costs seconds."""

    def __init__(self, seed):
        self.seed = seed
        self.waiting = {"numpy": self._numpy, "tensorflow": self._tensorflow}
        self.loaders = {}

    def seed_what_is_there(self):
        for name in [name for name in self.waiting if name in sys.modules]:
            self.waiting.pop(name)(sys.modules[name])

    def find_spec(self, name, path=None, target=None):
        if name not in self.waiting:
            return None
        seeding = self.waiting.pop(name)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        self.loaders[name] = (spec.loader, seeding)
        spec.loader = self
        return spec

    def create_module(self, spec):
        return self.loaders[spec.name][0].create_module(spec)

    def exec_module(self, module: ModuleType):
        loader, seeding = self.loaders[module.__name__]
        module.__loader__ = module.__spec__.loader = loader
        loader.exec_module(module)
        seeding(module)

    def _numpy(self, numpy):
        numpy.random.seed(self.seed)

    def _tensorflow(self, tensorflow):
        tensorflow.random.set_seed(self.seed)


def limit(kind, value):
    """Lower a limit for good: without capabilities it cannot be raised again."""
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


_PR_SET_NO_NEW_PRIVS, _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 38, 1, 1
_SECCOMP = {"x86_64": 317, "aarch64": 277}
"""Number of seccomp(2), which glibc has no function for."""


class _Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h; an instruction has 8 bytes."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_system_calls(instructions):
    """Install a filter in all threads of this process, for good; raises OSError if that cannot be done."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(instructions) // 8, instructions)
    call = [_SECCOMP[os.uname().machine], _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC]
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(*call, ctypes.byref(program)):
        number = ctypes.get_errno()
        raise OSError(number, f"the system call filter could not be installed: {os.strerror(number)}")


def run(connection_file, settings):
    """Lower the limits, seed, and run the kernel to its end; `sys.path` is as students find it."""
    limit(resource.RLIMIT_CORE, 0)
    if settings["filter"]:
        refuse_system_calls(base64.b64decode(settings["filter"]))
    limit(resource.RLIMIT_FSIZE, settings["file_bytes"])
    if settings["tasks"]:
        limit(resource.RLIMIT_NPROC, settings["tasks"])
    random.seed(settings["seed"])
    seeding = SeedOnImport(settings["seed"])
    seeding.seed_what_is_there()
    sys.meta_path.insert(0, seeding)
    sys.argv = ["kernel", "-f", connection_file, "--HistoryManager.enabled=False"]
    sys.modules["debugpy"] = None  # nobody steps through cells here, and its import is half of the start
    from ipykernel import kernelapp  # half a second that who only wants the rest of this module need not wait

    application = kernelapp.IPKernelApp.instance()
    application.initialize()
    del sys.modules["debugpy"]
    seed_at_the_first_cell(application.shell, settings["seed"])
    application.start()


def seed_at_the_first_cell(shell, seed):
    """Seed once more when the first cell runs: how much chance a kernel uses until then depends on the machine."""

    def again():
        shell.events.unregister("pre_execute", again)
        random.seed(seed)

    shell.events.register("pre_execute", again)


def prepare(imports):
    """Import what every kernel and every submission of the assignment imports."""
    for name in IMPORTED_AT_START:
        with contextlib.suppress(ImportError):  # another version of ipykernel
            importlib.import_module(name)
    import_all(imports)


def import_all(imports):
    """Run the import statements that every submission begins with."""
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as ipykernel sets it later
    for statement in imports:
        with contextlib.suppress(Exception):  # it will fail where it is wanted, and say so there
            exec(statement, {})
    if "numpy" in sys.modules:
        importlib.import_module("numpy.random")  # wanted for the seed


def main():
    # The working directory instead of this file's folder, as in any kernel, but after the course's library: a file
    # called helpers.py that was handed in, too, must not stand in for it.
    sys.path[:2] = [sys.path[1]]
    connection_file, settings = sys.argv[1], json.loads(sys.argv[2])
    prepare(settings["imports"])
    sys.path.insert(1, "")
    run(connection_file, settings)


if __name__ == "__main__":
    main()
