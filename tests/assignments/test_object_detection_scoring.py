"""The object detection assignment's scoring gives what an answer is worth, and lets nothing out."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from notebooks import ROOT
from scripts import load_script

from grading.authoring.planted import verify
from grading.errors import GradingError
from grading.options import Workers
from grading.pipeline.assignment import Assignment, load_assignment
from grading.pipeline.run import options_from
from grading.scoring.questions import Answer, Context, Question, Result
from helpers.data import CLASSES, labels2idx, load_annotations, split
from helpers.features import is_plain, representation_key
from helpers.targets import tensorize_ground_truth

NAME = "object_detection"
SHARED = ROOT.parent / "shared"
private_images = load_script(ROOT / "source" / NAME / "private_images.py")
ANNOTATIONS, REPRESENTATIONS = private_images.ANNOTATIONS, private_images.REPRESENTATIONS
DECIDED_HERE = {"test_class_accuracy": 1, "test_iou": 2, "test_follows": 3}


@pytest.fixture(scope="module")
def sample() -> Path:
    from helpers.sample import make_sample

    return make_sample()


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(ROOT, NAME)


@pytest.fixture(scope="module")
def context(assignment: Assignment, sample: Path) -> Context:
    return Context(assignment.source, sample, max_points=assignment.max_points)


@pytest.fixture(scope="module")
def truth(sample: Path) -> tuple[np.ndarray, np.ndarray]:
    """Class and box tensors of the public test images."""
    (root,) = {path.parent.parent for path in sample.glob("*/*/Annotations")}
    annotations = load_annotations(root)
    return tensorize_ground_truth(annotations[split(len(annotations)).test])


@pytest.fixture
def private(context: Context, sample: Path, tmp_path: Path) -> Context:
    """The sample's first 40 images play the private ones."""
    (root,) = {path.parent.parent for path in sample.glob("*/*/Annotations")}
    (tmp_path / ANNOTATIONS).write_text(json.dumps(load_annotations(root)[:40]))
    (tmp_path / REPRESENTATIONS).symlink_to(sample / REPRESENTATIONS)
    return replace(context, withheld=tmp_path)


def heads(classes: Any, boxes: Any) -> Answer:
    return Answer((Result((np.asarray(classes), np.asarray(boxes)), several=True),))


def right_answers(classes: np.ndarray, boxes: np.ndarray) -> dict[str, Answer]:
    return {"public": heads(classes, boxes)}


def points(assignment: Assignment, answers: dict[str, Answer], context: Context) -> dict[str, float]:
    return {name: score.points for name, score in assignment.score(answers, context).items()}


def test_without_private_images_the_notebooks_own_tests_decide(
    assignment: Assignment, context: Context, truth: Any
) -> None:
    assert points(assignment, right_answers(*truth), context) == {}
    assert assignment.scored(NAME, context) == frozenset()


def test_private_images_decide_class_and_box(assignment: Assignment, private: Context) -> None:
    assert assignment.scored(NAME, private) == frozenset(DECIDED_HERE)


