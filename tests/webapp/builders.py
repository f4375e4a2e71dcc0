"""Builders of what the gateway is given: events, requests, routes, settings."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from webapp import events
from webapp.settings import Route, Settings, Upstream


def event(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] | None = None,
    body: bytes | None = None,
    address: str = "198.51.100.7",
    host: str = "gw.example.com",
    request_id: str = "req-1",
    **overrides: Any,
) -> dict[str, Any]:
    """An HTTP API event, payload format 2.0, as API Gateway sends it for `$default`.

    `path` is what the client's target says once it is percent-decoded, `query` what stands behind
    the `?`, untouched. Names of headers are lower-case, repeated ones are joined with commas, and
    cookies are taken out of them. `overrides` replace top-level members.
    """
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": host, **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": address,
                "userAgent": "test",
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "26/Nov/2026:00:00:00 +0000",
            "timeEpoch": 1795651200000,
        },
        "isBase64Encoded": False,
    }
    if cookies:
        made["cookies"] = list(cookies)
    if body is not None:
        made |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return made | overrides


def request(method: str = "GET", path: str = "/", **fields: Any) -> events.Request:
    return events.normalise(event(method, path, **fields))


def route(**fields: Any) -> Route:
    return Route(**{"id": "users", "path": "/users", "upstream": "users"} | fields)


def settings(**fields: Any) -> Settings:
    users = Upstream(url="https://users.internal.example/base")
    return Settings(**{"upstreams": {"users": users}, "routes": (route(),)} | fields)
