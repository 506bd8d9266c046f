"""Pictures of what a model looks at and of where its boxes go.

Matplotlib is slow to load: it is imported where it is needed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from helpers.boxes import FloatArray, center_to_corners
from helpers.checks import heads
from helpers.data import CLASSES, Annotation, Part, split
from helpers.metrics import predict_dicts
from helpers.plots import PREDICTED_COLOR, TRUE_COLOR, draw_objects, show_figure
from helpers.targets import IMAGE_SIZE, boxes_in_frame, tensorize_ground_truth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COORDINATES = ("centre x", "centre y", "width", "height")
_PARTS = ("#009E73", "#56B4E9", "#E69F00", "#F0E442", "#CC79A7")
"""Colours of Okabe and Ito on which black numbers can be read."""
_FLAT = 1.0
"""Pixels: a coordinate that spreads less is the same for every image, and follows nothing."""


def class_activation_map(representation: npt.NDArray[Any], weights: npt.NDArray[Any]) -> FloatArray:
    """Return how much each position (7, 7) speaks for a class: Zhou et al. 2016, arXiv 1512.04150.

    Args:
        representation: (7, 7, C) of one image.
        weights: (C,), those of the class in a Dense layer that stands right on the average of the positions.

    The mean over the positions is what the layer gives for the class, but for its bias.
    """
    return np.asarray(np.asarray(representation, dtype=np.float64) @ np.asarray(weights, dtype=np.float64))


def box_moved_by_hiding(model: Any, representation: npt.NDArray[Any]) -> FloatArray:
    """Return how far (pixels) the box moves when one position after the other is hidden, (7, 7).

    A hidden position holds the average of all positions, so that nothing stands out there. Far is the mean over the
    four edges of the box.
    """
    height, width = representation.shape[:2]
    hidden = np.repeat(representation[np.newaxis], height * width + 1, axis=0)
    rows, columns = np.divmod(np.arange(height * width), width)
    hidden[np.arange(height * width), rows, columns] = representation.mean(axis=(0, 1))
    boxes = np.asarray(heads(_predict(model, hidden))[1], dtype=np.float64)
    corners = center_to_corners(boxes)
    moved = np.abs(corners[:-1] - corners[-1]).mean(axis=1)
    return np.asarray(moved.reshape(height, width))


def plot_maps(
    image: Path | str,
    maps: Mapping[str, npt.NDArray[Any]],
    truth: Sequence[float],
    found: Mapping[str, Sequence[float]] | None = None,
    unit: str = "",
) -> None:
    """Lay maps (7, 7) over a photograph, side by side on one scale, with the true box and the predicted ones.

    Args:
        image: the photograph.
        maps: by title.
        truth: the true centre box in the 224-pixel frame.
        found: by the same titles, predicted centre boxes.
        unit: what the numbers of the maps are.
    """
    import matplotlib.pyplot as plt

    low, high = np.min(list(maps.values())), np.max(list(maps.values()))
    figure, axes = plt.subplots(1, len(maps), figsize=(4.3 * len(maps), 4), squeeze=False, layout="constrained")
    for ax, (title, values) in zip(axes[0], maps.items(), strict=True):
        own = [(center_to_corners(np.asarray(found[title])).tolist(), "")] if found and title in found else []
        draw_objects(ax, image, own, [(center_to_corners(np.asarray(truth)).tolist(), "")])
        (_, right), (bottom, _) = ax.get_xlim(), ax.get_ylim()
        shown = ax.imshow(values, extent=(-0.5, right, bottom, -0.5), alpha=0.6, vmin=low, vmax=high, cmap="viridis")
        ax.set_title(title, fontsize="medium")
    figure.colorbar(shown, ax=list(axes[0]), shrink=0.8, label=unit)
    said = " ".join(map(_strongest, maps, maps.values()))
    show_figure(figure, f"A photograph under maps of 7 by 7 positions. {said}")


def _strongest(title: str, values: npt.NDArray[Any]) -> str:
    row, column = np.unravel_index(int(np.argmax(values)), np.shape(values))
    return f"{title}: most in row {row + 1}, column {column + 1}, {np.max(values):.2f}; least {np.min(values):.2f}."


def plot_predicted_against_true(
    models: Mapping[str, Any],
    reprs: npt.NDArray[Any],
    annotations: Sequence[Annotation],
    part: Part = "validation",
) -> None:
    """Plot predicted against true centre and size, a row for each model; its boxes lie on the line if they are right.

    Args:
        models: by name.
        reprs: representations (N, 7, 7, 2048) of all annotations, in their order.
        annotations: the annotations.
        part: the images of `split` that are looked at.
    """
    import matplotlib.pyplot as plt

    chosen = split(len(annotations)).named(part)
    trues = annotations[chosen]
    classes, boxes = tensorize_ground_truth(trues)
    sizes = [true["size"] for true in trues]
    figure, axes = plt.subplots(
        len(models), 4, figsize=(13, 3.4 * len(models)), squeeze=False, layout="constrained", sharex=True, sharey=True
    )
    said = []
    for row, (name, model) in zip(axes, models.items(), strict=True):
        predictions = predict_dicts(model, reprs[chosen], trues)
        found = boxes_in_frame([prediction["bbox"] for prediction in predictions], sizes)
        for column, (ax, what) in enumerate(zip(row, _COORDINATES, strict=True)):
            together = _scatter(ax, boxes[:, column], found[:, column], classes.argmax(axis=1))
            ax.set_title(f"{name}: {what}, r = {together:.2f}", fontsize="medium")
            said.append(f"{name}, {what} {together:.2f}")
        row[0].set_ylabel("predicted (pixels)")
    for ax in axes[-1]:
        ax.set_xlabel("true (pixels)")
    handles, _ = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, CLASSES, loc="outside lower center", ncols=len(CLASSES))
    show_figure(figure, f"Scatter plots of predicted against true boxes. Correlations: {'; '.join(said)}")


def _scatter(ax: "Axes", true: npt.NDArray[Any], found: npt.NDArray[Any], kinds: npt.NDArray[np.intp]) -> float:
    """Draw one panel and return the correlation; 0 for a coordinate that is the same for every image."""
    for kind, (name, marker) in enumerate(zip(CLASSES, "osD^v", strict=True)):
        here = kinds == kind
        ax.plot(true[here], found[here], marker, markersize=4, alpha=0.7, label=name)
    ax.plot([0, IMAGE_SIZE], [0, IMAGE_SIZE], color="black", linewidth=1)
    ax.set(xlim=(0, IMAGE_SIZE), ylim=(0, IMAGE_SIZE), aspect="equal")
    if min(np.std(true), np.std(found)) < _FLAT:
        return 0.0
    return float(np.corrcoef(true, found)[0, 1])


def plot_learning_curve(images: Sequence[int], curves: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Plot measures against the number of images that a model was trained on, one panel for each measure.

    Args:
        images: the numbers of images.
        curves: by measure, and in it by the images that were measured ("training", "validation"), the values.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(5 * len(curves), 3.6), squeeze=False, layout="constrained")
    said = []
    for ax, (measure, lines) in zip(axes[0], curves.items(), strict=True):
        styles = ((PREDICTED_COLOR, "o-"), (TRUE_COLOR, "s--"))
        for (name, values), (color, style) in zip(lines.items(), styles, strict=False):
            ax.plot(images, values, style, color=color, label=name)
            said.append(f"{measure}, {name}: " + ", ".join(f"{value:.2f}" for value in values))
        ax.set(xscale="log", xlabel="images trained on", ylabel=measure, ylim=(0, 1))
        ax.set_xticks(images, [str(number) for number in images])
        ax.minorticks_off()
        ax.grid(alpha=0.3)
        ax.legend()
    numbers = ", ".join(map(str, images))
    show_figure(figure, f"Learning curves with {numbers} images. {'. '.join(said)}")


def plot_shares(kinds: Sequence[str], counted: Mapping[str, Sequence[int]], what: str = "images") -> None:
    """Plot how many predictions of each model are of each kind: a bar for each model, in parts.

    Args:
        kinds: names of the parts.
        counted: by model, a number for each kind.
        what: what was counted.
    """
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(9, 0.9 * len(counted) + 1.4), layout="constrained")
    left = np.zeros(len(counted))
    for kind, color, numbers in zip(kinds, _PARTS, np.array(list(counted.values())).T, strict=False):
        bars = ax.barh(list(counted), numbers, left=left, color=color, edgecolor="black", linewidth=0.5, label=kind)
        ax.bar_label(bars, [str(number) if number else "" for number in numbers], label_type="center")
        left += numbers
    ax.invert_yaxis()
    ax.set_xlabel(f"number of {what}")
    figure.legend(loc="outside upper center", ncols=len(kinds))
    said = [
        f"{name}: " + ", ".join(f"{number} {kind}" for kind, number in zip(kinds, numbers, strict=True))
        for name, numbers in counted.items()
    ]
    show_figure(figure, f"Bars of {what} by kind of error. {'; '.join(said)}")


def _predict(model: Any, inputs: npt.NDArray[Any]) -> Any:
    return model.predict(inputs, verbose=0) if hasattr(model, "predict") else model(inputs)
