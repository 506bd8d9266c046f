"""The embedded sample: a small data set of rendered scenes, for a first look, for tests and for CI.

It has Pascal VOC's folder layout and XML, and a representations file, but it is not Pascal VOC, and what is
measured on it says nothing about photographs. It is made on this machine when it is first asked for, the same
everywhere, and kept. Pooch, h5py and tqdm are slow to load: they are imported when it is made.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
from PIL import Image

from helpers.data import CLASSES, SEVERAL_REPRESENTATIONS
from helpers.sample import backbone
from helpers.sample.drawing import render_crowd, render_scene

logger = logging.getLogger(__name__)

VERSION = 2
"""Part of the cache folder's name: raise it when anything about the scenes or their representations changes."""

SIZE = 500
SHARE_CROWDED = 0.4
"""Scenes with two to four objects, for each scene with one."""
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
        n: number of scenes with one object; classes take turns, so each has a fifth of them. There are 0.4 n more
            scenes with two to four objects, whose file names lie among the others'.
        seed: scenes of different seeds are different.
        workers: processes that render; all cores by default. The result does not depend on it.
        progress: show a progress bar.

    Returns:
        The folder: `scenes/sample/Annotations`, `.../JPEGImages`, `.../ImageSets/Main`, `representations.h5`
        (500, 7, 7, 2048) of the scenes with one object and `representations-several.h5` (200, 7, 7, 2048) of the
        others. Set the environment variable COURSE_DATA to it.

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
    from tqdm import tqdm

    year = folder / "scenes" / DATA_SET
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (year / name).mkdir(parents=True)
    crowds = round(SHARE_CROWDED * n)
    single = [_Planned(f"{index + 1:06d}", index, crowded=False) for index in range(n)]
    # "000005b" is sorted between "000005" and "000006": whoever takes the last tenth of the names has both kinds.
    crowded = [_Planned(f"{(index + 1) * n // crowds:06d}b", index, crowded=True) for index in range(crowds)]
    names = sorted(scene.name for scene in single + crowded)
    (year / "ImageSets/Main/trainval.txt").write_text("".join(f"{name}\n" for name in names))
    with tqdm(total=len(names), unit="scene", desc="rendering the sample", disable=not progress) as bar:
        for scenes, file in ((single, "representations.h5"), (crowded, SEVERAL_REPRESENTATIONS)):
            _write(folder / file, year, scenes, seed, workers, bar.update)


def _write(
    path: Path, year: Path, scenes: Sequence["_Planned"], seed: int, workers: int, done: Callable[[int], object]
) -> None:
    """Render scenes and write their representations, in their order, to a file."""
    import h5py

    with h5py.File(path, "w") as file:
        reprs = file.create_dataset("reprs", (len(scenes), 7, 7, backbone.CHANNELS), "float16")
        names = [f"{scene.name}.jpg" for scene in scenes]
        file.create_dataset("filenames", data=names, dtype=h5py.string_dtype("utf-8"))
        file.attrs.update(_description())
        start = 0
        for values in _blocks(year, scenes, seed, workers):
            reprs[start : start + len(values)] = values
            start += len(values)
            done(len(values))


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
class _Planned:
    """A scene to render: the stem of its files, its place among scenes of its kind, and which kind that is."""

    name: str
    index: int
    crowded: bool


@dataclass(frozen=True)
class _Block:
    """Some scenes in a row: what one process renders at a time."""

    year: Path
    scenes: Sequence[_Planned]
    seed: int


def _blocks(year: Path, scenes: Sequence[_Planned], seed: int, workers: int) -> Iterator[npt.NDArray[np.float16]]:
    blocks = [_Block(year, scenes[start : start + _BLOCK], seed) for start in range(0, len(scenes), _BLOCK)]
    if workers == 1:
        yield from map(_render_block, blocks)
        return
    # Not forked: the caller may have loaded TensorFlow, whose threads do not survive that.
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_render_block, blocks)


def _render_block(block: _Block) -> npt.NDArray[np.float16]:
    """Write photographs and annotations of some scenes; return their representations."""
    return backbone.describe_images([_render_one(block.year, scene, block.seed) for scene in block.scenes])


def _render_one(year: Path, scene: _Planned, seed: int) -> Image.Image:
    """Render a scene, as it is when it is read from its file again."""
    path = year / "JPEGImages" / f"{scene.name}.jpg"
    if scene.crowded:
        random = np.random.default_rng([seed, scene.index, 1])
        count = 2 + scene.index % 3
        crowd = render_crowd([str(name) for name in random.choice(CLASSES, count)], random)
        image, objects = crowd.image, list(zip(crowd.names, crowd.bboxes, strict=True))
    else:
        one = render_scene(CLASSES[scene.index % len(CLASSES)], np.random.default_rng([seed, scene.index]))
        image, objects = one.image, [(one.name, one.bbox)]
    image.save(path, quality=JPEG_QUALITY)
    xml = _annotation(path.name, image.size, objects)
    (year / "Annotations" / f"{path.stem}.xml").write_bytes(xml)
    with Image.open(path) as written:
        return written.convert("RGB")


def _annotation(
    filename: str, size: tuple[int, int], objects: Sequence[tuple[str, tuple[int, int, int, int]]]
) -> bytes:
    """Write the VOC annotation of an image; `objects` are classes and VOC boxes."""
    root = ElementTree.Element("annotation")
    for tag, text in (("folder", DATA_SET), ("filename", filename)):
        ElementTree.SubElement(root, tag).text = text
    ElementTree.SubElement(ElementTree.SubElement(root, "source"), "database").text = SOURCE
    size_element = ElementTree.SubElement(root, "size")
    for tag, value in zip(("width", "height", "depth"), (*size, 3), strict=True):
        ElementTree.SubElement(size_element, tag).text = str(value)
    ElementTree.SubElement(root, "segmented").text = "0"
    for name, bbox in objects:
        item = ElementTree.SubElement(root, "object")
        for tag, text in (("name", name), ("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            ElementTree.SubElement(item, tag).text = text
        box = ElementTree.SubElement(item, "bndbox")
        for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), bbox, strict=True):
            ElementTree.SubElement(box, tag).text = str(value)
    ElementTree.indent(root, "\t")
    return ElementTree.tostring(root, encoding="utf-8") + b"\n"
