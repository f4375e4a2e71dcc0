"""Relaying: what of an upstream's answer the client gets."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Response
from werkzeug.datastructures import Headers

from webapp.errors import Problem
from webapp.events import Request
from webapp.forwarding import HOP_BY_HOP
from webapp.settings import Settings, Upstream

_IMPLIED_PORT = {"": None, "http": 80, "https": 443}

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


def answered_headers(
    headers: Iterable[tuple[str, str]], request: Request, upstream: Upstream, settings: Settings
) -> list[tuple[str, str]]:
    """What of an upstream's header lines the client gets, in their order.

    Raises a Problem (502) for lines that no client could read in one way.
    """
    lines = list(headers)
    dropped = HOP_BY_HOP | {"x-request-id"}
    if request.method != "HEAD":
        dropped |= {"content-length"}
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


class Relayed(Response):
    """An upstream's answer. Repeated header lines are joined: apig-wsgi keeps only the last."""

    def __init__(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        super().__init__(body, status)
        self.headers = Headers()
        for name, value in headers:
            if name.lower() == "set-cookie" or name not in self.headers:
                self.headers.add(name, value)
            else:
                self.headers[name] = f"{self.headers[name]}, {value}"
        if body:
            self.headers["Content-Length"] = str(len(body))

    def get_wsgi_headers(self, environ: Any) -> Headers:  # noqa: ARG002
        """As they are: Werkzeug would spell `Location` anew and cut what a 304 says."""
        return self.headers


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