STRANGE: dict[str, Callable[[np.ndarray, np.ndarray], Answer]] = {
    "nan": lambda classes, boxes: heads(classes, boxes * np.nan),
    "infinite": lambda classes, boxes: heads(classes, boxes + np.inf),
    "swapped": lambda classes, boxes: heads(boxes, classes),
    "one array": lambda classes, boxes: Answer((Result((classes,)),)),
    "three arrays": lambda classes, boxes: Answer((Result((classes, boxes, boxes), several=True),)),
    "nothing": lambda classes, boxes: Answer((Result((), several=True),)),
    "too few rows": lambda classes, boxes: heads(classes[:-1], boxes[:-1]),
    "flat": lambda classes, boxes: heads(classes.ravel(), boxes.ravel()),
    "number": lambda classes, boxes: heads(1.0, 2.0),
    "an exception": lambda classes, boxes: Answer((Result(error="ValueError: no"),)),
    "lost": lambda classes, boxes: Answer(lost="The kernel died."),
    "not probabilities": lambda classes, boxes: heads(classes * 7, boxes),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_answer_earns_nothing_with_a_reason(
    assignment: Assignment, private: Context, truth: Any, name: str
) -> None:
    strange = STRANGE[name](*(array[:40] for array in truth))
    scores = assignment.score({"public": strange, "private": strange}, private)
    assert {question: score.points for question, score in scores.items()} == dict.fromkeys(DECIDED_HERE, 0)
    assert all(score.reason for score in scores.values())


def test_private_images_decide_and_a_gap_is_flagged(assignment: Assignment, private: Context, truth: Any) -> None:
    """What was learnt by heart on the public images is worth nothing, and flagged."""
    by_heart = right_answers(*truth)
    clueless = heads(np.eye(5)[np.zeros(40, int)], np.full((40, 4), 112.0))
    scores = assignment.score(by_heart | {"private": clueless}, private)
    assert [scores[name].points for name in DECIDED_HERE] == [0, 0, 0]
    assert "private images" in scores["test_iou"].reason
    assert len(assignment.scoring.flags(scores)) == 1
    assert assignment.scoring.flags(assignment.score(by_heart, replace(private, withheld=None))) == []


def test_private_images_may_bring_thresholds_of_their_own(assignment: Assignment, private: Context, truth: Any) -> None:
    assert private.withheld is not None
    clueless = heads(np.eye(5)[np.zeros(40, int)], np.full((40, 4), 112.0))
    own = {"class_accuracy": 0.0, "iou_gained_start": -2.0, "iou_gained": -1.0, "follows_start": -2.0, "follows": -1.0}
    (private.withheld / "thresholds.json").write_text(json.dumps(own))
    assert points(assignment, right_answers(*truth) | {"private": clueless}, private) == DECIDED_HERE


def test_private_question_is_asked_with_private_images_only(
    assignment: Assignment, context: Context, private: Context
) -> None:
    def shapes(questions: list[Question]) -> dict[str, tuple[int, ...]]:
        asked = [question for question in questions if question.name != "history"]
        return {question.name: question.cases[0]["inputs"].shape for question in asked}

    assert "private" not in shapes(assignment.questions(context))
    assert shapes(assignment.questions(private))["private"] == (40, 7, 7, 2048)


def test_student_code_sees_no_test_labels(
    assignment: Assignment, context: Context, sample: Path, tmp_path: Path
) -> None:
    view = assignment.student_view(context, tmp_path / "annotations")
    for name, source in view.items():
        target = tmp_path / "seen" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
    (root,) = {path.parent.parent for path in sample.glob("*/*/Annotations")}
    real, seen = load_annotations(root), load_annotations(tmp_path / "seen" / "VOCdevkit")
    parts = split(len(real))
    assert seen[parts.train] == real[parts.train]
    for blind, annotation in zip(seen[parts.test], real[parts.test], strict=True):
        assert (blind["filename"], blind["size"]) == (annotation["filename"], annotation["size"])
        assert (blind["class"], blind["bbox"]) == (CLASSES[0], [1, 1, *annotation["size"]])
    assert set(view) == {"VOCdevkit/sample/Annotations", "VOCdevkit/sample/JPEGImages", REPRESENTATIONS}


def test_all_submissions_share_one_plain_copy_of_the_representations(
    assignment: Assignment, context: Context, sample: Path, tmp_path: Path
) -> None:
    copy = assignment.student_view(context, tmp_path / "annotations")[REPRESENTATIONS]
    assert (is_plain(sample / REPRESENTATIONS), is_plain(copy)) == (False, True)
    assert representation_key(copy) == representation_key(sample / REPRESENTATIONS)
    assert assignment.student_view(context, tmp_path / "annotations")[REPRESENTATIONS] == copy


def test_missing_data_is_explained(assignment: Assignment, tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="--data"):
        assignment.questions(Context(assignment.source))
    with pytest.raises(GradingError, match="holds no VOC-format folder"):
        assignment.questions(Context(assignment.source, tmp_path))


def test_private_data_takes_no_image_that_students_have(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root,) = {path.parent.parent for path in sample.glob("*/*/Annotations")}
    with pytest.raises(ValueError, match="does not use already"):
        private_images.build_private(root, tmp_path, "imagenet", public=root)
    extracted: list[Path] = []
    monkeypatch.setattr(private_images, "extract_features", lambda paths, *_, **__: extracted.extend(paths))
    annotations = private_images.build_private(root, tmp_path, "imagenet")
    assert [path.name for path in extracted] == [annotation["filename"] for annotation in annotations]
    assert json.loads((tmp_path / ANNOTATIONS).read_text()) == json.loads(json.dumps(annotations))


@pytest.mark.slow
@pytest.mark.voc
def test_a_class_is_graded_on_108_private_photographs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bubblewrap: None
) -> None:
    root, weights = SHARED / "data/VOCdevkit", SHARED / "weights/resnet50_notop_approx.weights.h5"
    if not (root.is_dir() and weights.is_file()):
        pytest.skip("the real photographs and weights (../shared) are not here")
    from grading.cli.authoring import voc_folder

    private = tmp_path / "private"
    annotations = private_images.build_private(root, private, str(weights), public=root)
    counts = np.bincount([labels2idx[annotation["class"]] for annotation in annotations])
    assert dict(zip(CLASSES, counts.tolist(), strict=True)) == {
        "car": 50,
        "bus": 27,
        "aeroplane": 12,
        "dog": 12,
        "cat": 7,
    }
    options = options_from(ROOT, data=voc_folder(ROOT, root, str(weights)), withheld=private, workers=Workers(2))
    copy = tmp_path / "repository"
    shutil.copytree(ROOT / "helpers", copy / "helpers")
    shutil.copytree(ROOT / "source", copy / "source", ignore=shutil.ignore_patterns("planted"))
    shutil.copy(ROOT / "nbgrader_config.py", copy)
    for name in ("solution", "bad_model"):
        shutil.copytree(ROOT / "source" / NAME / "planted" / name, copy / "source" / NAME / "planted" / name)
    records = {verdict.planted.name: verdict.record for verdict in verify(copy, NAME, tmp_path / "class", options)}
    facts = {name: record.questions["test_iou"].facts for name, record in records.items()}
    with capsys.disabled():
        for name, found in facts.items():
            print(f"\n{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in found.items()), end="")
        print()
    assert facts["solution"]["private_mean_iou"] > facts["bad_model"]["private_mean_iou"] + 0.2
    assert records["bad_model"].questions["test_iou"].points == 0


def test_measures_are_those_of_the_images_that_decide(assignment: Assignment, private: Context, truth: Any) -> None:
    answers = right_answers(*truth)
    alone = replace(private, withheld=None)
    found = {measure.name: measure for measure in assignment.measures(answers, {}, alone)}
    assert found["Class accuracy, test images"].value == 1.0
    assert found["Mean IoU, test images"].value == pytest.approx(1.0, abs=0.02)
    assert found["Following the object, test images"].value == pytest.approx(1.0, abs=0.02)
    assert found["Following the object, test images"].start == 0.3
    assert found["Mean IoU, test images"].minimum is None, "it is there to be read, and gives no points"
    clueless = heads(np.eye(5)[np.zeros(40, int)], np.full((40, 4), 112.0))
    both = {measure.name: measure for measure in assignment.measures(answers | {"private": clueless}, {}, private)}
    assert both["Following the object, private images"].start == 0.3
    assert both["Following the object, test images"].minimum is None, "private images decide, not the public ones"


def test_best_and_worst_predictions_are_shown_with_both_boxes(
    assignment: Assignment, context: Context, truth: Any
) -> None:
    classes, boxes = truth
    spoilt = boxes.copy()
    spoilt[3] = [10, 10, 5, 5]
    explanation = assignment.explain(right_answers(classes, spoilt), context)
    best, worst = explanation.galleries
    assert "IoU 1.00" in best.pictures[0].caption
    assert "IoU 0.0" in worst.pictures[0].caption
    for picture in (*best.pictures, *worst.pictures):
        assert picture.photo.is_file()
        assert [box.true for box in picture.boxes] == [True, False]
    assert best.pictures[0].boxes[0].corners == pytest.approx(best.pictures[0].boxes[1].corners, abs=2)
    (table,) = explanation.tables
    assert [row[0] for row in table.rows] == list(CLASSES)
    assert sum(row[1] for row in table.rows) == len(classes)


ADVICE = {
    "between -1 and 1": lambda classes, boxes: (classes, boxes / 224),
    "nearly the same for every image": lambda classes, boxes: (
        classes,
        np.tile([112.0, 112, 100, 100], (len(boxes), 1)),
    ),
    "not well with the objects": lambda classes, boxes: (classes, boxes[::-1]),
    "learning rate is far too high": lambda classes, boxes: (classes, np.tile([224.0, 224, 0, 224], (len(boxes), 1))),
    "the same answer for every image": lambda classes, boxes: (np.full_like(classes, 0.2), boxes * 0 + 112),
    "Hardly anything was learnt": lambda classes, boxes: (np.full_like(classes, 0.2), boxes[::-1]),
    "stay near the middle": lambda classes, boxes: (classes, 112 + (boxes - 112) * [0.2, 0.2, 1, 1]),
    "too small": lambda classes, boxes: (classes, boxes * [1, 1, 0.5, 0.5]),
    "too large": lambda classes, boxes: (classes, boxes * [1, 1, 1.6, 1.6]),
    "the weaker one": lambda classes, boxes: (np.roll(classes, 1, axis=1), boxes),
}


@pytest.mark.parametrize("said", ADVICE)
def test_advice_fits_the_fault(assignment: Assignment, context: Context, truth: Any, said: str) -> None:
    first, *_ = assignment.explain(right_answers(*ADVICE[said](*truth)), context).advice
    assert said in first


def curves(total: list[float], validation: list[float], classes: list[float]) -> dict[str, Answer]:
    return {"history": Answer((Result((np.array([total, validation, classes]),)),))}


OF_TRAINING = {
    "train longer": curves([3.0], [2.0], [1.0]),
    "drowned by that of the boxes": curves([900, 700, 500], [900, 700, 500], [1.6, 1.5, 1.4]),
    "too little weight": curves([1.6, 0.8, 0.2], [1.6, 0.9, 0.3], [1.599, 0.799, 0.199]),
    "Dropout is too strong": curves([3.0, 2.5, 2.4], [2.0, 1.5, 1.4], [1.6, 1.2, 1.0]),
    "by heart": curves([3.0, 0.5, 0.1], [3.0, 1.5, 1.4], [1.6, 0.2, 0.03]),
}


@pytest.mark.parametrize("said", OF_TRAINING)
def test_advice_reads_the_training_curves(assignment: Assignment, context: Context, truth: Any, said: str) -> None:
    """The same poor predictions, whatever made them: how the training went says what did."""
    classes, boxes = truth
    half = classes.copy()
    half[::3] = half[::3, ::-1]
    given = {"public": heads(half, (boxes + boxes[::-1]) / 2)}
    first, *_ = assignment.explain(given | OF_TRAINING[said], context).advice
    assert said in first


@pytest.mark.parametrize(
    "history", [np.ones(3), np.ones((3, 0)), np.full((3, 4), np.nan), np.ones((2, 4)), np.array("x"), np.zeros((3, 2))]
)
def test_curves_that_make_no_sense_are_no_advice(
    assignment: Assignment, context: Context, truth: Any, history: np.ndarray
) -> None:
    answers = right_answers(*truth) | {"history": Answer((Result((history,)),))}
    assert list(assignment.explain(answers, context).advice) == []


def test_averaged_positions_are_named_first(assignment: Assignment, context: Context, truth: Any) -> None:
    """However far the boxes are from the objects: the same boxes for maps that were moved."""
    classes, boxes = truth
    spoilt = boxes[::-1] * np.array([1, 1, 0.5, 0.5])
    moved = heads(np.tile(classes, (2, 1)), np.tile(spoilt, (2, 1)))
    advice = assignment.explain(right_answers(classes, spoilt) | {"moved": moved}, context).advice
    assert "averages the positions away" in advice[0]
    assert 1 < len(advice) <= 3


def test_head_that_gives_no_probabilities_is_told_so(assignment: Assignment, context: Context, truth: Any) -> None:
    classes, boxes = truth
    (advice,) = assignment.explain(right_answers(classes * 7, boxes), context).advice
    assert "Is the activation softmax?" in advice


def test_right_answers_get_no_advice(assignment: Assignment, context: Context, truth: Any) -> None:
    assert list(assignment.explain(right_answers(*truth), context).advice) == []


def test_unusable_answers_get_no_explanation(assignment: Assignment, context: Context, truth: Any) -> None:
    classes, boxes = truth
    answers = right_answers(classes, boxes) | {"public": heads(boxes, classes)}
    assert assignment.explain(answers, context).galleries == ()
    assert assignment.scoring.outcomes(answers, context) == {}


def test_calibrated_measures_are_those_of_the_pages(assignment: Assignment, context: Context, truth: Any) -> None:
    classes, boxes = truth
    answers = right_answers(np.roll(classes, 1, axis=0), boxes * [1, 1, 0.8, 1])
    answers |= {"moved": heads(np.tile(classes, (2, 1)), np.tile(boxes + np.array([64, 64, 0, 0]), (2, 1)))}
    found = {measure.name: measure.value for measure in assignment.measures(answers, {}, context)}
    drawn = assignment.scoring.measured(assignment.scoring.outcomes(answers, context))
    names = {
        **{"class_accuracy": "Class accuracy", "mean_iou": "Mean IoU", "iou_gained": "IoU gained"},
        **{"follows": "Following the object", "positions": "IoU from positions"},
    }
    for name, words in names.items():
        assert drawn[name] == pytest.approx(found[f"{words}, test images"], abs=1e-6)
    assert drawn["positions"] > 0.3


def test_measures_are_worth_what_the_notebooks_tests_give(assignment: Assignment, context: Context) -> None:
    """The scale that is calibrated is the one that is used: the cells' own code, with measures put in its place."""
    from helpers.checks import follows_in_words, gain_in_words, partial_credit, positions_in_words
    from helpers.localising import Localising

    scoring, most = assignment.scoring, context.max_points
    minimum = scoring._thresholds(context)
    cells = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in nbformat.read(ROOT / "source" / NAME / f"{NAME}.ipynb", as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    for value in np.linspace(-0.2, 1, 25):
        found = {"class_accuracy": 1.0, "iou_gained": value, "follows": value, "positions": value}
        space: dict[str, Any] = {
            **{"better_model": Model(), "minimum": minimum, "reprs": np.zeros(8), "annotations": []},
            **{"partial_credit": partial_credit, "gain_in_words": gain_in_words, "heads": list},
            **{"follows_in_words": follows_in_words, "positions_in_words": positions_in_words},
            **{"box_scale_hint": lambda boxes: "", "NOT_DONE": ""},
            "measure_localising": lambda *_, value=value, **__: Localising(value, value, value),
            "measure_positions": lambda *_, value=value, **__: value,
        }
        for name in ("test_iou", "test_follows", "test_positions"):
            exec(cells[name], space)
            assert scoring.worth(found, minimum, most)[name] == space["points"], (name, value)


class Model:
    """Something that predicts."""

    def predict(self, *_: Any, **__: Any) -> list[np.ndarray]:
        return [np.zeros((8, 5)), np.zeros((8, 4))]


def test_boxes_without_localising_are_known_for_each_image(assignment: Assignment, context: Context) -> None:
    without = assignment.scoring._public(context).without
    assert 0.4 < without.mean() < 0.5, "the field of view of the sample's scenes"
    assert assignment.scoring.thresholds_key(context) == "sample/scenes-v1"
