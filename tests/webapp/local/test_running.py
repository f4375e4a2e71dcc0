import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest
from msgspec.structs import replace

from webapp.local.demo import demo, demo_services
from webapp.local.embedded import EmbeddedAws, upstream_secret
from webapp.local.requestline import Exchange, RequestLines
from webapp.local.running import Running, localised, running
from webapp.local.server import serving
from webapp.local.welcome import ready_token, upstream_lines
from webapp.local.wire import Answer, Request
from webapp.settings import Policy, Route, Settings, Upstream
from webapp.settings.read import Configuration, load
from webapp.settings.stack import Stack

SETTINGS = Settings(
    upstreams={
        "users": Upstream(url="https://users.example.com"),
        "shop": Upstream(url="https://shop.example.com/base"),
    },
    edge=True,
    public_host="api.example.com",
)


def configuration(*routes: Route, upstreams: tuple[str, ...] = ("app",), **fields: Any) -> Any:
    known = {name: Upstream(url=f"https://{name}.example.com/base") for name in upstreams}
    settings = Settings(upstreams=fields.pop("known", known), routes=routes, **fields)
    return Configuration(settings, Stack(environment="dev"), ())


def to(path: str, upstream: str = "app", **fields: Any) -> Route:
    return Route(id=path.strip("/"), path=path, upstream=upstream, auth="none", **fields)


Start = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def started(aws: EmbeddedAws) -> Start:
    """As `running` does it, but on stores that are there already."""

    @contextmanager
    def start(given: Configuration, **chosen: str) -> Iterator[Running]:
        lines = RequestLines(lambda _: None)
        with demo_services() as services:
            gateway = Running(given, chosen, aws, services, lines)
            with serving(lines.about(gateway.respond)) as gateway.url:
                yield gateway

    return start


def ask(gateway: Running, path: str, **headers: str) -> Any:
    with urlopen(Call(gateway.url + path, headers=headers)) as answer:
        return json.load(answer)


def status(gateway: Running, path: str, **headers: str) -> int:
    try:
        with urlopen(Call(gateway.url + path, headers=headers)) as answer:
            return int(answer.status)
    except HTTPError as refused:
        refused.close()
        return refused.code


def test_own_services_take_the_place_of_demos(started: Start) -> None:
    given = load("dev")
    with (
        serving(demo(given.settings, "users")) as url,
        started(given, users=url + "/own", status=url) as gateway,
    ):
        assert gateway.settings.upstreams["users"].url == url + "/own"
        assert sorted(gateway.demos) == ["admin", "products"]
        assert ask(gateway, "/api/v1/status")["upstream"] == "users"
        signed_in = {"Authorization": f"Bearer {ready_token(gateway)}"}
        assert ask(gateway, "/api/v1/users", **signed_in)["upstream"] == "users"


def test_the_cookie_works_over_plain_http(started: Start) -> None:
    with started(load("dev")) as gateway:
        token = ready_token(gateway)
        assert ask(gateway, "/auth/session", Cookie=f"session={token}")["user_id"] == "ada"
        forged = Call(f"{gateway.url}/auth/session", headers={"Cookie": "session=tg_forged"})
        with pytest.raises(HTTPError, match="401") as refused:
            urlopen(forged)
        cleared = refused.value.headers["Set-Cookie"]
        refused.value.close()
    assert cleared.startswith("session=;")
    assert "Secure" not in cleared


def test_every_answer_is_told() -> None:
    told: list[Exchange] = []
    with running(configuration(to("/a")), 0, {}, RequestLines(told.append)) as gateway:
        assert status(gateway, "/a") == 200
        assert status(gateway, "/a", X="a" * 11_000) == 431
    first, second = told
    assert (first.request.target, json.loads(first.log)["route"]) == ("/a", "a")
    assert (second.answer.status, second.log) == (431, "")


def test_only_what_needs_an_account_or_https_differs_here() -> None:
    here = localised(SETTINGS, {"users": "http://127.0.0.1:1", "shop": "http://127.0.0.1:2"})
    assert here.upstreams["shop"] == Upstream(url="http://127.0.0.1:2", allow_insecure=True)
    assert (here.session.cookie_name, here.session.secure) == ("session", False)
    assert (here.edge, here.public_host) == (False, "")
    assert here.routes == SETTINGS.routes


