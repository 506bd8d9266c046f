"""Stands for the student's objects in the examiner: what is asked of a stand-in is asked of the object itself.

A class of the student's is a class here, too (of the metaclass `StandInClass`), so that `isinstance`, `issubclass` and
`except` work as usual; it has no methods but those that ask. An object whose class the examiner knows (a generator, a
function, a Keras model, a subclass of `dict`) is of a class that says in `__class__` what it stands for. No method of
the student's runs here, and no name that comes from there becomes code.
"""

import functools
import sys
import types

from course_operations import COMPARED, SYMBOLS, capabilities, forwarders, perform
from course_values import NOTHING

_LOCAL = frozenset(
    {
        *("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__sizeof__"),
        *("__array_ufunc__", "__array_function__", "__array_interface__", "__array_struct__", "__array_priority__"),
        *("__array__", "__array_wrap__", "__array_prepare__", "__array_finalize__"),
    }
)
"""Attributes that Python and NumPy look up by themselves; they are the stand-in's own."""
_LOCAL_TO_CLASS = {name for name in _LOCAL if name.startswith("__array_")} | {
    *("__copy__", "__deepcopy__"),
    *("__name__", "__qualname__", "mro", "__base__", "__class__", "__new__"),
    *("__basicsize__", "__itemsize__", "__dictoffset__", "__weakrefoffset__", "_abc_impl"),
    *("__instancecheck__", "__subclasscheck__", "__subclasshook__", "__subclasses__", "__init_subclass__"),
}
MODULE = "student"
"""Where classes of the student's seem to be from, so that nobody finds them by name."""
_UFUNCS = {
    **{name: name for name in ("add", "matmul", "left_shift", "right_shift", "divmod")},
    **{"subtract": "sub", "multiply": "mul", "divide": "truediv", "true_divide": "truediv", "remainder": "mod"},
    **{"floor_divide": "floordiv", "power": "pow", "left_shift": "lshift", "right_shift": "rshift"},
    **{"bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor", "equal": "eq", "not_equal": "ne"},
    **{"less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge"},
}


class StaleError(TypeError):
    """An object of the student's was kept from a test cell that has ended."""


class Link:
    """Target of a stand-in: an object by number, of a class, with a plain value where its class has one."""

    __slots__ = ("base", "kind", "number", "talk")

    def __init__(self, talk, number, kind, base=NOTHING):
        self.talk = talk
        self.number = number
        self.kind = kind
        self.base = base


def link_of(obj):
    """Give the Link of a stand-in, or None for anything else. Runs nothing of the object's."""
    kind = type(obj)
    if issubclass(kind, StandInClass):
        link = type.__getattribute__(obj, "__dict__").get("_course_link")
        return link if type(link) is Link else None
    if issubclass(kind, StandIn):
        return _LINK.__get__(obj)
    if issubclass(kind, BaseException) and issubclass(type(kind), StandInClass):
        link = link_of(kind)
        number = link.talk.is_home(obj)
        return None if number is None else Link(link.talk, number, link.kind)
    return None


def make(body, link):
    """Make a stand-in of a class that derives from StandIn."""
    standin = object.__new__(body)
    _LINK.__set__(standin, link)
    return standin


def _ask(operation, *operands):
    """Ask what is asked of the first operand that is a stand-in; the others go along."""
    for operand in operands:
        link = link_of(operand)
        if link is not None:
            return link.talk.ask(operation, *operands)
    raise TypeError("nothing was asked of a stand-in")


def _believing(operation, symbol, me, *others):
    """Ask a question whose answer is a bare yes or no, if the course's solution gives reason to."""
    link = link_of(me)
    link.talk.believe(symbol, link)
    return _ask(operation, me, *others)


