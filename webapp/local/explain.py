"""Why a request gets the answer it gets: asked of the gateway's own steps."""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from webapp import addresses
from webapp.endpoints import is_limited, own_routes
from webapp.errors import Problem
from webapp.events import Request, normalise
from webapp.forwarding import HOP_BY_HOP, OWNED, OWNED_PREFIXES
from webapp.local import prices
from webapp.local.payload import build_event
from webapp.local.rehearsal import Rehearsal, rehearse
from webapp.local.rivals import PassedOver, choice, nearest, passed_over
from webapp.local.wire import Refused
from webapp.local.wire import Request as HttpRequest
from webapp.proxy import REPEATABLE
from webapp.ratelimit import Limit
from webapp.settings import Policy, Route, Settings
from webapp.settings.mistakes import Mistake, Mistakes, shown
from webapp.settings.read import Configuration

_PUBLIC_HOST, REQUEST_ID = "HOST", "REQUEST-ID"


class Question(NamedTuple):
    """`roles` are those of the caller's session; None: nobody is signed in."""

    method: str
    target: str
    address: str
    roles: Sequence[str] | None = None

    @property
    def wire(self) -> str:
        """The target as a browser sends it: what has no place there is percent-encoded."""
        return quote(self.target, safe=string.punctuation, errors="surrogateescape")


class Counted(NamedTuple):
    """A policy that decides about a request, by which key; `reached` before it was refused."""

    policy: Policy
    key: str
    reached: bool

    def document(self) -> dict[str, Any]:
        told = self.policy
        return {
            "name": told.name,
            "limit": told.limit,
            "window": told.window,
            "burst": told.capacity,
            "mode": told.mode,
            "key": self.key,
            "reached": self.reached,
        }


class Idle(NamedTuple):
    policy: Policy
    reason: str


class Exchange(NamedTuple):
    """What an upstream gets, and how long it has.

    `headers` are the gateway's own; capitals stand for what only a real request has. Of what a
    client sends the rest is added, less what is `dropped`.
    """

    upstream: str
    method: str
    url: str
    timeout: float
    connect_timeout: float
    retries: int
    headers: Mapping[str, str]
    dropped: Sequence[str]


@dataclass(frozen=True)
class Explanation:
    """`route` is the one chosen, also where it refuses; `look_alike` the stricter one of a 400."""

    question: Question
    settings: Settings
    rehearsal: Rehearsal
    route: Route | None
    passed_over: Sequence[PassedOver]
    nearest: Sequence[Route]
    look_alike: Route | None
    counted: Sequence[Counted]
    idle: Sequence[Idle]
    exchange: Exchange | None

    @property
    def refusal(self) -> Problem | None:
        return self.rehearsal.refusal

    @property
    def values(self) -> Mapping[str, str]:
        match = self.rehearsal.call.match
        return match.values if match else {}

    @property
    def dollars(self) -> float:
        """For a million such requests, without the time that the function runs."""
        usage = self.rehearsal.usage
        each = (
            (1, prices.HTTP_REQUESTS),
            (1, prices.LAMBDA_REQUESTS),
            (usage.reads, prices.TABLE_READS),
            (usage.writes, prices.TABLE_WRITES),
        )
        return sum(count * 1_000_000 / price.per * price.dollars for count, price in each)

    def document(self) -> dict[str, Any]:
        roles = self.question.roles
        return {
            "method": self.question.method,
            "path": self.question.target,
            "address": self.question.address,
            "roles": None if roles is None else list(roles),
            "passes": self.refusal is None,
            "refusal": self.refusal and self.refusal.document(REQUEST_ID),
            "route": self.route and msgspec.to_builtins(self.route),
            "values": dict(self.values),
            "passed_over": [{"id": route.id, "reason": why} for route, why in self.passed_over],
            "nearest": [route.id for route in self.nearest],
            "look_alike": self.look_alike and self.look_alike.id,
            "policies": [counted.document() for counted in self.counted],
            "idle_policies": [{"name": p.name, "reason": why} for p, why in self.idle],
            "upstream": self.exchange and self.exchange._asdict(),
            "dynamodb_reads": self.rehearsal.usage.reads,
            "dynamodb_writes": self.rehearsal.usage.writes,
            "dollars_per_million": round(self.dollars, 6),
        }


