"""The notebooks in what a student handed in. Nothing here is believed, followed, unpacked onto disk or run.

A hand-in that cannot be read is refused in one line for people; it never stops the others. Where an assignment has
several notebooks, one that is missing or cannot be read costs only itself.
"""

import contextlib
import io
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from grading.common.names import TIMESTAMP, is_printable, is_student_id
from grading.common.text import clean, quoted
from grading.errors import RefusedError
from grading.intake.archives import ARCHIVES, Pick, notebooks_from_archive
from grading.intake.files import IGNORED, HandInFile, capped, choose, in_bytes, is_notebook, open_regular, quoted_list
from grading.intake.matching import Expected, left_aside, match
from grading.intake.rebuild import marks_in
from grading.options import IntakeLimits

_MAX_DEPTH = 20
_MAX_ARCHIVES = 5


@dataclass(frozen=True)
class HandedNotebook:
    """One notebook of a hand-in, or why there is none."""

    content: bytes | None = None
    name: str = ""
    """File name of what was taken, with the archive it was in."""
    repairs: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True)
class HandIn:
    """One student's hand-in: its notebooks, or why there is none of them."""

    student: str
    notebooks: Mapping[str, HandedNotebook] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the assignment's notebook; all of them, unless the whole hand-in was refused."""
    timestamp: str | None = None
    """First line of `timestamp.txt`."""
    extras: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    """Other regular files, by their path inside the hand-in."""
    repairs: tuple[str, ...] = ()
    refusal: str = ""
    """Why none of it can be graded."""

    @property
    def notebook(self) -> bytes | None:
        """Return the content of the only notebook, if there is one."""
        return next((found.content for found in self.notebooks.values()), None)

    @property
    def name(self) -> str:
        """Return the file name of the only notebook."""
        return next((found.name for found in self.notebooks.values()), "")


@dataclass
class _Folder:
    """Contents of a hand-in."""

    files: list[HandInFile] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """Neither files nor folders, or not readable, or with names that cannot be written."""
    entries: int = 0


def read_hand_in(
    folder: Path, student: str, expected: str | Sequence[Expected], limits: IntakeLimits | None = None
) -> HandIn:
    """Read the hand-in in `folder` (`submitted/<student>/<assignment>`); whatever is wrong with it, nothing is raised.

    `expected` are the assignment's notebooks, or the file name of its only one. One notebook is taken
    whatever its name; several are told apart by name and content.
    """
    limits = limits or IntakeLimits()
    wanted = [Expected(expected.removesuffix(".ipynb"))] if isinstance(expected, str) else list(expected)
    hand_in, repairs = HandIn(student), []
    try:
        _check_student(student, folder)
        found = _list_folder(folder, limits)
        if found.entries > 10 * limits.files:
            raise RefusedError(f"The hand-in holds more than {10 * limits.files} files: hand in the notebook alone.")
        hand_in = replace(hand_in, timestamp=_timestamp(found))
        extras, said = _extras(found, limits)
        repairs += said
        finder = _choose_notebook if len(wanted) == 1 else _choose_notebooks
        notebooks, archive, said = finder(found, wanted, limits)
        repairs += said
        if archive:  # the notebooks came out of it: it is no extra
            extras = {key: path for key, path in extras.items() if clean(key) != archive}
        return replace(
            hand_in,
            notebooks=MappingProxyType(notebooks),
            extras=MappingProxyType(extras),
            repairs=tuple(repairs),
            refusal=_common_refusal(notebooks),
        )
    except RefusedError as refusal:
        return replace(hand_in, repairs=tuple(repairs), refusal=str(refusal))
    except Exception as error:  # whatever one hand-in holds, the others are read
        reason = error.strerror if isinstance(error, OSError) else ""
        words = f"The hand-in could not be read ({clean(reason or type(error).__name__)}): hand it in again."
        return replace(hand_in, repairs=tuple(repairs), refusal=words)


def _common_refusal(notebooks: Mapping[str, HandedNotebook]) -> str:
    """Return why none of the notebooks can be graded; nothing if one can."""
    refusals = {name: found.refusal for name, found in notebooks.items() if found.content is None}
    if len(refusals) < len(notebooks):
        return ""
    return " ".join(dict.fromkeys(refusals.values()))


