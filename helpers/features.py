"""From photographs to representations: the backbone, and the files that hold what it computes.

A representations file (HDF5) has the data set ``reprs`` (N, 7, 7, 2048), ``filenames`` (N,), and root
attributes that say what made it; see docs/architecture.md. The published file has ``reprs`` only.
Keras, TensorFlow and h5py are slow to load: they are imported where they are needed.
"""

import hashlib
import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from helpers.data import (
    COURSE_DATA,
    COURSE_DATA_READ_ONLY,
    PUBLISHED_KEY,
    SEVERAL_REPRESENTATIONS,
    Annotation,
    ImageAnnotation,
    data_set_name,
    image_path,
    load_annotations,
    shorten,
)
from helpers.folding import fold_batch_norms
from helpers.targets import IMAGE_SIZE

logger = logging.getLogger(__name__)

# SHA-256 of the 1264 file names of Pascal VOC 2007 trainval with exactly one object of the five classes,
# sorted and joined by newlines; computed from the annotation files of the official archive.
PUBLISHED_NAMES_SHA256 = "e3b47a184ea57563292227b53d07234b8e831d25531da9827c5a09f5a9b5cd7f"

RESIZE = f"tf.image.resize bilinear antialias=True {IMAGE_SIZE}x{IMAGE_SIZE}"
PREPROCESSING = "keras.applications.resnet50.preprocess_input (BGR, mean subtracted)"

# Rows read at a time: a few dozen megabytes.
_BLOCK = 64
# Batches decoded ahead (19 MB each at 32 photographs): keeps the cores busy while TensorFlow traces.
_DECODE_AHEAD = 4
# Batches waiting to be written.
_WRITE_BEHIND = 2

AnyAnnotation = Annotation | ImageAnnotation
Weights = str | Path | None
Compression = Literal["gzip", "lzf"] | None


# --- the backbone ----------------------------------------------------------------------------------


def headless_resnet50(weights: Weights = "imagenet") -> Any:
    """Build ResNet50 without its top: RGB batches (N, H, W, 3), preprocessed, become (N, H/32, W/32, 2048).

    The output comes after the last ReLU, as in the published representations (``layers[-2]`` of today's
    Keras would be the sum before it). ``weights`` is "imagenet" (downloaded by Keras), the path of a
    weights file, or None for random ones.

    Raises FileNotFoundError when the weights file does not exist, ConnectionError when the ImageNet
    weights cannot be downloaded.
    """
    import keras

    if weights is not None and weights != "imagenet" and not Path(weights).is_file():
        raise FileNotFoundError(f"there is no weights file {weights}")
    source = str(weights) if isinstance(weights, Path) else weights
    try:
        return keras.applications.ResNet50(include_top=False, weights=source)
    except Exception as error:  # Keras raises a bare Exception when a download fails
        if source == "imagenet" and "URL fetch failure" in str(error):
            raise ConnectionError(f"The ImageNet weights could not be downloaded: {error}") from error
        raise


def resize_bilinear(image: Any, size: tuple[int, int]) -> Any:
    """Resize an image (H, W, C) or batch (N, H, W, C) to ``size`` = (height, width), as a float32 tensor.

    Bilinear with antialiasing, which is what Pillow's ``Image.resize(..., BILINEAR)`` does, to within a
    grey level (Pillow rounds). Resizing without antialiasing gives other representations.
    """
    import tensorflow as tf

    return tf.image.resize(image, size, method="bilinear", antialias=True)


