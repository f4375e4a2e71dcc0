"""Connections to upstreams: urllib3's, with the exact target, strict lines and one deadline."""

import http.client
import io
import socket
import time
from functools import partial
from typing import Any, NamedTuple

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

# Carries an `Order` past urllib3, which would rewrite the target, to the connection.
ORDER = "tollgate-order"


class Order(NamedTuple):
    """What a connection is to do: the target byte for byte, all of it before `deadline`.

    `deadline` is in seconds of the monotonic clock.
    """

    target: str
    deadline: float

    def seconds_left(self) -> float:
        """Raises TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Adapter(HTTPAdapter):
    """Sends prepared requests whose headers hold an `Order`; never retries."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class _Ordered:
    sock: socket.socket

    def request(self, method: str, _url: str, *args: Any, headers: Any, **rest: Any) -> None:
        order: Order = headers.pop(ORDER)
        if self.sock is None:
            self.connect()
        # urllib3 would send under the timeout for connecting, and read under one for each read.
        self.sock.settimeout(order.seconds_left())
        self.response_class = partial(_Response, order=order)
        super().request(method, order.target, *args, headers=headers, **rest)  # type: ignore[misc]


class _HTTP(_Ordered, HTTPConnection):  # type: ignore[misc]
    pass


class _HTTPS(_Ordered, HTTPSConnection):  # type: ignore[misc]
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTP  # type: ignore[assignment]


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPS  # type: ignore[assignment]


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = _Lines(_Reader(self.fp.detach(), sock, order))

    def begin(self) -> None:
        super().begin()
        # Lines after one that is no header would be taken for the body, or be lost.
        if self.msg.defects or self.msg.get_payload():
            raise http.client.HTTPException


class _Reader(io.RawIOBase):
    """Reads a socket until the deadline of the whole exchange, however slowly bytes drip."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, order: Order) -> None:
        self._raw = raw
        self._sock = sock
        self._order = order

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._order.seconds_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Lines(io.BufferedReader):
    """Lines of a head or between chunks; `http.client` would let a bare CR swallow what follows."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if b"\r" in line.removesuffix(b"\r\n") or b"\0" in line:
            raise http.client.HTTPException
        return line
