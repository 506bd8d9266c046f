"""Deep linking: an instructor puts an assignment into the course of the platform, with a column for its grades."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grading.lti import claims as names
from grading.lti.keys import ToolKey
from grading.lti.launch import Launch
from grading.lti.platforms import LtiError, Platform
from grading.lti.stores import new_secret

RESPONSE_SECONDS = 300


@dataclass(frozen=True)
class Item:
    """An assignment that may be linked."""

    name: str
    """Its id here: it comes back with each launch as the custom parameter `assignment`."""
    title: str
    url: str
    """Where its launches lead."""
    max_points: float = 0.0
    """Maximum of its column; 0 for an assignment without points, which has none."""
    text: str = ""


def content_item(item: Item) -> dict[str, Any]:
    """Return an assignment as a link that the platform understands, with its column."""
    link: dict[str, Any] = {
        "type": "ltiResourceLink",
        "title": item.title,
        "url": item.url,
        "custom": {"assignment": item.name},
    }
    if item.text:
        link["text"] = item.text
    if item.max_points > 0:
        link["lineItem"] = {
            "label": item.title,
            "scoreMaximum": item.max_points,
            "resourceId": item.name,
            "tag": "points",
        }
    return link


def response(key: ToolKey, platform: Platform, launch: Launch, items: Sequence[Item], now: float) -> str:
    """Return the signed answer to a deep linking request: the browser posts it to the request's return address.

    Raises LtiError if this was no such request, or more is chosen than it takes.
    """
    settings = launch.deep_linking
    if settings is None or launch.message != names.DEEP_LINKING:
        raise LtiError("The platform did not ask for links.")
    if len(items) > 1 and not settings.multiple:
        raise LtiError("The platform takes one link at a time.")
    answer: dict[str, Any] = {
        "iss": platform.client_id,
        "aud": platform.issuer,
        "iat": int(now),
        "exp": int(now) + RESPONSE_SECONDS,
        "nonce": new_secret(),
        names.MESSAGE_TYPE: names.DEEP_LINKING_RESPONSE,
        names.LTI_VERSION: names.VERSION,
        names.DEPLOYMENT_ID: launch.deployment,
        names.DL_ITEMS: [content_item(item) for item in items],
    }
    if settings.data:
        answer[names.DL_DATA] = settings.data
    return key.sign(answer)
