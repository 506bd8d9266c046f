"""The platform's services: the roster (NRPS 2.0), columns, scores and results (AGS 2.0)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from grading.lti import claims as names
from grading.lti.calls import Caller, Reply
from grading.lti.claims import Role, role_in
from grading.lti.platforms import LtiError, Platform, origin_of

MOST_PAGES = 200
_NEXT = re.compile(r"""<([^>]+)>\s*;[^,]*\brel="?next"?(?:[;,\s]|$)""")


@dataclass(frozen=True)
class Member:
    """Somebody in the course, as the platform says."""

    user: str
    role: Role | None
    active: bool = True
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    email: str = ""
    person: str = ""
    """The id in the institution's own lists (`lis_person_sourcedid`)."""


@dataclass(frozen=True)
class LineItem:
    """A column of the platform's gradebook."""

    address: str
    label: str
    max_points: float
    resource: str = ""
    """The assignment's id here (`resourceId`)."""


@dataclass(frozen=True)
class PlatformResult:
    """A grade that the platform has; `points` is None where it has none."""

    user: str
    points: float | None
    max_points: float | None


async def roster(caller: Caller, platform: Platform, address: str) -> list[Member]:
    """Return the members of a course, page by page. Raises LtiError in words if it cannot be had."""
    found: dict[str, Member] = {}
    for page in await _pages(caller, platform, names.SCOPE_MEMBERS, address, names.MEDIA_MEMBERS):
        listed = page.get("members") if isinstance(page, dict) else None
        if not isinstance(listed, list):
            raise LtiError("the platform's roster has no members")
        for entry in listed:
            if isinstance(entry, dict) and isinstance(entry.get("user_id"), str):
                found[entry["user_id"]] = _member(entry)
    return list(found.values())


def _member(entry: Mapping[str, Any]) -> Member:
    roles = entry.get("roles")
    words = {key: entry[key] if isinstance(entry.get(key), str) else "" for key in _WORDS}
    role = role_in(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else None
    person = entry.get("lis_person_sourcedid")
    active = entry.get("status", "Active") == "Active"
    return Member(entry["user_id"], role, active, **words, person=person if isinstance(person, str) else "")


_WORDS = ("name", "given_name", "family_name", "email")


async def line_items(caller: Caller, platform: Platform, address: str, resource: str = "") -> list[LineItem]:
    """Return the columns that the tool has in a course, or those of one assignment."""
    url = with_query(address, resource_id=resource) if resource else address
    pages = await _pages(caller, platform, names.SCOPE_LINE_ITEM, url, names.MEDIA_LINE_ITEMS)
    return [_line_item(entry) for page in pages for entry in page if isinstance(entry, dict) and "id" in entry]


async def make_line_item(
    caller: Caller, platform: Platform, address: str, label: str, max_points: float, resource: str
) -> LineItem:
    """Return the column of an assignment, which is made if there is none yet."""
    known = [item for item in await line_items(caller, platform, address, resource) if item.resource == resource]
    if known:
        return known[0]
    body = {"label": label, "scoreMaximum": max_points, "resourceId": resource, "tag": "points"}
    reply = await caller.call(
        platform, names.SCOPE_LINE_ITEM, "POST", address, names.MEDIA_LINE_ITEM, body, names.MEDIA_LINE_ITEM
    )
    return _line_item(_good(reply, "makes no column").json())


def _line_item(entry: Any) -> LineItem:
    try:
        label, resource = entry.get("label") or "", entry.get("resourceId") or ""
        return LineItem(str(entry["id"]), str(label), float(entry["scoreMaximum"]), str(resource))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LtiError("the platform describes a column without an address or a maximum") from error


async def send_score(
    caller: Caller,
    platform: Platform,
    line_item: str,
    user: str,
    points: float,
    max_points: float,
    timestamp: float,
) -> Reply:
    """Send one score and return the platform's answer. `timestamp` orders the scores of a user: the newest counts.

    There is no comment in it, and Canvas is told that this is no new attempt: sent twice, it changes nothing.
    """
    body = {
        "userId": user,
        "scoreGiven": points,
        "scoreMaximum": max_points,
        "timestamp": datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "https://canvas.instructure.com/lti/submission": {"new_submission": False},
    }
    address = below(line_item, "scores")
    return await caller.call(platform, names.SCOPE_SCORE, "POST", address, "*/*", body, names.MEDIA_SCORE)


async def results(caller: Caller, platform: Platform, line_item: str, user: str = "") -> dict[str, PlatformResult]:
    """Return the grades that the platform has in a column, by user, or that of one user."""
    address = below(line_item, "results")
    url = with_query(address, user_id=user) if user else address
    pages = await _pages(caller, platform, names.SCOPE_RESULT, url, names.MEDIA_RESULTS)
    found = {}
    for entry in (entry for page in pages for entry in page if isinstance(entry, dict)):
        if isinstance(entry.get("userId"), str | int):
            who = str(entry["userId"])
            found[who] = PlatformResult(who, _number(entry.get("resultScore")), _number(entry.get("resultMaximum")))
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


async def _pages(caller: Caller, platform: Platform, scope: str, url: str, accept: str) -> list[Any]:
    """Return all pages of a list. The next one must be at the same host: the token is sent there."""
    pages: list[Any] = []
    origin, seen = origin_of(url), set()
    while url and url not in seen and len(pages) < MOST_PAGES:
        seen.add(url)
        reply = _good(await caller.call(platform, scope, "GET", url, accept), "does not answer")
        pages.append(reply.json())
        following = _NEXT.search(reply.headers.get("link", ""))
        url = urljoin(url, following[1]) if following else ""
        if url and origin_of(url) != origin:
            raise LtiError("the platform's next page is at another host")
    return pages


def _good(reply: Reply, what: str) -> Reply:
    if not reply.good:
        raise LtiError(f"the platform {what} (status {reply.status}): {reply.text[:200]}")
    return reply


def below(address: str, name: str) -> str:
    """Return the address of a line item's scores or results: the path goes on, the query stays (Moodle has one)."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def with_query(address: str, **asked: str) -> str:
    """Return an address with more in its query."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, urlencode(asked)) if part)))
