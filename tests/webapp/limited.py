"""Builders of what the limits are asked: buckets, demands, and containers over one table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.webapp.containers import Clock
from tests.webapp.ratetable import RateTable
from webapp import gcra
from webapp.counters import Demand
from webapp.gcra import NANOSECONDS, Bucket
from webapp.ledger import DynamoCounters
from webapp.settings import Runtime
from webapp.tables import Stores, Usage, usage

SECOND = NANOSECONDS
NOW = Clock().now
LIFETIME = 600 * SECOND


def bucket(name: str = "a", limit: int = 2, window: int = 60, burst: int | None = None) -> Bucket:
    return Bucket(name, gcra.interval(limit, window), burst or limit)


def demand(key: str = "k", *enforced: Bucket, shadow: tuple[Bucket, ...] = ()) -> Demand:
    return Demand(key, enforced or (() if shadow else (bucket(),)), shadow)


def over_table(client: Any, clock: Clock | None = None, table: str = "limits") -> DynamoCounters:
    """The counters of one container: each of them knows only what it has seen itself."""
    return DynamoCounters(lambda: client, table, LIFETIME, clock or Clock())


def over_aws(runtime: Runtime, clock: Clock | None = None) -> DynamoCounters:
    stores = Stores(runtime.sessions_table, runtime.rate_limits_table, runtime.region)
    return DynamoCounters(
        lambda: stores.limits, runtime.rate_limits_table, LIFETIME, clock or Clock()
    )


class Fleet:
    """Containers over one table, on one clock that each of them sees with its own offset."""

    def __init__(self, *offsets: int) -> None:
        self.table = RateTable()
        self.clock = Clock()
        self.offsets = offsets
        self.containers = [over_table(self.table, self.clock) for _ in offsets]

    def admits(self, container: int, *demands: Demand) -> bool:
        now = self.clock() + self.offsets[container]
        return self.containers[container].take(demands, now).admitted


@contextmanager
def counting() -> Iterator[Usage]:
    """What is counted as one call's usage until the block ends."""
    counted = Usage()
    token = usage.set(counted)
    yield counted
    usage.reset(token)
