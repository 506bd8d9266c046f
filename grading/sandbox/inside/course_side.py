"""One side of a conversation: which objects the other side knows by number, and which values both have a copy of.

Shared by the examiner and the student's side. A value that can be changed in place and has crossed is a *twin*: each
side has one, under one number, and before each message a side says which of its twins have changed since. So what a
call does to its arguments, and what a test does to what it was given, is seen on the other side, and a twin that comes
home is the same object. Large twins are only looked at when a message names them.

A message is a frame whose head has `packs`: the first holds the message, the others changes of twins, as tuples of
(whose, number, contents). Numbers are counted, so that the same conversation always gives the same bytes.
"""

import copy
import sys

from course_objects import native_base
from course_values import BadValue, Reference, decode, encode, fingerprint, replace_contents

_SMALL = 1000
"""Items, or eighths of bytes, of a twin that is looked at before each message."""
_LOOKED_AT = 20_000
"""The same for all twins that are looked at without having been named."""
_ROUNDS = 10
_MAX_TWINS = 100_000


class Twin:
    """A value that both sides have; `seen` is a digest of its contents when they were last the same."""

    __slots__ = ("seen", "value")

    def __init__(self, value):
        self.value = value
        self.seen = b""


def _alone():
    """Count the references to a twin's value that nothing but its twin holds."""
    twin = Twin(object())
    return sys.getrefcount(twin.value)


class Side:
    """Tables of one side. `(True, number)` is an object of this side, `(False, number)` one of the other."""

    def __init__(self, modules=(), trusted=False, trusting=False):
        self.types = {}
        """The instructor's classes by name."""
        self.type_names = {}
        self.modules = modules
        self.trusted = trusted
        self.trusting = trusting
        self.kept = {}
        """Number -> object of this side that the other holds a stand-in of."""
        self.numbers = {}
        """Id of such an object -> number."""
        self.twins = {}
        """(Ours, number) -> Twin."""
        self.twin_keys = {}
        """Id of a twin's value -> (ours, number)."""
        self.dropped = []
        """Objects that this side no longer holds, as (ours, number)."""
        self.named = set()
        """Twins that the message read last names."""
        self.count = 0
        self._named = set()
        self._written = []

    def know(self, types):
        """Take the instructor's classes, by name."""
        self.types = types
        self.type_names = {kind: name for name, kind in types.items()}

    # To be given by each side.

    def refer(self, obj):
        """Give the Reference for an object that is not copied."""
        raise NotImplementedError

    def resolve(self, kind, number, facts, base):
        """Give the object that a reference names."""
        raise NotImplementedError

    # Sending.

    def keep(self, obj):
        """Give the number of an object of this side, which is kept until the other side drops it."""
        number = self.numbers.get(id(obj))
        if number is None:
            number, self.count = self.count, self.count + 1
            self.kept[number] = obj
            self.numbers[id(obj)] = number
        return number

    def write(self, head, message, look_at=()):
        """Pack a message and what has changed; gives head and blobs. Raises what `encode` raises.

        The twins `look_at` are looked at however large they are, as those are that the message names.
        """
        self._named = {*look_at, *self._small_twins()}
        self._written = []
        packs, blobs = [], []
        self._pack(message, packs, blobs)
        looked_at = set()
        for _ in range(_ROUNDS):
            changed = self._changed(sorted(self._named - looked_at))
            looked_at |= self._named
            if not changed:
                break
            for together in _packed_together(changed, self.twins):
                self._pack(tuple(together), packs, blobs, {id(contents) for _, _, contents in together})
        self._drop_lonely_twins()
        head = {**head, "packs": packs}
        if self.dropped:
            head["dropped"], self.dropped = [list(key) for key in self.dropped], []
        return head, blobs

    def _pack(self, value, packs, blobs, contents=()):
        def recall(obj):
            return None if id(obj) in contents else self._recall(obj)

        copied = {}
        packed, parts = encode(value, self.refer, recall, self.type_names, trusted=self.trusted, copied=copied)
        first, self.count = self.count, self.count + len(packed["nodes"])
        packs.append([packed, first])
        blobs.extend(parts)
        for index, obj in copied.items():
            if id(obj) not in contents:
                self._remember((True, first + index), obj)
                self._written.append((True, first + index))

    def unwrite(self):
        """Forget what the message written last has handed over: it could not be sent."""
        for key in self._written:
            self._forget(key)
        self._written = []

    def _recall(self, obj):
        key = self.twin_keys.get(id(obj))
        if key is None:
            return None
        self._named.add(key)
        return Reference("there" if key[0] else "yours", key[1])

    def _changed(self, keys):
        changed = []
        for key in keys:
            twin = self.twins.get(key)
            if twin is None:
                continue
            digest = self._digest(twin.value)
            if digest != twin.seen:
                twin.seen = digest
                changed.append((*key, _shallow(twin.value, self.type_names)))
        return changed

    def _small_twins(self):
        budget = _LOOKED_AT
        for key, twin in reversed(self.twins.items()):
            size = _size(twin.value)
            if size <= _SMALL:
                budget -= size + 1
                if budget < 0:
                    return
                yield key

    def _digest(self, value):
        return fingerprint(value, None, self.type_names)

    # Receiving.

    def read(self, head, tail):
        """Give the message of a frame, after its changes were made here, and the twins it names. Raises BadValue."""
        packs = head.get("packs")
        if type(packs) is not list or not packs:
            raise BadValue("a message says nothing")
        outer, self.named = self.named, set()
        message, start, touched = None, 0, []
        for place, (packed, first) in enumerate(_entries(packs, 2)):
            made = {}
            end = start + _length(packed, first, len(tail))
            blobs = tail[start:end]
            value = decode(packed, blobs, self._resolve, self.types, self.modules, trusting=self.trusting, made=made)
            start = end
            changes = _changes(value) if place else []
            contents = {id(change[2]) for change in changes}
            touched += [self._remember((False, first + at), obj) for at, obj in made.items() if id(obj) not in contents]
            touched += [self._change(*change) for change in changes]
            message = message if place else value
        for twin in touched:
            if twin is not None:
                twin.seen = self._digest(twin.value)
        self.named.update(self.twin_keys.get(id(twin.value)) for twin in touched if twin is not None)
        self.named.discard(None)
        named, self.named = self.named, outer
        for ours, number in _entries(head.get("dropped", []), 2):  # the message may still have named them
            if type(ours) is bool and type(number) is int:
                self._forget((not ours, number))
        return message, named

    def _resolve(self, kind, number, facts, base):
        key = (kind == "yours", number)
        twin = self.twins.get(key)
        if twin is not None:
            self.named.add(key)
            return twin.value
        return self.resolve(kind, number, facts, base)

    def _change(self, whose, number, contents):
        twin = self.twins.get((not whose, number))
        if twin is None or type(contents) is not type(twin.value):
            raise BadValue("a value is changed that was not handed over")
        if not replace_contents(twin.value, contents):
            raise BadValue("a value is changed in a way that it cannot change")
        return twin

    # Both.

    def _remember(self, key, obj):
        if key in self.twins or len(self.twins) >= _MAX_TWINS or type(obj) is tuple:
            return None
        self.twins[key] = twin = Twin(obj)
        self.twin_keys[id(obj)] = key
        if key[0]:
            twin.seen = self._digest(obj)
        return twin

    def _forget(self, key):
        twin = self.twins.pop(key, None)
        if twin is not None:
            self.twin_keys.pop(id(twin.value), None)
        elif key[0] and type(key[1]) is int and key[1] in self.kept:
            self.numbers.pop(id(self.kept.pop(key[1])), None)

    def _drop_lonely_twins(self):
        lonely = [key for key, twin in self.twins.items() if sys.getrefcount(twin.value) <= _LONELY]
        for key in lonely:
            self._forget(key)
            self.dropped.append(key)


