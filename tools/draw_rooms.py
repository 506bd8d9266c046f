"""Draw a submission's way through the rooms of grading/, and the rooms, as an SVG: docs/rooms.svg.

Called as `python tools/draw_rooms.py`. Nothing in the picture is written here: the rows of rooms are the layers of the
import contract in pyproject.toml, and what each room takes in, gives out and does on the way are the lines `In:`,
`Out:` and `Way:` of its docstring. A test holds the committed picture to what this draws.
"""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "rooms.svg"
WIDTH, MARGIN, GAP, PADDING = 1200, 28, 20, 14
LINE, NAME_LINE, ROW_GAP, HEADING = 17, 23, 18, 40
STEPS_IN_A_ROW = 6
CHARACTER = 6.3
"""Mean width of a character at 12.5 px, a little more than it is: no text may leave its card."""
INK, SOFT, CARD, EDGE, WAY = "#1f2933", "#52606d", "#f5f7fa", "#cbd2d9", "#0060a8"


@dataclass(frozen=True)
class Room:
    """Facts that a room's docstring tells."""

    name: str
    title: str
    taken: str = ""
    given: str = ""
    steps: tuple[tuple[int, str], ...] = ()


@dataclass
class Card:
    """A box with a name, lines below it, and numbers of steps."""

    name: str
    x: float
    y: float
    width: float
    lines: list[tuple[str, str]] = field(default_factory=list)
    """Label (In, Out or nothing) and text."""
    numbers: tuple[int, ...] = ()
    beside: bool = False
    """Whether Out stands beside In."""

    @property
    def height(self) -> float:
        """Return the height that the text takes."""
        return 2 * PADDING + NAME_LINE - 6 + (len(self.lines) - self.beside) * LINE


def layers() -> list[list[str]]:
    """Return the names of the rooms, from the last to the first, row by row."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (rows,) = (item["layers"] for item in settings["tool"]["importlinter"]["contracts"] if item["type"] == "layers")
    return [re.split(r" *[|:] *", row) for row in rows]


def read_room(name: str) -> Room:
    """Read what a room, a folder or a module alone, says of itself."""
    folder = ROOT / "grading" / name / "__init__.py"
    path = folder if folder.is_file() else ROOT / "grading" / f"{name}.py"
    said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").replace("`", "")
    lines = re.findall(r"^(In|Out|Way): (.+?)(?=^\w+: |^Called |\Z)", said, re.MULTILINE | re.DOTALL)
    parts = {key: " ".join(text.split()).rstrip(".") for key, text in lines}
    steps = re.findall(r"(\d+) (.+?)(?:, (?=\d)|$)", parts.get("Way", ""))
    title = said.partition("\n")[0].partition(":")[0].rstrip(".")
    return Room(name, title, parts.get("In", ""), parts.get("Out", ""), tuple((int(n), text) for n, text in steps))


def way_cards(rooms: Sequence[Room], top: float) -> list[Card]:
    """Return a card for each step of a submission's way, in order."""
    steps = sorted((number, text, room.name) for room in rooms for number, text in room.steps)
    width = (WIDTH - 2 * MARGIN - (STEPS_IN_A_ROW - 1) * GAP) / STEPS_IN_A_ROW
    cards: list[Card] = []
    for start in range(0, len(steps), STEPS_IN_A_ROW):
        row = []
        for column, (number, text, name) in enumerate(steps[start : start + STEPS_IN_A_ROW]):
            lines = [("", line) for line in wrapped(text, width - 2 * PADDING)]
            row.append(Card(name, MARGIN + column * (width + GAP), top, width, lines, (number,)))
        cards += row
        top += max(card.height for card in row) + ROW_GAP
    return cards


def room_cards(rows: Sequence[Sequence[Room]], top: float) -> list[Card]:
    """Return a card for each room, in the rows of the import contract."""
    cards: list[Card] = []
    for row in rows:
        width = (WIDTH - 2 * MARGIN - (len(row) - 1) * GAP) / len(row)
        placed = [_room_card(room, MARGIN + column * (width + GAP), top, width) for column, room in enumerate(row)]
        cards += placed
        top += max(card.height for card in placed) + ROW_GAP
    return cards


