"""Kernels forked from one server know nothing of each other, of the server, or of anything outside."""

import ast
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from grading.errors import SandboxError
from grading.execution.execute import execute
from grading.execution.job import Cell, Job
from grading.options import Isolation, Limits, Resources
from grading.sandbox import bubblewrap as sandbox
from grading.sandbox.forkserver import ForkServer, KernelPool, _line
from grading.sandbox.kernel import Ended, Environment, Kernel, started

pytestmark = pytest.mark.usefixtures("bubblewrap")
ROOT = Path(__file__).parents[2]
IMPORTS = ("import json", "import numpy", "import there_is_no_such_module")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""NumPy would start some, and what has threads cannot be forked."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment({}, tmp_path_factory.mktemp("questions"), {}, ROOT / "helpers", ONE_THREAD, imports=IMPORTS)


@pytest.fixture(scope="module")
def pool() -> Iterator[KernelPool]:
    with KernelPool() as pool:
        yield pool


@pytest.fixture
def kernels(environment: Environment, pool: KernelPool) -> Iterator[list[Kernel]]:
    """Two of one fork server, at the same time."""
    with ExitStack() as stack:
        yield [stack.enter_context(started(environment, Resources(), Isolation.bwrap, 10_000, pool)) for _ in range(2)]


def printed(kernel: Kernel, code: str) -> str:
    run = kernel.run(code, 20)
    assert run.ended is Ended.ok, run
    return "".join(output.get("text", "") for output in run.outputs)


def server_of(pool: KernelPool) -> psutil.Process:
    (server,) = pool._servers.values()
    assert server is not None
    return psutil.Process(server._process.pid)


def test_modules_that_the_assignment_imports_are_there_already(kernels: list[Kernel]) -> None:
    assert (
        printed(kernels[0], "import sys; print('numpy' in sys.modules, 'tensorflow' in sys.modules)") == "True False\n"
    )


def test_modules_that_answer_the_examiner_are_there_already(kernels: list[Kernel]) -> None:
    said = printed(kernels[0], "import sys\nprint({'course_answer', 'course_arrays'} <= sys.modules.keys())")
    assert said == "True\n"


def test_kernels_share_no_namespace_with_each_other_or_with_us(kernels: list[Kernel]) -> None:
    code = "import os; print({name: os.readlink(f'/proc/self/ns/{name}') for name in os.listdir('/proc/self/ns')})"
    first, second = (ast.literal_eval(printed(kernel, code)) for kernel in kernels)
    ours = {name: str(Path(f"/proc/self/ns/{name}").readlink()) for name in first}
    for name in {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}:
        assert len({first[name], second[name], ours[name]}) == 3, name


def test_kernel_leaves_nothing_for_the_next(environment: Environment, pool: KernelPool) -> None:
    mark = (
        "import os, numpy, builtins\nnumpy.left = builtins.left = 1\nos.environ['LEFT'] = '1'\n"
        "for place in ('/tmp', '/home/student', '/dev/shm'): open(f'{place}/left', 'w').close()"
    )
    look = (
        "import os, numpy, builtins\nprint(hasattr(numpy, 'left'), hasattr(builtins, 'left'), 'LEFT' in os.environ, "
        "*(os.path.exists(f'{place}/left') for place in ('/tmp', '/home/student', '/dev/shm')))"
    )
    with started(environment, Resources(), Isolation.bwrap, 10_000, pool) as kernel:
        printed(kernel, mark)
        assert "False" not in printed(kernel, look)
        with started(environment, Resources(), Isolation.bwrap, 10_000, pool) as beside:
            assert "True" not in printed(beside, look)
    with started(environment, Resources(), Isolation.bwrap, 10_000, pool) as after:
        assert "True" not in printed(after, look)


def test_interpreter_cannot_be_changed_through_the_running_process(kernels: list[Kernel]) -> None:
    """`/proc/self/exe` leads to the file itself, whatever is mounted; runc's CVE-2019-5736 was such a way."""
    for change in ("os.chmod('/proc/self/exe', 0o777)", "os.utime('/proc/self/exe')", "open('/proc/self/exe', 'r+b')"):
        cause = kernels[0].run(f"import os; {change}", 20).cause
        assert "Read-only" in cause or "Text file busy" in cause or "not permitted" in cause, (change, cause)


