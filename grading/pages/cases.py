"""Cases that came out wrong, as tests tell of them: `area([1, 1, 6, 5]) gave 12, not 20.` becomes a small table.

A test that wants its cases shown says them in these words; what it does not say is not shown. Corner boxes are drawn
where the test cell has the tag `corner-boxes`.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

BOXES_TAG = "corner-boxes"
"""Of a test cell whose functions take corner boxes: a case that came out wrong is drawn."""
_CASE = re.compile(r"\b(?P<call>[^\W\d]\w*\([^()]*\)) gave (?P<yours>.+?), not (?P<expected>.+?)\.(?=\s|$)")
_CUT_OFF = re.compile(r"\b[^\W\d]\w*\((?:[^A-Za-z()]|nan|inf)*…")
"""A case of which only the beginning fitted into the reason."""
_PRINTED = re.compile(r"(?:(?<![\w.,\[(])-?\d+(?:\.\d*)? +){3,}")
"""Numbers in a row, such as a student's function prints while it is tested."""
_NUMBER_DOT = re.compile(r"(\d)\.(?=[,\]\s]|$)")
_MOST_BOXES = 8
_SIZE, _MARGIN = 220.0, 14.0
_STROKES = (("a", "first", ""), ("b", "second", "7 4"))
"""Name, class and dashes of the boxes of the first and of the second argument."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Case:
    """A case: the call, what came out, what should have."""

    call: str
    yours: str
    expected: str
    drawing: Markup | None = None
    degenerate: bool = False
    """Whether one of the drawn boxes covers nothing."""


@dataclass(frozen=True)
class Told:
    """A reason, taken apart: sentences, and the cases between them."""

    words: str
    cases: tuple[Case, ...] = ()


def told(reason: str, boxes: bool = False) -> Told:
    """Take a reason apart. With `boxes`, the arguments of its cases are corner boxes and are drawn."""
    found = []
    for match in _CASE.finditer(reason):
        groups = boxes_in(match["call"]) if boxes else []
        empty = any(not _covers(box) for group in groups for box in group)
        drawing = drawn(groups) if groups else None
        yours, expected = (match[name].removesuffix(".") for name in ("yours", "expected"))
        found.append(Case(match["call"], yours, expected, drawing, empty and drawing is not None))
    return Told(" ".join(without_printed(_CUT_OFF.sub(" ", _CASE.sub(" ", reason))).split()), tuple(found))


def without_printed(reason: str) -> str:
    """Return a reason with `…` for numbers in a row that were printed while the test ran."""
    return _PRINTED.sub("… ", reason)


def boxes_in(call: str) -> list[list[Box]]:
    """Return the corner boxes of each argument of a call; nothing if an argument is something else.

    The call is text that a test printed: it is read as JSON, never evaluated.
    """
    arguments = _NUMBER_DOT.sub(r"\1.0", call[call.index("(") + 1 : -1])
    try:
        values = json.loads(f"[{arguments}]")
    except ValueError:
        return []
    groups = [_as_boxes(value) for value in values]
    boxes = [box for group in groups for box in group]
    if not all(groups) or not 0 < len(groups) <= len(_STROKES) or len(boxes) > _MOST_BOXES:
        return []
    return groups


def _as_boxes(value: object) -> list[Box]:
    rows = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    boxes: list[Box] = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 4 or not all(isinstance(x, int | float) for x in row):
            return []
        if not all(math.isfinite(x) for x in row):
            return []
        boxes.append((float(row[0]), float(row[1]), float(row[2]), float(row[3])))
    return boxes


def _covers(box: Box) -> bool:
    return box[2] > box[0] and box[3] > box[1]


def drawn(groups: Sequence[Sequence[Box]]) -> Markup:
    """Draw the boxes of up to two arguments, y pointing down, as an SVG with the words that say the same."""
    every = [box for group in groups for box in group]
    left, right = min(min(b[0], b[2]) for b in every), max(max(b[0], b[2]) for b in every)
    top, bottom = min(min(b[1], b[3]) for b in every), max(max(b[1], b[3]) for b in every)
    scale = _SIZE / max(right - left, bottom - top, 1e-9)
    width, height = (right - left) * scale + 2 * _MARGIN, (bottom - top) * scale + 2 * _MARGIN
    parts = [
        _one(box, name if len(group) == 1 else f"{name}{number}", kind, dashes, (left, top, scale))
        for (name, kind, dashes), group in zip(_STROKES, groups, strict=False)
        for number, box in enumerate(group, start=1)
    ]
    named = zip(_STROKES, groups, strict=False)
    words = "; ".join(_in_words(name, box) for (name, _, _), group in named for box in group)
    size = f"{width:.0f} {height:.0f}", f"{width:.0f}", f"{height:.0f}"
    return Markup(
        '<svg class="case" role="img" aria-label="{}" viewBox="0 0 {}" width="{}" height="{}">{}</svg>'
    ).format(words, *size, Markup("").join(parts))


def _one(box: Box, name: str, kind: str, dashes: str, frame: tuple[float, float, float]) -> Markup:
    left, top, scale = frame
    x0, y0, x1, y1 = (
        (value - start) * scale + _MARGIN for value, start in zip(box, (left, top, left, top), strict=True)
    )
    x, y, width, height = min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)
    state = kind if _covers(box) else f"{kind} empty"
    shape = Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" stroke-dasharray="{}"/>'
    ).format(state, x, y, width, height, dashes or "none")
    if not _covers(box):
        shape += Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
            kind, x, y, x + width, y + height
        )
    return shape + Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(kind, x + 4, y + 14, name)


def _in_words(name: str, box: Box) -> str:
    edges = ", ".join(f"{value:g}" for value in box)
    return f"{name} ({edges}){'' if _covers(box) else ', which covers nothing'}"
