import json

import pytest

from webapp.errors import STATUS, Problem

CONTRACT = {
    400: {"bad_request", "ambiguous_path", "conflicting_credentials"},
    401: {"missing_token", "invalid_token", "session_expired", "session_revoked"},
    403: {"forbidden", "cross_site_request"},
    404: {"not_found"},
    405: {"method_not_allowed"},
    413: {"body_too_large"},
    429: {"rate_limited"},
    431: {"headers_too_large"},
    500: {"internal_error"},
    502: {"upstream_unreachable", "upstream_invalid_response", "upstream_response_too_large"},
    503: {
        "session_store_unavailable",
        "rate_limit_store_unavailable",
        "signing_key_unavailable",
        "upstream_unavailable",
    },
    504: {"upstream_timeout"},
}


def test_every_code_has_the_status_of_the_contract() -> None:
    assert {code: status for status, codes in CONTRACT.items() for code in codes} == STATUS


@pytest.mark.parametrize("code", STATUS)
def test_no_problem_is_kept_or_sniffed(code: str) -> None:
    headers = Problem(code, "Said.").headers
    assert headers.pop("Cache-Control") == "no-store"
    assert headers.pop("X-Content-Type-Options") == "nosniff"
    expected = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}
    assert headers == expected.get(STATUS[code], {})


def test_the_document_is_that_of_rfc_9457() -> None:
    assert Problem("forbidden", "Not here.").document("req-1") == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "Not here.",
        "code": "forbidden",
        "request_id": "req-1",
    }


def test_members_and_headers_are_added() -> None:
    problem = Problem(
        "rate_limited",
        "Wait.",
        headers={"Retry-After": "30"},
        members={"violated-policies": ["per-ip"]},
    )
    assert problem.headers["Retry-After"] == "30"
    document = problem.document("req-1")
    assert document["violated-policies"] == ["per-ip"]
    assert document["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"


def test_a_given_retry_after_wins() -> None:
    problem = Problem("upstream_unavailable", "Later.", headers={"Retry-After": "10"})
    assert problem.headers["Retry-After"] == "10"


@pytest.mark.parametrize("code", STATUS)
def test_every_document_is_json(code: str) -> None:
    document = Problem(code, "Said.").document("req-1")
    assert json.loads(json.dumps(document)) == document
    assert document["title"]
