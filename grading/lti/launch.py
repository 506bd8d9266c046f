"""The second step of a launch: what the platform signed is checked claim by claim, and refused in words.

The order is that of the risk: first whether this browser began this login, then who signed, then what it says.
"""

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from grading.lti import claims as names
from grading.lti.claims import Role, role_in
from grading.lti.keys import ALGORITHM, PlatformKeys
from grading.lti.login import Tool
from grading.lti.platforms import LtiError, Platform
from grading.lti.stores import Login, Logins, hashed

LEEWAY_SECONDS = 60.0
"""By how much the platform's clock may differ from ours."""
OLDEST_SECONDS = 3600.0
"""Age from which on a token is refused, whatever it says of its end."""
MOST_BYTES = 64 * 1024
LONGEST_ID = 255
AGAIN = "Open the link in the course again."


@dataclass(frozen=True)
class Settings:
    """Settings of a deep linking request."""

    return_url: str
    data: str = ""
    multiple: bool = False


@dataclass(frozen=True)
class Launch:
    """A launch that was checked: who comes, from where, and what the platform offers."""

    message: str
    platform: str
    """`Platform.key` of the registration."""
    deployment: str
    user: str
    """The platform's id of the person: unique within the platform, and never reused."""
    role: Role | None
    """None for somebody who is neither student nor teacher in the course."""
    roles: tuple[str, ...] = ()
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    email: str = ""
    person: str = ""
    """The id in the institution's own lists (`person_sourcedid`), where the platform gives it."""
    context: str = ""
    context_title: str = ""
    resource: str = ""
    """Id of the link in the course."""
    resource_title: str = ""
    target: str = ""
    custom: Mapping[str, str] = field(default_factory=dict)
    line_item: str = ""
    """Address of the column for this link's scores; empty if there is none."""
    line_items: str = ""
    scopes: tuple[str, ...] = ()
    members: str = ""
    """Address of the roster; empty if the platform does not offer it."""
    return_url: str = ""
    """Where the browser may go back to."""
    deep_linking: Settings | None = None

    def to_json(self) -> str:
        """Return the launch as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Launch":
        """Make a launch from what `to_json` returned."""
        data = json.loads(text)
        role = Role(data["role"]) if data["role"] else None
        settings = Settings(**data["deep_linking"]) if data["deep_linking"] else None
        listed = {name: tuple(data[name]) for name in ("roles", "scopes")}
        return cls(**{**data, **listed, "role": role, "deep_linking": settings})


class Verifier:
    """Checks launches."""

    def __init__(
        self,
        tool: Tool,
        platforms: Sequence[Platform],
        logins: Logins,
        keys: PlatformKeys,
        clock: Callable[[], float],
    ) -> None:
        """Take what launches are checked against, and a clock in seconds since 1970."""
        self._tool, self._logins, self._keys, self._clock = tool, logins, keys, clock
        self._platforms = {platform.key: platform for platform in platforms}

    def begun(self, given: Mapping[str, str], browser: Callable[[str], str | None]) -> tuple[Login, Platform]:
        """Return the login that a launch ends, which is used up by that, and its platform; `browser` gives the cookie.

        Raises LtiError where this browser did not begin it, or it was used or has expired.
        """
        if not (state := given.get("state")):
            raise LtiError(f"The launch has no state. {AGAIN}")
        found = self._logins.find(hashed(state))
        if found is None:
            raise LtiError(f"Nobody began this launch, or too long ago. {AGAIN}")
        login, used = found
        kept = browser(state)
        if kept is None:
            raise LtiError(
                "Your browser did not bring back the cookie of this launch. Allow cookies for this page, or let the "
                f"link open in a new window, then: {AGAIN}"
            )
        if not hmac.compare_digest(hashed(kept), login.browser_hash):
            raise LtiError(f"Another browser began this launch. {AGAIN}")
        if used or not self._logins.use(login.state_hash, self._clock()):
            raise LtiError(f"This launch was used before: each works once. {AGAIN}")
        if login.expires < self._clock():
            raise LtiError(f"This launch took too long. {AGAIN}")
        platform = self._platforms.get(login.platform)
        if platform is None:
            raise LtiError("The platform of this launch is not registered any more.")
        return login, platform

    async def check(self, given: Mapping[str, str], login: Login, platform: Platform) -> Launch:
        """Check what a platform sent for a login of its own. Raises LtiError in words."""
        if error := given.get("error"):
            said = given.get("error_description") or error
            raise LtiError(f"{platform.shown} refused the launch: {said[:300]}")
        token = given.get("id_token", "")
        if not token or len(token) > MOST_BYTES:
            raise LtiError(f"The launch has no token, or one that is too large. {AGAIN}")
        claims = await self._signed(token, platform)
        self._check_sender(claims, platform)
        self._check_times(claims)
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(hashed(nonce), login.nonce_hash):
            raise LtiError(f"The launch answers another request than ours (nonce). {AGAIN}")
        self._check_message(claims, login, platform)
        return _launch(claims, platform)

    async def _signed(self, token: str, platform: Platform) -> dict[str, Any]:
        """Return the claims of a token that the platform has signed."""
        header = _header(token)
        if header.get("alg") != ALGORITHM:
            raise LtiError(
                f"The launch is not signed as it must be: with {ALGORITHM}, not {str(header.get('alg'))[:20]!r}."
            )
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise LtiError("The launch does not say with which key it is signed.")
        key = await self._keys.key(platform, key_id)
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            raise LtiError(f"The signature of the launch is not that of {platform.shown}.") from error
        if not isinstance(claims, dict):
            raise LtiError("The launch holds no claims.")
        return claims

    def _check_sender(self, claims: Mapping[str, Any], platform: Platform) -> None:
        if claims.get("iss") != platform.issuer:
            raise LtiError(f"The launch comes from another platform than {platform.shown} (issuer).")
        audience = claims.get("aud")
        if audience not in (platform.client_id, [platform.client_id]):
            raise LtiError("The launch is meant for another tool, or for others, too (audience).")
        if claims.get("azp", platform.client_id) != platform.client_id:
            raise LtiError("The launch was made for another tool (azp).")

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        times = {}
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name)
            if value is None and name == "nbf":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise LtiError(f"The launch does not say when it was made, or until when it holds ({name}).")
            times[name] = value
        if not now < times["exp"] + LEEWAY_SECONDS:
            raise LtiError(f"The launch has expired. {AGAIN}")
        if not max(times["iat"], times.get("nbf", 0)) <= now + LEEWAY_SECONDS:
            raise LtiError("The launch comes from the future: the platform's clock and this one differ too much.")
        if not times["iat"] > now - OLDEST_SECONDS:
            raise LtiError(f"The launch is too old. {AGAIN}")

    def _check_message(self, claims: Mapping[str, Any], login: Login, platform: Platform) -> None:
        if claims.get(names.LTI_VERSION) != names.VERSION:
            raise LtiError(f"The launch is not one of LTI {names.VERSION}.")
        message = claims.get(names.MESSAGE_TYPE)
        if message not in (names.RESOURCE_LINK, names.DEEP_LINKING):
            raise LtiError(f"This course does not know launches of the kind {str(message)[:60]!r}.")
        deployment = claims.get(names.DEPLOYMENT_ID)
        if not isinstance(deployment, str) or deployment not in platform.deployments:
            raise LtiError(f"This tool is not registered for the place in {platform.shown} from which it was opened.")
        if login.deployment not in ("", deployment):
            raise LtiError("The launch comes from another place in the platform than it began in (deployment).")
        target = claims.get(names.TARGET_LINK_URI)
        if not isinstance(target, str) or not self._tool.owns(target):
            raise LtiError("The link in the course leads to another address than this one: tell the instructor.")
        user = claims.get("sub")
        if not isinstance(user, str) or not 0 < len(user) <= LONGEST_ID or not user.isprintable():
            raise LtiError("The platform does not say who you are: this course takes nobody without a name (sub).")
        roles = claims.get(names.ROLES)
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise LtiError("The platform does not say what you are in the course (roles).")
        if message == names.RESOURCE_LINK and not _text(_part(claims, names.RESOURCE), "id"):
            raise LtiError("The launch does not say which link was opened (resource_link).")


def _header(token: str) -> Mapping[str, Any]:
    """Return the header of a token, which nobody has checked yet: it says only which key to try."""
    first = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError):
        header = None
    if token.count(".") != 2 or not isinstance(header, dict):
        raise LtiError(f"The launch holds no signed token. {AGAIN}")
    return header


def _part(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}


def _text(part: Mapping[str, Any], name: str, longest: int = 4096) -> str:
    value = part.get(name)
    return value[:longest] if isinstance(value, str) else ""


def _launch(claims: Mapping[str, Any], platform: Platform) -> Launch:
    """Return what was checked, as plain data; of what is optional, whatever has the right shape."""
    roles = tuple(claims[names.ROLES])
    context, resource = _part(claims, names.CONTEXT), _part(claims, names.RESOURCE)
    grades, members = _part(claims, names.AGS_ENDPOINT), _part(claims, names.NRPS_SERVICE)
    scopes = grades.get("scope")
    custom = {key: value for key, value in _part(claims, names.CUSTOM).items() if isinstance(value, str)}
    return Launch(
        message=claims[names.MESSAGE_TYPE],
        platform=platform.key,
        deployment=claims[names.DEPLOYMENT_ID],
        user=claims["sub"],
        role=role_in(roles),
        roles=roles,
        name=_text(claims, "name", LONGEST_ID),
        given_name=_text(claims, "given_name", LONGEST_ID),
        family_name=_text(claims, "family_name", LONGEST_ID),
        email=_text(claims, "email", LONGEST_ID),
        person=_text(_part(claims, names.LIS), "person_sourcedid", LONGEST_ID),
        context=_text(context, "id", LONGEST_ID),
        context_title=_text(context, "title", LONGEST_ID),
        resource=_text(resource, "id", LONGEST_ID),
        resource_title=_text(resource, "title", LONGEST_ID),
        target=claims[names.TARGET_LINK_URI],
        custom=custom,
        line_item=_address(grades, "lineitem", platform),
        line_items=_address(grades, "lineitems", platform),
        scopes=tuple(scope for scope in scopes if isinstance(scope, str)) if isinstance(scopes, list) else (),
        members=_address(members, "context_memberships_url", platform),
        return_url=_address(_part(claims, names.PRESENTATION), "return_url", platform),
        deep_linking=_settings(claims, platform),
    )


def _address(part: Mapping[str, Any], name: str, platform: Platform) -> str:
    """Return an address of the platform's to which a token may be sent; empty if it is none."""
    address = _text(part, name)
    return address if platform.may_call(address) else ""


def _settings(claims: Mapping[str, Any], platform: Platform) -> Settings | None:
    if claims[names.MESSAGE_TYPE] != names.DEEP_LINKING:
        return None
    part = _part(claims, names.DL_SETTINGS)
    accepted = part.get("accept_types")
    if not isinstance(accepted, list) or "ltiResourceLink" not in accepted:
        raise LtiError("The platform takes no links to this tool here (accept_types).")
    if not (address := _address(part, "deep_link_return_url", platform)):
        raise LtiError("The platform does not say where the choice goes (deep_link_return_url).")
    return Settings(address, _text(part, "data", MOST_BYTES), part.get("accept_multiple") is True)
