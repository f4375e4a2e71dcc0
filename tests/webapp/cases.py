"""The table of proxied requests: what a client asks, what the upstream gets, what comes back."""

import gzip
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.webapp.doors import Asked
from tests.webapp.upstreams import Received, Script, answering, raw_answer

BODY = bytes(range(256)) * 8
MIB_4 = 4 * 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
TOKEN = "tg_WyJhZGEiLCJjYW5hcnkiXQ." + "Q" * 43


class Case(NamedTuple):
    """`sent` and `got` name header values; None means that there is no such header.

    `tries`: how often the upstream is asked; by default once, or never where a refusal is due.
    """

    kind: str
    name: str
    asked: Asked = Asked()
    script: Script | None = None
    status: int = 200
    code: str | None = None
    line: str | None = None
    sent: Mapping[str, str | None] = {}
    got: Mapping[str, str | None] = {}
    body: bytes | None = None
    tries: int | None = None

    @property
    def id(self) -> str:
        return f"{self.kind}: {self.name}"


def closing(data: bytes, *, reset: bool = False) -> Script:
    """Sends what it has and ends the connection, as a crashed process or a firewall does if so."""

    def script(connection: socket.socket, _received: Received) -> None:
        connection.sendall(data)
        if reset:
            linger_zero = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
            socket.close(connection.detach())
        else:
            connection.shutdown(socket.SHUT_RDWR)

    return script


def _passed(target: str, line: str) -> Case:
    return Case("path", f"{target} passes", Asked(target=target), line=f"GET {line} HTTP/1.1")


def _ambiguous(target: str) -> Case:
    return Case(
        "path", f"{target!r} is refused", Asked(target=target), status=400, code="ambiguous_path"
    )


def _paths() -> list[Case]:
    same = [
        "/open",
        "/open/",
        "/files/a/b/C/",
        "/files/a.b/..c/d..",
        "/files/~a!$&'()*+,=:@-._",
        "/open?a=%2F..&b=//&c=%zz+x",
        "/open?x?y=/?&;a",
        "/files/a%20b",
        "/files/caf%C3%A9/%E6%97%A5",
    ]
    respelt = [("/files/%61", "/files/a"), ("/files/caf%c3%a9", "/files/caf%C3%A9")]
    respelt += [
        ("/files/%5bx%5d", "/files/%5Bx%5D"),
        ("/files/%2B", "/files/+"),
        ("/files%2fa", "/files/a"),
    ]
    refused = [
        "/files/../admin",
        "/files/./a",
        "/files/%2e%2e/admin",
        "/files/%252e%252e/admin",
        "/files/%252fa",
        "/files/..%2fadmin",
        "//open",
        "/open//",
        "/files//a",
        "/files/a;v=1",
        "/files/..;/admin",
        "/files/a%3bb",
        "/files/a%5cb",
        "/files/%3fa",
        "/files/%23a",
        "/files/100%25",
        "/files/%00",
        "/files/%0d%0aX-A:%201",
        "/files/%7f",
        "/files/%ff",
        "/files/%c0%ae%c0%ae/admin",
        "/files/%ef%bc%8e%ef%bc%8e/admin",
        "/files/%e2%84%80",
        "/files/%20/a",
    ]
    lost = ["/", "/Open", "/nothing", "/files", "/health/x", "/auth/x/y"]
    return [
        *[_passed(target, target) for target in same],
        *[_passed(target, line) for target, line in respelt],
        *[_ambiguous(target) for target in refused],
        *[
            Case("path", f"{t} leads nowhere", Asked(target=t), status=404, code="not_found")
            for t in lost
        ],
        Case("path", "no other method", Asked("PATCH"), status=405, code="method_not_allowed"),
        Case("path", "no TRACE", Asked("TRACE"), status=405, code="method_not_allowed"),
        Case("path", "no caller", Asked(target="/admin"), status=401, code="missing_token"),
    ]


def _header(name: str, value: str, goes_on: str | None) -> Case:
    asked = Asked(fields=((name, value),))
    return Case("header", f"{name}: {value[:20]}", asked, sent={name.lower(): goes_on})


