import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import accumulate, combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webapp.faults import DOWN, Faults, failure
from webapp import gcra
from webapp.counters import Counters, Demand, DynamoCounters, MemoryCounters, StoreUnavailable
from webapp.gcra import NANOSECONDS, Bucket
from webapp.local.wire import Answer
from webapp.settings import Runtime
from webapp.tables import HASTY, Stores, Usage, usage

NOW = 1_750_000_000 * NANOSECONDS
SECOND = NANOSECONDS
LIFETIME = 600 * SECOND

Make = Callable[[], Counters]


def bucket(name: str = "a", limit: int = 2, window: int = 60, burst: int | None = None) -> Bucket:
    return Bucket(name, gcra.interval(limit, window), burst or limit)


def demand(key: str = "k", *enforced: Bucket, shadow: tuple[Bucket, ...] = ()) -> Demand:
    return Demand(key, enforced or (() if shadow else (bucket(),)), shadow)


def dynamo(runtime: Runtime) -> DynamoCounters:
    """The counters of one container: each of them knows only what it has seen itself."""
    stores = Stores(runtime.sessions_table, runtime.rate_limits_table, runtime.region)
    return DynamoCounters(lambda: stores.limits, runtime.rate_limits_table, LIFETIME)


@pytest.fixture
def shared(runtime: Runtime) -> DynamoCounters:
    return dynamo(runtime)


@pytest.fixture(params=["memory", "dynamo"])
def counters(request: pytest.FixtureRequest) -> Counters:
    if request.param == "memory":
        return MemoryCounters()
    found: Counters = request.getfixturevalue("shared")
    return found


@pytest.fixture
def counted() -> Iterator[Usage]:
    counted = Usage()
    token = usage.set(counted)
    yield counted
    usage.reset(token)


def stored(stores: Stores, key: str = "k") -> dict[str, Any]:
    answer = stores.limits.get_item(
        TableName=stores.rate_limits_table, Key={"rate_limit_key": {"S": key}}
    )
    item: dict[str, Any] = answer.get("Item", {})
    return item


# the same behaviour, wherever the buckets are kept


def test_exactly_the_burst_passes_at_once(counters: Counters) -> None:
    wanted = [demand("k", bucket(limit=5))]
    assert [counters.take(wanted, NOW).admitted for _ in range(7)] == [True] * 5 + [False] * 2


def test_one_more_passes_after_each_interval(counters: Counters) -> None:
    wanted = [demand("k", bucket(limit=2, window=60))]
    arrivals = [0, 0, 29, 30, 30, 59, 60, 1_000, 1_000, 1_000]
    passed = [counters.take(wanted, NOW + at * SECOND).admitted for at in arrivals]
    assert passed == [True, True, False, True, False, False, True, True, True, False]


def test_keys_do_not_share_their_buckets(counters: Counters) -> None:
    one = bucket(limit=1)
    assert counters.take([demand("k", one)], NOW).admitted
    assert counters.take([demand("other", one)], NOW).admitted


def test_a_tally_tells_the_time_of_each_bucket(counters: Counters) -> None:
    a, b = bucket("a", 2, 60), bucket("b", 60, 60)
    for taken in (1, 2):
        (tally,) = counters.take([demand("k", a, b)], NOW).tallies
        assert tally.state == {"a": NOW + taken * 30 * SECOND, "b": NOW + taken * SECOND}
        assert tally.passed == {"a", "b"}


def test_a_refusal_takes_nothing_from_the_other_buckets_of_the_key(counters: Counters) -> None:
    empty, full = bucket("empty", 1), bucket("full", 5)
    counters.take([demand("k", empty)], NOW)
    for _ in range(3):
        refused = counters.take([demand("k", full, empty)], NOW)
        assert not refused.admitted
        assert refused.tallies[0].passed == {"full"}
    assert [counters.take([demand("k", full)], NOW).admitted for _ in range(6)].count(True) == 5


def test_a_refusal_takes_nothing_from_other_keys(counters: Counters) -> None:
    empty, full = demand("empty", bucket("e", 1)), demand("full", bucket("f", 5))
    counters.take([empty], NOW)
    for wanted in ([full, empty], [empty, full]):
        assert not counters.take(wanted, NOW).admitted
    assert [counters.take([full], NOW).admitted for _ in range(6)].count(True) == 5


def test_several_keys_are_taken_from_together(counters: Counters) -> None:
    wanted = [demand("k", bucket("a", 2)), demand("other", bucket("b", 3))]
    assert [counters.take(wanted, NOW).admitted for _ in range(3)] == [True, True, False]
    assert counters.take([wanted[1]], NOW).admitted
    assert not counters.take([wanted[1]], NOW).admitted


def test_a_bucket_in_shadow_counts_and_never_refuses(counters: Counters) -> None:
    shadow = bucket("shadow", 2)
    outcomes = [counters.take([demand("k", shadow=(shadow,))], NOW) for _ in range(4)]
    assert all(outcome.admitted for outcome in outcomes)
    assert [bool(outcome.tallies[0].passed) for outcome in outcomes] == [True, True, False, False]


def test_an_empty_bucket_in_shadow_keeps_no_other_from_counting(counters: Counters) -> None:
    wanted = [demand("k", bucket("a", 3), shadow=(bucket("shadow", 1),))]
    assert [counters.take(wanted, NOW).admitted for _ in range(4)] == [True] * 3 + [False]


