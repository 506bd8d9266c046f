"""Notebooks inside archives: zip and tar, read in memory, never unpacked onto disk nor believed."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grading.common.names import TIMESTAMP
from grading.common.text import quoted
from grading.errors import RefusedError
from grading.intake.files import IGNORED, HandInFile, capped, in_bytes, is_notebook, open_regular, quoted_list
from grading.options import MIB, IntakeLimits

ARCHIVES = (".zip", ".tar.gz", ".tgz")
_MAX_DIRECTORY = MIB
"""Longest table of contents of a zip: some twenty thousand members."""


@dataclass(frozen=True)
class Unpacked:
    """Notebooks of an archive, and what is said of it. One that cannot be read has the reason in place of its bytes."""

    notebooks: Mapping[HandInFile, bytes | RefusedError]
    repairs: tuple[str, ...]


Pick = Callable[[Sequence[HandInFile]], tuple[Sequence[HandInFile], Sequence[str]]]
"""Chooses among the notebooks of an archive, and says what is to be said of the choice."""


def notebooks_from_archive(archive: HandInFile, expected: str, pick: Pick, limits: IntakeLimits) -> Unpacked | None:
    """Return the picked notebooks inside an archive, read in memory; None if it holds none.

    `expected` is what should be handed in instead where the archive cannot be read.

    Raises:
        RefusedError: The archive is damaged or too large.
    """
    name = quoted(archive.name)
    if archive.size > limits.archive_bytes:
        raise RefusedError(
            f"{name} is larger than {in_bytes(limits.archive_bytes)}: hand in {quoted(expected)} itself."
        )
    try:
        with _CappedFile(open_regular(archive.path)) as stream:
            reader = _from_zip if archive.name.lower().endswith(".zip") else _from_tar
            return reader(stream, archive.name, expected, pick, limits)
    except RefusedError:
        raise
    except Exception as error:  # zipfile, gzip and tarfile raise a dozen sorts over damaged bytes
        raise damaged(archive.name, expected) from error


class _CappedFile(io.BufferedReader):
    """A file that never hands out more than `_MAX_DIRECTORY` at once, however much an archive claims to need."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what is there, up to `size` bytes; more than `_MAX_DIRECTORY` is never handed out."""
        if size is None or size < 0 or size > _MAX_DIRECTORY:
            content = super().read(_MAX_DIRECTORY + 1)
            if len(content) > _MAX_DIRECTORY:
                raise RefusedError(
                    "An archive with a table of contents of that size is not opened: hand in the notebook."
                )
            return content
        return super().read(size)


def _from_zip(
    stream: io.BufferedReader, archive: str, expected: str, pick: Pick, limits: IntakeLimits
) -> Unpacked | None:
    with zipfile.ZipFile(stream) as opened:
        members, ignored = {}, []
        listed = opened.infolist()
        _check_archive(archive, len(listed), sum(member.file_size for member in listed), limits)
        for member in listed:
            linked = stat.S_ISLNK(member.external_attr >> 16)
            if linked or not _stays_inside(member.filename):
                ignored.append(member.filename)
            elif not member.is_dir():
                stamp = int("".join(f"{part:04d}" for part in member.date_time))
                members[HandInFile(member.filename, stamp, member.file_size)] = member
        taken = _choose_members(list(members), ignored, archive, pick)
        if taken is None:
            return None
        found = {file: _member(opened, members[file], archive, expected, limits) for file in taken[0]}
        return Unpacked(found, taken[1])


