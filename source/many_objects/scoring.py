"""What student code may see of the course data, and what its detector reaches beyond what needs no look at places.

The notebook's own tests decide all points; what is measured here is shown beside them, and is what `course calibrate`
judges the minimums by. Runs outside the sandbox; expected values stay here.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from grading.scoring import (
    Answer,
    Array,
    Context,
    DrawnBox,
    Explanation,
    Gallery,
    GradingError,
    Measure,
    Picture,
    Question,
    Score,
    Table,
    built_once,
)
from helpers.blinding import blind_annotations
from helpers.boxes import center_to_corners, iou, voc_to_corners
from helpers.checks import partial_credit, thresholds_for
from helpers.data import (
    CLASSES,
    SEVERAL_REPRESENTATIONS,
    ImageAnnotation,
    image_path,
    load_all_annotations,
    split,
    year_folder,
)
from helpers.features import representation_key, write_plain_rows
from helpers.targets import IMAGE_SIZE, tensorize_objects

REPRESENTATIONS = "representations.h5"
THRESHOLDS = "thresholds.json"
GRID = 7
"""Cells in each direction."""
LEAST_SCORE = 0.01
"""Boxes with a lower score are not counted as found: the threshold of the notebook's `detect`."""
SURE = 0.3
"""Boxes with a lower score are not drawn, here and in the notebook."""
SHOWN = 4
"""How many of the best and of the worst images a feedback page shows."""
SAME_OBJECT = 0.5
"""An IoU above this: the box has found the object, or is another one's double."""
LARGEST = 1e6
"""Numbers beyond this, or NaN, are no detector's: all of its own lie between 0 and 1."""
NONE = -1
"""The label of a cell in which nothing was found."""
GRADUAL = ("map", "several")
"""Measures with points on the way to all of them: their thresholds are `<name>_start` and `<name>`."""


class Objects(NamedTuple):
    """What is in an image: labels (m,) and corner boxes (m, 4) in the 224-pixel frame."""

    labels: Array
    boxes: Array


def questions(context: Context) -> list[Question]:
    """What the detector has said of the test images as they are, and of the same with their maps moved."""
    return [Question("as_they_are", "outputs"), Question("moved", "outputs_moved")]


def student_view(context: Context, folder: Path) -> dict[str, Path]:
    """The course data without the labels of the test images: a model cannot learn what is not there.

    The representations are there as plain float32 in the order of the images, so that all submissions share one copy.
    """
    root, files = _files(_data(context))
    year = year_folder(root)
    images = load_all_annotations(root)
    tested = {image["filename"] for image in images[split(len(images)).test]}
    chosen = hashlib.sha256("\n".join(sorted(tested)).encode()).hexdigest()[:16]
    blinded = folder.with_name(f"{folder.name}-without-{chosen}")  # other test images: another view
    used = {image["filename"] for image in images}
    built_once(blinded, lambda target: blind_annotations(year / "Annotations", target, tested, used))
    rows = folder.with_name(f"{folder.name}-rows-{chosen}")
    built_once(rows, lambda target: write_plain_rows(files, images, target / REPRESENTATIONS))
    return {
        f"VOCdevkit/{year.name}/Annotations": blinded,
        f"VOCdevkit/{year.name}/JPEGImages": year / "JPEGImages",
        REPRESENTATIONS: rows / REPRESENTATIONS,
    }


def measures(answers: Mapping[str, Answer], scores: Mapping[str, Score], context: Context) -> list[Measure]:
    """The mAP less what is left of it when the maps are moved, against its minimum; and the mAP itself."""
    drawn = outcomes(answers, context)
    if not drawn:
        return []
    found, minimum = measured(drawn), _thresholds(context)
    return [
        Measure("mAP by looking, test images", max(found["map"], 0.0), minimum["map"], minimum["map_start"]),
        Measure(
            "mAP by looking, several objects", max(found["several"], 0.0), minimum["several"], minimum["several_start"]
        ),
        Measure("mAP, test images", found["whole_map"]),
        Measure("mAP, several objects", found["whole_several"]),
    ]


