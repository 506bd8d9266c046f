"""Finding the notebook in what a student handed in. Nothing here is believed, followed, unpacked onto disk or run.

A hand-in that cannot be read is refused in one line for people; it never stops the others.
"""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO

from grading.common.names import TIMESTAMP, is_printable, is_student_id
from grading.common.text import clean, quoted, short_list
from grading.options import MIB, IntakeLimits

ARCHIVES = (".zip", ".tar.gz", ".tgz")
_IGNORED = {"__pycache__", "__MACOSX"}
_MAX_DEPTH = 20
_MAX_DIRECTORY = MIB
"""Longest table of contents of a zip: some twenty thousand members."""
_MAX_ARCHIVES = 5


@dataclass(frozen=True)
class HandIn:
    """One student's hand-in: the notebook, or why there is none."""

    student: str
    notebook: bytes | None = None
    name: str = ""
    """File name of the notebook that was taken, with the archive it was in."""
    timestamp: str | None = None
    """First line of `timestamp.txt`."""
    extras: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    """Other regular files, by their path inside the hand-in."""
    repairs: tuple[str, ...] = ()
    refusal: str = ""


class _RefusedError(ValueError):
    """One line for people."""


@dataclass(frozen=True)
class _File:
    """A file in the hand-in or a member of an archive."""

    name: str
    mtime: int
    size: int
    path: Path = Path()

    @property
    def depth(self) -> int:
        return self.name.count("/")


@dataclass
class _Folder:
    """What lies in a hand-in."""

    files: list[_File] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """Neither files nor folders, or not readable, or with names that cannot be written."""
    entries: int = 0


def find_hand_ins(submitted: Path, assignment: str) -> list[tuple[str, Path]]:
    """Every student with something handed in for an assignment, and its folder, in name order.

    A student whose folder is a link or has an impossible name is listed too: `read_hand_in` refuses it.
    """
    found = []
    try:
        with os.scandir(submitted) as entries:
            for entry in entries:
                folder = Path(entry.path) / assignment
                if entry.is_symlink() or (entry.is_dir(follow_symlinks=False) and _stands_there(folder)):
                    found.append((entry.name, folder))
    except FileNotFoundError:
        return []
    return sorted(found)


def read_hand_in(folder: Path, student: str, expected_name: str, limits: IntakeLimits | None = None) -> HandIn:
    """Read the hand-in in `folder` (`submitted/<student>/<assignment>`); whatever is wrong with it, nothing is raised.

    `expected_name` is the file name of the assignment's notebook.
    """
    limits = limits or IntakeLimits()
    hand_in, repairs = HandIn(student), []
    try:
        _check_student(student, folder)
        found = _look(folder, limits)
        if found.entries > 10 * limits.files:
            raise _RefusedError(f"The hand-in holds more than {10 * limits.files} files: hand in the notebook alone.")
        hand_in = replace(hand_in, timestamp=_timestamp(found))
        extras, said = _extras(found, limits)
        repairs += said
        name, content, said = _notebook(found, expected_name, limits)
        repairs += said
        archive = name.partition(": ")[0]
        if archive.lower().endswith(ARCHIVES):  # the notebook came out of it: it is no extra
            extras = {key: path for key, path in extras.items() if clean(key) != archive}
        return replace(hand_in, notebook=content, name=name, extras=MappingProxyType(extras), repairs=tuple(repairs))
    except _RefusedError as refusal:
        return replace(hand_in, repairs=tuple(repairs), refusal=str(refusal))
    except Exception as error:  # whatever one hand-in holds, the others are read
        reason = error.strerror if isinstance(error, OSError) else ""
        words = f"The hand-in could not be read ({clean(reason or type(error).__name__)}): hand it in again."
        return replace(hand_in, repairs=tuple(repairs), refusal=words)


def _stands_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # unreadable: listed, so that it is refused rather than forgotten
    return True


