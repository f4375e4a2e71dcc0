"""Answers of upstreams as bytes: `http.client`, made strict about where each part ends."""

import http.client
import io
import re
import socket
from contextlib import suppress
from typing import Any, Protocol

MAX_HEAD_BYTES = 64 * 1024

_MAX_FIELDS = 100
_STATUS_LINE = re.compile(r"HTTP/1\.(\d) ([1-5]\d\d)(?: (.*))?", re.ASCII)
_FIELD_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_BLANK = (b"\r\n", b"\n")

_MAX_CHUNK_LINE = 4096
_MAX_TRAILERS = 100
_BODILESS = (204, 304)


class Exchange(Protocol):
    """What reading an answer is bound by, and what is noted about it."""

    answered: bool
    surplus: bool

    def seconds_left(self) -> float: ...


class AnswerReader(http.client.HTTPResponse):
    """An answer whose end is certain, or else an HTTPException; interim ones are passed over.

    `http.client` alone takes an end in the middle of a head for the end of the head, lengths such
    as `-1` for none, and whatever stands between two chunks for their separator.
    """

    # urllib3 sets the first two, and writes the third into a log that nobody reads.
    _pool: Any
    _connection: Any
    version_string = ""

    def __init__(self, sock: socket.socket, *args: Any, order: Exchange, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._is_head = kwargs.get("method") == "HEAD"
        self._lines = _Lines(_Reader(self.fp.detach(), sock, order))
        self.fp: Any = self._lines

    @property
    def length_remaining(self) -> int | None:
        return self.length

    def release(self) -> None:
        """Hand the connection back, or end it when there is still something to be read."""
        pool, connection = self._pool, self._connection
        # Each would keep the other alive, and what they have open, until there is a collection.
        self._pool = self._connection = None
        if not self.isclosed():
            connection.close()
            self.close()
        pool._put_conn(connection)

    def begin(self) -> None:
        if self.headers is None:
            status, fields = self._head()
            while int(status[2]) in range(100, 200) and status[2] != "101":
                status, fields = self._head()
            self.version, self.reason = 10 + min(int(status[1]), 1), status[3] or ""
            self.code = self.status = int(status[2])
            self.headers = self.msg = http.client.HTTPMessage()
            for name, value in fields:
                self.msg[name] = value
            self._frame()

    def _head(self) -> tuple[re.Match[str], list[tuple[str, str]]]:
        """Interim answers have one, too, and it is of no use here."""
        first, *lines = self._head_lines() or [""]
        status = _STATUS_LINE.fullmatch(first)
        if status is None or len(lines) > _MAX_FIELDS:
            raise http.client.HTTPException
        fields: list[tuple[str, str]] = []
        for line in lines:
            if line[:1] in (" ", "\t") and fields:
                name, value = fields.pop()
                fields.append((name, f"{value} {line.strip()}"))
            elif field := _FIELD_LINE.fullmatch(line):
                fields.append((field[1], field[2].rstrip(" \t")))
            else:
                raise http.client.HTTPException
        return status, fields

    def _head_lines(self) -> list[str]:
        lines, left = [], MAX_HEAD_BYTES
        while (line := self._lines.readline(left)) not in _BLANK:
            left -= len(line)
            if not line.endswith(b"\n") or not left:
                raise http.client.HTTPException
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        return lines

    def _frame(self) -> None:
        codings = self.msg.get_all("transfer-encoding", [])
        lengths = self.msg.get_all("content-length", [])
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise http.client.HTTPException
        del self.msg["transfer-encoding"]
        self.chunked = False
        self.length = int(lengths[0]) if lengths else None
        options = {
            o.strip().lower() for o in ",".join(self.msg.get_all("connection", [])).split(",")
        }
        self.will_close = "close" in options or (self.version == 10 and "keep-alive" not in options)
        if self._is_head or self.status in _BODILESS:
            # Should the bytes that it announces come all the same, nobody may take them for more.
            self.will_close = self.will_close or bool(codings or self.length)
            self.length = 0
        elif codings:
            if lengths or [coding.lower() for coding in codings] != ["chunked"]:
                raise http.client.HTTPException
            self.fp = _Chunks(self._lines)
        elif not lengths:
            self.will_close = True


class _Reader(io.RawIOBase):
    """Reads a socket until the deadline of the whole exchange, however slowly bytes drip."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, order: Exchange) -> None:
        self._raw = raw
        self._sock = sock
        self._order = order
        self._waits = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._order.seconds_left() if self._waits else 0)
        count = self._raw.readinto(buffer)
        self._order.answered = self._order.answered or bool(count)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()

    def finish(self, lines: io.BufferedReader) -> None:
        """Bytes behind an answer belong to no request: what they are of may not be used again."""
        self._waits = False
        with suppress(OSError):
            if lines.peek(1):
                self._order.surplus = True
                self._sock.shutdown(socket.SHUT_RDWR)


class _Lines(io.BufferedReader):
    """Lines of a head or between chunks; a bare CR in one would be a line's end to some."""

    raw: _Reader

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if b"\r" in line.removesuffix(b"\r\n") or b"\0" in line:
            raise http.client.HTTPException
        return line

    def close(self) -> None:
        if not self.closed:
            self.raw.finish(self)
        super().close()


class _Chunks(io.RawIOBase):
    """A chunked body less its framing (RFC 9112, section 7.1)."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._left = 0
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left and not self._over:
            self._next()
        if self._over:
            return 0
        count = self._lines.readinto1(memoryview(buffer)[: self._left])
        if not count:
            raise http.client.IncompleteRead(b"")
        self._left -= count
        if not self._left and self._lines.readline(3) not in _BLANK:
            raise http.client.HTTPException
        return count

    def _next(self) -> None:
        size = _CHUNK.fullmatch(self._lines.readline(_MAX_CHUNK_LINE))
        if size is None:
            raise http.client.HTTPException
        self._left = int(size[1], 16)
        if not self._left:
            self._skip_trailers()
            self._over = True

    def _skip_trailers(self) -> None:
        for _ in range(_MAX_TRAILERS):
            line = self._lines.readline(_MAX_CHUNK_LINE)
            if line in _BLANK:
                return
            if not line.endswith(b"\n"):
                break
        raise http.client.HTTPException

    def close(self) -> None:
        self._lines.close()
        super().close()
