"""pandas' objects on their way between processes: taken apart into arrays and put together again. Runs inside.

Imports pandas, so it is imported only where that is. An array within a frame is a *piece*: an array of NumPy's or one
of pandas' own; each piece belongs to one object, so that few bytes do not become many.
"""

import functools
import importlib
import re

import course_arrays
import numpy as np
import pandas as pd
from course_table import BadValue, Kind

_OBJECT = 500
"""What an object of pandas' counts among the items of a value: it takes that much longer to make than a number."""
_COLUMN = 50
_FREQUENCY = re.compile(r"-?\d{0,6}[A-Za-z]{1,8}(-[A-Za-z]{1,8})?", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,3}")
_CLOSED = ("left", "right", "both", "neither")
_UNITS = ("s", "ms", "us", "ns")
_STORAGES = ("python", "pyarrow", "pyarrow_numpy")
_PIECES = frozenset({"array", "objects", "Categorical", "times", "periods", "intervals", "nullable", "strings"})
_INDEXES = ("Index", "DatetimeIndex", "TimedeltaIndex", "PeriodIndex", "CategoricalIndex", "IntervalIndex")
_NULLABLE = {
    "Int": pd.arrays.IntegerArray,
    "Float": pd.arrays.FloatingArray,
    "bool": pd.arrays.BooleanArray,
}


# Pieces.


def _piece(writer, values):
    """Add the node of an array; gives its slot, or None if it cannot be copied."""
    node = _piece_node(writer, values)
    return None if node is None else writer.add(node)


def _piece_node(writer, values):
    if not isinstance(values, np.ndarray):
        write = _piece_writers().get(type(values))
        return None if write is None else write(writer, values)
    node = course_arrays.write_array(writer, np.asarray(values))
    if node is not None:
        node[{"array": 4, "objects": 3}[node[0]]] = True  # views of frames are read-only
    return node


def _write_plain(writer, values):
    return _piece_node(writer, values.to_numpy())


def _write_times(writer, values):
    if values.tz is None:
        return _piece_node(writer, values.to_numpy())
    zone = _zone_slot(writer, values.tz)
    times = _piece(writer, values.tz_convert("UTC").tz_localize(None).to_numpy())
    return None if zone is None else ["times", times, zone]


def _zone_slot(writer, zone):
    """Give the slot of a time zone; those of pytz, which pandas 2 uses, go by name."""
    if type(zone).__module__.partition(".")[0] == "pytz":
        name = getattr(zone, "zone", None)
        return writer.add(["pytz", name]) if type(name) is str and _ZONE.fullmatch(name) else None
    return writer.slot(zone)


def _read_pytz(reader, node, values):
    if not _ZONE.fullmatch(node[1]):
        raise BadValue("a time zone has no such name")
    reader.spend(_OBJECT)
    return importlib.import_module("pytz").timezone(node[1])


def _write_categorical(writer, values):
    codes = _piece(writer, values.codes)
    return ["Categorical", codes, writer.slot(values.categories), bool(values.ordered)]


def _write_periods(writer, values):
    return ["periods", _piece(writer, values.asi8), values.freqstr] if _FREQUENCY.fullmatch(values.freqstr) else None


def _write_intervals(writer, values):
    ends = [_index(writer, end) for end in (values.left, values.right)]
    return None if None in ends else ["intervals", *map(writer.add, ends), values.closed]


def _write_nullable(writer, values):
    missing = np.asarray(values.isna(), bool)
    plain = values.to_numpy(values.dtype.numpy_dtype, na_value=0)
    name = next(name for name, kind in _NULLABLE.items() if type(values) is kind)
    return ["nullable", name, _piece(writer, plain), _piece(writer, missing)]


def _write_strings(writer, values):
    dtype = values.dtype
    missing = "NA" if getattr(dtype, "na_value", pd.NA) is pd.NA else "nan"
    texts = [None if absent else text for text, absent in zip(values, values.isna(), strict=True)]
    return ["strings", dtype.storage, missing, [writer.slot(text) for text in texts]]


@functools.cache
def _piece_writers():
    arrays = pd.arrays
    plain = getattr(arrays, "NumpyExtensionArray", None) or arrays.PandasArray
    strings = [getattr(arrays, name, None) for name in ("StringArray", "ArrowStringArray")]
    strings += [type(pd.array(["a"], dtype=dtype)) for dtype in ("str", "string") if _is_string(dtype)]
    return {
        plain: _write_plain,
        arrays.DatetimeArray: _write_times,
        arrays.TimedeltaArray: _write_plain,
        pd.Categorical: _write_categorical,
        arrays.PeriodArray: _write_periods,
        arrays.IntervalArray: _write_intervals,
        **dict.fromkeys(_NULLABLE.values(), _write_nullable),
        **{kind: _write_strings for kind in strings if kind is not None and kind is not plain},
    }


