"""A store that fails on demand: a proxy in front of the embedded AWS, which also counts calls."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from webapp.local.server import serving
from webapp.local.wire import Answer, Request

DOWN = "http://127.0.0.1:9"


def failure(code: str, status: int = 400, **members: Any) -> Answer:
    """An answer of DynamoDB or Secrets Manager that says what went wrong."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"} | members
    return Answer(
        status, (("Content-Type", "application/x-amz-json-1.0"),), json.dumps(body).encode()
    )


class Faults:
    """`operations`: the calls that came, by name. `answers` stand in for the store's, in turn."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.operations: list[str] = []
        self.answers: list[Answer] = []
        self.failing: Answer | None = None
        self.hanging = False
        self._over = threading.Event()

    def __call__(self, request: Request) -> Answer:
        self.operations.append(request.values("x-amz-target")[0].rpartition(".")[2])
        if self.hanging:
            self._over.wait()
        if self.answers:
            return self.answers.pop(0)
        return self.failing or self._passed_on(request)

    def end(self) -> None:
        self._over.set()

    def _passed_on(self, request: Request) -> Answer:
        connection = HTTPConnection(urlsplit(self.url).netloc)
        try:
            connection.request(request.method, request.target, request.body, dict(request.fields))
            response = connection.getresponse()
            return Answer(response.status, tuple(response.getheaders()), response.read())
        finally:
            connection.close()


@contextmanager
def faulty(url: str) -> Iterator[tuple[Faults, str]]:
    """In front of `url`; yields what steers it, and its own address."""
    faults = Faults(url)
    with serving(faults) as address:
        try:
            yield faults, address
        finally:
            faults.end()
