"""A good launch comes in; every bad one is refused in words, and nothing of it is believed."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import pytest
from lti_platform import CLAIM, INSTRUCTOR, LEARNER, new_key, public_pem
from lti_tool import Tool

from grading.lti.claims import Role, role_in
from grading.lti.launch import Launch

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"


def refused(answer: httpx.Response, said: str) -> None:
    """Check that a launch was refused with a page that says why."""
    assert answer.status_code == 403, answer.text
    assert said in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_launch_says_who_comes_from_where_and_what_the_platform_offers(tool: Tool) -> None:
    asked = tool.begin()
    answer = tool.launch(asked, tool.platform.sign(tool.claims(asked)))
    assert (answer.status_code, answer.text) == (200, "hello Ada Lovelace")
    (launch,) = tool.launches
    assert (launch.user, launch.role, launch.person) == ("u-ada", Role.student, "ada")
    assert (launch.context, launch.resource, launch.custom) == ("course-5", "link-1", {"assignment": "lab1"})
    assert launch.line_item == "https://lms.example.org/lineitems/1/lineitem?type_id=2"
    assert launch.members == "https://lms.example.org/members"
    assert Launch.from_json(launch.to_json()) == launch
    assert not tool.platform.problems


def test_login_may_be_begun_by_an_address_and_without_what_is_optional(tool: Tool) -> None:
    given = {name: tool.platform.initiation("u-ada")[name] for name in ("iss", "login_hint", "lti_message_hint")}
    answer = tool.browser.get("/lti/login", params=given)
    assert answer.headers["location"].startswith("https://lms.example.org/auth?scope=openid&")


def test_cookie_of_a_login_works_in_a_frame_and_is_kept_for_this_host_alone(tool: Tool) -> None:
    answer = tool.browser.post("/lti/login", data=tool.platform.initiation("u-ada"))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-lti-")
    for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/", "Max-Age=600"):
        assert part in cookie.split("; ")
    secret = cookie.partition("=")[2].partition(";")[0]
    assert secret not in answer.headers["location"]


def test_several_launches_of_one_browser_may_be_under_way(tool: Tool) -> None:
    first, second = tool.begin(), tool.begin()
    for asked in (second, first):
        assert tool.launch(asked, tool.platform.sign(tool.claims(asked))).status_code == 200


# ------------------------------------------------------------ claims that are wrong

NOW = int(time.time())
BAD_CLAIMS: list[tuple[str, dict[str, Any], str]] = [
    ("wrong issuer", {"iss": "https://evil.example.org"}, "another platform"),
    ("no issuer", {"iss": None}, "another platform"),
    ("wrong audience", {"aud": "tool-2"}, "meant for another tool"),
    ("several audiences", {"aud": ["tool-1", "tool-2"], "azp": "tool-1"}, "meant for another tool, or for others"),
    ("no audience", {"aud": None}, "meant for another tool"),
    ("empty audience", {"aud": []}, "meant for another tool"),
    ("wrong azp", {"azp": "tool-2"}, "made for another tool"),
    ("expired", {"exp": NOW - 120}, "has expired"),
    ("no end", {"exp": None}, "until when it holds (exp)"),
    ("end that is no number", {"exp": "2099-01-01"}, "until when it holds (exp)"),
    ("end that is no number at all", {"exp": float("nan")}, "has expired"),
    ("end of another kind", {"exp": True}, "until when it holds (exp)"),
    ("from the future", {"iat": NOW + 3600, "exp": NOW + 7200}, "comes from the future"),
    ("not valid yet", {"nbf": NOW + 3600}, "comes from the future"),
    ("too old", {"iat": NOW - 7200}, "too old"),
    ("no beginning", {"iat": None}, "when it was made"),
    ("another nonce", {"nonce": "n" * 43}, "another request than ours (nonce)"),
    ("no nonce", {"nonce": None}, "another request than ours (nonce)"),
    ("nonce that is no text", {"nonce": 5}, "another request than ours (nonce)"),
    ("wrong version", {f"{CLAIM}version": "1.1.0"}, "not one of LTI 1.3.0"),
    ("no version", {f"{CLAIM}version": None}, "not one of LTI 1.3.0"),
    ("wrong message", {f"{CLAIM}message_type": "LtiStartProctoring"}, "launches of the kind &#x27;LtiStartProctoring"),
    ("no message", {f"{CLAIM}message_type": None}, "does not know launches of the kind"),
    ("other deployment", {f"{CLAIM}deployment_id": "8"}, "not registered for the place"),
    ("no deployment", {f"{CLAIM}deployment_id": None}, "not registered for the place"),
    ("deployment that is no text", {f"{CLAIM}deployment_id": ["7"]}, "not registered for the place"),
    ("link to another host", {f"{CLAIM}target_link_uri": "https://evil.example.org/a"}, "another address than this"),
    (
        "link with a user",
        {f"{CLAIM}target_link_uri": "https://course.example.org@evil.org/"},
        "another address",
    ),
    ("link with a suffix", {f"{CLAIM}target_link_uri": "https://course.example.org.evil.org/"}, "another address"),
    ("link without TLS", {f"{CLAIM}target_link_uri": "http://course.example.org/a"}, "another address"),
    ("link with a backslash", {f"{CLAIM}target_link_uri": "https://course.example.org\\@evil.org"}, "another address"),
    ("link to a port", {f"{CLAIM}target_link_uri": "https://course.example.org:8443/"}, "another address"),
    ("script as link", {f"{CLAIM}target_link_uri": "javascript:alert(1)"}, "another address"),
    ("no link", {f"{CLAIM}target_link_uri": None}, "another address"),
    ("nobody", {"sub": None}, "does not say who you are"),
    ("empty id", {"sub": ""}, "does not say who you are"),
    ("id that is too long", {"sub": "x" * 256}, "does not say who you are"),
    ("id with a line break", {"sub": "ada\nbo"}, "does not say who you are"),
    ("no roles", {f"{CLAIM}roles": None}, "what you are in the course"),
    ("roles that are one text", {f"{CLAIM}roles": INSTRUCTOR}, "what you are in the course"),
    ("no resource", {f"{CLAIM}resource_link": None}, "which link was opened"),
    ("resource without an id", {f"{CLAIM}resource_link": {"title": "Lab 1"}}, "which link was opened"),
]


@pytest.mark.parametrize(("changed", "said"), [case[1:] for case in BAD_CLAIMS], ids=[case[0] for case in BAD_CLAIMS])
def test_signed_launch_with_a_wrong_claim_is_refused(tool: Tool, changed: dict[str, Any], said: str) -> None:
    asked = tool.begin()
    refused(tool.launch(asked, tool.platform.sign(tool.claims(asked, **changed))), said)
    assert tool.launches == []


# ------------------------------------------------------------ signatures that are wrong


def edited(token: str, **changed: Any) -> str:
    """Change claims of a token and keep its signature."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    text = base64.urlsafe_b64encode(json.dumps({**claims, **changed}).encode()).rstrip(b"=").decode()
    return f"{head}.{text}.{signature}"


