"""What no limit holds: routes without a policy, and policies that the API's throttle forestalls."""

from collections.abc import Iterator

from webapp.settings.checks.shut import covers_everybody
from webapp.settings.gateway import Policy, Route, Settings
from webapp.settings.mistakes import Mistake, member, top
from webapp.settings.stack import Stack


def check(settings: Settings, stack: Stack) -> Iterator[Mistake]:
    yield from _routes(settings)
    for index, policy in enumerate(settings.rate_limits):
        if policy.mode == "enforce":
            yield from _forestalled(policy, f"{top('rateLimits')}[{index}]", stack)


def _routes(settings: Settings) -> Iterator[Mistake]:
    enforced = [
        policy
        for policy in settings.rate_limits
        if policy.mode == "enforce" and not covers_everybody(policy.exempt)
    ]
    if settings.routes and not enforced:
        message = (
            "enforces nothing: one caller can use up the services, the containers and the money of"
            " all; add a policy such as {name: per-ip, key: ip, limit: 100, window: 60}"
        )
        yield Mistake(top("rateLimits"), message)
        return
    for index, route in enumerate(settings.routes):
        governing = [p for p in enforced if p.routes is None or route.id in p.routes]
        if not _limits_everybody(route, governing):
            who = "some" if governing else "the"
            message = (
                f"{who} callers of {route.id} are under no limit, so that one of them can use up"
                " what all share; name it in the routes of a policy without roles"
            )
            yield Mistake(f"{top('routes')}[{index}]", message)


def _limits_everybody(route: Route, governing: list[Policy]) -> bool:
    """Policies for roles will do where whoever may call has one of these."""
    limited = {role for policy in governing for role in policy.roles}
    by_role = bool(route.roles) and limited.issuperset(route.roles)
    return by_role or any(not policy.roles for policy in governing)


def _forestalled(policy: Policy, place: str, stack: Stack) -> Iterator[Mistake]:
    """The throttle is one bucket for all callers: what is above it, no single key gets to use."""
    throttle = f"{top('throttlingRateLimit')} ({stack.throttling_rate_limit})"
    pace = policy.limit / policy.window
    if pace > stack.throttling_rate_limit:
        message = (
            f"admits {pace:g} a second, the API only {stack.throttling_rate_limit} for all callers"
            " together: they get its bare 429 before this policy speaks, and one of them can shut"
            f" out all others; lower it or raise {throttle}"
        )
        yield Mistake(member(place, "limit"), message)
        return
    most = stack.throttling_burst_limit + stack.throttling_rate_limit * policy.window
    if policy.capacity > most:
        message = (
            f"admits {policy.capacity} at once, but the API no more than {most} in the whole"
            f" window, so that it is never used up; lower it or raise {throttle}"
        )
        yield Mistake(member(place, "limit" if policy.burst is None else "burst"), message)
