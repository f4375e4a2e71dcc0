"""The same behaviour, wherever the buckets are kept."""

import pytest

from tests.webapp.limited import NOW, SECOND, bucket, demand, over_aws, over_table
from tests.webapp.ratetable import RateTable
from webapp.counters import Counters, MemoryCounters
from webapp.settings import Runtime


@pytest.fixture(params=["memory", "table", "dynamo"])
def counters(request: pytest.FixtureRequest) -> Counters:
    if request.param == "memory":
        return MemoryCounters()
    if request.param == "table":
        return over_table(RateTable())
    runtime: Runtime = request.getfixturevalue("runtime")
    return over_aws(runtime)


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


def test_buckets_of_a_key_that_are_asked_for_in_turn_keep_their_counts(counters: Counters) -> None:
    one, two = demand("k", bucket("one", 2)), demand("k", bucket("two", 2))
    admitted = [counters.take([wanted], NOW).admitted for wanted in (one, two) * 3]
    assert admitted == [True] * 4 + [False] * 2


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
