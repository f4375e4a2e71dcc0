from typing import Any

import pytest

from tests.webapp.builders import route
from webapp.local.rivals import choice, nearest, passed_over
from webapp.routes import Router
from webapp.settings import Route


def to(id: str, path: str, *methods: str, **fields: Any) -> Route:
    return route(id=id, path=path, methods=methods or ("GET",), **fields)


ROUTES = [
    to("all", "/{rest+}"),
    to("one", "/users/{id}", "GET", "PUT"),
    to("me", "/users/me", allow_from=("192.0.2.1",), roles=("user",)),
    to("change", "/users/{user}", "POST"),
]


def reasons(method: str, path: str) -> dict[str, str]:
    chosen = choice(ROUTES, method, path)
    return {other.id: why for other, why in passed_over(Router(ROUTES), path, chosen)}


@pytest.mark.parametrize(
    ("method", "path", "chosen"),
    [
        ("GET", "/users/me", "me"),
        ("HEAD", "/users/7/", "one"),
        ("POST", "/users/7", "change"),
        ("GET", "/a/b/c", "all"),
        ("GET", "/USERS/me", "all"),
        ("DELETE", "/users/7", None),
        ("GET", "/", None),
    ],
)
def test_the_choice_is_made_whomever_it_refuses(method: str, path: str, chosen: str | None) -> None:
    found = choice(ROUTES, method, path)
    assert (found.id if found else None) == chosen


def test_what_is_less_specific_is_passed_over() -> None:
    assert reasons("GET", "/users/me") == {
        "one": "less specific: segment 2 is {id}, and me goes before it, whatever the method",
        "change": "less specific: segment 2 is {user}, and me goes before it, whatever the method",
        "all": "less specific: segment 1 is {rest+}, and users goes before it, whatever the method",
    }


def test_the_same_pattern_for_other_methods_is_passed_over() -> None:
    assert reasons("GET", "/users/7") == {
        "change": "other methods: POST",
        "all": "less specific: segment 1 is {rest+}, and users goes before it, whatever the method",
    }


def test_a_method_that_no_route_of_the_pattern_takes_falls_through_to_none() -> None:
    assert reasons("DELETE", "/users/7")["one"] == "other methods: GET, PUT"
    assert reasons("DELETE", "/users/7")["all"].startswith("less specific")


def test_what_does_not_fit_is_no_rival() -> None:
    assert reasons("GET", "/a") == {}


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/user/7", "one"),
        ("/Users/7", "one"),
        ("/users", "one"),
        ("/accounts/overviev", "accounts"),
        ("/x", None),
    ],
)
def test_a_typing_error_leads_to_what_was_meant(path: str, near: str | None) -> None:
    routes = [to("accounts", "/accounts/overview"), *ROUTES[1:]]
    assert next((route.id for route in nearest(routes, path)), None) == near


def test_no_more_than_three_are_near() -> None:
    assert len(nearest([to(f"r{n}", f"/users/{n}") for n in range(9)], "/users/x")) == 3
