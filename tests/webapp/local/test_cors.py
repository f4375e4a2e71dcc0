import pytest

from webapp.local import cors
from webapp.local.wire import Answer, Request
from webapp.settings import Cors

PAGE = "https://app.example.com"
CONFIGURED = Cors(
    allow_origins=(PAGE, "https://other.example.com"),
    allow_methods=("GET", "POST"),
    allow_headers=("content-type", "authorization"),
    expose_headers=("X-Mine",),
    allow_credentials=True,
    max_age=300,
)


def asking(origin: str = PAGE, method: str = "OPTIONS", asked: str = "POST") -> Request:
    fields = (("Origin", origin), ("Access-Control-Request-Method", asked))
    return Request(method, "/", tuple(field for field in fields if field[1]))


def test_a_preflight_is_answered() -> None:
    answer = cors.preflight(CONFIGURED, asking())
    assert answer == Answer(
        204,
        (
            ("Access-Control-Allow-Origin", PAGE),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Methods", "GET,POST"),
            ("Access-Control-Allow-Headers", "content-type,authorization"),
            ("Access-Control-Max-Age", "300"),
        ),
    )


def test_what_is_not_configured_is_left_out() -> None:
    answer = cors.preflight(Cors(allow_origins=("*",)), asking())
    assert answer == Answer(204, (("Access-Control-Allow-Origin", "*"),))


def test_another_origin_is_told_nothing() -> None:
    assert cors.preflight(CONFIGURED, asking("https://evil.example.com")) == Answer(204)


@pytest.mark.parametrize(
    "request_", [asking(method="GET"), asking(origin=""), asking(asked="")], ids=str
)
def test_other_requests_are_no_preflight(request_: Request) -> None:
    assert cors.preflight(CONFIGURED, request_) is None


def test_without_origins_there_is_no_cors() -> None:
    answer = Answer(200, (("Access-Control-Allow-Origin", "*"),))
    assert cors.preflight(Cors(), asking()) is None
    assert cors.share(Cors(), asking(), answer) == answer


def test_the_functions_own_fields_are_replaced() -> None:
    answer = Answer(200, (("access-control-allow-origin", "*"), ("X-A", "1")), b"body")
    shared = cors.share(CONFIGURED, asking(), answer)
    exposed = (
        "RateLimit,RateLimit-Policy,Retry-After,X-Request-Id,"
        "Tollgate-Session-Token,Tollgate-Session-Expires,X-Mine"
    )
    assert shared.body == b"body"
    assert shared.fields == (
        ("X-A", "1"),
        ("Access-Control-Allow-Origin", PAGE),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", exposed),
    )


@pytest.mark.parametrize("origin", ["", "https://evil.example.com", "null"])
def test_others_get_no_field_at_all(origin: str) -> None:
    answer = Answer(200, (("Access-Control-Allow-Origin", "*"),))
    assert cors.share(CONFIGURED, asking(origin), answer) == Answer(200)
