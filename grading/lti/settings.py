"""Settings of `nbgrader_config.py` for LTI, and everything that a service needs, put together."""

import os
from functools import partial
from pathlib import Path

import httpx
from traitlets import Dict, List, Unicode
from traitlets.config import Config, Configurable

from grading.lti.calls import fetch_json
from grading.lti.keys import PlatformKeys, ToolKey
from grading.lti.login import Tool
from grading.lti.platforms import read_platforms
from grading.lti.stores import Choices, DatabaseLogins
from grading.lti.tables import Transactions, prepare
from grading.lti.web import Lti

KEY_VARIABLE = "COURSE_LTI_KEY_FILE"
"""In the environment: the file with the tool's private key."""
KEY_FILE = "lti-key.pem"


class LtiSettings(Configurable):
    """Configuration of LTI, `c.LtiSettings`."""

    platforms = List(
        Dict(),
        help="Registered platforms: issuer, client_id, deployments, login_url, token_url, keys_url (docs/lti.md).",
    ).tag(config=True)
    key_file = Unicode(
        "",
        help=f"File of the tool's private key; {KEY_VARIABLE} comes first. By default one is made beside the database.",
    ).tag(config=True)


def open_lti(config: Config, url: str, folder: Path, database: Transactions, http: httpx.AsyncClient) -> Lti | None:
    """Return what the routes need; None where no platform is registered.

    `url` is where the service is reached, `folder` where its secrets are kept. Raises GradingError for settings that
    are wrong.
    """
    settings = LtiSettings(config=config)
    platforms = read_platforms(settings.platforms)
    if not platforms:
        return None
    named = os.environ.get(KEY_VARIABLE) or settings.key_file
    key = ToolKey.read(Path(named)) if named else ToolKey.read_or_make(folder / KEY_FILE)
    prepare(database)
    keys = PlatformKeys(partial(fetch_json, http))
    return Lti(Tool(url), key, platforms, DatabaseLogins(database), Choices(database), keys)
