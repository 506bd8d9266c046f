"""Stands for the examiner's objects on the student's side: functions, iterators, files that a test hands over."""

import inspect
import sys
import weakref

from course_operations import capabilities, forwarders

_KINDS = {name: getattr(inspect.Parameter, name) for name in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")}
_KINDS.update({name: getattr(inspect.Parameter, name) for name in ("VAR_POSITIONAL", "KEYWORD_ONLY", "VAR_KEYWORD")})


class Proxies:
    """Proxies by the examiner's number. `call_back(operation, operands)` asks there."""

    def __init__(self, call_back, dropped):
        self.call_back = call_back
        self.dropped = dropped
        self._alive = {}
        self._numbers = {}
        self._classes = {}
        self._errors = {}
        self._general = forwarders(self._ask)
        self._special = capabilities(self._ask)
        for name, what in {"__str__": "str", "__repr__": "repr", "__format__": "format", "__bool__": "bool"}.items():
            self._general[name] = lambda me, *given, what=what: self._ask(what, me, *given)
        for name in ("eq", "ne", "lt", "le", "gt", "ge"):
            self._special[f"__{name}__"] = lambda me, other, name=name: self._ask(name, me, other)

    def number(self, obj):
        """Give the number of a proxy, or None for any other object."""
        number = self._numbers.get(id(obj))
        if number is not None and (obj is self._errors.get(number) or self._get(number) is obj):
            return number
        return None

    def adopt(self, number, error):
        """Note that an exception made here stands for one of the examiner's."""
        self._errors[number] = error
        self._numbers[id(error)] = number

    def error(self, number):
        """Give the exception that was adopted, or None."""
        return self._errors.get(number)

    def make(self, number, facts):
        """Give what stands for the examiner's object `number`."""
        what = facts.get("what")
        if what == "library":
            found = _in_library(facts)
            if found is not None:
                return found
        known = self._errors.get(number) or self._get(number)
        if known is not None:
            return known
        if what == "class":
            return self._class(number, facts)
        proxy = self._function(facts) if what in ("function", "library") else self._object(facts)
        self._keep(number, proxy)
        return proxy

    def _get(self, number):
        reference = self._alive.get(number)
        return reference() if reference is not None else None

    def _keep(self, number, proxy):
        self._alive[number] = weakref.ref(proxy)
        self._numbers[id(proxy)] = number
        weakref.finalize(proxy, self._drop, number, id(proxy)).atexit = False

    def _drop(self, number, identity):
        self._alive.pop(number, None)
        self._numbers.pop(identity, None)
        self.dropped.append((False, number))

    def _ask(self, operation, *operands):
        return self.call_back(operation, operands)

    def _function(self, facts):
        def function(*args, **kwargs):
            return self.call_back("call", (function, args, tuple(kwargs.items())))

        function.__name__ = function.__qualname__ = str(facts.get("name"))
        function.__doc__ = facts.get("doc")
        function.__module__ = "__main__"
        if facts.get("parameters") is not None:
            function.__signature__ = inspect.Signature(
                [
                    inspect.Parameter(name, _KINDS[kind], default=inspect.Parameter.empty if needed else None)
                    for name, kind, needed in facts["parameters"]
                ],
                __validate_parameters__=False,
            )
        return function

    def _object(self, facts):
        key = (facts.get("name"), *facts.get("specials", ()))
        if key not in self._classes:
            methods = {name: self._special[name] for name in facts.get("specials", ()) if name in self._special}
            if "__eq__" in methods:
                methods["__hash__"] = lambda me: self._ask("hash", me)
            methods["__getattr__"] = lambda me, name: self._ask("get", me, name)
            methods["__setattr__"] = lambda me, name, value: self._ask("set", me, name, value)
            methods["__module__"] = "__main__"
            self._classes[key] = type(str(key[0]), (_Proxy,), {**self._general, **methods})
        return object.__new__(self._classes[key])

    def _class(self, number, facts):
        """Make a class for one of a test's own: an exception, so that it can be caught, or a function in its place."""
        bases = tuple(filter(None, (_in_library({"module": m, "qualname": q}) for m, q in facts.get("bases", ()))))
        if not bases:
            proxy = self._function(facts)
            self._keep(number, proxy)
            return proxy
        made = type(str(facts.get("name")), bases, {"__module__": "__main__"})
        self._keep(number, made)
        return made


class _Proxy:
    __slots__ = ("__weakref__",)


def _in_library(facts):
    """Find a function or class of a loaded module by its name."""
    found = sys.modules.get(facts["module"])
    for name in facts["qualname"].split("."):
        found = getattr(found, name, None)
    return found
