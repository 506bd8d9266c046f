"""Features: the backbone, files of representations, and which row belongs to which photograph."""

import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import data
from skimage.transform import resize

from helpers import features
from helpers.data import image_path, load_annotations
from helpers.features import (
    extract_features,
    find_representations,
    headless_resnet50,
    is_plain,
    load_representations,
    predict_batch,
    representation_key,
    resize_bilinear,
    write_plain,
    write_plain_rows,
)

SHARED = Path(__file__).parents[2].parent / "shared"
VOC = SHARED / "data" / "VOCdevkit"
WEIGHTS = SHARED / "weights" / "resnet50_notop_approx.weights.h5"
needs_voc = pytest.mark.skipif(not VOC.is_dir(), reason=f"no photographs in {VOC}")
needs_weights = pytest.mark.skipif(not WEIGHTS.is_file(), reason=f"no weights file {WEIGHTS}")


def tiny_backbone(seed=0):
    """A backbone like ResNet50 in everything but size: (N, 7, 7, 4), never negative, mostly zero."""
    start = keras.initializers.RandomNormal(stddev=1e-3, seed=seed)
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Conv2D(4, 32, strides=32, activation="relu", kernel_initializer=start)(inputs)
    return keras.Model(inputs, outputs, name="tiny")


@pytest.fixture(scope="module")
def backbone():
    return tiny_backbone()


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Eleven JPEG files of different sizes, one of them grey; smooth, as photographs are."""
    folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    paths = []
    for number in range(11):
        mode, channels = ("L", ()) if number == 5 else ("RGB", (3,))
        coarse = Image.fromarray(rng.integers(0, 256, (9, 12, *channels), dtype=np.uint8), mode)
        paths.append(folder / f"{number:06}.jpg")
        coarse.resize((300 + 20 * number, 400 - 10 * number), Image.Resampling.BICUBIC).save(paths[-1])
    return paths


def expected_features(backbone, paths):
    """What Pillow and predict_batch make of the photographs, one by one."""
    images = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    return np.concatenate([predict_batch(backbone, [image], (224, 224)) for image in images])


def annotate(names):
    return [{"size": (9, 9), "filename": name, "class": "cat", "bbox": [1, 1, 9, 9]} for name in names]


# --- resizing and predicting -------------------------------------------------------------------


@pytest.mark.parametrize("size", [(224, 224), (100, 330), (600, 900)], ids=["down", "both", "up"])
def test_resizing_agrees_with_pillow(size):
    image = data.cat()  # 300 x 451
    ours = np.asarray(resize_bilinear(image, size))
    pillow = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR), dtype=float)
    assert np.abs(ours - pillow).max() <= 1.01  # Pillow rounds twice


def test_skimage_without_antialiasing_differs_a_lot():
    """Bug 7: skimage's resize is not PIL's."""
    image = data.astronaut()  # 512 x 512
    ours = np.asarray(resize_bilinear(image, (224, 224)))
    other = resize(image, (224, 224), mode="reflect", preserve_range=True, anti_aliasing=False)
    assert np.abs(ours - other).max() > 50
    assert np.abs(ours - other).mean() > 2


def test_labs_cat_gives_the_labs_shape():
    output = predict_batch(headless_resnet50(weights=None), [data.cat()], (1000, 224))
    assert output.shape == (1, 32, 7, 2048)
    assert isinstance(output, np.ndarray)
    # Bug 2: after the last ReLU, so never negative.
    assert output.min() == 0
    assert output.max() > 0


def test_pixels_are_preprocessed_as_resnet50_wants_them():
    """Bug 6: BGR with the ImageNet means subtracted, whatever the default mode of Keras's utilities."""
    seen = []

    def model(batch, training):
        seen.append(np.asarray(batch))
        return batch

    image = np.zeros((2, 2, 3), dtype=np.uint8)
    image[...] = (10, 20, 30)
    predict_batch(model, [image])
    np.testing.assert_allclose(seen[0][0, 0, 0], [30 - 103.939, 20 - 116.779, 10 - 123.68], rtol=1e-5)
    assert (image == (10, 20, 30)).all()


