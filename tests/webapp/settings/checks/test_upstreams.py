from typing import Any

import pytest

from tests.webapp.settings.builders import configuration, mistakes, upstream
from webapp.forwarding import HOP_BY_HOP, OWNED

NO_ADDRESS = "is not an address such as https://users.example.com"
BASE_PATH = "the base path must be plain segments: no dots, doubled slashes, %, ;, \\ or braces"
NO_SERVICE = "is no address of a service (link-local, unspecified or multicast)"
OTHER_MEANING = "has another meaning; choose a name such as X-Gateway-Secret"

URLS = [
    ("users.example.com", NO_ADDRESS),
    ("ftp://users.example.com", NO_ADDRESS),
    ("https://", NO_ADDRESS),
    ("https://[::1", NO_ADDRESS),
    *(
        (f"https://users.example.com:{port}", "must name a port from 1 to 65535, or none")
        for port in ("", "0", "65536", "99999", "0x50")
    ),
    (
        "http://users.example.com",
        "must be https (allowInsecure: true accepts http inside a network that you trust)",
    ),
    (
        "https://me:hunter2@users.example.com",
        "must not carry a user name or password; use secretHeader with upstreamSecrets",
    ),
    ("https://users.example.com/?a=b", "must not carry a query or a fragment"),
    ("https://users.example.com/?", "must not carry a query or a fragment"),
    ("https://users.example.com#a", "must not carry a query or a fragment"),
    (
        "https://users.example.com/a b",
        "must be plain ASCII without spaces (write an international name as xn--...)",
    ),
    (
        "https://\u00fcsers.example.com",
        "must be plain ASCII without spaces (write an international name as xn--...)",
    ),
    ("https://users..example.com", '"users..example.com" is no host name'),
    ("https://-users.example.com", '"-users.example.com" is no host name'),
    ("https://127.1", '"127.1" is no host name'),
    ("https://0x7f.0x1", '"0x7f.0x1" is no host name'),
    *(
        (f"https://{host}", f'"{host.strip("[]")}" {NO_SERVICE}')
        for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:0.0.0.0]", "[ff02::1]")
    ),
    ("https://users.example.com/a/../b", BASE_PATH),
    ("https://users.example.com/a//b", BASE_PATH),
    ("https://users.example.com/a%2fb", BASE_PATH),
    ("https://users.example.com/{id}", BASE_PATH),
]

HEADERS = [
    ("X_Secret", '"X_Secret" has an underscore, which servers drop or read as a dash; use a dash'),
    ("X Secret", '"X Secret" is no header name'),
    *(
        (name, f'"{name}" {OTHER_MEANING}')
        for name in (
            "Host", "Connection", "Transfer-Encoding", "Content-Type", "Authorization", "Cookie",
            "Proxy", "Proxy-Authorization", "X-User-Id", "X-Auth-Request-User", "Remote-User",
            "X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP",
            "CF-Connecting-IP", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
            "X-Request-Id", "X-Session-Id", "traceparent", "Tollgate-Session-User",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("url", "message"), URLS)
def test_an_address_with_two_meanings_is_refused(url: str, message: str) -> None:
    found = mistakes(upstreams={"users": upstream(url=url)})
    assert found == [f"tollgate:upstreams.users.url: {message}"]


@pytest.mark.parametrize(
    "url",
    [
        "https://users.example.com",
        "https://users.example.com:8443/api/v2",
        "https://10.0.0.7",
        "https://[2001:db8::7]:8443",
        "https://[::ffff:10.0.0.7]",
        "https://abc123.execute-api.eu-west-1.amazonaws.com/prod",
        "HTTPS://Users.example.com",
    ],
)
def test_an_address_may_carry_a_port_and_a_base_path(url: str) -> None:
    assert (
        configuration(upstreams={"users": upstream(url=url)}).settings.upstreams["users"].url == url
    )


def test_a_trailing_slash_of_the_address_is_cut() -> None:
    settings = configuration(upstreams={"users": upstream(url="https://users.example.com/v1/")})
    assert settings.settings.upstreams["users"].url == "https://users.example.com/v1"


def test_http_has_to_be_allowed() -> None:
    internal = upstream(url="http://users.internal:8080", allowInsecure=True)
    assert mistakes(upstreams={"users": internal}) == []


@pytest.mark.parametrize(("name", "message"), HEADERS)
def test_a_header_with_another_meaning_proves_nothing(name: str, message: str) -> None:
    found = mistakes(
        upstreams={"users": upstream(secretHeader=name)}, upstreamSecrets={"users": "s" * 32}
    )
    assert found == [f"tollgate:upstreams.users.secretHeader: {message}"]


def test_the_secret_header_needs_https() -> None:
    internal = upstream(url="http://users", allowInsecure=True, secretHeader="X-Gateway-Secret")
    assert mistakes(upstreams={"users": internal}, upstreamSecrets={"users": "s" * 32}) == [
        "tollgate:upstreams.users.secretHeader: needs an https url: over http anyone on the way can"
        " read the secret"
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"timeout": 0}, "timeout: expected a number above 0 and at most 29, got 0"),
        (
            {"connectTimeout": "2"},
            'connectTimeout: expected a number above 0 and at most 29, got "2"',
        ),
        ({"retries": 4}, "retries: expected a whole number of at least 0 and at most 3, got 4"),
        ({"retries": 1.5}, "retries: expected a whole number of at least 0 and at most 3, got 1.5"),
        ({"allowInsecure": "true"}, 'allowInsecure: expected true or false, got "true"'),
        ({"ulr": "x"}, 'ulr: unknown key (did you mean "url"?)'),
        (
            {"weight": 1},
            "weight: unknown key; the keys are url, connectTimeout, timeout, retries,"
            " allowInsecure, secretHeader",
        ),
    ],
)
def test_a_field_is_named_by_the_key_of_its_upstream(changes: dict[str, Any], line: str) -> None:
    assert mistakes(upstreams={"users": upstream(**changes)}) == [
        f"tollgate:upstreams.users.{line}"
    ]


def test_the_address_is_required() -> None:
    assert mistakes(upstreams={"users": {}}) == ["tollgate:upstreams.users.url: is missing"]


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP | OWNED | {"Strict-Transport-Security"}))
def test_a_secret_header_has_no_other_meaning(name: str) -> None:
    [found] = mistakes(
        upstreams={"users": upstream(secretHeader=name)}, upstreamSecrets={"users": "s" * 32}
    )
    assert found.startswith("tollgate:upstreams.users.secretHeader: ")
