"""Photographs as a folder of course data: a link to them, and their representations."""

from pathlib import Path
from typing import Any

from helpers.data import (
    SEVERAL_REPRESENTATIONS,
    data_set_name,
    image_path,
    load_all_annotations,
    load_annotations,
)
from helpers.features import Weights, extract_features

REPRESENTATIONS = "representations.h5"
"""File of the images with one object."""


def prepare_photographs(folder: Path, root: Path, weights: Weights = "imagenet", model: Any = None) -> Path:
    """Link a VOCdevkit into a folder and write the representations of its photographs there; return the folder.

    They are ResNet50's with these weights, or those of a Keras `model`, as `extract_features` takes both.
    """
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "VOCdevkit"
    if link.is_symlink():
        link.unlink()
    link.symlink_to(root.resolve(), target_is_directory=True)
    one, every = load_annotations(root), load_all_annotations(root)
    alone = {annotation["filename"] for annotation in one}
    several = [annotation for annotation in every if annotation["filename"] not in alone]
    for annotations, file in ((one, REPRESENTATIONS), (several, SEVERAL_REPRESENTATIONS)):
        photographs = [image_path(root, annotation) for annotation in annotations]
        if photographs:
            extract_features(photographs, folder / file, data_set=data_set_name(root), weights=weights, model=model)
    return folder
