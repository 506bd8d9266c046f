"""The flat table that values cross in: writing it from trusted objects, reading it with suspicion. Runs inside.

A packed value is `{"nodes": [...], "root": slot, "blobs": [length, ...]}`, with the bytes of the blobs beside it, one
after another. A slot is null, true, false, a string, a whole number or a finite float, which stand for themselves, or
`[index]`, the node at that place. A node is a list that begins with its kind; `KINDS` says how each is read. Two
slots with one index are one object: so aliasing and cycles are kept.

The reader trusts nothing: each index, type, length, shape and name is checked before anything is made of it, memory is
taken only for bytes that have arrived, and no name leads to a call, an attribute or an import. It does not recurse.
"""

import collections
import re
import sys
from dataclasses import dataclass, field
from types import ModuleType

MAX_NODES = 2_000_000
MAX_BYTES = 256 * 2**20
"""Of all blobs together."""
MAX_ITEMS = 8_000_000
"""Numbers in packed lists, and elements of arrays whose elements take no bytes."""
MAX_TEXT = 65536
"""Characters of a string that stands in the table itself."""
MAX_KEY = 100_000
"""Objects within a key of a dict or an element of a set, each counted as often as it occurs."""
MAX_KEYS = 4_000_000
"""The same for all keys together."""
MAX_KEY_DEPTH = 200
MAX_STACKED = 100
"""Objects directly within each other of kinds whose end recurses (slices, arrays of objects)."""
MAX_EQUAL_HASHES = 256
"""Keys of a dict or elements of a set; tuples of -1 and -2 have many equal ones."""
MAX_HEX = 1_000_000
"""Hexadecimal digits of a whole number."""

NEW, OPEN, DONE, POSTPONED = range(4)
_ABSENT = object()
_HUGE = 2**40
_PLAIN = frozenset({str, int, float, bool, type(None)})
_SLOTS = _PLAIN | {list}


class BadValue(Exception):  # noqa: N818
    """A packed value is malformed, too large, or names what it may not."""


class TooLarge(ValueError):  # noqa: N818
    """A value has too many parts or bytes to cross."""


class _Nothing:
    def __repr__(self):
        return "NOTHING"

    def __bool__(self):
        return False


NOTHING = _Nothing()
"""No value: None is one."""


@dataclass
class Reference:
    """Names an object that stays where it is: `there` is one of the side that speaks, `yours` one of the reader's.

    `facts` is JSON-able and not looked at here; `base` is a value that is copied along.
    """

    kind: str
    number: int
    facts: dict = field(default_factory=dict)
    base: object = NOTHING


@dataclass(frozen=True)
class Kind:
    """Reader of a kind of node.

    `parts(reader, node)` checks the node's form and gives the slots whose values are needed. Then `make(reader, node,
    values)` gives the object; or, if there is a `fill`, `make(reader, node)` gives it empty beforehand, so that it may
    contain itself, and `fill(reader, object, node, values)` fills it, perhaps twice. `mutable` objects can be changed
    in place by who gets them. `stacked` ones are limited to MAX_STACKED directly within each other.
    """

    parts: object
    make: object
    fill: object = None
    mutable: bool = False
    stacked: bool = False


def nothing_within(reader, node):
    """Give the parts of a node that needs no others."""
    return []


