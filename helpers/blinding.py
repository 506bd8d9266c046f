"""Annotations without the labels of some images: for what must not be able to learn them."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from xml.etree import ElementTree

from helpers.data import CLASSES


def blind_annotations(
    annotations: Path, target: Path, tested: Collection[str], used: Collection[str] | None = None
) -> None:
    """Write a folder of annotation files into `target`; those of `tested` keep size and name, and get one object.

    That object is the whole image, of the first class. `tested` and `used` are file names of images; only `used` ones
    are written, all by default.
    """
    for path in sorted(annotations.glob("*.xml")):
        tree = ElementTree.parse(path)
        names = {tree.findtext("filename"), f"{path.stem}.jpg"}
        if not names.isdisjoint(tested):
            _say_nothing(tree.getroot())
            tree.write(target / path.name)
        elif used is None or not names.isdisjoint(used):
            _same(path, target / path.name)


def _same(path: Path, target: Path) -> None:
    """Give a file another name, or copy it to another disk; in the sandbox both are read-only."""
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)


def _say_nothing(image: ElementTree.Element) -> None:
    """Put one object that is the whole image in the place of all."""
    for extra in [*image.findall("object"), *image.findall("segmented"), *image.findall("source")]:
        image.remove(extra)
    thing = ElementTree.SubElement(image, "object")
    ElementTree.SubElement(thing, "name").text = CLASSES[0]
    ElementTree.SubElement(thing, "difficult").text = "0"
    box = ElementTree.SubElement(thing, "bndbox")
    sides = {"xmin": "1", "ymin": "1", "xmax": image.findtext("size/width"), "ymax": image.findtext("size/height")}
    for name, value in sides.items():
        ElementTree.SubElement(box, name).text = value
