"""The lab on many objects is fit to be handed out and graded."""

import ast
import filecmp
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from notebooks import ROOT
from running import errors, run_whole

from grading.authoring.calibrate import measure
from grading.authoring.classroom import fill_in, solution_cells
from grading.authoring.planted import read_planted, verify
from grading.errors import GradingError
from grading.options import Workers
from grading.pipeline.assignment import Assignment, load_assignment
from grading.pipeline.run import options_from
from grading.release.build import build_release
from grading.scoring.questions import Answer, Context, Result
from helpers.data import load_all_annotations, split
from helpers.features import load_representations
from helpers.localising import moved_maps
from helpers.sample import make_sample
from helpers.targets import tensorize_objects

NAME = "many_objects"
MASTER = ROOT / "source" / NAME / f"{NAME}.ipynb"
PLANTED = {planted.name: planted for planted in read_planted(ROOT / "source" / NAME / "planted")}
NEEDS_TRAINING = ("test_detector", "test_several")
_VOC = np.array([1.0, 1.0, 0.0, 0.0])
"""Makes a VOC box, with both ends inclusive, of a corner box: what the library takes."""


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(ROOT, NAME)


@pytest.fixture(scope="module")
def space() -> dict[str, Any]:
    """What the solution's functions and the tests' own leave behind, without data or training."""
    names: dict[str, Any] = {}
    list(run_tests({}, names))
    return names


