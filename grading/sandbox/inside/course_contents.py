"""The plain value of an object whose class derives from a plain one, and replacing contents in place. Runs inside."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import sys
import types
import uuid

from course_objects import attributes, instance_dict, native_base, slots
from course_table import NOTHING


def base_value(obj, native=None):
    """Give the plain value of an instance of a subclass of a class that is copied, else NOTHING.

    It is made by the functions of the plain class itself, never a method of the object's class. `native` says which
    class that is to be, where it is known.
    """
    cls = type(obj)
    makers = _makers()
    if native is not None:
        return makers[native](obj)
    if cls in makers:
        return NOTHING
    for base in cls.__mro__[1:]:
        if base in makers:
            try:
                return makers[base](obj)
            except Exception:
                return NOTHING
    return NOTHING


def _makers():
    makers = dict(_PLAIN)
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None:
        makers[numpy.ndarray] = lambda obj: numpy.ndarray.view(obj, numpy.ndarray)
        makers[numpy.generic] = _numpy_scalar
        makers[numpy.str_] = lambda obj: numpy.str_(str.__str__(obj))
        makers[numpy.bytes_] = lambda obj: numpy.bytes_(bytes.__getitem__(obj, slice(None)))
    if pandas is not None:
        makers |= {plain: plain for plain in (pandas.Series, pandas.DataFrame, pandas.Index, pandas.Timestamp)}
    return makers


def _numpy_scalar(obj):
    # Not by `numpy.generic.tobytes` or `__array__`, which crash if the class of the object is hostile enough.
    numpy = sys.modules["numpy"]
    plain = next(base for base in type(obj).__mro__ if base in numpy.sctypeDict.values())
    return numpy.frombuffer(memoryview(obj).tobytes(), plain)[0]


def _ordered(obj):
    copied = collections.OrderedDict()
    for key, value in collections.OrderedDict.items(obj):
        copied[key] = value
    return copied


def _counter(obj):
    counter = collections.Counter()
    dict.update(counter, dict.items(obj))
    return counter


def _defaultdict(obj):
    factory = collections.defaultdict.default_factory.__get__(obj)
    return collections.defaultdict(factory, list(dict.items(obj)))


def _deque(obj):
    bound = collections.deque.maxlen.__get__(obj)
    return collections.deque(collections.deque.__iter__(obj), bound)


def _date(obj):
    day = datetime.date
    return day(*(getattr(day, name).__get__(obj) for name in ("year", "month", "day")))


def _datetime(obj):
    time = datetime.datetime
    date = (getattr(time, name).__get__(obj) for name in ("year", "month", "day", "hour", "minute", "second"))
    rest = {"tzinfo": time.tzinfo.__get__(obj), "fold": time.fold.__get__(obj)}
    return time(*date, time.microsecond.__get__(obj), **rest)


def _time(obj):
    time = datetime.time
    names = ("hour", "minute", "second", "microsecond", "tzinfo")
    return time(*(getattr(time, name).__get__(obj) for name in names), fold=time.fold.__get__(obj))


def _timedelta(obj):
    delta = datetime.timedelta
    return delta(*(getattr(delta, name).__get__(obj) for name in ("days", "seconds", "microseconds")))


def _fraction(obj):
    fraction = fractions.Fraction
    return fraction(fraction._numerator.__get__(obj), fraction._denominator.__get__(obj))


_PLAIN = {
    int: lambda obj: int.__add__(obj, 0),
    float: lambda obj: float.__add__(obj, 0.0) if float.__ne__(obj, 0.0) else float.__pos__(obj),
    complex: lambda obj: complex(complex.real.__get__(obj), complex.imag.__get__(obj)),
    str: lambda obj: str.__str__(obj),
    bytes: lambda obj: bytes.__getitem__(obj, slice(None)),
    bytearray: lambda obj: bytearray.__getitem__(obj, slice(None)),
    list: lambda obj: list.__getitem__(obj, slice(None)),
    tuple: lambda obj: tuple.__getitem__(obj, slice(None)),
    dict: lambda obj: dict(list(dict.items(obj))),
    set: lambda obj: set(set.__iter__(obj)),
    frozenset: lambda obj: frozenset(frozenset.__iter__(obj)),
    collections.OrderedDict: _ordered,
    collections.Counter: _counter,
    collections.defaultdict: _defaultdict,
    collections.deque: _deque,
    fractions.Fraction: _fraction,
    decimal.Decimal: lambda obj: decimal.Decimal(decimal.Decimal.as_tuple(obj)),
    datetime.datetime: _datetime,
    datetime.date: _date,
    datetime.time: _time,
    datetime.timedelta: _timedelta,
    uuid.UUID: lambda obj: uuid.UUID(int=uuid.UUID.int.__get__(obj)),
    **{
        path: (lambda obj, path=path: path(pathlib.PurePath.__str__(obj)))
        for path in (pathlib.PurePosixPath, pathlib.PureWindowsPath, type(pathlib.Path()))
    },
}


def replace_contents(target, source):
    """Make an object that can be changed in place equal to another of its class; gives whether that was possible.

    Where `source` contains itself, `target` then contains itself.
    """
    cls = type(target)
    if target is source or cls is not type(source):
        return target is source
    if cls in _REPLACERS:
        return _REPLACERS[cls](target, source) is not False
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and issubclass(cls, numpy.ndarray):
        return _replace_array(numpy, target, source)
    if pandas is not None and cls in (pandas.Series, pandas.DataFrame):
        cls.__init__(target, source.copy())
        target.attrs = source.attrs
        return True
    if issubclass(cls, enum.Enum) or not cls.__flags__ & 1 << 9 or native_base(cls) is None:
        return False
    return _replace_instance(target, source)


def _replace_namespace(target, source):
    values = {name: target if value is source else value for name, value in instance_dict(source).items()}
    instance_dict(target).clear()
    instance_dict(target).update(values)


def _replace_packed(target, source):
    if target.typecode != source.typecode:
        return False
    target[:] = source
    return True


def _own(target, source, values):
    return [target if value is source else value for value in values]


def _replace_list(target, source):
    target[:] = _own(target, source, source)


def _replace_dict(target, source):
    pairs = [(key, target if value is source else value) for key, value in source.items()]
    target.clear()
    for key, value in pairs:
        target[key] = value


def _replace_defaultdict(target, source):
    target.default_factory = source.default_factory
    _replace_dict(target, source)


def _replace_set(target, source):
    target.clear()
    target.update(source)


def _replace_bytes(target, source):
    target[:] = source


def _replace_deque(target, source):
    if target.maxlen != source.maxlen:
        return False
    values = _own(target, source, source)
    target.clear()
    target.extend(values)
    return True


def _replace_array(numpy, target, source):
    if target.dtype != source.dtype or not target.flags.writeable:
        return False
    if target.shape != source.shape and not _reshape_array(numpy, target, source.shape):
        return False
    if isinstance(target, numpy.ma.MaskedArray):
        target.soften_mask()
        target[...] = source.data
        target.mask = source.mask
        if source.hardmask:
            target.harden_mask()
        return True
    target[...] = source
    return True


def _reshape_array(numpy, target, shape):
    """Give an array another shape in place. Never another size: its memory may be seen through other arrays."""
    if type(target) is not numpy.ndarray or target.size != math.prod(shape) or not target.flags.forc:
        return False
    target.resize(shape, refcheck=False)
    return True


def _replace_instance(target, source):
    cls = type(target)
    native = native_base(cls)
    if native in (list, bytearray):
        native.__setitem__(target, slice(None), _own(target, source, native.__iter__(source)))
    elif native in (dict, set):
        native.clear(target)
        native.update(target, base_value(source, native))
    elif native is not object and base_value(target, native) != base_value(source, native):
        return False
    fields = {name: target if value is source else value for name, value in attributes(source)}
    descriptors = slots(cls)
    for name, descriptor in descriptors.items():
        if name in fields:
            descriptor.__set__(target, fields[name])
        elif any(name == other for other, _ in attributes(target)):
            descriptor.__delete__(target)
    inside = instance_dict(target)
    inside.clear()
    inside.update((name, value) for name, value in fields.items() if name not in descriptors)
    return True


_REPLACERS = {
    list: _replace_list,
    dict: _replace_dict,
    collections.OrderedDict: _replace_dict,
    collections.Counter: _replace_dict,
    collections.defaultdict: _replace_defaultdict,
    set: _replace_set,
    bytearray: _replace_bytes,
    array.array: _replace_packed,
    types.SimpleNamespace: _replace_namespace,
    collections.deque: _replace_deque,
}