def test_all_rights_are_given_up(kernels: list[Kernel]) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in printed(kernels[0], "print(open('/proc/self/status').read())").split("\n")
        if ":\t" in line
    )
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    attempts = (
        "libc.unshare(0x10000000)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.umount2(b'/proc', 2)",
        "libc.setns(os.open('/proc/1/ns/user', os.O_RDONLY), 0)",
        "libc.sethostname(b'x', 1)",
    )
    for attempt in attempts:
        assert printed(kernels[0], f"import ctypes, os; libc = ctypes.CDLL(None); print({attempt})") == "-1\n", attempt


def test_no_way_back_to_the_fork_server_is_left_open(kernels: list[Kernel]) -> None:
    """Sockets that are not of its own network namespace are the Jupyter client's connections, and nothing else."""
    code = """
import os, re, socket
own = open("/proc/net/unix").read() + open("/proc/net/tcp").read()
foreign, files = [], set()
for number in os.listdir("/proc/self/fd"):
    try: link = os.readlink(f"/proc/self/fd/{number}")
    except OSError: continue
    if link.startswith("/"): files.add(re.sub(r"[0-9]+", "", link))
    if link.startswith("socket:") and link[8:-1] not in own:
        foreign.append(socket.socket(fileno=os.dup(int(number))).getsockname())
print([name for name in foreign if not str(name).startswith("/run/kernel/s-")])
print(files)
"""
    foreign, files = map(ast.literal_eval, printed(kernels[0], code).splitlines())
    assert foreign == []
    assert files <= {"/dev/null", "/dev/urandom", "/proc//fd"}


def test_fork_server_cannot_be_seen_or_signalled(kernels: list[Kernel], pool: KernelPool) -> None:
    server = server_of(pool)
    code = "import os; print(os.getppid(), sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))"
    assert printed(kernels[0], code) == "0 [1, 2, 3]\n"
    for pid in [server.pid, *(child.pid for child in server.children(recursive=True))]:
        assert "ProcessLookupError" in kernels[0].run(f"import os; os.kill({pid + 100_000}, 9)", 20).cause
    kernels[0].run("import os; os.kill(-1, 9)", 20)  # all that it can see
    assert server.is_running()
    assert printed(kernels[1], "print('on')") == "on\n"


def test_death_of_a_forked_kernel_is_named(environment: Environment, pool: KernelPool) -> None:
    for code, cause in (
        ("import os; os._exit(7)", "the process ended itself with exit status 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by the signal SIGSEGV"),
        ("import os, signal; os.kill(2, signal.SIGKILL); import time; time.sleep(9)", "killed by the signal SIGKILL"),
    ):
        with started(environment, Resources(), Isolation.bwrap, 10_000, pool) as kernel:
            assert kernel.run(code, 20).cause == cause


def test_processes_of_a_dead_kernel_are_gone_at_once(environment: Environment, pool: KernelPool) -> None:
    with started(environment, Resources(), Isolation.bwrap, 10_000, pool) as kernel:
        run = kernel.run("import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(600)\nos._exit(0)", 20)
        assert run.ended is Ended.died
        until = time.monotonic() + 5
        while (left := len(awake(kernel))) > 1 and time.monotonic() < until:
            time.sleep(0.02)
        assert left == 1, "only what keeps the process id"


def awake(kernel: Kernel) -> list[psutil.Process]:
    return [process for process in kernel.sandbox._tree() if process.status() != psutil.STATUS_ZOMBIE]


def test_lines_sent_in_one_breath_are_read_one_by_one() -> None:
    """A process that ends at once says `started` and its status in one breath."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"started\n0\n")
        assert [_line(here), _line(here)] == ["started", "0"]


def test_killed_fork_server_is_replaced(environment: Environment) -> None:
    """By a machine short of memory, say: the submission that it was running is run again."""
    job = Job((Cell("first", "import os\nprint('on')"),), (), (), environment, Limits())
    with KernelPool() as pool:
        with started(environment, Resources(), Isolation.bwrap, 10_000, pool) as kernel:
            lost = server_of(pool)
            below = [*lost.children(recursive=True), *kernel.sandbox._tree()]
            for process in [*lost.children(), lost]:
                process.kill()
            assert psutil.wait_procs([lost, *below], timeout=60)[1] == []  # the kernel dies when its parent has died
            assert kernel.run("1", 20).from_outside
        assert execute(job, pool).outputs["first"][0]["text"] == "on\n"
        assert server_of(pool).pid != lost.pid


def test_nothing_outlives_the_pool(environment: Environment) -> None:
    with KernelPool() as pool, started(environment, Resources(), Isolation.bwrap, 10_000, pool) as kernel:
        server = server_of(pool)
        processes = [server, *server.children(recursive=True), *kernel.sandbox._tree()]
        folder = kernel.sandbox.run.parents[1]
        assert len(processes) > 5
    psutil.wait_procs(processes, timeout=5)
    assert not [process for process in processes if process.is_running()]
    assert not folder.exists()


def test_nothing_outlives_a_worker_that_is_killed(environment: Environment) -> None:
    code = f"""