def predict_batch(
    model: Any, images: Sequence[npt.ArrayLike], img_size: tuple[int, int] | None = None
) -> npt.NDArray[np.float32]:
    """Compute the representations of some images as one batch: (N, 7, 7, 2048) for 224-pixel squares.

    ``images`` are arrays with values 0 to 255: RGB (H, W, 3), grey (H, W) or (H, W, 1), or RGBA
    (H, W, 4), whose alpha is dropped. They are resized to ``img_size`` = (height, width) if that is
    given, and preprocessed for ResNet50.

    Raises ValueError, listing the shapes, when they differ and ``img_size`` is None, and for arrays that
    are not images.
    """
    import keras

    arrays = [_rgb(image) for image in images]
    if not arrays:
        raise ValueError("there is no image to predict on")
    if img_size is not None:
        arrays = [np.asarray(resize_bilinear(array, img_size)) for array in arrays]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ValueError(f"without img_size, all images must have the same shape, not {', '.join(map(str, shapes))}")
    batch = keras.applications.resnet50.preprocess_input(np.stack(arrays))
    return np.asarray(model(batch, training=False))


def _rgb(image: npt.ArrayLike) -> npt.NDArray[np.float32]:
    array = np.asarray(image, dtype=np.float32)
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4):
        raise ValueError(f"an image must have shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {array.shape}")
    return np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else array[..., :3]


# --- photographs to a file -------------------------------------------------------------------------


def extract_features(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    data_set: str,
    weights: Weights = "imagenet",
    model: Any = None,
    batch_size: int = 32,
    dtype: Literal["float16", "float32"] = "float16",
    progress: bool = True,
    compression: Compression = None,
) -> Path:
    """Write the representations of any number of photographs to the HDF5 file ``out``; return its path.

    Memory stays bounded. Photographs are decoded ahead, and written behind, the forward pass, which uses
    a GPU if TensorFlow sees one, always in float32; batch normalisations are folded (see
    ``helpers.folding``). ``data_set`` names the photographs ("voc2007") in the
    file's key; ``weights`` are as in ``headless_resnet50``. A ``model`` given instead is called by its
    name and the hash of its weights; it gets 224-pixel squares preprocessed for ResNet50.

    Work in progress is in ``<out>.partial``. A run that was interrupted goes on from there, if
    photographs (by name), weights and types are the same, and starts anew otherwise. A complete ``out``
    that would come out the same is left as it is.

    ``dtype`` float16 halves the file; its error is below 0.05 % of each value. Of the values 84 % are
    zero, so that "gzip" makes the file 3 to 4 times smaller again, for slower writing and loading.

    Raises
    - FileNotFoundError for missing photographs or weights;
    - FileExistsError when ``out`` is there and was not written by this function;
    - ValueError for a photograph that cannot be decoded (what was done before it is kept), two of the
      same name, none at all, or another ``dtype``.
    """
    out, files, given = Path(out), [Path(path) for path in paths], model
    _check_request(files, dtype)
    if model is None and weights in (None, "imagenet"):
        model, source = headless_resnet50(weights), "random" if weights is None else "imagenet"
        description = _origin("resnet50", source, source, _model_sha256(model))
    elif model is None:
        sha256 = _file_sha256(Path(str(weights)))
        description = _origin("resnet50", sha256[:8], Path(str(weights)).name, sha256)
    else:
        sha256 = _model_sha256(model)
        description = _origin(model.name, sha256[:8], "given with the model", sha256)
    description |= {"data_set": data_set, "dtype": dtype}

    names = [file.name for file in files]
    if _is_complete(out, description, names):
        logger.info("%s is complete", out)
        return out
    if given is None:
        model = fold_batch_norms(model or headless_resnet50(weights))
    partial = out.with_name(out.name + ".partial")
    _start_or_go_on(partial, description, names, _output_shape(model), compression)
    _fill(partial, files, model, batch_size, progress)
    partial.replace(out)
    return out


def _check_request(files: Sequence[Path], dtype: str) -> None:
    if dtype not in ("float16", "float32"):
        raise ValueError(f"dtype must be float16 or float32, not {dtype}")
    if not files:
        raise ValueError("there is no photograph to compute representations of")
    if len({file.name for file in files}) < len(files):
        raise ValueError("two photographs have the same name, which is what rows are found by")
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(f"{len(missing)} of {len(files)} photographs are missing: {shorten(missing, 5)}")


