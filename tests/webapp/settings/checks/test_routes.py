from typing import Any

import pytest

from tests.webapp.settings.builders import configuration, mistakes, route, upstream

CASES = [
    ({"path": "users"}, "path: the path must start with a slash"),
    ({"path": "/users/"}, "path: leave the trailing slash out: with and without it is one path"),
    ({"path": "/users//all"}, "path: the path holds an empty segment"),
    ({"path": "/users/.."}, "path: the path holds a segment of dots or spaces only"),
    ({"path": "/a%2fb"}, "path: the path holds a character that is read in several ways"),
    ({"path": "/a;b"}, "path: the path holds a character that is read in several ways"),
    ({"path": "/a\uff1bb"}, "path: the path holds a character that is read in several ways"),
    ({"path": "/a/b."}, 'path: "b." ends with a dot or a space, which some servers cut off'),
    ({"path": "/u{id}"}, 'path: "u{id}" is neither literal nor a whole {name} or {name+}'),
    ({"path": "/{id}/{id}"}, "path: the name {id} appears twice"),
    (
        {"path": "/{rest+}/x"},
        "path: a {name+} takes the rest of the path, so it must be the last segment",
    ),
    ({"path": "/health"}, "path: /health is reserved for the gateway's own pages"),
    ({"path": "/health/{rest+}"}, "path: /health is reserved for the gateway's own pages"),
    ({"path": "/auth/session"}, "path: /auth is reserved for the gateway's own pages"),
    ({"path": "/docs"}, "path: /docs is reserved for the gateway's own pages"),
    ({"path": "/openapi.json"}, "path: /openapi.json is reserved for the gateway's own pages"),
    ({"path": "/Auth/x"}, "path: /auth is reserved for the gateway's own pages"),
    ({"path": "/\uff44ocs/x"}, "path: /docs is reserved for the gateway's own pages"),
    (
        {"methods": []},
        "methods: names no method; leave the key out for GET, POST, PUT, PATCH and DELETE",
    ),
    ({"methods": ["GET", "GET"]}, 'methods[1]: "GET" stands in the list twice'),
    (
        {"methods": ["get"]},
        'methods[0]: expected one of "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",'
        ' got "get" (did you mean "GET"?)',
    ),
    ({"rewrite": "users"}, "rewrite: the path must start with a slash"),
    ({"rewrite": "/{id}"}, "rewrite: the path has no {id}"),
    (
        {"path": "/{user_id}", "rewrite": "/{userid}"},
        'rewrite: the path has no {userid} (did you mean "user_id"?)',
    ),
    ({"path": "/{rest+}", "rewrite": "/a/{rest+}"}, "rewrite: write {rest+} as {rest} here"),
    ({"upstream": "user"}, 'upstream: no upstream named "user" (did you mean "users"?)'),
    ({"upstream": "nothing"}, 'upstream: no upstream named "nothing"'),
    (
        {"auth": "optional", "roles": ["user"]},
        "roles: needs auth: session (it is optional): only a session has roles",
    ),
    (
        {"auth": "none", "roles": ["user"]},
        "roles: needs auth: session (it is none): only a session has roles",
    ),
    ({"roles": ["user", "user"]}, 'roles[1]: "user" stands in the list twice'),
    (
        {"session": "issue"},
        "session: issue needs auth: none (it is session): nobody is signed in yet",
    ),
    (
        {"allowFrom": ["nowhere"]},
        'allowFrom[0]: "nowhere" is neither an address nor a network such as 192.0.2.0/24',
    ),
    (
        {"allowFrom": ["192.0.2.1/24"]},
        'allowFrom[0]: "192.0.2.1/24" has bits set beyond its prefix; the network is 192.0.2.0/24',
    ),
    (
        {"allowFrom": ["2001:db8::1/32"]},
        'allowFrom[0]: "2001:db8::1/32" has bits set beyond its prefix; the network is'
        " 2001:db8::/32",
    ),
    (
        {"allowFrom": ["::ffff:192.0.2.1"]},
        'allowFrom[0]: "::ffff:192.0.2.1" never matches: write IPv4 addresses in their own form',
    ),
    (
        {"allowFrom": ["fe80::1%eth0"]},
        'allowFrom[0]: "fe80::1%eth0" names an interface; leave the part from % out',
    ),
    (
        {"allowFrom": ["192.0.2.0/255.255.255.0"]},
        'allowFrom[0]: "192.0.2.0/255.255.255.0" must give its prefix as a number: 192.0.2.0/24',
    ),
    ({"timeout": 30}, "timeout: expected a number above 0 and at most 29, got 30"),
    (
        {"maxBodyBytes": 4194305},
        "maxBodyBytes: expected a whole number of at least 0 and at most 4194304, got 4194305",
    ),
    ({"auth": "nobody"}, 'auth: expected one of "session", "optional", "none", got "nobody"'),
    (
        {"id": "a.b"},
        "id: expected a name of at most 64 letters, digits, - and _ that begins with a letter,"
        ' got "a.b"',
    ),
]