class Writer:
    """Writes one table. `writers` maps a class to `function(writer, object) -> node`, or None to refer instead."""

    def __init__(self, writers, refer, recall=None, types=None, trusted=False, copied=None):
        self.writers = writers
        self.refer = refer
        self.recall = recall
        self.types = types or {}
        self.trusted = trusted
        self.copied = copied
        self.nodes = []
        self.blobs = []
        self.bytes = 0
        self._slots = {}
        self._kept = []
        self._waiting = collections.deque()
        self.owners = {}

    def pack(self, value):
        root = self.slot(value)
        while self._waiting:
            index, obj, write = self._waiting.popleft()
            node = write(self, obj)
            self.nodes[index] = self._reference(obj) if node is None else node
        return {"nodes": self.nodes, "root": root, "blobs": [len(blob) for blob in self.blobs]}

    def slot(self, obj):
        """Give the slot for an object; what it holds is written later."""
        kind = type(obj)
        if kind is str:
            if len(obj) <= MAX_TEXT and (obj.isascii() or _whole(obj)):
                return obj
        elif kind is int:
            if -0x8000000000000000 <= obj < 0x8000000000000000:
                return obj
        elif kind is float:
            if obj - obj == 0.0:
                return obj
        elif kind is bool or obj is None:
            return obj
        slot = self._slots.get(id(obj))
        if slot is not None:
            return slot
        self._kept.append(obj)  # its id must stay its own
        found = self.writers(obj, self.types)
        if found is None:
            slot = self.add(None)
            self._slots[id(obj)] = slot
            self._waiting.append((slot[0], obj, _refer))
            return slot
        write, mutable = found
        if mutable and self.recall is not None:
            slot = self.known(obj)
            if slot is not None:
                return slot
        slot = self._slots[id(obj)] = self.add(None)
        if mutable and self.copied is not None:
            self.copied[slot[0]] = obj
        self._waiting.append((slot[0], obj, write))
        return slot

    def add(self, node):
        """Append a node; gives its slot."""
        if len(self.nodes) >= MAX_NODES:
            raise TooLarge(f"a value of more than {MAX_NODES:,} parts is too large to be handed over")
        self.nodes.append(node)
        return [len(self.nodes) - 1]

    def blob(self, data):
        """Append bytes-like data; gives its index."""
        data = memoryview(data).cast("B")
        self.bytes += len(data)
        if self.bytes > MAX_BYTES:
            raise TooLarge(f"a value of more than {MAX_BYTES // 2**20} MB is too large to be handed over")
        self.blobs.append(data)
        return len(self.blobs) - 1

    def reference_node(self, reference):
        if isinstance(reference, Reference):
            node = ["ref", reference.kind, reference.number, reference.facts]
            base = None if reference.base is NOTHING else self.own(reference.base)
            return node if base is None else [*node, base]
        kind, number, *facts = reference
        return ["ref", kind, number, *(facts or [{}])]

    def known(self, obj):
        """Give the slot of an object that has one already, or that `recall` knows; else None."""
        slot = self._slots.get(id(obj))
        if slot is None and self.recall is not None:
            reference = self.recall(obj)
            if reference is not None:
                self._kept.append(obj)
                slot = self._slots[id(obj)] = self.add(self.reference_node(reference))
        return slot

    def own(self, obj):
        """Copy an object that belongs to another, so that it is nobody's argument; gives its slot, or None."""
        if type(obj) in _PLAIN:
            return self.slot(obj)
        self._kept.append(obj)
        found = self.writers(obj, self.types)
        node = None if found is None else found[0](self, obj)
        return None if node is None else self.add(node)

    def fallback(self, obj):
        """Give the slot of a reference to an object that the reader may not know by name."""
        return self.add(self._reference(obj))

    def _reference(self, obj):
        return self.reference_node(self.refer(obj))


def _refer(writer, obj):
    return None


