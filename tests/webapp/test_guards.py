from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from tests.webapp.containers import Answer, Container, container, signing_in
from tests.webapp.faults import Faults, failure
from tests.webapp.upstreams import answering, raw_answer
from webapp.guards import ForgedTokens
from webapp.settings import Runtime, SignInGuard

FORGED = {"authorization": "Bearer tg_forged"}
WRONG = answering(raw_answer("401 Unauthorized"))


@pytest.fixture
def gate(runtime: Runtime) -> Iterator[Container]:
    with container(runtime, sign_in_guard=SignInGuard(limit=3, window=300)) as made:
        yield made


def fail(
    gate: Container, times: int = 1, status: str = "401 Unauthorized", **fields: Any
) -> Answer:
    gate.upstream.script = answering(raw_answer(status))
    return [gate("POST", "/login", **fields) for _ in range(times)][-1]


def forge(gate: Container, times: int = 1, **fields: Any) -> Answer:
    return [gate(path="/items", headers=FORGED, **fields) for _ in range(times)][-1]


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_too_many_failed_sign_ins_reach_no_upstream(gate: Container, status: str) -> None:
    assert fail(gate, 3, status).status == int(status[:3])
    answer = fail(gate)
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert answer.json["violated-policies"] == ["sign-in-guard"]
    assert answer.headers["retry-after"] == "100"
    assert answer.headers["cache-control"] == "no-store"
    assert len(gate.upstream.received) == 3


def test_whoever_waits_as_told_may_try_again(gate: Container) -> None:
    fail(gate, 4)
    gate.clock.advance(99.9)
    assert gate.sign_in().status == 429
    gate.clock.advance(0.1)
    assert gate.sign_in().status == 200


def test_signing_out_is_not_guarded(gate: Container) -> None:
    fail(gate, 4)
    gate.upstream.script = answering(raw_answer())
    assert gate("POST", "/logout").status == 200


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "400 Bad Request", "500 Oops"])
def test_other_answers_count_for_nothing(gate: Container, status: str) -> None:
    assert fail(gate, 6, status).status == int(status[:3])


def test_failures_elsewhere_count_for_nothing(gate: Container) -> None:
    gate.upstream.script = WRONG
    for _ in range(6):
        gate("POST", "/logout")
        gate("POST", "/open")
    assert gate.sign_in().status == 200


def test_failures_count_over_all_containers(runtime: Runtime) -> None:
    guard = SignInGuard(limit=3, window=300)
    with (
        container(runtime, sign_in_guard=guard) as one,
        container(runtime, sign_in_guard=guard, clock=one.clock) as other,
    ):
        fail(one, 2)
        fail(other)
        assert fail(one).status == fail(other).status == 429


def test_each_address_counts_by_itself_and_each_ipv6_network_as_one(gate: Container) -> None:
    fail(gate, 4, address="2001:db8::1")
    assert gate.sign_in(address="2001:db8::ffff").status == 429
    assert gate.sign_in(address="2001:db8:0:1::1").status == 200
    assert gate.sign_in().status == 200


def test_signed_in_users_behind_the_address_never_notice(gate: Container) -> None:
    bearer = gate.bearer()
    fail(gate, 4)
    forge(gate, 25)
    gate.upstream.script = answering(raw_answer())
    assert gate(path="/items", headers=bearer).status == 200
    assert gate("POST", "/auth/session/refresh", headers=bearer).status == 200


def test_a_flood_of_failures_costs_no_store_anything(gate: Container, faults: Faults) -> None:
    fail(gate, 3)
    assert faults.operations == ["GetItem", "UpdateItem"] * 3
    assert faults.bodies[0]["ConsistentRead"] is True
    fail(gate)
    faults.operations.clear()
    fail(gate, 20)
    assert faults.operations == []


def test_a_container_that_learns_of_a_refusal_remembers_it(
    runtime: Runtime, faults: Faults
) -> None:
    guard = SignInGuard(limit=3, window=300)
    with (
        container(runtime, sign_in_guard=guard) as one,
        container(runtime, sign_in_guard=guard, clock=one.clock) as other,
    ):
        fail(one, 3)
        faults.operations.clear()
        fail(other, 20)
    assert faults.operations == ["GetItem"]


