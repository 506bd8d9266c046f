"""A hand-in put where the course looks for it: `submitted/<student>/<assignment>/`, with the time of its receipt."""

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from grading.common.files import write_atomically
from grading.common.names import TIMESTAMP, is_student_id
from grading.errors import GradingError
from grading.service.content import path_of
from grading.service.packages import is_package, unpacked
from grading.service.queue import HandIn

STAGING = ".handing-in"
"""In `submitted/`: hand-ins on the way to their places."""


def place(folder: Path, submitted: Path, one: HandIn, names: Sequence[str]) -> None:
    """Put a stored hand-in into `submitted/` under the notebooks' own names; what was there before is gone afterwards.

    Can be repeated. Raises GradingError if it cannot be put there.
    """
    if not is_student_id(one.student):
        raise GradingError(f"{one.student!r} cannot be a folder's name: nothing of theirs can be graded")
    target = submitted / one.student / one.assignment
    staging = submitted / STAGING
    new, old = staging / one.id, staging / f"{one.id}-old"
    try:
        if target.parent.is_symlink() or target.is_symlink():
            raise GradingError(f"{target} is a link: remove it, hand-ins are placed there")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        content = path_of(folder, one.sha256).read_bytes()
        for name, notebook in (unpacked(content, names) if is_package(content) else {names[0]: content}).items():
            write_atomically(new / name, notebook)
            os.utime(new / name, (one.received, one.received))
        when = datetime.fromtimestamp(one.received, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        write_atomically(new / TIMESTAMP, f"{when}\n")
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise GradingError(f"{target} could not be written: {error.strerror or error}") from error
