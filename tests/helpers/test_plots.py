"""The pictures show what they claim to show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

mpl.use("Agg")
import matplotlib.pyplot as plt

from helpers import plots as display
from helpers.data import Annotation, Part


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    """Keep plt.show() from warning, and close what a test has drawn."""
    yield
    plt.close("all")


@pytest.fixture
def scenes(tmp_path: Path) -> tuple[Path, list[Annotation]]:
    """Twenty grey photographs of 50 x 30 pixels, each with the same box."""
    folder = tmp_path / "scenes" / "sample"
    (folder / "JPEGImages").mkdir(parents=True)
    (folder / "Annotations").mkdir()
    annotations: list[Annotation] = []
    for index in range(20):
        name = f"{index:06d}.jpg"
        Image.new("RGB", (50, 30), (128, 128, 128)).save(folder / "JPEGImages" / name)
        annotations.append({"size": (50, 30), "filename": name, "class": "dog", "bbox": [11, 6, 30, 25]})
    return tmp_path / "scenes", annotations


def model(reprs: Any) -> list[np.ndarray]:
    """Answers `dog` and a box that fits worse the larger the representation's value."""
    n = len(reprs)
    boxes = np.tile([20 / 50 * 224, 15 / 30 * 224, 20 / 50 * 224, 20 / 30 * 224], (n, 1))
    boxes[:, 0] += reprs[:, 0, 0, 0]
    return [np.tile([0.9, 0.1, 0, 0, 0], (n, 1)), boxes]


def test_draw_bbox_marks_exactly_the_boxs_own_border_pixels() -> None:
    drawn = display.draw_bbox(np.zeros((20, 20, 3), "uint8"), [3, 5, 10, 12], color=(255, 0, 0))
    rows, columns = np.nonzero(drawn[..., 0])
    # VOC counts from 1 and includes both ends: columns 2 to 9, rows 4 to 11.
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (2, 4, 9, 11)
    assert drawn[4, 2:10, 0].all()
    assert drawn[4:12, 2, 0].all()
    assert not drawn[5:11, 3:9].any()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_draw_bbox_of_a_small_box_stays_on_the_box(size: int) -> None:
    drawn = display.draw_bbox(np.zeros((20, 20), "uint8"), [8, 8, 7 + size, 7 + size])
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (7, 6 + size, 7, 6 + size)
    assert len(rows) == (size * size if size < 3 else 4 * (size - 1))


@pytest.mark.parametrize("box", [[-5, -5, 3, 3], [18, 18, 40, 40], [-5, 8, 40, 9], [30, 30, 40, 40]])
def test_draw_bbox_cuts_what_is_outside(box: list[int]) -> None:
    drawn = display.draw_bbox(np.zeros((20, 20), "uint8"), box)
    framed = np.zeros((80, 80), "uint8")
    moved = display.draw_bbox(framed, [value + 30 for value in box])
    np.testing.assert_array_equal(drawn, moved[30:50, 30:50])


def test_draw_bbox_of_the_whole_image_shows_all_four_sides() -> None:
    drawn = display.draw_bbox(np.zeros((6, 8), "uint8"), [1, 1, 8, 6])
    assert drawn[0].all()
    assert drawn[-1].all()
    assert drawn[:, 0].all()
    assert drawn[:, -1].all()


def test_draw_bbox_leaves_the_original_alone() -> None:
    image = np.zeros((9, 9, 3), "uint8")
    display.draw_bbox(image, [2, 2, 5, 5])
    assert not image.any()


def test_a_prediction_and_the_truth_are_both_labelled(scenes: tuple[Path, list[Annotation]]) -> None:
    root, annotations = scenes
    display.display_prediction(model, 3, np.zeros((20, 7, 7, 4)), annotations, root)
    assert [text.get_text() for text in plt.gca().texts] == ["true dog", "dog 0.90"]
    true, predicted = plt.gca().patches
    assert (true.get_x(), true.get_y(), true.get_width(), true.get_height()) == (9.5, 4.5, 20, 20)
    assert (predicted.get_x(), predicted.get_width()) == (9.5, 20)


def test_the_truth_can_be_left_out(scenes: tuple[Path, list[Annotation]]) -> None:
    root, annotations = scenes
    display.display_prediction(model, 3, np.zeros((20, 7, 7, 4)), annotations, root, ground_truth=False)
    assert [text.get_text() for text in plt.gca().texts] == ["dog 0.90"]