import json, psutil, time
from pathlib import Path
from grading.sandbox.kernel import Environment, started
from grading.options import Isolation
from grading.options import Resources
from grading.sandbox.forkserver import KernelPool
environment = Environment({{}}, Path({str(environment.questions)!r}), {{}}, Path({str(environment.helpers)!r}), {{}})
with KernelPool() as pool, started(environment, Resources(), Isolation.bwrap, 10_000, pool):
    print(json.dumps([child.pid for child in psutil.Process().children(recursive=True)]), flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as worker:
        assert worker.stdout is not None
        processes = [psutil.Process(pid) for pid in json.loads(worker.stdout.readline())]
        assert len(processes) > 5
        worker.kill()
    psutil.wait_procs(processes, timeout=10)
    assert not [process for process in processes if process.is_running()]


def test_chance_is_the_same_as_in_a_cold_kernel(environment: Environment, pool: KernelPool) -> None:
    cells = (Cell("all", "import random, numpy; print(random.random(), numpy.random.rand(), hash('x'))"),)
    job = Job(cells, (), (), replace(environment, seed=5), Limits())
    assert execute(job, pool).outputs == execute(job).outputs


@pytest.mark.slow
def test_tensorflow_is_the_same_as_in_a_cold_kernel(environment: Environment) -> None:
    pytest.importorskip("tensorflow")
    source = """
import keras, numpy
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
model.compile("adam", "mse")
x = numpy.random.rand(64, 4)
model.fit(x, x.sum(axis=1), epochs=2, verbose=0)
print(model.predict(x[:4], verbose=0).tolist())
"""
    variables = {
        **ONE_THREAD,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    }
    surroundings = replace(environment, seed=5, variables=variables, imports=("import keras",))
    job = Job((Cell("all", source),), (), (), surroundings, Limits())
    with KernelPool() as pool:
        warm = execute(job, pool)
        assert server_of(pool).is_running()
    assert warm.outputs == execute(job).outputs


def test_kernel_starts_cold_where_an_import_starts_a_thread(environment: Environment) -> None:
    """Such a process cannot be forked safely."""
    thread = "import threading, time; threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    with KernelPool() as pool:
        odd = replace(environment, imports=(thread,))
        with started(odd, Resources(), Isolation.bwrap, 10_000, pool) as kernel:
            assert isinstance(kernel.sandbox.process, subprocess.Popen)
        assert list(pool._servers.values()) == [None]


def test_error_says_why_there_can_be_no_fork_server(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which a sandbox in a sandbox is not allowed."""
    refusing = ["/bin/sh", "-c", "exit 1"]
    monkeypatch.setattr(sandbox, "command_of_child", lambda *_: refusing)
    program = sandbox.Mount(
        ROOT / "grading/sandbox/inside/fork_kernels.py", sandbox.PurePosixPath("/opt/course/fork_kernels.py")
    )
    with pytest.raises(SandboxError, match="could not make a sandbox in the sandbox"):
        ForkServer(
            program,
            (),
            [sandbox.Mount(ROOT / "grading/sandbox/inside/kernel.py", sandbox.PurePosixPath("/opt/course/kernel.py"))],
            {},
        )


def test_fork_server_that_dies_when_just_chosen_costs_nobody_a_grade(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ForkServer.start

    def die_first(server: ForkServer, *given: object) -> object:
        tree = psutil.Process(server._process.pid).children(recursive=True)
        for process in tree:  # bubblewrap waits for it, and is not what answers
            process.kill()
        psutil.wait_procs(tree)
        return real(server, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(ForkServer, "start", die_first)
    job = Job((Cell("first", "print('on')"),), (), (), environment, Limits())
    with KernelPool() as pool:
        executed = execute(job, pool)
    assert executed.outputs["first"][0]["text"] == "on\n"
