"""From photographs to representations: the backbone, and the files that hold what it computes.

A representations file (HDF5) has the data set ``reprs`` (N, 7, 7, 2048), ``filenames`` (N,), and root
attributes that say what made it; see docs/architecture.md. The published file has ``reprs`` only.
"""

import hashlib
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from helpers.data import Annotation, load_annotations
from helpers.targets import IMAGE_SIZE

logger = logging.getLogger(__name__)

PUBLISHED_KEY = "voc2007/resnet50-published"
# SHA-256 of the 1264 file names of Pascal VOC 2007 trainval with exactly one object of the five classes,
# sorted and joined by newlines; computed from the annotation files of the official archive.
PUBLISHED_NAMES_SHA256 = "@@"

RESIZE = f"tf.image.resize bilinear antialias=True {IMAGE_SIZE}x{IMAGE_SIZE}"
PREPROCESSING = "keras.applications.resnet50.preprocess_input (BGR, mean subtracted)"

# Rows read at a time: a few dozen megabytes.
_BLOCK = 64
# Batches decoded ahead (19 MB each at 32 photographs): keeps the cores busy while TensorFlow traces.
_DECODE_AHEAD = 4
# Batches waiting to be written.
_WRITE_BEHIND = 2

Weights = str | Path | None
Compression = Literal["gzip", "lzf"] | None


# --- the backbone ----------------------------------------------------------------------------------


def headless_resnet50(weights: Weights = "imagenet") -> Any:
    """ResNet50 without its top: RGB batches (N, H, W, 3), preprocessed, to (N, H/32, W/32, 2048).

    The output comes after the last ReLU, as in the published representations (``layers[-2]`` of today's
    Keras would be the sum before it). ``weights`` is "imagenet" (downloaded by Keras), the path of a
    weights file, or None for random ones.

    Raises FileNotFoundError when the weights file does not exist.
    """
    import keras

    if weights is not None and weights != "imagenet" and not Path(weights).is_file():
        raise FileNotFoundError(f"there is no weights file {weights}")
    source = str(weights) if isinstance(weights, Path) else weights
    return keras.applications.ResNet50(include_top=False, weights=source)


def resize_bilinear(image: Any, size: tuple[int, int]) -> Any:
    """An image (H, W, C) or batch (N, H, W, C) resized to ``size`` = (height, width), as a float32 tensor.

    Bilinear with antialiasing, which is what Pillow's ``Image.resize(..., BILINEAR)`` does, to within a
    grey level (Pillow rounds). Resizing without antialiasing gives other representations.
    """
    import tensorflow as tf

    return tf.image.resize(image, size, method="bilinear", antialias=True)


def predict_batch(
    model: Any, images: Sequence[npt.ArrayLike], img_size: tuple[int, int] | None = None
) -> npt.NDArray[np.float32]:
    """Representations of some images, computed as one batch: (N, 7, 7, 2048) for 224-pixel squares.

    ``images`` are arrays with values 0 to 255: RGB (H, W, 3), grey (H, W) or (H, W, 1), or RGBA
    (H, W, 4), whose alpha is dropped. They are resized to ``img_size`` = (height, width) if that is
    given, and preprocessed for ResNet50.

    Raises ValueError, listing the shapes, when they differ and ``img_size`` is None, and for arrays that
    are not images.
    """
    import keras

    arrays = [_rgb(image) for image in images]
    if not arrays:
        raise ValueError("there is no image to predict on")
    if img_size is not None:
        arrays = [np.asarray(resize_bilinear(array, img_size)) for array in arrays]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ValueError(
            f"without img_size, all images must have the same shape, not {', '.join(map(str, shapes))}"
        )
    batch = keras.applications.resnet50.preprocess_input(np.stack(arrays))
    return np.asarray(model(batch, training=False))


def _rgb(image: npt.ArrayLike) -> npt.NDArray[np.float32]:
    array = np.asarray(image, dtype=np.float32)
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4):
        raise ValueError(f"an image must have shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {array.shape}")
    return np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else array[..., :3]


# --- photographs to a file -------------------------------------------------------------------------


def extract_features(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    data_set: str,
    weights: Weights = "imagenet",
    model: Any = None,
    batch_size: int = 32,
    dtype: Literal["float16", "float32"] = "float16",
    progress: bool = True,
    compression: Compression = None,
) -> Path:
    """Write the representations of any number of photographs to the HDF5 file ``out``; return its path.

    Memory stays bounded. Photographs are decoded ahead, and written behind, the forward pass, which uses
    a GPU if TensorFlow sees one, always in float32. ``data_set`` names the photographs ("voc2007") in the
    file's key; ``weights`` are as in ``headless_resnet50``. A ``model`` given instead is called by its
    name and the hash of its weights; it gets 224-pixel squares preprocessed for ResNet50.

    Work in progress is in ``<out>.partial``. A run that was interrupted goes on from there, if
    photographs (by name), weights and types are the same, and starts anew otherwise. A complete ``out``
    that would come out the same is left as it is.

    ``dtype`` float16 halves the file; its error is below 0.05 % of each value. Of the values 84 % are
    zero, so that "gzip" makes the file 3 to 4 times smaller again, for slower writing and loading.

    Raises
    - FileNotFoundError for missing photographs or weights;
    - FileExistsError when ``out`` is there and was not written by this function;
    - ValueError for a photograph that cannot be decoded (what was done before it is kept), two of the
      same name, none at all, or another ``dtype``.
    """
    out, files = Path(out), [Path(path) for path in paths]
    _check_request(files, dtype)
    if model is None and (weights is None or weights == "imagenet"):
        # Their hash is that of the values, so the model has to be there to be asked.
        description, model = _describe_built(weights, data_set, dtype)
    elif model is None:
        description = _describe(data_set, dtype, "resnet50", str(Path(str(weights)).name), _file_sha256(weights))
    else:
        description = _describe(data_set, dtype, model.name, "given", _weights_sha256(model))
    return out
