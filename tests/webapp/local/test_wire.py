import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.local import wire
from webapp.local.wire import Answer, Refused, Request


def head(raw: bytes, limit: int = 10_240) -> Request | None:
    return wire.read_head(io.BytesIO(raw), limit, "127.0.0.1")


def body(raw: bytes, length: int | None, limit: int = 100) -> bytes:
    return wire.read_body(io.BytesIO(raw), length, limit)


def status_of_refusal(call: object, *arguments: object) -> int:
    with pytest.raises(Refused) as refused:
        call(*arguments)  # type: ignore[operator]
    return refused.value.answer.status


def test_reads_target_and_repeated_fields_as_they_came() -> None:
    request = head(b"GET /a%2fb//c?x=%31 HTTP/1.1\r\nX-A: 1\r\nx-a:\t2 \r\nEmpty:\r\n\r\n")
    assert request is not None
    assert (request.method, request.target) == ("GET", "/a%2fb//c?x=%31")
    assert request.fields == (("X-A", "1"), ("x-a", "2"), ("Empty", ""))
    assert request.values("x-a") == ["1", "2"]


def test_bytes_that_are_not_ascii_stay_one_character_each() -> None:
    request = head("GET /é HTTP/1.1\r\nX-A: é\r\n\r\n".encode())
    assert request is not None
    assert request.target.encode("latin-1") == "/é".encode()
    assert request.fields[0][1].encode("latin-1") == "é".encode()


def test_empty_lines_before_a_request_are_skipped() -> None:
    request = head(b"\r\n\nGET / HTTP/1.0\nHost: a\n\n")
    assert request is not None
    assert (request.version, request.keeps_alive) == ("HTTP/1.0", False)


@pytest.mark.parametrize("raw", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_client_that_left_sent_no_request(raw: bytes) -> None:
    assert head(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET /a\tb HTTP/1.1\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\rY: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_bad_request(raw: bytes) -> None:
    assert status_of_refusal(head, raw) == 400


def test_the_head_may_fill_its_limit_and_not_a_byte_more() -> None:
    raw = b"GET / HTTP/1.1\r\nX: aaaa\r\n\r\n"
    assert head(raw, len(raw)) is not None
    assert status_of_refusal(head, raw, len(raw) - 1) == 431
    assert status_of_refusal(head, b"GET /" + b"a" * 50, 20) == 431


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ((), 0),
        ((("Content-Length", "7"),), 7),
        ((("Content-Length", "7"), ("content-length", "7")), 7),
        ((("Transfer-Encoding", "Chunked"),), None),
    ],
)
def test_length_of_the_body(fields: wire.Fields, length: int | None) -> None:
    assert wire.body_length(Request("POST", "/", fields), 100) == length


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((("Content-Length", "101"),), 413),
        ((("Content-Length", "-1"),), 400),
        ((("Content-Length", "1_0"),), 400),
        ((("Content-Length", "9" * 5000),), 400),
        ((("Content-Length", "1"), ("Content-Length", "2")), 400),
        ((("Transfer-Encoding", "gzip, chunked"),), 400),
        ((("Transfer-Encoding", "chunked"), ("Content-Length", "3")), 400),
    ],
)
def test_lengths_that_are_refused(fields: wire.Fields, status: int) -> None:
    assert status_of_refusal(wire.body_length, Request("POST", "/", fields), 100) == status


def test_chunks_before_http_1_1_are_refused() -> None:
    request = Request("POST", "/", (("Transfer-Encoding", "chunked"),), version="HTTP/1.0")
    assert status_of_refusal(wire.body_length, request, 100) == 400


def test_reads_chunks_with_extensions_and_trailers() -> None:
    raw = b"3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    assert body(raw, None) == b"abc0123456789"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"x\r\n", 400),
        (b"-1\r\n", 400),
        (b"3\r\nabcd\r\n0\r\n\r\n", 400),
        (b"0\r\nTrailer: x\r\n", 400),
        (b"0\r\n" + b"Trailer: x\r\n" * 2000 + b"\r\n", 400),
        (b"ffffffff\r\nabc\r\n", 413),
        (b"64\r\n" + b"a" * 100 + b"\r\n1\r\na\r\n0\r\n\r\n", 413),
    ],
)
def test_chunks_that_are_refused(raw: bytes, status: int) -> None:
    assert status_of_refusal(body, raw, None) == status


@pytest.mark.parametrize(("raw", "length"), [(b"abc", 4), (b"4\r\nabc", None)])
def test_a_body_that_breaks_off_is_a_lost_client(raw: bytes, length: int | None) -> None:
    with pytest.raises(ConnectionError):
        body(raw, length)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
def test_chunks_carry_any_bytes(chunks: list[bytes]) -> None:
    raw = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert body(raw, None) == b"".join(chunks)


def test_renders_an_answer() -> None:
    answer = Answer(200, (("X-A", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b")), b"\x00\xff")
    top, _, sent = wire.render(answer, to="GET", close=True).partition(b"\r\n\r\n")
    lines = top.split(b"\r\n")
    assert lines[:4] == [b"HTTP/1.1 200 OK", b"X-A: 1", b"Set-Cookie: a", b"Set-Cookie: b"]
    assert lines[4].startswith(b"Date: ")
    assert lines[5:] == [b"Content-Length: 2", b"Connection: close"]
    assert sent == b"\x00\xff"


def test_framing_is_the_servers_own() -> None:
    answer = Answer(200, (("content-length", "99"), ("Transfer-Encoding", "chunked")), b"abc")
    raw = wire.render(answer, to="GET", close=False)
    assert b"Content-Length: 3\r\n" in raw
    assert b"99" not in raw
    assert b"chunked" not in raw


def test_a_head_request_gets_the_length_without_the_body() -> None:
    told = wire.render(Answer(200, (("Content-Length", "7"),)), to="HEAD", close=False)
    counted = wire.render(Answer(200, (), b"abc"), to="HEAD", close=False)
    assert told.endswith(b"Content-Length: 7\r\n\r\n")
    assert counted.endswith(b"Content-Length: 3\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body(status: int) -> None:
    assert wire.render(Answer(status, (), b"abc"), to="GET", close=False).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, (("X-A", "a\r\nX-B: b"),)),
        Answer(200, (("X A", "a"),)),
        Answer(200, (("X-A", "\u20ac"),)),
        Answer(101),
        Answer(999),
    ],
)
def test_answers_that_cannot_be_sent(answer: Answer) -> None:
    with pytest.raises(ValueError, match=r"cannot be sent|codec|status"):
        wire.render(answer, to="GET", close=False)


def test_a_status_without_a_name_is_sent_all_the_same() -> None:
    assert wire.render(Answer(599), to="GET", close=False).startswith(b"HTTP/1.1 599 \r\n")
