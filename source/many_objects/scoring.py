"""What student code may see of the course data: everything but the labels of the test images.

The notebook's own tests decide all points; nothing is scored here.
"""

import hashlib
from pathlib import Path

from grading.scoring import Context, GradingError, built_once
from helpers.blinding import blind_annotations
from helpers.data import SEVERAL_REPRESENTATIONS, load_all_annotations, split, year_folder
from helpers.features import write_plain_rows

REPRESENTATIONS = "representations.h5"


def student_view(context: Context, folder: Path) -> dict[str, Path]:
    """The course data without the labels of the test images: a model cannot learn what is not there.

    The representations are there as plain float32 in the order of the images, so that all submissions share one copy.
    """
    root, files = _files(context)
    year = year_folder(root)
    images = load_all_annotations(root)
    tested = {image["filename"] for image in images[split(len(images)).test]}
    chosen = hashlib.sha256("\n".join(sorted(tested)).encode()).hexdigest()[:16]
    blinded = folder.with_name(f"{folder.name}-without-{chosen}")  # other test images: another view
    used = {image["filename"] for image in images}
    built_once(blinded, lambda target: blind_annotations(year / "Annotations", target, tested, used))
    rows = folder.with_name(f"{folder.name}-rows-{chosen}")
    built_once(rows, lambda target: write_plain_rows(files, images, target / REPRESENTATIONS))
    return {
        f"VOCdevkit/{year.name}/Annotations": blinded,
        f"VOCdevkit/{year.name}/JPEGImages": year / "JPEGImages",
        REPRESENTATIONS: rows / REPRESENTATIONS,
    }


def _files(context: Context) -> tuple[Path, list[Path]]:
    """Data root and representations files of the data folder."""
    if context.data is None:
        raise GradingError(
            f"this assignment needs the course data: a folder with VOCdevkit/, {REPRESENTATIONS} and "
            f"{SEVERAL_REPRESENTATIONS}. Name it by --data, by COURSE_DATA or by c.Grading.data (`course sample` prints "
            "one to try with)"
        )
    folder = context.data
    roots = [folder / "VOCdevkit", *sorted(path.parent.parent for path in folder.glob("*/*/Annotations")), folder]
    root = next((root for root in roots if list(root.glob("*/Annotations"))), None)
    files = [folder / name for name in (REPRESENTATIONS, SEVERAL_REPRESENTATIONS) if (folder / name).is_file()]
    if root is None or not files:
        raise GradingError(
            f"{folder} holds no VOC-format folder with annotations, or neither {REPRESENTATIONS} nor "
            f"{SEVERAL_REPRESENTATIONS} beside it"
        )
    return root, files
