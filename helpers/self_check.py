"""A self-check of the work: what the visible tests say about a model, in words, and what to do next.

What a test is called and worth, and what to do while there is no model, are the notebook's business: it tells `check`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt

from helpers.checks import box_scale_hint, heads, output_problems, partial_credit
from helpers.data import CLASSES, Annotation, fetch_representations, fetch_voc2007, load_annotations, split
from helpers.features import load_representations
from helpers.metrics import Scores, accuracy_and_iou, predict_dicts
from helpers.targets import IMAGE_SIZE

WORTH_POINTS = ("heads", "class accuracy", "mean IoU")
"""Lines of the table that a notebook's visible tests give points for."""
GAP = 0.2
"""Training above test scores by more than this, where the test scores are too low: learnt by heart.

The master's solution has 0.18 in mean IoU (0.71 and 0.54, on photographs) and does well.
"""
_WIDTH = 100
_FEW = 8
"""Rows that the visible tests look at the heads with."""
_NOT_DONE = "There is no model yet: write the function that makes it, then run the cell that trains it."
_UNREADABLE = "The model's outputs cannot be read as the classes and the boxes of every image."
_SAME_BOXES = (
    "the boxes are nearly the same for every image. Either the box head does not see where things are (keep the 7x7 "
    "positions on the way to it: Flatten after a Conv2D with few channels, no global pooling), or its loss has too "
    "little weight (look at loss_weights)."
)
_BOXES_ONLY = (
    "the class is fine, the boxes are not. Keep the positions on the way to the box head: a Conv2D with few channels, "
    "then Flatten, and no global pooling. If that is done, give the box loss more weight, or train longer."
)
_CLASSES_ONLY = (
    "the boxes are fine, the class is not. A pooled representation, Dropout and one Dense layer with softmax do well "
    "here. Is its loss drowned by that of the boxes? Look at loss_weights."
)
_NEITHER = (
    "neither class nor boxes are there yet, on the training images either. Is the training long enough (epochs), the "
    "learning rate sensible, and neither loss drowned by the other (loss_weights)? Watch both in plot_history."
)
_NOT_TOGETHER = (
    "class and boxes are each good enough, but too seldom on the same image. Some more IoU helps most: train longer, "
    "or lower the learning rate towards the end."
)
_DONE = "everything that the visible tests ask is reached. Save the notebook and hand it in."


@dataclass(frozen=True)
class Progress:
    """Findings of `check`; `str()` of them is what it prints."""

    problems: tuple[str, ...]
    """Why there is nothing to measure, or what is wrong with the heads; empty when all is well."""
    test: Scores | None
    train: Scores | None
    """None: not asked for, or not to be measured."""
    images: int
    """How many test images there are."""
    minimum: Mapping[str, float] | None
    next_step: str
    worth: Mapping[str, int] | None = None
    """Points that each line of WORTH_POINTS is worth in the notebook; None: it did not say."""

    @property
    def points(self) -> dict[str, int] | None:
        """Points by visible test, as the notebook's tests give them; None without a minimum or what each is worth."""
        if self.minimum is None or self.worth is None:
            return None
        class_accuracy, mean_iou, _ = self.test or (0.0, 0.0, 0.0)
        enough = self.test is not None and class_accuracy >= self.minimum["class_accuracy"]
        return {
            "heads": 0 if self.problems else self.worth["heads"],
            "class accuracy": self.worth["class accuracy"] if enough else 0,
            "mean IoU": partial_credit(
                mean_iou if self.test else np.nan,
                self.minimum["mean_iou_start"],
                self.minimum["mean_iou"],
                self.worth["mean IoU"],
            ),
        }

    def __str__(self) -> str:
        lines = [*self._table(), *self.problems]
        if self.train is not None:
            lines += [
                f"For comparison, on the training images: class accuracy {self.train.class_accuracy:.3f}, "
                f"mean IoU {self.train.mean_iou:.3f}."
            ]
        if self.next_step:
            lines += ["", f"Next: {self.next_step}"]
        return "\n".join(fill(line, _WIDTH) if len(line) > _WIDTH else line for line in lines).strip("\n")

    def _table(self) -> list[str]:
        if self.test is None:
            return []
        minimum, points, most = self.minimum or {}, self.points, self.worth or {}
        rows = {
            "heads": "not as they should be" if self.problems else "two, with the right shapes",
            "class accuracy": _measured(self.test.class_accuracy, minimum.get("class_accuracy")),
            "mean IoU": _measured(self.test.mean_iou, minimum.get("mean_iou")),
            "valid accuracy": _measured(self.test.valid_accuracy, minimum.get("valid_accuracy")),
        }
        worth = {name: f"{points[name]} of {most[name]} points" for name in points} if points else {}
        if points:
            worth["valid accuracy"] = "asked by the hidden tests"
        width = max(map(len, rows.values()))
        lines = [f"On the {self.images} test images:", ""]
        lines += [f"  {name:<14}  {words:<{width}}  {worth.get(name, '')}".rstrip() for name, words in rows.items()]
        lines.append("")
        if points:
            total = f"{sum(points.values())} of {sum(most.values())} points"
            lines.append(f"By the visible tests that makes {total}. The hidden tests are run when the work is graded.")
        return lines


