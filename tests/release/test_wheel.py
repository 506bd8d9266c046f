"""The students' wheel is the library alone, and the same on every build."""

import os
import re
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from notebooks import ROOT

from grading.errors import ReleaseError
from grading.release.wheel import build_wheel, wheel_name


@pytest.fixture
def helpers(tmp_path: Path) -> Path:
    """A library with things lying about that students do not need."""
    folder = tmp_path / "helpers"
    for name in ("__pycache__", "tests", "sub"):
        (folder / name).mkdir(parents=True)
    (folder / "pyproject.toml").write_bytes((ROOT / "helpers" / "pyproject.toml").read_bytes())
    (folder / "__init__.py").write_text('"""Library."""\n\n__version__ = "1.2.3"\n')
    (folder / "py.typed").touch()
    for name in ("boxes.py", "sub/__init__.py", "tests/test_boxes.py", "__pycache__/boxes.pyc", "notes.txt"):
        (folder / name).write_text("x = 1\n")
    return folder


def members(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_wheel_holds_the_library_alone(helpers: Path, tmp_path: Path) -> None:
    wheel = build_wheel(helpers, tmp_path / "out")
    assert wheel == tmp_path / "out" / "course_helpers-1.2.3-py3-none-any.whl"
    names = ("__init__.py", "boxes.py", "py.typed", "sub/__init__.py")
    assert members(wheel) == {f"helpers/{name}" for name in names}


def test_wheel_is_the_same_whatever_the_files_dates_and_modes(
    helpers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_wheel(helpers, tmp_path / "1").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    for path in helpers.rglob("*"):
        os.utime(path, (10**9, 10**9))
        path.chmod(0o700 if path.is_dir() else 0o600)
    old_umask = os.umask(0o077)
    try:
        assert build_wheel(helpers, tmp_path / "2").read_bytes() == first
    finally:
        os.umask(old_umask)


def test_building_leaves_the_library_as_it_was(helpers: Path, tmp_path: Path) -> None:
    before = sorted(helpers.rglob("*"))
    build_wheel(helpers, tmp_path / "out")
    assert sorted(helpers.rglob("*")) == before


def test_library_without_a_version_is_refused(helpers: Path) -> None:
    (helpers / "__init__.py").write_text("")
    with pytest.raises(ReleaseError, match="says no __version__"):
        wheel_name(helpers)


def test_failed_build_is_told(helpers: Path, tmp_path: Path) -> None:
    (helpers / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ReleaseError, match="was not built"):
        build_wheel(helpers, tmp_path / "out")


class TestThisCourse:
    def test_wheel_holds_every_module(self, tmp_path: Path) -> None:
        wheel = build_wheel(ROOT / "helpers", tmp_path)
        modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "helpers").rglob("*.py")}
        assert members(wheel) == modules | {"helpers/py.typed", "helpers/sample/backbone.npz"}
        with zipfile.ZipFile(wheel) as archive:
            [metadata] = [name for name in archive.namelist() if name.endswith("METADATA")]
            assert Parser().parsestr(archive.read(metadata).decode())["Name"] == "course-helpers"

    def test_bounds_are_those_of_the_course(self) -> None:
        def bounds(path: Path) -> set[str]:
            return set(tomllib.loads(path.read_text())["project"]["dependencies"])

        students = bounds(ROOT / "helpers" / "pyproject.toml")
        assert students <= bounds(ROOT / "pyproject.toml")
        assert {re.split(">=", bound)[0] for bound in students} == {
            *("tensorflow", "numpy", "h5py", "scikit-image", "matplotlib"),
            *("pillow", "pooch", "requests", "tqdm"),
        }


def test_released_wheel_holds_the_library_as_it_is_now() -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "helpers").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for wheel in (ROOT / "release").glob("*/*.whl"):
        assert members(wheel) == files - {"helpers/pyproject.toml"}, "build the release again"
        with zipfile.ZipFile(wheel) as archive:
            for name in members(wheel):
                assert archive.read(name) == (ROOT / name).read_bytes(), f"{name}: build the release again"
