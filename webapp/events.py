"""API Gateway events: turns any JSON value that claims to be one into a normalised request."""

import binascii
import re
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from webapp import addresses, paths
from webapp.addresses import Address
from webapp.errors import Problem

MAX_HEAD_BYTES = 16 * 1024

_MAX_REFUSED_PATH = 256

_METHOD = re.compile(r"[A-Z][A-Z0-9!#$%&'*+.^`|~-]{0,31}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# By what it must not hold: the other way round compiling it takes 4 ms of every cold start.
_HEADER_VALUE = re.compile("[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
_QUERY = re.compile(r"[!\"$-~]*")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_=+/.-]{1,128}")
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")


class Request(NamedTuple):
    """One client request as the steps see it.

    `path` is percent-decoded, `query` as it came; header names are lower-case, none has an
    underscore or is there twice; `cookies` holds the `name=value` pairs of `cookie`, which is not
    among them. `host` is the public host, with a port if the event names one. `refusal` is what
    the event itself already deserves; every other field is safe to use all the same, but for
    `refused_path`, which is only for the log.
    """

    id: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[str, ...]
    body: bytes
    address: Address | None
    host: str
    refusal: Problem | None = None
    refused_path: str = ""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


def normalise(event: object) -> Request:
    """The request that an event of an HTTP API (payload 2.0) carries. Never raises."""
    origin = _origin(event)
    try:
        return _read(event, origin)
    except Problem as refusal:
        return Request(
            id=origin.id,
            method=origin.method,
            path="/",
            query="",
            headers=(),
            cookies=(),
            body=b"",
            address=origin.address,
            host=origin.host,
            refusal=refusal,
            refused_path=_text(_object(event).get("rawPath"))[:_MAX_REFUSED_PATH],
        )


class _Origin(NamedTuple):
    """What API Gateway itself says of a request, as far as it says it."""

    id: str
    method: str
    address: Address | None
    host: str


def _origin(event: object) -> _Origin:
    context = _object(_object(event).get("requestContext"))
    request_id = _text(context.get("requestId"))
    host = _text(context.get("domainName"))
    http = _object(context.get("http"))
    method = _text(http.get("method"))
    return _Origin(
        id=request_id if _REQUEST_ID.fullmatch(request_id) else str(uuid.uuid4()),
        method=method if _METHOD.fullmatch(method) else "GET",
        address=addresses.read(_text(http.get("sourceIp"))),
        host=host if HOST.fullmatch(host) else "",
    )


def _read(event: object, origin: _Origin) -> Request:
    fields = _object(event)
    http = _object(_object(fields.get("requestContext")).get("http"))
    path = fields.get("rawPath")
    if fields.get("version") != "2.0" or not isinstance(path, str):
        raise Problem("bad_request", "Not an event of an HTTP API with payload format 2.0.")
    query = _text(fields.get("rawQueryString"))
    headers = _headers(fields)
    cookies = tuple(_cookies(fields.get("cookies"), headers.pop("cookie", "")))
    _check_head(path, query, *cookies, *headers, *headers.values())
    return Request(
        id=origin.id,
        method=_method(http.get("method")),
        path=_path(path),
        query=_checked_query(query),
        headers=tuple((name, value) for name, value in headers.items() if "_" not in name),
        cookies=cookies,
        body=_body(fields),
        address=origin.address,
        host=origin.host,
    )


def _object(value: object) -> dict[object, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _method(value: object) -> str:
    method = _text(value)
    if not _METHOD.fullmatch(method):
        raise Problem("bad_request", "The method is not a valid token.")
    return method


def _path(path: str) -> str:
    if reason := paths.ambiguity(path):
        raise Problem("ambiguous_path", reason)
    return path


def _checked_query(query: str) -> str:
    if not _QUERY.fullmatch(query):
        raise Problem("bad_request", "The query holds a character that must be percent-encoded.")
    return query


def _headers(fields: dict[object, object]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in _object(fields.get("headers")).items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise Problem("bad_request", "A header name is malformed.")
        if name.lower() in headers:
            raise Problem("bad_request", "A header stands in the event twice.")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise Problem("bad_request", "A header value is malformed.")
        headers[name.lower()] = value.strip(" \t")
    return headers


def _cookies(listed: object, header: str) -> Iterator[str]:
    """The pairs of the `cookies` list and, for events made by hand, of a Cookie header."""
    for line in [*(listed if isinstance(listed, list) else ()), header]:
        if not isinstance(line, str) or not _HEADER_VALUE.fullmatch(line):
            raise Problem("bad_request", "A cookie is malformed.")
        yield from (pair.strip(" \t") for pair in line.split(";") if pair.strip(" \t"))


def _check_head(*parts: str) -> None:
    if sum(len(part.encode(errors="surrogatepass")) for part in parts) > MAX_HEAD_BYTES:
        raise Problem("headers_too_large", "Path, query, headers and cookies exceed 16 KiB.")


def _body(fields: dict[object, object]) -> bytes:
    body = fields.get("body")
    if body is None:
        return b""
    try:
        if not isinstance(body, str):
            raise ValueError
        if fields.get("isBase64Encoded"):
            return binascii.a2b_base64(body, strict_mode=True)
        return body.encode()
    except ValueError:
        raise Problem("bad_request", "The body of the event cannot be decoded.") from None


def to_payload(request: Request) -> dict[str, object]:
    """An event that apig-wsgi turns into an environ without surprises; the request rides along.

    apig-wsgi decodes the path once more, so it is quoted again here. The steps read headers and
    body from the request, not from the environ, which merges and cuts them.
    """
    return {
        "version": "2.0",
        "rawPath": paths.encode(request.path),
        "rawQueryString": request.query,
        "headers": {},
        "requestContext": {
            "http": {"method": request.method, "sourceIp": "", "protocol": "HTTP/1.1"}
        },
        "request": request,
    }
