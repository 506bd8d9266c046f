"""Workers of a Dask cluster. Only this module knows Dask.

The scheduler is connected to when there is something to do, and again after it was lost. What ran meanwhile is given
up: who asked for it asks again.
"""

import contextlib
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any

from grading.errors import UnavailableError
from grading.options import Workers

log = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
"""How long a scheduler is waited for by who has nothing else to do."""
CHECK_SECONDS = 5.0
"""How long it is waited for by who will look again."""
_CLOSE_SECONDS = 2.0

Task = Callable[..., Any]
"""A function of a module, called with what a worker keeps and the arguments that were sent."""


class Cluster:
    """A client of one scheduler, at most one at a time. For the `with` statement.

    `keep` and tasks are functions of modules; what `keep` returns stays with a worker until that ends.
    """

    def __init__(self, workers: Workers, keep: Callable[[], Any]) -> None:
        self._workers, self._keep = workers, keep
        self._client: Any = None
        self._loop: Any = None

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()
        if self._loop is not None:
            self._loop.stop(timeout=_CLOSE_SECONDS)

    def connect(self, seconds: float = CONNECT_SECONDS) -> Any:
        """Return a client that is connected. Raises UnavailableError where no scheduler answers so soon."""
        if self._client is None or self._client.status != "running":
            self._let_go()
            self._client = self._connected(seconds)
        return self._client

    def check(self) -> None:
        """Raise UnavailableError where no scheduler answers, or it has no workers."""
        client = self.connect(CHECK_SECONDS)
        try:
            found = client.scheduler_info(n_workers=0)["n_workers"]
        except Exception as error:  # it has just died, say
            self._let_go()
            raise UnavailableError(self._no_answer(error)) from error
        if not found:
            raise UnavailableError(f"the Dask scheduler at {self._workers.scheduler} has no workers")

    def run(
        self, task: Task, arguments: Mapping[str, tuple[Any, ...]], started: Callable[[str], None]
    ) -> Iterator[tuple[str, Any, BaseException | None]]:
        """Do a task for each key; yield key, what it returned, and the error if there was one.

        The error is UnavailableError for what was lost with the scheduler. `started` is called with a key, in a thread
        of its own, when its task begins.
        """
        from distributed import as_completed  # slow to load

        client = self.connect()
        lot = uuid.uuid4().hex  # a key that comes again is another task: it believes another solution, say

        def begun(event: tuple[float, tuple[str, str]]) -> None:
            whose, key = event[1]
            if whose == lot:  # others are at it, too
                started(key)

        try:
            client.subscribe_topic(_STARTED, begun)
            futures = {
                client.submit(_on_worker, self._keep, lot, key, task, given, pure=False, key=f"course-{lot}-{key}"): key
                for key, given in arguments.items()
            }
        except Exception as error:
            if client.status == "running":
                raise
            raise UnavailableError(self._lost()) from error
        for future in as_completed(futures):
            yield futures[future], *self._came_of(future)
            future.release()  # the cluster need not keep what has been given

    def _came_of(self, future: Any) -> tuple[Any, BaseException | None]:
        """Return what a future that is over has given: its result, or the error."""
        if future.status == "error":
            return None, future.exception()
        from distributed import CancelledError as Cancelled  # slow to load

        try:
            return future.result(), None  # raises, too, where it was cancelled, as all are with a lost scheduler
        except (CancelledError, Cancelled, OSError, TimeoutError) as error:
            log.debug("a result was lost", exc_info=error)
            return None, UnavailableError(self._lost())
        except Exception as error:  # the worker that had it died, and all that computed it again
            return None, error

    def _lost(self) -> str:
        return f"the Dask scheduler at {self._workers.scheduler} was lost while this ran: grade again when it answers"

    def _no_answer(self, error: BaseException) -> str:
        return f"no Dask scheduler answers at {self._workers.scheduler}: {error}"

    def _connected(self, seconds: float) -> Any:
        import dask  # slow to load, as is distributed

        with dask.config.set({"logging.distributed": "error"}):  # read when distributed is first imported
            from distributed import Client
            from distributed.utils import LoopRunner
        # It tells of each connection that was lost, with a traceback; we say it in a line.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        if self._loop is None:  # one for all clients: a client that cannot connect would leave its own behind
            self._loop = LoopRunner(asynchronous=False)
            self._loop.start()
        try:
            return Client(
                self._workers.scheduler,
                security=self._security(),
                timeout=seconds,
                loop=self._loop.loop,
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise UnavailableError(self._no_answer(error)) from error

    def _security(self) -> Any:
        """Return what a scheduler at a `tls://` address asks for; None for another one."""
        tls = self._workers.tls
        if not tls:
            return None
        from distributed.security import Security  # slow to load

        return Security(
            tls_ca_file=tls["ca_file"],
            tls_client_cert=tls["client_cert"],
            tls_client_key=tls["client_key"],
            require_encryption=True,
        )

    def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # it is not needed any more, however it ends
                client.close(timeout=_CLOSE_SECONDS)


_STARTED = "course-started"
"""Topic of the events by which workers say which task they begin."""
_ON_WORKER = "course_pools"
"""Attribute of a Dask worker: what it keeps from task to task."""


def _on_worker(keep: Callable[[], Any], lot: str, key: str, task: Task, arguments: tuple[Any, ...]) -> Any:
    from distributed import get_worker  # slow to load

    worker = get_worker()
    worker.log_event(_STARTED, (lot, key))
    if not hasattr(worker, _ON_WORKER):
        setattr(worker, _ON_WORKER, keep())
    return task(getattr(worker, _ON_WORKER), *arguments)
