"""What is asked of a submission and what it is worth. Runs outside the sandbox; expected values stay here.

The notebook's own tests decide the points. With private evaluation data (`c.Grading.withheld`, made by
`private_images.py`), class and box are scored here instead, on photographs whose labels student code never sees, and
the public test set is only compared with it. The labels of the test images are taken out of what student code sees.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

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
from helpers.boxes import center_to_corners, iou, voc_to_corners
from helpers.checks import (
    accuracy_in_words,
    box_scale_hint,
    iou_in_words,
    output_problems,
    partial_credit,
    thresholds_for,
)
from helpers.data import CLASSES, Annotation, image_path, load_annotations, split, year_folder
from helpers.features import is_plain, load_representations, representation_key, write_plain
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
PAIR = "annotations.json"
THRESHOLDS = "thresholds.json"


@dataclass(frozen=True)
class Evaluation:
    """Images to predict, and what is true about them."""

    annotations: list[Annotation]
    representations: Array


def questions(context: Context) -> list[Question]:
    """What the model predicts for the test images, for the pages, and for the private ones, which decide."""
    asked = [predict("public", "better_model", _public(context).representations)]
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
    built_once(blinded, lambda target: _blind(year / "Annotations", target, tested))
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
    return ("test_class_accuracy", "test_iou") if context.withheld else ()


def score(answers: Mapping[str, Answer], context: Context) -> dict[str, Score]:
    """Points for class and box on the private images; without any, the notebook's own tests decide."""
    if not context.withheld:
        return {}
    scores = _measure(answers["private"], _private(context))
    if isinstance(scores, str):
        return {"test_class_accuracy": Score(0, scores), "test_iou": Score(0, scores)}
    minimum, points = _thresholds(context), context.max_points
    start, full = minimum["mean_iou_start"], minimum["mean_iou"]
    right = scores.class_accuracy >= minimum["class_accuracy"]
    said = accuracy_in_words(scores.class_accuracy, minimum["class_accuracy"], "private")
    found = partial_credit(scores.mean_iou, start, full, int(points["test_iou"]))
    facts = _facts("public", _measure(answers["public"], _public(context))) | _facts("private", scores)
    return {
        "test_class_accuracy": Score(points["test_class_accuracy"] if right else 0, said),
        "test_iou": Score(
            found, iou_in_words(scores.mean_iou, start, full, points["test_iou"], "private"), facts
        ),
    }


def _thresholds(context: Context) -> dict[str, float]:
    """The thresholds of the representations in use; private images may bring their own, in a file beside them."""
    if context.withheld and (context.withheld / THRESHOLDS).is_file():
        own: dict[str, float] = json.loads((context.withheld / THRESHOLDS).read_text(encoding="utf-8"))
        return own
    every = json.loads((context.source / THRESHOLDS).read_text(encoding="utf-8"))
    return thresholds_for(every, representation_key(_files(_data(context))[1]))


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
    """Accuracy and IoU against the minimum, on the images that decide and on the others."""
    minimum = _thresholds(context)
    facts = _facts("public", _measure(answers["public"], _public(context)))
    if context.withheld:
        facts |= _facts("private", _measure(answers["private"], _private(context)))
    found = []
    for kind, where in (("private", "private images"), ("public", "test images")):
        decides = kind == "private" or not context.withheld
        for name, words in (
            ("class_accuracy", "Class accuracy"),
            ("mean_iou", "Mean IoU"),
            ("valid_accuracy", "Valid accuracy"),
        ):
            value = facts.get(f"{kind}_{name}")
            if value is None:
                continue
            bounds = (minimum[name], minimum.get(f"{name}_start")) if decides else (None, None)
            found.append(Measure(f"{words}, {where}", value, *bounds))
    return found


def explain(answers: Mapping[str, Answer], context: Context) -> Explanation:
    """Best and worst predictions on the public test images, results by class, and what to try next."""
    evaluation, root = _public(context), _files(_data(context))[0]
    if _problems(answers["public"], len(evaluation.annotations)):
        return Explanation()
    predictions, trues = _predictions(answers["public"], evaluation), evaluation.annotations
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
        advice=_advice(predictions, trues, ious, answers["public"].results[0].arrays[1]),
    )


def outcomes(answers: Mapping[str, Answer], context: Context) -> dict[str, Array]:
    """By threshold, what each public test image adds to its mean; empty without usable answers."""
    evaluation, answer = _public(context), answers["public"]
    if _problems(answer, len(evaluation.annotations)):
        return {}
    predictions, trues = _predictions(answer, evaluation), evaluation.annotations
    pairs = zip(predictions, trues, strict=True)
    right = np.array([prediction["class"] == true["class"] for prediction, true in pairs])
    ious = per_example_iou(predictions, trues)
    valid = right & (ious > FOUND)
    return {"class_accuracy": right.astype(float), "mean_iou": ious, "valid_accuracy": valid.astype(float)}


