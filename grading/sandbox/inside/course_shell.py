"""Runs the course's cells in the examiner: setup cells as they are, test cells with the student's names in reach."""

import ast
import contextlib
import gc
import importlib
import io
import linecache
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import course_errors
from course_clocks import Clock
from course_guard import Guard
from course_patches import install as install_patches
from course_standin import Super, link_of
from course_state import Files, RandomState
from course_talk import LIMITS, Conversation, StudentGone
from course_values import NOTHING, warm
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

_MAX_OUTPUT = 2**20
_MAX_LINES = 60
_MAX_TEXT = 100_000
_NUMBERS = (bool, int, float)
THEIRS = "student"
"""The stream that holds what the student's code has printed, to whichever it was."""


class Shell:
    """An IPython shell in which cells run one after another."""

    def __init__(self, clock=None, folders=None, limits=None, random=None):
        self.clock = clock or Clock()
        self.random = random or RandomState()
        self.limits = {**LIMITS, **(limits or {})}
        self.files = Files(folders)
        with tempfile.TemporaryDirectory() as place:  # it wants a folder for its settings, which tests need not find
            self.shell = _Shell.instance(config=_config(), ipython_dir=place)
        self.shell.compile.get_code_name = lambda *_: self._name
        warnings.filterwarnings("ignore", "To exit: use")  # IPython's advice to who types `exit`
        self.cells = {}
        """Name of the file that a cell's code seems to be in -> the cell's id."""
        self.types = {}
        self._modules = {}
        """Source of a cell -> the modules that it imports."""
        self._name = ""
        self.guard = Guard(self.cells, self.files.received)
        install_patches()

    @property
    def namespace(self):
        return self.shell.user_ns

    def get_ready(self, tests):
        """Do what every submission would do again: load what values need, and read the sources of the tests."""
        warm()
        self.shell.display_formatter.format(0)  # which makes its parts when it is first used
        for source in tests:
            self._modules_of(source)

    def set_up(self, cell, source):
        """Run an instructor's statements; gives the frame that says how they ended."""
        before = dict(self.namespace)
        error, output = self._run(cell, source, None)
        for name, value in self.namespace.items():
            if isinstance(value, type) and value.__module__ == "__main__" and before.get(name) is not value:
                self.types[name] = value
        self.files.look(keep=True)
        return {"kind": "done", "cell": cell, "error": error, "output": output}

    def test(self, connection, cell, source, names, believed, libraries=()):
        """Run a test cell that asks over `connection`; gives the frame that says how it ended.

        Of the `names` that are asked for, those in `libraries` are the examiner's own if the student has any.
        """
        self.files.look()
        self._import_for(source)
        talk = Conversation(connection, self, believed)
        talk.know({name: kind for name, kind in self.types.items() if self.namespace.get(name) is kind})
        self.shell.displayhook.shown = NOTHING
        self.namespace.setdefault("super", Super)
        self.guard.begin()
        gc.disable()  # so that what is let go, and told, does not depend on when it runs
        try:
            error, output = self._run(cell, source, talk, names, libraries)
            result = None
            if error is None and self.shell.displayhook.shown is not NOTHING:
                error, result = self._result(talk, cell, self.shell.displayhook.shown)
        finally:
            self.shell.displayhook.shown = NOTHING
            self.guard.active = False
            talk.close()
            self.shell.last_execution_result = None
            sys.last_value = sys.last_traceback = sys.last_type = None
            gc.enable()
        gc.collect()
        done = {"kind": "done", "cell": cell, "error": error, "output": output, "result": result}
        return {**done, "sites": [list(site) for site in talk.sites], "asked": talk.asked}

    def _import_for(self, source):
        """Import what a cell imports first of all: then classes are known from there when the names are fetched."""
        for module in self._modules_of(source):
            with contextlib.suppress(Exception):  # the cell itself will say so
                importlib.import_module(module)

    def _modules_of(self, source):
        if source not in self._modules:
            modules = []
            with contextlib.suppress(SyntaxError, ValueError):
                for statement in ast.parse(self.shell.transform_cell(source)).body:
                    if isinstance(statement, ast.Import):
                        modules.extend(alias.name for alias in statement.names)
                    elif isinstance(statement, ast.ImportFrom) and statement.level == 0:
                        modules.append(statement.module)
            self._modules[source] = modules
        return self._modules[source]

    def _run(self, cell, source, talk, names=(), libraries=()):
        """Run a cell; gives (error or None, output)."""
        self._name = f"<cell {cell}>"
        self.cells[self._name] = cell
        self.shell.displayhook.source = source
        self.guard.look_at(source)
        recorded = _Output()
        error = None
        with recorded.recording():
            try:
                if talk is not None:
                    talk.fetch(names, libraries)
                result = self.shell.run_cell(source, store_history=False)
                error = result.error_before_exec or result.error_in_exec
                if talk is not None:
                    talk.settle()
            except BaseException as raised:
                error = raised
        if talk is not None and talk.gone and not isinstance(error, StudentGone):
            error = StudentGone(talk.gone)  # a test that goes on all the same has not heard the student's answer
        return self._described(talk, error) if error is not None else None, recorded.parts

    def _result(self, talk, cell, value):
        """Give (error, text) of the last expression's value: what an object says of itself does not count."""
        link = link_of(value)
        if link is not None and type(link.base) in _NUMBERS:
            value = link.base
        elif link is not None:
            return self._result_of_object(talk, cell, link), None
        try:
            shown, _ = self.shell.display_formatter.format(value, include={"text/plain"})
        except BaseException as error:
            return self._described(talk, error), None
        return None, str(shown.get("text/plain", ""))[:_MAX_TEXT]

    def _result_of_object(self, talk, cell, link):
        """Give the error that an object as last expression is, unless the course's solution gives one, too."""
        line = ast.parse(self.shell.transform_cell(self.shell.displayhook.source)).body[-1].lineno
        site = (cell, line, "result")
        talk.sites.append(site)
        if talk.believed is None or site in talk.believed:
            return None
        text = (
            f"line {line}, the last expression, gives an object of the {link.kind.told} of the student's own "
            "code; the course's solution gives a plain value here"
        )
        return _error("NotBelieved", text, [text], line)

    def _described(self, talk, error):
        name, text = type(error).__name__, course_errors.text_of(error)
        line = None
        for frame, number in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == self._name:
                line = number
        if line is None and isinstance(error, SyntaxError) and error.filename == self._name:
            line = error.lineno
        theirs = talk is not None and talk.is_home(error) is not None
        return {**_error(name, text, _lines(talk, error), line), "theirs": theirs}


