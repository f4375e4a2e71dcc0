"""No interleaving of containers admits more than a policy allows: many random schedules."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webapp.limited import NOW, SECOND, Fleet
from webapp import gcra
from webapp.counters import Demand
from webapp.gcra import NANOSECONDS, Bucket

SKEW = SECOND // 2


class Rule(NamedTuple):
    limit: int
    window: int
    burst: int

    def bucket(self, name: str) -> Bucket:
        return Bucket(name, gcra.interval(self.limit, self.window), self.burst)


class Step(NamedTuple):
    """After `pause`, `count` requests to one container, `wait` apart, for some of the keys.

    `rival` is asked for as much just before each write: between another's decision and its write.
    """

    container: int
    rival: int
    pause: int
    wait: int
    count: int
    keys: frozenset[int]


class Reference:
    """A token bucket in exact fractions, fed with what was admitted; skew adds to its size."""

    def __init__(self, rule: Rule, skew: int) -> None:
        self.rate = Fraction(rule.limit, rule.window * NANOSECONDS)
        self.level = self.size = rule.burst + skew * self.rate
        self.at = NOW

    def spend(self, now: int) -> None:
        self.level = min(self.size, self.level + (now - self.at) * self.rate) - 1
        self.at = now
        assert self.level >= 0, "more was admitted than the policy allows"


rules = st.builds(
    Rule,
    st.integers(1, 300),
    st.sampled_from([1, 10, 30, 60]) | st.integers(1, 3_600),
    st.integers(1, 5) | st.integers(20, 300),
)
steps = st.builds(
    Step,
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3 * SECOND) | st.integers(0, 100 * SECOND),
    st.sampled_from([0, SECOND // 100, SECOND // 30]) | st.integers(0, SECOND),
    st.integers(1, 150),
    st.sampled_from([frozenset({0}), frozenset({1}), frozenset({0, 1})]),
)
ONLY = frozenset({0})

# A container leases, rests, and asks again once another has emptied the bucket.
rested = st.tuples(
    st.builds(
        Step, st.just(0), st.just(0), st.just(0), st.integers(SECOND // 50, SECOND // 4),
        st.integers(20, 150), st.just(ONLY),
    ),
    st.builds(
        Step, st.just(1), st.just(1), st.integers(0, 2 * SECOND), st.just(0),
        st.just(150), st.just(ONLY),
    ),
    st.just(Step(0, 0, 0, 0, 20, ONLY)),
)  # fmt: skip
schedules = st.lists(steps, min_size=1, max_size=9) | rested.map(list)
offsets = st.lists(st.integers(0, SKEW), min_size=4, max_size=4)
keys = st.tuples(
    st.lists(rules, min_size=1, max_size=3).map(tuple),
    st.lists(rules, min_size=1, max_size=2).map(tuple),
)


def race(keys: Sequence[Sequence[Rule]], schedule: Sequence[Step], offsets: Sequence[int]) -> Fleet:
    """Plays a schedule; fails at the first request too many."""
    fleet, racing = Fleet(*offsets), False
    skew = max(offsets) - min(offsets)
    references = [[Reference(rule, skew) for rule in rules] for rules in keys]
    demands = [
        Demand(f"key{k}", tuple(rule.bucket(f"p{n}") for n, rule in enumerate(rules)))
        for k, rules in enumerate(keys)
    ]

    def ask(container: int, wanted: frozenset[int]) -> None:
        if fleet.admits(container, *(demands[k] for k in sorted(wanted))):
            for k in wanted:
                for reference in references[k]:
                    reference.spend(fleet.clock())

    for step in schedule:
        fleet.clock.now += step.pause

        def rival(step: Step = step) -> None:
            nonlocal racing
            if not racing and step.rival != step.container:
                racing = True
                ask(step.rival, step.keys)
                racing = False

        fleet.table.before = rival
        for _ in range(step.count):
            fleet.clock.now += step.wait
            ask(step.container, step.keys)
    return fleet


@settings(max_examples=60)
@given(keys, schedules, offsets)
def test_no_schedule_admits_too_much(
    keys: Sequence[Sequence[Rule]], schedule: list[Step], offsets: list[int]
) -> None:
    race(keys, schedule, offsets)


@pytest.mark.slow
@settings(max_examples=6_000)
@given(keys, schedules, offsets)
def test_none_of_many_schedules_admits_too_much(
    keys: Sequence[Sequence[Rule]], schedule: list[Step], offsets: list[int]
) -> None:
    race(keys, schedule, offsets)


def step(container: int, wait: int = 0, count: int = 300, pause: int = 0) -> Step:
    return Step(container, container, pause, wait, count, ONLY)


def test_a_lease_kept_while_the_bucket_refills_admits_nothing_more() -> None:
    for warm in range(200, 240, 8):
        schedule = [step(0, SECOND // 20, warm), step(1, pause=SECOND), step(0)]
        fleet = race([[Rule(30, 1, 300)], [Rule(1, 1, 1)]], schedule, [0, 0])
        assert fleet.table.writes < warm + 300


def test_containers_together_admit_all_that_the_policy_allows() -> None:
    fleet, rule = Fleet(0, 0, 0), Rule(60, 60, 5)
    wanted = Demand("k", (rule.bucket("p"),))
    admitted = 0
    for number in range(120 * 10):
        fleet.clock.now += SECOND // 10
        admitted += fleet.admits(number % 3, wanted)
    assert admitted == 5 + 119
