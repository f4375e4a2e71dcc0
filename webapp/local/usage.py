"""What an average request takes of each service, by a stack's settings."""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from webapp import metrics
from webapp.local import assumptions as assumed
from webapp.local.assumptions import GB, HOURS, MILLION, SECONDS
from webapp.ratelimit import Caller, Limit
from webapp.settings import Policy, Route, SessionSettings, Settings
from webapp.settings.mistakes import Mistake, Mistakes, shown
from webapp.settings.stack import Stack

# A trillion: beyond it only typing errors go.
_MOST = 10**12


class Load(NamedTuple):
    """What comes in a month, and how long upstreams take for it."""

    requests: int
    upstream_ms: float


def parse_requests(text: str) -> int:
    """`1000000`, `1,000,000`, `1M`, `1.5M` or `250k`. Raises Mistakes."""
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)([kKmM]?)", text.replace(",", ""), re.ASCII)
    requests = float(found[1]) * {"": 1, "k": 1_000, "m": MILLION}[found[2].lower()] if found else 0
    if not 1 <= requests <= _MOST or requests != int(requests):
        message = "is no number of requests; write 1000000, 1M or 250k"
        raise Mistakes([Mistake(f"--requests {shown(text)}", message)])
    return int(requests)


class Need(NamedTuple):
    """Units of DynamoDB that one request takes because of one part of the settings, in `calls`."""

    part: str
    reads: float = 0
    writes: float = 0
    calls: float = 0


def needs(settings: Settings) -> list[Need]:
    """What the policies and the session settings take, each on top of those before it."""
    routes = _usual(settings.routes)
    return [*_of_policies(settings.rate_limits, routes), *_of_sessions(settings, routes)]


def decided(policies: Iterable[Policy], route: Route) -> Need:
    """What one admitted request on a route writes, nothing being leased or tried twice."""
    limits = [limit for limit in map(Limit, policies) if limit.governs(route.id)]
    caller = _caller(route, limits)
    steps = (
        {i.key(caller) for i in limits if i.applies(caller) and i.policy.by_address_only is early}
        for early in (True, False)
    )
    # Several keys are one transaction, at twice the price.
    writes = [len(keys) if len(keys) < 2 else 2 * len(keys) for keys in steps]
    return Need("limits", writes=sum(writes), calls=sum(map(bool, writes)))


def _caller(route: Route, limits: Iterable[Limit]) -> Caller:
    """Somebody whom every policy on the route counts; signed in where it takes sessions."""
    address = ip_address("203.0.113.9")
    if route.auth == "none":
        return Caller(address, route.id)
    roles = frozenset(role for limit in limits for role in limit.policy.roles)
    return Caller(address, route.id, "u", "s", roles)


def _usual(routes: Sequence[Route]) -> Sequence[Route]:
    """Those that requests are spread over: people sign in once, and then call the others."""
    return [route for route in routes if not route.session] or routes


def _of_policies(policies: Sequence[Policy], routes: Sequence[Route]) -> Iterator[Need]:
    before = Need("")
    for place, policy in enumerate(policies, start=1):
        found = [decided(policies[:place], route) for route in routes]
        writes = assumed.TRIES * _mean(need.writes for need in found)
        calls = assumed.TRIES * _mean(need.calls for need in found)
        yield Need(
            f"rateLimits: {policy.name}, by {' and '.join(policy.kinds)}",
            writes=writes - before.writes,
            calls=calls - before.calls,
        )
        before = Need("", writes=writes, calls=calls)


