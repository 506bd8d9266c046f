"""Print the mAP of the master's own detector over some seeds, beside that of a model without the grid.

Both are measured as the notebook's tests do: on all test images, and on those with several objects, less what is left
of it when the maps are moved.

    .venv/bin/python source/many_objects/private_reference.py --data FOLDER --seeds 5

The model without the grid is one that students know: the class and the box of one object, the largest, for each image.
The minimums in `thresholds.json` rest on these figures and on those of the planted submissions.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np

from helpers.checks import partial_credit, thresholds_for

HERE = Path(__file__).parent
MAXIMUM = 4
"""Points of the detector's two tests, half each."""
ENOUGH = 2
"""With all others, 18 of 20 points: a solution has to have them in 95 of 100 draws."""
Found = list[tuple[Any, Any, Any]]
"""Labels, scores and corner boxes, by image."""


class Answers(NamedTuple):
    """What a model finds in the test images, and in the same with their maps moved."""

    as_they_are: Found
    moved: Found


def names_of_master() -> dict[str, Any]:
    """Run the master's cells up to its own test images: data and functions, no demonstration, test or training."""
    names: dict[str, Any] = {}
    for cell in nbformat.read(HERE / f"{HERE.name}.ipynb", as_version=4).cells:
        left_out = {"demo"} & set(cell.metadata.get("tags", [])) or cell.metadata.get("nbgrader", {}).get("grade")
        if cell.cell_type == "code" and not left_out and cell.id not in ("install", "train"):
            exec(compile(cell.source, cell.id, "exec"), names)
    return names


def asked_twice(names: dict[str, Any], find: Callable[[Any], Found]) -> Answers:
    """Ask a model for the test images as they are, and moved."""
    test = names["reprs"][names["parts"].test]
    return Answers(find(test), find(names["moved"](test)))


def with_grid(names: dict[str, Any], seed: int) -> Answers:
    """Train the master's detector; return what it finds."""
    images = names["images"][names["parts"].train]
    targets = np.stack([names["assign_to_cells"](*names["tensorize_objects"](image)) for image in images])
    names["helpers"].fix_seeds(seed)
    detector = names["build_detector"](len(names["CLASSES"]))
    detector.fit(
        names["reprs"][names["parts"].train],
        targets,
        validation_split=0.1,
        batch_size=names["batch_size"],
        epochs=names["epochs"],
        verbose=0,
    )
    return asked_twice(names, lambda maps: [names["detect"](output) for output in detector.predict(maps, verbose=0)])


def without_grid(names: dict[str, Any], seed: int) -> Answers:
    """Train a model of one class and one box for each image; return what it finds."""
    from keras import Model, layers, optimizers

    labels, boxes = [], []
    for image in names["images"][names["parts"].train]:
        kinds, places = names["tensorize_objects"](image)
        largest = int(np.argmax(places[:, 2] * places[:, 3]))
        labels.append(kinds[largest])
        boxes.append(places[largest] / 224)
    names["helpers"].fix_seeds(seed)
    given = layers.Input((7, 7, 2048))
    what = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(given))
    where = layers.Dropout(0.3)(layers.Flatten()(layers.Conv2D(64, 1, activation="relu")(given)))
    where = layers.Dropout(0.3)(layers.Dense(128, activation="relu")(where))
    what = layers.Dense(len(names["CLASSES"]), activation="softmax")(what)
    model = Model(given, [what, layers.Dense(4, activation="sigmoid")(where)])
    model.compile(optimizers.Adam(1e-3), loss=["sparse_categorical_crossentropy", "mae"], loss_weights=[1, 10])
    model.fit(
        names["reprs"][names["parts"].train],
        [np.array(labels), np.array(boxes)],
        batch_size=names["batch_size"],
        epochs=20,
        verbose=0,
    )

    def find(maps: Any) -> Found:
        classes, places = model.predict(maps, verbose=0)
        corners = names["center_to_corners"](places * 224.0)
        return [
            (np.array([line.argmax()]), np.array([line.max()]), box[np.newaxis])
            for line, box in zip(classes, corners, strict=True)
        ]

    return asked_twice(names, find)


