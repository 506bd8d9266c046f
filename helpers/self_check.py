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
from helpers.localising import (
    MOVED_IMAGES,
    NO_POSITIONS,
    Found,
    localising,
    lost_by_moving,
    moved_maps,
    place,
    without_localising,
)
from helpers.metrics import Scores, accuracy_and_iou, per_example_iou, predict_dicts
from helpers.targets import IMAGE_SIZE

WORTH_POINTS = ("heads", "class accuracy", "IoU gained", "following", "positions")
"""Lines of the table that a notebook's visible tests give points for."""
GAP = 0.2
"""Training above validation scores by more than this, where the latter are too low: learnt by heart.

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
_OF_BOXES = ("iou_gained", "follows", "positions")
_NO_POSITIONS = (
    "your boxes do not change when the maps are moved: something on the way to the box head averages the positions "
    "away. Keep them (a Conv2D with few channels, then Flatten, no global pooling)."
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
_DONE = (
    "everything that the visible tests ask is reached on these images. Run the tests below, once, to see whether that "
    "is true of the test images; then save the notebook and hand it in."
)


@dataclass(frozen=True)
class Progress:
    """Findings of `check`; `str()` of them is what it prints."""

    problems: tuple[str, ...]
    """Why there is nothing to measure, or what is wrong with the heads; empty when all is well."""
    found: Found | None
    """On the validation images; None, as for training: not asked for, or not to be measured."""
    train: Scores | None
    images: int
    """How many validation images there are."""
    minimum: Mapping[str, float] | None
    next_step: str
    worth: Mapping[str, int] | None = None
    """Points that each line of WORTH_POINTS is worth in the notebook; None: it did not say."""

    @property
    def points(self) -> dict[str, int] | None:
        """Points by visible test, as the notebook's tests give them; None without a minimum or what each is worth."""
        if self.minimum is None or self.worth is None:
            return None
        found, least, worth = self.by_name, self.minimum, self.worth

        def share(line: str, name: str) -> int:
            return partial_credit(found.get(name, np.nan), least[f"{name}_start"], least[name], worth[line])

        enough = found.get("class_accuracy", 0.0) >= least["class_accuracy"]
        return {
            "heads": 0 if self.problems else worth["heads"],
            "class accuracy": worth["class accuracy"] if enough and found else 0,
            "IoU gained": share("IoU gained", "iou_gained"),
            "following": share("following", "follows"),
            "positions": share("positions", "positions"),
        }

    @property
    def by_name(self) -> dict[str, float]:
        """Every measure by the name of its threshold; empty where nothing could be measured."""
        return {} if self.found is None else self.found.by_name()

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
        if self.found is None:
            return []
        found, points, most = self.by_name, self.points, self.worth or {}
        said = {
            "class accuracy": ("class_accuracy", f"{found['class_accuracy']:.3f}"),
            "IoU gained": ("iou_gained", f"{found['iou_gained']:+.3f}"),
            "following": ("follows", f"centre {found['centre']:.2f}, size {found['size']:.2f}"),
            "positions": ("positions", f"{found['positions']:.3f} lost when moved"),
        }
        rows = {"heads": "not as they should be" if self.problems else "two, with the right shapes"}
        rows |= {line: f"{words}{self._compared(name)}" for line, (name, words) in said.items()}
        worth = {name: f"{points[name]} of {most[name]} points" for name in points} if points else {}
        width = max(map(len, rows.values()))
        lines = [f"On the {self.images} validation images (mean IoU {found['mean_iou']:.3f}):", ""]
        lines += [f"  {name:<14}  {words:<{width}}  {worth.get(name, '')}".rstrip() for name, words in rows.items()]
        lines.append("")
        if points:
            total = f"{sum(points.values())} of {sum(most.values())} points"
            lines.append(f"If the test images were these, the visible tests would give {total}.")
        return lines

    def _compared(self, name: str) -> str:
        """Say whether all points are reached for a measure, where that is known."""
        if self.minimum is None or name not in self.minimum:
            return ""
        reached = self.by_name[name] >= self.minimum[name]
        return f"; all from {self.minimum[name]:g}: {'reached' if reached else 'not yet'}"


@dataclass(frozen=True)
class _Part:
    """Representations (N, 7, 7, 2048) and the annotations of the same N images."""

    reprs: npt.NDArray[np.floating[Any]]
    annotations: Sequence[Annotation]


@dataclass(frozen=True)
class _Data:
    """What a model is measured on; none of it are test images."""

    validation: _Part
    known: Sequence[Annotation]
    """Annotations of the images that `fit` learns from."""
    train: _Part | None
    """The same images, where their representations are at hand."""


