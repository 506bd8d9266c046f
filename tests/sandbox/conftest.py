"""For tests of the examiner: one server a module."""

from examined import examination

__all__ = ["examination"]
