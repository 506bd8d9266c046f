"""Calls to a platform's services: access tokens by a signed assertion, and JSON with the media types it wants."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from grading.lti.keys import ToolKey
from grading.lti.platforms import LtiError, Platform, is_safe
from grading.lti.stores import new_secret

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300
SECONDS = 20.0
"""How long a platform may take to answer."""
MARGIN_SECONDS = 30.0
"""Before its end a token is not used any more."""
MOST_BYTES = 8 * 2**20
UNAUTHORIZED = 401


def client() -> httpx.AsyncClient:
    """Return a client for calls: it waits for a while only, and never follows a redirection with a token in hand."""
    return httpx.AsyncClient(timeout=SECONDS, follow_redirects=False)


@dataclass(frozen=True)
class Reply:
    """Answer of a platform."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def good(self) -> bool:
        """Return whether it did what it was asked."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return what the text holds. Raises LtiError if it is no JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise LtiError(f"the platform answered with something that is no JSON: {self.text[:100]!r}") from error


class UnreachableError(LtiError):
    """The platform gave no answer: it is not known whether it did what it was asked."""


class DeniedError(LtiError):
    """The platform gives no token for what is asked."""


async def fetch_json(http: httpx.AsyncClient, url: str) -> Mapping[str, Any]:
    """Get a JSON document that anybody may read, such as a key set."""
    if not is_safe(url):
        raise LtiError("The address of the platform's keys is not https.")
    reply = await _send(http, "GET", url, {"Accept": "application/json"}, None)
    document = reply.json() if reply.good else None
    if not isinstance(document, dict):
        raise LtiError(f"The platform's keys cannot be had (status {reply.status}).")
    return document


class Caller:
    """Calls the services of platforms, with access tokens that are kept until they end."""

    def __init__(self, http: httpx.AsyncClient, key: ToolKey, clock: Callable[[], float] = time.time) -> None:
        """Take a client, the tool's key, and a clock in seconds since 1970."""
        self._http, self._key, self._clock = http, key, clock
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}

    async def call(
        self, platform: Platform, scope: str, method: str, url: str, accept: str, body: Any = None, kind: str = ""
    ) -> Reply:
        """Call an address of the platform's; `kind` is the media type of `body`.

        A token that the platform does not know any more is asked for anew, once. Raises LtiError for an address that
        gets no token, UnreachableError without an answer, DeniedError without a token.
        """
        if not platform.may_call(url):
            raise LtiError(f"{url[:200]!r} is no address to which a token may be sent.")
        content = None if body is None else json.dumps(body).encode()
        for fresh in (False, True):
            token = await self._token(platform, scope, fresh)
            headers = {"Authorization": f"Bearer {token}", "Accept": accept}
            if kind:
                headers["Content-Type"] = kind
            reply = await _send(self._http, method, url, headers, content)
            if reply.status != UNAUTHORIZED:
                break
        return reply

    async def _token(self, platform: Platform, scope: str, fresh: bool) -> str:
        known, until = self._tokens.get((platform.key, scope), ("", 0.0))
        if known and not fresh and self._clock() < until - MARGIN_SECONDS:
            return known
        now = int(self._clock())
        assertion = {
            "iss": platform.client_id,
            "sub": platform.client_id,
            "aud": platform.audience or platform.token_url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": new_secret(),
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": self._key.sign(assertion),
            "scope": scope,
        }
        content = str(httpx.QueryParams(form)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        reply = await _send(self._http, "POST", platform.token_url, headers, content)
        given = reply.json() if reply.good else None
        if not isinstance(given, dict) or not isinstance(token := given.get("access_token"), str):
            raise DeniedError(
                f"{platform.shown} gives no token for {scope} (status {reply.status}): {reply.text[:200]}"
            )
        lasts = given.get("expires_in")
        self._tokens[platform.key, scope] = token, self._clock() + (lasts if isinstance(lasts, int | float) else 60.0)
        return token


async def _send(
    http: httpx.AsyncClient, method: str, url: str, headers: Mapping[str, str], content: bytes | None
) -> Reply:
    """Send a request and read no more of the answer than anybody needs."""
    try:
        async with http.stream(method, url, headers=dict(headers), content=content) as response:
            read = bytearray()
            async for piece in response.aiter_bytes():
                read += piece
                if len(read) > MOST_BYTES:
                    raise UnreachableError("the platform's answer is too large")
            return Reply(response.status_code, read.decode("utf-8", "replace"), dict(response.headers))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreachableError(f"the platform does not answer: {type(error).__name__} {error}".strip()) from error