def _member(
    opened: zipfile.ZipFile, member: zipfile.ZipInfo, archive: str, expected: str, limits: IntakeLimits
) -> bytes | RefusedError:
    if member.flag_bits & 0x1:
        return RefusedError(f"{quoted(archive)} is encrypted: hand in {quoted(expected)} itself, without a password.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return RefusedError(f"{quoted(archive)} is packed in an unusual way: hand in {quoted(expected)} itself.")
    try:
        with opened.open(member) as content:
            return capped(content, limits.notebook_bytes, member.filename)
    except RefusedError as refusal:
        return refusal
    except Exception:  # zipfile and zlib raise a dozen sorts over damaged bytes
        return damaged(archive, expected)


def damaged(archive: str, expected: str) -> RefusedError:
    """Say that an archive cannot be read."""
    return RefusedError(f"{quoted(archive)} is damaged or not an archive: hand in {quoted(expected)} itself.")


def _from_tar(
    stream: io.BufferedReader, archive: str, expected: str, pick: Pick, limits: IntakeLimits
) -> Unpacked | None:
    members: dict[HandInFile, bytes] = {}
    ignored: list[str] = []
    held = 0
    with gzip.GzipFile(fileobj=stream) as unpacked:
        for header, name, content in _tar_members(unpacked, archive, limits):
            if header.isdir():
                continue
            if not header.isreg() or not _stays_inside(name):
                ignored.append(name)
                continue
            held += len(content)
            _check_archive(archive, 0, held, limits)
            members[HandInFile(name, int(header.mtime), header.size)] = content
    taken = _choose_members(list(members), ignored, archive, pick)
    if taken is None:
        return None
    found: dict[HandInFile, bytes | RefusedError] = {}
    for file in taken[0]:
        large = RefusedError(
            f"{quoted(file.name)} is larger than {in_bytes(limits.notebook_bytes)}: clear its outputs."
        )
        found[file] = members[file] if file.size <= limits.notebook_bytes else large
    return Unpacked(found, taken[1])


def _tar_members(
    stream: gzip.GzipFile, archive: str, limits: IntakeLimits
) -> Iterator[tuple[tarfile.TarInfo, str, bytes]]:
    """Yield headers, names and contents (of notebooks only).

    `tarfile` itself believes lengths, so it reads headers only.
    """
    long_name, read, count = "", 0, 0
    while (block := stream.read(tarfile.BLOCKSIZE)) and block.strip(b"\0"):
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        count += 1
        size = header.size if header.type not in (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE) else 0
        read += max(size, 0)
        _check_archive(archive, count, read if size >= 0 else limits.archive_bytes + 1, limits)
        name = long_name or header.name
        named = header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE) and size <= 64 * 1024
        keep = named or (header.isreg() and is_notebook(name) and size <= limits.notebook_bytes)
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
    """Return the name in a tar's extended header: records such as `17 path=name\\n`."""
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
        raise RefusedError(f"{quoted(archive)} holds more than {limits.files} files: hand in the notebook itself.")
    if size > limits.archive_bytes:
        raise RefusedError(
            f"{quoted(archive)} unpacks to more than {in_bytes(limits.archive_bytes)}: hand in the notebook itself."
        )


def _choose_members(
    members: Sequence[HandInFile], ignored: Sequence[str], archive: str, pick: Pick
) -> tuple[Sequence[HandInFile], tuple[str, ...]] | None:
    """Choose the notebooks among an archive's members, with remarks on them and the others; None if there are none."""
    visible = [file for file in members if _visible(file.name)]
    notebooks = [file for file in visible if is_notebook(file.name)]
    if not notebooks:
        return None
    chosen, said = pick(notebooks)
    what = "The notebook was" if len(chosen) == 1 else "Notebooks were"
    taken = "it was" if len(chosen) == 1 else "they were"
    repairs = [f"{what} handed in inside {quoted(archive)}: {taken} taken from there.", *said]
    if ignored:
        repairs.append(
            f"Links and names that lead out of {quoted(archive)} are ignored: {quoted_list(sorted(ignored))}."
        )
    others = sorted(file.name for file in visible if not is_notebook(file.name) and file.name != TIMESTAMP)
    if others:
        repairs.append(f"Other files in {quoted(archive)} are not unpacked: {quoted_list(others)} left aside.")
    return chosen, tuple(repairs)


def _stays_inside(name: str) -> bool:
    """Return whether the name of an archive's member stays inside the archive."""
    plain = name.replace("\\", "/")
    return bool(plain) and not plain.startswith("/") and plain[1:2] != ":" and ".." not in plain.split("/")


def _visible(name: str) -> bool:
    return not any(part.startswith(".") or part in IGNORED for part in name.split("/"))
