"""Pictures: images with boxes, training curves, and what a model gets right and wrong.

Matplotlib and scikit-image are slow to load: they are imported where they are needed.
"""

import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from helpers.data import Annotation, Part, image_path, split
from helpers.metrics import per_example_iou, predict_dicts
from helpers.targets import IMAGE_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Blue and vermilion of the Okabe-Ito palette: told apart by colour-blind readers too.
TRUE_COLOR = "#D55E00"
PREDICTED_COLOR = "#0072B2"
_COLORS = (PREDICTED_COLOR, TRUE_COLOR, "#009E73", "#CC79A7")


def draw_bbox(
    img: npt.NDArray[Any], bbox: Sequence[float], color: tuple[int, int, int] = (255, 0, 0)
) -> npt.NDArray[Any]:
    """Return a copy of an image with the outline of a box drawn into its pixels.

    Args:
        img: grey (h, w) or RGB (h, w, 3) image.
        bbox: VOC box `[xmin, ymin, xmax, ymax]`, 1-based and inclusive; parts outside the image are cut.
        color: red, green, blue from 0 to 255; grey images get white.
    """
    xmin, ymin, xmax, ymax = (round(float(value)) - 1 for value in bbox)  # VOC counts pixels from 1
    height, width = img.shape[:2]
    rows, columns = (slice(max(low, 0), max(high + 1, 0)) for low, high in ((ymin, ymax), (xmin, xmax)))
    drawn = img.copy()
    ink = 255 if img.ndim == 2 else color
    for row in {ymin, ymax} & set(range(height)):
        drawn[row, columns] = ink
    for column in {xmin, xmax} & set(range(width)):
        drawn[rows, column] = ink
    return drawn


def plot_annotations(
    img_path: Path | str,
    annotation: Mapping[str, Any] | None = None,
    ground_truth: Mapping[str, Any] | None = None,
    figsize: tuple[float, float] = (8, 8),
) -> None:
    """Show a photograph with the predicted box (blue) and the true box (orange) on it.

    Args:
        img_path: the photograph.
        annotation: a prediction of `interpret_output`: class, confidence, VOC box.
        ground_truth: an annotation: class and VOC box.
        figsize: width and height in inches.
    """
    figure, ax = _pyplot().subplots(figsize=figsize)
    _show(ax, Path(img_path), annotation, ground_truth)
    show_figure(figure, f"A photograph with {_boxes_in_words(annotation, ground_truth)}")


def display_prediction(
    model: Any,
    index: int,
    reprs: npt.NDArray[Any],
    annotations: Sequence[Annotation],
    root: Path | str,
    ground_truth: bool = True,
) -> None:
    """Show what a model predicts for one image, beside the truth.

    Args:
        model: two heads, class probabilities and centre boxes.
        index: position of the image in `annotations`.
        reprs: representations (N, 7, 7, 2048) of all annotations, in their order.
        annotations: the annotations.
        root: the data root (`VOCdevkit`).
        ground_truth: draw the true box too.
    """
    annotation = annotations[index]
    prediction = predict_dicts(model, reprs[index : index + 1], [annotation])[0]
    plot_annotations(image_path(root, annotation), prediction, annotation if ground_truth else None)


def draw_objects(
    ax: "Axes",
    img_path: Path | str,
    found: Sequence[tuple[Sequence[float], str]] = (),
    truth: Sequence[tuple[Sequence[float], str]] = (),
) -> None:
    """Show a photograph with any number of found objects (blue) and true objects (orange) on an axis.

    Args:
        ax: where to draw.
        img_path: the photograph.
        found: corner boxes in the 224-pixel frame, each with a text.
        truth: likewise.
    """
    picture = _read_image(Path(img_path))
    height, width = picture.shape[:2]
    ax.imshow(picture)
    for items, color, place in ((truth, TRUE_COLOR, "top"), (found, PREDICTED_COLOR, "bottom")):
        for box, text in items:
            corners = np.asarray(box, dtype=float) * np.tile([width, height], 2) / IMAGE_SIZE
            _patch(ax, (corners + np.array([1, 1, 0, 0])).tolist(), text, color, text_at=place)
    ax.axis("off")


def plot_history(history: Any) -> None:
    """Plot every loss of a training run (log scale) and, beside it, every other metric, by epoch.

    Args:
        history: what `model.fit` returned, or its `history` dictionary of lists.
    """
    curves: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    show_figure(draw_history(curves), text_of_history(curves))


