"""The item of a key in the table of rate limits: what it says, and the one write that changes it.

DynamoDB can add and compare but not take a maximum, so the write assumes for each bucket that its
TAT is in the future (busy) or past (idle). A wrong guess changes nothing and brings the item back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from webapp import gcra
from webapp.counters import Demand, State, Tally
from webapp.gcra import NANOSECONDS, Bucket

KEY = "rate_limit_key"
TTL = "ttl"

# Until when an operator has blocked the key, in nanoseconds since the epoch.
BLOCKED = "blocked"

# Set before the name of a policy.
TAT = "tat:"

# Long enough after the last bucket is full that no clock still sees it otherwise.
_TTL_MARGIN_SECONDS = 60

_REFUSED = "ConditionalCheckFailed"
_CONFLICTS = frozenset({"None", _REFUSED, "TransactionConflict"})

Update = dict[str, Any]


class Item(NamedTuple):
    state: State
    blocked: int = 0


def read(attributes: Mapping[str, Any]) -> Item:
    """An item as the API has it, also one that is not there or only the part that was written."""
    state = {
        name.removeprefix(TAT): int(value["N"])
        for name, value in attributes.items()
        if name.startswith(TAT)
    }
    return Item(state, int(attributes.get(BLOCKED, {"N": 0})["N"]))


class Taking(NamedTuple):
    """What is to be taken from one key: `units` of the buckets that passed, 1 if not named.

    `known` is the state that the guess is made by, `tally` what it means for the demand.
    """

    demand: Demand
    known: State
    tally: Tally
    units: Mapping[str, int]

    @property
    def buckets(self) -> list[Bucket]:
        return [b for b in self.demand.buckets if b.name in self.tally.passed]

    def after(self, now: int) -> State:
        """The TATs after the write, if the guess was right."""
        before = self.tally.state
        return before | {
            b.name: gcra.advance(b, before[b.name], now, self.units.get(b.name, 1))
            for b in self.buckets
        }

    def update(self, table: str, now: int, lifetime: int) -> Update:
        """The conditional write, as UpdateItem and TransactWriteItems take it.

        `lifetime`: nanoseconds after which the slowest bucket of any policy is full again.
        """
        names = {"#ttl": TTL, "#blocked": BLOCKED}
        values = {":now": now, ":ttl": (now + lifetime) // NANOSECONDS + _TTL_MARGIN_SECONDS}
        changes = ["#ttl = :ttl"]
        conditions = ["(attribute_not_exists(#blocked) OR #blocked <= :now)"]
        for i, bucket in enumerate(self.buckets):
            names[f"#b{i}"] = TAT + bucket.name
            change, condition, numbers = self._change(bucket, now)
            values |= {f":{name}{i}": number for name, number in numbers.items()}
            changes.append(change.replace("?", str(i)))
            conditions.append(condition.replace("?", str(i)))
        return {
            "TableName": table,
            "Key": {KEY: {"S": self.demand.key}},
            "UpdateExpression": f"SET {', '.join(changes)}",
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {k: {"N": str(v)} for k, v in values.items()},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _change(self, bucket: Bucket, now: int) -> tuple[str, str, dict[str, int]]:
        """The change of one bucket, its condition and their numbers; `?` stands for its place."""
        taken = self.units.get(bucket.name, 1) * bucket.interval
        tat = self.known.get(bucket.name, 0)
        if tat > gcra.farthest(bucket, now):
            healed = {"s": now + bucket.span, "m": gcra.farthest(bucket, now)}
            return "#b? = :s?", "#b? > :m?", healed
        if tat > now:
            busy = {"s": taken, "m": now + bucket.span - taken}
            return "#b? = #b? + :s?", "#b? BETWEEN :now AND :m?", busy
        return "#b? = :s?", "(attribute_not_exists(#b?) OR #b? <= :now)", {"s": now + taken}


class Outdated(Exception):
    """A write assumed another state; for each update the item as it is, None where it fitted."""

    def __init__(self, items: Sequence[Item | None]) -> None:
        self.items = items


def outdated(response: Mapping[str, Any], updates: int) -> Outdated | None:
    """None when the write failed for any other reason than another one at the same time."""
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return Outdated([read(response.get("Item", {}))])
    if code == "TransactionConflictException":
        return Outdated([None])
    reasons = response.get("CancellationReasons", [])
    if len(reasons) != updates or not {reason["Code"] for reason in reasons} <= _CONFLICTS:
        return None
    return Outdated([read(r.get("Item", {})) if r["Code"] == _REFUSED else None for r in reasons])
