from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webapp.builders import route
from webapp.addresses import Networks, read
from webapp.errors import Problem
from webapp.routes import Match, Router
from webapp.settings import Route
from webapp.settings.templates import parse

OPEN: dict[str, Any] = {"auth": "none"}
INSIDE, OUTSIDE = "192.0.2.7", "203.0.113.7"


def to(path: str, *methods: str, **fields: Any) -> Route:
    """A route whose id is its path, spelt as an id."""
    return route(**{"id": path, "path": path, "methods": methods or ("GET",)} | fields)


def find(routes: list[Route], path: str, method: str = "GET", address: str = INSIDE) -> Match:
    return Router(routes).find(method, path, read(address))


def code(routes: list[Route], path: str, method: str = "GET", address: str = INSIDE) -> str:
    with pytest.raises(Problem) as raised:
        find(routes, path, method, address)
    return raised.value.code


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("/", "/"),
        ("/a", "/a"),
        ("/b", "/{x}"),
        ("/a/b", "/a/b"),
        ("/a/c", "/a/{x}"),
        ("/b/b", "/{x}/b"),
        ("/b/c", "/{x+}"),
        ("/a/b/c", "/a/{x}/c"),
        ("/a/b/d", "/a/{x+}"),
        ("/a/b/c/d", "/a/{x+}"),
        ("/b/b/b", "/{x+}"),
        ("/a/", "/a"),
        ("/a/c/", "/a/{x}"),
        ("/A", "/{x}"),
        ("/a/B", "/a/{x}"),
    ],
)
def test_the_most_specific_pattern_wins(path: str, chosen: str) -> None:
    patterns = ["/", "/a", "/{x}", "/a/b", "/a/{x}", "/{x}/b", "/{x+}", "/a/{x}/c", "/a/{x+}"]
    for order in (patterns, patterns[::-1]):
        assert find([to(pattern, **OPEN) for pattern in order], path).route.path == chosen


SEGMENT = st.sampled_from(["a", "b", "c", "{x}", "{x+}"])
PATTERNS = st.lists(
    st.lists(SEGMENT, max_size=4)
    .filter(lambda s: "{x+}" not in s[:-1])
    .map(lambda s: "/" + "/".join(t.replace("x", f"x{i}") for i, t in enumerate(s))),
    max_size=8,
    unique=True,
)
REQUESTED = st.lists(st.sampled_from("abcd"), max_size=4).map(lambda s: "/" + "/".join(s))


def rank(pattern: str, path: str) -> tuple[int, ...] | None:
    """By the words of the contract: what wins, compared segment by segment, is the smallest."""
    wanted = path[1:].split("/") if path != "/" else []
    ranks = []
    for i, (kind, text) in enumerate(parse(pattern)):
        if i >= len(wanted) or (kind == "literal" and text != wanted[i]):
            return None
        ranks.append(("literal", "one", "rest").index(kind))
    complete = len(ranks) == len(wanted) or 2 in ranks
    return tuple(ranks) if complete else None


def check_that_routing_is_ranking(patterns: list[str], path: str) -> None:
    ranks = {pattern: ranked for pattern in patterns if (ranked := rank(pattern, path)) is not None}
    routes = [to(pattern, **OPEN) for pattern in patterns]
    matching = [route.path for route in Router(routes).matching(path)]
    assert matching == sorted(ranks, key=lambda pattern: ranks[pattern])
    if ranks:
        assert find(routes, path).route.path == min(ranks, key=lambda pattern: ranks[pattern])
        assert find(routes, path + "/").route.path == find(routes, path).route.path
    else:
        assert code(routes, path) == "not_found"


@given(PATTERNS, REQUESTED)
def test_routing_is_ranking(patterns: list[str], path: str) -> None:
    check_that_routing_is_ranking(patterns, path)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(PATTERNS, REQUESTED)
def test_routing_is_ranking_deeply(patterns: list[str], path: str) -> None:
    check_that_routing_is_ranking(patterns, path)


@pytest.mark.parametrize(
    ("pattern", "path", "values"),
    [
        ("/users/{id}", "/users/7", {"id": "7"}),
        ("/users/{id}", "/users/caf\u00e9 x/", {"id": "caf\u00e9 x"}),
        ("/{a}/b/{c}", "/1/b/2", {"a": "1", "c": "2"}),
        ("/files/{name+}", "/files/a", {"name": "a"}),
        ("/files/{name+}", "/files/a/b/C/", {"name": "a/b/C"}),
        ("/{a}/{rest+}", "/1/2/3", {"a": "1", "rest": "2/3"}),
        ("/users", "/users", {}),
    ],
)
def test_placeholders_take_their_segments(pattern: str, path: str, values: dict[str, str]) -> None:
    assert find([to(pattern)], path).values == values


