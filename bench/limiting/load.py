"""Offered load on a simulated clock, and what a design made of it."""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bench.limiting.designs import Design, Policy
from webapp import gcra
from webapp.gcra import NANOSECONDS

# On demand, us-east-1, November 2026: a million request units.
_WRITES_USD = 0.625
_READS_USD = 0.125

# A window of a minute begins here.
START = 1_750_000_020 * NANOSECONDS


class Load(NamedTuple):
    """Requests a second over all containers, arriving at random (Poisson) from `start` on."""

    containers: int
    rate: float
    seconds: float
    start: int = START

    def arrivals(self) -> Iterator[tuple[int, int]]:
        """The time of each request and its container, the same at every call."""
        chance = random.Random(8)  # noqa: S311
        now, end = self.start, self.start + int(self.seconds * NANOSECONDS)
        while (now := now + int(chance.expovariate(self.rate) * NANOSECONDS)) < end:
            yield now, chance.randrange(self.containers)


class Result(NamedTuple):
    """`allowed`: what one limiter that sees every request would admit; `over`: more than that
    limiter would let pass of those that were admitted.
    """

    requests: int
    admitted: int
    allowed: int
    over: int
    reads: int
    writes: int

    @property
    def dollars(self) -> float:
        """For a million requests."""
        return (self.writes * _WRITES_USD + self.reads * _READS_USD) / self.requests


def play(load: Load, policy: Policy, design: Design) -> Result:
    admitted = [now for now, container in load.arrivals() if design.admits(container, now)]
    offered = [now for now, _ in load.arrivals()]
    return Result(
        requests=len(offered),
        admitted=len(admitted),
        allowed=_passing(offered, policy),
        over=len(admitted) - _passing(admitted, policy),
        reads=design.reads,
        writes=design.writes,
    )


def _passing(times: list[int], policy: Policy) -> int:
    """How many of these requests a plain limiter admits."""
    bucket, tat, passed = policy.bucket, 0, 0
    for now in times:
        if gcra.admits(bucket, tat, now):
            tat = gcra.advance(bucket, tat, now)
            passed += 1
    return passed


def each(load: Load, admits: Callable[[int, int], bool]) -> tuple[int, int]:
    """Requests, and how many of them were admitted, where nothing is compared."""
    admitted = [admits(container, now) for now, container in load.arrivals()]
    return len(admitted), sum(admitted)