# another configuration


def test_a_new_route_is_there_and_an_old_one_is_gone(started: Start) -> None:
    with started(configuration(to("/a"))) as gateway:
        assert (status(gateway, "/a"), status(gateway, "/b")) == (200, 404)
        gateway.take(configuration(to("/b")))
        assert (status(gateway, "/a"), status(gateway, "/b")) == (404, 200)


def test_sessions_and_counters_stay(started: Start) -> None:
    login = to("/login", methods=("POST",), session="issue")
    hourly = Policy(name="hourly", key="ip", limit=2, window=3600, routes=("a",))
    with started(configuration(login, to("/a"), rate_limits=(hourly,))) as gateway:
        token, url = ready_token(gateway), gateway.url
        assert [status(gateway, "/a") for _ in range(2)] == [200, 200]
        gateway.take(configuration(login, to("/a"), to("/b"), rate_limits=(hourly,)))
        assert gateway.url == url
        assert ask(gateway, "/auth/session", Authorization=f"Bearer {token}")["user_id"] == "ada"
        # On a busy machine the first may find no time for a second guess, and pass undecided.
        assert 429 in [status(gateway, "/a") for _ in range(2)]


def test_demos_follow_the_upstreams(started: Start) -> None:
    with started(configuration(to("/a"))) as gateway:
        first = gateway.settings.upstreams["app"].url
        gateway.take(configuration(to("/a"), to("/b", "shop"), upstreams=("app", "shop")))
        assert gateway.settings.upstreams["app"].url == first
        assert ask(gateway, "/b")["upstream"] == "shop"
        moved = {"app": Upstream(url="https://app.example.com/moved")}
        gateway.take(configuration(to("/a"), known=moved))
        assert ask(gateway, "/a")["path"] == "/moved/a"
        assert list(gateway.demos) == ["app"]


def test_demos_sign_in_where_the_new_routes_say(started: Start) -> None:
    with started(configuration(to("/a"))) as gateway:
        gateway.take(configuration(to("/in", methods=("POST",), session="issue")))
        body = b'{"user": "ada"}'
        fields = (("Host", "localhost"), ("Content-Type", "application/json"))
        answer = gateway.respond(Request("POST", "/in", fields, body))
        assert "tollgate-session-token" in {name.lower() for name, _ in answer.fields}


def test_an_override_holds_and_waits_for_an_upstream_that_vanished(started: Start) -> None:
    with (
        serving(lambda _: Answer(200, (), b'"mine"')) as url,
        started(configuration(to("/a")), app=url) as gateway,
    ):
        gateway.take(configuration(to("/a", "shop"), upstreams=("shop",)))
        assert list(gateway.idle) == ["app"]
        assert ask(gateway, "/a")["upstream"] == "shop"
        gateway.take(configuration(to("/a")))
        assert ask(gateway, "/a") == "mine"
        assert not gateway.idle


def test_a_request_ends_with_what_it_began_with(started: Start) -> None:
    asked, go = Event(), Event()

    def slow(_request: Request) -> Answer:
        asked.set()
        go.wait(10)
        return Answer(200, (), b'"slow"')

    answers: list[Any] = []
    with (
        serving(slow) as url,
        started(configuration(to("/a")), app=url) as gateway,
    ):
        client = Thread(target=lambda: answers.append(ask(gateway, "/a")))
        client.start()
        assert asked.wait(10)
        gateway.take(configuration(to("/b", "shop"), upstreams=("shop",)))
        go.set()
        client.join(10)
    assert answers == ["slow"]


def test_what_proves_the_gateway_is_told_and_sent(started: Start) -> None:
    seen: list[list[str]] = []

    def service(request: Request) -> Answer:
        seen.append(request.values("x-proof"))
        return Answer(204)

    upstream = Upstream(url="https://app.example.com", secret_header="X-Proof")
    with (
        serving(service) as url,
        started(configuration(to("/a")), app=url) as gateway,
    ):
        assert status(gateway, "/a") == 204
        gateway.take(configuration(to("/a"), known={"app": replace(upstream)}))
        assert status(gateway, "/a") == 204
        told = list(upstream_lines(gateway))
    assert seen == [[], [upstream_secret("app")]]
    assert told == [f"upstream app: {url}", f"  is sent X-Proof: {upstream_secret('app')}"]
