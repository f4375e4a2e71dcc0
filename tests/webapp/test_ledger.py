import threading
import time
from typing import Any

import pytest

from tests.webapp.containers import Clock
from tests.webapp.faults import DOWN, Faults, failure
from tests.webapp.limited import LIFETIME, NOW, SECOND, bucket, counting, demand, over_aws
from webapp.circuit import FAILURES, PAUSE
from webapp.counters import StoreUnavailable
from webapp.gcra import NANOSECONDS
from webapp.ledger import RECHECK, DynamoCounters
from webapp.local.wire import Answer
from webapp.settings import Runtime
from webapp.tables import HASTY, Stores


@pytest.fixture
def shared(runtime: Runtime) -> DynamoCounters:
    return over_aws(runtime)


def stored(stores: Stores, key: str = "k") -> dict[str, Any]:
    answer = stores.limits.get_item(
        TableName=stores.rate_limits_table, Key={"rate_limit_key": {"S": key}}
    )
    item: dict[str, Any] = answer.get("Item", {})
    return item


def delete(stores: Stores) -> None:
    key = {"rate_limit_key": {"S": "k"}}
    stores.limits.delete_item(TableName=stores.rate_limits_table, Key=key)


def change(stores: Stores, expression: str, **values: int) -> None:
    given = {f":{name}": {"N": str(value)} for name, value in values.items()}
    stores.limits.update_item(
        TableName=stores.rate_limits_table,
        Key={"rate_limit_key": {"S": "k"}},
        UpdateExpression=expression,
        **({"ExpressionAttributeValues": given} if given else {}),
    )


def test_all_buckets_of_a_key_are_one_write_to_one_item(
    shared: DynamoCounters, stores: Stores, faults: Faults
) -> None:
    wanted = [demand("k", bucket("a"), bucket("b", 5), shadow=(bucket("c", 9),))]
    for _ in range(2):
        assert shared.take(wanted, NOW).admitted
    assert faults.operations == ["UpdateItem", "UpdateItem"]
    assert set(stored(stores)) == {"rate_limit_key", "tat:a", "tat:b", "tat:c", "ttl"}


def test_policies_of_one_key_that_are_asked_in_turn_cost_a_write_each(
    shared: DynamoCounters, faults: Faults
) -> None:
    for _ in range(3):
        for name in ("a", "b"):
            assert shared.take([demand("k", bucket(name, 5))], NOW).admitted
    assert len(faults.operations) == 6


def test_several_keys_are_one_transaction(shared: DynamoCounters, faults: Faults) -> None:
    wanted = [demand("k", bucket("a")), demand("other", bucket("b"))]
    assert shared.take(wanted, NOW).admitted
    assert faults.operations == ["TransactWriteItems"]


def test_a_transaction_is_billed_twice_a_write(shared: DynamoCounters) -> None:
    with counting() as counted:
        shared.take([demand("k")], NOW)
        assert (counted.reads, counted.writes) == (0, 1)
        shared.take([demand("k"), demand("other")], NOW)
        assert (counted.reads, counted.writes) == (0, 5)


def test_a_key_that_has_only_empty_shadow_buckets_costs_no_write(
    shared: DynamoCounters, faults: Faults
) -> None:
    wanted = [demand("k", shadow=(bucket("shadow", 1),))]
    assert all(shared.take(wanted, NOW).admitted for _ in range(3))
    assert faults.operations == ["UpdateItem"]
    assert shared.take([*wanted, demand("other")], NOW).admitted
    assert faults.operations == ["UpdateItem", "UpdateItem"]


def test_a_remembered_refusal_costs_no_call(shared: DynamoCounters, faults: Faults) -> None:
    wanted = [demand("k", bucket(limit=1, window=5))]
    assert [shared.take(wanted, NOW).admitted for _ in range(5)] == [True] + [False] * 4
    assert not shared.take(wanted, NOW + 5 * SECOND - 1).admitted
    assert len(faults.operations) == 1
    assert shared.take(wanted, NOW + 5 * SECOND).admitted
    assert len(faults.operations) == 2


def test_a_long_refusal_is_asked_about_again_now_and_then(
    shared: DynamoCounters, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=1, window=60))]
    shared.take(wanted, NOW)
    for second in range(1, 60):
        assert not shared.take(wanted, NOW + second * SECOND).admitted
    assert len(faults.operations) == 6


def test_a_reset_is_noticed_within_seconds(shared: DynamoCounters, stores: Stores) -> None:
    wanted = [demand("k", bucket(limit=1, window=3600))]
    assert [shared.take(wanted, NOW).admitted for _ in range(2)] == [True, False]
    delete(stores)
    assert not shared.take(wanted, NOW + RECHECK - 1).admitted
    assert shared.take(wanted, NOW + RECHECK).admitted


# a key that an operator has blocked


