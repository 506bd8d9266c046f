"""Files beside the masters that are for students. In doubt none: what stays behind is told, with what to do.

nbgrader releases every file that `c.CourseDirectory.ignore` does not name. Here a file is released only if

- it lies in `public/`, or `c.Course.released_files` names it, or
- what students read in the notebooks needs it: names it (`![](plot.png)`, `open("data.csv")`), names its folder
  (`Path("images")`), matches a pattern of theirs (`glob("*.png")`), or imports it.

What hidden tests and solutions name does not count. Notebooks below the folder, text twins, hidden files and the
instructor's own (`INSTRUCTORS`) are never released, and neither is what `c.CourseDirectory.ignore` names.
"""

import ast
import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading.config import INSTRUCTORS, PUBLIC, Course, is_twin

_QUOTED = re.compile(r"""(["'])([^"'\n]+)\1""")
_PLACE = re.compile(r"\{[^{}]*\}")
_PATTERN = re.compile(r".*\*.*\.\w+")
_SUSPECT = re.compile(
    r"(?:^|[^a-z])(?:answer|grading|hidden|instructor|key|label|mark|private|rubric|secret|solution|test|truth)s?"
    r"(?:[^a-z]|$)",
    re.IGNORECASE,
)
"""Names that are likelier the instructor's: to be named themselves, not only their folder or a pattern."""
_LARGEST_TEXT = 1_000_000


@dataclass(frozen=True)
class Beside:
    """Files beside the masters, relative to the assignment's folder, sorted."""

    released: tuple[str, ...]
    kept: tuple[str, ...]
    """Not released, though not plainly the instructor's: for the author to decide."""


@dataclass
class _Wanted:
    """Texts for students and what they need: read once, asked for each file."""

    text: str = ""
    strings: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    """Paths of the files that `import` looks for."""

    def read(self, text: str, is_code: bool, package: tuple[str, ...] = ()) -> None:
        """Take in what a text names; `package` is that of a module, for what it imports from beside itself."""
        self.text += f"\n{text}\n{unquote(text)}"
        if is_code:
            self.strings |= {_PLACE.sub("*", found) for _, found in _QUOTED.findall(text)}
            for parts in _imports(text, package):
                self.modules.add("/".join(parts) + ".py")
                self.modules |= {"/".join(parts[:n]) + "/__init__.py" for n in range(1, len(parts) + 1)}

    def names(self, name: str, is_only_one: bool) -> bool:
        """Return whether a file is named: by its path, or by its last part if no other file has the same."""
        last = name.rpartition("/")[2]
        return name in self.modules or self._says(name) or (is_only_one and self._says(last))

    def holds(self, name: str) -> bool:
        """Return whether a folder or a pattern is named in which the file lies."""
        parts = PurePosixPath(name).parts
        if any(_SUSPECT.search(part) for part in parts):
            return False
        folders = ["/".join(parts[:n]) for n in range(1, len(parts))]
        if any(self._says(f"{folder}/") or folder in self.strings for folder in folders):
            return True
        patterns = [string.removeprefix("./") for string in self.strings if _PATTERN.fullmatch(string)]
        return any(_lies_in(name, pattern) for pattern in patterns)

    def _says(self, name: str) -> bool:
        if "." not in name and "/" not in name:  # too plain a word for prose
            return name in self.strings
        return re.search(rf"(?<![\w/.-])(?:\./)?{re.escape(name)}(?![\w/-]|\.\w)", self.text) is not None


def sort_files(source: Path, texts: Iterable[tuple[str, bool]], config: Config) -> Beside:
    """Decide which files beside the masters are released.

    Args:
        source: The assignment's folder.
        texts: What students read, each with whether it is code.
        config: The course's, with `CourseDirectory.ignore` (globs of names of files and folders),
            `CourseDirectory.include` (globs of names of files) and `Course.released_files` (globs of paths).
    """
    ignore, include = CourseDirectory(config=config).ignore, CourseDirectory(config=config).include
    named = Course(config=config).released_files
    wanted = _Wanted()
    for text, is_code in texts:
        wanted.read(text, is_code)
    open_to_all = [
        name for name in _candidates(source, ignore) if any(fnmatch(Path(name).name, glob) for glob in include)
    ]
    same = Counter(name.rpartition("/")[2] for name in open_to_all)
    released: set[str] = set()
    while new := {
        name
        for name in open_to_all
        if name not in released and _is_wanted(name, wanted, named, same[name.rpartition("/")[2]] == 1)
    }:
        released |= new
        for name in new:  # what a released module needs is needed, too
            if name.endswith(".py"):
                wanted.read(_text_if_small(source / name), True, PurePosixPath(name).parts[:-1])
    return Beside(tuple(sorted(released)), tuple(sorted(set(open_to_all) - released)))


def _is_wanted(name: str, wanted: _Wanted, named: Sequence[str], is_only_one: bool) -> bool:
    if PurePosixPath(name).parts[0] == PUBLIC or any(fnmatch(name, glob) for glob in named):
        return True
    return wanted.names(name, is_only_one) or wanted.holds(name)


def _lies_in(name: str, pattern: str) -> bool:
    """Return whether a path fits a glob, folder by folder."""
    parts, globs = name.split("/"), pattern.split("/")
    if globs[0] == "**":
        parts, globs = parts[-1:], globs[-1:]
    return len(parts) == len(globs) and all(fnmatch(part, glob) for part, glob in zip(parts, globs, strict=True))


def _candidates(source: Path, ignore: Sequence[str]) -> Iterator[str]:
    """Yield the files that may be for students at all."""
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        if not path.is_file() or any(part.startswith(".") for part in parts):
            continue
        if any(fnmatch(part, pattern) for part in parts for pattern in ignore):
            continue
        if any(fnmatch(parts[0], pattern) for pattern in INSTRUCTORS) or path.suffix == ".ipynb" or is_twin(path):
            continue
        yield "/".join(parts)


def _text_if_small(path: Path) -> str:
    if path.stat().st_size > _LARGEST_TEXT:
        return ""
    return path.read_text(encoding="utf-8", errors="replace")


def _imports(code: str, package: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the modules that code imports, in parts; what a `from` names may be one. Magics do not matter."""
    for node in _nodes(code):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = (*start, *(node.module.split(".") if node.module else ()))
            if module:
                yield module
            yield from ((*module, alias.name) for alias in node.names)


def _nodes(code: str) -> Iterator[ast.AST]:
    """Yield the parts of a program; of one that is not Python, of each line that is."""
    try:
        yield from ast.walk(ast.parse(code))
    except (SyntaxError, ValueError):
        for line in code.splitlines():
            with contextlib.suppress(SyntaxError, ValueError):
                yield from ast.walk(ast.parse(line.strip()))
