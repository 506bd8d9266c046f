"""How near extraction comes to the bare forward pass of its own model.

    python benchmarks/extraction.py --voc-root DIR --weights FILE [--limit N] [--rounds R] [--lab]

Rounds alternate, so that whatever else the machine does hits all ways alike:

- bare: ``predict_on_batch`` of one preprocessed batch in memory, over and over: nothing is read, decoded,
  resized or written;
- ours: ``extract_features`` from JPEG files to an HDF5 file, everything included (loading of weights, folding,
  tracing of the graph, which bare does before its clock starts);
- lab (``--lab``): as the lab is printed, skimage's reading and resizing and ``model(...)``, batch by batch.
"""

import argparse
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import h5py
import keras
import numpy as np
import skimage
import tensorflow as tf
from skimage.io import imread
from skimage.transform import resize

from helpers.data import image_path, load_annotations
from helpers.features import extract_features, headless_resnet50

preprocess_input = keras.applications.resnet50.preprocess_input


def random_batch(size: int) -> np.ndarray:
    """Preprocessed noise (size, 224, 224, 3): what a forward pass takes does not depend on what it sees."""
    pixels = np.random.default_rng(0).uniform(0, 255, (size, 224, 224, 3)).astype("float32")
    return np.asarray(preprocess_input(pixels))


def bare(model: keras.Model, paths: list[Path], batch_size: int) -> Callable[[], None]:
    """A function that passes as many images as there are paths through the model, from memory."""
    batch = random_batch(batch_size)
    model.predict_on_batch(batch)  # traces

    def run() -> None:
        for start in range(0, len(paths), batch_size):
            model.predict_on_batch(batch[: len(paths) - start])

    return run


def ours(weights: str, paths: list[Path], batch_size: int, out: Path, compression: str | None) -> Callable[[], None]:
    """A function that extracts the paths to a fresh file."""

    def run() -> None:
        out.unlink(missing_ok=True)
        extract_features(
            paths,
            out,
            data_set="benchmark",
            weights=weights,
            batch_size=batch_size,
            progress=False,
            compression=compression,
        )

    return run


def lab(model: keras.Model, paths: list[Path], batch_size: int) -> Callable[[], None]:
    """A function that does as the lab is printed."""

    def run() -> None:
        rows = []
        for start in range(0, len(paths), batch_size):
            images = [
                resize(imread(path), (224, 224), mode="reflect", preserve_range=True).astype("float32")
                for path in paths[start : start + batch_size]
            ]
            rows.append(model(preprocess_input(np.stack(images))).numpy())
        np.concatenate(rows)

    return run


def main() -> None:
    """Run the rounds and print images per second, the ratio to bare, file sizes, memory and versions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voc-root", type=Path, required=True)
    parser.add_argument("--weights", required=True, help="a weights file, or imagenet")
    parser.add_argument("--limit", type=int, help="use the first N photographs only")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compressions", nargs="*", default=["none"], choices=["none", "lzf", "gzip"])
    parser.add_argument("--lab", action="store_true", help="also run the printed way")
    options = parser.parse_args()

    annotations = load_annotations(options.voc_root)[: options.limit]
    paths = [image_path(options.voc_root, annotation) for annotation in annotations]
    model = headless_resnet50(options.weights)
    size = options.batch_size
    with tempfile.TemporaryDirectory() as folder:
        ways = {"bare": bare(model, paths, size)}
        for name in options.compressions:
            out = Path(folder, f"{name}.h5")
            ways[f"ours, {name}"] = ours(options.weights, paths, size, out, None if name == "none" else name)
        if options.lab:
            ways["lab"] = lab(model, paths, size)
        rates: dict[str, list[float]] = {name: [] for name in ways}
        costs: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(options.rounds):
            # Every other round backwards, against drifts.
            for name, run in list(ways.items())[:: 1 if number % 2 == 0 else -1]:
                start, used = time.perf_counter(), time.process_time()
                run()
                rates[name].append(len(paths) / (time.perf_counter() - start))
                costs[name].append((time.process_time() - used) / len(paths))
                # Linux counts in KiB. The peak is that of the process so far: bare, first, is the floor.
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
                print(
                    f"round {number + 1}  {name:12} {rates[name][-1]:6.1f} images/s  "
                    f"{costs[name][-1] * 1000:6.1f} CPU ms each  peak {peak:.2f} GB",
                    flush=True,
                )
        print(
            f"\n{len(paths)} photographs, batches of {size}, {os.cpu_count()} cores; medians of {options.rounds} rounds"
        )
        for name in ways:
            ratios = [value / base for value, base in zip(rates[name], rates["bare"], strict=True)]
            # What is left of the ratio when other processes take turns on the cores.
            cpu = statistics.median(costs["bare"]) / statistics.median(costs[name])
            print(
                f"{name:12} {statistics.median(rates[name]):6.1f} images/s  of bare: "
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
                f"by CPU time {cpu:.2f}"
            )
        for path in sorted(Path(folder).glob("*.h5")):
            print(f"{path.name:12} {path.stat().st_size / 1e6:6.1f} MB")
    print(
        f"Python {platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}, "
        f"NumPy {np.__version__}, h5py {h5py.__version__}, scikit-image {skimage.__version__}, "
        f"GPUs {len(tf.config.list_physical_devices('GPU'))}"
    )


if __name__ == "__main__":
    main()
