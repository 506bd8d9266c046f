"""The first step of a launch: the platform says that somebody comes, and is asked who."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from grading.lti.platforms import LtiError, Platform, find_platform, origin_of
from grading.lti.stores import Login, Logins, hashed, new_secret

LOGIN_SECONDS = 600.0
"""Within these the platform must have answered."""
LONGEST = 4096
"""Characters of a hint."""


@dataclass(frozen=True)
class Tool:
    """Addresses of the tool, as they are registered with platforms."""

    url: str
    """Where the service is, without a path."""
    prefix: str = "/lti"

    @property
    def login_url(self) -> str:
        """Return the address at which platforms begin."""
        return f"{self.url}{self.prefix}/login"

    @property
    def launch_url(self) -> str:
        """Return the address to which platforms send launches, the only one."""
        return f"{self.url}{self.prefix}/launch"

    @property
    def keys_url(self) -> str:
        """Return the address of the tool's public keys."""
        return f"{self.url}{self.prefix}/jwks.json"

    def owns(self, url: str) -> bool:
        """Return whether an address is one of the tool's."""
        try:
            return origin_of(url) == origin_of(self.url) and "\\" not in url
        except ValueError:
            return False


@dataclass(frozen=True)
class Begun:
    """A login that was begun: where the browser goes, and what it keeps until it comes back."""

    address: str
    state: str
    browser: str
    """The secret of the cookie: a launch with this state is taken from this browser alone."""


def begin(tool: Tool, platforms: Iterable[Platform], logins: Logins, given: Mapping[str, str], now: float) -> Begun:
    """Begin a login with what the platform sent. Raises LtiError where that cannot be answered."""
    for name in ("iss", "login_hint"):
        if not given.get(name):
            raise LtiError(
                f"The platform did not say {name}: open the link in the course again, or tell the instructor."
            )
    if any(len(value) > LONGEST for value in given.values()):
        raise LtiError("The platform sent a parameter that is too long.")
    if (target := given.get("target_link_uri")) and not tool.owns(target):
        raise LtiError("The link in the course leads to another address than this one: tell the instructor.")
    platform = find_platform(platforms, given["iss"], given.get("client_id", ""))
    deployment = given.get("lti_deployment_id") or given.get("deployment_id") or ""  # Canvas sends the short name
    if deployment and deployment not in platform.deployments:
        raise LtiError(f"This tool is not registered for the place in {platform.shown} from which it was opened.")
    state, nonce, browser = new_secret(), new_secret(), new_secret()
    login = Login(hashed(state), hashed(browser), hashed(nonce), platform.key, deployment, now + LOGIN_SECONDS)
    logins.add(login, now)
    asked = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": tool.launch_url,
        "login_hint": given["login_hint"],
        "state": state,
        "nonce": nonce,
    }
    if "lti_message_hint" in given:
        asked["lti_message_hint"] = given["lti_message_hint"]
    joint = "&" if "?" in platform.login_url else "?"
    return Begun(f"{platform.login_url}{joint}{urlencode(asked)}", state, browser)
