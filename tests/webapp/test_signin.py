from typing import Any

import pytest

from tests.webapp.builders import request, route
from tests.webapp.containers import SECOND, Clock
from tests.webapp.faults import Faults, failure
from webapp import tracing
from webapp.call import Call
from webapp.errors import Problem
from webapp.guards import FailedSignIns
from webapp.identity import presented
from webapp.keys import Keys
from webapp.proxy import Answer
from webapp.routes import Match
from webapp.sessions import Identity, Sessions
from webapp.settings import Runtime, SessionSettings, SignInGuard
from webapp.signin import SignIn, iso
from webapp.tables import Stores
from webapp.tokens import Tokens

RULES = SessionSettings(ttl=600)
COOKIE = RULES.cookie_name


class Desk:
    """Where clients sign in and out: the answer's added headers, and who a token stands for."""

    def __init__(self, stores: Stores, secret_arn: str, clock: Clock) -> None:
        self.clock = clock
        self.tokens = Tokens(Keys(stores, secret_arn, clock), clock)
        self.sessions = Sessions(stores, RULES, clock)
        failures = FailedSignIns(stores, SignInGuard(), clock)
        self.sign_in = SignIn(self.sessions, self.tokens, failures, RULES)

    def headers(self, session: str, answer: Answer, **sent: Any) -> list[tuple[str, str]]:
        way = route(session=session, auth="none", methods=("POST",))
        call = Call(request("POST", "/login", **sent), tracing.continued(None), 0)
        call.match = Match(way, {})
        call.credential = presented(call.request, way, COOKIE)
        headers = self.sign_in.headers(call, answer)
        return headers + [("Set-Cookie", call.cookie)] * bool(call.cookie)

    def issue(self, *users: str, **sent: Any) -> dict[str, str]:
        return dict(self.headers("issue", answered(*users), **sent))

    def end(self, status: int = 204, **sent: Any) -> dict[str, str]:
        return dict(self.headers("end", Answer(status, [], b""), **sent))

    def who(self, text: str) -> Identity:
        return self.sessions.read(self.tokens.verify(text))

    def is_revoked(self, text: str) -> bool:
        with pytest.raises(Problem, match="session_revoked"):
            self.who(text)
        return True


@pytest.fixture
def desk(stores: Stores, runtime: Runtime, clock: Clock) -> Desk:
    return Desk(stores, runtime.signing_secret_arn, clock)


def answered(*users: str, status: int = 200, roles: tuple[str, ...] = ()) -> Answer:
    lines = [("Tollgate-Session-User", user) for user in users]
    lines += [("TOLLGATE-SESSION-ROLES", line) for line in roles]
    return Answer(status, lines, b"{}")


def bearer(text: str) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {text}"}}


def cookie(text: str) -> dict[str, Any]:
    return {"cookies": [f"{COOKIE}={text}"]}


def in_cookie(headers: dict[str, str]) -> str:
    return headers["Set-Cookie"].partition(";")[0].removeprefix(f"{COOKIE}=")


