"""Values of the standard library, and instances of the instructor's classes, on their way between processes.

Runs inside.

`WRITERS` maps an exact class to (function(writer, object) -> node, or None where this one is not copied; can it be
changed in place?), `KINDS` the kinds of nodes to how they are read. Nothing here calls a method of the classes of the
instructor or the student, but the hash of a key.
"""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import importlib
import math
import pathlib
import re
import sys
import types
import uuid
import warnings
import zoneinfo

from course_contents import base_value
from course_objects import attributes, instance_dict, native_base, slots
from course_table import (
    MAX_HEX,
    NOTHING,
    BadValue,
    Kind,
    TooLarge,
    class_name,
    find_class,
    is_plain_class,
)

_MAX_DECIMAL = 100_000
"""Digits of a Decimal."""
_MAX_EXPONENT = 999_999
_MAX_RANGE = 4096
"""Bits of the numbers of a range."""
_MAX_FRACTION = 400_000
"""Bits of a fraction's numbers together."""
_MAX_PATTERN = 2000
"""Characters of a regular expression."""
_PATTERN_FLAGS = int(re.A | re.I | re.L | re.M | re.S | re.U | re.X)
_ZONE_ITEMS = 1000
"""What a time zone counts among the items of a value: a file is read for it."""
_PACKED_LENGTH = 64
"""Lists of numbers from this length on are one blob."""
_HEXADECIMAL = re.compile(r"-?[0-9a-f]+")
_DECIMAL = re.compile(r"-?(?:(\d+)(?:\.(\d+))?(?:[Ee]([+-]?\d{1,7}))?|Infinity|s?NaN\d{0,20})", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,3}")
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_CONSTANTS = {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}
_PATHS = {
    path.__name__: path
    for path in (pathlib.PurePosixPath, pathlib.PureWindowsPath, type(pathlib.Path()), pathlib.PurePath)
}
_TYPECODES = tuple("bBhHiIlLqQfd")
_FILLED = (list, dict, set, bytearray)


def whole(number):
    """Tell a whole number (never a bool) of a size that fields have."""
    return type(number) is int and -(2**63) <= number < 2**63


def length(number):
    return type(number) is int and 0 <= number < 2**48


def text_or_none(text):
    return text is None or type(text) is str


# Numbers and text.


def _write_int(writer, number):
    if number.bit_length() > 4 * MAX_HEX:
        raise TooLarge(f"a whole number of {number.bit_length():,} bits is too large to be handed over")
    return ["int", format(number, "x")]


def _read_int(reader, node, values):
    text = node[1]
    if len(text) > MAX_HEX + 1 or not _HEXADECIMAL.fullmatch(text):
        raise BadValue("a whole number is malformed or too large")
    reader.weigh(node, 1 + len(text) // 64)
    return int(text, 16)


def _write_float(writer, number):
    numpy = sys.modules.get("numpy")
    if number is math.nan:
        return ["float", "math.nan"]
    if numpy is not None and number is numpy.__dict__.get("nan"):
        return ["float", "numpy.nan"]
    return ["float", repr(number)]


def _read_float(reader, node, values):
    name = node[1]
    if name == "math.nan":
        return math.nan
    if name == "numpy.nan":
        return sys.modules["numpy"].nan if "numpy" in sys.modules else math.nan
    if name not in _SPECIAL:
        raise BadValue("a number is malformed")
    return float(name)


def _write_complex(writer, number):
    parts = number.real, number.imag
    return ["complex", *(part if math.isfinite(part) else repr(part) for part in parts)]


def _read_complex(reader, node, values):
    return complex(*(_SPECIAL[part] if type(part) is str else part for part in node[1:]))


def _finite_or_special(part):
    return type(part) is float or (type(part) is str and part in _SPECIAL)


def _write_text(writer, text):
    return ["str", writer.blob(text.encode("utf-8", "surrogatepass"))]


def _read_text(reader, node, values):
    return str(reader.blob(node[1]), "utf-8", "surrogatepass")


def _write_bytes(writer, data):
    return [type(data).__name__, writer.blob(bytes(data))]


def _read_bytes(reader, node, values):
    return bytes(reader.blob(node[1]))


def _read_bytearray(reader, node, values):
    return bytearray(reader.blob(node[1]))


def _write_pattern(writer, pattern):
    if len(pattern.pattern) > _MAX_PATTERN:
        return None
    return ["Pattern", writer.slot(pattern.pattern), writer.slot(pattern.flags & _PATTERN_FLAGS)]


def _read_pattern(reader, node, values):
    """Compile it anew; `re.DEBUG` is not among the flags, since it prints."""
    pattern, flags = values
    if type(pattern) not in (str, bytes) or type(flags) is not int or len(pattern) > _MAX_PATTERN:
        raise BadValue("a regular expression is malformed")
    if flags & ~_PATTERN_FLAGS:
        raise BadValue("a regular expression has flags that there are not")
    reader.spend(len(pattern))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern, flags)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise BadValue("a regular expression is malformed") from error