def _check_student(student: str, folder: Path) -> None:
    if not is_student_id(student):
        raise _RefusedError(
            f"The student's folder has an impossible name, {quoted(student)}: rename it to the student's id."
        )
    for path, name in ((folder.parent, student), (folder, f"{student}/{folder.name}")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise _RefusedError(
                f"The folder {quoted(name)} is a link, which is never followed: hand in the files themselves."
            )
        if not stat.S_ISDIR(mode):
            raise _RefusedError(f"{quoted(name)} is not a folder: hand in a folder with the notebook in it.")


def _look(folder: Path, limits: IntakeLimits) -> _Folder:
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
            if entry.name.startswith(".") or entry.name in _IGNORED or name == "feedback":
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
                found.files.append(_File(name, status.st_mtime_ns, status.st_size, Path(entry.path)))
            else:
                found.odd.append(name)
    return found


def _open(path: Path) -> io.FileIO:
    """Open a regular file; a link, a pipe or a device is never opened, nor waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _RefusedError(f"{quoted(path.name)} is not a regular file: hand in the notebook itself.")
    return io.FileIO(descriptor, closefd=True)


def _read(file: _File, limit: int) -> bytes:
    try:
        with io.BufferedReader(_open(file.path)) as stream:
            return _capped(stream, limit, file.name)
    except OSError as error:
        raise _RefusedError(f"{quoted(file.name)} could not be read ({error.strerror}): hand it in again.") from error


def _capped(stream: io.BufferedIOBase | IO[bytes], limit: int, name: str) -> bytes:
    """Everything in a stream, of which no more than the limit is ever held."""
    chunks, size = [], 0
    while chunk := stream.read(min(64 * 1024, limit + 1 - size)):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _RefusedError(
                f"{quoted(name)} is larger than {_bytes(limit)}: clear its outputs (Edit > Clear all outputs), "
                "save it and hand it in again."
            )
    return b"".join(chunks)


def _timestamp(found: _Folder) -> str | None:
    file = next((file for file in found.files if file.name == TIMESTAMP), None)
    if file is None or file.size > 64 * 1024:
        return None
    try:
        lines = _read(file, 64 * 1024).decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    except _RefusedError:
        return None
    return clean(lines[0])[:100] if lines else None


def _extras(found: _Folder, limits: IntakeLimits) -> tuple[dict[str, Path], list[str]]:
    """The files beside the notebook that can be had, and what is said of the others."""
    repairs, extras, refused, size = [], {}, [], 0
    if found.links:
        repairs.append(f"Links are never followed: {_names(found.links)} left aside.")
    if found.odd:
        repairs.append(f"Not a readable file or folder: {_names(found.odd)} left aside.")
    others = [file for file in found.files if not _is_notebook(file.name) and file.name != TIMESTAMP]
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
            f"Unreadable, or more than {_bytes(limits.extras_bytes)} with the others: {_names(refused)} left aside."
        )
    return extras, repairs


def _notebook(found: _Folder, expected: str, limits: IntakeLimits) -> tuple[str, bytes, list[str]]:
    """Name and content of the notebook of a hand-in, and what is said of the choice."""
    if expected in found.links or expected in found.odd:
        what = "a link, which is never followed" if expected in found.links else "not a regular file"
        raise _RefusedError(f"{quoted(expected)} is {what}: hand in the notebook itself.")
    notebooks = [file for file in found.files if _is_notebook(file.name)]
    if notebooks:
        chosen, repairs = _choose(notebooks, expected)
        return clean(chosen.name), _read(chosen, limits.notebook_bytes), repairs
    linked = [name for name in found.links + found.odd if _is_notebook(name)]
    if linked:
        raise _RefusedError(f"{quoted(linked[0])} is a link or not a regular file: hand in the notebook itself.")
    archives = [file for file in found.files if file.name.lower().endswith(ARCHIVES)]
    archives.sort(key=lambda file: (-file.depth, file.mtime, file.name), reverse=True)
    for archive in archives[:_MAX_ARCHIVES]:
        taken = _from_archive(archive, expected, limits)
        if taken:
            name, content, repairs = taken
            rest = [file.name for file in archives if file is not archive]
            if rest:
                repairs.append(f"Several archives were handed in: {_names(rest)} left aside.")
            return f"{clean(archive.name)}: {clean(name)}", content, repairs
    if archives:
        raise _RefusedError(
            f"There is no notebook in {_names([a.name for a in archives])}: hand in {quoted(expected)} itself."
        )
    others = [file.name for file in found.files if file.name != TIMESTAMP]
    beside = f", only {_names(others)}" if others else ""
    raise _RefusedError(f"There is no notebook in the hand-in{beside}: hand in {quoted(expected)}.")


def _choose(notebooks: Sequence[_File], expected: str) -> tuple[_File, list[str]]:
    """The notebook to take: of those nearest to the top the newest; at the same time the one with the right name."""
    repairs = []
    top = min(file.depth for file in notebooks)
    chosen = max(
        (file for file in notebooks if file.depth == top),
        key=lambda file: (file.mtime, PurePosixPath(file.name).name == expected, file.name),
    )
    if len(notebooks) > 1:
        rest = sorted(file.name for file in notebooks if file is not chosen)
        repairs.append(
            f"Several notebooks were handed in: {quoted(chosen.name)} is the newest and was taken, "
            f"{_names(rest)} left aside."
        )
    if PurePosixPath(chosen.name).name != expected:
        repairs.append(f"The notebook was handed in as {quoted(chosen.name)}, not as {quoted(expected)}: it was taken.")
    return chosen, repairs


def _from_archive(archive: _File, expected: str, limits: IntakeLimits) -> tuple[str, bytes, list[str]] | None:
    """The notebook inside an archive, read in memory; None if it holds none."""
    name = quoted(archive.name)
    if archive.size > limits.archive_bytes:
        raise _RefusedError(f"{name} is larger than {_bytes(limits.archive_bytes)}: hand in {quoted(expected)} itself.")
    try:
        with _CappedFile(_open(archive.path)) as stream:
            reader = _from_zip if archive.name.lower().endswith(".zip") else _from_tar
            return reader(stream, archive.name, expected, limits)
    except _RefusedError:
        raise
    except Exception as error:  # zipfile, gzip and tarfile raise a dozen sorts over damaged bytes
        raise _RefusedError(f"{name} is damaged or not an archive: hand in {quoted(expected)} itself.") from error


class _CappedFile(io.BufferedReader):
    """A file that never hands out more than `_MAX_DIRECTORY` at once, however much an archive claims to need."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > _MAX_DIRECTORY:
            content = super().read(_MAX_DIRECTORY + 1)
            if len(content) > _MAX_DIRECTORY:
                raise _RefusedError(
                    "An archive with a table of contents of that size is not opened: hand in the notebook."
                )
            return content
        return super().read(size)


def _from_zip(
    stream: io.BufferedReader, archive: str, expected: str, limits: IntakeLimits
) -> tuple[str, bytes, list[str]] | None:
    with zipfile.ZipFile(stream) as opened:
        members, ignored = {}, []
        listed = opened.infolist()
        _check_archive(archive, len(listed), sum(member.file_size for member in listed), limits)
        for member in listed:
            linked = stat.S_ISLNK(member.external_attr >> 16)
            if linked or not _inside(member.filename):
                ignored.append(member.filename)
            elif not member.is_dir():
                stamp = int("".join(f"{part:04d}" for part in member.date_time))
                members[_File(member.filename, stamp, member.file_size)] = member
        taken = _choose_member(list(members), ignored, archive, expected)
        if taken is None:
            return None
        member = members[taken[0]]
        if member.flag_bits & 0x1:
            raise _RefusedError(
                f"{quoted(archive)} is encrypted: hand in {quoted(expected)} itself, without a password."
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _RefusedError(f"{quoted(archive)} is packed in an unusual way: hand in {quoted(expected)} itself.")
        with opened.open(member) as content:
            return taken[0].name, _capped(content, limits.notebook_bytes, member.filename), taken[1]


def _from_tar(
    stream: io.BufferedReader, archive: str, expected: str, limits: IntakeLimits
) -> tuple[str, bytes, list[str]] | None:
    members: dict[_File, bytes] = {}
    ignored: list[str] = []
    held = 0
    with gzip.GzipFile(fileobj=stream) as unpacked:
        for header, name, content in _tar_members(unpacked, archive, limits):
            if header.isdir():
                continue
            if not header.isreg() or not _inside(name):
                ignored.append(name)
                continue
            held += len(content)
            _check_archive(archive, 0, held, limits)
            members[_File(name, int(header.mtime), header.size)] = content
    taken = _choose_member(list(members), ignored, archive, expected)
    if taken is None:
        return None
    if taken[0].size > limits.notebook_bytes:
        raise _RefusedError(
            f"{quoted(taken[0].name)} is larger than {_bytes(limits.notebook_bytes)}: clear its outputs."
        )
    return taken[0].name, members[taken[0]], taken[1]


def _tar_members(
    stream: gzip.GzipFile, archive: str, limits: IntakeLimits
) -> Iterator[tuple[tarfile.TarInfo, str, bytes]]:
    """Headers, names and contents (of notebooks only). `tarfile` itself believes lengths, so it reads headers only."""
    long_name, read, count = "", 0, 0
    while (block := stream.read(tarfile.BLOCKSIZE)) and block.strip(b"\0"):
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        count += 1
        size = header.size if header.type not in (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE) else 0
        read += max(size, 0)
        _check_archive(archive, count, read if size >= 0 else limits.archive_bytes + 1, limits)
        name = long_name or header.name
        named = header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE) and size <= 64 * 1024
        keep = named or (header.isreg() and _is_notebook(name) and size <= limits.notebook_bytes)
        content, left = b"", size + -size % tarfile.BLOCKSIZE
        chunks = []
        while left and (chunk := stream.read(min(left, 64 * 1024))):
            left -= len(chunk)
            if keep:
                chunks.append(chunk)
        if left:
            raise EOFError
        content = b"".join(chunks)[:size]
        if header.type == tarfile.GNUTYPE_LONGNAME:
            long_name = content.rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif header.type == tarfile.XHDTYPE:
            long_name = _pax_path(content) or long_name
        elif header.type not in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            long_name = ""
            yield header, name, content


def _pax_path(records: bytes) -> str:
    """The name in a tar's extended header: records such as `17 path=name\\n`."""
    while records:
        length = records.partition(b" ")[0]
        if not length.isdigit() or len(length) > 6 or not 0 < int(length) <= len(records):
            return ""
        key, _, value = records[len(length) + 1 : int(length) - 1].partition(b"=")
        if key == b"path":
            return value.decode("utf-8", "surrogateescape")
        records = records[int(length) :]
    return ""


def _check_archive(archive: str, count: int, size: int, limits: IntakeLimits) -> None:
    if count > limits.files:
        raise _RefusedError(f"{quoted(archive)} holds more than {limits.files} files: hand in the notebook itself.")
    if size > limits.archive_bytes:
        raise _RefusedError(
            f"{quoted(archive)} unpacks to more than {_bytes(limits.archive_bytes)}: hand in the notebook itself."
        )


def _choose_member(
    members: Sequence[_File], ignored: Sequence[str], archive: str, expected: str
) -> tuple[_File, list[str]] | None:
    """The notebook among an archive's members, and what is said of it and of the others; None if there is none."""
    visible = [file for file in members if _visible(file.name)]
    notebooks = [file for file in visible if _is_notebook(file.name)]
    if not notebooks:
        return None
    chosen, said = _choose(notebooks, expected)
    repairs = [f"The notebook was handed in inside {quoted(archive)}: it was taken from there.", *said]
    if ignored:
        repairs.append(f"Links and names that lead out of {quoted(archive)} are ignored: {_names(sorted(ignored))}.")
    others = sorted(file.name for file in visible if not _is_notebook(file.name) and file.name != TIMESTAMP)
    if others:
        repairs.append(f"Other files in {quoted(archive)} are not unpacked: {_names(others)} left aside.")
    return chosen, repairs


def _inside(name: str) -> bool:
    """Whether the name of an archive's member stays inside the archive."""
    plain = name.replace("\\", "/")
    return bool(plain) and not plain.startswith("/") and plain[1:2] != ":" and ".." not in plain.split("/")


def _visible(name: str) -> bool:
    return not any(part.startswith(".") or part in _IGNORED for part in name.split("/"))


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _bytes(size: int) -> str:
    return f"{size // MIB} MiB" if size >= MIB else f"{size} bytes"


def _names(names: Sequence[str]) -> str:
    return short_list([quoted(name) for name in names])
