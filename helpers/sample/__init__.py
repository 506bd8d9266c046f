"""The embedded sample: a small data set of rendered scenes, for a first look, for tests and for CI.

It has Pascal VOC's folder layout and XML, and a representations file, but it is not Pascal VOC, and what is
measured on it says nothing about photographs. It is made on this machine when it is first asked for, the same
everywhere, and kept. Pooch, h5py and tqdm are slow to load: they are imported when it is made.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
from PIL import Image

from helpers.data import CLASSES
from helpers.sample import backbone
from helpers.sample.drawing import render_scene

logger = logging.getLogger(__name__)

VERSION = 1
"""Part of the cache folder's name: raise it when anything about the scenes or their representations changes."""

SIZE = 500
DATA_SET = "sample"
SOURCE = "sample scenes rendered by helpers.sample"
STAMP = ".complete"
JPEG_QUALITY = 90
_BLOCK = 25


def make_sample(
    folder: Path | str | None = None, n: int = SIZE, seed: int = 0, workers: int | None = None, progress: bool = True
) -> Path:
    """Make the sample data set, unless it is there already, and return its folder.

    Args:
        folder: where it is or will be; a folder in the user's cache by default.
        n: number of scenes; classes take turns, so each has a fifth of them.
        seed: scenes of different seeds are different.
        workers: processes that render; all cores by default. The result does not depend on it.
        progress: show a progress bar.

    Returns:
        The folder: `scenes/sample/Annotations`, `.../JPEGImages`, `.../ImageSets/Main` and
        `representations.h5` (500, 7, 7, 2048). Set the environment variable COURSE_DATA to it.

    Raises:
        FileExistsError: the folder is there and holds something else; it is left alone.
    """
    import pooch

    default = Path(pooch.os_cache("detection-course")) / f"sample-v{VERSION}"
    target = default if folder is None else Path(folder)
    stamp = f"version {VERSION}, {n} scenes, seed {seed}\n"
    if _is_made(target, stamp):
        return target
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target} holds something other than this sample: delete it, or choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=target.parent) as building:
        built = Path(building) / "sample"
        _build(built, n, seed, workers or os.cpu_count() or 1, progress)
        (built / STAMP).write_text(stamp)
        _put_in_place(built, target, stamp)
    logger.info("made %s", target)
    return target


def _is_made(target: Path, stamp: str) -> bool:
    path = target / STAMP
    return path.is_file() and path.read_text() == stamp


def _put_in_place(built: Path, target: Path, stamp: str) -> None:
    """Put the finished sample in its place; another process may have been faster with the same one."""
    try:
        if target.exists():
            target.rmdir()  # empty, or somebody was faster
        built.rename(target)
    except OSError:
        if not _is_made(target, stamp):
            raise
        shutil.rmtree(built)


def _build(folder: Path, n: int, seed: int, workers: int, progress: bool) -> None:
    import h5py
    from tqdm import tqdm

    year = folder / "scenes" / DATA_SET
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (year / name).mkdir(parents=True)
    names = [f"{index + 1:06d}" for index in range(n)]
    (year / "ImageSets/Main/trainval.txt").write_text("".join(f"{name}\n" for name in names))
    with h5py.File(folder / "representations.h5", "w") as file:
        reprs = file.create_dataset("reprs", (n, 7, 7, backbone.CHANNELS), "float16")
        file.create_dataset("filenames", data=[f"{name}.jpg" for name in names], dtype=h5py.string_dtype("utf-8"))
        file.attrs.update(_description())
        with tqdm(total=n, unit="scene", desc="rendering the sample", disable=not progress) as bar:
            for block, values in _blocks(year, n, seed, workers):
                reprs[block.start : block.start + len(values)] = values
                bar.update(len(values))


def _description() -> dict[str, str]:
    return {
        "data_set": DATA_SET,
        "representation": backbone.NAME,
        "backbone": "five convolutional layers trained on other scenes (helpers.sample.backbone)",
        "weights": backbone.WEIGHTS.name,
        "weights_sha256": backbone.weights_sha256(),
        "resize": backbone.RESIZE,
        "preprocessing": backbone.PREPROCESSING,
        "dtype": "float16",
    }


@dataclass(frozen=True)
class _Block:
    """Some scenes in a row: what one process renders at a time."""

    year: Path
    start: int
    stop: int
    seed: int


def _blocks(year: Path, n: int, seed: int, workers: int) -> Iterator[tuple[_Block, npt.NDArray[np.float16]]]:
    blocks = [_Block(year, start, min(start + _BLOCK, n), seed) for start in range(0, n, _BLOCK)]
    if workers == 1:
        yield from ((block, _render_block(block)) for block in blocks)
        return
    # Not forked: the caller may have loaded TensorFlow, whose threads do not survive that.
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        yield from zip(blocks, pool.map(_render_block, blocks), strict=True)


def _render_block(block: _Block) -> npt.NDArray[np.float16]:
    """Write photographs and annotations of some scenes; return their representations."""
    pictures = [_render_one(block.year, index, block.seed) for index in range(block.start, block.stop)]
    return backbone.describe_images(pictures)


def _render_one(year: Path, index: int, seed: int) -> Image.Image:
    """Render scene `index`, as it is when it is read from its file again."""
    scene = render_scene(CLASSES[index % len(CLASSES)], np.random.default_rng([seed, index]))
    path = year / "JPEGImages" / f"{index + 1:06d}.jpg"
    scene.image.save(path, quality=JPEG_QUALITY)
    xml = _annotation(path.name, scene.image.size, scene.name, scene.bbox)
    (year / "Annotations" / f"{path.stem}.xml").write_bytes(xml)
    with Image.open(path) as image:
        return image.convert("RGB")


def _annotation(filename: str, size: tuple[int, int], name: str, bbox: tuple[int, int, int, int]) -> bytes:
    """Write the VOC annotation of one object; `bbox` is a VOC box."""
    root = ElementTree.Element("annotation")
    for tag, text in (("folder", DATA_SET), ("filename", filename)):
        ElementTree.SubElement(root, tag).text = text
    ElementTree.SubElement(ElementTree.SubElement(root, "source"), "database").text = SOURCE
    size_element = ElementTree.SubElement(root, "size")
    for tag, value in zip(("width", "height", "depth"), (*size, 3), strict=True):
        ElementTree.SubElement(size_element, tag).text = str(value)
    ElementTree.SubElement(root, "segmented").text = "0"
    item = ElementTree.SubElement(root, "object")
    for tag, text in (("name", name), ("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
        ElementTree.SubElement(item, tag).text = text
    box = ElementTree.SubElement(item, "bndbox")
    for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), bbox, strict=True):
        ElementTree.SubElement(box, tag).text = str(value)
    ElementTree.indent(root, "\t")
    return ElementTree.tostring(root, encoding="utf-8") + b"\n"