def test_a_refusal_takes_nothing_from_buckets_in_shadow(counters: Counters) -> None:
    shadow = bucket("shadow", 2)
    wanted = [demand("k", bucket("a", 1), shadow=(shadow,))]
    for _ in range(3):
        counters.take(wanted, NOW)
    (tally,) = counters.take([demand("k", shadow=(shadow,))], NOW).tallies
    assert tally.passed == {"shadow"}


def test_a_full_bucket_is_not_fuller_after_a_long_time(counters: Counters) -> None:
    wanted = [demand("k", bucket(limit=2))]
    counters.take(wanted, NOW)
    later = NOW + 10**6 * SECOND
    assert [counters.take(wanted, later).admitted for _ in range(3)] == [True, True, False]


# memory


def test_memory_is_bounded_and_forgets_the_key_used_least_recently(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webapp.counters.REMEMBERED_KEYS", 2)
    counters, one = MemoryCounters(), bucket(limit=1)
    for key in ("a", "b", "c"):
        counters.take([demand(key, one)], NOW)
    assert counters.take([demand("a", one)], NOW).admitted
    assert not counters.take([demand("c", one)], NOW).admitted


# the shared table


def test_all_buckets_of_a_key_are_one_write_to_one_item(
    shared: DynamoCounters, stores: Stores, faults: Faults
) -> None:
    wanted = [demand("k", bucket("a"), bucket("b", 5), shadow=(bucket("c", 9),))]
    for _ in range(2):
        assert shared.take(wanted, NOW).admitted
    assert faults.operations == ["UpdateItem", "UpdateItem"]
    assert set(stored(stores)) == {"rate_limit_key", "tat:a", "tat:b", "tat:c", "ttl"}


def test_several_keys_are_one_transaction(shared: DynamoCounters, faults: Faults) -> None:
    wanted = [demand("k", bucket("a")), demand("other", bucket("b"))]
    assert shared.take(wanted, NOW).admitted
    assert faults.operations == ["TransactWriteItems"]


def test_a_transaction_is_billed_twice_a_write(shared: DynamoCounters, counted: Usage) -> None:
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
    wanted = [demand("k", bucket(limit=1, window=60))]
    assert [shared.take(wanted, NOW).admitted for _ in range(5)] == [True] + [False] * 4
    assert not shared.take(wanted, NOW + 60 * SECOND - 1).admitted
    assert len(faults.operations) == 1
    assert shared.take(wanted, NOW + 60 * SECOND).admitted
    assert len(faults.operations) == 2


def test_what_another_container_refused_is_learnt_by_one_write(
    runtime: Runtime, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=1))]
    assert dynamo(runtime).take(wanted, NOW).admitted
    late = dynamo(runtime)
    assert [late.take(wanted, NOW).admitted for _ in range(3)] == [False] * 3
    assert len(faults.operations) == 2


def test_a_bucket_wrongly_thought_idle_heals_in_one_more_write(
    runtime: Runtime, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=5))]
    dynamo(runtime).take(wanted, NOW)
    faults.operations.clear()
    outcome = dynamo(runtime).take(wanted, NOW)
    assert outcome.admitted
    assert outcome.tallies[0].state == {"a": NOW + 2 * 12 * SECOND}
    assert len(faults.operations) == 2


def test_a_bucket_wrongly_thought_busy_heals_in_one_more_write(
    shared: DynamoCounters, stores: Stores, faults: Faults
) -> None:
    wanted = [demand("k", bucket(limit=5))]
    shared.take(wanted, NOW)
    stores.limits.delete_item(
        TableName=stores.rate_limits_table, Key={"rate_limit_key": {"S": "k"}}
    )
    faults.operations.clear()
    outcome = shared.take(wanted, NOW)
    assert outcome.tallies[0].state == {"a": NOW + 12 * SECOND}
    assert len(faults.operations) == 2


def test_a_wrong_guess_in_a_transaction_heals_in_one_more_write(
    runtime: Runtime, stores: Stores, faults: Faults
) -> None:
    wanted = [demand("k", bucket("a", 5)), demand("other", bucket("b", 5))]
    dynamo(runtime).take(wanted, NOW)
    faults.operations.clear()
    assert dynamo(runtime).take(wanted, NOW).admitted
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


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    schedule=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 4 * SECOND)),
        min_size=4,
        max_size=16,
    ),
    key=st.uuids().map(str),
)
def test_containers_that_race_stay_within_the_bound(
    fleet: list[DynamoCounters], schedule: list[tuple[int, int]], key: str
) -> None:
    of = bucket(limit=3, window=7, burst=2)
    wanted = [demand(key, of)]
    nows = accumulate((wait for _, wait in schedule), initial=NOW)
    passed = [
        now
        for (container, _), now in zip(schedule, nows, strict=False)
        if fleet[container].take(wanted, now).admitted
    ]
    for i, j in combinations(range(len(passed)), 2):
        assert j - i + 1 <= 2 + Fraction(3 * (passed[j] - passed[i]), 7 * NANOSECONDS)


@pytest.fixture
def fleet(runtime: Runtime) -> list[DynamoCounters]:
    return [dynamo(runtime) for _ in range(3)]


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


def test_a_store_that_does_not_answer_is_unavailable_soon(
    shared: DynamoCounters, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.tables.HASTY", HASTY)
    faults.hanging = threading.Event()
    with pytest.raises(StoreUnavailable):
        shared.take([demand()], NOW)
    assert len(faults.operations) == 1


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