@dataclass(frozen=True)
class _Part:
    """Representations (N, 7, 7, 2048) and the annotations of the same N images."""

    reprs: npt.NDArray[np.floating[Any]]
    annotations: Sequence[Annotation]


def check(
    model: Any,
    reprs: npt.NDArray[np.floating[Any]] | None = None,
    annotations: Sequence[Annotation] | None = None,
    minimum: Mapping[str, float] | None = None,
    points: Mapping[str, int] | None = None,
    to_do: str = _NOT_DONE,
) -> None:
    """Print where a model stands against the visible tests, and what to do next; never fails for a wrong model.

    Args:
        model: a trained model; None says what to do first.
        reprs: representations (N, 7, 7, 2048) of the whole image set, training part and test part. Without them
            and the annotations, the test part is loaded from where the notebook has its data.
        annotations: the N annotations.
        minimum: what has to be reached, as `thresholds_for` gives it; without it, no points are told.
        points: what the notebook's tests of "heads", "class accuracy" and "mean IoU" are worth; without it, no points
            are told.
        to_do: what to say while there is no model.
    """
    print(assess(model, reprs, annotations, minimum, points, to_do))


def assess(
    model: Any,
    reprs: npt.NDArray[np.floating[Any]] | None = None,
    annotations: Sequence[Annotation] | None = None,
    minimum: Mapping[str, float] | None = None,
    points: Mapping[str, int] | None = None,
    to_do: str = _NOT_DONE,
) -> Progress:
    """Return what `check` prints, as data: one prediction for the test part and one, if it is there, for training."""
    worth = _whole(points)

    def stopped(problem: str) -> Progress:
        return Progress((problem,), None, None, 0, minimum, "", worth)

    if model is None:
        return stopped(to_do)
    if not hasattr(model, "predict"):
        return stopped(f"This is no model but a {type(model).__name__}. Pass the model that was trained.")
    if (reprs is None) != (annotations is None):
        return stopped("Pass both, the representations and the annotations, or neither of them.")
    try:
        train, test = _stored_parts() if reprs is None or annotations is None else _parts(reprs, annotations)
    except (OSError, ValueError, TypeError) as error:
        return stopped(f"The data cannot be used: {error}")
    try:
        test_outputs = model.predict(test.reprs, verbose=0)
        train_outputs = None if train is None else model.predict(train.reprs, verbose=0)
    except Exception as error:  # whatever a student's layers raise
        return stopped(
            f"The model cannot predict: {type(error).__name__}: {_one_line(error)} "
            "Its input must have the shape (7, 7, 2048). Correct the function that makes it and train again."
        )
    # The notebook's test looks at the very first rows.
    first, outputs = (test, test_outputs) if train is None else (train, train_outputs)
    problems = _head_problems(outputs, min(_FEW, len(first.reprs)))
    test_scores = _scores(test_outputs, test)
    train_scores = None if train is None else _scores(train_outputs, train)
    if test_scores is None and not problems:
        problems = (_UNREADABLE,)
    return Progress(
        problems=problems,
        test=test_scores,
        train=train_scores,
        images=len(test.annotations),
        minimum=minimum,
        next_step=_next_step(problems, test_outputs, test_scores, train_scores, minimum),
        worth=worth,
    )


def _whole(points: Mapping[str, int] | None) -> dict[str, int] | None:
    """Return what each test is worth; None where the notebook did not say it of all, or is not released yet."""
    worth = {name: value for name, value in (points or {}).items() if name in WORTH_POINTS and isinstance(value, int)}
    return worth if len(worth) == len(WORTH_POINTS) else None