def test_grey_and_transparent_images_are_taken_as_rgb(backbone):
    grey = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    rgb = np.stack([grey] * 3, axis=-1)
    rgba = np.concatenate([rgb, np.zeros((64, 64, 1), np.uint8)], axis=-1)
    outputs = predict_batch(backbone, [rgb, grey, grey[..., np.newaxis], rgba])
    np.testing.assert_array_equal(outputs, outputs[[0] * 4])


def test_differing_shapes_are_listed(backbone):
    images = [np.zeros((64, 64, 3)), np.zeros((64, 32, 3))]
    with pytest.raises(ValueError, match=r"\(64, 32, 3\), \(64, 64, 3\)"):
        predict_batch(backbone, images)
    assert predict_batch(backbone, images, (64, 96)).shape == (2, 2, 3, 4)


@pytest.mark.parametrize("images", [[], [np.zeros(5)], [np.zeros((5, 5, 2))]])
def test_arrays_that_are_no_images_are_refused(backbone, images):
    with pytest.raises(ValueError, match=r"no image|an image must have shape"):
        predict_batch(backbone, images)


def test_missing_weights_are_named():
    with pytest.raises(FileNotFoundError, match=r"nowhere\.h5"):
        headless_resnet50("nowhere.h5")


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_file_holds_every_photographs_representation(photographs, backbone, tmp_path, compression):
    out = extract_features(
        photographs,
        tmp_path / "new" / "r.h5",
        data_set="toy",
        model=backbone,
        batch_size=4,
        progress=False,
        compression=compression,
    )
    expected = expected_features(backbone, photographs)
    assert expected.max() > 0.1
    with h5py.File(out) as file:
        assert file["reprs"].dtype == np.float16
        assert file["filenames"].asstr()[:].tolist() == [path.name for path in photographs]
        assert "done" not in file.attrs
        # Pillow's and TensorFlow's JPEG decoders may differ by a grey level, float16 by 0.05 %.
        np.testing.assert_allclose(file["reprs"][:], expected, rtol=1e-3, atol=0.01)
    assert not (tmp_path / "new" / "r.h5.partial").exists()


def test_file_says_what_made_it(photographs, backbone, tmp_path):
    """Bug 7: which resizer made a file must be in the file."""
    out = extract(photographs, tmp_path / "r.h5", backbone, dtype="float32")
    weights = hashlib.sha256(b"".join(values.tobytes() for values in backbone.get_weights())).hexdigest()
    with h5py.File(out) as file:
        assert dict(file.attrs) == {
            "data_set": "toy",
            "representation": f"tiny-{weights[:8]}",
            "backbone": "tiny",
            "weights": "given with the model",
            "weights_sha256": weights,
            "resize": "tf.image.resize bilinear antialias=True 224x224",
            "preprocessing": "keras.applications.resnet50.preprocess_input (BGR, mean subtracted)",
            "dtype": "float32",
        }
        assert file["reprs"].dtype == np.float32
    assert representation_key(out) == f"toy/tiny-{weights[:8]}"


def test_values_beyond_float16_are_kept_finite(photographs, tmp_path):
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.AveragePooling2D(32)(keras.layers.Rescaling(1e6)(inputs))
    out = extract(photographs[:2], tmp_path / "r.h5", keras.Model(inputs, outputs))
    with h5py.File(out) as file:
        assert np.abs(file["reprs"][:]).max() == np.finfo(np.float16).max


def extract(paths, out, model, **options):
    return extract_features(paths, out, data_set="toy", model=model, **{"batch_size": 2, "progress": False} | options)


class Counted:
    """A model that counts the photographs it was given, and may be interrupted at one."""

    def __init__(self, model, stop_at=None):
        self.model, self.stop_at, self.count = model, stop_at, 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def __call__(self, images, training):
        def note(batch):
            self.count += len(batch)
            if self.stop_at is not None and self.count > self.stop_at:
                raise KeyboardInterrupt
            return batch

        shape = images.shape
        images = tf.numpy_function(note, [images], tf.float32)
        images.set_shape(shape)
        return self.model(images, training=training)


def interrupt(paths, out, model, done):
    """Leave a partial file with `done` photographs, as an interrupted run does."""
    with pytest.raises((KeyboardInterrupt, tf.errors.OpError)):
        extract(paths, out, Counted(model, stop_at=done))
    with h5py.File(f"{out}.partial") as file:
        assert file.attrs["done"] == done
    assert not out.exists()