def measured(names: dict[str, Any], answers: Answers, images: Sequence[int]) -> tuple[float, float]:
    """Return what the tests measure on some of the test images, and on those of them with several objects."""
    truth = names["truth_of_test"]
    several = [one for one in images if len(truth[one][0]) > 1]

    def by_looking(some: Sequence[int]) -> float:
        there = [truth[one] for one in some]
        value, left = (names["mean_average_precision"]([found[one] for one in some], there) for found in answers)
        return float(value - left)

    return by_looking(images), by_looking(several)


def in_other_draws(names: dict[str, Any], found: Answers, draws: int = 40) -> list[tuple[float, float]]:
    """Return what is measured had the test images been others: drawn again from the same ones, with replacement."""
    number, chance = len(names["truth_of_test"]), np.random.default_rng(0)
    return [measured(names, found, chance.integers(0, number, number)) for _ in range(draws)]


def main() -> None:
    """Measure both models and print a table."""
    parser = argparse.ArgumentParser(description="mAP of the detector and of a model without the grid.")
    parser.add_argument("--data", type=Path, required=True, help="folder of course data, as for `course grade`")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    os.environ["COURSE_DATA"] = str(asked.data.resolve())
    names = names_of_master()
    models: dict[str, Callable[[dict[str, Any], int], Answers]] = {
        "with the grid": with_grid,
        "without": without_grid,
    }
    key = names["representation_key"](names["reprs_files"][0])
    images = range(len(names["truth_of_test"]))
    several = sum(len(labels) > 1 for labels, _ in names["truth_of_test"])
    print(f"{key}: mAP at IoU 0.5 on {len(images)} images, {several} of them with several objects", flush=True)
    values: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    drawn: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for seed in range(asked.seeds):
        for name, train in models.items():
            found = train(names, seed)
            values[name].append(measured(names, found, images))
            drawn[name] += in_other_draws(names, found)
            print(f"seed {seed}, {name}: {values[name][-1][0]:.3f}, several {values[name][-1][1]:.3f}", flush=True)
    for name in models:
        for which, column in (("all images", 0), ("those with several objects", 1)):
            of_seeds, of_draws = [pair[column] for pair in values[name]], [pair[column] for pair in drawn[name]]
            print(f"{name}, {which}: {summary(of_seeds, of_draws)}")
    minimum = thresholds_for(json.loads((HERE / "thresholds.json").read_text(encoding="utf-8")), key)
    for name in models:
        print(f"{name}, by the scale in use: {worth(drawn[name], minimum)}")


def worth(drawn: list[tuple[float, float]], minimum: dict[str, float]) -> str:
    """Say what draws are worth by the detector's two tests, together."""
    points = [
        partial_credit(of_all, minimum["map_start"], minimum["map"], points=MAXIMUM // 2)
        + partial_credit(of_several, minimum["several_start"], minimum["several"], points=MAXIMUM // 2)
        for of_all, of_several in drawn
    ]
    enough = sum(one >= ENOUGH for one in points) / len(points)
    return f"{statistics.mean(points):.1f} of {MAXIMUM} points, and {ENOUGH} or more in {enough:.1%} of the draws"


def summary(of_seeds: list[float], drawn: list[float]) -> str:
    """Say range, mean and standard deviation over the seeds, and where nine of ten draws lie."""
    spread = statistics.stdev(of_seeds) if len(of_seeds) > 1 else 0.0
    low, high = np.percentile(drawn, [5, 95])
    return (
        f"{min(of_seeds):.3f} to {max(of_seeds):.3f}, mean {statistics.mean(of_seeds):.3f} ± {spread:.3f}; "
        f"nine of ten draws of seed and test images {low:.3f} to {high:.3f}"
    )


if __name__ == "__main__":
    main()
