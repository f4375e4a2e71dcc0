import json
import re

import pytest
from hypothesis import given, settings

from tests.webapp.apidocs.stacks import CANARIES, policy, route, stack, stacks
from webapp import VERSION
from webapp.apidocs.openapi import describe
from webapp.endpoints import ENDPOINTS
from webapp.settings import SessionSettings, Settings
from webapp.settings.read import load

HOST = "api.example.com"


def operations(settings: Settings) -> dict[str, dict]:
    paths = describe(settings, HOST)["paths"]
    return {f"{m.upper()} {p}": made for p, item in paths.items() for m, made in item.items()}


def operation(**fields: object) -> dict:
    given = operations(stack(routes=(route("it", "/it", **fields),)))
    return given["GET /it"]


def check_validity(made: Settings) -> None:
    # Not at the top: every worker would spend a second on it.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    description = describe(made, HOST)
    assert [error.message for error in OpenAPIV31SpecValidator(description).iter_errors()] == []
    shapes = [re.sub(r"\{[^}]*\}", "{}", path) for path in description["paths"]]
    assert len(shapes) == len(set(shapes))
    text = json.dumps(description)
    assert not [canary for canary in CANARIES if canary in text]


@pytest.mark.parametrize("made", [load("dev").settings, load("prod").settings, stack()])
def test_the_description_is_valid_and_tells_nothing_internal(made: Settings) -> None:
    check_validity(made)


@pytest.mark.slow
@settings(max_examples=80)
@given(stacks())
def test_every_description_is_valid_and_tells_nothing_internal(made: Settings) -> None:
    check_validity(made)


@settings(max_examples=8)
@given(stacks())
def test_every_operation_is_told_once_under_its_own_name(made: Settings) -> None:
    told = operations(made)
    names = [operation["operationId"] for operation in told.values()]
    assert len(names) == len(set(names))
    own = {name for name in ENDPOINTS if made.api_docs != "off" or not name.startswith("docs")}
    expected = {f"{m.lower()}_{r.id}" for r in made.routes for m in r.methods}
    assert {f"tollgate.{name}" for name in own} <= set(names)
    assert set(names) <= expected | {f"tollgate.{name}" for name in own}


def test_the_bytes_are_the_same_for_the_same_settings_and_host() -> None:
    one, other = (json.dumps(describe(load("dev").settings, HOST)) for _ in range(2))
    assert one == other


def test_routes_stand_before_the_gateways_own_endpoints_in_their_order() -> None:
    told = list(operations(stack()))
    assert told[:4] == ["GET /open", "GET /items/{id}", "PUT /items/{id}", "DELETE /items/{id}"]
    assert told[-2:] == ["GET /openapi.json", "GET /docs"]


@pytest.mark.parametrize(
    ("made", "host", "url"),
    [
        (stack(), HOST, "https://api.example.com"),
        (stack(), "", "/"),
        (
            stack(session=SessionSettings(cookie_name="session")),
            "127.0.0.1:80",
            "http://127.0.0.1:80",
        ),
    ],
)
def test_the_server_is_where_the_reader_asked(made: Settings, host: str, url: str) -> None:
    assert describe(made, host)["servers"] == [{"url": url}]


def test_the_description_names_the_host_and_the_version() -> None:
    info = describe(stack(), HOST)["info"]
    assert (info["title"], info["version"]) == ("API of api.example.com", VERSION)


@pytest.mark.parametrize(
    ("auth", "security"),
    [
        ("none", []),
        ("optional", [{}, {"bearer": []}, {"cookie": []}]),
        ("session", [{"bearer": []}, {"cookie": []}]),
    ],
)
def test_who_may_call_is_told_as_security(auth: str, security: list) -> None:
    assert operation(auth=auth)["security"] == security


