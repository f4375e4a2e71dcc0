from typing import Any

import pytest

from tests.webapp.settings.builders import configuration, mistakes

ONE_OF_BOTH = '"*" and allowCredentials exclude each other; name each one'


@pytest.mark.parametrize(
    ("session", "line"),
    [
        ({"ttl": 3600, "maxLifetime": 1800}, "ttl: must be at most maxLifetime (1800)"),
        (
            {"ttl": 300},
            "refreshThreshold: must be less than ttl (300), or every answer renews the cookie",
        ),
        (
            {"ttl": 59, "refreshThreshold": 1},
            "ttl: expected a whole number of at least 60 and at most 31536000, got 59",
        ),
        (
            {"cacheSeconds": 61},
            "cacheSeconds: expected a whole number of at least 0 and at most 60, got 61",
        ),
        (
            {"cookieName": "sid"},
            "cookieName: expected a name that begins with __Host- (it binds the cookie to this"
            " host),"
            ' got "sid"',
        ),
        (
            {"sameSite": "lax"},
            'sameSite: expected one of "Lax", "Strict", "None", got "lax" (did you mean "Lax"?)',
        ),
    ],
)
def test_a_mistake_about_sessions_is_named(session: dict[str, Any], line: str) -> None:
    assert mistakes(session=session) == [f"tollgate:session.{line}"]


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("app.example.com", '"app.example.com" is no origin such as https://app.example.com'),
        ("null", '"null" is no origin such as https://app.example.com'),
        (
            "https://*.example.com",
            '"https://*.example.com" is no origin such as https://app.example.com',
        ),
        (
            "https://app.example.com/",
            '"https://app.example.com/" is not what browsers send; write https://app.example.com',
        ),
        (
            "https://app.example.com/a",
            '"https://app.example.com/a" is not what browsers send; write https://app.example.com',
        ),
        (
            "https://App.example.com",
            '"https://App.example.com" is not what browsers send; write https://app.example.com',
        ),
        (
            "https://app.example.com:443",
            '"https://app.example.com:443" is not what browsers send; write'
            " https://app.example.com",
        ),
        (
            "https://me@app.example.com",
            '"https://me@app.example.com" is not what browsers send; write https://app.example.com',
        ),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(origin: str, message: str) -> None:
    assert mistakes(cors={"allowOrigins": [origin]}) == [
        f"tollgate:cors.allowOrigins[0]: {message}"
    ]


@pytest.mark.parametrize(
    ("cors", "line"),
    [
        ({"allowOrigins": ["*"], "allowCredentials": True}, f"allowOrigins: {ONE_OF_BOTH}"),
        (
            {
                "allowOrigins": ["https://a.example"],
                "allowHeaders": ["*"],
                "allowCredentials": True,
            },
            f"allowHeaders: {ONE_OF_BOTH}",
        ),
        (
            {"allowOrigins": ["*", "https://a.example"]},
            'allowOrigins: "*" already covers the others; leave one or the other out',
        ),
        (
            {"allowCredentials": True},
            "allowCredentials: needs allowOrigins: name the pages that may send credentials",
        ),
        (
            {"allowOrigins": ["https://a.example", "https://a.example"]},
            'allowOrigins[1]: "https://a.example" stands in the list twice',
        ),
        ({"allowMethods": ["FETCH"]}, 'allowMethods[0]: no method "FETCH" (did you mean "PATCH"?)'),
        ({"allowHeaders": ["x y"]}, 'allowHeaders[0]: "x y" is no header name'),
        ({"exposeHeaders": ["x:y"]}, 'exposeHeaders[0]: "x:y" is no header name'),
    ],
)
def test_a_mistake_about_other_origins_is_named(cors: dict[str, Any], line: str) -> None:
    assert mistakes(cors=cors) == [f"tollgate:cors.{line}"]


def test_named_origins_may_send_credentials() -> None:
    origins = ("https://app.example.com", "http://localhost:3000", "http://[::1]:3000")
    cors = {"allowOrigins": list(origins), "allowHeaders": ["x-a"], "allowCredentials": True}
    assert configuration(cors=cors).settings.cors.allow_origins == origins


@pytest.mark.parametrize("guard", [{"limit": 0}, {"window": 0}, {"window": 86401}])
def test_the_sign_in_guard_is_bounded(guard: dict[str, int]) -> None:
    (line,) = mistakes(signInGuard=guard)
    assert line.startswith(f"tollgate:signInGuard.{next(iter(guard))}: expected a whole number")
