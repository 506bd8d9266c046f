"""State that crosses beside requests and answers: random numbers, and files. Shared by both sides."""

import functools
import itertools
import operator
import os
import random
import stat
import sys
import tempfile
from pathlib import Path

_MAX_FILES = 200
_MAX_ENTRIES = 1000
"""Of one folder; a folder with more does not cross at all."""
_MAX_BYTES = 16 * 2**20
_MAX_DEPTH = 8
_MAX_NAME = 120


def random_state():
    """Give the state of the global random numbers: Python's, and NumPy's where it was imported."""
    numpy = sys.modules.get("numpy.random")
    return random.getstate(), _of_numpy(numpy) if numpy is not None else None


def _of_numpy(numpy):
    name, keys, *rest = numpy.get_state()
    return name, keys.tobytes(), *rest


def set_random(state):
    """Set the state that `random_state` gave on the other side; None sets nothing. Raises ValueError or TypeError."""
    if state is None:
        return
    random.setstate(state[0])
    numpy = sys.modules.get("numpy")
    if state[1] is not None and numpy is not None:
        name, keys, *rest = state[1]
        numpy.random.set_state((name, numpy.frombuffer(keys, numpy.uint32), *rest))


_SETTERS = {"random": ("seed", "setstate"), "numpy.random": ("seed", "set_state")}


class RandomState:
    """The state of the global random numbers, and whether it was set or used since it was last sent.

    Numbers that the student's code draws are drawn on the other side. So a seed may be set that leaves this side's
    state as it was, and yet it is news to the other side: setting is counted.
    """

    def __init__(self):
        self._set = 0
        self._watched = []

    def watch(self):
        """Count from now on what sets the state; done again once NumPy has been imported."""
        for module, names in _SETTERS.items():
            here = sys.modules.get(module)
            for name in names if here is not None else ():
                if (module, name) not in self._watched:
                    self._watched.append((module, name))
                    setattr(here, name, self._counting(getattr(here, name)))

    def _counting(self, setter):
        @functools.wraps(setter)
        def counted(*given, **named):
            self._set += 1
            return setter(*given, **named)

        return counted

    def begin(self):
        """Take the state as it is as known to the other side."""
        self._sent = self._set, random_state()

    def changed(self, drawn=True):
        """Give the state if it was set since the last time, with `drawn` also if numbers were drawn; else None."""
        now = self._set, random_state()
        if now == self._sent or not (drawn or now[0] != self._sent[0]):
            return None
        self._sent = now
        return now[1]


class Variables:
    """Environment variables that the test has changed."""

    def __init__(self):
        self._last = dict(os.environ)
        self._raw = _raw_variables()

    def changed(self):
        """Give what has changed since the last time: pairs of name and value, or None where there is none any more."""
        raw = _raw_variables()
        if raw == self._raw:
            return ()
        now, self._raw = dict(os.environ), raw
        names = sorted(name for name in now.keys() | self._last.keys() if now.get(name) != self._last.get(name))
        self._last = now
        return tuple((name, now.get(name)) for name in names)


def _raw_variables():
    """Give the variables as they are kept, which is quicker than to read each."""
    return dict(getattr(os.environ, "_data", os.environ))


def set_variables(changed):
    """Set environment variables as the other side has."""
    for name, value in changed:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


