"""Stores of what may be used once: a login between its two requests, and an instructor's choice."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import delete, insert, select, update

from grading.lti.tables import Transactions, choices, logins


def new_secret() -> str:
    """Return 256 random bits, fit for an address."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """Return what is stored of a secret: who reads the database cannot use what is there."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Login:
    """A login that was begun. Secrets are hashed."""

    state_hash: str
    browser_hash: str
    nonce_hash: str
    platform: str
    deployment: str
    """What the platform said at the beginning; empty if it did not."""
    expires: float


class Logins(Protocol):
    """Logins under way."""

    def add(self, login: Login, now: float) -> None:
        """Keep a login."""

    def find(self, state_hash: str) -> tuple[Login, bool] | None:
        """Return a login and whether it was used; None if nobody began it, or long ago."""

    def use(self, state_hash: str, now: float) -> bool:
        """Use a login; return whether this was the first time. Of two at the same moment one is the first."""


class DatabaseLogins:
    """Logins in a database, for any number of processes."""

    def __init__(self, database: Transactions) -> None:
        """Take a database that has the tables."""
        self._database = database

    def add(self, login: Login, now: float) -> None:
        """Keep a login, and forget those that have expired."""
        with self._database.writing() as connection:
            connection.execute(delete(logins).where(logins.c.expires < now))
            connection.execute(insert(logins).values(**vars(login)))

    def find(self, state_hash: str) -> tuple[Login, bool] | None:
        """Return a login and whether it was used."""
        with self._database.reading() as connection:
            row = connection.execute(select(logins).where(logins.c.state_hash == state_hash)).mappings().first()
        if row is None:
            return None
        return Login(**{name: value for name, value in row.items() if name != "used"}), row["used"] is not None

    def use(self, state_hash: str, now: float) -> bool:
        """Use a login, in one statement: the database says who was first."""
        first = update(logins).where(logins.c.state_hash == state_hash, logins.c.used.is_(None)).values(used=now)
        with self._database.writing() as connection:
            return connection.execute(first).rowcount == 1


class Choices:
    """Deep linking requests that wait for an instructor's choice."""

    def __init__(self, database: Transactions) -> None:
        """Take a database that has the tables."""
        self._database = database

    def add(self, token: str, launch: str, expires: float, now: float) -> None:
        """Keep a launch, as text, under a token, and forget those that have expired."""
        with self._database.writing() as connection:
            connection.execute(delete(choices).where(choices.c.expires < now))
            connection.execute(insert(choices).values(token_hash=hashed(token), launch=launch, expires=expires))

    def use(self, token: str, now: float) -> str | None:
        """Return the launch of a token, once; None if there is none any more."""
        mine = choices.c.token_hash == hashed(token)
        first = update(choices).where(mine, choices.c.used.is_(None), choices.c.expires >= now).values(used=now)
        with self._database.writing() as connection:
            if connection.execute(first).rowcount != 1:
                return None
            launch: str = connection.execute(select(choices.c.launch).where(mine)).scalar_one()
        return launch
