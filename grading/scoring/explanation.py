"""Words and pictures that explain a grade: what a `scoring.py` may give beside points.

An assignment's `source/<assignment>/scoring.py` may define::

    def measures(
        answers: Mapping[str, Answer], scores: Mapping[str, Score], context: Context
    ) -> list[Measure]: ...
    def explain(answers: Mapping[str, Answer], context: Context) -> Explanation: ...

Measures are kept in the record and shown to student and instructor; an explanation is made anew from the stored
answers whenever a feedback page is written. Both run outside the sandbox, and everything in them is for the student:
no label of a private image, nothing of a hidden test but what its points may be said to depend on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measure:
    """A figure between 0 and 1 that points depend on, or that helps to understand them."""

    name: str
    value: float
    minimum: float | None = None
    """All points are given from here."""
    start: float | None = None
    """Points start here, if part of them are given below the minimum."""


@dataclass(frozen=True)
class DrawnBox:
    """A box on a photograph: edges (xmin, ymin, xmax, ymax) in pixels from its top left corner."""

    corners: tuple[float, float, float, float]
    label: str
    true: bool
    """The annotation's box; otherwise the predicted one."""


@dataclass(frozen=True)
class Picture:
    """A photograph with boxes on it. `size` is (width, height) in pixels."""

    photo: Path
    size: tuple[int, int]
    boxes: Sequence[DrawnBox]
    caption: str


@dataclass(frozen=True)
class Gallery:
    """A row of pictures."""

    title: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers; the first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]


@dataclass(frozen=True)
class Explanation:
    """Explanation that a feedback page shows beside points and reasons."""

    galleries: Sequence[Gallery] = ()
    tables: Sequence[Table] = ()
    advice: Sequence[str] = ()
    """What to try next, the most useful first."""