def _headers() -> list[Case]:
    forged = [
        "Tollgate-Session-User",
        "X-User-Id",
        "X-User-Roles",
        "X-Session-Id",
        "X-User-Anything",
        "X-Auth-Request-User",
        "Remote-User",
        "Proxy",
        "X-Forwarded-User",
        "X-Real-IP",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-Proof",
        "x_user_id",
        "x.user.id",
        "Keep-Alive",
        "TE",
        "Upgrade",
        "Proxy-Connection",
        "Proxy-Authorization",
    ]
    connection = Asked(
        fields=(("Connection", "X-Mine, X-Request-Id, traceparent"), ("X-Mine", "1"))
    )
    return [
        *[_header(name, "forged", None) for name in forged],
        _header("X-Mine", "a, b", "a, b"),
        _header("Accept-Encoding", "br", "br"),
        _header("User-Agent", "me", "me"),
        _header("X-Forwarded-Proto", "gopher", "https"),
        _header("X-Forwarded-Host", "evil.example", "gw.example.com"),
        _header("X-Forwarded-Port", "1", "443"),
        _header("Authorization", "Basic dTpw", "Basic dTpw"),
        _header("Authorization", f"Bearer {TOKEN}", None),
        _header("Cookie", "a=1; b=2", "a=1; b=2"),
        _header("Cookie", f"a=1; __Host-session={TOKEN}; b={TOKEN}", "a=1"),
        _header("Referer", f"https://gw.example.com/?t={TOKEN}", None),
        Case("header", "connection", connection, sent={"x-mine": None, "connection": None}),
    ]


def _bodies() -> list[Case]:
    def posted(name: str, body: bytes, length: str | None, **fields: Any) -> Case:
        asked = Asked(fields.pop("method", "POST"), body=body, fields=fields.pop("fields", ()))
        return Case("body", name, asked, sent={"content-length": length}, **fields)

    json_type = (("Content-Type", "application/json"),)
    return [
        posted("every byte", BODY, str(len(BODY))),
        posted("as text", b'{"a": "\xc3\xa9"}', "11", fields=json_type),
        posted("broken text", b'{"a": "\xff"}', "10", fields=json_type),
        posted("gzip", gzip.compress(b"a"), "21", fields=(("Content-Encoding", "gzip"),)),
        posted("none", b"", "0"),
        posted("none of a GET", b"", None, method="GET"),
        posted("of a GET", b"a", "1", method="GET"),
        posted("4 MiB", b"x" * MIB_4, str(MIB_4)),
        posted("more", b"x" * (MIB_4 + 1), None, status=413, code="body_too_large"),
    ]


