"""Leases: units that a container took of a key with one write and serves from memory.

A lease of b units occupies b intervals of the bucket's time line in the table. What it serves
advances its own TAT along them, as in any GCRA, so at time r a lease of time s is worth at most
`b - (r-s)/interval`: what is not used decays as fast as the bucket refills for all others. Served
and unserved units together never exceed what the table holds as taken, so the bound of the policy
holds for any interleaving.
"""

import math
from collections.abc import Iterable, Mapping
from threading import Lock

from webapp import gcra
from webapp.counters import Demand, State
from webapp.gcra import NANOSECONDS, Bucket
from webapp.recent import Recent

# A lease is to last about a second, and ends after two: so soon a block reaches every container.
LONGEST = 2 * NANOSECONDS

# How long a key must be asked for before its pace is believed: bursts end, and strand what is left.
_MEMORY = 10 * NANOSECONDS

# Of what is left in a bucket, one container leases at most this part.
_SHARE = 8

# A key asked for more slowly than its bucket refills loses most of a lease to decay. Only the top
# part of a bucket, which soon fills again, may be spent so.
_SPARE = 20

Units = Mapping[str, int]

ONE: Units = {}


class Pace:
    """How often a key is asked for, in requests a second; those of ten seconds ago fade out."""

    def __init__(self) -> None:
        self._requests = 0.0
        self._at = 0

    def count(self, now: int) -> float:
        faded = math.exp(-max(now - self._at, 0) / _MEMORY)
        self._requests = self._requests * faded + 1
        self._at = now
        return self._requests * NANOSECONDS / _MEMORY


def units(demand: Demand, state: State, now: int, pace: float) -> Units:
    """How many units of each bucket to take for the next second at this pace; ONE for no lease."""
    buckets = demand.buckets
    requests = int(min(pace, *(_affordable(b, state[b.name], now, pace) for b in buckets)))
    if requests < 2:
        return ONE
    return {b.name: math.ceil(requests * _stretch(b, pace)) for b in buckets}


def _stretch(bucket: Bucket, pace: float) -> float:
    """The units that each request costs: those that decay before the next one comes, too."""
    return max(1.0, NANOSECONDS / bucket.interval / pace)


def _affordable(bucket: Bucket, tat: int, now: int, pace: float) -> float:
    left = gcra.remaining(bucket, tat, now)
    stretch = _stretch(bucket, pace)
    spare = left - (bucket.capacity - bucket.capacity // _SPARE)
    return max(spare / stretch, left // _SHARE if stretch == 1 else 0)


class Lease:
    """What is left of the units of each bucket, until `LONGEST` has passed."""

    def __init__(self, demand: Demand, taken: Units, state: State, now: int) -> None:
        """`state`: the TATs after the write. One unit is already served: the one asked for."""
        self._since = now
        self._buckets = demand.buckets
        self._own = {b.name: now + b.interval for b in demand.buckets}
        self._end = {b.name: now + taken[b.name] * b.interval for b in demand.buckets}
        self._ahead = {b.name: state[b.name] - self._end[b.name] for b in demand.buckets}

    def take(self, now: int) -> bool:
        own = {b.name: gcra.advance(b, self._own[b.name], now) for b in self._buckets}
        if not 0 <= now - self._since < LONGEST or any(own[n] > self._end[n] for n in own):
            return False
        self._own = own
        return True

    def give_back(self) -> None:
        self._own = {b.name: self._own[b.name] - b.interval for b in self._buckets}

    def state(self) -> State:
        """The TATs as they would be, had only the served units been taken."""
        return {name: own + self._ahead[name] for name, own in self._own.items()}


class Leases:
    """The leases of one container and the pace of its keys.

    Both belong to a key and the buckets asked for together: another policy on the same key may be
    decided without these.
    """

    def __init__(self, size: int) -> None:
        self._paces: Recent[object, Pace] = Recent(size)
        self._leases: Recent[object, Lease] = Recent(size)
        self._lock = Lock()

    def count(self, demand: Demand, now: int) -> float:
        """The pace of a demand, with this request counted."""
        with self._lock:
            pace = self._paces.get(_holder(demand)) or Pace()
            self._paces.put(_holder(demand), pace)
            return pace.count(now)

    def take(self, demand: Demand, now: int) -> Lease | None:
        """The lease that one request was served from, if there is one and it has a unit left."""
        with self._lock:
            lease = self._leases.get(_holder(demand))
            return lease if lease and lease.take(now) else None

    def give_back(self, served: Iterable[Lease]) -> None:
        """One unit each: the request was refused by another key, or could not be decided."""
        with self._lock:
            for lease in served:
                lease.give_back()

    def begin(self, demand: Demand, taken: Units, state: State, now: int) -> Lease:
        lease = Lease(demand, taken, state, now)
        self._leases.put(_holder(demand), lease)
        return lease


def _holder(demand: Demand) -> object:
    return demand.key, tuple(bucket.name for bucket in demand.buckets)
