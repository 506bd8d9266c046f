"""Files: written whole or not at all, and hashed by content or by what can be seen without opening them."""

import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_MAX_ENTRIES = 2000
_MADE_BY_TOOLS = {"__pycache__", ".ipynb_checkpoints"}
_RACY_NS = 2_000_000_000
"""A file that changed so shortly ago may change again without a change of its times: it is read again."""


def write_atomically(path: Path, content: str | bytes, durable: bool = True) -> None:
    """Write a file under a temporary name, then rename it: whoever reads sees the old or the new.

    Where it is `durable` it is on the disk before it is renamed. What can be made again, and is if it is damaged, need
    not be: a machine that loses its power may leave an empty file then.
    """
    new = path.with_name(f".new-{secrets.token_hex(8)}")
    try:
        file = new.open("xb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = new.open("xb")
    try:
        with file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), 0o644)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        new.replace(path)
    except BaseException:  # Ctrl-C too: nothing half-written stays
        new.unlink(missing_ok=True)
        raise


def built_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return a folder that `build` fills, unless it is there already; it is there whole or not at all."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
            target = Path(scratch) / "built"
            target.mkdir()
            build(target)
            try:
                target.rename(folder)
            except OSError:
                if not folder.is_dir():  # else someone else was first
                    raise
    return folder


def share_folders(own: Path, shared: Path, names: Iterable[str]) -> None:
    """Let folders of these names in `own` be those in `shared`, which are made where they are missing."""
    own.mkdir(parents=True, exist_ok=True)
    for name in names:
        (shared / name).mkdir(parents=True, exist_ok=True)
        (own / name).symlink_to((shared / name).resolve())


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def dump_json_by_line(value: Mapping[str, Any], lists: str = "") -> str:
    """Write JSON with a line for each key, and for each item of the list named `lists`.

    To be read and searched by people, and many times faster to write than with indentation all the way down. Data
    classes in it are written as objects.
    """
    lines = []
    for key, item in value.items():
        parts = ",\n".join(f"  {json.dumps(part, default=vars)}" for part in item) if key == lists else ""
        lines.append(f" {json.dumps(key)}: " + (f"[\n{parts}\n ]" if parts else json.dumps(item, default=vars)))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def hash_of(value: Any) -> str:
    """Hash plain data, and data classes of plain data (SHA-256)."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=vars).encode()).hexdigest()


def listing(folder: Path, settled: bool = True) -> str:
    """Hash names, kinds, sizes, times and places of all that lies in a folder; nothing is opened or followed.

    Empty if it cannot be told: too much in it, something unreadable, or something that changed just now (unless
    `settled` is False: for files that only we write).
    """
    found: list[tuple[object, ...]] = []
    youngest = 0
    waiting = [(folder, "")]
    try:
        for path, prefix in waiting:  # grows while it is read
            if not prefix and (folder.is_symlink() or folder.parent.is_symlink()):
                return ""
            with os.scandir(path) as entries:
                for entry in entries:
                    stat = entry.stat(follow_symlinks=False)
                    name = prefix + entry.name
                    found.append((name, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
                    youngest = max(youngest, stat.st_mtime_ns, stat.st_ctime_ns)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((Path(entry.path), f"{name}/"))
            if len(found) > _MAX_ENTRIES:
                return ""
        if settled and youngest > time.time_ns() - _RACY_NS:
            return ""
        return hash_of(sorted(found, key=repr))
    except (OSError, ValueError, UnicodeError):
        return ""


def tree_hash(folder: Path) -> str:
    """Hash names, sizes and times of all that lies below a folder of our own, wherever links in it lead.

    Raises OSError for what cannot be read: it must not count as unchanged.
    """
    return hash_of(sorted(_below(folder, "", set())))


def _below(folder: Path, prefix: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """Yield each file's name, size and time; a folder that was seen before, through a link, is only named."""
    own = folder.stat()
    if (own.st_dev, own.st_ino) in seen:
        return
    seen.add((own.st_dev, own.st_ino))
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name in _MADE_BY_TOOLS:
                continue
            name = prefix + entry.name
            if entry.is_dir():
                yield (f"{name}/", 0, 0)
                yield from _below(Path(entry.path), f"{name}/", seen)
            else:
                stat = entry.stat()
                yield (name, stat.st_size, stat.st_mtime_ns)
