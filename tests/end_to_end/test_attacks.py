"""No hostile submission gets a point too many, gets out of its sandbox, or costs a neighbour anything."""

import copy
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest
from classes import quick
from hostile.cells import ATTACKS, FULL, Attack
from hostile.detection import GRID_ATTACKS, MODEL_ATTACKS, ModelAttack
from hostile.hand_ins import FILE_ATTACKS, FileAttack
from nbformat import NotebookNode
from notebooks import ROOT

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.options import MIB, Limits
from grading.records.record import GRADED, REFUSED, Record

NAME = "boxes_and_iou"
SECRET = "canary-7f3a9c"
PROCESS = "course-canary-process"
HONEST = ("honest-1", "honest-2", "honest-3")
LIMITS = Limits(
    cell_seconds=4,
    notebook_seconds=15,
    memory_bytes=500 * MIB,
    tasks=80,
    cpu_seconds=40,
    disk_bytes=40 * MIB,
    output_bytes=50_000,
)
QUICK = ("display_hook", "forged_answers", "poisoned_pickle", "reads_the_master", "fork_bomb", "network")


@dataclass
class World:
    """A class with its attackers, and what was laid out to be found."""

    classroom: Classroom
    records: dict[str, Record]
    connections: list[str] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)


def student(attack: Attack | FileAttack) -> str:
    return getattr(attack, "student", "") or attack.name


def notebook(classroom: Classroom, attack: Attack, fill: dict[str, str]) -> NotebookNode:
    """The release with an attack's cells."""
    solutions = solution_cells(classroom.master()) if attack.honest else {}
    made = fill_in(classroom.released(), {**solutions, **attack.cells})
    for place, source in ((0, attack.first), (len(made.cells) + 1, attack.last)):
        for name, value in fill.items():
            source = source.replace(name, value)
        if source:
            made.cells.insert(place, nbformat.v4.new_code_cell(source))
    return made


def files_of(folder: Path) -> dict[str, str]:
    """Hash of every file that no submission may change."""
    watched = [*folder.glob("source/**/*"), *folder.glob("helpers/*"), *folder.glob("submitted/honest-*/**/*")]
    watched += [*(ROOT / "grading").glob("*.py"), *(ROOT / "source").glob("*/*")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in watched if path.is_file()}


def listen(server: socket.socket, connections: list[str]) -> None:
    def accept() -> None:
        try:
            while True:
                server.accept()
                connections.append(str(server.getsockname()))
        except OSError:
            return

    threading.Thread(target=accept, daemon=True).start()


def attack_it(folder: Path, attacks: list[Attack], files: list[FileAttack], monkeypatch: pytest.MonkeyPatch) -> World:
    """Grade attackers and honest neighbours in one run, with canaries around."""
    classroom = Classroom.create(ROOT, folder / "class", NAME)
    world = World(classroom, {})
    monkeypatch.setenv("COURSE_CANARY", SECRET)
    (folder / "secret.txt").write_text(SECRET)
    with (
        socket.create_server(("127.0.0.1", 0)) as internet,
        socket.socket(socket.AF_UNIX) as local,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        local.bind(str(folder / "s"))
        abstract.bind("\0course-canary")
        for server in (internet, local, abstract):
            server.listen()
            listen(server, world.connections)
        fill = {"{port}": str(internet.getsockname()[1]), "{path}": str(folder / "s")}
        solved = fill_in(classroom.released(), solution_cells(classroom.master()))
        for number, name in enumerate(HONEST):
            own = copy.deepcopy(solved)
            own.cells.append(nbformat.v4.new_code_cell(f"# mine, not yours: {SECRET} {number}"))
            classroom.hand_in(name, own)
        for attack in attacks:
            classroom.hand_in(attack.name, notebook(classroom, attack, fill))
        for file_attack in files:
            target = classroom.folder / "submitted" / student(file_attack) / NAME
            target.mkdir(parents=True)
            file_attack.make(target, solved, classroom.notebook_name)
        world.before = files_of(classroom.folder)
        records = classroom.grade(quick(workers=2, limits=LIMITS))
        for server in (internet, local, abstract):
            server.shutdown(socket.SHUT_RDWR)  # or who waits for a connection keeps the address
    world.records = {record.student: record for record in records}
    return world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield attack_it(tmp_path_factory.mktemp("a"), ATTACKS, FILE_ATTACKS, monkeypatch)


def got(record: Record) -> dict[str, float]:
    return {name: question.points for name, question in record.questions.items()}


def texts(world: World) -> Iterator[tuple[str, str]]:
    """Everything that was written about the attackers."""
    for path in world.classroom.folder.glob("autograded/*/*/*"):
        if path.parts[-3] not in HONEST:
            yield str(path), path.read_text(encoding="utf-8")


def nothing_got_out(world: World) -> None:
    assert {name: got(world.records[name]) for name in HONEST} == dict.fromkeys(HONEST, FULL)
    assert world.connections == []
    assert files_of(world.classroom.folder) == world.before
    assert not Path("/tmp/course-canary").exists()
    assert [
        process.pid for process in psutil.process_iter(["cmdline"]) if PROCESS in (process.info["cmdline"] or [])
    ] == []
    assert [path for path, text in texts(world) if SECRET in text] == []


def test_quick_attacks_get_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bubblewrap: None) -> None:
    chosen = [attack for attack in ATTACKS if attack.name in QUICK]
    world = attack_it(tmp_path, chosen, [], monkeypatch)
    assert {attack.name: got(world.records[attack.name]) for attack in chosen} == {
        attack.name: dict(attack.points) for attack in chosen
    }
    nothing_got_out(world)


