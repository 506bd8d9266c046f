"""NumPy's arrays, scalars and dtypes on their way between processes. Runs inside; imports NumPy, so it is imported
only where that is.
"""

import functools
import math
import re

import numpy as np
from course_table import BadValue, Kind

_MAX_ITEM = 2**26
"""Bytes of one element of an array."""
_MAX_EMPTY_ITEM = 65536
_MASKED_ITEMS = 100
_MAX_FIELDS = 1000
_SIMPLE = re.compile(
    r"\|b1|[<>|][iu][1248]|[<>][f](?:2|4|8|12|16)|[<>]c(?:8|16|24|32)|\|[SV]\d{1,8}|[<>]U\d{1,8}"
    r"|[<>][Mm]8(?:\[\d{0,9}(?:generic|Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?"
)
_KINDS = "biufcSUMmV"
_MAX_DIMENSIONS = 32


# Types of elements: a string for simple ones, else {"itemsize", "align", "fields"}, where a field is [name, title,
# offset, type, shape].


def describe(dtype):
    """Give the JSON-able description of a dtype whose elements are plain bytes, or None."""
    if type(dtype).__module__ not in ("numpy", "numpy.dtypes") or dtype.kind not in _KINDS:
        return None
    if dtype.kind != "V" or dtype.type is not np.void:
        return dtype.str if _SIMPLE.fullmatch(dtype.str) else None
    if dtype.subdtype is not None:
        return None
    if dtype.names is None:
        return dtype.str
    fields = []
    for name in dtype.names:
        inner, offset, *title = dtype.fields[name]
        base, shape = inner.subdtype or (inner, ())
        described = describe(base)
        if described is None or (title and type(title[0]) is not str):
            return None
        fields.append([name, title[0] if title else None, offset, described, list(shape)])
    return {"itemsize": dtype.itemsize, "align": bool(dtype.isalignedstruct), "fields": fields}


def dtype_of(described, depth=0):
    """Make a dtype of its description; raises BadValue, or what NumPy raises."""
    if type(described) is str:
        if not _SIMPLE.fullmatch(described):
            raise BadValue("an array is of a type that does not cross")
        dtype = np.dtype(described)
        if dtype.itemsize > _MAX_ITEM:
            raise BadValue("an array has elements that are too large")
        return dtype
    if depth > 10 or type(described) is not dict or described.keys() != {"itemsize", "align", "fields"}:
        raise BadValue("the type of an array is malformed")
    size, fields = described["itemsize"], described["fields"]
    if type(size) is not int or not 0 <= size <= _MAX_ITEM or type(fields) is not list or len(fields) > _MAX_FIELDS:
        raise BadValue("the type of an array is malformed")
    spec = {"names": [], "formats": [], "offsets": [], "titles": [], "itemsize": size}
    for field in fields:
        if type(field) is not list or len(field) != 5:
            raise BadValue("the type of an array is malformed")
        name, title, offset, inner, shape = field
        if type(name) is not str or not (title is None or type(title) is str) or type(offset) is not int:
            raise BadValue("the type of an array is malformed")
        base = dtype_of(inner, depth + 1)
        count = items(shape)
        if not 0 <= offset <= size or base.itemsize * count + offset > size:
            raise BadValue("the type of an array is malformed")
        spec["names"].append(name)
        spec["titles"].append(title)
        spec["offsets"].append(offset)
        spec["formats"].append((base, tuple(shape)) if shape else base)
    return np.dtype(spec, align=described["align"] is True)


def items(shape):
    """Check a shape, a list, and give the number of elements."""
    if type(shape) is not list or len(shape) > _MAX_DIMENSIONS:
        raise BadValue("the shape of an array is malformed")
    if not all(type(size) is int and 0 <= size < 2**48 for size in shape):
        raise BadValue("the shape of an array is malformed")
    return math.prod(shape)


# Arrays.


def _write_any(writer, array):
    return _write_view(writer, array) or write_array(writer, array)


def write_array(writer, array):
    """Write an array of plain bytes as one blob, or one of objects element by element."""
    if array.dtype.kind == "O":
        return _write_objects(writer, array)
    described = describe(array.dtype)
    if described is None or array.ndim > _MAX_DIMENSIONS:
        return None
    if array.base is not None and (array.flags.c_contiguous or array.flags.f_contiguous):
        writer.owners.setdefault(id(array.base), array)  # others may share its memory
    axes, flat = flattened(array)
    data = flat.view(np.uint8).data if flat.nbytes else b""
    return ["array", described, list(array.shape), axes, bool(array.flags.writeable), writer.blob(data)]


def flattened(array):
    """Give the order of the axes in memory (None: as they are) and the elements in that order, one-dimensional.

    An array that is dense in memory is not copied.
    """
    axes = None
    if not array.flags.c_contiguous:
        order = sorted(range(array.ndim), key=lambda axis: (-abs(array.strides[axis]), axis))
        if order != list(range(array.ndim)):
            axes = order
            array = array.transpose(order)
    return axes, np.ascontiguousarray(array.reshape(-1))


