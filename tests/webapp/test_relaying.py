from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.builders import request, settings
from webapp.errors import Problem
from webapp.relaying import Relayed, answered_headers
from webapp.settings import SessionSettings, Settings, Upstream

BASE, NO_BASE = "https://users.internal.example/base", "https://users.internal.example"


def answered(
    *lines: tuple[str, str], given: Settings | None = None, url: str = BASE, **fields: Any
) -> list[tuple[str, str]]:
    asked = request(**{"host": "gw.example"} | fields)
    return answered_headers(lines, asked, Upstream(url=url), given or settings())


def test_end_to_end_headers_come_back_in_order_and_repeated() -> None:
    cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    lines = [("Vary", "a"), ("X-A", "1"), ("vary", "b"), *cookies]
    assert answered(*lines) == lines


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Content-Length",
        "X-Request-Id",
        "Tollgate-Session-User",
        "Tollgate-Session-Token",
        "tollgate-anything",
    ],
)
def test_headers_of_the_connection_and_of_the_gateway_do_not_come_back(name: str) -> None:
    assert answered((name, "x"), ("X-A", "1")) == [("X-A", "1")]


def test_what_an_answers_connection_names_does_not_come_back() -> None:
    assert answered(("X-Hop", "1"), ("Connection", "close , x-hop"), ("X-A", "1")) == [("X-A", "1")]


def test_a_secret_header_does_not_come_back_from_any_upstream() -> None:
    given = settings(upstreams={"svc": Upstream(url=NO_BASE, secret_header="X-Proof")})
    assert answered(("x-proof", "s"), ("X-A", "1"), given=given) == [("X-A", "1")]


@pytest.mark.parametrize(
    "line",
    [
        "__Host-session=evil; Path=/; Secure",
        "__host-SESSION=evil",
        " __Host-session =evil",
        "__Host-session",
        "__Host-session;Path=/",
        "=__Host-session=evil",
        " = __Host-session=evil",
    ],
)
def test_an_upstream_cannot_set_the_session_cookie(line: str) -> None:
    assert answered(("SET-cookie", line), ("Set-Cookie", "a=1")) == [("Set-Cookie", "a=1")]


@pytest.mark.parametrize("line", ["session=1", "__Host-session2=1", "a=__Host-session=1", "=a", ""])
def test_other_cookies_come_back(line: str) -> None:
    assert answered(("Set-Cookie", line)) == [("Set-Cookie", line)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("X A", "x"),
        ("X-A ", "x"),
        ("X\u00c4", "x"),
        ("X-A:", "x"),
        ("X-A", "a\nb"),
        ("X-A", "a\r"),
        ("X-A", "\x00"),
        ("X-A", "\x7f"),
    ],
)
def test_malformed_lines_are_no_answer(name: str, value: str) -> None:
    with pytest.raises(Problem) as raised:
        answered(("X-B", "1"), (name, value))
    assert (raised.value.status, raised.value.code) == (502, "upstream_invalid_response")


@pytest.mark.parametrize("value", ["", "a\tb", "caf\u00e9", "\x80"])
def test_odd_values_that_clients_can_read_come_back(value: str) -> None:
    assert answered(("X-A", value)) == [("X-A", value)]


def test_only_the_answer_to_head_says_how_long_another_answer_would_be() -> None:
    line = ("Content-Length", "5")
    assert answered(line) == []
    assert answered(line, method="HEAD") == [line]


def wsgi(response: Relayed, method: str = "GET") -> tuple[bytes, str, dict[str, str]]:
    body, status, headers = response.get_wsgi_response({"REQUEST_METHOD": method})
    return b"".join(body), status, dict(headers)


def test_a_relayed_answer_is_as_it_came() -> None:
    lines = [("Location", "/caf\u00c3\u00a9 |"), ("Vary", "a"), ("Vary", "b")]
    assert wsgi(Relayed(201, lines, b"abc")) == (
        b"abc",
        "201 CREATED",
        {"Location": "/caf\u00c3\u00a9 |", "Vary": "a, b", "Content-Length": "3"},
    )


@pytest.mark.parametrize(("status", "method"), [(200, "HEAD"), (304, "GET")])
def test_what_an_answer_says_of_a_body_left_out_stays(status: int, method: str) -> None:
    lines = [("Last-Modified", "x"), ("Content-Type", "a/b")]
    assert wsgi(Relayed(status, lines, b""), method)[::2] == (b"", dict(lines))


