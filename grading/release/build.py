"""Building what students get: `release/<assignment>/`, from `source/<assignment>/`.

The steps are nbgrader's `generate_assignment` with this course's preprocessors. The new release is made in a
folder of its own and takes the old one's place only when everything is right.
"""

import logging
import tempfile
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading.config import PUBLIC, load_config, quiet_logger
from grading.errors import ReleaseError
from grading.release.twin import check_in_step
from grading.release.wheel import wheel_name

log = logging.getLogger(__name__)


def build_release(course_dir: Path, assignment: str, db_url: str | None = None) -> Path:
    """Build an assignment's release and return its folder.

    Args:
        course_dir: The folder that holds nbgrader_config.py, `source/` and `helpers/`.
        assignment: A folder of `source/`.
        db_url: The gradebook to enter the assignment in, as nbgrader's `generate_assignment` does, so that
            it can be graded. By default none.

    Raises:
        ReleaseError: Something is wrong; it lists every problem found, and the old release stays as it was.
    """
    course_dir = Path(course_dir).resolve()
    source = _source_folder(course_dir, assignment)
    check_in_step(source / f"{assignment}.py", source / f"{assignment}.ipynb")
    target = course_dir / "release" / assignment
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as scratch:
        _generate(_configure(course_dir, assignment, Path(scratch), db_url))
        built = Path(scratch) / "new" / assignment
        _check_files(built, release_files(course_dir, assignment))
        _swap(built, target, Path(scratch) / "old")
    log.info("built %s", target)
    return target


def release_files(course_dir: Path, assignment: str) -> list[str]:
    """List the files of a release, relative to its folder: notebook, wheel and what `public/` holds."""
    source = course_dir / "source" / assignment
    public = [path.relative_to(source).as_posix() for path in (source / PUBLIC).rglob("*") if path.is_file()]
    return sorted([f"{assignment}.ipynb", wheel_name(course_dir / "helpers"), *public])


class _Generate(GenerateAssignment):
    """nbgrader's converter, which only logs what went wrong, with a memory of it."""

    failure: Exception | None = None

    def convert_single_notebook(self, notebook_filename: str) -> None:
        try:
            super().convert_single_notebook(notebook_filename)
        except Exception as error:
            self.failure = error
            raise


def _source_folder(course_dir: Path, assignment: str) -> Path:
    known = sorted(path.name for path in (course_dir / "source").glob("*/"))
    if assignment not in known:
        raise ReleaseError(f"no assignment {assignment!r} in source/: there is {', '.join(known) or 'none'}")
    return course_dir / "source" / assignment


def _configure(course_dir: Path, assignment: str, scratch: Path, db_url: str | None) -> Config:
    config = load_config(course_dir)
    config.CourseDirectory.root = str(course_dir)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.release_directory = str(scratch / "new")
    config.GenerateAssignment.force = True
    if db_url is not None:
        config.CourseDirectory.db_url = db_url
    else:  # making a new gradebook takes nbgrader seconds
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    return config


def _generate(config: Config) -> None:
    quiet, lines = quiet_logger()
    coursedir = CourseDirectory(config=config, log=quiet)
    converter = _Generate(coursedir=coursedir, config=config, log=quiet)
    try:
        converter.start()
    except NbGraderException as error:
        if isinstance(converter.failure, ReleaseError):
            raise converter.failure from None
        reason = converter.failure or error
        raise ReleaseError(f"nbgrader could not make the release: {reason}", lines.getvalue()) from error


def _check_files(folder: Path, expected: list[str]) -> None:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    problems = [f"{name} would be given to students" for name in sorted(found - set(expected))]
    problems += [f"{name} is missing from the release" for name in expected if name not in found]
    if problems:
        raise ReleaseError(*problems)


def _swap(built: Path, target: Path, aside: Path) -> None:
    if target.exists():
        target.rename(aside)
    try:
        built.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
