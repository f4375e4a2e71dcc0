import json
import time
from typing import Any

import pytest

from webapp.local.requestline import Exchange, RequestLines, readable
from webapp.local.wire import Answer, Refused, Request

MIDDAY = int(time.mktime((2026, 11, 26, 12, 3, 4, 0, 0, -1))) * 10**9
LOGGED = {
    "route": "users",
    "user_id": None,
    "decision": "passed",
    "policy": None,
    "shadow": None,
    "upstream": "users",
    "upstream_status": 200,
}
LIMITS = '"per-ip";r=99;t=1, "per-user";r=42;t=18'
PREFLIGHT = (("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT"))


def request(method: str = "GET", target: str = "/users", **fields: str) -> Request:
    return Request(method, target, tuple(fields.items()))


def line(
    asked: Request, answer: Answer, *, logged: dict[str, Any] | None = None, colour: bool = False
) -> str:
    log = "" if logged is None else json.dumps(LOGGED | logged)
    return readable(Exchange(asked, answer, log, MIDDAY, 12_400_000), colour=colour)


def notes(answer: Answer, **logged: Any) -> str:
    return line(request(), answer, logged=logged).partition("(")[2]


def test_a_line_tells_what_was_asked_and_what_came_of_it() -> None:
    answer = Answer(200, (("ratelimit", LIMITS),))
    assert line(request(target="/users?token=s3cret"), answer, logged={"user_id": "ada"}) == (
        "12:03:04 200 GET /users 12 ms (route users, user ada, per-user 42 left)"
    )


def test_a_refusal_says_why_and_when_to_come_back() -> None:
    answer = Answer(429, (("Retry-After", "3"), ("RateLimit", LIMITS)))
    told = notes(answer, decision="rate_limited", policy=["per-ip", "per-user"])
    assert told == "route users, rate_limited by per-ip, per-user, again in 3 s)"


def test_who_said_no_is_told_apart() -> None:
    assert notes(Answer(404), upstream_status=404) == "route users, says upstream users)"
    assert notes(Answer(404), route=None, decision="not_found") == "not_found)"


def test_policies_on_trial_are_named() -> None:
    assert notes(Answer(200), shadow=["new"]) == "route users, in shadow refused by new)"


def test_preflights_are_answered_in_front_of_the_gateway() -> None:
    asked = Request("OPTIONS", "/users", PREFLIGHT)
    answer = Answer(204, (("Access-Control-Allow-Origin", "https://a.example"),))
    assert line(asked, answer).endswith("(CORS preflight, answered in front of the gateway)")


def test_a_preflight_of_a_stranger_says_what_is_missing() -> None:
    asked = Request("OPTIONS", "/users", PREFLIGHT)
    expected = "(CORS preflight of an origin that cors.allowOrigins does not name, "
    assert expected in line(asked, Answer(204))


def test_what_clients_choose_does_not_reach_the_terminal_raw() -> None:
    told = line(
        request("GET", "/\x9b31m\x1b[2J\xe9"), Answer(200), logged={"user_id": "a\nb\u202e"}
    )
    assert told.isascii()
    assert told.isprintable()
    assert "/\\x9b31m\\x1b[2J\\xe9 " in told
    assert "user a\\x0ab\\x202e" in told


@pytest.mark.parametrize(("status", "code"), [(200, 32), (304, 36), (404, 33), (502, 31)])
def test_only_the_status_is_coloured(status: int, code: int) -> None:
    plain = line(request(), Answer(status), logged={})
    coloured = line(request(), Answer(status), logged={}, colour=True)
    assert coloured == plain.replace(f" {status} ", f" \x1b[{code}m{status}\x1b[0m ", 1)


# joining


class Told:
    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        ticks = iter(range(0, 1000, 7))
        self.lines = RequestLines(self.exchanges.append, clock=lambda: next(ticks))


def test_each_request_is_told_with_its_own_log() -> None:
    told = Told()

    def respond(asked: Request) -> Answer:
        if asked.method == "GET":
            told.lines.take(asked.target)
        return Answer(204)

    answering = told.lines.about(respond)
    for asked in (request(target="/a"), request("OPTIONS")):
        assert answering(asked) == Answer(204)
    assert [exchange.log for exchange in told.exchanges] == ["/a", ""]
    assert [exchange.nanoseconds for exchange in told.exchanges] == [7, 7]


def test_a_refused_request_is_told_too() -> None:
    told = Told()

    def refuse(asked: Request) -> Answer:
        raise Refused(400, "Bad Request")

    assert told.lines.about(refuse)(request()).status == 400
    assert told.exchanges[0].answer.status == 400


def test_a_crash_is_told_and_goes_on() -> None:
    told = Told()

    def crash(asked: Request) -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        told.lines.about(crash)(request())
    assert told.exchanges[0].answer.status == 500
