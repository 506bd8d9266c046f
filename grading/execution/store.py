"""Results of executions, kept by content: nothing that has not changed runs twice."""

import contextlib
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from grading.common.files import built_once, hash_of, read_json, tree_hash, write_atomically
from grading.common.versions import versions
from grading.examiner.conversation import Conversation
from grading.examiner.examination import Examination, Examined
from grading.execution.job import TIMES, Cell, Executed, times_of
from grading.options import Isolation, Limits
from grading.sandbox.kernel import INSIDE, Environment
from grading.scoring.questions import Array, Question

log = logging.getLogger(__name__)

Kept = TypeVar("Kept")
_HEAD = re.compile(r'\{"ran_under": (\{[^}]*\}), "needed": (null|\{[^}]*\})')
_HEAD_SIZE = 500


class Store:
    """A folder of results, each in one file under the hash of everything it depends on.

    Beside it lie the conversations with the student's code, under the key of the execution in which they were held, and
    what came of the tests, under a key of their own: tests that change do not make the execution another.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._conversations, self._tests = folder.with_name("conversations"), folder.with_name("tests")

    def __contains__(self, key: str) -> bool:
        return self.path(key).is_file()

    def holds(self, key: str, limits: Limits) -> bool:
        """Return whether a result is stored that these limits would not have changed.

        Limits of time are not in the key: a result stands if it was made under these very ones, or met none and needed
        less than these allow. Only the head of the file is read, since a class has many.
        """
        try:
            with self.path(key).open(encoding="utf-8") as file:
                head = _HEAD.match(file.read(_HEAD_SIZE))
        except (OSError, ValueError):
            return False
        asked = times_of(limits)
        if head is None:  # it was made before times were noted: what it ran under is not known
            return False
        ran_under, needed = json.loads(head[1]), json.loads(head[2])
        return bool(ran_under == asked or (needed and all(needed[name] < asked[name] for name in TIMES)))

    def get(self, key: str) -> Executed | None:
        """Return what was stored under a key, or None."""
        return _read_kept(self.path(key), Executed.from_json)

    def put(self, key: str, executed: Executed, conversation: Conversation | None = None) -> None:
        """Store a result; a reader sees all of it or nothing."""
        if conversation is not None and conversation.complete:
            write_atomically(self.conversation(key), json.dumps(conversation.to_json()), durable=False)
        else:
            self.conversation(key).unlink(missing_ok=True)
        head = {"ran_under": executed.ran_under, "needed": executed.needed}
        write_atomically(self.path(key), json.dumps({**head, **executed.to_json()}), durable=False)

    def get_tests(self, key: str) -> Examined | None:
        """Return what came of the tests under a key, or None."""
        return _read_kept(self.tests(key), Examined.from_json)

    def holds_tests(self, key: str, of: str) -> bool:
        """Return whether it is stored what came of the tests, from the result that is stored now under the key `of`.

        A result is stored anew where limits of time have changed. What tests made of the one before is out of date
        then, and their file is older.
        """
        try:
            return self.tests(key).stat().st_mtime_ns >= self.path(of).stat().st_mtime_ns
        except FileNotFoundError:
            return False

    def put_tests(self, key: str, examined: Examined) -> None:
        """Store what came of the tests."""
        write_atomically(self.tests(key), examined.to_text(), durable=False)

    def stamp(self, key: str) -> tuple[int, int] | None:
        """Return what changes when a result is stored anew: when and where its file was written; None without one."""
        try:
            stat = self.path(key).stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_ino

    def path(self, key: str) -> Path:
        """Return the file of a result, whether it is there or not."""
        return _file(self.folder, key)

    def conversation(self, key: str) -> Path:
        """Return the file of the conversation that was held in an execution, whether it is there or not."""
        return _file(self._conversations, key)

    def tests(self, key: str) -> Path:
        """Return the file of what came of the tests, whether it is there or not."""
        return _file(self._tests, key)


def _file(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"


def _read_kept(path: Path, made: Callable[[Any], Kept]) -> Kept | None:
    """Read a file of the store; one that is damaged is removed, so that the next run makes it anew."""
    try:
        return made(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("%s is damaged (%s) and was removed: the next run makes it anew", path, error)
        path.unlink(missing_ok=True)
        return None


def code_hash(cells: Sequence[Cell], inlined: frozenset[str]) -> str:
    """Hash of the cells that run. `inlined` are ids of demonstrations that hold thresholds: they may change."""
    return hash_of([(cell.id, None if cell.id in inlined else cell.source, cell.demo, cell.test) for cell in cells])


def job_parts(
    code: str, extras: str, data: str, environment: Environment, limits: Limits, isolation: Isolation, gpu: bool = False
) -> dict[str, str]:
    """Hash all that an execution depends on, part by part; `job_key` makes one hash of them.

    Args:
        code: `code_hash` of the cells.
        extras: `fingerprint` of what else was handed in.
        data: `fingerprint` of the data as students see it.
        environment: Its paths do not count, their contents do.
        limits: Limits of the execution; those of time do not count, see `Store.holds`.
        isolation: What stands around it.
        gpu: Whether a GPU was asked for.
    """
    variables = sorted(environment.variables.items())
    return {
        "code": code,
        "questions": environment.questions.name,
        "data": data,
        "other files": extras,
        "seed": hash_of([environment.seed, variables, gpu]),
        "limits": hash_of({name: value for name, value in asdict(limits).items() if name not in TIMES}),
        "isolation": hash_of(isolation),
        "environment": environment_hash(environment.helpers),
    }


def job_key(parts: Mapping[str, str]) -> str:
    """Return the name under which the result of an execution is stored."""
    return hash_of(dict(parts))


def tests_key(run: str, examination: Examination, environment: Environment, data: str, files: str) -> str:
    """Return the name under which the results of a run's tests are stored.

    Args:
        run: Key of the execution whose objects are examined.
        examination: The tests, and what is believed.
        environment: The examiner's; its paths do not count, their contents do.
        data: `fingerprint` of the course data as the examiner sees it.
        files: `fingerprint` of the course's own files beside the notebook.
    """
    variables = sorted(environment.variables.items())
    asked = _examination_hash(examination)
    return hash_of([run, asked, environment.imports, variables, data, files, environment_hash(environment.helpers)])


@lru_cache(maxsize=64)
def _examination_hash(examination: Examination) -> str:
    """Hash the tests of a notebook, which are the same for a whole class."""
    return hash_of(asdict(examination))


def write_questions(questions: Sequence[Question], folder: Path) -> Path:
    """Write what goes into the sandbox, `<n>.json` and `<n>.npz`, to a folder named by its content."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(json.dumps([question.name, question.code, question.several]).encode())
        for case in question.cases:
            for name, array in case.items():
                digest.update(json.dumps([name, str(array.dtype), array.shape]).encode())
                digest.update(np.ascontiguousarray(array).tobytes())
            digest.update(b"|")
    return built_once(folder / digest.hexdigest(), lambda target: _write_questions(questions, target))


