"""A whole class comes through: many, broken, and with the run or its workers killed at any moment."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from classes import gradebook_rows, quick
from damaged.damages import DAMAGES
from dask_cluster import DaskCluster, dask_cluster, wait_for
from notebooks import ROOT

from grading.authoring.classroom import Classroom, fill_in, solution_cells
from grading.authoring.planted import hand_in_all, read_planted
from grading.config import load_config
from grading.pipeline.run import open_course
from grading.records.gradebook import GradebookWriter
from grading.records.record import GRADED, REFUSED, Record
from grading.sandbox.kernel import LIBRARY

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]

NAME = "boxes_and_iou"
FULL = 20
KILLS = 20


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    return Classroom.create(ROOT, tmp_path_factory.mktemp("template") / "class", NAME)


@pytest.fixture
def classroom(template: Classroom, tmp_path: Path) -> Classroom:
    shutil.copytree(template.folder, tmp_path / "class")
    return Classroom(tmp_path / "class", NAME)


def test_class_of_200_is_graded_once_then_left_then_only_rescored(
    classroom: Classroom, executed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    planted = {item.name: item for item in read_planted(ROOT / "source" / NAME / "planted")}
    del planted["dies"]
    solutions = solution_cells(classroom.master())
    expected = {}
    for number in range(200):
        item = list(planted.values())[number % len(planted)]
        cells = {**(solutions if item.origin == "master" else {}), **item.cells}
        cells["area"] = f"{cells.get('area', solution_cells(classroom.released())['area'])}\n# {number}"
        student = f"student-{number:03}"
        classroom.hand_in(student, fill_in(classroom.released(), cells))
        expected[student] = float(sum(item.points.values()))
    timings = {}

    def graded(what: str) -> dict[str, float]:
        began = time.monotonic()
        records = classroom.grade(quick(workers=2))
        timings[what] = time.monotonic() - began
        return {record.student: record.points for record in records}

    assert graded("first run") == expected
    assert len(executed) == 200
    rows = gradebook_rows(classroom.folder)
    assert graded("second run") == expected
    assert len(executed) == 200
    assert gradebook_rows(classroom.folder) == rows
    master = classroom.folder / "source" / NAME / f"{NAME}.ipynb"
    master.write_text(master.read_text().replace("ORDINARY_MINIMUM = 0.5", "ORDINARY_MINIMUM = 1.1"))
    assert set(graded("after a threshold change").values()) == {0.0}
    assert len(executed) == 200
    with capsys.disabled():
        print("\n200 submissions:", ", ".join(f"{what} {seconds:.1f} s" for what, seconds in timings.items()))


def test_no_damaged_submission_is_lost_and_each_repair_is_named(classroom: Classroom) -> None:
    released, solutions = classroom.released(), solution_cells(classroom.master())
    for damage in DAMAGES:
        folder = classroom.folder / "submitted" / damage.name / NAME
        folder.mkdir(parents=True)
        damage.make(folder, released, solutions, classroom.notebook_name)
    records = {record.student: record for record in classroom.grade(quick(workers=2))}
    assert set(records) == {damage.name for damage in DAMAGES}
    assert len(DAMAGES) >= 25
    wrong = {damage.name: _wrong(damage, records[damage.name]) for damage in DAMAGES}
    assert {name: said for name, said in wrong.items() if said} == {}


def _wrong(damage: object, record: Record) -> str:
    said = " ".join([*record.repairs, record.why])
    missing = [part for part in damage.says if part not in said]  # type: ignore[attr-defined]
    status = REFUSED if damage.refused else GRADED  # type: ignore[attr-defined]
    if missing or record.status != status:
        return f"{record.status}, not said: {missing}; said: {said}"
    return "" if record.points == FULL or not damage.full_points else str(record.points)  # type: ignore[attr-defined]


def small_class(classroom: Classroom) -> None:
    """Six submissions, one of which kills its kernel."""
    names = ("dies", "lists", "nan_matrix", "prints", "solution", "untouched")
    planted = [item for item in read_planted(ROOT / "source" / NAME / "planted") if item.name in names]
    hand_in_all(classroom, planted)


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("course")), "grade", NAME, "--workers", "2"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def finish(run: subprocess.Popen[bytes]) -> None:
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr.decode()[-3000:]


@pytest.fixture
def undisturbed(classroom: Classroom) -> tuple[list[tuple[object, ...]], float]:
    """What the gradebook holds after a run that nobody disturbed, and how long one takes (with a gradebook there)."""
    small_class(classroom)
    course = open_course(classroom.folder, NAME, quick())
    kept = {course.assignment.name: course.assignment.only.kept}
    GradebookWriter(course.db_url, course.assignment.name, kept, load_config(course.folder))
    shutil.copy(classroom.folder / "gradebook.db", classroom.folder / "empty.db")
    seconds = []
    for _ in range(2):  # the first run finds nothing in the page cache
        forget(classroom)
        began = time.monotonic()
        finish(start(classroom.folder))
        seconds.append(time.monotonic() - began)
    return gradebook_rows(classroom.folder), min(seconds)


def forget(classroom: Classroom, gradebook_too: bool = False) -> None:
    """As before any grading; making a gradebook takes nbgrader seconds, so one without entries is put back mostly."""
    (classroom.folder / "gradebook.db").unlink(missing_ok=True)
    if not gradebook_too:
        shutil.copy(classroom.folder / "empty.db", classroom.folder / "gradebook.db")
    for name in ("autograded", ".cache"):
        shutil.rmtree(classroom.folder / name, ignore_errors=True)


def test_run_killed_at_any_moment_is_continued(
    classroom: Classroom, undisturbed: tuple[list[tuple[object, ...]], float], capsys: pytest.CaptureFixture[str]
) -> None:
    rows, seconds = undisturbed
    moments = random.Random(0)
    interrupted = 0
    for number in range(KILLS):
        forget(classroom, gradebook_too=number % 5 == 0)
        run = start(classroom.folder)
        time.sleep(moments.uniform(0.1, seconds))
        interrupted += run.poll() is None
        run.kill()
        run.communicate()
        no_sandbox_left(classroom.folder)
        finish(start(classroom.folder))
        assert gradebook_rows(classroom.folder) == rows
        assert not list(classroom.folder.rglob(".new-*.json"))
    with capsys.disabled():
        print(
            f"\nkilled at {KILLS} random moments of a run of {seconds:.1f} s, {interrupted} before its end: same rows"
        )
    assert interrupted >= KILLS // 2


def no_sandbox_left(folder: Path) -> None:
    """Workers and sandboxes of a killed run end by themselves, within seconds."""
    deadline = time.monotonic() + 20
    while left := [process for process in psutil.process_iter() if belongs(process, folder)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def belongs(process: psutil.Process, folder: Path) -> bool:
    try:
        return str(folder) in process.environ().get("HOME", "") and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_work_of_a_killed_worker_is_done_by_another(
    classroom: Classroom, undisturbed: tuple[list[tuple[object, ...]], float]
) -> None:
    rows, _ = undisturbed
    moments = random.Random(1)
    for _ in range(3):
        forget(classroom)
        run = start(classroom.folder)
        deadline = time.monotonic() + 60
        while not (busy := workers(run.pid)) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 0.5))
        os.kill(moments.choice(busy), signal.SIGKILL)
        finish(run)
        assert gradebook_rows(classroom.folder) == rows


def workers(pid: int) -> list[int]:
    """Workers of a run that have a sandbox, in which a fork server makes those of the kernels."""
    try:
        outer = [child for child in psutil.Process(pid).children(recursive=True) if is_outer_bwrap(child)]
        return [child.ppid() for child in outer if child.ppid() != pid]  # the run itself tries bubblewrap first
    except psutil.Error:
        return []


def is_outer_bwrap(process: psutil.Process) -> bool:
    parent = process.parent()
    if process.name() != "bwrap" or parent is None:
        return False
    return parent.name() != "bwrap" and str(LIBRARY / "fork_kernels.py") not in parent.cmdline()


def on_cluster(folder: Path, cluster: DaskCluster) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("course")), "grade", NAME, "--scheduler", cluster.address]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_class_on_a_scheduler_of_its_own_is_graded_the_same(
    classroom: Classroom, undisturbed: tuple[list[tuple[object, ...]], float], tmp_path: Path
) -> None:
    """`--scheduler`, with a scheduler and two workers started as on a cluster."""
    rows, _ = undisturbed
    with dask_cluster(tmp_path) as cluster:
        for _ in range(2):
            cluster.worker()
        run = on_cluster(classroom.folder, cluster)
        _, said = run.communicate(timeout=120)
    assert run.returncode == 0, said
    assert gradebook_rows(classroom.folder) == rows


def test_run_whose_scheduler_dies_says_so_and_the_next_one_goes_on(
    classroom: Classroom, undisturbed: tuple[list[tuple[object, ...]], float], tmp_path: Path
) -> None:
    rows, _ = undisturbed
    forget(classroom)
    with dask_cluster(tmp_path) as cluster:
        cluster.worker()
        run = on_cluster(classroom.folder, cluster)
        wait_for(lambda: any(classroom.folder.glob("autograded/*/*/record.json")))
        cluster.processes[0].kill()
        said = " ".join(" ".join(run.communicate(timeout=120)).split())
    assert run.returncode == 1
    assert "was lost while this ran: grade again when it answers" in said
    assert "Traceback" not in said
    graded = {row[1] for row in gradebook_rows(classroom.folder)}
    assert graded
    finish(start(classroom.folder))
    assert gradebook_rows(classroom.folder) == rows


def test_scheduler_that_does_not_answer_is_said_before_anything_is_touched(
    classroom: Classroom, undisturbed: tuple[list[tuple[object, ...]], float], tmp_path: Path
) -> None:
    forget(classroom)
    run = on_cluster(classroom.folder, DaskCluster(tmp_path, 9))
    _, said = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in " ".join(said.split())
    assert not (classroom.folder / "autograded").exists()
