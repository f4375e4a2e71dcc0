"""The two ways into the gateway: events as Lambda gets them, and HTTP on a real socket."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote

from tests.webapp.builders import event
from tests.webapp.containers import Answer as EventAnswer
from webapp.bridge import Handler
from webapp.local.httpapi import http_api
from webapp.local.server import serving
from webapp.settings.gateway import Cors

Fields = tuple[tuple[str, str], ...]


class Asked(NamedTuple):
    """A request: the target as on the wire, what is not ASCII in UTF-8."""

    method: str = "GET"
    target: str = "/open"
    fields: Fields = ()
    body: bytes = b""


class Got(NamedTuple):
    status: int
    fields: Fields
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name]

    @property
    def code(self) -> str | None:
        if self.values("content-type") != ["application/problem+json"] or not self.body:
            return None
        return str(json.loads(self.body)["code"])


Door = Callable[[Asked], Got]


@contextmanager
def by_event(handler: Handler) -> Iterator[Door]:
    def ask(asked: Asked) -> Got:
        path, _, query = asked.target.partition("?")
        headers: dict[str, str] = {}
        for name, value in asked.fields:
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
        cookies = [pair.strip() for pair in headers.pop("cookie", "").split(";") if pair.strip()]
        made = event(
            asked.method,
            unquote(path, errors="replace"),
            query=query,
            headers=headers,
            cookies=cookies,
            body=asked.body or None,
        )
        text = json.dumps(handler(json.loads(json.dumps(made)), None))
        answer = EventAnswer(json.loads(text))
        cookies_set = tuple(("set-cookie", cookie) for cookie in answer.cookies)
        return Got(answer.status, (*answer.headers.items(), *cookies_set), answer.body)

    yield ask


@contextmanager
def by_socket(handler: Handler) -> Iterator[Door]:
    with serving(http_api(handler, Cors())) as url:
        host, _, port = url.removeprefix("http://").partition(":")

        def ask(asked: Asked) -> Got:
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(_request(asked))
                stream = connection.makefile("rb")
                return _answer(stream.read(), asked.method)

        yield ask


def _request(asked: Asked) -> bytes:
    own = [("Host", "gw.example.com"), ("Connection", "close")]
    if asked.body:
        own.append(("Content-Length", str(len(asked.body))))
    lines = [f"{asked.method} {asked.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (*own, *asked.fields)]
    return "\r\n".join([*lines, "", ""]).encode() + asked.body


def _answer(data: bytes, method: str) -> Got:
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    fields = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    got = Got(int(status.split(" ")[1]), fields, body)
    if method != "HEAD" and got.status not in {204, 304}:
        assert got.values("content-length") == [str(len(body))]
    return got


DOORS = {"event": by_event, "socket": by_socket}
