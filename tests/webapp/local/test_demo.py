import json
from typing import Any
from urllib.request import urlopen

import pytest

from webapp.local.demo import demo, demo_upstreams
from webapp.local.wire import Answer, Request
from webapp.settings import Route, Settings, Upstream

SETTINGS = Settings(
    upstreams={
        "users": Upstream(url="https://users.example.com/base/"),
        "shop": Upstream(url="https://shop.example.com"),
    },
    routes=(
        Route(
            id="login", path="/in/{tenant}", upstream="users", session="issue", methods=("POST",)
        ),
        Route(id="logout", path="/out", rewrite="/v1/out", upstream="users", session="end"),
        Route(id="cart", path="/cart", upstream="shop"),
    ),
)


def ask(
    method: str, target: str, body: bytes = b"", upstream: str = "users", **fields: str
) -> Answer:
    headers = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    return demo(SETTINGS, upstream)(Request(method, target, headers, body))


def sign_in(document: Any) -> Answer:
    body = json.dumps(document).encode()
    return ask("POST", "/base/in/acme", body, content_type="application/json")


def test_echoes_what_reached_it() -> None:
    answer = ask("PUT", "/a%20b?x=1", b"four", "shop", X_User_Id="ada", X_Request_Id="7", Host="h")
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "upstream": "shop",
        "method": "PUT",
        "path": "/a%20b",
        "query": "x=1",
        "headers": {"host": "h", "x-user-id": "ada", "x-request-id": "7"},
        "body_bytes": 4,
    }


def test_never_echoes_a_credential() -> None:
    body = ask("GET", "/", upstream="shop", Authorization="Bearer s3cret", Cookie="a=s3cret").body
    assert b"s3cret" not in body


def test_signs_in_by_json_or_form() -> None:
    session = (("Tollgate-Session-User", "ada"), ("Tollgate-Session-Roles", "user"))
    form = ask("POST", "/base/in/acme/", b"user=ada&password=x")
    for answer in (sign_in({"user": "ada"}), form):
        assert answer.status == 200
        assert set(session) <= set(answer.fields)


@pytest.mark.parametrize("roles", [["user", "admin"], "user,admin"])
def test_the_request_may_name_roles(roles: Any) -> None:
    answer = sign_in({"user": "root", "roles": roles})
    assert ("Tollgate-Session-Roles", "user,admin") in answer.fields


@pytest.mark.parametrize(
    "document", [{}, {"user": ""}, {"user": 7}, {"user": "ada", "password": "wrong"}, [], None]
)
def test_refuses_to_sign_in(document: Any) -> None:
    answer = sign_in(document)
    assert answer.status == 401
    assert not any(name.startswith("Tollgate") for name, _ in answer.fields)


def test_what_is_not_json_signs_nobody_in() -> None:
    assert ask("POST", "/base/in/acme", b"\xff{", content_type="application/json").status == 401


def test_signs_out_where_the_route_leads() -> None:
    assert ask("POST", "/base/v1/out").status == 204
    assert ask("POST", "/base/out").status == 200


@pytest.mark.parametrize(
    ("method", "target", "upstream"),
    [("GET", "/base/in/acme", "users"), ("POST", "/in/acme", "users"), ("POST", "/in/a", "shop")],
)
def test_signs_in_nowhere_else(method: str, target: str, upstream: str) -> None:
    assert "upstream" in json.loads(ask(method, target, b'{"user": "ada"}', upstream).body)


def test_every_name_gets_a_server_under_its_base_path() -> None:
    with demo_upstreams(SETTINGS, ["users", "shop"]) as urls:
        assert urls["users"].endswith("/base")
        for name, url in urls.items():
            with urlopen(url + "/x") as answer:
                assert json.load(answer)["upstream"] == name
