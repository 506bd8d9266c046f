"""The view of the data follows the data. Record, key and view must never speak of different test images."""

from pathlib import Path
from xml.etree import ElementTree

from grading.pipeline.assignment import load_assignment
from grading.scoring.questions import Context
from helpers.data import load_annotations, split
from helpers.sample import make_sample

ROOT = Path(__file__).parents[2]


def seen_labels(data: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Names of the test images of today, and of those whose label the view hides."""
    assignment = load_assignment(ROOT, "object_detection")
    view = assignment.student_view(Context(assignment.source, data), folder)
    annotations = load_annotations(next(data.glob("*/*/Annotations")).parents[1])
    tested = [annotation["filename"] for annotation in annotations[split(len(annotations)).test]]
    (visible,) = (path for name, path in view.items() if name.endswith("Annotations"))
    return tested, [name for name in tested if is_whole_image(visible / f"{Path(name).stem}.xml")]


def is_whole_image(annotation: Path) -> bool:
    """Whether the only box is all of the image: what stands where a label was."""
    tree = ElementTree.parse(annotation)
    sides = [tree.findtext(f"object/bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
    return sides == ["1", "1", tree.findtext("size/width"), tree.findtext("size/height")]


def test_labels_of_images_that_have_become_test_images_are_hidden(tmp_path: Path) -> None:
    data = make_sample(tmp_path / "data", n=30, progress=False)
    tested, hidden = seen_labels(data, tmp_path / "view")
    assert hidden == tested
    for name in tested:
        next(data.glob(f"*/*/Annotations/{Path(name).stem}.xml")).unlink()
    now_tested, now_hidden = seen_labels(data, tmp_path / "view")
    assert not {*now_tested} & {*tested}
    assert now_hidden == now_tested
