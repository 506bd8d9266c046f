"""pandas' objects cross between two processes: what comes out is what went in, and can be worked with."""

import json
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grading.sandbox.kernel import INSIDE

sys.path.insert(0, str(INSIDE))
import course_values
from course_values import NOTHING, BadValue, Reference

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pandas 3 warns of what pandas 4 will be


def refer(obj: object) -> Reference:
    return Reference("there", 7, {}, course_values.base_value(obj))


def packed(value: object) -> tuple[dict[str, Any], bytes]:
    table, blobs = course_values.encode(value, refer)
    return json.loads(json.dumps(table, allow_nan=False)), b"".join(blobs)


def unpacked(table: Any, tail: bytes = b"") -> Any:
    return course_values.decode(table, tail, lambda *reference: reference, {}, ())


def crossed(value: object) -> Any:
    return unpacked(*packed(value))


def alike(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other, check_freq=True, check_index_type="exact", rtol=0, atol=0)
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_freq=True, check_index_type="exact", rtol=0, atol=0)
        assert one.columns.dtype == other.columns.dtype
    elif isinstance(one, pd.Index):
        pd.testing.assert_index_equal(one, other, exact=True)
        assert getattr(one, "freq", None) == getattr(other, "freq", None)
    elif isinstance(one, pd.api.extensions.ExtensionArray):
        pd.testing.assert_extension_array_equal(one, other)
    elif one is pd.NA or one is pd.NaT:
        assert one is other
    else:
        assert repr(one) == repr(other)
        assert getattr(one, "unit", None) == getattr(other, "unit", None)


