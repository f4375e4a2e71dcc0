from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.webapp.containers import Answer, Clock, Container, container
from tests.webapp.faults import Faults, failure
from webapp.errors import Problem
from webapp.local.embedded import EmbeddedAws
from webapp.local.wire import Answer as WireAnswer
from webapp.refresh import Refresh, succeeding
from webapp.sessions import Device, Sessions, key_of
from webapp.settings import Policy, Runtime, SessionSettings
from webapp.tables import Stores
from webapp.tokens import Token

COOKIE = "__Host-session"
ORIGIN = {"origin": "https://gw.example.com"}
PATH = "/auth/session/refresh"
DEVICE = Device("198.51.100.7", "test")


@pytest.fixture
def gate(runtime: Runtime) -> Iterator[Container]:
    with container(runtime) as made:
        yield made


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def refresh(gate: Container, token: str) -> Answer:
    return gate("POST", PATH, headers=bearer(token))


def refreshed(gate: Container, token: str) -> str:
    return refresh(gate, token).headers["tollgate-session-token"]


def refresh_by_cookie(gate: Container, token: str) -> Answer:
    return gate("POST", PATH, cookies=[f"{COOKIE}={token}"], headers=ORIGIN)


def held(answer: Answer) -> str:
    (line,) = answer.cookies
    return line.partition(";")[0].removeprefix(f"{COOKIE}=")


def state(gate: Container, token: str) -> str:
    answer = gate(path="/items", headers=bearer(token))
    return "alive" if answer.status == 200 else answer.code


def listed(gate: Container, token: str) -> list[Any]:
    sessions: list[Any] = gate(path="/auth/sessions", headers=bearer(token)).json["sessions"]
    return sessions


def test_a_refresh_gives_a_new_token_and_kills_the_old(gate: Container) -> None:
    old = gate.token("ada", "user,pro")
    gate.clock.advance(100)
    answer = refresh(gate, old)
    new = answer.headers["tollgate-session-token"]
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["tollgate-session-expires"] == "2025-06-15T16:08:20Z"
    assert answer.json == {
        "user_id": "ada",
        "roles": ["user", "pro"],
        "created_at": "2025-06-15T15:06:40Z",
        "expires_at": "2025-06-15T16:08:20Z",
    }
    assert (state(gate, old), state(gate, new)) == ("session_revoked", "alive")
    assert gate(path="/auth/session", headers=bearer(new)).json == answer.json


def test_a_bearer_is_answered_by_header_only(gate: Container) -> None:
    answer = refresh(gate, gate.token())
    assert answer.cookies == []
    assert answer.headers["tollgate-session-token"].startswith("tg_")


def test_a_cookie_is_answered_by_cookie_only(gate: Container) -> None:
    answer = refresh_by_cookie(gate, gate.token())
    new = held(answer)
    attributes = "Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"
    assert answer.cookies == [f"{COOKIE}={new}; {attributes}"]
    assert answer.headers["cache-control"] == "no-store"
    assert "tollgate-session-token" not in answer.headers
    assert new not in answer.body.decode()
    assert state(gate, new) == "alive"


def test_a_token_that_came_both_ways_is_answered_both_ways(gate: Container) -> None:
    old = gate.token()
    answer = gate("POST", PATH, cookies=[f"{COOKIE}={old}"], headers=bearer(old))
    assert held(answer) == answer.headers["tollgate-session-token"]


def test_another_site_cannot_refresh(gate: Container) -> None:
    old = gate.token()
    assert gate("POST", PATH, cookies=[f"{COOKIE}={old}"]).code == "cross_site_request"
    assert state(gate, old) == "alive"


def test_a_lost_answer_signs_nobody_out(gate: Container) -> None:
    old = gate.token()
    new = refreshed(gate, old)
    gate.clock.advance(30)
    assert refreshed(gate, old) == new
    assert state(gate, new) == "alive"
    assert len(listed(gate, new)) == 1


def test_within_the_grace_the_old_token_is_refused_elsewhere_and_harms_nobody(
    gate: Container,
) -> None:
    old = gate.token()
    new = refreshed(gate, old)
    gate.clock.advance(30)
    answer = gate(path="/items", cookies=[f"{COOKIE}={old}"])
    assert (answer.status, answer.code, answer.cookies) == (401, "session_revoked", [])
    assert state(gate, new) == "alive"


@pytest.mark.parametrize(("method", "path"), [("GET", "/items"), ("POST", PATH)])
def test_a_token_used_long_after_ends_the_session_it_became(
    gate: Container, method: str, path: str
) -> None:
    old = gate.token()
    new = refreshed(gate, old)
    gate.clock.advance(31)
    answer = gate(method, path, cookies=[f"{COOKIE}={old}"], headers=ORIGIN)
    assert (answer.status, answer.code) == (401, "session_revoked")
    assert held(answer) == ""
    assert state(gate, new) == "session_revoked"