def _origin(backbone: str, version: str, weights: str, sha256: str) -> dict[str, str]:
    return {
        "backbone": backbone,
        "representation": f"{backbone}-{version}",
        "weights": weights,
        "weights_sha256": sha256,
        "resize": RESIZE,
        "preprocessing": PREPROCESSING,
    }


def _file_sha256(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _model_sha256(model: Any) -> str:
    """Hash a model's weights in its own order (SHA-256); unlike a file's hash, it does not depend on a format."""
    digest = hashlib.sha256()
    for values in model.get_weights():
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _output_shape(model: Any) -> tuple[int, ...]:
    """Return the shape of one photograph's representation."""
    return tuple(model.compute_output_shape((1, IMAGE_SIZE, IMAGE_SIZE, 3))[1:])


def _is_complete(out: Path, description: dict[str, str], names: list[str]) -> bool:
    """Return whether ``out`` holds what is asked for; raise FileExistsError if it is a file of somebody else's."""
    import h5py

    if not out.exists():
        return False
    if not h5py.is_hdf5(out):
        raise FileExistsError(f"{out} is there and holds no representations; choose another name")
    with h5py.File(out, "r") as file:
        if "representation" not in file.attrs:
            raise FileExistsError(f"{out} does not say what made it; choose another name")
        difference = _differing(file, description, names)
    if difference:
        logger.warning("%s will be replaced: it has other %s", out, difference)
    return not difference


def _start_or_go_on(
    partial: Path,
    description: dict[str, str],
    names: list[str],
    shape: tuple[int, ...],
    compression: Compression,
) -> None:
    """Make sure that ``partial`` is a file to which the rows that are asked for can be written."""
    import h5py

    if partial.exists():
        difference = _why_not_go_on(partial, description, names)
        if not difference:
            return
        logger.warning("%s is started anew: it has other %s", partial, difference)
        partial.unlink()
    storage: dict[str, Any] = {}
    if compression is not None:
        # One row a chunk, so that any subset can be read; gzip beyond level 1 only costs time.
        options = 1 if compression == "gzip" else None
        storage = {"chunks": (1, *shape), "compression": compression, "compression_opts": options}
    partial.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(partial, "w") as file:
        file.create_dataset("reprs", (len(names), *shape), description["dtype"], **storage)
        file.create_dataset("filenames", data=names, dtype=h5py.string_dtype("utf-8"))
        file.attrs["done"] = 0  # before the description: without a counter, a file is complete
        file.attrs.update(description)


def _why_not_go_on(partial: Path, description: dict[str, str], names: list[str]) -> str:
    import h5py

    try:
        with h5py.File(partial, "r") as file:
            return _differing(file, description, names)
    except BlockingIOError:  # HDF5 locks a file that is being written
        raise RuntimeError(f"{partial} is being written by another process") from None
    except OSError as error:
        return f"contents (unreadable: {error})"


def _differing(file: Any, description: dict[str, str], names: list[str]) -> str:
    """Name the properties in which a file differs from what is asked for; empty when none does."""
    differing = [key for key, value in description.items() if file.attrs.get(key) != value]
    if "filenames" not in file or file["filenames"].asstr()[:].tolist() != names:
        differing.append("photographs")
    return ", ".join(differing)


def _fill(partial: Path, files: Sequence[Path], model: Any, batch_size: int, progress: bool) -> None:
    """Compute the rows that are not done yet. However this ends, the rows counted as done are written."""
    import h5py
    import tensorflow as tf
    from tqdm import tqdm

    with h5py.File(partial, "r+") as file, ThreadPoolExecutor(max_workers=1) as writer:
        reprs = file["reprs"]
        begin = int(file.attrs.setdefault("done", len(reprs)))
        if begin:
            logger.info("going on with %s after %d of %d photographs", partial, begin, len(files))
        forward = _compile(model, tf.as_dtype(reprs.dtype))

        def write(start: int, values: Any) -> None:
            if file.attrs["done"] != start:
                return  # the batch before could not be written, so this one must not count
            stop = start + len(values)
            reprs[start:stop] = values.numpy()
            # The counter reaches the disk with the next flush, so never before the rows.
            file.flush()
            file.attrs["done"] = stop

        waiting: deque[Future[None]] = deque()
        with tqdm(total=len(files), initial=begin, unit="image", disable=not progress) as bar:
            for images in _batches(files[begin:], batch_size):
                waiting.append(writer.submit(write, begin, forward(images)))
                begin += len(images)
                bar.update(len(images))
                if len(waiting) > _WRITE_BEHIND:
                    waiting.popleft().result()
            for last in waiting:
                last.result()
        del file.attrs["done"]


def _compile(model: Any, dtype: Any) -> Any:
    """Return a function of a batch of photographs (N, 224, 224, 3), with any N, compiled once."""
    import keras
    import tensorflow as tf

    def forward(images: Any) -> Any:
        values = model(keras.applications.resnet50.preprocess_input(images), training=False)
        # Out of float16's range means its largest number, not infinity.
        return tf.cast(tf.clip_by_value(values, float(dtype.min), float(dtype.max)), dtype)

    return tf.function(
        forward, autograph=False, input_signature=[tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 3), tf.float32)]
    )


