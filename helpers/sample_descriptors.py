"""Descriptors of an image on a 7×7 grid, in the form of ResNet50's representations but without a network.

Each cell is described by histograms of gradient orientations (scikit-image's HOG) and colours around it at
two scales, through a fixed random projection and a ReLU. A cell sees the same features wherever it is, so
the mean over the grid does not tell where things are.

All values are whole numbers until the last step, so the result does not depend on how many threads
multiply the matrices.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

FloatArray = npt.NDArray[np.float32]

FRAME = 224  # pixels: the side of the frame every image is stretched to, as for ResNet50
GRID = 7
CHANNELS = 2048
DESCRIPTORS = "descriptors-v1"
RESIZE = "Pillow bilinear to 224x224, aspect ratio ignored"
PREPROCESSING = (
    "gradient and colour histograms of 64 and 128 pixels around each cell, random projection, ReLU"
)

ORIENTATIONS = 9
BLOCK = 8  # HOG cells along the side of a neighbourhood
CELL = 8  # pixels along the side of a HOG cell
HOG_LEVELS = 400.0  # whole numbers that stand for a HOG value of 1
PROJECTION_SEED = 20240224
SHIFT, SCALE = 0.9, 1.6  # chosen for the mean (0.4) and the share of zeros of ResNet50's representations


def describe_image(image: Image.Image | npt.ArrayLike | str | Path) -> npt.NDArray[np.float16]:
    """Describe one image.

    Args:
        image: a Pillow image, an array (height, width, 3) of uint8, or the path of an image file.

    Returns:
        (7, 7, 2048), float16, not negative. Row r and column c describe the surroundings of the 32×32
        pixels that start at (32 c, 32 r) in the 224-pixel frame.
    """
    frame = _frame(image)
    raw = np.concatenate([_orientations(frame, 1), _orientations(frame, 2), _colours(frame)], axis=-1)
    projected = raw.reshape(GRID * GRID, -1) @ _projection(raw.shape[-1])
    spread = np.float32(_SPREAD)
    features = np.maximum(projected / spread - np.float32(SHIFT), 0) * np.float32(SCALE)
    return features.reshape(GRID, GRID, CHANNELS).astype(np.float16)