@pytest.mark.parametrize("path", ["/files", "/files/", "/Files/a", "/", "/filesx/a", "/x/files/a"])
def test_a_greedy_placeholder_takes_one_segment_at_least(path: str) -> None:
    assert code([to("/files/{name+}")], path) == "not_found"


def test_entries_with_one_pattern_are_one_path() -> None:
    routes = [to("/u/{id}", "GET", id="read"), to("/u/{user}", "PUT", id="write")]
    assert find(routes, "/u/7").route.id == "read"
    assert find(routes, "/u/7", "PUT") == Match(routes[1], {"user": "7"})
    assert code(routes, "/u/7", "POST") == "method_not_allowed"


@pytest.mark.parametrize(
    ("methods", "allow"),
    [
        (("GET",), "GET, HEAD"),
        (("POST", "GET"), "GET, HEAD, POST"),
        (("POST",), "POST"),
        (("OPTIONS", "HEAD"), "HEAD, OPTIONS"),
    ],
)
def test_another_method_is_told_those_of_the_path(methods: tuple[str, ...], allow: str) -> None:
    routes = [to("/a/b", *methods), to("/a/{x}", "PATCH"), to("/{x+}", "PATCH", **OPEN)]
    with pytest.raises(Problem) as raised:
        find(routes, "/a/b", "PATCH")
    assert raised.value.code == "method_not_allowed"
    assert raised.value.headers["Allow"] == allow
    assert raised.value.detail.endswith("Allow lists those that it takes.")


def test_allow_names_the_methods_of_all_entries_of_the_path() -> None:
    routes = [to("/u/{id}", "GET", id="read"), to("/u/{user}", "PUT", id="write")]
    with pytest.raises(Problem) as raised:
        find(routes, "/u/7", "DELETE")
    assert raised.value.headers["Allow"] == "GET, HEAD, PUT"


def test_head_follows_get() -> None:
    routes = [to("/a", "GET", id="read"), to("/a", "POST", id="write"), to("/b", "POST")]
    assert find(routes, "/a", "HEAD").route.id == "read"
    assert code(routes, "/b", "HEAD") == "method_not_allowed"


def test_options_needs_to_be_listed() -> None:
    routes = [to("/a"), to("/b", "OPTIONS")]
    assert code(routes, "/a", "OPTIONS") == "method_not_allowed"
    assert find(routes, "/b", "OPTIONS").route.path == "/b"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "PURGE"])
def test_no_route_serves_other_methods(method: str) -> None:
    assert code([to("/a", "GET", "POST", "OPTIONS")], "/a", method) == "method_not_allowed"


def test_only_listed_addresses_may_use_a_route() -> None:
    routes = [to("/a", allow_from=("192.0.2.0/24",))]
    assert find(routes, "/a").route.path == "/a"
    assert code(routes, "/a", address=OUTSIDE) == "forbidden"
    assert code(routes, "/a", address="nobody") == "forbidden"
    assert code(routes, "/a", "POST", address=OUTSIDE) == "forbidden"
    assert code(routes, "/a", "POST") == "method_not_allowed"


def test_the_address_is_held_against_the_method_that_is_asked_for() -> None:
    routes = [to("/a", "GET", id="read"), to("/a", "POST", id="w", allow_from=("192.0.2.0/24",))]
    assert find(routes, "/a", address=OUTSIDE).route.id == "read"
    assert code(routes, "/a", "POST", address=OUTSIDE) == "forbidden"
    assert code(routes, "/a", "PUT", address=OUTSIDE) == "method_not_allowed"


@pytest.mark.parametrize("path", ["/auth/x", "/docs", "/health/x/y", "/openapi.json"])
def test_no_upstream_answers_under_the_gateways_own_paths(path: str) -> None:
    assert code([to("/{rest+}", **OPEN), to("/{x}", **OPEN)], path) == "not_found"
    own = [to("/{rest+}", **OPEN), to(path, upstream="")]
    assert find(own, path).route.path == path


LOOK_ALIKES = [
    "/ADMIN",
    "/Admin/",
    "/admin.",
    "/admin . ",
    "/admin\u00a0",
    "/\uff41dmin",
    "/ad\u1d39in",
    "/admin\u2024",
]


@pytest.mark.parametrize("path", LOOK_ALIKES)
def test_a_look_alike_of_a_stricter_route_is_refused(path: str) -> None:
    admin = to("/admin", roles=("admin",))
    assert code([admin, to("/{x}", **OPEN)], path) == "ambiguous_path"
    assert code([admin, to("/{x+}", **OPEN)], path) == "ambiguous_path"
    assert code([admin], path) == "not_found"
    assert find([admin, to("/{x}", **OPEN)], "/other").route.path == "/{x}"
    assert find([admin, to("/{x}", **OPEN)], "/admin").route == admin


