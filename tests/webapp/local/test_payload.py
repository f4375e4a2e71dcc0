from typing import Any

import pytest

from webapp.local import payload
from webapp.local.wire import Answer, Refused, Request

NOON = 1_750_000_000_123_456_789


def event(
    method: str = "GET", target: str = "/", *fields: tuple[str, str], body: bytes = b""
) -> dict[str, Any]:
    request = Request(method, target, (("Host", "api.localhost:8080"), *fields), body, "10.0.0.7")
    return payload.build_event(request, NOON)


def test_the_whole_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "f" * 24)
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: "abc")
    made = event(
        "POST", "/a%20b?x=%31&y", ("User-Agent", "curl"), ("Content-Length", "2"), body=b"hi"
    )
    assert made == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/a b",
        "rawQueryString": "x=%31&y",
        "headers": {
            "host": "api.localhost:8080",
            "user-agent": "curl",
            "x-forwarded-for": "10.0.0.7",
            "x-forwarded-port": "8080",
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": "Root=1-684ee180-ffffffffffffffffffffffff",
            "content-length": "2",
        },
        "requestContext": {
            "accountId": "local",
            "apiId": "local",
            "domainName": "api.localhost:8080",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "10.0.0.7",
                "userAgent": "curl",
            },
            "requestId": "abc=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "15/Jun/2025:15:06:40 +0000",
            "timeEpoch": 1_750_000_000_123,
        },
        "body": "aGk=",
        "isBase64Encoded": True,
    }


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/%252e%252e", "/%2e%2e"),
        ("/a%2Fb/../c;d", "/a/b/../c;d"),
        ("//a", "//a"),
        ("/caf%C3%A9", "/café"),
        ("/caf\xc3\xa9", "/café"),
        ("/%ff%zz", "/\ufffd%zz"),
        ("/a+b", "/a+b"),
        ("HTTP://other/a", "/a"),
    ],
)
def test_the_path_is_decoded_once_as_utf8(target: str, path: str) -> None:
    assert event("GET", target)["rawPath"] == path


def test_an_absolute_target_names_the_host() -> None:
    made = event("GET", "http://other:99/a?b")
    assert made["requestContext"]["domainName"] == "other:99"
    assert made["headers"]["x-forwarded-port"] == "99"
    assert (made["rawPath"], made["rawQueryString"]) == ("/a", "b")


@pytest.mark.parametrize("target", ["*", "api.localhost:443", "ftp://other/a", "http://other"])
def test_targets_that_lead_nowhere(target: str) -> None:
    with pytest.raises(Refused):
        event("GET", target)


@pytest.mark.parametrize("hosts", [[], ["a", "b"], ["a b"], [""], ["a:b"]])
def test_exactly_one_host_is_needed(hosts: list[str]) -> None:
    with pytest.raises(Refused):
        payload.build_event(Request("GET", "/", tuple(("Host", host) for host in hosts)), NOON)


def test_names_are_lower_case_and_repeated_fields_joined() -> None:
    headers = event("GET", "/", ("X-A", "1"), ("x-a", "2,3"), ("X-Forwarded-For", "1.1.1.1"))[
        "headers"
    ]
    assert headers["x-a"] == "1,2,3"
    assert headers["x-forwarded-for"] == "1.1.1.1,10.0.0.7"


def test_cookies_have_a_list_of_their_own() -> None:
    made = event("GET", "/", ("Cookie", "a=1; b=2;"), ("cookie", "c=3"))
    assert made["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in made["headers"]
    assert "cookies" not in event()


def test_what_speaks_of_the_connection_stays_here() -> None:
    headers = event("POST", "/", ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"))[
        "headers"
    ]
    assert not {"transfer-encoding", "expect"} & headers.keys()
    assert headers["content-length"] == "0"


@pytest.mark.parametrize(
    ("content_type", "body", "sent", "encoded"),
    [
        ("application/json; charset=utf-8", '{"é":1}'.encode(), '{"é":1}', True),
        ("application/json", b"\xff", "/w==", True),
        ("application/octet-stream", b"abc", "YWJj", True),
        ("text/plain", b"abc", "abc", False),
    ],
)
def test_bodies(content_type: str, body: bytes, sent: str, encoded: bool) -> None:
    made = event("POST", "/", ("Content-Type", content_type), body=body)
    assert made["body"] == sent
    assert made["isBase64Encoded"] is (encoded and sent[0] != "{")


def test_no_body_is_no_member() -> None:
    assert "body" not in event("POST", "/", ("Content-Type", "text/plain"))


def test_reads_an_answer() -> None:
    result = {
        "statusCode": 201,
        "headers": {"x-a": "1"},
        "cookies": ["a=1", "b=2"],
        "body": "/w==",
        "isBase64Encoded": True,
    }
    fields = (("x-a", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert payload.read_answer(result) == Answer(201, fields, b"\xff")


def test_an_answer_may_be_text_or_nothing() -> None:
    assert payload.read_answer({"statusCode": 200, "headers": {}, "body": "é"}).body == "é".encode()
    assert payload.read_answer({"statusCode": 204, "headers": {}, "cookies": None}).body == b""
