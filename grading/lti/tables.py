"""Tables of logins under way, of choices to be made, and of scores to be sent with each answer to them."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Column, Connection, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

logins = Table(
    "lti_logins",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("browser_hash", String(64), nullable=False),
    Column("nonce_hash", String(64), nullable=False, unique=True),
    Column("platform", Text, nullable=False),
    Column("deployment", Text, nullable=False),
    Column("expires", Float, nullable=False, index=True),
    Column("used", Float),
)
choices = Table(
    "lti_choices",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("launch", Text, nullable=False),
    Column("expires", Float, nullable=False, index=True),
    Column("used", Float),
)
scores = Table(
    "lti_scores",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("platform", Text, nullable=False),
    Column("line_item", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("hand_in", Text, nullable=False),
    Column("points", Float, nullable=False),
    Column("max_points", Float, nullable=False),
    Column("timestamp", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("settled", Float),
    UniqueConstraint("platform", "line_item", "user_id", "number"),
    Index("lti_scores_due", "state", "next_try"),
)
answers = Table(
    "lti_answers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("score", String(64), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("status", Integer),
    Column("said", Text, nullable=False),
)


class Transactions(Protocol):
    """A database: `writing` and `reading` give a connection within a transaction that ends with the block."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection whose changes are all there when the block ends, or none of them."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one state of the database."""


def prepare(database: Transactions) -> None:
    """Make the tables where they are missing."""
    with database.writing() as connection:
        metadata.create_all(connection)
