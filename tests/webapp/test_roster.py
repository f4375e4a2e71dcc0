from collections.abc import Iterator
from typing import Any

import pytest

from tests.webapp.containers import Answer, Container, container
from tests.webapp.faults import Faults, failure
from webapp.settings import Runtime

ORIGIN = {"origin": "https://gw.example.com"}


@pytest.fixture
def gate(runtime: Runtime) -> Iterator[Container]:
    with container(runtime, admin_role="boss") as made:
        yield made


def listed(answer: Answer) -> list[Any]:
    assert answer.status == 200
    sessions: list[Any] = answer.json["sessions"]
    return sessions


def mine(gate: Container, bearer: dict[str, str]) -> list[Any]:
    return listed(gate(path="/auth/sessions", headers=bearer))


def is_alive(gate: Container, bearer: dict[str, str]) -> bool:
    return gate(path="/items", headers=bearer).status == 200


def test_users_see_their_own_sessions(gate: Container) -> None:
    gate.sign_in("ada", headers={"user-agent": "phone"}, address="2001:db8::1")
    gate.clock.advance(5)
    gate.sign_in("bob")
    bearer = gate.bearer("ada")
    phone, current = sorted(mine(gate, bearer), key=lambda session: session["current"])
    assert phone == {
        "id": phone["id"],
        "created_at": "2025-06-15T15:06:40Z",
        "last_used_at": "2025-06-15T15:06:40Z",
        "expires_at": "2025-06-15T16:06:40Z",
        "client_ip": "2001:db8::1",
        "user_agent": "phone",
        "current": False,
    }
    assert (current["current"], current["created_at"]) == (True, "2025-06-15T15:06:45Z")


def test_the_session_used_last_comes_first(gate: Container) -> None:
    first = gate.bearer()
    gate.clock.advance(1)
    second = gate.bearer()
    assert [session["current"] for session in mine(gate, second)] == [True, False]
    gate.clock.advance(60)
    assert is_alive(gate, first)
    assert [session["current"] for session in mine(gate, first)] == [True, False]


def test_an_id_in_a_list_is_what_upstreams_see_and_no_ones_id(gate: Container) -> None:
    bearer = gate.bearer()
    answer = gate(path="/auth/sessions", headers=bearer)
    gate(path="/items", headers=bearer)
    (session,) = listed(answer)
    assert session["id"] == gate.upstream.last.header("x-session-id")
    assert len(session["id"]) == 16
    assert answer.headers["cache-control"] == "no-store"


def test_sessions_that_are_over_are_not_listed(gate: Container) -> None:
    gate.token("ada")
    gate.clock.advance(3000)
    gate("POST", "/logout", headers=gate.bearer("ada"))
    gate("POST", "/auth/session/refresh", headers=gate.bearer("ada"))
    assert len(mine(gate, gate.bearer("ada"))) == 3
    gate.clock.advance(600)
    assert len(mine(gate, gate.bearer("ada"))) == 3


def test_logging_out_everywhere(gate: Container) -> None:
    phone, laptop, other = gate.bearer("ada"), gate.bearer("ada"), gate.bearer("bob")
    answer = gate("DELETE", "/auth/sessions", headers=laptop)
    assert (answer.status, answer.body, answer.cookies) == (204, b"", [])
    assert [is_alive(gate, bearer) for bearer in (phone, laptop, other)] == [False, False, True]


def test_logging_out_everywhere_by_cookie_clears_it(gate: Container) -> None:
    cookies = [f"__Host-session={gate.token()}"]
    assert gate("DELETE", "/auth/sessions", cookies=cookies).code == "cross_site_request"
    answer = gate("DELETE", "/auth/sessions", cookies=cookies, headers=ORIGIN)
    assert answer.status == 204
    assert "Max-Age=0" in answer.cookies[0]


def test_logging_out_everywhere_is_one_query_and_a_write_each(
    gate: Container, faults: Faults
) -> None:
    gate.token("ada")
    bearer = gate.bearer("ada")
    faults.operations.clear()
    gate("DELETE", "/auth/sessions", headers=bearer)
    assert faults.operations == ["GetItem", "Query", "UpdateItem", "UpdateItem"]
    assert faults.bodies[-3]["ConsistentRead"] is True


def test_the_own_session_ends_last_so_that_a_failure_can_be_tried_again(
    gate: Container, faults: Faults
) -> None:
    bearers = [gate.bearer("ada") for _ in range(5)]
    (own,) = (s["id"] for s in mine(gate, bearers[2]) if s["current"])
    assert gate("DELETE", "/auth/sessions", headers=bearers[2]).status == 204
    assert faults.bodies[-1]["Key"]["session_id"]["S"].startswith(own)


def test_administrators_see_and_end_anyones_sessions(gate: Container) -> None:
    boss, ada = gate.bearer("root", "boss"), gate.bearer("ada@example.com")
    path = "/auth/users/ada@example.com/sessions"
    (session,) = listed(gate(path=path, headers=boss))
    assert session["current"] is False
    assert gate("DELETE", path, headers=boss).status == 204
    assert not is_alive(gate, ada)
    assert is_alive(gate, boss)
    assert listed(gate(path=path, headers=boss)) == []


def test_an_administrator_may_name_itself(gate: Container) -> None:
    cookies = [f"__Host-session={gate.token('root', 'boss')}"]
    path = "/auth/users/root/sessions"
    assert listed(gate(path=path, cookies=cookies))[0]["current"] is True
    answer = gate("DELETE", path, cookies=cookies, headers=ORIGIN)
    assert "Max-Age=0" in answer.cookies[0]


def test_ending_the_sessions_of_another_leaves_the_own_cookie(gate: Container) -> None:
    cookies = [f"__Host-session={gate.token('root', 'boss')}"]
    answer = gate("DELETE", "/auth/users/ada/sessions", cookies=cookies, headers=ORIGIN)
    assert (answer.status, answer.cookies) == (204, [])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nobody_else_may(gate: Container, method: str) -> None:
    ada, bob = gate.bearer("ada", "user,admin"), gate.bearer("bob")
    for path in ("/auth/users/bob/sessions", "/auth/users/ada/sessions"):
        assert gate(method, path, headers=ada).code == "forbidden"
        assert gate(method, path).code == "missing_token"
    assert is_alive(gate, bob)


@pytest.mark.parametrize("user", ["Ada Lovelace", "a|b", "{[<&'*+=~!", "a.b", "x" * 256])
def test_any_user_that_can_sign_in_can_be_named(gate: Container, user: str) -> None:
    bearer = gate.bearer(user)
    path = f"/auth/users/{user}/sessions"
    assert gate("DELETE", path, headers=gate.bearer("root", "boss")).status == 204
    assert not is_alive(gate, bearer)


@pytest.mark.parametrize("path", ["/auth/sessions", "/auth/users/ada/sessions"])
def test_lists_that_cannot_be_read_are_503(gate: Container, faults: Faults, path: str) -> None:
    boss = gate.bearer("root", "boss")
    faults.failing_at = {"Query": failure("ProvisionedThroughputExceededException")}
    answer = gate(path=path, headers=boss)
    assert (answer.status, answer.code) == (503, "session_store_unavailable")
