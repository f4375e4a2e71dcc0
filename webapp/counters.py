"""Rate counters: where the buckets are kept, and how several are taken from as one decision."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from webapp import gcra
from webapp.gcra import NANOSECONDS, Bucket
from webapp.recent import Recent

REMEMBERED_KEYS = 10_000

# The state a write depends on may change once between two tries; under any load that admits
# requests at all the second try succeeds. What still fails then counts as a store that failed.
_ATTEMPTS = 4

# Long enough after the last bucket is full that no clock still sees it otherwise.
_TTL_MARGIN_SECONDS = 60

_CONDITION_FAILED = "ConditionalCheckFailedException"
_REFUSED = "ConditionalCheckFailed"

# Set before the name of a policy in the item of a key.
_PREFIX = "tat:"

State = dict[str, int]


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

    def admitted(self, state: State, now: int) -> bool:
        return all(gcra.admits(b, state.get(b.name, 0), now) for b in self.enforced)

    def passing(self, state: State, now: int) -> tuple[Bucket, ...]:
        """The buckets that are taken from: a shadow bucket that is empty is left alone."""
        return tuple(b for b in self.buckets if gcra.admits(b, state.get(b.name, 0), now))


class Tally(NamedTuple):
    """One key after a decision: the TAT of each bucket, and which buckets had a unit."""

    state: State
    passed: frozenset[str]


class Outcome(NamedTuple):
    """Whether all demands were met, and a tally each; if not met, nothing was taken."""

    admitted: bool
    tallies: tuple[Tally, ...]


class Counters(Protocol):
    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        """Take one unit for every demand, or nothing at all. Raises StoreUnavailable."""
        ...


def _tally(demand: Demand, state: State, now: int) -> Tally:
    return Tally(state, frozenset(b.name for b in demand.passing(state, now)))


def _taken(demand: Demand, tally: Tally, now: int) -> State:
    return tally.state | {
        b.name: gcra.advance(b, tally.state.get(b.name, 0), now)
        for b in demand.buckets
        if b.name in tally.passed
    }


class MemoryCounters:
    """The counters of one container: what `onStoreError: local` falls back to."""

    def __init__(self) -> None:
        self._states: Recent[str, State] = Recent(REMEMBERED_KEYS)
        self._lock = Lock()

    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        with self._lock:
            tallies = tuple(_tally(d, self._states.get(d.key) or {}, now) for d in demands)
            if not all(d.admitted(t.state, now) for d, t in zip(demands, tallies, strict=True)):
                return Outcome(False, tallies)
            taken = [_taken(d, t, now) for d, t in zip(demands, tallies, strict=True)]
            for demand, state in zip(demands, taken, strict=True):
                self._states.put(demand.key, state)
            passed = [tally.passed for tally in tallies]
            return Outcome(True, tuple(map(Tally, taken, passed)))


class DynamoCounters:
    """Counters shared by all containers: one conditional write decides and counts.

    DynamoDB can add and compare but not take a maximum, so a write assumes for each bucket that
    its TAT is in the future (busy) or past (idle), by what this container last saw. A wrong guess
    changes nothing and brings back the true state. TATs only grow: a refusal by the last known
    state is certain and costs no write. Several keys are one transaction, at twice the price.
    """

    def __init__(self, client: Callable[[], BaseClient], table: str, lifetime: int) -> None:
        """`lifetime`: nanoseconds after which the slowest bucket of any policy is full again."""
        self._client = client
        self._lifetime = lifetime
        self._table = table
        self._known: Recent[str, State] = Recent(REMEMBERED_KEYS)

    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        for _ in range(_ATTEMPTS):
            tallies = tuple(_tally(d, self._known.get(d.key) or {}, now) for d in demands)
            if not all(d.admitted(t.state, now) for d, t in zip(demands, tallies, strict=True)):
                return Outcome(False, tallies)
            if (written := self._write(demands, tallies, now)) is not None:
                return Outcome(True, written)
        raise StoreUnavailable("contended")

    def _write(
        self, demands: Sequence[Demand], tallies: tuple[Tally, ...], now: int
    ) -> tuple[Tally, ...] | None:
        """The tallies as the table has them now, or None (the true state is known then)."""
        updates = {
            demand.key: update
            for demand, tally in zip(demands, tallies, strict=True)
            if (update := self._update(demand, tally, now))
        }
        try:
            answers = dict(zip(updates, self._send([*updates.values()]), strict=True))
        except _Outdated as outdated:
            for key, item in zip(updates, outdated.items, strict=True):
                if item is not None:
                    self._known.put(key, _state(item))
            return None
        written = tuple(
            Tally(_taken(demand, tally, now) | answers.get(demand.key, {}), tally.passed)
            for demand, tally in zip(demands, tallies, strict=True)
        )
        for demand, tally in zip(demands, written, strict=True):
            self._known.put(demand.key, tally.state)
        return written

    def _send(self, updates: list[dict[str, Any]]) -> list[State]:
        """Write all or nothing; what the table answered to each, which is nothing for several."""
        try:
            if len(updates) == 1:
                answer = self._client().update_item(**updates[0], ReturnValues="UPDATED_NEW")
                return [_state(answer["Attributes"])]
            if updates:
                items = [{"Update": update} for update in updates]
                self._client().transact_write_items(TransactItems=items)
        except ClientError as error:
            raise _outdated(error.response, len(updates)) or StoreUnavailable(
                error.response["Error"]["Code"]
            ) from error
        except (BotoCoreError, KeyError) as error:
            raise StoreUnavailable(type(error).__name__) from error
        return [{} for _ in updates]

    def _update(self, demand: Demand, tally: Tally, now: int) -> dict[str, Any] | None:
        """The write that takes from the buckets of `tally`, if its state is still the true one."""
        names, values, changes, conditions = {}, {":now": now}, [], []
        for i, bucket in enumerate(b for b in demand.buckets if b.name in tally.passed):
            names[f"#b{i}"] = _PREFIX + bucket.name
            if tally.state.get(bucket.name, 0) >= now:
                values |= {f":s{i}": bucket.interval, f":m{i}": now + bucket.tolerance}
                changes.append(f"#b{i} = #b{i} + :s{i}")
                conditions.append(f"#b{i} BETWEEN :now AND :m{i}")
            else:
                values[f":s{i}"] = now + bucket.interval
                changes.append(f"#b{i} = :s{i}")
                conditions.append(f"(attribute_not_exists(#b{i}) OR #b{i} < :now)")
        if not changes:
            return None
        values[":ttl"] = (now + self._lifetime) // NANOSECONDS + _TTL_MARGIN_SECONDS
        return {
            "TableName": self._table,
            "Key": {"rate_limit_key": {"S": demand.key}},
            "UpdateExpression": f"SET #ttl = :ttl, {', '.join(changes)}",
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names | {"#ttl": "ttl"},
            "ExpressionAttributeValues": {k: {"N": str(v)} for k, v in values.items()},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


class _Outdated(Exception):
    """A write assumed another state; for each update the item as it is, None where it fitted."""

    def __init__(self, items: list[dict[str, Any] | None]) -> None:
        self.items = items


def _outdated(response: Mapping[str, Any], updates: int) -> _Outdated | None:
    """None when the write failed for any other reason than another one at the same time."""
    code = response["Error"]["Code"]
    if code == _CONDITION_FAILED:
        return _Outdated([response.get("Item", {})])
    if code == "TransactionConflictException":
        return _Outdated([None])
    reasons = response.get("CancellationReasons", [])
    codes = {reason["Code"] for reason in reasons}
    if len(reasons) != updates or not codes <= {"None", _REFUSED, "TransactionConflict"}:
        return None
    return _Outdated([r.get("Item", {}) if r["Code"] == _REFUSED else None for r in reasons])


def _state(item: Mapping[str, Any]) -> State:
    return {
        name.removeprefix(_PREFIX): int(value["N"])
        for name, value in item.items()
        if name.startswith(_PREFIX)
    }