def location(value: str, **fields: Any) -> str:
    [(_, relocated)] = answered(("LOCATION", value), **fields)
    return relocated


@pytest.mark.parametrize(
    ("value", "relocated"),
    [
        ("https://users.internal.example/base/x?q=%2F#f", "https://gw.example/x?q=%2F#f"),
        ("http://users.internal.example/base/x", "https://gw.example/x"),
        ("HTTPS://USERS.internal.example/base/x", "https://gw.example/x"),
        ("https://users.internal.example:443/base/x", "https://gw.example/x"),
        ("http://users.internal.example:80/base/x", "https://gw.example/x"),
        ("https://u:p@users.internal.example/base/x", "https://gw.example/x"),
        ("//users.internal.example/base/x/", "https://gw.example/x/"),
        ("https://users.internal.example/base", "https://gw.example/"),
        ("https://users.internal.example/base/", "https://gw.example/"),
        ("https://users.internal.example", "https://gw.example/"),
        ("https://users.internal.example?a", "https://gw.example/?a"),
        ("https://users.internal.example/other", "https://gw.example/other"),
        ("https://users.internal.example/based", "https://gw.example/based"),
        ("/base/x/y?q", "https://gw.example/x/y?q"),
        ("/base", "https://gw.example/"),
        ("/base?q", "https://gw.example/?q"),
        ("/base/../x", "https://gw.example/../x"),
    ],
)
def test_redirects_within_the_upstream_lead_to_the_public_host(value: str, relocated: str) -> None:
    assert location(value) == relocated


@pytest.mark.parametrize(
    "value",
    [
        "https://other.example/base/x",
        "https://users.internal.example:8443/base/x",
        "https://users.internal.example:80/base/x",
        "https://users.internal.example.evil/base/x",
        "//other.example/base/x",
        "ftp://users.internal.example/base/x",
        "mailto:a@users.internal.example",
        "https:/base/x",
        "/other",
        "/based",
        "/BASE/x",
        "base/x",
        "x",
        "../x",
        "?page=2",
        "#f",
        "",
        "/\\other.example",
    ],
)
def test_other_redirects_are_relayed(value: str) -> None:
    assert location(value) == value


@pytest.mark.parametrize("value", ["?page=2", "#f", "", "x/y"])
def test_relative_redirects_are_relayed_without_a_base_path_too(value: str) -> None:
    assert location(value, url=NO_BASE) == value


@pytest.mark.parametrize("url", [NO_BASE, NO_BASE + "/"])
def test_without_a_base_path_every_path_is_under_it(url: str) -> None:
    assert location("/x", url=url) == "https://gw.example/x"
    assert location("http://users.internal.example/x", url=url) == "https://gw.example/x"


def test_a_port_of_its_own_belongs_to_the_upstream() -> None:
    url = "http://127.0.0.1:9000"
    for own in ("http://127.0.0.1:9000/x", "https://127.0.0.1:9000/x", "//127.0.0.1:9000/x"):
        assert location(own, url=url) == "https://gw.example/x"
    for other in ("http://127.0.0.1/x", "http://127.0.0.1:9001/x"):
        assert location(other, url=url) == other


def test_a_redirect_leads_to_the_custom_domain_or_the_local_port() -> None:
    assert location("/base/x", given=settings(public_host="api.example.com")) == (
        "https://api.example.com/x"
    )
    plain = settings(session=SessionSettings(cookie_name="session"))
    assert location("/base/x", given=plain, host="127.0.0.1:8080") == "http://127.0.0.1:8080/x"
    assert location("/base/x", host="") == "/x"


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("/base//evil.example", BASE),
        ("/base/\\evil.example", BASE),
        ("/base/\t/evil.example", BASE),
        ("https://users.internal.example/base//evil.example", BASE),
        ("https://users.internal.example//evil.example", BASE),
        ("/\\evil.example", NO_BASE),
        ("https://users.internal.example//evil.example", NO_BASE),
        ("https://[users/base", BASE),
        ("https://users.internal.example:port/base", BASE),
    ],
)
def test_redirects_that_would_leave_the_public_host_are_no_answer(value: str, url: str) -> None:
    with pytest.raises(Problem) as raised:
        location(value, url=url)
    assert raised.value.code == "upstream_invalid_response"


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])).map("/base/{}".format))
def test_a_path_under_the_base_never_leads_elsewhere(value: str) -> None:
    try:
        relocated = location(value)
    except Problem:
        return
    assert relocated.startswith("https://gw.example/")
