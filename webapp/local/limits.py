"""What an operator sees of one key of the rate limits, and does to it."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import IPv6Network, ip_network
from typing import Any, NamedTuple

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from webapp import addresses, gcra, rateitems
from webapp.gcra import NANOSECONDS, Bucket
from webapp.ratelimit import Limit, fitting
from webapp.settings import Policy, Settings
from webapp.settings.mistakes import Mistake, Mistakes
from webapp.signin import iso

KINDS = ("ip", "user", "session", "route", "global")
SIGN_IN = "sign-in"

# The last second that a date can name: until somebody unblocks the key.
FOREVER = 253_402_300_799

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_EXAMPLE = "such as ip:198.51.100.7, user:42 or user:42|route:orders"
_TTL_MARGIN = 60


class Counted(NamedTuple):
    """What counts requests by a key: a policy, or the guard of sign-ins."""

    bucket: Bucket
    note: str = ""

    @property
    def name(self) -> str:
        return self.bucket.name


class Standing(NamedTuple):
    """What is left of one bucket; times in seconds."""

    name: str
    note: str
    left: int
    of: int
    full_in: int
    next_in: int

    @property
    def line(self) -> str:
        when = f"full in {self.full_in} s" if self.left else f"the next one in {self.next_in} s"
        return f"{self.name}{_in_brackets(self.note)}: {self.left} of {self.of} left, {when}"


class State(NamedTuple):
    """What the table says about a key; `blocked_until` in seconds since the epoch, 0: it is not."""

    key: str
    policies: list[Standing]
    without_policy: list[str]
    blocked_until: int

    def document(self) -> dict[str, object]:
        """As JSON has it: times are ISO 8601; a block without an end lasts until the year 9999."""
        until = iso(self.blocked_until) if self.blocked_until else None
        policies = [standing._asdict() for standing in self.policies]
        return self._asdict() | {"policies": policies, "blocked_until": until}


def canonical(key: str) -> str:
    """The key as the gateway forms it. Raises Mistakes."""
    return "|".join(_part(part, key) for part in key.split("|"))


def _part(part: str, key: str) -> str:
    kind, _, value = part.partition(":")
    if part == "global":
        return part
    if kind not in (*KINDS, SIGN_IN) or not value or kind == "global":
        raise _wrong(key, f"write kind:value, {_EXAMPLE}; kinds are {', '.join(KINDS)}, {SIGN_IN}")
    return f"{kind}:{_address(value, key)}" if kind in ("ip", SIGN_IN) else part


def _address(value: str, key: str) -> str:
    """IPv6 counts by its /64, so that may be written, too."""
    address = addresses.read(value)
    if address is None:
        try:
            network = ip_network(value)
        except ValueError:
            raise _wrong(key, f"{value} is no address") from None
        if not isinstance(network, IPv6Network) or network.prefixlen != 64:
            raise _wrong(key, "limits count single IPv4 addresses and IPv6 networks of /64")
        address = network.network_address
    return addresses.group(address)


def _wrong(key: str, message: str) -> Mistakes:
    return Mistakes([Mistake(key, message)])


def seconds(duration: str) -> int:
    """`90s`, `30m`, `2h` or `7d` in seconds. Raises Mistakes."""
    found = re.fullmatch(r"([1-9]\d{0,8})([smhd])", duration)
    if not found:
        raise _wrong(f"--for {duration}", "write a number and s, m, h or d, such as 2h")
    return int(found[1]) * _UNITS[found[2]]


def counting(settings: Settings, key: str) -> list[Counted]:
    """All that counts by this (canonical) key."""
    kinds = tuple(part.partition(":")[0] for part in key.split("|"))
    if kinds == (SIGN_IN,):
        guard = settings.sign_in_guard
        interval = gcra.interval(guard.limit, guard.window)
        return [Counted(Bucket("sign-in-guard", interval, guard.limit), "failed sign-ins")]
    return [
        Counted(Limit(policy).bucket, _note(policy, kinds))
        for policy in settings.rate_limits
        if _may_be(policy.kinds, kinds)
    ]


def _may_be(kinds: tuple[str, ...], actual: tuple[str, ...]) -> bool:
    """Whether a policy forms such keys: callers who are not signed in count by their address."""
    return len(kinds) == len(actual) and all(
        kind == found or (kind in ("user", "session") and found == "ip")
        for kind, found in zip(kinds, actual, strict=True)
    )


def _note(policy: Policy, kinds: tuple[str, ...]) -> str:
    """Whom the policy counts, unless that is everyone."""
    notes = [
        "shadow" if policy.mode == "shadow" else "",
        f"routes {', '.join(policy.routes)}" if policy.routes else "",
        f"roles {', '.join(policy.roles)}" if policy.roles else "",
        "only who is not signed in" if policy.kinds != kinds else "",
    ]
    return "; ".join(filter(None, notes))


class LimitedKey:
    """One key in the table of a stack. What is done to it is told in lines; raises Mistakes."""

    def __init__(
        self,
        key: str,
        settings: Settings,
        table: Callable[[], tuple[BaseClient, str]],
        clock: Callable[[], int],
    ) -> None:
        """`table` is asked for, with a client, once it is needed."""
        self._key = canonical(key)
        self._counting = counting(settings, self._key)
        self._table = cache(table)
        self._clock = clock

    def state(self) -> State:
        now, item = self._clock(), rateitems.read(self._item())
        names = {counted.name for counted in self._counting}
        return State(
            key=self._key,
            policies=[_standing(c, item.state.get(c.name, 0), now) for c in self._counting],
            without_policy=sorted(item.state.keys() - names),
            blocked_until=item.blocked // NANOSECONDS if item.blocked > now else 0,
        )

    def show(self) -> list[str]:
        state = self.state()
        lines = [standing.line for standing in state.policies]
        lines += [f"{name}: counted by no policy now" for name in state.without_policy]
        if state.blocked_until:
            lines.append(f"blocked {_until(state.blocked_until)}")
        return [self._key, *(f"  {line}" for line in lines or [self._uncounted()])]

    def reset(self) -> list[str]:
        names = [name for name in self._item() if name.startswith(rateitems.TAT)]
        if not names:
            return [f"{self._key}: nothing is counted"]
        places = {f"#b{i}": name for i, name in enumerate(names)}
        self._update(f"REMOVE {', '.join(places)}", places)
        return [f"{self._key}: every bucket is full; containers that refuse it notice within 10 s"]

    def block(self, duration: str | None) -> list[str]:
        """For so long, or until unblocked. A key that no policy counts by is a mistake."""
        if not self._counting or self._key.startswith(SIGN_IN):
            raise _wrong(self._key, f"cannot be blocked so: {self._uncounted()}")
        now = self._clock() // NANOSECONDS
        until = FOREVER if duration is None else min(now + seconds(duration), FOREVER)
        slowest = max(counted.bucket.span for counted in self._counting) // NANOSECONDS
        self._update(
            "SET #blocked = :until, #ttl = :ttl",
            {"#blocked": rateitems.BLOCKED, "#ttl": rateitems.TTL},
            {":until": until * NANOSECONDS, ":ttl": max(until, now + slowest) + _TTL_MARGIN},
        )
        return [
            f"{self._key}: 403 {_until(until)}, wherever one of these applies:",
            *(f"  {counted.name}{_in_brackets(counted.note)}" for counted in self._counting),
            "containers notice with their next write: those that lease it within 2 s, those that"
            " refuse it anyway within 10 s",
        ]

    def unblock(self) -> list[str]:
        if rateitems.BLOCKED not in self._item():
            return [f"{self._key}: is not blocked"]
        self._update("REMOVE #blocked", {"#blocked": rateitems.BLOCKED})
        return [f"{self._key}: no longer blocked; containers notice within 10 s"]

    def _uncounted(self) -> str:
        kinds = "|".join(part.partition(":")[0] for part in self._key.split("|"))
        return (
            f"no policy counts by {kinds}, so no write looks at it;"
            " add one to rateLimits (a large one will do), or list addresses in denyFrom"
        )

    def _item(self) -> Mapping[str, Any]:
        item: Mapping[str, Any] = self._call("get_item", ConsistentRead=True).get("Item", {})
        return item

    def _update(
        self, change: str, names: Mapping[str, str], numbers: Mapping[str, int] | None = None
    ) -> None:
        values = {name: {"N": str(number)} for name, number in (numbers or {}).items()}
        given = {"ExpressionAttributeValues": values} if values else {}
        self._call("update_item", UpdateExpression=change, ExpressionAttributeNames=names, **given)

    def _call(self, method: str, **parameters: Any) -> Mapping[str, Any]:
        client, table = self._table()
        key = {rateitems.KEY: {"S": fitting(self._key)}}
        try:
            answer: Mapping[str, Any] = getattr(client, method)(
                TableName=table, Key=key, **parameters
            )
        except (ClientError, BotoCoreError) as error:
            said = str(error).partition("\n")[0]
            raise _wrong(f"table {table}", f"does not answer: {said}") from None
        return answer


def _standing(counted: Counted, tat: int, now: int) -> Standing:
    bucket, tat = counted.bucket, gcra.trusted(counted.bucket, tat, now)
    left = gcra.remaining(bucket, tat, now)
    return Standing(
        name=counted.name,
        note=counted.note,
        left=left,
        of=bucket.capacity,
        full_in=gcra.seconds_to_full(tat, now),
        next_in=0 if left else gcra.seconds_to_next(bucket, tat, now),
    )


def _in_brackets(note: str) -> str:
    return f" ({note})" if note else ""


def _until(second: int) -> str:
    return "until unblocked" if second >= FOREVER else f"until {iso(second)}"
