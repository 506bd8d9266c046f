"""Train the small backbone of the embedded sample: writes helpers/sample/backbone.npz.

The committed file comes from a prototype of this script, with the same network, labels and schedule: 4000 scenes of a
seed that the sample does not use, 14 epochs, a few minutes on two cores. This script itself was not run to the end.
Run it again only with a new `helpers.sample.VERSION`: another training gives other representations.

    python tools/train_sample_backbone.py --out helpers/sample/backbone.npz

For each of the 7×7 positions the network learns which of 45 parts is there (5 classes, each object's box divided
into 3×3 parts), or none.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

from helpers.data import CLASSES
from helpers.sample.backbone import FRAME
from helpers.sample.drawing import render_scene

SEED = 2024
FILTERS = (12, 24, 48, 64, 64)
PARTS = 3
NOTHING = len(CLASSES) * PARTS**2
MARGIN = 10.0  # pixels around a box that still count as its object


class RepeatBorder(layers.Layer):
    """The border repeated once on each side, as helpers.sample.backbone does it."""

    def call(self, x: object) -> object:
        return keras.ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")


def networks() -> tuple[keras.Model, keras.Model]:
    """Build the network that is trained, and return it and the part of it that is kept."""
    pixels = keras.Input((FRAME // 2, FRAME // 2, 3))
    x = layers.Rescaling(1 / 64.0, -2.0)(pixels)
    for index, filters in enumerate(FILTERS):
        last = index == len(FILTERS) - 1
        x = RepeatBorder()(x)
        x = layers.Conv2D(filters, 3 if last else 4, strides=1 if last else 2, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    parts = layers.Dense(NOTHING + 1, activation="softmax")(layers.Dropout(0.2)(x))
    return keras.Model(pixels, parts), keras.Model(pixels, x)


def scene(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Render a training scene: its pixels (112, 112, 3) and part labels (7, 7)."""
    name = CLASSES[index % len(CLASSES)]
    drawn = render_scene(name, np.random.default_rng([SEED, index]))
    frame = drawn.image.resize((FRAME, FRAME), Image.Resampling.BILINEAR).reduce(2)
    width, height = drawn.image.size
    xmin, ymin, xmax, ymax = drawn.bbox
    box = np.array([(xmin - 1) / width, (ymin - 1) / height, xmax / width, ymax / height]) * FRAME
    return np.asarray(frame), part_labels(CLASSES.index(name), box)


def part_labels(label: int, box: np.ndarray) -> np.ndarray:
    """Return the part of the object of a corner box (224-pixel frame) in which each of the 7×7 positions lies."""
    centres = (np.arange(7) + 0.5) * 32
    size = box[2:] - box[:2]
    across = (centres - box[0]) / size[0]
    down = (centres - box[1]) / size[1]
    inside = np.outer(
        (down > -MARGIN / size[1]) & (down < 1 + MARGIN / size[1]),
        (across > -MARGIN / size[0]) & (across < 1 + MARGIN / size[0]),
    )
    row, column = (np.clip((part * PARTS).astype(int), 0, PARTS - 1) for part in (down, across))
    part = label * PARTS**2 + row[:, np.newaxis] * PARTS + column
    return np.where(inside, part, NOTHING)


def folded(features: keras.Model, scenes: np.ndarray) -> dict[str, np.ndarray]:
    """Return kernels and biases with batch normalisation folded in, and the last layer's mean and covariance."""
    arrays = {}
    convolutions = [layer for layer in features.layers if isinstance(layer, layers.Conv2D)]
    norms = [layer for layer in features.layers if isinstance(layer, layers.BatchNormalization)]
    for index, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        gamma, beta, mean, variance = norm.get_weights()
        factor = gamma / np.sqrt(variance + norm.epsilon)
        arrays[f"kernel{index}"] = (convolution.get_weights()[0] * factor).astype(np.float16)
        arrays[f"bias{index}"] = (beta - mean * factor).astype(np.float32)
    hidden = features.predict(scenes, verbose=0).reshape(-1, FILTERS[-1])
    arrays["mean"] = hidden.mean(axis=0).astype(np.float32)
    arrays["covariance"] = np.cov(hidden.T).astype(np.float32)
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=14)
    arguments = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        rendered = list(pool.map(scene, range(arguments.scenes), chunksize=50))
    pixels, labels = (np.stack(arrays) for arrays in zip(*rendered, strict=True))
    keras.utils.set_random_seed(0)
    model, features = networks()
    batch = 50
    rate = keras.optimizers.schedules.CosineDecay(3e-3, arguments.epochs * (arguments.scenes // batch))
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(pixels, labels, batch_size=batch, epochs=arguments.epochs, verbose=2)
    np.savez_compressed(arguments.out, **folded(features, pixels[:400]))


if __name__ == "__main__":
    main()
