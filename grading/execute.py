"""Run a notebook's cells in a fresh kernel of its own, and keep what came out by content.

The same cells on the same data with the same versions are never run twice: see `Store`.
"""

import ast
import copy
import hashlib
import json
import logging
import math
import os
import platform
import re
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

log = logging.getLogger(__name__)

DEMO_TAG = "demo"
SKIPPED = "Not run when grading: this cell only demonstrates."
_MISSING_NAME = re.compile(r"^name '(\w+)' is not defined")
_VERSIONS_THAT_MATTER = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "h5py", "scikit-image", "scipy")


@dataclass(frozen=True)
class Limits:
    """How long a submission may take, in seconds."""

    cell_seconds: int = 600
    notebook_seconds: int = 1200


@dataclass(frozen=True)
class Environment:
    """What a kernel finds around it; part of what decides whether a stored result still holds."""

    data: Path | None = None
    """Folder that COURSE_DATA points to."""
    threads: int = 1
    """Threads TensorFlow may use in one operation; two kernels of one thread beat one of two."""

    def kernel_variables(self) -> dict[str, str]:
        """The environment of the kernel process: this process's own, with ours laid over it."""
        ours = {
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_NUM_INTRAOP_THREADS": str(self.threads),
            "TF_NUM_INTEROP_THREADS": "1",
            "OMP_NUM_THREADS": str(self.threads),
            "PYTHONHASHSEED": "0",
            **({"COURSE_DATA": str(self.data)} if self.data else {}),
        }
        return {**os.environ, **ours}


def execute(
    notebook: NotebookNode, environment: Environment, limits: Limits, cwd: Path, demos: bool = False
) -> NotebookNode:
    """A copy of the notebook with every cell's outputs, whatever happened.

    Cells tagged `demo` are left out, unless `demos` asks for them. If a cell then misses a name that a
    demonstration defines, the notebook is run again with all of its cells. A cell that takes too long is
    interrupted and the next one is tried; when the kernel is lost, the cells that were not reached say so.
    """
    executed = _run(notebook, environment, limits, cwd, demos)
    if not demos and _needs_a_demo(executed):
        log.info("A demonstration was needed after all: running again with all cells")
        executed = _run(notebook, environment, limits, cwd, demos=True)
    return executed


class _ThisInterpreter(KernelSpecManager):
    """Kernels run in the Python that grades, whatever kernels the user has installed under the same name."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def _run(notebook: NotebookNode, environment: Environment, limits: Limits, cwd: Path, demos: bool) -> NotebookNode:
    nb = copy.deepcopy(notebook)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    wanted = [
        (index, cell)
        for index, cell in enumerate(nb.cells)
        if cell.cell_type == "code" and (demos or not _only_demonstrates(cell))
    ]
    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
        manager = AsyncKernelManager(
            kernel_spec_manager=_ThisInterpreter(), transport="ipc", ip=str(Path(sockets) / "s")
        )
        client = NotebookClient(
            nb,
            km=manager,
            timeout=limits.cell_seconds,
            interrupt_on_timeout=True,
            allow_errors=True,
            store_widget_state=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(cwd)}},
        )
        deadline = time.monotonic() + limits.notebook_seconds
        with client.setup_kernel(env=environment.kernel_variables(), cleanup_kc=True):
            _run_cells(client, wanted, deadline, limits)
    _say_skipped(nb, wanted)
    return nb


def _only_demonstrates(cell: NotebookNode) -> bool:
    """Tagged `demo`, and not a cell that nbgrader knows: a tag must not make a test disappear."""
    return DEMO_TAG in cell.metadata.get("tags", []) and "nbgrader" not in cell.metadata


def _run_cells(client: NotebookClient, wanted: list[tuple[int, NotebookNode]], deadline: float, limits: Limits) -> None:
    lost = ""
    for index, cell in wanted:
        left = deadline - time.monotonic()
        if not lost and left <= 0:
            lost = f"the notebook's {limits.notebook_seconds} s were over"
        if lost:
            _add_error(cell, "NotRun", f"This cell was not run: {lost}.")
            continue
        client.timeout = max(1, min(limits.cell_seconds, math.ceil(left)))
        try:
            client.execute_cell(cell, index)
        except DeadKernelError:
            lost = "the kernel died in an earlier cell"
            _add_error(cell, "DeadKernelError", "The kernel died while it ran this cell.")
        except CellTimeoutError:
            lost = "an earlier cell neither ended nor let itself be interrupted"
            _add_error(cell, "CellTimeoutError", f"This cell ran for more than {client.timeout} s.")
        else:
            _explain_interrupt(cell, client.timeout)


def _explain_interrupt(cell: NotebookNode, seconds: int) -> None:
    """An interrupted cell shows a bare KeyboardInterrupt: say where it came from."""
    for output in cell.outputs:
        if output.output_type == "error" and output.ename == "KeyboardInterrupt" and not output.evalue:
            output.evalue = f"interrupted: this cell ran for more than {seconds} s"


def _add_error(cell: NotebookNode, name: str, message: str) -> None:
    cell.outputs.append(nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"]))


def _say_skipped(nb: NotebookNode, ran: list[tuple[int, NotebookNode]]) -> None:
    ran_indices = {index for index, _ in ran}
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "code" and index not in ran_indices:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=SKIPPED)]


def _needs_a_demo(nb: NotebookNode) -> bool:
    """Whether a cell failed for want of a name that one of the demonstrations defines."""
    defined = {
        name
        for cell in nb.cells
        if cell.cell_type == "code" and _only_demonstrates(cell)
        for name in _names(cell.source)
    }
    return any(
        match and match[1] in defined
        for cell in nb.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
        for match in [_MISSING_NAME.search(output.evalue)]
    )


def _names(source: str) -> set[str]:
    """Every name that a cell's source binds anywhere in it."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic or a shell command: what it binds cannot be known
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
    return names


class Store:
    """Executed notebooks on disk, each under the hash of everything its outputs depend on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, notebook: NotebookNode, environment: Environment, limits: Limits) -> str:
        """Hash of the cells, the data, the versions, the helpers' source and the limits."""
        what = {
            "cells": [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells],
            "data": data_fingerprint(environment.data),
            "threads": environment.threads,
            "versions": versions(),
            "helpers": _helpers_hash(),
            "limits": asdict(limits),
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    def get(self, key: str) -> NotebookNode | None:
        """What was stored under a key, or None."""
        path = self._path(key)
        return nbformat.read(path, as_version=4) if path.is_file() else None

    def put(self, key: str, notebook: NotebookNode) -> None:
        """Store an executed notebook; a reader sees all of it or nothing."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            nbformat.write(notebook, file)
        Path(file.name).replace(path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.ipynb"


def execute_once(
    notebook: NotebookNode, environment: Environment, limits: Limits, cwd: Path, store: Store
) -> NotebookNode:
    """What `execute` gives, from the store if the same was run before."""
    key = store.key(notebook, environment, limits)
    found = store.get(key)
    if found is None:
        found = execute(notebook, environment, limits, cwd)
        store.put(key, found)
    return found


def versions() -> dict[str, str]:
    """Versions of Python and of the packages whose results a grade can depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _VERSIONS_THAT_MATTER:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def data_fingerprint(folder: Path | None) -> list[tuple[str, int, int]]:
    """Name, size and time of change of the files at the top of a data folder (they are large: not hashed)."""
    if folder is None:
        return []
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


def _helpers_hash() -> str:
    import helpers

    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(Path(helpers.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
