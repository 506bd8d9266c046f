"""Runs the course's test cells, and never student code: a server that forks an examiner for each submission.

Called as `python course_examine.py FILE`, where FILE holds JSON: `listen`, the path of the socket to be made;
`imports`, the statements that every submission begins with; `setup`, [[cell id, source], ...] of the instructor's
statements before the first test; `tests`, the sources of the tests, which are read once; `seed`; `filter` (base64 of a
program for seccomp(2), or ""); `file_bytes`; `home` and `tmp`, the folders that are emptied after each submission.
`clock`: false leaves the clocks as they are; `limits` are instead of those of `course_talk`. Both may be left out.

The imports and the first segment run once. Then each connection is one submission: a child that is forked for it
answers `setup` and `test` frames with `done` frames, asks over the same connection while a test runs, and exits at
`end`. Setup cells of the first segment are answered with what happened here. When a child has ended, all that it
started is killed, and home and tmp are as they were before it. A connection whose first frame is `{"kind": "kill"}`
ends the child that runs and is answered with `{"kind": "killed"}` when all is clean again.

Where an import or the first segment has started threads, a process cannot be forked: then the server says so on
standard error, serves exactly one submission itself, and exits. A new server serves the next.
"""

import base64
import contextlib
import ctypes
import gc
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import select
import shutil
import signal
import socket
import sys
from pathlib import Path

import kernel
from course_clocks import Clock
from course_state import RandomState
from course_wire import HEADER, FrameError, pack, receive, send

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_KEPT_FILES = 64 * 2**20
_PEEKED = 4096
_RECURSION = 4000
"""Tests and the student's code may call each other deeply; the student's own process has the usual limit."""
_KILL = pack({"kind": "kill"})


class Server:
    """Listens, and serves one submission at a time."""

    def __init__(self, settings):
        self.settings = settings
        self.folders = {name: Path(settings[name]) for name in ("home", "tmp")}
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.waiting = []
        """Connections that have not been served yet."""
        self.told = []
        """What became of the cells of the first segment: (cell, source, done)."""
        clock, self.random = Clock(), RandomState()
        if settings.get("clock", True):
            clock.install()
        self._prepare()
        from course_shell import Shell  # IPython comes after the clocks, so that what it imports uses them

        self.shell = Shell(clock, self.folders, settings.get("limits"), self.random)

    def _prepare(self):
        kernel.import_all(self.settings["imports"])
        random.seed(self.settings["seed"])
        self.random.watch()
        seeding = Seeding(self.settings["seed"], self.random)
        seeding.seed_what_is_there()
        sys.meta_path.insert(0, seeding)
        sys.meta_path.insert(1, CourseModules(self.folders["home"], _files(self.folders)))

    def run(self):
        """Run the first segment, then serve for ever."""
        random.seed(self.settings["seed"])  # the shell may have used chance, as a kernel may
        for cell, source in self.settings["setup"]:
            self.told.append((cell, source, self.shell.set_up(cell, source)))
        self.shell.get_ready(self.settings.get("tests", ()))
        self.files = _files(self.folders)
        self.listening.bind(self.settings["listen"])
        self.listening.listen()
        if sum(1 for _ in Path("/proc/self/task").iterdir()) > 1:
            print("the course's statements have started threads: this examiner serves once", file=sys.stderr)
            connection, _ = self.listening.accept()
            self._serve(connection)
            return
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        gc.collect()
        gc.freeze()
        while True:
            connection = self.waiting.pop(0) if self.waiting else self.listening.accept()[0]
            child = os.fork()
            if child == 0:
                self._become_examiner(connection)
            connection.close()
            killers = self._wait(child)
            self._clean()
            for caller in killers:
                with contextlib.suppress(FrameError, OSError), caller:
                    send(caller, {"kind": "killed"})

    def _wait(self, child):
        """Wait for the child's end; gives the connections of those who had it killed. Others wait for their turn."""
        ended = os.pidfd_open(child)
        callers, killers = [], []
        while True:
            ready, _, _ = select.select([ended, self.listening, *callers], [], [])
            if ended in ready:
                os.waitpid(child, 0)
                os.close(ended)
                self.waiting.extend(callers)
                return killers
            if self.listening in ready:
                callers.append(self.listening.accept()[0])
            for caller in [caller for caller in callers if caller in ready]:
                callers.remove(caller)
                if _wants_kill(caller):
                    signal.pidfd_send_signal(ended, signal.SIGKILL)
                    killers.append(caller)
                else:
                    self.waiting.append(caller)

    def _clean(self):
        """Kill what the child has left running, and put the folders back as they were."""
        while True:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
            if not children:
                break
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(int(pid), 0)
        _restore(self.folders, self.files)

    def _become_examiner(self, connection):
        """Serve one submission in a child of its own. Does not return."""
        status = 1
        try:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.setsid()
            self.listening.close()
            self._serve(connection)
            status = 0
        except BaseException:  # a forked child must never return into the server
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _serve(self, connection):
        kernel.limit(resource.RLIMIT_CORE, 0)
        kernel.limit(resource.RLIMIT_FSIZE, self.settings["file_bytes"])
        if self.settings["filter"]:
            kernel.refuse_system_calls(base64.b64decode(self.settings["filter"]))
        sys.setrecursionlimit(_RECURSION)
        self.shell.guard.install()
        told = list(self.told)
        with connection, contextlib.suppress(FrameError):
            while True:
                head, _ = receive(connection)
                kind = head.get("kind")
                if kind == "setup" and told and told[0][:2] == (head["cell"], head["source"]):
                    send(connection, told.pop(0)[2])
                elif kind == "setup":
                    send(connection, self.shell.set_up(head["cell"], head["source"]))
                elif kind == "test":
                    asked = head["cell"], head["source"], head["names"], head["believed"], head.get("libraries", ())
                    send(connection, self.shell.test(connection, *asked))
                elif kind == "kill":
                    send(connection, {"kind": "killed"})
                    return
                else:
                    return


