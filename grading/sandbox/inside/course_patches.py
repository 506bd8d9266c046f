"""Teaches Python's library what a stand-in is: source, signature, fields are asked of the student's side.

Tracebacks that a test writes leave out what is between its line and the student's.
"""

import dataclasses
import functools
import inspect
import traceback
from pathlib import Path

from course_standin import link_of

_KINDS = {name: getattr(inspect.Parameter, name) for name in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")}
_KINDS.update({name: getattr(inspect.Parameter, name) for name in ("VAR_POSITIONAL", "KEYWORD_ONLY", "VAR_KEYWORD")})


def install():
    """Replace functions by some that ask where a stand-in is inspected."""
    if hasattr(inspect.getsource, "_course_original"):
        return
    _replace(inspect, "getsource", lambda obj, ask: ask("source", obj))
    _replace(inspect, "getsourcelines", lambda obj, ask: (ask("source", obj).splitlines(keepends=True), 0))
    _replace(inspect, "getdoc", lambda obj, ask: ask("doc", obj))
    _replace(inspect, "signature", lambda obj, ask: _signature(ask("signature", obj)))
    for name in ("asdict", "astuple", "fields"):
        _replace(dataclasses, name, lambda obj, ask, name=name: ask(name, obj))
    for name in ("walk_tb", "_walk_tb_with_full_positions"):
        if hasattr(traceback, name):
            setattr(traceback, name, _without_own_frames(getattr(traceback, name)))
    _replace(dataclasses, "replace", lambda obj, ask, **changes: ask("replace", obj, tuple(changes.items())))


def _replace(module, name, asked):
    original = getattr(module, name)

    @functools.wraps(original)
    def function(obj, *given, **named):
        link = link_of(obj)
        if link is None:
            return original(obj, *given, **named)
        return asked(obj, link.talk.ask, **(named if name == "replace" else {}))

    function._course_original = original
    setattr(module, name, function)


def _without_own_frames(walk):
    @functools.wraps(walk)
    def walk_tb(tb):
        own = str(Path(__file__).parent)
        return (found for found in walk(tb) if not found[0].f_code.co_filename.startswith(own))

    return walk_tb


def _signature(told):
    """Make a signature of what was told of one; raises ValueError for what is none."""
    parameters, returned = told
    made = []
    for name, kind, default, annotation in parameters:
        given = {key: value[0] for key, value in (("default", default), ("annotation", annotation)) if value}
        made.append(inspect.Parameter(name, _KINDS[kind], **given))
    return inspect.Signature(made, **({"return_annotation": returned[0]} if returned else {}))
