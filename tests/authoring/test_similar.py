"""Work that looks alike is found, and honest likeness is left alone."""

import importlib.util
import random
from pathlib import Path

import pytest
from classes import RIGHT, hand_in, quick, tiny_classroom
from notebooks import ASSIGNMENT

from grading.authoring import similar as module
from grading.authoring.similar import Similar, compare, read_similar, write_similar
from grading.errors import GradingError
from grading.pipeline.plan import plan
from grading.pipeline.run import open_course

GIVEN = "\n".join(f"value_{n} = np.load({n}) + helpers.part[{n}](data, {n}, kind='{n}')" for n in range(30)) + "\n"
LAYERS = (
    "Conv2D({}, 3)",
    "Dense({})",
    "Dropout(0.{})",
    "MaxPooling2D({})",
    "Conv2D({}, 1, padding='same')",
    "ReLU({})",
)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("compare50") is None, reason="compare50 is not installed (the lock has it)"
)


def essay(seed: int, length: int = 25) -> str:
    """A model of its own: what it does is drawn at random."""
    choose = random.Random(seed)
    lines = ["def build(n):", "    x = first = Input((7, 7, n))"]
    for step in range(length):
        kind = choose.randrange(5)
        layer = choose.choice(LAYERS).format(choose.randrange(1, 9))
        if kind == 0:
            lines.append(f"    if n > {step}:\n        x = {layer}(x)")
        elif kind == 1:
            lines.append(f"    for _ in range({choose.randrange(2, 5)}):\n        x = {layer}(x) + x")
        elif kind == 2:
            lines.append(f"    y = {layer}(x)\n    x = Concatenate()([x, y, {layer}(first)])")
        elif kind == 3:
            lines.append(f"    x = {layer}({choose.choice(LAYERS).format(2)}(x))")
        else:
            lines.append(f"    x = x * {step} - first / ({step} + n) if n else {layer}(x)")
    return "\n".join([*lines, "    return Model(first, x)"])


def disguised(source: str) -> str:
    """The same with other names, numbers and comments."""
    renamed = (
        source.replace("build", "make_it")
        .replace("first", "eingang")
        .replace("x ", "tensor ")
        .replace("(x)", "(tensor)")
    )
    return "# all my own work\n" + renamed.replace("\n    if", "\n    # a remark\n    if")


def pairs(found: Similar) -> list[tuple[str, str]]:
    return [(pair.a, pair.b) for pair in found.pairs]


CLASS = {f"s{number}": essay(number) for number in range(8)}


def test_copy_with_other_names_is_found() -> None:
    found = compare({**CLASS, "copycat": disguised(CLASS["s3"])}, GIVEN, {})
    assert pairs(found) == [("copycat", "s3")]
    assert found.pairs[0].share > 0.8


def test_independent_answers_are_not_paired() -> None:
    assert compare(CLASS, GIVEN, {}).pairs == ()


def test_code_given_to_everybody_is_no_likeness() -> None:
    work = {name: GIVEN + source for name, source in CLASS.items()}
    assert compare(work, GIVEN, {}).usual <= compare(CLASS, GIVEN, {}).usual + 0.05
    assert compare(work, "", {}).usual > compare(work, GIVEN, {}).usual


def test_copy_of_a_published_solution_is_marked() -> None:
    found = compare({**CLASS, "reader": disguised(essay(99))}, GIVEN, {"the published one": essay(99)})
    (pair,) = found.pairs
    assert (pair.a, pair.b, pair.published) == ("reader", "the published one", True)


def test_class_in_which_all_are_alike_is_accused_of_nothing() -> None:
    found = compare({f"s{number}": disguised(essay(1)) + f"\n\nlast = {number}" for number in range(6)}, GIVEN, {})
    assert found.pairs == ()
    assert not found.tells


def test_hostile_pieces_stop_nothing_and_are_not_run() -> None:
    hostile = {
        "broken": "def (:\n" + "(" * 500,
        "null": "\x00" * 100,
        "huge": "x = 1\n" * 400_000,
        "empty": "",
        "../../../etc/passwd": "print('😀\ud800')",
        "runs": "import os; os.system('touch /tmp/course-similar-was-here')",
    }
    found = compare({**CLASS, **hostile, "copycat": disguised(CLASS["s3"])}, GIVEN, {})
    assert ("copycat", "s3") in pairs(found)
    assert not Path("/tmp/course-similar-was-here").exists()


def test_order_of_submissions_changes_nothing() -> None:
    work = {**CLASS, "copycat": disguised(CLASS["s3"])}
    assert compare(work, GIVEN, {}) == compare(dict(reversed(work.items())), GIVEN, {})


def test_findings_survive_writing_and_damaged_files_read_as_none(tmp_path: Path) -> None:
    found = compare({**CLASS, "copycat": disguised(CLASS["s3"])}, GIVEN, {})
    write_similar(tmp_path / "kept.json", found)
    assert read_similar(tmp_path / "kept.json") == found
    assert read_similar(tmp_path / "none.json") is None
    (tmp_path / "kept.json").write_text("{")
    assert read_similar(tmp_path / "kept.json") is None


def test_missing_compare50_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GradingError, match="compare50 is not installed"):
        compare({}, "", {})


def test_work_of_a_group_is_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bubblewrap: None) -> None:
    classroom = tiny_classroom(tmp_path)
    for student in ("ada", "bo", "cy"):
        hand_in(classroom, student, RIGHT)
    config = classroom.folder / "nbgrader_config.py"
    groups = {ASSIGNMENT: {"team one": ["ada", "bo"]}}
    config.write_text(f"{config.read_text()}\nc.HandIns.groups = {groups!r}\n")
    compared: dict[str, str] = {}
    monkeypatch.setattr(module, "compare", lambda work, *_: compared.update(work))
    course = open_course(classroom.folder, ASSIGNMENT, quick())
    module.similar_work(course, plan(course).submissions, classroom.folder)
    assert list(compared) == ["ada", "cy"]
