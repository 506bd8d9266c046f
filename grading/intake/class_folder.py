"""Hand-ins of a class, found by their folders; nothing is opened, and nothing that is slow to load is needed."""

import os
from pathlib import Path


def find_hand_ins(submitted: Path, assignment: str) -> list[tuple[str, Path]]:
    """Find every student with something handed in for an assignment, and its folder, in name order.

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


def _stands_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # unreadable: listed, so that it is refused rather than forgotten
    return True
