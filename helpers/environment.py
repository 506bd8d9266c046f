"""A first look at the environment, for students: versions, GPU and data. And seeds.

Keras, TensorFlow and h5py are slow to load: they are imported where they are needed.
"""

from __future__ import annotations

import logging
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from helpers import data

COURSE_SEED = "COURSE_SEED"
_STDERR = 2
"""The process's own, below Python's `sys.stderr`."""

# What to show, and the distributions that may provide it.
PACKAGES = {
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "keras": ("keras",),
    "numpy": ("numpy",),
    "h5py": ("h5py",),
    "scikit-image": ("scikit-image",),
}


@dataclass(frozen=True)
class SetupReport:
    """Facts that `setup` found. None stands for not asked for, or not to be found out (then `problems` says why)."""

    versions: dict[str, str | None]
    gpu: bool | None
    annotation_files: int | None
    usable_images: int | None
    missing_photos: tuple[str, ...]
    representations_shape: tuple[int, ...] | None
    representations_key: str | None
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Return whether everything that was asked for is in place (a GPU is not needed, only faster)."""
        return not self.problems


@dataclass(frozen=True)
class _Photos:
    annotation_files: int
    usable_images: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class _Representations:
    shape: tuple[int, ...]
    key: str
    named: bool  # says which image each row belongs to


def setup(root: str | Path | None = None, representations: str | Path | None = None) -> SetupReport:
    """Print the versions and the GPU of this environment, and whether the course data is in place; never fails.

    What is missing is said in words, with what to do about it.

    Args:
        root: data root to look at (`VOCdevkit`), if any.
        representations: representations file to look at (HDF5), if any.

    Returns:
        The same facts, for programs.
    """
    problems: list[str] = []

    versions = {"python": platform.python_version()} | {name: _installed_version(*PACKAGES[name]) for name in PACKAGES}
    first = root is None and representations is None  # who asks about the data has seen the rest
    for name, version in versions.items():
        if first:
            print(f"{name:14}{version or 'not installed'}")
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        problems.append(f"Not installed: {', '.join(missing)}. Install with: pip install {' '.join(missing)}")

    gpu = _gpu(problems)
    if gpu and first:
        print("GPU           yes")
    elif gpu is not None and first:
        print(
            "GPU           no. Everything works without one, only slower. "
            "On Colab: Runtime > Change runtime type, choose a GPU."
        )

    photos = None if root is None else _look_at_photos(Path(root), problems)
    if photos is not None:
        print(f"Photographs   {photos.usable_images} usable, {photos.annotation_files} annotation files")
        if photos.missing:
            print(f"              missing and left out: {data.shorten(photos.missing)}")

    reprs = None if representations is None else _look_at_representations(Path(representations), problems)
    if reprs is not None:
        print(f"Features      {reprs.shape}, {reprs.key}")
        # Without names, row i belongs to image i: one image too few shifts all rows after it.
        if photos is not None and not reprs.named and reprs.shape[0] != photos.usable_images:
            problems.append(
                f"{representations} has {reprs.shape[0]} rows, without file names, for "
                f"{photos.usable_images} usable images: rows and images do not belong together. Fetch all "
                "photographs with fetch_voc2007(), or compute the representations anew."
            )

    for problem in problems:
        print(f"To do: {problem}")
    if not problems:
        print("All is in place.")
    return SetupReport(
        versions=versions,
        gpu=gpu,
        annotation_files=photos.annotation_files if photos else None,
        usable_images=photos.usable_images if photos else None,
        missing_photos=photos.missing if photos else (),
        representations_shape=reprs.shape if reprs else None,
        representations_key=reprs.key if reprs else None,
        problems=tuple(problems),
    )


def fix_seeds(seed: int = 0) -> None:
    """Make a run repeatable: seed Python, NumPy and TensorFlow, and use deterministic operations.

    Initial weights, dropout and shuffling are random: without a seed two runs of the same notebook
    differ by some points of accuracy, so no comparison of two models means anything. Seeds are not
    enough, since some operations (on a GPU above all) add up in an order that changes from run to run;
    hence the deterministic ones, at some cost in speed. Call this once, before building the model;
    results still differ between machines and versions.

    The environment variable COURSE_SEED is added to `seed`: a grader that wants to know how much depends
    on chance runs the same notebook with several.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed + int(os.environ.get(COURSE_SEED, "0")))
    tf.config.experimental.enable_op_determinism()


def _installed_version(*distributions: str) -> str | None:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep away what TensorFlow writes while it is loaded, which notebooks show in red: nothing of it is an error.

    It writes past Python, to the process's standard error, and before any setting of its own holds.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for what comes later
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        kept = os.dup(_STDERR)
    except OSError:  # there is none
        yield
        return
    try:
        with tempfile.TemporaryFile() as away:
            os.dup2(away.fileno(), _STDERR)
            yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


def _gpu(problems: list[str]) -> bool | None:
    try:
        with _without_chatter():
            import tensorflow as tf

            return bool(tf.config.list_physical_devices("GPU"))
    except Exception as error:  # a broken installation raises all sorts of things
        problems.append(f"TensorFlow does not start ({type(error).__name__}: {error}). Install it again.")
        return None


def _look_at_photos(root: Path, problems: list[str]) -> _Photos | None:
    try:
        files = data.annotation_files(root)
        annotations = data.load_annotations(root, require_photos=False)
        missing = tuple(data.missing_photos(root, annotations))
    except (OSError, ValueError) as error:
        problems.append(str(error))
        return None
    if not annotations or len(missing) == len(annotations):
        problems.append(f"{root} has no usable images. Delete it and call fetch_voc2007 again.")
    return _Photos(len(files), len(annotations) - len(missing), missing)


def _look_at_representations(path: Path, problems: list[str]) -> _Representations | None:
    import h5py

    try:
        shape = data.check_representations(path)
        with h5py.File(path, "r") as file:
            parts = [file.attrs.get(name) for name in ("data_set", "representation")]
            key = data.PUBLISHED_KEY if None in parts else "/".join(map(str, parts))
            return _Representations(shape, key, named="filenames" in file)
    except FileNotFoundError as error:
        problems.append(str(error))
    except (OSError, ValueError) as error:
        problems.append(f"{error}. Delete the file and call fetch_representations().")
    return None
