import json

import pytest

from bench.loading.expectation import Seen, owed, unlike

POLICY = {"ratelimit-policy": '"per-user";q=120;w=60'}
PASSED = Seen(200, {"ratelimit": '"per-user";r=7;t=2', **POLICY})


def refused(status: int, code: str, *violated: str, **headers: str) -> Seen:
    problem = {"code": code} | ({"violated-policies": violated} if violated else {})
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Seen(status, {"content-type": "application/problem+json", **sent}, json.dumps(problem))


LIMITED = refused(
    429, "rate_limited", "per-user", retry_after="1", ratelimit='"per-user";r=0;t=1', **POLICY
)


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        ("2xx", Seen(204, {})),
        ("401 invalid_token", refused(401, "invalid_token")),
        ("429", LIMITED),
    ],
)
def test_what_is_expected(expected: str, seen: Seen) -> None:
    assert unlike(expected, seen) == ""


@pytest.mark.parametrize(
    ("expected", "seen", "said"),
    [
        ("2xx", Seen(302, {}), "302, not 2xx"),
        ("2xx", Seen(0, {}), "no answer, not 2xx"),
        ("2xx", LIMITED, "429 rate_limited by per-user, not 2xx"),
        ("401 invalid_token", Seen(200, {}), "200, not 401 invalid_token"),
        ("401 invalid_token", Seen(401, {}), "401, not 401 invalid_token"),
        (
            "401 invalid_token",
            refused(401, "session_expired"),
            "401 session_expired, not 401 invalid_token",
        ),
    ],
)
def test_what_came_instead(expected: str, seen: Seen, said: str) -> None:
    assert unlike(expected, seen) == said


def test_a_limited_route_owes_its_numbers() -> None:
    assert owed(PASSED) == ""
    assert owed(LIMITED) == ""
    assert owed(Seen(200, {})) == "no RateLimit and RateLimit-Policy"
    assert owed(Seen(502, PASSED.headers)) == "502, not 2xx"


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Seen(429, {}), "429, not the gateway's own"),
        (refused(429, "rate_limited", "per-user"), "429 without Retry-After"),
        (refused(429, "rate_limited", "per-user", retry_after="soon"), "429 without Retry-After"),
        (
            refused(429, "rate_limited", "per-user", retry_after="1", ratelimit='"a";r=1;t=1'),
            "429 without r=0 in RateLimit",
        ),
    ],
)
def test_a_refusal_owes_when_to_come_back(seen: Seen, said: str) -> None:
    assert owed(seen) == said
