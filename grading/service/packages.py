"""Several notebooks of one hand-in: told apart as `course grade` does, and stored as one file, a zip of our own making.

Of a file's name only the last part counts, in a folder of its own that is gone at once; what is kept has the names of
the release.
"""

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.intake.hand_in import read_hand_in
from grading.intake.matching import Expected
from grading.options import IntakeLimits
from grading.service.uploads import NoNotebookError, check_notebook, shown_name

ENDINGS = (".ipynb", ".zip")
_BEGINS = b"PK\x03\x04"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same notebooks are the same bytes, whenever they were handed in."""
_WHO, _WHAT = "student", "hand-in"


@dataclass(frozen=True)
class Package:
    """Notebooks by their names in the release, and those that were not handed in."""

    notebooks: Mapping[str, bytes]
    missing: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Return what is said of it on a receipt."""
        without = f"; without {', '.join(self.missing)}" if self.missing else ""
        return f"{', '.join(self.notebooks)}{without}"


def is_package(content: bytes) -> bool:
    """Return whether what was stored is a package, and no notebook."""
    return content.startswith(_BEGINS)


def packed(notebooks: Mapping[str, bytes]) -> bytes:
    """Return notebooks as one file."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(notebooks):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), notebooks[name], zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def unpacked(content: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Return the notebooks of a package that we made, as far as the assignment still has them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        there = set(archive.namelist())
        return {name: archive.read(name) for name in names if name in there}


def sorted_out(files: Sequence[tuple[str, bytes]], expected: Sequence[Expected], most_bytes: int) -> Package:
    """Find out which file is which notebook: by name, or by what is in it; a zip is looked into.

    Raises NoNotebookError for what is neither notebook nor zip, for two files of one name, and if nothing is left.
    """
    names = [shown_name(name).lstrip(".") for name, _ in files]
    for name in names:
        if not name.lower().endswith(ENDINGS):
            raise NoNotebookError(f"{name} is no notebook: hand in the .ipynb files, or one zip of them.")
        if names.count(name) > 1:
            raise NoNotebookError(f"Two files are called {name}: hand in each notebook once.")
    limits = IntakeLimits(notebook_bytes=most_bytes, archive_bytes=most_bytes, files=100)
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept) / _WHO / _WHAT
        folder.mkdir(parents=True)
        for name, (_, content) in zip(names, files, strict=True):
            try:
                (folder / name).write_bytes(content)
            except OSError as error:
                raise NoNotebookError(f"{name} cannot be read: give it a shorter name.") from error
        found = read_hand_in(folder, _WHO, expected, limits)
    taken = {one.file_name: found.notebooks[one.name] for one in expected if one.name in found.notebooks}
    notebooks = {name: one.content for name, one in taken.items() if one.content is not None}
    if not notebooks:
        raise NoNotebookError(found.refusal or "None of the assignment's notebooks is there.")
    for name, content in notebooks.items():
        try:
            check_notebook(content)
        except NoNotebookError as error:
            raise NoNotebookError(f"{name}: {error}") from error
    return Package(notebooks, tuple(one.file_name for one in expected if one.file_name not in notebooks))
