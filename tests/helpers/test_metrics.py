"""Metrics: scores of predictions, of a model, and during training."""

import keras
import numpy as np
import pytest

from helpers.box_iou import BoxIoU, centre_box_iou
from helpers.boxes import center_to_corners, iou
from helpers.metrics import Scores, accuracy_and_iou, compute_acc, per_example_iou, predict_dicts
from helpers.targets import interpret_output, tensorize_ground_truth


def item(name, bbox):
    return {"class": name, "bbox": bbox}


def class_of_sizes(count=20):
    """Annotations whose photographs all have other sizes, so that a size read elsewhere shows."""
    names = ["dog", "cat", "bus", "car", "aeroplane"]
    return [
        {
            "size": (100 + 20 * row, 900 - 30 * row),
            "filename": f"{row:06}.jpg",
            "class": names[row % 5],
            "bbox": [5 + row, 7 + row, 60 + 5 * row, 120 + row],
        }
        for row in range(count)
    ]


class Perfect:
    """Knows the answers: each row's representation is its number."""

    def __init__(self, annotations, form=list):
        self.classes, self.boxes = tensorize_ground_truth(annotations)
        self.form = form

    def predict(self, reprs, verbose="auto"):
        rows = reprs[:, 0, 0, 0].astype(int)
        return self.form([self.classes[rows], self.boxes[rows]])


def numbered(count=20):
    return np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1)


# --- predictions against annotations -----------------------------------------------------------


def test_scores_count_classes_overlap_and_valid_predictions():
    trues = [item("dog", [1, 1, 10, 10])] * 4
    preds = [
        item("dog", [1, 1, 10, 10]),  # right, IoU 1
        item("cat", [1, 1, 10, 10]),  # wrong class, IoU 1
        item("dog", [1, 1, 10, 5]),  # right, IoU 0.5, which is not above 0.5
        item("dog", [50, 50, 60, 60]),  # right, IoU 0
    ]
    scores = accuracy_and_iou(preds, trues)
    assert scores == Scores(class_accuracy=0.75, mean_iou=0.625, valid_accuracy=0.25)
    assert all(type(score) is float for score in scores)
    assert accuracy_and_iou(preds, trues, threshold=0.4).valid_accuracy == 0.5


def test_boxes_count_both_their_ends():
    """Bug 9: VOC boxes are inclusive; one pixel is a box of area 1."""
    trues = [item("dog", [3, 3, 3, 3]), item("dog", [1, 1, 2, 1])]
    preds = [item("dog", [3, 3, 3, 3]), item("dog", [1, 1, 1, 1])]
    np.testing.assert_allclose(per_example_iou(preds, trues), [1.0, 0.5])


def test_single_example_gives_one_iou():
    assert per_example_iou([item("dog", [1, 1, 4, 4])], [item("dog", [1, 1, 4, 4])]).shape == (1,)


@pytest.mark.parametrize("score", [accuracy_and_iou, per_example_iou])
def test_unequal_or_empty_lists_are_refused(score):
    one = [item("dog", [1, 1, 4, 4])]
    with pytest.raises(ValueError, match="2 predictions cannot be compared with 1"):
        score(one * 2, one)
    with pytest.raises(ValueError, match="no prediction"):
        score([], [])


# --- a model ----------------------------------------------------------------------------------


@pytest.mark.parametrize("train", [True, False])
def test_each_prediction_meets_its_own_photographs_size(train):
    """Bug 1: the printed function takes the test photographs' sizes from the start of the training set."""
    annotations = class_of_sizes()
    assert compute_acc(Perfect(annotations), numbered(), annotations, train=train) == Scores(1.0, 1.0, 1.0)


def test_printed_line_reads_as_in_the_lab(capsys):
    """Bug 3: '{:.0.3f}' is not a format."""
    annotations = class_of_sizes()
    compute_acc(Perfect(annotations), numbered(), annotations, train=False)
    compute_acc(Perfect(annotations), numbered(), annotations)
    assert capsys.readouterr().out.splitlines() == [
        "[test] class accuracy: 1.000, mean IoU: 1.000, valid accuracy: 1.000",
        "[train] class accuracy: 1.000, mean IoU: 1.000, valid accuracy: 1.000",
    ]


def test_both_parts_are_those_of_the_split():
    annotations, seen = class_of_sizes(), []

    class Watched(Perfect):
        def predict(self, reprs, verbose="auto"):
            seen.append(reprs[:, 0, 0, 0].tolist())
            return super().predict(reprs)

    compute_acc(Watched(annotations), numbered(), annotations, train=True)
    compute_acc(Watched(annotations), numbered(), annotations, train=False)
    assert seen == [list(range(18)), [18, 19]]


@pytest.mark.parametrize(
    "form",
    [
        tuple,
        lambda heads: {"head_classes": heads[0], "head_boxes": heads[1]},
        lambda heads: [keras.ops.convert_to_tensor(head) for head in heads],
    ],
    ids=["tuple", "dict", "tensors"],
)
def test_model_may_return_its_two_heads_in_any_form(form):
    annotations = class_of_sizes()
    outputs = predict_dicts(Perfect(annotations, form), numbered(), annotations)
    assert [output["bbox"] for output in outputs] == [item["bbox"] for item in annotations]


