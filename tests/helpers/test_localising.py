"""What only a model that localises can have, and that boxes without localising do not have it."""

from typing import Any

import numpy as np
import pytest

import helpers
from helpers.boxes import center_to_corners, iou
from helpers.data import split
from helpers.localising import (
    MOVED_BY,
    Localising,
    best_box,
    localising,
    lost_by_moving,
    measure_localising,
    measure_positions,
    moved_maps,
    place,
    without_localising,
)
from helpers.metrics import per_example_iou
from helpers.targets import interpret_outputs, tensorize_ground_truth

RANDOM = np.random.default_rng(0)
N = 200
ANNOTATIONS: list[Any] = [
    {
        "size": (300, 200),
        "filename": f"{row:06}.jpg",
        "class": helpers.CLASSES[row % 5],
        "bbox": [1 + x, 1 + y, x + w, y + h],
    }
    for row, (x, y, w, h) in enumerate(RANDOM.integers([0, 0, 60, 40], [120, 80, 180, 120], (N, 4)).tolist())
]
KNOWN, ASKED = ANNOTATIONS[:100], ANNOTATIONS[100:]
CLASSES, BOXES = tensorize_ground_truth(ANNOTATIONS)


def measured(boxes: np.ndarray) -> Localising:
    """Measure boxes for the asked images, whose classes are all right."""
    predictions = interpret_outputs(CLASSES[100:], boxes, [one["size"] for one in ASKED])
    return localising(place(predictions, ASKED, without_localising(KNOWN, ASKED)))


class TestBestBox:
    def test_no_other_box_nearby_is_better(self) -> None:
        corners = center_to_corners(BOXES)

        def mean(box: np.ndarray) -> float:
            return float(np.mean(iou(center_to_corners(box), corners)))

        best = best_box(BOXES)
        assert mean(best) > mean(np.median(BOXES, axis=0))
        for change in (*np.eye(4), *-np.eye(4)):
            assert mean(best + change) <= mean(best)

    def test_of_one_box_it_is_that_box(self) -> None:
        assert best_box([[100, 90, 50, 40]]).tolist() == [100, 90, 50, 40]

    def test_box_for_each_class_counts_where_it_is_better(self) -> None:
        """Classes that live in different corners: their boxes are far better than one for all."""
        apart: list[Any] = [
            {**one, "bbox": [1 + 60 * (row % 5), 1, 60 + 60 * (row % 5), 100]} for row, one in enumerate(ANNOTATIONS)
        ]
        assert without_localising(apart[:100], apart[100:]).mean() > 0.95


class TestLocalising:
    def test_truth_follows_exactly_and_gains_all_there_is(self) -> None:
        found = measured(BOXES[100:])
        assert (found.centre, found.size) == pytest.approx((1, 1), abs=0.01)
        assert found.iou_gained == pytest.approx(1 - without_localising(KNOWN, ASKED).mean(), abs=0.02)

    def test_one_box_for_all_gains_nothing_and_follows_nothing(self) -> None:
        found = measured(np.tile(best_box(BOXES[:100]), (100, 1)))
        assert found.iou_gained <= 0.001
        assert found.follows == 0

    def test_box_that_follows_the_class_alone_follows_nothing(self) -> None:
        """Buses may be wide and cars low: that is no localising."""
        of_class = np.array(
            [[60, 60, 60, 60], [90, 60, 80, 60], [120, 90, 100, 80], [120, 120, 120, 60], [60, 90, 80, 80]]
        )
        assert measured(of_class[CLASSES[100:].argmax(axis=1)]).follows == 0

    def test_right_size_in_the_wrong_place_follows_in_size_only(self) -> None:
        boxes = BOXES[100:].copy()
        boxes[:, :2] = RANDOM.permutation(boxes[:, :2])
        found = measured(boxes)
        assert found.size > 0.7
        assert abs(found.centre) < 0.3
        assert found.follows == found.centre

    def test_noise_follows_less_and_less(self) -> None:
        noise = RANDOM.normal(0, 1, (100, 4))
        follows = [measured(BOXES[100:] + noise * scale).follows for scale in (0, 5, 15, 40)]
        assert follows == sorted(follows, reverse=True)

    def test_boxes_that_are_no_numbers_follow_nothing(self) -> None:
        found = measured(np.full((100, 4), np.nan))
        assert found.follows == 0
        assert found.iou_gained < 0


class Placing:
    """Finds the bright position in a map, or ignores where it is."""

    def __init__(self, pooled: bool) -> None:
        self.pooled = pooled

    def predict(self, reprs: Any, verbose: Any = 0) -> Any:
        boxes = reprs[:, 0, 0, 1:5].copy()
        rows, columns = np.unravel_index(reprs[..., 0].reshape(len(reprs), -1).argmax(axis=1), (7, 7))
        if not self.pooled:
            boxes[:, :2] += 32 * np.stack([columns - 3, rows - 3], axis=1)
        return [np.full((len(reprs), 5), 0.2), boxes]


MAPS = np.zeros((N, 7, 7, 5), dtype=np.float32)
MAPS[:, 3, 3, 0] = 1
MAPS[..., 1:] = BOXES[:, None, None]


class TestPositions:
    def test_average_of_a_moved_map_is_what_it_was(self) -> None:
        maps = RANDOM.random((3, 7, 7, 4))
        moved = moved_maps(maps)
        assert moved.mean(axis=(1, 2)) == pytest.approx(np.tile(maps.mean(axis=(1, 2)), (2, 1)))
        assert (moved[:3, MOVED_BY:, MOVED_BY:] == maps[:, :-MOVED_BY, :-MOVED_BY]).all()
        assert (moved[3:, :-MOVED_BY, :-MOVED_BY] == maps[:, MOVED_BY:, MOVED_BY:]).all()

    def test_model_without_positions_loses_exactly_nothing(self) -> None:
        assert measure_positions(Placing(pooled=True), MAPS, ANNOTATIONS) == 0

    def test_model_that_looks_at_positions_loses_iou(self, capsys: pytest.CaptureFixture[str]) -> None:
        lost = measure_positions(Placing(pooled=False), MAPS, ANNOTATIONS)
        assert lost > 0.5
        assert f"{lost:.3f}" in capsys.readouterr().out

    def test_loss_is_that_of_each_image(self) -> None:
        assert lost_by_moving(np.array([1, 0.5]), np.array([0.2, 0.4, 0, 0.2])).tolist() == pytest.approx([0.9, 0.2])


def test_parts_are_measured_by_their_names() -> None:
    parts = split(N)
    wrong = BOXES.copy()
    wrong[parts.test] = [112, 112, 20, 20]
    maps = MAPS.copy()
    maps[..., 1:] = wrong[:, None, None]
    assert measure_localising(Placing(pooled=True), maps, ANNOTATIONS).follows == pytest.approx(1, abs=0.02)
    assert measure_localising(Placing(pooled=True), maps, ANNOTATIONS, part="test").follows == 0


def test_validation_images_are_those_that_fit_sets_aside() -> None:
    """Keras takes the last tenth of what it is given, rounded up."""
    for count in (10, 57, 500, 1262, 1264):
        parts = split(count)
        assert parts.validation == slice(int(parts.train.stop * (1 - 0.1)), parts.train.stop)
        assert parts.validation.stop <= parts.test.start


def test_every_image_has_an_iou_without_localising() -> None:
    found = without_localising(KNOWN, ASKED)
    assert found.shape == (100,)
    assert per_example_iou(ASKED, ASKED).mean() > found.mean() > 0.2
