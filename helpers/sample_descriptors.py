"""Representations of an image on a 7×7 grid, in the form of ResNet50's but from a far smaller network.

The backbone has five convolutions and was trained on rendered scenes (not those of the sample) to tell which
part of which object a cell shows (tools/train_sample_backbone.py). Random features of what it answers, after
a ReLU, make the 2048 channels. A cell is described alike wherever it is, so the mean over the grid does not
tell where things are.

Weights and activations are whole numbers, and their products and sums exact in float64: the result does not
depend on the processor, nor on how many threads multiply the matrices. Neither TensorFlow nor a GPU is used.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from helpers.sample_weights import LAYOUT, PACKED

FloatArray = npt.NDArray[np.float64]

FRAME = 224  # pixels: the side of the frame every image is stretched to, as for ResNet50
GRID = 7
CHANNELS = 2048
REPRESENTATION = "descriptors-v1"
RESIZE = "Pillow bilinear to 224x224, aspect ratio ignored, then halved"
PREPROCESSING = "none (RGB, 0 to 255)"

WIDTHS = (8, 16, 40, 56, 56)  # channels after each convolution
KERNELS = (4, 4, 4, 4, 3)
STRIDES = (2, 2, 2, 2, 1)

PROJECTION_SEED = 20240224
SHIFT, SCALE, OBJECTNESS = -0.8, 1.0, 3.0


def describe_image(image: Image.Image | npt.ArrayLike | str | Path) -> npt.NDArray[np.float16]:
    """Describe one image.

    Args:
        image: a Pillow image, an array (height, width, 3) of uint8, or the path of an image file.

    Returns:
        (7, 7, 2048), float16, not negative. Row r and column c describe the 32×32 pixels that start at
        (x, y) = (32 c, 32 r) in the 224-pixel frame, and what surrounds them.
    """
    if isinstance(image, str | Path):
        with Image.open(image) as opened:
            return _expand(_backbone(shrink(opened)))
    picture = image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))
    return _expand(_backbone(shrink(picture)))


def shrink(image: Image.Image) -> npt.NDArray[np.uint8]:
    """What the backbone sees: (112, 112, 3), half of the 224-pixel frame."""
    frame = image.convert("RGB").resize((FRAME, FRAME), Image.Resampling.BILINEAR)
    return np.asarray(frame.reduce(2))


def weights_sha256() -> str:
    """SHA-256 of the backbone's weights, in hexadecimal digits."""
    return hashlib.sha256(_unpacked()).hexdigest()


def _backbone(frame: npt.NDArray[np.uint8]) -> FloatArray:
    """The last activations (7, 7, 56), whole numbers from 0 to 255."""
    weights = _weights()
    x = frame.astype(np.float64)
    for i, (kernel, stride) in enumerate(zip(KERNELS, STRIDES, strict=True)):
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(0, 1))
        windows = windows[::stride, ::stride].transpose(0, 1, 3, 4, 2)
        height, width = windows.shape[:2]
        sums = windows.reshape(height * width, -1) @ weights[f"kernel{i}"].reshape(-1, WIDTHS[i])
        x = np.clip(np.rint(sums * weights[f"scale{i}"] + weights[f"offset{i}"]), 0, 255)
        x = x.reshape(height, width, -1)
    return x


def _expand(activations: FloatArray) -> npt.NDArray[np.float16]:
    """2048 random features of each cell: mixtures of the activations, and how much it looks like an object."""
    weights = _weights()
    centred = activations - weights["mean"]
    mixing, leaning, norm = _projection()
    mixed = (centred @ mixing) / norm
    objectness = (centred @ weights["objectness"])[..., None] / 2**14
    return (np.maximum(mixed + OBJECTNESS * objectness * leaning + SHIFT, 0) * SCALE).astype(np.float16)


@cache
def _unpacked() -> bytes:
    return zlib.decompress(base64.b85decode("".join(PACKED.split())))


@cache
def _weights() -> dict[str, FloatArray]:
    arrays: dict[str, FloatArray] = {}
    start = 0
    for name, (kind, shape) in LAYOUT.items():
        array = np.frombuffer(_unpacked(), kind, int(np.prod(shape)), start)
        start += array.nbytes
        arrays[name] = array.reshape(shape).astype(np.float64)
    return arrays


@cache
def _projection() -> tuple[FloatArray, FloatArray, float]:
    """Mixing weights (56, 2048) of -1, 0 and 1, signs (2048,), and what brings the mixtures to about 1."""
    rng = np.random.Generator(np.random.PCG64(PROJECTION_SEED))
    mixing = rng.choice([-1.0, 0.0, 1.0], p=[0.25, 0.5, 0.25], size=(WIDTHS[-1], CHANNELS))
    return mixing, rng.choice([-1.0, 1.0], size=CHANNELS), 250.0
