"""Downloads of large files over unreliable connections, and archives that are unpacked safely.

Pooch checks files, but it starts a broken download from the beginning. VOC 2007 is 460 MB on a server
that is often slow, so here a download keeps what it has in `<name>.part` and goes on from there.
"""

from __future__ import annotations

import logging
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

logger = logging.getLogger(__name__)

CHUNK = 1 << 16  # bytes; a break loses the chunk it falls in
TIMEOUT = (10, 60)  # seconds to connect, seconds without a byte
ATTEMPTS = 10  # at one URL, as long as each one brings more bytes

Check = Callable[[Path], object]  # raises ValueError for a bad file


class DownloadError(RuntimeError):
    """No URL gave the file; the message lists what went wrong at each."""


@dataclass
class _Location:
    url: str
    total: int | None = None  # bytes, once the server has said


def download(
    urls: str | Iterable[str],
    target: str | Path,
    sha256: str | None = None,
    progress: bool = True,
    check: Check | None = None,
) -> Path:
    """Download a file from the first URL that gives a good one.

    Nothing is done if `target` is there and good. Otherwise bytes go to `<target>.part`, which is
    renamed to `target` only when it is complete and verified. A broken transfer is continued (HTTP
    Range), at the same URL while that still brings bytes, then at the next. With a `sha256` a `.part`
    left by an earlier session is continued too; without one it is not, since nothing could tell a
    mixture of two versions from a good file.

    Args:
        urls: where the file is, best first; all must hold the same bytes if `sha256` is given.
        target: file to write; its folder is made if needed.
        sha256: expected SHA-256 in hexadecimal, or None if none is known.
        progress: show a progress bar (in bytes).
        check: called with the path of the downloaded file; raises ValueError, in words, if it is not
            what it should be. A file that fails is deleted and the next URL is tried.

    Returns:
        `target`, as a Path.

    Raises:
        DownloadError: no URL worked.
        OSError: the file cannot be written (disk full, no permission).
    """
    target = Path(target)
    urls = [urls] if isinstance(urls, str) else list(urls)
    if target.exists():
        problem = _problem(target, sha256, check)
        if problem is None:
            return target
        logger.warning("%s is damaged (%s) and will be downloaded again.", target, problem)

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    failures = []
    for url in urls:
        if sha256 is None:
            part.unlink(missing_ok=True)
        try:
            _download_from(_Location(url), part, sha256, check, progress)
        except (requests.RequestException, DownloadError) as error:
            logger.warning("%s: %s", url, error)
            failures.append(f"  {url}\n    {error}")
        else:
            return part.replace(target)
    raise DownloadError(
        f"Could not download {target.name}. Tried:\n"
        + "\n".join(failures)
        + f"\nCheck the network connection and run this again, or get the file in another way and put it "
        f"at {target.absolute()}."
    )


def _download_from(source: _Location, part: Path, sha256: str | None, check: Check | None, progress: bool) -> None:
    """Complete and verify `part` from one URL, or raise RequestException or DownloadError."""
    for _ in range(ATTEMPTS):
        before = _size(part)
        try:
            _transfer(source, part, progress)
        except (requests.RequestException, DownloadError) as error:
            if _size(part) <= before:
                raise
            logger.info("%s broke off (%s): going on from byte %d.", source.url, error, _size(part))
            continue
        problem = _problem(part, sha256, check)
        if problem is None:
            return
        part.unlink()
        if before == 0:
            raise DownloadError(f"{problem}; the file was deleted")
        # The beginning may have come from another version of the file: once more, from nothing.
        logger.warning("%s: %s; the file was deleted, starting over.", source.url, problem)
    raise DownloadError(f"still incomplete after {ATTEMPTS} attempts")


def _transfer(source: _Location, part: Path, progress: bool) -> None:
    """Make one request: append to `part` what it still lacks, or write it anew if the server insists."""
    from tqdm.auto import tqdm  # late: inside a notebook it loads the widgets

    have = _size(part)
    headers = {"Accept-Encoding": "identity"}  # ranges and lengths count the bytes as they are sent
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(source.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        start, total = _extent_of_body(response)
        out_of_range = have > 0 and response.status_code == 416
        if out_of_range and total == have:
            return  # nothing was missing
        if not out_of_range:
            response.raise_for_status()
        continues = response.status_code == 206
        if out_of_range or (continues and (start != have or source.total not in (None, total))):
            part.unlink(missing_ok=True)  # the file at the URL is not the one that was begun
            source.total = None
            return _transfer(source, part, progress)  # asks for no range: happens once at most
        source.total = total
        mode = "ab" if continues else "wb"  # 200: the server ignores ranges and sends everything
        with (
            part.open(mode) as file,
            tqdm(total=total, initial=start, desc=part.stem, unit="B", unit_scale=True, disable=not progress) as bar,
        ):
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and _size(part) != total:
        raise DownloadError(f"the connection ended after {_size(part)} of {total} bytes")


def _extent_of_body(response: requests.Response) -> tuple[int, int | None]:
    """Return the first byte in the body and the size of the whole file (None if the server does not say)."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", response.headers.get("Content-Range", ""))
    if found:
        return int(found[1] or 0), int(found[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if response.status_code == 200 and length.isdigit() else None


def _problem(path: Path, sha256: str | None, check: Check | None) -> str | None:
    """Describe what is wrong with a complete file; return None if nothing is."""
    if sha256 is not None:
        found = pooch.file_hash(str(path), alg="sha256")
        if found != sha256.lower():
            return f"its SHA-256 is {found} and should be {sha256}"
    if check is not None:
        try:
            check(path)
        except ValueError as error:
            return str(error)
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def extract_tar(archive: str | Path, folder: str | Path) -> None:
    """Unpack a tar archive of plain files and folders into `folder`, completely or not at all.

    Members are unpacked into a temporary folder inside `folder` and then renamed into place; files
    that are already there are replaced, other files stay. Owners, permissions and times in the
    archive are ignored.

    Raises:
        ValueError: the archive is damaged, or has a member that is neither a plain file nor a folder
            (links, devices) or that would land outside `folder` (`../x`, `/x`). Nothing is unpacked.
    """
    # Not `extractall(filter="data")`: Python 3.11.0 to 3.11.3 lack it, it quietly rewrites absolute
    # names, and its handling of links had to be repaired (CVE-2025-4517). Without links there is
    # nothing to follow, so comparing paths is enough, on every version.
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as temporary:
        unpacked = Path(temporary).resolve()
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    _extract_member(tar, member, unpacked)
        except (tarfile.TarError, EOFError) as error:
            raise ValueError(f"{archive} is not a complete tar archive ({error}): fetch it again") from error
        except ValueError as error:
            raise ValueError(f"{archive} was not unpacked: {error}") from error
        for item in unpacked.iterdir():
            _merge_into(item, folder / item.name)


def _extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = (folder / member.name).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"member {member.name!r} would land outside the folder")
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise ValueError(f"member {member.name!r} is neither a plain file nor a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)


def _merge_into(source: Path, target: Path) -> None:
    if source.is_dir() and target.is_dir():
        for item in source.iterdir():
            _merge_into(item, target / item.name)
    else:
        source.replace(target)