def draw_history(curves: Mapping[str, Sequence[float]]) -> "Figure":
    """Draw what `plot_history` shows; the validation images have the dashed line of the same colour."""
    losses = {name: values for name, values in curves.items() if name.endswith("loss")}
    others = {name: values for name, values in curves.items() if name not in losses}
    panels = [("Loss", losses, "log")] + ([("Metric", others, "linear")] if others else [])
    figure, axes = _pyplot().subplots(1, len(panels), figsize=(6 * len(panels), 4), squeeze=False)
    for ax, (label, lines, scale) in zip(axes[0], panels, strict=True):
        names = list(dict.fromkeys(_of_training(name) for name in lines))
        for name, values in lines.items():
            color = _COLORS[names.index(_of_training(name)) % len(_COLORS)]
            style, marker = ("--", "s") if name.startswith("val_") else ("-", "o")
            ax.plot(range(1, len(values) + 1), values, style, color=color, marker=marker, markersize=3, label=name)
        ax.set(xlabel="Epoch", ylabel=label, yscale=scale)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend([_in_words(name) for name in lines], fontsize="small")
        ax.grid(alpha=0.3)
    figure.tight_layout()
    return figure


def text_of_history(curves: Mapping[str, Sequence[float]]) -> str:
    """Say in words what `plot_history` shows: where each curve begins and ends."""
    said = [f"{_in_words(name)} {values[0]:.2f} to {values[-1]:.2f}" for name, values in curves.items() if len(values)]
    epochs = max((len(values) for values in curves.values()), default=0)
    return f"Curves over {epochs} epochs: {', '.join(said)}"


def _of_training(name: str) -> str:
    return name.removeprefix("val_")


def _in_words(name: str) -> str:
    """Return what a curve shows: `val_head_boxes_box_iou` becomes "boxes: iou (validation)"."""
    plain = _of_training(name).removeprefix("head_")
    head, _, what = plain.partition("_")
    said = f"{head}: {what.removeprefix('box_')}" if what and head in ("classes", "boxes") else plain
    return f"{said} (validation)" if name.startswith("val_") else said


def plot_positions(representation: npt.NDArray[Any], image: Path | str, bbox: Sequence[float] | None = None) -> None:
    """Show where in an image its representation is active, and what is left of that after averaging.

    Three panels: the image with its box; the mean activation of each of the 7×7 positions laid over it;
    and the same after global average pooling, where every position has become the same number.

    Args:
        representation: (7, 7, C) activations, non-negative.
        image: the photograph.
        bbox: its VOC box.
    """
    plt = _pyplot()
    strength = np.asarray(representation, dtype="float32").mean(axis=-1)
    picture = _read_image(Path(image))
    height, width = picture.shape[:2]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4))
    axes[0].imshow(picture)
    axes[0].set_title("the image")
    panels = (
        (strength, "mean activation of the 7×7 positions"),
        (np.full_like(strength, strength.mean()), "after global average pooling"),
    )
    for ax, (values, title) in zip(axes[1:], panels, strict=True):
        ax.imshow(picture)
        shown = ax.imshow(
            values,
            extent=(0, width, height, 0),
            alpha=0.65,
            vmin=float(strength.min()),
            vmax=float(strength.max()),
        )
        ax.set_title(title)
    plt.colorbar(shown, ax=list(axes), shrink=0.8, label="activation")
    for ax in axes:
        if bbox is not None:
            _patch(ax, bbox, "", TRUE_COLOR)
        ax.axis("off")
    row, column = np.unravel_index(int(strength.argmax()), strength.shape)
    show_figure(
        figure,
        "Three times the same photograph: as it is; under the mean activation of the 7 by 7 positions, strongest in "
        f"row {row + 1}, column {column + 1}; and after averaging, where all positions have the same colour",
    )


def plot_iou_histograms(ious: Mapping[str, npt.ArrayLike], threshold: float = 0.5) -> None:
    """Plot histograms of the per-image IoU of several models on one plot.

    Args:
        ious: a name for each model, and its IoU for every image, shape (N,).
        threshold: drawn as a vertical line: boxes to its right count as found.
    """
    figure, ax = _pyplot().subplots(figsize=(7, 4))
    bins = np.linspace(0.0, 1.0, 21)
    for (name, values), color in zip(ious.items(), _COLORS, strict=False):
        values = np.asarray(values)
        ax.hist(values, bins=bins, alpha=0.6, color=color, label=f"{name} (mean {values.mean():.2f})")
    ax.axvline(threshold, color="black", linestyle="--", linewidth=1)
    ax.set(xlabel="IoU between the predicted and the true box", ylabel="Number of images", xlim=(0, 1))
    ax.legend()
    means = ", ".join(f"{name} {np.mean(np.asarray(values)):.2f}" for name, values in ious.items())
    show_figure(figure, f"Histograms of the IoU by image; means: {means}")


