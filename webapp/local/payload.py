"""API Gateway's part of a request: HTTP to a payload 2.0 event, and the function's answer back."""

import base64
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote

from webapp.local.wire import Answer, Fields, Refused, Request

# API Gateway hands over as text what calls itself text; all else is base64.
_TEXT = ("text/", "application/json", "application/javascript", "application/xml")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")

# Taken apart here: cookies have a list of their own, the others speak about this connection.
_CONSUMED = {"cookie", "content-length", "expect", "transfer-encoding"}


class Place(NamedTuple):
    """Where a request wants to go: the path is decoded, the query as it was sent."""

    authority: str
    host: str
    port: str
    path: str
    query: str


def build_event(request: Request, now: int) -> dict[str, Any]:
    """The event for a request that arrived at `now` (nanoseconds); Refused when there is none.

    What of the path is not UTF-8 becomes U+FFFD: bytes have no place in the JSON of an event.
    """
    place = _place(request)
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": place.path,
        "rawQueryString": place.query,
        "headers": _headers(request, place, now),
        "requestContext": _context(request, place, now),
        "isBase64Encoded": False,
    }
    if cookies := _cookies(request):
        event["cookies"] = cookies
    return event | _body(request)


def _place(request: Request) -> Place:
    """The authority of an absolute target wins over the Host field (RFC 9112, 3.2.2)."""
    target, hosts = request.target, request.values("host")
    if re.match(r"https?://", target, re.IGNORECASE):
        authority, slash, rest = target.partition("://")[2].partition("/")
        target, hosts = slash + rest, [authority]
    host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if host is None or not target.startswith("/"):
        raise Refused(400, "Bad Request")
    path, _, query = target.partition("?")
    decoded = unquote(path.encode("latin-1"), "utf-8", "replace")
    return Place(host[0], host[1], host[2] or "80", decoded, query)


def _headers(request: Request, place: Place, now: int) -> dict[str, str]:
    """Lower-case names, repeated ones joined, with what API Gateway adds or sets itself."""
    headers: dict[str, list[str]] = {}
    for name, value in request.fields:
        if name.lower() not in _CONSUMED:
            headers.setdefault(name.lower(), []).append(value)
    headers["host"] = [place.authority]
    headers.setdefault("x-forwarded-for", []).append(request.client)
    headers["x-forwarded-port"] = [place.port]
    headers["x-forwarded-proto"] = ["http"]
    headers["x-amzn-trace-id"] = [f"Root=1-{now // 10**9:08x}-{secrets.token_hex(12)}"]
    headers["content-length"] = [str(len(request.body))]
    return {name: ",".join(values) for name, values in headers.items()}


def _cookies(request: Request) -> list[str]:
    pairs = ";".join(request.values("cookie")).split(";")
    return [pair.strip() for pair in pairs if pair.strip()]


def _context(request: Request, place: Place, now: int) -> dict[str, Any]:
    seconds, milliseconds = divmod(now // 10**6, 1000)
    return {
        "accountId": "local",
        "apiId": "local",
        # On API Gateway the port is always 443; here it is part of the public host.
        "domainName": place.authority,
        "domainPrefix": place.host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": place.path,
            "protocol": request.version,
            "sourceIp": request.client,
            "userAgent": ",".join(request.values("user-agent")),
        },
        "requestId": secrets.token_urlsafe(11) + "=",
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds)),
        "timeEpoch": seconds * 1000 + milliseconds,
    }


def _body(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    if ",".join(request.values("content-type")).lower().startswith(_TEXT):
        with suppress(UnicodeDecodeError):
            return {"body": request.body.decode()}
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def read_answer(result: Mapping[str, Any]) -> Answer:
    """What the function returned, as HTTP. Any exception means that it was no such answer."""
    fields: Fields = tuple((name, str(value)) for name, value in result["headers"].items())
    cookies = tuple(("Set-Cookie", cookie) for cookie in result.get("cookies") or ())
    body = result.get("body") or ""
    data = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()
    return Answer(result["statusCode"], fields + cookies, data)
