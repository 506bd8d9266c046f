"""What is shown of a model is what it does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

mpl.use("Agg")
import matplotlib.pyplot as plt

from helpers import looking
from helpers.data import CLASSES, Annotation
from helpers.iou_slider import iou_slider


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_mean_of_the_class_activation_is_what_the_layer_gives() -> None:
    random = np.random.default_rng(0)
    representation, weights = random.random((7, 7, 6)), random.normal(size=6)
    activation = looking.class_activation_map(representation, weights)
    assert activation.shape == (7, 7)
    assert activation.mean() == pytest.approx(representation.mean(axis=(0, 1)) @ weights)


def looks_at_one_position(reprs: Any) -> list[np.ndarray]:
    """The box goes to the right by what stands in row 2, column 5."""
    boxes = np.tile([100.0, 100, 40, 40], (len(reprs), 1))
    boxes[:, 0] += reprs[:, 2, 5, 0]
    return [np.tile([1.0, 0, 0, 0, 0], (len(reprs), 1)), boxes]


def test_box_moves_only_when_the_position_that_decides_is_hidden() -> None:
    representation = np.zeros((7, 7, 3))
    representation[2, 5] = 49.0
    moved = looking.box_moved_by_hiding(looks_at_one_position, representation)
    assert moved[2, 5] == pytest.approx(24)  # 48 pixels to the left, two edges of four
    assert np.count_nonzero(moved) == 1


def test_box_from_an_average_moves_wherever_something_stands_out() -> None:
    def pooled(reprs: Any) -> list[np.ndarray]:
        return [np.zeros((len(reprs), 5)), np.tile(reprs.mean(axis=(1, 2))[:, :1], (1, 4))]

    representation = np.zeros((7, 7, 1))
    representation[0, 0] = representation[6, 6] = 10
    moved = looking.box_moved_by_hiding(pooled, representation)
    assert moved[0, 0] == pytest.approx(moved[6, 6])
    assert moved[0, 0] > 10 * moved[3, 3]


def annotations(folder: Path, count: int = 40) -> list[Annotation]:
    Image.new("RGB", (60, 30), (99, 99, 99)).save(folder / "x.jpg")
    return [
        {
            "size": (224, 224),
            "filename": "x.jpg",
            "class": CLASSES[row % 5],
            "bbox": [1 + row, 1 + 2 * row, 100 + 3 * row, 120 + row],
        }
        for row in range(count)
    ]


def test_same_box_for_all_follows_nothing(tmp_path: Path) -> None:
    trues = annotations(tmp_path)
    box = np.array([100.0, 100, 50, 50])

    def constant(reprs: Any) -> list[np.ndarray]:
        return [np.tile([1.0, 0, 0, 0, 0], (len(reprs), 1)), np.tile(box, (len(reprs), 1))]

    looking.plot_predicted_against_true({"one box": constant}, np.zeros((40, 7, 7, 1)), trues)
    titles = [ax.get_title() for ax in plt.gcf().axes]
    assert titles == [f"one box: {what}, r = 0.00" for what in ("centre x", "centre y", "width", "height")]


def test_maps_share_one_scale_and_cover_the_photograph(tmp_path: Path) -> None:
    annotations(tmp_path)
    maps = {"low": np.zeros((7, 7)), "high": np.arange(49.0).reshape(7, 7)}
    looking.plot_maps(tmp_path / "x.jpg", maps, truth=[112, 112, 224, 224], found={"high": [56, 112, 112, 224]})
    first, second, _ = plt.gcf().axes
    assert first.images[-1].get_clim() == second.images[-1].get_clim() == (0, 48)
    assert second.images[-1].get_extent() == [-0.5, 59.5, 29.5, -0.5]
    assert [len(first.patches), len(second.patches)] == [1, 2]


def test_kinds_of_error_are_counted_in_their_bars() -> None:
    looking.plot_shares(("right", "both"), {"bad": [1, 9], "better": [8, 2]})
    (ax,) = plt.gcf().axes
    assert [bar.get_width() for bar in ax.patches] == [1, 8, 9, 2]


def test_learning_curve_has_a_panel_for_each_measure() -> None:
    looking.plot_learning_curve([4, 40], {"IoU": {"training": [0.9, 0.8], "validation": [0.2, 0.5]}})
    (ax,) = plt.gcf().axes
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.9, 0.8], [0.2, 0.5]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["4", "40"]


def test_still_picture_of_the_slider_is_right_and_needs_nothing_from_elsewhere() -> None:
    page = iou_slider()._repr_html_()
    assert "0.350" in page
    assert "0.350" in repr(iou_slider())
    assert "0.85, 0.71, 0.50, 0.33" in page
    assert "http" not in page
