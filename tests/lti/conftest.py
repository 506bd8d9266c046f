"""A test platform and the tool, registered with each other."""

from pathlib import Path

import pytest
from lti_platform import TestPlatform
from lti_tool import Tool, make_tool

from grading.lti import settings
from grading.lti.keys import ToolKey
from grading.lti.settings import KEY_FILE


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[TestPlatform, ToolKey]:
    """A platform's key and a tool's: they take a while to make and to read, so all tests have the same."""
    return TestPlatform(), ToolKey.read_or_make(tmp_path_factory.mktemp("key") / KEY_FILE)


@pytest.fixture
def tool(tmp_path: Path, keys: tuple[TestPlatform, ToolKey], monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.setattr(settings.ToolKey, "read_or_make", lambda path: keys[1])
    return make_tool(tmp_path, TestPlatform(key=keys[0].key))