def test_model_may_be_a_function():
    annotations = class_of_sizes()
    assert len(predict_dicts(Perfect(annotations).predict, numbered(), annotations)) == 20


def test_keras_model_works():
    inputs = keras.Input((2, 2, 3))
    flat = keras.layers.Flatten()(inputs)
    heads = [keras.layers.Dense(5, activation="softmax")(flat), keras.layers.Dense(4)(flat)]
    model = keras.Model(inputs, heads)
    reprs, annotations = np.random.default_rng(0).random((20, 2, 2, 3), dtype="float32"), class_of_sizes()
    classes, boxes = (np.asarray(head) for head in model(reprs))
    output = predict_dicts(model, reprs, annotations)[7]
    assert output["bbox"] == interpret_output(classes[7], boxes[7], annotations[7]["size"])["bbox"]


@pytest.mark.parametrize(
    "outputs",
    [np.zeros((20, 5)), [np.zeros((20, 5))], [np.zeros((20, 5)), np.zeros((20, 3))], None],
    ids=["one", "one in a list", "a box of three", "none"],
)
def test_model_without_two_heads_is_refused(outputs):
    with pytest.raises(ValueError, match=r"two outputs|must have shapes"):
        predict_dicts(lambda reprs: outputs, numbered(), class_of_sizes())


@pytest.mark.parametrize("judge", [compute_acc, predict_dicts])
def test_representations_of_other_images_are_refused(judge):
    """Bug 8: a cached file and a different image set misalign silently."""
    annotations = class_of_sizes()
    with pytest.raises(ValueError, match="21 representations do not belong to 20"):
        judge(Perfect(annotations), numbered(21), annotations)


# --- during training ---------------------------------------------------------------------------


def random_centers(seed, count=300):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(60, 160, (count, 2)), rng.uniform(-5, 120, (count, 2))], axis=1)


def test_metric_agrees_with_iou():
    true, pred = random_centers(0), random_centers(1)
    expected = iou(center_to_corners(true), center_to_corners(pred))
    assert (expected == 0).any()
    assert (expected > 0.3).any()
    np.testing.assert_allclose(centre_box_iou(true, pred), expected, atol=1e-5)
    metric = BoxIoU()
    for start in range(0, 300, 128):  # the last batch is smaller
        metric.update_state(true[start : start + 128], pred[start : start + 128])
    assert float(metric.result()) == pytest.approx(expected.mean(), abs=1e-5)
    metric.reset_state()
    assert float(metric.result()) == pytest.approx(0, abs=1e-9)


def test_metric_honours_sample_weights():
    true = np.array([[50, 50, 20, 20]] * 2, dtype="float32")
    pred = np.array([[50, 50, 20, 20], [150, 50, 20, 20]], dtype="float32")
    metric = BoxIoU()
    metric.update_state(true, pred, sample_weight=[3, 1])
    assert float(metric.result()) == pytest.approx(0.75)


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 1e30, 0, -1])
def test_metric_is_always_a_number(wild):
    metric = BoxIoU()
    metric.update_state(np.full((2, 4), 50.0), [[50.0, 50, 50, wild], [wild] * 4])
    metric.update_state(np.full((2, 4), wild), np.full((2, 4), wild))
    assert float(metric.result()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("metrics", [{"head_boxes": BoxIoU}, [["accuracy"], [BoxIoU]]], ids=["by name", "by place"])
def test_fit_shows_the_metric_and_a_saved_model_keeps_it(metrics, tmp_path):
    inputs = keras.Input((6,))
    heads = [
        keras.layers.Dense(5, activation="softmax", name="head_classes")(inputs),
        keras.layers.Dense(4, name="head_boxes")(inputs),
    ]
    model = keras.Model(inputs, heads)
    made = {"head_boxes": BoxIoU()} if isinstance(metrics, dict) else [["accuracy"], [BoxIoU()]]
    model.compile(loss=["categorical_crossentropy", "mse"], metrics=made)
    x, classes = np.ones((8, 6), "float32"), np.eye(5, dtype="float32")[[0] * 8]
    history = model.fit(x, [classes, np.full((8, 4), 50.0)], verbose=0).history
    assert np.isfinite(history["head_boxes_iou"]).all()
    model.save(tmp_path / "model.keras")
    keras.saving.load_model(tmp_path / "model.keras")


def test_metric_is_rebuilt_from_its_configuration():
    again = keras.metrics.deserialize(keras.metrics.serialize(BoxIoU(name="overlap")))
    assert type(again) is BoxIoU
    assert again.name == "overlap"


def test_model_that_swaps_its_heads_is_refused():
    annotations = class_of_sizes()
    with pytest.raises(ValueError, match="for the classes and"):
        predict_dicts(Perfect(annotations, lambda heads: heads[::-1]), numbered(), annotations)
