"""A threaded HTTP/1.1 server on 127.0.0.1 for one function from request to answer."""

import socket
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, cast

from webapp.local import wire

Respond = Callable[[wire.Request], wire.Answer]

Refusal = Callable[[wire.Answer], None]

HOST = "127.0.0.1"
PATIENCE = 2.0  # seconds that a client gets to finish when this end wants to close


@contextmanager
def serving(
    respond: Respond,
    *,
    port: int = 0,
    max_head: int = 65_536,
    max_body: int = 10_000_000,
    refused: Refusal = lambda _: None,
) -> Iterator[str]:
    """Answers until the block ends; yields the address. OSError when the port cannot be had.

    `refused` is told of the answers to what is no request that `respond` could be asked about.
    """
    with _Server(port, respond, refused, max_head, max_body) as server:
        accepting = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        accepting.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            accepting.join()
            server.hang_up()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, port: int, respond: Respond, refused: Refusal, max_head: int, max_body: int
    ) -> None:
        self.respond = respond
        self.refused = refused
        self.max_head = max_head
        self.max_body = max_body
        self.connections: dict[socket.socket, threading.Thread] = {}
        super().__init__((HOST, port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self.connections[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self.connections[request]

    def hang_up(self) -> None:
        """Lets requests that are being answered finish, for a moment; idle connections end now."""
        open_now = self.connections.copy()
        for connection in open_now:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        deadline = time.monotonic() + PATIENCE
        for thread in open_now.values():
            thread.join(max(0, deadline - time.monotonic()))


class _Connection(socketserver.StreamRequestHandler):
    timeout = 60
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            while self._exchange():
                pass

    def _exchange(self) -> bool:
        """One request and its answer; whether another may follow on this connection."""
        try:
            request = self._read()
        except wire.Refused as refused:
            cast(_Server, self.server).refused(refused.answer)
            self.wfile.write(wire.render(refused.answer, to="", close=True))
            self._linger()
            return False
        if request is None:
            return False
        self.wfile.write(self._answer(request))
        return request.keeps_alive

    def _read(self) -> wire.Request | None:
        server = cast(_Server, self.server)
        head = wire.read_head(self.rfile, server.max_head, self.client_address[0])
        if head is None:
            return None
        length = wire.body_length(head, server.max_body)
        if [value.lower() for value in head.values("expect")] == ["100-continue"]:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return replace(head, body=wire.read_body(self.rfile, length, server.max_body))

    def _answer(self, request: wire.Request) -> bytes:
        close = not request.keeps_alive
        try:
            answer = cast(_Server, self.server).respond(request)
            return wire.render(answer, to=request.method, close=close)
        except wire.Refused as refused:
            return wire.render(refused.answer, to=request.method, close=close)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            crashed = wire.message_answer(500, "Internal Server Error")
            return wire.render(crashed, to=request.method, close=close)

    def _linger(self) -> None:
        """Closing with unread bytes resets the connection, and the client never sees the answer."""
        self.connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            self.connection.settimeout(left)
            if not self.connection.recv(65_536):
                return
