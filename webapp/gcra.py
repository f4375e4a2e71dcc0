"""The generic cell rate algorithm in integer nanoseconds, without clock or storage.

A bucket's whole state is its theoretical arrival time (TAT): ITU-T I.371, virtual scheduling. A
missing TAT and one in the past both mean a full bucket.
"""

from typing import NamedTuple

NANOSECONDS = 1_000_000_000

# No clock that is synchronised at all is further from another.
SKEW = NANOSECONDS


class Bucket(NamedTuple):
    """`capacity` requests at once, then one each `interval` nanoseconds."""

    name: str
    interval: int
    capacity: int

    @property
    def span(self) -> int:
        """How long an empty bucket takes to fill."""
        return self.capacity * self.interval

    @property
    def tolerance(self) -> int:
        """How far ahead of now the TAT may be for one more request to pass (tau)."""
        return self.span - self.interval


def interval(limit: int, window: int) -> int:
    """Nanoseconds between two of `limit` requests in `window` seconds, rounded up: never over."""
    return -(-window * NANOSECONDS // limit)


def farthest(bucket: Bucket, now: int) -> int:
    """The latest TAT that a container with a synchronised clock can have written."""
    return now + bucket.span + SKEW


def trusted(bucket: Bucket, tat: int, now: int) -> int:
    """`tat`, unless a clock in the future or a longer policy wrote it: then one unit is left.

    Without this such a bucket would refuse until that future has come.
    """
    return tat if tat <= farthest(bucket, now) else now + bucket.tolerance


def admits(bucket: Bucket, tat: int, now: int) -> bool:
    return tat <= now + bucket.tolerance


def advance(bucket: Bucket, tat: int, now: int, units: int = 1) -> int:
    """The TAT after `units` requests have passed."""
    return max(tat, now) + units * bucket.interval


def remaining(bucket: Bucket, tat: int, now: int) -> int:
    """How many more requests would pass at once."""
    return max((bucket.span - max(tat - now, 0)) // bucket.interval, 0)


def seconds_to_full(tat: int, now: int) -> int:
    return -(-max(tat - now, 0) // NANOSECONDS)


def seconds_to_next(bucket: Bucket, tat: int, now: int) -> int:
    """Whole seconds until one more request would pass, never early."""
    return -(-max(tat - bucket.tolerance - now, 0) // NANOSECONDS)
