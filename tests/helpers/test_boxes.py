"""Boxes: overlap, and the three ways of writing one."""

import time
import warnings

import numpy as np
import pytest

from helpers.boxes import center_to_corners, corners_to_center, corners_to_voc, iou, voc_to_corners

RNG = np.random.default_rng


def printed_iou(a, b):
    """The lab's function, for boxes that it can handle."""
    intersection = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return intersection / (areas - intersection)


def random_corners(rng, count):
    low = rng.uniform(0, 200, (count, 2))
    return np.concatenate([low, low + rng.uniform(0.1, 100, (count, 2))], axis=1)


@pytest.mark.parametrize(
    ("other", "expected"),
    [([1, 124, 496, 235], 0.0), ([47, 35, 147, 101], 1.0), ([49, 36, 145, 100], 96 * 64 / (100 * 66))],
)
def test_iou_gives_the_labs_examples(other, expected):
    assert iou([47, 35, 147, 101], other) == pytest.approx(expected, abs=1e-12)


def test_two_single_boxes_give_a_python_float():
    assert type(iou([0, 0, 2, 2], np.array([1, 1, 3, 3]))) is float


def test_pairs_agree_with_the_printed_function():
    a, b = random_corners(RNG(0), 500), random_corners(RNG(1), 500)
    expected = [printed_iou(*pair) for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(iou(a, b), expected, atol=1e-12)
    assert (iou(a, b) > 0).any()


def test_one_box_is_compared_with_each_of_many_from_either_side():
    one, many = [0, 0, 2, 2], [[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]]
    expected = [1, 1 / 3, 0]
    np.testing.assert_allclose(iou(one, many), expected)
    np.testing.assert_allclose(iou(many, one), expected)


@pytest.mark.parametrize("empty", [[], np.zeros((0, 4))])
def test_no_box_gives_no_iou(empty):
    if np.shape(empty) == (0, 4):
        assert iou(empty, empty).shape == (0,)
    else:
        with pytest.raises(ValueError, match="shape"):
            iou(empty, [0, 0, 1, 1])


@pytest.mark.parametrize(
    "bad",
    [
        [5, 5, 5, 5],  # a point
        [0, 5, 9, 5],  # a line
        [9, 0, 0, 9],  # inverted once
        [9, 9, 0, 0],  # inverted twice: its area is positive again
        [np.nan, 0, 9, 9],
        [0, 0, np.inf, 9],
        [-np.inf, -np.inf, np.inf, np.inf],
        [0, 0, 1e200, 1e200],  # its area overflows
        [0, 0, 1e-200, 1e-200],  # its area underflows
    ],
)
def test_box_without_area_or_end_has_iou_zero_without_warning(bad):
    """Bug 9: a zero-area union divides by zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert iou(bad, bad) == 0.0
        assert iou(bad, [0, 0, 9, 9]) == 0.0
        np.testing.assert_array_equal(iou([bad, [0, 0, 9, 9]], [0, 0, 9, 9]), [0.0, 1.0])


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ([1, 2, 3], [1, 2, 3], "shape"),
        (1.0, [0, 0, 1, 1], "shape"),
        (np.zeros((2, 3, 4)), np.zeros((2, 3, 4)), "shape"),
        (np.zeros((2, 4)), np.zeros((3, 4)), "2 boxes cannot be paired with 3"),
        ([[0, 0, 1, 1], [0, 0]], [0, 0, 1, 1], "four to a box"),
        (["a", "b", "c", "d"], [0, 0, 1, 1], "numbers"),
    ],
)
def test_wrong_shape_is_refused(a, b, words):
    with pytest.raises(ValueError, match=words):
        iou(a, b)


def test_hundred_thousand_pairs_take_under_half_a_second():
    a = random_corners(RNG(0), 100_000)
    start = time.process_time()
    iou(a, a + 1)
    assert time.process_time() - start < 0.5  # 0.012 s on a busy core; a loop takes over a second


def test_centre_and_corner_boxes_convert_into_each_other():
    assert corners_to_center([10, 20, 30, 60]).tolist() == [20, 40, 20, 40]
    assert center_to_corners([20, 40, 20, 40]).tolist() == [10, 20, 30, 60]
    corners = random_corners(RNG(0), 60).reshape(3, 20, 4)
    np.testing.assert_allclose(center_to_corners(corners_to_center(corners)), corners)


def test_voc_boxes_span_their_first_and_last_pixel():
    """Bug 9: VOC corners are inclusive and 1-based."""
    assert voc_to_corners([1, 1, 500, 333]).tolist() == [0, 0, 500, 333]
    assert voc_to_corners([7, 9, 7, 9]).tolist() == [6, 8, 7, 9]  # one pixel has area 1
    voc = RNG(0).integers(1, 500, (50, 4))
    np.testing.assert_array_equal(corners_to_voc(voc_to_corners(voc)), voc)


def test_pixels_are_rounded_never_truncated():
    """Bug 9: int() truncates boxes."""
    assert corners_to_voc([9.6, 9.4, 19.6, 19.4]).tolist() == [11, 10, 20, 19]
    assert corners_to_voc([9.6, 9.4, 19.6, 19.4]).dtype == np.int64


def test_edges_without_pixels_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        corners_to_voc([0, 0, np.nan, 1])
