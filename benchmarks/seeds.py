"""How far do the scores of a model depend on the seed? What the thresholds are chosen from.

Trains the given planted submissions of an assignment over several seeds on a data folder, as the notebook's own
training cell does, and prints the test scores. The code that runs is the course's own.

    python benchmarks/seeds.py --data .cache/voc --seeds 5
"""

import argparse
import contextlib
import io
import os
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from rich.console import Console
from rich.table import Table

from grading.authoring.classroom import solution_cells
from grading.authoring.planted import read_planted
from helpers.boxes import iou
from helpers.data import CLASSES, load_annotations, split
from helpers.environment import fix_seeds
from helpers.features import load_representations, representation_key
from helpers.localising import best_box
from helpers.metrics import Scores, compute_acc
from helpers.targets import IMAGE_SIZE, tensorize_ground_truth

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is first imported, below

ROOT = Path(__file__).parents[1]
ASSIGNMENT = "object_detection"
SOLUTION_CELL = "classif_and_loc"
MODELS = ("solution", "published_better_model", "bad_model")


def sources(names: list[str]) -> dict[str, str]:
    """The solution cell of each planted submission, by name."""
    master = nbformat.read(ROOT / f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb", as_version=4)
    planted = {item.name: item for item in read_planted(ROOT / "source" / ASSIGNMENT / "planted")}
    own = solution_cells(master)
    return {name: planted[name].cells.get(SOLUTION_CELL, own[SOLUTION_CELL]) for name in names}


class Data:
    """Everything that training needs, loaded once."""

    def __init__(self, folder: Path) -> None:
        (root,) = {path.parent.parent for path in folder.glob("*/*/Annotations")}
        file = folder / "representations.h5"
        self.key = representation_key(file)
        self.annotations = load_annotations(root)
        self.reprs = load_representations(file, self.annotations, root)
        self.classes, self.boxes = tensorize_ground_truth(self.annotations)
        self.parts = split(len(self.annotations))

    def scores(self, source: str, seed: int) -> Scores:
        """Test scores of the model that a solution cell builds, trained from a seed."""
        space: dict[str, Any] = {}
        exec(compile(source, SOLUTION_CELL, "exec"), space)
        train = self.parts.train
        fix_seeds(seed)
        model = space[SOLUTION_CELL](len(CLASSES))
        model.fit(
            self.reprs[train],
            [self.classes[train], self.boxes[train]],
            validation_split=0.1,
            batch_size=space["batch_size"],
            epochs=space["epochs"],
            verbose=0,
        )
        with contextlib.redirect_stdout(io.StringIO()):
            return compute_acc(model, self.reprs, self.annotations, train=False)

    def best_constant_box(self) -> float:
        """Mean test IoU of the box that is best on the training images, the same for every image."""
        box = corners(best_box(self.boxes[self.parts.train])[np.newaxis])[0]
        return float(np.mean(iou(box, corners(self.boxes[self.parts.test]))))


def corners(boxes: np.ndarray) -> np.ndarray:
    """Corner boxes of centre boxes."""
    from helpers.boxes import center_to_corners

    return np.clip(center_to_corners(boxes), 0, IMAGE_SIZE)


def measure(folder: Path, names: list[str], seeds: int, progress: bool = True) -> dict[str, np.ndarray]:
    """Scores (seeds, 3) by model: class accuracy, mean IoU, valid accuracy."""
    data = Data(folder)
    found = {}
    for name, source in sources(names).items():
        rows = []
        for seed in range(seeds):
            rows.append(data.scores(source, seed))
            if progress:
                print(f"{name}, seed {seed}: {tuple(round(value, 3) for value in rows[-1])}", flush=True)
        found[name] = np.array(rows)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with a data root and representations.h5")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    arguments = parser.parse_args()
    found = measure(arguments.data, arguments.models, arguments.seeds)
    data = Data(arguments.data)
    table = Table(title=f"{data.key}: test scores over {arguments.seeds} seeds, min / mean / max")
    for column in ("model", "class accuracy", "mean IoU", "valid accuracy"):
        table.add_column(column)
    for name, rows in found.items():
        cells = (
            f"{low:.3f} / {mean:.3f} / {high:.3f}"
            for low, mean, high in zip(rows.min(0), rows.mean(0), rows.max(0), strict=True)
        )
        table.add_row(name, *cells)
    console = Console()
    console.print(table)
    console.print(
        f"The same box for every image (the best one on the training images): mean IoU {data.best_constant_box():.3f}"
    )


if __name__ == "__main__":
    main()
