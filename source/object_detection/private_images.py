"""Make private evaluation data for this assignment: images whose labels student code never sees, as a pair of files.

    .venv/bin/python source/object_detection/private_images.py FOLDER --weights imagenet

`annotations.json` holds a list of annotations as `helpers.load_annotations` gives them, `representations.h5` their
representations, made like the course's own. Name the folder by `--withheld`, or in `c.Grading.withheld`.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.data import Annotation, data_set_name, image_path, load_annotations
from helpers.download import download, extract_tar
from helpers.features import extract_features

ANNOTATIONS = "annotations.json"
REPRESENTATIONS = "representations.h5"
CACHE = Path(__file__).parents[2] / ".cache"

# The test set of the challenge, published after it; its file names are not among those of trainval.
VOC_TEST_ARCHIVE = "VOCtest_06-Nov-2007.tar"
VOC_TEST_URLS = (
    f"https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/{VOC_TEST_ARCHIVE}",
    f"http://host.robots.ox.ac.uk/pascal/VOC/voc2007/{VOC_TEST_ARCHIVE}",
    f"https://pjreddie.com/media/files/{VOC_TEST_ARCHIVE}",
)
# torchvision's datasets/voc.py publishes this MD5; no SHA-256 is published.
VOC_TEST_MD5 = "b6e924de25625d8de591ea690078ad9f"


def fetch_voc2007_test(folder: Path) -> Path:
    """Download and unpack VOC2007's test archive (451 MB); return its data root.

    Raises helpers.download.DownloadError when no address gave it, ValueError when it is something else.
    """
    root = folder / "VOCtest" / "VOCdevkit"
    if not (root / "VOC2007" / "Annotations").is_dir():
        archive = download(VOC_TEST_URLS, folder / VOC_TEST_ARCHIVE, check=_is_the_archive)
        extract_tar(archive, root.parent)
    return root


def _is_the_archive(path: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if digest != VOC_TEST_MD5:
        raise ValueError(f"its MD5 is {digest} instead of {VOC_TEST_MD5}")


def build_private(root: Path, folder: Path, weights: str, public: Path | None = None) -> Sequence[Annotation]:
    """Make the pair of files from a VOC-format data root; return the annotations.

    Taken are images with exactly one object of the five classes that is not marked difficult.

    Args:
        root: VOC-format data root with photographs.
        folder: Where the two files go.
        weights: As for `helpers.extract_features`; they must be those of the course's own representations.
        public: Data root of the course's own images: none of them is taken.

    Raises ValueError when no image is left.
    """
    annotations = load_annotations(root, difficult="ignore")
    if public is not None:
        seen = {annotation["filename"] for annotation in load_annotations(public, require_photos=False)}
        annotations = [annotation for annotation in annotations if annotation["filename"] not in seen]
    if not annotations:
        raise ValueError(f"{root} holds no image with exactly one object that the course does not use already")
    folder.mkdir(parents=True, exist_ok=True)
    extract_features(
        [image_path(root, annotation) for annotation in annotations],
        folder / REPRESENTATIONS,
        data_set=data_set_name(root),
        weights=weights,
    )
    (folder / ANNOTATIONS).write_text(json.dumps(annotations, indent=1), encoding="utf-8")
    return annotations


def main() -> None:
    """Make the files that were asked for."""
    parser = argparse.ArgumentParser(description="Make private evaluation data: images with labels that stay here.")
    parser.add_argument("folder", type=Path, help=f"where {ANNOTATIONS} and {REPRESENTATIONS} go")
    parser.add_argument("--weights", required=True, help="ResNet50 weights: a path, or imagenet; the course's own")
    parser.add_argument("--voc-root", type=Path, help="a VOC-format data root; VOC2007's test set by default")
    parser.add_argument("--public", type=Path, help="the course's own data root, whose images are left out")
    asked = parser.parse_args()
    try:
        root = asked.voc_root or fetch_voc2007_test(CACHE)
        annotations = build_private(root, asked.folder, asked.weights, asked.public)
    except (OSError, ValueError, RuntimeError) as error:  # what `helpers` says in words
        sys.exit(f"error: {error}")
    print(f"{len(annotations)} images. Name {asked.folder} in c.Grading.withheld, or by --withheld.")


if __name__ == "__main__":
    main()
