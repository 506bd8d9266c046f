"""What the student's process may send instead of a value: it is refused, soon, and costs little memory."""

import dataclasses
import enum
import functools
import json
import random
import resource
import sys
import time
import unittest.mock  # a class of it equals everything
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from grading.sandbox.kernel import INSIDE

sys.path.insert(0, str(INSIDE))
import course_table
import course_values
from course_values import BadValue

SECONDS = 10
"""Of the processor; each takes about one at most."""
MEBIBYTES = 200


class Point(NamedTuple):
    x: Any
    y: Any


class Named(Point):
    """Has a `__dict__` beside its two items."""


class Colour(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1


@dataclasses.dataclass(frozen=True)
class Place:
    row: Any
    column: Any


class Account:
    def __init__(self) -> None:
        self.owner = "a"

    def total(self) -> int:
        return 0

    @functools.cached_property
    def found(self) -> int:
        return 0


class Slotted:
    __slots__ = ("one",)


class Matrix(list[Any]):
    pass


class Metres(float):
    pass


TYPES: dict[str, type] = {
    cls.__name__: cls for cls in (Point, Named, Colour, Access, Place, Account, Slotted, Matrix, Metres)
}


def decode(packed: Any, tail: bytes = b"") -> Any:
    return course_values.decode(packed, tail, lambda *reference: reference, TYPES, {"math"})


def table(*nodes: Any, root: Any = (0,), blobs: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {"nodes": list(nodes), "root": list(root) if type(root) is tuple else root, "blobs": list(blobs)}


def blob(node: Any, data: bytes) -> tuple[dict[str, Any], bytes]:
    """Give a table of one node and one blob."""
    return table(node, blobs=(len(data),)), data


def array(dtype: Any, shape: Any, data: bytes = b"", axes: Any = None, writeable: Any = True) -> Any:
    return blob(["array", dtype, shape, axes, writeable, 0], data)


def doubling(first: int) -> list[Any]:
    """Give tuples, from node `first` on, each of which holds the next twice: 61 nodes, 2 ** 60 when written out."""
    return [["tuple", [[first + index + 1]] * 2] for index in range(60)] + [["tuple", []]]


COLLIDING = [number * sys.hash_info.modulus for number in range(1, 20_000)]
FIELD = {"itemsize": 8, "align": False, "fields": [["a", None, 0, "<f8", []]]}

STRUCTURE = {
    "no dict": [],
    "nothing": None,
    "no nodes": {"root": 1, "blobs": []},
    "no blobs": {"root": 1, "nodes": []},
    "nodes that are a dict": {"nodes": {}, "root": 1, "blobs": []},
    "nodes that are text": {"nodes": "abc", "root": [0], "blobs": []},
    "too many nodes": {"nodes": [None] * (course_values.MAX_NODES + 1), "root": 1, "blobs": []},
    "a root beyond": table(["list", []], root=(1,)),
    "a root before": table(["list", []], root=(-1,)),
    "a root that is true": table(["list", []], ["list", []], root=(True,)),
    "a root that is a float": table(["list", []], root=(0.0,)),
    "a root that is text": table(["list", []], root=("0",)),
    "a root of two": table(["list", []], root=(0, 0)),
    "a root of none": table(["list", []], root=()),
    "a root that is a dict": table(["list", []], root={}),
    "a root of an absurd number": table(["list", []], root=(10**300,)),
    "a node that is null": table(None),
    "a node that is text": table("list"),
    "a node that is a dict": table({"list": []}),
    "an empty node": table([]),
    "a kind that is a list": table([["list"], []]),
    "a kind that is a number": table([0, []]),
    "an unknown kind": table(["eval", "1"]),
    "a kind without entries": table(["list"]),
    "a kind with too many entries": table(["list", [], []]),
    "a list of a dict": table(["list", [{}]]),
    "a list of an index beyond": table(["list", [[7]]]),
    "a list of text": table(["list", "abc"]),
    "blobs of negative length": table(["bytes", 0], blobs=(-1,)),
    "blobs of true length": table(["bytes", 0], blobs=(True,)),
    "blobs of broken length": table(["bytes", 0], blobs=(0.5,)),
    "blobs longer than the tail": table(["bytes", 0], blobs=(10**15,)),
    "blobs of lengths that make up": table(["bytes", 0], blobs=(10, -10)),
    "a blob beyond": table(["bytes", 3]),
    "a blob before": table(["bytes", -1], blobs=(0,)),
    "a blob that is text": table(["bytes", "0"], blobs=(0,)),
    "a blob that is true": table(["bytes", True], blobs=(0, 0)),
    "a blob that is used twice": table(["list", [[1], [2]]], ["bytes", 0], ["bytes", 0], blobs=(0,)),
    "a tuple of itself": table(["tuple", [[0]]]),
    "two tuples of each other": table(["tuple", [[1]]], ["tuple", [[0]]]),
    "tuples of each other in a list": table(["list", [[1]]], ["tuple", [[2]]], ["tuple", [[1]]]),
    "a frozenset of itself": table(["frozenset", [[0]]]),
    "a set of itself": table(["set", [[0]]]),
    "a slice of itself": table(["slice", [0], None, None]),
    "an array of itself": table(["objects", [1], None, True, [[0]]]),
    "a named tuple of itself": table(["named", "Point", [[0], 1]]),
    "a key that is its own value": table(["dict", [[0], 1]]),
    "a reference whose base is itself": table(["ref", "there", 1, {}, [0]]),
}
NUMBERS = {
    "int 0x": table(["int", "0x1f"]),
    "int with lines": table(["int", "1_0"]),
    "int with spaces": table(["int", " 1"]),
    "int with a line end": table(["int", "1\n"]),
    "int in other digits": table(["int", "١"]),
    "int of nothing": table(["int", ""]),
    "int of a sign": table(["int", "-"]),
    "int of a number": table(["int", 5]),
    "int of too many digits": table(["int", "f" * 1_000_002]),
    "a float of text": table(["float", "1.5"]),
    "a float of a number": table(["float", 1.5]),
    "a complex of text": table(["complex", "1", 2.0]),
    "a complex of whole numbers": table(["complex", 1, 2]),
    "a pattern of a number": table(["Pattern", 5, 0]),
    "a pattern whose flags print": (table(["Pattern", [1], 160], ["str", 0], blobs=(1,)), b"a"),
    "a pattern with a group that does not end": (table(["Pattern", [1], 32], ["str", 0], blobs=(2,)), b"(a"),
    "a pattern of bytes with flags of text": (table(["Pattern", [1], 32], ["bytes", 0], blobs=(1,)), b"a"),
    "a pattern that is nested too deeply": (table(["Pattern", [1], 32], ["str", 0], blobs=(1998,)), b"(" * 1998),
    "a pattern that is too long": (table(["Pattern", [1], 32], ["str", 0], blobs=(2001,)), b"a" * 2001),
    "a fraction of zero": table(["Fraction", 1, 0]),
    "a fraction below zero": table(["Fraction", 1, -2]),
    "a fraction that can be reduced": table(["Fraction", 2, 4]),
    "a fraction of floats": table(["Fraction", 1.0, 2]),
    "a fraction of truths": table(["Fraction", True, True]),
    "a fraction of text": table(["Fraction", "1", "2"]),
    "a fraction that is too large": table(["Fraction", [1], 3], ["int", "f" * 900_000]),
    "many large fractions": table(
        ["list", [[index + 3] for index in range(1000)]],
        *(["int", "1" + "0" * 49_000], ["int", "f" * 49_000]),
        *[["Fraction", [1], [2]]] * 1000,
    ),
    "decimal text": table(["Decimal", "abc"]),
    "a decimal of a number": table(["Decimal", 1]),
    "a decimal with spaces": table(["Decimal", " 1 "]),
    "a decimal in other digits": table(["Decimal", "١"]),
    "a decimal of a huge exponent": table(["Decimal", "1E+9999999"]),
    "a decimal of too many digits": table(["Decimal", "1" * 200_000]),
    "a range of step 0": table(["range", 0, 1, 0]),
    "a range of floats": table(["range", 0.0, 1, 1]),
    "a range of truth": table(["range", 0, True, 1]),
    "a range of large numbers": table(["range", 0, [1], 1], ["int", "f" * 900_000]),
    "packed numbers of odd length": blob(["numbers", "list", "q", 0], b"1234567"),
    "packed numbers of a set": blob(["numbers", "set", "q", 0], b"12345678"),
    "packed numbers of objects": blob(["numbers", "list", "P", 0], b"12345678"),
    "too many packed numbers": blob(["numbers", "list", "q", 0], bytes(8 * 8_000_001)),
}
THINGS = {
    "text that is no text": blob(["str", 0], b"\xff\xfe"),
    "a date in month 13": table(["date", 2024, 13, 1]),
    "a date of text": table(["date", "2024", 1, 1]),
    "a date of truth": table(["date", 2024, True, 1]),
    "a date of an absurd year": table(["date", 10**400, 1, 1]),
    "a datetime without a zone": table(["datetime", 2024, 1, 1, 0, 0, 0, 0, 0]),
    "a datetime of a zone that is text": table(["datetime", 2024, 1, 1, 0, 0, 0, 0, 0, "UTC"]),
    "a datetime of a zone that stays": table(["datetime", 2024, 1, 1, 0, 0, 0, 0, 0, [1]], ["ref", "there", 1, {}]),
    "a time of fold 2": table(["time", 1, 1, 1, 1, 2, None]),
    "a timedelta of absurd days": table(["timedelta", 10**12, 0, 0]),
    "a time zone of two days": table(["timezone", 2, 0, 0, None]),
    "a time zone of a number": table(["timezone", 0, 0, 0, 5]),
    "a zone above": table(["ZoneInfo", "../../etc/passwd"]),
    "a zone at the root": table(["ZoneInfo", "/etc/passwd"]),
    "a zone that is not there": table(["ZoneInfo", "Nowhere/Town"]),
    "a zone of no name": table(["ZoneInfo", ""]),
    "many zones": table(["list", [[index + 1] for index in range(9000)]], *[["ZoneInfo", "Europe/Berlin"]] * 9000),
    "a path of another class": table(["path", "Path.home", "x"]),
    "a path of a number": table(["path", "PosixPath", 5]),
    "a UUID of text": table(["UUID", "x" * 32]),
    "an unknown constant": table(["const", "__debug__"]),
}
CONTAINERS = {
    "a key without a value": table(["dict", ["a"]]),
    "a key that is a list": table(["dict", [[1], 2]], ["list", []]),
    "a key that is a dict": table(["dict", [[1], 2]], ["dict", []]),
    "a key that is an array": table(["dict", [[1], 2]], ["array", "<f8", [0], None, True, 0], blobs=(0,)),
    "a key of a list within a tuple": table(["dict", [[1], 2]], ["tuple", [[2]]], ["list", []]),
    "a key that occurs twice": table(["dict", ["a", 1, "a", 2]]),
    "keys that are equal": table(["dict", [1, 1, True, 2]]),
    "elements that are equal": table(["set", [1, 1.0]]),
    "an element that is a list": table(["set", [[1]]], ["list", []]),
    "a signalling NaN as a key": table(["dict", [[1], 1]], ["Decimal", "sNaN"]),
    "keys of one hash": table(["dict", [slot for number in COLLIDING for slot in (number, 1)]]),
    "elements of one hash": table(["set", COLLIDING]),
    "frozen elements of one hash": table(["frozenset", COLLIDING]),
    "tuples of one hash": table(
        ["set", [[index + 1] for index in range(len(COLLIDING))]], *(["tuple", [number, 1]] for number in COLLIDING)
    ),
    "counted elements of one hash": table(["Counter", [slot for number in COLLIDING for slot in (number, 1)]]),
    "a key of 2 ** 60 tuples": table(["dict", [[1], 1]], *doubling(1)),
    "an element of 2 ** 60 frozen places": table(
        ["set", [[1]]],
        *(["instance", "Place", None, ["row", [index + 2], "column", [index + 2]]] for index in range(60)),
        ["tuple", []],
    ),
    "a key that is nested deeply": table(
        ["dict", [[1], 1]], *(["tuple", [[index + 2]]] for index in range(100_000)), ["tuple", []]
    ),
    "one large key many times": table(
        *(["list", [[index + 3] for index in range(1000)]], ["tuple", [[2]] * 9000], ["tuple", [1] * 10]),
        *[["dict", [[1], 1]]] * 1000,
    ),
    "nested slices": table(*(["slice", [index + 1], None, None] for index in range(200_000)), ["list", []]),
    "nested arrays of objects": table(
        *(["objects", [1], None, True, [[index + 1]]] for index in range(100_000)), ["list", []]
    ),
    "a view of keys that are lists": table(["dict view", "keys", [[1]]], ["list", []]),
    "a view of keys that are equal": table(["dict view", "keys", [1, True]]),
    "a view of half an item": table(["dict view", "items", [1]]),
    "a view of what a dict lacks": table(["dict view", "mapping", []]),
    "an array of an unknown typecode": blob(["array.array", "u", 0], bytes(4)),
    "an array of half a number": blob(["array.array", "d", 0], bytes(4)),
    "a namespace of numbers": table(["SimpleNamespace", [1, 2]]),
    "a deque longer than its bound": table(["deque", 1, [1, 2]]),
    "a deque bound below zero": table(["deque", -1, []]),
    "a deque bound by truth": table(["deque", True, []]),
    "a defaultdict without a factory": table(["defaultdict", []]),
    "a defaultdict of a number": table(["defaultdict", [5]]),
    "a defaultdict of text": table(["defaultdict", ["list"]]),
}
NAMES = {
    "a function for a class": table(["class", "os", "system"]),
    "a builtin function for a class": table(["class", "builtins", "exec"]),
    "a class that is not there": table(["class", "builtins", "nothing"]),
    "a module for a class": table(["class", "os", "path"]),
    "a method for a class": table(["class", "builtins", "dict.fromkeys"]),
    "a class by its attributes": table(["class", "builtins", "object.__class__"]),
    "subclasses": table(["class", "builtins", "type.__subclasses__"]),
    "a base": table(["class", "builtins", "bool.__base__"]),
    "a class with two dots": table(["class", "builtins", "a..b"]),
    "a class with a local part": table(["class", "builtins", "f.<locals>.C"]),
    "a class of no name": table(["class", "builtins", ""]),
    "a class whose name is a number": table(["class", "builtins", 5]),
    "a class whose name is a slot": table(["class", ["builtins"], "int"]),
    "a class of a module that is not loaded": table(["class", "antigravity", "x"]),
    "a class of a module by its path": table(["class", "../os", "x"]),
    "a class that runs programs": table(["class", "subprocess", "Popen"]),
    "a class that equals everything": table(["class", unittest.mock.__name__, "_ANY"]),
    "an exception that skips a test": table(["class", "unittest.case", "SkipTest"]),
    "an exception of the examiner's": table(["class", "course_wire", "FrameError"]),
    "a class of this file": table(["class", __name__, "Account"]),
    "a class with a fallback that is none": table(["class", "os", "system", "x"]),
    "a class with a list for a fallback": table(["class", "os", "system", [1]], ["list", []]),
    "a function": table(["function", "math", "sqrt"]),
    "a function that runs programs": table(["function", "os", "system"]),
    "a module that may not come": table(["module", "os"]),
    "a module that is none": table(["module", "math.pi"]),
    "a module whose name is a list": table(["module", []]),
    "an unknown class of the instructor's": table(["type", "Nothing"]),
    "a library's named tuple that is none": table(["library named", "builtins", "int", [], [0]]),
    "a library's named tuple without a fallback": table(["library named", "urllib.parse", "ParseResult", []]),
    "a library's member of the examiner's": table(["library member", "course_table", "Kind", "x", [0]]),
    "a library's member that is none": table(["library member", "http", "HTTPStatus", "mro", [0]]),
}
INSTANCES = {
    "an unknown instance": table(["instance", "Nothing", None, []]),
    "an instance of a library's class": table(["instance", "builtins.int", None, []]),
    "an attribute without a value": table(["instance", "Account", None, ["owner"]]),
    "an attribute that is a number": table(["instance", "Account", None, [1, 2]]),
    "an attribute twice": table(["instance", "Account", None, ["owner", 1, "owner", 2]]),
    "an attribute for a method": table(["instance", "Account", None, ["total", 1]]),
    "an attribute for a method, by reference": table(
        ["instance", "Account", None, ["total", [1]]], ["ref", "there", 1, {}]
    ),
    "an attribute for a special method": table(["instance", "Account", None, ["__eq__", 1]]),
    "an attribute that has no slot": table(["instance", "Slotted", None, ["two", 1]]),
    "a plain value of a class that has none": table(["instance", "Account", 5, []]),
    "no plain value": table(["instance", "Matrix", None, []]),
    "a plain value of another class": table(["instance", "Matrix", [1], []], ["tuple", []]),
    "a derived number of text": table(["derived", "Metres", "1.5", []]),
    "a derived number without one": table(["derived", "Metres", None, []]),
    "an instance for a derived one": table(["derived", "Account", None, []]),
    "a derived one for an instance": table(["instance", "Metres", 1.5, []]),
    "an instance of an enumeration": table(["instance", "Colour", None, ["_value_", 5]]),
    "a named tuple that is too short": table(["named", "Point", [1]]),
    "a named tuple that is too long": table(["named", "Point", [1, 2, 3]]),
    "a named tuple of a class": table(["named", "Account", [1, 2]]),
    "a derived named tuple that is too short": table(["derived", "Named", [1], []], ["tuple", [1]]),
    "a member that is not there": table(["member", "Colour", "GREEN"]),
    "a member that is a method": table(["member", "Colour", "mro"]),
    "a member that is a list": table(["member", "Colour", []]),
    "a member of a class": table(["member", "Account", "owner"]),
    "a flag that is text": table(["flag", "Access", "READ"]),
    "a flag that is not there": table(["flag", "Access", 4]),
    "a flag of an enumeration": table(["flag", "Colour", 1]),
}
REFERENCES = {
    "a reference of another kind": table(["ref", "mine", 1, {}]),
    "a reference of kind list": table(["ref", [], 1, {}]),
    "a reference below zero": table(["ref", "there", -1, {}]),
    "a reference to a float": table(["ref", "there", 1.0, {}]),
    "a reference to truth": table(["ref", "there", True, {}]),
    "a reference to an absurd number": table(["ref", "there", 10**300, {}]),
    "a reference without facts": table(["ref", "there", 1]),
    "facts that are a list": table(["ref", "there", 1, []]),
    "a base that is nowhere": table(["ref", "there", 1, {}, [9]]),
    "a base that belongs to two": table(
        ["list", [[1], [2]]], ["ref", "there", 1, {}, [3]], ["ref", "there", 2, {}, [3]], ["list", []]
    ),
    "a base that is a dict": table(["ref", "there", 1, {}, {}]),
}
ARRAYS = {
    "too few bytes": array("<f8", [2], b"12345678"),
    "too many bytes": array("<f8", [1], bytes(16)),
    "an absurd shape": array("<f8", [10**18]),
    "a shape that overflows": array("<f8", [2**32, 2**32, 2**32]),
    "an empty shape that overflows": array("<f8", [0, 2**47, 2**47]),
    "a shape below zero": array("<f8", [-1, -8], b"12345678"),
    "a shape of floats": array("<f8", [1.0], b"12345678"),
    "a shape of truth": array("<f8", [True], b"12345678"),
    "a shape of text": array("<f8", ["1"], b"12345678"),
    "a shape that is a number": array("<f8", 1, b"12345678"),
    "40 dimensions": array("<f8", [1] * 40, b"12345678"),
    "axes that are none": array("<f8", [1, 1], b"12345678", axes=[0, 2]),
    "axes twice": array("<f8", [1, 1], b"12345678", axes=[0, 0]),
    "too few axes": array("<f8", [1, 1], b"12345678", axes=[0]),
    "axes that are text": array("<f8", [1], b"12345678", axes=["0"]),
    "an array of objects": array("|O8", [1], b"12345678"),
    "an array of objects by name": array("object", [1], b"12345678"),
    "an array of O": array("O", [1], b"12345678"),
    "a record by its text": array("f8,O", [1], bytes(16)),
    "a dtype that is a list": array([["a", "O"]], [1], b"12345678"),
    "a dtype that is nothing": array(None, [1], b"12345678"),
    "an unknown width": array("<f3", [1], b"123"),
    "an unknown unit": array("<M8[eon]", [1], b"12345678"),
    "a record with an object": array({**FIELD, "fields": [["a", None, 0, "|O8", []]]}, [1], b"12345678"),
    "a record below zero": array({**FIELD, "itemsize": -8}, [1], b"12345678"),
    "a record that is too large": array({**FIELD, "itemsize": 2**40}, [0]),
    "a field outside": array({**FIELD, "fields": [["a", None, 4, "<f8", []]]}, [1], b"12345678"),
    "a field before": array({**FIELD, "fields": [["a", None, -8, "<f8", []]]}, [1], b"12345678"),
    "a field of an absurd shape": array({**FIELD, "fields": [["a", None, 0, "|S0", [2**47, 2**47]]]}, [1], b"12345678"),
    "a field twice": array({**FIELD, "fields": FIELD["fields"] * 2}, [1], b"12345678"),
    "a field without a name": array({**FIELD, "fields": [[None, None, 0, "<f8", []]]}, [1], b"12345678"),
    "a field that is text": array({**FIELD, "fields": ["a"]}, [1], b"12345678"),
    "records without end": array(
        functools.reduce(lambda inner, _: {**FIELD, "fields": [["a", None, 0, inner, []]]}, range(50), FIELD),
        *([1], b"12345678"),
    ),
    "elements that are too large": array("<U99999999", [0]),
    "large elements of none": array("|S900000", [0]),
    "endless elements of no bytes": array("|S0", [2**40]),
    "a number for writeable": array("<f8", [1], b"12345678", writeable=1),
    "too few objects": table(["objects", [3], None, True, [1]]),
    "objects of an absurd shape": table(["objects", [2**40], None, True, []]),
    "an empty shape of objects that overflows": table(["objects", [0, 2**47, 2**47], None, True, []]),
    "a masked array of another mask": (
        table(
            ["masked", [1], [2], None, False],
            *(["array", "|b1", [1], None, True, 0], ["array", "|b1", [2], None, True, 1]),
            blobs=(1, 2),
        ),
        bytes(3),
    ),
    "a masked array": (
        table(
            ["masked", [1], [2], None, False],
            *(["array", "|b1", [1], None, True, 0], ["array", "|b1", [1], None, True, 1]),
            blobs=(1, 1),
        ),
        bytes(2),
    ),
    "the masked constant": table(["masked constant"]),
    "a masked array of a list": table(["masked", [1], None, None, False], ["list", []]),
    "a matrix of one dimension": (
        table(["matrix", [1]], ["array", "<f8", [1], None, True, 0], blobs=(8,)),
        b"12345678",
    ),
    "a number of too few bytes": table(["scalar", "<f8", "00"]),
    "a number of no digits": table(["scalar", "<f8", "xy" * 8]),
    "a number that is an object": table(["scalar", "|O8", "00" * 8]),
    "a string of NumPy's that is a number": table(["np.str", 5]),
    "a dtype of code": table(["dtype", "f8; import os"]),
    **{
        f"a view {name}": (
            table(["view", [1], shape, strides, start, True], ["array", "<f8", [4], None, True, 0], blobs=(32,)),
            bytes(32),
        )
        for name, shape, strides, start in (
            *(("beyond", [4], [8], 8), ("before", [2], [-8], 0), ("far before", [1], [8], -8)),
            *(("by overflow", [2**32], [2**32], 0), ("by strides", [2], [2**60], 0), ("of more", [9], [0], 0)),
            *(("of a part", [2], [8], 25), ("of other strides", [2], [8, 8], 0), ("of no strides", [2], [], 0)),
            *(("below zero", [-1], [8], 0), ("of text", [1], ["8"], 0), ("from text", [1], [8], "0")),
        )
    },
    "a view of a list": table(["view", [1], [1], [8], 0, True], ["list", []]),
    "a view of what is no array": table(["view", [1], [1], [8], 0, True], ["ref", "yours", 1, {}]),
}
MALFORMED: dict[str, Any] = STRUCTURE | NUMBERS | THINGS | CONTAINERS | NAMES | INSTANCES | REFERENCES | ARRAYS


@pytest.fixture(autouse=True)
def _soon_and_small() -> Iterator[None]:
    """Measure time and memory of a test."""
    before, begin = peak(), time.process_time()
    yield
    assert time.process_time() - begin < SECONDS
    assert peak() - before < MEBIBYTES


def peak() -> float:
    """Give the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_values_are_refused(what: str) -> None:
    found = MALFORMED[what]
    packed, tail = found if type(found) is tuple else (found, b"")
    with pytest.raises(BadValue):
        decode(packed, tail)


def test_nothing_is_imported_for_a_name() -> None:
    assert "antigravity" not in sys.modules
    for node in (["class", "antigravity", "x"], ["module", "antigravity"], ["function", "antigravity", "x"]):
        with pytest.raises(BadValue):
            course_values.decode(table(node), b"", lambda *reference: None, {}, lambda name: True)
    assert "antigravity" not in sys.modules


def test_a_reference_that_cannot_be_resolved_is_a_bad_value() -> None:
    def fail(*reference: object) -> Any:
        raise KeyError("no such object")

    with pytest.raises(BadValue, match="KeyError"):
        course_values.decode(table(["ref", "yours", 5, {}]), b"", fail, {}, ())


def test_a_stop_while_references_are_resolved_is_no_bad_value() -> None:
    def stop(*reference: object) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        course_values.decode(table(["ref", "yours", 5, {}]), b"", stop, {}, ())


def test_a_found_out_property_is_not_believed() -> None:
    account = decode(table(["instance", "Account", None, ["owner", "x", "found", 99]]))
    assert account.found == 0


def test_many_entangled_tuples_end_soon() -> None:
    count = 30_000
    nodes: list[Any] = [["tuple", [[index + 1] for index in range(count)]]]
    nodes += [["list", [[count + 1]]] for _ in range(count)]
    nodes += [["tuple", [[count + 2 + index]]] for index in range(count)] + [["tuple", [[0]]]]
    value = decode(table(*nodes))
    assert len(value) == count


def test_tuples_of_two_to_the_sixty_are_made_soon() -> None:
    value = decode(table(*doubling(0)))
    assert value[0] is value[1]


NESTED: dict[str, Any] = {
    **{kind: lambda kind, slot: [kind, [slot]] for kind in ("tuple", "list", "set", "frozenset")},
    **{kind: lambda kind, slot: [kind, ["a", slot]] for kind in ("dict", "Counter", "OrderedDict")},
    "defaultdict": lambda kind, slot: [kind, [None, "a", slot]],
    "deque": lambda kind, slot: [kind, None, [slot]],
    "slice": lambda kind, slot: [kind, None, slot, None],
    "named": lambda kind, slot: [kind, "Point", [slot, 1]],
    "instance": lambda kind, slot: [kind, "Account", None, ["owner", slot]],
    "SimpleNamespace": lambda kind, slot: [kind, ["a", slot]],
    "derived": lambda kind, slot: [kind, "Metres", 1.5, ["owner", slot]],
    "objects": lambda kind, slot: [kind, [1], None, True, [slot]],
}
"""Gives a node that holds another, for each kind that can."""
STACKED = {"deque", "defaultdict", "slice", "objects", "frozenset", "set"}


@pytest.mark.parametrize("kind", NESTED)
def test_values_that_are_nested_deeply_are_dropped_without_a_crash(kind: str) -> None:
    """Those whose end recurses are refused beforehand."""
    count = 20_000
    nodes = [NESTED[kind](kind, [index + 1]) for index in range(count)] + [["const", "Ellipsis"]]
    try:
        decode(table(*nodes))
    except BadValue:
        assert kind in STACKED
    else:
        assert kind not in STACKED


@pytest.mark.parametrize("kind", ["deque", "defaultdict"])
def test_values_that_had_to_wait_are_not_nested_deeply_either(kind: str) -> None:
    """Each holds a tuple that leads back to the first one, and so can be filled at the end only."""
    count = 20_000

    def node(index: int) -> Any:
        slots = [[index + 1], [count + 1]]
        return ["deque", None, slots] if kind == "deque" else ["defaultdict", [None, 1, slots[0], 2, slots[1]]]

    nodes = [["tuple", [[1]]], *(node(index) for index in range(1, count)), ["list", []], ["tuple", [[0]]]]
    with pytest.raises(BadValue, match="deeply"):
        decode(table(*nodes))
    few = [["tuple", [[1]]], *([kind, *node(index)[1:]] for index in (1, 2)), ["list", []], ["tuple", [[0]]]]
    text = json.loads(json.dumps(few).replace(f"[{count + 1}]", "[4]"))
    value = decode(table(*text))
    assert (value[0][1] if kind == "deque" else value[0][2])[0] is value


class Sampled:
    """Valid tables, to be spoiled."""

    def __init__(self) -> None:
        account = Account()
        account.owner = account  # type: ignore[assignment]
        values: list[Any] = [
            *(1, 2.5, "a", [1, [2.5, None]], {"a": [1], (1, "b"): {2}}, (1, (2, (3,))), {1, "a", frozenset({2})}),
            *(2**100, float("nan"), 1j, b"ab", bytearray(b"x"), [1] * 100, [0.5] * 100, range(3), slice(1, 2), ...),
            *(account, Point(1, [2]), Place(1, 2), Colour.RED, Access.READ, Matrix([1]), Metres(2), Slotted()),
            *(int, json.JSONDecodeError, object(), lambda: 1, json, np.linalg.eigh(np.eye(2))),
            *(
                np.arange(6).reshape(2, 3),
                np.asfortranarray(np.eye(3)),
                np.array(["a", "bc"]),
                np.array([None, [1]], object),
            ),
            *(np.zeros(2, "i4,f8"), np.float64(1), np.datetime64("2024-01-01"), np.ma.array([1, 2], mask=[0, 1])),
            np.dtype("f8"),
        ]
        base = np.arange(5)
        values += [[base, base[1:3]], values[:20], {"all": values}]
        self.tables = []
        types = {cls: name for name, cls in TYPES.items()}
        for value in values:
            packed, blobs = course_values.encode(value, lambda obj: ["there", 3, {"name": "x"}], types=types)
            self.tables.append((json.dumps(packed), b"".join(blobs)))


@functools.cache
def sampled() -> Sampled:
    return Sampled()


WRONG = [
    *(None, True, -1, 0, 1, 2**31, 2**63, -(2**63), 10**400, 1.5, -0.0, 1e308, "", "list", "a", "\ud800", [], {}, [0]),
    *([1], [2], [3], [-1], [[0]], ["list", []], ["tuple", [[0]]], "<f8", "|O8", "tuple", "dict", "array", "objects"),
    *("ref", "class", "instance", "view", [2**40], [0, 2**40], ["set", [[1]]], ["frozenset", [[0]]], "masked", 8, 64),
]


def spoiled(dice: random.Random, packed: Any) -> Any:
    """Change one place somewhere in a JSON value."""
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        keys = range(len(value)) if isinstance(value, list) else list(value) if isinstance(value, dict) else ()
        for key in keys:
            places.append((value, key))
            walk(value[key])

    walk(packed)
    if not places:
        return packed
    holder, key = dice.choice(places)
    action = dice.random()
    if action < 0.6:
        holder[key] = json.loads(json.dumps(dice.choice(WRONG)))
    elif action < 0.7 and isinstance(holder, list):
        holder.insert(key, json.loads(json.dumps(dice.choice(WRONG))))
    elif action < 0.8:
        del holder[key]
    else:
        other, place = dice.choice(places)
        holder[key] = json.loads(json.dumps(other[place]))
    return packed


@pytest.mark.parametrize("seed", range(20))
def test_spoiled_tables_give_a_value_or_are_refused(seed: int) -> None:
    dice = random.Random(seed)
    refused = 0
    for _ in range(200):
        text, tail = dice.choice(sampled().tables)
        packed = json.loads(text)
        for _ in range(dice.choice([1, 1, 1, 2, 5])):
            packed = spoiled(dice, packed)
        if dice.random() < 0.1:
            tail = tail[: dice.randrange(len(tail) + 1)]
        try:
            decode(packed, tail)
        except BadValue:
            refused += 1
    assert refused > 50


def test_a_large_table_is_read_in_bounded_time() -> None:
    assert course_table.MAX_NODES == 2_000_000
    count = 50_000
    value = decode(table(["list", [[index + 1] for index in range(count)]], *[["tuple", [1, "a"]]] * count))
    assert len(value) == count
