"""Extraction of representations from photographs: `extraction.py`'s ways, in the shared table."""

import harness
from harness import Goal, LeftOutError, Section, Settings

BATCH = 32


def run(settings: Settings) -> list[Section]:
    """The bare forward pass, ours, and the lab's way."""
    if settings.voc_root is None or settings.weights is None:
        raise LeftOutError("say --voc-root and --weights")
    import extraction

    from helpers.data import image_path, load_annotations
    from helpers.features import headless_resnet50

    annotations = load_annotations(settings.voc_root)
    paths = [image_path(settings.voc_root, annotation) for annotation in annotations][: settings.part(len(annotations))]
    model = headless_resnet50(settings.weights)
    functions = {
        "extract_features": extraction.ours(model, paths, BATCH, settings.scratch / "ours.h5", None),
        "bare forward pass": extraction.bare(model, paths, BATCH),
        "the lab's predict_batch": extraction.lab(model, paths, BATCH),
    }
    ways = {name: (lambda function=function: harness.run_function(function)) for name, function in functions.items()}
    costs = harness.alternate(ways, settings.rounds)
    ours = costs["extract_features"]
    return [
        Section(
            name="extracting",
            title=f"Representations of {len(paths)} photographs",
            how=f"In one process, batches of {BATCH}; ours from JPEG files to an HDF5 file, the bare pass from memory.",
            columns=harness.COST_COLUMNS,
            rows=harness.cost_rows(costs, len(paths), "extract_features"),
            goals=[
                Goal("extraction: times the lab's", 3, harness.middle_ratio(costs["the lab's predict_batch"], ours)),
                Goal("extraction: of the bare pass", 0.9, harness.middle_ratio(costs["bare forward pass"], ours)),
            ],
            raw=harness.raw(costs),
        )
    ]
