"""Makes the classes that stand for the student's in the examiner, out of what was said of them.

What was said is a claim: names are only shown, bases are classes that were met before or that the examiner knows, and
of the operations only those count that `course_operations` names.
"""

import functools

import course_contents
from course_objects import native_base
from course_operations import NAMES
from course_standin import CAPABLE, MODULE, Link, Quiet, StandIn, StandInClass, link_of, make
from course_values import NOTHING, BadValue, find_class, is_plain_class

_MOST_BASES = 64
_MOST_DEEP = 100
_TEXT = 200
_TOLD = 60


class Kind:
    """A class of an object of the student's: what was said of it, and which class stands for it here."""

    def __init__(self, talk, description, kinds):
        self.talk = talk
        self.number = _checked(description, "number", int)
        self.name = _checked(description, "name", str)[:_TEXT].replace("\0", "") or "object"
        self.module = _checked(description, "module", str)[:_TEXT]
        self.specials = frozenset(name for name in _strings(description, "specials") if _is_special(name))
        self.metaclass = frozenset(_strings(description, "metaclass"))
        bases = _checked(description, "bases", list)
        if len(bases) > _MOST_BASES or not all(type(base) is int and base in kinds for base in bases):
            raise BadValue("a class has bases that are not there")
        self.bases = [kinds[base] for base in bases]
        self.depth = 1 + max((base.depth for base in self.bases), default=0)
        if self.depth > _MOST_DEEP:
            raise BadValue("a class is derived too deeply")
        self.known = _known_class(description, talk.types)

    @property
    def told(self):
        """The name as a reason may hold it: one that is no name could be a sentence, and pass as the grader's."""
        return f"class {self.name}" if self.name.isidentifier() and len(self.name) <= _TOLD else "class without a name"

    @functools.cached_property
    def value(self):
        """The class that a test gets when it asks for it, and that objects name in `__class__`."""
        known = self.known
        if known is not None and (
            known in self.talk.type_names or known.__module__ in ("builtins", "types") or is_plain_class(known)
        ):
            return known
        bases = [known] if known is not None else [base.known or base.value for base in self.bases]
        if any(issubclass(base, BaseException) for base in bases):
            tries = [(bases, {"__getattr__": _error_attribute, "__str__": _error_text})]
        else:
            alike = {"__slots__": (), **self._methods(), **dict.fromkeys(_NOT_INHERITED, _nothing)}
            first = [] if any(issubclass(base, StandIn) for base in bases) else [StandIn]
            tries = [([*first, *bases], alike)] if all(map(_is_light, bases)) else []
            tries.append(([Quiet, *bases], {}))
        made = next(filter(None, (_make_class(self, *attempt) for attempt in tries)), None) or known
        if made is None:
            raise BadValue("a class cannot be made of what is said of it")
        return made

    @functools.cached_property
    def body(self):
        """The class of stand-ins for its objects."""
        if issubclass(self.value, StandIn):
            return self.value
        return _make_class(self, [StandIn], {"__slots__": (), **self._methods()})

    @functools.cached_property
    def plain(self):
        """The class of values that cross by copy that this one derives from, or None."""
        return next((plain for plain in course_contents._makers() if issubclass(self.value, plain)), None)

    def claimed(self, base):
        """Give what `__class__` of an object with this plain value is."""
        good = self.plain is None or (base is not NOTHING and isinstance(base, self.plain))
        return self.value if good else StandIn

    def instance(self, number, base):
        """Make a stand-in for an object of this class."""
        return make(self.body, Link(self.talk, number, self, base))

    def _methods(self):
        methods = {name: CAPABLE[name] for name in self.specials if name in CAPABLE}
        if "no __hash__" in self.specials:
            methods["__hash__"] = None
        return methods


_NOT_INHERITED = ("__del__",)


def _nothing(self):
    """Do nothing, where a class of the instructor's does something."""


def _is_light(base):
    """Tell a class whose objects have no memory of their own beside their attributes."""
    return issubclass(base, StandIn) or (native_base(base) is object and "__getattr__" not in dir(base))


def _make_class(kind, bases, inside):
    inside = {"__module__": MODULE, "__qualname__": kind.name, **inside}
    metas = dict.fromkeys((StandInClass, *(type(base) for base in bases)))
    metas = [meta for meta in metas if not any(other is not meta and issubclass(other, meta) for other in metas)]
    metas.sort(key=lambda meta: not issubclass(meta, StandInClass))
    try:
        meta = metas[0] if len(metas) == 1 else type.__new__(type, "StandInClass", tuple(metas), {})
        made = type.__new__(meta, kind.name, tuple(dict.fromkeys(bases)), inside)
    except Exception:
        return None
    type.__setattr__(made, "_course_link", Link(kind.talk, kind.number, kind))
    return made


def _error_attribute(self, name):
    link = link_of(self)
    if link is None or name.startswith("__"):
        raise AttributeError(name)
    return link.talk.ask("get", self, name)


def _error_text(self):
    link = link_of(type(self))
    text = link.talk.text_of_error(self)
    known = next(base for base in type.mro(type(self)) if not issubclass(type(base), StandInClass))
    return known.__str__(self) if text is None else text


def _known_class(description, instructors):
    """Find the class of the instructor's or a library's that is named, or None."""
    name = description.get("type")
    if name is not None:
        if type(name) is not str or name not in instructors:
            raise BadValue("a class of the instructor's is named that is not there")
        return instructors[name]
    if (description.get("module"), description.get("qualname")) in _UNNAMED:
        return _UNNAMED[description["module"], description["qualname"]]
    library = description.get("library")
    if type(library) is not list or len(library) != 2 or not all(type(part) is str for part in library):
        return None
    package = library[0].partition(".")[0]
    if package == "__main__" or package.startswith("course_"):
        return None
    try:
        found = find_class(*library)
    except BadValue:
        return None
    return None if issubclass(found, BaseException) and not is_plain_class(found) else found


_UNNAMED = {
    ("builtins", type(one).__name__): type(one)
    for one in (
        *({}.keys(), {}.values(), {}.items(), iter({}), iter({}.values()), iter({}.items()), reversed({})),
        *(iter([]), reversed([]), iter(()), iter(""), iter(b""), iter(set()), iter(range(0)), iter(range(2**70))),
    )
}
"""Builtin classes that no module has a name for."""


def _is_special(name):
    return name in NAMES or name.removeprefix("no ") in ("__bool__", "__hash__", "__eq__")


def _checked(description, name, kind):
    found = description.get(name)
    if type(found) is not kind:
        raise BadValue("a class is not described as classes are")
    return found


def _strings(description, name):
    found = _checked(description, name, list)
    if len(found) > len(NAMES) + 10 or not all(type(text) is str for text in found):
        raise BadValue("a class is not described as classes are")
    return found