def test_history_shows_losses_beside_metrics() -> None:
    display.plot_history({"loss": [3.0, 2.0], "val_loss": [3.0, 2.5], "head_boxes_iou": [0.1, 0.2]})
    losses, metrics = plt.gcf().axes
    assert [text.get_text() for text in losses.get_legend().get_texts()] == ["loss", "loss (validation)"]
    assert losses.lines[0].get_color() == losses.lines[1].get_color()
    assert losses.get_yscale() == "log"
    assert [text.get_text() for text in metrics.get_legend().get_texts()] == ["boxes: iou"]


def test_averaging_leaves_one_value_at_all_positions(scenes: tuple[Path, list[Annotation]]) -> None:
    root, annotations = scenes
    representation = np.zeros((7, 7, 4), "float32")
    representation[2, 5] = 4.0
    display.plot_positions(representation, root / "sample/JPEGImages/000000.jpg", annotations[0]["bbox"])
    before, after = (ax.images[-1].get_array() for ax in plt.gcf().axes[1:3])
    assert before.argmax() == 2 * 7 + 5
    assert np.unique(after).size == 1


def test_histograms_name_each_model_with_its_mean() -> None:
    display.plot_iou_histograms({"bad": [0.1, 0.3], "better": [0.5, 0.7]})
    labels = [text.get_text() for text in plt.gca().get_legend().get_texts()]
    assert labels == ["bad (mean 0.20)", "better (mean 0.60)"]


@pytest.mark.parametrize(("part", "rows"), [("validation", [16, 17]), ("test", [18, 19])])
def test_best_and_worst_are_of_one_part_in_order(
    scenes: tuple[Path, list[Annotation]], part: Part, rows: list[int]
) -> None:
    root, annotations = scenes
    reprs = np.full((20, 7, 7, 4), 300.0)  # the other images would be worse than all
    reprs[rows] = 0
    reprs[rows[1]] = 60.0
    display.plot_best_and_worst(model, reprs, annotations, root, count=1, part=part)
    best, worst = (ax.get_title() for ax in plt.gcf().axes)
    assert best == "best: IoU 1.00"
    assert worst.startswith("worst: IoU 0.")
    assert worst != "worst: IoU 0.00"


def test_objects_are_drawn_where_they_are_in_the_photograph(scenes: tuple[Path, list[Annotation]]) -> None:
    """The photograph has 50 x 30 pixels; imshow puts the edge of the first one at -0.5."""
    root, annotations = scenes
    _, ax = plt.subplots()
    half = [(0.0, 0.0, 112.0, 224.0), (112.0, 112.0, 224.0, 224.0)]
    path = root / "sample" / "JPEGImages" / annotations[0]["filename"]
    display.draw_objects(ax, path, found=[(half[0], "dog 0.90")], truth=[(half[1], "cat")])
    drawn = {patch.get_bbox().bounds: mpl.colors.to_hex(patch.get_edgecolor()).upper() for patch in ax.patches}
    assert drawn == {
        (-0.5, -0.5, 25.0, 30.0): display.PREDICTED_COLOR,
        (24.5, 14.5, 25.0, 15.0): display.TRUE_COLOR,
    }
    assert {text.get_text() for text in ax.texts} == {"dog 0.90", "cat"}


def test_figure_in_a_notebook_has_its_words_wherever_it_is_shown() -> None:
    figure, _ = plt.subplots(figsize=(1, 1))
    shown = display.with_words(figure, 'A "dog" <left of> a cat')
    assert shown["text/html"].startswith('<img alt="A &quot;dog&quot; &lt;left of&gt; a cat" ')
    assert shown["text/plain"] == 'A "dog" <left of> a cat'


def test_figure_of_a_photograph_makes_a_notebook_by_half_larger_at_most() -> None:
    """It is there twice, for what takes HTML and for what does not; notebooks above 10 MB may be refused."""
    figure, ax = plt.subplots()
    noise = np.random.default_rng(0).normal(size=(60, 60, 3)).cumsum(axis=0).cumsum(axis=1)
    ax.imshow((noise - noise.min()) / np.ptp(noise), interpolation="bicubic")
    shown = display.with_words(figure, "a photograph")
    assert "data:image/webp;base64," in shown["text/html"]
    assert len(shown["text/html"]) < len(shown["image/png"]) / 2
