import gc
import gzip
import socket
import threading
import time
import weakref
from collections.abc import Iterator

import pytest

from tests.webapp.upstreams import Received, Script, Upstream, answering, raw_answer, upstream
from webapp.errors import Problem
from webapp.forwarding import Outgoing
from webapp.proxy import MAX_ANSWER_BYTES, Answer, Proxy
from webapp.settings import Upstream as Settings

SECOND = 1_000_000_000


@pytest.fixture
def server() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


def proxy(server: Upstream, **fields: object) -> Proxy:
    return Proxy(Settings(url=server.url, allow_insecure=True, connect_timeout=1, **fields))  # type: ignore[arg-type]


def outgoing(
    server: Upstream, method: str = "GET", target: str = "/", **fields: object
) -> Outgoing:
    headers = fields.get("headers", {})
    assert isinstance(headers, dict)
    body = fields.get("body", b"")
    assert isinstance(body, bytes)
    if body:
        headers = headers | {"content-length": str(len(body))}
    return Outgoing(method, server.url + target, headers, body)


def exchange(server: Upstream, method: str = "GET", timeout: float = 2, **fields: object) -> Answer:
    return proxy(server).exchange(outgoing(server, method, **fields), timeout)  # type: ignore[arg-type]


def refusal(server: Upstream, method: str = "GET", timeout: float = 2) -> str:
    with pytest.raises(Problem) as raised:
        exchange(server, method, timeout)
    return raised.value.code


def reset(connection: socket.socket, _received: Received) -> None:
    """Closes with RST, as a crashed process or a firewall does."""
    linger_zero = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
    socket.close(connection.detach())


def closing(data: bytes) -> Script:
    def script(connection: socket.socket, _received: Received) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return script


@pytest.mark.parametrize(
    "target",
    ["/a%2fb?x=%c3%a9&y=a+b", "/plain?q=//&r=/../", "/~a'(b)*!$&=:@,", "/?", "/a?b?c=%25"],
)
def test_the_target_is_on_the_wire_byte_for_byte(server: Upstream, target: str) -> None:
    exchange(server, target=target)
    assert server.last.line == f"GET {target} HTTP/1.1"


def test_a_scheme_in_capitals_is_no_part_of_the_target(server: Upstream) -> None:
    shouted = outgoing(server, target="/a?b://c/d")
    proxy(server).exchange(shouted._replace(url=shouted.url.replace("http:", "HTTP:")), 2)
    assert server.last.line == "GET /a?b://c/d HTTP/1.1"


def test_nothing_is_added_but_host(server: Upstream) -> None:
    exchange(server, headers={"x-mine": "1"})
    names = [name for name, _ in server.last.headers]
    assert sorted(names) == ["host", "x-mine"]
    assert server.last.header("host") == server.url.removeprefix("http://")


def test_a_body_has_exactly_its_length(server: Upstream) -> None:
    body = bytes(range(256)) * 40
    exchange(server, "POST", body=body)
    assert server.last.body == body
    assert server.last.header("content-length") == str(len(body))


def test_a_body_goes_out_over_a_connection_that_was_used_before(server: Upstream) -> None:
    shared = proxy(server)
    shared.exchange(outgoing(server), 2)
    body = b"x" * MAX_ANSWER_BYTES * 4
    assert shared.exchange(outgoing(server, "POST", body=body), 5).status == 200
    assert (server.last.body == body, server.connections) == (True, 1)


def test_compressed_bytes_are_relayed_as_they_came(server: Upstream) -> None:
    body = gzip.compress(b"hello")
    server.script = answering(raw_answer("200 OK", body, "Content-Encoding: gzip"))
    answer = exchange(server)
    assert answer.body == body
    assert ("Content-Encoding", "gzip") in answer.headers


def test_redirects_and_cookies_are_relayed_not_followed_or_kept(server: Upstream) -> None:
    away = raw_answer("302 Found", b"", "Location: /else", "Set-Cookie: a=1", "Set-Cookie: b=2")
    server.script = answering(away, raw_answer())
    shared = proxy(server)
    first = shared.exchange(outgoing(server), 2)
    shared.exchange(outgoing(server), 2)
    assert first.status == 302
    assert [value for name, value in first.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert len(server.received) == 2
    assert server.last.header("cookie") is None


def test_the_environment_has_no_say(server: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert exchange(server).status == 200


def test_an_upstreams_own_error_is_an_answer(server: Upstream) -> None:
    server.script = answering(raw_answer("503 Service Unavailable", b"busy"))
    answer = exchange(server)
    assert (answer.status, answer.body, len(server.received)) == (503, b"busy", 1)


def test_nobody_listening_is_unreachable() -> None:
    with upstream() as gone:
        pass
    assert refusal(gone) == "upstream_unreachable"


@pytest.mark.parametrize(("method", "tries"), [("GET", 2), ("PUT", 2), ("POST", 1), ("PATCH", 1)])
def test_only_idempotent_requests_are_tried_again(
    server: Upstream, method: str, tries: int
) -> None:
    server.script = reset
    assert refusal(server, method) == "upstream_unreachable"
    assert len(server.received) == tries


def test_a_second_try_saves_a_request_on_a_connection_that_died(server: Upstream) -> None:
    shared = proxy(server)
    server.script = closing(raw_answer())
    shared.exchange(outgoing(server), 2)
    server.script = answering(raw_answer())
    assert shared.exchange(outgoing(server), 2).status == 200


def test_connections_are_reused_unless_they_were_idle(server: Upstream) -> None:
    now = SECOND
    shared = Proxy(Settings(url=server.url, allow_insecure=True), lambda: now)
    shared.exchange(outgoing(server), 2)
    now += 5 * SECOND
    shared.exchange(outgoing(server), 2)
    assert server.connections == 1
    now += 6 * SECOND
    shared.exchange(outgoing(server), 2)
    assert server.connections == 2


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nConnection: a, Close\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_a_connection_on_which_more_may_come_is_not_used_again(
    server: Upstream, method: str, answer: bytes
) -> None:
    shared = proxy(server)
    server.script = answering(answer)
    for _ in range(2):
        shared.exchange(outgoing(server, method), 2)
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    ],
)
def test_a_connection_on_which_all_has_come_is_used_again(server: Upstream, answer: bytes) -> None:
    shared = proxy(server)
    server.script = answering(answer)
    for _ in range(2):
        shared.exchange(outgoing(server), 2)
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nX-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_a_broken_answer_is_never_a_cut_200(server: Upstream, answer: bytes) -> None:
    server.script = closing(answer)
    assert refusal(server) == "upstream_invalid_response"
    assert len(server.received) == 1


