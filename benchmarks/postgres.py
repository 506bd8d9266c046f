"""PostgreSQL as gradebook: ten coordinators on ten assignments of one course at once. Is a row lost or doubled?"""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import classes_of
import harness
from classes_of import Stored
from harness import Cost, Goal, LeftOutError, Section, Settings
from sqlalchemy import create_engine, text

from grading.authoring.classroom import Classroom
from grading.pipeline.plan import Run, plan
from grading.pipeline.run import GradingRun

STUDENTS = 100
COORDINATORS = 10
USER = "postgres"
ROWS = """
select a.name, s.student_id, c.name, g.auto_score, g.manual_score, g.needs_manual_grade
from grade g
join submitted_notebook n on g.notebook_id = n.id
join submitted_assignment s on n.assignment_id = s.id
join assignment a on s.assignment_id = a.id
join base_cell c on g.cell_id = c.id
"""
Row = tuple[object, ...]


def run(settings: Settings) -> list[Section]:
    """A new database, all coordinators at once; again with nothing to do; again after a threshold change."""
    programs = find_programs()
    if importlib.util.find_spec("psycopg") is None:
        raise LeftOutError("psycopg is not installed: it is the extra `postgresql`")
    students = settings.part(STUDENTS)
    classroom = classes_of.our_class(settings.scratch / "class", classes_of.WARM_UP, students)
    classes_of.supply_answers(classroom)
    names = multiply(classroom, COORDINATORS)
    rows: list[list[str]] = []
    wrong = 0
    for number in range(settings.rounds):
        with server(programs, settings.scratch / f"server-{number}") as url:
            use(classroom, url)
            shutil.rmtree(classroom.folder / "autograded", ignore_errors=True)
            before: list[Row] = []
            for what in ("first grading", "nothing to do", "other threshold"):
                if what == "other threshold":
                    for name in names:
                        change_threshold(classroom, name)
                cost = all_at_once(classroom, names)
                found = read(url)
                lost, doubled, differing = compare(classroom, names, found)
                moved = len(set(before) ^ set(found)) if what == "nothing to do" else 0
                wrong += lost + doubled + differing + moved
                before = found
                counts = map(str, (len(found), lost, doubled, differing))
                each = f"{cost.wall / (students * len(names)) * 1000:.3g} ms"
                rows.append([what, *counts, f"{cost.wall:.3g} s", each])
    return [
        Section(
            name="postgres",
            title=f"PostgreSQL as gradebook: {COORDINATORS} coordinators at once",
            how=f"{COORDINATORS} copies of the warm-up in one course, {students} students who have handed in all of "
            "them, answers supplied; a `course grade` for each copy, all started together, the first time on an empty "
            "database without tables. Every row of the table of grades is compared with the records. Server of this "
            f"machine on loopback, with its defaults: {version(programs)}.",
            columns=("run", "rows", "lost", "doubled", "not the record's", "seconds", "each submission"),
            rows=rows,
            goals=[Goal("PostgreSQL: rows lost, doubled or wrong", 0, wrong, at_most=True)],
            raw={"rows": rows},
        )
    ]


def find_programs() -> Path:
    """Folder of `initdb` and `pg_ctl`. Raises LeftOutError where there is none."""
    on_path = shutil.which("pg_ctl")
    found = [Path(on_path)] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        raise LeftOutError("PostgreSQL is not installed: on Debian, `apt-get install postgresql`")
    return found[-1].parent


def version(programs: Path) -> str:
    """What the server calls itself."""
    return subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()


@contextlib.contextmanager
def server(programs: Path, folder: Path) -> Iterator[str]:
    """A server of our own on loopback, empty; gives its address for SQLAlchemy."""
    own = Server(programs, folder)
    own.start()
    try:
        yield own.url
    finally:
        own.stop()


