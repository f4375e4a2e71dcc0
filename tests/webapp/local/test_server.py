import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from webapp.local.server import Respond, _Server, serving
from webapp.local.wire import Answer, Refused, Request


def echo(request: Request) -> Answer:
    return Answer(200, (("X-Target", request.target),), request.body)


def crash(request: Request) -> Answer:
    raise RuntimeError(request.target)


@contextmanager
def connected(respond: Respond, **limits: int) -> Iterator[socket.socket]:
    with serving(respond, **limits) as url:
        parts = urlsplit(url)
        address = (str(parts.hostname), int(parts.port or 0))
        with socket.create_connection(address, timeout=10) as client:
            yield client


def receive_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))


def test_one_connection_carries_many_requests() -> None:
    with connected(echo) as client:
        client.sendall(b"POST /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        client.sendall(b"GET /2 HTTP/1.1\r\nConnection: close\r\n\r\n")
        raw = receive_all(client)
    assert raw.count(b"HTTP/1.1 200 OK") == 2
    assert raw.index(b"X-Target: /1") < raw.index(b"X-Target: /2")


def test_http_1_0_gets_one_answer() -> None:
    with connected(echo) as client:
        client.sendall(b"GET /1 HTTP/1.0\r\n\r\n")
        assert b"Connection: close" in receive_all(client)


def test_a_client_may_wait_for_leave_to_send_its_body() -> None:
    with connected(echo) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ab")
        assert receive_all(client).endswith(b"\r\n\r\nab")


def test_a_body_that_is_too_large_is_refused_before_it_is_sent() -> None:
    with connected(echo, max_body=1) as client:
        client.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        raw = receive_all(client)
    assert raw.startswith(b"HTTP/1.1 413 ")
    assert raw.endswith(b'{"message":"Request Entity Too Large"}')


def test_a_client_that_sends_it_anyway_still_sees_the_answer() -> None:
    with connected(echo, max_body=1) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n" + b"a" * 5_000_000)
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client).startswith(b"HTTP/1.1 413 ")


def test_what_is_not_http_ends_the_connection() -> None:
    with connected(echo) as client:
        client.sendall(b"hello\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        raw = receive_all(client)
    assert raw.startswith(b"HTTP/1.1 400 Bad Request")
    assert raw.count(b"HTTP/1.1") == 1


def test_a_function_may_refuse() -> None:
    def refuse(_request: Request) -> Answer:
        raise Refused(400, "Bad Request")

    with connected(refuse) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_crash_is_a_500_and_shows_where(capfd: pytest.CaptureFixture[str]) -> None:
    with connected(crash) as client:
        client.sendall(b"GET /secret HTTP/1.1\r\nConnection: close\r\n\r\n")
        raw = receive_all(client)
    assert raw.startswith(b"HTTP/1.1 500 ")
    assert raw.endswith(b'{"message":"Internal Server Error"}')
    assert "RuntimeError: /secret" in capfd.readouterr().err


def test_an_answer_that_is_no_http_is_a_500(capfd: pytest.CaptureFixture[str]) -> None:
    with connected(lambda _: Answer(200, (("X", "a\nb"),))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert receive_all(client).startswith(b"HTTP/1.1 500 ")


def test_clients_are_answered_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(_request: Request) -> Answer:
        both.wait()
        return Answer(204)

    with serving(meet) as url:
        clients = [HTTPConnection(str(urlsplit(url).netloc), timeout=10) for _ in range(2)]
        for client in clients:
            client.request("GET", "/")
        assert [client.getresponse().status for client in clients] == [204, 204]
        for client in clients:
            client.close()


def test_the_end_waits_for_an_answer_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    started, ending, answered = threading.Event(), threading.Event(), threading.Event()
    hang_up = _Server.hang_up

    def end(server: _Server) -> None:
        ending.set()
        hang_up(server)

    def slow(_request: Request) -> Answer:
        started.set()
        assert ending.wait(10)
        answered.set()
        return Answer(200, (), b"done")

    monkeypatch.setattr(_Server, "hang_up", end)
    with connected(slow) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert started.wait(10)
    assert answered.is_set()


def test_nothing_is_left_running() -> None:
    before = threading.active_count()
    with connected(echo) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert idle.recv(100)
    assert threading.active_count() == before


def test_a_port_is_served_once() -> None:
    with serving(echo) as url, pytest.raises(OSError, match="in use"):
        serving(echo, port=int(urlsplit(url).port or 0)).__enter__()
