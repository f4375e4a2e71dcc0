"""Settings without effect, since what they belong to is not set."""

from collections.abc import Iterator

from webapp.settings.checks.upstreams import is_https
from webapp.settings.gateway import Cors, Settings, SignInGuard, Upstream
from webapp.settings.mistakes import Mistake, member, top
from webapp.settings.stack import Stack


def check(settings: Settings, stack: Stack, unread: frozenset[str]) -> Iterator[Mistake]:
    yield from _stack(stack, unread)
    yield from _cors(settings.cors)
    used = {route.upstream for route in settings.routes}
    for name, upstream in settings.upstreams.items():
        place = member(top("upstreams"), name)
        if name not in used:
            yield Mistake(place, "no route leads there; name it in a route, or remove it")
        yield from _upstream(upstream, place)
    issuing = any(route.session == "issue" for route in settings.routes)
    if settings.sign_in_guard != SignInGuard() and not issuing:
        message = "has no effect without a sign-in route; set session: issue on one, or unset it"
        yield Mistake(top("signInGuard"), message)


def _stack(stack: Stack, unread: frozenset[str]) -> Iterator[Mistake]:
    budget, alarms = ("monthlyBudgetUsd", stack.monthly_budget_usd), ("alarms", stack.alarms)
    owned = [
        ("budgetEmail", stack.budget_email, *budget),
        ("budgetTag", stack.budget_tag, *budget),
        ("alarmEmail", stack.alarm_email, *alarms),
        ("alarmTopicArn", stack.alarm_topic_arn, *alarms),
    ]
    for key, value, owner, present in owned:
        if value and not present and owner not in unread:
            yield Mistake(top(key), f"has no effect without {owner}; set both or none")
    told = stack.alarm_email or stack.alarm_topic_arn
    if stack.alarms and not told and unread.isdisjoint({"alarmEmail", "alarmTopicArn"}):
        message = "ring where nobody hears them; set alarmEmail or alarmTopicArn"
        yield Mistake(top("alarms"), message)


def _cors(cors: Cors) -> Iterator[Mistake]:
    set_anyway = {
        "allowMethods": cors.allow_methods,
        "allowHeaders": cors.allow_headers,
        "exposeHeaders": cors.expose_headers,
        "maxAge": cors.max_age,
    }
    for key, value in set_anyway.items():
        if value and not cors.allow_origins:
            message = (
                "has no effect without allowOrigins; name the pages that may call, or unset it"
            )
            yield Mistake(member(top("cors"), key), message)


def _upstream(upstream: Upstream, place: str) -> Iterator[Mistake]:
    # The default is nobody's choice: to say `timeout: 1` must be enough.
    chosen = upstream.connect_timeout != Upstream(url="").connect_timeout
    if chosen and upstream.connect_timeout > upstream.timeout:
        message = f"is longer than timeout ({upstream.timeout:g} s), which ends both; lower it"
        yield Mistake(member(place, "connectTimeout"), message)
    if upstream.allow_insecure and is_https(upstream):
        message = "is not needed for an https url, and would let a later http one pass; unset it"
        yield Mistake(member(place, "allowInsecure"), message)
