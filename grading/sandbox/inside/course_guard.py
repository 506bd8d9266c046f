"""Keeps code of the student's from running in the examiner where a test would run it: out of a text, a file, a pickle.

Such a test has to run beside the student's code. What an instructor writes himself is not refused: only texts and files
that came from the student's side, and pickles that make anything but plain values.
"""

import os
import re
import sys
from pathlib import Path

_SAFE_IN_PICKLES = {
    "builtins": {"set", "frozenset", "complex", "bytearray", "range", "slice", "object", "list", "dict", "tuple"},
    "collections": {"OrderedDict", "defaultdict", "Counter", "deque"},
    "datetime": {"date", "time", "datetime", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "uuid": {"UUID"},
    "_codecs": {"encode"},
    "copyreg": {"_reconstructor"},
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "pandas.core.frame": {"DataFrame"},
    "pandas.core.series": {"Series"},
    "pandas.core.indexes.base": {"Index", "_new_Index"},
    "pandas.core.indexes.range": {"RangeIndex"},
    "pandas.core.internals.managers": {"BlockManager", "SingleBlockManager"},
    "pandas._libs.internals": {"_unpickle_block"},
}
_MAX_TEXTS = 20_000
_SHORT = 3
_ACTS = re.compile(r"[(@]|\.[A-Za-z_]")
"""What a text has that does anything where it is evaluated."""
_WORDS = ("eval", "exec", "compile", "subprocess", "system", "popen", "run_path")


class Guard:
    """Looks at what a test is about to run. `active` while a test cell runs.

    `cells` are the names of the files that the course's cells seem to be in; `files` maps the path of each file that
    came from the student's side to its text.
    """

    def __init__(self, cells, files):
        self.active = False
        self.watching = False
        """Whether a cell so far might run a text at all."""
        self._cells = cells
        self._files = files
        self._texts = set()
        self._events = {
            "pickle.find_class": self._unpickling,
            "compile": self._compiling,
            **dict.fromkeys(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"), self._starting),
        }

    def install(self):
        """Have Python tell of it; for good."""
        sys.addaudithook(self._hook)

    def look_at(self, source):
        """Look at the source of a cell that will run."""
        self.watching = self.watching or any(word in source for word in _WORDS)

    def begin(self):
        """Begin with a test."""
        self._texts.clear()
        self.active = True

    def note(self, packs, tail):
        """Note the texts of a message that came from the student's side."""
        waiting = [packs] if type(packs) is list else []
        while waiting:
            for part in waiting.pop():
                if type(part) is str:
                    self._texts.add(part)
                elif type(part) is dict:
                    waiting.append(part.values())
                elif type(part) is list:
                    waiting.append(part)
        if len(tail):
            self._texts.add(str(tail, "utf-8", "replace"))

    def _hook(self, event, given):
        if self.active and event in self._events:
            self._events[event](*given)

    def _unpickling(self, module, name):
        if name not in _SAFE_IN_PICKLES.get(module, ()):
            raise _refusal(f"makes {module}.{name} out of a pickle")

    def _compiling(self, source, filename):
        if isinstance(filename, bytes):
            filename = os.fsdecode(filename)
        if isinstance(filename, str) and str(Path(filename).absolute()) in self._files:
            raise _refusal("runs a file that the student's code has written")
        if sys._getframe(2).f_code.co_filename in self._cells and self._is_known(_as_text(source)):
            raise _refusal("runs a text that came from the student's code")

    def _starting(self, *given):
        for text in _texts_in(given):
            if self._is_known(text) or any(Path(path).name in text for path in self._files):
                raise _refusal("starts a program with what came from the student's code")

    def _is_known(self, text):
        if len(text) < _SHORT or not (self._texts or self._files):
            return False
        if len(self._texts) > _MAX_TEXTS:
            return True
        known = (one for several in (self._texts, self._files.values()) for one in several if len(one) >= _SHORT)
        return any(text in one or (one in text and _ACTS.search(one)) for one in known)


def _refusal(what):
    return PermissionError(f"this test {what}: tag its cell `beside-student`, so that it runs there")


def _as_text(source):
    if isinstance(source, bytes | bytearray):
        return bytes(source).decode("utf-8", "replace")
    return source if isinstance(source, str) else ""


def _texts_in(given):
    for value in given:
        if isinstance(value, str | bytes):
            yield _as_text(value)
        elif isinstance(value, list | tuple):
            yield from (_as_text(part) for part in value)
        elif isinstance(value, dict):
            yield from (_as_text(part) for part in value.values())