PATCHED = {
    "builtins": ("input", "print", "open"),
    "sys": ("stdin",),
    "time": ("sleep",),
    "random": ("random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "gauss"),
    "numpy.random": ("rand", "randn", "randint", "random", "choice", "normal", "uniform", "shuffle", "permutation"),
}
"""What tests patch for the code that they call."""
_PATCHED = {
    module: (names, operator.attrgetter(*names) if names[1:] else lambda here, name=names[0]: (getattr(here, name),))
    for module, names in PATCHED.items()
}
"""Module -> (names, function that gives their values)."""


class Patches:
    """Names of `PATCHED` that the test has patched."""

    def __init__(self):
        loaded = {module: sys.modules[module] for module in _PATCHED if sys.modules.get(module) is not None}
        self._original = {module: _PATCHED[module][1](here) for module, here in loaded.items()}
        self._last = dict(self._original)

    def changed(self):
        """Give what was patched since the last time: name -> (value,), or () where it is the original again."""
        changed = {}
        for module, (names, values_in) in _PATCHED.items():
            here = sys.modules.get(module)
            if here is None:
                continue
            values = values_in(here)
            last = self._last.setdefault(module, values)
            if not all(map(operator.is_, values, last)):
                self._last[module] = values
                originals = self._original.get(module, last)
                for name, value, before, original in zip(names, values, last, originals, strict=True):
                    if value is not before:
                        changed[f"{module}.{name}"] = () if value is original else (value,)
        return changed


class Patched:
    """The same on the other side."""

    def __init__(self):
        self._original = {}

    def take_over(self, changed):
        """Patch what the test has patched, and give back what it has given back."""
        for name, value in changed.items():
            module, attribute = name.rsplit(".", 1)
            if attribute in PATCHED.get(module, ()) and module in sys.modules:
                here = sys.modules[module]
                original = self._original.setdefault(name, getattr(here, attribute))
                setattr(here, attribute, value[0] if value else original)

    def undo(self):
        """Give back everything."""
        for name, value in self._original.items():
            module, attribute = name.rsplit(".", 1)
            setattr(sys.modules[module], attribute, value)


def places():
    """Give the folders whose files cross, by name."""
    home, tmp = os.environ.get("HOME"), tempfile.gettempdir()
    return {name: Path(folder) for name, folder in (("home", home), ("tmp", tmp)) if folder}


class Files:
    """Files in the home and temporary folders: which have changed here, and those that the other side has changed.

    Only regular files count, not links, nor what begins with a dot.
    """

    def __init__(self, folders=None):
        self.folders = folders if folders is not None else places()
        self.received = {}
        """Path of each file that the other side has written -> its text."""
        self._seen = {}
        self._own = set()

    def look(self, keep=False):
        """Take all that is there now as known; with `keep` the other side does not change it."""
        self._seen = dict(self._found())
        if keep:
            self._own |= self._seen.keys()

    def changed(self):
        """Give what is new or has changed since the last time: tuples of (folder's name, path in it, contents)."""
        changed, left = [], _MAX_BYTES
        found = dict(self._found())
        for key, mark in found.items():
            if self._seen.get(key) != mark and mark[0] <= left:
                try:
                    changed.append((*key, (self.folders[key[0]] / key[1]).read_bytes()))
                except OSError:
                    continue
                left -= mark[0]
        changed.extend((*key, None) for key in self._seen.keys() - found.keys())
        self._seen = found
        return tuple(sorted(changed, key=lambda entry: entry[:2]))

    def write(self, files):
        """Make the files that the other side gave. Raises ValueError for what is no such list."""
        written = 0
        for entry in files:
            folder, path, data = _checked(entry, self.folders)
            if (folder, path) in self._own:
                continue
            written += len(data or b"")
            if written > _MAX_BYTES:
                raise ValueError("the files that were written are too large")
            self._write(folder, path, data)

    def _write(self, folder, path, data):
        root = self.folders[folder]
        target = root / path
        try:
            for parent in list(target.relative_to(root).parents)[-2::-1]:
                if (root / parent).is_symlink():
                    return
                (root / parent).mkdir(exist_ok=True)
            if data is None:
                target.unlink(missing_ok=True)
                self._seen.pop((folder, path), None)
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(target, flags, 0o644), "wb") as file:
                file.write(data)
            self._seen[folder, path] = _mark(target.lstat())
            self.received[str(target.absolute())] = data.decode("utf-8", "replace")
        except OSError:
            return  # it cannot be written here: a folder is in its place, say, or the disk is full

    def _found(self):
        count = 0
        for name, folder in self.folders.items():
            waiting = [(folder, "", 0)]
            while waiting:
                place, prefix, depth = waiting.pop()
                try:
                    with os.scandir(place) as there:
                        entries = list(itertools.islice(there, _MAX_ENTRIES + 1))
                except OSError:
                    continue
                if len(entries) > _MAX_ENTRIES:  # looking at them would take longer than what is asked
                    continue
                entries.sort(key=lambda entry: entry.name)
                for entry in entries:
                    if entry.name.startswith(".") or not _is_name(entry.name):
                        continue
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            if depth < _MAX_DEPTH - 1 and Path(entry.path) not in self.folders.values():
                                waiting.append((Path(entry.path), f"{prefix}{entry.name}/", depth + 1))
                        elif entry.is_file(follow_symlinks=False):
                            count += 1
                            if count > _MAX_FILES:
                                return
                            yield (name, prefix + entry.name), _mark(entry.stat(follow_symlinks=False))
                    except OSError:
                        continue


def _mark(status):
    return status.st_size, status.st_mtime_ns, status.st_ino, stat.S_IFMT(status.st_mode)


def _is_name(name):
    return 0 < len(name) <= _MAX_NAME and name.isprintable()


def _checked(entry, folders):
    """Check one file's place and contents; raises ValueError."""
    if type(entry) is not tuple or list(map(type, entry))[:2] != [str, str] or len(entry) != 3:
        raise ValueError("a file is not described as files are")
    folder, path, data = entry
    parts = path.split("/")
    good = all(_is_name(part) and not part.startswith(".") for part in parts) and len(parts) <= _MAX_DEPTH
    if folder not in folders or not good or not (data is None or type(data) is bytes):
        raise ValueError("a file has a name or a content that files that cross do not have")
    return folder, path, data
