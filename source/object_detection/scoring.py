"""What is asked of a submission and what it is worth. Runs outside the sandbox; expected values stay here.

The notebook's own tests decide the points. With private evaluation data (`c.Grading.withheld`, made by
`private_images.py`), class and box are scored here instead, on photographs whose labels student code never sees, and
the public test set is only compared with it. The labels of the test images are taken out of what student code sees.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
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
    predict,
)
from helpers.blinding import blind_annotations
from helpers.boxes import voc_to_corners
from helpers.checks import (
    accuracy_in_words,
    box_scale_hint,
    follows_in_words,
    gain_in_words,
    output_problems,
    partial_credit,
    thresholds_for,
)
from helpers.data import CLASSES, Annotation, image_path, load_annotations, split, year_folder
from helpers.features import is_plain, load_representations, representation_key, write_plain
from helpers.localising import (
    MOVED_IMAGES,
    NO_POSITIONS,
    Found,
    Placed,
    localising,
    lost_by_moving,
    moved_maps,
    place,
    without_localising,
)
from helpers.metrics import Scores, accuracy_and_iou, per_example_iou
from helpers.targets import IMAGE_SIZE, Prediction, interpret_outputs, tensorize_ground_truth

SUSPICIOUS_GAP = 0.25
"""A mean IoU on the public test set that is this much above the private one is flagged.

Private images may be harder: with 108 photographs that show other, difficult objects too, an honest solution had 0.535
in public and 0.392 in private (tests/assignments/test_object_detection_scoring.py prints it). Learning by heart gives more
than 0.9 in public.
"""
SHOWN = 6
"""How many of the best and of the worst predictions a feedback page shows."""
FOUND = 0.5
"""IoU above which an object counts as found."""
MOST_ADVICE = 3
SAME = IMAGE_SIZE / 50
"""Boxes that spread less than this (pixels) are as good as the same for every image."""
EDGE = 2.0
"""Pixels from the ends of the frame: what a sigmoid gives that is stuck."""
SAME_CLASSES = 0.01
"""Probabilities that spread less than this are as good as the same for every image."""
HALF = 0.5
GUESSING = 0.5
"""Class accuracy below which next to nothing was learnt; the most frequent class is right for 0.2 to 0.3."""
FEW_EPOCHS = 2
DROWNS, TOO_LIGHT = 0.99, 0.03
"""Share of the boxes in the whole loss above which the class gets nothing, and below which they do."""
ROOM = 0.05
"""Above the least class accuracy: a class that has only just got there."""
FAR_APART = 1.08
"""Loss in training, with Dropout, as a multiple of that on validation images, without: too much is dropped."""
BY_HEART = 2.0
"""The other way round: learnt by heart."""
TIMID = 0.45
"""Spread of the centres, as a share of the objects', below which boxes stay near the middle."""
POOR_FOLLOWING, GOOD_IOU = 0.2, 0.4
PAIR = "annotations.json"
THRESHOLDS = "thresholds.json"


HISTORY = '[history.history[name] for name in ("loss", "val_loss", better_model.output_names[0] + "_loss")]'
"""What the training reported, epoch by epoch: the whole loss, on validation images too, and the class head's.

The model is asked for first: without one, `history` would be a demonstration's, and be missed as a name.
"""


class Curves(NamedTuple):
    """Losses (epochs,) that the training reported; what they say helps with advice and decides nothing."""

    total: Array
    validation: Array
    """The whole loss on the validation images."""
    classes: Array
    """That of the class head, before it is weighted; its weight is taken to be 1."""


@dataclass(frozen=True)
class Evaluation:
    """Images to predict, and what is true about them."""

    annotations: list[Annotation]
    representations: Array
    without: Array
    """IoU that the best boxes which need no localising have with each image's object."""


def questions(context: Context) -> list[Question]:
    """What the model predicts for the test images, as they are and moved, and for the private ones, which decide.

    And how its training went.
    """
    maps = _public(context).representations
    asked = [
        predict("public", "better_model", maps),
        predict("moved", "better_model", moved_maps(maps[:MOVED_IMAGES])),
        Question("history", HISTORY),
    ]
    if context.withheld:
        asked.append(predict("private", "better_model", _private(context).representations))
    return asked


