"""Rate limits: which policies a request meets, what they decide, and how the client is told."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from webapp import addresses, gcra
from webapp.addresses import Address, Networks
from webapp.counters import Counters, Demand, Outcome, StoreUnavailable
from webapp.errors import Problem
from webapp.gcra import Bucket
from webapp.settings import Policy, Route

# DynamoDB takes keys of up to 2,048 bytes; a long one in every write costs more than its hash.
_LONGEST_KEY = 512


class Caller(NamedTuple):
    """What a policy may count by; user, session and roles are empty while nobody is signed in."""

    address: Address | None
    route: str
    user: str = ""
    session: str = ""
    roles: frozenset[str] = frozenset()


class Decision(NamedTuple):
    """What one policy made of one request; `reset` in seconds as the header field `t` has it."""

    policy: Policy
    admitted: bool
    remaining: int
    reset: int


class Limit:
    """A policy, ready to be asked."""

    def __init__(self, policy: Policy) -> None:
        interval = gcra.interval(policy.limit, policy.window)
        self.policy = policy
        self.bucket = Bucket(policy.name, interval, policy.capacity)
        self._roles = frozenset(policy.roles)
        self._exempt = Networks(policy.exempt)

    def governs(self, route: str) -> bool:
        return self.policy.routes is None or route in self.policy.routes

    def applies(self, caller: Caller) -> bool:
        return (not self._roles or bool(self._roles & caller.roles)) and (
            caller.address not in self._exempt
        )

    def key(self, caller: Caller) -> str:
        return fitting("|".join(_part(kind, caller) for kind in self.policy.kinds))

    def decision(self, tat: int, now: int, passed: bool) -> Decision:
        remaining = gcra.remaining(self.bucket, tat, now) if passed else 0
        wait = gcra.seconds_to_next(self.bucket, tat, now)
        reset = gcra.seconds_to_full(tat, now) if remaining else wait
        return Decision(self.policy, passed, remaining, reset)


def _part(kind: str, caller: Caller) -> str:
    """One part of a key. `|` joins parts, so it never stands in one: a user id may hold any."""
    if kind == "user" and caller.user:
        return "user:" + caller.user.replace("|", "%7C")
    if kind == "session" and caller.session:
        return "session:" + caller.session
    if kind == "route":
        return "route:" + caller.route
    if kind == "global":
        return "global"
    return "ip:" + addresses.group(caller.address)


def fitting(key: str) -> str:
    """The key as the table takes it: a long one as its hash, its kinds still in front.

    No other key looks like that: a kind without a value is `global` alone.
    """
    if len(key.encode()) <= _LONGEST_KEY:
        return key
    kinds = "|".join(part.partition(":")[0] for part in key.split("|"))
    return f"{kinds}|sha256|{hashlib.sha256(key.encode()).hexdigest()}"


class Limiter:
    """All policies of a stack over shared counters, with this container's own as the fallback."""

    def __init__(
        self,
        policies: Iterable[Policy],
        shared: Callable[[int], Counters],
        local: Counters,
        clock: Callable[[], int],
    ) -> None:
        """`shared` makes the counters, told how long (ns) the slowest bucket takes to fill."""
        self._limits = tuple(Limit(policy) for policy in policies)
        self._shared = shared(
            max((b.tolerance + b.interval for b in (i.bucket for i in self._limits)), default=0)
        )
        self._local = local
        self._clock = clock

    def by_address(self, route: Route, caller: Caller) -> list[Limit]:
        """What is decided before credentials are looked at."""
        return [i for i in self._governing(route, caller) if i.policy.by_address_only]

    def by_caller(self, route: Route, caller: Caller) -> list[Limit]:
        """What is decided once the caller is known."""
        return [i for i in self._governing(route, caller) if not i.policy.by_address_only]

    def policies(self, route: Route, caller: Caller) -> list[Policy]:
        """All policies that apply to a caller on a route."""
        return [i.policy for i in self._governing(route, caller)]

    def _governing(self, route: Route, caller: Caller) -> list[Limit]:
        return [i for i in self._limits if i.governs(route.id) and i.applies(caller)]

    def decide(self, limits: Sequence[Limit], caller: Caller) -> list[Decision]:
        """Take one unit from every limit, or from none when an enforced one refuses.

        Policies whose store did not answer and that are `open` have no decision. Raises a Problem
        when one is `closed` (503), and when an operator has blocked one of the keys (403).
        """
        if not limits:
            return []
        now = self._clock()
        try:
            return _decisions(limits, caller, self._shared, now)
        except StoreUnavailable:
            return self._without_store(limits, caller, now)

    def _without_store(self, limits: Sequence[Limit], caller: Caller, now: int) -> list[Decision]:
        enforced = [i for i in limits if i.policy.mode == "enforce"]
        if any(i.policy.on_store_error == "closed" for i in enforced):
            raise Problem("rate_limit_store_unavailable", "The rate limits cannot be checked.")
        local = [i for i in limits if i.policy.on_store_error == "local"]
        return _decisions(local, caller, self._local, now) if local else []


def _decisions(
    limits: Sequence[Limit], caller: Caller, counters: Counters, now: int
) -> list[Decision]:
    keys = {limit.key(caller): list[Limit]() for limit in limits}
    for limit in limits:
        keys[limit.key(caller)].append(limit)
    demands = [_demand(key, group) for key, group in keys.items()]
    outcome: Outcome = counters.take(demands, now)
    if outcome.blocked:
        raise Problem("forbidden", "This caller is blocked.")
    tallies = dict(zip(keys, outcome.tallies, strict=True))
    return [
        limit.decision(
            tally.state.get(limit.policy.name, 0), now, limit.policy.name in tally.passed
        )
        for limit in limits
        for tally in (tallies[limit.key(caller)],)
    ]


def _demand(key: str, limits: Sequence[Limit]) -> Demand:
    def buckets(mode: str) -> tuple[Bucket, ...]:
        return tuple(limit.bucket for limit in limits if limit.policy.mode == mode)

    return Demand(key, buckets("enforce"), buckets("shadow"))


def violations(decisions: Iterable[Decision]) -> list[Decision]:
    """The decisions that refuse the request: a policy in shadow refuses nothing."""
    return [d for d in decisions if not d.admitted and d.policy.mode == "enforce"]


def refusal(violated: Sequence[Decision]) -> Problem:
    """429: whoever waits `Retry-After` seconds passes these policies, if alone on the key."""
    return Problem(
        "rate_limited",
        "Too many requests. Retry-After says when the next one passes.",
        headers={"Retry-After": str(max(1, *(d.reset for d in violated)))},
        members={"violated-policies": [d.policy.name for d in violated]},
    )


def policy_field(policies: Iterable[Policy]) -> str:
    """`RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11) of the enforced policies."""
    return ", ".join(
        f'"{p.name}";q={p.limit};w={p.window}' for p in policies if p.mode == "enforce"
    )


def limit_field(decisions: Iterable[Decision]) -> str:
    """`RateLimit` (draft-ietf-httpapi-ratelimit-headers-11) of the enforced policies decided."""
    return ", ".join(
        f'"{d.policy.name}";r={d.remaining};t={d.reset}'
        for d in decisions
        if d.policy.mode == "enforce"
    )
