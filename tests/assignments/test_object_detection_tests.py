"""The notebook's own tests, hidden ones too, give what a model is worth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from notebooks import ROOT

import helpers
from helpers.data import split
from helpers.targets import tensorize_ground_truth

NAME = "object_detection"
FULL = {
    **{"test_output_shapes": 1, "test_class_accuracy": 1, "test_iou": 2, "test_follows": 3},
    **{"test_positions": 8, "hidden_tests": 2},
}
MINIMUM = {
    **{"class_accuracy": 0.8, "iou_gained_start": 0.05, "iou_gained": 0.3},
    **{"follows_start": 0.3, "follows": 0.6, "positions_start": 0.1, "positions": 0.4},
}
N = 100
REPRS = np.zeros((N, 7, 7, 2), dtype=np.float32)
REPRS[..., 0] = np.arange(N, dtype=np.float32).reshape(-1, 1, 1)
REPRS[:, 3, 3, 1] = 1
"""The number of the image at each position, and a mark in the middle."""
ANNOTATIONS: list[Any] = [
    {
        "size": (200, 150),
        "filename": f"{row:06}.jpg",
        "class": helpers.CLASSES[row % 5],
        "bbox": [5 + row * 37 % 80, 7 + row * 17 % 20, 100 + row * 37 % 90, 120 + row * 7 % 25],
    }
    for row in range(N)
]
Change = Callable[[np.ndarray, np.ndarray], Any]


class Model:
    """Knows the answers, but for what is done to them."""

    def __init__(self, change: Change = lambda classes, boxes: [classes, boxes], pooled: bool = False) -> None:
        self.classes, self.boxes = tensorize_ground_truth(ANNOTATIONS)
        self.change = change
        self.pooled = pooled

    def predict(self, reprs: Any, verbose: Any = "auto") -> Any:
        rows = reprs[:, 0, 0, 0].astype(int)
        boxes = self.boxes[rows].copy()
        if not self.pooled:
            at = np.unravel_index(reprs[..., 1].reshape(len(reprs), -1).argmax(axis=1), (7, 7))
            boxes[:, :2] += 32 * np.stack([at[1] - 3, at[0] - 3], axis=1)
        return self.change(self.classes[rows].copy(), boxes)


def three_classes(num_classes: int) -> Model:
    """Return what `classif_and_loc(3)` should: a model of as many classes as it is asked for."""
    return Model(lambda classes, boxes: [np.full((len(classes), num_classes), 1 / num_classes), boxes])


def points(model: Any, classif_and_loc: Any = three_classes) -> dict[str, float]:
    """Return what the test cells of the master give for a model of this process."""
    from grading.release.twin import to_notebook

    space: dict[str, Any] = {
        **{"better_model": model, "classif_and_loc": classif_and_loc, "reprs": REPRS, "annotations": ANNOTATIONS},
        **{"minimum": MINIMUM, "num_classes": 5, "NOT_DONE": "not done", "np": np, "parts": split(N)},
        **{name: getattr(helpers, name) for name in HELPERS},
    }
    found: dict[str, float] = {}
    for cell in to_notebook((ROOT / "source" / NAME / f"{NAME}.py").read_text()).cells:
        if cell.id in FULL:
            space.pop("points", None)
            try:
                exec(cell.source, space)
            except Exception:
                found[cell.id] = 0
            else:
                found[cell.id] = space.get("points", FULL[cell.id])
    return found


HELPERS = (
    *("accuracy_in_words", "box_scale_hint", "compute_acc", "follows_in_words", "gain_in_words", "heads"),
    *("measure_localising", "measure_positions", "output_problems", "partial_credit", "positions_in_words"),
)


def test_truth_earns_full_points() -> None:
    assert points(Model()) == FULL


def test_no_model_earns_nothing() -> None:
    assert points(None) == dict.fromkeys(FULL, 0)


def test_model_with_a_fixed_number_of_classes_loses_a_point() -> None:
    assert points(Model(), lambda num_classes: Model()) == FULL | {"hidden_tests": 1}


def test_prediction_that_depends_on_its_batch_loses_a_point() -> None:
    shifted = Model(lambda classes, boxes: [classes, boxes + (5 if len(boxes) == 1 else 0)])
    assert points(shifted) == FULL | {"hidden_tests": 1}


def test_perfect_boxes_from_an_average_lose_the_points_for_positions() -> None:
    """However good: what does not depend on where in the map things are cannot have them."""
    assert points(Model(pooled=True)) == FULL | {"test_positions": 0}


def test_one_box_for_all_earns_what_its_classes_are_worth() -> None:
    constant = Model(lambda classes, boxes: [classes, np.tile([112.0, 112, 150, 150], (len(boxes), 1))])
    assert points(constant) == dict.fromkeys(FULL, 0) | {"test_output_shapes": 1, "test_class_accuracy": 1}


STRANGE: dict[str, Change] = {
    "swapped": lambda classes, boxes: [boxes, classes],
    "one array": lambda classes, boxes: classes,
    "three arrays": lambda classes, boxes: [classes, boxes, boxes],
    "nothing": lambda classes, boxes: None,
    "too few rows": lambda classes, boxes: [classes[:-1], boxes[:-1]],
    "flat": lambda classes, boxes: [classes.ravel(), boxes.ravel()],
    "numbers": lambda classes, boxes: [1.0, 2.0],
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_predictions_earn_nothing(name: str) -> None:
    assert sum(points(Model(STRANGE[name])).values()) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_boxes_that_are_no_numbers_leave_the_points_of_the_class(value: float) -> None:
    found = points(Model(lambda classes, boxes: [classes, boxes + value]))
    assert found == dict.fromkeys(FULL, 0) | {"test_class_accuracy": 1}


@pytest.mark.parametrize("value", [1e308, -1e308, 1e-308, 0.0, -1.0])
def test_extreme_boxes_earn_no_iou_points(value: float) -> None:
    model = Model(lambda classes, boxes: [classes, np.full_like(boxes, value, dtype=np.float64)])
    assert sum(points(model)[name] for name in ("test_iou", "test_follows", "test_positions")) == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64, bool])
def test_any_kind_of_number_is_accepted(dtype: Any) -> None:
    assert points(Model(lambda classes, boxes: [classes.astype(dtype), boxes])) == FULL


FUNCTIONS = ("tensorize_ground_truth", "interpret_output", "kinds_of_error")


def function_points(**answers: Any) -> dict[str, Any]:
    """Return what the tests of the three functions give, with the master's answers or these in their place."""
    from grading.release.twin import to_notebook

    cells = {cell.id: cell.source for cell in to_notebook((ROOT / "source" / NAME / f"{NAME}.py").read_text()).cells}
    space: dict[str, Any] = {
        **{"np": np, "helpers": helpers, "CLASSES": helpers.CLASSES},
        **{"labels2idx": helpers.labels2idx, "idx2labels": helpers.idx2labels},
    }
    found: dict[str, Any] = {}
    for name in FUNCTIONS:
        exec(cells[name], space)
        space[name] = answers.get(name, space[name])
        space.pop("points", None)
        try:
            exec(cells[f"test_{name}"], space)
        except Exception as error:
            found[name] = str(error)
        else:
            found[name] = space.get("points", 1)
    return found


