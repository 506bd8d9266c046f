"""There is a second wall under the namespaces. With `pytest -s`, each refused call is printed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from needed import missing

from grading.errors import SandboxError
from grading.options import MIB, Isolation, Resources
from grading.sandbox import system_calls
from grading.sandbox.forkserver import KernelPool
from grading.sandbox.kernel import Environment, Kernel, started
from grading.sandbox.system_calls import ABSENT, FAMILIES, NAMESPACES, REFUSED, Filter, system_call_filter

pytestmark = pytest.mark.usefixtures("bubblewrap")
ROOT = Path(__file__).parents[2]
NUMBERS = """
import ctypes, errno, json
seccomp = ctypes.CDLL("libseccomp.so.2")
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    number = name if isinstance(name, int) else seccomp.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return "unknown here"
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]
"""


@pytest.fixture(scope="module", params=["cold", "warm"])
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    if not system_call_filter().program:
        missing(system_call_filter().state)
    variables = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    folder = tmp_path_factory.mktemp("questions")
    environment = Environment({}, folder, {}, ROOT / "helpers", variables, imports=("import numpy as np",))
    resources = Resources(memory_bytes=1000 * MIB)
    with (
        KernelPool() as pool,
        started(environment, resources, Isolation.bwrap, 100_000, pool if request.param == "warm" else None) as kernel,
    ):
        yield kernel


def printed(kernel: Kernel, code: str) -> str:
    run = kernel.run(code, 60)
    assert run.cause == "", run.cause
    return "".join(output.get("text", "") for output in run.outputs)


def results(kernel: Kernel, calls: dict[str, list[object]]) -> dict[str, str]:
    """What each call gives, from inside: `done`, or the name of the error."""
    code = f"{NUMBERS}\nprint(json.dumps({{k: call(*v) for k, v in json.loads({json.dumps(calls)!r}).items()}}))"
    found: dict[str, str] = json.loads(printed(kernel, code))
    for name, result in found.items():
        print(f"{name:32} {result}")
    return found


def test_the_filter_is_on_in_every_thread(kernel: Kernel) -> None:
    code = "from pathlib import Path\nprint({line for path in Path('/proc/self/task').glob('*/status') "
    code += "for line in path.read_text().splitlines() if line.startswith('Seccomp:')})"
    assert printed(kernel, code).strip() == "{'Seccomp:\\t2'}"


def test_calls_that_no_notebook_needs_are_refused(kernel: Kernel) -> None:
    found = results(kernel, {name: [name, 0, 0, 0, 0, 0] for name in REFUSED})
    assert set(found.values()) <= {"EPERM", "unknown here"}
    assert found["keyctl"] == found["userfaultfd"] == found["bpf"] == found["mount"] == "EPERM"


def test_calls_with_an_older_way_are_not_there(kernel: Kernel) -> None:
    assert set(results(kernel, {name: [name, 0, 0] for name in ABSENT}).values()) == {"ENOSYS"}


def test_no_new_namespace_is_made(kernel: Kernel) -> None:
    flags = {name: flag for name, flag in NAMESPACES.items() if name != "CLONE_NEWTIME"}
    found = results(kernel, {f"clone {name}": ["clone", flag | 17, 0, 0, 0, 0] for name, flag in flags.items()})
    assert set(found.values()) == {"EPERM"}


def test_sockets_are_local_or_the_internets(kernel: Kernel) -> None:
    found = results(kernel, {f"socket {family}": ["socket", family, 1, 0] for family in range(50)})
    refused = {int(name.split()[1]) for name, result in found.items() if result == "EPERM"}
    assert refused == set(range(50)) - set(FAMILIES)


def test_a_family_in_disguise_is_refused(kernel: Kernel) -> None:
    """The kernel looks at 32 bits of a family and of a request; a filter sees 64."""
    disguise = 1 << 32
    found = results(
        kernel,
        {
            "AF_VSOCK": ["socket", 40 | disguise, 1, 0],
            "netlink, audit": ["socket", 16, 3, 9],
            "netlink, audit, disguised": ["socket", 16, 3, 9 | disguise],
            "TIOCSTI": ["ioctl", 0, 0x5412, 0],
            "TIOCSTI, disguised": ["ioctl", 0, 0x5412 | disguise, 0],
        },
    )
    assert set(found.values()) == {"EPERM"}


def test_calls_of_another_architecture_are_refused(kernel: Kernel) -> None:
    x32 = 0x40000000
    assert results(kernel, {"getpid of x32": [39 | x32]}) == {"getpid of x32": "ENOSYS"}


@pytest.mark.parametrize(
    "code",
    [
        "import threading\nt = threading.Thread(target=print, args=('well',))\nt.start()\nt.join()",
        "import subprocess\nprint(subprocess.run(['echo', 'well'], capture_output=True, text=True).stdout)",
        "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    print('well' if pool.map(abs, [-1, 2]) == [1, 2] else '')",
        "import socket\na, b = socket.socketpair()\na.send(b'well')\nprint(b.recv(4).decode())",
        "import psutil\nprint('well' if psutil.net_if_addrs() else '')",
        "from pathlib import Path\nPath('f.txt').write_text('well')\nprint(Path('f.txt').read_text())",
        "import numpy as np\nprint('well' if np.linalg.solve(np.eye(50), np.ones(50)).sum() == 50 else '')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('f.png')\nprint('well')",
        "import asyncio\nasync def f():\n    return 'well'\nprint(await f())",
    ],
)
def test_calls_that_a_notebook_needs_work(kernel: Kernel, code: str) -> None:
    assert "well" in printed(kernel, code)


@pytest.mark.slow
def test_a_model_is_trained(kernel: Kernel) -> None:
    code = "import keras, numpy as np\nm = keras.Sequential([keras.layers.Dense(2)])\nm.compile('adam', 'mse')\n"
    assert "well" in printed(kernel, code + "m.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)\nprint('well')")


def test_without_the_library_kernels_start_and_the_state_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_library() -> bytes:
        raise RuntimeError("Unable to find libseccomp")

    system_call_filter.cache_clear()
    monkeypatch.setattr(system_calls, "_program", no_library)
    try:
        assert system_call_filter() == Filter(b"", "RuntimeError: Unable to find libseccomp")
        assert system_call_filter().state == "not filtered: RuntimeError: Unable to find libseccomp"
        environment = Environment({}, tmp_path, {}, ROOT / "helpers", {})
        with started(environment, Resources(), Isolation.bwrap, 10_000) as kernel:
            assert printed(kernel, "print('on')") == "on\n"
    finally:
        system_call_filter.cache_clear()


def test_a_filter_that_cannot_be_installed_stops_the_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("grading.sandbox.kernel.system_call_filter", lambda: Filter(b"\xff" * 16))
    environment = Environment({}, tmp_path, {}, ROOT / "helpers", {})
    with pytest.raises(SandboxError), started(environment, Resources(), Isolation.bwrap, 10_000):
        pass
