"""Identity: which credential a request presents, and whether a browser may use it from there."""

import re
from typing import NamedTuple

from webapp.errors import Problem
from webapp.events import Request
from webapp.settings import Route, Settings
from webapp.tokens import PREFIX

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# One value may hold several credentials: repeated fields arrive joined with commas.
_BEARER = re.compile(r"(?:^|,)\s*bearer(?![^\s,])([^,]*)", re.IGNORECASE)


class Credential(NamedTuple):
    """A token as it was presented, not yet verified."""

    token: str
    by_cookie: bool


def presented(request: Request, route: Route, cookie_name: str) -> Credential | None:
    """The token of a request, if it has one. Raises a Problem: 400 for two different ones."""
    tokens = [Credential(token, True) for token in cookie_tokens(request, cookie_name)]
    tokens += [
        Credential(bearer, False)
        for bearer in map(str.strip, _BEARER.findall(request.header("authorization") or ""))
        if bearer.startswith(PREFIX) or not route.forwards_authorization
    ]
    if len({credential.token for credential in tokens}) > 1:
        raise Problem("conflicting_credentials", "The request carries two different tokens.")
    return tokens[-1] if tokens else None


def cookie_tokens(request: Request, cookie_name: str) -> list[str]:
    pairs = (pair.partition("=") for pair in request.cookies)
    values = (value.strip().strip('"') for name, _, value in pairs if name.strip() == cookie_name)
    return list(filter(None, values))


def has_role(route: Route, roles: tuple[str, ...]) -> bool:
    """Any of the route's roles will do; a route without roles admits every signed-in user."""
    return not route.roles or not set(route.roles).isdisjoint(roles)


def check_same_site(
    request: Request, route: Route, credential: Credential | None, settings: Settings
) -> None:
    """Refuse what another site makes a browser do. Raises a Problem (403).

    With a cookie, unsafe methods must show that they come from the gateway's own pages. Sign-in
    and sign-out are guarded without one too: signing a victim in as somebody else is an attack.
    """
    origin = request.header("origin")
    fetch_site = request.header("sec-fetch-site")
    by_cookie = credential and credential.by_cookie and route.auth != "none"
    if by_cookie and request.method in _UNSAFE:
        passes = fetch_site == "same-origin"
    elif route.session:
        passes = fetch_site != "cross-site"
    else:
        return
    if not (passes if origin is None else _own(origin, request, settings)):
        raise Problem("cross_site_request", "The request does not come from this site's own pages.")


def _own(origin: str, request: Request, settings: Settings) -> bool:
    host = settings.public_host or request.host
    listed = origin in settings.cors.allow_origins and origin != "*"
    return listed or (bool(host) and origin == f"{settings.scheme}://{host}")