def baseline(context: Context) -> dict[str, Array]:
    """IoU of one box that is the same for every image: the median of the training boxes, in the 224-pixel frame."""
    annotations = load_annotations(_files(_data(context))[0])
    parts = split(len(annotations))
    boxes = center_to_corners(tensorize_ground_truth(annotations)[1])
    return {"mean_iou": np.asarray(iou(np.median(boxes[parts.train], axis=0), boxes[parts.test]))}


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


def _advice(predictions: list[Prediction], trues: list[Annotation], ious: Array, raw_boxes: Array) -> list[str]:
    """What to try next, from what is seen in the predictions; the most useful first."""
    pairs = zip(predictions, trues, strict=True)
    named = np.array([prediction["class"] == true["class"] for prediction, true in pairs])
    if hint := box_scale_hint(raw_boxes):
        return [hint]
    advice = []
    if raw_boxes.astype(float).std(axis=0).max() < IMAGE_SIZE / 50:
        advice.append(
            "Your boxes are nearly the same for every image: the box head does not see where things are, or its "
            "loss has too little weight. Keep the 7×7 positions on the way to it, and look at loss_weights."
        )
    elif named.mean() - (ious > FOUND).mean() > 0.3:
        advice.append(
            "The class is often right where the box is not. Does anything on the way to the box head average the "
            "positions away? Fewer channels and Flatten keep them."
        )
    if named.mean() < 0.7:
        advice.append(
            "The class head is the weaker one: a pooled representation with Dropout and one Dense layer does well "
            "here. Is its activation softmax, and is its loss not drowned by that of the boxes?"
        )
    sizes = [np.sqrt(_areas(items)) for items in (predictions, trues)]
    ratio = float(np.median(sizes[0] / np.maximum(sizes[1], 1)))
    if not 0.8 < ratio < 1.25:
        what = "small" if ratio < 1 else "large"
        advice.append(f"Your boxes are too {what}: their sides are typically {ratio:.2f} times those of the object.")
    near = int(((ious > FOUND - 0.1) & (ious <= FOUND)).sum())
    if near >= max(3, len(ious) // 20):
        advice.append(
            f"{near} of {len(ious)} images miss an IoU of {FOUND} by less than 0.1. A little more precision pays: "
            "train longer, lower the learning rate towards the end, or try the mean absolute error for the boxes."
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
    return _load_private(context.withheld)


@cache
def _load_public(folder: Path) -> Evaluation:
    root, representations = _files(folder)
    annotations = load_annotations(root)
    tested = annotations[split(len(annotations)).test]
    return Evaluation(tested, load_representations(representations, tested, root))


@cache
def _load_private(folder: Path) -> Evaluation:
    """A pair of files, `annotations.json` and `representations.h5`, or a VOC-format folder and the latter."""
    if (folder / PAIR).is_file():
        annotations = json.loads((folder / PAIR).read_text(encoding="utf-8"))
        return Evaluation(annotations, load_representations(folder / "representations.h5", annotations))
    root, representations = _files(folder)
    annotations = load_annotations(root, require_photos=False)
    return Evaluation(annotations, load_representations(representations, annotations, root))


def _blind(annotations: Path, target: Path, tested: set[str]) -> None:
    """Copy annotations; those of test images keep size and name, and get one object: all of the image."""
    for path in sorted(annotations.glob("*.xml")):
        tree = ElementTree.parse(path)
        if tree.findtext("filename") in tested or f"{path.stem}.jpg" in tested:
            _say_nothing(tree.getroot())
            tree.write(target / path.name)
        else:
            _same(path, target / path.name)


def _same(path: Path, target: Path) -> None:
    """The same file under another name, or a copy of it on another disk; in the sandbox both are read-only."""
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)


def _say_nothing(image: ElementTree.Element) -> None:
    for extra in [*image.findall("object"), *image.findall("segmented"), *image.findall("source")]:
        image.remove(extra)
    thing = ElementTree.SubElement(image, "object")
    ElementTree.SubElement(thing, "name").text = CLASSES[0]
    ElementTree.SubElement(thing, "difficult").text = "0"
    box = ElementTree.SubElement(thing, "bndbox")
    for name, value in (
        ("xmin", "1"),
        ("ymin", "1"),
        ("xmax", image.findtext("size/width")),
        ("ymax", image.findtext("size/height")),
    ):
        ElementTree.SubElement(box, name).text = value


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


def _measure(answer: Answer, evaluation: Evaluation) -> Scores | str:
    """Scores on images, or why there are none."""
    problem = _problems(answer, len(evaluation.annotations))
    if problem:
        return problem
    return accuracy_and_iou(_predictions(answer, evaluation), evaluation.annotations)


def _predictions(answer: Answer, evaluation: Evaluation) -> list[Prediction]:
    classes, boxes = answer.results[0].arrays
    sizes = [annotation["size"] for annotation in evaluation.annotations]
    return interpret_outputs(classes.astype(np.float64), boxes.astype(np.float64), sizes)


def _facts(name: str, scores: Scores | str) -> dict[str, float]:
    if isinstance(scores, str):
        return {}
    return {f"{name}_{key}": round(value, 6) for key, value in scores._asdict().items()}
