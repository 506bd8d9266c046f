"""Checks of the visible tests: what is wrong with a model's outputs, in words a student can act on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from helpers.targets import IMAGE_SIZE

_EXPECTED = "two outputs, first the class probabilities, then the boxes"


def heads(outputs: Any) -> Any:
    """Return a model's outputs in their order, also where they came as a dictionary; anything else as it is.

    >>> heads({"classes": 1, "boxes": 2})
    [1, 2]
    """
    return list(outputs.values()) if isinstance(outputs, Mapping) else outputs


def output_problems(outputs: Any, n: int, num_classes: int) -> list[str]:
    """Describe what is wrong with the outputs of a two-headed model, one sentence a problem; empty when all is well.

    Args:
        outputs: what `model.predict` gave for `n` images.
        n: number of images that went in.
        num_classes: number of classes the model was built for.

    Expected are class probabilities of shape (n, num_classes), non-negative with rows that sum to 1, and
    centre boxes of shape (n, 4) in the 224-pixel frame, all finite.
    """
    outputs = heads(outputs)
    if not isinstance(outputs, list | tuple) or len(outputs) != 2:
        shape = getattr(outputs, "shape", None)
        got = f"one array of shape {shape}" if shape is not None else _kind_of_outputs(outputs)
        return [f"The model must have {_EXPECTED}; it gave {got}."]
    classes, boxes = (np.asarray(output) for output in outputs)
    if classes.shape == (n, 4) and boxes.shape == (n, num_classes) and num_classes != 4:
        return [
            f"The two heads are swapped: the first output has shape {classes.shape}, which is a box, and the "
            f"second {boxes.shape}, which is a class. Pass outputs=[the class head, the box head]."
        ]
    problems = []
    if classes.shape != (n, num_classes):
        problems.append(
            f"The class head must give one probability per class, shape {(n, num_classes)} for {n} images; "
            f"it gave {classes.shape}."
        )
    elif not np.isfinite(classes).all():
        problems.append("The class head gives NaN or infinite values: the training has diverged.")
    elif (classes < 0).any() or not np.allclose(classes.sum(axis=1), 1.0, atol=1e-3):
        problems.append(
            "The class head must give probabilities: non-negative, each row summing to 1. Is the activation softmax?"
        )
    if boxes.shape != (n, 4):
        problems.append(
            f"The box head must give 4 numbers per image (cx, cy, w, h), shape {(n, 4)} for {n} images; "
            f"it gave {boxes.shape}."
        )
    elif not np.isfinite(boxes).all():
        problems.append("The box head gives NaN or infinite values: the training has diverged.")
    return problems


def _kind_of_outputs(outputs: Any) -> str:
    if isinstance(outputs, Sequence) and not isinstance(outputs, str):
        return f"{len(outputs)} outputs"
    return f"a {type(outputs).__name__}"


def box_scale_hint(boxes: Any) -> str:
    """Return a sentence for the commonest reason of an IoU near zero, or an empty string.

    Args:
        boxes: predicted centre boxes, shape (N, 4), meant to be in pixels of the 224-pixel frame.
    """
    values = np.abs(boxes)
    if values.size and (values <= 1.0).all():
        return (
            f"Every coordinate of every box lies between -1 and 1, but boxes are measured in pixels of the "
            f"{IMAGE_SIZE}-pixel frame: scale the box head's output."
        )
    return ""


def accuracy_in_words(accuracy: float, minimum: float, images: str = "test") -> str:
    """Say how a class accuracy compares with the minimum; `images` names those that were looked at.

    >>> accuracy_in_words(0.8125, 0.75)
    'The class is right for 81.2% of the test images; the minimum is 75%.'
    """
    return f"The class is right for {accuracy:.1%} of the {images} images; the minimum is {minimum:.0%}."


def gain_in_words(gained: float, start: float, full: float, points: float, images: str = "test") -> str:
    """Say how the IoU gained compares with where points start and where all of them are given.

    >>> gain_in_words(0.044, start=0.02, full=0.06, points=6)
    'On the test images the mean IoU is +0.044 from the best box that needs no localising. Points start at +0.02, and \
all 6 are given from +0.06.'
    """
    return (
        f"On the {images} images the mean IoU is {gained:+.3f} from the best box that needs no localising. "
        f"Points start at {start:+g}, and all {points:g} are given from {full:+g}."
    )


def follows_in_words(centre: float, size: float, start: float, full: float, points: float, images: str = "test") -> str:
    """Say how well boxes follow the objects, and where points start and where all of them are given.

    >>> follows_in_words(0.5, 0.75, start=0.2, full=0.6, points=7).partition(". ")[0]
    'On the test images the boxes follow the objects by 0.50 (centre) and 0.75 (size)'
    """
    return (
        f"On the {images} images the boxes follow the objects by {centre:.2f} (centre) and {size:.2f} (size). "
        f"1 is exactly, 0 not at all, and the lower of the two counts: "
        f"points start at {start:g}, and all {points:g} are given from {full:g}."
    )


def positions_in_words(lost: float, start: float, full: float, points: float) -> str:
    """Say how much IoU comes from positions, and where points start and where all of them are given.

    >>> positions_in_words(0.12, start=0.03, full=0.09, points=8).partition(". ")[0]
    'When the maps of the test images are moved by two positions, your boxes lose an IoU of 0.120'
    """
    return (
        f"When the maps of the test images are moved by two positions, your boxes lose an IoU of {lost:.3f}. "
        f"A model that has averaged the positions away loses 0: "
        f"points start at {start:g}, and all {points:g} are given from {full:g}."
    )


def partial_credit(value: float, start: float, minimum: float, points: int) -> int:
    """Return the whole points that `value` earns on the way from `start` to `minimum`.

    All of `points` from `minimum` up, none at `start` or below, and in proportion between, rounded down.
    NaN earns nothing. Raises ValueError unless start < minimum.

    >>> [partial_credit(value, start=0.3, minimum=0.5, points=8) for value in (0.3, 0.42, 0.5, 0.9)]
    [0, 4, 8, 8]
    """
    if not start < minimum:
        raise ValueError(f"partial credit must start below the minimum: {start} is not below {minimum}")
    if not np.isfinite(value):
        return 0
    share = (value - start) / (minimum - start)
    return int(np.clip(np.floor(points * share), 0, points))


def thresholds_for(thresholds: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, float]:
    """Return the thresholds that hold for a representations file, by name.

    Args:
        thresholds: what `thresholds.json` holds: thresholds by key.
        key: `<data set>/<representation>`, as `representation_key` gives it.

    Falls back on `<data set>/other`. Raises KeyError naming the keys there are.

    >>> thresholds_for({"sample/other": {"mean_iou": 0.6, "measured": "5 seeds"}}, "sample/resnet50")
    {'mean_iou': 0.6}
    """
    data_set = key.partition("/")[0]
    for candidate in (key, f"{data_set}/other"):
        if candidate in thresholds:
            return {name: float(value) for name, value in thresholds[candidate].items() if _is_threshold(value)}
    raise KeyError(f"There are no thresholds for {key!r}, only for {', '.join(sorted(thresholds))}.")


def _is_threshold(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
