"""Stand-ins for the operator's services: they echo what reached them, and sign users in."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from urllib.parse import parse_qs, urlsplit

from webapp.local.server import Respond, serving
from webapp.local.wire import Answer, Fields, Request
from webapp.settings.gateway import Route, Settings

DEFAULT_ROLE = "user"

# Named one by one, so that no credential is ever echoed.
_ECHOED = (
    "host",
    "x-user-id",
    "x-user-roles",
    "x-session-id",
    "x-request-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "forwarded",
    "traceparent",
)


class DemoServices:
    """A server for each upstream that was ever asked for, each at its address until the end."""

    def __init__(self, servers: ExitStack) -> None:
        self._servers = servers
        self._addresses: dict[str, str] = {}
        self._services: dict[str, Respond] = {}

    def urls(self, settings: Settings, names: Iterable[str]) -> dict[str, str]:
        """Where these upstreams are, by name; from now on they do as `settings` say."""
        return {name: self._address(settings, name) + base_path(settings, name) for name in names}

    def _address(self, settings: Settings, name: str) -> str:
        def respond(request: Request) -> Answer:
            return self._services[name](request)

        self._services[name] = demo(settings, name)
        if name not in self._addresses:
            self._addresses[name] = self._servers.enter_context(serving(respond))
        return self._addresses[name]


@contextmanager
def demo_services() -> Iterator[DemoServices]:
    with ExitStack() as servers:
        yield DemoServices(servers)


@contextmanager
def demo_upstreams(settings: Settings, names: Iterable[str]) -> Iterator[dict[str, str]]:
    """A server for each of these upstreams until the block ends; yields their URLs by name."""
    with demo_services() as services:
        yield services.urls(settings, names)


def base_path(settings: Settings, name: str) -> str:
    return urlsplit(settings.upstreams[name].url).path.rstrip("/")


def demo(settings: Settings, name: str) -> Respond:
    """The service called `name`; it signs in and out where a route of `settings` says so."""
    routes = [route for route in settings.routes if route.upstream == name and route.session]
    doors = [(_pattern(base_path(settings, name), route), route) for route in routes]

    def respond(request: Request) -> Answer:
        path = request.target.partition("?")[0]
        for pattern, route in doors:
            if request.method in route.methods and pattern.fullmatch(path):
                return _sign_in(request) if route.session == "issue" else Answer(204)
        return _json(200, _echo(name, request))

    return respond


def _pattern(base: str, route: Route) -> re.Pattern[str]:
    """The paths that this route reaches at its upstream."""
    literals = re.split(r"(\{\w+\+?\})", route.rewrite or route.path)
    parts = [".+" if text.startswith("{") else re.escape(text) for text in literals]
    return re.compile(re.escape(base) + "".join(parts) + "/?")


def _sign_in(request: Request) -> Answer:
    credentials = _credentials(request)
    user, roles = credentials.get("user"), credentials.get("roles", DEFAULT_ROLE)
    if not isinstance(user, str) or not user or credentials.get("password") == "wrong":
        return _json(401, {"error": 'send {"user": "ada"}; the password "wrong" is wrong'})
    listed = ",".join(map(str, roles)) if isinstance(roles, list) else str(roles)
    session = (("Tollgate-Session-User", user), ("Tollgate-Session-Roles", listed))
    return _json(200, {"signed_in": user, "roles": listed.split(",")}, session)


def _credentials(request: Request) -> Mapping[str, object]:
    """The members of a JSON object or of a form; none of anything else."""
    text = request.body.decode("utf-8", "replace")
    if "json" in "".join(request.values("content-type")).lower():
        try:
            document = json.loads(text)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}
    return {name: values[0] for name, values in parse_qs(text).items()}


def _echo(name: str, request: Request) -> dict[str, object]:
    path, _, query = request.target.partition("?")
    headers = {header: ",".join(request.values(header)) for header in _ECHOED}
    return {
        "upstream": name,
        "method": request.method,
        "path": path,
        "query": query,
        "headers": {header: value for header, value in headers.items() if value},
        "body_bytes": len(request.body),
    }


def _json(status: int, document: object, fields: Fields = ()) -> Answer:
    """Indented, since people read it in a terminal."""
    body = json.dumps(document, indent=2) + "\n"
    return Answer(status, (("Content-Type", "application/json"), *fields), body.encode())
