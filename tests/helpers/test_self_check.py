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
    heads,
    iou_in_words,
    output_problems,
    partial_credit,
)
from helpers.data import split
from helpers.metrics import compute_acc
from helpers.sample import make_sample
from helpers.self_check import WORTH_POINTS, assess, check
from helpers.targets import tensorize_ground_truth

ROOT = Path(__file__).parents[2]
POINTS = {"heads": 4, "class accuracy": 4, "mean IoU": 8}
MINIMUM = {"class_accuracy": 0.8, "mean_iou_start": 0.3, "mean_iou": 0.6, "valid_accuracy": 0.5}
N = 80
REPRS = np.arange(N, dtype=np.float32).reshape(-1, 1, 1, 1)
ANNOTATIONS: list[Any] = [
    {
        "size": (200 + row, 150),
        "filename": f"{row:06}.jpg",
        "class": helpers.CLASSES[row % 5],
        "bbox": [5 + row * 37 % 80, 7, 100 + row * 37 % 80, 120],
    }
    for row in range(N)
]
TEST = split(N).test


class Model:
    """Knows the answers, but for what is done to them; counts how often it is asked."""

    def __init__(self, change: Any = lambda rows, classes, boxes: [classes, boxes]) -> None:
        self.classes, self.boxes = tensorize_ground_truth(ANNOTATIONS)
        self.change = change
        self.asked: list[int] = []

    def predict(self, reprs: Any, verbose: Any = "auto") -> Any:
        rows = reprs[:, 0, 0, 0].astype(int)
        self.asked.append(len(rows))
        return self.change(rows, self.classes[rows].copy(), self.boxes[rows].copy())


def in_test(rows: Any) -> Any:
    return np.flatnonzero(rows >= TEST.start)


def wrong_classes(rows: Any, classes: Any, boxes: Any) -> Any:
    return [np.roll(classes, 1, axis=1), boxes]


def wrong_test_classes(rows: Any, classes: Any, boxes: Any) -> Any:
    classes[in_test(rows)] = np.roll(classes[in_test(rows)], 1, axis=1)
    return [classes, boxes]


def shifted(by: float) -> Any:
    return lambda rows, classes, boxes: [classes, boxes + np.array([by, 0, 0, 0])]


def shifted_in_test(rows: Any, classes: Any, boxes: Any) -> Any:
    boxes[in_test(rows), 0] += 45
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
    "wrong test classes": wrong_test_classes,
    "wrong test boxes": shifted_in_test,
    **{f"shifted by {by}": shifted(by) for by in (5, 15, 25, 35, 45, 60)},
}


def notebooks_points(model: Model) -> dict[str, int]:
    """What the cells of the visible tests come to, run as they are."""
    from grading.release.twin import to_notebook

    cells = {
        cell.id: cell.source
        for cell in to_notebook((ROOT / "source/object_detection/object_detection.py").read_text()).cells
    }
    points = {}
    for name, cell in zip(WORTH_POINTS, ("test_output_shapes", "test_class_accuracy", "test_iou"), strict=True):
        space: dict[str, Any] = {
            **{"better_model": model, "reprs": REPRS, "annotations": ANNOTATIONS, "minimum": MINIMUM},
            **{"num_classes": 5, "NOT_DONE": "", "compute_acc": compute_acc, "output_problems": output_problems},
            **{"partial_credit": partial_credit, "box_scale_hint": box_scale_hint, "heads": heads},
            **{"accuracy_in_words": accuracy_in_words, "iou_in_words": iou_in_words},
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
        earned = {notebooks_points(Model(change))["mean IoU"] for change in MODELS.values()}
        assert {0, 8} < earned
        assert len(earned) >= 4

    def test_numbers_are_those_of_compute_acc(self, capsys: pytest.CaptureFixture[str]) -> None:
        model = Model(shifted(20))
        found = assess(model, REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert found.test == compute_acc(model, REPRS, ANNOTATIONS, train=False)
        assert found.train == compute_acc(model, REPRS, ANNOTATIONS, train=True)
        assert found.test is not None
        assert f"mean IoU        {found.test.mean_iou:.3f}, minimum 0.6: " in str(found)

    def test_each_part_is_predicted_once(self) -> None:
        model = Model()
        assess(model, REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert sorted(model.asked) == [8, 72]

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
            assert "minimum 0.6: not yet" in str(found)
            assert "the boxes are not" in found.next_step


class TestNextStep:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("perfect", "hand it in"),
            ("between 0 and 1", "between -1 and 1"),
            ("one box", "nearly the same for every image"),
            ("wrong classes", "the boxes are fine, the class is not"),
            ("shifted by 60", "the class is fine, the boxes are not"),
            ("wrong test classes", "learns by heart"),
            ("wrong test boxes", "learns by heart"),
            ("swapped", "correct the model"),
        ],
    )
    def test_next_step_is_the_one_that_helps(self, name: str, words: str) -> None:
        assert words in assess(Model(MODELS[name]), REPRS, ANNOTATIONS, MINIMUM, POINTS).next_step

    def test_gap_is_no_matter_once_the_minimum_is_reached(self) -> None:
        low = MINIMUM | {"mean_iou_start": 0.1, "mean_iou": 0.2, "valid_accuracy": 0.0}
        found = assess(Model(shifted_in_test), REPRS, ANNOTATIONS, low, POINTS)
        assert "hand it in" in found.next_step

    def test_low_valid_accuracy_is_seen_though_the_rest_is_fine(self) -> None:
        minimum = MINIMUM | {"mean_iou": 0.31, "valid_accuracy": 0.99}
        assert "same image" in assess(Model(shifted(30)), REPRS, ANNOTATIONS, minimum, POINTS).next_step

    def test_model_that_knows_nothing_is_told_so(self) -> None:
        model = Model(lambda rows, classes, boxes: [np.roll(classes, 1, axis=1), boxes + 60])
        assert "neither class nor boxes" in assess(model, REPRS, ANNOTATIONS, MINIMUM, POINTS).next_step


class TestWrongModels:
    def test_missing_model_is_explained_and_earns_nothing(self) -> None:
        found = assess(None, REPRS, ANNOTATIONS, MINIMUM, POINTS)
        assert str(found).startswith("There is no model yet: write the function that makes it")
        assert found.points == {"heads": 0, "class accuracy": 0, "mean IoU": 0}
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
        assert "40 representations do not belong to 80" in str(assess(Model(), REPRS[:40], ANNOTATIONS))

    def test_too_little_data_is_said(self) -> None:
        assert "too few" in str(assess(Model(), REPRS[:5], ANNOTATIONS[:5]))

    def test_data_is_found_where_the_notebook_puts_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only the rows of the test images are read."""
        make_sample(tmp_path, n=30)
        monkeypatch.setenv("COURSE_DATA", str(tmp_path))
        shapes = []

        class Middle:
            def predict(self, reprs: Any, verbose: Any) -> Any:
                shapes.append(reprs.shape)
                return [np.full((len(reprs), 5), 0.2), np.full((len(reprs), 4), 112.0)]

        found = assess(Middle())
        assert shapes == [(3, 7, 7, 2048)]
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
    assert len(table) == 4
    assert len({line.index(" of ") for line in table[:3]}) == 1
    assert max(map(len, table)) < 90
    assert len(lines) < 14


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
