"""Guards: how long an address must wait that fails to sign in, or that forges tokens."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from webapp import addresses, gcra
from webapp.addresses import Address
from webapp.errors import Problem
from webapp.gcra import NANOSECONDS, Bucket
from webapp.recent import Recent
from webapp.settings import SignInGuard
from webapp.tables import Stores

_REMEMBERED_ADDRESSES = 10_000

_FORGED_LIMIT = 20
_FORGED_WINDOW = 60 * NANOSECONDS

# An operator may have cleared the table meanwhile.
_REFUSAL_TRUSTED = 10 * NANOSECONDS

# Longer than the longest window, and what failed at once in many containers on top of it.
_TTL_SECONDS = 2 * 86_400

_NAME = "sign-in-guard"
_ATTRIBUTE = f"tat:{_NAME}"


class ForgedTokens:
    """In this container's memory only: a token of another key costs no store anything."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._seen: Recent[str, tuple[int, ...]] = Recent(_REMEMBERED_ADDRESSES)

    def count(self, address: Address | None) -> None:
        """One more from this address. Raises a Problem (429) when it is more than 20 a minute."""
        key, now = addresses.group(address), self._clock()
        seen = tuple(at for at in self._seen.get(key) or () if now - at < _FORGED_WINDOW)
        if len(seen) >= _FORGED_LIMIT:
            raise _refusal("forged-tokens", seen[0] + _FORGED_WINDOW - now)
        self._seen.put(key, (*seen, now))


class _Seen(NamedTuple):
    """The TAT of an address as this container last saw it, and when (ns)."""

    tat: int = 0
    at: int = 0


class FailedSignIns:
    """Counted over all containers; a refusal is remembered, so that a flood costs nothing.

    While the table does not answer, each container counts by itself.
    """

    def __init__(self, stores: Stores, rules: SignInGuard, clock: Callable[[], int]) -> None:
        self._stores = stores
        self._clock = clock
        self._bucket = Bucket(_NAME, gcra.interval(rules.limit, rules.window), rules.limit)
        self._seen: Recent[str, _Seen] = Recent(_REMEMBERED_ADDRESSES)

    def check(self, address: Address | None) -> None:
        """Raises a Problem (429) when too many sign-ins from this address have failed."""
        key, now = _key(address), self._clock()
        seen = self._seen.get(key) or _Seen()
        if self._admits(seen.tat, now) or now - seen.at >= _REFUSAL_TRUSTED:
            with suppress(BotoCoreError, ClientError):
                seen = _Seen(self._read(key), now)
                self._seen.put(key, seen)
        if not self._admits(seen.tat, now):
            raise _refusal(_NAME, seen.tat - self._bucket.tolerance - now)

    def count(self, address: Address | None) -> None:
        """A sign-in failed. Also those count that were begun before the limit was reached."""
        key, now = _key(address), self._clock()
        known = (self._seen.get(key) or _Seen()).tat
        tat, busy = gcra.advance(self._bucket, known, now), known > now
        with suppress(BotoCoreError, ClientError):
            tat = self._write(key, now, busy) or self._write(key, now, not busy) or tat
        self._seen.put(key, _Seen(tat, now))

    def _admits(self, tat: int, now: int) -> bool:
        return gcra.admits(self._bucket, tat, now)

    def _read(self, key: str) -> int:
        answer = self._stores.limits.get_item(
            TableName=self._stores.rate_limits_table, Key=_item(key), ConsistentRead=True
        )
        return _tat(answer.get("Item", {}))

    def _write(self, key: str, now: int, busy: bool) -> int | None:
        """The TAT after one more failure; None when it was not in the future (busy), or was."""
        change = "#tat = #tat + :step" if busy else "#tat = :step"
        condition = "#tat > :now" if busy else "attribute_not_exists(#tat) OR #tat <= :now"
        values = {
            ":step": self._bucket.interval + (0 if busy else now),
            ":now": now,
            ":ttl": now // NANOSECONDS + _TTL_SECONDS,
        }
        try:
            answer = self._stores.limits.update_item(
                TableName=self._stores.rate_limits_table,
                Key=_item(key),
                UpdateExpression=f"SET {change}, #ttl = :ttl",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#tat": _ATTRIBUTE, "#ttl": "ttl"},
                ExpressionAttributeValues={k: {"N": str(v)} for k, v in values.items()},
                ReturnValues="UPDATED_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return _tat(answer["Attributes"])


def _key(address: Address | None) -> str:
    return "sign-in:" + addresses.group(address)


def _item(key: str) -> dict[str, Any]:
    return {"rate_limit_key": {"S": key}}


def _tat(attributes: dict[str, Any]) -> int:
    return int(attributes.get(_ATTRIBUTE, {"N": 0})["N"])


def _refusal(name: str, wait: int) -> Problem:
    """429; `wait` in nanoseconds."""
    return Problem(
        "rate_limited",
        "Too many attempts from this address. Retry-After says when the next one passes.",
        headers={"Retry-After": str(max(1, -(-wait // NANOSECONDS)))},
        members={"violated-policies": [name]},
    )
