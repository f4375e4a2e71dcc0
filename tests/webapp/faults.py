"""A store that fails on demand: a proxy in front of the embedded AWS, which also counts calls."""

import json
import threading
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from webapp.local.wire import Answer, Request

DOWN = "http://127.0.0.1:9"


def failure(code: str, status: int = 400, **members: Any) -> Answer:
    """An answer of DynamoDB or Secrets Manager that says what went wrong."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"} | members
    return Answer(
        status, (("Content-Type", "application/x-amz-json-1.0"),), json.dumps(body).encode()
    )


class Faults:
    """`operations`: the calls that came, by name; `bodies`: what they asked.

    `answers` stand in for the store's, in turn; `failing` does for good, `failing_at` for some.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.operations: list[str] = []
        self.bodies: list[Any] = []
        self.answers: list[Answer] = []
        self.failing: Answer | None = None
        self.failing_at: dict[str, Answer] = {}
        self.hanging: threading.Event | None = None

    def __call__(self, request: Request) -> Answer:
        operation = request.values("x-amz-target")[0].rpartition(".")[2]
        self.operations.append(operation)
        self.bodies.append(json.loads(request.body))
        if self.hanging:
            self.hanging.wait()
        if self.answers:
            return self.answers.pop(0)
        failing = self.failing or self.failing_at.get(operation)
        return failing or self._passed_on(request)

    def heal(self) -> None:
        """What the next test finds: a store that works, asked by nobody yet."""
        if self.hanging:
            self.hanging.set()
        vars(self).update(vars(Faults(self.url)))

    def _passed_on(self, request: Request) -> Answer:
        connection = HTTPConnection(urlsplit(self.url).netloc)
        try:
            connection.request(request.method, request.target, request.body, dict(request.fields))
            response = connection.getresponse()
            return Answer(response.status, tuple(response.getheaders()), response.read())
        finally:
            connection.close()