def test_an_operator_can_clear_a_refusal(gate: Container, aws: Any, runtime: Runtime) -> None:
    fail(gate, 4)
    aws.dynamodb.delete_item(
        TableName=runtime.rate_limits_table,
        Key={"rate_limit_key": {"S": "sign-in:198.51.100.7"}},
    )
    gate.clock.advance(10)
    assert gate.sign_in().status == 200


def test_failures_that_were_under_way_at_the_limit_make_the_wait_longer(
    runtime: Runtime,
) -> None:
    guard = SignInGuard(limit=3, window=300)
    with (
        container(runtime, sign_in_guard=guard) as one,
        container(runtime, sign_in_guard=guard, clock=one.clock) as other,
    ):

        def script(*given: Any) -> None:
            fail(other, 3)
            answering(raw_answer("401 Unauthorized"))(*given)

        one.upstream.script = script
        assert one("POST", "/login").status == 401
        assert fail(one).headers["retry-after"] == "200"


def test_without_the_table_each_container_counts_by_itself(gate: Container, faults: Faults) -> None:
    faults.failing = failure("ProvisionedThroughputExceededException")
    assert fail(gate, 3).status == 401
    assert fail(gate).status == 429


def test_a_failure_that_lost_a_race_is_counted(runtime: Runtime) -> None:
    guard = SignInGuard(limit=2, window=300)
    with (
        container(runtime, sign_in_guard=guard) as one,
        container(runtime, sign_in_guard=guard, clock=one.clock) as other,
    ):

        def script(*given: Any) -> None:
            fail(other)
            answering(raw_answer("401 Unauthorized"))(*given)

        one.upstream.script = script
        one("POST", "/login")
        assert fail(other).status == 429


def test_another_site_cannot_use_up_the_tries_of_its_visitors(gate: Container) -> None:
    refused = fail(gate, 5, headers={"origin": "https://evil.example"})
    assert refused.code == "cross_site_request"
    assert gate.sign_in().status == 200


def test_more_than_twenty_forged_tokens_a_minute_are_429(gate: Container) -> None:
    assert forge(gate, 20).code == "invalid_token"
    answer = forge(gate)
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert answer.json["violated-policies"] == ["forged-tokens"]
    assert answer.headers["retry-after"] == "60"
    gate.clock.advance(59.9)
    assert forge(gate).headers["retry-after"] == "1"
    gate.clock.advance(0.1)
    assert forge(gate).code == "invalid_token"


def test_forged_tokens_count_by_address(gate: Container) -> None:
    forge(gate, 21, address="2001:db8::1")
    assert forge(gate, address="2001:db8::2").status == 429
    assert forge(gate).status == 401


def test_forged_tokens_cost_no_store_anything(gate: Container, faults: Faults) -> None:
    gate.bearer()
    faults.operations.clear()
    forge(gate, 30)
    assert faults.operations == []


def test_missing_expired_and_revoked_tokens_do_not_count(gate: Container) -> None:
    revoked = gate.bearer()
    gate("POST", "/logout", headers=revoked)
    for _ in range(25):
        assert gate(path="/items").code == "missing_token"
        assert gate(path="/items", headers=revoked).code == "session_revoked"
    gate.clock.advance(3600)
    for _ in range(25):
        assert gate(path="/items", headers=revoked).code == "session_expired"


def test_signing_in_is_open_to_whoever_holds_a_bad_token(gate: Container) -> None:
    forge(gate, 25)
    gate.upstream.script = signing_in("ada")
    assert gate("POST", "/login", headers=FORGED).status == 200


def test_the_memory_of_forgers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.guards._REMEMBERED_ADDRESSES", 2)
    forged = ForgedTokens(lambda: 0)
    for host in range(5):
        forged.count(ip_address(host))
    assert len(forged._seen._entries) == 2
