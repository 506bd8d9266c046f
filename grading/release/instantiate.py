"""nbgrader's AUTOTEST lines, made into tests: by nbgrader's own InstantiateTests, once for each content.

The master's code is run in a kernel, with the rights of whoever calls: it is the instructor's own.
"""

import contextlib
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateError
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import KernelManager
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbgrader.preprocessors import InstantiateTests
from nbgrader.utils import is_grade

from grading.common.files import hash_of, read_json, write_atomically
from grading.common.notebooks import cell_name
from grading.common.text import clean
from grading.common.versions import versions
from grading.errors import ReleaseError
from grading.release.steps import WRITTEN_TESTS

_START_SECONDS = 60
_SETTINGS = ("autotest_delimiter", "hashed_delimiter", "use_salt", "comment_strs")
_NOT_ASKED = frozenset({"planted", "__pycache__", ".ipynb_checkpoints"})


class Instantiator(InstantiateTests):
    """nbgrader's, with a kernel that always ends, a limit of time, and errors that name the cell."""

    seconds: float = 600.0
    """A piece of code may run this long."""
    root: Path = Path()
    """The course folder, where autotests.yml may lie."""

    def run(self, notebook: NotebookNode, source: Path) -> None:
        """Write out the tests of a notebook, in place; `source` is the assignment's folder. Raises ReleaseError."""
        kernel = notebook.metadata.get("kernelspec", {}).get("name", "")
        if kernel not in self.comment_strs or kernel not in self.sanitizers:
            raise ReleaseError(
                f"its kernel {kernel!r} is not known to AUTOTEST: choose `python3` in the notebook, or name it in "
                "c.InstantiateTests.comment_strs and c.InstantiateTests.sanitizers"
            )
        resources = {"kernel_name": kernel, "metadata": {"path": str(source)}}
        self._check_places(notebook, self.comment_strs[kernel])
        self._load_templates(resources, source, kernel)
        self.global_tests_loaded = True
        self.sanitizer = self.sanitizers[kernel]
        with _kernel(kernel, source) as self.kc:
            super(InstantiateTests, self).preprocess(notebook, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Write out the tests of a cell. Raises ReleaseError with its name."""
        name = cell_name(cell, index)
        try:
            return super().preprocess_cell(cell, resources, index)
        except CellExecutionError as error:
            reason = clean(f"{error.ename}: {error.evalue}")
            raise ReleaseError(f"{name}: the master's own code fails when AUTOTEST runs it: {reason}") from error
        except TimeoutError as error:
            raise ReleaseError(f"{name}: the master's own code ran for over {self.seconds:g} s") from error
        except (ValueError, KeyError, TypeError, AttributeError, TemplateError) as error:
            raise ReleaseError(f"{name}: {self.autotest_filename} does not serve: {error}") from error

    def _check_places(self, notebook: NotebookNode, mark: str) -> None:
        for index, cell in enumerate(notebook.cells):
            lines = cell.source.split("\n") if cell.cell_type == "code" else []
            has_tests = any(self.autotest_delimiter in line and line.strip().startswith(mark) for line in lines)
            if has_tests and self.enforce_metadata and not is_grade(cell):
                name = cell_name(cell, index)
                raise ReleaseError(f"{name}: AUTOTEST outside a test cell: make the cell an autograder test")

    def _load_templates(self, resources: dict[str, Any], source: Path, kernel: str) -> None:
        path = self.template_path(source)
        try:
            templates = yaml.safe_load(path.read_text(encoding="utf-8"))[kernel]
            self.test_templates_by_type = templates["templates"]
            self.dispatch_template = templates["dispatch"]
            self.check_template = templates["check"]
            self.normalize_template = templates["normalize"]
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ReleaseError(f"{path.name}, the templates of AUTOTEST, cannot be read: {error}") from error
        except (KeyError, TypeError) as error:
            raise ReleaseError(f"{path.name} has no {error} for the kernel {kernel!r}") from error
        self.success_code = templates.get("success")
        self.hash_template = templates.get("hash")
        self.setup_code = templates.get("setup")

    def template_path(self, source: Path) -> Path:
        """Return where the templates lie: beside the master, else in the course folder. Raises ReleaseError."""
        for folder in (source, self.root):
            if (folder / self.autotest_filename).is_file():
                return folder / str(self.autotest_filename)
        raise ReleaseError(f"it has AUTOTEST lines, but there is no {self.autotest_filename} in the course folder")

    def _execute_code_snippet(self, code: str) -> Any:
        self.execute_result = None
        self.kc.execute_interactive(code, output_hook=self._execute_code_snippet_output_hook, timeout=self.seconds)
        return self.execute_result


def has_autotests(notebook: NotebookNode, delimiter: str = "AUTOTEST") -> bool:
    """Return whether a notebook has lines from which tests are made."""
    return any(cell.cell_type == "code" and delimiter in cell.source for cell in notebook.cells)


def instantiate(notebook: NotebookNode, source: Path, maker: Instantiator, cache: Path) -> None:
    """Write out the AUTOTEST lines of a notebook, in place: as stored, or by running the master's code.

    Args:
        notebook: With header and footer: where a cell stands goes into the salt of its hashes.
        source: The assignment's folder; autotests.yml lies there or in the course folder.
        maker: Configured, with the course folder as its root.
        cache: The course's folder of what can be made again.

    Raises:
        ReleaseError: The tests cannot be made; the message names the cell.
    """
    if not has_autotests(notebook, maker.autotest_delimiter):
        return
    path = cache / WRITTEN_TESTS / f"{_name_of_tests(notebook, source, maker)}.json"
    sources = _written_before(path, len(notebook.cells))
    if sources is None:
        maker.run(notebook, source)
        write_atomically(path, json.dumps([cell.source for cell in notebook.cells]))
    else:
        for cell, text in zip(notebook.cells, sources, strict=True):
            cell.source = text
            cell.pop("execution", None)


def _name_of_tests(notebook: NotebookNode, source: Path, maker: Instantiator) -> str:
    """Hash all that the tests depend on but the course data, which is no part of the assignment."""
    cells = [(cell.cell_type, cell.source, bool(is_grade(cell))) for cell in notebook.cells]
    template = maker.template_path(source).read_bytes()
    settings = [(name, repr(getattr(maker, name))) for name in _SETTINGS]
    files = [(path.relative_to(source).as_posix(), _digest(path.read_bytes())) for path in _files_beside(source)]
    kernel = notebook.metadata.get("kernelspec", {}).get("name", "")
    return hash_of([cells, _digest(template), settings, files, kernel, versions()])


def _files_beside(source: Path) -> Iterator[Path]:
    for path in sorted(source.rglob("*")):
        outside = _NOT_ASKED.isdisjoint(path.relative_to(source).parts)
        if outside and path.suffix != ".ipynb" and path.is_file():
            yield path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _written_before(path: Path, cells: int) -> list[str] | None:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return None
    if not (isinstance(found, list) and len(found) == cells and all(isinstance(text, str) for text in found)):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # in use: `course clean` leaves it
    return found


@contextlib.contextmanager
def _kernel(name: str, folder: Path) -> Iterator[BlockingKernelClient]:
    """Start a kernel on sockets that are files; it ends with the context."""
    with tempfile.TemporaryDirectory(prefix="k-") as sockets:
        manager = KernelManager(kernel_name=name, transport="ipc", connection_file=f"{sockets}/k.json")
        # As where submissions run: sets are printed in one order.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        try:
            manager.start_kernel(cwd=str(folder), env=environment, stdin=subprocess.DEVNULL)
        except NoSuchKernel as error:
            raise ReleaseError(f"there is no kernel {name!r}, which AUTOTEST needs, on this machine") from error
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=_START_SECONDS)
            yield client
        except RuntimeError as error:
            raise ReleaseError(f"the kernel {name!r}, which AUTOTEST needs, does not start: {error}") from error
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
