"""Says of the student's classes and functions what the examiner's stand-ins have to know. Runs on the student's side.

What is said here is a claim, and the examiner takes it as one.
"""

import inspect

from course_operations import special_names
from course_values import class_name

_BASES = type.__dict__["__bases__"]
_NAME = type.__dict__["__name__"]
_QUALNAME = type.__dict__["__qualname__"]
_TEXT = 200


def describe_class(kind, types, number_of):
    """Describe a class as JSON: names, bases by number (`number_of` describes those), which operations it has.

    `types` maps the instructor's classes to names.
    """
    module = kind.__dict__.get("__module__", "builtins")
    return {
        "name": str(_NAME.__get__(kind))[:_TEXT],
        "qualname": str(_QUALNAME.__get__(kind))[:_TEXT],
        "module": module[:_TEXT] if type(module) is str else "builtins",
        "type": types.get(kind),
        "library": list(class_name(kind) or ()),
        "bases": [number_of(base) for base in _BASES.__get__(kind) if base is not object],
        "specials": special_names(kind),
        "metaclass": special_names(type(kind)) if type(kind) is not type else [],
    }


def signature(target):
    """Give (name, kind, default, annotation) for each parameter, with () where there is none, and what is returned."""
    found = inspect.signature(target)
    empty = inspect.Signature.empty
    parameters = [
        (name, parameter.kind.name, *(() if given is empty else (given,) for given in _given(parameter)))
        for name, parameter in found.parameters.items()
    ]
    return parameters, () if found.return_annotation is empty else (found.return_annotation,)


def _given(parameter):
    return parameter.default, parameter.annotation
