"""A master with its AUTOTEST lines written out: what grading tests submissions by."""

from grading.release.instantiate import FOLDER, has_autotests
from grading.release.released import expanded

__all__ = ["FOLDER", "expanded", "has_autotests"]
