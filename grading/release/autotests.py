"""A master with its AUTOTEST lines written out: what grading tests submissions by."""

from grading.release.instantiate import has_autotests
from grading.release.released import expanded

__all__ = ["expanded", "has_autotests"]