def state_of(array):
    """Give all that can change of an array of numbers: (bytes, elements); None where telling takes more than that."""
    if array.dtype.kind not in "biufc" or not array.flags.c_contiguous:
        return None
    about = array.dtype.str, array.shape, array.flags.writeable
    return repr(about).encode(), array.reshape(-1).view(np.uint8)


def _array_form(reader, node):
    reader.take(node, lambda dtype: type(dtype) in (str, dict), list, _axes, bool, int)
    return []


def _axes(axes):
    return axes is None or (type(axes) is list and all(type(axis) is int for axis in axes))


def _read_array(reader, node, values):
    _, described, shape, axes, writeable, index = node
    dtype, count, data = dtype_of(described), items(shape), reader.blob(index)
    if count * dtype.itemsize != len(data):
        raise BadValue("an array is not as long as its shape says")
    if len(data):
        array = _in_order(np.frombuffer(data, dtype).reshape(_permuted(shape, axes)), axes).copy(order="K")
    else:
        if dtype.itemsize > _MAX_EMPTY_ITEM:
            raise BadValue("an array has elements that are too large")
        reader.spend(count)
        array = _in_order(np.zeros(_permuted(shape, axes), dtype), axes)
    if not writeable:
        array.flags.writeable = False
    return array


def _permuted(shape, axes):
    if axes is None:
        return shape
    if sorted(axes) != list(range(len(shape))):
        raise BadValue("the axes of an array are malformed")
    return [shape[axis] for axis in axes]


def _in_order(array, axes):
    """Undo a permutation of the axes."""
    return array if axes is None else array.transpose(np.argsort(axes))


def _write_objects(writer, array):
    if array.ndim > _MAX_DIMENSIONS:
        return None
    axes, flat = flattened(array)
    slots = [writer.slot(item) for item in flat.tolist()]
    return ["objects", list(array.shape), axes, bool(array.flags.writeable), slots]


def _objects_form(reader, node):
    reader.take(node, list, _axes, bool, list)
    if items(node[1]) != len(node[4]):
        raise BadValue("an array is not as long as its shape says")
    return node[4]


def _read_objects(reader, node, values):
    _, shape, axes, writeable, _ = node
    array = np.empty(_permuted(shape, axes), object)
    flat = array.reshape(-1)
    for index, value in enumerate(values):
        flat[index] = value
    array = _in_order(array, axes)
    if not writeable:
        array.flags.writeable = False
    return array


# Masked arrays go to a reader that trusts only: what is masked equals everything in `numpy.testing`.


def _write_masked(writer, array):
    if not writer.trusted:
        return None
    if array is np.ma.masked:
        return ["masked constant"]
    data = write_array(writer, array.data)
    if data is None or data[0] != "array":
        return None
    mask = None if array.mask is np.ma.nomask else writer.add(write_array(writer, np.asarray(array.mask)))
    fill = array._fill_value
    filled = None if fill is None else writer.add(write_array(writer, np.asarray(fill)))
    return ["masked", writer.add(data), mask, filled, bool(array.hardmask)]


def _masked_form(reader, node):
    _trusting(reader)
    reader.take(node, *[lambda slot: slot is None or reader.kind_of(slot) == "array"] * 3, bool)
    for slot in node[1:4]:
        reader.claim(slot)
    return node[1:4]


def _masked_constant_form(reader, node):
    _trusting(reader)
    reader.take(node)
    return []


def _trusting(reader):
    if not reader.trusting:
        raise BadValue("a masked array came")


def _read_masked(reader, node, values):
    data, mask, fill = values
    reader.spend(_MASKED_ITEMS)
    if type(data) is not np.ndarray or (mask is not None and mask.shape != data.shape):
        raise BadValue("a masked array is malformed")
    if fill is not None and (fill.size != 1 or fill.dtype != data.dtype):
        raise BadValue("a masked array is malformed")
    mask = np.ma.nomask if mask is None else mask
    return np.ma.MaskedArray(data, mask, fill_value=None if fill is None else fill[()], hard_mask=node[4])


def _write_view(writer, array):
    """Write an array that is a view into one that crosses, too, or that the reader knows; None for any other."""
    if type(array.base) is not np.ndarray or array.dtype.kind == "O" or array.size == 0:
        return None
    for base in (array.base, writer.owners.get(id(array.base))):
        slot = None if base is None or base is array else writer.known(base)
        if slot is not None and _reaches(base, array):
            break
    else:
        return None
    start = _address(array) - _address(base)
    return ["view", slot, list(array.shape), list(array.strides), start, bool(array.flags.writeable)]


def _address(array):
    return array.__array_interface__["data"][0]


def _reaches(base, array):
    """Tell whether an array lies within another that is dense and of the same type."""
    if base.dtype != array.dtype or array.size > base.size or not (base.flags.c_contiguous or base.flags.f_contiguous):
        return False
    reach = [(size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True)]
    first = _address(array) - _address(base) + sum(min(0, end) for end in reach)
    last = _address(array) - _address(base) + sum(max(0, end) for end in reach)
    return first >= 0 and last + base.itemsize <= base.nbytes


