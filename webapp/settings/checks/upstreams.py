"""Upstreams: addresses that mean one thing, and headers that prove the gateway."""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from webapp.paths import ambiguity
from webapp.settings.checks.names import address, is_header, is_host
from webapp.settings.gateway import Settings, Upstream
from webapp.settings.mistakes import Mistake, member, shown, top

_NO_ADDRESS = "is not an address such as https://users.example.com"
_NO_PORT = "must name a port from 1 to 65535, or none"

_TAKEN = {
    "age", "allow", "alt-svc", "authorization", "baggage", "cache-control", "cf-connecting-ip",
    "clear-site-data", "connection", "cookie", "date", "dnt", "early-data", "etag", "expect",
    "expires", "forwarded", "from", "host", "keep-alive", "last-event-id", "last-modified", "link",
    "location", "max-forwards", "origin", "origin-agent-cluster", "permissions-policy", "pragma",
    "priority", "range", "referer", "referrer-policy", "refresh", "remote-user", "report-to",
    "retry-after", "save-data", "server", "set-cookie", "strict-transport-security", "te",
    "timing-allow-origin", "traceparent", "tracestate", "trailer", "transfer-encoding",
    "true-client-ip", "upgrade", "upgrade-insecure-requests", "user-agent", "vary", "via",
    "warning", "www-authenticate", "x-client-ip", "x-cluster-client-ip", "x-content-type-options",
    "x-frame-options", "x-http-method", "x-http-method-override", "x-method-override",
    "x-original-url", "x-real-ip", "x-request-id", "x-rewrite-url", "x-session-id",
}  # fmt: skip
_TAKEN_PREFIXES = (
    "accept", "access-control-", "content-", "if-", "proxy", "ratelimit", "sec-", "tollgate-",
    "x-amz-", "x-amzn-", "x-auth-request-", "x-forwarded", "x-user-",
)  # fmt: skip


def check(settings: Settings) -> Iterator[Mistake]:
    for name, upstream in settings.upstreams.items():
        place = member(top("upstreams"), name)
        if message := _address(upstream):
            yield Mistake(member(place, "url"), message)
        if message := _secret_header(upstream):
            yield Mistake(member(place, "secretHeader"), message)


def is_https(upstream: Upstream) -> bool:
    return upstream.url.lower().startswith("https://")


def _address(upstream: Upstream) -> str | None:
    url = upstream.url
    if re.search(r"[^!-~]", url):
        return "must be plain ASCII without spaces (write an international name as xn--...)"
    try:
        parts = urlsplit(url)
    except ValueError:
        return _NO_ADDRESS
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return _NO_ADDRESS
    if "@" in parts.netloc:
        return "must not carry a user name or password; use secretHeader with upstreamSecrets"
    if parts.scheme == "http" and not upstream.allow_insecure:
        return "must be https (allowInsecure: true accepts http inside a network that you trust)"
    if "?" in url or "#" in url:
        return "must not carry a query or a fragment"
    return _port(parts) or _host(parts) or _base_path(parts.path)


def _port(parts: SplitResult) -> str | None:
    try:
        named = parts.port != 0 and not parts.netloc.endswith(":")
    except ValueError:
        named = False
    return None if named else _NO_PORT


def _host(parts: SplitResult) -> str | None:
    host = parts.hostname or ""
    if not is_host(host):
        return f"{shown(host)} is no host name"
    found = address(host)
    if found and (found.is_link_local or found.is_unspecified or found.is_multicast):
        return f"{shown(host)} is no address of a service (link-local, unspecified or multicast)"
    return None


def _base_path(path: str) -> str | None:
    if path and (ambiguity(path) or "{" in path or "}" in path):
        return "the base path must be plain segments: no dots, doubled slashes, %, ;, \\ or braces"
    return None


def _secret_header(upstream: Upstream) -> str | None:
    name = upstream.secret_header
    if not name:
        return None
    if "_" in name:
        return f"{shown(name)} has an underscore, which servers drop or read as a dash; use a dash"
    if not is_header(name):
        return f"{shown(name)} is no header name"
    if name.lower() in _TAKEN or name.lower().startswith(_TAKEN_PREFIXES):
        return f"{shown(name)} has another meaning; choose a name such as X-Gateway-Secret"
    if not is_https(upstream):
        return "needs an https url: over http anyone on the way can read the secret"
    return None
