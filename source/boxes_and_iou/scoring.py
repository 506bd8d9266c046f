"""What is asked of a submission and what it is worth. Expected values are computed here, by plain loops."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import floor
from typing import Any

import numpy as np

from grading.scoring import Answer, Context, Measure, Question, Score, call, share_right

POINTS = {"area": 3, "corners_to_center": 2, "center_to_corners": 2, "intersection": 3, "iou": 4, "iou_matrix": 6}
SEED = 20_071
Box = Sequence[float]


@dataclass(frozen=True)
class Kind:
    """Cases of one kind for one function, and what they should give."""

    function: str
    name: str
    cases: Sequence[Sequence[Any]]
    expected: Sequence[Any]


def questions(context: Context) -> list[Question]:
    """Each function with ordinary boxes, and with awkward ones apart."""
    return [call(_key(kind), kind.function, kind.cases) for kind in _kinds()]


def score(answers: Mapping[str, Answer], context: Context) -> dict[str, Score]:
    """Points in proportion to the cases that are right, rounded down; thresholds.json weighs the kinds.

    Who has too few of the ordinary cases right gets nothing: 0 for everything would be right now and then.
    """
    thresholds = json.loads((context.source / "thresholds.json").read_text(encoding="utf-8"))
    return {f"test_{function}": _score(function, answers, thresholds) for function in POINTS}


def measures(scores: Mapping[str, Score], context: Context) -> list[Measure]:
    """The share of the cases that each function gets right."""
    return [Measure(f"{function}: cases right", scores[f"test_{function}"].facts["share"], 1.0) for function in POINTS]


def _score(function: str, answers: Mapping[str, Answer], thresholds: Mapping[str, float]) -> Score:
    kinds = [kind for kind in _kinds() if kind.function == function]
    found = [share_right(answers[_key(kind)], kind.expected, thresholds["tolerance"]) for kind in kinds]
    ordinary = share = found[0][0]
    if len(found) == 2:
        share = (1 - thresholds["degenerate_share"]) * ordinary + thresholds["degenerate_share"] * found[1][0]
    points = floor(POINTS[function] * share) if ordinary >= thresholds["ordinary_minimum"] else 0
    said = [f"With {kind.name}: {_sentence(why)}" for kind, (_, why) in zip(kinds, found, strict=True) if why]
    return Score(points, " ".join(said) or "All cases are right.", {"share": round(share, 6)})


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _key(kind: Kind) -> str:
    return f"{kind.function}, {kind.name}"


@cache
def _kinds() -> list[Kind]:
    random = np.random.default_rng(SEED)
    ordinary = [_box(random) for _ in range(12)]
    awkward: list[Any] = [[3, 2, 3, 8], [2, 5, 9, 5], [6, 5, 1, 1], [6, 1, 2, 5], [0, 0, 0, 0], [-4.5, 7, -8, 9.25]]
    near = [[box, box + random.integers(-30, 30, 4)] for box in ordinary[:6]]
    apart = [[box, box + 1000] for box in ordinary[6:9]]
    inside = [[box, [box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1]] for box in ordinary[9:11]]
    touching = [[[0, 0, 4, 4], [4, 0, 8, 4]], [[0, 0, 4, 4], [4, 4, 8, 8]]]
    pairs: list[Any] = [*near, *apart, *inside, *touching, [ordinary[0], ordinary[0]]]
    empty: list[Any] = [[box, awkward[-1 - n]] for n, box in enumerate(awkward)]
    empty += [[ordinary[0], box] for box in awkward] + [[[6, 5, 1, 1], [6, 5, 1, 1]]]
    many = [np.array([_box(random) for _ in range(n)], dtype=float) for n in (5, 3, 1, 4, 7)]
    matrices = [[many[0], many[1]], [many[2], many[3]], [many[4], many[1]], [many[0], many[4]]]
    crowded = [np.array(awkward, dtype=float), np.concatenate([np.array(awkward, dtype=float), many[0]])]
    empty_matrices = [[crowded[0], crowded[0]], [crowded[1], many[3]]]
    batches = [np.array(ordinary), np.array(ordinary[:1], dtype=float), np.array(ordinary) - 500]
    centers = [_each(_center, batch) for batch in batches]
    return [
        Kind("area", "ordinary boxes", [[box] for box in ordinary], [_area(box) for box in ordinary]),
        Kind("area", "degenerate boxes", [[box] for box in awkward], [0.0] * len(awkward)),
        Kind("corners_to_center", "ordinary boxes", [[batch] for batch in batches], centers),
        Kind("center_to_corners", "ordinary boxes", [[batch] for batch in centers], batches),
        _pairwise("intersection", "ordinary boxes", pairs, _intersection),
        _pairwise("intersection", "degenerate boxes", empty, _intersection),
        _pairwise("iou", "ordinary boxes", pairs, _iou),
        _pairwise("iou", "degenerate boxes", empty, _iou),
        _pairwise("iou_matrix", "ordinary boxes", matrices, _matrix),
        _pairwise("iou_matrix", "degenerate boxes", empty_matrices, _matrix),
    ]


def _pairwise(function: str, name: str, cases: Sequence[Any], truth: Callable[[Any, Any], Any]) -> Kind:
    return Kind(function, name, cases, [truth(a, b) for a, b in cases])


def _box(random: np.random.Generator) -> Any:
    """A box of whole pixels, at least 3 wide and high; some corners are negative."""
    corner = random.integers(-50, 200, 2)
    return np.concatenate([corner, corner + random.integers(3, 120, 2)])


def _area(box: Box) -> float:
    return max(0.0, float(box[2] - box[0])) * max(0.0, float(box[3] - box[1]))


def _center(box: Box) -> list[float]:
    return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]


def _intersection(a: Box, b: Box) -> float:
    return _area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])


def _iou(a: Box, b: Box) -> float:
    shared = _intersection(a, b)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


def _matrix(a: Any, b: Any) -> Any:
    return np.array([[_iou(one, other) for other in b] for one in a])


def _each(function: Callable[[Box], list[float]], boxes: Any) -> Any:
    return np.array([function(box) for box in boxes])