def test_interrupted_run_goes_on_where_it_was(photographs, backbone, tmp_path):
    whole = extract(photographs, tmp_path / "whole.h5", backbone)
    out = tmp_path / "r.h5"
    interrupt(photographs, out, backbone, done=6)
    second = Counted(backbone)
    extract(photographs, out, second)
    assert second.count == len(photographs) - 6
    with h5py.File(out) as file, h5py.File(whole) as reference:
        np.testing.assert_array_equal(file["reprs"][:], reference["reprs"][:])


def test_run_stopped_just_before_the_end_is_only_ended(photographs, backbone, tmp_path):
    out = extract(photographs, tmp_path / "r.h5", backbone)
    out.rename(tmp_path / "r.h5.partial")
    counted = Counted(backbone)
    extract(photographs, out, counted)
    assert counted.count == 0
    assert representation_key(out).startswith("toy/tiny-")


def test_run_starts_anew_when_something_else_is_asked_for(photographs, backbone, tmp_path, caplog):
    """Bug 8: rows of one image set must never end up in the file of another."""
    out = tmp_path / "r.h5"
    for paths, model, options, word in [
        (photographs[::-1], backbone, {}, "photographs"),
        (photographs, tiny_backbone(seed=1), {}, "weights_sha256"),
        (photographs, backbone, {"dtype": "float32"}, "dtype"),
    ]:
        interrupt(photographs, out, backbone, done=4)
        counted = Counted(model)
        with caplog.at_level(logging.WARNING):
            extract(paths, out, counted, **options)
        assert counted.count == len(photographs)
        assert "started anew" in caplog.text
        assert word in caplog.text
        names = [path.name for path in paths]
        np.testing.assert_allclose(
            load_representations(out, annotate(names)), expected_features(model, paths), atol=0.02
        )
        out.unlink()
        caplog.clear()


def test_unreadable_partial_file_is_started_anew(photographs, backbone, tmp_path, caplog):
    (tmp_path / "r.h5.partial").write_bytes(b"\x89HDF\r\n\x1a\nand then the disk was full")
    extract(photographs, tmp_path / "r.h5", backbone)
    assert "unreadable" in caplog.text


def test_complete_file_is_left_as_it_is(photographs, backbone, tmp_path):
    out = extract(photographs, tmp_path / "r.h5", backbone)
    before = out.stat().st_mtime_ns, out.stat().st_ino
    again = Counted(backbone)
    assert extract(photographs, out, again) == out
    assert again.count == 0
    assert (out.stat().st_mtime_ns, out.stat().st_ino) == before


def test_complete_file_of_other_photographs_is_replaced(photographs, backbone, tmp_path, caplog):
    out = extract(photographs[:3], tmp_path / "r.h5", backbone)
    extract(photographs, out, backbone)
    assert "will be replaced" in caplog.text
    assert load_representations(out, annotate([path.name for path in photographs])).shape == (11, 7, 7, 4)


@pytest.mark.parametrize("hdf5", [True, False])
def test_somebody_elses_file_is_never_overwritten(photographs, backbone, tmp_path, hdf5):
    out = tmp_path / "voc_representations.h5"
    if hdf5:
        with h5py.File(out, "w") as file:
            file["reprs"] = np.zeros((3, 7, 7, 4))
    else:
        out.write_text("thesis")
    before = out.read_bytes()
    with pytest.raises(FileExistsError, match="choose another name"):
        extract(photographs, out, backbone)
    assert out.read_bytes() == before


def test_damaged_photograph_is_named_and_the_work_before_it_kept(photographs, backbone, tmp_path):
    damaged, out = tmp_path / "damaged.jpg", tmp_path / "r.h5"
    damaged.write_bytes(photographs[0].read_bytes()[:2000])
    paths = [*photographs[:7], damaged, *photographs[7:]]
    with pytest.raises(ValueError, match=r"damaged\.jpg cannot be decoded"):
        extract(paths, out, backbone)
    with h5py.File(f"{out}.partial") as file:
        assert file.attrs["done"] == 6
    damaged.write_bytes(photographs[0].read_bytes())  # fetched again
    counted = Counted(backbone)
    extract(paths, out, counted)
    assert counted.count == len(paths) - 6


