"""Workers on this machine: processes of their own, each replaced when it dies.

Dask's own do the same and are needed on a cluster. On one machine they cost more than they give: importing
`distributed`, its scheduler, heartbeats and profiler took 4 of the 25 seconds of processor time in which 48 warm-ups
were graded, measured on two cores in November 2026.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from types import TracebackType
from typing import Any

TRIES = 3
"""A task whose worker dies is given to another one, so often in all."""
_END_SECONDS = 10.0
"""What a worker has to take down its sandboxes, after which it is killed."""

_PRELOADED = ["__main__", "grading.execution.workers"]
"""Modules that are imported once, in the process that workers are forked from."""
Task = Callable[..., Any]
"""A function of a module, called with what a worker keeps, its number, and the arguments that were sent."""


class LostWorkersError(Exception):
    """Each worker that was given a task died of it."""


def import_ahead() -> None:
    """Start the process that workers are forked from, unless it runs: it imports while the caller goes on."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()


class LocalWorkers:
    """So many processes, numbered from 0, each with what `keep()` makes, for its tasks. For the `with` statement.

    `keep` and tasks are functions of modules; what `keep` returns is closed by the `with` statement, too.
    """

    def __init__(self, count: int, keep: Callable[[], Any]) -> None:
        import_ahead()
        context = multiprocessing.get_context("forkserver")
        self._workers = [_Worker(context, number, keep) for number in range(count)]
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._closed = False

    def __enter__(self) -> "LocalWorkers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End all workers; what one is in the middle of is cut short."""
        self._closed = True
        for worker in self._workers:
            worker.end()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.wait()

    def on_each(self, task: Task, *arguments: Any) -> None:
        """Have each worker do a task before all else, for what it leaves behind; do not wait for it."""
        for worker in self._workers:
            self._threads.submit(self._try, worker, task, arguments)

    def run(
        self, task: Task, arguments: Mapping[str, tuple[Any, ...]], started: Callable[[str], None]
    ) -> Iterator[tuple[str, Future[Any]]]:
        """Do a task for each key; yield key and its done future, whose error is the task's or LostWorkersError.

        `started` is called with a key, in a thread of its own, when its task begins.
        """
        futures = {self._threads.submit(self._run, task, key, given, started): key for key, given in arguments.items()}
        for future in as_completed(futures):
            yield futures.pop(future), future

    def _run(self, task: Task, key: str, arguments: tuple[Any, ...], started: Callable[[str], None]) -> Any:
        worker = self._free.get()
        try:
            started(key)
            return self._try(worker, task, arguments)
        finally:
            self._free.put(worker)

    def _try(self, worker: "_Worker", task: Task, arguments: tuple[Any, ...]) -> Any:
        for _ in range(TRIES):
            try:
                return worker.do(task, arguments)
            except (EOFError, OSError) as error:
                said = str(error) or "it was killed"
                if self._closed:
                    break
                worker.replace()
        raise LostWorkersError(f"{TRIES} processes died of it in turn, the last one: {said}")


class _Worker:
    """One process and the connection to it; used by one thread at a time."""

    def __init__(self, context: Any, number: int, keep: Callable[[], Any]) -> None:
        self._context, self._number, self._keep = context, number, keep
        self._lock = threading.Lock()
        self._process, self._connection = self._start()

    def _start(self) -> tuple[BaseProcess, Connection]:
        here, there = self._context.Pipe()
        with there:
            process = self._context.Process(target=_serve, args=(there, self._number, self._keep), daemon=True)
            process.start()
        return process, here

    def do(self, task: Task, arguments: tuple[Any, ...]) -> Any:
        """Return what the task returns, or raise what it raises. Raises EOFError or OSError if the process dies."""
        with self._lock:
            self._connection.send((task, arguments))
            result, error = self._connection.recv()
        if error is not None:
            raise error
        return result

    def replace(self) -> None:
        """Put a new process in the place of one that has died."""
        self._connection.close()
        self._process.kill()
        self._process.join()
        self._process, self._connection = self._start()

    def end(self) -> None:
        """Tell the process to end, now."""
        self._process.terminate()

    def wait(self) -> None:
        """Wait until the process has ended."""
        self._process.join(_END_SECONDS)
        self._process.kill()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection, number: int, keep: Callable[[], Any]) -> None:
    """Do tasks as they come until nobody gives any more."""
    # Ctrl-C is for the command, which then ends its workers. SIG_IGN would be inherited by the programs they start.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, _exit)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with keep() as kept, contextlib.suppress(EOFError, OSError):
        while True:
            task, arguments = connection.recv()
            connection.send(_done(task, (kept, number, *arguments)))


def _done(task: Task, arguments: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    try:
        return task(*arguments), None
    except Exception as error:
        return None, error


def _exit(*_: object) -> None:
    """End by an exception, so that what is open is closed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker was started by somebody"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