def by_hand(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, signature])


def signed_with_the_public_key(tool: Tool, claims: dict[str, Any]) -> str:
    """HS256, with the platform's public key as the secret: PyJWT will not do it, so HMAC is made by hand."""
    head = by_hand({"alg": "HS256", "typ": "JWT", "kid": tool.platform.key_id}, claims).rpartition(".")[0]
    made = hmac.new(public_pem(tool.platform.key), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


OTHER = new_key()
BAD_TOKENS: dict[str, tuple[Callable[[Tool, dict[str, Any]], str], str]] = {
    "unknown key": (
        lambda tool, claims: tool.platform.sign(claims, OTHER, key_id="key-9"),
        "a key that the test platform",
    ),
    "another key of the same name": (lambda tool, claims: tool.platform.sign(claims, OTHER), "is not that of the test"),
    "no key": (lambda tool, claims: tool.platform.sign(claims, key_id=None), "with which key it is signed"),
    "the tool's own key": (
        lambda tool, claims: tool.lti.key.sign(claims),
        "a key that the test platform does not have",
    ),
    "alg none": (lambda tool, claims: jwt.encode(claims, None, algorithm="none"), "not &#x27;none&#x27;"),
    "alg None": (lambda tool, claims: by_hand({"alg": "nOnE", "kid": tool.platform.key_id}, claims), "not &#x27;nOnE"),
    "alg none, said to be RS256": (
        lambda tool, claims: by_hand({"alg": "RS256", "kid": tool.platform.key_id}, claims),
        "is not that of the test platform",
    ),
    "no alg": (lambda tool, claims: by_hand({"kid": tool.platform.key_id}, claims), "not &#x27;None&#x27;"),
    "HS256 with the public key": (signed_with_the_public_key, "not &#x27;HS256&#x27;"),
    "RS512": (lambda tool, claims: tool.platform.sign(claims, algorithm="RS512"), "not &#x27;RS512&#x27;"),
    "roles forged": (
        lambda tool, claims: edited(tool.platform.sign(claims), **{f"{CLAIM}roles": [INSTRUCTOR]}),
        "is not that of the test platform",
    ),
    "person forged": (lambda tool, claims: edited(tool.platform.sign(claims), sub="u-bo"), "is not that of the test"),
    "signature cut": (lambda tool, claims: tool.platform.sign(claims)[:-8], "is not that of the test platform"),
    "signature gone": (lambda tool, claims: tool.platform.sign(claims).rpartition(".")[0], "no signed token"),
    "key brought along": (
        lambda tool, claims: jwt.encode(
            claims,
            OTHER,
            algorithm="RS256",
            headers={
                "kid": tool.platform.key_id,
                "jwk": jwt.algorithms.RSAAlgorithm.to_jwk(OTHER.public_key(), as_dict=True),
                "jku": "https://evil.example.org/jwks",
            },
        ),
        "is not that of the test platform",
    ),
    "critical header": (
        lambda tool, claims: jwt.encode(
            claims, tool.platform.key, algorithm="RS256", headers={"kid": tool.platform.key_id, "crit": ["x"], "x": 1}
        ),
        "is not that of the test platform",
    ),
    "no token": (lambda tool, claims: "", "no token"),
    "rubbish": (lambda tool, claims: "a.b.c", "no signed token"),
    "header that nests": (lambda tool, claims: by_hand({"a": 1}, {}).replace(".", "W1tb."), "no signed token"),
    "large token": (lambda tool, claims: "a" * 70_000, "too large"),
    "list instead of claims": (
        lambda tool, claims: jwt.api_jws.encode(b"[1]", tool.platform.key, "RS256", {"kid": tool.platform.key_id}),
        "is not that of the test platform",
    ),
}


@pytest.mark.parametrize("case", BAD_TOKENS)
def test_token_that_the_platform_has_not_signed_so_is_refused(tool: Tool, case: str) -> None:
    make, said = BAD_TOKENS[case]
    asked = tool.begin()
    refused(tool.launch(asked, make(tool, tool.claims(asked))), said)
    assert tool.launches == []


# ------------------------------------------------------------ state, nonce and browser


def test_launch_works_once(tool: Tool) -> None:
    asked = tool.begin()
    token = tool.platform.sign(tool.claims(asked))
    cookies = dict(tool.browser.cookies)
    assert tool.launch(asked, token).status_code == 200
    tool.browser.cookies.update(cookies)  # the page took it away
    refused(tool.launch(asked, token), "was used before")


def test_token_is_refused_with_the_state_of_another_login_of_the_same_browser(tool: Tool) -> None:
    first, second = tool.begin(), tool.begin()
    refused(tool.launch({**second, "state": first["state"]}, tool.platform.sign(tool.claims(second))), "(nonce)")


def test_nonce_is_used_once_even_under_two_launches_at_the_same_moment(tool: Tool) -> None:
    asked = tool.begin()
    token = tool.platform.sign(tool.claims(asked))
    browsers = [tool.another_browser() for _ in range(4)]
    for browser in browsers:
        browser.cookies.update(tool.browser.cookies)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda browser: tool.launch(asked, token, browser).status_code, browsers))
    assert sorted(answers) == [200, 403, 403, 403]
    assert len(tool.launches) == 1


