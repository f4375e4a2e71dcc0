"""Curl lines that show what a stack does, made from its own routes and policies."""

import json
import shlex
from collections.abc import Collection, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from webapp import paths
from webapp.addresses import Networks
from webapp.apidocs.curl import keeping_token
from webapp.local.demo import DEFAULT_ROLE
from webapp.local.server import HOST
from webapp.ratelimit import Caller, Limit
from webapp.settings import Route, Settings
from webapp.settings.templates import parse

USER = "ada"

# A loop of curls does at least so many requests a second; a policy that refills faster never ends.
_PACE = 20
_MOST_STEPS = 2000


class Example(NamedTuple):
    title: str
    command: str


class SignIn(NamedTuple):
    """A request that a demo service answers with a session."""

    path: str
    body: str


def examples(settings: Settings, url: str, demos: Collection[str]) -> Iterator[Example]:
    """The lines for the gateway at `url`, in the order in which they work.

    TOKEN is set. `demos` are the upstreams that demo services stand in for: how others sign in is
    not known.
    """
    yield Example("health", f"curl -si {url}/health")
    signed_in = sign_in(settings, demos)
    member = member_route(settings)
    if member:
        yield Example("without a token: 401", _call(url, member))
    if signed_in:
        yield Example("sign in", _sign_in_line(url, signed_in))
    if member:
        yield Example("with the token", _call(url, member, token=True))
    if stranger := stranger_route(settings, member_roles(settings)):
        yield Example("with the wrong role: 403", _call(url, stranger, token=True))
    if loop := _limit_loop(settings, url):
        yield Example("until the limit: 429", loop)


def sign_in(settings: Settings, demos: Collection[str]) -> SignIn | None:
    for route in settings.routes:
        if route.session == "issue" and route.upstream in demos and _reached(route, "POST"):
            body = json.dumps({"user": USER, "roles": member_roles(settings)})
            return SignIn(example_path(route), body)
    return None


def member_roles(settings: Settings) -> tuple[str, ...]:
    """What somebody needs for the route that is shown."""
    member = member_route(settings)
    return (member.roles if member else ())[:1] or (DEFAULT_ROLE,)


def example_path(route: Route) -> str:
    """A path that the route takes, as it goes on the wire: 1 in the place of every placeholder."""
    texts = ("1" if kind != "literal" else text for kind, text in parse(route.path))
    return paths.encode("/" + "/".join(texts))


def _reached(route: Route, method: str) -> bool:
    """Whether a caller on this machine gets past the route's method and address checks."""
    near = not route.allow_from or ip_address(HOST) in Networks(route.allow_from)
    return method in route.methods and near


def _readable(settings: Settings) -> list[Route]:
    return [route for route in settings.routes if _reached(route, "GET") and not route.session]


def member_route(settings: Settings) -> Route | None:
    """The route to show sessions with; best one whose role is no administrator's."""
    protected = [route for route in _readable(settings) if route.auth == "session"]
    return min(protected, key=lambda route: settings.admin_role in route.roles, default=None)


def open_route(settings: Settings) -> Route | None:
    return next((route for route in _readable(settings) if route.auth == "none"), None)


def stranger_route(settings: Settings, roles: Collection[str]) -> Route | None:
    """One that callers with these roles are refused."""
    routes = (route for route in _readable(settings) if route.roles)
    return next((route for route in routes if not set(route.roles) & set(roles)), None)


def _call(url: str, route: Route, *, token: bool = False) -> str:
    header = ' -H "Authorization: Bearer $TOKEN"' if token else ""
    return f"curl -si{header} {shlex.quote(url + example_path(route))}"


def _sign_in_line(url: str, request: SignIn) -> str:
    """The token comes in a header of the answer, so that the body stays the service's own."""
    curl = (
        "curl -s -o /dev/null -D - -H 'Content-Type: application/json'"
        f" -d {shlex.quote(request.body)} {shlex.quote(url + request.path)}"
    )
    return keeping_token(curl)


def _limit_loop(settings: Settings, url: str) -> str | None:
    """The shortest loop over an open route that a policy ends."""
    loops = [
        (steps, route)
        for route in _readable(settings)
        for policy in settings.rate_limits
        if route.auth == "none" and (steps := _steps(Limit(policy), route))
    ]
    if not loops:
        return None
    steps, route = min(loops, key=lambda loop: loop[0])
    code = f"$(curl -s -o /dev/null -w '%{{http_code}}' {shlex.quote(url + example_path(route))})"
    return (
        f"for n in $(seq {steps}); do code={code}; "
        'if [ "$code" = 429 ]; then break; fi; done; echo "request $n: $code"'
    )


def _steps(limit: Limit, route: Route) -> int | None:
    """How many requests surely exceed the limit; None when it does not end such a loop."""
    policy, caller = limit.policy, Caller(ip_address(HOST), route.id)
    refill = policy.limit / policy.window / _PACE
    if policy.mode != "enforce" or not limit.governs(route.id) or not limit.applies(caller):
        return None
    if refill >= 1:
        return None
    steps = int(policy.capacity / (1 - refill)) + 5
    return steps if steps <= _MOST_STEPS else None