def _whole(text):
    """Tell whether a string has no lone surrogates, which JSON may join."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Reader:
    """Reads one table; see `Kind`."""

    def __init__(self, kinds, packed, tail, resolve, types, modules, trusting=False, made=None):
        if type(packed) is not dict or not {"nodes", "root", "blobs"} <= packed.keys():
            raise BadValue("a value is not packed as values are")
        nodes, lengths = packed["nodes"], packed["blobs"]
        if type(nodes) is not list or len(nodes) > MAX_NODES or type(lengths) is not list:
            raise BadValue("a value has no table, or one that is too large")
        self.kinds = kinds
        self.nodes = nodes
        self.root = packed["root"]
        self.resolve = resolve
        self.types = types
        self.modules = modules
        self.trusting = trusting
        self.made = made
        self.items = MAX_ITEMS
        self._blobs = _cut(tail, lengths)
        self._keys = MAX_KEYS
        count = len(nodes)
        self.objects = [_ABSENT] * count
        self._state = bytearray(count)
        self._parts = {}
        self._weight = {}
        self._depth = {}
        self._stacked = {}
        self._light = set()
        self._owners = {}
        self._postponed = {}
        self._unfilled = []
        self._late = []
        self._round = 0
        self._again = 0

    def value(self):
        """Give the value of the whole table."""
        self._check([self.root])
        if type(self.root) is not list:
            return self.root
        top = self.root[0]
        self._build(top)
        for index in self._unfilled:  # which grows meanwhile
            for slot in self._parts[index]:
                if type(slot) is list and self.objects[slot[0]] is _ABSENT:
                    self._build(slot[0])
        self._check_stacked()
        for index in self._unfilled:
            self._fill(index)
        for index in self._late:
            self._fill(index, last=True)
        if self.made is not None:
            for index in self._owners:
                self.made.pop(index, None)
        return self.objects[top]

    # What the kinds call.

    def take(self, node, *forms):
        """Check what stands in a node after its kind: `forms` are types, or functions that tell."""
        if len(node) != len(forms) + 1:
            raise BadValue(f"a part of the kind {node[0]} has {len(node) - 1} entries")
        for entry, form in zip(node[1:], forms, strict=True):
            if not (type(entry) is form if isinstance(form, type) else form(entry)):
                raise BadValue(f"a part of the kind {node[0]} has a wrong entry")

    def blob(self, index):
        """Give a blob, a memoryview of bytes; each can be had once, so that few bytes do not become many."""
        if type(index) is not int or not 0 <= index < len(self._blobs) or self._blobs[index] is None:
            raise BadValue("a blob is not there, or is used twice")
        data, self._blobs[index] = self._blobs[index], None
        return data

    def kind_of(self, slot):
        """Give the kind of the node that a slot leads to, or None."""
        self._check([slot])
        if type(slot) is not list:
            return None
        node = self.nodes[slot[0]]
        return node[0] if type(node) is list and node and type(node[0]) is str else None

    def claim(self, slot):
        """Say that the node of a slot belongs to the one that is being read; no other may claim it."""
        if not self._check([slot]):
            return
        owner = self._owners.setdefault(slot[0], self._index)
        if owner != self._index:
            raise BadValue("an array belongs to two")

    def spend(self, items):
        """Count `items` objects that a few bytes of the table stand for."""
        self.items -= items
        if self.items < 0:
            raise BadValue("a value has too many items")

    def weigh(self, node, weight):
        """Say what hashing costs an object that is not small; called while it is made."""
        self._weight[self._index] = weight

    def light(self):
        """Say that the object being made is hashed by its identity, whatever it holds; called while it is made."""
        self._light.add(self._index)

    def keys(self, slots, values):
        """Check that `values` can be keys: not too large, nor many with the same hash. Raises BadValue, or TypeError
        and others out of `__hash__`."""
        for slot in slots:
            if type(slot) is list:
                weight = self._weight.get(slot[0], 1)
                self._keys -= weight
                if weight > MAX_KEY or self._keys < 0 or self._depth.get(slot[0], 1) > MAX_KEY_DEPTH:
                    raise BadValue("a key is too large")
        if len(values) > MAX_EQUAL_HASHES and set(map(type, values)) != {str}:
            equal = {}
            for value in values:
                number = hash(value)
                equal[number] = count = equal.get(number, 0) + 1
                if count > MAX_EQUAL_HASHES:
                    raise BadValue("too many keys have the same hash")

    # The order of making.

    def _check(self, slots):
        types = set(map(type, slots))
        if not types <= _SLOTS:
            raise BadValue("a part is of a type that tables do not have")
        if list in types:
            count = len(self.nodes)
            for slot in slots:
                if type(slot) is list and not (len(slot) == 1 and type(slot[0]) is int and 0 <= slot[0] < count):
                    raise BadValue("a part points to nowhere")
            return True
        return False

    def _build(self, top):
        """Make the node `top` and all that it needs, children first; what cannot be filled yet is left in _unfilled."""
        self._round += 1
        state, path = self._state, [top]
        while path:
            index = path[-1]
            if state[index] == OPEN:
                self._leave(index)
                path.pop()
            elif self._is_new(index):
                path.extend(self._enter(index))
            else:
                path.pop()
        if self.objects[top] is _ABSENT:
            raise BadValue("a value that cannot contain itself does")

    def _is_new(self, index):
        state = self._state[index]
        return state == NEW or (state == POSTPONED and self._postponed[index] != self._round)

    def _enter(self, index):
        """Check a node, make it if that is possible at once, and give the nodes that are to be made first."""
        node = self.nodes[index]
        if type(node) is not list or not node or type(node[0]) is not str:
            raise BadValue("a part is of no kind")
        kind = self.kinds[node[0]]
        self._index = index
        slots = kind.parts(self, node)
        # Parts that wait for one further up are looked at again, but not for ever.
        self._again += 4 * len(slots) + 4 if self._state[index] == NEW else -len(slots) - 1
        if self._again < 0:
            raise BadValue("a value is too entangled")
        nested = self._check(slots)
        if not nested:
            self._state[index] = DONE
            if slots:
                self._measure(index, kind, slots, ())
            if kind.fill is None:
                self._keep(index, kind, kind.make(self, node, slots))
            else:
                self._parts[index] = slots
                self._keep(index, kind, kind.make(self, node))
                self._fill(index)
            return ()
        self._state[index] = OPEN
        self._parts[index] = slots
        if kind.fill is not None:
            self._keep(index, kind, kind.make(self, node))
        return [slot[0] for slot in reversed(slots) if type(slot) is list and self._is_new(slot[0])]

    def _leave(self, index):
        """Make or fill a node whose parts are there; if one is not, it is further up, and this has to wait."""
        node, slots = self.nodes[index], self._parts[index]
        kind = self.kinds[node[0]]
        nested = [slot[0] for slot in slots if type(slot) is list]
        if any(self.objects[part] is _ABSENT for part in nested):
            if kind.fill is None:
                self._state[index] = POSTPONED
                self._postponed[index] = self._round
            else:
                self._state[index] = DONE
                if index not in self._light:
                    self._weight[index] = _HUGE
                self._unfilled.append(index)
            return
        self._state[index] = DONE
        self._measure(index, kind, slots, nested)
        if kind.fill is not None:
            self._fill(index)
            return
        self._index = index
        self._keep(index, kind, kind.make(self, node, self._values(slots)))
        if not kind.stacked:
            del self._parts[index]

    def _measure(self, index, kind, slots, nested):
        """Note what hashing a node's object costs, and how deep it and others of stacked kinds are in each other."""
        if kind.stacked:
            stacked = 1 + max((self._stacked.get(part, 0) for part in nested), default=0)
            if stacked > MAX_STACKED:
                raise BadValue("a value is nested too deeply")
            self._stacked[index] = stacked
        if index not in self._light:
            weight = 1 + len(slots) + sum(self._weight.get(part, 1) for part in nested)
            self._weight[index] = min(weight, _HUGE)
            self._depth[index] = 1 + max((self._depth.get(part, 1) for part in nested), default=1)

    def _check_stacked(self):
        """Check how deep stacked kinds will be in each other when those are filled that had to wait."""
        if not any(self._kind(index).stacked for index in self._unfilled):
            return
        depths = {}
        for start in self._unfilled:
            path = [start]
            while path:
                index = path[-1]
                within = [
                    slot[0] for slot in self._parts.get(index, ()) if type(slot) is list and self._kind(slot[0]).stacked
                ]
                if index not in depths:
                    depths[index] = 0  # open
                    path.extend(part for part in within if part not in depths)
                    if any(depths.get(part) == 0 for part in within):
                        raise BadValue("a value that cannot contain itself does")
                else:
                    path.pop()
                    if depths[index] == 0:
                        depths[index] = 1 + max((depths[part] for part in within), default=0)
                    if depths[index] > MAX_STACKED:
                        raise BadValue("a value is nested too deeply")

    def _kind(self, index):
        return self.kinds[self.nodes[index][0]]

    def _keep(self, index, kind, obj):
        self.objects[index] = obj
        if kind.mutable and self.made is not None and type(obj) is not tuple:
            self.made[index] = obj

    def _fill(self, index, last=False):
        node, slots = self.nodes[index], self._parts[index]
        try:
            self.kinds[node[0]].fill(self, self.objects[index], node, self._values(slots))
        except BadValue:
            raise
        except Exception:
            # The hash of a key may depend on what is not filled yet.
            if last:
                raise
            self._late.append(index)

    def _values(self, slots):
        objects = self.objects
        return [objects[slot[0]] if type(slot) is list else slot for slot in slots]


