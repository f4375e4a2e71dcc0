from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.builders import request, route, settings
from webapp.forwarding import Outgoing, Passport, outgoing
from webapp.routes import Match
from webapp.sessions import Identity
from webapp.settings import Route, SessionSettings, Settings, Upstream
from webapp.tracing import Trace

TRACE = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1, is_new=False)


def sent(
    method: str = "GET",
    path: str = "/users",
    *,
    via: Route | None = None,
    values: dict[str, str] | None = None,
    given: Settings | None = None,
    passport: Passport | None = None,
    **fields: Any,
) -> Outgoing:
    match = Match(via or route(), values or {})
    passport = passport or Passport(None, TRACE, None)
    return outgoing(request(method, path, **fields), match, given or settings(), passport)


def proven(name: str, **fields: Any) -> Upstream:
    return Upstream(url="https://svc.internal.example", secret_header=name, **fields)


def test_method_body_and_end_to_end_headers_go_on() -> None:
    headers = {"Accept": "a, b", "x-mine": "caf\u00e9", "te2": ""}
    made = sent("POST", body=b"\x00\xff", headers=headers)
    assert (made.method, made.body) == ("POST", b"\x00\xff")
    assert made.headers["accept"] == "a, b"
    assert made.headers["x-mine"] == "caf\u00e9"
    assert made.headers["te2"] == ""


def test_all_headers_of_a_plain_request() -> None:
    assert sent().headers == {
        "forwarded": "for=198.51.100.7;host=gw.example.com;proto=https",
        "traceparent": TRACE.traceparent,
        "x-forwarded-for": "198.51.100.7",
        "x-forwarded-host": "gw.example.com",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-request-id": "req-1",
    }


@pytest.mark.parametrize(
    "name",
    [
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "expect",
        "content-length",
        "proxy",
        "x-user-id",
        "x-user-roles",
        "x-user-anything",
        "x-session-id",
        "x-auth-request-user",
        "x-auth-request-email",
        "remote-user",
        "x-forwarded-user",
        "x-forwarded-prefix",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-original-url",
        "x-rewrite-url",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "tollgate-session-user",
        "tollgate-anything",
        "x_user_id",
        "x_mine",
        "x.user.id",
        "x-user.id",
        "x+forwarded+for",
        "remote!user",
    ],
)
def test_what_upstreams_trust_is_dropped_from_the_client(name: str) -> None:
    for spelling in (name, name.title()):
        assert name not in sent(headers={spelling: "forged"}).headers


@pytest.mark.parametrize(
    "name",
    [
        "forwarded",
        "traceparent",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-request-id",
    ],
)
def test_what_the_gateway_says_is_rebuilt(name: str) -> None:
    assert sent(headers={name: "forged"}).headers[name] == sent().headers[name]


def test_headers_that_connection_names_are_dropped() -> None:
    headers = {"connection": "close, X-Mine ,TE,", "x-mine": "1", "x-other": "2"}
    made = sent(headers=headers).headers
    assert "x-mine" not in made
    assert made["x-other"] == "2"


def test_connection_cannot_delete_what_the_gateway_adds() -> None:
    names = [*sent(body=b"x").headers, "x-user-id", "x-gateway-secret", "authorization"]
    given = settings(upstreams={"users": proven("X-Gateway-Secret")})
    passport = Passport(Identity("ada", ("a",), "h" * 64, 1, 2), TRACE, "s" * 32)
    made = sent(given=given, passport=passport, body=b"x", headers={"connection": ", ".join(names)})
    assert set(names) - set(made.headers) == {"authorization"}


def test_any_upstreams_secret_header_is_dropped_from_the_client() -> None:
    given = settings(
        upstreams={"users": Upstream(url="https://users.example"), "svc": proven("X-Proof")}
    )
    assert "x-proof" not in sent(given=given, headers={"x-proof": "forged"}).headers


@pytest.mark.parametrize(("header", "forged"), [("X-Pro-of", "x.pro.of"), ("X.Proof", "x-proof")])
def test_twins_of_a_secret_header_are_dropped_too(header: str, forged: str) -> None:
    given = settings(upstreams={"users": proven(header)})
    assert forged not in sent(given=given, headers={forged: "forged"}).headers


def test_the_secret_goes_to_its_own_upstream() -> None:
    given = settings(upstreams={"users": proven("X-Proof")})
    passport = Passport(None, TRACE, "s" * 32)
    made = sent(given=given, passport=passport, headers={"X-Proof": "forged"})
    assert made.headers["x-proof"] == "s" * 32


