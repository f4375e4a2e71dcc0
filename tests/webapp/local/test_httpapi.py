import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest

from webapp.local.httpapi import MAX_BODY, MAX_EVENT, MAX_HEAD, Handler, http_api
from webapp.local.server import serving
from webapp.settings import Cors


def echo(event: Any, _context: object) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"X-A": "1"}, "body": json.dumps(event)}


@contextmanager
def api(handler: Handler, cors: Cors = Cors()) -> Iterator[HTTPConnection]:  # noqa: B008
    respond = http_api(handler, cors, clock=lambda: 0)
    with serving(respond, max_head=MAX_HEAD, max_body=MAX_BODY) as url:
        client = HTTPConnection(str(urlsplit(url).netloc), timeout=10)
        yield client
        client.close()


def ask(client: HTTPConnection, *request: Any, **options: Any) -> tuple[HTTPResponse, bytes]:
    client.request(*request, **options)
    response = client.getresponse()
    return response, response.read()


def send_raw(client: HTTPConnection, raw: bytes) -> bytes:
    with socket.create_connection((client.host, client.port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def answered(status: int = 200, **fields: Any) -> Handler:
    return lambda _event, _context: {"statusCode": status, "headers": {}} | fields


def test_the_handler_gets_the_request_as_an_event() -> None:
    raw = (
        b"POST /a%2520b//%c3%a9?x=%2f&x HTTP/1.1\r\nHost: localhost:1\r\nX-A: 1\r\nx-a: 2\r\n"
        b"Cookie: a=1; b=2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"3\r\n\x00\xff\n\r\n0\r\n\r\n"
    )
    with api(echo) as client:
        event = json.loads(send_raw(client, raw).partition(b"\r\n\r\n")[2])
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/a%20b//é"
    assert event["rawQueryString"] == "x=%2f&x"
    assert event["headers"]["x-a"] == "1,2"
    assert event["headers"]["content-length"] == "3"
    assert event["cookies"] == ["a=1", "b=2"]
    assert base64.b64decode(event["body"]) == b"\x00\xff\n"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["timeEpoch"] == 0


def test_every_request_has_an_id_of_its_own() -> None:
    with api(echo) as client:
        events = [json.loads(ask(client, "GET", "/")[1]) for _ in range(2)]
    first, second = (event["requestContext"]["requestId"] for event in events)
    assert first != second


def test_the_context_tells_the_time_that_is_left() -> None:
    def handler(event: Any, context: Any) -> dict[str, Any]:
        assert context.aws_request_id == event["requestContext"]["requestId"]
        left = context.get_remaining_time_in_millis()
        return {"statusCode": 200, "headers": {}, "body": str(left)}

    with api(handler) as client:
        left = int(ask(client, "GET", "/")[1])
    assert 28_000 < left <= 29_000


def test_relays_bytes_and_cookies() -> None:
    handler = answered(cookies=["a=1", "b=2"], body="AP8=", isBase64Encoded=True)
    with api(handler) as client:
        response, body = ask(client, "GET", "/")
    assert body == b"\x00\xff"
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_head_has_the_length_and_no_body() -> None:
    with api(answered(body="four")) as client:
        response, body = ask(client, "HEAD", "/")
        assert (response.headers["Content-Length"], body) == ("4", b"")
        assert ask(client, "GET", "/")[1] == b"four"


def test_preflights_do_not_reach_the_handler() -> None:
    fields = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    with api(answered(500), Cors(allow_origins=("https://a.example",))) as client:
        response, _ = ask(client, "OPTIONS", "/", headers=fields)
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert ask(client, "OPTIONS", "/")[0].status == 500


def test_answers_to_pages_carry_the_configured_origin() -> None:
    handler = answered(headers={"access-control-allow-origin": "*"})
    with api(handler, Cors(allow_origins=("https://a.example",))) as client:
        response, _ = ask(client, "GET", "/", headers={"Origin": "https://a.example"})
    assert response.headers.get_all("Access-Control-Allow-Origin") == ["https://a.example"]


def test_a_head_over_the_limit_is_431() -> None:
    start = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: "
    fitting = start + b"a" * (MAX_HEAD - len(start) - 4) + b"\r\n\r\n"
    with api(answered()) as client:
        assert send_raw(client, fitting).startswith(b"HTTP/1.1 200 ")
        refused = send_raw(client, fitting.replace(b"X: ", b"X: a"))
    assert refused.startswith(b"HTTP/1.1 431 ")
    assert refused.endswith(b'{"message":"Request Header Fields Too Large"}')


def test_a_payload_over_the_limit_is_413() -> None:
    with api(answered()) as client:
        response, body = ask(client, "POST", "/", body=b"a" * (MAX_BODY + 1))
    assert (response.status, body) == (413, b'{"message":"Request Entity Too Large"}')


def test_an_event_that_lambda_would_not_take_is_413() -> None:
    with api(answered()) as client:
        body = b"a" * (MAX_EVENT // 4 * 3)
        assert ask(client, "POST", "/", body=body)[0].status == 413
        assert ask(client, "POST", "/", body=body[:-3000])[0].status == 200


@pytest.mark.parametrize(
    "handler",
    [
        lambda _event, _context: 1 / 0,
        lambda _event, _context: None,
        lambda _event, _context: {"headers": {}},
        answered(body=b"bytes"),
        answered(body="x" * MAX_EVENT),
        answered(body="?", isBase64Encoded=True),
        answered(headers={"x": "a\nb"}),
    ],
)
def test_whatever_goes_wrong_is_a_500(handler: Handler, capfd: pytest.CaptureFixture[str]) -> None:
    with api(handler) as client:
        response, body = ask(client, "GET", "/")
    assert (response.status, body) == (500, b'{"message":"Internal Server Error"}')
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize("raw", [b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_request_to_an_api_is_400(raw: bytes) -> None:
    with api(answered()) as client:
        assert send_raw(client, raw).startswith(b"HTTP/1.1 400 ")
