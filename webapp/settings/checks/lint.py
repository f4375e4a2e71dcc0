"""What works as written and is probably not meant."""

from collections.abc import Iterator

from webapp.settings.gateway import Settings
from webapp.settings.mistakes import Mistake, member, top
from webapp.settings.stack import Stack


def check(settings: Settings, stack: Stack) -> Iterator[Mistake]:
    for name, upstream in settings.upstreams.items():
        place = member(top("upstreams"), name)
        yield from _mixed(name, place, settings)
        if upstream.timeout > stack.timeout:
            message = f"is longer than the function runs ({stack.timeout} s, {top('timeout')})"
            yield Mistake(member(place, "timeout"), message)
    if "*" in settings.cors.allow_origins and stack.protect:
        message = '"*" lets every page on the web read answers of a protected stack; name origins'
        yield Mistake(member(top("cors"), "allowOrigins"), message)
    if settings.session.same_site == "None" and not settings.cors.allow_credentials:
        message = "None sends the cookie along from other sites, which only cors.allowCredentials"
        yield Mistake(member(top("session"), "sameSite"), f"{message} makes use of; use Lax")


def _mixed(name: str, place: str, settings: Settings) -> Iterator[Mistake]:
    """Sign-in and sign-out routes are open by nature."""
    routes = [route for route in settings.routes if route.upstream == name and not route.session]
    free = [route.id for route in routes if route.auth == "none"]
    guarded = [route.id for route in routes if route.auth == "session"]
    if free and guarded:
        message = (
            f"stands behind open routes ({', '.join(free)}) and protected ones"
            f" ({', '.join(guarded)}): does it rely on being protected? Give it two names if not"
        )
        yield Mistake(place, message)
