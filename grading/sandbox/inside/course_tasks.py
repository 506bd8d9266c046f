"""Requests of the examiner to the student's side beside plain operations. Runs on the student's side."""

import copy
import dataclasses
import inspect
import sys
import types

from course_facts import signature
from course_values import TooLarge, base_value, fingerprint

_LARGE = 100_000


class Names(dict):
    """Values of the student's names, by name; they cross as pairs."""

    def small(self, student):
        """Give pairs in which values that are too large to be handed over stay here."""
        return tuple((name, Whole(value) if _is_large(value, student) else value) for name, value in self.items())


class Whole:
    """A value that is referred to, though others of its kind are copied."""

    def __init__(self, value):
        self.value = value


def _is_large(value, student):
    try:
        fingerprint(value, None, student.type_names)
    except TooLarge:
        return True
    size = getattr(value, "nbytes", None)
    return (size if type(size) is int else sys.getsizeof(value)) > _LARGE


def _derive(student, name, bases, items):
    """Make a class that a test derives from the student's; its methods call the test's functions."""
    inside = {"__module__": "__main__", "__qualname__": name}
    wrappers = {"static": staticmethod, "class": classmethod, "property": property}
    for key, how, parts in items:
        inside[key] = wrappers[how](*parts) if how in wrappers else parts[0]
    return types.new_class(name, bases, {}, lambda namespace: namespace.update(inside))


def _ufunc(student, target, name, method, given, named):
    return getattr(getattr(sys.modules["numpy"], name), method)(*given, **dict(named))


TASKS = {
    "ufunc": _ufunc,
    "derive": _derive,
    "super": lambda student, kind, target, name: getattr(super(kind, target), name),
    "signature": lambda student, target: signature(target),
    "source": lambda student, target: inspect.getsource(target),
    "doc": lambda student, target: inspect.getdoc(target),
    "base": lambda student, target: base_value(target),
    "asdict": lambda student, target: dataclasses.asdict(target),
    "astuple": lambda student, target: dataclasses.astuple(target),
    "replace": lambda student, target, changes: dataclasses.replace(target, **dict(changes)),
    "fields": lambda student, target: dataclasses.fields(target),
    "copy": lambda student, target: copy.copy(target),
    "deepcopy": lambda student, target: copy.deepcopy(target),
}
"""Operation -> function(student's side, operands)."""
