"""Names of the protocol: claims, roles, scopes, media types, as 1EdTech's specifications write them."""

from collections.abc import Iterable
from enum import StrEnum

VERSION = "1.3.0"
RESOURCE_LINK, DEEP_LINKING = "LtiResourceLinkRequest", "LtiDeepLinkingRequest"
DEEP_LINKING_RESPONSE = "LtiDeepLinkingResponse"

_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
MESSAGE_TYPE = f"{_CLAIM}message_type"
LTI_VERSION = f"{_CLAIM}version"
DEPLOYMENT_ID = f"{_CLAIM}deployment_id"
TARGET_LINK_URI = f"{_CLAIM}target_link_uri"
ROLES = f"{_CLAIM}roles"
CONTEXT = f"{_CLAIM}context"
RESOURCE = f"{_CLAIM}resource_link"
CUSTOM = f"{_CLAIM}custom"
LIS = f"{_CLAIM}lis"
PRESENTATION = f"{_CLAIM}launch_presentation"

_DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
DL_SETTINGS = f"{_DEEP_LINKING}deep_linking_settings"
DL_DATA = f"{_DEEP_LINKING}data"
DL_ITEMS = f"{_DEEP_LINKING}content_items"

AGS_ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_SERVICE = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

SCOPE_LINE_ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_RESULT = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCOPE_SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPE_MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"

MEDIA_LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
MEDIA_LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
MEDIA_SCORE = "application/vnd.ims.lis.v1.score+json"
MEDIA_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
MEDIA_MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"


class Role(StrEnum):
    """What somebody is in a course."""

    student = "student"
    assistant = "assistant"
    instructor = "instructor"


def role_in(roles: Iterable[str]) -> Role | None:
    """Return the role in the course; None if nothing in `roles` is one. Roles in the institution or system never count.

    Platforms name an assistant an instructor, too (the principal role of that sub-role), so the assistant's comes
    first, and with it the smaller rights.
    """
    said = {role.casefold() for role in roles}
    for names, role in _ROLES:
        if said & names:
            return role
    return None


def _named(name: str, *sub_roles: str) -> frozenset[str]:
    """Return how a role may be written: in full, by its short name, and its sub-roles."""
    written = [name, f"{_MEMBERSHIP}#{name}", *(f"{_MEMBERSHIP}/{sub}" for sub in sub_roles)]
    return frozenset(one.casefold() for one in written)


_ASSISTANTS = ("TeachingAssistant", "TeachingAssistantSection", "TeachingAssistantGroup", "Grader")
_ROLES = (
    (_named("TeachingAssistant", *(f"Instructor#{name}" for name in _ASSISTANTS)), Role.assistant),
    (_named("Instructor", "Instructor#PrimaryInstructor", "Instructor#Lecturer"), Role.instructor),
    (_named("Learner", "Learner#Learner", "Learner#NonCreditLearner"), Role.student),
)