def test_batch_that_cannot_be_written_stops_the_count(photographs, backbone, tmp_path, monkeypatch):
    """A full disk: later batches that do fit must not make the earlier ones count."""
    write, out = h5py.Dataset.__setitem__, tmp_path / "r.h5"

    def full(self, rows, values):
        if self.name == "/reprs" and rows.start == 4:
            raise OSError("no space left on device")
        write(self, rows, values)

    monkeypatch.setattr(h5py.Dataset, "__setitem__", full)
    with pytest.raises(OSError, match="no space left"):
        extract(photographs, out, backbone)
    with h5py.File(f"{out}.partial") as file:
        assert file.attrs["done"] == 4


@pytest.mark.skipif(os.name != "posix", reason="HDF5 locks files on POSIX systems")
def test_file_that_another_process_writes_is_left_alone(photographs, backbone, tmp_path):
    code = "import h5py, sys; f = h5py.File(sys.argv[1], 'w'); f['x'] = 1; print('open', flush=True); input()"
    partial = tmp_path / "r.h5.partial"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(partial)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(RuntimeError, match="another process"):
            extract(photographs, tmp_path / "r.h5", backbone)
        assert partial.exists()
        other.communicate("\n")


def test_requests_that_make_no_sense_are_refused(photographs, backbone, tmp_path):
    out = tmp_path / "r.h5"
    with pytest.raises(ValueError, match="no photograph"):
        extract([], out, backbone)
    with pytest.raises(ValueError, match="same name"):
        extract([photographs[0], photographs[0]], out, backbone)
    with pytest.raises(ValueError, match="float16 or float32"):
        extract(photographs, out, backbone, dtype="int8")
    with pytest.raises(FileNotFoundError, match=r"1 of 12 photographs.*nowhere\.jpg"):
        extract([*photographs, tmp_path / "nowhere.jpg"], out, backbone)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.h5"):
        extract_features(photographs, out, data_set="toy", weights="nowhere.h5")
    assert list(tmp_path.iterdir()) == []


# --- loading -----------------------------------------------------------------------------------


def write_file(path, rows, names=None, **attributes):
    """Each row holds its number, so that a wrong row shows."""
    with h5py.File(path, "w") as file:
        file["reprs"] = np.arange(rows, dtype=np.float16).reshape(-1, 1, 1, 1) * np.ones((1, 1, 1, 3), np.float16)
        if names is not None:
            file.create_dataset("filenames", data=names, dtype=h5py.string_dtype("utf-8"))
        file.attrs.update(attributes)
    return path


def rows_of(loaded):
    return loaded[:, 0, 0, 0].astype(int).tolist()


@pytest.mark.parametrize("pick", ["all", "reversed", "part", "shuffled", "few", "twice", "none"])
def test_rows_are_found_by_file_name(tmp_path, pick):
    """Bug 8: a file in another order, or with more images, must not misalign."""
    path = write_file(tmp_path / "r.h5", 300, [f"{row:06}.jpg" for row in range(300)])
    rows = {
        "all": list(range(300)),
        "reversed": list(range(299, -1, -1)),
        "part": list(range(50, 200)),
        "shuffled": np.random.default_rng(0).permutation(300).tolist(),
        "few": [290, 3, 64, 63],
        "twice": [5, 5, 7],
        "none": [],
    }[pick]
    loaded = load_representations(path, annotate([f"{row:06}.jpg" for row in rows]))
    assert rows_of(loaded) == rows
    assert loaded.dtype == np.float32
    assert loaded.shape == (len(rows), 1, 1, 3)


