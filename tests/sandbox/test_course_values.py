"""Values that cross between two processes: what comes out is what went in, of exactly the same type."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import http
import itertools
import json
import math
import operator
import pathlib
import random
import re
import subprocess
import sys
import types
import unittest
import urllib.parse
import uuid
import zoneinfo
from array import array as packed_array
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from grading.sandbox.kernel import INSIDE

sys.path.insert(0, str(INSIDE))
import course_values
from course_values import NOTHING, BadValue, Reference, TooLarge


class Point(NamedTuple):
    x: Any
    y: Any


Pair = collections.namedtuple("Pair", ["left", "right"])


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Number(enum.IntEnum):
    ONE = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Account:
    owner: str
    amounts: list[Any] = dataclasses.field(default_factory=list)
    rule: Any = len


@dataclasses.dataclass(frozen=True)
class Place:
    row: Any
    column: Any


class Slotted:
    __slots__ = ("__hidden", "shown", "unset")

    def __init__(self) -> None:
        self.__hidden = [1]
        self.shown = 2

    def hidden(self) -> list[int]:
        return self.__hidden


class Mixed(Slotted):
    def __init__(self) -> None:
        super().__init__()
        self.more = "more"


class Matrix(list[Any]):
    def __init__(self, rows: Any, name: str) -> None:
        super().__init__(rows)
        self.name = name


class Metres(float):
    unit: str


class Registry(dict[Any, Any]):
    pass


class Vertex:
    """Is found in sets by its name, and knows others that know it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.neighbours: set[Vertex] = set()
        self.costs: dict[Vertex, int] = {}

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vertex) and other.name == self.name


class Lazy:
    def __init__(self, number: int) -> None:
        self.number = number

    @functools.cached_property
    def twice(self) -> int:
        return 2 * self.number

    def half(self) -> float:
        return self.number / 2


class Positive:
    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, obj: Any, owner: type) -> Any:
        return self if obj is None else obj.__dict__[self.name]

    def __set__(self, obj: Any, value: int) -> None:
        obj.__dict__[self.name] = value


class Priced:
    price = Positive()


CLASSES = {
    cls: cls.__name__
    for cls in (
        *(Point, Pair, Colour, Number, Access, Account, Place, Slotted, Mixed, Matrix, Metres, Registry, Vertex, Lazy),
        *(Priced,),
    )
}
NAMES = {name: cls for cls, name in CLASSES.items()}


class Stayed(NamedTuple):
    """What a reference becomes in these tests."""

    kind: str
    number: int
    facts: dict[str, Any]
    base: Any


def refer(obj: object) -> Reference:
    return Reference("there", 7, {"class": type(obj).__name__}, course_values.base_value(obj))


def packed(value: object, **options: Any) -> tuple[dict[str, Any], bytes]:
    table, blobs = course_values.encode(value, options.pop("refer", refer), types=CLASSES, **options)
    return json.loads(json.dumps(table, allow_nan=False)), b"".join(blobs)


def unpacked(table: Any, tail: bytes = b"", **options: Any) -> Any:
    resolve, modules = options.pop("resolve", Stayed), options.pop("modules", ())
    return course_values.decode(table, tail, resolve, options.pop("types", NAMES), modules, **options)


def crossed(value: object, **options: Any) -> Any:
    return unpacked(*packed(value), **options)


