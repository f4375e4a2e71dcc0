"""Connections to upstreams: urllib3's, with the exact target, strict answers and one deadline."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from webapp.answers import AnswerReader

# Carries an `Order` past urllib3, which would rewrite the target, to the connection.
ORDER = "tollgate-order"

_TLS_RECORD_BYTES = 16 * 1024


class Order:
    """What a connection is to do: the target byte for byte, all of it before `deadline`.

    `deadline` is in seconds of the monotonic clock, `connect_timeout` in seconds. `answered` and
    `surplus` are what came of it: whether a byte came back, and whether too many did.
    """

    def __init__(self, target: str, deadline: float, connect_timeout: float) -> None:
        self.target = target
        self.deadline = deadline
        self.connect_by = min(deadline, time.monotonic() + connect_timeout)
        self.answered = False
        self.surplus = False

    def seconds_left(self) -> float:
        """Raises TimeoutError when there are none."""
        return _until(self.deadline)

    def seconds_to_connect(self) -> float:
        return _until(self.connect_by)


def _until(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class Adapter(HTTPAdapter):
    """Sends prepared requests whose headers hold an `Order` to one upstream; never retries.

    What it overrides would look the upstream up anew for each request, in the environment too.
    """

    def __init__(self, url: str) -> None:
        super().__init__(max_retries=0)
        place = urlsplit(url)
        kind = _HTTPSPool if place.scheme == "https" else _HTTPPool
        self._pool = kind(str(place.hostname), place.port)

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> Any:
        return self._pool

    def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
        """The pool verifies whatever a request says."""

    def request_url(self, *_args: Any, **_kwargs: Any) -> str:
        return "/"

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        response = requests.Response()
        response.request, response.raw = req, resp
        return response


@cache
def _trust() -> ssl.SSLContext:
    """Reading the authorities takes longer than a handshake; urllib3 would do it for each."""
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    return context


class _Ordered:
    """The part of a connection that both kinds share."""

    order: Order
    sock: socket.socket
    _output: Callable[[bytes], None]

    def _new_conn(self) -> socket.socket:
        """All addresses of the host, and TLS after them, share the time for connecting."""
        this: Any = self
        try:
            return self._connected(
                socket.getaddrinfo(this.host, this.port, type=socket.SOCK_STREAM)
            )
        except TimeoutError as error:
            raise ConnectTimeoutError(this, "no time left to connect in") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(this, "no address can be connected to") from error

    def _connected(self, addresses: list[Any]) -> socket.socket:
        failure = OSError()
        for i, (family, kind, protocol, _, address) in enumerate(addresses):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(self.order.seconds_to_connect() / (len(addresses) - i))
                sock.connect(address)
                sock.settimeout(self.order.seconds_to_connect())
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def putheader(self, name: str, value: bytes | str) -> None:
        """`http.client` would take thrice as long to make sure that this is one line."""
        line = name.encode("ascii") + b": " + (value.encode() if isinstance(value, str) else value)
        if b"\r" in line or b"\n" in line:
            raise ValueError("a header of more than one line")
        self._output(line)

    def request(self, method: str, url: str, *, body: bytes, headers: Any, **_rest: Any) -> None:
        """What stands in `headers`, and `Host`; nothing else."""
        this: Any = self
        this.putrequest(method, url, skip_accept_encoding=True)
        for name, value in headers.items():
            self.putheader(name, value)
        this.endheaders()
        if body:
            this.send(body)

    def getresponse(self) -> AnswerReader:
        """The answer itself: urllib3 would wrap it in one of its own."""
        self.response_class = partial(AnswerReader, order=self.order)
        found: AnswerReader = http.client.HTTPConnection.getresponse(self)  # type: ignore[arg-type, assignment]
        return found


class _HTTP(_Ordered, HTTPConnection):  # type: ignore[misc]
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        # The time of one sendall, however many packets it takes.
        self.sock.settimeout(self.order.seconds_left())
        self.sock.sendall(data)


class _HTTPS(_Ordered, HTTPSConnection):  # type: ignore[misc]
    def send(self, data: Any) -> None:
        """By records: over TLS a timeout is one of each record, not of one sendall."""
        view = memoryview(data)
        for start in range(0, len(view), _TLS_RECORD_BYTES):
            self.sock.settimeout(self.order.seconds_left())
            self.sock.sendall(view[start : start + _TLS_RECORD_BYTES])


class _Pool:
    def _make_request(self, conn: Any, method: str, _url: str, *args: Any, **rest: Any) -> Any:
        conn.order = rest["headers"].pop(ORDER)
        return super()._make_request(conn, method, conn.order.target, *args, **rest)  # type: ignore[misc]


class _HTTPPool(_Pool, HTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls: Any = _HTTP


class _HTTPSPool(_Pool, HTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls: Any = _HTTPS

    def __init__(self, host: str, port: int | None) -> None:
        super().__init__(host, port, cert_reqs="CERT_REQUIRED", ssl_context=_trust())
