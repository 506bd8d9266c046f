"""The first cell of a notebook tells students what they need to know, and never fails."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from importlib import metadata
from pathlib import Path

import h5py
import pytest

from helpers.environment import SetupReport, fix_seeds, setup

REPOSITORY = Path(__file__).parents[2]
VOC = Path(__file__).parents[3] / "shared" / "data" / "VOCdevkit"


class FakeTensorFlow(types.ModuleType):
    """TensorFlow as far as `setup` and `fix_seeds` use it: starting the real one takes seconds."""

    def __init__(self, gpus: list[str], error: Exception | None = None) -> None:
        super().__init__("tensorflow")
        self.deterministic = False

        def list_physical_devices(kind: str) -> list[str]:
            if error is not None:
                raise error
            return gpus if kind == "GPU" else ["/CPU:0"]

        def enable_op_determinism() -> None:
            self.deterministic = True

        experimental = types.SimpleNamespace(enable_op_determinism=enable_op_determinism)
        self.config = types.SimpleNamespace(list_physical_devices=list_physical_devices, experimental=experimental)


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> FakeTensorFlow:
    fake = FakeTensorFlow([])
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    return fake


def make_root(folder: Path, images: int = 3, photos: int = 3) -> Path:
    year = folder / "VOCdevkit" / "VOC2007"
    (year / "Annotations").mkdir(parents=True)
    (year / "JPEGImages").mkdir()
    for i in range(images):
        (year / "Annotations" / f"{i}.xml").write_text(
            f"<annotation><filename>{i}.jpg</filename><size><width>9</width><height>9</height></size><object>"
            "<name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>"
            "</object></annotation>"
        )
        if i < photos:
            (year / "JPEGImages" / f"{i}.jpg").touch()
    return folder / "VOCdevkit"


def make_representations(path: Path, rows: int, **attributes: str) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("reprs", (rows, 7, 7, 2048), dtype="float16", compression="gzip")
        file.attrs.update(attributes)
    return path


class TestVersions:
    def test_versions_are_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        report = setup()
        printed = capsys.readouterr().out
        assert list(report.versions) == ["python", "tensorflow", "keras", "numpy", "h5py", "scikit-image"]
        assert report.versions["numpy"] == metadata.version("numpy")
        assert all(f"{name:14}{version}" in printed for name, version in report.versions.items())

    @pytest.mark.parametrize("distribution", ["tensorflow", "tensorflow-cpu"])
    def test_tensorflow_is_found_under_either_name(self, monkeypatch: pytest.MonkeyPatch, distribution: str) -> None:
        def version(name: str) -> str:
            if name.startswith("tensorflow") and name != distribution:
                raise metadata.PackageNotFoundError(name)
            return "1.2.3"

        monkeypatch.setattr(metadata, "version", version)
        assert setup().versions["tensorflow"] == "1.2.3"

    def test_missing_package_is_named_with_its_remedy(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def version(name: str) -> str:
            if name in ("h5py", "scikit-image"):
                raise metadata.PackageNotFoundError(name)
            return "1.2.3"

        monkeypatch.setattr(metadata, "version", version)
        report = setup()
        assert report.versions["h5py"] is None
        assert not report.ok
        assert "pip install h5py scikit-image" in capsys.readouterr().out


class TestGpu:
    def test_missing_gpu_is_no_problem_but_explained(self, capsys: pytest.CaptureFixture[str]) -> None:
        report = setup()
        assert report.gpu is False
        assert report.ok
        assert "Runtime > Change runtime type" in capsys.readouterr().out

    def test_gpu_is_seen(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setitem(sys.modules, "tensorflow", FakeTensorFlow(["/GPU:0"]))
        assert setup().gpu is True
        assert "Change runtime type" not in capsys.readouterr().out

    @pytest.mark.parametrize("broken", [None, FakeTensorFlow([], RuntimeError("no such driver"))])
    def test_broken_tensorflow_is_survived(
        self, monkeypatch: pytest.MonkeyPatch, broken: FakeTensorFlow | None
    ) -> None:
        monkeypatch.setitem(sys.modules, "tensorflow", broken)  # None makes the import fail
        report = setup()
        assert report.gpu is None
        assert "TensorFlow does not start" in report.problems[0]


class TestData:
    def test_nothing_is_looked_at_unless_asked(self) -> None:
        report = setup()
        assert report == SetupReport(report.versions, False, None, None, (), None, None, ())

    def test_complete_data_is_called_complete(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        representations = make_representations(tmp_path / "voc_representations.h5", 3)
        report = setup(make_root(tmp_path), representations)
        assert (report.annotation_files, report.usable_images, report.missing_photos) == (3, 3, ())
        assert report.representations_shape == (3, 7, 7, 2048)
        assert report.representations_key == "voc2007/resnet50-published"
        assert report.ok
        printed = capsys.readouterr().out
        assert "3 usable, 3 annotation files" in printed
        assert "All is in place." in printed

    def test_missing_photographs_are_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        report = setup(make_root(tmp_path, images=4, photos=3))
        assert report.usable_images == 3
        assert report.missing_photos == ("3.jpg",)
        assert report.ok  # one can work without a few
        assert "missing and left out: 3.jpg" in capsys.readouterr().out

    def test_no_photographs_at_all_are_a_problem(self, tmp_path: Path) -> None:
        report = setup(make_root(tmp_path, photos=0))
        assert report.usable_images == 0
        assert "no usable images" in report.problems[0]

    def test_missing_data_is_explained(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        report = setup(tmp_path / "VOCdevkit", tmp_path / "voc_representations.h5")
        assert report.annotation_files is report.representations_shape is None
        assert not report.ok
        printed = capsys.readouterr().out
        assert "To do: No annotations" in printed
        assert "fetch_voc2007()" in printed
        assert "fetch_representations()" in printed
        assert "All is in place" not in printed

    def test_damaged_data_is_explained(self, tmp_path: Path) -> None:
        root = make_root(tmp_path)
        (root / "VOC2007" / "Annotations" / "0.xml").write_text("<annotation>")
        (tmp_path / "r.h5").write_text("<html>")
        report = setup(root, tmp_path / "r.h5")
        assert len(report.problems) == 2
        assert "0.xml: not readable as XML" in report.problems[0]
        assert "not a complete HDF5 file" in report.problems[1]
        assert "Delete the file and call fetch_representations()" in report.problems[1]

    def test_key_is_read_from_the_file(self, tmp_path: Path) -> None:
        path = make_representations(tmp_path / "r.h5", 3, data_set="sample", representation="descriptors-v1")
        assert setup(representations=path).representations_key == "sample/descriptors-v1"

    def test_rows_without_names_that_fit_no_images_are_noticed(self, tmp_path: Path) -> None:
        """Field note 8: the published file has a row for every photograph, missing here or not."""
        root = make_root(tmp_path, images=4, photos=3)
        path = make_representations(tmp_path / "r.h5", 4)
        report = setup(root, path)
        assert "4 rows, without file names, for 3 usable images" in report.problems[0]
        with h5py.File(path, "a") as file:
            file["filenames"] = [f"{i}.jpg" for i in range(4)]
        assert setup(root, path).ok

    @pytest.mark.voc
    @pytest.mark.skipif(not VOC.is_dir(), reason=f"no photographs at {VOC}")
    def test_real_photographs_are_usable(self) -> None:
        report = setup(VOC)
        assert report.ok
        assert report.annotation_files == 5011
        assert report.usable_images == 1264 - len(report.missing_photos)


class TestFixSeeds:
    def test_seeds_and_deterministic_operations_are_set(
        self, monkeypatch: pytest.MonkeyPatch, no_gpu: FakeTensorFlow
    ) -> None:
        seeds: list[int] = []
        keras = types.ModuleType("keras")
        keras.utils = types.SimpleNamespace(set_random_seed=seeds.append)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "keras", keras)
        fix_seeds()
        fix_seeds(7)
        monkeypatch.setenv("COURSE_SEED", "2")
        fix_seeds(7)
        assert seeds == [0, 7, 9]
        assert no_gpu.deterministic

    @pytest.mark.slow
    def test_same_seed_gives_the_same_model(self) -> None:
        code = """
import keras, numpy as np
from helpers.environment import fix_seeds
def train(seed):
    fix_seeds(seed)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.ones((64, 8)), np.random.rand(64), epochs=2, batch_size=8, verbose=0)
    return model.get_weights()[0].tolist()
first = train(3)
print(first == train(3), first == train(4))
"""
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.split() == ["True", "False"]


def test_chatter_of_tensorflow_while_it_is_loaded_stays_away() -> None:
    """Below Python: what goes to the process's own standard error."""
    code = """
import os, sys, types
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

class Chatty(MetaPathFinder, Loader):
    def find_spec(self, name, path, target=None):
        return ModuleSpec(name, self) if name == "tensorflow" else None
    def exec_module(self, module):
        os.write(2, b"I0000 oneDNN custom operations are on.\\n")
        module.config = types.SimpleNamespace(list_physical_devices=lambda kind: [])

sys.meta_path.insert(0, Chatty())
from helpers import setup
setup()
os.write(2, b"later\\n")
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stderr == "later\n"
    assert "GPU           no" in run.stdout


def test_versions_are_told_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    setup()
    assert "tensorflow" in capsys.readouterr().out
    setup(make_root(tmp_path))
    assert "tensorflow" not in capsys.readouterr().out
