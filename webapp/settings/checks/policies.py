"""Rate limits: every policy has its own name, and applies to something."""

from collections.abc import Iterator

from webapp.settings.checks.networks import networks, repeated
from webapp.settings.gateway import Policy, Settings
from webapp.settings.mistakes import Mistake, member, shown, suggestion, top


def check(settings: Settings) -> Iterator[Mistake]:
    names: dict[str, str] = {}
    ids = [route.id for route in settings.routes]
    for index, policy in enumerate(settings.rate_limits):
        place = f"{top('rateLimits')}[{index}]"
        if policy.name and policy.name in names:
            message = f"{shown(policy.name)} is the name of {names[policy.name]}"
            yield Mistake(member(place, "name"), message)
        names.setdefault(policy.name, place)
        if not policy.kinds:
            yield Mistake(member(place, "key"), "is empty; name what to count by, such as ip")
        yield from repeated(policy.kinds, member(place, "key"))
        yield from _routes(policy, place, ids)
        yield from repeated(policy.roles, member(place, "roles"))
        yield from networks(policy.exempt, member(place, "exempt"))


def _routes(policy: Policy, place: str, ids: list[str]) -> Iterator[Mistake]:
    if policy.routes is None:
        return
    if not policy.routes:
        yield Mistake(member(place, "routes"), "is empty; leave the key out for all routes")
    yield from repeated(policy.routes, member(place, "routes"))
    for index, identifier in enumerate(policy.routes):
        if identifier and identifier not in ids:
            message = f"no route with the id {shown(identifier)}{suggestion(identifier, ids)}"
            yield Mistake(f"{member(place, 'routes')}[{index}]", message)
