"""The gateway's own endpoints: what it answers without any upstream."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from flask import Response
from msgspec.structs import replace
from werkzeug.http import parse_etags

from webapp import VERSION
from webapp.call import Call
from webapp.cookies import cleared_cookie
from webapp.identity import cookie_tokens
from webapp.rows import key_of_row
from webapp.sessions import Identity, display_id
from webapp.settings import Route, Settings
from webapp.signin import iso

if TYPE_CHECKING:
    from webapp.apidocs import Document
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
    who = _caller(call)
    return _private(gateway, _told(who, who.expires_at))


def refresh_session(gateway: "Gateway", call: Call) -> Response:
    """The new token goes where the old one came from, so that no page's script sees a cookie's."""
    assert call.token is not None, "the route demands a session"
    assert call.credential is not None
    token = gateway.refresh.successor(call.token, call.device)
    response = _private(gateway, _told(_caller(call), token.expires_at))
    response.headers["Tollgate-Session-Expires"] = iso(token.expires_at)
    if cookie_tokens(call.request, gateway.settings.session.cookie_name):
        gateway.authentication.give_cookie(call, token)
    if not call.credential.by_cookie:
        response.headers["Tollgate-Session-Token"] = gateway.tokens.sign(token)
    return response


def end_session(gateway: "Gateway", call: Call) -> Response:
    gateway.sessions.roster.revoke(_caller(call).key)
    return _ended(gateway, call)


def list_sessions(gateway: "Gateway", call: Call) -> Response:
    return _listed(gateway, call, _caller(call).user_id)


def end_sessions(gateway: "Gateway", call: Call) -> Response:
    return _end_all(gateway, call, _caller(call).user_id)


def list_user_sessions(gateway: "Gateway", call: Call) -> Response:
    return _listed(gateway, call, _named_user(call))


def end_user_sessions(gateway: "Gateway", call: Call) -> Response:
    return _end_all(gateway, call, _named_user(call))


def openapi(gateway: "Gateway", call: Call) -> Response:
    return _shown(gateway, call, gateway.documents.openapi(_host(gateway, call)))


def docs(gateway: "Gateway", call: Call) -> Response:
    return _shown(gateway, call, gateway.documents.page(_host(gateway, call)))


def _host(gateway: "Gateway", call: Call) -> str:
    return gateway.settings.public_host or call.request.host


def _shown(gateway: "Gateway", call: Call, document: "Document") -> Response:
    """What all may read is kept for a minute, then asked about by its tag."""
    response = Response(document.body, headers=document.headers)
    if gateway.settings.api_docs == "session":
        response.headers["Cache-Control"] = "private, no-store"
        return response
    response.headers["Cache-Control"] = "public, max-age=60"
    response.set_etag(document.etag)
    if parse_etags(call.request.header("if-none-match")).contains_weak(document.etag):
        response.status_code = 304
        response.set_data(b"")
    return response


def _caller(call: Call) -> Identity:
    assert call.identity is not None, "the route demands a session"
    return call.identity


def _named_user(call: Call) -> str:
    assert call.match is not None
    return call.match.values["user_id"]


def _told(who: Identity, expires_at: int) -> dict[str, object]:
    return {
        "user_id": who.user_id,
        "roles": list(who.roles),
        "created_at": iso(who.created_at),
        "expires_at": iso(expires_at),
    }


def _listed(gateway: "Gateway", call: Call, user_id: str) -> Response:
    rows = gateway.sessions.roster.live(user_id)
    sessions = [
        {
            "id": display_id(row.session_id),
            "created_at": iso(int(row.created_at)),
            "last_used_at": iso(int(row.last_used_at)),
            "expires_at": iso(int(row.expires_at)),
            "client_ip": row.client_ip,
            "user_agent": row.user_agent,
            "current": key_of_row(row) == _caller(call).key,
        }
        for row in rows
    ]
    return _private(gateway, {"sessions": sessions})


def _end_all(gateway: "Gateway", call: Call, user_id: str) -> Response:
    own = _caller(call)
    gateway.sessions.roster.revoke_all(user_id, last=own.key)
    return _ended(gateway, call) if user_id == own.user_id else _no_content()


def _ended(gateway: "Gateway", call: Call) -> Response:
    assert call.credential is not None
    cleared = cleared_cookie(gateway.settings.session)
    call.cookie = cleared if call.credential.by_cookie else ""
    return _no_content()


def _no_content() -> Response:
    response = Response(status=204, headers={"Cache-Control": "no-store"})
    del response.headers["Content-Type"]
    return response


def _private(gateway: "Gateway", document: object) -> Response:
    response = gateway.json(document)
    response.headers["Cache-Control"] = "no-store"
    return response


def _open(name: str, path: str) -> Route:
    return Route(id=name, path=path, methods=("GET",), upstream="", auth="none")


def _signed_in(name: str, path: str, *methods: str) -> Route:
    return Route(id=name, path=path, methods=methods, upstream="")  # type: ignore[arg-type]


REFRESH = "auth.session.refresh"
DOCUMENTS = frozenset({"docs.openapi", "docs.page"})
_OF_USER = "/auth/users/{user_id}/sessions"
_ADMIN = frozenset({"auth.user.sessions", "auth.user.sessions.end"})

# In the order of the contract; the dots keep these ids apart from those of a stack's routes.
ENDPOINTS: dict[str, tuple[Route, Endpoint]] = {
    route.id: (route, endpoint)
    for route, endpoint in (
        (_open("health", "/health"), health),
        (_open("health.live", "/health/live"), live),
        (_open("health.ready", "/health/ready"), ready),
        (_signed_in("auth.session", "/auth/session", "GET"), read_session),
        (_signed_in(REFRESH, "/auth/session/refresh", "POST"), refresh_session),
        (_signed_in("auth.session.end", "/auth/session", "DELETE"), end_session),
        (_signed_in("auth.sessions", "/auth/sessions", "GET"), list_sessions),
        (_signed_in("auth.sessions.end", "/auth/sessions", "DELETE"), end_sessions),
        (_signed_in("auth.user.sessions", _OF_USER, "GET"), list_user_sessions),
        (_signed_in("auth.user.sessions.end", _OF_USER, "DELETE"), end_user_sessions),
        (_open("docs.openapi", "/openapi.json"), openapi),
        (_open("docs.page", "/docs"), docs),
    )
}


def own_routes(settings: Settings) -> Iterator[Route]:
    """The routes of the endpoints in a stack, which says who its administrators and readers are."""
    for route, _ in ENDPOINTS.values():
        if route.id in _ADMIN:
            yield replace(route, roles=(settings.admin_role,))
        elif route.id not in DOCUMENTS:
            yield route
        elif settings.api_docs != "off":
            yield replace(route, auth="none" if settings.api_docs == "public" else "session")


def is_limited(route: Route) -> bool:
    """Whether rate limits apply: to the stack's routes and `/auth/*`, never to health or docs."""
    return bool(route.upstream) or route.id.startswith("auth.")