def test_state_of_another_browser_is_refused_and_stays_good_for_its_own(tool: Tool) -> None:
    asked = tool.begin()
    token = tool.platform.sign(tool.claims(asked))
    other = tool.another_browser()
    refused(tool.launch(asked, token, other), "did not bring back the cookie")
    tool.begin(other)
    (name,) = tool.browser.cookies
    other.cookies.set(name, next(iter(other.cookies.values())))
    refused(tool.launch(asked, token, other), "Another browser began this launch")
    assert tool.launch(asked, token).status_code == 200


def test_launch_that_nobody_began_is_refused(tool: Tool) -> None:
    asked = tool.begin()
    token = tool.platform.sign(tool.claims(asked))
    refused(tool.launch({**asked, "state": "s" * 43}, token), "Nobody began this launch")
    refused(tool.launch({**asked, "state": ""}, token), "has no state")


def test_login_that_took_too_long_is_refused(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tool.begin()
    token = tool.platform.sign(tool.claims(asked))
    with tool.database.writing() as connection:
        connection.exec_driver_sql("UPDATE lti_logins SET expires = 1")
    refused(tool.launch(asked, token), "took too long")


def test_deployment_of_the_beginning_is_that_of_the_end(tool: Tool) -> None:
    registered = tool.registered
    object.__setattr__(registered, "deployments", frozenset({"7", "8"}))
    asked = tool.begin(lti_deployment_id="8")
    refused(tool.launch(asked, tool.platform.sign(tool.claims(asked))), "another place in the platform")


def test_refusal_of_the_platform_is_said_without_its_markup(tool: Tool) -> None:
    asked = tool.begin()
    form = {"state": asked["state"], "error": "access_denied", "error_description": "<script>no</script>"}
    refused(tool.browser.post("/lti/launch", data=form), "refused the launch: &lt;script&gt;no")


# ------------------------------------------------------------ logins that are wrong


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"iss": "https://evil.example.org"}, "is not registered with this course"),
        ({"iss": ""}, "did not say iss"),
        ({"login_hint": ""}, "did not say login_hint"),
        ({"client_id": "tool-2"}, "is not registered with this course"),
        ({"lti_deployment_id": "8"}, "not registered for the place"),
        ({"target_link_uri": "https://evil.example.org/"}, "leads to another address"),
        ({"login_hint": "x" * 5000}, "too long"),
    ],
)
def test_login_that_cannot_be_answered_is_refused(tool: Tool, changed: dict[str, str], said: str) -> None:
    answer = tool.browser.post("/lti/login", data={**tool.platform.initiation("u-ada"), **changed})
    refused(answer, said)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/json", b"{}", "takes forms only"),
        ("multipart/form-data; boundary=x", b"--x--", "takes forms only"),
        ("application/x-www-form-urlencoded", b"a=" + b"b" * 300_000, "more than a launch may hold"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(200)), "more than a launch"),
        ("application/x-www-form-urlencoded", b"state=1&state=2", "same parameter twice"),
    ],
)
def test_form_of_another_kind_or_size_is_refused_before_it_is_read(
    tool: Tool, kind: str, body: bytes, said: str
) -> None:
    for path in ("/lti/login", "/lti/launch", "/lti/choose"):
        refused(tool.browser.post(path, content=body, headers={"Content-Type": kind}), said)