def test_at_least_forty_attacks_each_say_what_they_try() -> None:
    everyone = [*ATTACKS, *FILE_ATTACKS]
    assert len({student(attack) for attack in everyone}) == len(everyone) >= 40
    assert all(attack.tries for attack in everyone)


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_gets_what_it_honestly_deserves(attack: Attack, world: World) -> None:
    record = world.records[attack.name]
    assert record.status == GRADED
    assert got(record) == dict(attack.points), [question.reason for question in record.questions.values()]


@pytest.mark.slow
@pytest.mark.parametrize("attack", FILE_ATTACKS, ids=lambda attack: attack.name)
def test_file_attack_is_refused_or_graded_for_what_it_is(attack: FileAttack, world: World) -> None:
    record = world.records[student(attack)]
    assert record.status == (REFUSED if attack.refused else GRADED), record.why
    assert got(record) == dict(attack.points)


@pytest.mark.slow
def test_nothing_gets_out(world: World) -> None:
    nothing_got_out(world)


@pytest.mark.slow
def test_kept_notebooks_hold_only_text_and_pictures(world: World) -> None:
    for path in world.classroom.folder.glob("autograded/*/*/*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                kinds = set(output.get("data", {}))
                assert kinds <= {"text/plain", "image/png", "image/jpeg"}, path
                assert "<script" not in str(output.get("data", {}).get("image/png", ""))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["script_in_outputs", "scripts_everywhere", "error_with_a_script", "terminal_codes"])
def test_nbgraders_feedback_runs_no_script_of_a_student(world: World, name: str) -> None:
    page = world.classroom.feedback(name).read_text()
    assert not re.search(r"<script[^>]*>\s*alert", page)
    assert not re.search(r"<img[^>]*onerror", page)
    assert not re.search(r"href=.?javascript", page)
    assert not re.search(r"src=[^>]*example\.com", page)


@pytest.mark.slow
def test_looking_around_finds_nothing(world: World) -> None:
    """The submission that walks the whole file system prints what it found."""
    path = world.classroom.folder / "autograded" / "reads_the_master" / NAME / f"{NAME}.ipynb"
    said = next(
        str(cell.outputs) for cell in nbformat.read(path, as_version=4).cells if "FOUND" in str(cell.get("outputs"))
    )
    assert re.findall(r"'(/[^']+)'", said) == []


@pytest.mark.slow
def test_class_graded_twice_has_the_same_points(world: World) -> None:
    again = world.classroom.grade(quick(workers=2, limits=LIMITS))
    assert {record.student: got(record) for record in again} == {
        name: got(record) for name, record in world.records.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cell", "attacks", "honest"),
    [
        ("object_detection", "classif_and_loc", MODEL_ATTACKS, False),
        ("many_objects", "build_detector", GRID_ATTACKS, True),
    ],
)
def test_hostile_model_gets_what_it_honestly_deserves(
    name: str, cell: str, attacks: list[ModelAttack], honest: bool, tmp_path: Path, bubblewrap: None
) -> None:
    from helpers.sample import make_sample

    classroom = Classroom.create(ROOT, tmp_path / "class", name)
    others = solution_cells(classroom.master()) if honest else {}
    for attack in attacks:
        classroom.hand_in(attack.name, fill_in(classroom.released(), {**others, cell: attack.source}))
    limits = Limits(cell_seconds=120, notebook_seconds=240)
    records = classroom.grade(quick(workers=2, limits=limits, data=make_sample()))
    assert {record.student: got(record) for record in records} == {
        attack.name: dict(attack.points) for attack in attacks
    }