def student_view(context: Context, folder: Path) -> dict[str, Path]:
    """The course data without the labels of the test images: a model cannot learn what is not there.

    The representations are there as plain float32, so that all submissions share one copy, which none has to unpack.
    """
    root, representations = _files(_data(context))
    year = year_folder(root)
    tested = {annotation["filename"] for annotation in _public(context).annotations}
    chosen = hashlib.sha256("\n".join(sorted(tested)).encode()).hexdigest()[:16]
    blinded = folder.with_name(f"{folder.name}-without-{chosen}")  # other test images: another view
    built_once(blinded, lambda target: blind_annotations(year / "Annotations", target, tested))
    return {
        f"VOCdevkit/{year.name}/Annotations": blinded,
        f"VOCdevkit/{year.name}/JPEGImages": year / "JPEGImages",
        representations.name: _plain(representations, folder.with_name(f"{folder.name}-representations")),
    }


def _plain(representations: Path, folder: Path) -> Path:
    """A file that `load_representations` maps rather than reads: the one there is, or a copy of it in `folder`."""
    if is_plain(representations):
        return representations
    built_once(folder, lambda target: write_plain(representations, target / representations.name))
    return folder / representations.name


def scored(context: Context) -> tuple[str, ...]:
    """Questions that are decided here: those that are asked on private images, where there are some."""
    return ("test_class_accuracy", "test_iou", "test_follows") if context.withheld else ()


def score(answers: Mapping[str, Answer], context: Context) -> dict[str, Score]:
    """Points for class and box on the private images; without any, the notebook's own tests decide."""
    if not context.withheld:
        return {}
    found = _measure(answers["private"], _private(context))
    if isinstance(found, str):
        return {name: Score(0, found) for name in scored(context)}
    minimum, most, place = _thresholds(context), context.max_points, found.place
    points = worth(found.by_name(), minimum, most)
    said = {
        "test_class_accuracy": accuracy_in_words(found.scores.class_accuracy, minimum["class_accuracy"], "private"),
        "test_iou": gain_in_words(
            place.iou_gained, minimum["iou_gained_start"], minimum["iou_gained"], most["test_iou"], "private"
        ),
        "test_follows": follows_in_words(
            place.centre, place.size, minimum["follows_start"], minimum["follows"], most["test_follows"], "private"
        ),
    }
    facts = _facts("public", _measure_public(answers, context)) | _facts("private", found)
    return {name: Score(points[name], said[name], facts if name == "test_iou" else {}) for name in scored(context)}


def _thresholds(context: Context) -> dict[str, float]:
    """The thresholds of the representations in use; private images may bring their own, in a file beside them."""
    every = json.loads((context.source / THRESHOLDS).read_text(encoding="utf-8"))
    found = thresholds_for(every, representation_key(_files(_data(context))[1]))
    if context.withheld and (context.withheld / THRESHOLDS).is_file():
        own: dict[str, float] = json.loads((context.withheld / THRESHOLDS).read_text(encoding="utf-8"))
        return {**found, **own}
    return found


def flags(scores: Mapping[str, Score]) -> list[str]:
    """What the instructor should look at: a test score far above the private one."""
    facts = scores["test_iou"].facts if "test_iou" in scores else {}
    if facts.get("public_mean_iou", 0) - facts.get("private_mean_iou", np.inf) > SUSPICIOUS_GAP:
        return [
            f"the mean IoU is {facts['public_mean_iou']:.3f} on the test images and "
            f"{facts['private_mean_iou']:.3f} on the private ones: has it learnt the test images by heart?"
        ]
    return []


def measures(answers: Mapping[str, Answer], scores: Mapping[str, Score], context: Context) -> list[Measure]:
    """Accuracy, IoU and what needs localising, against the minimum, on the images that decide and on the others."""
    minimum = _thresholds(context)
    facts = _facts("public", _measure_public(answers, context))
    if context.withheld:
        facts |= _facts("private", _measure(answers["private"], _private(context)))
    found = []
    for kind, where in (("private", "private images"), ("public", "test images")):
        for name, words in (
            ("class_accuracy", "Class accuracy"),
            ("iou_gained", "IoU gained"),
            ("follows", "Following the object"),
            ("positions", "IoU from positions"),
            ("mean_iou", "Mean IoU"),
            ("valid_accuracy", "Valid accuracy"),
        ):
            value = facts.get(f"{kind}_{name}")
            if value is None:
                continue
            decides = not context.withheld or (kind == "public") == (name == "positions")
            bounds = (minimum.get(name), minimum.get(f"{name}_start")) if decides else (None, None)
            found.append(Measure(f"{words}, {where}", max(value, 0.0), *bounds))
    return found