def test_however_many_refreshes_later(gate: Container) -> None:
    chain = [gate.token()]
    other = gate.token()
    for _ in range(4):
        gate.clock.advance(40)
        chain.append(refreshed(gate, chain[-1]))
    assert state(gate, chain[-1]) == "alive"
    assert state(gate, chain[1]) == "session_revoked"
    assert state(gate, chain[-1]) == "session_revoked"
    assert state(gate, other) == "alive"


def test_a_second_late_use_costs_one_read(gate: Container, faults: Faults) -> None:
    old = gate.token()
    refreshed(gate, old)
    gate.clock.advance(31)
    state(gate, old)
    faults.operations.clear()
    assert state(gate, old) == "session_revoked"
    assert faults.operations == ["GetItem"]


def test_a_theft_that_cannot_be_acted_on_is_503_and_acted_on_later(
    gate: Container, faults: Faults
) -> None:
    old = gate.token()
    new = refreshed(gate, old)
    gate.clock.advance(31)
    faults.failing_at = {"Query": failure("AccessDeniedException")}
    assert state(gate, old) == "session_store_unavailable"
    faults.failing_at = {}
    assert state(gate, old) == "session_revoked"
    assert state(gate, new) == "session_revoked"


def test_refreshes_in_quick_succession_lead_to_the_live_end(gate: Container) -> None:
    first = gate.token()
    second = refreshed(gate, first)
    third = refreshed(gate, second)
    assert refreshed(gate, first) == third
    assert refreshed(gate, second) == third
    assert state(gate, third) == "alive"


def test_a_successor_that_was_ended_is_given_to_nobody(gate: Container) -> None:
    old = gate.token()
    new = refreshed(gate, old)
    assert gate("DELETE", "/auth/session", headers=bearer(new)).status == 204
    assert refresh(gate, old).code == "session_revoked"


def test_signing_out_with_the_old_token_ends_what_it_became(gate: Container) -> None:
    old = gate.token()
    new = refreshed(gate, old)
    assert gate("POST", "/logout", headers=bearer(old)).status == 200
    assert state(gate, new) == "session_revoked"


def test_signing_in_anew_with_the_old_token_ends_what_it_became(gate: Container) -> None:
    old = gate.token()
    new = refreshed(gate, old)
    gate.sign_in("bob", headers=bearer(old))
    assert state(gate, new) == "session_revoked"


def test_refreshing_does_not_outlast_the_maximal_lifetime(runtime: Runtime) -> None:
    rules = SessionSettings(ttl=600, max_lifetime=1500)
    with container(runtime, session=rules) as gate:
        token = gate.token()
        for _ in range(2):
            gate.clock.advance(500)
            token = refreshed(gate, token)
        answer = gate(path="/auth/session", headers=bearer(token))
        assert answer.json["expires_at"] == "2025-06-15T15:31:40Z"
        gate.clock.advance(499)
        token = refreshed(gate, token)
        gate.clock.advance(1)
        assert refresh(gate, token).code == "session_expired"


def test_refreshing_buys_no_new_rate_limit(runtime: Runtime) -> None:
    per_session = Policy(name="per-session", key="session", limit=2, window=60, routes=("items",))
    with container(runtime, per_session) as gate:
        token = gate.token()
        assert [state(gate, token) for _ in range(2)] == ["alive"] * 2
        assert state(gate, refreshed(gate, token)) == "rate_limited"


def test_the_row_of_a_successor_tells_where_it_was_refreshed(gate: Container) -> None:
    old = gate.token()
    gate.clock.advance(100)
    answer = gate("POST", PATH, headers=bearer(old) | {"user-agent": "new"}, address="192.0.2.9")
    (row,) = listed(gate, answer.headers["tollgate-session-token"])
    assert (row["client_ip"], row["user_agent"]) == ("192.0.2.9", "new")
    assert row["created_at"] == "2025-06-15T15:06:40Z"
    assert row["last_used_at"] == "2025-06-15T15:08:20Z"


def test_a_refresh_is_one_transaction(gate: Container, faults: Faults) -> None:
    old = gate.token()
    gate.clock.advance(100)
    faults.operations.clear()
    refresh(gate, old)
    assert faults.operations == ["GetItem", "GetItem", "TransactWriteItems"]


class Races:
    """Two containers over one table; something happens just before a call of the first."""

    def __init__(self, stores: Stores, other: Stores, clock: Clock, patch: pytest.MonkeyPatch):
        rules = SessionSettings(ttl=600, max_lifetime=3600)
        self.one, self.two = (Sessions(s, rules, clock) for s in (stores, other))
        self.refresh_one, self.refresh_two = (Refresh(s, rules) for s in (self.one, self.two))
        self._patch = patch

    def start(self) -> Token:
        return self.two.start("ada", ("user",), DEVICE)

    def before(self, name: str, happens: Callable[[], object]) -> None:
        """Let something happen before the first container calls its rows that way, once."""
        original = getattr(self.one.rows, name)

        def call(*args: Any, **fields: Any) -> object:
            self._patch.setattr(self.one.rows, name, original)
            happens()
            return original(*args, **fields)

        self._patch.setattr(self.one.rows, name, call)

    def live(self) -> list[str]:
        return [row.session_id for row in self.two.roster.live("ada")]


