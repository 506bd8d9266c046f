"""The platform's services as the specifications have them: tokens, roster, columns, scores, results, links."""

import asyncio
import stat
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from lti_tool import TOOL, Tool

from grading.errors import GradingError
from grading.lti import services
from grading.lti.calls import Caller, DeniedError, UnreachableError, client, fetch_json
from grading.lti.claims import SCOPE_MEMBERS, SCOPE_SCORE, Role
from grading.lti.keys import ToolKey
from grading.lti.launch import Launch
from grading.lti.platforms import LtiError, Platform, is_safe, origin_of, read_platforms
from grading.lti.services import LineItem, PlatformResult, below, with_query

T = TypeVar("T")
COLUMN = "https://lms.example.org/lineitems/1/lineitem?type_id=2"


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


def test_roster_is_read_page_by_page(tool: Tool) -> None:
    members = run(services.roster(tool.caller, tool.registered, "https://lms.example.org/members"))
    assert [(one.user, one.role, one.person) for one in members] == [
        ("u-ada", Role.student, "ada"),
        ("u-bo", Role.student, "bo"),
        ("u-cy", Role.instructor, "cy"),
    ]
    assert not tool.platform.problems


def test_column_of_an_assignment_is_made_once(tool: Tool) -> None:
    async def twice() -> list[LineItem]:
        return [
            await services.make_line_item(
                tool.caller, tool.registered, "https://lms.example.org/lineitems", "Lab 2", 10.0, "lab2"
            )
            for _ in range(2)
        ]

    first, second = run(twice())
    assert first == second == LineItem("https://lms.example.org/lineitems/2/lineitem", "Lab 2", 10.0, "lab2")
    assert len(tool.platform.items) == 2


def test_score_is_taken_and_comes_back_as_a_result_on_the_columns_scale(tool: Tool) -> None:
    async def there_and_back() -> dict[str, PlatformResult]:
        reply = await services.send_score(tool.caller, tool.registered, COLUMN, "u-ada", 8.5, 10.0, 1_700_000_000.25)
        assert reply.good, reply.text
        return await services.results(tool.caller, tool.registered, COLUMN, "u-ada")

    assert run(there_and_back()) == {"u-ada": PlatformResult("u-ada", 17.0, 20.0)}
    (score,) = tool.platform.scores
    assert score["timestamp"] == "2023-11-14T22:13:20.250Z"
    assert "comment" not in score  # Canvas would add it again with every try
    assert score["https://canvas.instructure.com/lti/submission"] == {"new_submission": False}
    assert not tool.platform.problems


def test_token_is_kept_for_its_scope_and_asked_anew_once_it_is_not_taken(tool: Tool) -> None:
    caller = tool.caller

    async def statuses() -> list[int]:
        found = []
        for _ in range(2):
            found.append((await services.send_score(caller, tool.registered, COLUMN, "u-ada", 1, 2, 1e9)).status)
        tool.platform.tokens.clear()  # the platform forgets its tokens
        found.append((await services.send_score(caller, tool.registered, COLUMN, "u-ada", 1, 2, 1e9)).status)
        return found

    assert run(statuses()) == [200, 200, 200]
    assert len(tool.platform._jtis) == 2
    (scopes,) = tool.platform.tokens.values()
    assert scopes == {SCOPE_SCORE}


def test_token_near_its_end_is_not_used(tool: Tool) -> None:
    now = [1.7e9]
    caller = Caller(tool.http, tool.lti.key, lambda: now[0])
    tool.platform._verified = lambda *given: {"sub": "tool-1", "jti": str(len(tool.platform._jtis)), "exp": 1, "iat": 0}  # type: ignore[method-assign]

    async def twice() -> None:
        await caller._token(tool.registered, SCOPE_SCORE, False)
        now[0] += 3600 - 29
        await caller._token(tool.registered, SCOPE_SCORE, False)

    run(twice())
    assert len(tool.platform.tokens) == 2


def test_scope_that_the_platform_does_not_give_is_said(tool: Tool) -> None:
    with pytest.raises(DeniedError, match=r"the test platform gives no token for nothing \(status 400\)"):
        run(tool.caller._token(tool.registered, "nothing", False))


def test_token_is_sent_to_no_address_that_is_not_safe(tool: Tool) -> None:
    for address in (
        "http://lms.example.org/members",
        "https://u@lms.example.org/",
        "ftp://lms.example.org/",
        "members",
    ):
        with pytest.raises(LtiError, match="no address to which a token may be sent"):
            run(tool.caller.call(tool.registered, SCOPE_MEMBERS, "GET", address, "*/*"))
    assert tool.platform.tokens == {}