class StandInClass(type):
    """The class of a class of the student's."""

    _course_stands_in = True

    def __new__(cls, name, bases, inside, **named):
        """Make a class that a test derives from the student's: it is made there, and its methods are called here."""
        link = next(filter(None, map(link_of, bases)), None)
        if link is None:
            return type.__new__(cls, name, bases, inside)
        cell = inside.pop("__classcell__", None)
        made = link.talk.ask("derive", name, tuple(bases), tuple(map(_told, inside.items())))
        if not isinstance(made, StandInClass):
            link.talk.end("an answer is of a type that it cannot be of")
        if cell is not None:
            cell.cell_contents = made
        return made

    def __init__(cls, *given, **named):
        """Do nothing more."""

    def __call__(cls, /, *given, **named):
        return _ask("call", cls, given, tuple(named.items()))

    def __getattribute__(cls, name):
        if name in _LOCAL_TO_CLASS or name.startswith("_course_"):
            return type.__getattribute__(cls, name)
        link = link_of(cls)
        if link is None:
            return type.__getattribute__(cls, name)
        if name == "__module__":
            return link.kind.module
        if name in ("__bases__", "__mro__"):
            own = (StandIn, Quiet)
            return tuple(base for base in type.__getattribute__(cls, name) if base not in own) or (object,)
        return _ask("get", cls, name)

    def __setattr__(cls, name, value):
        if name in ("__abstractmethods__", "_abc_impl"):
            type.__setattr__(cls, name, value)
        else:
            _ask("set", cls, name, value)

    def __delattr__(cls, name):
        _ask("del", cls, name)

    def __instancecheck__(cls, obj):
        link = link_of(cls)
        if link is None or link_of(obj) is None:
            return type.__instancecheck__(cls, obj)
        link.talk.note("isinstance")
        return (
            _ask("isinstance", obj, cls)
            if "__instancecheck__" in link.kind.metaclass
            else type.__instancecheck__(cls, obj)
        )

    def __subclasscheck__(cls, other):
        link = link_of(cls)
        if link is not None and link_of(other) is not None:
            link.talk.note("issubclass")
            if "__instancecheck__" in link.kind.metaclass:
                return _ask("issubclass", other, cls)
        return type.__subclasscheck__(cls, other)

    def __repr__(cls):
        link = link_of(cls)
        return type.__repr__(cls) if link is None else _ask("repr", cls)

    __str__ = __repr__

    def __dir__(cls):
        return _ask("dir", cls)

    def __iter__(cls):
        return _ask("iter", cls)

    def __len__(cls):
        return _ask("len", cls)

    def __bool__(cls):
        return True

    def __getitem__(cls, key):
        return _ask("getitem", cls, key)

    def __contains__(cls, key):
        return _believing("contains", "in", cls, key)

    def __or__(cls, other):
        return _ask("or", cls, other)

    def __copy__(cls):
        return cls

    def __deepcopy__(cls, memo):
        return cls


def _told(item):
    """Take apart what stands in the body of a class: (name, how it is wrapped, parts)."""
    name, value = item
    if type(value) in (staticmethod, classmethod):
        return name, "static" if type(value) is staticmethod else "class", (value.__func__,)
    if type(value) is property:
        return name, "property", (value.fget, value.fset, value.fdel, value.__doc__)
    return name, "", (value,)


class Super:
    """Stand for `super()` in a test's class that derives from the student's; elsewhere it is the usual one."""

    def __new__(cls, *given):
        if not given:
            frame = sys._getframe(1)
            given = frame.f_locals.get("__class__"), frame.f_locals.get(next(iter(frame.f_code.co_varnames), None))
        if link_of(given[0]) is None:
            return super(*given)
        made = object.__new__(cls)
        object.__setattr__(made, "_course_given", given)
        return made

    def __getattribute__(self, name):
        kind, target = object.__getattribute__(self, "_course_given")
        return link_of(kind).talk.ask("super", kind, target, name)


