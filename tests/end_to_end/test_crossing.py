"""No submission that attacks the crossing to the examiner gets a point too many, sees a hidden test or costs others."""

import copy
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest
from classes import quick
from courses.masters import read_notebook
from hostile.cells import Attack
from hostile.crossing import CANARY, CROSSING, FULL, MASTER, NAME, SECRETS
from nbformat import NotebookNode
from notebooks import ROOT

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.common.files import read_json
from grading.config import Grading, load_config
from grading.examiner.conversation import Conversation, Frame
from grading.execution.partner import LivePartner
from grading.options import MIB, Limits
from grading.records.record import EXAMINER, GRADED, Record

HONEST = ("honest-1", "honest-2", "honest-3")
MARK = "neighbour-5be1"
LIMITS = Limits(
    cell_seconds=4,
    notebook_seconds=20,
    memory_bytes=700 * MIB,
    tasks=80,
    cpu_seconds=40,
    disk_bytes=40 * MIB,
    output_bytes=50_000,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]


@dataclass
class World:
    """A class with its attackers."""

    classroom: Classroom
    records: dict[str, Record]
    before: dict[str, str] = field(default_factory=dict)


def new_classroom(folder: Path) -> Classroom:
    """A course with the assignment, which has no `scoring.py`."""
    source = folder / "repository" / "source" / NAME
    source.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder / "repository")
    shutil.copytree(ROOT / "helpers", folder / "repository" / "helpers")
    notebook, _ = read_notebook(NAME, MASTER)
    nbformat.write(notebook, source / f"{NAME}.ipynb")
    return Classroom.create(folder / "repository", folder / "class", NAME)


def notebook(classroom: Classroom, attack: Attack) -> NotebookNode:
    """The release with an attack's cells."""
    solutions = solution_cells(classroom.master()) if attack.honest else {}
    made = fill_in(classroom.released(), {**solutions, **attack.cells})
    for place, source in ((1, attack.first), (len(made.cells) + 1, attack.last)):
        if source:  # after the imports, which the attacks use
            made.cells.insert(place, nbformat.v4.new_code_cell(source))
    return made


def files_of(folder: Path) -> dict[str, str]:
    """Hash of every file that no submission may change."""
    watched = [*folder.glob("source/**/*"), *folder.glob("helpers/**/*"), *folder.glob("submitted/**/*")]
    watched += [*(ROOT / "grading").rglob("*.py")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in watched if path.is_file()}


def sandboxes() -> list[int]:
    """Processes below this one that are sandboxes."""
    return [process.pid for process in psutil.Process().children(recursive=True) if "bwrap" in process.name()]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> World:
    """All attackers and honest neighbours, graded in one run."""
    classroom = new_classroom(tmp_path_factory.mktemp("crossing"))
    solved = fill_in(classroom.released(), solution_cells(classroom.master()))
    for name in HONEST:
        own = copy.deepcopy(solved)
        own.cells.append(nbformat.v4.new_code_cell(f"# mine, not yours: {MARK}"))
        classroom.hand_in(name, own)
    for attack in CROSSING:
        classroom.hand_in(attack.name, notebook(classroom, attack))
    made = World(classroom, {}, files_of(classroom.folder))
    made.records = {record.student: record for record in classroom.grade(quick(workers=2, limits=LIMITS))}
    return made


def got(record: Record) -> dict[str, float]:
    return {name: question.points for name, question in record.questions.items()}


def conversations(world: World) -> Iterator[bytes]:
    """All that students' kernels answered."""
    cache = Grading(config=load_config(world.classroom.folder)).cache_folder(world.classroom.folder)
    for path in cache.glob("conversations/**/*.json"):
        for kept in Conversation.from_json(read_json(path)).exchanges.values():
            yield from (reply.head + reply.tail for _, reply in kept)


def executed_text(world: World, student: str) -> str:
    return (world.classroom.folder / "autograded" / student / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")


def printed(notebook: str) -> Iterator[str]:
    """All outputs of an executed notebook."""
    for cell in json.loads(notebook)["cells"]:
        yield from (str(output) for output in cell.get("outputs", []))


def test_every_attack_says_what_it_tries() -> None:
    assert len({attack.name for attack in CROSSING}) == len(CROSSING) >= 60
    assert all(attack.tries for attack in CROSSING)


@pytest.mark.parametrize("attack", CROSSING, ids=lambda attack: attack.name)
def test_attack_gets_what_it_honestly_deserves(attack: Attack, world: World) -> None:
    record = world.records[attack.name]
    assert record.status == GRADED, record.why
    reasons = [question.reason for question in record.questions.values()]
    assert got(record) == dict(attack.points), reasons
    assert {question.decided for question in record.questions.values()} == {EXAMINER}


def test_no_neighbour_is_harmed(world: World) -> None:
    assert {name: got(world.records[name]) for name in HONEST} == dict.fromkeys(HONEST, FULL)
    events = [world.records[name].events for name in HONEST]
    assert events == [()] * len(HONEST), "nothing of theirs was stopped or run again"
    assert files_of(world.classroom.folder) == world.before


def test_nothing_is_left_outside(world: World) -> None:
    assert not Path(CANARY).exists()
    assert sandboxes() == []
    written = [path for path in world.classroom.folder.glob("autograded/**/*") if not path.is_dir()]
    assert {path.name for path in written} == {f"{NAME}.ipynb", "record.json"}
    assert not any(path.is_symlink() for path in written)


def test_no_attack_has_found_what_it_looked_for(world: World) -> None:
    """The attacks that search print what they find: into a cell, or with an answer."""
    said = [reply for reply in conversations(world) if b"FOUND" in reply]
    for attack in CROSSING:
        text = executed_text(world, attack.name)
        said += [text] if any("FOUND" in part for part in printed(text)) else []
    assert said == []


def test_nothing_of_hidden_tests_or_neighbours_comes_from_students_kernels(world: World) -> None:
    answers = list(conversations(world))
    assert len(answers) > 1000
    message, _, _, name = SECRETS  # the number is a right answer, and one attack has guessed the function's name
    for secret in (MARK, message, name):
        assert [answer for answer in answers if secret.encode() in answer] == []
    assert [attack.name for attack in CROSSING if MARK in executed_text(world, attack.name)] == []


def test_questions_hold_nothing_that_only_hidden_tests_say(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a student's kernel can see of a test is what it is asked: all of it is read here."""
    asked: list[Frame] = []
    real = LivePartner.ask

    def heard(partner: LivePartner, request: Frame) -> Frame:
        asked.append(request)
        return real(partner, request)

    monkeypatch.setattr(LivePartner, "ask", heard)
    watched = ("honest-1", "equal_to_everything", "lying_int", "exceptions_that_carry_objects", "patched_changes")
    records = world.classroom.grade(quick(limits=LIMITS, force=True), watched)
    assert {record.student: got(record) for record in records} == {name: got(world.records[name]) for name in watched}
    questions = [request.head + request.tail for request in asked]
    assert len(questions) > 150
    for secret in SECRETS:
        assert [question for question in questions if secret.encode() in question] == []
