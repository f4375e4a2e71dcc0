"""What works as written and is probably not meant."""

from collections.abc import Iterator

from webapp.settings.checks import idle, shut, unlimited
from webapp.settings.checks.upstreams import is_https
from webapp.settings.gateway import Settings, Upstream
from webapp.settings.mistakes import Mistake, member, top
from webapp.settings.stack import Stack


def check(
    settings: Settings, stack: Stack, unread: frozenset[str] = frozenset()
) -> Iterator[Mistake]:
    """Findings that stop nothing: what is so, why it matters, and the remedy.

    `unread` names keys that are set to what cannot be read here.
    """
    for name, upstream in settings.upstreams.items():
        place = member(top("upstreams"), name)
        yield from _mixed(name, place, settings)
        yield from _exchange(upstream, place, stack, unread)
    yield from unlimited.check(settings, stack)
    yield from shut.check(settings)
    yield from _pages(settings, stack)
    yield from _default_endpoint(stack)
    yield from idle.check(settings, stack, unread)


def _mixed(name: str, place: str, settings: Settings) -> Iterator[Mistake]:
    """Sign-in and sign-out routes are open by nature."""
    routes = [route for route in settings.routes if route.upstream == name and not route.session]
    free = [route.id for route in routes if route.auth != "session"]
    guarded = [route.id for route in routes if route.auth == "session"]
    if free and guarded:
        message = (
            f"stands behind open routes ({', '.join(free)}) and protected ones"
            f" ({', '.join(guarded)}): a service that relies on the gateway should not be open to"
            " strangers at any path; if it checks by itself, give it a second name for its open"
            " routes"
        )
        yield Mistake(place, message)


def _exchange(
    upstream: Upstream, place: str, stack: Stack, unread: frozenset[str]
) -> Iterator[Mistake]:
    if not is_https(upstream) and stack.vpc is None and "vpc" not in unread:
        message = (
            "is plain http over the internet: whoever is on the way reads and forges requests and"
            f" answers; use https, or reach it inside a network ({top('vpc')})"
        )
        yield Mistake(member(place, "url"), message)
    if upstream.timeout > stack.timeout:
        message = f"is longer than the function runs ({stack.timeout} s, {top('timeout')})"
        yield Mistake(member(place, "timeout"), f"{message}, so it never ends anything; lower it")


def _pages(settings: Settings, stack: Stack) -> Iterator[Mistake]:
    if "*" in settings.cors.allow_origins and stack.protect:
        message = '"*" lets every page on the web read answers of a protected stack; name origins'
        yield Mistake(member(top("cors"), "allowOrigins"), message)
    yield from _preflights(settings)
    if settings.session.same_site == "None" and not settings.cors.allow_credentials:
        message = "None sends the cookie along from other sites, which only cors.allowCredentials"
        yield Mistake(member(top("session"), "sameSite"), f"{message} makes use of; use Lax")


def _preflights(settings: Settings) -> Iterator[Mistake]:
    """A list that somebody wrote is meant; one that nobody wrote lets pages read, and no more."""
    cors = settings.cors
    if not cors.allow_origins:
        return
    taken = {method for route in settings.routes for method in route.methods}
    if asked := sorted(taken & {"PUT", "PATCH", "DELETE"}) if not cors.allow_methods else []:
        message = f"is unset, so that browsers let no page send {', '.join(asked)}; list methods"
        yield Mistake(member(top("cors"), "allowMethods"), message)
    if taken & {"POST", "PUT", "PATCH"} and not cors.allow_headers:
        message = "is unset, so that browsers let no page send JSON or a token; list content-type"
        yield Mistake(member(top("cors"), "allowHeaders"), f"{message}, and authorization")


def _default_endpoint(stack: Stack) -> Iterator[Mistake]:
    """Behind the edge it must stay on, and answers nobody else."""
    if stack.custom_domain and not stack.edge and not stack.disable_default_endpoint:
        message = (
            "is false although there is a customDomain: clients of the execute-api address bypass"
            " what is bound to the domain, and break when the API is replaced; set it to true once"
            " the domain works"
        )
        yield Mistake(top("disableDefaultEndpoint"), message)
