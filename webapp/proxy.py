"""The exchange with an upstream: one request out, one bounded answer back, within a deadline."""

import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple

import requests
from urllib3.exceptions import HTTPError

from webapp.answers import AnswerReader
from webapp.circuit import Circuit
from webapp.connections import ORDER, Adapter, Order
from webapp.errors import Problem
from webapp.forwarding import Outgoing
from webapp.gcra import NANOSECONDS
from webapp.relaying import invalid_answer
from webapp.settings import Upstream

# In base64, inside the JSON of a Lambda answer, this is what the platform still lets through.
MAX_ANSWER_BYTES = 4 * 1024 * 1024

_CHUNK_BYTES = 64 * 1024
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})

# While a container is frozen its connections die unseen; older ones are not worth a failed try.
_IDLE_NANOSECONDS = 5 * NANOSECONDS


class Answer(NamedTuple):
    """What an upstream answered: header lines as they came, the body as the bytes on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Proxy:
    """The connections of this container to one upstream, and their circuit breaker."""

    def __init__(self, upstream: Upstream, clock: Callable[[], int] = time.time_ns) -> None:
        self.circuit = Circuit(clock)
        self._upstream = upstream
        self._clock = clock
        self._adapter = Adapter(upstream.url)
        self._used_at = clock()

    def exchange(self, outgoing: Outgoing, timeout: float) -> Answer:
        """Send a request and read the whole answer; `timeout` in seconds covers all of it.

        Raises a Problem: 502 without a usable answer, 504 when time is up, 503 while the upstream
        is left alone because it kept failing.
        """
        if timeout <= 0:
            raise _timeout()
        self.circuit.enter()
        try:
            answer = self._tried(outgoing, time.monotonic() + timeout)
        except Problem as problem:
            if problem.code == "upstream_response_too_large":
                self.circuit.succeeded()
            else:
                self.circuit.failed()
            raise
        self.circuit.succeeded()
        return answer

    def _tried(self, outgoing: Outgoing, deadline: float) -> Answer:
        """Once more, if not a byte came back and doing it twice is doing it once (RFC 9110)."""
        tries = 1 + (self._upstream.retries if outgoing.method in REPEATABLE else 0)
        self._drop_idle()
        try:
            while True:
                tries -= 1
                order = Order(_target(outgoing.url), deadline, self._upstream.connect_timeout)
                try:
                    return self._sent(outgoing, order)
                except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
                    problem = _meaning(error, order)
                    if tries == 0 or problem.code != "upstream_unreachable":
                        raise problem from error
        finally:
            self._used_at = self._clock()

    def _sent(self, outgoing: Outgoing, order: Order) -> Answer:
        timeout = order.seconds_left()
        request = _prepared(outgoing, order)
        response: Any = self._adapter.send(request, stream=True, timeout=timeout).raw
        try:
            return _read(response, outgoing.method, order)
        finally:
            response.release()

    def _drop_idle(self) -> None:
        """Other threads may be in the middle of an exchange: theirs are closed when they end."""
        if self._clock() - self._used_at > _IDLE_NANOSECONDS:
            self._adapter = Adapter(self._upstream.url)


def _target(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _prepared(outgoing: Outgoing, order: Order) -> requests.PreparedRequest:
    """Filled by hand: `prepare()` would rewrite the path, read `.netrc` and add headers."""
    prepared = requests.PreparedRequest()
    prepared.method = outgoing.method
    prepared.url = outgoing.url
    prepared.body = outgoing.body or None
    headers: Any = {name: _encoded(value) for name, value in outgoing.headers.items()}
    headers[ORDER] = order
    prepared.headers = headers
    return prepared


def _encoded(value: str) -> Any:
    """Header values are Latin-1 by tradition; what does not fit is UTF-8."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


def _read(raw: AnswerReader, method: str, order: Order) -> Answer:
    """Raises a Problem for what is no answer to relay, other errors for what is none at all."""
    if not 200 <= raw.status <= 599:
        raise invalid_answer()
    # In one piece where its length is known, so that nothing needs to be copied.
    piece = _CHUNK_BYTES if raw.length is None else MAX_ANSWER_BYTES + 1
    chunks, size = [], 0
    while chunk := raw.read(piece):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise Problem("upstream_response_too_large", "The answer exceeds 4 MiB.")
    bodiless = method == "HEAD" or raw.status in {204, 304}
    if raw.length or (order.surplus and not bodiless):
        raise invalid_answer()
    return Answer(raw.status, raw.msg.items(), b"".join(chunks))


def _meaning(error: BaseException, order: Order) -> Problem:
    """What it means for the client that an exchange broke."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError):
            return _timeout()
        cause = cause.__cause__ or cause.__context__
    return invalid_answer() if order.answered else _unreachable()


def _unreachable() -> Problem:
    return Problem("upstream_unreachable", "The service behind this route cannot be reached.")


def _timeout() -> Problem:
    return Problem("upstream_timeout", "The service behind this route did not answer in time.")
