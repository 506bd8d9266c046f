"""Objects of a test that are handed to the student's code: what it learns of them, and what it may do with them: use
them, not look into the test.
"""

import functools
import inspect
import re
import types

from course_operations import BINARY, COMPARED, special_names
from course_values import class_name

_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType)
_RUNNING = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
_HIDDEN = ("_", "gi_", "cr_", "ag_", "tb_", "f_", "co_", "func_")
"""How the names of attributes begin that callbacks do not get."""
_NEVER = frozenset({"dir", "isinstance", "issubclass"})
_OF_BOTH = frozenset({*BINARY, *COMPARED, "pow", "divmod"})
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def facts_of(obj):
    """Say what the student's side has to know of an object of the test's to stand for it."""
    kind = type(obj)
    if isinstance(obj, BaseException):
        return {"what": "exception"}
    if isinstance(obj, type):
        bases = [class_name(base) for base in obj.__mro__ if issubclass(base, BaseException)]
        bases = [list(name) for name in bases if name and name[0] != "__main__"][:1]
        return {"what": "class", "name": obj.__name__, "doc": None, "bases": bases}
    if isinstance(obj, _FUNCTIONS):
        facts = {"what": "function", "name": getattr(obj, "__name__", "function"), "doc": _doc(obj)}
        return {**facts, "parameters": _parameters(obj)}
    specials = [name for name in special_names(kind) if not name.startswith("no ")]
    return {"what": "object", "name": kind.__name__, "specials": specials}


def _doc(function):
    return function.__doc__ if type(function.__doc__) is str else None


def _parameters(function):
    try:
        found = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    return [[one.name, one.kind.name, one.default is one.empty] for one in found]


def may_ask(offered, operation, operands):
    """Tell whether the student's code may do this: with an object that it was given, and seeing nothing of the test."""
    if operation in _NEVER:
        return False
    if not any(id(operand) in offered for operand in operands[: 2 if operation in _OF_BOTH else 1]):
        return False
    if operation not in ("get", "set", "del"):
        return True
    target, name, *_ = operands
    if type(name) is not str or name.startswith(_HIDDEN):
        return False
    if isinstance(target, _RUNNING):
        return name in ("send", "throw", "close", "asend", "athrow", "aclose") and operation == "get"
    return not isinstance(target, (*_FUNCTIONS, functools.partial, type, types.ModuleType))


def without_addresses(operation, value):
    """Give what was answered; of a text that Python makes of an object, without its address, which says nothing."""
    return _ADDRESS.sub("", value) if operation in ("str", "repr", "format") and type(value) is str else value
