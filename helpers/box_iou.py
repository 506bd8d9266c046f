"""A Keras metric for the IoU of boxes, to watch it during training. The only module here that imports Keras at once."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="helpers")
class BoxIoU(keras.metrics.MeanMetricWrapper):
    """Mean IoU of centre boxes ``(cx, cy, w, h)``, (N, 4) against (N, 4) in the same unit.

    ``model.compile(..., metrics={"head_boxes": BoxIoU()})`` shows it in ``fit``. It is the mean of
    ``helpers.boxes.iou`` over the raw predictions, neither clipped nor rounded to pixels, and never NaN:
    boxes that are not finite, or whose width or height is not positive, count 0.
    """

    def __init__(self, name: str = "iou", dtype: Any = None) -> None:
        super().__init__(centre_box_iou, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that ``from_config`` needs; the function is this class's own."""
        return {"name": self.name, "dtype": self.dtype}


def centre_box_iou(y_true: Any, y_pred: Any) -> Any:
    """Compute the IoU of centre boxes pair by pair: two tensors (N, 4) in the same unit give one of shape (N,)."""
    ops = keras.ops
    # Not in the predictions' type: in float16 the areas would overflow.
    true, pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
    low = ops.maximum(true[..., :2] - true[..., 2:] / 2, pred[..., :2] - pred[..., 2:] / 2)
    high = ops.minimum(true[..., :2] + true[..., 2:] / 2, pred[..., :2] + pred[..., 2:] / 2)
    intersection = ops.prod(ops.maximum(high - low, 0.0), axis=-1)
    union = ops.prod(true[..., 2:], axis=-1) + ops.prod(pred[..., 2:], axis=-1) - intersection
    # As in `iou`: an inverted box meets nothing, and one that is not finite has no finite union.
    usable = ops.logical_and(union > 0, ops.isfinite(union))
    return ops.where(usable, intersection / ops.where(usable, union, 1.0), 0.0)