class Seeding(kernel.SeedOnImport):
    """Has NumPy's seeds counted, too, as soon as it is there: before anybody takes `seed` from it by name."""

    def __init__(self, seed, state):
        super().__init__(seed)
        self._state = state

    def _numpy(self, numpy):
        super()._numpy(numpy)
        self._state.watch()


class CourseModules(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the course's own modules, which lie beside its notebooks: as they were before any submission came.

    What student code has written into the folder since is never imported, not even beside or inside of them.
    """

    def __init__(self, home, files):
        self.sources = {}
        """Name -> (path, source, whether it is a package)."""
        for path, source in files:
            if source is not None and path.suffix == ".py" and path.is_relative_to(home):
                parts = path.relative_to(home).with_suffix("").parts
                package = parts[-1] == "__init__"
                parts = parts[:-1] if package else parts
                self.sources[".".join(parts)] = path, source, package
                for end in range(1, len(parts)):  # a folder without __init__.py is a package, too
                    self.sources.setdefault(".".join(parts[:end]), (path.parents[len(parts) - end - 1], b"", True))

    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        path, _, package = self.sources[name]
        return importlib.util.spec_from_loader(name, self, origin=str(path), is_package=package)

    def is_package(self, name):
        return self.sources[name][2]

    def get_source(self, name):
        return importlib.util.decode_source(self.sources[name][1])

    def get_code(self, name):
        return compile(self.sources[name][1], str(self.sources[name][0]), "exec", dont_inherit=True)


def _wants_kill(caller):
    """Tell whether what has arrived is the frame that kills; it is left there."""
    return caller.recv(_PEEKED, socket.MSG_PEEK)[HEADER.size :] == _KILL


def _files(folders):
    """Read what is in folders: [(path, contents, or None for a folder)]."""
    found, left = [], _KEPT_FILES
    for folder in folders.values():
        for path in sorted(folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                found.append((path, None))
            elif path.is_file() and not path.is_symlink() and path.stat().st_size <= left:
                found.append((path, path.read_bytes()))
                left -= path.stat().st_size
    return found


def _restore(folders, files):
    for folder in folders.values():
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):  # mounted there: nobody could change it
                    path.unlink()
    for path, data in files:
        with contextlib.suppress(OSError):
            if data is None:
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(data)


def _prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def main():
    # Neither this folder nor the working directory comes before what is installed: a file that was handed in, or that
    # the student's code has written, is never imported here.
    own = sys.path.pop(0)
    sys.path[:] = [*(place for place in sys.path if place not in ("", ".", own)), own]
    Server(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).run()


if __name__ == "__main__":
    main()
