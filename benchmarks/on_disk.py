"""Representations on disk: size, loading time and what models learn from them, against the published float32 file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import harness
import numpy as np
from harness import Goal, LeftOutError, Section, Settings

from helpers.data import COURSE_DATA_READ_ONLY, image_path, load_annotations
from helpers.features import extract_features, load_representations, write_plain

PUBLISHED = "published (float32), read by h5py"
IN_GRADING = "in grading: one plain copy, mapped"
FORMS: dict[str, tuple[str, str | None]] = {
    "extract_features": ("float16", None),
    "extract_features, lzf": ("float16", "lzf"),
    "extract_features, gzip": ("float16", "gzip"),
}
"""What `extract_features` can write: type, compression."""
SEEDS = 5
MODEL = "solution"
Load = Callable[[], Any]


def run(settings: Settings) -> list[Section]:
    """Each form is written from the same representations, then loaded, from the page cache."""
    if settings.data is None:
        raise LeftOutError("there is no data folder: `make demo DATASET=voc` makes .cache/voc, or say --data")
    (root,) = {path.parent.parent for path in settings.data.glob("*/*/Annotations")}
    annotations = load_annotations(root)
    source = settings.data / "representations.h5"
    values = np.array(load_representations(source, annotations, root))
    files = {PUBLISHED: settings.scratch / "published.h5"}
    with h5py.File(files[PUBLISHED], "w") as file:
        file.create_dataset("reprs", data=values)  # as the published file: contiguous, and nothing else in it
    for name, (dtype, compression) in FORMS.items():
        files[name] = settings.scratch / f"{len(files)}.h5"
        write(files[name], source, values, dtype, compression)
    smallest = min(FORMS, key=lambda name: files[name].stat().st_size)
    plain = settings.scratch / "plain.h5"
    write_plain(files[smallest], plain)

    def published() -> Any:
        with h5py.File(files[PUBLISHED], "r") as file:
            return file["reprs"][:]

    def form(path: Path) -> Load:
        return lambda: load_representations(path, annotations, root)

    def mapped() -> Any:
        os.environ[COURSE_DATA_READ_ONLY] = "1"
        try:
            return form(plain)()
        finally:
            del os.environ[COURSE_DATA_READ_ONLY]

    loads: dict[str, Load] = {PUBLISHED: published, IN_GRADING: mapped}
    loads |= {name: form(files[name]) for name in FORMS}
    for name, load in loads.items():
        worst = np.abs(load() - values).max()
        assert worst <= np.abs(values).max() * 5e-4, f"{name} loses {worst}"
    loading = harness.alternate({name: _timed(load) for name, load in loads.items()}, settings.rounds)
    reading = harness.alternate({name: _timed(load, np.sum) for name, load in loads.items()}, settings.rounds)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    rows = []
    for name in loads:
        size = sizes.get(name)
        rows.append(
            [
                name,
                f"{size / 1e6:.1f} MB" if size else "of any form",
                f"{size / sizes[PUBLISHED]:.3f}" if size else "",
                f"{harness.middle(loading[name]).wall:.3g} s",
                harness.spread(harness.ratios(loading[name], loading[PUBLISHED])),
                f"{harness.middle(reading[name]).wall:.3g} s",
                harness.spread(harness.ratios(reading[name], reading[PUBLISHED])),
            ]
        )
    goals = [
        Goal("representations: smallest size, of the published file's", 0.2, sizes[smallest] / sizes[PUBLISHED], True),
        Goal(
            "representations: in grading, loading and reading once, of the published file's",
            1.0,
            harness.middle_ratio(reading[IN_GRADING], reading[PUBLISHED]),
            True,
        ),
        Goal(
            "representations: by a student, loading of the smallest, of the published file's",
            1.0,
            harness.middle_ratio(loading[smallest], loading[PUBLISHED]),
            True,
        ),
    ]
    return [
        Section(
            name="on_disk",
            title=f"Representations of {len(annotations)} photographs on disk",
            how="The same values in each form, as a float32 array from files that the page cache holds; then the same, "
            "and every value read once (summed), since what is mapped is read only when it is used. Grading unpacks "
            "any form once for each data set, and maps that copy into all submissions.",
            columns=(
                "form",
                "size",
                "of published",
                "loading",
                "times published",
                "and reading once",
                "times published",
            ),
            rows=rows,
            goals=goals,
            remarks=[_profile(files[smallest], values)],
            raw={"loading": harness.raw(loading), "reading": harness.raw(reading), "sizes": sizes},
        ),
        *accuracy(settings, root),
    ]


def _timed(load: Load, use: Callable[[Any], Any] | None = None) -> harness.Way:
    return lambda: harness.run_function(load if use is None else (lambda: use(load())))


def _profile(path: Path, values: Any) -> str:
    """Where the time of loading the smallest form goes."""
    from time import perf_counter

    with h5py.File(path, "r") as file:
        began = perf_counter()
        halves = file["reprs"][:]
        unpacked = perf_counter()
        halves.astype(np.float32)
        converted = perf_counter()
    values.copy()
    copied = perf_counter()
    return (
        f"Of the smallest form's loading, unpacking takes {unpacked - began:.2f} s and float16 to float32 "
        f"{converted - unpacked:.2f} s; merely writing {values.nbytes / 1e6:.0f} MB takes {copied - converted:.2f} s. "
        "Whatever has to be unpacked into a float32 array cannot be as quick as a copy of it."
    )


def accuracy(settings: Settings, root: Path) -> list[Section]:
    """Test scores of a model that learns from float16 and from float32, over the same seeds."""
    if settings.voc_root is None or settings.weights is None:
        harness.say("  accuracy left out: say --voc-root and --weights")
        return []
    import seeds

    paths = [image_path(root, annotation) for annotation in load_annotations(root)]
    found = {}
    for dtype in ("float32", "float16"):
        folder = settings.scratch / dtype
        folder.mkdir()
        (folder / "VOCdevkit").symlink_to(root.resolve(), target_is_directory=True)
        out = folder / "representations.h5"
        extract_features(paths, out, data_set="voc2007", weights=settings.weights, dtype=dtype)
        found[dtype] = seeds.measure(folder, [MODEL], SEEDS)[MODEL]
    noise = found["float32"].std(axis=0, ddof=1)
    apart = np.abs(found["float16"].mean(axis=0) - found["float32"].mean(axis=0)) / noise
    figures = ("class accuracy", "mean IoU", "valid accuracy")
    rows = [
        [dtype, *(f"{mean:.4f} ± {deviation:.4f}" for mean, deviation in zip(x.mean(0), x.std(0, ddof=1), strict=True))]
        for dtype, x in found.items()
    ]
    return [
        Section(
            name="accuracy",
            title="What a model learns from float16 and from float32 representations",
            how=f"The solution, trained as in the notebook, on {len(paths)} photographs, with {SEEDS} seeds: mean and "
            "standard deviation of the test scores. Compression loses nothing; float16 is all that does.",
            columns=("representations", *figures),
            rows=rows,
            goals=[
                Goal(
                    "accuracy: float16's mean away from float32's, in standard deviations of the seeds",
                    1.0,
                    float(apart.max()),
                    True,
                )
            ],
            raw={dtype: values.tolist() for dtype, values in found.items()},
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
