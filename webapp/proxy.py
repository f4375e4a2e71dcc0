"""The exchange with an upstream: one request out, one bounded answer back, within a deadline."""

import http.client
import time
from collections.abc import Callable
from typing import NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import SKIP_HEADER

from webapp.errors import Problem
from webapp.forwarding import Outgoing, invalid_answer
from webapp.gcra import NANOSECONDS
from webapp.settings import Upstream

# In base64, inside the JSON of a Lambda answer, this is what the platform still lets through.
MAX_ANSWER_BYTES = 4 * 1024 * 1024

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_CHUNK_BYTES = 64 * 1024

# While a container is frozen its connections die unseen; older ones are not worth a failed try.
_IDLE_NANOSECONDS = 5 * NANOSECONDS


class Answer(NamedTuple):
    """What an upstream answered: header lines as they came, the body as the bytes on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Proxy:
    """The connections of this container to one upstream."""

    def __init__(self, upstream: Upstream, clock: Callable[[], int] = time.time_ns) -> None:
        self._upstream = upstream
        self._clock = clock
        self._adapter = HTTPAdapter(max_retries=0)
        self._used_at = 0

    def exchange(self, outgoing: Outgoing, timeout: float) -> Answer:
        """Send a request, and again if nothing came back and that is safe; `timeout` in seconds.

        Raises a Problem: 502 without a usable answer, 504 when time is up.
        """
        deadline = time.monotonic() + timeout
        tries = 1 + (self._upstream.retries if outgoing.method in _REPEATABLE else 0)
        while True:
            tries -= 1
            try:
                return self._try(outgoing, deadline)
            except requests.ConnectionError as error:
                if tries == 0 or not _unanswered(error):
                    raise _unreachable() from error

    def _try(self, outgoing: Outgoing, deadline: float) -> Answer:
        self._drop_idle()
        left = deadline - time.monotonic()
        if left <= 0:
            raise _timeout()
        connect = min(self._upstream.connect_timeout, left)
        try:
            response = self._adapter.send(
                _prepared(outgoing), stream=True, timeout=(connect, left), verify=True, proxies={}
            )
        except requests.Timeout as error:
            raise _timeout() from error
        except (requests.exceptions.InvalidHeader, HTTPError, ValueError) as error:
            raise invalid_answer() from error
        try:
            return _answer(response.raw, deadline)
        except ReadTimeoutError as error:
            raise _timeout() from error
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise invalid_answer() from error
        finally:
            response.close()

    def _drop_idle(self) -> None:
        now = self._clock()
        if now - self._used_at > _IDLE_NANOSECONDS:
            self._adapter.close()
        self._used_at = now


def _prepared(outgoing: Outgoing) -> requests.PreparedRequest:
    """Filled by hand: `prepare()` would rewrite the path, follow `.netrc` and add headers."""
    prepared = requests.PreparedRequest()
    prepared.method = outgoing.method
    prepared.url = outgoing.url
    prepared.body = outgoing.body or None
    added = {"User-Agent": SKIP_HEADER, "Accept-Encoding": SKIP_HEADER}
    headers = {name: value.encode(_encoding(value)) for name, value in outgoing.headers.items()}
    for name in added:
        if name.lower() in headers:
            continue
        headers[name] = SKIP_HEADER  # type: ignore[assignment]
    prepared.headers = headers  # type: ignore[assignment]
    return prepared


def _encoding(value: str) -> str:
    return "latin-1" if value.isascii() or max(value) < "\u0100" else "utf-8"


def _answer(raw: BaseHTTPResponse, deadline: float) -> Answer:
    if not 200 <= raw.status <= 599:
        raise invalid_answer()
    chunks = []
    size = 0
    for chunk in raw.stream(_CHUNK_BYTES, decode_content=False):
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise Problem("upstream_response_too_large", "The answer exceeds 4 MiB.")
        if time.monotonic() > deadline:
            raise _timeout()
        chunks.append(chunk)
    return Answer(raw.status, list(raw.headers.iteritems()), b"".join(chunks))


def _unanswered(error: requests.ConnectionError) -> bool:
    """Whether not a byte came back, so that the upstream may not even have seen the request."""
    cause: object = error
    while isinstance(cause, BaseException):
        if isinstance(
            cause, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError
        ):
            return True
        if isinstance(cause, http.client.HTTPException):
            return False
        inner = [arg for arg in cause.args if isinstance(arg, BaseException)]
        cause = getattr(cause, "reason", None) or (inner[0] if inner else None)
    return isinstance(error, requests.ConnectionError)


def _unreachable() -> Problem:
    return Problem("upstream_unreachable", "The service behind this route cannot be reached.")


def _timeout() -> Problem:
    return Problem("upstream_timeout", "The service behind this route did not answer in time.")
