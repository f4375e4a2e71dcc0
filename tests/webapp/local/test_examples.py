import json
from typing import Any

import pytest

from webapp.local.examples import example_path, examples, sign_in
from webapp.settings import Policy, Route, Settings, Upstream

URL = "http://127.0.0.1:8080"
LOGIN = {"methods": ("POST",), "auth": "none", "session": "issue"}


def route(name: str, **fields: Any) -> Route:
    return Route(**{"id": name, "path": f"/{name}", "upstream": "app"} | fields)


def policy(**fields: Any) -> Policy:
    defaults: dict[str, Any] = {"name": "per-ip", "key": "ip", "limit": 10, "window": 60}
    return Policy(**defaults | fields)


def stack(*routes: Route, limits: tuple[Policy, ...] = ()) -> Settings:
    upstreams = {"app": Upstream(url="https://app.example.com")}
    return Settings(upstreams=upstreams, routes=routes, rate_limits=limits)


def lines(settings: Settings, demos: tuple[str, ...] = ("app",)) -> dict[str, str]:
    return dict(examples(settings, URL, demos))


FULL = stack(
    route("login", **LOGIN),
    route("logout", session="end", roles=("other",)),
    route("root", roles=("admin",)),
    route("books", path="/books/{id}/{rest+}", roles=("reader", "admin")),
    route("diary", roles=("reader",)),
    route("news", auth="none"),
    limits=(policy(),),
)


def test_every_kind_of_answer_is_shown() -> None:
    assert [title.partition(":")[2].strip() for title in lines(FULL)] == [
        "", "401", "", "", "403", "429",
    ]  # fmt: skip


def test_the_lines_name_the_stacks_own_routes() -> None:
    shown = lines(FULL)
    assert shown["without a token: 401"] == f"curl -si {URL}/diary"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    assert shown["with the token"] == f"curl -si {bearer} {URL}/diary"
    assert shown["with the wrong role: 403"] == f"curl -si {bearer} {URL}/root"
    assert """-d '{"user": "ada", "roles": ["reader"]}'""" in shown["sign in"]
    assert f"{URL}/news" in shown["until the limit: 429"]


def test_an_empty_stack_still_has_its_health() -> None:
    assert lines(Settings()) == {"health": f"curl -si {URL}/health"}


def test_nobody_knows_how_other_services_sign_in() -> None:
    assert sign_in(FULL, ["other"]) is None
    assert list(lines(FULL, demos=())) == [
        "health",
        "without a token: 401",
        "with the token",
        "with the wrong role: 403",
        "until the limit: 429",
    ]


def test_routes_for_other_addresses_are_left_out() -> None:
    far = {"allow_from": ("10.0.0.0/8",)}
    settings = stack(route("login", **LOGIN, **far), route("books", **far))
    assert list(lines(settings)) == ["health"]
    near = stack(route("books", allow_from=("127.0.0.0/8",)))
    assert "without a token: 401" in lines(near)


def test_a_route_without_roles_takes_the_usual_one() -> None:
    request = sign_in(stack(route("login", **LOGIN), route("books")), ["app"])
    assert request is not None
    assert json.loads(request.body)["roles"] == ["user"]


@pytest.mark.parametrize(
    ("path", "example"),
    [("/", "/"), ("/a/{b}/{c+}", "/a/1/1"), ("/caf\u00e9/it's", "/caf%C3%A9/it's")],
)
def test_example_paths(path: str, example: str) -> None:
    assert example_path(route("any", path=path)) == example


def test_paths_are_quoted_for_the_shell() -> None:
    shown = lines(stack(route("books", path="/it's$HOME")))
    assert shown["without a token: 401"].startswith("curl -si '")


@pytest.mark.parametrize(
    "unfit",
    [
        policy(mode="shadow"),
        policy(routes=("books",)),
        policy(roles=("gold",)),
        policy(exempt=("127.0.0.1",)),
        policy(limit=3000),
        policy(limit=10, window=1, burst=1990),
        policy(limit=100, window=1),
    ],
)
def test_a_limit_that_no_loop_reaches_is_left_out(unfit: Policy) -> None:
    assert "until the limit: 429" not in lines(stack(route("news", auth="none"), limits=(unfit,)))


def test_the_loop_is_the_shortest_that_surely_ends() -> None:
    limits = (policy(limit=600, window=60), policy(limit=5, burst=20), policy(limit=30))
    loop = lines(stack(route("news", auth="none"), limits=limits))["until the limit: 429"]
    assert loop.startswith("for n in $(seq 25);")
