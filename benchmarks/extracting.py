"""Extraction of representations from photographs: `extraction.py`'s ways and another engine, in the shared table."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import harness
import numpy as np
from harness import Cost, Goal, LeftOutError, Section, Settings

BATCH = 32
ENGINE = "openvino"
OURS, BARE, FOLDED, LAB, OTHER = (
    "extract_features",
    "bare forward pass",
    "bare pass, batch norms folded",
    "the lab's predict_batch",
    "OpenVINO, bare pass",
)


def run(settings: Settings) -> list[Section]:
    """The bare forward pass, ours, the lab's way, and OpenVINO's forward pass."""
    if settings.voc_root is None or settings.weights is None:
        raise LeftOutError("say --voc-root and --weights")
    import extraction

    from helpers.data import image_path, load_annotations
    from helpers.features import headless_resnet50
    from helpers.folding import fold_batch_norms

    annotations = load_annotations(settings.voc_root)
    paths = [image_path(settings.voc_root, annotation) for annotation in annotations][: settings.part(len(annotations))]
    model = headless_resnet50(settings.weights)
    folded = fold_batch_norms(model)
    functions = {
        OURS: extraction.ours(settings.weights, paths, BATCH, settings.scratch / "ours.h5", None),
        BARE: extraction.bare(model, paths, BATCH),
        FOLDED: extraction.bare(folded, paths, BATCH),
        LAB: extraction.lab(model, paths, BATCH),
    }
    ways = {name: (lambda function=function: harness.run_function(function)) for name, function in functions.items()}
    engine = Engine.prepared(folded, len(paths), settings.scratch)
    if engine is not None:
        ways[OTHER] = engine.cost
    costs = harness.alternate(ways, settings.rounds)
    ours = costs[OURS]
    goals = [
        Goal("extraction: times the lab's", 3, harness.middle_ratio(costs[LAB], ours)),
        Goal("extraction: of the bare pass", 0.9, harness.middle_ratio(costs[BARE], ours)),
    ]
    remarks = [
        f"Ours, of the bare pass with folded batch norms: {harness.middle_ratio(costs[FOLDED], ours):.2f}.",
        f"That bare pass alone takes {harness.middle_ratio(costs[FOLDED], costs[LAB]):.0%} of the lab's time: nothing "
        f"around it can be more than {harness.middle_ratio(costs[LAB], costs[FOLDED]):.1f} times as fast here.",
    ]
    if engine is not None:
        goals.append(
            Goal(
                "extraction: Keras's bare pass, of the other engine's",
                1,
                harness.middle_ratio(costs[OTHER], costs[FOLDED]),
            )
        )
        remarks.append(f"OpenVINO's values differ by at most {engine.difference:.2g} from Keras's, in float32.")
    return [
        Section(
            name="extracting",
            title=f"Representations of {len(paths)} photographs",
            how=f"Batches of {BATCH}; ours from weights and JPEG files to an HDF5 file, the bare passes from one batch "
            "in memory, over and over. All but OpenVINO in one process; OpenVINO in an environment of its own, with "
            "the network as Keras exports it and as many threads as there are cores.",
            columns=harness.COST_COLUMNS,
            rows=harness.cost_rows(costs, len(paths), OURS),
            goals=goals,
            remarks=remarks,
            raw=harness.raw(costs),
        )
    ]


class Engine:
    """The forward pass outside Keras; each measurement is a process of its own."""

    def __init__(self, argv: list[str], images: int, passes: int) -> None:
        self._argv, self._share = argv, images / (passes * BATCH)
        self.difference = 0.0

    @classmethod
    def prepared(cls, model: Any, images: int, scratch: Path) -> "Engine | None":
        """The network, a batch and what comes of it, for another environment; None where that cannot be made."""
        import extraction

        try:
            programs = harness.environment(harness.ROOT / ".cache" / "bench" / ENGINE, [ENGINE, "numpy"])
        except LeftOutError as why:
            harness.say(f"  without the other engine: {why}")
            return None
        batch = extraction.random_batch(BATCH)
        model.export(scratch / "network", verbose=False)
        np.save(scratch / "batch.npy", batch)
        np.save(scratch / "expected.npy", model.predict_on_batch(batch))
        passes = -(-images // BATCH)
        files = [scratch / "network", scratch / "batch.npy", scratch / "expected.npy"]
        threads = len(os.sched_getaffinity(0))
        script = Path(__file__).with_name("engine.py")
        argv = [programs / "python", script, *files, passes, threads]
        return cls(list(map(str, argv)), images, passes)

    def cost(self) -> Cost:
        """What the passes take, without starting and compiling."""
        ran = subprocess.run(self._argv, capture_output=True, text=True, check=True)
        found = json.loads(ran.stdout.splitlines()[-1])
        self.difference = max(self.difference, found["difference"])
        return Cost(found["wall"], found["cpu"], found["peak"]).scaled(self._share)