def test_a_signed_in_caller_is_named() -> None:
    identity = Identity("ada", ("user", "admin"), "0123456789abcdef" * 4, 1, 2)
    made = sent(passport=Passport(identity, TRACE, None), headers={"x-user-id": "root"}).headers
    assert made["x-user-id"] == "ada"
    assert made["x-user-roles"] == "user,admin"
    assert made["x-session-id"] == identity.display_id


@pytest.mark.parametrize(("is_new", "state"), [(True, None), (False, "a=1")])
def test_trace_state_goes_on_with_its_trace_only(is_new: bool, state: str | None) -> None:
    passport = Passport(None, TRACE._replace(is_new=is_new), None)
    assert sent(passport=passport, headers={"tracestate": "a=1"}).headers.get("tracestate") == state


@pytest.mark.parametrize(
    ("authorization", "fields", "goes_on"),
    [
        ("Basic dTpw", {}, False),
        ("Basic dTpw", {"auth": "optional"}, False),
        ("Basic dTpw", {"auth": "none"}, True),
        ("Basic dTpw", {"auth": "none", "forward_authorization": False}, False),
        ("Basic dTpw", {"forward_authorization": True}, True),
        ("Bearer eyJ.x.y", {"forward_authorization": True}, True),
        ("Bearer tg_a", {"forward_authorization": True}, False),
        ("bearer  tg_a", {"auth": "none"}, False),
        ("tg_a", {"auth": "none"}, False),
        ("Token tg_a", {"auth": "none"}, False),
        ('Token token="tg_a"', {"auth": "none"}, False),
        ("Bearer eyJ,Bearer tg_a", {"auth": "none"}, False),
        ("Bearer xtg_a", {"auth": "none"}, True),
    ],
)
def test_authorization_goes_on_where_it_may_but_never_a_token(
    authorization: str, fields: dict[str, Any], goes_on: bool
) -> None:
    made = sent(via=route(**fields), headers={"authorization": authorization})
    assert made.headers.get("authorization") == (authorization if goes_on else None)


TOKEN = "tg_WyJhZGEiXQ." + "A" * 43


@pytest.mark.parametrize("value", [TOKEN, f"https://gw.example/?t={TOKEN}", f"a,'{TOKEN}'"])
def test_no_header_carries_a_token_on(value: str) -> None:
    for name in ("referer", "x-token", "authorization"):
        assert name not in sent(via=route(auth="none"), headers={name: value}).headers
    assert "cookie" not in sent(cookies=[f"a={value}"]).headers
    assert sent(headers={"x-theme": "tg_dark.1"}).headers["x-theme"] == "tg_dark.1"


@pytest.mark.parametrize(
    ("cookies", "line"),
    [
        ([], None),
        (["a=1", "b=2"], "a=1; b=2"),
        (["__Host-session=tg_a"], None),
        (["a=1", "__Host-session=x", "b=2"], "a=1; b=2"),
        (["__host-SESSION = tg_a", "a=1"], "a=1"),
        (["__Host-session"], None),
        (["copy=tg_a", 'copy="tg_a"', "a=1"], "a=1"),
        (["tg_a", "a=1"], "a=1"),
        (["tg_theme=dark", "session=1", "a=b=c"], "tg_theme=dark; session=1; a=b=c"),
    ],
)
def test_cookies_go_on_less_the_session(cookies: list[str], line: str | None) -> None:
    assert sent(cookies=cookies).headers.get("cookie") == line


def test_a_cookie_header_of_an_event_by_hand_is_no_way_around() -> None:
    made = sent(headers={"Cookie": "__Host-session=tg_a; a=1"})
    assert made.headers["cookie"] == "a=1"


@pytest.mark.parametrize(
    ("address", "node", "plain"),
    [
        ("198.51.100.7:5000", "198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7", "198.51.100.7"),
        ("2001:DB8::1", '"[2001:db8::1]"', "2001:db8::1"),
    ],
)
def test_the_clients_address_is_forwarded(address: str, node: str, plain: str) -> None:
    made = sent(address=address).headers
    assert made["x-forwarded-for"] == plain
    assert made["forwarded"] == f"for={node};host=gw.example.com;proto=https"