def test_solutions_of_the_three_functions_earn_full_points() -> None:
    assert function_points() == dict.fromkeys(FUNCTIONS, 1)


def in_a_frame(annotations: Any, side: int) -> Any:
    classes, boxes = tensorize_ground_truth(annotations)
    return classes, boxes * (side / 224)


def test_boxes_that_miss_one_pixel_earn_half() -> None:
    def counted_from_zero(annotations: Any, side: int) -> Any:
        classes, boxes = in_a_frame(annotations, side)
        return classes, boxes + np.array([0.5, 0.5, -1, -1]) * side / 224

    assert function_points(tensorize_ground_truth=counted_from_zero)["tensorize_ground_truth"] == 0.5


WRONG: dict[str, tuple[Any, str]] = {
    "corners": (
        lambda annotations, side: (
            in_a_frame(annotations, side)[0],
            helpers.center_to_corners(in_a_frame(annotations, side)[1]),
        ),
        "off by",
    ),
    "no return": (lambda annotations, side: None, "Two arrays are asked for"),
    "labels": (lambda annotations, side: (np.zeros(len(annotations)), in_a_frame(annotations, side)[1]), "the shape"),
    "first class": (
        lambda annotations, side: (np.eye(5)[np.zeros(len(annotations), int)], in_a_frame(annotations, side)[1]),
        "Not every class is right",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ground_truth_is_told_what_is_wrong(name: str) -> None:
    function, said = WRONG[name]
    assert said in function_points(tensorize_ground_truth=function)["tensorize_ground_truth"]


def test_output_in_the_wrong_frame_is_told_the_box() -> None:
    def in_the_frame(cls: Any, box: Any, img_size: Any, side: int) -> Any:
        return helpers.interpret_output(cls, box, (side, side))

    assert "the box is" in function_points(interpret_output=in_the_frame)["interpret_output"]


def test_errors_that_mistake_size_for_place_are_told_the_word() -> None:
    found = function_points(kinds_of_error=lambda right, predicted, true: ["place"] * len(true))
    assert "the word is" in found["kinds_of_error"]


def test_library_in_place_of_an_answer_earns_nothing() -> None:
    """It knows one frame, and the tests ask about others; it has no word for kinds of error."""
    plain = {"tensorize_ground_truth": helpers.tensorize_ground_truth, "interpret_output": helpers.interpret_output}
    wrapped = {name: lambda *given, call=call: call(*given[:-1]) for name, call in plain.items()}
    for answers in (plain, wrapped):
        found = function_points(**answers)
        assert [found[name] for name in answers] != [1, 1]
        assert not any(isinstance(found[name], (int, float)) for name in answers)
    assert not hasattr(helpers, "kinds_of_error")