def test_a_silent_upstream_is_a_timeout(server: Upstream) -> None:
    server.script = lambda _connection, _received: None
    assert refusal(server, timeout=0.2) == "upstream_timeout"


def test_an_answer_that_stops_half_way_is_a_timeout(server: Upstream) -> None:
    server.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    assert refusal(server, timeout=0.2) == "upstream_timeout"


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"],
)
def test_a_dripping_answer_ends_at_the_deadline(server: Upstream, start: bytes) -> None:
    done = threading.Event()

    def drip(connection: socket.socket, _received: Received) -> None:
        connection.sendall(start)
        while not done.wait(0.02):
            connection.sendall(b"H")

    server.script = drip
    started = time.monotonic()
    assert refusal(server, timeout=0.3) == "upstream_timeout"
    assert time.monotonic() - started < 0.33 + 0.05
    done.set()


def test_an_upstream_that_does_not_read_the_body_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        service = Settings(url=f"http://127.0.0.1:{deaf.getsockname()[1]}", allow_insecure=True)
        body = b"x" * MAX_ANSWER_BYTES * 4
        sent = Outgoing("POST", service.url, {"content-length": str(len(body))}, body)
        with pytest.raises(Problem, match="upstream_timeout"):
            Proxy(service).exchange(sent, 0.2)


def test_an_early_answer_to_a_body_nobody_reads_is_relayed(server: Upstream) -> None:
    server.script = answering(raw_answer("413 Content Too Large", b"no"))
    assert exchange(server, "POST", body=b"x" * 1000).status == 413


def test_failures_leave_no_thread_and_no_connection_behind(server: Upstream) -> None:
    shared = proxy(server)
    threads = threading.active_count()
    server.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    with pytest.raises(Problem):
        shared.exchange(outgoing(server), 0.1)
    server.script = answering(raw_answer())
    assert shared.exchange(outgoing(server, "POST"), 2).status == 200
    assert server.connections == 2
    assert threading.active_count() <= threads + 2


def test_idle_connections_end_without_a_collection_of_garbage(server: Upstream) -> None:
    now = SECOND
    shared = Proxy(Settings(url=server.url, allow_insecure=True), lambda: now)
    gc.disable()
    try:
        shared.exchange(outgoing(server), 2)
        pool = weakref.ref(shared._adapter._pool)
        now += 6 * SECOND
        shared.exchange(outgoing(server), 2)
        assert pool() is None
    finally:
        gc.enable()


def test_a_header_of_two_lines_is_never_sent(server: Upstream) -> None:
    for value in ("1\nx-b: 2", "1\rx-b: 2"):
        with pytest.raises(ValueError, match="one line"):
            exchange(server, headers={"x-a": value})
    assert server.received == []


def test_no_time_left_asks_nobody(server: Upstream) -> None:
    shared = proxy(server)
    for _ in range(9):
        with pytest.raises(Problem, match="upstream_timeout"):
            shared.exchange(outgoing(server), 0)
    assert server.received == []


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_answers_are_bounded(server: Upstream, extra: int, fits: bool) -> None:
    server.script = answering(raw_answer("200 OK", b"x" * (MAX_ANSWER_BYTES + extra)))
    if fits:
        assert len(exchange(server).body) == MAX_ANSWER_BYTES
    else:
        assert refusal(server) == "upstream_response_too_large"


def test_an_answer_too_large_closes_the_circuit_like_any_other() -> None:
    now = 0
    with upstream(reset) as server:
        shared = Proxy(Settings(url=server.url, allow_insecure=True, retries=0), lambda: now)
        for _ in range(5):
            with pytest.raises(Problem):
                shared.exchange(outgoing(server), 2)
        now += 10 * SECOND
        server.script = answering(raw_answer("200 OK", b"x" * (MAX_ANSWER_BYTES + 1)))
        with pytest.raises(Problem):
            shared.exchange(outgoing(server), 2)
        assert shared.circuit.state == "closed"


def test_the_circuit_opens_after_failures_in_a_row_and_one_request_tries() -> None:
    now = 0
    with upstream(reset) as server:
        shared = Proxy(Settings(url=server.url, allow_insecure=True, retries=0), lambda: now)

        def code() -> str:
            with pytest.raises(Problem) as raised:
                shared.exchange(outgoing(server), 2)
            return raised.value.code

        assert [code() for _ in range(6)] == ["upstream_unreachable"] * 5 + ["upstream_unavailable"]
        assert len(server.received) == 5
        now += 10 * SECOND
        assert code() == "upstream_unreachable"
        assert code() == "upstream_unavailable"
        now += 10 * SECOND
        server.script = answering(raw_answer("500 Internal Server Error", b""))
        assert [shared.exchange(outgoing(server), 2).status for _ in range(9)] == [500] * 9
        assert shared.circuit.state == "closed"