class StandIn(metaclass=StandInClass):
    """Stands for an object of the student's."""

    __slots__ = ("__weakref__", "_course_link")

    def __init_subclass__(cls, **named):
        """Call nothing of other bases'."""

    def __getattribute__(self, name):
        if name == "__class__":
            link = _LINK.__get__(self)
            link.talk.note("isinstance")
            return link.kind.claimed(link.base)
        if name in _LOCAL:
            return object.__getattribute__(self, name)
        if name.startswith(("_repr_", "_ipython_")):
            raise AttributeError(name)  # how it might be displayed
        if name == "send" and _LINK.__get__(self).kind.known is types.CoroutineType:
            return functools.partial(_run_coroutine, self)
        return _ask("get", self, name)

    def __setattr__(self, name, value):
        _ask("set", self, name, value)

    def __delattr__(self, name):
        _ask("del", self, name)

    def __dir__(self):
        return _ask("dir", self)

    def __repr__(self):
        return _ask("repr", self)

    def __str__(self):
        return _ask("str", self)

    def __format__(self, how):
        return _ask("format", self, how)

    def __hash__(self):
        link = _LINK.__get__(self)
        if link.base is not NOTHING:
            return hash(_value_now(self))
        if "__hash__" in link.kind.specials:
            return _ask("hash", self)
        if "no __hash__" in link.kind.specials:
            raise TypeError(f"unhashable type: '{link.kind.name}'")
        return hash(("stand-in", link.number))

    def __bool__(self):
        link = _LINK.__get__(self)
        if link.base is not NOTHING:
            return bool(_value_now(self))
        link.talk.believe("truth", link)
        return _ask("bool", self) if {"__bool__", "__len__"} & link.kind.specials else True

    def __copy__(self):
        return _ask("copy", self)

    def __deepcopy__(self, memo):
        return _ask("deepcopy", self)

    def __reduce_ex__(self, protocol):
        raise TypeError("an object of the student's cannot be pickled in a test")

    def __array_ufunc__(self, ufunc, method, *inputs, **named):
        operation = _UFUNCS.get(ufunc.__name__)
        if operation in COMPARED:
            link = _LINK.__get__(self)
            link.talk.believe(SYMBOLS[operation], link)
        if method == "__call__" and operation is not None and not named:
            return _ask(operation, *inputs, *((None,) if operation == "pow" else ()))
        return _ask("ufunc", self, ufunc.__name__, method, inputs, tuple(named.items()))


def _run_coroutine(coroutine, value):
    """Do what an event loop does with a coroutine that never waits: the other side drives it to its end."""
    raise StopIteration(_ask("await", coroutine))


_LINK = type.__getattribute__(StandIn, "__dict__")["_course_link"]


def _compared(name):
    symbol = SYMBOLS[f"{name}"]

    def compare(self, other):
        link = _LINK.__get__(self)
        theirs = link_of(other)
        if link.base is not NOTHING and (theirs is None or theirs.base is not NOTHING):
            mine = _value_now(self)
            return perform(name, (mine, other if theirs is None else _value_now(other)))
        if self is other and "__eq__" not in link.kind.specials and name in ("eq", "ne"):
            return name == "eq"
        link.talk.believe(symbol, link)
        if name in ("eq", "ne") and "__eq__" not in link.kind.specials and theirs is None:
            return NotImplemented
        return _ask(name, self, other)

    return compare


for _name, _method in forwarders(_ask).items():
    type.__setattr__(StandIn, _name, _method)
for _name in COMPARED:
    type.__setattr__(StandIn, f"__{_name}__", _compared(_name))


def _value_now(standin):
    """Give the plain value of a stand-in whose class has one, as it is now."""
    link = link_of(standin)
    if type(link.base) in _LASTING:
        return link.base
    base = _ask("base", standin)
    if type(base) is not type(link.base):
        link.talk.end("an answer is of a type that it cannot be of")
    return base


_LASTING = (bool, int, float, complex, str, bytes, tuple, frozenset)
CAPABLE = capabilities(_ask)
CAPABLE["__contains__"] = lambda self, item: _believing("contains", "in", self, item)


def _plain_answer(name, function):
    """Make a method that gives what a function makes of the plain value, where there is one."""
    asking = CAPABLE[name]

    def method(self, *given, **named):
        if _LINK.__get__(self).base is NOTHING:
            return asking(self, *given, **named)
        return function(_value_now(self), *given, **named)

    return method


def _to_array(base, dtype=None, copy=None):
    return sys.modules["numpy"].asarray(base, dtype=dtype)


for _name, _function in {"__int__": int, "__float__": float, "__complex__": complex, "__array__": _to_array}.items():
    CAPABLE[_name] = _plain_answer(_name, _function)
CAPABLE["__index__"] = _plain_answer("__index__", lambda base: base.__index__())


class Quiet:
    """First base of a class that has the instructor's or a library's among its bases."""

    def __init_subclass__(cls, **named):
        """Call nothing of other bases'."""