def _write_questions(questions: Sequence[Question], target: Path) -> None:
    for index, question in enumerate(questions):
        described = {
            "name": question.name,
            "code": question.code,
            "several": question.several,
            "cases": [list(case) for case in question.cases],
        }
        (target / f"{index}.json").write_text(json.dumps(described), encoding="utf-8")
        np.savez(target / f"{index}.npz", **_inputs(question))  # type: ignore[arg-type]


def _inputs(question: Question) -> dict[str, Array]:
    """Name inputs `<case>/<name>`; where all cases have arrays of one kind, stack them as `<name>`: faster to read."""
    by_name: dict[str, list[Array]] = {}
    for case in question.cases:
        for name, array in case.items():
            by_name.setdefault(name, []).append(array)
    stacked = {
        name: np.stack(arrays)
        for name, arrays in by_name.items()
        if 1 < len(arrays) == len(question.cases) and len({(array.dtype, array.shape) for array in arrays}) == 1
    }
    single = {
        f"{index}/{name}": array
        for index, case in enumerate(question.cases)
        for name, array in case.items()
        if name not in stacked
    }
    return stacked | single


def fingerprint(files: Mapping[str, Path], cache_folder: Path) -> str:
    """Hash files by name and content, folders by name and by names, sizes and times of all that lies below."""
    return hash_of([(name, _content(path, cache_folder)) for name, path in sorted(files.items())])


def _content(path: Path, cache_folder: Path) -> str:
    if path.is_dir():
        return tree_hash(path)
    stat = path.stat()
    noted = cache_folder / hash_of([str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino])
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        return str(read_json(noted)["sha256"])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    write_atomically(noted, json.dumps({"sha256": digest, "path": str(path.resolve())}))
    return digest


@cache
def environment_hash(helpers: Path) -> str:
    """Hash the versions, the students' library with its data, and what runs beside student code."""
    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    for folder in (helpers, INSIDE):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
