"""IoU of many pairs, and ground truth tensors of many annotations: arrays against plain loops and a library."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harness
import keras
import numpy as np
from harness import Cost, Goal, Section, Settings

from helpers.boxes import iou
from helpers.data import CLASSES, Annotation, labels2idx
from helpers.targets import IMAGE_SIZE, tensorize_ground_truth

NAME = "vectorised"
COUNT = 100_000


def loop_iou(one: Sequence[float], other: Sequence[float]) -> float:
    """IoU of two corner boxes, number by number, as beginners' notebooks have it."""
    left, right = max(one[0], other[0]), min(one[2], other[2])
    top, bottom = max(one[1], other[1]), min(one[3], other[3])
    shared = max(0, right - left) * max(0, bottom - top)
    both = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return shared / float(both - shared)


def loop_tensorize(annotations: Sequence[Annotation]) -> tuple[Any, Any]:
    """Classes and centre boxes, one small array for each annotation, stacked at the end."""
    classes, boxes = [], []
    for annotation in annotations:
        one_hot = np.zeros(len(CLASSES))
        one_hot[labels2idx[annotation["class"]]] = 1.0
        (width, height), box = annotation["size"], annotation["bbox"]
        left, right = (box[0] - 1) * IMAGE_SIZE / width, box[2] * IMAGE_SIZE / width
        top, bottom = (box[1] - 1) * IMAGE_SIZE / height, box[3] * IMAGE_SIZE / height
        classes.append(one_hot)
        boxes.append(np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]))
    return np.vstack(classes), np.vstack(boxes)


def keras_iou(a: Any, b: Any) -> Any:
    """Keras compares all boxes of a batch with all others: pair by pair it takes batches of one box each."""
    compare = keras.utils.bounding_boxes.compute_iou
    return np.asarray(compare(a[:, None], b[:, None], bounding_box_format="xyxy"))[:, 0, 0]


def keras_tensorize(annotations: Sequence[Annotation]) -> tuple[Any, Any]:
    """The same by Keras's functions for one-hot classes and for box formats."""
    names = [labels2idx[annotation["class"]] for annotation in annotations]
    boxes = np.array([annotation["bbox"] for annotation in annotations], dtype="float32") - [1, 1, 0, 0]
    sizes = np.array([annotation["size"] for annotation in annotations], dtype="float32")
    scaled = (boxes * IMAGE_SIZE / np.tile(sizes, 2)).astype("float32")
    centers = keras.utils.bounding_boxes.convert_format(scaled, source="xyxy", target="center_xywh")
    return keras.utils.to_categorical(names, len(CLASSES)), np.asarray(centers)


def pairs(count: int) -> tuple[Any, Any]:
    """Corner boxes (N, 4), twice; many of the pairs overlap."""
    random = np.random.default_rng(0)
    low = random.uniform(0, 300, (2, count, 2))
    boxes = np.concatenate([low, low + random.uniform(1, 200, low.shape)], axis=2)
    return boxes[0], boxes[1]


def annotations(count: int) -> list[Annotation]:
    """Annotations with the sizes and boxes that photographs have."""
    random = np.random.default_rng(1)
    sizes = random.integers(200, 501, (count, 2))
    low = (random.uniform(0, 0.5, (count, 2)) * sizes).astype(int) + 1
    high = low + (random.uniform(0.1, 0.5, (count, 2)) * sizes).astype(int)
    names = random.integers(0, len(CLASSES), count)
    return [
        {"size": (int(w), int(h)), "filename": f"{n}.jpg", "class": CLASSES[name], "bbox": [*map(int, (*a, *b))]}
        for n, ((w, h), name, a, b) in enumerate(zip(sizes, names, low, high, strict=True))
    ]


def run(settings: Settings) -> list[Section]:
    """Both comparisons; all ways must give the same numbers first."""
    count = settings.part(COUNT)
    a, b = pairs(count)
    rows_a, rows_b = a.tolist(), b.tolist()
    many = annotations(count)

    def loop() -> Any:
        return [loop_iou(one, other) for one, other in zip(rows_a, rows_b, strict=True)]

    def loop_on_arrays() -> Any:
        return [loop_iou(one, other) for one, other in zip(a, b, strict=True)]

    iou_ways: dict[str, Callable[[], Any]] = {
        "helpers.iou": lambda: iou(a, b),
        "loop over lists": loop,
        "loop over array rows": loop_on_arrays,
        "keras.utils.bounding_boxes.compute_iou": lambda: keras_iou(a, b),
    }
    truth_ways: dict[str, Callable[[], Any]] = {
        "helpers.tensorize_ground_truth": lambda: tensorize_ground_truth(many),
        "loop": lambda: loop_tensorize(many),
        "keras.utils (to_categorical, convert_format)": lambda: keras_tensorize(many),
    }
    found = [np.asarray(way()) for way in iou_ways.values()]
    for other in found[1:]:
        np.testing.assert_allclose(found[0], other, atol=1e-5)
    tensors = [way() for way in truth_ways.values()]
    for other_tensors in tensors[1:]:
        for one, other in zip(tensors[0], other_tensors, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)
    truth = _section(
        "ground truth", f"Ground truth tensors of {count:,} annotations", truth_ways, count, settings.rounds
    )
    return [
        _section("iou", f"IoU of {count:,} pairs of boxes", iou_ways, count, settings.rounds),
        replace(truth, remarks=[_profile(many)]),
    ]


def _profile(many: Sequence[Annotation]) -> str:
    """What of the time is not arithmetic, and cannot be vectorised."""
    looked_up = best(lambda: [(a["class"], a["size"], a["bbox"]) for a in many]).wall
    taken = best(
        lambda: np.fromiter((x for a in many for x in (*a["size"], *a["bbox"])), np.float64, 6 * len(many))
    ).wall
    return (
        f"Merely looking up class, size and box in {len(many):,} dictionaries takes {looked_up * 1000:.1f} ms, and "
        f"getting the six numbers of each into an array {taken * 1000:.1f} ms, before any arithmetic. Fifty times the "
        "loop's speed could only be had from columns, which is not what annotations are."
    )


def _section(name: str, title: str, ways: dict[str, Callable[[], Any]], count: int, rounds: int) -> Section:
    def way(function: Callable[[], Any]) -> Callable[[], Cost]:
        return lambda: best(function)

    costs = harness.alternate({label: way(function) for label, function in ways.items()}, rounds)
    ours, *others = ways
    loops = [label for label in others if label.startswith("loop")]
    libraries = [label for label in others if label not in loops]
    slow = [min(harness.middle(harness_costs).wall for harness_costs in (costs[label] for label in loops))]
    fast = [harness.middle(costs[label]).wall for label in libraries]
    own = harness.middle(costs[ours]).wall
    return Section(
        name=f"{NAME} {name}",
        title=title,
        how="In one process, the shortest of 5 calls in each round, all ways on the same input; the results agree "
        "to within float32. The loops do what the lab's do, item by item.",
        columns=harness.COST_COLUMNS,
        rows=harness.cost_rows(costs, count, ours),
        goals=[
            Goal(f"{title}: times the speed of the fastest loop", 50, slow[0] / own),
            Goal(f"{title}: our time over the library's", 1.5, own / min(fast), at_most=True),
        ],
        raw=harness.raw(costs),
    )


def best(function: Callable[[], Any], calls: int = 5) -> Cost:
    """The shortest of some calls: for what takes milliseconds, one call says little."""
    return min((harness.run_function(function) for _ in range(calls)), key=lambda cost: cost.wall)
