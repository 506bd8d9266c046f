"""A stored result depends on all that student code can use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from grading.common import versions
from grading.execution import store
from grading.execution.store import environment_hash


@pytest.fixture
def helpers(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "helpers"
    (folder / "sample").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "sample" / "backbone.npz").write_bytes(b"weights")
    yield folder
    environment_hash.cache_clear()


@pytest.mark.parametrize("name", ["sample/backbone.npz", "sample/new.py", "__init__.py"])
def test_any_file_of_the_students_library_counts(helpers: Path, name: str) -> None:
    before = environment_hash(helpers)
    environment_hash.cache_clear()
    (helpers / name).write_bytes(b"other")
    assert environment_hash(helpers) != before


def test_compiled_python_does_not_count(helpers: Path) -> None:
    before = environment_hash(helpers)
    environment_hash.cache_clear()
    (helpers / "__pycache__").mkdir()
    (helpers / "__pycache__" / "new.pyc").write_bytes(b"")
    assert environment_hash(helpers) == before


def test_code_that_runs_beside_student_code_counts(
    helpers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.setattr(store, "INSIDE", tmp_path / "inside")
    before = environment_hash(helpers)
    environment_hash.cache_clear()
    (tmp_path / "inside" / "kernel.py").write_text("")
    assert environment_hash(helpers) != before


@pytest.mark.parametrize("name", ["pages/templates/style.css", "sandbox/inside/kernel.py", "errors.py"])
def test_any_file_of_grading_counts_as_our_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Path.read_text

    def noting(path: Path, *given: object, **named: object) -> str:
        read.append(path.as_posix())
        return real(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", noting)
    versions.our_code.cache_clear()
    versions.our_code()
    assert any(path.endswith(f"grading/{name}") for path in read)
