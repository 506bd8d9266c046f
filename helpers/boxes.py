"""Boxes: how well two of them agree, and how to write the same box in three conventions.

- VOC box ``[xmin, ymin, xmax, ymax]``: whole pixels, 1-based, both ends inclusive (the XML files).
- Corner box ``(xmin, ymin, xmax, ymax)``: edges on a continuous axis; the first pixel spans 0 to 1.
- Centre box ``(cx, cy, w, h)``: the same axes, centre and size (what models learn).
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# VOC counts pixels from 1 and includes the last one, so only the first corner moves.
_VOC_OFFSET = np.array([1.0, 1.0, 0.0, 0.0])


def iou(a: npt.ArrayLike, b: npt.ArrayLike) -> float | FloatArray:
    """Compute the intersection over union of corner boxes, between 0 and 1.

    ``a`` and ``b`` are corner boxes of shape (4,) or (N, 4), in the same unit. Two single boxes give a
    float; a single box against N boxes, or N boxes against N boxes pair by pair, give an array (N,).

    A box that is inverted, empty or not finite covers nothing: its IoU is 0, with itself too.

    >>> iou([0, 0, 2, 2], [1, 0, 3, 2])
    0.3333333333333333
    >>> iou([0, 0, 2, 2], [[0, 0, 2, 2], [5, 5, 6, 6]])
    array([1., 0.])

    Raises ValueError when a shape is neither (4,) nor (N, 4), or the numbers of boxes differ.
    """
    first, second = _as_boxes(a, "a"), _as_boxes(b, "b")
    if first.ndim == second.ndim == 2 and len(first) != len(second):
        raise ValueError(f"{len(first)} boxes cannot be paired with {len(second)} boxes")
    # Column by column, which is several times faster than reductions over an axis of length 4.
    ax0, ay0, ax1, ay1 = np.moveaxis(first, -1, 0)
    bx0, by0, bx1, by1 = np.moveaxis(second, -1, 0)
    # An inverted box meets nothing. Boxes that are not finite overflow or give inf - inf: not `usable`.
    with np.errstate(all="ignore"):
        width = np.minimum(ax1, bx1) - np.maximum(ax0, bx0)
        height = np.minimum(ay1, by1) - np.maximum(ay0, by0)
        intersection = np.maximum(width, 0.0) * np.maximum(height, 0.0)
        union = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - intersection
        usable = (union > 0) & (union < np.inf)
        result = np.divide(intersection, union, out=np.zeros(union.shape), where=usable)
    return float(result) if result.ndim == 0 else result


def corners_to_center(boxes: npt.ArrayLike) -> FloatArray:
    """Convert corner boxes to centre boxes ``(cx, cy, w, h)``, both (..., 4) and in the same unit.

    >>> corners_to_center([10, 20, 30, 60])
    array([20., 40., 20., 40.])
    """
    corners = _as_array(boxes)
    low, high = corners[..., :2], corners[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def center_to_corners(boxes: npt.ArrayLike) -> FloatArray:
    """Convert centre boxes to corner boxes ``(xmin, ymin, xmax, ymax)``, both (..., 4) and in the same unit.

    >>> center_to_corners([20, 40, 20, 40])
    array([10., 20., 30., 60.])
    """
    centers = _as_array(boxes)
    middle, half = centers[..., :2], centers[..., 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def voc_to_corners(boxes: npt.ArrayLike) -> FloatArray:
    """Convert VOC boxes to corner boxes (pixel edges), both (..., 4).

    >>> voc_to_corners([1, 1, 500, 333])
    array([  0.,   0., 500., 333.])
    """
    corners: FloatArray = _as_array(boxes) - _VOC_OFFSET
    return corners


def corners_to_voc(boxes: npt.ArrayLike) -> IntArray:
    """Convert corner boxes to VOC boxes (whole pixels), both (..., 4); edges are rounded, never truncated.

    >>> corners_to_voc([9.6, 9.4, 19.6, 19.4])
    array([11, 10, 20, 19])

    Raises ValueError for edges that are not finite: no whole pixel stands for them.
    """
    corners = _as_array(boxes)
    if not np.isfinite(corners).all():
        raise ValueError("a box with an edge that is not finite has no pixels")
    voc: IntArray = np.rint(corners + _VOC_OFFSET).astype(np.int64)
    return voc


def _as_array(boxes: npt.ArrayLike) -> FloatArray:
    try:
        array = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"boxes must be numbers, four to a box: {error}") from error
    if array.ndim == 0 or array.shape[-1] != 4:
        raise ValueError(f"boxes must have shape (..., 4), not {array.shape}")
    return array


def _as_boxes(boxes: npt.ArrayLike, name: str) -> FloatArray:
    array = _as_array(boxes)
    if array.ndim > 2:
        raise ValueError(f"{name} must have shape (4,) or (N, 4), not {array.shape}")
    return array