class Server:
    """A server of our own on loopback, empty at first, which can be killed and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        folder.mkdir()
        self._programs, self._folder = programs, folder
        self._become: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            self._become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"]
            shutil.chown(folder, USER)
            folder.parent.chmod(0o711)
        self._data, self._port = folder / "data", _free_port()
        self._call("initdb", "-D", self._data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")

    @property
    def url(self) -> str:
        """Its address for SQLAlchemy."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it; it answers afterwards. Raises RuntimeError if it does not."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self._port} -c unix_socket_directories="
        self._call("pg_ctl", "-D", self._data, "-w", "-l", self._folder / "server.txt", "-o", options, "start")

    def kill(self) -> None:
        """End its first process by SIGKILL; those of its connections see that and end."""
        os.kill(int((self._data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)

    def start_again(self) -> None:
        """Start it after it was killed, as soon as what it left has ended. Raises RuntimeError if that takes long."""
        for _ in range(40):
            time.sleep(0.5)
            with contextlib.suppress(RuntimeError):
                return self.start()
        self.start()

    def stop(self) -> None:
        """Stop it in order."""
        self._call("pg_ctl", "-D", self._data, "-m", "fast", "-w", "stop")

    def _call(self, program: str, *argv: str | Path) -> None:
        with (self._folder / "output.txt").open("a+") as log:
            command = [*self._become, self._programs / program, *argv]
            done = subprocess.run(command, stdout=log, stderr=log, cwd=self._folder, check=False)
            if done.returncode:
                log.seek(0)
                raise RuntimeError(f"{program} failed: {log.read()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def multiply(classroom: Classroom, number: int) -> list[str]:
    """Copies of the class's assignment, of its hand-ins and of their stored answers, under other names."""
    names = [f"{classroom.assignment}_{index}" for index in range(number)]
    source = classroom.folder / "source" / classroom.assignment
    for name in names:
        copy = shutil.copytree(source, source.with_name(name))
        for path in copy.glob(f"{classroom.assignment}.*"):
            path.rename(path.with_name(name + path.suffix))
        for folder in (classroom.folder / "submitted").iterdir():
            (folder / name).mkdir()
            shutil.copy(folder / classroom.assignment / classroom.notebook_name, folder / name / f"{name}.ipynb")
    answers = [Stored.of(course, run) for course, run in runs(classroom)]
    for name in names:
        for (course, run), stored in zip(runs(Classroom(classroom.folder, name)), answers, strict=True):
            stored.put(course, run)
    return names


def runs(classroom: Classroom) -> list[tuple[GradingRun, Run]]:
    """The run of each student, under whose key the answers are stored."""
    course = classes_of.opened(classroom)
    return [(course, submission.runs[0]) for submission in plan(course).submissions]


def use(classroom: Classroom, url: str) -> None:
    """Make a database the course's gradebook."""
    path = classroom.folder / "nbgrader_config.py"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "db_url" not in line]
    path.write_text("\n".join([*lines, f"c.CourseDirectory.db_url = {url!r}", ""]), encoding="utf-8")


def change_threshold(classroom: Classroom, name: str) -> None:
    """A threshold that changes points."""
    import rescoring

    rescoring.change_threshold(Classroom(classroom.folder, name))


def all_at_once(classroom: Classroom, names: list[str]) -> Cost:
    """Grade all assignments, each by a process of its own. Raises RuntimeError if one fails."""
    before = time.perf_counter()
    argv = [str(harness.BIN / "course"), "grade"]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([*argv, name], cwd=classroom.folder, **pipes) for name in names]
    said = [process.communicate()[1] for process in running]
    failed = [text for process, text in zip(running, said, strict=True) if process.returncode]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(names)} coordinators failed: {failed[0][-2000:]}")
    return Cost(time.perf_counter() - before, 0.0, 0, cpu_complete=False)


def read(url: str) -> list[Row]:
    """Every grade in the gradebook."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(ROWS))]
    engine.dispose()
    return rows


def compare(classroom: Classroom, names: list[str], rows: list[Row]) -> tuple[int, int, int]:
    """How many grades of the records are not in the rows, are there more than once, are there with other points."""
    from grading.records.record import read_record

    wanted: dict[tuple[object, ...], float] = {}
    for name in names:
        for folder in (classroom.folder / "submitted").iterdir():
            record = read_record(classroom.folder / "autograded" / folder.name / name)
            if record is None:
                raise RuntimeError(f"{folder.name} has no record for {name}")
            for cell, question in record.questions.items():
                wanted[name, record.student, cell] = question.points
    found: dict[tuple[object, ...], list[object]] = {}
    for row in rows:
        found.setdefault(row[:3], []).append(row[3])
    lost = sum(key not in found for key in wanted)
    doubled = sum(len(scores) - 1 for scores in found.values()) + sum(key not in wanted for key in found)
    differing = sum(key in found and found[key][0] != points for key, points in wanted.items())
    return lost, doubled, differing
