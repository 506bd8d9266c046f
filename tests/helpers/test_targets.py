"""Targets: from annotations to tensors, and back."""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from helpers.boxes import iou, voc_to_corners
from helpers.data import CLASSES, load_annotations
from helpers.targets import (
    IMAGE_SIZE,
    interpret_output,
    interpret_outputs,
    tensorize_ground_truth,
    tensorize_objects,
)

VOC = Path(__file__).parents[2].parent / "shared" / "data" / "VOCdevkit"

CAR = {"size": (500, 333), "filename": "000007.jpg", "class": "car", "bbox": [141, 50, 500, 330]}


def annotation(size, bbox, name="cat"):
    return {"size": size, "filename": "x.jpg", "class": name, "bbox": bbox}


def test_tensors_of_the_first_annotation_are_the_labs():
    classes, boxes = tensorize_ground_truth([CAR])
    assert classes.tolist() == [[0, 0, 0, 1, 0]]
    corners = np.array([140 / 500, 49 / 333, 500 / 500, 330 / 333]) * IMAGE_SIZE
    expected = [*(corners[:2] + corners[2:]) / 2, *(corners[2:] - corners[:2])]
    np.testing.assert_allclose(boxes, [expected], rtol=1e-6)
    assert classes.dtype == boxes.dtype == np.float32


def test_box_of_the_whole_photograph_fills_the_frame():
    _, boxes = tensorize_ground_truth([annotation((500, 333), [1, 1, 500, 333])])
    assert boxes.tolist() == [[112, 112, 224, 224]]


def test_no_annotations_give_empty_tensors():
    classes, boxes = tensorize_ground_truth([])
    assert (classes.shape, boxes.shape) == ((0, 5), (0, 4))
    assert interpret_outputs(classes, boxes, []) == []


def test_file_of_an_unknown_class_is_named():
    with pytest.raises(ValueError, match=r"000099\.jpg.*'horse'"):
        tensorize_ground_truth([CAR, CAR | {"class": "horse", "filename": "000099.jpg"}])


def test_interpreting_gives_the_very_boxes_back():
    rng = np.random.default_rng(0)
    annotations = []
    for _ in range(5000):
        width, height = (int(side) for side in rng.integers(2, 1000, 2))
        xs, ys = (np.sort(rng.integers(1, side + 1, 2)).tolist() for side in (width, height))
        box = [xs[0], ys[0], xs[1], ys[1]]
        annotations.append(annotation((width, height), box, CLASSES[int(rng.integers(5))]))
    assert_round_trip(annotations)


def test_every_box_of_a_small_photograph_comes_back():
    boxes = [[a, b, c, d] for a in range(1, 8) for c in range(a, 8) for b in range(1, 6) for d in range(b, 6)]
    assert_round_trip([annotation((7, 5), box) for box in boxes])


@pytest.mark.voc
@pytest.mark.skipif(not VOC.is_dir(), reason=f"no photographs in {VOC}")
def test_every_real_annotation_comes_back():
    annotations = load_annotations(VOC, require_photos=False)
    assert len(annotations) == 1264
    assert_round_trip(annotations)


def assert_round_trip(annotations):
    sizes = [item["size"] for item in annotations]
    outputs = interpret_outputs(*tensorize_ground_truth(annotations), sizes)
    assert [item["bbox"] for item in outputs] == [item["bbox"] for item in annotations]
    assert [item["class"] for item in outputs] == [item["class"] for item in annotations]


def test_one_output_is_interpreted_like_many():
    rng = np.random.default_rng(0)
    classes, boxes = rng.random((20, 5)), rng.uniform(-50, 300, (20, 4))
    sizes = rng.integers(50, 500, (20, 2))
    single = [interpret_output(*item) for item in zip(classes, boxes, map(tuple, sizes), strict=True)]
    assert single == interpret_outputs(classes, boxes, sizes)


def test_output_gives_class_confidence_and_box():
    output = interpret_output([0.1, 0.2, 0.6, 0.1, 0], [112, 112, 224, 224])
    assert output == {"class": "bus", "confidence": 0.6, "bbox": [1, 1, 500, 333]}
    assert [type(side) for side in output["bbox"]] == [int] * 4
    assert type(output["confidence"]) is float


def test_box_is_rounded_to_pixels_not_truncated():
    """Bug 9: int() truncates, which makes boxes half a pixel smaller on average."""
    box = interpret_output(np.eye(5)[0], [100, 100, 99.6, 99.6], (224, 224))["bbox"]
    assert box == [51, 51, 150, 150]


def test_box_is_clipped_into_the_photograph():
    assert interpret_output(np.eye(5)[0], [112, 112, 1e6, 300], (40, 30))["bbox"] == [1, 1, 40, 30]
    outside = interpret_output(np.eye(5)[0], [900, 112, 10, 10], (40, 30))["bbox"]
    assert iou(voc_to_corners(outside), [0, 0, 40, 30]) == 0


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(4))
def test_box_that_is_no_number_covers_nothing(wild, place):
    boxes = np.full((2, 4), 112.0)
    boxes[0, place] = wild
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lost, sound = interpret_outputs(np.eye(5)[:2], boxes, [(500, 333)] * 2)
    assert lost["bbox"] == [1, 1, 0, 0]
    assert iou(voc_to_corners(lost["bbox"]), [0, 0, 500, 333]) == 0
    assert sound["bbox"] == interpret_output(np.eye(5)[1], [112] * 4)["bbox"]


def test_negative_width_covers_nothing():
    box = interpret_output(np.eye(5)[0], [112, 112, -50, -50])["bbox"]
    assert iou(voc_to_corners(box), [0, 0, 500, 333]) == 0


def test_probability_that_is_no_number_never_wins():
    assert interpret_output([np.nan, 0.1, 0.2, np.nan, 0], [112] * 4)["class"] == "bus"
    hopeless = interpret_output([np.nan] * 5, [112] * 4)
    assert hopeless["class"] == CLASSES[0]
    assert math.isnan(hopeless["confidence"])


@pytest.mark.parametrize(
    ("classes", "boxes", "sizes"),
    [
        (np.zeros((2, 5)), np.zeros((3, 4)), [(9, 9)] * 2),
        (np.zeros((2, 4)), np.zeros((2, 4)), [(9, 9)] * 2),
        (np.zeros((2, 5)), np.zeros((2, 4)), [(9, 9)] * 3),
        (np.zeros((0, 5)), np.zeros((2, 4)), []),
    ],
)
def test_shapes_that_do_not_fit_are_refused(classes, boxes, sizes):
    with pytest.raises(ValueError, match="must have shape"):
        interpret_outputs(classes, boxes, sizes)


def test_objects_of_an_image_have_the_tensors_that_each_would_have_alone():
    items = [("car", [141, 50, 500, 330]), ("dog", [1, 1, 20, 30]), ("car", [3, 4, 90, 100])]
    image = {"size": (500, 333), "filename": "x.jpg", "objects": [{"class": name, "bbox": box} for name, box in items]}
    labels, boxes = tensorize_objects(image)
    classes, alone = tensorize_ground_truth([annotation((500, 333), box, name) for name, box in items])
    assert labels.tolist() == classes.argmax(axis=1).tolist()
    np.testing.assert_allclose(boxes, alone, rtol=1e-6)


def test_image_without_objects_has_empty_tensors_of_the_right_shape():
    labels, boxes = tensorize_objects({"size": (5, 5), "filename": "x.jpg", "objects": []})
    assert (labels.shape, boxes.shape) == ((0,), (0, 4))
