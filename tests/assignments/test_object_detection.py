"""The object detection assignment is fit to be handed out and graded."""

import filecmp
import re
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from photographs import photographs
from running import errors, run_whole

from grading.authoring.classroom import fill_in, solution_cells
from grading.authoring.planted import Verdict, read_planted, verify
from grading.options import Options, Workers
from grading.pipeline.run import options_from
from grading.release.build import build_release

ROOT = Path(__file__).parents[2]
NAME = "object_detection"
SHARED = ROOT.parent / "shared"
MASTER = ROOT / "source" / NAME / f"{NAME}.ipynb"
RELEASE = ROOT / "release" / NAME / f"{NAME}.ipynb"


@pytest.fixture(scope="session")
def sample() -> Path:
    from helpers.sample import make_sample

    return make_sample()


@pytest.fixture(scope="session")
def voc() -> Path:
    return photographs()


def options(data: Path, cell_seconds: float) -> Options:
    asked = options_from(ROOT, data=data)
    return replace(asked, workers=Workers(2), limits=replace(asked.limits, cell_seconds=cell_seconds))


def test_committed_release_is_what_the_master_gives_now(tmp_path: Path) -> None:
    for name in ("source", "helpers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    fresh = build_release(tmp_path, NAME)
    committed = ROOT / "release" / NAME
    assert sorted(path.name for path in fresh.iterdir()) == sorted(path.name for path in committed.iterdir())
    for path in fresh.glob("*.ipynb"):
        assert filecmp.cmp(path, committed / path.name, shallow=False), f"run: course release {NAME}"


def test_points_make_twenty() -> None:
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in nbformat.read(MASTER, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert points == {
        **{"test_tensorize_ground_truth": 1, "test_interpret_output": 1, "test_kinds_of_error": 1},
        **{"test_output_shapes": 1, "test_class_accuracy": 1, "test_iou": 2, "test_follows": 3},
        **{"test_positions": 8, "hidden_tests": 2},
    }
    assert sum(points.values()) == 20


def test_points_without_localising_are_at_most_five() -> None:
    """What is left for a model that names the object and does not look where it is."""
    bounded = {one.name: one for one in read_planted(ROOT / "source" / NAME / "planted") if one.calibration}
    assert bounded.keys() >= {"best_constant_box", "best_box_per_class", "box_from_class", "bad_model", "never_trained"}
    for planted in bounded.values():
        if planted.calibration is not None and planted.calibration.at_most is not None:
            most = sum(max(value) if isinstance(value, tuple) else value for value in planted.points.values())
            assert most <= planted.calibration.at_most, planted.name


def test_no_training_validates_on_the_test_set() -> None:
    """Field notes, bug 10."""
    source = MASTER.with_suffix(".py").read_text()
    assert "validation_data" not in source
    assert "numbers = [parts.validation.start * percent" in source
    without = 2  # the 64 debugging examples, and the learning curve, which trains on what is before them
    assert source.count(".fit(") - without == source.count("validation_split=0.1")


def test_every_training_starts_from_the_seed() -> None:
    """Field notes, bug 10."""
    for cell in nbformat.read(MASTER, as_version=4).cells:
        if cell.cell_type == "code" and ".fit(" in cell.source and cell.id != "debug-fit":
            assert "fix_seeds(SEED)" in cell.source, cell.id


def test_exercise_fails_loudly_until_it_is_done() -> None:
    """Field notes, bug 5: no `if head and head`, nothing hidden behind an except."""
    released = nbformat.read(RELEASE, as_version=4)
    assert "raise NotImplementedError" in solution_cells(released)["classif_and_loc"]
    code = "\n".join(cell.source for cell in released.cells if cell.cell_type == "code")
    assert re.findall(r"except (\w+)", code) == ["ConnectionError"]


def test_papers_that_the_lab_builds_on_are_cited() -> None:
    source = MASTER.with_suffix(".py").read_text(encoding="utf-8")
    data_and_network, losses = ("s11263-009-0275-4", "1512.03385"), ("1608.01471", "1902.09630")
    for paper in (*data_and_network, *losses, "1506.02640", "1512.02325", "2005.12872"):
        assert paper in source


def test_two_losses_are_on_one_scale() -> None:
    """Field notes, bug 4: 1/0.001 made the box loss a thousand times too heavy."""
    space: dict[str, object] = {}
    exec(solution_cells(nbformat.read(MASTER, as_version=4))["classif_and_loc"], space)
    model = space["classif_and_loc"](5)  # type: ignore[operator]
    assert model.get_compile_config()["loss_weights"][1] <= 0.1


def test_at_least_ten_planted_submissions_with_the_usual_faults() -> None:
    names = {planted.name for planted in read_planted(ROOT / "source" / NAME / "planted")}
    assert len(names) >= 10
    assert names >= {
        "solution",
        "published_better_model",
        "bad_model",
        "untouched",
        "swapped_heads",
        "wrong_shapes",
        "raises_exception",
        "nan_outputs",
        "never_trained",
        "slow",
    }


@pytest.mark.slow
def test_untouched_release_stops_only_at_the_exercise(sample: Path, tmp_path: Path, bubblewrap: None) -> None:
    found = errors(run_whole(nbformat.read(RELEASE, as_version=4), sample, tmp_path))
    functions = {"test_tensorize_ground_truth", "test_interpret_output", "test_kinds_of_error", "errors"}
    tests = {"test_output_shapes", "test_class_accuracy", "test_iou", "test_follows", "test_positions", "hidden_tests"}
    assert set(found) == {"train"} | functions | tests
    for name in ("train", *functions):
        assert found.pop(name).startswith("NotImplementedError: ")
    for message in found.values():
        assert "complete classif_and_loc" in message


@pytest.mark.slow
def test_solved_release_runs_top_to_bottom(sample: Path, tmp_path: Path, bubblewrap: None) -> None:
    solved = fill_in(nbformat.read(RELEASE, as_version=4), solution_cells(nbformat.read(MASTER, as_version=4)))
    assert errors(run_whole(solved, sample, tmp_path)) == {}


def differences(verdicts: list[Verdict]) -> dict[str, list[str]]:
    return {verdict.planted.name: verdict.differences for verdict in verdicts if verdict.differences}


# On the sample, `make demo` grades the same ones, and fails if one gets other points than expected. What it leaves out,
# models that students write, would take a quarter of an hour more: `course verify object_detection` grades all.


@pytest.mark.slow
@pytest.mark.voc
def test_planted_submissions_get_expected_points_on_real_photographs(
    voc: Path, tmp_path: Path, bubblewrap: None
) -> None:
    shown = [planted for planted in read_planted(ROOT / "source" / NAME / "planted") if planted.demo]
    verdicts = verify(ROOT, NAME, tmp_path / "class", options(voc, cell_seconds=120), planted=shown)
    assert differences(verdicts) == {}
