from fractions import Fraction

import pytest

from tests.webapp.containers import Clock
from tests.webapp.limited import NOW, SECOND, Fleet, bucket, demand, over_table
from tests.webapp.ratetable import RateTable, failed
from webapp.counters import Demand, StoreUnavailable
from webapp.gcra import Bucket
from webapp.leases import ONE, Lease, Pace, units

DAILY = bucket("daily", 10_000, 86_400)


def pace(requests: int, seconds: float) -> float:
    measured, found = Pace(), 0.0
    for number in range(requests):
        found = measured.count(NOW + int(number * seconds * SECOND / requests))
    return found


def wanted(of: Bucket, tat: int = 0, pace: float = 40, **others: int) -> int:
    return units(demand("k", of), {of.name: tat}, NOW, pace).get(of.name, 1)


def lease(of: Bucket, taken: int) -> Lease:
    state = {of.name: NOW + taken * of.interval}
    return Lease(demand("k", of), {of.name: taken}, state, NOW)


class Busy:
    """A container that a key has kept busy for a while: `rate` requests a second."""

    def __init__(self, *demands: Demand, rate: int = 40) -> None:
        self.table, self.clock, self.demands = RateTable(), Clock(), demands
        self.counters = over_table(self.table, self.clock)
        self.rate = rate

    def ask(self, *demands: Demand) -> bool:
        self.clock.now += SECOND // self.rate
        return self.counters.take(demands or self.demands, self.clock()).admitted

    def warm(self, requests: int = 400) -> None:
        assert all(self.ask() for _ in range(requests))


def served(busy: Busy) -> int:
    """The TAT of the one bucket of a busy key, with one more request served from its lease."""
    writes = busy.table.writes
    (tally,) = busy.counters.take(busy.demands, busy.clock()).tallies
    assert busy.table.writes == writes, "not leased"
    (tat,) = tally.state.values()
    return tat


# how fast a key is asked for


def test_the_pace_is_that_of_the_last_seconds() -> None:
    assert pace(4_000, 100) == pytest.approx(40, rel=0.1)
    assert pace(1, 1) < 1
    assert pace(20, 1) == pytest.approx(2, rel=0.1)