def _batches(files: Sequence[Path], batch_size: int) -> Iterator[Any]:
    """Yield photographs resized to 224-pixel squares, float32 RGB 0 to 255, batch by batch, decoded ahead."""
    import tensorflow as tf

    paths = [str(file) for file in files]
    if not paths:
        return
    # Nothing here needs AutoGraph, which warns when it cannot find the source.
    load = tf.autograph.experimental.do_not_convert(_load_photograph)
    dataset = tf.data.Dataset.from_tensor_slices(paths).map(load, num_parallel_calls=tf.data.AUTOTUNE)
    given = 0
    try:
        for images in dataset.batch(batch_size).prefetch(_DECODE_AHEAD):
            yield images
            given += len(images)
    except tf.errors.InvalidArgumentError:
        # TensorFlow does not say which photograph of the batch it was.
        for path in paths[given : given + batch_size]:
            try:
                _load_photograph(path)
            except tf.errors.InvalidArgumentError as error:
                raise ValueError(f"{path} cannot be decoded: {error.message}") from None
        raise


def _load_photograph(path: Any) -> Any:
    """Load one photograph as a 224-pixel square, float32 RGB 0 to 255."""
    import tensorflow as tf

    # The accurate DCT is libjpeg's default and Pillow's; TensorFlow's own is a faster approximation.
    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3, dct_method="INTEGER_ACCURATE")
    return resize_bilinear(image, (IMAGE_SIZE, IMAGE_SIZE))


# --- a file to arrays ------------------------------------------------------------------------------


def representation_key(path: str | Path) -> str:
    """Return the key ``<data_set>/<representation>`` of a representations file, to which thresholds belong.

    A file with nothing but ``reprs`` is the published one: "voc2007/resnet50-published".

    Raises FileNotFoundError, or ValueError when it is no representations file.
    """
    with _open_file(path) as file:
        if "representation" in file.attrs and "data_set" in file.attrs:
            return f"{file.attrs['data_set']}/{file.attrs['representation']}"
        if set(file) == {"reprs"}:
            return PUBLISHED_KEY
    raise ValueError(f"{path} does not say what made it")


def find_representations(root: str | Path, annotations: Sequence[AnyAnnotation]) -> tuple[Path, ...]:
    """Return the files with the representations of ``annotations``, any number of objects in each; compute what lacks.

    Where COURSE_DATA is set, they are the files of that folder, `representations.h5` and `representations-several.h5`.
    Elsewhere they are computed from the photographs with `extract_features`, once, to `representations-all.h5` in the
    current working directory: some minutes with a GPU, half an hour without.

    Raises FileNotFoundError when COURSE_DATA is set and its files have no row for some of the images.
    """
    course = os.environ.get(COURSE_DATA)
    if not course:
        photographs = [image_path(root, annotation) for annotation in annotations]
        return (extract_features(photographs, Path("representations-all.h5"), data_set=data_set_name(root)),)
    wanted = {annotation["filename"] for annotation in annotations}
    paths: list[Path] = []
    found: set[str] = set()
    for name in ("representations.h5", SEVERAL_REPRESENTATIONS):
        path = Path(course) / name
        rows = set(_stored_names(path)) & (wanted - found) if path.is_file() else set()
        if rows:
            paths.append(path)
            found |= rows
    if found != wanted:
        raise FileNotFoundError(
            f"The files of representations in {course} have no row for {len(wanted - found)} of {len(wanted)} images: "
            f"{shorten(sorted(wanted - found), 5)}. Those with several objects belong into {SEVERAL_REPRESENTATIONS}."
        )
    return tuple(paths)