def test_plain_representations_are_mapped_in_grading_and_never_changed(tmp_path, monkeypatch):
    values = np.random.default_rng(0).normal(size=(6, 7, 7, 4)).astype("float16")
    packed, plain = tmp_path / "packed.h5", tmp_path / "plain.h5"
    with h5py.File(packed, "w") as file:
        file.create_dataset("reprs", data=values, chunks=(1, 7, 7, 4), compression="gzip")
        file.create_dataset("filenames", data=[f"{n}.jpg" for n in range(6)], dtype=h5py.string_dtype("utf-8"))
        file.attrs["representation"] = "scenes-v1"
    write_plain(packed, plain)
    assert (is_plain(packed), is_plain(plain)) == (False, True)
    assert h5py.File(plain).attrs["representation"] == "scenes-v1"

    wanted = [{"filename": f"{n}.jpg"} for n in (2, 3, 4)]
    read = load_representations(plain, wanted)
    monkeypatch.setenv("COURSE_DATA_READ_ONLY", "1")
    mapped = load_representations(plain, wanted)
    np.testing.assert_array_equal(mapped, read)
    np.testing.assert_array_equal(load_representations(packed, wanted), read)
    assert isinstance(mapped.base, np.memmap)
    assert not isinstance(read.base, np.memmap)
    mapped[:] = 0
    np.testing.assert_array_equal(load_representations(plain, wanted), read)
    np.testing.assert_array_equal(load_representations(plain, wanted[::-1]), read[::-1])  # another order: read


def two_files(folder, **second):
    """Rows 0 and 1 of images with one object, row 0 of one with several, as a course's data folder has them."""
    one = write_file(folder / "representations.h5", 2, ["a.jpg", "c.jpg"], data_set="x", representation="y")
    about = {"data_set": "x", "representation": "y", **second}
    return one, write_file(folder / "representations-several.h5", 1, ["b.jpg"], **about)