def explain(answers: Mapping[str, Answer], context: Context) -> Explanation:
    """What was found in the test images with several objects, and the average precision of each class."""
    drawn = outcomes(answers, context)
    if not drawn:
        return Explanation()
    sure = (drawn["as_they_are_labels"] != NONE) & (drawn["as_they_are_scores"] >= SURE)
    objects, right = drawn["objects"].sum(axis=1), (drawn["as_they_are_right"] * sure).sum(axis=1)
    f1 = 2 * right / (objects + sure.sum(axis=1))
    several = np.flatnonzero(objects > 1)
    order = several[np.argsort(-f1[several], kind="stable")]
    shown = min(SHOWN, len(order) // 2)
    outputs = answers["as_they_are"].results[0].value

    def pictures(chosen: Array) -> list[Picture]:
        return [
            _picture(context, int(index), outputs[index], drawn["as_they_are_labels"][index], sure[index], right[index])
            for index in chosen
        ]

    return Explanation(
        galleries=(
            Gallery(
                f"Best on the test images with several objects, boxes with a score of {SURE} and more",
                pictures(order[:shown]),
            ),
            Gallery("Worst on the test images with several objects", pictures(order[::-1][:shown])),
        ),
        tables=(_by_class(drawn, sure),),
        advice=_advice(drawn, sure, _thresholds(context)),
    )


def outcomes(answers: Mapping[str, Answer], context: Context) -> dict[str, Array]:
    """By name, what is known of each test image, N rows; empty without usable answers.

    `objects` (N, 5) counts the true objects of each class. For both ways of asking there are labels, scores and whether
    the box is right, each (N, 49): a box's place in a row means nothing, and a label of -1 is no box.
    """
    there = _truth(_data(context))
    counts = [np.bincount(objects.labels, minlength=len(CLASSES)) for objects in there]
    known = {"objects": np.array(counts, dtype=float)}
    for name in ("as_they_are", "moved"):
        outputs = _usable(answers[name], len(there))
        if outputs is None:
            return {}
        rows = [_judged(output, objects) for output, objects in zip(outputs, there, strict=True)]
        for column, values in zip(("labels", "scores", "right"), zip(*rows, strict=True), strict=True):
            known[f"{name}_{column}"] = np.array(values)
    return known


def measured(drawn: Mapping[str, Array]) -> dict[str, float]:
    """Return the measures of some images: rows of what `outcomes` gave, in any number."""
    several = drawn["objects"].sum(axis=1) > 1
    of_several = {name: rows[several] for name, rows in drawn.items()}
    whole_map, whole_several = _mean_average_precision(drawn), _mean_average_precision(of_several)
    return {
        "map": whole_map - _mean_average_precision(drawn, "moved"),
        "several": whole_several - _mean_average_precision(of_several, "moved"),
        "whole_map": whole_map,
        "whole_several": whole_several,
    }


def worth(found: Mapping[str, float], minimum: Mapping[str, float], most: Mapping[str, float]) -> dict[str, float]:
    """Return the points by grade id that measures are worth, as the notebook's tests give them to a detector."""
    return {
        grade_id: partial_credit(found[name], minimum[f"{name}_start"], minimum[name], int(most[grade_id]))
        for name, grade_id in zip(GRADUAL, ("test_detector", "test_several"), strict=True)
    }


def thresholds_key(context: Context) -> str:
    """The entry of thresholds.json that holds for the representations in use, or would if it existed."""
    return representation_key(_files(_data(context))[1][0])


def _picture(context: Context, index: int, output: Array, labels: Array, sure: Array, right: float) -> Picture:
    """A test image with its objects and the boxes that the detector is sure of, so many of them right."""
    root, image = _files(_data(context))[0], _tested(_data(context))[index]
    width, height = image["size"]
    _, scores, boxes = _decoded(output)
    found = [
        DrawnBox(
            tuple(map(float, box * [width, height, width, height] / IMAGE_SIZE)),
            f"{CLASSES[int(label)]} {score:.2f}",
            False,
        )
        for label, score, box in zip(labels[sure], scores[sure], boxes[sure], strict=True)
    ]
    there = [DrawnBox(tuple(map(float, voc_to_corners(one["bbox"]))), one["class"], True) for one in image["objects"]]
    said = f"{right:.0f} of {len(found)} boxes right, {len(there)} objects there"
    return Picture(image_path(root, image), (width, height), [*there, *found], said)


def _advice(drawn: Mapping[str, Array], sure: Array, minimum: Mapping[str, float]) -> list[str]:
    """What to try next, the most useful first; nothing for a detector that has all points."""
    found, objects = measured(drawn), int(drawn["objects"].sum())
    boxes, right = int(sure.sum()), int((drawn["as_they_are_right"] * sure).sum())
    if all(found[name] >= minimum[name] for name in GRADUAL):
        return []
    if boxes < objects / 10:
        return [
            f"Your detector is sure of next to nothing: {boxes} boxes have a score of {SURE}, for {objects} objects. Was "
            "it trained long enough, do the few cells with an object count enough in the loss beside the many empty "
            "ones, and do the targets name the right cells (the row comes from cy, the column from cx)?"
        ]
    advice = []
    if found["map"] < found["whole_map"] / 2:
        advice.append(
            "Your detector says much the same when the maps are moved: something on the way averages the positions "
            "away (global pooling), or the answer does not depend on them. Convolutions keep them."
        )
    if boxes > 2 * objects:
        advice.append(
            f"It claims {boxes} boxes for {objects} objects. The cells without an object have to learn to say so: look "
            "at their part of the loss, and at the objectness of the output."
        )
    elif right < boxes / 2:
        advice.append(
            f"Of {boxes} boxes only {right} are right. Do they lie beside the objects? Compare what your targets say "
            "with how the cells are decoded. If they fit, train longer: a cell has to see where an object ends."
        )
    if sure.sum(axis=1).max() == 1 < drawn["objects"].sum(axis=1).max():
        advice.append(
            "It never finds more than one object in an image. Does each cell speak for itself, or does the surest one, "
            "or one answer for the whole image, silence the others?"
        )
    return advice or [
        f"It is on the right way: {right} of {objects} objects are found. Does a cell see enough of the image to know "
        "where an object ends? Train longer, or let more positions talk to each other."
    ]


def _by_class(drawn: Mapping[str, Array], sure: Array) -> Table:
    labels, right = drawn["as_they_are_labels"], drawn["as_they_are_right"]
    rows: list[tuple[str | float, ...]] = []
    for label in np.flatnonzero(drawn["objects"].sum(axis=0)):
        alone = {**drawn, "objects": drawn["objects"] * (np.arange(len(CLASSES)) == label)}
        total, here = int(alone["objects"].sum()), (labels == label) & sure
        precision = _mean_average_precision(alone), _mean_average_precision(alone, "moved")
        rows.append((CLASSES[label], total, int(here.sum()), int((right * here).sum()), *precision))
    columns = ("Class", "Objects", f"Found, score {SURE} and more", "Of these right", "AP", "AP, maps moved")
    return Table("By class, on the test images", columns, rows)


def _judged(output: Array, objects: Objects) -> tuple[Array, Array, Array]:
    """Return labels, scores and whether it is right, each (49,), of the boxes that an output (7, 7, 10) gives.

    Suppressed boxes are left out; right is which VOC's development kit calls so, class by class.
    """
    labels, scores, boxes = _decoded(output)
    right = np.zeros(len(labels))
    for label in range(len(CLASSES)):
        here = np.flatnonzero(labels == label)
        here = here[np.argsort(-scores[here], kind="stable")]
        kept = here[_kept(boxes[here])]
        labels[np.setdiff1d(here, kept)] = NONE
        right[kept] = _right(boxes[kept], objects.boxes[objects.labels == label])
    return labels, scores, right


def _decoded(output: Array) -> tuple[Array, Array, Array]:
    """Labels (49,), scores (49,) and corner boxes (49, 4) that the cells give; the label of unsure ones is -1."""
    cells = output.reshape(-1, output.shape[-1]).astype(np.float64)
    row, column = np.divmod(np.arange(len(cells)), GRID)
    centre = (np.stack([column, row], axis=1) + cells[:, 1:3]) * (IMAGE_SIZE / GRID)
    boxes = center_to_corners(np.concatenate([centre, cells[:, 3:5] * IMAGE_SIZE], axis=1)).clip(0, IMAGE_SIZE)
    scores = cells[:, 0] * cells[:, 5:].max(axis=1)
    return np.where(scores >= LEAST_SCORE, cells[:, 5:].argmax(axis=1), NONE), scores, boxes


def _kept(boxes: Array) -> list[int]:
    """Indices of the boxes (n, 4), the surest first, that non-maximum suppression keeps."""
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if np.all(iou(box, boxes[kept]) <= SAME_OBJECT):
            kept.append(index)
    return kept


def _right(boxes: Array, truth: Array) -> Array:
    """Which boxes (n, 4) of one class, the surest first, have found a true one (m, 4) that none before has claimed."""
    right, taken = np.zeros(len(boxes)), set()
    for index, box in enumerate(boxes if len(truth) else ()):
        overlaps = np.asarray(iou(box, truth))
        best = int(overlaps.argmax())
        if overlaps[best] > SAME_OBJECT and best not in taken:
            right[index] = 1
            taken.add(best)
    return right


def _mean_average_precision(drawn: Mapping[str, Array], asked: str = "as_they_are") -> float:
    """mAP at an IoU of 0.5 as VOC's development kit has it since 2010; 0 where there is no object at all."""
    labels, scores, right = (drawn[f"{asked}_{column}"].ravel() for column in ("labels", "scores", "right"))
    order = np.argsort(-scores, kind="stable")
    labels, right = labels[order], right[order]
    totals = drawn["objects"].sum(axis=0)
    found = [_average_precision(right[labels == label], totals[label]) for label in np.flatnonzero(totals)]
    return float(np.mean(found)) if found else 0.0


def _average_precision(right: Array, total: float) -> float:
    """Area under the interpolated curve of precision against recall, of boxes with the surest first."""
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * right).sum() / total)


