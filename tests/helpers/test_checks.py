"""The visible tests say the right thing about a model's outputs."""

import numpy as np
import pytest

from helpers.checks import box_scale_hint, output_problems, partial_credit, thresholds_for

CLASSES = np.full((8, 5), 0.2)
BOXES = np.full((8, 4), 112.0)


def the_problem(outputs: object, num_classes: int = 5) -> str:
    (problem,) = output_problems(outputs, n=8, num_classes=num_classes)
    return problem


def test_right_outputs_have_no_problems() -> None:
    assert output_problems([CLASSES, BOXES], n=8, num_classes=5) == []


def test_swapped_heads_are_recognised() -> None:
    assert "swapped" in the_problem([BOXES, CLASSES])


def test_single_output_is_named() -> None:
    assert "one array of shape (8, 5)" in the_problem(CLASSES)


def test_three_outputs_are_counted() -> None:
    assert "3 outputs" in the_problem([CLASSES, BOXES, BOXES])


def test_box_of_two_numbers_is_explained() -> None:
    assert "(8, 4)" in the_problem([CLASSES, BOXES[:, :2]])


def test_wrong_number_of_classes_is_explained() -> None:
    assert "(8, 5)" in the_problem([np.full((8, 3), 1 / 3), BOXES])


@pytest.mark.parametrize("head", [0, 1])
def test_nans_are_noticed_in_either_head(head: int) -> None:
    outputs = [CLASSES.copy(), BOXES.copy()]
    outputs[head][3] = np.nan
    assert "NaN" in the_problem(outputs)


def test_logits_are_told_from_probabilities() -> None:
    assert "softmax" in the_problem([CLASSES * 7, BOXES])


def test_four_classes_are_not_mistaken_for_a_box() -> None:
    assert output_problems([np.full((8, 4), 0.25), BOXES], n=8, num_classes=4) == []


def test_boxes_between_0_and_1_get_a_hint_about_the_frame() -> None:
    assert "224" in box_scale_hint(BOXES / 224)
    assert box_scale_hint(BOXES) == ""
    assert box_scale_hint(np.full((2, 4), np.nan)) == ""


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (0.2, 0),
        (0.3, 0),
        (0.324, 0),
        (0.326, 1),
        (0.4, 4),
        (0.4999, 7),
        (0.5, 8),
        (0.9, 8),
        (float("nan"), 0),
    ],
)
def test_points_grow_from_the_start_to_the_minimum(value: float, points: int) -> None:
    assert partial_credit(value, start=0.3, minimum=0.5, points=8) == points


def test_partial_credit_must_have_a_way_to_go() -> None:
    with pytest.raises(ValueError, match="not below"):
        partial_credit(0.4, start=0.5, minimum=0.5, points=8)


THRESHOLDS = {
    "sample/scenes-v1": {"mean_iou": 0.5, "measured": "on the sample"},
    "voc2007/other": {"mean_iou": 0.4},
}


def test_thresholds_are_found_by_data_set_and_representation() -> None:
    assert thresholds_for(THRESHOLDS, "sample/scenes-v1") == {"mean_iou": 0.5}


def test_an_unknown_representation_gets_its_data_sets_other_thresholds() -> None:
    assert thresholds_for(THRESHOLDS, "voc2007/resnet50-deadbeef") == {"mean_iou": 0.4}


def test_an_unknown_data_set_is_refused_naming_those_there_are() -> None:
    with pytest.raises(KeyError, match="voc2007/other"):
        thresholds_for(THRESHOLDS, "coco/resnet50")


def test_a_threshold_that_is_a_whole_number_is_one() -> None:
    thresholds = {"sample/x": {"class_accuracy": 1, "mean_iou": 0.5, "note": "measured", "final": True}}
    assert thresholds_for(thresholds, "sample/x") == {"class_accuracy": 1.0, "mean_iou": 0.5}


def test_outputs_in_a_dictionary_are_read_in_their_order_as_grading_reads_them() -> None:
    classes, boxes = np.full((2, 5), 0.2), np.ones((2, 4))
    assert output_problems({"classes": classes, "boxes": boxes}, n=2, num_classes=5) == []
    (problem,) = output_problems({"boxes": boxes, "classes": classes}, n=2, num_classes=5)
    assert "swapped" in problem
