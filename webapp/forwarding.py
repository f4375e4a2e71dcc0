"""Forwarding: exactly what an upstream receives for a request."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from webapp import paths
from webapp.addresses import Address
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

_TOKEN = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_.-]+\.[A-Za-z0-9_-]{43}")


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
    dropped |= {_twin(u.secret_header.lower()) for u in settings.upstreams.values()}
    for name, value in request.headers:
        twin = _twin(name)
        if {name, twin} & dropped or twin.startswith(OWNED_PREFIXES) or _holds_token(value):
            continue
        if name == "authorization" and not _passes(value, match):
            continue
        yield name, value
    if cookies := _other_cookies(request, settings):
        yield "cookie", cookies


def _named_by_connection(request: Request) -> set[str]:
    return {name.strip().lower() for name in (request.header("connection") or "").split(",")}


def _twin(name: str) -> str:
    """Some servers hand `X.User.Id` to an application under the name that `X-User-Id` has, too."""
    return re.sub("[^a-z0-9-]", "-", name)


def _holds_token(value: str) -> bool:
    """Anywhere, as in the `Referer` of a page whose address was given one."""
    return PREFIX in value and bool(_TOKEN.search(value))


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
        and not _holds_token(pair)
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
