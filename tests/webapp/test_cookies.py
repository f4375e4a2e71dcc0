from collections.abc import Iterator

import pytest

from tests.webapp.containers import Answer, Container, container
from tests.webapp.upstreams import answering, raw_answer
from webapp.cookies import cleared_cookie, session_cookie
from webapp.settings import Policy, Runtime, SessionSettings

NAME = "__Host-session"
ORIGIN = {"origin": "https://gw.example.com"}
CACHED = raw_answer("200 OK", b"{}", "Cache-Control: public, max-age=60", "Set-Cookie: theme=dark")


def test_the_cookie_keeps_to_this_host_and_out_of_scripts() -> None:
    assert session_cookie(SessionSettings(), "tg_x", 3600) == (
        "__Host-session=tg_x; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"
    )


def test_clearing_names_the_same_cookie_with_no_life_left() -> None:
    rules = SessionSettings(cookie_name="__Host-id", same_site="Strict")
    assert cleared_cookie(rules) == (
        "__Host-id=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"
    )


@pytest.mark.parametrize(("name", "secure"), [("__Host-session", True), ("session", False)])
def test_only_a_plain_name_goes_without_secure(name: str, secure: bool) -> None:
    cookie = session_cookie(SessionSettings(cookie_name=name), "tg_x", 60)
    assert ("Secure" in cookie.split("; ")) is secure


@pytest.fixture
def gate(runtime: Runtime) -> Iterator[Container]:
    once = Policy(name="once", key="user", limit=1, window=60, routes=("item",))
    with container(runtime, once, script=answering(CACHED)) as made:
        yield made


def late(gate: Container, roles: str = "user") -> str:
    """A token with a minute left."""
    token = gate.token("ada", roles)
    gate.clock.advance(3540)
    return token


def by_cookie(gate: Container, token: str, method: str = "GET", path: str = "/items") -> Answer:
    return gate(method, path, cookies=[f"{NAME}={token}"], headers=ORIGIN)


def held(answer: Answer) -> list[str]:
    """The values that an answer gives the session cookie."""
    lines = [line.partition(";")[0] for line in answer.cookies]
    return [line.removeprefix(f"{NAME}=") for line in lines if line.startswith(f"{NAME}=")]


def test_a_cookie_that_ends_soon_is_renewed(gate: Container) -> None:
    answer = by_cookie(gate, late(gate))
    (renewed,) = held(answer)
    assert answer.cookies == [
        "theme=dark",
        f"{NAME}={renewed}; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax",
    ]
    assert answer.headers["cache-control"] == "no-store"
    gate.clock.advance(3599)
    assert by_cookie(gate, renewed).status == 200


def test_a_renewed_cookie_is_of_the_same_session(gate: Container) -> None:
    token = late(gate)
    (renewed,) = held(by_cookie(gate, token))
    assert by_cookie(gate, token).status == by_cookie(gate, renewed).status == 200
    assert len(by_cookie(gate, renewed, path="/auth/sessions").json["sessions"]) == 1


def test_a_cookie_with_time_left_is_left_alone(gate: Container) -> None:
    answer = by_cookie(gate, gate.token())
    assert held(answer) == []
    assert answer.headers["cache-control"] == "public, max-age=60"


def test_a_bearer_gets_no_cookie(gate: Container) -> None:
    answer = gate(path="/items", headers={"authorization": f"Bearer {late(gate)}"})
    assert (answer.status, held(answer)) == (200, [])


def test_the_own_endpoints_renew_too(gate: Container) -> None:
    assert len(held(by_cookie(gate, late(gate), path="/auth/session"))) == 1


def test_a_refusal_after_the_session_was_found_good_renews_too(gate: Container) -> None:
    token = late(gate)
    by_cookie(gate, token, path="/items/1")
    answer = by_cookie(gate, token, path="/items/1")
    assert answer.status == 429
    assert len(held(answer)) == 1


def test_a_request_from_elsewhere_renews_nothing(gate: Container) -> None:
    answer = gate("POST", "/items", cookies=[f"{NAME}={late(gate)}"])
    assert (answer.code, held(answer)) == ("cross_site_request", [])


@pytest.mark.parametrize("path", ["/auth/session", "/auth/sessions"])
def test_what_is_ended_is_cleared_and_not_renewed(gate: Container, path: str) -> None:
    assert held(by_cookie(gate, late(gate), "DELETE", path)) == [""]


def test_a_refresh_sets_one_cookie(gate: Container) -> None:
    assert len(held(by_cookie(gate, late(gate), "POST", "/auth/session/refresh"))) == 1


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_signing_in_and_out_is_not_cached(gate: Container, path: str) -> None:
    token = gate.token()
    signed = ("Tollgate-Session-User: ada", "Cache-Control: public", "Set-Cookie: theme=dark")
    gate.upstream.script = answering(raw_answer("303 See Other", b"", *signed))
    answer = by_cookie(gate, token, "POST", path)
    assert len(held(answer)) == 1
    assert "theme=dark" in answer.cookies
    assert answer.headers["cache-control"] == "no-store"


def test_the_readable_name_of_a_developers_machine_works_alike(runtime: Runtime) -> None:
    with container(runtime, session=SessionSettings(cookie_name="session")) as gate:
        (line,) = gate.sign_in(headers={"sec-fetch-site": "same-origin"}).cookies
        value, _, attributes = line.partition("; ")
        assert attributes == "Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
        assert gate(path="/items", cookies=[value]).status == 200
        assert gate(path="/items", cookies=[f"__Host-{value}"]).status == 401
