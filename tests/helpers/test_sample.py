"""The embedded sample is what it says, the same everywhere, and enough to learn from."""

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from helpers.data import (
    CLASSES,
    SEVERAL_REPRESENTATIONS,
    data_set_name,
    extract_xml_annotation,
    fetch_voc2007,
    load_all_annotations,
    load_annotations,
    split,
)
from helpers.features import load_representations, representation_key
from helpers.sample import backbone as sample_backbone
from helpers.sample import make_sample
from helpers.sample.drawing import render_crowd, render_scene

ROOT = Path(__file__).parents[2]
FIRST_VERSION = ("cat", [283, 224, 424, 342], 138.48)  # scene 7 of a sample: class, box, mean of its pixels


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample") / "small", n=30, workers=2, progress=False)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_number_of_processes_changes_no_byte(small: Path, tmp_path: Path) -> None:
    assert digests(make_sample(tmp_path / "again", n=30, workers=1, progress=False)) == digests(small)


def test_another_seeds_scenes_differ(small: Path, tmp_path: Path) -> None:
    other = digests(make_sample(tmp_path / "other", n=30, seed=1, progress=False))
    same = [name for name, digest in digests(small).items() if other[name] == digest and name.endswith(".jpg")]
    assert same == []


def test_sample_is_read_like_any_data_set(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(small))
    root = fetch_voc2007()
    assert data_set_name(root) == "sample"
    annotations = load_annotations(root)
    assert len(annotations) == 30
    assert {annotation["class"] for annotation in annotations} == set(CLASSES)
    assert representation_key(small / "representations.h5") == f"sample/{sample_backbone.NAME}"
    assert load_representations(small / "representations.h5", annotations).shape == (30, 7, 7, 2048)


def test_crowded_scenes_hold_two_to_four_objects_and_lie_among_the_others(small: Path) -> None:
    images = load_all_annotations(small / "scenes")
    crowded = [image["filename"] for image in images if len(image["objects"]) > 1]
    assert {len(image["objects"]) for image in images} == {1, 2, 3, 4}
    assert len(crowded) == 12
    assert 0 < sum(image["filename"] in crowded for image in images[split(len(images)).test]) < 4
    with h5py.File(small / SEVERAL_REPRESENTATIONS) as file:
        assert file["filenames"].asstr()[:].tolist() == crowded
    assert representation_key(small / SEVERAL_REPRESENTATIONS) == representation_key(small / "representations.h5")


def test_scenes_with_one_object_are_those_of_the_first_version(small: Path) -> None:
    """Scores and thresholds were measured on these pixels."""
    with Image.open(small / "scenes/sample/JPEGImages/000007.jpg") as image:
        pixels = np.asarray(image.convert("RGB"), dtype=np.int64)
    annotation = next(item for item in load_annotations(small / "scenes") if item["filename"] == "000007.jpg")
    assert (annotation["class"], annotation["bbox"]) == FIRST_VERSION[:2]
    assert abs(pixels.mean() - FIRST_VERSION[2]) < 0.5


def test_objects_of_a_crowded_scene_hardly_hide_each_other() -> None:
    for seed in range(5):
        crowd = render_crowd(CLASSES[:4], np.random.default_rng(seed))
        assert 2 <= len(crowd.names) == len(crowd.bboxes) <= 4
        for place, one in enumerate(crowd.bboxes):
            for other in crowd.bboxes[:place]:
                wide, tall = (
                    min(one[2], other[2]) - max(one[0], other[0]),
                    min(one[3], other[3]) - max(one[1], other[1]),
                )
                smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
                assert max(wide, 0) * max(tall, 0) <= 0.15 * smaller


def test_sample_never_claims_to_be_voc(small: Path) -> None:
    for path in small.rglob("*.xml"):
        assert b"VOC" not in path.read_bytes().upper()
    with h5py.File(small / "representations.h5") as file:
        assert not any("voc" in str(value).lower() for value in file.attrs.values())


def test_every_class_is_there_equally_often(small: Path) -> None:
    names = [annotation["class"] for annotation in load_annotations(small / "scenes")]
    assert {name: names.count(name) for name in CLASSES} == dict.fromkeys(CLASSES, 6)


@pytest.mark.parametrize("name", CLASSES)
def test_box_touches_the_object_on_all_sides(name: str) -> None:
    for seed in range(5):
        scene = render_scene(name, np.random.default_rng(seed))
        xmin, ymin, xmax, ymax = scene.bbox
        inside = scene.mask[ymin - 1 : ymax, xmin - 1 : xmax]
        assert inside.sum() == scene.mask.sum() > 0
        assert inside[0].any()
        assert inside[-1].any()
        assert inside[:, 0].any()
        assert inside[:, -1].any()


def test_annotations_fit_their_pictures(small: Path) -> None:
    for path in sorted((small / "scenes/sample/Annotations").glob("*.xml")):
        parsed = extract_xml_annotation(path)
        with Image.open(small / "scenes/sample/JPEGImages" / parsed["filename"]) as image:
            assert image.size == parsed["size"]
        ((xmin, ymin, xmax, ymax),) = parsed["objects"][0].values()
        assert 1 <= xmin < xmax <= parsed["size"][0]
        assert 1 <= ymin < ymax <= parsed["size"][1]


def test_objects_move_about(small: Path) -> None:
    boxes = np.array([np.divide(a["bbox"], [*a["size"], *a["size"]]) for a in load_annotations(small / "scenes")])
    assert boxes.std(axis=0).min() > 0.1


def test_representations_are_like_those_after_a_relu(small: Path) -> None:
    with h5py.File(small / "representations.h5") as file:
        values = file["reprs"][:].astype(np.float32)
    assert np.isfinite(values).all()
    assert values.min() == 0
    assert 0.5 < (values == 0).mean() < 0.95


def test_representation_comes_from_the_picture_on_disk(small: Path) -> None:
    with Image.open(small / "scenes/sample/JPEGImages/000007.jpg") as image:
        expected = sample_backbone.describe_images([image])[0]
    with h5py.File(small / "representations.h5") as file:
        assert file["filenames"].asstr()[6] == "000007.jpg"
        np.testing.assert_array_equal(file["reprs"][6], expected)


def test_representation_moves_with_the_object() -> None:
    plain = np.full((224, 224, 3), 128, np.uint8)
    plain[96:128, 64:96] = (250, 30, 30)
    moved = np.roll(plain, 32, axis=1)
    one, other = sample_backbone.describe_images([Image.fromarray(plain), Image.fromarray(moved)])
    np.testing.assert_allclose(one[3, 2], other[3, 3], atol=0.01)
    assert np.abs(one[3, 2] - other[3, 2]).max() > 0.5


def test_second_call_builds_nothing(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.sample._build", lambda *_: pytest.fail("built again"))
    assert make_sample(small, n=30) == small


def test_interrupted_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("helpers.sample.backbone.describe_images", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_sample(tmp_path / "sample", n=30, workers=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="something other"):
        make_sample(tmp_path, n=30)
    assert (tmp_path / "thesis.txt").read_text() == "precious"