DAYS = pd.date_range("2024-01-30", periods=4, freq="D")
LONG = pd.DataFrame({"a": [1, 1, 2, 2], "b": ["x", "y", "x", "y"], "v": [1.5, 2.5, None, 4.5]})
ARRAYS: dict[str, Any] = {
    "numbers": [1, 2, 3, 4],
    "gaps": [1.5, None, np.inf, -0.0],
    "truths": [True, False, True, True],
    "texts": ["a", None, "é", "x" * 100],
    "objects": pd.Series(["a", None, 5, [1]], dtype=object),
    "texts as objects": pd.Series(["a", "b", "c", None], dtype=object),
    "texts of NA": pd.array(["a", None, "b", ""], dtype="string"),
    "whole numbers of NA": pd.array([1, None, 3, 2**62], dtype="Int64"),
    "small numbers of NA": pd.array([1, None, 3, 4], dtype="UInt8"),
    "floats of NA": pd.array([1.5, None, 3, 4], dtype="Float32"),
    "truths of NA": pd.array([True, None, False, True], dtype="boolean"),
    "categories": pd.Categorical(["b", "a", None, "b"]),
    "ordered categories": pd.Categorical([3, 1, 3, 1], categories=[3, 2, 1], ordered=True),
    "days": DAYS,
    "seconds": DAYS.as_unit("s"),
    "days there": DAYS.tz_localize("Europe/Berlin"),
    "days in UTC": DAYS.tz_localize("UTC"),
    "days with gaps": pd.to_datetime(["2024-01-01", None, "2024-01-03", None]),
    "periods": pd.period_range("2024-01", periods=4, freq="M"),
    "quarters": pd.period_range("2024Q1", periods=4, freq="Q-NOV"),
    "spans": pd.timedelta_range("1h", periods=4, freq="30min"),
    "intervals": pd.interval_range(0, 4),
    "intervals of days": pd.interval_range(DAYS[0], periods=4),
    "small integers": np.array([1, 2, 3, 4], "i1"),
    "half floats": np.array([1, 2, 3, 4], "f2"),
    "complex": np.array([1j, 2, 3, 4]),
}
INDEXES = [
    *(pd.RangeIndex(5, 0, -2, name="r"), pd.Index([3, 1]), pd.Index([1.5]), pd.Index(["a", "b"], name=("x", 1))),
    *(pd.Index([]), pd.Index([1, "a", None]), pd.Index([True]), DAYS, pd.DatetimeIndex(["2024-01-01", "NaT"])),
    *(pd.date_range("2024", periods=3, freq="W-WED"), pd.date_range("2024", periods=3, freq="MS", tz="Asia/Tokyo")),
    *(pd.timedelta_range(0, periods=3, freq="h"), pd.period_range("2024", periods=2, freq="Y")),
    *(pd.CategoricalIndex(["a", "b"], name="c"), pd.interval_range(0, 3), pd.Index([1, None], dtype="Int64")),
    *(pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["n", None]), pd.MultiIndex.from_arrays([[], []])),
    pd.MultiIndex.from_tuples([(1, "a"), (1, None)]),
]
FRAMES = [
    *(LONG, pd.DataFrame(), pd.DataFrame(index=[1, 2]), pd.DataFrame(columns=["a", "b"]), LONG.iloc[:0], LONG.T),
    *(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"], index=[0, 0]), pd.DataFrame(np.arange(12.0).reshape(4, 3)).T),
    *(LONG.pivot(index="a", columns="b", values="v"), LONG.groupby(["a", "b"]).agg(["sum", "mean"]), LONG.describe()),
    *(LONG.iloc[::2], LONG.set_index(["a", "b"]), LONG.set_index("b").loc[["x"]], pd.DataFrame(ARRAYS)),
    pd.DataFrame({("a", 1): [1], ("b", 2): ["x"]}),
]
SCALARS = [
    *(pd.Timestamp("2024-02-29 12:30:00.123456789"), pd.Timestamp("2024-01-01", tz="Europe/Berlin"), pd.NaT, pd.NA),
    *(pd.Timestamp("2024-01-01", tz="UTC").as_unit("s"), pd.Timestamp("1200-01-01").as_unit("s"), pd.Timedelta("-1ns")),
    *(pd.Timedelta(days=5).as_unit("ms"), pd.Period("2024-03", "M"), pd.Interval(0, 1.5, closed="both")),
    pd.Interval(DAYS[0], DAYS[1]),
]


@pytest.mark.parametrize("name", ARRAYS)
def test_a_series_and_its_array_cross_unchanged(name: str) -> None:
    series = pd.Series(ARRAYS[name], name="s")
    alike(crossed(series), series)
    if isinstance(series.dtype, pd.api.extensions.ExtensionDtype):
        alike(crossed(series.array), series.array)
    else:
        assert crossed(series.array) == ("there", 7, {}, NOTHING)
    assert course_values.is_copied(series)


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_an_index_crosses_unchanged(index: Any) -> None:
    alike(crossed(index), index)
    series = pd.Series(range(len(index)), index=index)
    alike(crossed(series), series)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{frame.shape}")
def test_a_frame_crosses_unchanged_and_can_be_changed(frame: pd.DataFrame) -> None:
    copied = crossed(frame)
    alike(copied, frame)
    copied["new"] = 1
    if frame.size and frame.columns.is_unique:
        copied.iloc[0, 0] = copied.iloc[0, 0]
    assert "new" not in frame


@pytest.mark.parametrize("scalar", SCALARS, ids=repr)
def test_a_scalar_crosses_unchanged(scalar: Any) -> None:
    alike(crossed(scalar), scalar)
    assert course_values.is_copied(scalar)


def test_attributes_and_aliases_are_kept() -> None:
    frame = LONG.copy()
    frame.attrs = {"source": ["survey"]}
    one, other, index = crossed([frame, frame, frame.index])
    assert one is other
    assert one.index is index
    assert one.attrs == {"source": ["survey"]}


def test_both_sides_number_alike_what_frames_are_made_of() -> None:
    copied: dict[int, Any] = {}
    made: dict[int, Any] = {}
    frames = [*FRAMES, pd.Series(ARRAYS["categories"]), pd.array([1, None])]
    table, blobs = course_values.encode(frames, refer, copied=copied)
    course_values.decode(table, b"".join(blobs), lambda *reference: None, {}, (), made=made)
    assert copied.keys() == made.keys()
    for number, obj in copied.items():
        assert type(made[number]) is type(obj)


def test_a_subclass_of_a_frame_stays() -> None:
    class Frame(pd.DataFrame):
        @property
        def _constructor(self) -> type:
            raise AssertionError("called")

    kind, number, _, base = crossed(Frame({"a": [1]}))
    assert (kind, number) == ("there", 7)
    alike(base, pd.DataFrame({"a": [1]}))
    for value in (
        LONG.groupby("a"),
        LONG.rolling(2),
        LONG.dtypes.items(),
        pd.Series([1]).astype("Sparse[int]"),
    ):
        assert crossed(value) == ("there", 7, {}, NOTHING)


@pytest.mark.parametrize(
    "frame", [*FRAMES, pd.Series([1, 2]), pd.Series(["a"], name="x")], ids=lambda frame: f"{frame.shape}"
)
def test_the_contents_of_a_frame_can_be_replaced(frame: Any) -> None:
    for target in (LONG.copy(), pd.DataFrame()) if isinstance(frame, pd.DataFrame) else (pd.Series([1.5], name="old"),):
        alias = target
        assert course_values.replace_contents(target, frame)
        alike(alias, frame)
        assert not course_values.replace_contents(target, frame.to_numpy())


def test_a_change_of_a_frame_changes_its_fingerprint() -> None:
    frame = LONG.copy()
    before = course_values.fingerprint(frame)
    assert course_values.fingerprint(frame) == before
    frame.loc[2, "v"] = 0.0
    changed = course_values.fingerprint(frame)
    assert changed != before
    frame.rename(columns={"v": "w"}, inplace=True)
    assert course_values.fingerprint(frame) != changed


def table(*nodes: Any, blobs: tuple[int, ...] = ()) -> tuple[dict[str, Any], bytes]:
    return {"nodes": list(nodes), "root": [0], "blobs": list(blobs)}, bytes(sum(blobs))


def floats(count: int, blob: int = 0) -> list[Any]:
    return ["array", "<f8", [count], None, True, blob]


def whole(count: int, blob: int = 0, size: int = 8) -> list[Any]:
    return ["array", f"<i{size}" if size > 1 else "|i1", [count], None, True, blob]


RANGE = ["RangeIndex", 0, 2, 1, None]
MALFORMED = {
    "a series of another length": table(["Series", [1], [2], None, None], floats(3), RANGE, blobs=(24,)),
    "a series of two dimensions": table(
        ["Series", [1], [2], None, None], ["array", "<f8", [2, 1], None, True, 0], RANGE, blobs=(16,)
    ),
    "a series of no array": table(["Series", [1], [2], None, None], ["list", []], RANGE),
    "a series of a reference": table(["Series", [1], [2], None, None], ["ref", "yours", 1, {}], RANGE),
    "a series of no index": table(["Series", [1], [2], None, None], floats(2), ["list", []], blobs=(16,)),
    "a series of text": table(["Series", "x", [1], None, None], RANGE),
    "a series whose name is a list": table(
        ["Series", [1], [2], [3], None], floats(2), RANGE, ["list", []], blobs=(16,)
    ),
    "a series whose attributes are a list": table(
        ["Series", [1], [2], None, [3]], floats(2), RANGE, ["list", []], blobs=(16,)
    ),
    "a series of an absurd index": table(
        ["Series", [1], [2], None, None], floats(2), ["RangeIndex", 0, 2**61, 1, None], blobs=(16,)
    ),
    "a series of itself": table(["Series", [1], [2], None, None], ["objects", [2], None, True, [[0], 1]], RANGE),
    "an array of two series": table(
        ["list", [[1], [2]]], *[["Series", [3], [4], None, None]] * 2, floats(2), RANGE, blobs=(16,)
    ),
    "a frame that has a column a million times": table(
        ["DataFrame", [1], [1], [[2]] * 1_000_000, None], RANGE, floats(2), blobs=(16,)
    ),
    "a frame of more columns than names": table(["DataFrame", [1], [1], [[2]], None], RANGE, floats(2), blobs=(16,)),
    "a frame of uneven columns": table(
        ["DataFrame", [1], [1], [[2], [3]], None], RANGE, floats(2), floats(3, 1), blobs=(16, 24)
    ),
    "a frame of no columns": table(["DataFrame", [1], [1], None, None], RANGE),
    "an index of step 0": table(["RangeIndex", 0, 1, 0, None]),
    "an index of floats": table(["RangeIndex", 0.0, 1, 1, None]),
    "an index of absurd numbers": table(["RangeIndex", 0, 10**30, 1, None]),
    "an index of another class": table(["Index", "DatetimeIndex", [1], None, None], floats(2), blobs=(16,)),
    "an index of an unknown class": table(["Index", "Series", [1], None, None], floats(2), blobs=(16,)),
    "an index of two dimensions": table(
        ["Index", "Index", [1], None, None], ["array", "<f8", [1, 2], None, True, 0], blobs=(16,)
    ),
    "an index of a frequency that is wrong": table(
        ["Index", "DatetimeIndex", [1], None, "D"], ["array", "<M8[ns]", [3], None, True, 0], blobs=(24,)
    ),
    "an index of a frequency that is code": table(
        ["Index", "DatetimeIndex", [1], None, "<x>"], ["array", "<M8[ns]", [2], None, True, 0], blobs=(16,)
    ),
    "an index of many levels": table(["MultiIndex", [[1]] * 2000, [[2]] * 2000, [None] * 2000], RANGE, whole(2)),
    "an index of codes beyond": (
        {**table(["MultiIndex", [[1]], [[2]], [None]], RANGE, whole(1, size=1), blobs=(1,))[0]},
        b"\x09",
    ),
    "an index of float codes": table(["MultiIndex", [[1]], [[2]], [None]], RANGE, floats(1), blobs=(8,)),
    "an index of levels of one list": table(["MultiIndex", [[1]], [[1]], [None]], ["list", []]),
    "codes without categories": (
        table(["Categorical", [1], [2], False], whole(1, size=1), RANGE, blobs=(1,))[0],
        b"\x09",
    ),
    "categories that occur twice": table(
        ["Categorical", [1], [2], False],
        *(whole(1, size=1), ["Index", "Index", [3], None, None], floats(2, 1)),
        blobs=(1, 16),
    ),
    "an order that is a number": table(["Categorical", [1], [2], 1], whole(1, size=1), RANGE, blobs=(1,)),
    "periods of floats": table(["periods", [1], "M"], floats(1), blobs=(8,)),
    "periods of an unknown frequency": table(["periods", [1], "QQQ"], whole(1), blobs=(8,)),
    "periods of small numbers": table(["periods", [1], "M"], whole(1, size=1), blobs=(1,)),
    "intervals the wrong way": (
        table(
            ["intervals", [1], [2], "left"],
            *(["Index", "Index", [3], None, None], ["Index", "Index", [4], None, None], floats(1, 0), floats(1, 1)),
            blobs=(8, 8),
        )[0],
        np.array([2.0, 1.0]).tobytes(),
    ),
    "intervals of uneven ends": table(["intervals", [1], [2], "left"], RANGE, ["RangeIndex", 0, 3, 1, None]),
    "intervals closed by code": table(["intervals", [1], [2], "up"], RANGE, RANGE),
    "times of numbers": table(["times", [1], [2]], floats(1), ["timezone", 0, 0, 0, None], blobs=(8,)),
    "times of a zone that is text": table(["times", [1], "UTC"], ["array", "<M8[ns]", [1], None, True, 0], blobs=(8,)),
    "gaps of another length": table(
        ["nullable", "Int", [1], [2]], whole(1), ["array", "|b1", [2], None, True, 1], blobs=(8, 2)
    ),
    "gaps of numbers": table(["nullable", "Int", [1], [2]], whole(1), whole(1, 1), blobs=(8, 8)),
    "gaps of an unknown class": table(["nullable", "object", [1], [2]], whole(1), whole(1, 1), blobs=(8, 8)),
    "gaps of floats in whole numbers": table(
        ["nullable", "Int", [1], [2]], floats(1), ["array", "|b1", [1], None, True, 1], blobs=(8, 1)
    ),
    "texts of numbers": table(["strings", "python", "NA", [1]]),
    "texts stored elsewhere": table(["strings", "cloud", "NA", ["a"]]),
    "texts of another gap": table(["strings", "python", "x", ["a"]]),
    "a time that is none": table(["Timestamp", -(2**63), "ns", None]),
    "a time of text": table(["Timestamp", "2024", "ns", None]),
    "a time of an unknown unit": table(["Timestamp", 5, "D", None]),
    "a time of an absurd number": table(["Timestamp", 10**30, "s", None]),
    "a time of a zone that is text": table(["Timestamp", 5, "s", "UTC"]),
    "a time of a zone that stays": table(["Timestamp", 5, "s", [1]], ["ref", "there", 1, {}]),
    "a zone of pytz above": table(["pytz", "../UTC"]),
    "a zone of pytz that is not there": table(["pytz", "Nowhere"]),
    "a span that is none": table(["Timedelta", -(2**63), "ns"]),
    "a period of code": table(["Period", 5, "__import__('os')"]),
    "a period of a number": table(["Period", 5, 5]),
    "an interval of text": table(["Interval", "a", "b", "left"]),
    "an interval of truths": table(["Interval", False, True, "left"]),
    "an interval the wrong way": table(["Interval", 2, 1, "left"]),
    "an unknown constant": table(["pandas constant", "options"]),
    "many series": table(
        ["list", [[index + 1] for index in range(17_000)]],
        *(["Series", [17_001 + index], [34_001], None, None] for index in range(17_000)),
        *(["strings", "python", "NA", []] for _ in range(17_000)),
        ["RangeIndex", 0, 0, 1, None],
    ),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_objects_are_refused(what: str) -> None:
    begin = time.process_time()
    with pytest.raises(BadValue):
        unpacked(*MALFORMED[what])
    assert time.process_time() - begin < 10


def test_a_table_of_the_kinds_above_is_read() -> None:
    """The malformed ones are malformed only where they say so."""
    series = unpacked(*table(["Series", [1], [2], "x", None], floats(2), RANGE, blobs=(16,)))
    alike(series, pd.Series([0.0, 0.0], name="x"))
    levels = unpacked(*table(["MultiIndex", [[1]], [[2]], [None]], RANGE, whole(1, size=1), blobs=(1,)))
    assert levels.tolist() == [(0,)]
    ends = ["Index", "Index", [3], None, None], ["Index", "Index", [4], None, None]
    intervals = unpacked(*table(["intervals", [1], [2], "left"], *ends, floats(1), floats(1, 1), blobs=(8, 8)))
    assert len(intervals) == 1
