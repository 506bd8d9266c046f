"""Scores of a model: class accuracy, mean IoU, and valid accuracy (right class and IoU above 0.5)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from helpers.boxes import FloatArray, iou, voc_to_corners
from helpers.checks import heads
from helpers.data import CLASSES, Annotation, Part, split
from helpers.targets import Prediction, interpret_outputs


class Scores(NamedTuple):
    """Three means over the examples, each between 0 and 1."""

    class_accuracy: float
    mean_iou: float
    valid_accuracy: float


def per_example_iou(preds: Sequence[Mapping[str, Any]], trues: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Compute the IoU (N,) of each prediction's ``bbox`` with the annotation's, VOC boxes in the same photograph.

    Raises ValueError when there is nothing to compare, or the numbers differ.
    """
    if len(preds) != len(trues):
        raise ValueError(f"{len(preds)} predictions cannot be compared with {len(trues)} annotations")
    if not len(preds):
        raise ValueError("there is no prediction to score")
    predicted, expected = (voc_to_corners([item["bbox"] for item in items]) for items in (preds, trues))
    # Pairs of (N, 4) give an array; the float of a single pair cannot occur here.
    return np.asarray(iou(predicted, expected))


def accuracy_and_iou(
    preds: Sequence[Mapping[str, Any]], trues: Sequence[Mapping[str, Any]], threshold: float = 0.5
) -> Scores:
    """Compute class accuracy, mean IoU and valid accuracy of predictions against annotations.

    Both are sequences of dicts with ``class`` and ``bbox`` (a VOC box), in the same order. A prediction
    is valid when its class is right and its IoU is above ``threshold``.

    Raises ValueError when there is nothing to score, or the numbers differ.
    """
    ious = per_example_iou(preds, trues)
    right = np.array([pred["class"] == true["class"] for pred, true in zip(preds, trues, strict=True)])
    valid = right & (ious > threshold)
    return Scores(float(right.mean()), float(ious.mean()), float(valid.mean()))


def predict_dicts(
    model: Any, reprs: npt.NDArray[np.floating[Any]], annotations: Sequence[Annotation]
) -> list[Prediction]:
    """Predict and interpret the boxes and classes of the N ``annotations`` from representations (N, 7, 7, 2048).

    ``model`` is a Keras model or any function of the representations. It returns class probabilities (N, 5)
    and centre boxes (N, 4), in this order, as arrays or tensors, in a list, tuple or dict.

    Raises ValueError when the numbers differ or the model returns something else.
    """
    if len(reprs) != len(annotations):
        raise ValueError(f"{len(reprs)} representations do not belong to {len(annotations)} annotations")
    outputs = model.predict(reprs, verbose=0) if hasattr(model, "predict") else model(reprs)
    classes, boxes = _two_heads(outputs)
    return interpret_outputs(classes, boxes, [annotation["size"] for annotation in annotations])


def compute_acc(
    model: Any,
    reprs: npt.NDArray[np.floating[Any]],
    annotations: Sequence[Annotation],
    train: bool = True,
    part: Part | None = None,
) -> Scores:
    """Compute and print the scores on the training part of ``helpers.data.split``, or on the test part.

    ``part`` names the part instead of ``train``; "validation" is what ``fit`` has set aside of the training part.

    ``reprs`` (N, 7, 7, 2048) and ``annotations`` are the whole image set: the part is taken from both, so
    that each prediction meets its own photograph's size.

    >>> scores = compute_acc(model, reprs, annotations, train=False)  # doctest: +SKIP
    [test] class accuracy: 0.880, mean IoU: 0.491, valid accuracy: 0.540
    """
    if len(reprs) != len(annotations):
        raise ValueError(f"{len(reprs)} representations do not belong to {len(annotations)} annotations")
    parts = split(len(annotations))
    name: Part = part or ("train" if train else "test")
    chosen = parts.named(name)
    scores = accuracy_and_iou(predict_dicts(model, reprs[chosen], annotations[chosen]), annotations[chosen])
    print(
        f"[{name}] class accuracy: {scores.class_accuracy:.3f}, "
        f"mean IoU: {scores.mean_iou:.3f}, valid accuracy: {scores.valid_accuracy:.3f}"
    )
    return scores


def _two_heads(outputs: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return classes (N, 5) and boxes (N, 4), in this order: a model that swaps them is not let off."""
    both = heads(outputs)
    if not isinstance(both, list | tuple) or len(both) != 2:
        raise ValueError("the model must have two outputs: class probabilities and boxes")
    classes, boxes = (np.asarray(head) for head in both)
    if classes.shape[1:] != (len(CLASSES),) or boxes.shape[1:] != (4,):
        raise ValueError(
            f"the model's outputs must have shapes (N, {len(CLASSES)}) for the classes and (N, 4) for the boxes, "
            f"not {classes.shape} and {boxes.shape}"
        )
    return classes, boxes