_LONELY = _alone()


def pairs(mapping):
    """Give a mapping with names for keys as a tuple of pairs, which is no twin when it crosses."""
    return tuple(mapping.items())


def named(told):
    """Give the dict that `pairs` was made of; raises BadValue."""
    if type(told) is not tuple or not all(type(pair) is tuple and len(pair) == 2 for pair in told):
        raise BadValue("named values are not told as named values are")
    if not all(type(name) is str for name, _ in told):
        raise BadValue("named values have names that are none")
    return dict(told)


def _entries(listed, length):
    """Check that something is a list of lists of one length."""
    if type(listed) is not list or not all(type(entry) is list and len(entry) == length for entry in listed):
        raise BadValue("a message has a list of no sense")
    return listed


def _length(packed, first, available):
    """Count the bytes of a packed value."""
    if type(packed) is not dict or type(packed.get("blobs")) is not list or type(first) is not int or first < 0:
        raise BadValue("a message is not packed as messages are")
    if not all(type(length) is int and 0 <= length <= available for length in packed["blobs"]):
        raise BadValue("a message is not as long as it says")
    return sum(packed["blobs"])


def _changes(value):
    """Check that changes are a tuple of (whose, number, contents)."""
    if type(value) is not tuple:
        raise BadValue("changes are not told as changes are")
    for change in value:
        if type(change) is not tuple or list(map(type, change[:2])) != [bool, int] or len(change) != 3:
            raise BadValue("a change is not told as changes are")
    return value


def _size(value):
    """Count what is in a value, roughly, without looking into it."""
    size = getattr(type(value), "nbytes", None)
    if size is not None:
        return value.nbytes // 8
    try:
        return len(value)
    except TypeError:
        return 1


def _packed_together(changed, twins):
    """Divide changes: one whose contents are the twin itself must not be packed with others that may hold the twin."""
    alone = [change for change in changed if change[2] is twins[change[:2]].value]
    others = [change for change in changed if change[2] is not twins[change[:2]].value]
    return [*([others] if others else []), *([change] for change in alone)]


def _shallow(value, types):
    """Make a value of the same type and contents that is not the same object; gives large ones themselves."""
    kind = type(value)
    if kind in types:
        native = native_base(kind)
        if native not in (object, list, dict, set, bytearray):
            return value
        clone = native.__new__(kind)
        replace_contents(clone, value)
        return clone
    return copy.copy(value) if kind.__module__ in ("builtins", "collections") else value