def _of_sessions(settings: Settings, routes: Sequence[Route]) -> Iterator[Need]:
    rules = settings.session
    signed_in = _mean(route.auth != "none" for route in routes)
    if not signed_in:
        return
    noted = assumed.SECONDS_BETWEEN / assumed.USE_NOTED_EVERY
    read = signed_in * _reads(rules, noted)
    yield Need(
        f"session.cacheSeconds {rules.cache_seconds}: the row is read", reads=read, calls=read
    )
    noted *= signed_in
    yield Need("session: its use is noted once a minute", writes=noted, calls=noted)
    renewed = signed_in * _renewals(rules)
    part = f"session.refreshThreshold {rules.refresh_threshold}: cookies are renewed"
    yield Need(part, writes=renewed, calls=renewed)
    if any(route.session == "issue" for route in settings.routes):
        begun = signed_in / assumed.REQUESTS_A_SESSION
        yield Need("signInGuard: it is asked, and a session begins", begun, begun, 2 * begun)


def _reads(rules: SessionSettings, noted: float) -> float:
    """How often a request reads its row: when it is old, or was written the last time."""
    return max(1 / max(rules.cache_seconds / assumed.SECONDS_BETWEEN, 1), noted)


def _renewals(rules: SessionSettings) -> float:
    """How often a request renews a cookie: the first after less than the threshold is left."""
    lasting = max(rules.ttl - rules.refresh_threshold, 0)
    if lasting > assumed.REQUESTS_A_SESSION * assumed.SECONDS_BETWEEN:
        return 0
    return assumed.SECONDS_BETWEEN / (lasting + assumed.SECONDS_BETWEEN)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0


def store_ms(calls: float, stack: Stack) -> float:
    """How long a request takes for so many calls to a store."""
    return calls * (assumed.CALL_CPU_MS / share(stack) + assumed.CALL_WAIT_MS)


def share(stack: Stack) -> float:
    """The part of a core that the function has."""
    return min(stack.memory_size / assumed.FULL_CORE_MB, 1)


def billed_ms(settings: Settings, stack: Stack, load: Load) -> float:
    calls = sum(need.calls for need in needs(settings))
    return assumed.REQUEST_CPU_MS / share(stack) + store_ms(calls, stack) + load.upstream_ms


def cold_starts(stack: Stack, load: Load) -> float:
    return 0 if stack.provisioned_concurrency else load.requests * assumed.COLD_STARTS


def sessions_gb(settings: Settings, load: Load) -> float:
    """Rows outlive their session's longest lifetime by a day."""
    begun = load.requests * _mean(r.auth != "none" for r in _usual(settings.routes))
    kept = (settings.session.max_lifetime + 86_400) / SECONDS
    return begun / assumed.REQUESTS_A_SESSION * kept * assumed.SESSION_BYTES / GB


def counters_gb(settings: Settings, load: Load) -> float:
    """About an item for every session, which goes when its slowest bucket is full again."""
    slowest = max((p.window * p.capacity / p.limit for p in settings.rate_limits), default=0)
    return (
        load.requests / assumed.REQUESTS_A_SESSION * slowest / SECONDS * assumed.COUNTER_BYTES / GB
    )


def key_requests(stack: Stack, load: Load) -> float:
    """A table asks for its key every five minutes, a container for its secret and environment."""
    return 2 * HOURS * 12 + 2 * cold_starts(stack, load)


def request_line(settings: Settings) -> int:
    """The bytes of a line in the function's log."""
    return assumed.REQUEST_LINE + (assumed.ROUTE_IN_LINE if settings.metrics_by_route else 0)


def stored_gb(ingested: float, events: float, stack: Stack) -> float:
    """What is kept of a month's logs, once as much is deleted as is written."""
    compressed = ingested * assumed.COMPRESSED + events * assumed.EVENT_OVERHEAD / GB
    return compressed * stack.log_retention_days * 24 / HOURS


def custom_metrics(settings: Settings, stack: Stack) -> int:
    """Of the log lines, and the one that the alarms make of the access log."""
    of_all = len(metrics.COUNTS) + assumed.LATENCIES
    by_route = len(metrics.BY_ROUTE) * len(settings.routes) if settings.metrics_by_route else 0
    return of_all + by_route + int(stack.alarms)


def traces(load: Load) -> float:
    """At most one a second, and a twentieth of all others."""
    first = min(load.requests, SECONDS)
    return first + (load.requests - first) * 0.05