def explain(answers: Mapping[str, Answer], context: Context) -> Explanation:
    """Best and worst predictions on the public test images, results by class, and what to try next."""
    evaluation, root = _public(context), _files(_data(context))[0]
    if problem := _problems(answers["public"], len(evaluation.annotations)):
        return Explanation(advice=[] if answers["public"].failure else [problem])
    predictions, trues = _predictions(answers["public"], evaluation.annotations), evaluation.annotations
    ious = per_example_iou(predictions, trues)
    order = [int(index) for index in np.argsort(-ious, kind="stable")]
    shown = min(SHOWN, len(order) // 2)

    def pictures(chosen: list[int]) -> list[Picture]:
        return [_picture(root, trues[index], predictions[index], float(ious[index])) for index in chosen]

    return Explanation(
        galleries=(
            Gallery("Best on the test images, by IoU", pictures(order[:shown])),
            Gallery("Worst on the test images, by IoU", pictures(order[::-1][:shown])),
        ),
        tables=(_by_class(predictions, trues, ious),),
        advice=_advice(answers, context),
    )


GRADUAL = ("iou_gained", "follows", "positions")
"""Measures with points on the way to all of them: their thresholds are `<name>_start` and `<name>`."""


def outcomes(answers: Mapping[str, Answer], context: Context) -> dict[str, Array]:
    """By name, what is known of each public test image, N rows; empty without usable answers."""
    evaluation, answer = _public(context), answers["public"]
    if _problems(answer, len(evaluation.annotations)):
        return {}
    predictions, trues = _predictions(answer, evaluation.annotations), evaluation.annotations
    pairs = zip(predictions, trues, strict=True)
    right = np.array([prediction["class"] == true["class"] for prediction, true in pairs])
    placed = place(predictions, trues, evaluation.without)
    lost = np.full(len(trues), np.nan)  # only some images are asked about
    known = _lost(answers, placed.ious, trues)
    lost[: len(known)] = known
    return {"right": right.astype(float), "lost": lost, **placed._asdict()}


def measured(drawn: Mapping[str, Array]) -> dict[str, float]:
    """Return the measures of some images: rows of what `outcomes` gave, in any number."""
    found = localising(Placed(*(drawn[name] for name in Placed._fields)))
    return {
        "class_accuracy": float(drawn["right"].mean()),
        "iou_gained": found.iou_gained,
        "follows": found.follows,
        "positions": float(np.nanmean(drawn["lost"])),
        "centre": found.centre,
        "size": found.size,
        "mean_iou": float(drawn["ious"].mean()),
    }


def worth(found: Mapping[str, float], minimum: Mapping[str, float], most: Mapping[str, float]) -> dict[str, float]:
    """Return the points by grade id that measures are worth, as the notebook's tests give them to a sound model."""

    def share(name: str, grade_id: str) -> int:
        return partial_credit(found[name], minimum[f"{name}_start"], minimum[name], int(most[grade_id]))

    return {
        "test_class_accuracy": most["test_class_accuracy"] * (found["class_accuracy"] >= minimum["class_accuracy"]),
        "test_iou": share("iou_gained", "test_iou"),
        "test_follows": share("follows", "test_follows"),
        "test_positions": share("positions", "test_positions"),
        "hidden_tests": most["hidden_tests"] * (found["follows"] > minimum["follows_start"]),
    }


def thresholds_key(context: Context) -> str:
    """The entry of thresholds.json that holds for the representations in use, or would if it existed."""
    return representation_key(_files(_data(context))[1])


def _picture(root: Path, true: Annotation, prediction: Prediction, overlap: float) -> Picture:
    boxes = [
        DrawnBox(tuple(map(float, voc_to_corners(item["bbox"]))), item["class"], item is true)
        for item in (true, prediction)
    ]
    said = f"IoU {overlap:.2f}: {true['class']}, predicted as {prediction['class']}"
    width, height = true["size"][:2]
    return Picture(
        image_path(root, true), (width, height), boxes, f"{said} with confidence {prediction['confidence']:.2f}"
    )


def _by_class(predictions: list[Prediction], trues: list[Annotation], ious: Array) -> Table:
    named = np.array([prediction["class"] for prediction in predictions])
    wanted = np.array([true["class"] for true in trues])
    rows: list[tuple[str | float, ...]] = []
    for name in CLASSES:
        here = wanted == name
        if here.any():
            right = named[here] == name
            valid = right & (ious[here] > FOUND)
            wrong = named[here][~right]
            confused = max(sorted(set(wrong)), key=list(wrong).count) if len(wrong) else "–"
            rows.append((name, int(here.sum()), right.mean(), ious[here].mean(), valid.mean(), str(confused)))
    columns = ("Class", "Images", "Class accuracy", "Mean IoU", "Valid accuracy", "Most often taken for")
    return Table("By class, on the test images", columns, rows)


def _advice(answers: Mapping[str, Answer], context: Context) -> list[str]:
    """Say what to try next, from predictions and training curves: the cause first, three at most."""
    trues, raw = _public(context).annotations, answers["public"].results[0]
    classes, boxes = (array.astype(np.float64) for array in raw.arrays)
    if hint := box_scale_hint(boxes):
        return [hint]
    found, minimum = _measure_public(answers, context), _thresholds(context)
    assert isinstance(found, Found), "explain has looked"
    curves = _curves(answers)
    if cause := _same_or_stuck(classes, boxes) or _hardly_learnt(found, curves) or _drowned(found, curves, minimum):
        return [cause]
    reached = found.by_name()
    if all(reached[name] >= minimum[name] for name in ("class_accuracy", *GRADUAL)):
        return []
    said = [
        *_of_positions(boxes, trues, found, curves, minimum),
        *_of_classes(found, minimum),
        *_of_precision(_predictions(answers["public"], trues), trues),
    ]
    return said[:MOST_ADVICE]


def _curves(answers: Mapping[str, Answer]) -> Curves | None:
    """Return the losses that the training reported, if they are numbers, one for each epoch."""
    answer = answers.get("history")
    if answer is None or answer.failure or answer.results[0].several:
        return None
    losses = answer.results[0].arrays[0]
    if losses.dtype.kind not in "iuf" or losses.ndim != 2 or len(losses) != 3 or not losses.size:
        return None
    return Curves(*losses.astype(np.float64)) if np.isfinite(losses).all() and losses.min() > 0 else None


def _same_or_stuck(classes: Array, boxes: Array) -> str:
    """Training that broke the model."""
    same_boxes = boxes.std(axis=0).max() < SAME
    if same_boxes and classes.std(axis=0).max() < SAME_CLASSES:
        return (
            "Your model gives the same answer for every image, class and box: nothing of the image gets through any "
            "more. The learning rate is far too high. Try a hundredth of it."
        )
    if np.mean((boxes < EDGE) | (boxes > IMAGE_SIZE - EDGE)) > HALF:
        return (
            "Most numbers of your boxes lie at the ends of what the head can give, 0 or 224: its sigmoid is saturated. "
            "Too many values go straight into it (Flatten on all channels), or the learning rate is far too high. "
            "Reduce the channels first."
        )
    return ""


def _hardly_learnt(found: Found, curves: Curves | None) -> str:
    """Training that was too short, or took steps that are too small."""
    right = found.scores.class_accuracy
    if curves is not None and len(curves.total) <= FEW_EPOCHS:
        epochs = len(curves.total)
        return f"Your model has seen the images {'once' if epochs == 1 else 'twice'} only (epochs): train longer."
    if right < GUESSING and found.place.follows < POOR_FOLLOWING:
        return (
            f"Hardly anything was learnt: the class is right for {right:.0%}, and the boxes do not follow the objects. "
            "The learning rate is far too low, or the training far too short."
        )
    return ""


def _drowned(found: Found, curves: Curves | None, minimum: Mapping[str, float]) -> str:
    """One loss that has no weight beside the other."""
    if curves is None:
        return ""
    boxes_share = 1 - curves.classes[0] / curves.total[0]  # later the class may be known by heart
    if boxes_share > DROWNS and found.scores.class_accuracy < minimum["class_accuracy"] + ROOM:
        return (
            f"The loss of the class is drowned by that of the boxes, which makes up {boxes_share:.1%} of the whole in "
            "the first epoch: give the boxes less weight (loss_weights)."
        )
    low = any(found.by_name()[name] < minimum[name] for name in GRADUAL)
    if 0 <= boxes_share < TOO_LIGHT and low:
        return (
            f"The loss of the boxes has too little weight: it makes up {boxes_share:.1%} of the whole in the first "
            "epoch, so that the boxes hardly learn. Give it more (loss_weights)."
        )
    return ""


def _of_positions(
    boxes: Array, trues: list[Annotation], found: Found, curves: Curves | None, minimum: Mapping[str, float]
) -> list[str]:
    """Boxes that do not go where the objects are: why."""
    if boxes.std(axis=0).max() < SAME:
        return [
            "Your boxes are nearly the same for every image: the box head does not see where things are, or its "
            "loss has too little weight. Keep the 7×7 positions on the way to it, and look at loss_weights."
        ]
    if abs(found.positions) < NO_POSITIONS:
        return [
            "Your boxes do not change when the maps are moved: something on the way to the box head averages the "
            "positions away (global pooling), or it sees the class alone. Fewer channels and Flatten keep them."
        ]
    ratio = 1.0 if curves is None else float(curves.validation[-1] / curves.total[-1])
    if curves is not None and ratio < 1 / FAR_APART:
        return [
            f"Dropout is too strong: in training, with it, your model has the loss {curves.total[-1]:.2f}, and without "
            f"it {curves.validation[-1]:.2f}, even on images that it does not learn from. Use less, in fewer places."
        ]
    moves = boxes[:, :2].std(axis=0).mean() / tensorize_ground_truth(trues)[1][:, :2].std(axis=0).mean()
    if moves < TIMID:
        return [
            f"Your boxes stay near the middle: their centres spread {moves:.0%} as far as those of the objects. The "
            "training is too short, the box loss has too little weight, or Dropout is too strong: train longer first."
        ]
    if ratio > BY_HEART or found.place.follows < minimum["follows_start"]:
        return [
            "Your boxes move, but not well with the objects. Does the model learn by heart? Compare the training "
            "images: if they are far better, use fewer channels, smaller Dense layers or more Dropout."
        ]
    return []


def _of_classes(found: Found, minimum: Mapping[str, float]) -> list[str]:
    if found.scores.class_accuracy >= minimum["class_accuracy"]:
        return []
    return [
        "The class head is the weaker one: a pooled representation with Dropout and one Dense layer does well "
        "here. Is its activation softmax, and is its loss not drowned by that of the boxes (loss_weights)?"
    ]


def _of_precision(predictions: list[Prediction], trues: list[Annotation]) -> list[str]:
    """What is left to gain where the boxes are about right."""
    advice = []
    sizes = [np.sqrt(_areas(items)) for items in (predictions, trues)]
    ratio = float(np.median(sizes[0] / np.maximum(sizes[1], 1)))
    if not 0.8 < ratio < 1.25:
        what = "small" if ratio < 1 else "large"
        advice.append(f"Your boxes are too {what}: their sides are typically {ratio:.2f} times those of the object.")
    ious = per_example_iou(predictions, trues)
    near = int(((ious > FOUND - 0.1) & (ious <= FOUND)).sum())
    if near >= max(3, len(ious) // 20) and ious.mean() > GOOD_IOU:
        advice.append(
            f"{near} of {len(ious)} images miss an IoU of {FOUND} by less than 0.1. A little more precision pays: "
            "train longer, or lower the learning rate towards the end."
        )
    return advice


def _areas(items: list[Prediction] | list[Annotation]) -> Array:
    corners = voc_to_corners([item["bbox"] for item in items])
    return np.prod(np.maximum(corners[:, 2:] - corners[:, :2], 0), axis=1)


def _data(context: Context) -> Path:
    if context.data is None:
        raise GradingError(
            "this assignment needs the course data: a folder with VOCdevkit/ and representations.h5. "
            "Name it by --data, by COURSE_DATA or by c.Grading.data (`course sample` prints one to try with)"
        )
    return context.data


def _files(folder: Path) -> tuple[Path, Path]:
    """Data root and representations file of a data folder."""
    roots = [folder / "VOCdevkit", *sorted(path.parent.parent for path in folder.glob("*/*/Annotations")), folder]
    root = next((root for root in roots if list(root.glob("*/Annotations"))), None)
    names = ("representations.h5", "voc_representations.h5")
    representations = next((folder / name for name in names if (folder / name).is_file()), None)
    if root is None or representations is None:
        raise GradingError(f"{folder} holds no VOC-format folder with annotations, or no {names[0]} beside it")
    return root, representations


def _public(context: Context) -> Evaluation:
    """The last tenth of the course's images."""
    return _load_public(_data(context))


def _private(context: Context) -> Evaluation:
    """All images of the private evaluation data."""
    assert context.withheld is not None
    return _load_private(context.withheld, _data(context))


@cache
def _load_public(folder: Path) -> Evaluation:
    root, representations = _files(folder)
    annotations = load_annotations(root)
    tested = annotations[split(len(annotations)).test]
    without = without_localising(_known(folder), tested)
    return Evaluation(tested, load_representations(representations, tested, root), without)


@cache
def _known(folder: Path) -> list[Annotation]:
    """Annotations of the images that a model of the course learns from."""
    annotations = load_annotations(_files(folder)[0])
    return annotations[: split(len(annotations)).validation.start]


@cache
def _load_private(folder: Path, course_data: Path) -> Evaluation:
    """A pair of files, `annotations.json` and `representations.h5`, or a VOC-format folder and the latter."""
    if (folder / PAIR).is_file():
        annotations = json.loads((folder / PAIR).read_text(encoding="utf-8"))
        representations = load_representations(folder / "representations.h5", annotations)
    else:
        root, file = _files(folder)
        annotations = load_annotations(root, require_photos=False)
        representations = load_representations(file, annotations, root)
    return Evaluation(annotations, representations, without_localising(_known(course_data), annotations))


def _problems(answer: Answer, n: int, num_classes: int = len(CLASSES)) -> str:
    """Why an answer cannot be used, in words; empty if it can."""
    if answer.failure:
        return _in_words(answer.failure)
    return " ".join(output_problems(answer.results[0].value, n=n, num_classes=num_classes))


def _in_words(failure: str) -> str:
    no_model = ("NameError: name 'better_model'", "AttributeError: 'NoneType' object has no attribute 'predict'")
    if failure.startswith(no_model):
        return "There is no better_model: classif_and_loc is not complete, or its model could not be trained."
    return failure


def _measure(answer: Answer, evaluation: Evaluation) -> Found | str:
    """What was reached on images, or why there is nothing to measure."""
    trues = evaluation.annotations
    problem = _problems(answer, len(trues))
    if problem:
        return problem
    predictions = _predictions(answer, trues)
    placed = place(predictions, trues, evaluation.without)
    return Found(accuracy_and_iou(predictions, trues), localising(placed), np.nan)


def _measure_public(answers: Mapping[str, Answer], context: Context) -> Found | str:
    """The same on the test images, and how much of it comes from positions."""
    evaluation = _public(context)
    found = _measure(answers["public"], evaluation)
    if isinstance(found, str):
        return found
    trues = evaluation.annotations
    lost = _lost(answers, per_example_iou(_predictions(answers["public"], trues), trues), trues)
    return found._replace(positions=float(lost.mean())) if len(lost) else found


def _lost(answers: Mapping[str, Answer], ious: Array, trues: list[Annotation]) -> Array:
    """IoU lost by moving the maps of the first images; empty where the model did not answer that."""
    few = trues[:MOVED_IMAGES]
    if "moved" not in answers or _problems(answers["moved"], 2 * len(few)):
        return np.array([])
    twice = [*few, *few]
    return lost_by_moving(ious[: len(few)], per_example_iou(_predictions(answers["moved"], twice), twice))


def _predictions(answer: Answer, trues: list[Annotation]) -> list[Prediction]:
    classes, boxes = answer.results[0].arrays
    sizes = [annotation["size"] for annotation in trues]
    return interpret_outputs(classes.astype(np.float64), boxes.astype(np.float64), sizes)


def _facts(name: str, found: Found | str) -> dict[str, float]:
    if isinstance(found, str):
        return {}
    return {f"{name}_{key}": round(value, 6) for key, value in found.by_name().items() if np.isfinite(value)}
