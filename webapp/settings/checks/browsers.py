"""Sessions in browsers: how long they last, and which pages may use them."""

from collections.abc import Iterator
from typing import get_args
from urllib.parse import urlsplit

from webapp.settings.checks.names import is_header, is_host
from webapp.settings.checks.networks import repeated
from webapp.settings.gateway import Cors, Method, SessionSettings, Settings
from webapp.settings.mistakes import Mistake, member, shown, suggestion, top

_METHODS = get_args(Method)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check(settings: Settings) -> Iterator[Mistake]:
    yield from _lifetimes(settings.session)
    yield from _cors(settings.cors, top("cors"))


def _lifetimes(session: SessionSettings) -> Iterator[Mistake]:
    place = top("session")
    if session.ttl > session.max_lifetime:
        message = f"must be at most maxLifetime ({session.max_lifetime})"
        yield Mistake(member(place, "ttl"), message)
    if session.refresh_threshold >= session.ttl:
        message = f"must be less than ttl ({session.ttl}), or every answer renews the cookie"
        yield Mistake(member(place, "refreshThreshold"), message)


def _cors(cors: Cors, place: str) -> Iterator[Mistake]:
    if cors.allow_credentials and not cors.allow_origins:
        message = "needs allowOrigins: name the pages that may send credentials"
        yield Mistake(member(place, "allowCredentials"), message)
    for key, entries in _lists(cors):
        where = member(place, key)
        yield from repeated(entries, where)
        if "*" in entries and cors.allow_credentials:
            message = '"*" and allowCredentials exclude each other; name each one'
            yield Mistake(where, message)
        elif "*" in entries and len(entries) > 1:
            yield Mistake(where, '"*" already covers the others; leave one or the other out')
        for index, entry in enumerate(entries):
            if entry != "*" and (message := _entry(key, entry) or ""):
                yield Mistake(f"{where}[{index}]", message)


def _lists(cors: Cors) -> list[tuple[str, tuple[str, ...]]]:
    return [
        ("allowOrigins", cors.allow_origins),
        ("allowMethods", cors.allow_methods),
        ("allowHeaders", cors.allow_headers),
        ("exposeHeaders", cors.expose_headers),
    ]


def _entry(key: str, entry: str) -> str | None:
    if key == "allowOrigins":
        return _origin(entry)
    if key == "allowMethods":
        known = entry in _METHODS
        return None if known else f"no method {shown(entry)}{suggestion(entry, _METHODS)}"
    return None if is_header(entry) else f"{shown(entry)} is no header name"


def _origin(origin: str) -> str | None:
    """Browsers send origins in one spelling only, and they are compared as text."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _DEFAULT_PORTS or not is_host(parts.hostname or ""):
        return f"{shown(origin)} is no origin such as https://app.example.com"
    bracketed = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    spelling = f"{parts.scheme}://{bracketed}"
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        spelling += f":{port}"
    if origin != spelling:
        return f"{shown(origin)} is not what browsers send; write {spelling}"
    return None
