"""Does a model localise? What its boxes reach beyond those that need no look at where the object is.

A box that is the same for every image, and one that is the same for every image of a class, overlap a good deal with
objects that are mostly large and in the middle. So two things are measured that they cannot have: the IoU gained over
the best of them, and whether centre and size of the boxes follow those of the objects.

A third one tells who uses the positions of the representation. An average over all positions knows a surprising lot, of
sizes above all, but not where in the map it came from: move the whole map by two positions, round the edge, and nothing
changes. A model that keeps positions puts its boxes elsewhere then, and loses IoU.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from helpers.boxes import FloatArray, center_to_corners, iou
from helpers.data import CLASSES, Annotation, Part, split
from helpers.metrics import Scores, per_example_iou, predict_dicts
from helpers.targets import boxes_in_frame, tensorize_ground_truth

_STEPS = (16.0, 8.0, 4.0, 2.0, 1.0)
MOVED_IMAGES = 64
"""How many images' maps are moved, at most."""
MOVED_BY = 2
"""Positions, of seven, in both directions: 64 pixels."""
NO_POSITIONS = 1e-3
"""An IoU lost by moving the maps that is less than this: the model does not see where in the map a value stands."""
_FLAT = 1.0
"""Boxes that spread less than this (pixels) are all the same: what is left is rounding to the photograph's pixels."""


class Localising(NamedTuple):
    """What only a model that localises can have."""

    iou_gained: float
    """Mean IoU above that of the best box that needs no localising; 0 or less without."""
    centre: float
    """How well the centres follow: the mean of the correlations in x and in y, class by class; 0 without localising."""
    size: float
    """The same of width and height. The average over all positions still knows something of it."""

    @property
    def follows(self) -> float:
        """The lower of `centre` and `size`: a box has to follow in both."""
        return min(self.centre, self.size)


class Found(NamedTuple):
    """All that is measured of a model on some images."""

    scores: Scores
    place: Localising
    positions: float
    """IoU lost when the maps are moved."""

    def by_name(self) -> dict[str, float]:
        """Return every measure by the name that its threshold has."""
        return {
            **self.scores._asdict(),
            **self.place._asdict(),
            "follows": self.place.follows,
            "positions": self.positions,
        }


class Placed(NamedTuple):
    """Predicted boxes beside the true ones, N images; what `localising` measures on any draw of them."""

    predicted: FloatArray
    """Centre boxes (N, 4) in the 224-pixel frame."""
    true: FloatArray
    """The same of the objects."""
    kinds: npt.NDArray[np.intp]
    """Index (N,) of each object's true class."""
    ious: FloatArray
    """IoU (N,) of each predicted box with the true one."""
    without: FloatArray
    """The same of the best box that needs no localising."""


def best_box(boxes: npt.ArrayLike) -> FloatArray:
    """Find the box (cx, cy, w, h) whose mean IoU with some boxes (N, 4) is greatest, to a pixel.

    One coordinate is changed at a time, from their median on, for as long as that helps.
    """
    centers = np.asarray(boxes, dtype=np.float64)
    corners = center_to_corners(centers)

    def reached(box: FloatArray) -> float:
        return float(np.mean(iou(np.tile(center_to_corners(box), (len(corners), 1)), corners)))

    best = np.median(centers, axis=0)
    score = reached(best)
    for step in _STEPS:
        while True:
            tried = [best + change for change in (*np.eye(4) * step, *np.eye(4) * -step)]
            scores = [reached(box) if box[2:].min() > 0 else 0.0 for box in tried]
            if max(scores) <= score:
                break
            best, score = tried[int(np.argmax(scores))], max(scores)
    return best


def without_localising(known: Sequence[Annotation], asked: Sequence[Annotation]) -> FloatArray:
    """Compute the IoU (N,) that the best boxes that need no localising have with the objects of N images.

    One box for all images, or one for each class, and the class is known: whichever is better on these images. The
    boxes are the best ones for other images, `known`, as a model could learn them.
    """
    known_classes, known_boxes = tensorize_ground_truth(known)
    classes, boxes = tensorize_ground_truth(asked)
    of_class = [known_boxes[known_classes[:, kind] == 1] for kind in range(len(CLASSES))]
    everywhere = best_box(known_boxes)
    by_class = np.array([best_box(some) if len(some) else everywhere for some in of_class])
    corners = center_to_corners(boxes)
    found = [
        np.asarray(iou(center_to_corners(chosen), corners))
        for chosen in (np.tile(everywhere, (len(boxes), 1)), by_class[classes.argmax(axis=1)])
    ]
    return max(found, key=lambda ious: float(ious.mean()))


