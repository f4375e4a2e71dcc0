"""An explanation in words."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

import click

from webapp.apidocs.words import listed, policy, size
from webapp.local.explain import Counted, Exchange, Explanation
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
    target = asked.target if asked.target.isprintable() else asked.wire
    return f"{asked.method} {target} from {asked.address}, {who}"


def _rows(explanation: Explanation) -> Iterator[tuple[str, Iterable[str]]]:
    yield "answer", [_answer(explanation)]
    route, other = explanation.route, explanation.look_alike
    if route:
        yield "route", [_route(route, explanation)]
    yield "passed over", [f"{_named(r)}: {reason}" for r, reason in explanation.passed_over]
    yield "near", map(_named, explanation.nearest)
    if other:
        yield "look-alike", [f"of {_named(other)}: {_callers(other)}"]
    if route:
        yield "callers", [_callers(route), *_pages(route, explanation)]
        yield "limits", _limits(explanation)
    if exchange := explanation.exchange:
        yield "upstream", _exchange(exchange)
        own = (f"{name}: {value}" for name, value in exchange.headers.items())
        yield "sent", [*own, "and what the client sends, less what is dropped"]
        yield "dropped", _dropped(exchange, explanation.settings.session.cookie_name)
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
    values = ", ".join(f"{name} = {value}" for name, value in explanation.values.items())
    return f"{_named(route)}{': ' if values else ''}{values}"


def _callers(route: Route) -> str:
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
    elif route.auth != "none" and explanation.question.method in _UNSAFE:
        yield "by cookie only from the gateway's own pages and those of cors.allowOrigins"
    if explanation.settings.edge:
        yield "by CloudFront only: whoever comes past it is 403"
    if explanation.question.method == "OPTIONS" and explanation.settings.cors.allow_origins:
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


def _exchange(exchange: Exchange) -> Iterator[str]:
    yield f"{exchange.upstream}: {exchange.method} {exchange.url}"
    yield (
        f"{exchange.timeout:g} s for all of it, {exchange.connect_timeout:g} s to connect, or 504"
    )
    if tries := exchange.retries:
        yield f"sent {'once' if tries == 1 else f'{tries} times'} more if not a byte comes back"
    else:
        yield "sent once"


def _dropped(exchange: Exchange, cookie: str) -> list[str]:
    return [
        f"the cookie {cookie}, tokens of the gateway in any header",
        "headers with an underscore in their name, or under these names:",
        *textwrap.wrap(", ".join(exchange.dropped), _WIDTH, break_on_hyphens=False),
    ]


def _costs(explanation: Explanation) -> Iterator[str]:
    usage, settings = explanation.rehearsal.usage, explanation.settings
    yield f"{_times(usage.reads, 'read')} and {_times(usage.writes, 'write')} of DynamoDB"
    yield (
        f"{explanation.dollars:.3f} $ a million with the API and the invocation; the function's"
        " time comes on top (python -m webapp cost)"
    )
    if explanation.refusal is None and explanation.exchange is None:
        yield "besides what the endpoint itself reads and writes"
    if explanation.rehearsal.call.identity:
        yield "a session's use is noted by one more write a minute at most"
        if settings.session.cache_seconds:
            yield f"its row is read once in {settings.session.cache_seconds} s by a container"
    if usage.writes:
        yield "a busy key is leased and costs less: docs/limits.md"


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