def _check_student(student: str, folder: Path) -> None:
    if not is_student_id(student):
        raise RefusedError(
            f"The student's folder has an impossible name, {quoted(student)}: rename it to the student's id."
        )
    for path, name in ((folder.parent, student), (folder, f"{student}/{folder.name}")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise RefusedError(
                f"The folder {quoted(name)} is a link, which is never followed: hand in the files themselves."
            )
        if not stat.S_ISDIR(mode):
            raise RefusedError(f"{quoted(name)} is not a folder: hand in a folder with the notebook in it.")


def _list_folder(folder: Path, limits: IntakeLimits) -> _Folder:
    """List the folder, the nearest files first, without following or opening anything."""
    found = _Folder()
    waiting = [(folder, "")]
    for path, prefix in waiting:  # grows while it is read
        try:
            with os.scandir(path) as scan:
                entries = []
                for entry in scan:
                    found.entries += 1
                    if found.entries > 10 * limits.files:
                        return found
                    entries.append(entry)
        except OSError:
            if not prefix:
                raise
            found.odd.append(prefix)
            continue
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = prefix + entry.name
            if entry.name.startswith(".") or entry.name in IGNORED or name == "feedback":
                continue
            if entry.is_symlink():
                found.links.append(name)
            elif not is_printable(entry.name):
                found.odd.append(name)
            elif entry.is_dir(follow_symlinks=False):
                if prefix.count("/") < _MAX_DEPTH:
                    waiting.append((Path(entry.path), f"{name}/"))
                else:
                    found.odd.append(name)
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found.files.append(HandInFile(name, status.st_mtime_ns, status.st_size, Path(entry.path)))
            else:
                found.odd.append(name)
    return found


def _read_hand_in_file(file: HandInFile, limit: int) -> bytes:
    try:
        with io.BufferedReader(open_regular(file.path)) as stream:
            return capped(stream, limit, file.name)
    except OSError as error:
        raise RefusedError(f"{quoted(file.name)} could not be read ({error.strerror}): hand it in again.") from error


def _timestamp(found: _Folder) -> str | None:
    file = next((file for file in found.files if file.name == TIMESTAMP), None)
    if file is None or file.size > 64 * 1024:
        return None
    try:
        lines = _read_hand_in_file(file, 64 * 1024).decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    except RefusedError:
        return None
    return clean(lines[0])[:100] if lines else None


def _extras(found: _Folder, limits: IntakeLimits) -> tuple[dict[str, Path], list[str]]:
    """Return the files beside the notebook that can be read, and remarks on the others."""
    repairs, extras, refused, size = [], {}, [], 0
    if found.links:
        repairs.append(f"Links are never followed: {quoted_list(found.links)} left aside.")
    if found.odd:
        repairs.append(f"Not a readable file or folder: {quoted_list(found.odd)} left aside.")
    others = [file for file in found.files if not is_notebook(file.name) and file.name != TIMESTAMP]
    if found.entries > limits.files:
        repairs.append(f"More than {limits.files} files were handed in: all but the notebook were left aside.")
        return {}, repairs
    for file in sorted(others, key=lambda file: file.name):
        if size + file.size > limits.extras_bytes or not os.access(file.path, os.R_OK, follow_symlinks=False):
            refused.append(file.name)
        else:
            size += file.size
            extras[file.name] = file.path
    if refused:
        repairs.append(
            f"Unreadable, or more than {in_bytes(limits.extras_bytes)} with the others: "
            f"{quoted_list(refused)} left aside."
        )
    return extras, repairs


_Found = tuple[dict[str, HandedNotebook], str, list[str]]
"""Notebooks by name, the archive that they came out of, and what is said of the choice."""


def _choose_notebook(found: _Folder, wanted: Sequence[Expected], limits: IntakeLimits) -> _Found:
    """Return the notebook of a hand-in, where the assignment has one."""
    (only,) = wanted
    expected = only.file_name
    if expected in found.links or expected in found.odd:
        raise _no_file(found, expected)
    notebooks = [file for file in found.files if is_notebook(file.name)]
    if notebooks:
        chosen, repairs = choose(notebooks, expected)
        content = _read_hand_in_file(chosen, limits.notebook_bytes)
        return {only.name: HandedNotebook(content, clean(chosen.name))}, "", repairs

    def pick(members: Sequence[HandInFile]) -> tuple[Sequence[HandInFile], Sequence[str]]:
        chosen, said = choose(members, expected)
        return [chosen], said

    name, unpacked, repairs = _unpacked(found, expected, pick, limits)
    ((file, read),) = unpacked.items()
    if isinstance(read, RefusedError):
        raise read
    return {only.name: HandedNotebook(read, f"{name}: {clean(file.name)}")}, name, repairs


def _choose_notebooks(found: _Folder, wanted: Sequence[Expected], limits: IntakeLimits) -> _Found:
    """Return the notebooks of a hand-in, where the assignment has several."""
    files = [file for file in found.files if is_notebook(file.name)]
    archive = ""
    repairs: list[str] = []
    held: dict[HandInFile, bytes | RefusedError] = {}
    if not files:
        names = " and ".join(item.file_name for item in wanted)
        archive, held, repairs = _unpacked(found, names, lambda members: (members, ()), limits)
        files = list(held)

    def read(file: HandInFile) -> bytes:
        if file not in held:
            try:
                held[file] = _read_hand_in_file(file, limits.notebook_bytes)
            except RefusedError as refusal:
                held[file] = refusal
        content = held[file]
        if isinstance(content, RefusedError):
            raise content
        return content

    def marks_of(file: HandInFile) -> frozenset[str]:
        with contextlib.suppress(RefusedError):
            return marks_in(read(file))
        return frozenset()

    matched = match(files, wanted, marks_of)
    within = f"{archive}: " if archive else ""
    notebooks = {}
    for item in wanted:
        try:
            if item.name not in matched.files:
                raise _missing(found, item.file_name)
            file = matched.files[item.name]
            notebooks[item.name] = HandedNotebook(read(file), within + clean(file.name), matched.repairs[item.name])
        except RefusedError as refusal:
            notebooks[item.name] = HandedNotebook(refusal=str(refusal))
    return notebooks, archive, [*repairs, *left_aside(matched.rest)]


def _missing(found: _Folder, expected: str) -> RefusedError:
    if expected in found.links or expected in found.odd:
        return _no_file(found, expected)
    return RefusedError(f"{quoted(expected)} was not handed in.")


def _no_file(found: _Folder, name: str) -> RefusedError:
    what = "a link, which is never followed" if name in found.links else "not a regular file"
    return RefusedError(f"{quoted(name)} is {what}: hand in the notebook itself.")


def _unpacked(
    found: _Folder, expected: str, pick: Pick, limits: IntakeLimits
) -> tuple[str, dict[HandInFile, bytes | RefusedError], list[str]]:
    """Return the notebooks of the first archive that holds any: its name, the notebooks, and what is said of them."""
    linked = [name for name in found.links + found.odd if is_notebook(name)]
    if linked:
        raise RefusedError(f"{quoted(linked[0])} is a link or not a regular file: hand in the notebook itself.")
    archives = [file for file in found.files if file.name.lower().endswith(ARCHIVES)]
    archives.sort(key=lambda file: (-file.depth, file.mtime, file.name), reverse=True)
    for archive in archives[:_MAX_ARCHIVES]:
        taken = notebooks_from_archive(archive, expected, pick, limits)
        if taken:
            repairs = list(taken.repairs)
            rest = [file.name for file in archives if file is not archive]
            if rest:
                repairs.append(f"Several archives were handed in: {quoted_list(rest)} left aside.")
            return clean(archive.name), dict(taken.notebooks), repairs
    if archives:
        raise RefusedError(
            f"There is no notebook in {quoted_list([a.name for a in archives])}: hand in {quoted(expected)} itself."
        )
    others = [file.name for file in found.files if file.name != TIMESTAMP]
    beside = f", only {quoted_list(others)}" if others else ""
    raise RefusedError(f"There is no notebook in the hand-in{beside}: hand in {quoted(expected)}.")
