"""The sandbox limits what can be seen, reached and used up from inside."""

import ast
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grading.errors import SandboxError
from grading.options import MIB, Isolation, Resources
from grading.sandbox import bubblewrap as sandbox
from grading.sandbox.bubblewrap import check
from grading.sandbox.cgroup import Cgroup
from grading.sandbox.forkserver import KernelPool
from grading.sandbox.kernel import STUDENTS_PROGRAMS, Ended, Environment, Kernel, started

pytestmark = pytest.mark.usefixtures("bubblewrap")
ROOT = Path(__file__).parents[2]
SMALL = Resources(memory_bytes=400 * MIB, tasks=60, cpu_seconds=20, disk_bytes=20 * MIB)


@pytest.fixture(scope="module", params=["cold", "warm"])
def pool(request: pytest.FixtureRequest, bubblewrap: None) -> Iterator[KernelPool | None]:
    """Everything below holds for a kernel of its own start and for one that was forked."""
    if request.param == "cold":
        yield None
        return
    with KernelPool() as pool:
        yield pool


@pytest.fixture
def environment(tmp_path: Path, pool: KernelPool | None) -> Environment:
    """Course data and one file handed in, but for a kernel that is to be forked."""
    for name in ("data", "questions"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "photographs.txt").write_text("data")
    (tmp_path / "extra.txt").write_text("mine")
    return Environment(
        data={"photographs.txt": tmp_path / "data" / "photographs.txt"},
        questions=tmp_path / "questions",
        extras={} if pool else {"extra.txt": tmp_path / "extra.txt"},
        helpers=ROOT / "helpers",
        variables={},
    )


@pytest.fixture
def kernel(environment: Environment, pool: KernelPool | None) -> Iterator[Kernel]:
    with started(environment, SMALL, Isolation.bwrap, 10_000, pool) as kernel:
        assert isinstance(kernel.sandbox.process, subprocess.Popen) == (pool is None)
        yield kernel


def printed(kernel: Kernel, code: str) -> str:
    run = kernel.run(code, 20)
    assert run.ended is Ended.ok, run
    return "".join(output.get("text", "") for output in run.outputs)


def test_sandbox_sees_just_this(kernel: Kernel, environment: Environment) -> None:
    """A notebook lists its world: the whole of it is written down here."""
    code = """
import json, os
folders = "/ /home /home/student /data /opt/course /opt/course/lib /run /run/kernel /questions"
world = {path: sorted(os.listdir(path)) for path in folders.split()}
world["etc"] = sorted(os.listdir("/etc"))
world["variables"] = sorted(os.environ)
world["processes"] = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
world["devices"] = sorted(os.listdir("/dev"))
world["interfaces"] = [line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]]
world["ids"] = [os.getuid(), os.getgid()]
world["capabilities"] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")]
world["host"] = os.uname().nodename
print(world)
"""
    world = ast.literal_eval(printed(kernel, code))
    prefixes = {Path(prefix).parts[1] for prefix in (sys.prefix, sys.base_prefix)}
    system = {"bin", "sbin", "lib", "lib64", "usr", "etc", "proc", "dev", "tmp", "run"}
    assert set(world.pop("/")) <= system | {"home", "data", "opt", "questions"} | prefixes
    variables = set(world.pop("variables"))
    assert {name for name in variables if not name.startswith(("PYDEVD", "MPL", "CLICOLOR", "FORCE", "JPY"))} <= {
        *("LANG", "USER", "PATH", "HOME", "TMPDIR", "PYTHONPATH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"),
        *("COURSE_SEED", "COURSE_DATA", "COURSE_DATA_READ_ONLY", "PWD", "TERM", "GIT_PAGER", "PAGER", "LC_CTYPE"),
        *("SHLVL", "_", "OLDPWD"),
    }
    assert len(world.pop("processes")) <= 3  # bubblewrap's own, the kernel, and what held the sandbox for it
    assert set(world.pop("etc")) <= {"ld.so.cache", "alternatives", "fonts"}
    assert set(world.pop("devices")) <= {
        *("console", "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout"),
        *("tty", "urandom", "zero"),
    }
    assert world == {
        "/home": ["student"],
        "/home/student": sorted([".ipython", *environment.extras]),
        "/data": ["photographs.txt"],
        "/opt/course": ["kernel.py", "lib"],
        "/opt/course/lib": [*STUDENTS_PROGRAMS, "helpers"],
        "/run": ["kernel"],
        "/run/kernel": ["connection.json", "s-1", "s-2", "s-3", "s-4", "s-5"],
        "/questions": [],
        "interfaces": ["lo"],
        "ids": [1000, 1000],
        "capabilities": ["0000000000000000"],
        "host": "sandbox",
    }


