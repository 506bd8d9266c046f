"""Text of unknown origin, and short lists for people."""

import re
from collections.abc import Sequence

MAX_LINE = 500


def clean(text: str) -> str:
    """Return text of unknown origin as one short line of printable characters."""
    line = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text))
    if not line.isprintable():
        line = "".join(character if character.isprintable() else "?" for character in line)
    line = line.strip()
    return line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…"


def quoted(name: str, longest: int = 80) -> str:
    """Return a name of unknown origin in quotes, cut after `longest` characters."""
    line = clean(name)
    return f"'{line if len(line) <= longest else line[: longest - 1] + '…'}'"


def short_list(names: Sequence[str], most: int = 3) -> str:
    """Return the first names with commas between, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