def _is_string(dtype):
    return isinstance(pd.array(["a"], dtype=dtype).dtype, pd.StringDtype)


def _pieces_form(*forms):
    """Give a function for `Kind.parts`: a form is "piece", "slot", "index", "own index", or a check of no slot."""

    def parts(reader, node):
        reader.take(node, *[(lambda entry: True) if type(form) is str else form for form in forms])
        slots = [(form, entry) for form, entry in zip(forms, node[1:], strict=True) if type(form) is str]
        for form, slot in slots:
            if form == "piece":
                _own(reader, slot)
            elif form != "slot" and reader.kind_of(slot) not in ("Index", "RangeIndex", "MultiIndex"):
                raise BadValue("an index is none")
            elif form == "own index":
                reader.claim(slot)
        return [slot for _, slot in slots]

    return parts


def _own(reader, slot):
    """Check that a slot leads to a piece, and that nothing else has it."""
    if reader.kind_of(slot) not in _PIECES:
        raise BadValue("an array within a frame is none")
    reader.claim(slot)


def _of_kinds(values, kinds):
    if type(values) is not np.ndarray or values.ndim != 1 or values.dtype.kind not in kinds:
        raise BadValue("an array within a frame is of a wrong type")
    return values


def _read_times(reader, node, values):
    times, zone = values
    return pd.DatetimeIndex(_of_kinds(times, "M")).tz_localize("UTC").tz_convert(_time_zone(zone)).array


def _time_zone(zone):
    if type(zone).__module__.partition(".")[0] not in ("datetime", "zoneinfo", "pytz"):
        raise BadValue("a time zone is none")
    return zone


def _read_categorical(reader, node, values):
    codes, categories = values
    if len(categories) > 2**31:
        raise BadValue("a categorical array has too many categories")
    dtype = pd.CategoricalDtype(categories, ordered=node[3])
    return pd.Categorical.from_codes(_of_kinds(codes, "iu"), dtype=dtype)


def _read_periods(reader, node, values):
    dtype = pd.PeriodDtype(_frequency(node[2]))
    ordinals = _of_kinds(values[0], "i")
    if ordinals.dtype != np.int64:
        raise BadValue("an array of periods is malformed")
    return pd.arrays.PeriodArray(ordinals, dtype=dtype)


def _frequency(text):
    if type(text) is not str or not _FREQUENCY.fullmatch(text):
        raise BadValue("a frequency is malformed")
    return text


def _read_intervals(reader, node, values):
    return pd.arrays.IntervalArray.from_arrays(*values, closed=node[3])


def _read_nullable(reader, node, values):
    plain, missing = values
    _of_kinds(missing, "b")
    if plain.shape != missing.shape or (node[1] == "bool") != (_of_kinds(plain, "biuf").dtype.kind == "b"):
        raise BadValue("an array with gaps is malformed")
    return _NULLABLE[node[1]](plain, missing)


def _read_strings(reader, node, values):
    if not {str, type(None)}.issuperset(map(type, values)):
        raise BadValue("an array of strings is malformed")
    missing = pd.NA if node[2] == "NA" else np.nan
    try:
        dtype = pd.StringDtype(node[1], na_value=missing)
    except TypeError:  # before pandas 2.3
        dtype = pd.StringDtype(node[1])
    return pd.array(values, dtype=dtype)


def _strings_form(reader, node):
    reader.take(node, _STORAGES.__contains__, ("NA", "nan").__contains__, list)
    return node[3]


# Indexes, series and frames.


def _write_index(writer, index):
    return _index(writer, index)


def _index(writer, index):
    """Give the node of an index, or None."""
    if type(index) is pd.RangeIndex:
        bounds = map(writer.slot, (index.start, index.stop, index.step))
        return ["RangeIndex", *bounds, writer.slot(index.name)]
    if type(index) is pd.MultiIndex:
        codes = [_piece(writer, np.asarray(code)) for code in index.codes]
        names = [writer.slot(name) for name in index.names]
        return ["MultiIndex", [writer.slot(level) for level in index.levels], codes, names]
    values = index.array
    piece = _piece(writer, values)
    if piece is None or type(index).__name__ not in _INDEXES:
        return None
    frequency = getattr(index, "freqstr", None) if type(index) in (pd.DatetimeIndex, pd.TimedeltaIndex) else None
    if frequency is not None and not _FREQUENCY.fullmatch(frequency):
        frequency = None
    return ["Index", type(index).__name__, piece, writer.slot(index.name), frequency]