def _room_card(room: Room, x: float, y: float, width: float) -> Card:
    card = Card(room.name, x, y, width, numbers=tuple(number for number, _ in room.steps))
    card.beside = width > WIDTH / 2 and bool(room.taken)
    columns = 2 if card.beside else 1
    for mark, text in (("In", room.taken), ("Out", room.given)):
        cut = wrapped(text, (width - 2 * PADDING) / columns - 32)
        card.lines += [(mark if index == 0 else " ", line) for index, line in enumerate(cut)]
    card.lines = card.lines or [("", line) for line in wrapped(room.title, width - 2 * PADDING)]
    return card


def wrapped(text: str, width: float) -> list[str]:
    """Cut a text into lines of a width in pixels."""
    return textwrap.wrap(text, max(8, int(width / CHARACTER)), break_on_hyphens=False)


def draw() -> str:
    """Return the picture."""
    rows = [[read_room(name) for name in row] for row in layers()]
    way = way_cards([room for row in rows for room in row], MARGIN + HEADING)
    middle = bottom_of(way) + ROW_GAP
    rooms = room_cards(rows, middle + HEADING)
    height = bottom_of(rooms) + MARGIN
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' width='{WIDTH}' "
            f"height='{height:.0f}' role='img' font-family='Helvetica, Arial, sans-serif'>",
            "<title>A submission's way through the rooms of grading/, and the rooms</title>",
            f"<defs><marker id='head' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='6' markerHeight='6' "
            f"orient='auto'><path d='M0 0 10 5 0 10z' fill='{WAY}'/></marker></defs>",
            f"<rect width='{WIDTH}' height='{height:.0f}' fill='white'/>",
            label(MARGIN, MARGIN + 14, "A submission's way", INK, 19, bold=True),
            *drawn(way, "white", WAY),
            *arrows(way),
            label(MARGIN, middle + 22, "The rooms", INK, 19, bold=True),
            label(
                MARGIN + 110,
                middle + 22,
                "Each imports only from rows below it; rooms of one row never import each "
                "other. Numbers are the steps above.",
                SOFT,
                13,
            ),
            *drawn(rooms, CARD, EDGE),
            "</svg>",
            "",
        ]
    )


def bottom_of(cards: Sequence[Card]) -> float:
    """Return where the lowest card ends."""
    return max(card.y + card.height for card in cards)


def drawn(cards: Sequence[Card], fill: str, edge: str) -> Iterator[str]:
    """Yield boxes, all of a row of one height, and what stands in them."""
    for card in cards:
        height = max(other.height for other in cards if other.y == card.y)
        yield (
            f"<rect x='{card.x:.1f}' y='{card.y:.1f}' width='{card.width:.1f}' height='{height:.1f}' rx='7' "
            f"fill='{fill}' stroke='{edge}'/>"
        )
        x, y = card.x + PADDING, card.y + PADDING + 12
        yield label(x, y, card.name, INK, 16, bold=True)
        for index, number in enumerate(reversed(card.numbers)):
            yield from circle(card.x + card.width - PADDING - 9 - index * 24, y - 5, number)
        y += NAME_LINE - 2
        for mark, line in card.lines:
            if mark == "Out" and card.beside:
                x, y = card.x + card.width / 2, y - LINE
            if mark.strip():
                yield label(x, y, mark, WAY, 12.5)
            yield label(x + (32 if mark else 0), y, line, SOFT, 12.5)
            y += LINE


def arrows(cards: Sequence[Card]) -> Iterator[str]:
    """Yield an arrow from each step to the next of its row."""
    for card, other in pairwise(cards):
        if card.y == other.y:
            y = card.y + PADDING + 8
            yield (
                f"<path d='M {card.x + card.width:.1f} {y:.1f} H {other.x:.1f}' stroke='{WAY}' stroke-width='2' "
                "marker-end='url(#head)'/>"
            )


def circle(x: float, y: float, number: int) -> Iterator[str]:
    """Yield the number of a step."""
    yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='10' fill='{WAY}'/>"
    yield label(x, y + 4.2, str(number), "white", 12, bold=True, middle=True)


def label(x: float, y: float, said: str, color: str, size: float, bold: bool = False, middle: bool = False) -> str:
    """Return one line of text."""
    extra = (" font-weight='bold'" if bold else "") + (" text-anchor='middle'" if middle else "")
    return f"<text x='{x:.1f}' y='{y:.1f}' fill='{color}' font-size='{size:g}'{extra}>{escape(said)}</text>"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
