from typing import Any

import pytest

from tests.webapp.apidocs.stacks import policy, route, stack
from webapp.apidocs.operations import operations
from webapp.apidocs.responses import responses
from webapp.endpoints import own_routes
from webapp.settings import Settings

RATE_LIMIT = {"RateLimit", "RateLimit-Policy"}


def told(settings: Settings, name: str = "it") -> dict[str, dict[str, Any]]:
    [operation] = [
        operation
        for operation in operations([*settings.routes, *own_routes(settings)], settings)
        if operation.route.id == name
    ]
    return {key: content for key, _, content in responses(operation)}


def of(method: str = "GET", path: str = "/it/{x}", /, **fields: Any) -> dict[str, dict[str, Any]]:
    return told(stack(routes=(route("it", path, method, **fields),)))


def headers(found: dict[str, dict[str, Any]], key: str) -> set[str]:
    return {*found[key]["headers"]}


def test_what_a_service_answers_may_be_anything() -> None:
    found = of()
    assert found["2XX"]["content"] == found["default"]["content"] == {"*/*": {}}
    assert "content" not in found["204"]


def test_a_service_may_answer_with_the_status_of_a_refusal() -> None:
    found = of("POST")
    assert {*found["404"]["content"]} == {"application/problem+json", "*/*"}
    assert "The service may answer this in its own words." in found["404"]["description"]


@pytest.mark.parametrize("name", ["auth.session", "health", "docs.page"])
def test_what_the_platform_answers_is_told_at_the_gateways_own_endpoints(name: str) -> None:
    found = told(stack(), name)
    assert "401" not in found or {*found["401"]["content"]} == {"application/problem+json"}
    message = found["500"]["content"]["application/json"]["schema"]
    assert message == {"$ref": "#/components/schemas/Message"}
    assert "API Gateway may answer this by itself." in found["500"]["description"]


def test_a_refusal_tells_its_codes() -> None:
    refusal = of(auth="optional")["401"]
    schema = refusal["content"]["application/problem+json"]["schema"]
    codes = ["invalid_token", "session_expired", "session_revoked"]
    assert schema["properties"] == {"status": {"const": 401}, "code": {"enum": codes}}
    assert all(f"`{code}`: " in refusal["description"] for code in codes)


def test_a_refusal_of_limits_names_who_refused() -> None:
    schema = of()["429"]["content"]["application/problem+json"]["schema"]
    assert schema["required"] == ["violated-policies"]


def test_answers_of_limited_routes_tell_what_is_left() -> None:
    found = of("POST")
    limited = {key for key in found if headers(found, key) >= RATE_LIMIT}
    assert found.keys() - limited == {"404", "405", "431"}


@pytest.mark.parametrize("policies", [(), (policy(mode="shadow"),)])
def test_without_policies_in_force_nothing_is_left_to_tell(policies: tuple[Any, ...]) -> None:
    found = told(stack(routes=(route("it", "/it"),), rate_limits=policies))
    assert not [key for key in found if RATE_LIMIT & headers(found, key)]


@pytest.mark.parametrize(
    ("key", "name"),
    [("401", "WWW-Authenticate"), ("405", "Allow"), ("429", "Retry-After"), ("503", "Retry-After")],
)
def test_a_status_brings_its_header(key: str, name: str) -> None:
    found = of()
    assert name in headers(found, key)
    assert name not in headers(found, "400")


def test_every_answer_names_its_request() -> None:
    for name in ("it", "health.ready", "auth.session.refresh", "docs.openapi"):
        found = told(stack(routes=(route("it", "/it"),)), name)
        assert all("X-Request-Id" in headers(found, key) for key in found)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"auth": "none"}, set()),
        ({"auth": "optional"}, {"Set-Cookie"}),
        ({"auth": "none", "session": "end"}, {"Set-Cookie"}),
        (
            {"auth": "none", "session": "issue"},
            {"Set-Cookie", "Tollgate-Session-Token", "Tollgate-Session-Expires"},
        ),
    ],
)
def test_sessions_travel_in_headers(fields: dict[str, Any], names: set[str]) -> None:
    found = of(**fields)
    assert headers(found, "2XX") - RATE_LIMIT - {"X-Request-Id"} == names
    assert headers(found, "default") == headers(found, "2XX")


def test_what_all_may_read_has_a_tag() -> None:
    assert {"ETag", "Cache-Control"} <= headers(told(stack(), "docs.page"), "304")
    guarded = told(stack(api_docs="session"), "docs.page")
    assert "304" not in guarded
    assert "ETag" not in headers(guarded, "200")
