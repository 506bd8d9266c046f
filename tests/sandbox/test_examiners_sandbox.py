"""The examiner's sandbox, listed from inside while a course is graded: a test of the master writes down its world."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from homework import course, graded, hand_in, solved
from notebooks import code, grade_cell, markdown, notebook

from grading.common.files import read_json
from grading.sandbox.kernel import EXAMINERS_PROGRAMS

pytestmark = pytest.mark.slow
SQUARE = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
LISTS = """\
import json, os, socket

def lines(path, *names):
    return sorted(" ".join(line.split()) for line in open(path) if line.split(":")[0] in names)

def can_write(folder):
    try:
        with open(os.path.join(folder, "probe"), "x"):
            pass
    except OSError:
        return False
    os.unlink(os.path.join(folder, "probe"))
    return True

def error(action):
    try:
        action()
    except OSError as raised:
        return type(raised).__name__
    return "nothing"

folders = "/ /home /opt/course /opt/course/lib /run /run/kernel /tmp".split()
world = {path: sorted(os.listdir(path)) for path in folders}
world["home"] = sorted(os.path.join(place, name) for place, _, names in os.walk(".") for name in names)
world["here"] = os.getcwd()
world["etc"] = sorted(os.listdir("/etc"))
world["devices"] = sorted(os.listdir("/dev"))
world["processes"] = len([name for name in os.listdir("/proc") if name.isdigit()])
world["interfaces"] = [line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]]
world["ids"] = [os.getuid(), os.getgid()]
world["host"] = os.uname().nodename
world["variables"] = sorted(os.environ)
world["status"] = lines("/proc/self/status", "NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
mounts = [line.split() for line in open("/proc/self/mountinfo")]
read_only = tuple(mount[4] + "/" for mount in mounts if "ro" in mount[5].split(",") and mount[4] != "/")
open_mounts = [mount[4] for mount in mounts if mount[4] + "/" not in read_only and not mount[4].startswith("/proc")]
below = {
    place: names for top in open_mounts for place, inner, names in os.walk(top)
    if not (place + "/").startswith((*read_only, "/proc/")) or inner.clear()
}
world["below"] = sorted(os.path.join(place, name) for place, names in below.items() for name in names)
world["writable"] = sorted(place for place in below if can_write(place))
world["read only"] = sorted(read_only)
world["sockets"] = [line.split()[-1] for line in open("/proc/net/unix").readlines()[1:] if len(line.split()) > 7]
world["network"] = [error(lambda place=place: socket.create_connection(place, 2)) for place in PLACES]
world["names"] = error(lambda: socket.getaddrinfo("example.com", 80))
print(json.dumps(world))
assert square(3) == 9
"""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory, bubblewrap: None) -> dict[str, Any]:
    """What the test saw, by the file of the submission, while somebody listens outside and two have handed in."""
    folder = tmp_path_factory.mktemp("listed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        places = [["127.0.0.1", server.getsockname()[1]], ["192.0.2.1", 80]]
        lists = LISTS.replace("PLACES", json.dumps(places))
        master = notebook(
            markdown("title", "# Listed"),
            code("square", SQUARE, grade_id="square", solution=True),
            grade_cell(lists, grade_id="listed"),
        )
        course(folder, {"one": master})
        for student in ("ann", "bo"):
            answer = f"def square(x):\n    return x * x  # {student}"
            hand_in(folder, student, {"one.ipynb": solved(folder, "one", {"square": answer}), f"{student}.txt": ""})
        records = graded(folder)
    assert {student: record.points for student, record in records.items()} == {"ann": 2, "bo": 2}
    found = [_said(path) for path in folder.rglob("tests/*/*.json")]
    assert len(found) == 3, "the solution and two students"
    return {"".join(path for path in one["below"] if path.endswith(".txt")): one for one in found}


def _said(path: Path) -> dict[str, Any]:
    (run,) = read_json(path)["tests"].values()
    found: dict[str, Any] = json.loads("".join(text for stream, text in run["output"] if stream == "stdout"))
    return found


def test_examiner_sees_just_this(worlds: dict[str, Any]) -> None:
    """All that is there but for what is mounted read-only: Python, the system's libraries, the programs inside."""
    world = dict(worlds[""])
    prefixes = {Path(prefix).parts[1] for prefix in (sys.prefix, sys.base_prefix)}
    system = {"bin", "sbin", "lib", "lib64", "usr", "etc", "proc", "dev", "tmp", "run"}
    assert set(world.pop("/")) <= system | {"home", "opt", "questions"} | prefixes
    assert world.pop("processes") <= 3  # bubblewrap's own, the server, and the child for this submission
    assert set(world.pop("etc")) <= {"ld.so.cache", "alternatives", "fonts"}
    assert set(world.pop("devices")) <= {
        *("console", "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout"),
        *("tty", "urandom", "zero"),
    }
    assert {name for name in world.pop("variables") if not name.startswith(("TF_", "MPL"))} <= {
        *("LANG", "USER", "PATH", "HOME", "TMPDIR", "PYTHONPATH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"),
        *("COURSE_SEED", "PWD", "LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    }
    places = {Path(place).parts[1] for place in world.pop("read only")}
    assert places <= {"dev", "etc", "home", "lib", "lib64", "opt", "proc", "questions", "usr", "bin", "sbin", *prefixes}
    below = world.pop("below")
    programs = {f"/opt/course/lib/{name}" for name in EXAMINERS_PROGRAMS} | {"/opt/course/kernel.py"}
    assert set(below) - programs - {"/etc/ld.so.cache"} == {
        "/home/student/public/numbers.csv",
        "/run/kernel/examiner",
        "/run/kernel/settings.json",
    }
    assert world == {
        "/home": ["student"],
        "/opt/course": ["kernel.py", "lib"],
        "/opt/course/lib": sorted([*EXAMINERS_PROGRAMS, "helpers"]),
        "/run": ["kernel"],
        "/run/kernel": ["examiner", "settings.json"],
        "/tmp": [],
        "here": "/home/student",
        "home": ["./public/numbers.csv"],
        "writable": ["/home/student", "/home/student/public", "/run/kernel", "/tmp"],
        "interfaces": ["lo"],
        "sockets": ["/run/kernel/examiner"],
        "network": ["ConnectionRefusedError", "OSError"],
        "names": "gaierror",
        "ids": [1000, 1000],
        "host": "sandbox",
        "status": [
            *(f"Cap{kind}: 0000000000000000" for kind in ("Amb", "Bnd", "Eff", "Inh", "Prm")),
            "NoNewPrivs: 1",
            "Seccomp: 2",
        ],
    }


def test_of_submissions_it_sees_only_the_files_beside_the_one_that_it_examines(worlds: dict[str, Any]) -> None:
    """A file that a student has handed in beside the notebook crosses, as in nbgrader; nothing of another's does."""
    assert set(worlds) == {"", "/home/student/ann.txt", "/home/student/bo.txt"}
    for file, world in worlds.items():
        others = {name: value for name, value in world.items() if name not in ("below", "home")}
        assert others == {name: worlds[""][name] for name in others}
        assert set(world["below"]) - {file} == set(worlds[""]["below"])
