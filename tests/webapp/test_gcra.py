from fractions import Fraction
from itertools import accumulate, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp import gcra
from webapp.gcra import NANOSECONDS, Bucket

limits = st.integers(1, 1_000)
windows = st.integers(1, 86_400)
bursts = st.integers(1, 12)
gaps = st.lists(st.integers(0, 3 * NANOSECONDS) | st.integers(0, 10**15), max_size=40)


def bucket(limit: int = 2, window: int = 60, burst: int | None = None) -> Bucket:
    return Bucket("b", gcra.interval(limit, window), limit if burst is None else burst)


def admitted(of: Bucket, arrivals: list[int]) -> list[int]:
    tat, passed = 0, []
    for now in arrivals:
        if gcra.admits(of, tat, now):
            tat = gcra.advance(of, tat, now)
            passed.append(now)
    return passed


def tokens(of: Bucket, arrivals: list[int]) -> list[int]:
    """A plain token bucket: full at first, one token each interval, in exact fractions."""
    level, before, passed = Fraction(of.capacity), 0, []
    for now in arrivals:
        level = min(level + Fraction(now - before, of.interval), Fraction(of.capacity))
        before = now
        if level >= 1:
            level -= 1
            passed.append(now)
    return passed


@pytest.mark.parametrize(
    ("limit", "window", "nanoseconds"),
    [(1, 1, 10**9), (60, 60, 10**9), (3, 1, 333_333_334), (7, 60, 8_571_428_572), (10**9, 1, 1)],
)
def test_the_interval_is_rounded_up(limit: int, window: int, nanoseconds: int) -> None:
    assert gcra.interval(limit, window) == nanoseconds


@given(limits, windows, bursts, gaps)
def test_no_interval_sees_more_than_the_bound(
    limit: int, window: int, burst: int, waits: list[int]
) -> None:
    passed = admitted(bucket(limit, window, burst), list(accumulate(waits, initial=10**18)))
    for i, j in combinations(range(len(passed)), 2):
        allowed = burst + Fraction(limit * (passed[j] - passed[i]), window * NANOSECONDS)
        assert j - i + 1 <= allowed


@given(limits, windows, bursts, gaps)
def test_decides_as_a_token_bucket(limit: int, window: int, burst: int, waits: list[int]) -> None:
    arrivals = list(accumulate(waits, initial=10**18))
    of = bucket(limit, window, burst)
    assert admitted(of, arrivals) == tokens(of, arrivals)


@given(bursts, st.integers(0, 20), st.integers(0, 10**12))
def test_remaining_is_how_many_more_pass_at_once(burst: int, taken: int, later: int) -> None:
    of, start = bucket(7, 60, burst), 10**18
    tat = start
    for _ in range(taken):
        if gcra.admits(of, tat, start):
            tat = gcra.advance(of, tat, start)
    now = start + later
    left = gcra.remaining(of, tat, now)
    for _ in range(left):
        assert gcra.admits(of, tat, now)
        tat = gcra.advance(of, tat, now)
    assert not gcra.admits(of, tat, now)


@given(limits, windows, bursts, st.integers(0, 10**15))
def test_the_next_passes_after_the_seconds_told_and_not_a_second_earlier(
    limit: int, window: int, burst: int, ahead: int
) -> None:
    of, now = bucket(limit, window, burst), 10**18
    wait = gcra.seconds_to_next(of, now + ahead, now)
    assert gcra.admits(of, now + ahead, now + wait * NANOSECONDS)
    if wait:
        assert not gcra.admits(of, now + ahead, now + (wait - 1) * NANOSECONDS)


def test_a_bucket_is_full_when_its_time_has_come() -> None:
    assert gcra.seconds_to_full(0, 10**18) == 0
    assert gcra.seconds_to_full(10**18, 10**18) == 0
    assert gcra.seconds_to_full(10**18 + 1, 10**18) == 1
    assert gcra.seconds_to_full(10**18 + NANOSECONDS, 10**18) == 1
    assert gcra.remaining(bucket(2), 10**18, 10**18) == 2


@given(limits, windows, bursts, st.integers(-(10**15), 10**15))
def test_only_what_no_synchronised_clock_can_have_written_is_not_trusted(
    limit: int, window: int, burst: int, ahead: int
) -> None:
    of, now = bucket(limit, window, burst), 10**18
    tat = gcra.trusted(of, now + ahead, now)
    if ahead <= of.span + gcra.SKEW:
        assert tat == now + ahead
    else:
        assert gcra.remaining(of, tat, now) == 1


@given(limits, windows, bursts, st.integers(0, 5), st.integers(0, 10**12))
def test_several_units_at_once_are_as_many_one_by_one(
    limit: int, window: int, burst: int, units: int, ahead: int
) -> None:
    of, now = bucket(limit, window, burst), 10**18
    tat = now + ahead
    for _ in range(units):
        tat = gcra.advance(of, tat, now)
    assert gcra.advance(of, now + ahead, now, units) == tat
