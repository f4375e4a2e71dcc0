from typing import Any

import pytest

from tests.webapp.builders import request, route, settings
from webapp.errors import Problem
from webapp.identity import Credential, check_same_site, cookie_tokens, has_role, presented
from webapp.settings import SessionSettings, Settings
from webapp.settings.gateway import Cors

COOKIE = "__Host-session"
BY_COOKIE, BY_BEARER = Credential("tg_a", True), Credential("tg_a", False)


def found(authorization: str | None = None, *cookies: str, **fields: Any) -> Credential | None:
    headers = {"authorization": authorization} if authorization is not None else {}
    made = request(headers=headers, cookies=list(cookies))
    return presented(made, route(**fields), COOKIE)


@pytest.mark.parametrize("authorization", ["Bearer tg_a", "bearer  tg_a", "BEARER tg_a "])
def test_a_token_comes_as_bearer(authorization: str) -> None:
    assert found(authorization) == BY_BEARER


@pytest.mark.parametrize("cookie", ["__Host-session=tg_a", '__Host-session = "tg_a"'])
def test_a_token_comes_as_the_session_cookie(cookie: str) -> None:
    assert found(None, "a=1", cookie) == BY_COOKIE


@pytest.mark.parametrize(
    "authorization", [None, "", "Basic dGdfYQ==", "tg_a", "Bearertg_a", "Bearer-x tg_a"]
)
def test_other_credentials_are_no_token(authorization: str | None) -> None:
    assert found(authorization) is None


@pytest.mark.parametrize("cookie", ["session=tg_a", "__host-session=tg_a", "x=__Host-session=tg_a"])
def test_other_cookies_are_no_token(cookie: str) -> None:
    assert found(None, cookie) is None


def test_a_token_never_comes_in_the_query() -> None:
    made = request(query="access_token=tg_a&token=tg_a&__Host-session=tg_a")
    assert presented(made, route(), COOKIE) is None


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer eyJ.x.y", "Bearer ,"])
def test_what_is_presented_as_a_token_is_taken_for_one(authorization: str) -> None:
    credential = found(authorization)
    assert credential is not None
    assert not credential.token.startswith("tg_")


def test_where_authorization_is_forwarded_a_foreign_bearer_is_the_upstreams() -> None:
    assert found("Bearer eyJ.x.y", forward_authorization=True) is None
    assert found("Bearer eyJ.x.y", auth="none") is None
    assert found("Bearer tg_a", forward_authorization=True) == BY_BEARER
    assert found("Bearer eyJ", "__Host-session=tg_a", forward_authorization=True) == BY_COOKIE


@pytest.mark.parametrize(
    ("authorization", "cookies"),
    [
        ("Bearer tg_b", ["__Host-session=tg_a"]),
        ("Bearer eyJ", ["__Host-session=tg_a"]),
        (None, ["__Host-session=tg_a", "__Host-session=tg_b"]),
        ("Bearer tg_a,Bearer tg_b", []),
        ("Bearer tg_a, bearer tg_b", []),
        ("Basic x,Bearer tg_b", ["__Host-session=tg_a"]),
    ],
)
def test_two_different_tokens_conflict(authorization: str | None, cookies: list[str]) -> None:
    with pytest.raises(Problem) as raised:
        found(authorization, *cookies)
    assert (raised.value.status, raised.value.code) == (400, "conflicting_credentials")


def test_one_token_in_two_places_does_not_conflict() -> None:
    assert found("Bearer tg_a,Bearer tg_a", "__Host-session=tg_a") == BY_BEARER


def test_a_bearer_behind_another_scheme_is_seen() -> None:
    assert found("Basic x,Bearer tg_a") == BY_BEARER


def test_all_tokens_of_the_cookie_are_listed_and_none_that_is_empty() -> None:
    made = request(cookies=["s=tg_a", "t=1", "s=tg_b", "s"])
    assert cookie_tokens(made, "s") == ["tg_a", "tg_b"]


@pytest.mark.parametrize(
    ("needed", "roles", "admitted"),
    [
        ((), (), True),
        ((), ("a",), True),
        (("a",), (), False),
        (("a",), ("b",), False),
        (("a", "b"), ("b",), True),
        (("a",), ("b", "a"), True),
    ],
)
def test_any_of_the_roles_will_do(
    needed: tuple[str, ...], roles: tuple[str, ...], admitted: bool
) -> None:
    assert has_role(route(roles=needed), roles) is admitted


