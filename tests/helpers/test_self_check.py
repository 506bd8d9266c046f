"""`helpers.check` says what the notebook's visible tests say, and what to do next."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import helpers
from helpers.checks import (
    accuracy_in_words,
    box_scale_hint,
    follows_in_words,
    gain_in_words,
    heads,
    output_problems,
    partial_credit,
    positions_in_words,
)
from helpers.data import split
from helpers.localising import measure_localising, measure_positions
from helpers.metrics import compute_acc
from helpers.sample import make_sample
from helpers.self_check import WORTH_POINTS, assess, check
from helpers.targets import tensorize_ground_truth

ROOT = Path(__file__).parents[2]
POINTS = {"heads": 2, "class accuracy": 3, "IoU gained": 2, "following": 3, "positions": 8}
MINIMUM = {
    **{"class_accuracy": 0.8, "iou_gained_start": 0.0, "iou_gained": 0.2},
    **{"follows_start": 0.3, "follows": 0.9, "positions_start": 0.1, "positions": 0.4},
}
N = 100
ANNOTATIONS: list[Any] = [
    {
        "size": (200 + row, 150),
        "filename": f"{row:06}.jpg",
        "class": helpers.CLASSES[row % 5],
        "bbox": [5 + row * 37 % 80, 7 + row * 17 % 20, 100 + row * 37 % 90, 120 + row * 7 % 25],
    }
    for row in range(N)
]
REPRS = np.zeros((N, 7, 7, 2), dtype=np.float32)
REPRS[..., 0] = np.arange(N, dtype=np.float32).reshape(-1, 1, 1)
REPRS[:, 3, 3, 1] = 1
"""The number of the image at each position, and a mark in the middle."""
VALIDATION = split(N).validation


def moves(reprs: Any) -> Any:
    """By how many pixels (N, 2) the mark was moved."""
    at = np.unravel_index(reprs[..., 1].reshape(len(reprs), -1).argmax(axis=1), (7, 7))
    return 32.0 * np.stack([at[1] - 3, at[0] - 3], axis=1)


class Model:
    """Knows the answers, but for what is done to them; counts how often it is asked."""

    def __init__(self, change: Any = lambda rows, classes, boxes: [classes, boxes], pooled: bool = False) -> None:
        self.classes, self.boxes = tensorize_ground_truth(ANNOTATIONS)
        self.change = change
        self.pooled = pooled
        self.asked: list[int] = []

    def predict(self, reprs: Any, verbose: Any = "auto") -> Any:
        rows = reprs[:, 0, 0, 0].astype(int)
        self.asked.append(len(rows))
        boxes = self.boxes[rows].copy()
        boxes[:, :2] += 0 if self.pooled else moves(reprs)
        return self.change(rows, self.classes[rows].copy(), boxes)


def new(rows: Any) -> Any:
    """Where the images are that are not learnt from."""
    return np.flatnonzero(rows >= VALIDATION.start)


def wrong_classes(rows: Any, classes: Any, boxes: Any) -> Any:
    return [np.roll(classes, 1, axis=1), boxes]


def wrong_new_classes(rows: Any, classes: Any, boxes: Any) -> Any:
    classes[new(rows)] = np.roll(classes[new(rows)], 1, axis=1)
    return [classes, boxes]


def shifted(by: float) -> Any:
    return lambda rows, classes, boxes: [classes, boxes + np.array([by, 0, 0, 0])]


def shifted_when_new(rows: Any, classes: Any, boxes: Any) -> Any:
    boxes[new(rows), 0] += 45
    return [classes, boxes]


MODELS: dict[str, Any] = {
    "perfect": Model().change,
    "swapped": lambda rows, classes, boxes: [boxes, classes],
    "one output": lambda rows, classes, boxes: classes,
    "three outputs": lambda rows, classes, boxes: [classes, boxes, boxes],
    "dictionary": lambda rows, classes, boxes: {"classes": classes, "boxes": boxes},
    "nothing": lambda rows, classes, boxes: [None, None],
    "logits": lambda rows, classes, boxes: [classes * 7, boxes],
    "not a number": lambda rows, classes, boxes: [classes, boxes * np.nan],
    "not a number later": lambda rows, classes, boxes: [classes, np.where(rows[:, None] > 20, np.nan, boxes)],
    "three classes": lambda rows, classes, boxes: [np.full((len(rows), 3), 1 / 3), boxes],
    "between 0 and 1": lambda rows, classes, boxes: [classes, boxes / 224],
    "one box": lambda rows, classes, boxes: [classes, np.full_like(boxes, 100.0)],
    "wrong classes": wrong_classes,
    "wrong new classes": wrong_new_classes,
    "wrong new boxes": shifted_when_new,
    **{f"shifted by {by}": shifted(by) for by in (5, 15, 25, 35, 45, 60)},
}


CELLS = ("test_output_shapes", "test_class_accuracy", "test_iou", "test_follows", "test_positions")


def notebooks_points(model: Model) -> dict[str, int]:
    """What the cells of the visible tests come to, if the validation images are those that they look at."""
    from grading.release.twin import to_notebook

    cells = {
        cell.id: cell.source.replace('part="test"', 'part="validation"')
        for cell in to_notebook((ROOT / "source/object_detection/object_detection.py").read_text()).cells
    }
    points = {}
    for name, cell in zip(WORTH_POINTS, CELLS, strict=True):
        space: dict[str, Any] = {
            **{"better_model": model, "reprs": REPRS, "annotations": ANNOTATIONS, "minimum": MINIMUM},
            **{"num_classes": 5, "NOT_DONE": "", "compute_acc": compute_acc, "output_problems": output_problems},
            **{"partial_credit": partial_credit, "box_scale_hint": box_scale_hint, "heads": heads},
            **{"accuracy_in_words": accuracy_in_words, "gain_in_words": gain_in_words},
            **{"follows_in_words": follows_in_words, "positions_in_words": positions_in_words},
            **{"measure_localising": measure_localising, "measure_positions": measure_positions},
        }
        try:
            exec(cells[cell], space)
            points[name] = space.get("points", POINTS[name])
        except Exception:
            points[name] = 0
    return points


class TestPoints:
    @pytest.mark.parametrize("name", MODELS)
    def test_points_are_those_of_the_notebooks_own_tests(self, name: str) -> None:
        found = assess(Model(MODELS[name]), REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert found.points == notebooks_points(Model(MODELS[name]))

    def test_models_above_earn_everything_from_none_to_all(self) -> None:
        earned = [notebooks_points(Model(change)) for change in MODELS.values()]
        for line in ("IoU gained", "following", "positions"):
            assert {0, POINTS[line]} <= {points[line] for points in earned}
        assert len({sum(points.values()) for points in earned}) >= 5

    def test_numbers_are_those_of_the_validation_images(self, capsys: pytest.CaptureFixture[str]) -> None:
        model = Model(shifted(20))
        found = assess(model, REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert found.found is not None
        assert found.found.scores == compute_acc(model, REPRS, ANNOTATIONS, part="validation")
        assert found.found.place == measure_localising(model, REPRS, ANNOTATIONS, part="validation")
        assert found.found.positions == measure_positions(model, REPRS, ANNOTATIONS, part="validation")
        assert f"IoU gained      {found.found.place.iou_gained:+.3f}; all from 0.2: " in str(found)

    def test_no_test_image_is_looked_at(self) -> None:
        asked: list[int] = []

        def remember(rows: Any, classes: Any, boxes: Any) -> Any:
            asked.extend(rows)
            return [classes, boxes]

        assess(Model(remember), REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert max(asked) == VALIDATION.stop - 1

    def test_each_part_is_predicted_once(self) -> None:
        model = Model()
        assess(model, REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert sorted(model.asked) == [9, 18, 81]

    def test_without_a_minimum_there_are_no_points(self) -> None:
        found = assess(Model(), REPRS, ANNOTATIONS)
        assert found.points is None
        assert "points" not in str(found).partition("Next")[0]
        assert "1.000" in str(found)
        assert "minimum)" in found.next_step

    def test_without_what_each_test_is_worth_measures_and_advice_are_there_and_no_points(self) -> None:
        for points in (None, {"heads": 4}, dict.fromkeys(WORTH_POINTS, "@POINTS:test_iou@")):
            found = assess(Model(shifted(60)), REPRS, ANNOTATIONS, MINIMUM, points)
            assert found.points is None
            assert "points" not in str(found)
            assert "all from 0.2: not yet" in str(found)
            assert "the boxes are not" in found.next_step


class TestNextStep:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("perfect", "Run the tests below, once"),
            ("between 0 and 1", "between -1 and 1"),
            ("one box", "nearly the same for every image"),
            ("wrong classes", "the boxes are fine, the class is not"),
            ("shifted by 60", "the class is fine, the boxes are not"),
            ("wrong new classes", "learns by heart"),
            ("wrong new boxes", "learns by heart"),
            ("swapped", "correct the model"),
        ],
    )
    def test_next_step_is_the_one_that_helps(self, name: str, words: str) -> None:
        assert words in assess(Model(MODELS[name]), REPRS, ANNOTATIONS, MINIMUM, POINTS).next_step

    def test_gap_is_no_matter_once_the_minimum_is_reached(self) -> None:
        low = MINIMUM | {"iou_gained_start": -1.0, "iou_gained": -0.9, "positions_start": 0.0, "positions": 0.01}
        found = assess(Model(shifted_when_new), REPRS, ANNOTATIONS, low, POINTS)
        assert "Run the tests below, once" in found.next_step

    def test_averaged_positions_are_named_before_anything_else(self) -> None:
        assert "averages the positions away" in assess(
            Model(shifted(25), pooled=True), REPRS, ANNOTATIONS, MINIMUM, POINTS
        ).next_step.replace("\n", " ")

    def test_model_that_knows_nothing_is_told_so(self) -> None:
        model = Model(lambda rows, classes, boxes: [np.roll(classes, 1, axis=1), boxes + 60])
        assert "neither class nor boxes" in assess(model, REPRS, ANNOTATIONS, MINIMUM, POINTS).next_step


class TestWrongModels:
    def test_missing_model_is_explained_and_earns_nothing(self) -> None:
        found = assess(None, REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert str(found).startswith("There is no model yet: write the function that makes it")
        assert found.points == dict.fromkeys(WORTH_POINTS, 0)
        assert str(assess(None, to_do="Complete my_function.")) == "Complete my_function."

    def test_function_in_place_of_the_model_is_seen(self) -> None:
        assert "Pass the model that was trained" in str(assess(lambda n: None, REPRS, ANNOTATIONS))

    def test_error_of_the_model_is_said_in_a_line(self) -> None:
        def fails(*_: Any) -> None:
            raise RuntimeError("Dimension 1 is 49\nand a long story")

        found = assess(Model(fails), REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert "The model cannot predict: RuntimeError: Dimension 1 is 49. Its input" in str(found)

    def test_swapped_heads_are_named(self) -> None:
        assert "swapped" in str(assess(Model(MODELS["swapped"]), REPRS, ANNOTATIONS, MINIMUM, POINTS))

    def test_single_output_is_described_as_by_the_notebooks_test(self) -> None:
        (problem,) = assess(Model(MODELS["one output"]), REPRS, ANNOTATIONS).problems
        assert "one array of shape (8, 5)" in problem

    @pytest.mark.parametrize("name", MODELS)
    def test_each_wrong_model_gets_an_explanation(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        check(Model(MODELS[name]), REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert len(capsys.readouterr().out) > 80


class TestData:
    def test_half_of_the_data_is_refused(self) -> None:
        assert "Pass both" in str(assess(Model(), REPRS))

    def test_rows_that_do_not_belong_are_refused(self) -> None:
        assert "40 representations do not belong to 100" in str(assess(Model(), REPRS[:40], ANNOTATIONS))

    def test_too_little_data_is_said(self) -> None:
        assert "too few" in str(assess(Model(), REPRS[:5], ANNOTATIONS[:5]))

    def test_data_is_found_where_the_notebook_puts_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only the rows of the validation images are read."""
        make_sample(tmp_path, n=30)
        monkeypatch.setenv("COURSE_DATA", str(tmp_path))
        shapes = []

        class Middle:
            def predict(self, reprs: Any, verbose: Any) -> Any:
                shapes.append(reprs.shape)
                return [np.full((len(reprs), 5), 0.2), np.full((len(reprs), 4), 112.0)]

        found = assess(Middle())
        assert shapes == [(3, 7, 7, 2048), (6, 7, 7, 2048)]
        assert found.images == 3
        assert found.train is None
        assert not found.problems

    def test_nothing_is_downloaded_where_data_is_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("COURSE_DATA", raising=False)
        monkeypatch.chdir(tmp_path)
        asked: list[Any] = []
        monkeypatch.setattr("helpers.download._download_from", lambda source, *_: asked.append(source))
        assert "Run the cell that fetches it" in str(assess(Model()))
        assert asked == []
        assert list(tmp_path.iterdir()) == []


def test_text_is_short_and_aligned() -> None:
    lines = str(assess(Model(shifted(30)), REPRS, ANNOTATIONS, MINIMUM, POINTS)).splitlines()
    table = [line for line in lines if line.startswith("  ")]
    assert len(table) == 5
    assert len({line.index(" of ") for line in table}) == 1
    assert max(map(len, table)) < 100
    assert len(lines) < 16


def test_check_needs_nothing_but_the_students_packages() -> None:
    program = (
        "import sys\n"
        "for name in ('grading', 'nbgrader', 'nbformat', 'IPython', 'tensorflow', 'keras'):\n"
        "    sys.modules[name] = None\n"
        "import helpers\n"
        "helpers.check(None)\n"
        "helpers.ready_to_submit(['a'], path='none.ipynb')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "no model yet" in done.stdout
    assert "none.ipynb" in done.stdout
