"""Rate counters: what is asked of them, what they answer, and those of one container's memory."""

from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple, Protocol

from webapp import gcra
from webapp.gcra import Bucket
from webapp.recent import Recent

REMEMBERED_KEYS = 10_000

State = dict[str, int]
"""The TAT of each bucket of a key, by the bucket's name."""


class StoreUnavailable(Exception):
    """The counters could not be asked: down, slow, throttled or too contended."""


class Demand(NamedTuple):
    """One unit of each bucket of one key.

    `enforced` buckets decide; the other buckets (in shadow) only count, and never stand in the way.
    """

    key: str
    enforced: tuple[Bucket, ...]
    shadow: tuple[Bucket, ...] = ()

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        return self.enforced + self.shadow

    def tally(self, state: State, now: int) -> "Tally":
        """What a key in this state has for the demand, before anything is taken."""
        tats = {b.name: gcra.trusted(b, state.get(b.name, 0), now) for b in self.buckets}
        passed = frozenset(b.name for b in self.buckets if gcra.admits(b, tats[b.name], now))
        return Tally(tats, passed)

    def met(self, tally: "Tally") -> bool:
        return all(bucket.name in tally.passed for bucket in self.enforced)


class Tally(NamedTuple):
    """One key after a decision: the TAT of each bucket, and which buckets had a unit."""

    state: State
    passed: frozenset[str]

    def taken(self, demand: Demand, now: int) -> State:
        """The TATs once a unit is taken: a shadow bucket that is empty is left alone."""
        return self.state | {
            b.name: gcra.advance(b, self.state[b.name], now)
            for b in demand.buckets
            if b.name in self.passed
        }


class Outcome(NamedTuple):
    """Whether all demands were met, and a tally each; if not met, nothing was taken.

    `blocked`: an operator has shut one of the keys out.
    """

    admitted: bool
    tallies: tuple[Tally, ...]
    blocked: bool = False


class Counters(Protocol):
    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        """Take one unit for every demand, or nothing at all. Raises StoreUnavailable."""
        ...


class MemoryCounters:
    """The counters of one container: what `onStoreError: local` falls back to."""

    def __init__(self) -> None:
        self._states: Recent[str, State] = Recent(REMEMBERED_KEYS)
        self._lock = Lock()

    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        with self._lock:
            known = [self._states.get(demand.key) or {} for demand in demands]
            tallies = tuple(d.tally(state, now) for d, state in zip(demands, known, strict=True))
            if not all(d.met(tally) for d, tally in zip(demands, tallies, strict=True)):
                return Outcome(False, tallies)
            taken = [t.taken(d, now) for d, t in zip(demands, tallies, strict=True)]
            for demand, before, after in zip(demands, known, taken, strict=True):
                self._states.put(demand.key, before | after)
            passed = [tally.passed for tally in tallies]
            return Outcome(True, tuple(map(Tally, taken, passed)))