def place(predictions: Sequence[Mapping[str, Any]], trues: Sequence[Annotation], without: FloatArray) -> Placed:
    """Put predictions (class and VOC box) of N images beside their annotations.

    ``without`` (N,) is what boxes reach that need no localising, as `without_localising` gives it.

    Raises ValueError when there is nothing to compare, or the numbers differ.
    """
    ious = per_example_iou(predictions, trues)
    classes, boxes = tensorize_ground_truth(trues)
    predicted = boxes_in_frame([prediction["bbox"] for prediction in predictions], [true["size"] for true in trues])
    return Placed(predicted, boxes.astype(np.float64), classes.argmax(axis=1), ious, without)


def localising(placed: Placed, drawn: npt.NDArray[np.intp] | None = None) -> Localising:
    """Measure how well boxes localise; on the images with the indices `drawn` (any number, repeated ones too)."""
    if drawn is not None:
        predicted, true, kinds, ious, without = placed
        placed = Placed(predicted[drawn], true[drawn], kinds[drawn], ious[drawn], without[drawn])
    predicted, true, kinds, ious, without = placed
    moves, wanted = _within(predicted, kinds), _within(true, kinds)
    spread = np.sqrt((moves**2).sum(axis=0) * (wanted**2).sum(axis=0))
    together = (moves * wanted).sum(axis=0)
    flat = moves.std(axis=0) < _FLAT
    follow = np.where(flat, 0.0, together / np.where(flat | (spread == 0), 1.0, spread))
    return Localising(float((ious - without).mean()), float(follow[:2].mean()), float(follow[2:].mean()))


def _within(boxes: FloatArray, kinds: npt.NDArray[np.intp]) -> FloatArray:
    """Take the average box of its class from each box: what is left does not depend on the class."""
    members = np.eye(len(CLASSES))[kinds]
    means = members.T @ boxes / np.maximum(members.sum(axis=0), 1)[:, np.newaxis]
    return np.asarray(boxes - means[kinds])


def measure_localising(
    model: Any,
    reprs: npt.NDArray[np.floating[Any]],
    annotations: Sequence[Annotation],
    part: Part = "validation",
    show: bool = True,
) -> Localising:
    """Measure, and print unless ``show`` is False, how well a model localises on a part of the images.

    ``reprs`` (N, 7, 7, 2048) and ``annotations`` are the whole image set. The boxes that need no localising are
    learnt from the images that `fit` trains on.
    """
    if len(reprs) != len(annotations):
        raise ValueError(f"{len(reprs)} representations do not belong to {len(annotations)} annotations")
    parts = split(len(annotations))
    chosen = parts.named(part)
    trues = annotations[chosen]
    without = without_localising(annotations[: parts.validation.start], trues)
    found = localising(place(predict_dicts(model, reprs[chosen], trues), trues, without))
    if show:
        print(
            f"[{part}] IoU gained over the best box that needs no localising: {found.iou_gained:+.3f}; "
            f"the box follows the object: centre {found.centre:.2f}, size {found.size:.2f}"
        )
    return found


def moved_maps(reprs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Move each of N maps (N, 7, 7, C) by two positions to the lower right, then to the upper left: (2N, 7, 7, C).

    What leaves on one side comes back on the other, so that the average over the positions stays what it was.
    """
    return np.concatenate([np.roll(reprs, (by, by), axis=(1, 2)) for by in (MOVED_BY, -MOVED_BY)])


def lost_by_moving(ious: FloatArray, moved: FloatArray) -> FloatArray:
    """Return the IoU lost by image (N,): ``ious`` (N,), less the mean of those with `moved_maps`, ``moved`` (2N,)."""
    return np.asarray(ious - moved.reshape(2, -1).mean(axis=0))


def measure_positions(
    model: Any,
    reprs: npt.NDArray[np.floating[Any]],
    annotations: Sequence[Annotation],
    part: Part = "validation",
    show: bool = True,
) -> float:
    """Measure, and print unless ``show`` is False, the IoU that a model loses when the maps are moved.

    Args are those of `measure_localising`; the first `MOVED_IMAGES` images of the part are looked at.
    """
    chosen = split(len(annotations)).named(part)
    trues = annotations[chosen][:MOVED_IMAGES]
    maps = reprs[chosen][:MOVED_IMAGES]
    ious = per_example_iou(predict_dicts(model, maps, trues), trues)
    moved = per_example_iou(predict_dicts(model, moved_maps(maps), [*trues, *trues]), [*trues, *trues])
    lost = float(lost_by_moving(ious, moved).mean())
    if show:
        print(f"[{part}] IoU lost when the maps are moved by two positions: {lost:.3f}")
    return lost
