"""The service's database: tables, and transactions that are on the disk when they end.

The database is the queue, too: what stands in it survives whatever dies. SQLite and PostgreSQL behave alike here: there
is one writer at a time, and who reads sees one state.
"""

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.schema import CreateColumn

from grading.errors import GradingError

log = logging.getLogger(__name__)

BUSY_SECONDS = 30
"""How long a writer waits for another one."""
ABSENT_SECONDS = 20.0
"""How long a database server is waited for that does not answer: one that was killed starts again."""
_AGAIN_SECONDS = 0.5
_MOST_TIMES = 5
"""A step is tried so often, each time that the connection is lost in the middle of it."""
_WRITER = 0x636F757273650A
"""The lock of who writes, in PostgreSQL; any number of our own."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

metadata = MetaData()

links = Table(
    "links",
    metadata,
    Column("id", String, primary_key=True),
    Column("token_hash", String, unique=True, nullable=False),
    Column("student", String, nullable=False),
    Column("role", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("withdrawn", Float),
)
sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("course", String, nullable=False),
    Column("student", String, nullable=False),
    Column("role", String, nullable=False),
    Column("link", String),
    Column("expires", Float, nullable=False),
)
codes = Table(
    "codes",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("student", String, nullable=False),
    Column("assignment", String, nullable=False),
    Column("expires", Float, nullable=False),
    Column("used", Float),
)
hand_ins = Table(
    "hand_ins",
    metadata,
    Column("id", String, primary_key=True),
    Column("student", String, nullable=False),
    Column("assignment", String, nullable=False),
    Column("received", Float, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("queued", Float, nullable=False),
    Column("cells_done", Integer, nullable=False, default=0),
    Column("cells", Integer, nullable=False, default=0),
    Column("tries", Integer, nullable=False, default=0),
    Column("times_graded", Integer, nullable=False, default=0),
    Column("finished", Float),
    Column("points", Float),
    Column("max_points", Float),
    Column("waiting", Integer, nullable=False, default=0),
    Column("flags", Text, nullable=False, default=""),
    Column("why", Text, nullable=False, default=""),
    Column("page", Boolean, nullable=False, default=False),
    Column("grader", String),
    Column("seconds", Float),
    Column("excused", Integer),
    Column("excused_at", Float),
    Index("hand_ins_of_student", "student", "assignment", "received"),
    Index("hand_ins_queue", "state", "assignment", "queued"),
)
changes = Table(
    "changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("hand_in", String, nullable=False),
    Column("student", String, nullable=False),
    Column("assignment", String, nullable=False),
    Column("at", Float, nullable=False),
)
messages = Table(
    "messages",
    metadata,
    Column("id", String, primary_key=True),
    Column("student", String, nullable=False),
    Column("assignment", String, nullable=False),
    Column("author", String, nullable=False),
    Column("role", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index("messages_of", "assignment", "student", "at"),
)
standstills = Table(
    "standstills",
    metadata,
    Column("assignment", String, primary_key=True),
    Column("since", Float, nullable=False),
    Column("why", Text, nullable=False),
)
held = Table(
    "held",
    metadata,
    Column("assignment", String, primary_key=True),
    Column("since", Float, nullable=False),
    Column("by", String, nullable=False),
)


class Database:
    """Connections to the service's database, closed after a `with`. `reading` and `writing` are transactions."""

    def __init__(self, url: str) -> None:
        self._sqlite = make_url(url).get_backend_name() == "sqlite"
        arguments: dict[str, Any] = (
            {"timeout": BUSY_SECONDS, "check_same_thread": False} if self._sqlite else {"connect_timeout": 10}
        )
        self._engine = create_engine(
            url, connect_args=arguments, pool_size=20, max_overflow=20, pool_pre_ping=not self._sqlite
        )
        self._ways: dict[bool, dict[str, Any]] = {True: {"course_writes": True}, False: {}}
        """Options of connections that write, and that read."""
        if self._sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        else:
            event.listen(self._engine, "begin", _begin_elsewhere)
            self._ways[False] = {"isolation_level": "REPEATABLE READ"}

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open the database, with its tables, which are made where they are missing.

        Raises GradingError for one that does not answer.
        """
        name = make_url(url).database
        if make_url(url).get_backend_name() == "sqlite" and name:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        try:
            database = cls(url)
            with database.writing() as connection:
                metadata.create_all(connection)
                _add_columns(connection)
        except ImportError as error:
            why = f"the service's database needs a driver: {error}. For PostgreSQL, install the extra `postgresql`"
            raise GradingError(f'{why} and write "postgresql+psycopg://..."') from error
        except OperationalError as error:
            raise GradingError(f"the service's database does not answer: {error.orig}") from error
        return database

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all there, on the disk, when the block ends, or none of them."""
        with self._connected(writes=True) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database."""
        with self._connected(writes=False) as connection, connection.begin():
            yield connection

    def _connected(self, writes: bool) -> Connection:
        """Return a connection; a server that does not answer is waited for."""
        until = time.monotonic() + ABSENT_SECONDS
        while True:
            try:
                return self._engine.connect().execution_options(**self._ways[writes])
            except OperationalError:
                if self._sqlite or time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_SECONDS)

    def overwrite_removed(self) -> None:
        """Leave nothing of removed rows in SQLite's log, which keeps them until it is written into the database."""
        if not self._sqlite:
            return
        with contextlib.closing(self._engine.raw_connection()) as connection:  # no transaction is open on it
            busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            log.warning("the database is in use: what was removed stays in its log until the service is started anew")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def repeated(step: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Let a step run again whose connection was lost; only for one that may be done twice."""

    @functools.wraps(step)
    def tried(*args: Given.args, **named: Given.kwargs) -> Answer:
        for _ in range(_MOST_TIMES - 1):
            try:
                return step(*args, **named)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                log.warning("the connection to the database was lost: once more")
        return step(*args, **named)

    return tried


def _add_columns(connection: Connection) -> None:
    """Add the columns that tables of an earlier version do not have; new ones are therefore nullable."""
    for table in metadata.sorted_tables:
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                described = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {described}")


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we begin transactions, not the driver
    settings = (
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",
        f"busy_timeout = {BUSY_SECONDS * 1000}",
    )
    for setting in settings:
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the lock for writing at once: a transaction that reads first could not wait for it later."""
    writes = connection.get_execution_options().get("course_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_elsewhere(connection: Connection) -> None:
    """Wait for others who write, as SQLite does: steps that were thought through for one writer hold here, too."""
    if connection.get_execution_options().get("course_writes"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")