def _stored_names(path: Path) -> list[str]:
    """Return the file names that a representations file has rows for; none if it does not say."""
    with _open_file(path) as file:
        return list(file["filenames"].asstr()[:].tolist()) if "filenames" in file else []


def load_representations(
    path: str | Path | Sequence[Path], annotations: Sequence[AnyAnnotation], root: str | Path | None = None
) -> npt.NDArray[np.float32]:
    """Load the representations (N, 7, 7, 2048), float32, of the N ``annotations``, row by row.

    In grading (where COURSE_DATA_READ_ONLY is set), rows that lie in the file in this order as plain float32 are
    mapped: read when they are used, from one copy for all processes. Writing to the array never changes the file.

    Rows are found by file name, in whatever order and of whatever larger set the file has them; ``path`` may be
    several files, of one network, which have them together. The published file has no names: its rows are the 1264
    official annotations in order. For a part of them (photographs may be missing), ``root``, the data root, says which.

    Raises FileNotFoundError, or ValueError when an annotation has no row or it cannot be known which.
    """
    if isinstance(path, Sequence) and not isinstance(path, str) and len(path) > 1:
        return _gather(path, [annotation["filename"] for annotation in annotations])
    (path,) = [path] if isinstance(path, str | Path) else path
    wanted = [annotation["filename"] for annotation in annotations]
    with _open_file(path) as file:
        if "filenames" in file:
            names = file["filenames"].asstr()[:].tolist()
        else:
            names = _published_names(path, len(file["reprs"]), wanted, root)
        row_of = {name: row for row, name in enumerate(names)}
        if len(row_of) < len(file["reprs"]):
            raise ValueError(f"{path} has {len(file['reprs'])} rows for {len(row_of)} file names")
        missing = [name for name in wanted if name not in row_of]
        if missing:
            raise ValueError(f"{path} has no row for {len(missing)} of {len(wanted)} images: {shorten(missing, 5)}")
        rows = np.array([row_of[name] for name in wanted], dtype=np.intp)
        mapped = _mapped(Path(path), file["reprs"], rows)
        return _read_rows(file["reprs"], rows) if mapped is None else mapped


def _gather(paths: Sequence[Path], wanted: Sequence[str]) -> npt.NDArray[np.float32]:
    """Read the rows of the images ``wanted`` from several files into one array."""
    keys = {representation_key(path) for path in paths}
    if len(keys) > 1:
        raise ValueError(f"{', '.join(map(str, paths))} were made by different networks: {', '.join(sorted(keys))}")
    with _open_file(paths[0]) as file:
        result = np.empty((len(wanted), *file["reprs"].shape[1:]), dtype=np.float32)
    missing = set(wanted)
    for path in paths:
        with _open_file(path) as file:
            row_of = {name: row for row, name in enumerate(file["filenames"].asstr()[:].tolist())}
            places = [place for place, name in enumerate(wanted) if name in row_of and name in missing]
            result[places] = _read_rows(file["reprs"], np.array([row_of[wanted[place]] for place in places], np.intp))
            missing -= {wanted[place] for place in places}
    if missing:
        raise ValueError(f"{len(missing)} of {len(wanted)} images have no row: {shorten(sorted(missing), 5)}")
    return result


