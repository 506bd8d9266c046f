"""The small backbone of the embedded sample: it turns a scene into a (7, 7, 2048) representation.

A ResNet50 cannot be had everywhere, and with random weights it does not tell the sample's classes apart. So the
sample has a convolutional network of its own: five layers trained on 4000 scenes that are not in the sample to
say, for each of the 7×7 positions, which part of which object is there (tools/train_sample_backbone.py). Its 64
channels are spread over 2048 by a fixed random projection and a ReLU, so that a representation has the shape, the
sign and the sparseness of ResNet50's.

The forward pass is NumPy in double precision: it needs no framework, and once
rounded to half precision it hardly depends on the machine.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float64]

NAME = "scenes-v1"
RESIZE = "Pillow bilinear to 224x224, aspect ratio ignored, then 2x2 averages"
PREPROCESSING = "RGB / 64 - 2"
WEIGHTS = Path(__file__).with_name("backbone.npz")

FRAME = 224
CHANNELS = 2048
LAYERS = 5
STRIDES = (2, 2, 2, 2, 1)
PROJECTION_SEED = 0
# Chosen so that, as in ResNet50's representations, about four values in five are zero and the largest are near 10.
SHIFT, SCALE = 0.6, 1.6


@dataclass(frozen=True)
class _Backbone:
    kernels: tuple[Array, ...]
    """Each (height, width, channels in, channels out), batch normalisation folded in."""
    biases: tuple[Array, ...]
    mean: Array
    """Mean (64,) of the last layer over training scenes."""
    projection: Array
    """(64, 2048), columns scaled to unit variance."""


def describe_images(images: Sequence[Image.Image]) -> npt.NDArray[np.float16]:
    """Compute the representations (N, 7, 7, 2048) of pictures of any size; non-negative, float16."""
    backbone = _load_weights()
    hidden = _forward(np.stack([_frame(image) for image in images]), backbone) - backbone.mean
    return (np.maximum(hidden @ backbone.projection - SHIFT, 0.0) * SCALE).astype(np.float16)


def _frame(image: Image.Image) -> Array:
    """Return the pixels (112, 112, 3) of a picture stretched to the 224-pixel frame, at half its resolution."""
    frame = image.convert("RGB").resize((FRAME, FRAME), Image.Resampling.BILINEAR).reduce(2)
    return np.asarray(frame, dtype=np.float64) / 64.0 - 2.0


def _forward(x: Array, backbone: _Backbone) -> Array:
    for kernel, bias, stride in zip(backbone.kernels, backbone.biases, STRIDES, strict=True):
        x = np.maximum(_convolve(x, kernel, stride) + bias, 0.0)
    return x


def _convolve(x: Array, kernel: Array, stride: int) -> Array:
    """Convolve (N, H, W, C) with the border repeated once on each side."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    return np.tensordot(windows, kernel, axes=3)


def weights_sha256() -> str:
    """Hash the weights file (SHA-256)."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


@cache
def _load_weights() -> _Backbone:
    with np.load(WEIGHTS, allow_pickle=False) as file:
        kernels = tuple(file[f"kernel{layer}"].astype(np.float64) for layer in range(LAYERS))
        biases = tuple(file[f"bias{layer}"].astype(np.float64) for layer in range(LAYERS))
        mean, spread = file["mean"].astype(np.float64), file["covariance"].astype(np.float64)
    # Sums of a few channels with random signs: uncorrelated enough, and exact in any arithmetic.
    signs = np.random.default_rng(PROJECTION_SEED).choice(
        [-1.0, 0.0, 1.0], size=(len(mean), CHANNELS), p=[0.25, 0.5, 0.25]
    )
    deviation = np.sqrt(np.einsum("ik,ij,jk->k", signs, spread, signs))
    return _Backbone(kernels, biases, mean, signs / deviation)
