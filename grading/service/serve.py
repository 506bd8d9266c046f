"""The service's processes: the web server here, and graders beside it, which are started again when they end."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnProcess

import uvicorn

from grading.errors import GradingError
from grading.options import Isolation
from grading.pipeline.run import options_from
from grading.sandbox.bubblewrap import check
from grading.service.app import create_app
from grading.service.database import Database
from grading.service.grader import run_grader
from grading.service.lms import open_door
from grading.service.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two looks whether the graders run."""
END_SECONDS = 30.0
"""What a grader has to finish what it is at, before it is killed; what it had not finished is taken again."""
STOP_SECONDS = 3
"""What open pages have, when the server ends."""


class Graders:
    """Processes that grade. For the `with` statement; one that ends is started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")  # nothing of the web server's is in them
        self._processes: list[SpawnProcess] = []
        self._ending = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Graders":
        self._processes = [self._start(number) for number in range(self._settings.graders)]
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._keeper.join()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()

    @property
    def pids(self) -> list[int]:
        """Return the processes' ids."""
        return [process.pid for process in self._processes if process.pid is not None]

    def _start(self, number: int) -> SpawnProcess:
        process = self._context.Process(target=run_grader, args=(self._settings, os.getpid(), number), name="grader")
        process.start()
        return process

    def _keep(self) -> None:
        while not self._ending.wait(LOOK_EVERY):
            for number, process in enumerate(self._processes):
                if not process.is_alive():
                    log.warning("a grader has ended (%s): another one is started", process.exitcode)
                    self._processes[number] = self._start(number)


def check_sandbox(settings: Settings) -> None:
    """Raise GradingError or SandboxError where student code could not be kept apart."""
    isolation = options_from(settings.course).isolation
    if isolation is Isolation.none:
        raise GradingError("c.Grading.isolation is 'none': a service never runs student code with your rights")
    check(isolation)


def serve(settings: Settings, host: str, port: int, ready: Callable[[Graders], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is called before the first request is answered.

    Raises GradingError where the address cannot be had.
    """
    database = Database.open(settings.database)
    door = open_door(settings, database)
    app = create_app(door.settings, database, door.routes) if door else create_app(settings, database)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # addresses hold tokens
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=4000,
    )
    server = uvicorn.Server(config)
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn hears it first, and raises it again when it has ended
    try:
        with Graders(settings) as graders, door.passback if door else contextlib.nullcontext():
            ready(graders)
            server.run()
    except SystemExit as ended:
        if ended.code:
            said = f"{host}:{port} cannot be served: is something else there? --port takes another"
            raise GradingError(said) from None
    finally:
        database.close()
