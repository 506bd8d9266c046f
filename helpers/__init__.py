"""The students' library: data, features, boxes, targets, metrics, display, setup.

Everything public is importable from here. Names are looked up when they are first used, so that
`import helpers` is quick and TensorFlow, Matplotlib and scikit-image load only when something needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "1.0.0"

_ROOMS: dict[str, tuple[str, ...]] = {
    "data": (
        "CLASSES",
        "idx2labels",
        "labels2idx",
        "fetch_voc2007",
        "fetch_representations",
        "extract_xml_annotation",
        "load_annotations",
        "load_all_annotations",
        "image_path",
        "split",
    ),
    "sample": ("make_sample",),
    "features": (
        "headless_resnet50",
        "predict_batch",
        "extract_features",
        "find_representations",
        "load_representations",
        "representation_key",
    ),
    "boxes": ("iou", "corners_to_center", "center_to_corners", "corners_to_voc", "voc_to_corners"),
    "targets": ("IMAGE_SIZE", "tensorize_ground_truth", "tensorize_objects", "interpret_output"),
    "metrics": ("accuracy_and_iou", "compute_acc", "per_example_iou", "predict_dicts"),
    "localising": ("best_box", "measure_localising", "measure_positions"),
    "box_iou": ("BoxIoU",),
    "watching": ("watch",),
    "looking": (
        "class_activation_map",
        "box_moved_by_hiding",
        "plot_maps",
        "plot_predicted_against_true",
        "plot_learning_curve",
        "plot_shares",
    ),
    "iou_slider": ("iou_slider",),
    "checks": (
        "heads",
        "output_problems",
        "partial_credit",
        "accuracy_in_words",
        "box_scale_hint",
        "gain_in_words",
        "follows_in_words",
        "positions_in_words",
        "thresholds_for",
    ),
    "self_check": ("check",),
    "last_look": ("ready_to_submit",),
    "sending": ("hand_in",),
    "plots": (
        "draw_bbox",
        "show_figure",
        "plot_annotations",
        "display_prediction",
        "draw_objects",
        "plot_history",
        "plot_positions",
        "plot_iou_histograms",
        "plot_best_and_worst",
    ),
    "environment": ("setup", "fix_seeds"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [*_ROOM_OF, "__version__"]

if TYPE_CHECKING:
    from helpers.box_iou import BoxIoU as BoxIoU
    from helpers.boxes import *
    from helpers.checks import *
    from helpers.data import *
    from helpers.environment import fix_seeds as fix_seeds
    from helpers.environment import setup as setup
    from helpers.features import *
    from helpers.iou_slider import iou_slider as iou_slider
    from helpers.last_look import ready_to_submit as ready_to_submit
    from helpers.localising import best_box as best_box
    from helpers.localising import measure_localising as measure_localising
    from helpers.localising import measure_positions as measure_positions
    from helpers.looking import *
    from helpers.metrics import *
    from helpers.plots import *
    from helpers.sample import make_sample as make_sample
    from helpers.self_check import check as check
    from helpers.sending import hand_in as hand_in
    from helpers.targets import *
    from helpers.watching import watch as watch


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module 'helpers' has no attribute {name!r}")
    value = getattr(import_module(f"helpers.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