def run_tests(sources: Mapping[str, str], space: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Run the functions and their tests in this process, hidden ones too; never a student's code. Give the points."""
    space.update(np=np, GRID=7, CELL=32)
    exec("from helpers.data import CLASSES", space)
    for cell in nbformat.read(MASTER, as_version=4).cells:
        about = cell.metadata.get("nbgrader", {})
        name = about.get("grade_id", "")
        wanted = name and name not in ("build_detector", "train", *NEEDS_TRAINING)
        if cell.cell_type != "code" or not (wanted or cell.id in ("points_for", "loss_of", "detect")):
            continue
        tree = ast.parse(sources.get(name, cell.source))
        last = tree.body.pop() if about.get("grade") else None
        exec(compile(tree, cell.id, "exec"), space)
        if isinstance(last, ast.Expr):
            yield name, float(eval(compile(ast.Expression(last.value), cell.id, "eval"), space))


@pytest.fixture
def detector_test(space: dict[str, Any]) -> Callable[[Any], list[float]]:
    """What the detector's two tests give for its outputs on ten made-up images, of which each has objects.

    With moved maps it says the same of other cells, as convolutions do, unless other outputs are given.
    """
    from helpers.boxes import center_to_corners
    from helpers.checks import partial_credit

    images = [space["some_objects"](1 + index % 4) for index in range(10)]
    names = {
        **space,
        "truth_of_test": [(labels, center_to_corners(boxes)) for labels, boxes in images],
        "minimum": {"map_start": 0.3, "map": 0.5, "several_start": 0.6, "several": 0.8},
        "partial_credit": partial_credit,
    }
    cells = [cell for cell in nbformat.read(MASTER, as_version=4).cells if cell.id in NEEDS_TRAINING]

    def points(outputs: Any, moved: Any = None) -> list[float]:
        given, found = {**names, "outputs": outputs}, []
        given["outputs_moved"] = space["moved"](outputs) if moved is None and outputs is not None else moved
        for cell in cells:
            exec(cell.source, given)
            found.append(float(given["points"]))
        return found

    points.truth = np.stack([space["true_target"](*image) for image in images])  # type: ignore[attr-defined]
    return points


def test_detector_earns_points_by_what_it_finds(detector_test: Any) -> None:
    perfect = detector_test.truth.astype(np.float32)
    everywhere, nowhere = perfect.copy(), perfect.copy()
    everywhere[..., 0], nowhere[..., 0] = 1, 0
    assert detector_test(perfect) == [2, 2]
    assert detector_test(nowhere) == [0, 0]
    assert detector_test(everywhere[:, ::-1]) == [0, 0]


def test_one_box_for_each_image_earns_nothing_where_there_are_several_objects(detector_test: Any) -> None:
    surest = detector_test.truth.astype(np.float32)
    cells = surest.reshape(len(surest), -1, surest.shape[-1])
    for image in cells:
        image[np.flatnonzero(image[:, 0])[1:], 0] = 0
    of_all, of_several = detector_test(surest)
    assert of_all > 0
    assert of_several == 0


def test_detector_that_says_the_same_of_moved_maps_earns_nothing(detector_test: Any) -> None:
    perfect = detector_test.truth.astype(np.float32)
    assert detector_test(perfect, moved=perfect) == [0, 0]


def test_maps_are_moved_as_in_the_lab_on_one_object(space: dict[str, Any]) -> None:
    maps = np.arange(2 * 7 * 7 * 3).reshape(2, 7, 7, 3)
    np.testing.assert_array_equal(space["moved"](maps), moved_maps(maps)[: len(maps)])


def test_detector_that_cannot_be_measured_is_told_why(detector_test: Any) -> None:
    perfect = detector_test.truth.astype(np.float32)
    with pytest.raises(AssertionError, match="complete build_detector"):
        detector_test(None)
    with pytest.raises(AssertionError, match=r"must give \(7, 7, 10\) for each image; it gave \(7, 7, 5\)"):
        detector_test(perfect[..., :5])
    with pytest.raises(AssertionError, match="NaN"):
        detector_test(np.full_like(perfect, np.nan))


def test_points_make_twenty_as_the_table_says(assignment: Assignment) -> None:
    assert sum(assignment.max_points.values()) == 20
    table = next(cell.source for cell in assignment.released.cells if cell.id == "title")
    for name, maximum in assignment.max_points.items():
        assert f"`{name}` | {maximum:g} |" in table


def test_committed_release_is_what_the_master_gives_now(tmp_path: Path) -> None:
    for name in ("source", "helpers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "planted"))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    fresh, committed = build_release(tmp_path, NAME), ROOT / "release" / NAME
    assert sorted(path.name for path in fresh.iterdir()) == sorted(path.name for path in committed.iterdir())
    assert filecmp.cmp(fresh / MASTER.name, committed / MASTER.name, shallow=False), f"run: course release {NAME}"


@pytest.mark.parametrize("name", sorted(name for name in PLANTED if PLANTED[name].origin == "master"))
def test_functions_of_each_planted_submission_get_their_points(name: str) -> None:
    expected = {grade_id: points for grade_id, points in PLANTED[name].points.items() if grade_id not in NEEDS_TRAINING}
    assert dict(run_tests(PLANTED[name].cells, {})) == expected


@pytest.mark.parametrize(
    "value",
    ["None", "0.0", "np.nan", "np.zeros((0,))", "np.zeros((7, 7, 10))", "[[1, 2], [3]]", "1 / 0", "(0, 0, 0)", "'a'"],
)
def test_the_same_for_everything_earns_no_points(assignment: Assignment, value: str) -> None:
    names = [name for name in assignment.solution_ids if name != "build_detector"]
    same = {name: f"def {name}(*given, **more):\n    return {value}" for name in names}
    assert sum(points for _, points in run_tests(same, {})) == 0


@pytest.mark.slow
def test_detectors_that_need_no_grid_earn_little_on_the_sample(tmp_path: Path, bubblewrap: None) -> None:
    """What `expected.json` allows one box is for photographs, where one large object fills most images."""
    chosen = [PLANTED[name] for name in ("no_positions", "one_box", "without_grid", "solution")]
    options = replace(options_from(ROOT, data=make_sample()), workers=Workers(2))
    records = {one.planted.name: one.record for one in verify(ROOT, NAME, tmp_path / "class", options, planted=chosen)}
    got = {name: [record.questions[test].points for test in NEEDS_TRAINING] for name, record in records.items()}
    assert got["solution"] == [2, 2]
    assert got["no_positions"] == got["without_grid"] == [0, 0]
    assert got["one_box"][1] == 0


def test_every_usual_mistake_is_planted() -> None:
    assert len(PLANTED) >= 10
    lost = {name for planted in PLANTED.values() for name, points in planted.points.items() if not points}
    wrong = {name for planted in PLANTED.values() for name in planted.cells}
    assert lost == set(PLANTED["solution"].points)
    assert wrong == set(solution_cells(nbformat.read(MASTER, as_version=4)))


def some_case(random: np.random.Generator) -> tuple[list[Any], list[Any]]:
    """What a detector found in some images, and what is there; no box overlaps two others equally."""
    found, truth = [], []
    for _ in range(int(random.integers(1, 5))):
        there, claimed = (int(random.integers(low, 8)) for low in (1, 0))
        corner = random.uniform(0, 120, (there, 2))
        true = np.concatenate([corner, corner + random.uniform(15, 100, (there, 2))], axis=1)
        kinds, of = random.integers(0, 3, there), random.integers(0, there, claimed)
        labels = np.where(random.random(claimed) < 0.8, kinds[of], random.integers(0, 4, claimed))
        found.append((labels, random.random(claimed), true[of] + random.uniform(-7, 7, (claimed, 4))))
        truth.append((kinds, true))
    return found, truth


def librarys_map(found: list[Any], truth: list[Any]) -> float:
    """The mean of a library's average precision (VOC's development kit since 2010) over the classes with objects."""
    from mean_average_precision import MetricBuilder

    metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=4)
    for (labels, scores, boxes), (kinds, true) in zip(found, truth, strict=True):
        said, there = boxes + _VOC, true + _VOC
        columns = [said, labels[:, np.newaxis], scores[:, np.newaxis]]
        marks = [there, kinds[:, np.newaxis], np.zeros((len(there), 2))]  # neither difficult nor crowds
        metric.add(np.concatenate(columns, axis=1), np.concatenate(marks, axis=1))
    values = metric.value(iou_thresholds=0.5)[0.5]
    return float(
        np.mean([values[label]["ap"] for label in sorted({int(kind) for kinds, _ in truth for kind in kinds})])
    )


@pytest.mark.slow
def test_map_agrees_with_a_library_in_1000_random_cases(space: dict[str, Any]) -> None:
    random = np.random.default_rng(7)
    for _ in range(1000):
        found, truth = some_case(random)
        ours = space["mean_average_precision"](found, truth)
        assert ours == pytest.approx(librarys_map(found, truth), abs=1e-6)
        assert ours == pytest.approx(space["true_map"](found, truth), abs=1e-9)


def test_average_precision_agrees_with_a_library_in_1000_random_cases(space: dict[str, Any]) -> None:
    from mean_average_precision.utils import compute_average_precision

    random = np.random.default_rng(8)
    for _ in range(1000):
        count = int(random.integers(1, 60))
        right, total = random.random(count) < random.random(), int(random.integers(count, 90))
        precision, recall = space["precision_and_recall"](right, random.permutation(count) / count, total)
        assert space["average_precision"](precision, recall) == pytest.approx(
            compute_average_precision(precision, recall), abs=1e-6
        )


def test_missing_data_is_said_before_anything_is_calibrated(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    options = replace(options_from(ROOT), data=None, repeats=2)
    with pytest.raises(GradingError, match="needs the course data"):
        measure(ROOT, NAME, tmp_path / "class", options, lambda *event: told.append(event))
    assert told == []


def test_points_without_looking_are_those_of_the_functions() -> None:
    """What is left for a detector that finds nothing, or does not look where things are."""
    bounds = {name: planted.calibration for name, planted in PLANTED.items() if planted.calibration is not None}
    assert {name for name, bound in bounds.items() if bound.at_most == 16} == {"no_positions", "predicts_nothing"}
    assert bounds["without_grid"].at_most == 18
    assert bounds["solution"].at_least == 18
    assert 20 - sum(PLANTED["solution"].points[name] for name in NEEDS_TRAINING) == 16


def test_no_training_validates_on_the_test_set() -> None:
    source = MASTER.with_suffix(".py").read_text()
    assert "validation_data" not in source
    assert source.count(".fit(") == source.count("validation_split=0.1") == source.count("fix_seeds(SEED)") == 1


def test_labels_of_test_images_are_hidden_and_all_else_is_there(assignment: Assignment, tmp_path: Path) -> None:
    data = make_sample(tmp_path / "data", n=30, progress=False)
    images = load_all_annotations(data / "scenes")
    view = assignment.student_view(Context(assignment.source, data), tmp_path / "view")
    seen = tmp_path / "seen"
    for name, path in view.items():
        (seen / name).parent.mkdir(parents=True, exist_ok=True)
        (seen / name).symlink_to(path)
    visible, parts = load_all_annotations(seen / "VOCdevkit"), split(len(images))
    assert [image["filename"] for image in visible] == [image["filename"] for image in images]
    assert visible[parts.train] == images[parts.train]
    for image in visible[parts.test]:
        assert image["objects"] == [{"class": "dog", "bbox": [1, 1, *image["size"]]}]
    files = [data / "representations.h5", data / "representations-several.h5"]
    np.testing.assert_array_equal(
        load_representations(seen / "representations.h5", visible), load_representations(files, images)
    )


@pytest.fixture(scope="session")
def sample() -> Path:
    return make_sample()


@pytest.fixture(scope="module")
def context(assignment: Assignment, sample: Path) -> Context:
    return Context(assignment.source, sample, max_points=assignment.max_points)


@pytest.fixture(scope="module")
def mediocre(sample: Path, space: dict[str, Any]) -> np.ndarray:
    """What a mediocre detector says of the sample's test images: right cells, boxes and classes, and much noise.

    Neighbours on both sides claim each object, too: some of their boxes are suppressed, some find it once more.
    """
    images, random = load_all_annotations(sample / "scenes"), np.random.default_rng(7)
    target = np.stack([space["true_target"](*tensorize_objects(image)) for image in images[split(len(images)).test]])
    said = target.astype(np.float32)
    said[..., 0] = 0.6 * said[..., 0] + 0.4 * random.random(said.shape[:-1])
    said[..., 1:5] = (said[..., 1:5] + random.normal(0, 0.08, said[..., 1:5].shape)).clip(0, 1)
    said[..., 5:] = (said[..., 5:] + 0.8 * random.random(said[..., 5:].shape)) / 2
    for side, x in ((1, 0.3), (-1, 0.7)):
        claimed = np.roll(said, side, axis=2)
        claimed[..., 0], claimed[..., 1] = random.random(said.shape[:-1]), x
        said = np.where(np.roll(target[..., :1], side, axis=2) > target[..., :1], claimed, said)
    return said


@pytest.fixture(scope="module")
def half_moved(mediocre: np.ndarray, space: dict[str, Any]) -> np.ndarray:
    """What it says with the maps moved: of every other image the same of other cells, of the others the same."""
    said = mediocre.copy()
    said[::2] = space["moved"](mediocre[::2])
    return said


@pytest.fixture
def own_cells(space: dict[str, Any], context: Context, assignment: Assignment, mediocre: Any, half_moved: Any) -> Any:
    """The names that the detector's two tests leave behind for the mediocre detector, given minimums."""
    from helpers.checks import partial_credit

    cells = [cell for cell in nbformat.read(MASTER, as_version=4).cells if cell.id in NEEDS_TRAINING]

    def run(minimum: Mapping[str, float]) -> dict[str, Any]:
        names = {**space, "minimum": minimum, "partial_credit": partial_credit}
        names |= {"outputs": mediocre, "outputs_moved": half_moved}
        names["truth_of_test"] = assignment.scoring._truth(context.data)
        points = {}
        for cell in cells:
            exec(cell.source, names)
            points[cell.id] = names["points"]
        return {**names, "points": points}

    return run


def answers_of(outputs: Any, moved: Any) -> dict[str, Answer]:
    return {name: Answer((Result((value,)),)) for name, value in (("as_they_are", outputs), ("moved", moved))}


LENIENT = {"map_start": 0.0, "map": 1.0, "several_start": 0.0, "several": 1.0}


def test_calibrated_measures_are_those_of_the_tests(
    assignment: Assignment, context: Context, mediocre: Any, half_moved: Any, own_cells: Any
) -> None:
    """On all test images, and on any that are drawn of them."""
    names = own_cells(LENIENT)
    outcomes = assignment.scoring.outcomes(answers_of(mediocre, half_moved), context)
    number, random = len(mediocre), np.random.default_rng(0)
    for drawn in (np.arange(number), random.integers(number, size=number), np.array([3, 3, 5])):
        found = assignment.scoring.measured({name: rows[drawn] for name, rows in outcomes.items()})
        several = [index for index in drawn if len(names["truth_of_test"][index][0]) > 1]
        assert found["map"] == pytest.approx(names["by_looking"](list(drawn)), abs=1e-9)
        assert found["several"] == pytest.approx(names["by_looking"](several) if several else 0.0, abs=1e-9)
    whole = assignment.scoring.measured(outcomes)
    assert 0.2 < whole["map"] < whole["whole_map"] < 0.95
    assert 0.2 < whole["several"] < whole["whole_several"] < 0.95


def test_measures_are_worth_what_the_tests_give(
    assignment: Assignment, context: Context, mediocre: Any, half_moved: Any, own_cells: Any
) -> None:
    scoring = assignment.scoring
    found = scoring.measured(scoring.outcomes(answers_of(mediocre, half_moved), context))
    seen = set()
    for part in (-0.1, 0.2, 0.6, 1.2):
        minimum = {}
        for name in scoring.GRADUAL:
            minimum |= {f"{name}_start": found[name] - part / 10, name: found[name] - part / 10 + 0.1}
        points = own_cells(minimum)["points"]
        assert scoring.worth(found, minimum, assignment.max_points) == points
        seen |= set(points.values())
    assert seen == {0, 1, 2}


def test_page_shows_what_points_depend_on(
    assignment: Assignment, context: Context, mediocre: Any, half_moved: Any
) -> None:
    shown = assignment.measures(answers_of(mediocre, half_moved), {}, context)
    minimum = json.loads((assignment.source / "thresholds.json").read_text())["sample/scenes-v1"]
    assert assignment.scoring.thresholds_key(context) == "sample/scenes-v1"
    assert [(one.start, one.minimum) for one in shown] == [
        (minimum["map_start"], minimum["map"]),
        (minimum["several_start"], minimum["several"]),
        (None, None),
        (None, None),
    ]
    (nothing, *_) = assignment.measures(answers_of(mediocre, mediocre), {}, context)
    assert nothing.value == 0 < shown[0].value <= shown[2].value


def test_page_draws_what_was_found_beside_what_is_there(
    assignment: Assignment, context: Context, sample: Path, space: dict[str, Any]
) -> None:
    """Boxes of a detector that misses all objects of four images lie on the true ones in the others."""
    images = load_all_annotations(sample / "scenes")
    tested = images[split(len(images)).test]
    said = np.stack([space["true_target"](*tensorize_objects(image)) for image in tested])
    missed = [index for index, image in enumerate(tested) if len(image["objects"]) > 1][3:7]
    said[missed, ..., 0] = 0
    explanation = assignment.explain(answers_of(said, space["moved"](said)), context)
    best, worst = explanation.galleries
    assert {picture.photo.name for picture in worst.pictures} == {tested[index]["filename"] for index in missed}
    assert all(box.true for picture in worst.pictures for box in picture.boxes)
    for picture in best.pictures:
        true = sorted((box.label, box.corners) for box in picture.boxes if box.true)
        found = sorted((box.label.split()[0], box.corners) for box in picture.boxes if not box.true)
        assert picture.photo.is_file()
        assert len(true) > 1
        assert [label for label, _ in found] == [label for label, _ in true]
        np.testing.assert_allclose([box for _, box in found], [box for _, box in true], atol=1)


def test_average_precisions_of_the_classes_make_the_map(
    assignment: Assignment, context: Context, mediocre: Any, half_moved: Any
) -> None:
    answers = answers_of(mediocre, half_moved)
    (table,) = assignment.explain(answers, context).tables
    whole = assignment.scoring.measured(assignment.scoring.outcomes(answers, context))
    averages = np.mean([row[-2:] for row in table.rows], axis=0)
    assert averages == pytest.approx([whole["whole_map"], whole["whole_map"] - whole["map"]])
    assert [row[0] for row in table.rows] == ["dog", "cat", "bus", "car", "aeroplane"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("nothing", "sure of next to nothing"),
        ("unmoved", "much the same when the maps are moved"),
        ("everywhere", "boxes for 109 objects"),
        ("transposed", "Do they lie beside the objects?"),
        ("one box", "never finds more than one object in an image"),
        ("timid", "on the right way"),
        ("perfect", ""),
    ],
)
def test_advice_names_what_is_wrong_with_the_detector(
    assignment: Assignment, context: Context, sample: Path, space: dict[str, Any], spoil: str, said: str
) -> None:
    images = load_all_annotations(sample / "scenes")
    targets = [space["true_target"](*tensorize_objects(image)) for image in images[split(len(images)).test]]
    output = np.stack(targets).astype(np.float32)
    if spoil == "nothing":
        output[..., 0] *= 0.001
    elif spoil == "everywhere":
        output[..., 5:] *= 0.9
        empty = output[..., 0] == 0
        output[empty, 5:] = np.eye(5)[np.arange(empty.sum()) % 5]
        output[..., 0], output[..., 3:5] = 1, output[..., 3:5].clip(0.2)
    elif spoil == "transposed":
        output = np.swapaxes(output, 1, 2)
    elif spoil == "timid":
        output[::2, ..., 0] *= 0.1
        output[::2, ..., 3:5] *= 0.3
    elif spoil == "one box":
        surest = output[..., 0].reshape(len(output), -1).argmax(axis=1)
        output[..., 0] *= np.eye(49)[surest].reshape(-1, 7, 7)
        output[::3, ..., 3:5] *= 0.5  # and too small in some
    moved = output if spoil == "unmoved" else space["moved"](output)
    advice = assignment.explain(answers_of(output, moved), context).advice
    assert [said in one for one in advice[:1]] == ([True] if said else [])
    assert len(advice) <= 3


@pytest.mark.parametrize("spoil", ["shape", "NaN", "huge", "kind", "lost"])
def test_answers_that_cannot_be_measured_are_not(
    assignment: Assignment, context: Context, mediocre: Any, spoil: str
) -> None:
    answers = answers_of(mediocre, mediocre)
    spoilt = {
        "shape": lambda: answers_of(mediocre, mediocre[..., :5]),
        "NaN": lambda: answers_of(np.full_like(mediocre, np.nan), mediocre),
        "huge": lambda: answers_of(mediocre, mediocre.astype(np.float64) * 1e308),
        "kind": lambda: answers_of(mediocre.astype(complex), mediocre),
        "lost": lambda: answers | {"moved": Answer(lost="the kernel died")},
    }[spoil]()
    assert assignment.scoring.outcomes(spoilt, context) == {}
    assert assignment.measures(spoilt, {}, context) == []
    assert assignment.explain(spoilt, context).galleries == ()
    assert assignment.scoring.outcomes(answers, context) != {}


@pytest.mark.slow
def test_solved_release_runs_top_to_bottom(
    assignment: Assignment, sample: Path, tmp_path: Path, bubblewrap: None
) -> None:
    solved = fill_in(assignment.released, solution_cells(nbformat.read(MASTER, as_version=4)))
    ran = run_whole(solved, sample, tmp_path)
    assert errors(ran) == {}
    pictures = [output for cell in ran.cells for output in cell.get("outputs", []) if "image/png" in str(output)]
    assert len(pictures) >= 4  # large ones are cut off when grading


@pytest.mark.slow
def test_untouched_release_stops_only_at_what_is_to_do(
    assignment: Assignment, sample: Path, tmp_path: Path, bubblewrap: None
) -> None:
    found = errors(run_whole(assignment.released, sample, tmp_path))
    assert set(found) == {"lost", "train", *NEEDS_TRAINING}
    for name in NEEDS_TRAINING:
        assert "complete build_detector" in found[name]
