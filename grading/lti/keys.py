"""Keys: the tool's own, with which it signs, and those of platforms, which are fetched and kept for a while."""

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from anyio import Lock
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from grading.errors import GradingError
from grading.lti.platforms import LtiError, Platform

ALGORITHM = "RS256"
"""The one that 1EdTech's security framework asks of every platform and tool."""
KEY_BITS = 2048
FRESH_SECONDS = 3600.0
"""How long fetched keys are used without asking again."""
PATIENCE_SECONDS = 60.0
"""How long an unknown key is not asked for again: who forges tokens cannot make us ask at every try."""
MOST_KEYS = 50

Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Gets a JSON document from an address; raises LtiError in words if it cannot be had."""


class ToolKey:
    """The tool's key pair."""

    def __init__(self, key: RSAKey) -> None:
        """Take a key; its id is its thumbprint (RFC 7638), so it stays the same where it is read again."""
        self._key, self.id = key, key.thumbprint()

    @classmethod
    def read(cls, path: Path) -> "ToolKey":
        """Read a private key in PEM. Raises GradingError if there is none."""
        try:
            key = RSAKey.import_key(path.read_bytes())
        except (OSError, ValueError, JoseError) as error:
            raise GradingError(f"{path} holds no private RSA key in PEM: {error}") from error
        if not key.is_private:
            raise GradingError(f"{path} holds a public key: the tool signs with a private one")
        return cls(key)

    @classmethod
    def read_or_make(cls, path: Path) -> "ToolKey":
        """Read the key of a file; where there is none, make one that only we may read."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(RSAKey.generate_key(KEY_BITS).as_pem(private=True))
        return cls.read(path)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a signed token."""
        header = {"alg": ALGORITHM, "kid": self.id, "typ": "JWT"}
        return jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM])

    @property
    def public_set(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set, for platforms to read."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self.id, "alg": ALGORITHM, "use": "sig"}]}


class PlatformKeys:
    """Public keys of platforms, by the address of their key set."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        """Take what fetches a key set, and a clock in seconds."""
        self._fetch, self._clock = fetch, clock
        self._known: dict[str, dict[str, RSAKey]] = {}
        self._fetched: dict[str, float] = {}
        self._asking = Lock()

    async def key(self, platform: Platform, key_id: str) -> RSAKey:
        """Return a platform's key; an unknown one is looked for in a fresh set, since platforms change their keys.

        Raises LtiError if the platform has no such key.
        """
        url = platform.keys_url
        async with self._asking:  # a class that comes at once asks once
            age = self._clock() - self._fetched.get(url, float("-inf"))
            known = self._known.get(url, {})
            if age > FRESH_SECONDS or (key_id not in known and age > PATIENCE_SECONDS):
                known = self._known[url] = _rsa_keys(await self._fetch(url))
                self._fetched[url] = self._clock()
        if key_id not in known:
            raise LtiError(f"The launch is signed with a key that {platform.shown} does not have.")
        return known[key_id]


def _rsa_keys(document: Mapping[str, Any]) -> dict[str, RSAKey]:
    """Return the RSA keys of a set, by their ids; others are left out, since nothing is signed with them here."""
    found = {}
    listed = document.get("keys")
    for entry in listed[:MOST_KEYS] if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        try:
            found[str(entry["kid"])] = RSAKey.import_key({name: entry[name] for name in ("kty", "n", "e")})
        except (KeyError, ValueError, TypeError, JoseError):  # one that is damaged costs itself alone
            continue
    return found
