"""Packs values so that they can be handed to a process that trusts nothing, and reads them there. Runs inside.

`encode` copies what is plain, exact types only, and names the rest by references; `decode` raises nothing but
`BadValue`. The table is described in `course_table`, the kinds of values in `course_plain` (standard library and the
instructor's classes), `course_arrays` (NumPy) and `course_frames` (pandas). NumPy and pandas are not imported to write
anything, since a value of theirs cannot be there before they are, only to read what is theirs.
"""

import hashlib
import importlib
import marshal
import sys

import course_plain
from course_contents import base_value, replace_contents
from course_table import (
    MAX_BYTES,
    MAX_NODES,
    NOTHING,
    BadValue,
    Reader,
    Reference,
    TooLarge,
    Writer,
    class_name,
    find_class,
    is_plain_class,
)

__all__ = [
    "MAX_BYTES",
    "MAX_NODES",
    "NOTHING",
    "BadValue",
    "Reference",
    "TooLarge",
    "base_value",
    "class_name",
    "decode",
    "encode",
    "find_class",
    "fingerprint",
    "is_copied",
    "is_plain_class",
    "replace_contents",
    "warm",
]


def encode(value, refer, recall=None, types=None, *, trusted=False, copied=None):
    """Give (packed, blobs): a JSON-able dict and a list of bytes-like objects that `decode` reads.

    `refer(obj)` names an object that is not copied: a `Reference`, or a list like `["there", 7, {}]`. `recall(obj)` is
    asked before one that can be changed in place is copied; if it gives such a name, that crosses instead. `types`
    maps the instructor's classes to names. `trusted`: for a reader that trusts us (library functions go by name).
    `copied` is filled with the objects that can be changed in place, by index of their node. Raises TooLarge, and what
    `refer` and `recall` raise.
    """
    writer = Writer(_writer_of, refer, recall, types, trusted, copied)
    return writer.pack(value), writer.blobs


def decode(packed, tail, resolve, types, modules, *, trusting=False, made=None):
    """Give the value that `encode` packed; `tail` is its blobs one after another. Raises BadValue only.

    `resolve(kind, number, facts, base)` gives the object of a reference (base: a plain value or NOTHING), `types` maps
    names to the instructor's classes. `modules` (a container, or a function that tells) says which modules may come by
    name. `trusting`: what is read comes from the examiner; all classes, modules and functions of libraries may come by
    name, and are imported. `made` is filled with the objects that can be changed in place, by index of their node.
    """
    try:
        return Reader(_kinds, packed, tail, resolve, types, modules, trusting, made).value()
    except BadValue:
        raise
    except Exception as error:
        raise BadValue(f"a value is malformed ({type(error).__name__})") from None


def is_copied(obj, types=None):
    """Tell whether `encode` would copy an object itself, instead of naming it by a reference."""
    if type(obj) in (int, float, str, bool, list, dict, tuple, set) or obj is None:
        return True
    found = _writer_of(obj, types or {})
    if found is None:
        return False
    if _is_array(obj):
        return sys.modules["course_arrays"].can_be_copied(obj)
    return found[0] is not course_plain.write_function and _node(obj, types, found[0]) is not None


def fingerprint(value, refer=None, types=None):
    """Give bytes that are the same while nothing that would be copied of a value has changed.

    Masked arrays count, too. Objects that are not copied count by identity, or by what `refer` gives. Raises TooLarge.
    """
    if _is_array(value):
        state = _module("course_arrays").state_of(value)
        if state is not None:
            digest = hashlib.sha1(state[0], usedforsecurity=False)
            digest.update(state[1])
            return digest.digest()
    writer = Writer(_writer_of, refer or _by_identity, None, types, trusted=True)
    packed = writer.pack(value)
    digest = hashlib.sha1(marshal.dumps((packed["nodes"], packed["root"], packed["blobs"]), 2), usedforsecurity=False)
    for blob in writer.blobs:
        digest.update(blob)
    return digest.digest()


def warm():
    """Load what values of NumPy's and pandas' need, where these are loaded: who is forked now need not do it again."""
    for library, module in (("numpy", "course_arrays"), ("pandas", "course_frames")):
        if library in sys.modules:
            _module(module).writers()


def _by_identity(obj):
    return Reference("there", id(obj))


def _writer_of(obj, types):
    """Give (function that writes an object, can it be changed in place?), or None if it is not copied."""
    cls = type(obj)
    found = course_plain.WRITERS.get(cls)
    if found is not None:
        return found
    if cls in types:
        return course_plain.writer_for(cls, types)
    if getattr(type(cls), "_course_stands_in", False):
        return None  # a stand-in's class: nothing may be asked of it
    if "numpy" in sys.modules:
        arrays = _module("course_arrays")
        found = arrays.writers().get(cls)
        if found is None and cls in (arrays.np.ufunc, type(arrays.np.mean)):
            found = course_plain.write_function, False
        if found is None and "pandas" in sys.modules:
            found = _module("course_frames").writers().get(cls)
        if found is not None:
            return found
    return course_plain.writer_for(cls, types)


def _is_array(obj):
    return "numpy" in sys.modules and type(obj) is sys.modules["numpy"].ndarray


def _node(obj, types, write):
    return write(Writer(_writer_of, _by_identity, None, types), obj)


def _module(name):
    return sys.modules.get(name) or importlib.import_module(name)


class _Kinds(dict):
    """Kinds of nodes; those of NumPy and pandas are found when one comes that is not the standard library's."""

    def __init__(self):
        super().__init__(course_plain.KINDS)
        self._others = ["course_arrays", "course_frames"]

    def __missing__(self, name):
        while name not in self and self._others:
            try:
                self.update(_module(self._others[0]).KINDS)
            except ImportError:
                break
            self._others.pop(0)
        if name not in self:
            raise BadValue("a part is of an unknown kind")
        return self[name]


_kinds = _Kinds()
