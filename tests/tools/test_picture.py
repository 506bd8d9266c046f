"""The picture of the rooms is the one that the code gives."""

from pathlib import Path
from types import ModuleType

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    return load_script(ROOT / "tools" / "draw_rooms.py")


def test_committed_picture_is_what_the_code_gives_now(drawing: ModuleType) -> None:
    assert drawing.PICTURE.read_text(encoding="utf-8") == drawing.draw(), "run: python tools/draw_rooms.py"


def test_every_room_of_the_import_contract_is_drawn_with_what_it_takes_and_gives(drawing: ModuleType) -> None:
    picture = drawing.draw()
    for room in (drawing.read_room(name) for row in drawing.layers() for name in row):
        assert f">{room.name}</text>" in picture
        if (ROOT / "grading" / room.name).is_dir():
            assert room.taken, room.name
            assert room.given, room.name


def test_the_way_of_a_submission_has_no_gap(drawing: ModuleType) -> None:
    rooms = [drawing.read_room(name) for row in drawing.layers() for name in row]
    steps = sorted(number for room in rooms for number, _ in room.steps)
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) > 8