def test_the_public_host_is_forwarded_whatever_host_says() -> None:
    made = sent(given=settings(public_host="api.example.com"), headers={"host": "evil"}).headers
    assert made["x-forwarded-host"] == "api.example.com"
    assert "host=api.example.com;" in made["forwarded"]


def test_a_developers_machine_has_a_port_and_no_https() -> None:
    given = settings(session=SessionSettings(cookie_name="session"))
    made = sent(given=given, host="127.0.0.1:8080").headers
    assert made["x-forwarded-host"] == "127.0.0.1:8080"
    assert (made["x-forwarded-port"], made["x-forwarded-proto"]) == ("8080", "http")
    assert made["forwarded"] == 'for=198.51.100.7;host="127.0.0.1:8080";proto=http'
    assert sent(given=given, host="localhost").headers["x-forwarded-port"] == "80"


def test_what_is_not_known_is_not_forwarded() -> None:
    made = sent(address="", host="", headers={"x-forwarded-for": "1.1.1.1"}).headers
    assert made["forwarded"] == "proto=https"
    assert not {"x-forwarded-for", "x-forwarded-host", "x-forwarded-port"} & set(made)


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", None, None),
        ("HEAD", None, None),
        ("DELETE", None, None),
        ("POST", None, "0"),
        ("PUT", b"", "0"),
        ("PATCH", b"", "0"),
        ("POST", b"12345", "5"),
        ("GET", b"1", "1"),
    ],
)
def test_the_length_is_the_bodys(method: str, body: bytes | None, length: str | None) -> None:
    headers = {"content-length": "99", "transfer-encoding": "chunked"}
    assert sent(method, body=body, headers=headers).headers.get("content-length") == length


BASE, NO_BASE = "https://users.internal.example/base", "https://users.internal.example"


@pytest.mark.parametrize(
    ("url", "path", "wire"),
    [
        (NO_BASE, "/", "/"),
        (NO_BASE, "/users", "/users"),
        (NO_BASE + "/", "/users/", "/users/"),
        (BASE, "/", "/base/"),
        (BASE, "/users", "/base/users"),
        (BASE + "/", "/users/", "/base/users/"),
        (BASE, "/caf\u00e9/a b", "/base/caf%C3%A9/a%20b"),
        (BASE, "/a!$&'()*+,=:@~", "/base/a!$&'()*+,=:@~"),
        (BASE, '/[x]|"{y}', "/base/%5Bx%5D%7C%22%7By%7D"),
    ],
)
def test_the_path_goes_behind_the_base_path(url: str, path: str, wire: str) -> None:
    given = settings(upstreams={"users": Upstream(url=url)})
    assert sent(path=path, given=given).url == NO_BASE + wire


@pytest.mark.parametrize(
    ("path", "rewrite", "values", "wire"),
    [
        ("/users/7", "/v2/people/{id}", {"id": "7"}, "/v2/people/7"),
        ("/users/7/", "/v2/people/{id}", {"id": "7"}, "/v2/people/7/"),
        ("/f/a/B/", "/{rest}", {"rest": "a/B"}, "/a/B/"),
        ("/a/b", "/{b}/x/{a}", {"a": "caf\u00e9", "b": "1 2"}, "/1%202/x/caf%C3%A9"),
        ("/a", "/", {}, "/"),
        ("/a/", "/", {}, "/"),
        ("/", "/index", {}, "/index"),
    ],
)
def test_a_rewrite_takes_the_place_of_the_path(
    path: str, rewrite: str, values: dict[str, str], wire: str
) -> None:
    assert sent(path=path, via=route(rewrite=rewrite), values=values).url == BASE + wire


@pytest.mark.parametrize("query", ["a=%2F&b=+&a", "%zz", "a?b", "q='\"<>[]{}|^`\\", "a=b;c"])
def test_the_query_goes_on_byte_for_byte(query: str) -> None:
    assert sent(query=query).url == f"{BASE}/users?{query}"
    assert sent(query=query, via=route(rewrite="/x")).url == f"{BASE}/x?{query}"


def test_without_a_query_there_is_no_question_mark() -> None:
    assert sent(query="").url == f"{BASE}/users"


@given(st.text().map("/{}".format), st.text())
def test_no_request_leaves_its_upstream(path: str, query: str) -> None:
    url = sent(path=path, query=query).url
    assert url.startswith((BASE + "/", BASE + "?"))
    parts = urlsplit(url)
    assert (parts.netloc, parts.fragment) == ("users.internal.example", "")
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
