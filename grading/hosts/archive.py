"""The archive that Gradescope builds its container from: the course, how it is installed, and what grades.

Gradescope unpacks it into `/autograder/source`, runs `setup.sh` once as root, then `run_autograder` for each
submission, which lies in `/autograder/submission`; the result is read from `/autograder/results/results.json`.
"""

import io
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path

from grading.common.files import write_atomically
from grading.config import CONFIG_FILE, course_directory, load_config
from grading.errors import GradingError

_OUR_OWN = ("grading", "helpers", "requirements", "pyproject.toml", "README.md", "tools/install_bubblewrap.sh")
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", "planted"}
_EPOCH = (2020, 2, 2, 0, 0, 0)

_SETUP = """\
#!/usr/bin/env bash
# Installs the course and what its grading needs; runs once, when Gradescope builds the container.
set -euo pipefail
cd /autograder/source
apt-get update -qq
apt-get install -y -qq python3 python3-venv
sh tools/install_bubblewrap.sh
python3 -m venv /autograder/venv
/autograder/venv/bin/pip install -q uv
/autograder/venv/bin/uv pip install -q --python /autograder/venv/bin/python --no-deps -r requirements/lock.txt
/autograder/venv/bin/uv pip install -q --python /autograder/venv/bin/python --no-deps -e .
"""
_RUN = """\
#!/usr/bin/env bash
# Grades one submission. Exit status 1, and no result, where the machine is at fault: Gradescope says so then.
set -uo pipefail
cd /autograder/source
PATH=/autograder/venv/bin:$PATH course grade-one /autograder/submission --assignment {assignment} \\
  --allow-no-sandbox --host gradescope --result /autograder/results/results.json
status=$?
[ "$status" -eq 3 ] || exit "$status"  # a refusal is a result
"""


def write_gradescope_archive(repository: Path, assignment: str, target: Path) -> None:
    """Write the archive of an assignment; it appears whole or not at all. Same course, same bytes.

    Planted submissions and hand-ins stay at home. Raises GradingError for an unknown assignment.
    """
    source = repository / course_directory(load_config(repository), "source") / assignment
    if not source.is_dir():
        raise GradingError(f"there is no assignment {assignment!r} in {source.parent}")
    scripts = {"setup.sh": _SETUP, "run_autograder": _RUN.format(assignment=shlex.quote(assignment))}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in scripts.items():
            _add(archive, name, text.encode(), 0o755)
        for path in _files(repository, source):
            _add(archive, path.relative_to(repository).as_posix(), path.read_bytes(), 0o644)
    write_atomically(target, content.getvalue())


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = (0o100000 | mode) << 16
    archive.writestr(info, content, zipfile.ZIP_DEFLATED)


def _files(repository: Path, source: Path) -> Iterator[Path]:
    for root in (repository / CONFIG_FILE, source, *(repository / name for name in _OUR_OWN)):
        found = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in found:
            if path.is_file() and not _LEFT_OUT & set(path.relative_to(repository).parts):
                yield path