def check(
    model: Any,
    reprs: npt.NDArray[np.floating[Any]] | None = None,
    annotations: Sequence[Annotation] | None = None,
    minimum: Mapping[str, float] | None = None,
    points: Mapping[str, int] | None = None,
    to_do: str = _NOT_DONE,
) -> None:
    """Print where a model stands against the visible tests, and what to do next; never fails for a wrong model.

    It is measured on the validation images: the test images are for the last look, at the end.

    Args:
        model: a trained model; None says what to do first.
        reprs: representations (N, 7, 7, 2048) of the whole image set, training part and test part. Without them
            and the annotations, the validation images are loaded from where the notebook has its data.
        annotations: the N annotations.
        minimum: what has to be reached, as `thresholds_for` gives it; without it, no points are told.
        points: what the notebook's tests of WORTH_POINTS are worth, by these names; without it, no points are told.
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
    """Return what `check` prints, as data: one prediction for the validation images and one for training."""
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
        data = _stored() if reprs is None or annotations is None else _divided(reprs, annotations)
    except (OSError, ValueError, TypeError) as error:
        return stopped(f"The data cannot be used: {error}")
    few = moved_maps(data.validation.reprs[:MOVED_IMAGES])
    try:
        outputs, moved = (model.predict(maps, verbose=0) for maps in (data.validation.reprs, few))
        train_outputs = None if data.train is None else model.predict(data.train.reprs, verbose=0)
    except Exception as error:  # whatever a student's layers raise
        return stopped(
            f"The model cannot predict: {type(error).__name__}: {_one_line(error)} "
            "Its input must have the shape (7, 7, 2048). Correct the function that makes it and train again."
        )
    # The notebook's test looks at the very first rows.
    first, of_first = (data.validation, outputs) if data.train is None else (data.train, train_outputs)
    problems = _head_problems(of_first, min(_FEW, len(first.reprs)))
    found = _found(outputs, moved, data)
    if found is None and not problems:
        problems = (_UNREADABLE,)
    train = None if data.train is None else _scores(train_outputs, data.train)
    return Progress(
        problems=problems,
        found=found,
        train=train,
        images=len(data.validation.annotations),
        minimum=minimum,
        next_step=_next_step(problems, outputs, found, train, minimum),
        worth=worth,
    )


def _whole(points: Mapping[str, int] | None) -> dict[str, int] | None:
    """Return what each test is worth; None where the notebook did not say it of all, or is not released yet."""
    worth = {name: value for name, value in (points or {}).items() if name in WORTH_POINTS and isinstance(value, int)}
    return worth if len(worth) == len(WORTH_POINTS) else None


def _divided(reprs: Any, annotations: Sequence[Annotation]) -> _Data:
    if len(reprs) != len(annotations):
        raise ValueError(f"{len(reprs)} representations do not belong to {len(annotations)} annotations.")
    held_out = split(len(annotations)).validation
    known = annotations[: held_out.start]
    return _Data(_Part(reprs[held_out], annotations[held_out]), known, _Part(reprs[: held_out.start], known))


def _stored() -> _Data:
    """Load the validation images alone, from the files that the notebook has fetched; nothing is downloaded."""
    try:
        root, path = fetch_voc2007(urls=()), fetch_representations(urls=())
    except (OSError, RuntimeError) as error:  # no URL, so DownloadError, a RuntimeError, means: not there
        raise ValueError(
            "it is not where the notebook puts it. Run the cell that fetches it, or pass the representations and the "
            "annotations that the notebook has."
        ) from error
    annotations = load_annotations(root)
    held_out = split(len(annotations)).validation
    chosen = annotations[held_out]
    return _Data(_Part(load_representations(path, chosen, root), chosen), annotations[: held_out.start], None)


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


def _found(outputs: Any, moved: Any, data: _Data) -> Found | None:
    trues, maps = data.validation.annotations, data.validation.reprs
    scores = _scores(outputs, data.validation)
    if scores is None:
        return None
    placed = place(predict_dicts(lambda _: outputs, maps, trues), trues, without_localising(data.known, trues))
    few = [*trues[:MOVED_IMAGES], *trues[:MOVED_IMAGES]]
    elsewhere = per_example_iou(predict_dicts(lambda _: moved, np.concatenate([maps[:MOVED_IMAGES]] * 2), few), few)
    lost = lost_by_moving(placed.ious[:MOVED_IMAGES], elsewhere)
    return Found(scores, localising(placed), float(lost.mean()))


def _next_step(
    problems: Sequence[str],
    outputs: Any,
    found: Found | None,
    train: Scores | None,
    minimum: Mapping[str, float] | None,
) -> str:
    """Return the one thing that helps most; empty where nothing can be said."""
    if problems or found is None:
        return "correct the model as said above, then train it again."
    scores = found.scores
    boxes = np.asarray(heads(outputs)[1], dtype=float)
    if hint := box_scale_hint(boxes):
        return f"{hint[0].lower()}{hint[1:]}"
    low_class = minimum is not None and scores.class_accuracy < minimum["class_accuracy"]
    reached = found.by_name()
    low_boxes = minimum is not None and any(reached[name] < minimum[name] for name in _OF_BOXES)
    if boxes.std(axis=0).max() < IMAGE_SIZE / 50 and (low_boxes or minimum is None):
        return _SAME_BOXES
    if minimum is not None and abs(found.positions) < NO_POSITIONS:
        return _NO_POSITIONS
    if train is not None and (by_heart := _by_heart(scores, train, low_class, low_boxes, minimum is None)):
        return by_heart
    if minimum is None:
        return "pass the minimum, too, to see what is missing: check(model, reprs, annotations, minimum)."
    if low_class or low_boxes:
        return _NEITHER if low_class and low_boxes else _BOXES_ONLY if low_boxes else _CLASSES_ONLY
    return _DONE


def _by_heart(unseen: Scores, train: Scores, low_class: bool, low_boxes: bool, anyway: bool) -> str:
    """Advise where a measure is far better on the training images; only one that is too low, unless `anyway`."""
    gaps = [
        (seen - new, name, seen, new)
        for name, seen, new, low in (
            ("mean IoU", train.mean_iou, unseen.mean_iou, low_boxes),
            ("class accuracy", train.class_accuracy, unseen.class_accuracy, low_class),
        )
        if low or anyway
    ]
    gap, name, seen, new = max(gaps, default=(0.0, "", 0.0, 0.0))
    if gap <= GAP:
        return ""
    return (
        f"training and validation differ by a lot ({name} {seen:.2f} and {new:.2f}): the model learns by heart. "
        "Add Dropout, use fewer channels or smaller Dense layers, or stop earlier."
    )


def _one_line(error: Exception) -> str:
    """Return the first line of a message, as a sentence, not too long."""
    text = (str(error).strip().splitlines() or [""])[0][:200].rstrip(" .:")
    return f"{text}." if text else ""