def _parts(reprs: Any, annotations: Sequence[Annotation]) -> tuple[_Part | None, _Part]:
    if len(reprs) != len(annotations):
        raise ValueError(f"{len(reprs)} representations do not belong to {len(annotations)} annotations.")
    train, test = (_Part(reprs[part], annotations[part]) for part in split(len(annotations)))
    return train, test


def _stored_parts() -> tuple[_Part | None, _Part]:
    """Load the test part alone, from the files that the notebook has fetched; nothing is downloaded."""
    try:
        root, path = fetch_voc2007(urls=()), fetch_representations(urls=())
    except (OSError, RuntimeError) as error:  # no URL, so DownloadError, a RuntimeError, means: not there
        raise ValueError(
            "it is not where the notebook puts it. Run the cell that fetches it, or pass the representations and the "
            "annotations that the notebook has."
        ) from error
    annotations = load_annotations(root)
    tested = annotations[split(len(annotations)).test]
    return None, _Part(load_representations(path, tested, root), tested)


def _head_problems(outputs: Any, few: int) -> tuple[str, ...]:
    """Return what the notebook's test of the heads says of the outputs for the first few images."""
    try:
        outputs = heads(outputs)
        if isinstance(outputs, list | tuple):
            outputs = [np.asarray(output)[:few] for output in outputs]
        elif isinstance(outputs, np.ndarray):
            outputs = outputs[:few]
        return tuple(output_problems(outputs, n=few, num_classes=len(CLASSES)))
    except (ValueError, TypeError, IndexError):
        return (_UNREADABLE,)


def _scores(outputs: Any, part: _Part) -> Scores | None:
    try:
        predictions = predict_dicts(lambda _: outputs, part.reprs, part.annotations)
        return accuracy_and_iou(predictions, part.annotations)
    except (ValueError, TypeError, ArithmeticError):
        return None  # said by output_problems


def _next_step(
    problems: Sequence[str],
    outputs: Any,
    test: Scores | None,
    train: Scores | None,
    minimum: Mapping[str, float] | None,
) -> str:
    """Return the one thing that helps most; empty where nothing can be said."""
    if problems or test is None:
        return "correct the model as said above, then train it again."
    boxes = np.asarray(heads(outputs)[1], dtype=float)
    if hint := box_scale_hint(boxes):
        return f"{hint[0].lower()}{hint[1:]}"
    low_class = minimum is not None and test.class_accuracy < minimum["class_accuracy"]
    low_boxes = minimum is not None and test.mean_iou < minimum["mean_iou"]
    if boxes.std(axis=0).max() < IMAGE_SIZE / 50 and (low_boxes or minimum is None):
        return _SAME_BOXES
    if train is not None and (by_heart := _by_heart(test, train, low_class, low_boxes, minimum is None)):
        return by_heart
    if minimum is None:
        return "pass the minimum, too, to see what is missing: check(model, reprs, annotations, minimum)."
    if low_class or low_boxes:
        return _NEITHER if low_class and low_boxes else _BOXES_ONLY if low_boxes else _CLASSES_ONLY
    if test.valid_accuracy < minimum.get("valid_accuracy", 0.0):
        return _NOT_TOGETHER
    return _DONE


def _by_heart(test: Scores, train: Scores, low_class: bool, low_boxes: bool, anyway: bool) -> str:
    """Advise where a measure is far better on the training images; only one that is too low, unless `anyway`."""
    gaps = [
        (seen - unseen, name, seen, unseen)
        for name, seen, unseen, low in (
            ("mean IoU", train.mean_iou, test.mean_iou, low_boxes),
            ("class accuracy", train.class_accuracy, test.class_accuracy, low_class),
        )
        if low or anyway
    ]
    gap, name, seen, unseen = max(gaps, default=(0.0, "", 0.0, 0.0))
    if gap <= GAP:
        return ""
    return (
        f"training and test differ by a lot ({name} {seen:.2f} and {unseen:.2f}): the model learns by heart. "
        "Add Dropout, use fewer channels or smaller Dense layers, or stop earlier."
    )


def _measured(value: float, minimum: float | None) -> str:
    if minimum is None:
        return f"{value:.3f}"
    return f"{value:.3f}, minimum {minimum:g}: {'reached' if value >= minimum else 'not yet'}"


def _one_line(error: Exception) -> str:
    """Return the first line of a message, as a sentence, not too long."""
    text = (str(error).strip().splitlines() or [""])[0][:200].rstrip(" .:")
    return f"{text}." if text else ""
