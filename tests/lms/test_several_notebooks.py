"""Are the notebooks of an assignment with several all collected, though their names look like versions of one?"""

from pathlib import Path

from grading.intake.hand_in import read_hand_in
from grading.intake.matching import Expected
from grading.lms.collect import collect

NAMES = ("part-1", "part-2")


def test_notebooks_that_end_in_numbers_are_no_versions_of_each_other(tmp_path: Path) -> None:
    download = tmp_path / "download"
    download.mkdir()
    for number, name in enumerate(("part-1", "part-2", "part-2-1")):
        (download / f"lovelaceada_17_{100 + number}_{name}.ipynb").write_bytes(name.encode())
    collected = collect(download, "hw", tmp_path / "submitted", kind="canvas", notebooks=NAMES)
    (placed,) = collected.placed
    assert [item.name for item in collected.superseded] == ["lovelaceada_17_101_part-2.ipynb"]
    folder = tmp_path / "submitted" / placed.student / "hw"
    found = read_hand_in(folder, placed.student, [Expected(name) for name in NAMES])
    assert {name: one.content for name, one in found.notebooks.items()} == {"part-1": b"part-1", "part-2": b"part-2-1"}


def test_flat_download_of_moodle_has_each_notebook_in_its_students_folder(tmp_path: Path) -> None:
    download = tmp_path / "download"
    download.mkdir()
    for name in NAMES:
        (download / f"Ada Lovelace_17_assignsubmission_file_{name}.ipynb").write_bytes(name.encode())
    (placed,) = collect(download, "hw", tmp_path / "submitted", kind="moodle", notebooks=NAMES).placed
    folder = tmp_path / "submitted" / placed.student / "hw"
    assert sorted(path.name for path in folder.iterdir()) == ["part-1.ipynb", "part-2.ipynb"]
