"""A line about each request, as a developer reads it."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import click

from webapp.gcra import NANOSECONDS
from webapp.local.server import Respond
from webapp.local.wire import Answer, Refused, Request, message_answer

_COLOURS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}
_LEFT = re.compile(r'"([\w-]+)";r=(\d+)')


class Exchange(NamedTuple):
    """`log` is the gateway's own line, empty when the request never got there."""

    request: Request
    answer: Answer
    log: str
    ended: int
    nanoseconds: int


class RequestLines:
    """Joins what the server sees of a request with what the gateway logs about it."""

    def __init__(
        self, tell: Callable[[Exchange], None], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._thread = threading.local()

    def take(self, log: str) -> None:
        """What the gateway logs about the request that this thread is answering."""
        self._thread.log = log

    def about(self, respond: Respond) -> Respond:
        def told(request: Request) -> Answer:
            began, self._thread.log = self._clock(), ""
            answer = message_answer(500, "Internal Server Error")
            try:
                answer = respond(request)
            except Refused as refused:
                answer = refused.answer
            finally:
                now = self._clock()
                self._tell(Exchange(request, answer, self._thread.log, now, now - began))
            return answer

        return told

    def refused(self, answer: Answer) -> None:
        """What came was no request, or too large to be read as one."""
        self._tell(Exchange(Request("-", "-"), answer, "", self._clock(), 0))


def readable(exchange: Exchange, *, colour: bool) -> str:
    """Time, status, method, path, duration, and in brackets what the gateway made of it."""
    request, status = exchange.request, exchange.answer.status
    at = time.strftime("%H:%M:%S", time.localtime(exchange.ended // NANOSECONDS))
    shown = click.style(status, fg=_COLOURS.get(status // 100)) if colour else status
    path = request.target.partition("?")[0]
    taken = f"{exchange.nanoseconds / 1e6:.0f} ms"
    notes = ", ".join(_notes(exchange))
    return f"{at} {shown} " + _inert(f"{request.method} {path} {taken} ({notes})")


def _inert(text: str) -> str:
    """Without anything that a terminal obeys: clients choose paths, and much else."""
    return "".join(char if " " <= char <= "~" else f"\\x{ord(char):02x}" for char in text)


def _notes(exchange: Exchange) -> Iterator[str]:
    if _is_preflight(exchange.request):
        yield _preflight(exchange.answer)
    if not exchange.log:
        yield "answered in front of the gateway"
        return
    facts = json.loads(exchange.log)
    if facts["route"]:
        yield f"route {facts['route']}"
    if facts["user_id"]:
        yield f"user {facts['user_id']}"
    yield from _verdict(facts, exchange.answer)
    if facts["shadow"]:
        yield f"in shadow refused by {', '.join(facts['shadow'])}"


def _verdict(facts: Mapping[str, Any], answer: Answer) -> Iterator[str]:
    """Why it was refused and when to come back; else how much is left of the scarcest limit."""
    if facts["decision"] != "passed":
        by = f" by {', '.join(facts['policy'])}" if facts["policy"] else ""
        yield f"{facts['decision']}{by}"
        if wait := _value(answer, "retry-after"):
            yield f"again in {wait} s"
        return
    if answer.status >= 400 and facts["upstream_status"] == answer.status:
        yield f"says upstream {facts['upstream']}"
    left = [(int(units), name) for name, units in _LEFT.findall(_value(answer, "ratelimit"))]
    if left:
        yield "{1} {0} left".format(*min(left))


def _value(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.fields if key.lower() == name), "")


def _is_preflight(request: Request) -> bool:
    asked = request.values("access-control-request-method")
    return request.method == "OPTIONS" and bool(asked)


def _preflight(answer: Answer) -> str:
    if _value(answer, "access-control-allow-origin"):
        return "CORS preflight"
    return "CORS preflight of an origin that cors.allowOrigins does not name"
