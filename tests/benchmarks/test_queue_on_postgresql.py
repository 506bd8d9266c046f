"""The queue on PostgreSQL: every test of the queue once more, and a server that is killed."""

import importlib.util
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
from harness import LeftOutError
from needed import missing

from grading.service import queue
from grading.service.database import Database, metadata
from grading.service.queue import Result, State

pytestmark = pytest.mark.slow
_spec = importlib.util.spec_from_file_location("queue_tests", Path(__file__).parents[1] / "service" / "test_queue.py")
assert _spec is not None
assert _spec.loader is not None
queue_tests = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(queue_tests)
globals().update({name: test for name, test in vars(queue_tests).items() if name.startswith("test_")})


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server of our own; its folder must be one that the server's user can reach."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as scratch:
        try:
            server = postgres.Server(postgres.find_programs(), Path(scratch) / "server")
        except LeftOutError as why:
            missing(str(why))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def database(server: postgres.Server) -> Iterator[Database]:
    database = Database.open(server.url)
    yield database
    with database.writing() as connection:
        metadata.drop_all(connection)
    database.close()


def test_server_that_dies_is_waited_for_and_what_it_said_is_kept(server: postgres.Server, database: Database) -> None:
    kept = queue_tests.enter(database, "ada", 1)
    server.kill()
    again = threading.Thread(target=server.start_again)
    again.start()
    (taken,) = queue.claim(database, "lab", 9, "one")
    again.join()
    queue.finish(database, taken, Result(1, 2))
    assert queue_tests.state(database, kept) is State.done