def alike(one: Any, other: Any) -> bool:
    """Tell whether two values are of exactly the same types and contents, in the same order where there is one."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        if isinstance(one, np.ma.MaskedArray):
            return same and repr(one) == repr(other) and alike(one.data, other.data)
        if one.dtype == object:
            return same and all(map(alike, one.ravel().tolist(), other.ravel().tolist()))
        return same and one.tobytes() == other.tobytes() and one.flags.writeable == other.flags.writeable
    if isinstance(one, np.generic):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, complex):
        return repr(one) == repr(other)
    if isinstance(one, list | tuple | collections.deque):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return alike(list(one.items()), list(other.items())) and getattr(one, "default_factory", 0) is getattr(
            other, "default_factory", 0
        )
    if isinstance(one, set | frozenset):
        return one == other and {type(item) for item in one} == {type(item) for item in other}
    if isinstance(one, types.SimpleNamespace):
        return alike(vars(one), vars(other))
    if isinstance(one, KeysView | ValuesView | ItemsView):
        return alike(list(one), list(other))
    if isinstance(one, slice):
        return alike([one.start, one.stop, one.step], [other.start, other.stop, other.step])
    if isinstance(one, decimal.Decimal):
        return str(one) == str(other)
    if isinstance(one, datetime.datetime | datetime.time):
        return repr(one) == repr(other)
    return bool(one == other)


def kind(value: object) -> str:
    return type(value).__name__


MASKED = [
    *(np.ma.array([1, 2, 3], mask=[0, 1, 0]), np.ma.array([1.5, 2.5]), np.ma.array([[1]], mask=True, fill_value=9)),
    *(np.ma.array(["a", "b"], mask=[1, 0]), np.ma.array([1, 2], mask=[0, 1], hard_mask=True)),
]
DEFAULT: collections.defaultdict[str, list[int]] = collections.defaultdict(list, {"a": [1]})
ORDERED = collections.OrderedDict([("b", 1), ("a", 2)])
ORDERED.move_to_end("b")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
PLAIN = [
    *(None, True, False, 0, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 3**5000, -(7**9000)),
    *(0.0, -0.0, 1.5, -1e-308, 5e-324, 1e22, 1.7976931348623157e308, math.inf, -math.inf, math.nan),
    *(1j, complex(-0.0, math.inf), complex(math.nan, -1.5)),
    *("", "a", "é\0\n", "\ud800", "\ud83d\ude00", "😀", "x" * 100_000, "\udfff" * 70_000, "é" * 70_000),
    *(b"", b"\0\xff", bytearray(b""), bytearray(b"ab")),
    *([], [1, [2, []]], (), (1, (2,)), set(), {1, "a", (2, 3)}, frozenset({frozenset({1}), 2})),
    *({}, {"b": 1, "a": 2, 1: 3, None: 4, (1, "x"): [5]}, {1.5: {"x": {}}}),
    *(list(range(1000)), [0.5] * 1000, tuple(range(100)), [1, 2.5] * 50, [True] * 100, [2**70] * 100, [math.inf] * 99),
    *([1.5] * 99 + [math.nan], [math.inf, -math.inf] * 50),
    *(range(5), range(10**30, 0, -7), slice(None), slice(1, "a", (2,)), ..., NotImplemented),
    *(fractions.Fraction(-1, 3), fractions.Fraction(10**50, 7), fractions.Fraction(0)),
    *(re.compile(r"(?P<year>\d{4})-\d+"), re.compile(b"a|b", re.I | re.S), re.compile("(?x) a  # b", re.A)),
    *map(decimal.Decimal, ("1.50", "-0", "1E+5", "0E-10", "NaN", "-sNaN12", "Infinity", "-Infinity", "1E-999998")),
    *(datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4), datetime.time(1, fold=1, tzinfo=datetime.UTC)),
    *(datetime.datetime(1, 1, 1), datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN)),
    *(datetime.timedelta(-1, 5, 7), datetime.timedelta.max, datetime.UTC, BERLIN),
    *(datetime.timezone(datetime.timedelta(hours=-3)), datetime.timezone(datetime.timedelta(hours=2), "CEST")),
    *(pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("c:/x"), Path("/tmp/x y"), Path()),
    *(uuid.UUID(int=5), ORDERED, collections.Counter("abca"), DEFAULT, collections.deque([1, 2], 3)),
    *(collections.deque(), collections.defaultdict(None, {1: 2})),
    *({"a": 1, 2: []}.keys(), {"a": 1, 2: []}.values(), {"a": 1, 2: []}.items(), packed_array("d", [1, -0.0])),
    *(packed_array("B"), types.SimpleNamespace(a=1, b=[2])),
    *(int, list, type(None), type(...), types.FunctionType, ValueError, KeyboardInterrupt, type, object),
    *(np.ndarray, np.float64, np.integer, collections.OrderedDict, collections.abc.Sequence, decimal.Decimal, Path),
    *(json.JSONDecodeError, np.linalg.LinAlgError, datetime.datetime, fractions.Fraction),
    *(http.HTTPStatus.OK, re.IGNORECASE, urllib.parse.urlparse("http://a/b?c=d"), np.linalg.eigh(np.eye(2))),
    *(Point(1, [2]), Pair("a", ()), Colour.GREEN, Number.ONE, Access.READ, Access.READ | Access.WRITE, Access(0)),
    *(Point, Colour, Matrix),
]
ARRAYS = [
    *(np.arange(6), np.arange(6).reshape(2, 3), np.array(1.5), np.zeros((0, 3)), np.zeros((2, 0, 1), "i1")),
    *(np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(24).reshape(2, 3, 4).transpose(1, 2, 0)),
    *(
        np.arange(10)[::3],
        np.arange(10)[::-1],
        np.arange(12).reshape(3, 4)[:, 1:3],
        np.broadcast_to(1.0, (2, 2)).copy(),
    ),
    *(
        np.array([True, False]),
        np.array([1, -1], ">i4"),
        np.array([1], "u8"),
        np.array([1.5], "f2"),
        np.array([1j], "c8"),
    ),
    *(np.array([1.5], np.longdouble), np.array([np.nan, np.inf, -0.0])),
    *(np.array(["a", "bcd"]), np.array([b"x", b"yz"]), np.array(["", ""]), np.array(["é😀"]), np.array([], "U5")),
    *(np.array(["2024-01-01", "NaT"], "M8[D]"), np.array([1, 2], "m8[ms]"), np.array([1], "M8[25s]")),
    *(np.array([(1, 2.5, "a")], [("a", "i4"), ("b", "f8"), ("c", "U3")]), np.zeros(2, [("a", "i4", (2, 2))])),
    *(np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)), np.zeros(2, [(("title", "a"), "i4")])),
    *(np.zeros(2, [("p", [("x", "f4"), ("y", "f4")])]), np.zeros(2, "V5")),
    *(np.array([None, "a", [1]], object), np.array([[1, 2], [3, "x"]], object), np.empty((0, 2), object)),
    *(np.array(3, object), np.array([[{}, ()], [1, 2]], object).T),
    *(
        np.arange(2).reshape(1, 2).view(np.matrix),
        np.float64(1.5),
        np.int8(-1),
        np.bool_(True),
        np.complex64(1j),
        np.str_("a"),
        np.str_(""),
    ),
    *(np.bytes_(b"ab"), np.datetime64("2024-01-01"), np.timedelta64(5, "m"), np.longdouble("0.1"), np.float16(1)),
    *(np.float64("nan"), np.datetime64("NaT"), np.array([(1, 2.0)], "i4,f8")[0]),
    *(np.dtype("f8"), np.dtype("i4,f8"), np.dtype(object), np.dtype("M8[ns]"), np.dtype("U7")),
]


@pytest.mark.parametrize("value", [*PLAIN, *ARRAYS], ids=kind)
def test_a_value_crosses_unchanged(value: object) -> None:
    assert alike(crossed(value), value)
    assert course_values.is_copied(value, CLASSES)
    assert alike(crossed([value, {"a": value}]), [value, {"a": value}])


@pytest.mark.parametrize("value", MASKED, ids=kind)
def test_masked_arrays_go_only_to_a_reader_that_trusts(value: object) -> None:
    """What is masked passes for equal in `numpy.testing`."""
    table, tail = packed([value, np.ma.masked], trusted=True)
    copied, constant = unpacked(table, tail, trusting=True)
    assert alike(copied, value)
    assert constant is np.ma.masked
    assert isinstance(crossed(value), Stayed)
    with pytest.raises(BadValue):
        unpacked(table, tail)


def generated(dice: random.Random, depth: int = 0) -> Any:
    """Give an arbitrary value."""
    if depth > 3 or dice.random() < 0.4:
        return dice.choice(PLAIN)
    size = dice.choice([0, 1, 2, 5])
    items = [generated(dice, depth + 1) for _ in range(size)]
    keys = [item for item in items if hashable(item)]
    makers: list[Callable[[], Any]] = [
        *(lambda: items, lambda: tuple(items), lambda: collections.deque(items, dice.choice([None, 9]))),
        *(lambda: {key: generated(dice, depth + 1) for key in keys}, lambda: set(keys), lambda: frozenset(keys)),
        *(lambda: Point(items, tuple(items)), lambda: dice.choice(ARRAYS), lambda: slice(*[items, size, keys])),
        *(lambda: collections.OrderedDict.fromkeys(keys, size), lambda: collections.Counter(keys)),
    ]
    return dice.choice(makers)()


def hashable(value: object) -> bool:
    try:
        hash(value)
        return "nan" not in repr(value).lower() and "dict_values" not in repr(value)
    except (TypeError, ValueError):  # a list; a number of too many digits for `repr`
        return False


@pytest.mark.parametrize("seed", range(200))
def test_arbitrary_values_cross_unchanged(seed: int) -> None:
    value = generated(random.Random(seed))
    assert alike(crossed(value), value)


# Identity.


def test_one_object_in_two_places_stays_one() -> None:
    inner: list[int] = []
    one, other, (third,), table = crossed([inner, inner, (inner,), {"a": inner}])
    one.append(1)
    assert other is one
    assert third is one
    assert table["a"] is one


@pytest.mark.parametrize("value", [np.arange(3), bytearray(b"a"), decimal.Decimal(1), (1, 2), Account("a")])
def test_aliases_of_all_kinds_are_kept(value: object) -> None:
    one, other = crossed([value, value])
    assert one is other


def test_values_may_contain_themselves() -> None:
    rows: list[Any] = [1]
    table: dict[str, Any] = {"rows": rows, "all": [rows]}
    account = Account("x")
    rows += [rows, table, (table,), account]
    account.amounts = [account, (rows, (account,))]
    copied = crossed(rows)
    assert copied[1] is copied
    assert copied[2]["rows"] is copied
    assert copied[2]["all"][0] is copied
    assert copied[3][0] is copied[2]
    assert copied[4].amounts[0] is copied[4]
    assert copied[4].amounts[1][0] is copied
    assert copied[4].amounts[1][1][0] is copied[4]


def test_tuples_may_come_back_to_themselves_through_lists() -> None:
    way: list[Any] = []
    outer = (way,)
    inner = (outer, 1)
    way.append(inner)
    copied = crossed(outer)
    assert copied[0][0][0] is copied
    queue = collections.deque([1])
    holder = (Point(queue, 2),)
    queue.append(holder)
    copied = crossed(holder)
    assert copied[0].x[1] is copied


def test_instances_that_know_each_other_are_found_by_their_hash() -> None:
    one, other = Vertex("one"), Vertex("other")
    one.neighbours, other.neighbours = {other}, {one}
    one.costs, other.costs = {other: 3}, {one: 4}
    graph = crossed({"start": one, "all": {one, other}, "pairs": frozenset({(one, other)})})
    start = graph["start"]
    assert start in graph["all"]
    (neighbour,) = start.neighbours
    assert neighbour in graph["all"]
    assert neighbour.costs[start] == 4
    assert (Vertex("one"), Vertex("other")) in graph["pairs"]


def test_keys_that_are_instances_are_found() -> None:
    grid = {Place(row, (column,)): row for row in range(3) for column in range(3)}
    assert crossed(grid)[Place(2, (1,))] == 2
    assert Place(frozenset({1}), "x") in crossed({Place(frozenset({1}), "x")})


@pytest.mark.parametrize("nan", [math.nan, np.nan, float("nan")], ids=["math", "numpy", "other"])
def test_nan_is_found_in_its_container_as_before(nan: float) -> None:
    values, single = crossed([[nan] * 100, nan])
    assert single in values
    assert (single is math.nan) == (nan is math.nan)
    assert (single is np.nan) == (nan is np.nan)


def test_long_nesting_does_not_recurse() -> None:
    value: Any = []
    for _ in range(20_000):
        value = [value]
    copied, depth = crossed(value), 0
    while copied:
        copied, depth = copied[0], depth + 1
    assert depth == 20_000


def test_the_order_in_memory_is_kept() -> None:
    for array in (np.arange(24.0).reshape(2, 3, 4), np.asfortranarray(np.arange(6).reshape(2, 3))):
        for view in (array, array.T, np.moveaxis(array, 0, 1)):
            copied = crossed(view)
            assert copied.strides == view.copy(order="K").strides
            assert copied.flags.writeable
            assert copied.flags.aligned


def test_a_copied_array_owns_its_memory() -> None:
    for array in (np.arange(6), np.asfortranarray(np.ones((2, 3)))):
        assert crossed(array).base is None
        assert crossed(array[:1]).flags.owndata


def test_an_array_that_cannot_be_written_to_stays_so() -> None:
    array = np.arange(3)
    array.flags.writeable = False
    assert not crossed(array).flags.writeable
    assert not crossed(np.broadcast_to(1, (3,))).flags.writeable


def test_views_share_memory_with_what_crosses_with_them() -> None:
    array = np.arange(12.0).reshape(3, 4)
    whole, row, back, turned = crossed([array, array[1], array[::-1, 1:], array.T])
    row[:] = 9
    assert whole[1].tolist() == [9.0] * 4
    assert back[1].tolist() == [9.0] * 3
    assert turned.base is whole
    alone = crossed(array[1])
    assert alone.base is None


def test_a_view_of_an_argument_comes_home_as_one() -> None:
    argument, own = np.arange(12).reshape(3, 4).copy(), np.arange(12).reshape(3, 4)

    def recall(obj: object) -> Reference | None:
        return Reference("yours", 3) if obj is argument else None

    table, tail = packed((argument[1:, ::2], argument), recall=recall)
    view, whole = unpacked(table, tail, resolve=lambda *reference: own)
    assert whole is own
    assert np.shares_memory(view, own)
    assert view.tolist() == own[1:, ::2].tolist()


# What is not copied.


class MyInt(int):
    pass


class Hostile:
    """Has every method that could be called by mistake."""

    def refuse(self, *args: object, **kwargs: object) -> Any:
        raise AssertionError("a method was called")

    __eq__ = __ne__ = __lt__ = __bool__ = __len__ = __iter__ = __getitem__ = __str__ = __repr__ = __hash__ = refuse
    __index__ = __int__ = __float__ = __add__ = __neg__ = __pos__ = __contains__ = __reduce__ = __reduce_ex__ = refuse
    __array__ = __array_finalize__ = __copy__ = __deepcopy__ = items = keys = values = copy = refuse
    __call__ = refuse

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError("an attribute was asked for")


HOSTILE: list[tuple[Any, tuple[Any, ...]]] = [
    *((int, (5,)), (float, (2.5,)), (float, (-0.0,)), (complex, (1j,)), (str, ("é",)), (bytes, (b"a",))),
    *((bytearray, (b"a",)), (list, ([1, 2],)), (tuple, ([1, 2],)), (set, ([1],)), (frozenset, ([1],))),
    *((dict, ({"a": 1},)), (collections.OrderedDict, ([("a", 1)],)), (collections.deque, ([1], 2))),
    *((fractions.Fraction, (1, 3)), (decimal.Decimal, ("1.50",)), (datetime.date, (2024, 1, 2))),
    *((datetime.datetime, (2024, 1, 2, 3, 4, 5, 6, datetime.UTC)), (datetime.time, (1, 2)), (uuid.UUID, ("0" * 32,))),
    *((datetime.timedelta, (1, 2, 3)), (np.float64, (2.5,)), (np.int64, (3,)), (collections.Counter, ())),
]


@pytest.mark.parametrize(("plain", "args"), HOSTILE, ids=lambda part: getattr(part, "__name__", ""))
def test_the_base_of_a_subclass_is_had_without_its_methods(plain: type, args: tuple[Any, ...]) -> None:
    friendly = type("Friendly", (plain,), {})
    assert alike(course_values.base_value(friendly(*args)), plain(*args))
    sly = type("Sly", (Hostile, plain), {})
    instance = plain.__new__(sly, *args)  # type: ignore[call-overload]
    if plain in (list, dict, set, bytearray, collections.deque):
        plain.__init__(instance, *args)  # type: ignore[misc]
    if plain in (uuid.UUID, collections.OrderedDict, collections.Counter):
        return
    assert alike(course_values.base_value(instance), plain(*args))


def test_the_base_of_an_arrays_subclass_is_an_array() -> None:
    sly = type("Sly", (np.ndarray,), {"__eq__": lambda self, other: True, "__array__": lambda self: np.zeros(9)})
    base = course_values.base_value(np.arange(3).view(sly))
    assert alike(base, np.arange(3))


@pytest.mark.parametrize("value", [object(), 3, [], None, np.arange(2), ValueError(), Point(1, 2)])
def test_other_values_have_no_base(value: object) -> None:
    expected = (1, 2) if isinstance(value, Point) else NOTHING
    assert course_values.base_value(value) == expected


@pytest.mark.parametrize(
    ("value", "base"),
    [
        *((MyInt(5), 5), (type("L", (list,), {})([1]), [1]), (type("D", (dict,), {})(a=1), {"a": 1})),
        *((type("S", (str,), {})("a"), "a"), (type("F", (float,), {})(1.5), 1.5)),
        *((type("P", (Point,), {})(1, 2), (1, 2)), (np.arange(2).view(np.recarray), np.arange(2))),
    ],
    ids=kind,
)
def test_a_subclass_of_a_copied_class_stays_and_its_value_comes_along(value: object, base: object) -> None:
    assert not course_values.is_copied(value, CLASSES)
    found = crossed([value])[0]
    assert isinstance(found, Stayed)
    assert alike(found.base, base)


@pytest.mark.parametrize(
    "value",
    [
        *(object(), lambda: 1, len, math.sqrt, iter([]), open, type("Own", (), {}), type("Own", (ValueError,), {})()),
        *(ValueError("a"), functools.partial(int), np.random.default_rng(0), (item for item in ()), [].append),
        *(
            re.compile("a" * 2001),
            types.MappingProxyType({}),
            memoryview(b"a"),
            np.poly1d([1, 2]),
            packed_array("u", "a"),
        ),
        *(datetime.datetime(2024, 1, 1, tzinfo=type("Zone", (datetime.tzinfo,), {})()), enum.Enum("E", ["A"])),
        *(enum.Enum("Own", ["A"]).A, range(10**2000), decimal.Decimal("1E+999999999"), np.zeros(1, [("a", object)])),
    ],
    ids=kind,
)
def test_all_else_stays(value: object) -> None:
    assert not course_values.is_copied(value, CLASSES)
    found = crossed({"a": value})["a"]
    assert isinstance(found, Stayed)
    assert found[:3] == ("there", 7, {"class": type(value).__name__})


def test_a_reference_may_be_a_plain_list() -> None:
    table, tail = packed(object(), refer=lambda obj: ["yours", 4])
    assert unpacked(table, tail) == ("yours", 4, {}, NOTHING)
    table, tail = packed(object(), refer=lambda obj: ["there", 5, {"a": [1]}])
    assert unpacked(table, tail) == ("there", 5, {"a": [1]}, NOTHING)


def test_one_object_gets_one_reference() -> None:
    obj, asked = object(), []

    def once(found: object) -> list[Any]:
        asked.append(found)
        return ["there", len(asked), {}]

    table, tail = packed([obj, obj, (obj,)], refer=once)
    one, other, (third,) = unpacked(table, tail, resolve=lambda *reference: [reference])
    assert one is other is third
    assert asked == [obj]


def test_an_argument_comes_home_as_itself() -> None:
    argument: list[Any] = [1]
    home = object()

    def recall(obj: object) -> Reference | None:
        return Reference("yours", 12) if obj is argument else None

    table, tail = packed({"a": argument, "b": [argument, [1]]}, recall=recall)
    found = unpacked(table, tail, resolve=lambda kind, number, facts, base: home if number == 12 else None)
    assert found["a"] is home
    assert found["b"] == [home, [1]]


def test_only_what_can_be_changed_is_recalled() -> None:
    asked: list[Any] = []
    value = [1, "a", (2.5, None), {"k": {3}}, bytearray(b"a"), np.arange(2), np.float64(1), Account("x", [])]
    packed(value, recall=asked.append)
    names = {type(obj).__name__ for obj in asked}
    assert names == {"list", "dict", "set", "bytearray", "ndarray", "Account"}


def test_both_sides_number_what_can_be_changed_alike() -> None:
    copied: dict[int, Any] = {}
    made: dict[int, Any] = {}
    value = [[1], ({"a": {2}},), np.arange(3), MyInt(3), Matrix([[1]], "m"), list(range(500)), tuple(range(500))]
    table, tail = packed([*value, type("L", (list,), {})([1])], copied=copied)
    unpacked(table, tail, made=made)
    assert copied.keys() == made.keys()
    for number, obj in copied.items():
        assert type(made[number]) is type(obj)
    assert {"list", "dict", "set", "ndarray", "Matrix"} == {type(obj).__name__ for obj in made.values()}


# The instructor's classes.


def test_instances_are_rebuilt_from_their_attributes() -> None:
    account = crossed(Account("ann", [1, 2], rule=None))
    assert type(account) is Account
    assert account == Account("ann", [1, 2], rule=None)
    assert crossed(Place(1, "x")) == Place(1, "x")
    slotted = crossed(Slotted())
    assert (slotted.hidden(), slotted.shown, hasattr(slotted, "unset")) == ([1], 2, False)
    mixed = crossed(Mixed())
    assert (mixed.hidden(), mixed.shown, mixed.more) == ([1], 2, "more")


def test_instances_of_what_extends_a_plain_class_are_rebuilt() -> None:
    matrix = crossed(Matrix([[1, 2]], "m"))
    assert (type(matrix), list(matrix), matrix.name) == (Matrix, [[1, 2]], "m")
    length = Metres(2.5)
    length.unit = "m"
    copied = crossed(length)
    assert (type(copied), copied + 0, copied.unit) == (Metres, 2.5, "m")
    registry = Registry({"a": [1]})
    registry.owner = registry  # type: ignore[attr-defined]
    copied = crossed(registry)
    assert (type(copied), dict(copied), copied.owner is copied) == (Registry, {"a": [1]}, True)


def test_nothing_of_the_instructors_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> Any:
        raise AssertionError("called")

    values = [Account("a"), Place(1, 2), Matrix([1], "m"), Metres(1), Vertex("v"), Point(1, 2), Registry()]
    for cls in CLASSES:
        for name in ("__init__", "__setattr__", "__getattr__", "__reduce_ex__", "__setitem__", "__post_init__"):
            if not issubclass(cls, enum.Enum):
                monkeypatch.setattr(cls, name, refuse, raising=False)
    assert [type(copied) for copied in crossed(values)] == [type(value) for value in values]


def test_a_property_that_was_found_out_is_found_out_anew() -> None:
    lazy = Lazy(4)
    lazy.__dict__["twice"] = 1_000_000
    assert crossed(lazy).twice == 8
    assert crossed(lazy, trusting=True).twice == 1_000_000


def test_an_instance_cannot_bring_a_method() -> None:
    lazy = Lazy(4)
    lazy.half = lambda: 99.0  # type: ignore[method-assign]
    with pytest.raises(BadValue, match="method"):
        crossed(lazy)
    assert isinstance(crossed(lazy, trusting=True).half, Stayed)


def test_fields_that_hold_functions_and_descriptors_that_store_are_no_methods() -> None:
    assert isinstance(crossed(Account("a", rule=print)).rule, Stayed)
    priced = Priced()
    priced.price = 5
    assert crossed(priced).price == 5


def test_a_subclass_of_an_instructors_class_stays() -> None:
    found = crossed(type("Mine", (Account,), {})("a"))
    assert isinstance(found, Stayed)
    assert found.base is NOTHING


def test_classes_that_the_reader_lacks_are_refused() -> None:
    for value in (Account("a"), Point(1, 2), Colour.RED, Point):
        table, tail = packed(value)
        with pytest.raises(BadValue):
            unpacked(table, tail, types={})


# Names.


@pytest.mark.parametrize(
    "cls", [subprocess.Popen, itertools.count, random.Random, unittest.SkipTest, unittest.TestCase]
)
def test_a_class_whose_instances_may_deceive_does_not_come_by_name(cls: type) -> None:
    assert isinstance(crossed([cls])[0], Stayed)
    assert crossed([cls], trusting=True) == [cls]


def test_modules_come_if_the_reader_has_them() -> None:
    assert isinstance(crossed(math), Stayed)
    assert crossed(math, modules={"math"}) is math
    assert crossed(math, modules=lambda name: name == "math") is math
    assert isinstance(crossed(types.ModuleType("math"), modules={"math"}), Stayed)


@pytest.mark.parametrize("function", [len, math.sqrt, str.lower, np.sin, np.mean, operator.add, np.linalg.det])
def test_library_functions_go_by_name_to_a_reader_that_trusts(function: object) -> None:
    table, tail = packed([function], trusted=True)
    assert unpacked(table, tail, trusting=True) == [function]
    assert isinstance(unpacked(table, tail)[0], Stayed)


def test_a_patched_function_does_not_go_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    original = math.sqrt
    monkeypatch.setattr(math, "sqrt", lambda number: 0)
    for function in (original, math.sqrt):
        table, tail = packed(function, trusted=True)
        assert isinstance(unpacked(table, tail, trusting=True), Stayed)


def test_a_named_tuple_of_a_library_that_the_reader_lacks_is_a_reference_with_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, tail = packed(np.linalg.eigh(np.eye(2)))
    monkeypatch.delitem(sys.modules, "numpy.linalg._linalg")
    found = unpacked(table, tail)
    assert isinstance(found, Stayed)
    assert alike(found.base, tuple(np.linalg.eigh(np.eye(2))))


# Limits, laziness, speed.


def test_a_value_that_is_too_large_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        packed(1 << 4_000_001)
    import course_table

    monkeypatch.setattr(course_table, "MAX_BYTES", 1000)
    with pytest.raises(TooLarge):
        packed(np.zeros(1000))
    monkeypatch.setattr(course_table, "MAX_NODES", 1000)
    with pytest.raises(TooLarge):
        packed([[] for _ in range(1001)])


def test_nothing_is_imported_to_write_and_read_plain_values() -> None:
    code = """