def answering(answer: httpx.Response) -> Caller:
    """A caller whose platform gives a token and then always the same answer."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": "t"}) if request.url.path == "/token" else answer

    class Key:
        def sign(self, claims: Any) -> str:
            return "signed"

    return Caller(httpx.AsyncClient(transport=httpx.MockTransport(handle)), Key())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>"), "no JSON"),
        (httpx.Response(200, json=[]), "has no members"),
        (httpx.Response(200, json={"members": 5}), "has no members"),
        (httpx.Response(404, text="gone"), r"does not answer \(status 404\): gone"),
        (httpx.Response(302, headers={"Location": "https://evil.example.org"}), "status 302"),
        (
            httpx.Response(200, json={"members": []}, headers={"Link": '<https://evil.example.org/2>; rel="next"'}),
            "at another host",
        ),
    ],
)
def test_answer_that_is_no_roster_is_said(tool: Tool, answer: httpx.Response, said: str) -> None:
    with pytest.raises(LtiError, match=said):
        run(services.roster(answering(answer), tool.registered, "https://lms.example.org/members"))


def test_pages_that_lead_in_a_circle_come_to_an_end(tool: Tool) -> None:
    answer = httpx.Response(
        200, json={"members": [{"user_id": "a"}, {"no": 1}, 5]}, headers={"Link": '</m>; rel="next"'}
    )
    members = run(services.roster(answering(answer), tool.registered, "https://lms.example.org/m"))
    assert [one.user for one in members] == ["a"]


def test_platform_that_does_not_answer_is_told_from_one_that_refuses(tool: Tool) -> None:
    def breaks(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer")

    http = httpx.AsyncClient(transport=httpx.MockTransport(breaks))
    with pytest.raises(UnreachableError, match="the platform does not answer: ReadTimeout"):
        run(fetch_json(http, "https://lms.example.org/jwks"))
    with pytest.raises(LtiError, match="is not https"):
        run(fetch_json(http, "http://lms.example.org/jwks"))


def test_client_follows_no_redirection_with_a_token_in_hand() -> None:
    assert not client().follow_redirects


def test_addresses_keep_their_query() -> None:
    assert below(COLUMN, "scores") == "https://lms.example.org/lineitems/1/lineitem/scores?type_id=2"
    assert with_query(COLUMN, user_id="a b&c") == f"{COLUMN}&user_id=a+b%26c"
    assert with_query("https://a.org/b", user_id="u") == "https://a.org/b?user_id=u"


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://lms.example.org/a?b=c", True),
        ("http://127.0.0.1:8000/a", True),
        ("http://localhost/a", True),
        ("http://lms.example.org", False),
        ("https://a@b.org", False),
        ("https://a.org\\@b.org", False),
        ("https://a.org/\nx", False),
        ("https://", False),
        ("https://a.org:port/", False),
        ("//a.org", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_only_https_and_this_machine_are_safe(address: str, safe: bool) -> None:
    assert is_safe(address) is safe


def test_origins_are_compared_with_their_usual_ports() -> None:
    assert origin_of("https://Course.example.org:443/x") == "https://course.example.org"
    assert origin_of("http://127.0.0.1:8000/x") == "http://127.0.0.1:8000"


# ------------------------------------------------------------ deep linking


def deep(tool: Tool) -> tuple[httpx.Response, str]:
    """Begin a deep linking request as the instructor; return the page of choices and its token."""
    given = tool.platform.initiation("u-cy", message="deep")
    asked = tool.begin(**given)
    page = tool.launch(asked, tool.platform.sign(tool.claims(asked)))
    return page, page.text.partition('name="token" value="')[2].partition('"')[0]


def test_instructor_chooses_an_assignment_and_the_platform_gets_a_link_with_a_column(tool: Tool) -> None:
    page, token = deep(tool)
    assert page.status_code == 200
    assert "Survey &lt;b&gt;" in page.text
    answer = tool.browser.post("/lti/choose", data={"token": token, "item": "lab1"})
    assert "form-action https://lms.example.org;" in answer.headers["content-security-policy"]
    signed = answer.text.partition('name="JWT" value="')[2].partition('"')[0]
    (link,) = tool.platform.check_links(signed)
    assert link["url"] == f"{TOOL}/a/lab1"
    assert link["custom"] == {"assignment": "lab1"}
    assert link["lineItem"] == {"label": "Lab 1", "scoreMaximum": 20.0, "resourceId": "lab1", "tag": "points"}
    again = tool.browser.post("/lti/choose", data={"token": token, "item": "lab1"})
    assert (again.status_code, "made before" in again.text) == (403, True)


def test_assignment_without_points_has_no_column(tool: Tool) -> None:
    _, token = deep(tool)
    answer = tool.browser.post("/lti/choose", data={"token": token, "item": "survey"})
    signed = answer.text.partition('name="JWT" value="')[2].partition('"')[0]
    assert "lineItem" not in tool.platform.check_links(signed)[0]


@pytest.mark.parametrize("given", [{"token": "x" * 43, "item": "lab1"}, {"item": "lab1"}])
def test_choice_without_its_token_is_refused(tool: Tool, given: dict[str, str]) -> None:
    assert tool.browser.post("/lti/choose", data=given).status_code == 403


def test_assignment_that_is_not_offered_cannot_be_chosen(tool: Tool) -> None:
    _, token = deep(tool)
    answer = tool.browser.post("/lti/choose", data={"token": token, "item": "exam"})
    assert "There is no such assignment" in answer.text


def test_student_cannot_put_assignments_into_the_course(tool: Tool) -> None:
    asked = tool.begin(**tool.platform.initiation("u-ada", message="deep"))
    answer = tool.launch(asked, tool.platform.sign(tool.claims(asked)))
    assert (answer.status_code, "Only who teaches" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"accept_types": ["html"]}, "takes no links"),
        ({"accept_types": "ltiResourceLink"}, "takes no links"),
        ({"deep_link_return_url": "javascript:alert(1)"}, "where the choice goes"),
        ({"deep_link_return_url": "http://lms.example.org/x"}, "where the choice goes"),
    ],
)
def test_deep_linking_request_with_wrong_settings_is_refused(tool: Tool, changed: dict[str, Any], said: str) -> None:
    asked = tool.begin(**tool.platform.initiation("u-cy", message="deep"))
    claims = tool.claims(asked)
    claims["https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"] |= changed
    answer = tool.launch(asked, tool.platform.sign(claims))
    assert (answer.status_code, said in answer.text) == (403, True)


def test_deep_linking_launch_can_be_kept_as_text(tool: Tool) -> None:
    deep(tool)
    with tool.database.reading() as connection:
        (text,) = connection.exec_driver_sql("SELECT launch FROM lti_choices").scalars()
    assert Launch.from_json(text).deep_linking is not None


# ------------------------------------------------------------ keys and settings


def test_key_is_made_for_us_alone_and_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "service" / "key.pem"
    made = ToolKey.read_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ToolKey.read_or_make(path).id == made.id
    (public,) = made.public_set["keys"]
    assert public.keys() == {"kty", "n", "e", "kid", "alg", "use"}


def test_file_without_a_private_key_is_said(tmp_path: Path, tool: Tool) -> None:
    path = tmp_path / "key.pem"
    for content in (b"", b"rubbish", tool.lti.key._key.as_pem(private=False)):
        path.write_bytes(content)
        with pytest.raises(GradingError, match=r"key\.pem holds"):
            ToolKey.read(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": ""}, "platform 1 lacks issuer"),
        ({"deployments": []}, "platform 1 lacks deployments"),
        ({"deployments": "7"}, "deployments is a list"),
        ({"keys_url": "http://lms.example.org/jwks"}, "keys_url is .* no https address"),
        ({"secret": "x"}, "there is no secret; known are issuer"),
    ],
)
def test_wrong_registration_is_said(tool: Tool, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(GradingError, match=said):
        read_platforms([{**tool.platform.registration, **changed}])


def test_one_platform_may_be_registered_several_times_but_not_the_same_way(tool: Tool) -> None:
    first = tool.platform.registration
    assert len(read_platforms([first, {**first, "client_id": "tool-2"}])) == 2
    with pytest.raises(GradingError, match="the same issuer and client_id"):
        read_platforms([first, first])


def test_platform_on_this_machine_may_do_without_tls(tool: Tool) -> None:
    local = Platform("http://127.0.0.1:1", "c", frozenset("1"), "", "", "")
    assert local.may_call("http://127.0.0.1:1/x")
    assert not tool.registered.may_call("http://127.0.0.1:1/x")
