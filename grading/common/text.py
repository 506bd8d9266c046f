"""Text of unknown origin."""

import re

MAX_LINE = 500


def clean(text: str) -> str:
    """Text of unknown origin as one short line of printable characters."""
    line = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text))
    line = "".join(character if character.isprintable() else "?" for character in line).strip()
    return line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…"
