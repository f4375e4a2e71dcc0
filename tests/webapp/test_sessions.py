import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import Config

from tests.webapp.containers import SECOND, Clock
from tests.webapp.faults import DOWN, Faults, failure
from webapp.errors import Problem
from webapp.local.embedded import EmbeddedAws
from webapp.local.wire import Answer
from webapp.sessions import Device, Sessions, digest, key_of
from webapp.settings import Runtime, SessionSettings
from webapp.tables import PATIENT, Stores
from webapp.tokens import Token

RULES = SessionSettings(ttl=600, max_lifetime=3600)


@pytest.fixture
def sessions(stores: Stores, clock: Clock) -> Sessions:
    return Sessions(stores, RULES, clock)


def start(sessions: Sessions, user: str = "ada", **fields: Any) -> Token:
    given = {"roles": ("user", "pro"), "device": Device("198.51.100.7", "test")} | fields
    return sessions.start(user, **given)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(Problem) as refused:
        call()
    return refused.value.code


@pytest.fixture
def rows(aws: EmbeddedAws, runtime: Runtime) -> Callable[[], list[dict[str, Any]]]:
    def scan() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = aws.dynamodb.scan(TableName=runtime.sessions_table)["Items"]
        return found

    return scan


Rows = Callable[[], list[dict[str, Any]]]


def test_a_session_is_read_as_it_was_started(sessions: Sessions, clock: Clock) -> None:
    token = start(sessions)
    now = clock() // SECOND
    assert token.expires_at == now + 600
    who = sessions.read(token)
    assert (who.user_id, who.roles) == ("ada", ("user", "pro"))
    assert (who.created_at, who.expires_at) == (now, now + 600)
    assert who.session_hash == digest(token.session_id)


def test_the_row_holds_what_people_ask_about(sessions: Sessions, clock: Clock, rows: Rows) -> None:
    token = start(sessions, device=Device("198.51.100.7", "x" * 1000), roles=())
    (row,) = rows()
    now = clock() // SECOND
    assert row == {
        "user_id": {"S": "ada"},
        "session_id": {"S": digest(token.session_id)},
        "roles": {"L": []},
        "created_at": {"N": str(now)},
        "last_used_at": {"N": str(now)},
        "expires_at": {"N": str(now + 600)},
        "ends_at": {"N": str(now + 3600)},
        "client_ip": {"S": "198.51.100.7"},
        "user_agent": {"S": "x" * 256},
        "ttl": {"N": str(now + 3600 + 86_400)},
    }


def test_the_table_never_holds_the_id(sessions: Sessions, rows: Rows) -> None:
    token = start(sessions)
    assert token.session_id not in repr(rows())
    assert len(token.session_id) >= 43


def test_every_session_has_an_id_of_its_own(sessions: Sessions, rows: Rows) -> None:
    first, second = start(sessions), start(sessions)
    assert first.session_id != second.session_id
    assert len(rows()) == 2


def test_a_display_id_is_no_id(sessions: Sessions) -> None:
    token = start(sessions)
    shown = sessions.read(token).display_id
    assert shown not in token.session_id
    assert code(lambda: sessions.read(token._replace(session_id=shown))) == "session_revoked"


def test_a_revoked_session_is_refused(sessions: Sessions) -> None:
    token = start(sessions)
    assert sessions.roster.revoke(key_of(token))
    assert code(lambda: sessions.read(token)) == "session_revoked"


def test_another_session_of_the_user_lives_on(sessions: Sessions) -> None:
    first, second = start(sessions), start(sessions)
    sessions.roster.revoke(key_of(first))
    assert sessions.read(second).user_id == "ada"


def test_a_session_that_is_not_there_is_refused_as_revoked(sessions: Sessions) -> None:
    token = start(sessions)
    assert code(lambda: sessions.read(token._replace(session_id="other"))) == "session_revoked"
    assert code(lambda: sessions.read(token._replace(user_id="bob"))) == "session_revoked"


def test_the_row_decides_when_a_session_expires(sessions: Sessions, clock: Clock) -> None:
    token = start(sessions)._replace(expires_at=2**40)
    clock.advance(599.999)
    assert sessions.read(token)
    clock.advance(0.001)
    assert code(lambda: sessions.read(token)) == "session_expired"


def test_revoked_is_told_even_after_the_end(sessions: Sessions, clock: Clock) -> None:
    token = start(sessions)
    sessions.roster.revoke(key_of(token))
    clock.advance(601)
    assert code(lambda: sessions.read(token)) == "session_revoked"


