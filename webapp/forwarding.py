"""Forwarding: exactly what goes to an upstream, and what of its answer goes to the client."""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from webapp import paths
from webapp.addresses import Address
from webapp.errors import Problem
from webapp.events import Request
from webapp.routes import Match
from webapp.sessions import Identity
from webapp.settings import Settings, Upstream
from webapp.settings.templates import parse
from webapp.tokens import PREFIX
from webapp.tracing import Trace

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

# Names that upstreams trust: whatever a client sends under them is dropped.
OWNED = frozenset(
    {
        "cf-connecting-ip",
        "content-length",
        "expect",
        "forwarded",
        "host",
        "proxy",
        "remote-user",
        "traceparent",
        "true-client-ip",
        "x-client-ip",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-real-ip",
        "x-request-id",
        "x-rewrite-url",
        "x-session-id",
    }
)
OWNED_PREFIXES = ("tollgate-", "x-auth-request-", "x-forwarded-", "x-user-")

_IMPLIED_PORT = {"": None, "http": 80, "https": 443}

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


class Outgoing(NamedTuple):
    """One request on the wire: an absolute URL, lower-case header names, exact bytes."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Passport(NamedTuple):
    """What the gateway itself says of a request: who calls, in which trace, with which proof."""

    identity: Identity | None
    trace: Trace
    secret: str | None


def outgoing(request: Request, match: Match, settings: Settings, passport: Passport) -> Outgoing:
    """The request that an upstream receives for a request that may pass."""
    upstream = settings.upstreams[match.route.upstream]
    headers = dict(_client_headers(request, match, settings))
    if passport.trace.is_new:
        headers.pop("tracestate", None)
    headers |= _forwarding_headers(request, settings)
    headers |= _identity_headers(passport)
    if upstream.secret_header and passport.secret:
        headers[upstream.secret_header.lower()] = passport.secret
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        headers["content-length"] = str(len(request.body))
    return Outgoing(request.method, target(request, match, upstream), headers, request.body)


def target(request: Request, match: Match, upstream: Upstream) -> str:
    """The URL: base path, rewritten path, the client's trailing slash, the query as it came."""
    path = _rewritten(match) if match.route.rewrite else request.path
    if request.path[1:].endswith("/") and not path.endswith("/"):
        path += "/"
    query = f"?{request.query}" if request.query else ""
    return upstream.url.rstrip("/") + paths.encode(path) + query


def _rewritten(match: Match) -> str:
    parts = (
        segment.text if segment.kind == "literal" else match.values[segment.text]
        for segment in parse(match.route.rewrite)
    )
    return "/" + "/".join(parts)


def _client_headers(
    request: Request, match: Match, settings: Settings
) -> Iterable[tuple[str, str]]:
    dropped = HOP_BY_HOP | OWNED | _named_by_connection(request)
    dropped |= {u.secret_header.lower() for u in settings.upstreams.values() if u.secret_header}
    for name, value in request.headers:
        if name in dropped or name.startswith(OWNED_PREFIXES):
            continue
        if name == "authorization" and not _passes(value, match):
            continue
        yield name, value
    if cookies := _other_cookies(request, settings):
        yield "cookie", cookies


def _named_by_connection(request: Request) -> set[str]:
    return {name.strip().lower() for name in (request.header("connection") or "").split(",")}


def _passes(authorization: str, match: Match) -> bool:
    """A token of this gateway never travels, whatever scheme it is put behind."""
    return match.route.forwards_authorization and not any(
        word.startswith(PREFIX) for word in re.split(r"[\s,;=\"]+", authorization)
    )


def _other_cookies(request: Request, settings: Settings) -> str:
    """The client's cookies less the session's, whatever its name's case, and less any token."""
    own = settings.session.cookie_name.lower()
    return "; ".join(
        pair
        for pair in request.cookies
        if pair.partition("=")[0].strip().lower() != own
        and not pair.rpartition("=")[2].strip(' "').startswith(PREFIX)
    )


def _forwarding_headers(request: Request, settings: Settings) -> dict[str, str]:
    """Rebuilt, never added to: what a client claims about its way here is worth nothing."""
    host = settings.public_host or request.host
    headers = {"x-forwarded-proto": settings.scheme, "x-request-id": request.id}
    forwarded = [f"proto={settings.scheme}"]
    if host:
        port = host.partition(":")[2] or ("443" if settings.scheme == "https" else "80")
        headers |= {"x-forwarded-host": host, "x-forwarded-port": port}
        forwarded.insert(0, f'host="{host}"' if ":" in host else f"host={host}")
    if request.address:
        headers["x-forwarded-for"] = str(request.address)
        forwarded.insert(0, f"for={_node(request.address)}")
    return headers | {"forwarded": ";".join(forwarded)}


def _node(address: Address) -> str:
    """RFC 7239, section 6: an IPv6 address is bracketed and so must be quoted."""
    return f'"[{address}]"' if address.version == 6 else str(address)


def _identity_headers(passport: Passport) -> dict[str, str]:
    headers = {"traceparent": passport.trace.traceparent}
    if passport.identity:
        headers["x-user-id"] = passport.identity.user_id
        headers["x-user-roles"] = ",".join(passport.identity.roles)
        headers["x-session-id"] = passport.identity.display_id
    return headers


def answered_headers(
    headers: Iterable[tuple[str, str]], request: Request, upstream: Upstream, settings: Settings
) -> list[tuple[str, str]]:
    """What of an upstream's header lines the client gets, in their order.

    Raises a Problem (502) for lines that no client could read in one way.
    """
    lines = list(headers)
    dropped = HOP_BY_HOP | {"content-length", "x-request-id"}
    for name, value in lines:
        if not _NAME.fullmatch(name) or _CONTROL.search(value):
            raise invalid_answer()
        if name.lower() == "connection":
            dropped |= {named.strip().lower() for named in value.split(",")}
    dropped |= {u.secret_header.lower() for u in settings.upstreams.values() if u.secret_header}
    return [
        (name, _relocated(value, request, upstream, settings) if lower == "location" else value)
        for name, value in lines
        if (lower := name.lower()) not in dropped
        and not lower.startswith("tollgate-")
        and not (lower == "set-cookie" and _sets(settings.session.cookie_name, value))
    ]


def _sets(cookie_name: str, line: str) -> bool:
    """Also where browsers store a cookie without a name and send it back as if it had this one."""
    name = line.partition(";")[0].lstrip("= \t").partition("=")[0]
    return name.strip().lower() == cookie_name.lower()


def _relocated(location: str, request: Request, upstream: Upstream, settings: Settings) -> str:
    """A redirect within the upstream leads to the public host; all others are relayed."""
    try:
        place, own = urlsplit(location), urlsplit(upstream.url)
        at_home = place.scheme in _IMPLIED_PORT and _authority(place) == _authority(own)
    except ValueError:
        raise invalid_answer() from None
    base = own.path.rstrip("/")
    inside = place.path == base or place.path.startswith(base + "/")
    if not (at_home if place.netloc else inside and place.path and not place.scheme):
        return location
    path = (place.path[len(base) :] if inside else place.path) or "/"
    if path.startswith(("//", "/\\")):
        raise invalid_answer()
    host = settings.public_host or request.host
    return place._replace(scheme=settings.scheme if host else "", netloc=host, path=path).geturl()


def _authority(url: SplitResult) -> tuple[str | None, int | None]:
    """Host and port, less a port that the scheme implies."""
    return url.hostname, None if url.port == _IMPLIED_PORT[url.scheme] else url.port


def invalid_answer() -> Problem:
    return Problem("upstream_invalid_response", "The service behind this route answered badly.")