def plot_best_and_worst(
    model: Any,
    reprs: npt.NDArray[Any],
    annotations: Sequence[Annotation],
    root: Path | str,
    count: int = 4,
    part: Part = "validation",
) -> None:
    """Show a grid of images: the `count` best predictions by IoU above, the `count` worst below.

    Args are those of `display_prediction`; only one part of `split` is looked at.
    """
    chosen = split(len(annotations)).named(part)
    trues = list(annotations[chosen])
    preds = predict_dicts(model, reprs[chosen], trues)
    ious = per_example_iou(preds, trues)
    order = np.argsort(-ious, kind="stable")
    count = min(count, len(trues) // 2)
    figure, axes = _pyplot().subplots(2, count, figsize=(3.4 * count, 6.4), squeeze=False)
    for row, (title, shown) in enumerate((("best", order[:count]), ("worst", order[::-1][:count]))):
        for ax, index in zip(axes[row], shown, strict=True):
            _show(ax, image_path(root, trues[index]), preds[index], trues[index])
            ax.set_title(f"{title}: IoU {ious[index]:.2f}")
    figure.tight_layout()
    best, worst = (", ".join(f"{ious[index]:.2f}" for index in some) for some in (order[:count], order[::-1][:count]))
    show_figure(figure, f"Photographs with both boxes; the best above, IoU {best}; the worst below, {worst}")


def _boxes_in_words(prediction: Mapping[str, Any] | None, ground_truth: Mapping[str, Any] | None) -> str:
    said = []
    if ground_truth is not None:
        said.append(f"the true box of a {ground_truth['class']} in orange")
    if prediction is not None:
        said.append(f"the predicted box in blue, {prediction['class']} with confidence {prediction['confidence']:.2f}")
    return " and ".join(said) or "no box"


def _show(
    ax: "Axes",
    img_path: Path,
    prediction: Mapping[str, Any] | None,
    ground_truth: Mapping[str, Any] | None,
) -> None:
    ax.imshow(_read_image(img_path))
    if ground_truth is not None:
        _patch(ax, ground_truth["bbox"], f"true {ground_truth['class']}", TRUE_COLOR)
    if prediction is not None:
        text = f"{prediction['class']} {prediction['confidence']:.2f}"
        _patch(ax, prediction["bbox"], text, PREDICTED_COLOR, text_at="bottom")
    ax.axis("off")


def _patch(ax: "Axes", bbox: Sequence[float], text: str, color: str, text_at: str = "top") -> None:
    """Draw a VOC box and its label; imshow puts the centre of the first pixel at 0, its edge at -0.5."""
    from matplotlib.patches import Rectangle

    xmin, ymin, xmax, ymax = bbox
    ax.add_patch(
        Rectangle(
            (xmin - 1.5, ymin - 1.5),
            xmax - xmin + 1,
            ymax - ymin + 1,
            fill=False,
            edgecolor=color,
            linewidth=2,
        )
    )
    if text:
        y, alignment = (ymin, "top") if text_at == "top" else (ymax, "bottom")
        ax.text(
            xmin,
            y,
            text,
            color="white",
            verticalalignment=alignment,
            bbox={"facecolor": color, "alpha": 0.75, "pad": 2, "edgecolor": "none"},
            clip_on=True,
        )


def _read_image(path: Path) -> npt.NDArray[Any]:
    from skimage.io import imread

    image: npt.NDArray[Any] = imread(path)
    return image


def in_a_notebook() -> bool:
    """Whether what is displayed reaches a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


def show_figure(figure: "Figure", alt: str, place: Any = None) -> Any:
    """Show a figure with a text for those who cannot see it, and close it; outside a notebook, `plt.show()`.

    Returns the place where it stands in the notebook: given again, the new figure comes in place of the old one.
    """
    if not in_a_notebook():
        _pyplot().show()
        return None
    display = sys.modules["IPython"].display.display  # it is there, and not one of this library's needs
    shown = {"raw": True, "metadata": {"image/png": {"alt": alt}}}
    if place is None:
        place = display(with_words(figure, alt), display_id=True, **shown)
    else:
        place.update(with_words(figure, alt), **shown)
    _pyplot().close(figure)
    return place


def with_words(figure: "Figure", alt: str) -> dict[str, str]:
    """Return a figure by MIME type, for a notebook.

    JupyterLab and nbconvert's pages take the HTML, since they drop what an image's metadata say; what takes no HTML
    (grading, LaTeX) has the image itself. The one in the HTML is compressed, or a notebook would be twice as large.
    """
    small = _encoded(figure, "webp", pil_kwargs={"quality": 85})
    html = f'<img alt="{escape(alt)}" style="max-width: 100%" src="data:image/webp;base64,{small}">'
    return {"text/html": html, "image/png": _encoded(figure, "png"), "text/plain": alt}


def _encoded(figure: "Figure", kind: str, **options: Any) -> str:
    file = BytesIO()
    figure.savefig(file, format=kind, bbox_inches="tight", **options)
    return b64encode(file.getvalue()).decode()


def _pyplot() -> Any:
    import matplotlib.pyplot as plt

    return plt