def _usable(answer: Answer, images: int) -> Array | None:
    """Return outputs (N, 7, 7, 10), or None where what came is something else."""
    if answer.failure:
        return None
    value = answer.results[0].value
    shape = (images, GRID, GRID, 5 + len(CLASSES))
    if not isinstance(value, np.ndarray) or value.shape != shape or value.dtype.kind != "f":
        return None
    return value if (np.abs(value) <= LARGEST).all() else None


def _thresholds(context: Context) -> dict[str, float]:
    every = json.loads((context.source / THRESHOLDS).read_text(encoding="utf-8"))
    return thresholds_for(every, thresholds_key(context))


@cache
def _tested(folder: Path) -> list[ImageAnnotation]:
    """The test images, the last tenth."""
    images = load_all_annotations(_files(folder)[0])
    return images[split(len(images)).test]


@cache
def _truth(folder: Path) -> list[Objects]:
    """What is in each of the test images."""
    there = (tensorize_objects(image) for image in _tested(folder))
    return [Objects(labels, center_to_corners(boxes)) for labels, boxes in there]


def _data(context: Context) -> Path:
    if context.data is None:
        raise GradingError(
            f"this assignment needs the course data: a folder with VOCdevkit/, {REPRESENTATIONS} and "
            f"{SEVERAL_REPRESENTATIONS}. Name it by --data, by COURSE_DATA or by c.Grading.data (`course sample` prints "
            "one to try with)"
        )
    return context.data


def _files(folder: Path) -> tuple[Path, list[Path]]:
    """Data root and representations files of a data folder."""
    roots = [folder / "VOCdevkit", *sorted(path.parent.parent for path in folder.glob("*/*/Annotations")), folder]
    root = next((root for root in roots if list(root.glob("*/Annotations"))), None)
    files = [folder / name for name in (REPRESENTATIONS, SEVERAL_REPRESENTATIONS) if (folder / name).is_file()]
    if root is None or not files:
        raise GradingError(
            f"{folder} holds no VOC-format folder with annotations, or neither {REPRESENTATIONS} nor "
            f"{SEVERAL_REPRESENTATIONS} beside it"
        )
    return root, files