def test_a_refused_look_alike_is_known_by_the_stricter_route() -> None:
    router = Router([to("/admin"), to("/other"), to("/{x}", "GET", "PUT", **OPEN)])
    stricter = router.look_alike("GET", "/ADMIN")
    assert stricter
    assert stricter.path == "/admin"
    for method, path in [("GET", "/admin"), ("GET", "/x"), ("POST", "/ADMIN"), ("GET", "/x/y")]:
        assert router.look_alike(method, path) is None


def test_patterns_fold_like_paths() -> None:
    routes = [to("/ADMIN\uff11"), to("/{x}", **OPEN)]
    assert code(routes, "/admin1") == "ambiguous_path"
    assert find(routes, "/ADMIN\uff11").route == routes[0]


@pytest.mark.parametrize("path", ["/FILES/a/b", "/files./a", "/files", "/files/", "/Files"])
def test_a_greedy_pattern_is_looked_like_below_and_at_its_bare_prefix(path: str) -> None:
    routes = [to("/files/{x+}"), to("/{y+}", **OPEN)]
    assert code(routes, path) == "ambiguous_path"


def test_a_route_of_its_own_at_the_bare_prefix_is_no_look_alike() -> None:
    assert find([to("/files/{x+}"), to("/files", **OPEN)], "/files").route.path == "/files"


def test_a_look_alike_is_judged_by_the_most_specific_pattern() -> None:
    routes = [to("/{x+}"), to("/open", **OPEN), to("/{x}", **OPEN)]
    assert find(routes, "/OPEN").route.path == "/{x}"
    assert find(routes, "/open").route.path == "/open"


@pytest.mark.parametrize(
    ("path", "routes"),
    [
        ("/A/B", [to("/a/{v}"), to("/a/b/{x+}", **OPEN)]),
        ("/A/b", [to("/a/{v}"), to("/a/b/{x+}", **OPEN)]),
        ("/A/\uff42", [to("/a/{v}"), to("/a/b", **OPEN)]),
        ("/A/b.", [to("/a/{v}"), to("/a/b", **OPEN)]),
        ("/a./b", [to("/A/b", **OPEN), to("/a/{v}")]),
    ],
)
def test_servers_that_fold_only_a_part_are_thought_of_too(path: str, routes: list[Route]) -> None:
    assert code([*routes, to("/{z+}", **OPEN)], path) == "ambiguous_path"


def test_a_look_alike_is_judged_by_its_method() -> None:
    routes = [to("/a", "GET", id="r", **OPEN), to("/a", "POST", id="w"), to("/{x}", "GET", **OPEN)]
    assert find(routes, "/A").route.path == "/{x}"
    mixed = [*routes[:2], to("/{x}", "GET", "POST", "PUT", **OPEN)]
    assert code(mixed, "/A", "POST") == "ambiguous_path"
    assert code(mixed, "/A", "PUT") == "ambiguous_path"


@pytest.mark.parametrize("turn", [1, -1])
def test_of_routes_that_differ_in_case_only_the_strictest_is_served(turn: int) -> None:
    routes = [to("/users", **OPEN), to("/Users", roles=("a",))][::turn]
    assert find(routes, "/Users").route.path == "/Users"
    assert code(routes, "/users") == "ambiguous_path"
    assert code([*routes, to("/{x}", **OPEN)], "/USERS") == "ambiguous_path"


ACCESS: list[dict[str, Any]] = [
    {"auth": auth, "roles": roles, "allow_from": networks}
    for auth, roles, networks in product(
        ("session", "optional", "none"),
        ((), ("a",), ("b",), ("a", "b")),
        ((), ("192.0.2.0/25",), ("192.0.2.0/24",), ("192.0.2.0/25", "192.0.2.128/25")),
    )
    if auth == "session" or not roles
]


def callers() -> Iterator[tuple[set[str] | None, str]]:
    """Roles, None for nobody, and an address."""
    yield from product((None, set(), {"a"}, {"b"}, {"c"}), (INSIDE, "192.0.2.200", OUTSIDE))


def admits(route: Route, roles: set[str] | None, address: str) -> bool:
    if route.allow_from and read(address) not in Networks(route.allow_from):
        return False
    if route.auth != "session":
        return True
    return roles is not None and (not route.roles or bool(roles & set(route.roles)))


@pytest.mark.parametrize("access", ACCESS)
def test_a_look_alike_is_refused_if_the_other_refuses_anyone(access: dict[str, Any]) -> None:
    exact = to("/admin", **access)
    for wild in (to("/{x}", **other) for other in ACCESS):
        if any(admits(wild, *caller) and not admits(exact, *caller) for caller in callers()):
            assert code([exact, wild], "/Admin") == "ambiguous_path"
        else:
            assert find([exact, wild], "/Admin").route == wild