import json, sys
sys.path.insert(0, sys.argv[1])
import course_values, course_wire
value = [1, {"a": (2.5, None)}, {1, 2}, int, len, course_wire, lambda: 1, [0.5] * 100]
table, blobs = course_values.encode(value, lambda obj: ["there", 1, {}])
course_values.decode(json.loads(json.dumps(table)), b"".join(blobs), lambda *reference: 1, {}, ())
course_values.fingerprint(value), course_values.base_value(type("I", (int,), {})(1))
print([name for name in ("numpy", "pandas", "IPython", "asyncio") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code, str(INSIDE)], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_large_array_is_not_copied_to_be_written() -> None:
    array = np.zeros(1_000_000)
    _, blobs = course_values.encode(array, refer)
    array[0] = 1.5
    assert np.frombuffer(blobs[0], float)[0] == 1.5


# Fingerprints and contents.

CHANGES: list[tuple[Any, Callable[[Any], object]]] = [
    ([1, [2]], lambda value: value[1].append(3)),
    ([1.0, 2.0] * 50, lambda value: operator.setitem(value, 7, 9.0)),
    ({"a": 1, "b": 2}, lambda value: value.update(a=value.pop("a"))),
    ({1, 2}, lambda value: value.add(3)),
    (bytearray(b"abc"), lambda value: operator.setitem(value, 0, 0)),
    (collections.deque([1, 2]), lambda value: value.rotate()),
    (collections.OrderedDict(a=1, b=2), lambda value: value.move_to_end("a")),
    (collections.Counter("aab"), lambda value: value.subtract("a")),
    (collections.defaultdict(list), lambda value: value["x"]),
    (np.arange(1000.0), lambda value: operator.setitem(value, 500, -1)),
    (np.array([[1], {}], object).reshape(2, 1), lambda value: value[0, 0].append(2)),
    (np.ma.array([1, 2], mask=[0, 1]), lambda value: operator.setitem(value, 0, np.ma.masked)),
    (Account("a", [1], None), lambda value: setattr(value, "owner", "b")),
    (Account("a", [1], None), lambda value: value.amounts.clear()),
    (Matrix([1], "m"), lambda value: value.append(2)),
    (Registry(a=1), lambda value: value.update(b=2)),
    (Slotted(), lambda value: setattr(value, "unset", 1)),
    (packed_array("i", [1]), lambda value: value.append(2)),
    (types.SimpleNamespace(a=1), lambda value: delattr(value, "a")),
]


@pytest.mark.parametrize(("value", "change"), CHANGES, ids=kind)
def test_a_change_changes_the_fingerprint_and_can_be_made_elsewhere(
    value: Any, change: Callable[[Any], object]
) -> None:
    table, tail = packed(value, trusted=True)
    value, elsewhere = (unpacked(table, tail, trusting=True) for _ in range(2))
    before = course_values.fingerprint(value, types=CLASSES)
    assert course_values.fingerprint(value, types=CLASSES) == before
    assert course_values.fingerprint(elsewhere, types=CLASSES) == before
    change(value)
    after = course_values.fingerprint(value, types=CLASSES)
    assert after != before
    table, tail = packed(value, trusted=True)
    assert course_values.replace_contents(elsewhere, unpacked(table, tail, trusting=True))
    assert course_values.fingerprint(elsewhere, types=CLASSES) == after


def test_objects_that_stay_count_by_identity() -> None:
    value = [object()]
    before = course_values.fingerprint(value)
    value[0] = object()
    assert course_values.fingerprint(value) != before


@pytest.mark.parametrize(
    ("target", "source"),
    [
        *(([1], (1,)), (1, 2), ((1,), tuple("1")), ([1], Matrix([1], "m")), ({}, collections.OrderedDict())),
        *((np.zeros(2), np.zeros(3)), (np.zeros(2), np.zeros(2, int)), (Metres(1), Metres(2))),
        *((collections.deque(maxlen=1), collections.deque(maxlen=2)), (object(), object()), (Colour.RED, Colour.GREEN)),
        (np.broadcast_to(1, 3), np.zeros(3, int)),
    ],
    ids=kind,
)
def test_an_object_that_cannot_become_equal_in_place_stays_and_this_is_told(target: Any, source: Any) -> None:
    before = repr(target)
    assert not course_values.replace_contents(target, source)
    assert repr(target) == before


def test_a_list_that_gets_the_contents_of_one_within_itself_is_within_itself() -> None:
    source: list[Any] = [1]
    source.append(source)
    target: list[Any] = []
    assert course_values.replace_contents(target, source)
    assert target[1] is target


def test_sides_of_a_view_change_together_when_contents_are_replaced() -> None:
    array = np.arange(4)
    view = array[2:]
    assert course_values.replace_contents(array, np.zeros(4, int))
    assert view.tolist() == [0, 0]


@pytest.fixture(autouse=True)
def _limits_as_they_are() -> Iterator[None]:
    before = sys.getrecursionlimit()
    yield
    assert sys.getrecursionlimit() == before
