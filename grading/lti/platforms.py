"""Platforms that may launch the tool, and the tool itself, as they were registered with each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from grading.errors import CourseError, GradingError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LtiError(CourseError):
    """A launch or a call that the protocol does not allow; the message is for the person who meets it."""


@dataclass(frozen=True)
class Platform:
    """A learning management system, as it is registered here."""

    issuer: str
    client_id: str
    """The tool's id there."""
    deployments: frozenset[str]
    """Where in the platform the tool was put to use: launches from elsewhere are refused."""
    login_url: str
    """The platform's address for authentication requests."""
    token_url: str
    keys_url: str
    audience: str = ""
    """What the platform wants to be called when it is asked for an access token; its token address by default."""
    name: str = ""

    @property
    def key(self) -> str:
        """Return what tells the platform, and the tool's registration there, from all others."""
        return f"{self.issuer} {self.client_id}"

    @property
    def shown(self) -> str:
        """Return the name for people."""
        return self.name or self.issuer

    def may_call(self, url: str) -> bool:
        """Return whether an address is one that a token of the platform may be sent to: by TLS, or on one machine."""
        return is_safe(url) and (urlsplit(url).scheme == "https" or urlsplit(self.issuer).scheme == "http")


def is_safe(url: str) -> bool:
    """Return whether an address is https, or http on this machine, and has no user in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or any(ord(letter) <= 32 or letter == "\\" for letter in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


_NEEDED = ("issuer", "client_id", "deployments", "login_url", "token_url", "keys_url")
_KNOWN = (*_NEEDED, "audience", "name")


def read_platforms(settings: Iterable[Mapping[str, Any]]) -> tuple[Platform, ...]:
    """Return the platforms of the configuration (`c.LtiSettings.platforms`). Raises GradingError in words."""
    platforms = tuple(_read(number, given) for number, given in enumerate(settings, start=1))
    if len({platform.key for platform in platforms}) < len(platforms):
        raise GradingError("c.LtiSettings.platforms: two platforms have the same issuer and client_id")
    return platforms


def _read(number: int, given: Mapping[str, Any]) -> Platform:
    where = f"c.LtiSettings.platforms, platform {number}"
    if unknown := sorted(given.keys() - set(_KNOWN)):
        raise GradingError(f"{where}: there is no {', '.join(unknown)}; known are {', '.join(_KNOWN)}")
    if lacking := [name for name in _NEEDED if not given.get(name)]:
        raise GradingError(f"{where} lacks {', '.join(lacking)}: docs/lti.md says where the LMS shows them")
    if isinstance(given["deployments"], str):
        raise GradingError(f'{where}: deployments is a list, such as ["1"]')
    for name in ("login_url", "token_url", "keys_url"):
        if not is_safe(str(given[name])):
            raise GradingError(f"{where}: {name} is {given[name]!r}, which is no https address")
    texts = {name: str(given[name]) for name in _KNOWN if name in given and name != "deployments"}
    return Platform(**texts, deployments=frozenset(map(str, given["deployments"])))


def find_platform(platforms: Iterable[Platform], issuer: str, client_id: str = "") -> Platform:
    """Return the platform that a login comes from. Raises LtiError if it is not registered, or cannot be told."""
    found = [one for one in platforms if one.issuer == issuer and client_id in ("", one.client_id)]
    if not found:
        raise LtiError(f"The platform {issuer[:200]!r} is not registered with this course: tell the instructor.")
    if len(found) > 1:
        raise LtiError(
            "The platform did not say which registration it means (client_id), and there are several: tell the "
            "instructor."
        )
    return found[0]
