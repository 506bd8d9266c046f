"""Targets: from annotations to what a model learns, and from what it predicts back to boxes in the photograph."""

from collections.abc import Sequence
from itertools import chain
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt

from helpers.boxes import FloatArray, center_to_corners, corners_to_center, corners_to_voc, voc_to_corners
from helpers.data import CLASSES, Annotation, ImageAnnotation, idx2labels, labels2idx

IMAGE_SIZE = 224
"""Side in pixels of the square that every photograph is resized to, aspect ratio ignored."""

# The functional form, because "class" is a keyword.
Prediction = TypedDict("Prediction", {"class": str, "confidence": float, "bbox": list[int]})


def tensorize_ground_truth(
    annotations: Sequence[Annotation],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Turn N annotations into class and box tensors, row by row.

    Returns ``(classes, boxes)``, both float32: one-hot classes (N, 5) in the order of ``CLASSES``, and
    centre boxes (N, 4) in the 224-pixel frame. A VOC box of the whole photograph, ``[1, 1, W, H]``,
    becomes (112, 112, 224, 224).

    >>> whole = {"filename": "000007.jpg", "size": (500, 333), "class": "car", "bbox": [1, 1, 500, 333]}
    >>> classes, boxes = tensorize_ground_truth([whole])
    >>> classes.tolist(), boxes.tolist()
    ([[0.0, 0.0, 0.0, 1.0, 0.0]], [[112.0, 112.0, 224.0, 224.0]])

    Raises ValueError, naming the file, for a class that is not among ``CLASSES``.
    """
    count = len(annotations)
    classes = np.zeros((count, len(CLASSES)), dtype=np.float32)
    classes[np.arange(count), _class_indices(annotations)] = 1.0
    boxes = _numbers(annotations, "bbox").reshape(count, 4)
    sizes = _numbers(annotations, "size").reshape(count, 2)
    return classes, boxes_in_frame(boxes, sizes).astype(np.float32)


def boxes_in_frame(boxes: npt.ArrayLike, sizes: npt.ArrayLike) -> FloatArray:
    """Convert VOC boxes (N, 4) in photographs of ``sizes`` (N, 2) to centre boxes (N, 4) in the 224-pixel frame."""
    corners = voc_to_corners(boxes) * IMAGE_SIZE / np.tile(np.asarray(sizes, dtype=np.float64), 2)
    return np.asarray(corners_to_center(corners))


def tensorize_objects(annotation: ImageAnnotation) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Turn the annotation of one image with n objects into labels (n,) and centre boxes (n, 4), in its order.

    Labels are indices into ``CLASSES``, boxes lie in the 224-pixel frame.

    >>> car = {"class": "car", "bbox": [1, 1, 250, 333]}
    >>> labels, boxes = tensorize_objects({"filename": "000007.jpg", "size": (500, 333), "objects": [car]})
    >>> labels.tolist(), boxes.tolist()
    ([3], [[56.0, 112.0, 112.0, 224.0]])
    """
    labels = np.array([labels2idx[item["class"]] for item in annotation["objects"]], dtype=np.int64)
    corners = voc_to_corners(
        np.array([item["bbox"] for item in annotation["objects"]], dtype=np.float64).reshape(-1, 4)
    )
    return labels, corners_to_center(corners * IMAGE_SIZE / np.tile(annotation["size"], 2))


def interpret_output(cls: npt.ArrayLike, boxes: npt.ArrayLike, img_size: tuple[int, int] = (500, 333)) -> Prediction:
    """Interpret one prediction about a photograph of ``img_size`` = (width, height) pixels.

    ``cls`` (5,) are the class probabilities, ``boxes`` (4,) one centre box in the 224-pixel frame. See
    ``interpret_outputs``, which does the same for many.

    >>> interpret_output([0.1, 0.2, 0.6, 0.1, 0], [112, 112, 224, 224], (500, 333))
    {'class': 'bus', 'confidence': 0.6, 'bbox': [1, 1, 500, 333]}
    """
    return interpret_outputs(np.asarray(cls)[np.newaxis], np.asarray(boxes)[np.newaxis], [img_size])[0]


def interpret_outputs(
    classes: npt.ArrayLike, boxes: npt.ArrayLike, sizes: Sequence[tuple[int, int]] | npt.ArrayLike
) -> list[Prediction]:
    """Interpret N predictions about N photographs: the inverse of ``tensorize_ground_truth``.

    ``classes`` (N, 5) are class probabilities, ``boxes`` (N, 4) centre boxes in the 224-pixel frame,
    ``sizes`` (N, 2) the photographs' (width, height) in pixels. Each result holds the likeliest
    ``class``, its ``confidence``, and ``bbox``, a VOC box of ints, clipped into the photograph and
    rounded to whole pixels.

    A box that is not finite becomes ``[1, 1, 0, 0]``, which covers nothing (IoU 0). A probability that
    is NaN never wins; when all five are, the class is the first and the confidence NaN.

    Raises ValueError when the shapes do not fit together.
    """
    probabilities = np.asarray(classes, dtype=np.float64)
    centers = np.asarray(boxes, dtype=np.float64)
    extent = np.asarray(sizes, dtype=np.float64)
    count = len(probabilities) if probabilities.ndim else 0
    for name, array, width in (
        ("classes", probabilities, len(CLASSES)),
        ("boxes", centers, 4),
        ("sizes", extent, 2),
    ):
        # An empty list has shape (0,).
        if array.shape != (count, width) and (count or array.size):
            raise ValueError(f"{name} must have shape ({count}, {width}), not {array.shape}")
    if not count:
        return []
    winners = np.argmax(np.where(np.isnan(probabilities), -np.inf, probabilities), axis=1)
    confidences = probabilities[np.arange(count), winners]
    return [
        {"class": idx2labels[int(winner)], "confidence": float(confidence), "bbox": bbox}
        for winner, confidence, bbox in zip(winners, confidences, _voc_boxes(centers, extent), strict=True)
    ]


def _voc_boxes(centers: FloatArray, sizes: FloatArray) -> list[list[int]]:
    """Convert centre boxes (N, 4) in the 224-pixel frame to VOC boxes in photographs of ``sizes`` (N, 2)."""
    with np.errstate(all="ignore"):
        limits = np.tile(sizes, 2)
        corners = center_to_corners(centers) * limits / IMAGE_SIZE
        lost = ~np.isfinite(corners.sum(axis=1))  # one edge is enough
        # Corners (0, 0, 0, 0) hold no pixel: as a VOC box, [1, 1, 0, 0].
        corners = np.clip(np.where(lost[:, np.newaxis], 0.0, corners), 0.0, limits)
    boxes: list[list[int]] = corners_to_voc(corners).tolist()
    return boxes


def _class_indices(annotations: Sequence[Annotation]) -> npt.NDArray[np.intp]:
    try:
        return np.fromiter((labels2idx[annotation["class"]] for annotation in annotations), np.intp, len(annotations))
    except KeyError:
        wrong = next(annotation for annotation in annotations if annotation["class"] not in labels2idx)
        raise ValueError(f"{wrong['filename']}: class {wrong['class']!r} is not one of {', '.join(CLASSES)}") from None


def _numbers(annotations: Sequence[Annotation], field: Literal["bbox", "size"]) -> npt.NDArray[np.float64]:
    """Return all numbers of a field in one row; twice as fast as an array of lists."""
    return np.fromiter(chain.from_iterable(annotation[field] for annotation in annotations), np.float64)