def test_a_blocked_key_is_refused_by_the_write_and_consumes_nothing(
    shared: DynamoCounters, stores: Stores, faults: Faults
) -> None:
    wanted = [demand("k", bucket("a", 5)), demand("other", bucket("b", 5))]
    shared.take(wanted, NOW)
    before = stored(stores, "other")
    change(stores, "SET blocked = :until", until=NOW + 60 * SECOND)
    faults.operations.clear()
    for outcome in [shared.take(wanted, NOW + second * SECOND) for second in range(10)]:
        assert (outcome.admitted, outcome.blocked) == (False, True)
    assert len(faults.operations) == 1
    assert stored(stores, "other") == before


def test_a_key_in_shadow_alone_can_be_blocked_too(shared: DynamoCounters, stores: Stores) -> None:
    change(stores, "SET blocked = :until", until=NOW + SECOND)
    assert shared.take([demand(shadow=(bucket(),))], NOW).blocked


def test_a_block_ends_by_itself(shared: DynamoCounters, stores: Stores) -> None:
    change(stores, "SET blocked = :until", until=NOW + 5 * SECOND)
    assert shared.take([demand()], NOW + 5 * SECOND - 1).blocked
    assert shared.take([demand()], NOW + 5 * SECOND).admitted


def test_an_unblock_is_noticed_within_seconds(shared: DynamoCounters, stores: Stores) -> None:
    change(stores, "SET blocked = :until", until=NOW + 3600 * SECOND)
    assert shared.take([demand()], NOW).blocked
    change(stores, "REMOVE blocked")
    assert shared.take([demand()], NOW + RECHECK - 1).blocked
    assert shared.take([demand()], NOW + RECHECK).admitted


def test_what_a_clock_saw_before_it_went_back_is_asked_again(
    shared: DynamoCounters, stores: Stores
) -> None:
    change(stores, "SET blocked = :until", until=NOW + 3600 * SECOND)
    assert shared.take([demand()], NOW + 60 * SECOND).blocked
    change(stores, "REMOVE blocked")
    assert shared.take([demand()], NOW).admitted


# clocks


def test_an_item_written_by_a_clock_in_the_future_heals(
    shared: DynamoCounters, runtime: Runtime, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=3, window=60))]
    over_aws(runtime).take(wanted, NOW + 86_400 * SECOND)
    admitted = [shared.take(wanted, NOW + second * SECOND).admitted for second in (0, 0, 20, 20)]
    assert admitted == [True, False, True, False]
    assert shared.take(wanted, NOW + 80 * SECOND).tallies[0].state == {"a": NOW + 100 * SECOND}


def test_a_clock_two_seconds_ahead_is_not_believed(
    shared: DynamoCounters, runtime: Runtime
) -> None:
    wanted = [demand("k", bucket(limit=1, window=60))]
    over_aws(runtime).take(wanted, NOW + 2 * SECOND)
    assert shared.take(wanted, NOW).admitted


def test_a_clock_half_a_second_ahead_is_believed(
    shared: DynamoCounters, runtime: Runtime, stores: Stores
) -> None:
    wanted = [demand("k", bucket(limit=1, window=60))]
    over_aws(runtime).take(wanted, NOW + SECOND // 2)
    assert not shared.take(wanted, NOW).admitted
    assert stored(stores)["tat:a"] == {"N": str(NOW + SECOND // 2 + 60 * SECOND)}


def test_what_another_container_refused_is_learnt_by_one_write(
    runtime: Runtime, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=1))]
    assert over_aws(runtime).take(wanted, NOW).admitted
    late = over_aws(runtime)
    assert [late.take(wanted, NOW).admitted for _ in range(3)] == [False] * 3
    assert len(faults.operations) == 2


def test_a_bucket_wrongly_thought_idle_heals_in_one_more_write(
    runtime: Runtime, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=5))]
    over_aws(runtime).take(wanted, NOW)
    faults.operations.clear()
    outcome = over_aws(runtime).take(wanted, NOW)
    assert outcome.admitted
    assert outcome.tallies[0].state == {"a": NOW + 2 * 12 * SECOND}
    assert len(faults.operations) == 2


def test_a_bucket_wrongly_thought_busy_heals_in_one_more_write(
    shared: DynamoCounters, stores: Stores, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=5))]
    shared.take(wanted, NOW)
    delete(stores)
    faults.operations.clear()
    outcome = shared.take(wanted, NOW)
    assert outcome.tallies[0].state == {"a": NOW + 12 * SECOND}
    assert len(faults.operations) == 2


def test_a_wrong_guess_in_a_transaction_heals_in_one_more_write(
    runtime: Runtime, stores: Stores, faults: Faults
) -> None:
    wanted = [demand("k", bucket("a", 5)), demand("other", bucket("b", 5))]
    over_aws(runtime).take(wanted, NOW)
    faults.operations.clear()
    assert over_aws(runtime).take(wanted, NOW).admitted
    assert len(faults.operations) == 2
    assert stored(stores)["tat:a"] == {"N": str(NOW + 24 * SECOND)}
    assert stored(stores, "other")["tat:b"] == {"N": str(NOW + 24 * SECOND)}


def test_rows_outlive_their_slowest_bucket(shared: DynamoCounters, stores: Stores) -> None:
    slow, quick = bucket("slow", 10, 600), bucket("quick", 100, 1)
    for _ in range(10):
        shared.take([demand("k", slow)], NOW)
    shared.take([demand("k", quick)], NOW)
    item = stored(stores)
    assert int(item["ttl"]["N"]) * NANOSECONDS >= int(item["tat:slow"]["N"]) == NOW + LIFETIME