def test_rows_of_two_files_are_put_into_the_order_of_the_images(tmp_path, monkeypatch):
    files = two_files(tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    wanted = annotate(["c.jpg", "b.jpg", "a.jpg"])
    assert find_representations(tmp_path, wanted) == files
    assert find_representations(tmp_path, wanted[::2]) == files[:1]
    assert rows_of(load_representations(files, wanted)) == [1, 0, 0]


def test_rows_of_two_files_become_one_plain_file(tmp_path):
    files = two_files(tmp_path)
    wanted = annotate(["c.jpg", "b.jpg", "a.jpg"])
    write_plain_rows(files, wanted, tmp_path / "plain.h5")
    assert is_plain(tmp_path / "plain.h5")
    assert rows_of(load_representations(tmp_path / "plain.h5", wanted)) == [1, 0, 0]
    assert representation_key(tmp_path / "plain.h5") == "x/y"


def test_files_of_different_networks_are_not_mixed(tmp_path):
    with pytest.raises(ValueError, match="different networks: x/other, x/y"):
        load_representations(two_files(tmp_path, representation="other"), annotate(["a.jpg", "b.jpg"]))


def test_image_without_a_row_in_any_file_is_named(tmp_path, monkeypatch):
    files = two_files(tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no row for 1 of 2 images: z\.jpg\. .*representations-several\.h5"):
        find_representations(tmp_path, annotate(["a.jpg", "z.jpg"]))
    with pytest.raises(ValueError, match=r"1 of 2 images have no row: z\.jpg"):
        load_representations(files, annotate(["b.jpg", "z.jpg"]))


def test_without_course_data_representations_are_computed_once(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    asked = []
    monkeypatch.setattr(features, "extract_features", lambda paths, out, **how: asked.append((paths, how)) or out)
    (tmp_path / "VOC2007" / "Annotations").mkdir(parents=True)
    assert find_representations(tmp_path, annotate(["a.jpg"])) == (Path("representations-all.h5"),)
    assert asked == [([tmp_path / "VOC2007/JPEGImages/a.jpg"], {"data_set": "voc2007"})]


def test_images_without_a_row_are_counted_and_named(tmp_path):
    path = write_file(tmp_path / "r.h5", 3, ["a.jpg", "b.jpg", "c.jpg"])
    wanted = annotate(["a.jpg", *(f"x{number}.jpg" for number in range(9))])
    with pytest.raises(ValueError, match=r"no row for 9 of 10 images: x0\.jpg, .*x4\.jpg and 4 more"):
        load_representations(path, wanted)


@pytest.mark.parametrize("names", [["a.jpg", "b.jpg", "a.jpg"], ["a.jpg", "b.jpg"]])
def test_names_that_do_not_fit_the_rows_are_refused(tmp_path, names):
    path = write_file(tmp_path / "r.h5", 3, names)
    with pytest.raises(ValueError, match="3 rows for 2 file names"):
        load_representations(path, annotate(["a.jpg"]))


@needs_voc
@pytest.mark.voc
def test_published_files_rows_are_the_official_annotations(tmp_path):
    path = write_file(tmp_path / "voc_representations.h5", 1264)
    official = load_annotations(VOC, require_photos=False)
    assert rows_of(load_representations(path, official)) == list(range(1264))


@needs_voc
@pytest.mark.voc
def test_missing_photographs_do_not_shift_the_published_rows(tmp_path):
    """Bug 8, as it happens: 1262 photographs beside 1264 published rows."""
    path = write_file(tmp_path / "voc_representations.h5", 1264)
    official = load_annotations(VOC, require_photos=False)
    present = [row for row in range(1264) if official[row]["filename"] not in ("007284.jpg", "009623.jpg")]
    part = [official[row] for row in present]
    assert rows_of(load_representations(path, part, root=VOC)) == present
    with pytest.raises(ValueError, match="root="):
        load_representations(path, part)


@needs_voc
@pytest.mark.voc
def test_official_annotations_in_another_order_are_still_matched(tmp_path):
    path = write_file(tmp_path / "voc_representations.h5", 1264)
    official = load_annotations(VOC, require_photos=False)
    assert rows_of(load_representations(path, official[::-1], root=VOC)) == list(range(1263, -1, -1))
    with pytest.raises(ValueError, match="without file names"):
        load_representations(path, official[::-1])


def test_rows_without_names_are_never_guessed(tmp_path):
    """As many rows as images is no proof."""
    path = write_file(tmp_path / "r.h5", 1264)
    with pytest.raises(ValueError, match="1264 rows without file names"):
        load_representations(path, annotate([f"{row:06}.jpg" for row in range(1264)]))


def test_keys_come_from_attributes_or_mark_the_published_file(tmp_path):
    ours = write_file(tmp_path / "a.h5", 2, ["a", "b"], data_set="sample", representation="descriptors-v1")
    assert representation_key(ours) == "sample/descriptors-v1"
    assert representation_key(write_file(tmp_path / "b.h5", 2)) == "voc2007/resnet50-published"
    with pytest.raises(ValueError, match="does not say"):
        representation_key(write_file(tmp_path / "c.h5", 2, ["a", "b"]))


@pytest.mark.parametrize("read", [representation_key, lambda path: load_representations(path, [])])
def test_file_that_holds_no_representations_is_refused(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="no representations file"):
        read(tmp_path / "nowhere.h5")
    (tmp_path / "text.h5").write_text("not found")
    with pytest.raises(ValueError, match="not a readable HDF5 file"):
        read(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = [1]
    with pytest.raises(ValueError, match="no data set reprs"):
        read(tmp_path / "other.h5")


def test_importing_the_helpers_leaves_tensorflow_alone():
    code = (
        "import sys, helpers.boxes, helpers.targets, helpers.metrics, helpers.features;"
        "print([name for name in ('tensorflow', 'keras', 'h5py', 'IPython') if name in sys.modules])"
    )
    root = Path(features.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert run.stdout == "[]\n"


# --- real photographs, real weights ------------------------------------------------------------


@needs_voc
@needs_weights
@pytest.mark.voc
@pytest.mark.slow
def test_real_photographs_give_representations_like_the_published_ones(tmp_path):
    annotations = load_annotations(VOC)[:3]
    paths = [image_path(VOC, annotation) for annotation in annotations]
    out = extract_features(paths, tmp_path / "r.h5", data_set="voc2007", weights=WEIGHTS, progress=False)
    sha256 = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert representation_key(out) == f"voc2007/resnet50-{sha256[:8]}"
    reprs = load_representations(out, annotations)
    assert reprs.shape == (3, 7, 7, 2048)
    # Bug 2: after the last ReLU nothing is negative and most is zero (84 %).
    assert reprs.min() == 0
    assert 0.7 < (reprs == 0).mean() < 0.95
    expected = expected_features(headless_resnet50(WEIGHTS), paths)
    for ours, pillows in zip(reprs, expected, strict=True):
        cosine = (ours * pillows).sum() / np.linalg.norm(ours) / np.linalg.norm(pillows)
        assert cosine > 0.9999