def test_the_schemes_are_the_token_and_the_cookie_under_its_name() -> None:
    made = stack(session=SessionSettings(cookie_name="__Host-mine"))
    schemes = describe(made, HOST)["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    cookie = schemes["cookie"]
    assert (cookie["type"], cookie["in"], cookie["name"]) == ("apiKey", "cookie", "__Host-mine")


def test_roles_are_told() -> None:
    made = operation(roles=("user", "admin"))
    assert made["x-tollgate-roles"] == ["user", "admin"]
    assert made["description"] == "Signed in, with one of the roles user or admin."


def test_other_users_sessions_need_the_role_of_administrators() -> None:
    told = operations(stack(admin_role="root"))
    assert told["GET /auth/users/{user_id}/sessions"]["x-tollgate-roles"] == ["root"]


def test_that_a_route_is_for_certain_addresses_is_told() -> None:
    made = operation(allow_from=("198.51.100.0/24",), auth="none")
    assert made["description"] == "Anyone. From certain addresses only."


def test_a_body_is_anything_up_to_a_size() -> None:
    told = operations(stack())
    body = told["POST /near"]["requestBody"]
    assert all("schema" in content for content in body["content"].values())
    assert {"*/*", "application/octet-stream"} == body["content"].keys()
    assert body["description"] == "Passed on as it is, whatever its type; at most 1 KiB."
    for bodiless in ("GET /open", "DELETE /items/{id}", "POST /auth/session/refresh"):
        assert "requestBody" not in told[bodiless]


def test_the_route_of_the_bare_host_is_there() -> None:
    made = operations(stack(routes=(route("root", "/"), route("it", "/it"))))
    assert made["GET /"]["operationId"] == "get_root"


@pytest.mark.parametrize("session", ["issue", "end"])
def test_signing_in_and_out_may_carry_the_session_that_it_ends(session: str) -> None:
    told = operation(auth="none", session=session)
    assert told["security"] == [{}, {"bearer": []}, {"cookie": []}]
    assert told["description"].startswith("Anyone. ")


def test_a_route_without_room_for_a_body_takes_none() -> None:
    made = operations(stack(routes=(route("it", "/it", "POST", max_body_bytes=0),)))
    assert "requestBody" not in made["POST /it"]


def test_policies_are_told_where_they_apply() -> None:
    made = describe(stack(), HOST)
    assert made["x-tollgate-policies"]["per-ip"] == {
        "key": ["ip"],
        "limit": 100,
        "window": 60,
        "burst": 120,
        "description": "100 a minute per address, up to 120 at once",
    }
    told = operations(stack())
    assert told["GET /open"]["x-tollgate-policies"] == ["per-ip"]
    assert told["GET /items/{id}"]["x-tollgate-policies"] == ["per-ip", "pro"]
    assert told["GET /auth/session"]["x-tollgate-policies"] == ["per-ip", "pro"]
    assert "x-tollgate-policies" not in told["GET /health"]


def test_policies_in_shadow_are_not_told() -> None:
    made = describe(stack(rate_limits=(policy(mode="shadow"),)), HOST)
    assert made["x-tollgate-policies"] == {}
    assert "x-tollgate-policies" not in made["paths"]["/open"]["get"]


def test_responses_stand_in_the_order_of_statuses() -> None:
    for made in operations(stack()).values():
        assert list(made["responses"]) == sorted(made["responses"])


def test_a_policy_of_named_routes_is_told_there_only() -> None:
    told = operations(stack(rate_limits=(policy(routes=("open",)),)))
    assert [name for name, made in told.items() if "x-tollgate-policies" in made] == ["GET /open"]


@pytest.mark.parametrize(("mode", "told"), [("public", []), ("session", ["bearer", "cookie"])])
def test_who_may_read_the_documents_is_told(mode: str, told: list) -> None:
    made = operations(stack(api_docs=mode))["GET /docs"]
    assert [name for scheme in made["security"] for name in scheme] == told


def test_alike_responses_stand_there_once() -> None:
    made = describe(load("dev").settings, HOST)
    stored = [json.dumps(response) for response in made["components"]["responses"].values()]
    assert len(stored) == len(set(stored))
    used = set(re.findall(r"#/components/responses/(\w+)", json.dumps(made["paths"])))
    assert used == set(made["components"]["responses"])