def test_instructors_files_are_not_there(kernel: Kernel) -> None:
    for path in (ROOT / "source", ROOT / "grading", ROOT / "tests", Path.home() / ".ssh", Path("/etc/passwd")):
        assert printed(kernel, f"import os; print(os.path.exists({str(path)!r}))") == "False\n", path


def test_instructors_variables_cannot_be_read(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, pool: KernelPool | None
) -> None:
    monkeypatch.setenv("LMS_TOKEN", "secret")
    with started(environment, SMALL, Isolation.bwrap, 10_000, pool) as kernel:
        code = "import os; print('LMS_TOKEN' in os.environ, b'LMS_TOKEN' in open('/proc/1/environ', 'rb').read())"
        run = kernel.run(code, 20)
    said = "".join(str(output) for output in run.outputs)
    assert "True" not in said


@pytest.mark.parametrize(
    "path", ["/data/photographs.txt", "/opt/course/kernel.py", "/usr/bin/new", "/new", "/dev/new", "/questions/new"]
)
def test_everything_but_home_is_read_only(kernel: Kernel, path: str) -> None:
    run = kernel.run(f"open({path!r}, 'w').write('x')", 20)
    assert "Read-only file system" in run.cause or "Permission denied" in run.cause


def test_files_handed_in_with_the_notebook_are_there(kernel: Kernel, environment: Environment) -> None:
    if not environment.extras:
        pytest.skip("who brings files is not forked")
    assert printed(kernel, "print(open('extra.txt').read())") == "mine\n"


def test_network_is_unreachable(kernel: Kernel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=3)"
        assert "refused" in kernel.run(code, 20).cause
    assert "OSError" in kernel.run("import socket; socket.create_connection(('1.1.1.1', 53), timeout=3)", 20).cause


def test_sandbox_cannot_make_namespaces_of_its_own(kernel: Kernel) -> None:
    code = "import ctypes; print(ctypes.CDLL(None, use_errno=True).unshare(0x10000000))"
    assert printed(kernel, code) == "-1\n"


def test_too_much_memory_is_named(kernel: Kernel) -> None:
    run = kernel.run("x = []\nwhile True: x.append(bytearray(20_000_000))", 20)
    assert run.ended is Ended.died
    assert run.cause == "it used more than 400 MiB of memory"
    assert not run.from_outside


def test_memory_is_limited_without_control_groups(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, pool: KernelPool | None
) -> None:
    monkeypatch.setattr(Cgroup, "_make", classmethod(lambda *_: None))
    with started(environment, SMALL, Isolation.bwrap, 10_000, pool) as kernel:
        run = kernel.run("import time\nx = []\nwhile True: x.append(bytearray(20_000_000)); time.sleep(0.05)", 20)
        assert run.cause == "it used more than 400 MiB of memory"


