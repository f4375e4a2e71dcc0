"""The gateway's own endpoints: what it answers without any upstream."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response

from webapp import VERSION
from webapp.call import Call
from webapp.cookies import cleared_cookie
from webapp.settings import Route
from webapp.signin import iso

if TYPE_CHECKING:
    from webapp.gateway import Gateway

Endpoint = Callable[["Gateway", Call], Response]


def health(gateway: "Gateway", _call: Call) -> Response:
    return gateway.json(
        {
            "status": "healthy",
            "environment": gateway.runtime.environment,
            "version": VERSION,
        }
    )


def live(gateway: "Gateway", _call: Call) -> Response:
    return gateway.json({"status": "alive"})


def ready(gateway: "Gateway", _call: Call) -> Response:
    reason, checks = gateway.readiness.state()
    if reason:
        return gateway.json({"status": "not_ready", "reason": reason}, 503)
    return gateway.json({"status": "ready", "checks": checks})


def read_session(gateway: "Gateway", call: Call) -> Response:
    who = call.identity
    assert who is not None, "the route demands a session"
    response = gateway.json(
        {
            "user_id": who.user_id,
            "roles": list(who.roles),
            "created_at": iso(who.created_at),
            "expires_at": iso(who.expires_at),
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def end_session(gateway: "Gateway", call: Call) -> Response:
    who, credential = call.identity, call.credential
    assert who is not None, "the route demands a session"
    assert credential is not None
    gateway.sessions.revoke(who.user_id, who.session_hash)
    response = Response(status=204, headers={"Cache-Control": "no-store"})
    del response.headers["Content-Type"]
    if credential.by_cookie:
        response.headers["Set-Cookie"] = cleared_cookie(gateway.settings.session)
    return response


def _open(name: str, path: str) -> Route:
    return Route(id=name, path=path, methods=("GET",), upstream="", auth="none")


def _signed_in(name: str, path: str, *methods: str) -> Route:
    return Route(id=name, path=path, methods=methods, upstream="")  # type: ignore[arg-type]


# In the order of the contract; the dots keep these ids apart from those of a stack's routes.
ENDPOINTS: dict[str, tuple[Route, Endpoint]] = {
    route.id: (route, endpoint)
    for route, endpoint in (
        (_open("health", "/health"), health),
        (_open("health.live", "/health/live"), live),
        (_open("health.ready", "/health/ready"), ready),
        (_signed_in("auth.session", "/auth/session", "GET"), read_session),
        (_signed_in("auth.session.end", "/auth/session", "DELETE"), end_session),
    )
}


def is_limited(route: Route) -> bool:
    """Whether rate limits apply: to the stack's routes and `/auth/*`, never to health or docs."""
    return bool(route.upstream) or route.id.startswith("auth.")