def _cut(tail, lengths):
    """Divide the tail into blobs."""
    tail = memoryview(tail).cast("B")
    if not all(type(length) is int and length >= 0 for length in lengths) or sum(lengths) != len(tail):
        raise BadValue("the blobs are not as long as they should be")
    blobs, start = [], 0
    for length in lengths:
        blobs.append(tail[start : start + length])
        start += length
    return blobs


# Classes, functions and modules by name.

_MODULE = re.compile(r"[A-Za-z_]\w{0,99}(\.[A-Za-z_]\w{0,99}){0,20}")
_PLAIN_MODULES = (
    *("builtins", "types", "collections", "collections.abc", "datetime", "decimal", "fractions", "numbers"),
    *("pathlib", "uuid", "zoneinfo", "enum", "abc", "numpy", "numpy.ma", "numpy.dtypes"),
)
_PANDAS = (
    *("Series", "DataFrame", "Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "TimedeltaIndex", "PeriodIndex"),
    *("CategoricalIndex", "IntervalIndex", "Timestamp", "Timedelta", "Period", "Interval", "Categorical", "NaT"),
)
_NO_EXCEPTIONS_FROM = frozenset({"unittest", "pytest", "_pytest", "nose", "IPython", "ipykernel", "bdb", "__main__"})
"""Their exceptions steer who runs a test (a test that is skipped has not failed)."""


def find_class(module, qualname):
    """Give the class of that name in a module that is loaded; raises BadValue. Looks into dictionaries only."""
    found = _find(module, qualname)
    if not isinstance(found, type):
        raise BadValue("a class that is named is not there")
    return found


def _find(module, qualname):
    """Walk from a loaded module through classes; gives None if there is nothing."""
    if type(module) is not str or type(qualname) is not str:
        return None
    if not (_MODULE.fullmatch(module) and _MODULE.fullmatch(qualname)):
        return None
    found = sys.modules.get(module)
    if not isinstance(found, ModuleType):
        return None
    inside = found.__dict__
    for name in qualname.split("."):
        if inside is None or name not in inside:
            return None
        found = inside[name]
        inside = type.__getattribute__(found, "__dict__") if isinstance(found, type) else None
    return found


def class_name(cls):
    """Give (module, qualified name) under which `find_class` finds a class, or None."""
    try:
        module, qualname = type.__getattribute__(cls, "__module__"), type.__getattribute__(cls, "__qualname__")
    except Exception:
        return None
    if _find(module, qualname) is cls:
        return module, qualname
    if module == "builtins":  # NoneType and its like
        for name, value in sys.modules["types"].__dict__.items():
            if value is cls:
                return "types", name
    return None


def is_plain_class(cls):
    """Tell whether a class may come out of the student's side as itself: instances made of it lie about nothing.

    That is the classes of values that cross by copy and their like, and exceptions, but those that steer a test.
    """
    if issubclass(cls, BaseException):
        module = type.__getattribute__(cls, "__module__")
        if type(module) is not str:
            return False
        package = module.partition(".")[0]
        honest = type(cls) is type and cls.__eq__ is object.__eq__ and cls.__ne__ is object.__ne__
        return honest and package not in _NO_EXCEPTIONS_FROM and not package.startswith("course_")
    return cls in _plain_classes()


def _plain_classes():
    loaded = tuple(name for name in (*_PLAIN_MODULES, "pandas") if name in sys.modules)
    if loaded not in _plain:
        classes = set()
        for name in loaded:
            inside = sys.modules[name].__dict__
            for key in list(inside) if name != "pandas" else _PANDAS:
                if isinstance(inside.get(key), type) and not key.startswith("_"):
                    classes.add(inside[key])
        _plain[loaded] = frozenset(classes)
    return _plain[loaded]


_plain = {}