@pytest.mark.parametrize(("changes", "line"), CASES)
def test_a_mistake_is_named(changes: dict[str, Any], line: str) -> None:
    assert mistakes(routes=[route(**changes)]) == [f"tollgate:routes[0].{line}"]


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "/"},
        {"path": "/{rest+}"},
        {"path": "/openapi.json/archive"},
        {"path": "/healthy"},
        {"path": "/caf\u00e9/{id}", "rewrite": "/{id}/v2"},
        {"path": "/a/{rest+}", "rewrite": "/{rest}"},
        {"methods": ["OPTIONS", "HEAD"]},
        {"allowFrom": ["192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "2001:db8::1"]},
        {"session": "end"},
        {"auth": "none", "session": "issue"},
        {"timeout": 0.5},
    ],
)
def test_what_the_contract_allows_is_read(changes: dict[str, Any]) -> None:
    assert mistakes(routes=[route(**changes)]) == []


def test_an_id_stands_for_one_route() -> None:
    twice = [route(), route(path="/others")]
    assert mistakes(routes=twice) == [
        'tollgate:routes[1].id: "users" is the id of tollgate:routes[0]'
    ]


def test_two_routes_for_one_request_are_a_mistake() -> None:
    both = [
        route(path="/users/{id}", methods=["GET", "PUT"]),
        route(id="other", path="/users/{name}", methods=["PUT", "HEAD", "POST"]),
    ]
    assert mistakes(routes=both) == [
        'tollgate:routes[1].path: tollgate:routes[0] ("/users/{id}") matches the same requests'
        " (HEAD, PUT);"
        " separate the methods"
    ]


@pytest.mark.parametrize("path", ["/users/{id+}", "/users/me", "/{a}/{b}", "/Users/{id}"])
def test_a_path_of_another_rank_is_no_rival(path: str) -> None:
    assert mistakes(routes=[route(path="/users/{id}"), route(id="other", path=path)]) == []


def test_one_pattern_may_be_shared_by_disjoint_methods() -> None:
    both = [route(methods=["GET"]), route(id="other", methods=["POST"])]
    assert mistakes(routes=both) == []


def test_signing_in_needs_https_whatever_the_upstream_allows() -> None:
    line = (
        "tollgate:routes[0].session: issue needs an https url at the upstream users, in any network"
    )
    insecure = {"users": upstream(url="http://users.internal", allowInsecure=True)}
    assert mistakes(upstreams=insecure, routes=[route(auth="none", session="issue")]) == [line]
    assert mistakes(upstreams=insecure, routes=[route(auth="none", session="end")]) == []


def test_a_route_cannot_outlast_the_function() -> None:
    line = "tollgate:routes[0].timeout: is longer than the function runs (5 s, tollgate:timeout)"
    users = {"users": upstream(timeout=5)}
    assert mistakes(upstreams=users, timeout=5, routes=[route(timeout=6)]) == [line]
    assert mistakes(upstreams=users, timeout=5, routes=[route(timeout=5)]) == []


def test_defaults_are_those_of_the_contract() -> None:
    users = configuration().settings.routes[0]
    assert (users.auth, users.roles, users.timeout) == ("session", (), None)
    assert users.methods == ("GET", "POST", "PUT", "PATCH", "DELETE")
    assert users.max_body_bytes == 4 * 1024 * 1024
    assert not users.forwards_authorization
    assert configuration(routes=[route(auth="none")]).settings.routes[0].forwards_authorization