def _read_range_index(reader, node, values):
    *bounds, name = values
    if not all(type(bound) is int and abs(bound) < 2**62 for bound in bounds) or not bounds[2]:
        raise BadValue("an index is malformed")
    return pd.RangeIndex(*bounds, name=name)


def _range_index_form(reader, node):
    reader.take(node, *[lambda slot: True] * 4)
    reader.spend(_OBJECT)
    return node[1:]


def _multi_index_form(reader, node):
    reader.take(node, list, list, list)
    levels, codes, names = node[1:]
    if not len(levels) == len(codes) == len(names) or not 1 <= len(levels) <= 1000:
        raise BadValue("an index is malformed")
    for level in levels:
        if reader.kind_of(level) not in ("Index", "RangeIndex"):
            raise BadValue("an index is malformed")
    for code in codes:
        _own(reader, code)
    reader.spend(_OBJECT * len(levels))
    return [*levels, *codes, *names]


def _read_multi_index(reader, node, values):
    count = len(node[1])
    levels, codes, names = values[:count], values[count : 2 * count], values[2 * count :]
    return pd.MultiIndex(levels, [_of_kinds(code, "i") for code in codes], names=names)


def _index_form(reader, node):
    reader.spend(_OBJECT)
    return _pieces_form(
        _INDEXES.__contains__, "piece", "slot", lambda frequency: frequency is None or _frequency(frequency)
    )(reader, node)


def _read_index(reader, node, values):
    array, name = values
    if array.ndim != 1:
        raise BadValue("an index is malformed")
    index = pd.Index(array, dtype=array.dtype, name=name, copy=False)
    if type(index).__name__ != node[1] or len(index) != len(array):
        raise BadValue("an index is malformed")
    if node[4] is not None:
        if type(index) not in (pd.DatetimeIndex, pd.TimedeltaIndex):
            raise BadValue("an index is malformed")
        index.freq = node[4]
    return index


def _write_series(writer, series):
    piece = _piece(writer, series.array)
    if piece is None:
        return None
    return ["Series", piece, writer.slot(series.index), writer.slot(series.name), _attributes(writer, series)]


def _attributes(writer, obj):
    return writer.slot(dict(obj.attrs)) if obj.attrs else None


def _series_form(reader, node):
    reader.spend(_OBJECT)
    return _pieces_form("piece", "index", "slot", "slot")(reader, node)


def _read_series(reader, node, values):
    array, index, name, attributes = values
    return _described(_series(array, index, name), attributes)


def _series(array, index, name=None):
    if array.ndim != 1 or len(array) != len(index):
        raise BadValue("a column is not as long as its index")
    return pd.Series(array, index=index, dtype=array.dtype, name=name, copy=False)


def _described(obj, attributes):
    if attributes is not None:
        if type(attributes) is not dict:
            raise BadValue("the attributes of a frame are malformed")
        obj.attrs = attributes
    return obj


def _write_frame(writer, frame):
    pieces = [_piece(writer, frame.iloc[:, place].array) for place in range(frame.shape[1])]
    if None in pieces:
        return None
    index, columns = writer.slot(frame.index), writer.slot(frame.columns)
    return ["DataFrame", index, columns, pieces, _attributes(writer, frame)]


def _frame_form(reader, node):
    reader.take(node, lambda slot: True, lambda slot: True, list, lambda slot: True)
    reader.spend(_OBJECT + _COLUMN * len(node[3]))
    for slot in node[1:3]:
        if reader.kind_of(slot) not in ("Index", "RangeIndex", "MultiIndex"):
            raise BadValue("an index is none")
    for slot in node[3]:
        _own(reader, slot)
    return [*node[1:3], node[4], *node[3]]


def _read_frame(reader, node, values):
    index, columns, attributes, *arrays = values
    if len(arrays) != len(columns):
        raise BadValue("a frame has another number of columns than names")
    frame = pd.DataFrame({place: _series(array, index) for place, array in enumerate(arrays)}, index=index)
    frame.columns = columns
    return _described(frame, attributes)


# Scalars.


def _write_timestamp(writer, time):
    value, zone = time.asm8, None if time.tz is None else _zone_slot(writer, time.tz)
    if time.tz is not None and zone is None:
        return None
    return ["Timestamp", int(value.astype("i8")), np.datetime_data(value.dtype)[0], zone]


