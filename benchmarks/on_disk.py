"""Representations on disk: size and loading time, against the published float32 file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import harness
import numpy as np
from harness import Cost, Goal, LeftOutError, Section, Settings

from helpers.data import load_annotations
from helpers.features import load_representations

FORMS: dict[str, tuple[str, str | None]] = {
    "extract_features": ("float16", None),
    "extract_features, lzf": ("float16", "lzf"),
    "extract_features, gzip": ("float16", "gzip"),
}
"""What `extract_features` can write: type, compression."""
PUBLISHED = "published (float32)"


def run(settings: Settings) -> list[Section]:
    """Each form is written from the same representations, then loaded as notebooks do, from the page cache."""
    if settings.data is None:
        raise LeftOutError("there is no data folder: `make demo DATASET=voc` makes .cache/voc, or say --data")
    (root,) = {path.parent.parent for path in settings.data.glob("*/*/Annotations")}
    annotations = load_annotations(root)
    source = settings.data / "representations.h5"
    values = load_representations(source, annotations, root)
    published = settings.scratch / "published.h5"
    with h5py.File(published, "w") as file:
        file.create_dataset("reprs", data=values)  # as the published file: contiguous, and nothing else in it
    files = {PUBLISHED: published}
    for name, (dtype, compression) in FORMS.items():
        files[name] = settings.scratch / f"{len(files)}.h5"
        write(files[name], source, values, dtype, compression)

    def published_way() -> Any:
        with h5py.File(published, "r") as file:
            return file["reprs"][:]

    def way(path: Path) -> Callable[[], Cost]:
        return lambda: harness.run_function(lambda: load_representations(path, annotations, root))

    ways = {PUBLISHED: lambda: harness.run_function(published_way)}
    ways |= {name: way(files[name]) for name in FORMS}
    for name in FORMS:
        worst = np.abs(load_representations(files[name], annotations, root) - values).max()
        assert worst <= np.abs(values).max() * 5e-4, f"{name} loses {worst}"
    costs = harness.alternate(ways, settings.rounds)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    rows = []
    for name in ways:
        cost = harness.middle(costs[name])
        ratio = harness.spread(harness.ratios(costs[name], costs[PUBLISHED]))
        size = f"{sizes[name] / 1e6:.1f} MB"
        rows.append(
            [name, size, f"{sizes[name] / sizes[PUBLISHED]:.3f}", f"{cost.wall:.3f} s", f"{cost.cpu:.3f} s", ratio]
        )
    best = min(FORMS, key=lambda name: sizes[name])
    slower = harness.middle_ratio(costs[best], costs[PUBLISHED])
    return [
        Section(
            name="on_disk",
            title=f"Representations of {len(annotations)} photographs on disk",
            how="The same values in each form, read to a float32 array from files that the page cache holds.",
            columns=("form", "size", "of published", "loading", "CPU", "times published"),
            rows=rows,
            goals=[
                Goal(
                    "representations: smallest size, of the published file's", 0.2, sizes[best] / sizes[PUBLISHED], True
                ),
                Goal("representations: loading time of the smallest, of the published file's", 1.0, slower, True),
            ],
            raw={**harness.raw(costs), "sizes": sizes},
        )
    ]


def write(path: Path, source: Path, values: Any, dtype: str, compression: str | None) -> None:
    """A file as `extract_features` writes it, without computing anything."""
    with h5py.File(source, "r") as given, h5py.File(path, "w") as file:
        storage: dict[str, Any] = {}
        if compression is not None:
            level = 1 if compression == "gzip" else None
            storage = {"chunks": (1, *values.shape[1:]), "compression": compression, "compression_opts": level}
        file.create_dataset("reprs", values.shape, dtype, **storage)
        for start in range(0, len(values), 64):
            file["reprs"][start : start + 64] = values[start : start + 64].astype(dtype)
        file.create_dataset("filenames", data=given["filenames"][:], dtype=h5py.string_dtype("utf-8"))
        file.attrs.update(given.attrs)