def same_site(
    method: str = "POST",
    *,
    credential: Credential | None = BY_COOKIE,
    session: str = "",
    auth: str = "session",
    given: Settings | None = None,
    host: str = "gw.example.com",
    **headers: str,
) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    made = request(method, "/users", headers=named, host=host)
    try:
        check_same_site(made, route(session=session, auth=auth), credential, given or settings())
    except Problem as problem:
        return problem.code != "cross_site_request"
    return True


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_unsafe_methods_by_cookie_must_show_where_they_come_from(method: str) -> None:
    assert not same_site(method)
    assert same_site(method, origin="https://gw.example.com")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_need_not(method: str) -> None:
    assert same_site(method, origin="https://evil.example", sec_fetch_site="cross-site")


@pytest.mark.parametrize("credential", [None, BY_BEARER])
def test_without_the_cookie_nothing_is_asked(credential: Credential | None) -> None:
    assert same_site(credential=credential, origin="https://evil.example")


FOREIGN = [
    "null",
    "*",
    "",
    "https://evil.example",
    "http://gw.example.com",
    "https://gw.example.com:8443",
    "https://gw.example.com.evil.example",
    "https://evil.gw.example.com",
    "https://gw.example.com/",
    "https://gw.example.com,https://gw.example.com",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_origin_does_not_pass_whatever_else_is_said(origin: str) -> None:
    assert not same_site(origin=origin)
    assert not same_site(origin=origin, sec_fetch_site="same-origin")
    assert not same_site(origin=origin, session="issue", credential=None)


@pytest.mark.parametrize(
    ("fetch_site", "by_cookie", "signing_in"),
    [
        ("same-origin", True, True),
        ("same-site", False, True),
        ("none", False, True),
        ("cross-site", False, False),
    ],
)
def test_without_an_origin_the_browser_says_it(
    fetch_site: str, by_cookie: bool, signing_in: bool
) -> None:
    assert same_site(sec_fetch_site=fetch_site) is by_cookie
    for session in ("issue", "end"):
        for credential in (None, BY_COOKIE):
            sent = {"credential": credential, "sec_fetch_site": fetch_site}
            assert same_site(session=session, auth="none", **sent) is signing_in
    assert same_site(session="end", sec_fetch_site=fetch_site) is by_cookie


@pytest.mark.parametrize("session", ["issue", "end"])
def test_signing_in_and_out_is_for_programs_and_own_pages(session: str) -> None:
    assert same_site(session=session, credential=None)
    assert same_site(session=session, credential=None, origin="https://gw.example.com")
    assert not same_site("GET", session=session, credential=None, origin="https://evil.example")


def test_listed_origins_pass_literally() -> None:
    given = settings(cors=Cors(allow_origins=("https://app.example", "*", "https://*.b.example")))
    assert same_site(given=given, origin="https://app.example")
    assert same_site(given=given, session="issue", credential=None, origin="https://app.example")
    for origin in ("*", "https://evil.example", "https://x.b.example", "https://app.example:8443"):
        assert not same_site(given=given, origin=origin)


def test_the_public_host_is_the_custom_domain() -> None:
    given = settings(public_host="api.example.com")
    assert same_site(given=given, origin="https://api.example.com")
    assert not same_site(given=given, origin="https://gw.example.com")


def test_what_host_says_counts_for_nothing() -> None:
    made = request("POST", headers={"host": "evil.example", "origin": "https://evil.example"})
    with pytest.raises(Problem):
        check_same_site(made, route(), BY_COOKIE, settings())


def test_without_a_public_host_no_origin_is_its_own() -> None:
    assert not same_site(host="", origin="https://")


def test_on_a_developers_machine_the_origin_has_a_port() -> None:
    given = settings(session=SessionSettings(cookie_name="session"))
    assert same_site(given=given, host="127.0.0.1:8080", origin="http://127.0.0.1:8080")
    assert not same_site(given=given, host="127.0.0.1:8080", origin="http://127.0.0.1:9090")
