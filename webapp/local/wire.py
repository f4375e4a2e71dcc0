"""HTTP/1.1 requests and answers as bytes: strict in what it reads, exact in what it writes."""

import json
import re
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedIOBase

_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _NAME + rb") ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])")
_FIELD = re.compile(rb"(" + _NAME + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LENGTH = re.compile(r"[0-9]{1,15}")
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# The server writes these itself, whatever an answer says.
_FRAMING = {"connection", "content-length", "date", "keep-alive", "transfer-encoding"}

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A request as it was sent: the target undecoded, the fields in order with their repetitions.

    What is not ASCII is Latin-1, one character a byte.
    """

    method: str
    target: str
    fields: Fields = ()
    body: bytes = b""
    client: str = "127.0.0.1"
    version: str = "HTTP/1.1"

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name]

    @property
    def keeps_alive(self) -> bool:
        options = {
            option.strip().lower() for option in ",".join(self.values("connection")).split(",")
        }
        return self.version == "HTTP/1.1" and "close" not in options


@dataclass(frozen=True)
class Answer:
    status: int
    fields: Fields = ()
    body: bytes = b""


class Refused(Exception):
    """A request that never reaches the function behind the server."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = message_answer(status, message)


def message_answer(status: int, message: str) -> Answer:
    """What API Gateway itself answers when something is wrong."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return Answer(status, (("Content-Type", "application/json"),), body)


def read_head(stream: BufferedIOBase, limit: int, client: str) -> Request | None:
    """The next request without its body; None when the client has gone."""
    lines = _lines(stream, limit)
    if not lines:
        return None
    start = _REQUEST_LINE.fullmatch(lines[0])
    if start is None:
        raise Refused(400, "Bad Request")
    method, target, minor = (part.decode("latin-1") for part in start.groups())
    fields = tuple(_field(line) for line in lines[1:])
    return Request(method, target, fields, client=client, version=f"HTTP/1.{minor}")


def _lines(stream: BufferedIOBase, limit: int) -> list[bytes]:
    lines: list[bytes] = []
    while line := stream.readline(limit + 1):
        limit -= len(line)
        if limit < 0:
            raise Refused(431, "Request Header Fields Too Large")
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        if line:
            lines.append(line)
        elif lines:
            return lines
    return []


def _field(line: bytes) -> tuple[str, str]:
    field = _FIELD.fullmatch(line)
    if field is None:
        raise Refused(400, "Bad Request")
    name, value = field.groups()
    return name.decode("latin-1"), value.decode("latin-1")


def body_length(request: Request, limit: int) -> int | None:
    """How long the body is; None when it comes in chunks. Both at once is how smuggling starts."""
    codings = [coding.strip().lower() for coding in request.values("transfer-encoding")]
    lengths = set(request.values("content-length"))
    if codings:
        if codings != ["chunked"] or lengths or request.version != "HTTP/1.1":
            raise Refused(400, "Bad Request")
        return None
    if len(lengths) > 1 or any(not _LENGTH.fullmatch(length) for length in lengths):
        raise Refused(400, "Bad Request")
    length = int(lengths.pop()) if lengths else 0
    if length > limit:
        raise Refused(413, "Request Entity Too Large")
    return length


def read_body(stream: BufferedIOBase, length: int | None, limit: int) -> bytes:
    if length is None:
        return _read_chunks(stream, limit)
    return _read_exactly(stream, length)


def _read_chunks(stream: BufferedIOBase, limit: int) -> bytes:
    body = bytearray()
    while size := _chunk_size(stream):
        if len(body) + size > limit:
            raise Refused(413, "Request Entity Too Large")
        body += _read_exactly(stream, size)
        if stream.readline(2) not in {b"\r\n", b"\n"}:
            raise Refused(400, "Bad Request")
    trailer_limit = 10_240
    while (line := stream.readline(trailer_limit)) not in {b"\r\n", b"\n"}:
        trailer_limit -= len(line)
        if not line or trailer_limit <= 0:
            raise Refused(400, "Bad Request")
    return bytes(body)


def _chunk_size(stream: BufferedIOBase) -> int:
    size = _CHUNK.fullmatch(stream.readline(1024))
    if size is None:
        raise Refused(400, "Bad Request")
    return int(size[1], 16)


def _read_exactly(stream: BufferedIOBase, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise ConnectionError("the client left in the middle of its request")
    return data


def render(answer: Answer, *, to: str, close: bool) -> bytes:
    """The answer to a request with method `to`; ValueError when it cannot be sent as HTTP."""
    bare = to == "HEAD" or answer.status in {204, 304}
    head = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    head += [_line(*field) for field in answer.fields if field[0].lower() not in _FRAMING]
    head.append(f"Date: {formatdate(usegmt=True)}")
    if answer.status != 204:
        head.append(f"Content-Length: {_length(answer, to)}")
    if close:
        head.append("Connection: close")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + (b"" if bare else answer.body)


def _phrase(status: int) -> str:
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status of a final answer")
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _line(name: str, value: str) -> str:
    if not re.fullmatch(_NAME, name.encode("latin-1")) or _UNSAFE.search(value):
        raise ValueError(f"the header {name!r} cannot be sent")
    return f"{name}: {value}"


def _length(answer: Answer, method: str) -> str:
    """A HEAD says how long the GET would be, when the answer knows."""
    stated = [value for name, value in answer.fields if name.lower() == "content-length"]
    return stated[0] if method == "HEAD" and stated else str(len(answer.body))
