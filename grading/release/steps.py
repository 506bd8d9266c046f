"""The steps from a master to what students get: nbgrader's own, with this course's between them.

This module loads nothing, so that nbgrader_config.py may name the steps.
"""

from collections.abc import Sequence
from typing import Any

_OURS = "grading.release.preprocessors"
_NBGRADERS = "nbgrader.preprocessors"

RELEASE_STEPS = (
    f"{_OURS}.AcceptMaster",
    f"{_OURS}.CheckMarkers",
    f"{_OURS}.AddHeaderFooter",
    f"{_OURS}.ExpandTests",
    f"{_OURS}.InlineJson",
    f"{_OURS}.FillCourse",
    f"{_OURS}.RememberHidden",
    f"{_NBGRADERS}.LockCells",
    f"{_NBGRADERS}.ClearSolutions",
    f"{_NBGRADERS}.ClearOutput",
    f"{_NBGRADERS}.CheckCellMetadata",
    f"{_NBGRADERS}.ComputeChecksums",
    f"{_NBGRADERS}.SaveCells",  # what the gradebook keeps still has its hidden tests
    f"{_NBGRADERS}.ClearHiddenTests",
    f"{_NBGRADERS}.ClearMarkScheme",
    f"{_OURS}.DropLeftovers",
    f"{_NBGRADERS}.ComputeChecksums",
    f"{_NBGRADERS}.CheckCellMetadata",
    f"{_OURS}.AddWheel",
    f"{_OURS}.NoLeaks",
)
"""What `c.GenerateAssignment.preprocessors` is in a course that does not list its own."""

_INSTEAD = {"InstantiateTests": "ExpandTests", "IncludeHeaderFooter": "AddHeaderFooter"}
"""What stands in for steps of nbgrader's: the same, and the same again at every build."""
REMOVING = frozenset({"LockCells", "ClearSolutions", "ClearOutput", "ClearHiddenTests", "ClearMarkScheme"})
FOR_STUDENTS = REMOVING | {"ComputeChecksums", "DropLeftovers"}
"""What makes a master, links filled in and tests written out, into what students get."""
FOR_FILES = frozenset({"CheckMarkers", "CheckCellMetadata", "RememberHidden", "SaveCells", "AddWheel", "NoLeaks"})
"""What only checks, or writes something beside the notebook."""


WRITTEN_TESTS = "autotests"
"""Folder of a course's cache: the tests that `ExpandTests` has written out, by content."""


def steps_of(listed: Sequence[Any] | None) -> list[Any]:
    """Return a course's steps: its own list with what guards every release added, else all of `RELEASE_STEPS`.

    Args:
        listed: `c.GenerateAssignment.preprocessors`: import strings or classes; None where a course lists none.
    """
    if not listed:
        return list(RELEASE_STEPS)
    steps = [f"{_OURS}.{_INSTEAD[step_name(step)]}" if step_name(step) in _INSTEAD else step for step in listed]
    _add(steps, "CheckMarkers", 0)
    _add(steps, "AcceptMaster", 0)
    _add(steps, "RememberHidden", min(_places(steps, REMOVING), default=len(steps)))
    _add(steps, "DropLeftovers", len(steps))
    _add(steps, "NoLeaks", len(steps))
    return steps


def step_name(step: Any) -> str:
    """Return the class name of a step that may be given as a class, an instance or an import string."""
    if isinstance(step, str):
        return step.rpartition(".")[2]
    return step.__name__ if isinstance(step, type) else type(step).__name__


def _places(steps: Sequence[Any], names: frozenset[str] | set[str]) -> list[int]:
    return [place for place, step in enumerate(steps) if step_name(step) in names]


def _add(steps: list[Any], name: str, place: int) -> None:
    if not _places(steps, {name}):
        steps.insert(place, f"{_OURS}.{name}")
