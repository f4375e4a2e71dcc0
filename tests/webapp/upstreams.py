"""Upstreams for tests: real sockets on loopback, answers as raw bytes, requests as they came."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Received(NamedTuple):
    """One request as it was on the wire."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode("latin-1")

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name.lower(), value) for name, _, value in (li.partition(": ") for li in lines)]

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None


Script = Callable[[socket.socket, Received], None]


def raw_answer(status: str = "200 OK", body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answering(*answers: bytes) -> Script:
    """Sends the answers in turn, the last one for good."""
    left = list(answers)

    def script(connection: socket.socket, _received: Received) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return script


class Upstream(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.script = script
        self.received: list[Received] = []
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def last(self) -> Received:
        return self.received[-1]


class _Connection(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        server: Any = self.server
        server.connections += 1
        try:
            while received := self._read():
                server.received.append(received)
                server.script(self.connection, received)
        except OSError:
            return

    def _read(self) -> Received | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return None
            head += line
        received = Received(head.removesuffix(b"\r\n\r\n"), b"")
        assert received.header("transfer-encoding") is None
        length = int(received.header("content-length") or 0)
        return received._replace(body=self.rfile.read(length))


@contextmanager
def upstream(script: Script | None = None) -> Iterator[Upstream]:
    with Upstream(script or answering(raw_answer())) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
