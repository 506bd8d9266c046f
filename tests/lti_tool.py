"""The tool, registered with a test platform: a browser, a database, and what it made of launches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from lti_platform import TestPlatform, query_of
from sqlalchemy import Connection, create_engine, event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from traitlets.config import Config

from grading.lti.calls import Caller
from grading.lti.deep_linking import Item
from grading.lti.launch import Launch
from grading.lti.platforms import Platform
from grading.lti.settings import open_lti
from grading.lti.web import Lti, routes

TOOL = "https://course.example.org"
ITEMS = [Item("lab1", "Lab 1", f"{TOOL}/a/lab1", 20.0), Item("survey", "Survey <b>", f"{TOOL}/a/survey")]


class Database:
    """SQLite in a file, as the service has it."""

    def __init__(self, path: Path) -> None:
        self.engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        event.listen(self.engine, "connect", lambda opened, _: opened.execute("PRAGMA synchronous = OFF"))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    reading = writing


@dataclass
class Tool:
    """The tool, its browser, and what it made of launches."""

    lti: Lti
    platform: TestPlatform
    http: httpx.AsyncClient
    database: Database
    browser: TestClient
    launches: list[Launch]

    @property
    def registered(self) -> Platform:
        return self.lti.platforms[0]

    @property
    def caller(self) -> Caller:
        return Caller(self.http, self.lti.key)

    def another_browser(self) -> TestClient:
        return TestClient(self.browser.app, base_url=TOOL, follow_redirects=False)

    def begin(self, browser: TestClient | None = None, **given: str) -> dict[str, str]:
        """Begin a launch of Ada's; return what the platform is asked, which it checks."""
        answer = (browser or self.browser).post("/lti/login", data={**self.platform.initiation("u-ada"), **given})
        assert answer.status_code == 302, answer.text
        asked = query_of(answer.headers["location"])
        self.platform.check_request(asked)
        return asked

    def claims(self, asked: dict[str, str], **changed: Any) -> dict[str, Any]:
        """Claims of Ada's launch, with changes; None leaves one out."""
        message = "deep" if asked["lti_message_hint"] == "deep" else "resource"
        claims = {**self.platform.claims(asked["login_hint"], asked["nonce"], message), **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def launch(
        self, asked: dict[str, str], token: str, browser: TestClient | None = None, **more: str
    ) -> httpx.Response:
        """Send a launch as the platform's form does."""
        form = {"id_token": token, "state": asked["state"]}
        return (browser or self.browser).post("/lti/launch", data=form, headers={"Origin": self.platform.url})


def make_tool(folder: Path, platform: TestPlatform) -> Tool:
    """Register the tool with a platform, and start both."""
    http = httpx.AsyncClient(transport=httpx.ASGITransport(platform.app()), timeout=5)
    database = Database(folder / "service.db")
    config = Config({"LtiSettings": {"platforms": [platform.registration]}})
    lti = open_lti(config, TOOL, folder, database, http)
    assert lti is not None
    launches: list[Launch] = []

    def established(request: Request, launch: Launch) -> Response:
        launches.append(launch)
        return PlainTextResponse(f"hello {launch.name}")

    app = Starlette(routes=routes(lti, established, lambda launch: ITEMS))
    browser = TestClient(app, base_url=TOOL, follow_redirects=False)
    platform.tool_keys = browser.get("/lti/jwks.json").json()
    return Tool(lti, platform, http, database, browser, launches)
