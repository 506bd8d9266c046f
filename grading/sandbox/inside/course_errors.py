"""Takes exceptions apart into values that can be copied, and makes them again without running code of their classes.

Shared by the examiner and the student's side. An exception crosses with its class, its arguments, what was set on it,
and those that it was raised from or during. One that comes home is the same object.
"""

import builtins
import linecache
import traceback
from pathlib import Path

from course_side import named, pairs
from course_values import BadValue

_MOST = 12
"""Exceptions in a chain."""
_FRAMES = 30
_REPEATED = 3
_TEXT = 2000
_FIELDS = {
    "OSError": ("errno", "strerror", "filename", "filename2"),
    "ImportError": ("msg", "name", "path"),
    "NameError": ("name",),
    "AttributeError": ("name",),
    "StopIteration": ("value",),
    "SystemExit": ("code",),
    "SyntaxError": ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset"),
    "UnicodeDecodeError": ("encoding", "object", "start", "end", "reason"),
    "UnicodeEncodeError": ("encoding", "object", "start", "end", "reason"),
    "UnicodeTranslateError": ("object", "start", "end", "reason"),
}
"""What a builtin exception has beside its arguments."""
_ENTRY = {"number": int, "args": tuple, "hidden": bool, "frames": tuple}
_INSIDE = str(Path(__file__).parent)


def describe(side, error):
    """Take an exception and those behind it apart: the exception itself first.

    `side.is_home(error)` gives the number of one that belongs to the other side, or None; `side.keep(error)` numbers
    one of this side; `side.frames_of(error)` gives the lines of its frames that may be seen there.
    """
    found, entries = [error], []
    for at in range(_MOST):
        if at == len(found):
            break
        one = found[at]
        entry = {"home": side.is_home(one)}
        if entry["home"] is None:
            entry = _entry(side, one)
            for link in ("__cause__", "__context__"):
                behind = getattr(one, link)
                if behind is not None and len(found) < _MOST and not any(behind is known for known in found):
                    found.append(behind)
                entry[link] = next((place for place, known in enumerate(found) if known is behind), None)
        entries.append(pairs(entry))
    return tuple(entries)


def summary(side, error):
    """Describe an exception that cannot be taken apart, by its name and text alone."""
    kind = next(base for base in type(error).__mro__ if vars(builtins).get(base.__name__) is base)
    entry = {"number": side.keep(error), "class": kind, "args": (text_of(error),), "attributes": (), "fields": ()}
    return (pairs({**entry, "text": None, "hidden": False, "frames": (), "__cause__": None, "__context__": None}),)


def _entry(side, error):
    kind = type(error)
    fields = {}
    for base in kind.__mro__:
        for name in _FIELDS.get(base.__name__, ()) if vars(builtins).get(base.__name__) is base else ():
            fields[name] = getattr(base, name).__get__(error)
    own_text = kind.__str__ not in (BaseException.__str__, OSError.__str__, KeyError.__str__)
    return {
        "number": side.keep(error),
        "class": kind,
        "args": tuple(BaseException.args.__get__(error)),
        "attributes": pairs({name: value for name, value in vars(error).items() if type(name) is str}),
        "fields": pairs(fields),
        "text": text_of(error) if own_text and kind.__module__ != "builtins" else None,
        "hidden": error.__suppress_context__,
        "frames": tuple(side.frames_of(error)),
    }


def text_of(error):
    """Give `str(error)`, bounded, whatever its class makes of that."""
    try:
        return str.__str__(str(error))[:_TEXT]
    except Exception as second:
        return f"<str() of this {type(error).__name__} raised {type(second).__name__}>"


def frames(error):
    """List the frames that an exception went through as lines of text, without this course's own."""
    found = [frame for frame in traceback.walk_tb(error.__traceback__) if _is_shown(frame[0].f_code.co_filename)]
    lines, repeated, last = [], 0, None
    for frame, line in found:
        repeated = repeated + 1 if (frame.f_code, line) == last else 0
        last = frame.f_code, line
        if repeated >= _REPEATED:
            continue
        name = frame.f_code.co_filename
        lines.append(f'  File "{short(name)}", line {line}, in {frame.f_code.co_name}'[:300])
        source = linecache.getline(name, line, frame.f_globals).strip()
        if source:
            lines.append(f"    {source}"[:300])
        if repeated == _REPEATED - 1:
            lines.append("  (and so on)")
    return lines[-2 * _FRAMES :]


def short(filename):
    """Name a file as people know it: a cell, or a module by the end of its path."""
    if filename.startswith("<"):
        return filename
    if "ipykernel_" in filename:
        return "<cell>"
    return "/".join(Path(filename).parts[-2:])


def _is_shown(filename):
    return not filename.startswith(_INSIDE) and "/IPython/" not in filename and "/ipykernel/" not in filename


def rebuild(side, entries):
    """Make an exception out of what `describe` gave; gives it. Raises BadValue.

    `side.own_error(number)` gives an exception of this side by number, `side.known_error(number)` one that was made
    before, or None; `side.adopt(number, error, lines, text)` is told of each one that is made.
    """
    if type(entries) is not tuple or not 0 < len(entries) <= _MOST:
        raise BadValue("an exception is not described as exceptions are")
    entries = [named(entry) for entry in entries]
    made = [_make(side, entry) for entry in entries]
    for entry, error in zip(entries, made, strict=True):
        if entry.get("home") is None:
            error.__cause__ = _linked(made, entry.get("__cause__"))
            error.__context__ = _linked(made, entry.get("__context__"))
            error.__suppress_context__ = entry["hidden"]
    return made[0]


def _linked(made, place):
    if place is None:
        return None
    if type(place) is not int or not 0 <= place < len(made):
        raise BadValue("an exception points to one that is not there")
    return made[place]


def _make(side, entry):
    home = entry.get("home")
    if home is not None:
        return side.own_error(home)
    if any(type(entry.get(name)) is not kind for name, kind in _ENTRY.items()):
        raise BadValue("an exception is not described as exceptions are")
    kind, args = entry.get("class"), entry["args"]
    if not isinstance(kind, type) or not issubclass(kind, BaseException):
        raise BadValue("what was raised is no exception")
    lines = [str(line)[:300] for line in entry["frames"][: 2 * _FRAMES]]
    known = side.known_error(entry["number"])
    error = known if known is not None and type(known) is kind else _empty(kind, args)
    for name, value in named(entry.get("fields")).items():
        _set_field(error, kind, name, value)
    error.__dict__.update(named(entry.get("attributes")))
    side.adopt(entry["number"], error, lines, entry.get("text") if type(entry.get("text")) is str else None)
    return error


def _empty(kind, args):
    base = next(base for base in kind.__mro__ if vars(builtins).get(base.__name__) is base)
    try:
        error = base.__new__(kind, *args)
        base.__init__(error, *args)
    except Exception:  # arguments that this class does not take: it was made in another way there
        error = BaseException.__new__(kind) if base.__new__ is BaseException.__new__ else _by_force(base, kind)
    error.args = args
    return error


def _by_force(base, kind):
    try:
        return base.__new__(kind)
    except Exception:
        raise BadValue("an exception cannot be made again") from None


def _set_field(error, kind, name, value):
    for base in kind.__mro__:
        if vars(builtins).get(base.__name__) is base and name in _FIELDS.get(base.__name__, ()):
            if value is None and getattr(base, name).__get__(error) is None:
                continue  # to say so would make it a part of the text
            try:
                setattr(error, name, value)
            except Exception:
                raise BadValue("an exception has a field of a wrong type") from None