def _published_names(path: str | Path, rows: int, wanted: list[str], root: str | Path | None) -> list[str]:
    """Return the names of the rows of a file without names; raise ValueError if they cannot be known."""
    names = wanted
    if _names_sha256(names) != PUBLISHED_NAMES_SHA256 and root is not None:
        names = [annotation["filename"] for annotation in load_annotations(root, require_photos=False)]
    if len(names) != rows or _names_sha256(names) != PUBLISHED_NAMES_SHA256:
        raise ValueError(
            f"{path} holds {rows} rows without file names, so which belongs to which of these "
            f"{len(wanted)} images is known only for the official 1264 of Pascal VOC 2007, or for a part of "
            "them with root=, the data root with all annotation files. Otherwise compute the "
            "representations anew with extract_features."
        )
    return names


def _names_sha256(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def is_plain(path: str | Path) -> bool:
    """Return whether ``load_representations`` can map a file: its values are float32 and lie in one piece."""
    with _open_file(path) as file:
        return _is_plain(file["reprs"])


def _is_plain(reprs: Any) -> bool:
    return reprs.dtype == np.dtype("<f4") and reprs.id.get_offset() is not None


def write_plain_rows(paths: Sequence[Path], annotations: Sequence[AnyAnnotation], out: Path) -> None:
    """Write the rows of ``annotations``, in their order, as one file that ``load_representations`` can map."""
    import h5py

    with _open_file(paths[0]) as file, h5py.File(out, "w") as copy:
        copy.attrs.update(file.attrs)
        reprs = copy.create_dataset("reprs", (len(annotations), *file["reprs"].shape[1:]), "<f4")
        for start in range(0, len(annotations), _BLOCK):
            part = annotations[start : start + _BLOCK]
            reprs[start : start + len(part)] = load_representations(paths, part)
        names = [annotation["filename"] for annotation in annotations]
        copy.create_dataset("filenames", data=names, dtype=h5py.string_dtype("utf-8"))


def write_plain(path: str | Path, out: Path) -> None:
    """Copy a representations file so that ``load_representations`` can map it; ``out`` is larger and loads at once."""
    import h5py

    with _open_file(path) as file, h5py.File(out, "w") as copy:
        reprs = copy.create_dataset("reprs", file["reprs"].shape, "<f4")
        for start in range(0, len(reprs), _BLOCK):
            # NumPy converts float16 several times faster than HDF5 does.
            reprs[start : start + _BLOCK] = file["reprs"][start : start + _BLOCK].astype("<f4")
        for name in file:
            if name != "reprs":
                file.copy(name, copy)
        copy.attrs.update(file.attrs)


def _mapped(path: Path, reprs: Any, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32] | None:
    """Map rows of the file privately, if they lie there as they are wanted; return None otherwise.

    Not on a disk that may go away, such as a Drive folder on Colab: that would kill whoever has mapped it.
    """
    if not os.environ.get(COURSE_DATA_READ_ONLY) or not _is_plain(reprs) or not len(rows):
        return None
    if not np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return None
    start = reprs.id.get_offset() + int(rows[0]) * reprs[0].nbytes
    shape = (len(rows), *reprs.shape[1:])
    return np.asarray(np.memmap(path, dtype="<f4", mode="c", offset=start, shape=shape))


def _read_rows(reprs: Any, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Read the given rows of an HDF5 data set as float32, block by block of the file, in bounded extra memory."""
    result = np.empty((len(rows), *reprs.shape[1:]), dtype=np.float32)
    for start in range(0, reprs.shape[0], _BLOCK):
        places = np.flatnonzero((rows >= start) & (rows < start + _BLOCK))
        if not places.size:
            continue
        here = rows[places]
        block = reprs[here.min() : here.max() + 1]
        result[places] = block[here - here.min()]
    return result


def _open_file(path: str | Path) -> Any:
    """Open a representations file for reading; the caller closes it."""
    import h5py

    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no representations file {path}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is not a readable HDF5 file: {error}") from None
    if not isinstance(file.get("reprs"), h5py.Dataset):
        file.close()
        raise ValueError(f"{path} has no data set reprs")
    return file
