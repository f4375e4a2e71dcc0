"""What several entries must satisfy together, or one in a way that no type can say.

Each check is a pure function from decoded settings to mistakes, in the order of the file.
"""

from collections.abc import Iterator

from webapp.settings.checks import browsers, confidential, lint, policies, routes, shape, upstreams
from webapp.settings.checks.networks import networks
from webapp.settings.gateway import Settings
from webapp.settings.mistakes import Mistake, top
from webapp.settings.stack import Stack


def mistakes(settings: Settings, stack: Stack) -> Iterator[Mistake]:
    yield from upstreams.check(settings)
    yield from routes.check(settings, stack)
    yield from policies.check(settings)
    yield from networks(settings.deny_from, top("denyFrom"))
    yield from browsers.check(settings)


__all__ = ["confidential", "lint", "mistakes", "shape"]