@pytest.fixture
def races(stores: Stores, runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Races:
    other = Stores(runtime.sessions_table, runtime.rate_limits_table, runtime.region)
    return Races(stores, other, clock, monkeypatch)


def test_two_refreshes_at_once_give_one_successor(races: Races) -> None:
    old = races.start()
    others: list[Token] = []
    races.before("replace", lambda: others.append(races.refresh_two.successor(old, DEVICE)))
    made = races.refresh_one.successor(old, DEVICE)
    assert others == [made]
    assert races.live() == [key_of(made).session_hash]


def test_a_session_that_ends_during_its_refresh_stays_ended(races: Races) -> None:
    old = races.start()
    races.before("replace", lambda: races.two.roster.revoke(key_of(old)))
    with pytest.raises(Problem, match="session_revoked"):
        races.refresh_one.successor(old, DEVICE)
    assert races.live() == []


def test_roles_that_change_during_a_refresh_are_not_lost(races: Races) -> None:
    old = races.start()
    races.before("replace", lambda: races.two.roster.set_roles("ada", ()))
    made = races.refresh_one.successor(old, DEVICE)
    assert races.one.read(made).roles == ()


def test_a_refresh_during_a_revocation_saves_nobody(races: Races) -> None:
    old = races.start()
    races.before("change", lambda: races.refresh_two.successor(old, DEVICE))
    assert races.one.roster.revoke(key_of(old))
    assert races.live() == []


def test_a_refresh_while_all_sessions_are_ended_saves_nobody(races: Races) -> None:
    old = races.start()
    races.before("change", lambda: races.refresh_two.successor(old, DEVICE))
    assert races.one.roster.revoke_all("ada") == 1
    assert races.live() == []


def test_a_refresh_while_roles_change_keeps_nobodys_roles(races: Races) -> None:
    old = races.start()
    made: list[Token] = []
    races.before("change", lambda: made.append(races.refresh_two.successor(old, DEVICE)))
    assert races.one.roster.set_roles("ada", ("none",)) == 1
    assert races.one.read(made[0]).roles == ("none",)


def test_a_successor_that_the_query_did_not_see_is_ended_too(races: Races) -> None:
    old = races.start()
    made = races.refresh_two.successor(old, DEVICE)
    seen = [row for row in races.one.rows.of_user("ada") if row.session_id != key_of(made)[1]]
    races.one.rows.of_user = lambda _: seen  # type: ignore[method-assign]
    assert races.one.roster.revoke_all("ada") == 1
    assert races.live() == []


def test_a_session_in_use_is_not_brought_back(races: Races) -> None:
    token = races.start()
    who = races.one.read(token)._replace(last_used_at=0)
    races.before("change", lambda: races.two.roster.revoke(key_of(token)))
    assert races.one.use(who, token, sliding=True) is None
    assert races.live() == []


def test_a_client_that_refreshes_all_the_time_gets_503_in_the_end(races: Races) -> None:
    token = races.start()
    row = races.one.find(key_of(token))
    races.one.rows.replace = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(Problem, match="session_store_unavailable"):
        races.refresh_one.successor(token, DEVICE)
    assert races.live() == [row.session_id]


def test_what_comes_next_takes_the_seed_and_the_id() -> None:
    ids = {succeeding(seed, id) for seed in ("s", "t") for id in ("a", "b")}
    assert len(ids) == 4
    assert succeeding("s", "a") == succeeding("s", "a")
    assert {len(id) for id in ids} == {43}


def test_the_table_says_nobodys_next_id(races: Races, aws: EmbeddedAws, runtime: Runtime) -> None:
    old = races.start()
    made = races.refresh_one.successor(old, DEVICE)
    rows = repr(aws.dynamodb.scan(TableName=runtime.sessions_table)["Items"])
    assert old.session_id not in rows
    assert made.session_id not in rows


def test_an_old_row_is_kept_as_long_as_its_token(races: Races) -> None:
    old = races.start()
    races.refresh_one.successor(old, DEVICE)
    row = races.one.rows.find(key_of(old))
    assert row is not None
    assert row.ttl > old.expires_at


@pytest.mark.parametrize(
    "answer",
    [
        failure("AccessDeniedException"),
        failure("InternalServerError", 500),
        failure("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}]),
    ],
)
def test_a_refresh_that_cannot_be_stored_is_503(
    gate: Container, faults: Faults, answer: WireAnswer
) -> None:
    old = gate.token()
    faults.failing_at = {"TransactWriteItems": answer}
    refused = refresh(gate, old)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert faults.operations.count("TransactWriteItems") <= 2
    faults.failing_at = {}
    assert state(gate, old) == "alive"
