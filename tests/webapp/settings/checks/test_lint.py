from typing import Any

import pytest

from tests.webapp.settings.builders import route, upstream, values, warnings
from webapp.settings.files import SEALED
from webapp.settings.read import read

DOMAIN = {"name": "api.example.com", "zoneId": "Z0123456789ABC"}
VPC = {"subnetIds": ["subnet-0123456789abcdef0"], "securityGroupIds": ["sg-0123456789abcdef0"]}
LISTED = {"allowMethods": ["PUT"], "allowHeaders": ["content-type"]}


@pytest.mark.parametrize("auth", ["none", "optional"])
def test_an_upstream_behind_open_and_protected_routes_is_suspect(auth: str) -> None:
    routes = [route(), route(id="open", path="/open", auth=auth)]
    assert warnings(routes=routes) == [
        "tollgate:upstreams.users: stands behind open routes (open) and protected ones (users):"
        " a service that relies on the gateway should not be open to strangers at any path; if it"
        " checks by itself, give it a second name for its open routes"
    ]


def test_two_names_settle_that_a_service_checks_by_itself() -> None:
    routes = [route(), route(id="open", path="/open", upstream="open", auth="none")]
    assert warnings(routes=routes, upstreams={"users": upstream(), "open": upstream()}) == []


def test_plain_http_is_suspect_outside_a_network_of_your_own() -> None:
    upstreams = {"users": upstream(url="http://users.internal", allowInsecure=True)}
    assert warnings(upstreams=upstreams) == [
        "tollgate:upstreams.users.url: is plain http over the internet: whoever is on the way reads"
        " and forges requests and answers; use https, or reach it inside a network (tollgate:vpc)"
    ]
    assert warnings(upstreams=upstreams, vpc=VPC) == []
    assert warnings(upstreams=upstreams, vpc=SEALED) == []


@pytest.mark.parametrize("changes", [{}, {"edge": True}, {"disableDefaultEndpoint": True}])
def test_a_second_way_in_beside_the_domain_is_suspect(changes: dict[str, Any]) -> None:
    found = warnings(customDomain=DOMAIN, **changes)
    assert bool(found) == (not changes)
    assert all(line.startswith("tollgate:disableDefaultEndpoint: is false") for line in found)


def test_signing_in_and_out_is_open_by_nature() -> None:
    routes = [
        route(),
        route(id="login", path="/login", auth="none", session="issue"),
        route(id="logout", path="/logout", auth="none", session="end"),
    ]
    assert warnings(routes=routes) == []


def test_pages_need_methods_and_headers_to_write() -> None:
    origins = {"allowOrigins": ["https://app.example.com"]}
    assert warnings(cors=origins) == [
        "tollgate:cors.allowMethods: is unset, so that browsers let no page send DELETE, PATCH,"
        " PUT; list methods",
        "tollgate:cors.allowHeaders: is unset, so that browsers let no page send JSON or a token;"
        " list content-type, and authorization",
    ]
    assert warnings(cors=origins | {"allowMethods": ["GET"], "allowHeaders": ["x-a"]}) == []
    assert warnings(cors=origins, routes=[route(methods=["GET"])]) == []


def test_every_origin_is_suspect_in_a_protected_stack() -> None:
    every = LISTED | {"allowOrigins": ["*"]}
    assert warnings(cors=every, protect=True) == [
        'tollgate:cors.allowOrigins: "*" lets every page on the web read answers of a protected'
        " stack; name origins"
    ]
    assert warnings(cors=every) == []


def test_cookies_from_other_sites_are_of_use_with_credentials_only() -> None:
    session = {"sameSite": "None"}
    cors = LISTED | {"allowOrigins": ["https://app.example.com"], "allowCredentials": True}
    assert warnings(session=session) == [
        "tollgate:session.sameSite: None sends the cookie along from other sites, which only"
        " cors.allowCredentials makes use of; use Lax"
    ]
    assert warnings(session=session, cors=cors) == []


def test_an_upstream_should_not_outlast_the_function() -> None:
    assert warnings(upstreams={"users": upstream(timeout=6)}, timeout=5) == [
        "tollgate:upstreams.users.timeout: is longer than the function runs (5 s,"
        " tollgate:timeout), so it never ends anything; lower it"
    ]


def test_warnings_do_not_refuse_a_configuration() -> None:
    suspect = read(values(session={"sameSite": "None"}), "dev")
    assert suspect.settings.session.same_site == "None"
