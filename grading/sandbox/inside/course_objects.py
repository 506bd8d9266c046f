"""What an object of a class written in Python consists of, seen without calling anything of it. Runs inside."""

import functools
import types

_NATIVE = (int, float, complex, str, bytes, tuple, frozenset, list, dict, set, bytearray)


@functools.cache
def _builtin_function():
    return type(len)


@functools.lru_cache(256)
def native_base(cls):
    """Give the builtin class whose memory layout a class written in Python has (object, list, ...), or None."""
    makers = [base for base in cls.__mro__ if isinstance(base.__dict__.get("__new__"), _builtin_function())]
    if makers == [object]:
        return object
    if len(makers) == 2 and makers[0] in _NATIVE and makers[1] is object:
        return makers[0]
    return None


def attributes(obj):
    """Give the (name, value) pairs of an instance, of `__dict__` and `__slots__`, without calling anything of it."""
    found = list(instance_dict(obj).items())
    for name, descriptor in slots(type(obj)).items():
        try:
            found.append((name, descriptor.__get__(obj)))
        except AttributeError:
            continue
    return found


def instance_dict(obj):
    try:
        found = object.__getattribute__(obj, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


@functools.lru_cache(256)
def slots(cls):
    """Give the descriptors of `__slots__` of a class and its bases, by name."""
    return {
        name: value
        for base in reversed(cls.__mro__)
        if base.__dict__.get("__slots__") is not None
        for name, value in base.__dict__.items()
        if isinstance(value, types.MemberDescriptorType)
    }