def _write_fraction(writer, number):
    if number.numerator.bit_length() + number.denominator.bit_length() > _MAX_FRACTION:
        return None
    return ["Fraction", writer.slot(number.numerator), writer.slot(number.denominator)]


def _read_fraction(reader, node, values):
    numerator, denominator = values
    if type(numerator) is not int or type(denominator) is not int or denominator <= 0:
        raise BadValue("a fraction is malformed")
    bits = denominator.bit_length() + numerator.bit_length()
    if bits > _MAX_FRACTION:
        raise BadValue("a fraction is too large")
    reader.spend((bits // 256) ** 2 // 4)
    reader.weigh(node, 1 + bits // 256)
    fraction = fractions.Fraction(numerator, denominator)
    if fraction.denominator != denominator:
        raise BadValue("a fraction is not in lowest terms")
    return fraction


def _write_decimal(writer, number):
    node = ["Decimal", str(number)]
    return node if _decimal(node[1]) else None


def _read_decimal(reader, node, values):
    if not _decimal(node[1]):
        raise BadValue("a decimal number is malformed or too large")
    reader.weigh(node, 1 + len(node[1]) // 64)
    return decimal.Decimal(node[1])


def _decimal(text):
    """Tell whether a text is that of a Decimal that is not too large."""
    match = _DECIMAL.fullmatch(text) if len(text) <= _MAX_DECIMAL + 20 else None
    return bool(match) and abs(int(match[3] or 0) + len(match[1] or "")) <= _MAX_EXPONENT


# Containers.


def entries(reader, node):
    """Give the parts of a node that is a kind and a list of slots."""
    if len(node) != 2 or type(node[1]) is not list:
        raise BadValue(f"a part of the kind {node[0]} is malformed")
    return node[1]


def _write_sequence(writer, values):
    name = type(values).__name__
    if len(values) >= _PACKED_LENGTH:
        node = _packed_numbers(writer, name, values)
        if node:
            return node
    slot = writer.slot
    return [name, [slot(value) for value in values]]


def _packed_numbers(writer, name, values):
    found = set(map(type, values))
    if found == {int}:
        try:
            return ["numbers", name, "q", writer.blob(array.array("q", values))]
        except OverflowError:
            return None
    if found == {float}:
        total = sum(values)
        if total == total:  # a NaN may be this one or that
            return ["numbers", name, "d", writer.blob(array.array("d", values))]
    return None


def _numbers_form(reader, node):
    reader.take(node, str, str, int)
    if node[1] not in ("list", "tuple") or node[2] not in ("q", "d"):
        raise BadValue("packed numbers are malformed")
    return []


def _read_numbers(reader, node, values):
    data = reader.blob(node[3])
    if len(data) % 8:
        raise BadValue("packed numbers are malformed")
    reader.spend(len(data) // 8)
    reader.weigh(node, 1 + len(data) // 8)
    numbers = data.cast(node[2]).tolist()
    return numbers if node[1] == "list" else tuple(numbers)


def _read_list(reader, node):
    return []


def _fill_list(reader, target, node, values):
    target[:] = values


def _read_tuple(reader, node, values):
    return tuple(values)


def _write_set(writer, values):
    slot = writer.slot
    return [type(values).__name__, [slot(value) for value in values]]


def _read_set(reader, node):
    return set()


def _fill_set(reader, target, node, values):
    target |= _distinct(reader, node[1], values, set)


def _read_frozenset(reader, node, values):
    return _distinct(reader, node[1], values, frozenset)


def _distinct(reader, slots, values, kind):
    reader.keys(slots, values)
    found = kind(values)
    if len(found) != len(values):
        raise BadValue("an element of a set occurs twice")
    return found


def _pairs(writer, values):
    slot = writer.slot
    return [slot(part) for pair in dict.items(values) for part in pair]


def _ordered_pairs(writer, values):
    slot = writer.slot
    return [slot(part) for pair in values.items() for part in pair]


def _fill_dict(reader, target, node, values):
    dict.update(target, _mapping(reader, node[1], values))


def _fill_ordered(reader, target, node, values):
    target.update(_mapping(reader, node[1], values))


def _mapping(reader, slots, values):
    """Make a dict of slots and values that alternate between keys and values."""
    if len(values) % 2:
        raise BadValue("a key has no value")
    keys = values[::2]
    reader.keys(slots[::2], keys)
    found = dict(zip(keys, values[1::2], strict=True))
    if len(found) != len(keys):
        raise BadValue("a key occurs twice")
    return found


def _write_defaultdict(writer, values):
    return ["defaultdict", [writer.slot(values.default_factory), *_pairs(writer, values)]]


def _read_defaultdict(reader, node):
    return collections.defaultdict()


def _fill_defaultdict(reader, target, node, values):
    if not values:
        raise BadValue("a defaultdict has no factory")
    if values[0] is not None and not callable(values[0]):
        raise BadValue("the factory of a defaultdict cannot be called")
    target.default_factory = values[0]
    target.update(_mapping(reader, node[1][1:], values[1:]))


def _write_deque(writer, values):
    slot = writer.slot
    return ["deque", values.maxlen, [slot(value) for value in values]]


def _deque_form(reader, node):
    reader.take(node, lambda bound: bound is None or length(bound), list)
    if node[1] is not None and len(node[2]) > node[1]:
        raise BadValue("a deque is longer than its bound")
    return node[2]


def _read_deque(reader, node):
    return collections.deque(maxlen=node[1])


def _fill_deque(reader, target, node, values):
    target.clear()
    target.extend(values)


def _write_view(writer, values):
    """Write the keys, values or items of a dict: they become those of another dict."""
    name = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}[type(values)]
    slot = writer.slot
    parts = [part for pair in values for part in pair] if name == "items" else values
    return ["dict view", name, [slot(part) for part in parts]]


def _view_form(reader, node):
    reader.take(node, ("keys", "values", "items").__contains__, list)
    return node[2]


def _read_view(reader, node, values):
    if node[1] == "values":
        return dict(enumerate(values)).values()
    if node[1] == "items":
        return _mapping(reader, node[2], values).items()
    return _mapping(reader, [part for slot in node[2] for part in (slot, None)], _with_none(values)).keys()


def _with_none(values):
    return [part for value in values for part in (value, None)]


def _write_array(writer, values):
    return ["array.array", values.typecode, writer.blob(values)] if values.typecode in _TYPECODES else None


def _array_form(reader, node):
    reader.take(node, _TYPECODES.__contains__, int)
    return []


def _read_array(reader, node, values):
    return array.array(node[1], bytes(reader.blob(node[2])))


def _write_namespace(writer, namespace):
    fields = []
    for name, value in instance_dict(namespace).items():
        if type(name) is not str:
            return None
        fields += (name, writer.slot(value))
    return ["SimpleNamespace", fields]


def _namespace_form(reader, node):
    reader.take(node, list)
    _check_names(node[1])
    return node[1][1::2]


def _check_names(fields):
    """Check fields, names and slots that alternate."""
    names = fields[::2]
    if len(fields) % 2 or not all(type(name) is str for name in names) or len(set(names)) != len(names):
        raise BadValue("an instance is malformed")


def _fill_namespace(reader, target, node, values):
    instance_dict(target).update(zip(node[1][::2], values, strict=True))


def _write_range(writer, values):
    if max(part.bit_length() for part in (values.start, values.stop, values.step)) > _MAX_RANGE:
        return None
    return ["range", *map(writer.slot, (values.start, values.stop, values.step))]


def _read_range(reader, node, values):
    if not all(type(value) is int and value.bit_length() <= _MAX_RANGE for value in values) or values[2] == 0:
        raise BadValue("a range is malformed")
    return range(*values)


def _write_slice(writer, values):
    return ["slice", *map(writer.slot, (values.start, values.stop, values.step))]


def _read_slice(reader, node, values):
    return slice(*values)


def several(count):
    """Give a function for `Kind.parts` of a node that is a kind and `count` slots."""

    def parts(reader, node):
        if len(node) != count + 1:
            raise BadValue(f"a part of the kind {node[0]} has {len(node) - 1} entries")
        return node[1:]

    return parts


# Times and names of things.


def _write_date(writer, day):
    return ["date", day.year, day.month, day.day]


def _read_date(reader, node, values):
    return datetime.date(*node[1:])


def _write_time(writer, time):
    if not _known_zone(time.tzinfo):
        return None
    return ["time", time.hour, time.minute, time.second, time.microsecond, time.fold, writer.slot(time.tzinfo)]


def _write_datetime(writer, time):
    if not _known_zone(time.tzinfo):
        return None
    date = time.year, time.month, time.day
    day_time = time.hour, time.minute, time.second, time.microsecond
    return ["datetime", *date, *day_time, time.fold, writer.slot(time.tzinfo)]


def _known_zone(zone):
    return zone is None or type(zone) is datetime.timezone or (type(zone) is zoneinfo.ZoneInfo and _key(zone))


def _key(zone):
    return zone.key is not None and bool(_ZONE.fullmatch(zone.key))


def _last_slot(count):
    """Give a function for `Kind.parts` of a node with `count` whole numbers and then a slot."""

    def parts(reader, node):
        reader.take(node, *[whole] * count, lambda slot: True)
        return node[-1:]

    return parts


def _read_time(reader, node, values):
    return datetime.time(*node[1:5], fold=node[5], tzinfo=_zone(values[0]))


def _read_datetime(reader, node, values):
    return datetime.datetime(*node[1:8], fold=node[8], tzinfo=_zone(values[0]))


def _zone(zone):
    if zone is not None and type(zone) not in (datetime.timezone, zoneinfo.ZoneInfo):
        raise BadValue("a time zone is none")
    return zone


def _write_timedelta(writer, delta):
    return ["timedelta", delta.days, delta.seconds, delta.microseconds]


def _read_timedelta(reader, node, values):
    return datetime.timedelta(*node[1:])


def _write_timezone(writer, zone):
    _, *rest = zone.__getinitargs__() if hasattr(zone, "__getinitargs__") else (None,)
    offset = zone.utcoffset(None)
    return ["timezone", offset.days, offset.seconds, offset.microseconds, rest[0] if rest else None]


def _read_timezone(reader, node, values):
    offset = datetime.timedelta(*node[1:4])
    return datetime.timezone(offset) if node[4] is None else datetime.timezone(offset, node[4])


def _write_zone(writer, zone):
    return ["ZoneInfo", zone.key] if _key(zone) else None


def _read_zone(reader, node, values):
    if not _ZONE.fullmatch(node[1]):
        raise BadValue("a time zone has no such name")
    reader.spend(_ZONE_ITEMS)
    return zoneinfo.ZoneInfo(node[1])


def _write_path(writer, path):
    return ["path", type(path).__name__, writer.slot(str(path))]


def _path_form(reader, node):
    reader.take(node, _PATHS.__contains__, lambda slot: True)
    return node[2:]


def _read_path(reader, node, values):
    if type(values[0]) is not str:
        raise BadValue("a path is malformed")
    return _PATHS[node[1]](values[0])


def _write_uuid(writer, number):
    return ["UUID", number.hex]


def _read_uuid(reader, node, values):
    if not re.fullmatch("[0-9a-f]{32}", node[1]):
        raise BadValue("a UUID is malformed")
    return uuid.UUID(hex=node[1])


def _write_constant(writer, value):
    return ["const", next(name for name, constant in _CONSTANTS.items() if constant is value)]


def _read_constant(reader, node, values):
    if node[1] not in _CONSTANTS:
        raise BadValue("a constant is unknown")
    return _CONSTANTS[node[1]]


# Classes, functions and modules by name.


def write_class(writer, cls):
    if cls in writer.types:
        return ["type", writer.types[cls]]
    name = class_name(cls)
    if name is None:
        return None
    if is_plain_class(cls) and name[0] in ("builtins", "types", "collections"):
        return ["class", *name]
    return ["class", *name, writer.fallback(cls)]


def _class_parts(reader, node):
    fallback = _named_form(reader, node)
    if _class(reader, node) is not None:
        return []
    if not fallback:
        raise BadValue("a class that is named is not there, or may not come")
    return fallback


def _named_form(reader, node):
    """Check module, name and perhaps a slot of a reference instead; gives that."""
    if len(node) not in (3, 4) or type(node[1]) is not str or type(node[2]) is not str:
        raise BadValue("a name is malformed")
    if len(node) == 4 and reader.kind_of(node[3]) != "ref":
        raise BadValue("what stands for a name is no reference")
    return node[3:]


def _class(reader, node):
    if reader.trusting:
        _load(node[1])
    try:
        cls = find_class(node[1], node[2])
    except BadValue:
        return None
    return cls if reader.trusting or is_plain_class(cls) else None


def _read_class(reader, node, values):
    return values[0] if values else _class(reader, node)


def _read_type(reader, node, values):
    return instructors(reader, node[1])


def instructors(reader, name):
    """Give the instructor's class of that name."""
    if type(name) is not str or name not in reader.types:
        raise BadValue("a class of the instructor's is unknown")
    return reader.types[name]


def _load(module):
    if module not in sys.modules and all(part.isidentifier() for part in module.split(".")):
        try:
            importlib.import_module(module)
        except Exception:
            return


_FUNCTION_MODULES = frozenset(
    {
        *("builtins", "math", "cmath", "operator", "statistics", "itertools", "functools", "string", "re", "json"),
        *("random", "numpy", "scipy", "pandas", "_operator", "_functools"),
    }
)


def write_function(writer, function):
    """Name a library's function, for a reader who trusts; any other is referred to."""
    name = _function_name(function) if writer.trusted else None
    return ["function", *name, writer.fallback(function)] if name else None


def _function_name(function):
    owner = getattr(function, "__objclass__", None)
    module = owner.__module__ if isinstance(owner, type) else getattr(function, "__module__", None)
    qualname = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if type(function).__module__ == "numpy" and type(function).__name__ == "ufunc":
        module, qualname = "numpy", function.__name__
    if type(module) is not str or type(qualname) is not str or module.partition(".")[0] not in _FUNCTION_MODULES:
        return None
    return (module, qualname) if _walk(module, qualname) is function else None


def _walk(module, qualname):
    found = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found


def _function_parts(reader, node):
    fallback = _named_form(reader, node)
    if reader.trusting:
        _load(node[1])
        if callable(_walk(node[1], node[2])):
            return []
    if not fallback:
        raise BadValue("a function came by its name")
    return fallback


def _read_function(reader, node, values):
    return values[0] if values else _walk(node[1], node[2])


def write_module(writer, module):
    name = module.__dict__.get("__name__")
    if type(name) is not str or sys.modules.get(name) is not module:
        return None
    return ["module", name, writer.fallback(module)]


def _module_parts(reader, node):
    if len(node) not in (2, 3) or type(node[1]) is not str:
        raise BadValue("a module's name is malformed")
    if _module(reader, node[1]) is not None:
        return []
    if len(node) == 2 or reader.kind_of(node[2]) != "ref":
        raise BadValue("a module that is named is not there, or may not come")
    return node[2:]


def _module(reader, name):
    if reader.trusting:
        _load(name)
    allowed = reader.modules
    if not (reader.trusting or (allowed(name) if callable(allowed) else name in allowed)):
        return None
    module = sys.modules.get(name)
    return module if isinstance(module, types.ModuleType) else None


def _read_module(reader, node, values):
    return values[0] if values else _module(reader, node[1])


# Named tuples, members of enumerations, and instances.


def writer_for(cls, known):
    """Give (writing function, mutable) for a class of the instructor's or a library's named tuple or enumeration."""
    if cls in known:
        if issubclass(cls, enum.Enum):
            return _write_member, False
        if is_named_tuple(cls) and not cls.__dictoffset__:
            return _write_named, False
        native = native_base(cls)
        return (_write_instance, True) if native is not None else None
    if issubclass(cls, type):
        return write_class, False
    if issubclass(cls, enum.Enum) and class_name(cls) and not _is_main(cls):
        return _write_library_member, False
    if is_named_tuple(cls) and class_name(cls) and not _is_main(cls) and _is_plain_tuple(cls):
        return _write_library_named, False
    return None


def _is_main(cls):
    return class_name(cls)[0] == "__main__"


def is_named_tuple(cls):
    found = [base.__dict__["_fields"] for base in cls.__mro__ if "_fields" in base.__dict__]
    fields = found[0] if found and issubclass(cls, tuple) else None
    return type(fields) is tuple and all(type(name) is str for name in fields)


def _is_plain_tuple(cls):
    """Tell a named tuple that compares and counts as tuples do."""
    names = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__len__", "__iter__", "__contains__")
    return all(getattr(cls, name) is getattr(tuple, name) for name in (*names, "__getitem__", "__hash__", "count"))


def _write_named(writer, value):
    return ["named", writer.types[type(value)], [writer.slot(item) for item in tuple.__iter__(value)]]


def _named_tuple_form(reader, node):
    reader.take(node, str, list)
    cls = instructors(reader, node[1])
    if not is_named_tuple(cls) or len(node[2]) != len(cls._fields):
        raise BadValue("a named tuple is malformed")
    return node[2]


def _read_named(reader, node, values):
    return tuple.__new__(reader.types[node[1]], values)


def _write_library_named(writer, value):
    items = [writer.slot(item) for item in tuple.__iter__(value)]
    return ["library named", *class_name(type(value)), items, writer.fallback(value)]


def _library_named_parts(reader, node):
    reader.take(node, str, str, list, lambda slot: reader.kind_of(slot) == "ref")
    cls = _library_class(node)
    if cls is None:
        return node[4:]
    if len(node[3]) != len(cls._fields):
        raise BadValue("a named tuple is malformed")
    return node[3]


def _library_class(node):
    try:
        cls = find_class(node[1], node[2])
    except BadValue:
        return None
    package = node[1].partition(".")[0]
    allowed = package != "__main__" and not package.startswith("course_")
    return cls if allowed and is_named_tuple(cls) and _is_plain_tuple(cls) else None


def _read_library_named(reader, node, values):
    cls = _library_class(node)
    return values[0] if cls is None else tuple.__new__(cls, values)


def _write_member(writer, member):
    value = member._value_
    if isinstance(member, enum.Flag):
        return ["flag", writer.types[type(member)], writer.slot(int.__index__(value))]
    return ["member", writer.types[type(member)], member._name_]


def _read_member(reader, node, values):
    return _member(instructors(reader, node[1]), node[2])


def _member(cls, name):
    if not issubclass(cls, enum.Enum) or name not in cls._member_map_:
        raise BadValue("an enumeration has no such member")
    return cls._member_map_[name]


def _flag_parts(reader, node):
    reader.take(node, str, lambda slot: True)
    return node[2:]


def _read_flag(reader, node, values):
    cls = instructors(reader, node[1])
    if not issubclass(cls, enum.Flag) or type(values[0]) is not int or values[0].bit_length() > 4096:
        raise BadValue("an enumeration has no such member")
    return cls(values[0])


def _write_library_member(writer, member):
    name = member._name_
    if type(name) is not str or type(member)._member_map_.get(name) is not member:
        return None
    return ["library member", *class_name(type(member)), name, writer.fallback(member)]


def _library_member_parts(reader, node):
    reader.take(node, str, str, str, lambda slot: reader.kind_of(slot) == "ref")
    return [] if _library_member(node) is not None else node[4:]


def _library_member(node):
    package = node[1].partition(".")[0]
    if package == "__main__" or package.startswith("course_"):
        return None
    try:
        cls = find_class(node[1], node[2])
        return _member(cls, node[3]) if cls.__eq__ in _HONEST else None
    except BadValue:
        return None


def _read_library_member(reader, node, values):
    return values[0] if values else _library_member(node)


_HONEST = (object.__eq__, int.__eq__, str.__eq__)
"""How members of enumerations may compare themselves."""


def _write_instance(writer, obj):
    cls = type(obj)
    native = native_base(cls)
    fields = []
    for name, value in attributes(obj):
        if type(name) is not str:
            return None
        fields += (name, writer.slot(value))
    base = None if native is object else writer.own(base_value(obj, native))
    kind = "instance" if native is object or native in _FILLED else "derived"
    return [kind, writer.types[cls], base, fields]


def _instance_form(reader, node):
    reader.take(node, str, lambda slot: True, list)
    fields = node[3]
    _check_names(fields)
    cls = instructors(reader, node[1])
    native = native_base(cls)
    if (
        native is None
        or issubclass(cls, enum.Enum)
        or (native in _FILLED or native is object) != (node[0] == "instance")
    ):
        raise BadValue("a class of the instructor's has no instances that are copied")
    reader.claim(node[2])
    return [node[2], *fields[1::2]]


def _read_instance(reader, node):
    cls = reader.types[node[1]]
    obj = native_base(cls).__new__(cls)
    if cls.__hash__ is object.__hash__ or cls.__hash__ is None:
        reader.light()
    # What the hash of an instance needs may be here already while a set that it is in is filled.
    fields = node[3]
    plain = [(name, value) for name, value in zip(fields[::2], fields[1::2], strict=True) if type(value) is not list]
    _set_attributes(reader, obj, plain)
    return obj


def _fill_instance(reader, obj, node, values):
    native = native_base(type(obj))
    base, *fields = values
    if native is object:
        if base is not None:
            raise BadValue("an instance is malformed")
    elif type(base) is not native:
        raise BadValue("an instance is malformed")
    elif native is list or native is bytearray:
        native.__setitem__(obj, slice(None), base)
    else:
        native.update(obj, base)
    _set_attributes(reader, obj, list(zip(node[3][::2], fields, strict=True)))


def _read_derived(reader, node, values):
    cls = reader.types[node[1]]
    native = native_base(cls)
    base, *fields = values
    if type(base) is not native or (is_named_tuple(cls) and len(base) != len(cls._fields)):
        raise BadValue("an instance is malformed")
    obj = native.__new__(cls, base)
    _set_attributes(reader, obj, list(zip(node[3][::2], fields, strict=True)))
    return obj


def _set_attributes(reader, obj, fields):
    if not fields:
        return
    cls = type(obj)
    descriptors = slots(cls)
    inside = instance_dict(obj) if cls.__dictoffset__ else None
    for name, value in fields:
        if name in descriptors:
            descriptors[name].__set__(obj, value)
        elif inside is None:
            raise BadValue("an instance has no such attribute")
        elif reader.trusting or _may_hold(cls, name):
            inside[name] = value


def _may_hold(cls, name):
    """Tell whether an instance may have an attribute of its own by that name; False if it is to be found out anew.

    Raises BadValue where it would replace a method of the class.
    """
    for base in cls.__mro__:
        if name in base.__dict__.get("__dataclass_fields__", ()):
            return True
        if name in base.__dict__:
            found = base.__dict__[name]
            if isinstance(found, functools.cached_property):
                return False
            if hasattr(type(found), "__get__") and not hasattr(type(found), "__set__"):
                raise BadValue("an attribute would replace a method")
            return True
    return True


# References.


def _reference_form(reader, node):
    if len(node) not in (4, 5) or node[1] not in ("there", "yours") or not length(node[2]) or type(node[3]) is not dict:
        raise BadValue("a reference is malformed")
    for base in node[4:]:
        reader.claim(base)
    return node[4:]


def _read_reference(reader, node, values):
    return reader.resolve(node[1], node[2], node[3], values[0] if values else NOTHING)


def _fields(*forms):
    """Give a function for `Kind.parts` of a node of these forms, which needs no others."""

    def parts(reader, node):
        reader.take(node, *forms)
        return []

    return parts


WRITERS = {
    int: (_write_int, False),
    float: (_write_float, False),
    complex: (_write_complex, False),
    str: (_write_text, False),
    bytes: (_write_bytes, False),
    bytearray: (_write_bytes, True),
    list: (_write_sequence, True),
    tuple: (_write_sequence, False),
    set: (_write_set, True),
    frozenset: (_write_set, False),
    dict: (lambda writer, values: ["dict", _pairs(writer, values)], True),
    collections.OrderedDict: (lambda writer, values: ["OrderedDict", _ordered_pairs(writer, values)], True),
    collections.Counter: (lambda writer, values: ["Counter", _pairs(writer, values)], True),
    collections.defaultdict: (_write_defaultdict, True),
    collections.deque: (_write_deque, True),
    **dict.fromkeys(map(type, ({}.keys(), {}.values(), {}.items())), (_write_view, False)),
    array.array: (_write_array, True),
    types.SimpleNamespace: (_write_namespace, True),
    range: (_write_range, False),
    slice: (_write_slice, False),
    type(Ellipsis): (_write_constant, False),
    type(NotImplemented): (_write_constant, False),
    re.Pattern: (_write_pattern, False),
    fractions.Fraction: (_write_fraction, False),
    decimal.Decimal: (_write_decimal, False),
    datetime.date: (_write_date, False),
    datetime.time: (_write_time, False),
    datetime.datetime: (_write_datetime, False),
    datetime.timedelta: (_write_timedelta, False),
    datetime.timezone: (_write_timezone, False),
    zoneinfo.ZoneInfo: (_write_zone, False),
    uuid.UUID: (_write_uuid, False),
    types.ModuleType: (write_module, False),
    type: (write_class, False),
    types.FunctionType: (write_function, False),
    types.BuiltinFunctionType: (write_function, False),
    types.MethodDescriptorType: (write_function, False),
    **dict.fromkeys(_PATHS.values(), (_write_path, False)),
}

KINDS = {
    "int": Kind(_fields(str), _read_int),
    "float": Kind(_fields(str), _read_float),
    "complex": Kind(_fields(_finite_or_special, _finite_or_special), _read_complex),
    "str": Kind(_fields(int), _read_text),
    "bytes": Kind(_fields(int), _read_bytes),
    "bytearray": Kind(_fields(int), _read_bytearray, mutable=True),
    "list": Kind(entries, _read_list, _fill_list, mutable=True),
    "tuple": Kind(entries, _read_tuple),
    "numbers": Kind(_numbers_form, _read_numbers, mutable=True),
    "set": Kind(entries, _read_set, _fill_set, mutable=True),
    "frozenset": Kind(entries, _read_frozenset),
    "dict": Kind(entries, lambda reader, node: {}, _fill_dict, mutable=True),
    "OrderedDict": Kind(entries, lambda reader, node: collections.OrderedDict(), _fill_ordered, mutable=True),
    "Counter": Kind(entries, lambda reader, node: collections.Counter(), _fill_dict, mutable=True),
    "defaultdict": Kind(entries, _read_defaultdict, _fill_defaultdict, mutable=True, stacked=True),
    "deque": Kind(_deque_form, _read_deque, _fill_deque, mutable=True, stacked=True),
    "dict view": Kind(_view_form, _read_view),
    "array.array": Kind(_array_form, _read_array, mutable=True),
    "SimpleNamespace": Kind(
        _namespace_form, lambda reader, node: types.SimpleNamespace(), _fill_namespace, mutable=True
    ),
    "range": Kind(several(3), _read_range),
    "slice": Kind(several(3), _read_slice, stacked=True),
    "const": Kind(_fields(str), _read_constant),
    "Pattern": Kind(several(2), _read_pattern),
    "Fraction": Kind(several(2), _read_fraction),
    "Decimal": Kind(_fields(str), _read_decimal),
    "date": Kind(_fields(whole, whole, whole), _read_date),
    "time": Kind(_last_slot(5), _read_time),
    "datetime": Kind(_last_slot(8), _read_datetime),
    "timedelta": Kind(_fields(whole, whole, whole), _read_timedelta),
    "timezone": Kind(_fields(whole, whole, whole, text_or_none), _read_timezone),
    "ZoneInfo": Kind(_fields(str), _read_zone),
    "path": Kind(_path_form, _read_path),
    "UUID": Kind(_fields(str), _read_uuid),
    "class": Kind(_class_parts, _read_class),
    "type": Kind(_fields(str), _read_type),
    "function": Kind(_function_parts, _read_function),
    "module": Kind(_module_parts, _read_module),
    "named": Kind(_named_tuple_form, _read_named),
    "library named": Kind(_library_named_parts, _read_library_named),
    "member": Kind(_fields(str, str), _read_member),
    "flag": Kind(_flag_parts, _read_flag),
    "library member": Kind(_library_member_parts, _read_library_member),
    "instance": Kind(_instance_form, _read_instance, _fill_instance, mutable=True),
    "derived": Kind(_instance_form, _read_derived, mutable=True),
    "ref": Kind(_reference_form, _read_reference),
}
