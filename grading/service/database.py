"""The service's database: tables, and transactions that are on the disk when they end.

The database is the queue, too: what stands in it survives whatever dies.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
from sqlalchemy.schema import CreateColumn

BUSY_SECONDS = 30
"""How long a writer waits for another one."""

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
held = Table(
    "held",
    metadata,
    Column("assignment", String, primary_key=True),
    Column("since", Float, nullable=False),
    Column("by", String, nullable=False),
)


class Database:
    """Connections to the service's database. `reading` and `writing` are transactions."""

    def __init__(self, url: str) -> None:
        self._sqlite = make_url(url).get_backend_name() == "sqlite"
        arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False} if self._sqlite else {}
        self._engine = create_engine(url, connect_args=arguments, pool_size=20, max_overflow=20)
        if self._sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open the database, with its tables, which are made where they are missing."""
        name = make_url(url).database
        if make_url(url).get_backend_name() == "sqlite" and name:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        database = cls(url)
        with database.writing() as connection:
            metadata.create_all(connection)
            _add_columns(connection)
        return database

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all there, on the disk, when the block ends, or none of them."""
        with self._engine.connect().execution_options(course_writes=True) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


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
    for setting in ("journal_mode = WAL", "synchronous = FULL", f"busy_timeout = {BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the lock for writing at once: a transaction that reads first could not wait for it later."""
    writes = connection.get_execution_options().get("course_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