def _read_timestamp(reader, node, values):
    time = pd.Timestamp(np.datetime64(node[1], node[2]))
    if values[0] is not None:
        time = time.tz_localize("UTC").tz_convert(_time_zone(values[0]))
    return _exact(time, pd.Timestamp)


def _write_timedelta(writer, delta):
    value = delta.asm8
    return ["Timedelta", int(value.astype("i8")), np.datetime_data(value.dtype)[0]]


def _read_timedelta(reader, node, values):
    return _exact(pd.Timedelta(np.timedelta64(node[1], node[2])), pd.Timedelta)


def _write_period(writer, period):
    return ["Period", period.ordinal, period.freqstr] if _FREQUENCY.fullmatch(period.freqstr) else None


def _read_period(reader, node, values):
    reader.spend(_OBJECT)
    return _exact(pd.Period(ordinal=node[1], freq=_frequency(node[2])), pd.Period)


def _exact(value, cls):
    if type(value) is not cls:
        raise BadValue("a time is malformed")
    return value


def _write_interval(writer, interval):
    return ["Interval", writer.slot(interval.left), writer.slot(interval.right), interval.closed]


def _read_interval(reader, node, values):
    plain = (int, float, np.int64, np.float64, pd.Timestamp, pd.Timedelta)
    if not all(type(end) in plain for end in values):
        raise BadValue("an interval is malformed")
    return pd.Interval(*values, closed=node[3])


def _write_constant(writer, value):
    return ["pandas constant", "NA" if value is pd.NA else "NaT"]


def _read_constant(reader, node, values):
    return pd.NA if node[1] == "NA" else pd.NaT


def _form(*forms):
    def parts(reader, node):
        reader.take(node, *[(lambda entry: True) if form == "slot" else form for form in forms])
        return [entry for form, entry in zip(forms, node[1:], strict=True) if form == "slot"]

    return parts


def _number(value):
    return type(value) is int and -(2**63) < value < 2**63


def _alone(write):
    """Give how an array is written that is not within a frame: not those that are written as NumPy's."""

    def write_alone(writer, values):
        return None if getattr(values, "tz", values) is None else write(writer, values)

    return write_alone


@functools.cache
def writers():
    """Give how each exact class of pandas' is written; see `course_plain.WRITERS`."""
    indexes = [getattr(pd, name) for name in (*_INDEXES, "RangeIndex", "MultiIndex")]
    return {
        pd.Series: (_write_series, True),
        pd.DataFrame: (_write_frame, True),
        **dict.fromkeys(indexes, (_write_index, False)),
        **{kind: (_alone(write), True) for kind, write in _piece_writers().items() if write is not _write_plain},
        pd.Timestamp: (_write_timestamp, False),
        pd.Timedelta: (_write_timedelta, False),
        pd.Period: (_write_period, False),
        pd.Interval: (_write_interval, False),
        type(pd.NaT): (_write_constant, False),
        type(pd.NA): (_write_constant, False),
    }


KINDS = {
    "times": Kind(_pieces_form("piece", "slot"), _read_times, mutable=True, stacked=True),
    "pytz": Kind(_form(str), _read_pytz),
    "Categorical": Kind(_pieces_form("piece", "index", bool), _read_categorical, mutable=True, stacked=True),
    "periods": Kind(_pieces_form("piece", str), _read_periods, mutable=True, stacked=True),
    "intervals": Kind(
        _pieces_form("own index", "own index", _CLOSED.__contains__), _read_intervals, mutable=True, stacked=True
    ),
    "nullable": Kind(
        _pieces_form(_NULLABLE.__contains__, "piece", "piece"), _read_nullable, mutable=True, stacked=True
    ),
    "strings": Kind(_strings_form, _read_strings, mutable=True),
    "RangeIndex": Kind(_range_index_form, _read_range_index, stacked=True),
    "MultiIndex": Kind(_multi_index_form, _read_multi_index, stacked=True),
    "Index": Kind(_index_form, _read_index, stacked=True),
    "Series": Kind(_series_form, _read_series, mutable=True, stacked=True),
    "DataFrame": Kind(_frame_form, _read_frame, mutable=True, stacked=True),
    "Timestamp": Kind(_form(_number, _UNITS.__contains__, "slot"), _read_timestamp),
    "Timedelta": Kind(_form(_number, _UNITS.__contains__), _read_timedelta),
    "Period": Kind(_form(_number, str), _read_period),
    "Interval": Kind(_form("slot", "slot", _CLOSED.__contains__), _read_interval),
    "pandas constant": Kind(_form(("NA", "NaT").__contains__), _read_constant),
}