def explain(configuration: Configuration, question: Question) -> Explanation:
    """Raises Mistakes for a question that is none."""
    settings = configuration.settings
    request = _received(question)
    rehearsal = rehearse(settings, request, question.roles, configuration.stack.timeout)
    router, routes = rehearsal.gateway.router, [*own_routes(settings), *settings.routes]
    # Of a request that is refused for its form nothing else is known, its path neither.
    path = None if request.refusal else request.path
    lost = rehearsal.refusal is not None and rehearsal.refusal.code == "not_found"
    route = choice(routes, request.method, path) if path else None
    return Explanation(
        question=question,
        settings=settings,
        rehearsal=rehearsal,
        route=route,
        passed_over=passed_over(router, path, route) if path else (),
        nearest=nearest(routes, path) if path and lost else (),
        look_alike=router.look_alike(request.method, path) if path else None,
        counted=list(_counted(rehearsal)),
        idle=list(_idle(rehearsal)),
        exchange=_exchange(rehearsal, settings),
    )


def _received(question: Question) -> Request:
    """What API Gateway would hand over, had a client sent this."""
    if found := list(_mistakes(question)):
        raise Mistakes(found)
    sent = HttpRequest(
        question.method, question.wire, (("Host", _PUBLIC_HOST),), client=question.address
    )
    try:
        event = build_event(sent, 0)
    except Refused:
        message = "is no path; begin it with a slash, as in /api/v1/status"
        raise Mistakes([Mistake(f"PATH {shown(question.target)}", message)]) from None
    return normalise(event)._replace(id=REQUEST_ID, headers=(), host=_PUBLIC_HOST)


def _mistakes(question: Question) -> Iterator[Mistake]:
    if not re.fullmatch("[A-Z]+", question.method):
        yield Mistake(
            f"METHOD {shown(question.method)}", "is no HTTP method; write one such as GET"
        )
    if "#" in question.target:
        message = "holds a fragment, which clients keep to themselves; leave out what begins with #"
        yield Mistake(f"PATH {shown(question.target)}", message)
    if addresses.read(question.address) is None:
        message = "is no address; write one such as 198.51.100.7"
        yield Mistake(f"--address {shown(question.address)}", message)


def _counted(rehearsal: Rehearsal) -> Iterator[Counted]:
    call = rehearsal.call
    if call.match is None or not is_limited(call.route):
        return
    reached = [decision.policy for decision in call.decisions]
    limiter, caller = rehearsal.gateway.limiter, call.caller
    for limit in (*limiter.by_address(call.route, caller), *limiter.by_caller(call.route, caller)):
        yield Counted(limit.policy, limit.key(caller), limit.policy in reached)


def _idle(rehearsal: Rehearsal) -> Iterator[Idle]:
    call = rehearsal.call
    if call.match is None or not is_limited(call.route):
        return
    for policy in rehearsal.gateway.settings.rate_limits:
        limit = Limit(policy)
        if not limit.governs(call.route.id):
            yield Idle(policy, f"is for {', '.join(policy.routes or ())}")
        elif policy.roles and call.caller.roles.isdisjoint(policy.roles):
            yield Idle(policy, f"is for callers with the role {' or '.join(policy.roles)}")
        elif not limit.applies(call.caller):
            yield Idle(policy, "exempts this address")


def _exchange(rehearsal: Rehearsal, settings: Settings) -> Exchange | None:
    sent = rehearsal.sent
    if sent is None:
        return None
    route = rehearsal.call.route
    upstream = settings.upstreams[route.upstream]
    length = {"content-length": "LENGTH"} if "content-length" in sent.headers else {}
    return Exchange(
        upstream=route.upstream,
        method=sent.method,
        url=sent.url,
        timeout=rehearsal.timeout,
        connect_timeout=min(upstream.connect_timeout, rehearsal.timeout),
        retries=upstream.retries if sent.method in REPEATABLE else 0,
        headers=sent.headers | length,
        dropped=_dropped(route, settings),
    )


def _dropped(route: Route, settings: Settings) -> list[str]:
    secrets = {upstream.secret_header.lower() for upstream in settings.upstreams.values()} - {""}
    return [
        *(() if route.forwards_authorization else ("authorization",)),
        *sorted(OWNED | HOP_BY_HOP | secrets),
        *(f"{prefix}*" for prefix in OWNED_PREFIXES),
    ]
