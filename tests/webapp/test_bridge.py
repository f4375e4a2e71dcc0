import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.webapp.builders import event
from tests.webapp.containers import Answer, Clock, Container, container
from tests.webapp.upstreams import answering, raw_answer
from webapp.bridge import make_handler
from webapp.settings import Runtime

ROOT = Path(__file__).parents[2]

BY_HAND = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/health",
    "rawQueryString": "",
    "headers": {"accept": "application/json"},
    "requestContext": {"http": {"method": "GET", "path": "/health"}, "requestId": "test-123"},
}


@pytest.fixture
def gate(runtime: Runtime) -> Iterator[Container]:
    with container(runtime) as made:
        yield made


def test_the_shipped_handler_answers_an_event_written_by_hand_without_network() -> None:
    code = (
        f"import webapp.handler, json; print(json.dumps(webapp.handler.handler({BY_HAND!r}, None)))"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    log_line, answer = (json.loads(line) for line in ran.stdout.splitlines())
    assert answer["statusCode"] == 200
    assert answer["body"] == '{"status":"healthy","environment":"dev","version":"0.1.0"}'
    assert answer["isBase64Encoded"] is False
    assert log_line["request_id"] == answer["headers"]["x-request-id"] == "test-123"


@pytest.mark.parametrize(
    "junk",
    [
        None,
        [],
        "text",
        {},
        {"version": "1.0", "httpMethod": "GET", "path": "/health"},
        {"version": "2.0"},
        {"Records": [{"eventSource": "aws:sqs"}]},
        event(rawPath=None),
        event(cookies=None, headers=None),
        event() | {"body": "***", "isBase64Encoded": True},
        event(path="/a\ud800b"),
        event(path="/\u65e5\u672c"),
        event(requestContext=None),
        event(requestContext={"elb": {}, "http": {"method": "GET"}}),
    ],
)
def test_whatever_comes_in_a_valid_answer_goes_out(gate: Container, junk: Any) -> None:
    answer = Answer(gate.handler(junk, None))  # type: ignore[arg-type]
    assert 400 <= answer.status < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert gate.upstream.received == []


@pytest.mark.parametrize(
    ("content_type", "body", "plain"),
    [
        ("application/json", b'{"a":1}', True),
        ("application/json", b'{"a":"\xc3\xa9"}', False),
        ("application/json", b'{"broken":"\xff"}', False),
        ("text/html; charset=latin-1", b"caf\xe9", False),
        ("image/png", b"\x89PNG\x00", False),
    ],
)
def test_bodies_survive_whatever_their_type_claims(
    gate: Container, content_type: str, body: bytes, plain: bool
) -> None:
    gate.upstream.script = answering(raw_answer("200 OK", body, f"Content-Type: {content_type}"))
    answer = gate(path="/open")
    assert answer.body == body
    assert answer.headers["content-type"] == content_type
    assert answer.payload["isBase64Encoded"] is not plain


def test_repeated_headers_are_joined_and_cookies_kept_apart(gate: Container) -> None:
    lines = ("Vary: A", "Vary: B", "Set-Cookie: a=1", "Set-Cookie: b=2; Path=/")
    gate.upstream.script = answering(raw_answer("200 OK", b"", *lines))
    answer = gate(path="/open")
    assert answer.headers["vary"] == "A, B"
    assert answer.cookies == ["a=1", "b=2; Path=/"]


def test_an_app_that_breaks_outside_its_own_error_handling_still_answers() -> None:
    class Broken(Flask):
        def wsgi_app(self, *_: Any) -> Any:
            raise RuntimeError("canary-secret")

    answer = Answer(make_handler(Broken("broken"))(event(request_id="req-5"), None))  # type: ignore[arg-type]
    assert (answer.status, answer.code) == (500, "internal_error")
    assert answer.json["request_id"] == answer.headers["x-request-id"] == "req-5"
    assert "canary" not in json.dumps(answer.payload)


def test_the_platforms_time_bounds_the_exchange(gate: Container) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 1_100

    gate.upstream.script = lambda _connection, _received: None
    answer = Answer(gate.handler(event(path="/open"), Context()))  # type: ignore[arg-type]
    assert (answer.status, answer.code) == (504, "upstream_timeout")


def test_the_time_that_earlier_steps_took_is_not_there_for_the_exchange(runtime: Runtime) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 3_000

    class Slow(Clock):
        def __call__(self) -> int:
            self.advance(2)
            return self.now

    with container(runtime, clock=Slow()) as gate:
        answer = Answer(gate.handler(event(path="/open"), Context()))  # type: ignore[arg-type]
        assert (answer.status, answer.code) == (504, "upstream_timeout")
        assert gate.upstream.received == []