def _view_form(reader, node):
    reader.take(node, lambda slot: reader.kind_of(slot) in ("array", "ref"), list, _strides, int, bool)
    if len(node[2]) != len(node[3]):
        raise BadValue("a view of an array is malformed")
    items(node[2])
    return node[1:2]


def _strides(strides):
    return type(strides) is list and all(type(stride) is int and abs(stride) < 2**48 for stride in strides)


def _read_view(reader, node, values):
    base = values[0]
    _, _, shape, strides, start, writeable = node
    if type(base) is not np.ndarray or base.dtype.kind == "O" or math.prod(shape) > base.size:
        raise BadValue("a view of an array is malformed")
    if 0 not in shape:  # NumPy checks this as well, in numbers that may overflow
        reach = [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]
        first, last = start + sum(min(0, end) for end in reach), start + sum(max(0, end) for end in reach)
        if first < 0 or last + base.itemsize > base.nbytes:
            raise BadValue("a view of an array reaches beyond it")
    dense = base if base.flags.c_contiguous else base.T
    if not dense.flags.c_contiguous or not 0 <= start <= base.nbytes:
        raise BadValue("a view of an array is malformed")
    array = np.ndarray(shape, base.dtype, dense, start, strides)
    if not writeable:
        array.flags.writeable = False
    return array


def _write_matrix(writer, array):
    data = write_array(writer, np.ndarray.view(array, np.ndarray))
    return ["matrix", writer.add(data)] if data is not None and data[0] == "array" else None


def _matrix_form(reader, node):
    reader.take(node, lambda slot: reader.kind_of(slot) == "array")
    reader.claim(node[1])
    return node[1:]


def _read_matrix(reader, node, values):
    if values[0].ndim != 2:
        raise BadValue("a matrix is malformed")
    return values[0].view(np.matrix)


# Scalars and types.


def _write_scalar(writer, scalar):
    if type(scalar) is np.str_:
        return ["np.str", writer.slot(str.__str__(scalar))]
    if type(scalar) is np.bytes_:
        return ["np.bytes", writer.blob(bytes.__getitem__(scalar, slice(None)))]
    described = describe(scalar.dtype)
    return None if described is None else ["scalar", described, scalar.tobytes().hex()]


def _scalar_form(reader, node):
    reader.take(node, lambda dtype: type(dtype) in (str, dict), str)
    return []


def _read_scalar(reader, node, values):
    dtype, data = dtype_of(node[1]), bytes.fromhex(node[2])
    if len(data) != dtype.itemsize or dtype.kind in "SU":
        raise BadValue("a number of NumPy's is malformed")
    if dtype.itemsize == 0:
        return np.zeros((), dtype)[()]
    return np.frombuffer(data, dtype).copy()[0]


def _slot_form(reader, node):
    reader.take(node, lambda slot: True)
    return node[1:]


def _read_str(reader, node, values):
    if type(values[0]) is not str:
        raise BadValue("a string of NumPy's is malformed")
    return np.str_(values[0])


def _bytes_form(reader, node):
    reader.take(node, int)
    return []


def _read_bytes(reader, node, values):
    return np.bytes_(bytes(reader.blob(node[1])))


def _write_dtype(writer, dtype):
    if dtype.hasobject and dtype.names is None:
        return ["dtype", "O"]
    described = describe(dtype)
    return None if described is None else ["dtype", described]


def _dtype_form(reader, node):
    reader.take(node, lambda dtype: type(dtype) in (str, dict))
    return []


def _read_dtype(reader, node, values):
    return np.dtype(object) if node[1] == "O" else dtype_of(node[1])


def can_be_copied(array):
    """Tell whether an array's elements are plain bytes, or objects."""
    return array.dtype.kind == "O" or describe(array.dtype) is not None


@functools.cache
def writers():
    """Give how each exact class of NumPy's is written; see `course_plain.WRITERS`."""
    scalars = {kind for kind in np.sctypeDict.values() if kind is not np.object_}
    return {
        np.ndarray: (_write_any, True),
        np.ma.MaskedArray: (_write_masked, True),
        type(np.ma.masked): (_write_masked, False),
        np.matrix: (_write_matrix, True),
        **dict.fromkeys(scalars, (_write_scalar, False)),
        **{type(np.dtype(scalar)): (_write_dtype, False) for scalar in (*scalars, object)},
    }


KINDS = {
    "array": Kind(_array_form, _read_array, mutable=True),
    "objects": Kind(_objects_form, _read_objects, mutable=True, stacked=True),
    "view": Kind(_view_form, _read_view, mutable=True),
    "masked": Kind(_masked_form, _read_masked, mutable=True),
    "masked constant": Kind(_masked_constant_form, lambda reader, node, values: np.ma.masked),
    "matrix": Kind(_matrix_form, _read_matrix, mutable=True),
    "scalar": Kind(_scalar_form, _read_scalar),
    "np.str": Kind(_slot_form, _read_str),
    "np.bytes": Kind(_bytes_form, _read_bytes),
    "dtype": Kind(_dtype_form, _read_dtype),
}