def test_a_pace_fades() -> None:
    measured = Pace()
    for number in range(400):
        measured.count(NOW + number * SECOND // 40)
    assert measured.count(NOW + 100 * SECOND) < 0.2


def test_a_clock_that_goes_back_does_not_break_the_pace() -> None:
    measured = Pace()
    measured.count(NOW)
    assert measured.count(NOW - SECOND) == pytest.approx(0.2)


# how much is taken


def test_a_busy_key_takes_a_second_of_its_pace() -> None:
    assert wanted(DAILY, pace=40.7) == 40


def test_a_key_seen_now_and_then_is_not_leased() -> None:
    assert wanted(DAILY, pace=1.9) == 1


def test_small_limits_are_never_leased() -> None:
    assert wanted(bucket(limit=15, window=86_400)) == 1
    assert wanted(bucket(limit=16, window=86_400)) == 2


def test_a_lease_shrinks_to_one_near_the_limit() -> None:
    taken = [wanted(DAILY, NOW + n * DAILY.interval) for n in (0, 9_800, 9_900, 9_984, 9_990)]
    assert taken == [40, 25, 12, 2, 1]


def test_a_key_slower_than_its_bucket_leases_only_of_the_top() -> None:
    quick = bucket("quick", 1_000, 10)
    assert wanted(quick, pace=20) == 50  # 100 a second: 10 requests, 5 units each
    assert wanted(quick, NOW + 30 * quick.interval, pace=20) == 20
    assert wanted(quick, NOW + 50 * quick.interval, pace=20) == 1


def test_a_bucket_that_has_no_room_keeps_all_of_them_exact() -> None:
    few = bucket("few", 5)
    both = demand("k", DAILY, few)
    assert units(both, {"daily": 0, "few": 0}, NOW, 40) is ONE
    in_shadow = demand("k", DAILY, shadow=(few,))
    assert units(in_shadow, {"daily": 0, "few": 0}, NOW, 40) is ONE


# what it is worth


@pytest.mark.parametrize("later", [0.0, 0.5, 1.0, 1.4, 1.9])
def test_what_is_not_used_decays_as_the_bucket_refills(later: float) -> None:
    of = bucket("b", 10, 1, burst=100)
    held, now = lease(of, 15), NOW + int(later * SECOND)
    served = 0
    while held.take(now):
        served += 1
    # one of the 15 was served when it was taken; by then that unit has decayed as well
    assert served == max(min(14, 15 - Fraction(str(later)) * 10 // 1), 0)


def test_a_lease_in_use_decays_no_further() -> None:
    of = bucket("b", 10, 1, burst=100)
    held = lease(of, 15)
    assert [held.take(NOW + n * SECOND // 10) for n in range(1, 16)] == [True] * 14 + [False]


def test_a_lease_ends_soon_however_much_is_left() -> None:
    assert lease(DAILY, 40).take(NOW + 2 * SECOND - 1)
    assert not lease(DAILY, 40).take(NOW + 2 * SECOND)
    assert not lease(DAILY, 40).take(NOW - 1)


def test_a_lease_ends_with_the_first_bucket_that_is_used_up() -> None:
    many, few = bucket("many", 1_000, 86_400), bucket("few", 500, 86_400)
    state = {"many": NOW + 5 * many.interval, "few": NOW + 2 * few.interval}
    held = Lease(demand("k", many, few), {"many": 5, "few": 2}, state, NOW)
    assert [held.take(NOW) for _ in range(3)] == [True, False, False]


def test_a_unit_given_back_can_be_taken_again() -> None:
    held = lease(DAILY, 3)
    assert held.take(NOW)
    state = held.state()
    assert held.take(NOW)
    held.give_back()
    assert held.state() == state
    assert [held.take(NOW), held.take(NOW)] == [True, False]


# leases and the table


def test_a_busy_key_costs_a_fraction_of_a_write() -> None:
    busy = Busy(demand("k", DAILY))
    busy.warm()
    busy.table.writes = 0
    busy.warm()
    assert busy.table.writes <= 16


def test_a_container_alone_is_told_the_same_as_without_leases() -> None:
    busy, of = Busy(demand("k", DAILY)), DAILY
    tat = 0
    for _ in range(500):
        busy.clock.now += SECOND // 40
        (tally,) = busy.counters.take(busy.demands, busy.clock()).tallies
        tat = max(tat, busy.clock()) + of.interval
        assert tally.state == {"daily": tat}
        assert tally.passed == {"daily"}
    assert busy.table.writes < 100


def test_a_container_alone_admits_to_the_last_unit() -> None:
    busy = Busy(demand("k", bucket("b", 300, 86_400)), rate=100)
    assert [busy.ask() for _ in range(500)].count(True) == 300


def test_buckets_of_one_key_are_leased_together() -> None:
    both = demand("k", bucket("hour", 5_000, 3_600), bucket("day", 10_000, 86_400))
    busy = Busy(both)
    busy.warm()
    busy.table.writes = 0
    busy.warm()
    assert busy.table.writes <= 16
    (tally,) = busy.counters.take([both], busy.clock()).tallies
    assert tally.state["day"] == NOW + SECOND // 40 + 801 * both.buckets[1].interval


def test_a_lease_serves_no_demand_for_other_buckets_of_the_key() -> None:
    busy = Busy(demand("k", DAILY))
    busy.warm()
    narrow = demand("k", DAILY, bucket("narrow", 3))
    assert [busy.ask(narrow) for _ in range(5)].count(True) == 3


def test_a_refusal_by_another_key_gives_the_leased_unit_back() -> None:
    hot, few = demand("hot", bucket("b", 1_000, 86_400)), demand("few", bucket("f", 1))
    busy = Busy(hot)
    busy.warm(400)
    busy.ask(hot, few)
    before = served(busy)
    assert not any(busy.counters.take([hot, few], busy.clock()).admitted for _ in range(5))
    assert served(busy) - before == hot.buckets[0].interval


def test_a_store_that_fails_gives_the_leased_unit_back() -> None:
    busy = Busy(demand("hot", DAILY))
    busy.warm()
    before = served(busy)

    def fail() -> None:
        raise failed("ThrottlingException")

    busy.table.before = fail
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            busy.counters.take([*busy.demands, demand("other")], busy.clock())
    assert served(busy) - before == DAILY.interval


def test_a_leased_key_leaves_only_the_others_to_be_written() -> None:
    shared_key = demand("global", bucket("g", 1_000_000, 86_400))
    busy = Busy(shared_key)
    busy.warm()
    busy.table.writes = 0
    users = [demand(f"user:{n}", bucket("u", 10)) for n in range(40)]
    assert all(busy.ask(shared_key, user) for user in users)
    assert busy.table.writes <= len(users) + 6


def test_a_block_reaches_a_leased_key_within_seconds() -> None:
    busy = Busy(demand("k", DAILY))
    busy.warm()
    busy.table.items["k"]["blocked"] = {"N": str(busy.clock() + 3600 * SECOND)}
    admitted = [busy.ask() for _ in range(200)]
    assert not any(admitted[2 * busy.rate :])


@pytest.mark.parametrize("containers", [1, 2, 8])
def test_what_stays_unused_is_bounded(containers: int) -> None:
    """Whoever asks at the end gets what is left but for an eighth, at most, in each lease."""
    fleet, of = Fleet(*[0] * containers), demand("k", bucket("b", 1_000, 86_400))
    admitted = 0
    for number in range(3_000):
        fleet.clock.now += SECOND // 200
        admitted += fleet.admits(number % containers, of)
    assert 950 <= admitted <= 1_000