def _error(name, text, lines, line):
    return {"ename": str(name), "evalue": text, "traceback": lines[-_MAX_LINES:], "line": line}


def _lines(talk, error):
    """Write a traceback as people read it: the test's lines, then the student's, nothing in between."""
    chain, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = []
    for place, one in enumerate(reversed(chain)):
        if place:
            cause = one.__cause__ is not None
            lines.append(
                "The above exception was the direct cause of the following exception:"
                if cause
                else "During handling of the above exception, another exception occurred:"
            )
        shown = []
        for frame, number in traceback.walk_tb(one.__traceback__):
            name = frame.f_code.co_filename
            if not _is_own(name):
                shown.append(f'  File "{course_errors.short(name)}", line {number}, in {frame.f_code.co_name}')
                source = linecache.getline(name, number, frame.f_globals).strip()
                shown.extend([f"    {source}"[:300]] if source else [])
        if talk is not None:
            shown.extend(talk.lines_of(one))
        if shown:
            lines.append("Traceback (most recent call last):")
        lines.extend(shown)
        if isinstance(one, SyntaxError):
            lines.extend(text.rstrip("\n") for text in traceback.format_exception_only(type(one), one))
        else:
            text = course_errors.text_of(one)
            lines.extend((f"{type(one).__name__}: {text}" if text else type(one).__name__).split("\n"))
            lines.extend(str(note) for note in getattr(one, "__notes__", ()) if type(note) is str)
    return lines


_INSIDE = str(Path(__file__).parent)


def _is_own(filename):
    return filename.startswith(_INSIDE) or "/IPython/" in filename or filename.startswith("<frozen")


def _config():
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    config.InteractiveShell.xmode = "Plain"
    config.InteractiveShell.banner1 = ""
    return config


class _Shown(DisplayHook):
    """Keeps the value of a cell's last expression instead of printing it."""

    shown = NOTHING
    source = ""

    def __call__(self, result=None):
        if result is not None and not _ends_with_semicolon(self.source):
            self.shown = result
            self.shell.user_ns["_"] = result if link_of(result) is None else None


def _ends_with_semicolon(source):
    lines = [line for line in source.rstrip().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and lines[-1].partition("#")[0].rstrip().endswith(";")


_transformed = {}


class _Shell(InteractiveShell):
    displayhook_class = _Shown

    def transform_cell(self, raw_cell):
        """Give a cell as plain Python. It is read once, unless it is a single line: what that means may change."""
        manager = self.input_transformer_manager
        key = raw_cell, *map(id, (*manager.cleanup_transforms, *manager.line_transforms, *self.input_transformers_post))
        if key not in _transformed:
            transformed = super().transform_cell(raw_cell)
            if len(transformed.splitlines()) == 1:
                return transformed
            _transformed[key] = transformed
        return _transformed[key]

    def showtraceback(self, *given, **named):
        """Show nothing: the error is told in the frame."""

    def showsyntaxerror(self, *given, **named):
        """Show nothing: the error is told in the frame."""

    def init_io(self):
        """Leave standard output as it is."""

    def enable_gui(self, gui=None):
        """Do nothing: there is no window system."""


class _Output:
    """Text that a cell prints, bounded."""

    def __init__(self):
        self.parts = []
        self._left = _MAX_OUTPUT

    def add(self, name, text):
        text = text[: self._left]
        self._left -= len(text)
        if text and self.parts and self.parts[-1][0] == name:
            self.parts[-1][1] += text
        elif text:
            self.parts.append([name, text])

    @contextlib.contextmanager
    def recording(self):
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Stream(self, "stdout"), _Stream(self, "stderr")
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


class _Stream(io.TextIOBase):
    encoding = "utf-8"

    def __init__(self, output, name):
        self._output = output
        self._name = name

    def writable(self):
        return True

    def write(self, text):
        self._output.add(self._name, str(text))
        return len(text)

    def write_theirs(self, text):
        """Write what the student's code has printed: it is told apart from what the test has."""
        self._output.add(THEIRS, text)