@pytest.mark.parametrize("grouped", [True, False])
def test_fork_bomb_ends(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, grouped: bool, pool: KernelPool | None
) -> None:
    if not grouped:
        monkeypatch.setattr(Cgroup, "_make", classmethod(lambda *_: None))
    with started(environment, SMALL, Isolation.bwrap, 10_000, pool) as kernel:
        run = kernel.run("import os\nfor _ in range(500):\n    if os.fork() == 0: __import__('time').sleep(60)", 10)
        assert run.ended in (Ended.died, Ended.error)
        inside = kernel.sandbox._tree()
    assert not [process for process in inside if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_started_process_does_not_survive(environment: Environment, pool: KernelPool | None) -> None:
    marker = f"sleep-{os.getpid()}-{time.monotonic_ns()}"
    with started(environment, SMALL, Isolation.bwrap, 10_000, pool) as kernel:
        code = (
            "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', "
            f"{marker!r}], start_new_session=True); print(p.pid)"
        )
        printed(kernel, code)
        deadline = time.monotonic() + 10
        while not running(marker):  # on a busy machine its name is not there at once
            assert time.monotonic() < deadline
    time.sleep(0.3)
    assert not running(marker)


def running(marker: str) -> bool:
    for process in psutil.process_iter():
        try:
            if marker in process.cmdline():
                return True
        except psutil.Error:
            continue
    return False


def test_disk_space_is_limited(kernel: Kernel) -> None:
    run = kernel.run("with open('big', 'wb') as f:\n    for _ in range(100): f.write(bytes(10**6))", 20)
    assert "No space left" in run.cause or "File too large" in run.cause
    assert printed(kernel, "print('on')") == "on\n"


def test_shared_folder_is_no_way_to_fill_the_disk(kernel: Kernel) -> None:
    run = kernel.run(
        "for i in range(100): open(f'/run/kernel/{i}', 'wb').write(bytes(10**5))\nimport time; time.sleep(9)", 20
    )
    assert run.cause == "it filled the folder of its connections"


def test_course_may_lie_in_a_folder_that_the_sandbox_has_too(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment in /tmp: the sandbox has a /tmp of its own."""
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "pyvenv.cfg").write_text("here")
    monkeypatch.setattr("grading.sandbox.bubblewrap.sys.prefix", str(environment))
    argv = ["/bin/sh", "-c", f"cat {environment}/pyvenv.cfg > {sandbox.RUN}/found; echo x > /tmp/x || exit 9"]
    with sandbox.folder() as folder, sandbox.start(folder, argv, [], {}, SMALL, Isolation.bwrap) as box:
        assert box.process.wait(10) == 0, box.stderr
        assert (folder / "run" / "found").read_text() == "here"


def test_processor_time_is_limited(environment: Environment, pool: KernelPool | None) -> None:
    resources = Resources(memory_bytes=400 * MIB, cpu_seconds=2)
    with started(environment, resources, Isolation.bwrap, 10_000, pool) as kernel:
        assert "2 s of processor time" in kernel.run("while True: pass", 20).cause


def test_sandbox_dies_with_the_worker(tmp_path: Path) -> None:
    marker = f"worker-{time.monotonic_ns()}"
    code = f"""
import sys
from pathlib import Path
from grading.sandbox import bubblewrap as sandbox
with sandbox.folder() as folder:
    argv = [sys.executable, "-c", "import time; time.sleep(600)", {marker!r}]
    with sandbox.start(folder, argv, [], {{}}, sandbox.Resources(), sandbox.Isolation.bwrap):
        print("up", flush=True)
        import time; time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"up\n"
        deadline = time.monotonic() + 10
        while not running(marker) and time.monotonic() < deadline:
            time.sleep(0.05)
        worker.kill()
    deadline = time.monotonic() + 10
    while running(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(marker)


def test_install_line_is_given_where_bubblewrap_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    sandbox._find_bwrap.cache_clear()
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        check(Isolation.bwrap)
    check(Isolation.none)
    sandbox._find_bwrap.cache_clear()


@pytest.mark.parametrize("layout", ["v1", "v2"])
def test_limits_are_written_where_a_control_group_can_be_made(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a copy of the layout: real groups make their files by themselves."""
    made: list[Path] = []

    def mkdir(self: Path) -> None:
        os.mkdir(self)  # noqa: PTH102
        made.append(self)
        names = {"v2": ("memory.max", "pids.max"), "v1": ("memory.limit_in_bytes", "pids.max")}[layout]
        for name in names:
            if layout == "v2" or name.split(".")[0] == self.parent.name:
                (self / name).touch()

    if layout == "v2":
        (tmp_path / "cgroup.controllers").write_text("memory pids")
        membership = tmp_path / "self"
        membership.write_text("0::/user.slice\n")
        (tmp_path / "user.slice").mkdir()
        (tmp_path / "user.slice" / "cgroup.subtree_control").write_text("memory pids")
        monkeypatch.setattr("grading.sandbox.cgroup.MEMBERSHIP", membership)
    else:
        (tmp_path / "memory").mkdir()
        (tmp_path / "pids").mkdir()
    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", lambda self: None)
    with Cgroup.create(123, 45, root=tmp_path) as group:
        assert group is not None
        assert {path.read_text() for folder in made for path in folder.iterdir()} == {"123", "45"}
        assert "cgroup.procs" in group.enter(["true"])[2]


def test_missing_control_groups_are_no_error(tmp_path: Path) -> None:
    with Cgroup.create(123, 45, root=tmp_path / "nowhere") as group:
        assert group is None


def test_threads_of_the_watcher_end(environment: Environment, pool: KernelPool | None) -> None:
    before = threading.active_count()
    with started(environment, SMALL, Isolation.bwrap, 10_000, pool):
        pass
    assert threading.active_count() <= before


def test_zombie_that_nobody_has_waited_for_is_dead() -> None:
    """The first process of a container may wait for its orphans late, or never."""
    child = subprocess.Popen(["sleep", "600"])
    process = psutil.Process(child.pid)
    assert sandbox._runs(process)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.status() == psutil.STATUS_ZOMBIE
    assert not sandbox._runs(process)
    child.wait()
    assert not sandbox._runs(process)
