"""Versions of packages and of our own code, on which a grade can depend beside the submission."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from grading.common.files import hash_of

_THAT_MATTER = (
    "tensorflow", "tensorflow-cpu", "keras", "numpy", "h5py", "scikit-image", "scipy", "ipykernel", "ipython"
)  # fmt: skip


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages whose results a grade can depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _THAT_MATTER:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def our_code() -> str:
    """Hash every file of this package: what it makes of a hand-in may change with any of them."""
    package = Path(__file__).parents[1]
    files = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return hash_of([(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8")) for path in files])
