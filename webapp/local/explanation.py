"""An explanation in words, and as a document for scripts."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from webapp.apidocs.words import listed, policy, size
from webapp.forwarding import HOP_BY_HOP, OWNED, OWNED_PREFIXES
from webapp.local import prices
from webapp.local.explain import Counted, Explanation
from webapp.proxy import REPEATABLE
from webapp.settings import Route

_MARGIN, _WIDTH = 13, 85

_AFTERWARDS = {
    "": "",
    "issue": "; a success with Tollgate-Session-User signs in",
    "end": "; a success ends the session",
}

_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def lines(explanation: Explanation) -> Iterator[str]:
    yield click.style(_title(explanation), bold=True)
    for label, texts in _rows(explanation):
        for index, text in enumerate(texts):
            yield f"  {'' if index else label:{_MARGIN}}{text}"


def _title(explanation: Explanation) -> str:
    asked = explanation.question
    who = "not signed in"
    if asked.roles is not None:
        who = f"signed in with {_roles(asked.roles, 'and')}" if asked.roles else "signed in"
    return f"{asked.method} {asked.target} from {asked.address}, {who}"


def _rows(explanation: Explanation) -> Iterator[tuple[str, Iterable[str]]]:
    yield "answer", [_answer(explanation)]
    route, other = explanation.route, explanation.look_alike
    if route:
        yield "route", [_route(route, explanation)]
    yield "passed over", [f"{_named(r)}: {reason}" for r, reason in explanation.passed_over]
    yield "near", map(_named, explanation.nearest)
    if other:
        yield "look-alike", [f"of {_named(other)}: {callers(other)}"]
    if route:
        yield "callers", [callers(route), *_pages(route, explanation)]
        yield "limits", _limits(explanation)
    if explanation.rehearsal.sent:
        yield "upstream", _exchange(explanation)
        own = (f"{name}: {value}" for name, value in headers(explanation).items())
        yield "sent", [*own, "and what the client sends, less what is dropped"]
        yield "dropped", _dropped(explanation)
    yield "costs", _costs(explanation)


def _answer(explanation: Explanation) -> str:
    if refusal := explanation.refusal:
        said = f"{refusal.status} {refusal.code}: {refusal.detail}"
        allow = refusal.headers.get("Allow")
        return click.style(f"{said} (Allow: {allow})" if allow else said, fg="red")
    route = explanation.route
    told = f"what {route.upstream} answers" if route and route.upstream else "the gateway's own"
    return click.style(told + _AFTERWARDS[route.session if route else ""], fg="green")


def _named(route: Route) -> str:
    return f"{route.id} ({', '.join(route.methods)} {route.path})"


def _route(route: Route, explanation: Explanation) -> str:
    match = explanation.rehearsal.call.match
    values = ", ".join(f"{name} = {value}" for name, value in match.values.items()) if match else ""
    return f"{_named(route)}{': ' if values else ''}{values}"


def callers(route: Route) -> str:
    """Who may call a route."""
    near = f", from {listed(route.allow_from, 'or')} only" if route.allow_from else ""
    if route.roles:
        return f"who is signed in with {_roles(route.roles, 'or')}{near}"
    anyone = {
        "none": "anyone; a token is not looked at",
        "optional": "anyone; a token that is presented must be good",
        "session": "who is signed in",
    }
    return anyone[route.auth] + near


def _roles(roles: Sequence[str], joint: str) -> str:
    return f"the role{'' if len(roles) == 1 else 's'} {listed(roles, joint)}"


def _pages(route: Route, explanation: Explanation) -> Iterator[str]:
    if route.session:
        yield "never from a page of another site, but for cors.allowOrigins"
    elif route.auth != "none" and explanation.request.method in _UNSAFE:
        yield "by cookie only from the gateway's own pages and those of cors.allowOrigins"
    if explanation.settings.edge:
        yield "by CloudFront only: whoever comes past it is 403"
    if explanation.request.method == "OPTIONS" and explanation.settings.cors.allow_origins:
        yield "a CORS preflight never comes here: API Gateway answers it"
    if route.upstream:
        yield f"with a body of at most {size(route.max_body_bytes)}"


def _limits(explanation: Explanation) -> Iterator[str]:
    for counted in explanation.counted:
        yield _limit(counted)
    for told, reason in explanation.idle:
        yield f"{told.name}: does not apply, {reason}"
    if explanation.route and explanation.route.session == "issue":
        guard = explanation.settings.sign_in_guard
        numbers = {"limit": guard.limit, "window": guard.window, "burst": guard.limit}
        yield f"sign-in-guard: {policy({**numbers, 'key': ['ip']})}, of those that fail"
    if explanation.rehearsal.call.match and not explanation.counted:
        yield "none"


def _limit(counted: Counted) -> str:
    told = counted.policy
    shadow = ", in shadow: it refuses nobody" if told.mode == "shadow" else ""
    key = f"by {counted.key}" if counted.reached else "not reached"
    numbers = {"limit": told.limit, "window": told.window, "burst": told.capacity}
    return f"{told.name}: {policy({**numbers, 'key': told.kinds})}; {key}{shadow}"


def _exchange(explanation: Explanation) -> Iterator[str]:
    sent, upstream = explanation.rehearsal.sent, _upstream(explanation)
    assert sent is not None
    yield f"{upstream['name']}: {sent.method} {sent.url}"
    connect = min(upstream["connect_timeout"], upstream["timeout"])
    yield f"{upstream['timeout']:g} s for all of it, {connect:g} s to connect, or 504"
    if tries := upstream["retries"]:
        yield f"sent {'once' if tries == 1 else f'{tries} times'} more if not a byte comes back"
    else:
        yield "sent once"


def _upstream(explanation: Explanation) -> dict[str, Any]:
    rehearsal, route = explanation.rehearsal, explanation.route
    assert rehearsal.sent is not None
    assert route is not None
    upstream = explanation.settings.upstreams[route.upstream]
    return {
        "name": route.upstream,
        "method": rehearsal.sent.method,
        "url": rehearsal.sent.url,
        "timeout": rehearsal.timeout,
        "connect_timeout": upstream.connect_timeout,
        "retries": upstream.retries if rehearsal.sent.method in REPEATABLE else 0,
    }


def headers(explanation: Explanation) -> dict[str, str]:
    """What the gateway adds; capitals stand for what only a real request has."""
    sent = explanation.rehearsal.sent
    assert sent is not None
    return {k: "LENGTH" if k == "content-length" else v for k, v in sent.headers.items()}


def _dropped(explanation: Explanation) -> list[str]:
    """What a client sends and no upstream gets."""
    cookie = explanation.settings.session.cookie_name
    return [
        f"the cookie {cookie}, tokens of the gateway in any header",
        "headers with an underscore in their name, or under these names:",
        *textwrap.wrap(", ".join(_owned(explanation)), _WIDTH, break_on_hyphens=False),
    ]


def _owned(explanation: Explanation) -> list[str]:
    upstreams, route = explanation.settings.upstreams.values(), explanation.route
    secrets = {upstream.secret_header.lower() for upstream in upstreams} - {""}
    keeps_authorization = route is not None and route.forwards_authorization
    return [
        *(() if keeps_authorization else ("authorization",)),
        *sorted(OWNED | HOP_BY_HOP | secrets),
        *(f"{prefix}*" for prefix in OWNED_PREFIXES),
    ]


def _costs(explanation: Explanation) -> Iterator[str]:
    usage, settings = explanation.rehearsal.usage, explanation.settings
    yield (
        f"{_counted(usage.reads, 'read')} and {_counted(usage.writes, 'write')} of DynamoDB:"
        f" {dollars(explanation):.3f} $ a million, with the API's and the function's requests,"
        " without the function's time (python -m webapp cost)"
    )
    if explanation.refusal is None and explanation.rehearsal.sent is None:
        yield "besides what the endpoint itself reads and writes"
    if explanation.rehearsal.call.identity:
        yield "a session's use is noted by one more write a minute at most"
        if settings.session.cache_seconds:
            yield f"its row is read once in {settings.session.cache_seconds} s by a container"
    if usage.writes:
        yield "a busy key is leased and costs less: docs/limits.md"


def dollars(explanation: Explanation) -> float:
    """For a million such requests, without the time that the function runs."""
    usage = explanation.rehearsal.usage
    each = (
        (1, prices.HTTP_REQUESTS),
        (1, prices.LAMBDA_REQUESTS),
        (usage.reads, prices.TABLE_READS),
        (usage.writes, prices.TABLE_WRITES),
    )
    return sum(count * 1_000_000 / price.per * price.dollars for count, price in each)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def document(explanation: Explanation) -> dict[str, Any]:
    asked, refusal = explanation.question, explanation.refusal
    route, match = explanation.route, explanation.rehearsal.call.match
    told: dict[str, Any] = {
        "method": asked.method,
        "path": asked.target,
        "address": asked.address,
        "roles": None if asked.roles is None else list(asked.roles),
        "passes": refusal is None,
        "refusal": refusal and refusal.document(explanation.request.id),
        "route": route and _reference(route) | {"callers": callers(route)},
        "values": dict(match.values) if match else {},
        "passed_over": [_reference(r) | {"reason": why} for r, why in explanation.passed_over],
        "nearest": [_reference(near) for near in explanation.nearest],
        "look_alike": explanation.look_alike and _reference(explanation.look_alike),
        "policies": [_policy(counted) for counted in explanation.counted],
        "idle_policies": [{"name": p.name, "reason": why} for p, why in explanation.idle],
        "reads": explanation.rehearsal.usage.reads,
        "writes": explanation.rehearsal.usage.writes,
        "dollars_per_million": round(dollars(explanation), 6),
        "upstream": None,
    }
    if explanation.rehearsal.sent:
        told["upstream"] = _upstream(explanation) | {
            "headers": headers(explanation),
            "dropped": _owned(explanation),
        }
    return told


def _reference(route: Route) -> dict[str, Any]:
    return {"id": route.id, "methods": list(route.methods), "path": route.path}


def _policy(counted: Counted) -> dict[str, Any]:
    told = counted.policy
    return {
        "name": told.name,
        "limit": told.limit,
        "window": told.window,
        "burst": told.capacity,
        "mode": told.mode,
        "key": counted.key,
        "reached": counted.reached,
    }
