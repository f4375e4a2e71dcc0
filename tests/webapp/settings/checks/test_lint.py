from tests.webapp.settings.builders import route, upstream, values, warnings
from webapp.settings.read import read


def test_an_upstream_behind_open_and_protected_routes_is_suspect() -> None:
    routes = [route(), route(id="open", path="/open", auth="none")]
    assert warnings(routes=routes) == [
        "tollgate:upstreams.users: stands behind open routes (open) and protected ones (users):"
        " does it rely on being protected? Give it two names if not"
    ]


def test_signing_in_and_out_is_open_by_nature() -> None:
    routes = [
        route(),
        route(id="login", path="/login", auth="none", session="issue"),
        route(id="logout", path="/logout", auth="none", session="end"),
    ]
    assert warnings(routes=routes) == []


def test_every_origin_is_suspect_in_a_protected_stack() -> None:
    every = {"allowOrigins": ["*"]}
    assert warnings(cors=every, protect=True) == [
        'tollgate:cors.allowOrigins: "*" lets every page on the web read answers of a protected'
        " stack; name origins"
    ]
    assert warnings(cors=every) == []


def test_cookies_from_other_sites_are_of_use_with_credentials_only() -> None:
    session = {"sameSite": "None"}
    cors = {"allowOrigins": ["https://app.example.com"], "allowCredentials": True}
    assert warnings(session=session) == [
        "tollgate:session.sameSite: None sends the cookie along from other sites, which only"
        " cors.allowCredentials makes use of; use Lax"
    ]
    assert warnings(session=session, cors=cors) == []


def test_an_upstream_should_not_outlast_the_function() -> None:
    assert warnings(upstreams={"users": upstream(timeout=6)}, timeout=5) == [
        "tollgate:upstreams.users.timeout: is longer than the function runs (5 s, tollgate:timeout)"
    ]


def test_warnings_do_not_refuse_a_configuration() -> None:
    suspect = read(values(session={"sameSite": "None"}), "dev")
    assert suspect.settings.session.same_site == "None"
