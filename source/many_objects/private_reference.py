"""Print the mAP of the master's own detector over some seeds, beside that of a model without the grid.

    .venv/bin/python source/many_objects/private_reference.py --data FOLDER --seeds 5

The model without the grid is one that students know: the class and the box of one object, the largest, for each image.
The minimums in `thresholds.json` rest on these figures and on those of the planted submissions.
"""

import argparse
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

HERE = Path(__file__).parent
Found = list[tuple[Any, Any, Any]]
"""Labels, scores and corner boxes, by image."""


def names_of_master() -> dict[str, Any]:
    """Run the master's cells up to its own test images: data and functions, no demonstration, test or training."""
    names: dict[str, Any] = {}
    for cell in nbformat.read(HERE / f"{HERE.name}.ipynb", as_version=4).cells:
        left_out = {"demo"} & set(cell.metadata.get("tags", [])) or cell.metadata.get("nbgrader", {}).get("grade")
        if cell.cell_type == "code" and not left_out and cell.id not in ("install", "train"):
            exec(compile(cell.source, cell.id, "exec"), names)
    return names


def with_grid(names: dict[str, Any], seed: int) -> Found:
    """Train the master's detector; return what it finds in the test images."""
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
    outputs = detector.predict(names["reprs"][names["parts"].test], verbose=0)
    return [names["detect"](output) for output in outputs]


def without_grid(names: dict[str, Any], seed: int) -> Found:
    """Train a model of one class and one box for each image; return what it finds in the test images."""
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
    classes, places = model.predict(names["reprs"][names["parts"].test], verbose=0)
    corners = names["center_to_corners"](places * 224.0)
    return [
        (np.array([line.argmax()]), np.array([line.max()]), box[np.newaxis])
        for line, box in zip(classes, corners, strict=True)
    ]


def in_other_draws(names: dict[str, Any], found: Found, draws: int = 40) -> list[float]:
    """Return the mAP had the test images been others: drawn again from the same ones, with replacement."""
    truth, chance = names["truth_of_test"], np.random.default_rng(0)
    values = []
    for _ in range(draws):
        chosen = chance.integers(0, len(truth), len(truth))
        values.append(names["mean_average_precision"]([found[one] for one in chosen], [truth[one] for one in chosen]))
    return values


def main() -> None:
    """Measure both models and print a table."""
    parser = argparse.ArgumentParser(description="mAP of the detector and of a model without the grid.")
    parser.add_argument("--data", type=Path, required=True, help="folder of course data, as for `course grade`")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    os.environ["COURSE_DATA"] = str(asked.data.resolve())
    names = names_of_master()
    models: dict[str, Callable[[dict[str, Any], int], Found]] = {
        "with the grid": with_grid,
        "without": without_grid,
    }
    key = names["representation_key"](names["reprs_files"][0])
    print(f"{key}: mAP at IoU 0.5 on {len(names['truth_of_test'])} images", flush=True)
    values: dict[str, list[float]] = {name: [] for name in models}
    drawn: dict[str, list[float]] = {name: [] for name in models}
    for seed in range(asked.seeds):
        for name, train in models.items():
            found = train(names, seed)
            values[name].append(float(names["mean_average_precision"](found, names["truth_of_test"])))
            drawn[name] += in_other_draws(names, found)
            print(f"seed {seed}, {name}: {values[name][-1]:.3f}", flush=True)
    for name, measured in values.items():
        spread = statistics.stdev(measured) if len(measured) > 1 else 0.0
        low, high = np.percentile(drawn[name], [5, 95])
        print(
            f"{name}: {min(measured):.3f} to {max(measured):.3f}, mean {statistics.mean(measured):.3f} ± {spread:.3f}; "
            f"nine of ten draws of seed and test images {low:.3f} to {high:.3f}"
        )


if __name__ == "__main__":
    main()