def test_a_sign_in_starts_a_session(desk: Desk) -> None:
    headers = desk.issue("ada")
    token = headers["Tollgate-Session-Token"]
    assert desk.who(token).user_id == "ada"
    assert headers == {
        "Set-Cookie": f"{COOKIE}={token}; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax",
        "Tollgate-Session-Expires": iso(desk.clock() // SECOND + 600),
        "Tollgate-Session-Token": token,
    }


def test_the_row_says_who_signed_in_from_where(desk: Desk, stores: Stores) -> None:
    token = desk.issue("ada", headers={"user-agent": "curl"})["Tollgate-Session-Token"]
    row = stores.sessions.get("ada", desk.who(token).session_hash)
    assert (row.client_ip, row.user_agent) == ("198.51.100.7", "curl")


@pytest.mark.parametrize("header", ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"])
def test_a_browser_gets_the_token_in_the_cookie_only(desk: Desk, header: str) -> None:
    headers = desk.issue("ada", headers={header: "same-origin"})
    assert "Tollgate-Session-Token" not in headers
    assert headers["Tollgate-Session-Expires"]
    assert desk.who(in_cookie(headers)).user_id == "ada"


@pytest.mark.parametrize("status", [200, 201, 299, 302, 303])
def test_success_and_redirects_sign_in(desk: Desk, status: int) -> None:
    assert desk.headers("issue", answered("ada", status=status))


@pytest.mark.parametrize("status", [300, 301, 304, 307, 308, 400, 401, 403, 500])
def test_no_other_answer_signs_in_or_out(desk: Desk, status: int) -> None:
    token = desk.issue("ada")["Tollgate-Session-Token"]
    assert desk.headers("issue", answered("eve", status=status), **bearer(token)) == []
    assert desk.end(status, **bearer(token)) == {}
    assert desk.who(token).user_id == "ada"


def test_without_a_user_nobody_is_signed_in_and_nobody_out(desk: Desk) -> None:
    token = desk.issue("ada")["Tollgate-Session-Token"]
    assert desk.headers("issue", Answer(200, [("X-Other", "1")], b""), **bearer(token)) == []
    assert desk.who(token).user_id == "ada"


def test_other_routes_sign_nobody_in(desk: Desk, faults: Faults) -> None:
    assert desk.headers("", answered("ada")) == []
    assert faults.operations == []


@pytest.mark.parametrize(
    "user", ["a", "x" * 256, "ada@example.com", "Ada Lovelace", "a,b", "a|b", '"', "{[<&'*+=~!"]
)
def test_users_are_printable_ascii(desk: Desk, user: str) -> None:
    token = desk.issue(f" {user}\t")["Tollgate-Session-Token"]
    assert desk.who(token).user_id == user


BAD_USERS = ["", " ", "x" * 257, "adé", "a\tb", "a\x00", "a\x7f", "a\n", "\x1fada", "ada\xa0"]


@pytest.mark.parametrize("user", [*BAD_USERS, *(f"a{c}b" for c in "/\\?#;%")])
def test_a_bad_user_is_502_and_no_session(desk: Desk, faults: Faults, user: str) -> None:
    with pytest.raises(Problem) as refused:
        desk.issue(user)
    assert (refused.value.status, refused.value.code) == (502, "upstream_invalid_response")
    assert faults.operations == []


def test_two_users_are_502(desk: Desk) -> None:
    with pytest.raises(Problem, match="upstream_invalid_response"):
        desk.issue("ada", "ada")


def test_roles_are_a_list(desk: Desk) -> None:
    lines = ("user, admin,,user", " billing:read ")
    headers = dict(desk.headers("issue", answered("ada", roles=lines)))
    assert desk.who(headers["Tollgate-Session-Token"]).roles == ("user", "admin", "billing:read")


@pytest.mark.parametrize("role", ["a b", "é", "x" * 65, "a/b", "a\n", "\x1fa"])
def test_a_bad_role_is_502_and_no_session(desk: Desk, faults: Faults, role: str) -> None:
    with pytest.raises(Problem, match="upstream_invalid_response"):
        desk.headers("issue", answered("ada", roles=(f"user,{role}",)))
    assert faults.operations == []


@pytest.mark.parametrize("presented", [bearer, cookie])
def test_the_session_that_the_client_had_is_revoked(desk: Desk, presented: Any) -> None:
    old = desk.issue("ada")["Tollgate-Session-Token"]
    new = desk.issue("bob", **presented(old))["Tollgate-Session-Token"]
    assert desk.is_revoked(old)
    assert desk.who(new).user_id == "bob"


@pytest.mark.parametrize("junk", [bearer("tg_forged"), cookie("junk"), bearer("of-the-upstream")])
def test_a_sign_in_does_not_care_for_a_bad_token(desk: Desk, junk: dict[str, Any]) -> None:
    assert desk.who(desk.issue("ada", **junk)["Tollgate-Session-Token"])


def test_a_sign_in_outlives_an_expired_session(desk: Desk) -> None:
    old = desk.issue("ada")["Tollgate-Session-Token"]
    desk.clock.advance(601)
    assert desk.who(desk.issue("ada", **cookie(old))["Tollgate-Session-Token"])


@pytest.mark.parametrize("status", [200, 204, 302, 303])
@pytest.mark.parametrize("presented", [bearer, cookie])
def test_a_sign_out_revokes_and_clears_the_cookie(desk: Desk, presented: Any, status: int) -> None:
    token = desk.issue("ada")["Tollgate-Session-Token"]
    assert desk.end(status, **presented(token)) == {
        "Set-Cookie": f"{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
    }
    assert desk.is_revoked(token)


def test_a_sign_out_without_a_session_clears_the_cookie_all_the_same(desk: Desk) -> None:
    assert "Max-Age=0" in desk.end()["Set-Cookie"]
    assert "Max-Age=0" in desk.end(**cookie("junk"))["Set-Cookie"]


def test_a_session_that_cannot_be_ended_is_503(desk: Desk, faults: Faults) -> None:
    token = desk.issue("ada")["Tollgate-Session-Token"]
    faults.failing = failure("AccessDeniedException")
    with pytest.raises(Problem, match="session_store_unavailable"):
        desk.end(**cookie(token))
    with pytest.raises(Problem, match="session_store_unavailable"):
        desk.issue("ada")


def test_a_token_that_cannot_be_checked_is_503(
    desk: Desk, runtime: Runtime, clock: Clock, faults: Faults
) -> None:
    token = desk.issue("ada")["Tollgate-Session-Token"]
    stores = Stores(runtime.sessions_table, runtime.rate_limits_table, runtime.region)
    other = Desk(stores, runtime.signing_secret_arn, clock)
    faults.answers = [failure("AccessDeniedException")]
    with pytest.raises(Problem, match="signing_key_unavailable"):
        other.end(**cookie(token))


def test_times_are_iso_8601_in_utc() -> None:
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert iso(1_750_000_000) == "2025-06-15T15:06:40Z"
