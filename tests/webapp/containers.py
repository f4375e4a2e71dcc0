"""A container as Lambda would run it: events in, answers out, on a clock of the test's own."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.webapp.builders import event
from tests.webapp.upstreams import Script, Upstream, answering, raw_answer, upstream
from webapp.bridge import Handler, make_handler
from webapp.gateway import create_app
from webapp.settings import Policy, Route, Runtime, Settings
from webapp.settings import Upstream as UpstreamSettings

SECOND = 1_000_000_000


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self, now: int = 1_750_000_000 * SECOND) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


class Answer:
    """A payload 2.0 answer, decoded."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.status: int = payload["statusCode"]
        self.headers: dict[str, str] = payload["headers"]
        self.cookies: list[str] = payload["cookies"]
        text = payload["body"]
        self.body = base64.b64decode(text) if payload["isBase64Encoded"] else text.encode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


class Container:
    def __init__(self, handler: Handler, upstream: Upstream, clock: Clock) -> None:
        self.handler = handler
        self.upstream = upstream
        self.clock = clock

    def __call__(self, method: str = "GET", path: str = "/", **fields: Any) -> Answer:
        return Answer(self.handler(event(method, path, **fields), None))  # type: ignore[arg-type]

    def sign_in(self, user: str = "ada", roles: str = "user", **fields: Any) -> Answer:
        script = self.upstream.script
        self.upstream.script = signing_in(user, roles)
        answer = self("POST", "/login", **fields)
        self.upstream.script = script
        return answer

    def token(self, user: str = "ada", roles: str = "user") -> str:
        return self.sign_in(user, roles).headers["tollgate-session-token"]

    def bearer(self, user: str = "ada", roles: str = "user") -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(user, roles)}"}


def signing_in(user: str, roles: str = "user") -> Script:
    headers = (f"Tollgate-Session-User: {user}", f"Tollgate-Session-Roles: {roles}")
    return answering(raw_answer("200 OK", b"{}", *headers))


def routes() -> tuple[Route, ...]:
    """Something of every kind: open, optional, signed in, by role, sign-in, sign-out."""

    def to(id: str, path: str, *methods: str, **fields: Any) -> Route:
        return Route(id=id, path=path, methods=methods or ("GET", "POST"), upstream="svc", **fields)  # type: ignore[arg-type]

    return (
        to("open", "/open", auth="none"),
        to("optional", "/optional", auth="optional"),
        to("items", "/items"),
        to("item", "/items/{id}", "GET", "PUT", "DELETE", roles=("user", "admin")),
        to("files", "/files/{rest+}", "GET", auth="none"),
        to("admin", "/admin", roles=("admin",)),
        to("login", "/login", "POST", auth="none", session="issue"),
        to("logout", "/logout", "POST", auth="none", session="end"),
    )


@contextmanager
def container(
    runtime: Runtime,
    *policies: Policy,
    script: Script | None = None,
    clock: Clock | None = None,
    **fields: Any,
) -> Iterator[Container]:
    """A container over the stores that `runtime` names, with one upstream on loopback."""
    with upstream(script) as server:
        service = UpstreamSettings(
            **{"url": server.url, "allow_insecure": True, "timeout": 2, "connect_timeout": 1}
            | fields.pop("svc", {})
        )
        settings = Settings(
            **{"upstreams": {"svc": service}, "routes": routes(), "rate_limits": policies} | fields
        )
        clock = clock or Clock()
        yield Container(make_handler(create_app(settings, runtime, clock=clock)), server, clock)
