"""systemd's unit, as docs/service.md has it, fits the text around it and leaves sandboxes what they need."""

import re
from configparser import ConfigParser

import pytest
from notebooks import ROOT

TEXT = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
KNOWN = {
    "Unit": {"Description", "After"},
    "Service": {
        *("User", "WorkingDirectory", "ExecStart", "Restart", "RestartSec", "KillMode", "TimeoutStopSec", "Delegate"),
        *("UMask", "NoNewPrivileges", "CapabilityBoundingSet", "ProtectSystem", "ReadWritePaths", "ProtectHome"),
        *("PrivateTmp", "ProtectKernelModules", "RestrictAddressFamilies", "RestrictRealtime", "RestrictSUIDSGID"),
        *("LockPersonality", "SystemCallArchitectures"),
    },
    "Install": {"WantedBy"},
}
"""What systemd 252 was seen to understand, and bubblewrap to work under."""


@pytest.fixture
def unit() -> ConfigParser:
    found = re.search(r"```ini\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    parsed = ConfigParser(interpolation=None, comment_prefixes=("#",), delimiters=("=",))
    # Names in capitals stay so, as configparser's documentation does it.
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(found[1])
    return parsed


def test_settings_are_those_that_were_tried(unit: ConfigParser) -> None:
    assert {name: set(unit[name]) for name in unit.sections()} == KNOWN


def test_paths_user_and_port_agree_with_the_text(unit: ConfigParser) -> None:
    service = unit["Service"]
    folder = service["WorkingDirectory"]
    assert service["ReadWritePaths"] == folder
    assert f"`{folder}`, owned by a user `{service['User']}`" in TEXT
    program, command, *asked = service["ExecStart"].split()
    assert (program, command) == (f"{folder}/.venv/bin/course", "serve")
    assert f"proxy_pass http://127.0.0.1:{asked[asked.index('--port') + 1]};" in TEXT


def test_bubblewrap_can_set_up_the_loopback_and_speak_to_kernels(unit: ConfigParser) -> None:
    assert {"AF_NETLINK", "AF_UNIX"} <= set(unit["Service"]["RestrictAddressFamilies"].split())
