"""A learning management system for tests, which checks the tool against 1EdTech's specifications.

It is written on PyJWT, while the tool is written on joserfc: what one library does wrong, the other one sees. Whatever
the tool sends that the specifications do not allow is answered with 400 and noted in `problems`.

Security framework 1.0 (messages 5.1, tokens 4.1), LTI 1.3, Deep Linking 2.0, NRPS 2.0, AGS 2.0.
"""

import contextlib
import html
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
SCOPES = {
    f"{AGS}scope/lineitem",
    f"{AGS}scope/score",
    f"{AGS}scope/result.readonly",
    f"{NRPS}scope/contextmembership.readonly",
}
MEMBERS_A_PAGE = 2
_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,}(Z|[+-]\d\d:\d\d)")


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, kind)


class ProtocolError(Exception):
    """The tool does something that a specification does not allow."""


def must(right: object, problem: str) -> None:
    if not right:
        raise ProtocolError(problem)


class TestPlatform:
    """A platform with one course, one registered tool and one column of grades."""

    __test__ = False

    def __init__(
        self,
        url: str = "https://lms.example.org",
        tool: str = "https://course.example.org",
        key: rsa.RSAPrivateKey | None = None,
    ) -> None:
        self.url, self.tool = url, tool
        self.client_id, self.deployment = "tool-1", "7"
        self.assignment = "lab1"
        """What the link in the course is about."""
        self.key, self.key_id = key or new_key(), "platform-key-1"
        self.people: dict[str, tuple[str, list[str]]] = {
            "u-ada": ("Ada Lovelace", [LEARNER]),
            "u-bo": ("Bo Diddley", [LEARNER]),
            "u-cy": ("Cy Twombly", [INSTRUCTOR]),
        }
        self.tool_keys: dict[str, Any] = {}
        """The tool's key set, once somebody has fetched it."""
        self.tokens: dict[str, set[str]] = {}
        self.items: dict[str, dict[str, Any]] = {"1": {"label": "Lab 1", "scoreMaximum": 20.0, "resourceId": "lab1"}}
        self.scores: list[dict[str, Any]] = []
        """Every score that was taken, in order."""
        self.results: dict[tuple[str, str], dict[str, Any]] = {}
        self.as_moodle = False
        """Moodle refuses a score whose timestamp, in whole seconds, is not later than that of the grade."""
        self.answers: list[int | str] = []
        """What the next scores meet instead of being taken: a status, or "lost" for one that is taken unanswered."""
        self.problems: list[str] = []
        self.logins: list[dict[str, str]] = []
        self._jtis: set[str] = set()

    @property
    def registration(self) -> dict[str, Any]:
        """What the tool is told of the platform (`c.LtiSettings.platforms`)."""
        return {
            "issuer": self.url,
            "client_id": self.client_id,
            "deployments": [self.deployment],
            "login_url": f"{self.url}/auth",
            "token_url": f"{self.url}/token",
            "keys_url": f"{self.url}/jwks",
            "name": "the test platform",
        }

    # ------------------------------------------------------------ launches

    def initiation(self, user: str, target: str = "", message: str = "resource") -> dict[str, str]:
        """What begins a launch at the tool's login address."""
        return {
            "iss": self.url,
            "client_id": self.client_id,
            "login_hint": user,
            "lti_message_hint": message,
            "lti_deployment_id": self.deployment,
            "target_link_uri": target or f"{self.tool}/a/{self.assignment}",
        }

    def check_request(self, asked: Mapping[str, str]) -> None:
        """Check an authentication request (security framework, 5.1.1.2)."""
        wanted = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": self.client_id,
            "redirect_uri": f"{self.tool}/lti/launch",
        }
        for name, value in wanted.items():
            must(asked.get(name) == value, f"{name} is {asked.get(name)!r}")
        must(asked.get("login_hint") in self.people, "the login hint is not the one that was sent")
        must(asked.get("lti_message_hint"), "the message hint is not sent back")
        for name in ("state", "nonce"):
            must(len(asked.get(name, "")) >= 22, f"{name} is shorter than 128 bits")
        must(asked["state"] != asked["nonce"], "state and nonce are the same")
        for before in self.logins:
            must(
                asked["nonce"] != before["nonce"] and asked["state"] != before["state"], "state or nonce is used again"
            )
        self.logins.append(dict(asked))

    def claims(self, user: str, nonce: str, message: str = "resource", target: str = "") -> dict[str, Any]:
        """Claims of a launch of a user."""
        name, roles = self.people[user]
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": [self.client_id],
            "sub": user,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": name,
            "given_name": name.split()[0],
            "family_name": name.split()[-1],
            "email": f"{user}@example.org",
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": self.deployment,
            f"{CLAIM}target_link_uri": target or f"{self.tool}/a/{self.assignment}",
            f"{CLAIM}roles": roles,
            f"{CLAIM}context": {"id": "course-5", "title": "Detection"},
            f"{CLAIM}lis": {"person_sourcedid": user.removeprefix("u-")},
            f"{NRPS}claim/namesroleservice": {
                "context_memberships_url": f"{self.url}/members",
                "service_versions": ["2.0"],
            },
            f"{AGS}claim/endpoint": {
                "scope": sorted(scope for scope in SCOPES if scope.startswith(AGS)),
                "lineitems": f"{self.url}/lineitems",
                "lineitem": f"{self.url}/lineitems/1/lineitem?type_id=2",
            },
        }
        if message == "deep":
            return claims | {
                f"{CLAIM}message_type": "LtiDeepLinkingRequest",
                "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings": {
                    "deep_link_return_url": f"{self.url}/deep-links",
                    "accept_types": ["ltiResourceLink"],
                    "accept_presentation_document_targets": ["iframe"],
                    "data": "opaque-data",
                },
            }
        return claims | {
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}resource_link": {"id": "link-1", "title": "Lab 1"},
            f"{CLAIM}custom": {"assignment": self.assignment},
        }

    def sign(
        self, claims: Mapping[str, Any], key: Any = None, algorithm: str | None = "RS256", key_id: str | None = ""
    ) -> str:
        """Sign claims; an empty `key_id` is the platform's own, None leaves it out."""
        headers = {} if key_id is None else {"kid": key_id or self.key_id}
        return jwt.encode(dict(claims), self.key if key is None else key, algorithm=algorithm, headers=headers)

    # ------------------------------------------------------------ the application

    def app(self) -> Starlette:
        """The platform as an application: a page with links, and all its services."""
        return Starlette(
            routes=[
                Route("/", self._front),
                Route("/auth", self._auth, methods=["GET", "POST"]),
                Route("/deep-links", self._deep_links, methods=["POST"]),
                Route("/jwks", self._jwks),
                Route("/token", self._token, methods=["POST"]),
                Route("/members", self._members),
                Route("/lineitems", self._line_items, methods=["GET", "POST"]),
                Route("/lineitems/{item}/lineitem/scores", self._scores, methods=["POST"]),
                Route("/lineitems/{item}/lineitem/results", self._results),
            ],
            exception_handlers={ProtocolError: self._noted},
        )

    def _noted(self, request: Request, error: Exception) -> Response:
        self.problems.append(f"{request.method} {request.url.path}: {error}")
        return JSONResponse({"error": "invalid_request", "error_description": str(error)}, 400)

    async def _front(self, request: Request) -> Response:
        """A link for each person, as a form that posts to the tool, in a frame where `?frame` asks for it."""
        frame = '<iframe name="tool" width="900" height="700"></iframe>' if "frame" in request.query_params else ""
        forms = "".join(
            _form(f"{self.tool}/lti/login", self.initiation(user, message=message), f"{name}: {message}", bool(frame))
            for user, (name, roles) in self.people.items()
            for message in (["resource", "deep"] if INSTRUCTOR in roles else ["resource"])
        )
        return HTMLResponse(f"<!doctype html><title>Test platform</title>{forms}{frame}")

    async def _auth(self, request: Request) -> Response:
        asked = await _said(request)
        self.check_request(asked)
        message = "deep" if asked["lti_message_hint"] == "deep" else "resource"
        token = self.sign(self.claims(asked["login_hint"], asked["nonce"], message))
        form = _form(asked["redirect_uri"], {"id_token": token, "state": asked["state"]}, "Go on", False)
        return HTMLResponse(f"<!doctype html>{form}<script>document.forms[0].submit()</script>")

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse(self.key_set())

    def key_set(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.key_id, "alg": "RS256", "use": "sig"}]}

    def _verified(self, token: str, audience: str, issuer: str) -> dict[str, Any]:
        """Return the claims of a token of the tool's."""
        head = jwt.get_unverified_header(token)
        must(head.get("alg") == "RS256", "it is not signed with RS256")
        keys = {key["kid"]: jwt.PyJWK(key) for key in self.tool_keys["keys"]}
        must(head.get("kid") in keys, "its key is not in the tool's key set")
        needed = {"require": ["iss", "aud", "iat", "exp"]}
        try:
            return jwt.decode(
                token, keys[head["kid"]].key, ["RS256"], needed, audience=audience, issuer=issuer, leeway=5
            )
        except jwt.InvalidTokenError as error:
            raise ProtocolError(f"its token is not valid: {error}") from error

    async def _token(self, request: Request) -> Response:
        """Give an access token for a signed assertion (security framework, 4.1)."""
        must(request.headers.get("content-type") == "application/x-www-form-urlencoded", "no form")
        said = await _said(request)
        must(said.get("grant_type") == "client_credentials", "another grant")
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        must(said.get("client_assertion_type") == kind, "another kind of assertion")
        claims = self._verified(said.get("client_assertion", ""), f"{self.url}/token", self.client_id)
        must(claims.get("sub") == self.client_id, "the assertion's subject is not the client")
        must(claims.get("jti") and claims["jti"] not in self._jtis, "the assertion was used before")
        must(claims["exp"] - claims["iat"] <= 3600, "the assertion holds for too long")
        self._jtis.add(claims["jti"])
        scopes = set(said.get("scope", "").split())
        must(scopes and scopes <= SCOPES, "there is no such scope")
        token = secrets.token_urlsafe()
        self.tokens[token] = scopes
        return JSONResponse(
            {"access_token": token, "token_type": "bearer", "expires_in": 3600, "scope": " ".join(sorted(scopes))}
        )

    def _allowed(self, request: Request, scope: str) -> Response | None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.tokens:
            return JSONResponse({"error": "invalid_token"}, 401)
        must(scope in self.tokens[token], f"the token is not for {scope}")
        return None

    async def _members(self, request: Request) -> Response:
        """The roster, a few at a time (NRPS 2.0)."""
        if denied := self._allowed(request, f"{NRPS}scope/contextmembership.readonly"):
            return denied
        kind = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
        must(request.headers.get("accept") == kind, "another media type is asked for")
        start = int(request.query_params.get("from", "0"))
        page = list(self.people.items())[start : start + MEMBERS_A_PAGE]
        members = [
            {
                "user_id": user,
                "status": "Active",
                "name": name,
                "email": f"{user}@example.org",
                "roles": roles,
                "lis_person_sourcedid": user.removeprefix("u-"),
            }
            for user, (name, roles) in page
        ]
        after = start + MEMBERS_A_PAGE
        link = {"Link": f'<{self.url}/members?from={after}>; rel="next"'} if after < len(self.people) else {}
        content = {"id": f"{self.url}/members", "context": {"id": "course-5"}, "members": members}
        return JSONResponse(content, headers=link, media_type=kind)

    async def _line_items(self, request: Request) -> Response:
        """Columns of the course (AGS 2.0, 3.2)."""
        if denied := self._allowed(request, f"{AGS}scope/lineitem"):
            return denied
        item_kind = "application/vnd.ims.lis.v2.lineitem+json"
        if request.method == "POST":
            must(request.headers.get("content-type") == item_kind, "another media type is sent")
            made = await request.json()
            must(made.get("label") and made.get("scoreMaximum", 0) > 0, "a column wants a label and a maximum")
            number = str(len(self.items) + 1)
            self.items[number] = made
            return JSONResponse({"id": f"{self.url}/lineitems/{number}/lineitem", **made}, 201, media_type=item_kind)
        kind = "application/vnd.ims.lis.v2.lineitemcontainer+json"
        must(request.headers.get("accept") == kind, "another media type is asked for")
        wanted = request.query_params.get("resource_id")
        listed = [
            {"id": f"{self.url}/lineitems/{number}/lineitem", **item}
            for number, item in self.items.items()
            if wanted in (None, item.get("resourceId"))
        ]
        return JSONResponse(listed, media_type=kind)

    async def _scores(self, request: Request) -> Response:
        """Take a score (AGS 2.0, 3.4)."""
        if denied := self._allowed(request, f"{AGS}scope/score"):
            return denied
        kind = "application/vnd.ims.lis.v1.score+json"
        must(request.headers.get("content-type") == kind, "another media type is sent")
        item = request.path_params["item"]
        must(item != "1" or request.query_params.get("type_id") == "2", "the query of the column's address is lost")
        score = await request.json()
        for name in ("userId", "timestamp", "activityProgress", "gradingProgress"):
            must(score.get(name), f"a score wants {name}")
        must(_WHEN.fullmatch(score["timestamp"]), "the timestamp has no part of a second, or no zone")
        must(
            score["activityProgress"] in ("Initialized", "Started", "InProgress", "Submitted", "Completed"), "progress"
        )
        must(score["gradingProgress"] == "FullyGraded", "a score that is final says so")
        must(score.get("scoreMaximum", 0) > 0 and score.get("scoreGiven", -1) >= 0, "points without a maximum")
        must(score["userId"] in self.people, "nobody has this id")
        if item not in self.items:
            return JSONResponse({"error": "no such column"}, 404)
        wanted = self.answers.pop(0) if self.answers else 0
        if isinstance(wanted, int) and wanted:
            return JSONResponse({"error": "as asked"}, wanted, headers={"Retry-After": "77"} if wanted == 429 else {})
        before = self.results.get((item, score["userId"]))
        if before is not None:
            cut = 19 if self.as_moodle else None  # whole seconds
            old, new = before["timestamp"][:cut], score["timestamp"][:cut]
            if new < old or (self.as_moodle and new == old):
                return JSONResponse({"error": "Refusing score with an earlier timestamp"}, 409)
        self.scores.append({**score, "item": item})
        maximum = float(self.items[item]["scoreMaximum"])
        scaled = score["scoreGiven"] / score["scoreMaximum"] * maximum
        self.results[item, score["userId"]] = {
            "timestamp": score["timestamp"],
            "resultScore": round(scaled, 5),
            "resultMaximum": maximum,
        }
        if wanted == "lost":
            return JSONResponse({}, 504)
        return JSONResponse({"resultUrl": f"{self.url}/lineitems/{item}/lineitem/results/{score['userId']}"})

    async def _results(self, request: Request) -> Response:
        """Grades of a column (AGS 2.0, 3.3)."""
        if denied := self._allowed(request, f"{AGS}scope/result.readonly"):
            return denied
        kind = "application/vnd.ims.lis.v2.resultcontainer+json"
        must(request.headers.get("accept") == kind, "another media type is asked for")
        wanted = request.query_params.get("user_id")
        listed = [
            {"id": f"{self.url}/r/{user}", "userId": user, **{k: v for k, v in result.items() if k != "timestamp"}}
            for (item, user), result in self.results.items()
            if item == request.path_params["item"] and wanted in (None, user)
        ]
        return JSONResponse(listed, media_type=kind)

    async def _deep_links(self, request: Request) -> Response:
        links = self.check_links((await _said(request)).get("JWT", ""))
        return HTMLResponse(f"<!doctype html><p>Linked: {html.escape(', '.join(link['title'] for link in links))}</p>")

    def check_links(self, token: str) -> list[dict[str, Any]]:
        """Check a deep linking response and return its links (Deep Linking 2.0, 4.3)."""
        claims = self._verified(token, self.url, self.client_id)
        must(claims.get("nonce"), "no nonce")
        must(claims.get(f"{CLAIM}message_type") == "LtiDeepLinkingResponse", "another message")
        must(claims.get(f"{CLAIM}version") == "1.3.0", "another version")
        must(claims.get(f"{CLAIM}deployment_id") == self.deployment, "another deployment")
        dl = "https://purl.imsglobal.org/spec/lti-dl/claim/"
        must(claims.get(f"{dl}data") == "opaque-data", "the platform's data is not sent back")
        links: list[dict[str, Any]] = claims.get(f"{dl}content_items", [])
        for link in links:
            must(link.get("type") == "ltiResourceLink", "another kind of link")
            must(link.get("url", "").startswith(f"{self.tool}/"), "a link to another host")
            must("lineItem" not in link or link["lineItem"]["scoreMaximum"] > 0, "a column without a maximum")
        return links


async def _said(request: Request) -> dict[str, str]:
    text = (await request.body()).decode() if request.method == "POST" else request.url.query
    return dict(parse_qsl(text, keep_blank_values=True))


def _form(action: str, values: Mapping[str, str], label: str, framed: bool) -> str:
    hidden = "".join(f'<input type="hidden" name="{k}" value="{html.escape(v)}">' for k, v in values.items())
    target = ' target="tool"' if framed else ""
    button = f"<button>{html.escape(label)}</button>"
    return f'<form method="post" action="{html.escape(action)}"{target}>{hidden}{button}</form>'


def query_of(address: str) -> dict[str, str]:
    """Return what an address asks."""
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def encoded(values: Mapping[str, str]) -> str:
    """Return values as a form sends them."""
    return urlencode(values)


@contextlib.contextmanager
def standing(platform: TestPlatform, port: int) -> Iterator[None]:
    """The platform, at a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(platform.app(), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield
    server.should_exit = True
    thread.join()
