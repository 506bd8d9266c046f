"""Names what can be asked of an object of the other side, and does it. Shared by examiner and student's side.

An operation is done as Python itself would do it (`operator.add`, `len`, `iter`), so both operands have their say and
the messages of errors are the usual ones.
"""

import asyncio
import math
import operator
import os
import sys

NAMES = {  # special method: operation; these exist on a stand-in only where the object's class has them
    "__call__": "call",
    "__iter__": "iter",
    "__next__": "next",
    "__reversed__": "reversed",
    "__len__": "len",
    "__length_hint__": "length_hint",
    "__contains__": "contains",
    "__getitem__": "getitem",
    "__setitem__": "setitem",
    "__delitem__": "delitem",
    "__enter__": "enter",
    "__exit__": "exit",
    "__int__": "int",
    "__float__": "float",
    "__complex__": "complex",
    "__index__": "index",
    "__bytes__": "bytes",
    "__fspath__": "fspath",
    "__array__": "array",
    "__round__": "round",
    "__trunc__": "trunc",
    "__floor__": "floor",
    "__ceil__": "ceil",
    "__await__": "await",
    "__aiter__": "aiter",
    "__anext__": "anext",
    "__aenter__": "aenter",
    "__aexit__": "aexit",
}
BINARY = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "lshift", "rshift", "and", "xor", "or")
COMPARED = ("eq", "ne", "lt", "le", "gt", "ge")
SYMBOLS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
UNARY = ("neg", "pos", "invert", "abs")
ANSWERS = {  # the exact types that an operation may give
    **dict.fromkeys(("str", "repr", "format"), (str,)),
    **dict.fromkeys(("len", "length_hint", "hash", "int", "index"), (int,)),
    **dict.fromkeys(("bool", "contains", "isinstance", "issubclass"), (bool,)),
    **{"float": (float,), "complex": (complex,), "bytes": (bytes,), "fspath": (str, bytes), "dir": (list,)},
}


def perform(operation, operands):
    """Perform an operation; raises what it raises, and KeyError for an operation that there is not."""
    return _OPERATIONS[operation](*operands)


def forwarders(ask):
    """Make the special methods that every stand-in has, as a dict; `ask(operation, *operands)` does what is asked."""
    made = {}
    for name in BINARY:
        made[f"__{name}__"] = lambda self, other, name=name: ask(name, self, other)
        made[f"__r{name}__"] = lambda self, other, name=name: ask(name, other, self)
        made[f"__i{name}__"] = lambda self, other, name=name: ask(f"i{name}", self, other)
    made["__pow__"] = lambda self, other, modulus=None: ask("pow", self, other, modulus)
    made["__rpow__"] = lambda self, other, modulus=None: ask("pow", other, self, modulus)
    made["__ipow__"] = lambda self, other: ask("ipow", self, other)
    made["__divmod__"] = lambda self, other: ask("divmod", self, other)
    made["__rdivmod__"] = lambda self, other: ask("divmod", other, self)
    for name in UNARY:
        made[f"__{name}__"] = lambda self, name=name: ask(name, self)
    return made


def capabilities(ask):
    """Make the special methods that a stand-in has where its object's class has them."""
    made = {name: lambda self, *given, what=what: ask(what, self, *given) for name, what in NAMES.items()}
    made["__call__"] = lambda self, /, *given, **named: ask("call", self, given, tuple(named.items()))
    made["__exit__"] = lambda self, kind, error, traceback: ask("exit", self, kind, error)
    made["__await__"] = lambda self: _awaited(ask, "await", self)
    made["__anext__"] = lambda self: _Awaitable(ask, "anext", self)
    made["__aenter__"] = lambda self: _Awaitable(ask, "aenter", self)
    made["__aexit__"] = lambda self, kind, error, traceback: _Awaitable(ask, "aexit", self, kind, error)
    made["__array__"] = lambda self, dtype=None, copy=None: ask("array", self, dtype)
    return made


def special_names(kind):
    """List which of `NAMES`, `__bool__`, `__hash__`, `__eq__` a class has; `no NAME` is one that it has taken away."""
    found = []
    for name in (*NAMES, "__bool__", "__hash__", "__eq__"):
        for base in type.__dict__["__mro__"].__get__(kind):
            own = type.__dict__["__dict__"].__get__(base)
            if name in own:
                if own[name] is None:
                    found.append(f"no {name}")
                elif base is not object:
                    found.append(name)
                break
    return found


class _Awaitable:
    """Stand for what `await` waits for when nothing is left to wait for: the other side drives it to its end."""

    def __init__(self, ask, *asked):
        self.asked = ask, asked

    def __await__(self):
        ask, asked = self.asked
        return _awaited(ask, *asked)


def _awaited(ask, *asked):
    return ask(*asked)
    yield  # a generator: what `__await__` has to give


def drive(awaitable):
    """Run a coroutine to its end, also where an event loop runs already, as in a kernel."""
    running = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_as_coroutine(awaitable))
    finally:
        loop.close()
        asyncio.events._set_running_loop(running)


async def _as_coroutine(awaitable):
    return await awaitable


def _call(target, given, named):
    return target(*given, **dict(named))


def _array(target, dtype):
    numpy = sys.modules.get("numpy")
    if numpy is None:
        raise TypeError("numpy has not been imported where this object lives")
    array = numpy.asarray(target, dtype=dtype)
    return array if type(array) is numpy.ndarray else array.view(numpy.ndarray)


def _text(value):
    return str.__str__(value) if type(value) is not str else value


def _enter(target):
    return type(target).__enter__(target)


def _exit(target, kind, error):
    return type(target).__exit__(target, kind, error, None)


_OPERATIONS = {
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod")},
    **{name: getattr(operator, name) for name in ("lshift", "rshift", "xor", "neg", "pos", "invert", "abs", "index")},
    **{f"i{name}": getattr(operator, f"i{name}") for name in (*BINARY, "pow")},
    **{name: getattr(operator, name) for name in COMPARED},
    "and": operator.and_,
    "or": operator.or_,
    "pow": pow,
    "divmod": divmod,
    "call": _call,
    "get": getattr,
    "set": setattr,
    "del": delattr,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "contains": operator.contains,
    "iter": iter,
    "next": next,
    "reversed": reversed,
    "len": len,
    "length_hint": operator.length_hint,
    "bool": bool,
    "str": lambda target: _text(str(target)),
    "repr": lambda target: _text(repr(target)),
    "format": lambda target, how: _text(format(target, how)),
    "hash": hash,
    "int": int,
    "float": float,
    "complex": complex,
    "bytes": bytes,
    "fspath": os.fspath,
    "array": _array,
    "round": round,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
    "enter": _enter,
    "exit": _exit,
    "await": drive,
    "aiter": lambda target: type(target).__aiter__(target),
    "anext": lambda target: drive(type(target).__anext__(target)),
    "aenter": lambda target: drive(type(target).__aenter__(target)),
    "aexit": lambda target, kind, error: drive(type(target).__aexit__(target, kind, error, None)),
    "dir": lambda target: [_text(name) for name in dir(target)],
    "isinstance": isinstance,
    "issubclass": issubclass,
}
