"""Training that can be watched: one short line for each epoch, and curves that grow. Imports Keras at once."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import keras

from helpers.plots import draw_history, in_a_notebook, show_figure, text_of_history

log = logging.getLogger(__name__)

_SHARE = 10
"""The curves are drawn anew after this many times as long as drawing them took: a tenth of the time at most."""
_AT_LEAST = 1.0
"""Seconds between two drawings."""
_SHORT = (("head_classes_", "class "), ("head_boxes_", "box "), ("accuracy", "acc"))


class Watch(keras.callbacks.Callback):
    """Prints one line after each epoch and, in a notebook, draws the curves while they grow."""

    def __init__(self, plot: bool = True) -> None:
        super().__init__()
        self.curves: dict[str, list[float]] = {}
        self._plot = plot and in_a_notebook()
        self._place: Any = None
        self._began = self._drawn = self._took = 0.0

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Start with empty curves."""
        self.curves = {}
        self._place = None
        self._began = self._drawn = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Note the values of an epoch, print them, and draw the curves if the last time is long enough ago."""
        for name, value in (logs or {}).items():
            self.curves.setdefault(name, []).append(float(value))
        seconds = time.monotonic() - self._began
        if not epoch or time.monotonic() - self._drawn > max(_AT_LEAST, _SHARE * self._took):
            self._draw()  # the first time before the first line, so that the lines stand below
        print(line_of(epoch + 1, int((self.params or {}).get("epochs") or 0), logs or {}, seconds))

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Draw the curves as they ended."""
        self._draw()

    def _draw(self) -> None:
        if not self._plot or not self.curves:
            return
        begun = time.monotonic()
        try:
            self._place = show_figure(draw_history(self.curves), text_of_history(self.curves), self._place)
        except Exception:  # a picture must never cost a training
            self._plot = False
            log.debug("the curves could not be drawn", exc_info=True)
        self._drawn = time.monotonic()
        self._took = self._drawn - begun


def watch(plot: bool = True) -> list[Watch]:
    """Return the callbacks for `model.fit(..., verbose=0, callbacks=watch())`.

    Each epoch prints one short line; in a notebook the curves grow above them, unless ``plot`` is False.
    """
    return [Watch(plot)]


def line_of(epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> str:
    """Say in one line what an epoch gave, values of the validation images in brackets.

    >>> line_of(3, 20, {"loss": 1.5, "val_loss": 1.75, "head_boxes_iou": 0.4, "val_head_boxes_iou": 0.375}, 4.2)
    'epoch  3/20    4 s  loss 1.50 (1.75)  box iou 0.40 (0.38)'
    """
    parts = [f"epoch {epoch:2}/{epochs}  {seconds:3.0f} s"]
    for name, value in logs.items():
        whole = name == "loss" or not name.endswith("loss")  # the losses of the heads are in the plot
        if whole and not name.startswith("val_"):
            unseen = f" ({logs[f'val_{name}']:.2f})" if f"val_{name}" in logs else ""
            parts.append(f"{_short(name)} {value:.2f}{unseen}")
    return "  ".join(parts)


def _short(name: str) -> str:
    for long, short in _SHORT:
        name = name.replace(long, short)
    return name.replace("box box_", "box ")