def test_revoking_twice_changes_nothing(sessions: Sessions, clock: Clock, rows: Rows) -> None:
    token = start(sessions)
    assert sessions.roster.revoke(key_of(token))
    before = rows()
    clock.advance(10)
    assert not sessions.roster.revoke(key_of(token))
    assert rows() == before


def test_revoking_does_not_recreate_a_row(
    sessions: Sessions, aws: EmbeddedAws, runtime: Runtime, rows: Rows
) -> None:
    token = start(sessions)
    user_id, session_hash = key_of(token)
    aws.dynamodb.delete_item(
        TableName=runtime.sessions_table,
        Key={"user_id": {"S": user_id}, "session_id": {"S": session_hash}},
    )
    assert not sessions.roster.revoke(key_of(token))
    assert rows() == []


def test_every_step_is_one_call(sessions: Sessions, faults: Faults) -> None:
    token = start(sessions)
    sessions.read(token)
    sessions.roster.revoke(key_of(token))
    assert faults.operations == ["PutItem", "GetItem", "UpdateItem"]


def test_rows_are_read_consistently(sessions: Sessions, faults: Faults) -> None:
    sessions.read(start(sessions))
    assert faults.bodies[-1]["ConsistentRead"] is True


@pytest.mark.parametrize(
    "answer",
    [
        failure("InternalServerError", 500),
        failure("AccessDeniedException"),
        failure("ResourceNotFoundException"),
        failure("TransactionConflictException"),
        Answer(503, (), b"<html>"),
    ],
)
def test_a_store_that_fails_is_503(sessions: Sessions, faults: Faults, answer: Answer) -> None:
    token = start(sessions)
    faults.failing = answer
    for call in (
        lambda: start(sessions),
        lambda: sessions.read(token),
        lambda: sessions.roster.revoke(key_of(token)),
    ):
        assert code(call) == "session_store_unavailable"


