import base64
import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webapp.builders import event
from tests.webapp.containers import Clock, container
from tests.webapp.test_events import EVENTS as JSON_VALUES
from tests.webapp.test_safety import DISGUISES, names
from tests.webapp.test_safety import VALUES as HEADER_VALUES
from tests.webapp.upstreams import answering, raw_answer
from webapp.local.embedded import EmbeddedAws
from webapp.local.httpapi import MAX_EVENT

MIB_4 = 4 * 1024 * 1024


class Watched:
    """A container whose log, at the most talkative level, and upstream are searched for secrets."""

    def __init__(self, gate: Any, secrets: dict[str, Any]) -> None:
        self.gate = gate
        self.proof: str = secrets["upstreams"]["svc"]
        self.secrets = [secrets["current"], secrets["upstreams"]["other"]]
        self.token = gate.token()

    def __call__(self, anything: object) -> dict[str, Any]:
        self.gate.clock.advance(11)
        self.gate.upstream.received.clear()
        said = io.StringIO()
        listening = logging.StreamHandler(said)
        root = logging.getLogger()
        root.addHandler(listening)
        try:
            with contextlib.redirect_stdout(said):
                answer: dict[str, Any] = self.gate.handler(anything, None)
        finally:
            root.removeHandler(listening)
        self.check_secrets(said.getvalue())
        return answer

    def check_secrets(self, said: str) -> None:
        upstream = self.gate.upstream.received
        heard = "".join(received.head.decode("latin-1") for received in upstream)
        for secret in (*self.secrets, self.token, self.token[-43:]):
            assert secret not in said
            assert secret not in heard
        assert self.proof not in said
        assert len(upstream) <= 1


@pytest.fixture(scope="module")
def watched(aws: EmbeddedAws) -> Iterator[Watched]:
    runtime = aws.runtime("dev", upstream_secrets=["svc", "other"])
    found = aws.secrets_manager.get_secret_value(SecretId=runtime.signing_secret_arn)
    svc = {"secret_header": "X-Proof"}
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    with container(runtime, svc=svc, clock=Clock()) as gate:
        yield Watched(gate, json.loads(found["SecretString"]))
    root.setLevel(level)


def check_the_answer(answer: dict[str, Any]) -> bytes:
    """Whether it is one of payload format 2.0 that Lambda and API Gateway pass on."""
    text = json.dumps(answer)
    assert len(text) < MAX_EVENT
    assert set(answer) <= {"statusCode", "headers", "cookies", "body", "isBase64Encoded"}
    assert 200 <= answer["statusCode"] <= 599
    assert all(isinstance(value, str) for value in answer["headers"].values())
    assert all(isinstance(cookie, str) for cookie in answer["cookies"])
    assert answer["headers"]["x-request-id"]
    if answer["isBase64Encoded"]:
        return base64.b64decode(answer["body"], validate=True)
    return str(answer["body"]).encode()


SEGMENTS = st.lists(
    st.builds(
        lambda disguise, name: disguise(name),
        st.sampled_from(DISGUISES),
        st.sampled_from(["open", "files", "items", "optional", "admin", "a", "7", "login"]),
    ),
    max_size=3,
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Events with a token of `TOKEN` in all the wrong and right places."""
    cookies = ["__Host-session=TOKEN", "__host-session=TOKEN", "a=1", "b=TOKEN", 'c="x,TOKEN"']
    value = HEADER_VALUES | st.sampled_from(["Bearer TOKEN", "Token token='TOKEN'", "TOKEN"])
    return event(
        draw(st.sampled_from(["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])),
        "/" + "/".join(draw(SEGMENTS)),
        query=draw(st.sampled_from(["", "a=1", "b=%2F..", "c=\n"])),
        headers=draw(st.dictionaries(names(), value, max_size=5)),
        cookies=draw(st.lists(st.sampled_from(cookies), max_size=3)),
        body=draw(st.none() | st.binary(max_size=300)),
    )


def with_token(made: dict[str, Any], token: str) -> Any:
    return json.loads(json.dumps(made).replace("TOKEN", token))


def check_a_request(watched: Watched, made: dict[str, Any]) -> None:
    check_the_answer(watched(with_token(made, watched.token)))
    for received in watched.gate.upstream.received:
        found = [name for name, _ in received.headers]
        assert len(found) == len(set(found))
        assert received.header("transfer-encoding") is None
        assert received.header("x-proof") == watched.proof
        assert received.header("host") == watched.gate.upstream.url.removeprefix("http://")
        sent = base64.b64decode(made.get("body") or "")
        assert received.body == sent
        assert received.header("content-length") in ({str(len(sent))} if sent else {None, "0"})


@given(made=requests())
def test_no_request_tricks_the_gateway(watched: Watched, made: dict[str, Any]) -> None:
    check_a_request(watched, made)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(made=requests())
def test_no_request_tricks_the_gateway_deeply(watched: Watched, made: dict[str, Any]) -> None:
    check_a_request(watched, made)


@given(anything=JSON_VALUES)
def test_any_json_value_is_answered(watched: Watched, anything: object) -> None:
    check_the_answer(watched(anything))


@pytest.mark.slow
@settings(max_examples=10_000)
@given(anything=JSON_VALUES)
def test_any_json_value_is_answered_deeply(watched: Watched, anything: object) -> None:
    check_the_answer(watched(anything))


PIECES = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 103 Early\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\n",
            b"Content-Length: 4\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Set-Cookie: __Host-session=evil\r\n",
            b"Location: //evil.example\r\n",
            b"Content-Type: application/json\r\n",
            b"X-A: \xff\xe9\r\n",
            b"\r\n",
            b"4\r\nbody\r\n",
            b"0\r\n\r\n",
            b"body",
            b"\n",
            b"\x00",
        ]
    )
    | st.binary(max_size=6),
    max_size=8,
).map(lambda pieces: b"HTTP/1.1 200 OK\r\n" + b"".join(pieces))


def check_an_upstream(watched: Watched, data: bytes) -> None:
    upstream = watched.gate.upstream
    upstream.script = closing(data)
    answer = watched(event("POST", "/open"))
    upstream.script = answering(raw_answer())
    check_the_answer(answer)
    assert not any(cookie.startswith("__Host-session") for cookie in answer["cookies"])


def closing(data: bytes) -> Any:
    def script(connection: Any, _received: object) -> None:
        connection.sendall(data)
        connection.shutdown(2)

    return script


@given(data=PIECES)
def test_no_upstream_breaks_the_answer(watched: Watched, data: bytes) -> None:
    check_an_upstream(watched, data)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(data=PIECES)
def test_no_upstream_breaks_the_answer_deeply(watched: Watched, data: bytes) -> None:
    check_an_upstream(watched, data)


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
def test_the_largest_answer_fits(watched: Watched, content_type: str) -> None:
    fields = [f"X-{i}: " + "\xe9" * 8_000 for i in range(8)]
    whole = raw_answer("200 OK", b"\x01" * MIB_4, f"Content-Type: {content_type}", *fields)
    watched.gate.upstream.script = answering(whole)
    answer = watched(event(path="/open"))
    watched.gate.upstream.script = answering(raw_answer())
    assert answer["statusCode"] == 200
    assert len(check_the_answer(answer)) == MIB_4