# a store that fails


def cancelled(*codes: str) -> Answer:
    reasons = [{"Code": code} for code in codes]
    return failure("TransactionCanceledException", CancellationReasons=reasons)


@pytest.mark.parametrize(
    "answer",
    [
        failure("ProvisionedThroughputExceededException"),
        failure("ThrottlingException"),
        failure("RequestLimitExceeded"),
        failure("AccessDeniedException"),
        failure("ResourceNotFoundException"),
        failure("InternalServerError", 500),
        Answer(503, (), b"<html>"),
        Answer(200, (), b"<html>"),
        Answer(200, (), b"{}"),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[-60:]!r}",
)
def test_a_store_that_fails_is_unavailable_at_once(
    shared: DynamoCounters, faults: Faults, answer: Answer
) -> None:
    faults.failing = answer
    with pytest.raises(StoreUnavailable):
        shared.take([demand()], NOW)
    assert len(faults.operations) == 1


@pytest.mark.parametrize(
    "answer",
    [
        cancelled("None", "ThrottlingError"),
        cancelled("ConditionalCheckFailed", "ProvisionedThroughputExceeded"),
        failure("TransactionInProgressException"),
        failure("TransactionCanceledException"),
    ],
)
def test_a_transaction_that_fails_is_unavailable_at_once(
    shared: DynamoCounters, faults: Faults, answer: Answer
) -> None:
    faults.failing = answer
    with pytest.raises(StoreUnavailable):
        shared.take([demand("k"), demand("other")], NOW)
    assert len(faults.operations) == 1


def test_a_store_that_is_down_is_unavailable(
    shared: DynamoCounters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", DOWN)
    with pytest.raises(StoreUnavailable):
        shared.take([demand()], NOW)


def test_a_store_that_is_slow_is_not_asked_again(runtime: Runtime, faults: Faults) -> None:
    clock = Clock()
    over_aws(runtime).take([demand()], NOW)
    late = over_aws(runtime, clock)
    clock.advance(0.11)
    with pytest.raises(StoreUnavailable, match="slow"):
        late.take([demand()], NOW)
    assert len(faults.operations) == 2


def test_a_dead_store_is_left_alone_and_tried_again_later(runtime: Runtime, faults: Faults) -> None:
    clock = Clock()
    shared = over_aws(runtime, clock)
    faults.failing = failure("InternalServerError", 500)
    for _ in range(20):
        with pytest.raises(StoreUnavailable):
            shared.take([demand()], clock())
    assert len(faults.operations) == FAILURES
    faults.failing = None
    clock.advance(PAUSE / SECOND)
    assert shared.take([demand()], clock()).admitted


def test_a_throttled_item_does_not_stop_the_limits_of_others(
    shared: DynamoCounters, faults: Faults
) -> None:
    faults.answers = [failure("ThrottlingException") for _ in range(20)]
    for _ in range(20):
        with pytest.raises(StoreUnavailable):
            shared.take([demand("hot")], NOW)
    assert shared.take([demand("other")], NOW).admitted


def test_undecided_requests_are_counted(shared: DynamoCounters, faults: Faults) -> None:
    faults.answers = [failure("ThrottlingException")]
    with counting() as counted, pytest.raises(StoreUnavailable):
        shared.take([demand()], NOW)
    assert counted.errors == 1
    with counting() as counted:
        shared.take([demand()], NOW)
    assert counted.errors == 0


def test_an_answer_or_none_comes_within_three_tenths_of_a_second(
    shared: DynamoCounters, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.tables.HASTY", HASTY)
    faults.hanging = threading.Event()
    took = []
    for _ in range(FAILURES):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            shared.take([demand()], NOW)
        took.append(time.monotonic() - began)
    assert min(took) < 0.3
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="left alone"):
        shared.take([demand()], NOW)
    assert time.monotonic() - began < 0.05


def test_a_failed_write_is_not_remembered_as_one(shared: DynamoCounters, faults: Faults) -> None:
    wanted = [demand("k", bucket(limit=1))]
    faults.answers = [failure("ThrottlingException")]
    with pytest.raises(StoreUnavailable):
        shared.take(wanted, NOW)
    assert shared.take(wanted, NOW).admitted


def test_a_conflict_with_another_transaction_is_tried_again(
    shared: DynamoCounters, faults: Faults
) -> None:
    faults.answers = [cancelled("None", "TransactionConflict")]
    assert shared.take([demand("k"), demand("other")], NOW).admitted
    faults.answers = [failure("TransactionConflictException")]
    assert shared.take([demand("k")], NOW).admitted
    assert len(faults.operations) == 4


def test_a_key_without_an_end_of_conflicts_is_unavailable(
    shared: DynamoCounters, faults: Faults
) -> None:
    faults.failing = failure("TransactionConflictException")
    with pytest.raises(StoreUnavailable):
        shared.take([demand()], NOW)
    assert len(faults.operations) == 4
