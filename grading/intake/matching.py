"""Notebooks handed in, matched to those of an assignment that has several.

By name first: exactly, then with what students, browsers and learning management systems add (`problem1 (1).ipynb`,
`problem1-Copy1.ipynb`, `Doe_Jane_123_problem1.ipynb`), then by content: the most cells of the course.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grading.common.text import quoted
from grading.intake.files import HandInFile, quoted_list

_ADDED = re.compile(
    r"(?:[ _.-]*\(\d{1,3}\)|[ _-]+copy(?:[ _-]?\(?\d{1,3}\)?)?|[ _-]+(?:final|new|solved|solution|v?\d{1,2}))$",
    re.IGNORECASE,
)
"""What is put behind a name: by browsers, by Jupyter, by people."""
_BEFORE = re.compile(r"^(?:copy[ _-]of[ _-]+)", re.IGNORECASE)
_SEPARATORS = " _-.+,;#~"


@dataclass(frozen=True)
class Expected:
    """A notebook of the assignment: its name without `.ipynb`, and the grade ids and cell ids of its cells."""

    name: str
    marks: frozenset[str] = frozenset()

    @property
    def file_name(self) -> str:
        """Return its file name."""
        return f"{self.name}.ipynb"


@dataclass(frozen=True)
class Matched:
    """Files by the name of the notebook that they stand for, and what is said of that."""

    files: Mapping[str, HandInFile]
    repairs: Mapping[str, tuple[str, ...]]
    """By the name of the notebook."""
    rest: tuple[str, ...]
    """Names of the files that stand for none."""


def match(
    files: Sequence[HandInFile], expected: Sequence[Expected], marks_of: Callable[[HandInFile], Collection[str]]
) -> Matched:
    """Find the file of each expected notebook; `marks_of` reads the grade ids and cell ids of one, or nothing."""
    found: dict[str, HandInFile] = {}
    repairs: dict[str, tuple[str, ...]] = {}
    ways: Sequence[tuple[str, Callable[[Sequence[HandInFile], Sequence[Expected]], dict[str, HandInFile]]]] = (
        ("", lambda free, missing: _by_name(free, missing, _exactly)),
        ("The notebook was handed in as {}, not as {}: it was taken.", lambda f, m: _by_name(f, m, _nearly)),
        ("{} holds the cells of {}: it was taken for it.", lambda f, m: _by_content(f, m, marks_of)),
    )
    for said, way in ways:
        free = [file for file in files if file not in found.values()]
        missing = [item for item in expected if item.name not in found]
        for name, file in (way(free, missing) if free and missing else {}).items():
            found[name] = file
            repairs[name] = (said.format(quoted(file.name), quoted(f"{name}.ipynb")),) if said else ()
    return Matched(found, repairs, tuple(sorted(file.name for file in files if file not in found.values())))


def left_aside(rest: Sequence[str]) -> list[str]:
    """Say which notebooks stand for none of the assignment's."""
    return [f"Notebooks that are none of the assignment's: {quoted_list(rest)} left aside."] if rest else []


def _stem(file: HandInFile) -> str:
    return PurePosixPath(file.name).name[: -len(".ipynb")]


def _by_name(
    files: Sequence[HandInFile],
    expected: Sequence[Expected],
    fits: Callable[[HandInFile, Sequence[Expected]], Expected | None],
) -> dict[str, HandInFile]:
    found: dict[str, HandInFile] = {}
    for file in files:
        wanted = fits(file, expected)
        if wanted and _is_better(file, found.get(wanted.name)):
            found[wanted.name] = file
    return found


def _exactly(file: HandInFile, expected: Sequence[Expected]) -> Expected | None:
    return next((item for item in expected if PurePosixPath(file.name).name == item.file_name), None)


def _nearly(file: HandInFile, expected: Sequence[Expected]) -> Expected | None:
    """Return the notebook with the longest name that a file's may have been made from."""
    fitting = [item for item in expected if _made_from(_stem(file), item.name)]
    return max(fitting, key=lambda item: len(item.name), default=None)


def _made_from(stem: str, name: str) -> bool:
    """Return whether a stem is a name with something added before or behind, in whatever case."""
    stem, name = _BEFORE.sub("", stem.strip()).casefold(), name.casefold()
    while True:
        if stem == name or (stem.endswith(name) and stem[-len(name) - 1] in _SEPARATORS):
            return True
        shorter = _ADDED.sub("", stem)
        if shorter in (stem, ""):
            return False
        stem = shorter


def _is_better(file: HandInFile, other: HandInFile | None) -> bool:
    """Return whether a file is nearer to the top than another of the same name, or as near and newer."""
    return other is None or (-file.depth, file.mtime, file.name) > (-other.depth, other.mtime, other.name)


def _by_content(
    files: Sequence[HandInFile], expected: Sequence[Expected], marks_of: Callable[[HandInFile], Collection[str]]
) -> dict[str, HandInFile]:
    """Pair notebooks and files that share most marks, the best pair first."""
    marks = {file: set(marks_of(file)) for file in files}
    pairs = [
        (len(item.marks & marks[file]), -file.depth, file.mtime, item.name, file) for item in expected for file in files
    ]
    found: dict[str, HandInFile] = {}
    for shared, _, _, name, file in sorted(pairs, key=lambda pair: pair[:4], reverse=True):
        if shared and name not in found and file not in found.values():
            found[name] = file
    return found
