"""What was executed, kept by content: nothing that has not changed runs twice."""

import hashlib
import json
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from grading.execute import Cell, Executed, Limits
from grading.kernel import INSIDE, Surroundings
from grading.questions import Question
from grading.sandbox import Isolation

log = logging.getLogger(__name__)

_VERSIONS_THAT_MATTER = (
    "tensorflow", "tensorflow-cpu", "keras", "numpy", "h5py", "scikit-image", "scipy", "ipykernel", "ipython"
)  # fmt: skip


class Store:
    """A folder of results, each in one file under the hash of everything it depends on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, key: str) -> bool:
        return self._path(key).is_file()

    def get(self, key: str) -> Executed | None:
        """What was stored under a key, or None."""
        try:
            return Executed.from_json(json.loads(self._path(key).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            log.warning("%s is damaged (%s) and was removed: the next run makes it anew", self._path(key), error)
            self._path(key).unlink(missing_ok=True)
            return None

    def put(self, key: str, executed: Executed) -> None:
        """Store a result; a reader sees all of it or nothing."""
        write_atomically(self._path(key), json.dumps(executed.to_json()))

    def stamp(self, key: str) -> tuple[int, int] | None:
        """What changes when a result is stored anew: when and where its file was written; None if there is none."""
        try:
            stat = self._path(key).stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_ino

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def write_atomically(path: Path, text: str) -> None:
    """Write a file under a temporary name, then rename it: whoever reads sees the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".new-", delete=False, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def code_hash(cells: Sequence[Cell], inlined: frozenset[str]) -> str:
    """Hash of the cells that run. `inlined` are ids of demonstrations that hold thresholds: they may change."""
    return hash_of([(cell.id, None if cell.id in inlined else cell.source, cell.demo) for cell in cells])


def job_parts(
    code: str, extras: str, data: str, around: Surroundings, limits: Limits, isolation: Isolation
) -> dict[str, str]:
    """What an execution depends on, each part as a hash; `job_key` makes one of them.

    Args:
        code: `code_hash` of the cells.
        extras: `fingerprint` of what else was handed in.
        data: `fingerprint` of the data as students see it.
        around: Its paths do not count, their contents do.
        limits: Limits of the execution.
        isolation: What stands around it.
    """
    variables = sorted(around.variables.items())
    return {
        "code": code,
        "questions": around.questions.name,
        "data": data,
        "other files": extras,
        "seed": hash_of([around.seed, variables, around.gpu is not None]),
        "limits": hash_of(asdict(limits)),
        "isolation": hash_of(isolation),
        "environment": environment_hash(around.helpers),
    }


def job_key(parts: Mapping[str, str]) -> str:
    """The name under which the result of an execution is stored."""
    return hash_of(dict(parts))


def write_questions(questions: Sequence[Question], folder: Path) -> Path:
    """Write what goes into the sandbox, `<n>.json` and `<n>.npz`, to a folder named by its content."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(json.dumps([question.name, question.code, question.several]).encode())
        for case in question.cases:
            for name, array in case.items():
                digest.update(json.dumps([name, str(array.dtype), array.shape]).encode())
                digest.update(np.ascontiguousarray(array).tobytes())
            digest.update(b"|")
    return built_once(folder / digest.hexdigest(), lambda target: _write_questions(questions, target))


def _write_questions(questions: Sequence[Question], target: Path) -> None:
    for index, question in enumerate(questions):
        described = {
            "name": question.name,
            "code": question.code,
            "several": question.several,
            "cases": [list(case) for case in question.cases],
        }
        (target / f"{index}.json").write_text(json.dumps(described), encoding="utf-8")
        arrays = {f"{n}/{name}": array for n, case in enumerate(question.cases) for name, array in case.items()}
        np.savez(target / f"{index}.npz", **arrays)  # type: ignore[arg-type]


def built_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """A folder that `build` fills, unless it is there already; it is there whole or not at all."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
            target = Path(scratch) / "built"
            target.mkdir()
            build(target)
            try:
                target.rename(folder)
            except OSError:
                if not folder.is_dir():  # else someone else was first
                    raise
    return folder


def fingerprint(files: Mapping[str, Path], cache_folder: Path) -> str:
    """Hash of files and folders by name: of the contents of files, of names, sizes and times in folders."""
    return hash_of([(name, _content(path, cache_folder)) for name, path in sorted(files.items())])


def _content(path: Path, cache_folder: Path) -> str:
    stat = path.stat()
    if path.is_dir():
        with os.scandir(path) as entries:
            listed = sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in entries)
        return hash_of(listed)
    noted = cache_folder / hash_of([str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino])
    if noted.is_file():
        return noted.read_text(encoding="ascii")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    write_atomically(noted, digest)
    return digest


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages whose results a grade can depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _VERSIONS_THAT_MATTER:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def environment_hash(helpers: Path) -> str:
    """Hash of the versions, of the students' library and of what runs beside student code."""
    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    for path in [*sorted(helpers.glob("*.py")), *sorted(INSIDE.glob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def hash_of(value: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_json(path: Path) -> Any:
    """A JSON file's content."""
    return json.loads(path.read_text(encoding="utf-8"))
