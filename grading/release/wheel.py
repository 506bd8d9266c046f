"""The wheel of the students' library that goes into a release."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from grading.errors import ReleaseError

EPOCH = "1580601600"  # 2020-02-02: the date inside the wheel, so that every build gives the same bytes
VERSION = re.compile(r"""^__version__ = ["'](?P<version>[^"']+)["']""", re.MULTILINE)


def is_library(helpers_dir: Path) -> bool:
    """Return whether a folder is a students' library from which a wheel can be built: hatchling's, with a version."""
    source = helpers_dir / "__init__.py"
    backend = _project(helpers_dir).get("build-system", {}).get("build-backend")
    has_version = source.is_file() and VERSION.search(source.read_text(encoding="utf-8")) is not None
    return bool(has_version and backend == "hatchling.build")


def wheel_name(helpers_dir: Path) -> str:
    """Return the file name of the wheel that `build_wheel` makes. Raises ReleaseError where no version is said."""
    source = helpers_dir / "__init__.py"
    match = VERSION.search(source.read_text(encoding="utf-8")) if source.is_file() else None
    if match is None:
        raise ReleaseError(f"{source} says no __version__")
    name = _project(helpers_dir).get("project", {}).get("name", "course-helpers")
    return f"{re.sub(r'[-_.]+', '_', name).lower()}-{match['version']}-py3-none-any.whl"


def build_wheel(helpers_dir: Path, out_dir: Path) -> Path:
    """Build the wheel of `helpers_dir` in `out_dir`, offline, with the same bytes on every run."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out_dir.resolve())]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    result = subprocess.run(command, cwd=helpers_dir, env=environment, capture_output=True, text=True)
    wheel = out_dir / wheel_name(helpers_dir)
    if result.returncode != 0 or not wheel.is_file():
        raise ReleaseError(f"the wheel of {helpers_dir} was not built:\n{result.stdout}{result.stderr}")
    return wheel


def _project(helpers_dir: Path) -> dict[str, Any]:
    """Read a pyproject.toml; empty if there is none that can be read."""
    try:
        return tomllib.loads((helpers_dir / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
