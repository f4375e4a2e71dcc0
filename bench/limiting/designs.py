"""Limiters to compare: Tollgate's with and without leases, and two that gateways are built on."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol
from unittest.mock import patch

from tests.webapp.ratetable import RateTable
from webapp import gcra
from webapp.counters import Demand
from webapp.gcra import NANOSECONDS, Bucket
from webapp.leases import ONE
from webapp.ledger import DynamoCounters

# From the read to the write of one request, in a container near its table.
_ROUND_TRIP = NANOSECONDS // 200


class Policy(NamedTuple):
    limit: int
    window: int

    @property
    def bucket(self) -> Bucket:
        return Bucket("policy", gcra.interval(self.limit, self.window), self.limit)


class Design(Protocol):
    """One key's limiter in a fleet of containers; what it has read and written is billed."""

    @property
    def reads(self) -> int: ...

    @property
    def writes(self) -> int: ...

    def admits(self, container: int, now: int, /) -> bool: ...


class Tollgate:
    """The shipped limiter over a table in memory. `demands` may stand for many keys."""

    reads = 0

    def __init__(self, containers: int, buckets: Sequence[Bucket], *, leases: bool = True) -> None:
        self.table = RateTable()
        self.buckets = tuple(buckets)
        self.leases = leases
        self._now = 0
        lifetime = max(bucket.span for bucket in buckets)
        self._fleet = [
            DynamoCounters(lambda: self.table, "t", lifetime, lambda: self._now)
            for _ in range(containers)
        ]

    @property
    def writes(self) -> int:
        return self.table.writes

    def admits(self, container: int, now: int, key: str = "k", /) -> bool:
        self._now = now
        demand = [Demand(key, self.buckets)]
        if self.leases:
            return self._fleet[container].take(demand, now).admitted
        with patch("webapp.leases.units", lambda *_: ONE):
            return self._fleet[container].take(demand, now).admitted


class ReadThenWrite:
    """The ancestor's: read the counter of the window, compare, write it back one higher."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.reads = self.writes = 0
        self._stored = (0, 0)
        self._underway: deque[tuple[int, tuple[int, int]]] = deque()

    def admits(self, _container: int, now: int, /) -> bool:
        while self._underway and self._underway[0][0] <= now:
            self._stored = self._underway.popleft()[1]
        self.reads += 1
        window = now // (self.policy.window * NANOSECONDS)
        count = self._stored[1] if self._stored[0] == window else 0
        if count >= self.policy.limit:
            return False
        self.writes += 1
        self._underway.append((now + _ROUND_TRIP, (window, count + 1)))
        return True


class FixedWindow:
    """`ADD count 1` to the item of the window, then compare what it has become."""

    reads = 0

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.writes = 0
        self._window = self._count = 0

    def admits(self, _container: int, now: int, /) -> bool:
        self.writes += 1
        window = now // (self.policy.window * NANOSECONDS)
        self._count = self._count + 1 if window == self._window else 1
        self._window = window
        return self._count <= self.policy.limit


DESIGNS: dict[str, Callable[[int, Policy], Design]] = {
    "Tollgate": lambda n, policy: Tollgate(n, [policy.bucket]),
    "Tollgate, no leases": lambda n, policy: Tollgate(n, [policy.bucket], leases=False),
    "read, then write": lambda _, policy: ReadThenWrite(policy),
    "fixed window, ADD": lambda _, policy: FixedWindow(policy),
}