def _answers() -> list[Case]:
    def answered(name: str, data: bytes, status: int, body: bytes, **fields: Any) -> Case:
        return Case("answer", name, script=answering(data), status=status, body=body, **fields)

    zipped, chunked = gzip.compress(b"a" * 9_000_000), b"Transfer-Encoding: chunked\r\n\r\n"
    head, encoding = Asked("HEAD"), "Content-Encoding: gzip"
    return [
        answered("every byte", raw_answer("200 OK", BODY), 200, BODY),
        answered("a bomb", raw_answer("200 OK", zipped, encoding), 200, zipped),
        answered("an error", raw_answer("503 Busy", b"busy"), 503, b"busy"),
        answered("an odd status", raw_answer("299 Odd", b"x"), 299, b"x"),
        answered(
            "chunks", OK + chunked + b"2;x=y\r\nab\r\n01\r\nc\r\n0\r\nX-T: 1\r\n\r\n", 200, b"abc"
        ),
        answered("interim", b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + raw_answer(), 200, b"{}"),
        answered("continue", b"HTTP/1.1 100 Continue\r\n\r\n" + raw_answer(), 200, b"{}"),
        answered("4 MiB", raw_answer("200 OK", b"x" * MIB_4), 200, b"x" * MIB_4),
        Case("answer", "until the end", script=closing(OK + b"\r\nabc"), body=b"abc"),
        answered("Latin-1", raw_answer("200 OK", b"\xe9", "Content-Type: text/html"), 200, b"\xe9"),
        answered(
            "no JSON", raw_answer("200 OK", b"\xff", "Content-Type: application/json"), 200, b"\xff"
        ),
        answered("parts", raw_answer("206 Partial", b"-", "Content-Type: multipart/x"), 206, b"-"),
        answered("204", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        answered("304", b'HTTP/1.1 304 Not\r\nETag: "a"\r\n\r\n', 304, b"", got={"etag": '"a"'}),
        answered(
            "HEAD",
            OK + b"Content-Length: 5\r\n\r\n",
            200,
            b"",
            asked=head,
            got={"content-length": "5"},
        ),
        answered("HEAD with a body", raw_answer("200 OK", b"hello"), 200, b"", asked=head),
        answered("204 with a body", raw_answer("204 No Content", b"hello"), 204, b""),
        answered("304 with a body", raw_answer("304 Not Modified", b"hello"), 304, b""),
        answered(
            "away",
            raw_answer("302 Found", b"", "Location: /x"),
            302,
            b"",
            got={"location": "https://gw.example.com/x"},
        ),
        answered(
            "twice", raw_answer("200 OK", b"", "Vary: a", "Vary: b"), 200, b"", got={"vary": "a, b"}
        ),
        answered(
            "cookies",
            raw_answer("200 OK", b"", "Set-Cookie: a=1", "Set-Cookie: __Host-session=x"),
            200,
            b"",
            got={"set-cookie": "a=1"},
        ),
        answered(
            "ours",
            raw_answer("200 OK", b"", "Tollgate-Session-Token: x", "X-Proof: x", "Keep-Alive: x"),
            200,
            b"",
            got={"tollgate-session-token": None, "x-proof": None, "keep-alive": None},
        ),
    ]


def _faults() -> list[Case]:
    invalid, unreachable = "upstream_invalid_response", "upstream_unreachable"
    too_large, late = "upstream_response_too_large", "upstream_timeout"
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"

    def fault(name: str, script: Script, code: str, tries: int = 1) -> Case:
        status = 504 if code == late else 502
        return Case("fault", name, script=script, status=status, code=code, tries=tries)

    broken = {
        "nonsense": b"nonsense\r\n\r\n",
        "HTTP/0.9": b"<html>hello</html>",
        "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
        "HTTP/2 by name": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "TLS": b"\x15\x03\x01\x00\x02\x02\x16",
        "a status in words": b"HTTP/1.1 abc OK\r\n\r\n",
        "a signed status": b"HTTP/1.1 +200 OK\r\nContent-Length: 0\r\n\r\n",
        "status 999": b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        "status 101": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
        "status 101 before another": b"HTTP/1.1 101 Switching\r\n\r\n" + raw_answer(),
        "interim only": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        "continue only": b"HTTP/1.1 100 Continue\r\n\r\n",
        "half a status line": b"HTTP/1.",
        "half a head": OK + b"X-A: 1\r\n",
        "half a header": OK + b"X-A",
        "short": OK + b"Content-Length: 10\r\n\r\nshort",
        "long": OK + b"Content-Length: 2\r\n\r\nlonger",
        "not empty": OK + b"Content-Length: 0\r\n\r\nlonger",
        "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\nab",
        "a negative length": OK + b"Content-Length: -1\r\n\r\nab",
        "a length in words": OK + b"Content-Length: two\r\n\r\nab",
        "an odd length": OK + b"Content-Length: 1_0\r\n\r\n0123456789",
        "length and chunks": OK
        + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "another coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "no chunk": chunked + b"zz\r\n",
        "half a chunk": chunked + b"5\r\nab",
        "no last chunk": chunked + b"2\r\nab\r\n",
        "half a trailer": chunked + b"2\r\nab\r\n0\r\nX-A",
        "a negative chunk": chunked + b"-1\r\nab",
        "a chunk too long": chunked + b"3\r\nabcde0\r\n\r\n",
        "a byte between chunks": chunked + b"3\r\nabcX\r\n0\r\n\r\n",
        "more after the last chunk": chunked + b"0\r\n\r\nmore",
        "a bare CR": OK + b"X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n",
        "a NUL": OK + b"X-A: \x00\r\nContent-Length: 0\r\n\r\n",
        "a control character": OK + b"X-A: \x01\r\nContent-Length: 0\r\n\r\n",
        "no header": OK + b"no header\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n",
        "an envelope": OK + b"From me\r\nContent-Length: 0\r\n\r\n",
        "a space in a name": OK + b"X A: 1\r\nContent-Length: 0\r\n\r\n",
        "a space behind a name": OK + b"X-A : 1\r\nContent-Length: 0\r\n\r\n",
        "many headers": OK + b"X-Many: 1\r\n" * 200 + b"\r\n",
        "a long header": OK + b"X-Long: " + b"a" * 70_000 + b"\r\n\r\n",
        "long headers": OK + b"X-Long: %b\r\n" % (b"a" * 9_000) * 8 + b"\r\n",
    }
    return [
        *[fault(name, closing(data), invalid) for name, data in broken.items()],
        fault("hung up", closing(b""), unreachable, tries=2),
        fault("reset", closing(b"", reset=True), unreachable, tries=2),
        fault("reset in the head", closing(OK + b"X-A", reset=True), invalid),
        fault(
            "reset in the body", closing(OK + b"Content-Length: 9\r\n\r\na", reset=True), invalid
        ),
        fault("silence", lambda _connection, _received: None, late),
        fault("silence in the head", answering(OK), late),
        fault("silence in the body", answering(OK + b"Content-Length: 9\r\n\r\na"), late),
        fault("silence in a chunk", answering(chunked + b"9\r\na"), late),
        fault("over 4 MiB", answering(raw_answer("200 OK", b"x" * (MIB_4 + 1))), too_large),
        fault(
            "over 4 MiB in chunks",
            closing(chunked + (b"100000\r\n" + b"x" * 2**20 + b"\r\n") * 5),
            too_large,
        ),
    ]


CASES = [case for made in (_paths, _headers, _bodies, _answers, _faults) for case in made()]
