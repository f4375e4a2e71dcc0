"""Why a request gets the answer it gets: asked of the gateway's own steps."""

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from webapp import addresses
from webapp.endpoints import is_limited, own_routes
from webapp.errors import Problem
from webapp.events import Request, normalise
from webapp.local.payload import build_event
from webapp.local.rehearsal import Rehearsal, rehearse
from webapp.local.rivals import PassedOver, choice, nearest, passed_over
from webapp.local.wire import Refused
from webapp.local.wire import Request as HttpRequest
from webapp.ratelimit import Limit
from webapp.settings import Policy, Route, Settings
from webapp.settings.mistakes import Mistake, Mistakes, shown
from webapp.settings.read import Configuration

_PUBLIC_HOST, _REQUEST_ID = "HOST", "REQUEST-ID"


class Question(NamedTuple):
    """`roles` are those of the caller's session; None: nobody is signed in."""

    method: str
    target: str
    address: str
    roles: Sequence[str] | None = None


class Counted(NamedTuple):
    """A policy that decides about a request, by which key; `reached` before it was refused."""

    policy: Policy
    key: str
    reached: bool


class Idle(NamedTuple):
    policy: Policy
    reason: str


@dataclass(frozen=True)
class Explanation:
    """`route` is the one chosen, also where it refuses; `look_alike` the stricter one of a 400."""

    question: Question
    settings: Settings
    request: Request
    rehearsal: Rehearsal
    route: Route | None
    passed_over: Sequence[PassedOver]
    nearest: Sequence[Route]
    look_alike: Route | None
    counted: Sequence[Counted]
    idle: Sequence[Idle]

    @property
    def refusal(self) -> Problem | None:
        return self.rehearsal.refusal


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
        request=request,
        rehearsal=rehearsal,
        route=route,
        passed_over=passed_over(router, path, route) if path else (),
        nearest=nearest(routes, path) if path and lost else (),
        look_alike=router.look_alike(request.method, path) if path else None,
        counted=list(_counted(rehearsal)),
        idle=list(_idle(rehearsal)),
    )


def _received(question: Question) -> Request:
    """What API Gateway would hand over, had a client sent this."""
    if not question.method.isalpha() or not question.method.isascii():
        message = "is no HTTP method; write one such as GET"
        raise Mistakes([Mistake(f"METHOD {shown(question.method)}", message)])
    address = addresses.read(question.address)
    if address is None:
        message = "is no address; write one such as 198.51.100.7"
        raise Mistakes([Mistake(f"--address {shown(question.address)}", message)])
    # As a browser would: what has no place in a target is percent-encoded, the rest is left alone.
    target = quote(question.target, safe=string.punctuation)
    http = HttpRequest(question.method, target, (("Host", _PUBLIC_HOST),), client=str(address))
    if "#" in target:
        message = "holds a fragment, which clients keep to themselves; leave out what begins with #"
        raise Mistakes([Mistake(f"PATH {shown(question.target)}", message)])
    try:
        request = normalise(build_event(http, 0))
    except Refused:
        message = "is no path; begin it with a slash, as in /api/v1/status"
        raise Mistakes([Mistake(f"PATH {shown(question.target)}", message)]) from None
    return request._replace(id=_REQUEST_ID, headers=(), host=_PUBLIC_HOST)


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
