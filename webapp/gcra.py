"""The generic cell rate algorithm in integer nanoseconds, without clock or storage.

A bucket's whole state is its theoretical arrival time (TAT): ITU-T I.371, virtual scheduling. A
missing TAT and one in the past both mean a full bucket.
"""

from typing import NamedTuple

NANOSECONDS = 1_000_000_000


class Bucket(NamedTuple):
    """`capacity` requests at once, then one each `interval` nanoseconds."""

    name: str
    interval: int
    capacity: int

    @property
    def tolerance(self) -> int:
        """How far ahead of now the TAT may be for one more request to pass (tau)."""
        return (self.capacity - 1) * self.interval


def interval(limit: int, window: int) -> int:
    """Nanoseconds between two of `limit` requests in `window` seconds, rounded up: never over."""
    return -(-window * NANOSECONDS // limit)


def admits(bucket: Bucket, tat: int, now: int) -> bool:
    return tat <= now + bucket.tolerance


def advance(bucket: Bucket, tat: int, now: int) -> int:
    """The TAT after one request has passed."""
    return max(tat, now) + bucket.interval


def remaining(bucket: Bucket, tat: int, now: int) -> int:
    """How many more requests would pass at once."""
    ahead = max(tat - now, 0)
    return max((bucket.tolerance + bucket.interval - ahead) // bucket.interval, 0)


def seconds_to_full(tat: int, now: int) -> int:
    return -(-max(tat - now, 0) // NANOSECONDS)


def seconds_to_next(bucket: Bucket, tat: int, now: int) -> int:
    """Whole seconds until one more request would pass, never early."""
    return -(-max(tat - bucket.tolerance - now, 0) // NANOSECONDS)