# ------------------------------------------------------------ keys and roles


def test_platform_may_change_its_key_and_is_not_asked_at_every_forged_one(tool: Tool) -> None:
    keys, now, fetched = tool.lti.platform_keys, [0.0], []
    fetch = keys._fetch

    async def counted(url: str) -> Any:
        fetched.append(url)
        return await fetch(url)

    keys._fetch, keys._clock = counted, lambda: now[0]

    def status() -> int:
        asked = tool.begin()
        return tool.launch(asked, tool.platform.sign(tool.claims(asked))).status_code

    assert [status(), status(), len(fetched)] == [200, 200, 1]
    tool.platform.key, tool.platform.key_id = OTHER, "platform-key-2"
    assert [status(), status(), len(fetched)] == [403, 403, 1]  # asked a moment ago
    now[0] = 61.0
    assert [status(), len(fetched)] == [200, 2]


def test_keys_that_cannot_be_had_are_said(tool: Tool) -> None:
    object.__setattr__(tool.registered, "keys_url", "https://lms.example.org/nothing-here")
    asked = tool.begin()
    refused(tool.launch(asked, tool.platform.sign(tool.claims(asked))), "keys cannot be had (status 404)")


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ([LEARNER], Role.student),
        (["Learner"], Role.student),
        ([INSTRUCTOR, LEARNER], Role.instructor),
        ([INSTRUCTOR, f"{MEMBERSHIP}/Instructor#TeachingAssistant"], Role.assistant),
        ([f"{MEMBERSHIP}/instructor#TeachingAssistant".upper()], Role.assistant),
        (["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"], None),
        (["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"], None),
        ([f"{MEMBERSHIP}#Administrator"], None),
        ([f"{MEMBERSHIP}#Instructor2", "xInstructor"], None),
        ([], None),
    ],
)
def test_only_roles_in_the_course_count_and_of_two_that_teach_the_smaller(roles: list[str], role: Role | None) -> None:
    assert role_in(roles) is role
