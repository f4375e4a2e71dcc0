"""The exchange with an upstream: one request out, one bounded answer back, within a deadline."""

import http.client
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
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

# Carries the target past urllib3, which would rewrite its percent-encodings, to the connection.
_TARGET = "tollgate-target"


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
        self._adapter = _Adapter(max_retries=0)
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
                if _answered(error):
                    raise invalid_answer() from error
                if tries == 0:
                    raise _unreachable() from error

    def _try(self, outgoing: Outgoing, deadline: float) -> Answer:
        self._drop_idle()
        left = deadline - time.monotonic()
        if left <= 0:
            raise _timeout()
        timeout = (min(self._upstream.connect_timeout, left), left)
        try:
            response = self._adapter.send(
                _prepared(outgoing), stream=True, timeout=timeout, verify=True, proxies={}
            )
        except requests.Timeout as error:
            raise _timeout() from error
        except (requests.exceptions.InvalidHeader, HTTPError, ValueError) as error:
            raise invalid_answer() from error
        try:
            return _read(response.raw, deadline)
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
    """Filled by hand: `prepare()` would rewrite the path, read `.netrc` and add headers."""
    prepared = requests.PreparedRequest()
    prepared.method = outgoing.method
    prepared.url = outgoing.url
    prepared.body = outgoing.body or None
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(outgoing.url))
    # urllib3 adds the first two unless it is told not to.
    headers = {"user-agent": SKIP_HEADER, "accept-encoding": SKIP_HEADER}
    headers |= {name: _encoded(value) for name, value in outgoing.headers.items()}
    prepared.headers = CaseInsensitiveDict(headers | {_TARGET: outgoing.url.removeprefix(origin)})
    return prepared


def _encoded(value: str) -> Any:
    """Header values are Latin-1 by tradition; what does not fit is UTF-8."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


def _read(raw: BaseHTTPResponse, deadline: float) -> Answer:
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


def _answered(error: BaseException) -> bool:
    """Whether bytes came back before the connection broke: then it was no connection problem."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, http.client.HTTPException):
            return not isinstance(seen, http.client.RemoteDisconnected)
        seen = seen.__cause__ or seen.__context__
    return False


def _unreachable() -> Problem:
    return Problem("upstream_unreachable", "The service behind this route cannot be reached.")


def _timeout() -> Problem:
    return Problem("upstream_timeout", "The service behind this route did not answer in time.")


class _Exact:
    """Puts the target on the wire as it was decided, byte for byte."""

    def request(self, method: str, _url: str, *args: Any, headers: Any, **rest: Any) -> None:
        target = headers.pop(_TARGET)
        super().request(method, target, *args, headers=headers, **rest)  # type: ignore[misc]


class _ExactHTTPConnection(_Exact, HTTPConnection):  # type: ignore[misc]
    pass


class _ExactHTTPSConnection(_Exact, HTTPSConnection):  # type: ignore[misc]
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _ExactHTTPConnection  # type: ignore[assignment]


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _ExactHTTPSConnection  # type: ignore[assignment]


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