def test_a_store_that_is_down_is_503(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", DOWN)
    assert code(lambda: start(sessions)) == "session_store_unavailable"


def test_one_failure_is_tried_again(sessions: Sessions, faults: Faults) -> None:
    token = start(sessions)
    faults.answers = [failure("InternalServerError", 500)]
    assert sessions.read(token).user_id == "ada"


def test_a_table_that_is_slow_is_503(
    sessions: Sessions, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = start(sessions)
    monkeypatch.setattr("webapp.tables.PATIENT", PATIENT.merge(Config(read_timeout=0.05)))
    faults.hanging = threading.Event()
    stores = Stores(sessions.rows.model.Meta.table_name, "", "eu-central-1")
    assert code(lambda: Sessions(stores, RULES, Clock()).read(token)) == "session_store_unavailable"


def test_a_write_that_meets_a_refresh_is_tried_again(sessions: Sessions, faults: Faults) -> None:
    token = start(sessions)
    faults.answers = [failure("TransactionConflictException")] * 3
    assert sessions.roster.revoke(key_of(token))


def use(sessions: Sessions, token: Token, *, sliding: bool = True) -> Token | None:
    return sessions.use(sessions.read(token), token, sliding=sliding)


def test_use_is_noted_at_most_once_a_minute(
    sessions: Sessions, clock: Clock, faults: Faults
) -> None:
    token = start(sessions)
    faults.operations.clear()
    for _ in range(12):
        clock.advance(10)
        assert use(sessions, token) is None
    assert faults.operations.count("UpdateItem") == 2
    assert sessions.read(token).last_used_at == clock() // SECOND


def test_containers_note_use_once_between_them(
    sessions: Sessions, clock: Clock, rows: Rows
) -> None:
    token = start(sessions)
    stale = sessions.read(token)
    clock.advance(60)
    use(sessions, token)
    before = rows()
    clock.advance(59)
    assert sessions.use(stale, token, sliding=False) is None
    assert rows() == before


def test_a_token_that_ends_soon_is_renewed(sessions: Sessions, clock: Clock) -> None:
    token = start(sessions)
    clock.advance(300)
    assert use(sessions, token) is None
    clock.advance(1)
    assert use(sessions, token, sliding=False) is None
    renewed = use(sessions, token)
    assert renewed == token._replace(expires_at=clock() // SECOND + 600)
    assert sessions.read(token).expires_at == renewed.expires_at


def test_a_renewal_that_was_lost_is_given_again_without_a_write(
    sessions: Sessions, clock: Clock, faults: Faults
) -> None:
    token = start(sessions)
    clock.advance(400)
    first = use(sessions, token)
    clock.advance(50)
    faults.operations.clear()
    assert use(sessions, token) == first
    assert faults.operations == ["GetItem"]


def test_renewals_end_with_the_maximal_lifetime(stores: Stores, clock: Clock) -> None:
    sessions = Sessions(stores, SessionSettings(ttl=600, max_lifetime=700), clock)
    token = start(sessions)
    clock.advance(400)
    renewed = use(sessions, token)
    assert renewed is not None
    assert renewed.expires_at == token.expires_at + 100
    assert use(sessions, renewed) is None
    clock.advance(299)
    assert sessions.read(renewed)
    assert use(sessions, renewed) is None


def test_an_expired_session_is_not_renewed(sessions: Sessions, clock: Clock, rows: Rows) -> None:
    token = start(sessions)
    who, before = sessions.read(token), rows()
    clock.advance(601)
    assert sessions.use(who, token, sliding=True) is None
    assert rows() == before


def test_a_table_without_writes_ends_no_request(
    sessions: Sessions, clock: Clock, faults: Faults
) -> None:
    token = start(sessions)
    clock.advance(400)
    faults.failing_at = {"UpdateItem": failure("ProvisionedThroughputExceededException")}
    assert use(sessions, token) is None
    faults.failing_at = {}
    assert use(sessions, token) is not None


def cached(stores: Stores, clock: Clock, seconds: int = 10) -> Sessions:
    rules = SessionSettings(ttl=600, max_lifetime=3600, cache_seconds=seconds)
    return Sessions(stores, rules, clock)


def test_a_row_may_be_trusted_for_a_while(
    sessions: Sessions, stores: Stores, clock: Clock, faults: Faults
) -> None:
    trusting, token = cached(stores, clock), start(sessions)
    trusting.read(token)
    faults.operations.clear()
    sessions.roster.revoke(key_of(token))
    clock.advance(9.9)
    assert trusting.read(token).user_id == "ada"
    assert faults.operations == ["UpdateItem"]
    clock.advance(0.1)
    assert code(lambda: trusting.read(token)) == "session_revoked"


def test_without_it_every_request_reads(sessions: Sessions, faults: Faults) -> None:
    token = start(sessions)
    faults.operations.clear()
    for _ in range(3):
        sessions.read(token)
    assert faults.operations == ["GetItem"] * 3


def test_a_container_trusts_no_row_that_it_changed_itself(stores: Stores, clock: Clock) -> None:
    trusting = cached(stores, clock)
    token = start(trusting)
    trusting.read(token)
    trusting.roster.set_roles("ada", ("none",))
    assert trusting.read(token).roles == ("none",)
    trusting.roster.revoke(key_of(token))
    assert code(lambda: trusting.read(token)) == "session_revoked"


def test_a_trusted_row_still_expires(stores: Stores, clock: Clock) -> None:
    trusting = cached(stores, clock, 60)
    token = start(trusting)
    clock.advance(590)
    trusting.read(token)
    clock.advance(10)
    assert code(lambda: trusting.read(token)) == "session_expired"


def test_noting_use_prolongs_no_trust(sessions: Sessions, stores: Stores, clock: Clock) -> None:
    trusting, token = cached(stores, clock, 60), start(sessions)
    clock.advance(59)
    trusting.read(token)
    clock.advance(59)
    use(trusting, token)
    sessions.roster.set_roles("ada", ())
    clock.advance(1)
    assert trusting.read(token).roles == ()


def test_use_that_was_noted_is_not_noted_again(
    stores: Stores, clock: Clock, faults: Faults
) -> None:
    trusting = cached(stores, clock, 60)
    token = start(trusting)
    clock.advance(61)
    for _ in range(3):
        use(trusting, token)
    assert faults.operations.count("UpdateItem") == 1


def test_what_is_trusted_is_bounded(
    stores: Stores, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.sessions._REMEMBERED_SESSIONS", 2)
    trusting = cached(stores, clock)
    for _ in range(4):
        trusting.read(start(trusting))
    assert len(trusting._trusted._entries) == 2


def test_roles_reach_running_sessions(sessions: Sessions) -> None:
    first, second, other = start(sessions), start(sessions), start(sessions, "bob")
    assert sessions.roster.set_roles("ada", ["admin"]) == 2
    assert sessions.read(first).roles == sessions.read(second).roles == ("admin",)
    assert sessions.read(other).roles == ("user", "pro")


def test_roles_bring_nobody_back(sessions: Sessions, rows: Rows) -> None:
    sessions.roster.revoke(key_of(start(sessions)))
    before = rows()
    assert sessions.roster.set_roles("ada", ["admin"]) == 0
    assert rows() == before
